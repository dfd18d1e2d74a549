import assert from "node:assert/strict";
import { test } from "node:test";
import type { MultiPolygon } from "geojson";
import type { Shapes } from "../src/packed/decode";
import { distance, geometryOf, holds } from "../src/packed/hit";
import { example } from "./examples";

const [EAST, WEST] = [1, 0];

async function areas(): Promise<Shapes> {
  const { shapes } = (await example(0)).decoded;
  assert.ok(shapes);
  return shapes;
}

/** Two rings of one feature: a square, then a spike out and back, which has no area. */
function spiked(): Shapes {
  const x = Int32Array.of(0, 7, 7, 0, 0, 20, 33, 20);
  const y = Int32Array.of(0, 0, 7, 7, 0, 20, 27, 20);
  const [start, arc] = [Uint32Array.of(0, 5, 8), Uint32Array.of(0, 2)];
  const [ring, use] = [Uint32Array.of(0, 2), Uint32Array.of(0, 1, 2)];
  const level = new Uint8Array(8);
  const boxes = Int32Array.of(0, 0, 33, 27);
  const rows = { row: Uint32Array.of(0), feature: Uint32Array.of(0), tree: { levels: [boxes] } };
  return { start, x, y, level, ring, use, arc, boxes, ...rows };
}

test("an area holds what lies in it, but not in its hole", async () => {
  const shapes = await areas();
  assert.ok(holds(shapes, WEST, 3.5, 3.5));
  assert.ok(!holds(shapes, WEST, 1.5, 1.5));
  assert.ok(holds(shapes, EAST, 6, 1));
});

test("a place on the common border belongs to one of the two", async () => {
  const shapes = await areas();
  assert.equal([WEST, EAST].filter((feature) => holds(shapes, feature, 4, 2)).length, 1);
});

test("the distance from a line is squared, and stretched as columns are on the ground", async () => {
  const shapes = await areas();
  assert.equal(distance(shapes, EAST, 11, 2, 1), 9);
  assert.equal(distance(shapes, EAST, 11, 2, 0.5), 2.25);
  assert.equal(distance(shapes, EAST, 11, 8, 1), 25);
  assert.equal(distance(shapes, EAST, 8, 1, 1), 0);
});

test("a part without an area is a part, not a hole of the one before", () => {
  const lattice = { west: 0.1, south: 0.2, step_x: 0.3, step_y: 0.7, quantum_m: 1 };
  const geometry = geometryOf(spiked(), lattice, 0, "polygons") as MultiPolygon;
  assert.deepEqual(
    geometry.coordinates.map((part) => part.length),
    [1, 1],
  );
});

test("a feature without a ring has no geometry; lines are not closed into areas", async () => {
  const { config } = await example(0);
  const shapes = await areas();
  assert.equal(geometryOf(shapes, config.lattice, 2, "polygons"), null);
  assert.equal(geometryOf(shapes, config.lattice, EAST, "lines")?.type, "MultiLineString");
});
