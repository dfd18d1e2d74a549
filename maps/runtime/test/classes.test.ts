import assert from "node:assert/strict";
import { test } from "node:test";
import { classOf, limitsOf, quantileEnds } from "../src/classes";

test("classes have about as many areas each, without those that have nothing", () => {
  const counts = Uint32Array.of(0, 0, 0, 1, 2, 3, 4, 5, 6);
  assert.deepEqual(quantileEnds([counts], 3), [2, 4, 6]);
});

test("several steps of the slider have one scale", () => {
  assert.deepEqual(quantileEnds([Uint32Array.of(1, 9), Uint32Array.of(2, 0, 10)], 2), [2, 10]);
});

test("ends that are the same are one, and nothing at all has no class", () => {
  assert.deepEqual(quantileEnds([Uint32Array.of(1, 1, 1, 1, 8)], 4), [1, 8]);
  assert.deepEqual(quantileEnds([Uint32Array.of(0, 0)], 4), []);
});

test("a count belongs to the first class that reaches it, and beyond all to the last", () => {
  const classes = [0, 1, 2, 3, 4, 5, 99].map((count) => classOf(count, [2, 4]));
  assert.deepEqual(classes, [0, 1, 1, 2, 2, 2, 2]);
});

test("a class begins after the one before", () => {
  assert.deepEqual(
    [0, 1, 2].map((at) => limitsOf(at, [2, 4])),
    [
      [0, 0],
      [1, 2],
      [3, 4],
    ],
  );
});
