import assert from "node:assert/strict";
import { test } from "node:test";
import { type Metres, metresAt, type PackedShapes, Shapes } from "../src/whofind";

/** Packs metres as `who.py` does: centimetres, differences in zigzag order, varints, base64. */
function pack(parts: [owner: number, ...places: [number, number][]][]): PackedShapes {
  const places = parts.flatMap(([, ...some]) => some);
  let end = 0;
  const ends = parts.map(([, ...some]) => (end += some.length));
  return {
    x: integers(places.map(([x]) => x * 100)),
    y: integers(places.map(([, y]) => y * 100)),
    ends: integers(ends),
    owners: integers(parts.map(([owner]) => owner)),
    places: places.length,
    parts: parts.length,
  };
}

function integers(values: number[]): string {
  const bytes = values.flatMap((value, i) => {
    const step = value - (values[i - 1] ?? 0);
    let rest = step < 0 ? -2 * step - 1 : 2 * step;
    const some: number[] = [];
    for (; rest > 127; rest = Math.floor(rest / 128)) some.push((rest % 128) | 128);
    return [...some, rest];
  });
  return btoa(String.fromCharCode(...bytes));
}

const square = (from: number, to: number): [number, number][] => [
  [from, from],
  [to, from],
  [to, to],
  [from, to],
  [from, from],
];

test("areas hold what lies in their rings by turns: a hole falls out, an island counts", () => {
  const areas = new Shapes(
    pack([
      [0, ...square(0, 100)],
      [0, ...square(20, 80)],
      [0, ...square(40, 60)],
      [1, ...square(50, 200)],
    ]),
  );
  const held = ([10, 30, 45, 55, 150, 300] as const).map((at) => areas.holding([at, at]));
  assert.deepEqual(held, [[0], [], [0], [0, 1], [1], []]);
});

test("the nearest line is found within reach, and how far along all its parts", () => {
  const lines = new Shapes(
    pack([
      [0, [0, 0], [100, 0]],
      [0, [120, 0], [120, 50]],
      [1, [0, 40], [100, 40]],
    ]),
  );
  assert.deepEqual(lines.nearest([30, 5], 30), [{ row: 0, distance: 5, chainage: 30 }]);
  assert.deepEqual(lines.nearest([125, 20], 30), [{ row: 0, distance: 5, chainage: 120 }]);
  assert.deepEqual(lines.nearest([-3, -4], 30), [{ row: 0, distance: 5, chainage: 0 }]);
  assert.deepEqual(lines.nearest([50, 20], 30)[0].row, 0);
  assert.deepEqual(lines.nearest([50, 80], 30), []);
});

test("every point within reach is near, its edge included", () => {
  const points = new Shapes(
    pack([
      [0, [0, 0]],
      [1, [30, 40]],
      [2, [100, 0]],
    ]),
  );
  const found = points.near([0, 0], 50).map(({ row, distance }) => [row, distance]);
  assert.deepEqual(found, [
    [0, 0],
    [1, 50],
  ]);
});

test("each tile has polynomials of its own; beyond the box there are no metres", () => {
  const fit: Metres = {
    box: [10, 20, 12, 22],
    tiles: 2,
    powers: [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ],
    x: [
      [1, 0, 0, 0],
      [2, 10, 0, 0],
      [3, 0, 0, 4],
      [4, 0, 0, 0],
    ],
    y: [
      [0, 0, 0, 0],
      [0, 0, 7, 0],
      [0, 0, 0, 0],
      [5, 0, 0, 0],
    ],
  };
  assert.deepEqual(metresAt(fit, 10.5, 20.5), [1, 0]);
  assert.deepEqual(metresAt(fit, 12, 20.75), [12, 3.5]);
  assert.deepEqual(metresAt(fit, 10.25, 21.25), [4, 0]);
  assert.deepEqual(metresAt(fit, 12, 22), [4, 5]);
  assert.equal(metresAt(fit, 12.001, 21), null);
});
