import assert from "node:assert/strict";
import { test } from "node:test";
import { boxesOfRuns, emptyBoxes, widen } from "../src/packed/boxes";
import { buildTree, FAN_OUT, search } from "../src/packed/tree";

type Box = [west: number, south: number, east: number, north: number];

/** Squares of a row of 40, line by line. */
const ACROSS = 40;
const squares = Int32Array.from({ length: 700 * 4 }, (_, i) => {
  const square = i >> 2;
  const corner = i % 2 ? Math.floor(square / ACROSS) * 10 : (square % ACROSS) * 10;
  return corner + (i % 4 > 1 ? 8 : 0);
});

function found(...[west, south, east, north]: Box): number[] {
  const features: number[] = [];
  search(buildTree(squares), west, south, east, north, (feature) => features.push(feature));
  return features;
}

test("each level has a sixteenth of the boxes below, up to one that fits at once", () => {
  const { levels } = buildTree(squares);
  assert.deepEqual(
    levels.map((boxes) => boxes.length / 4),
    [700, 44, 3],
  );
  assert.deepEqual([...levels[1].subarray(0, 4)], [0, 0, (FAN_OUT - 1) * 10 + 8, 8]);
});

test("a search finds what a look at every box finds, in ascending order", () => {
  for (const box of [
    [0, 0, 5, 5],
    [95, 35, 205, 61],
    [398, 178, 999, 999],
  ] as Box[]) {
    const [west, south, east, north] = box;
    const all = Array.from({ length: 700 }, (_, i) => i).filter((i) => {
      const [w, s, e, n] = squares.subarray(i * 4, i * 4 + 4);
      return w <= east && e >= west && s <= north && n >= south;
    });
    assert.deepEqual(found(...box), all);
  }
  assert.deepEqual(found(9, 9, 9, 9), []);
});

test("a box that only touches is met", () => {
  assert.deepEqual(found(8, 8, 9, 9), [0]);
  assert.deepEqual(found(-5, -5, 0, 0), [0]);
});

test("no boxes are no trouble, and the box of nothing is never met", () => {
  const none: number[] = [];
  search(buildTree(new Int32Array(0)), 0, 0, 9, 9, (feature) => none.push(feature));
  search(buildTree(emptyBoxes(20)), -9, -9, 9, 9, (feature) => none.push(feature));
  assert.deepEqual(none, []);
});

test("boxes hold the places of their runs, and widen", () => {
  const boxes = boxesOfRuns([0, 2, 2, 3], Int32Array.of(3, -1, 7), Int32Array.of(5, 6, -7));
  assert.deepEqual([...boxes.subarray(0, 4)], [-1, 5, 3, 6]);
  assert.ok(boxes[4] > boxes[6]);
  widen(boxes, 4, boxes, 8);
  assert.deepEqual([...boxes.subarray(4, 8)], [7, -7, 7, -7]);
});
