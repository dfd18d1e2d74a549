import assert from "node:assert/strict";
import { test } from "node:test";
import { Index, ranked } from "../src/finding";
import { field, rowsOf } from "./rows";

const FIELDS = [
  field("code"),
  field("name"),
  field("cases", { format: "number" }),
  field("kind", { categories: { a: "Alpha" } }),
];
const grids = rowsOf(FIELDS, [
  ["A-10", "North a-1", 7, "a"],
  ["A-1", "East", 1, "a"],
  ["B-2", "A-1 market", 2, "a"],
  [null, "West", null, "a"],
]);
const roads = rowsOf([field("name")], [["a-1"], ["Old a-1 road"]]);

function found(asked: string): [layer: string, row: number, rank: number][] {
  const hits = ranked([new Index(grids), new Index(roads)], asked);
  return hits.map(({ features, row, rank }) => [features === grids ? "grids" : "roads", row, rank]);
}

test("what was typed comes first, then what begins with it, then what holds it", () => {
  assert.deepEqual(found("a-1"), [
    ["grids", 1, 0],
    ["roads", 0, 0],
    ["grids", 0, 1],
    ["grids", 2, 1],
    ["roads", 1, 2],
  ]);
});

test("numbers and the codes of categories are not searched", () => {
  assert.deepEqual(found("7"), []);
  assert.deepEqual(new Index(grids).find("alpha"), []);
});

test("a row without words is not found, and words do not run into each other", () => {
  assert.deepEqual(found("east\nb"), []);
  assert.deepEqual(
    found("west").map(([, row]) => row),
    [3],
  );
});

test("a row is called by the words that were found, then its others, each once", () => {
  const index = new Index(grids);
  assert.deepEqual(index.describe(2, "market"), ["A-1 market", "B-2"]);
  assert.deepEqual(index.describe(3, "zzz"), ["West"]);
  const same = new Index(rowsOf([field("code"), field("name")], [["x", "x"]]));
  assert.deepEqual(same.describe(0, "x"), ["x"]);
});
