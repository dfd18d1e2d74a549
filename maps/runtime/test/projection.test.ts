import assert from "node:assert/strict";
import { test } from "node:test";
import type L from "leaflet";
import { Heights, Projection } from "../src/packed/projection";

const lattice = { west: 121, south: 30, step_x: 3e-6, step_y: 2.7e-6, quantum_m: 0.3 };
const ROWS = 400_000;
const heights = new Heights(lattice, ROWS);
/** The circumference of the earth in web Mercator. */
const METRES = 2 * Math.PI * 6_378_137;

/** Web Mercator of a latitude by another formula: 0 at the north end of the world, 1 at the south. */
function mercator(lat: number): number {
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI);
}

test("heights from the table are right to 5 mm", () => {
  for (let row = 0; row <= ROWS; row += 997) {
    const off = heights.at(row) - mercator(lattice.south + row * lattice.step_y);
    assert.ok(Math.abs(off) * METRES < 0.005, `row ${row}`);
  }
});

test("the row at a height is the way back", () => {
  for (const row of [0, 12_345, ROWS]) {
    assert.ok(Math.abs(heights.rowAt(heights.at(row)) - row) < 0.02);
  }
});

test("a place falls on the pixel that the map gives it", () => {
  const [zoom, ratio] = [12, 2];
  const world = 256 * 2 ** zoom;
  const corner = { x: 876_500, y: 430_000 } as L.Point;
  const projection = new Projection(lattice, heights, zoom, corner, ratio);
  const [column, row] = [50_000, 100_000];
  const lon = lattice.west + column * lattice.step_x;
  const lat = lattice.south + row * lattice.step_y;
  assert.ok(
    Math.abs(projection.x(column) - (((lon + 180) / 360) * world - 876_500) * ratio) < 1e-6,
  );
  assert.ok(Math.abs(projection.y(row) - (mercator(lat) * world - 430_000) * ratio) < 1e-2);
  assert.ok(Math.abs(projection.column(projection.x(column)) - column) < 1e-3);
  assert.ok(Math.abs(projection.row(projection.y(row)) - row) < 0.1);
});
