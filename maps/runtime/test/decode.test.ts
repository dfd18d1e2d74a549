import assert from "node:assert/strict";
import { test } from "node:test";
import type { MultiPolygon, Position } from "geojson";
import { reader } from "../src/packed/columns";
import { buffersOf } from "../src/packed/decode";
import { geometryOf } from "../src/packed/hit";
import { type Report, serve } from "../src/packed/serve";
import { example } from "./examples";

type Areas = { rings: Position[][][]; columns: Record<string, unknown[]> };
type Points = { places: (Position | null)[]; days: (number | null)[]; weights: (number | null)[] };
const [AREAS, POINTS] = [0, 1];

test("the areas of docs/packed.md come out of their bytes", async () => {
  const { config, decoded, held } = await example<Areas>(AREAS);
  const { shapes } = decoded;
  assert.ok(shapes);
  const lattice = { ...config.lattice, west: 0, south: 0, step_x: 1, step_y: 1 };
  const found = held.rings.map((_, row) => {
    const geometry = geometryOf(shapes, lattice, shapes.feature[row], "polygons");
    return geometry ? (geometry as MultiPolygon).coordinates.flat() : [];
  });
  assert.deepEqual(found, held.rings);
  assert.deepEqual([...shapes.level], [3, 3, 3, 3, 3, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
});

test("their columns do too, by row", async () => {
  const { config, decoded, held } = await example<Areas>(AREAS);
  const found = config.fields.map(({ name }, i) => {
    const read = reader(decoded.columns[i]);
    return [name, [0, 1, 2].map(read)];
  });
  assert.deepEqual(Object.fromEntries(found), held.columns);
});

test("features have boxes, and one without a ring a box that meets nothing", async () => {
  const { shapes } = (await example<Areas>(AREAS)).decoded;
  assert.deepEqual([...(shapes?.row ?? [])], [2, 0, 1]);
  const boxes = [...(shapes?.boxes ?? [])];
  assert.deepEqual(boxes.slice(0, 8), [0, 0, 4, 4, 4, 0, 8, 4]);
  assert.ok(boxes[8] > boxes[10]);
});

test("the points of docs/packed.md come out of their bytes", async () => {
  const { decoded, held } = await example<Points>(POINTS);
  const { spots } = decoded;
  assert.ok(spots?.day && spots.weight);
  const { x, y, day, weight, feature } = spots;
  const places = held.places.map((_, row) =>
    feature[row] < x.length ? [x[feature[row]], y[feature[row]]] : null,
  );
  assert.deepEqual(places, held.places);
  assert.deepEqual(
    [...weight].reverse(),
    held.weights.filter((one) => one !== null),
  );
  // A point without a time has the last of all days.
  assert.deepEqual([...day], [65535, 0]);
});

test("what a worker hands over is every buffer once", async () => {
  const { decoded } = await example<Areas>(AREAS);
  const buffers = buffersOf(decoded);
  assert.equal(new Set(buffers).size, buffers.length);
  assert.ok(decoded.shapes && buffers.includes(decoded.shapes.x.buffer as ArrayBuffer));
  structuredClone(decoded, { transfer: buffers });
  assert.equal(decoded.shapes.x.length, 0);
});

test("a worker reports what it decoded, or why it could not", async () => {
  const { config } = await example<Areas>(AREAS);
  const reports: Report[] = [];
  await serve({ content: config, data: "!" }, (report) => reports.push(report));
  assert.ok(reports.length === 1 && "error" in reports[0]);
});
