/** Boxes on the lattice, four numbers each: west, south, east, north. */
export type Boxes = Int32Array;

/** The box of nothing, which meets no other. */
const NOWHERE = [0x7fffffff, 0x7fffffff, -0x80000000, -0x80000000];

export function emptyBoxes(count: number): Boxes {
  const boxes = new Int32Array(count * 4);
  for (let at = 0; at < boxes.length; at += 4) boxes.set(NOWHERE, at);
  return boxes;
}

/** Makes one box hold another, each given by where it begins. */
export function widen(boxes: Boxes, at: number, by: Boxes, from: number): void {
  if (by[from] < boxes[at]) boxes[at] = by[from];
  if (by[from + 1] < boxes[at + 1]) boxes[at + 1] = by[from + 1];
  if (by[from + 2] > boxes[at + 2]) boxes[at + 2] = by[from + 2];
  if (by[from + 3] > boxes[at + 3]) boxes[at + 3] = by[from + 3];
}

/** Returns the box of each run of places; run `i` begins at `start[i]` and ends before the next. */
export function boxesOfRuns(start: ArrayLike<number>, x: Int32Array, y: Int32Array): Boxes {
  const boxes = emptyBoxes(start.length - 1);
  for (let run = 0; run + 1 < start.length; run++) {
    let [west, south, east, north] = NOWHERE;
    for (let k = start[run]; k < start[run + 1]; k++) {
      if (x[k] < west) west = x[k];
      if (x[k] > east) east = x[k];
      if (y[k] < south) south = y[k];
      if (y[k] > north) north = y[k];
    }
    boxes.set([west, south, east, north], run * 4);
  }
  return boxes;
}
