import { type Boxes, emptyBoxes, widen } from "./boxes";

/** A packed R-tree: features lie along a Hilbert curve, so that any 16 in a row are neighbours. */
export interface Tree {
  /** Boxes (west, south, east, north) of the features, of 16 of them, of 256, ... */
  levels: Boxes[];
}

export const FAN_OUT = 16;

export function buildTree(boxes: Boxes): Tree {
  const levels = [boxes];
  for (let below = boxes; below.length > FAN_OUT * 4; ) {
    below = above(below);
    levels.push(below);
  }
  return { levels };
}

function above(below: Boxes): Boxes {
  const boxes = emptyBoxes(Math.ceil(below.length / 4 / FAN_OUT));
  for (let i = 0; i < below.length / 4; i++)
    widen(boxes, Math.floor(i / FAN_OUT) * 4, below, i * 4);
  return boxes;
}

/** Calls back, in ascending order, with the features whose box meets another. */
export function search(
  { levels }: Tree,
  west: number,
  south: number,
  east: number,
  north: number,
  found: (feature: number) => void,
): void {
  const visit = (depth: number, from: number, to: number) => {
    const boxes = levels[depth];
    const end = Math.min(boxes.length >> 2, to);
    for (let i = from; i < end; i++) {
      const at = i * 4;
      if (boxes[at] > east || boxes[at + 2] < west) continue;
      if (boxes[at + 1] > north || boxes[at + 3] < south) continue;
      if (depth === 0) found(i);
      else visit(depth - 1, i * FAN_OUT, (i + 1) * FAN_OUT);
    }
  };
  visit(levels.length - 1, 0, Infinity);
}
