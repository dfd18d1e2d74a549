/** A packed R-tree: features lie along a Hilbert curve, so that any 16 in a row are neighbours. */
export interface Tree {
  /** Boxes (west, south, east, north) of the features, of 16 of them, of 256, ... */
  levels: Int32Array[];
}

export const FAN_OUT = 16;

export function buildTree(boxes: Int32Array): Tree {
  const levels = [boxes];
  for (let below = boxes; below.length > FAN_OUT * 4; ) {
    const above = new Int32Array(Math.ceil(below.length / 4 / FAN_OUT) * 4);
    for (let i = 0; i < above.length; i += 4) {
      const end = Math.min(below.length, (i + 4) * FAN_OUT);
      let [west, south, east, north] = [0x7fffffff, 0x7fffffff, -0x80000000, -0x80000000];
      for (let k = i * FAN_OUT; k < end; k += 4) {
        if (below[k] < west) west = below[k];
        if (below[k + 1] < south) south = below[k + 1];
        if (below[k + 2] > east) east = below[k + 2];
        if (below[k + 3] > north) north = below[k + 3];
      }
      above.set([west, south, east, north], i);
    }
    levels.push(above);
    below = above;
  }
  return { levels };
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
