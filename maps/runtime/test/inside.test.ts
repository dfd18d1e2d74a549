import assert from "node:assert/strict";
import { test } from "node:test";
import type { Polygon } from "geojson";
import { anchorOf, boxOf, contains } from "../src/inside";

const ring = (west: number, south: number, east: number, north: number) => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
];
const holed: Polygon = { type: "Polygon", coordinates: [ring(0, 0, 10, 10), ring(4, 4, 6, 6)] };

test("an area holds what lies in it, but not in its hole", () => {
  assert.ok(contains(holed, 1, 1));
  assert.ok(!contains(holed, 5, 5));
  assert.ok(!contains(holed, 11, 5));
});

test("a place on a border belongs to one of two neighbours", () => {
  const areas = [ring(0, 0, 1, 1), ring(1, 0, 2, 1), ring(0, 1, 1, 2), ring(1, 1, 2, 2)];
  const holders = (lon: number, lat: number) =>
    areas.filter((one) => contains({ type: "Polygon", coordinates: [one] }, lon, lat)).length;
  assert.deepEqual([holders(1, 0.5), holders(0.5, 1), holders(1, 1)], [1, 1, 1]);
});

test("several parts hold what one of them holds; lines and points hold nothing", () => {
  const parts = [[ring(0, 0, 1, 1)], [ring(5, 5, 6, 6)]];
  assert.ok(contains({ type: "MultiPolygon", coordinates: parts }, 5.5, 5.5));
  assert.ok(contains({ type: "GeometryCollection", geometries: [holed] }, 1, 1));
  assert.ok(!contains({ type: "LineString", coordinates: ring(0, 0, 1, 1) }, 0.5, 0.5));
});

test("an area is pointed at inside of it, where it is widest", () => {
  const [lon, lat] = anchorOf(holed);
  assert.ok(contains(holed, lon, lat));
  const parts = [[ring(0, 0, 1, 1)], [ring(5, 5, 9, 6)]];
  assert.deepEqual(anchorOf({ type: "MultiPolygon", coordinates: parts }), [7, 5.5]);
});

test("lines are pointed at on one of their vertices, points where they are", () => {
  const line = [
    [0, 0],
    [1, 5],
    [2, 0],
  ];
  assert.deepEqual(anchorOf({ type: "LineString", coordinates: line }), [1, 5]);
  assert.deepEqual(anchorOf({ type: "MultiLineString", coordinates: [line] }), [1, 5]);
  assert.deepEqual(anchorOf({ type: "MultiPoint", coordinates: line }), [0, 0]);
  assert.deepEqual(anchorOf({ type: "Point", coordinates: [3, 4] }), [3, 4]);
});

test("a box holds all parts", () => {
  assert.deepEqual(boxOf({ type: "Point", coordinates: [3, 4] }), [3, 4, 3, 4]);
  const point = { type: "Point" as const, coordinates: [-1, 12] };
  assert.deepEqual(
    boxOf({ type: "GeometryCollection", geometries: [holed, point] }),
    [-1, 0, 10, 12],
  );
});
