import assert from "node:assert/strict";
import { test } from "node:test";
import type L from "leaflet";
import { isOf, pick } from "../src/packed/chosen";
import { clustersOf } from "../src/packed/clusters";
import type { Spots } from "../src/packed/decode";
import { boxReach, fullHeat, fullOf, spotHeat } from "../src/packed/density";
import { Heights, Projection } from "../src/packed/projection";
import { buildTree } from "../src/packed/tree";

/** Points in columns, all in one line; row `i` is feature `i`. */
function spotsAt(x: number[], days: number[] | null = null): Spots {
  const rows = Uint32Array.from(x, (_, i) => i);
  return {
    x: Int32Array.from(x),
    y: new Int32Array(x.length),
    day: days && Uint16Array.from(days),
    weight: null,
    tree: buildTree(new Int32Array(0)),
    row: rows,
    feature: rows,
  };
}

test("days take their first and not the day after their last", () => {
  const spots = spotsAt([0, 1, 2, 3], [4, 5, 6, 65535]);
  assert.deepEqual([...(pick(spots, [5, 6], null) ?? [])], [1]);
  assert.deepEqual([...(pick(spots, null, Uint8Array.of(1, 0, 0, 1)) ?? [])], [0, 3]);
  assert.deepEqual([...(pick(spots, [0, 7], Uint8Array.of(0, 1, 1, 1)) ?? [])], [1, 2]);
  assert.equal(pick(spots, null, null), null);
});

test("points without times are of all days", () => {
  assert.ok(isOf(spotsAt([0]), [5, 6], 0));
});

function clusters(x: number[]) {
  const lattice = { west: 0, south: 0, step_x: 360 / 2 ** 20, step_y: 1e-6, quantum_m: 1 };
  const corner = { x: 2 ** 19, y: 2 ** 19 - 100 } as L.Point;
  // One column of the lattice is one pixel of the world.
  const projection = new Projection(lattice, new Heights(lattice, 10), 12, corner, 1);
  const view = { zoom: 12, corner, size: { x: 400, y: 200 } as L.Point, ratio: 1 };
  const steps = clustersOf({ spots: spotsAt(x), features: null, projection }, view);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

test("near points are one circle at their middle, far ones are not", () => {
  const [many, one] = clusters([10, 12, 14, 300]);
  assert.deepEqual([many.count, many.only, one.count, one.only], [3, null, 1, 3]);
  assert.ok(Math.abs(many.x - 2 ** 19 - 12) < 1e-6);
  assert.deepEqual(many.box, [10, 0, 14, 0]);
});

test("circles of two cells that would overlap are joined", () => {
  // 2 ** 19 lies 56 pixels into a cell of 72: the next one begins at column 16.
  const found = clusters([15, 17]);
  assert.deepEqual(
    found.map(({ count }) => count),
    [2],
  );
});

test("points out of view are in no circle", () => {
  assert.deepEqual(clusters([-500, 2000]), []);
});

test("a few cells may be hotter than the full colour", () => {
  const heat = new Float32Array(1000).fill(1);
  heat.fill(0, 0, 100);
  assert.ok(Math.abs(fullHeat(heat) - 1) < 0.001);
  heat[999] = 50;
  assert.ok(fullHeat(heat) < 1.1);
  assert.equal(fullHeat(new Float32Array(10)), 0);
});

test("the full colour takes three points on one spot at least", () => {
  assert.equal(fullOf(0.1, 1, 2), 6);
  assert.equal(fullOf(100, 1, 2), 100);
  assert.equal(fullOf(0, 1, 0), 1);
});

test("a share of the days has room for what chance adds", () => {
  assert.equal(fullOf(100, 0.5, 1), 50 + 2 * Math.sqrt(25));
});

test("the middle of a blurred point is what three box blurs leave there", () => {
  const radius = 14;
  const reach = boxReach(radius);
  const box = (values: number[]) =>
    values.map((_, i) => {
      const near = values.slice(Math.max(i - reach, 0), i + reach + 1);
      return near.reduce((a, b) => a + b, 0) / (2 * reach + 1);
    });
  const line = new Array<number>(8 * reach + 1).fill(0);
  line[4 * reach] = 1;
  const middle = box(box(box(line)))[4 * reach];
  assert.ok(Math.abs(spotHeat(spotsAt([0]), radius) - middle ** 2) < 1e-12);
  const heavy = { ...spotsAt([0, 1]), weight: Float32Array.of(1, 3) };
  assert.ok(Math.abs(spotHeat(heavy, radius) - 2 * middle ** 2) < 1e-12);
});
