import assert from "node:assert/strict";
import { test } from "node:test";
import type { Value } from "../src/format";
import { sorted } from "../src/sorting";

function order(values: Value[], down = false, lang = "en"): Value[] {
  const rows = values.map((_, row) => row);
  return sorted(rows, (row) => values[row], { down, lang }).map((row) => values[row]);
}

test("numbers are sorted by size", () => {
  assert.deepEqual(order([10, 9, -1, 2.5]), [-1, 2.5, 9, 10]);
  assert.deepEqual(order([10, 9, -1, 2.5], true), [10, 9, 2.5, -1]);
});

test("what is missing comes last, upwards and downwards", () => {
  assert.deepEqual(order([null, 2, null, 1]), [1, 2, null, null]);
  assert.deepEqual(order([null, 2, null, 1], true), [2, 1, null, null]);
});

test("digits in texts count as numbers, and texts with numbers as texts", () => {
  assert.deepEqual(order(["G10", "G9", "g1"]), ["g1", "G9", "G10"]);
  assert.deepEqual(order(["b", 10, "a", 9]), [9, 10, "a", "b"]);
});

test("texts are sorted as the language does", () => {
  assert.deepEqual(order(["张", "李", "王"], false, "zh-Hans"), ["李", "王", "张"]);
});

test("no comes before yes", () => {
  assert.deepEqual(order([true, false]), [false, true]);
});

test("equals stay in the order of rows, either way, and the rows given stay as they are", () => {
  const rows = [3, 0, 2, 1];
  const values = [1, 1, 0, 1];
  const by = (down: boolean) => sorted(rows, (row) => values[row], { down, lang: "en" });
  assert.deepEqual(by(false), [2, 0, 1, 3]);
  assert.deepEqual(by(true), [0, 1, 3, 2]);
  assert.deepEqual(rows, [3, 0, 2, 1]);
});
