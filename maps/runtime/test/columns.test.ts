import assert from "node:assert/strict";
import { test } from "node:test";
import type { Value } from "../src/format";
import { type ColumnSpec, readColumn, reader } from "../src/packed/columns";

const coded = (text: string) => new TextEncoder().encode(text);

function valuesOf(
  spec: ColumnSpec,
  values: number[],
  letters = "",
  count = values.length,
): Value[] {
  const streams = { "0.values": Uint8Array.from(values), "0.letters": coded(letters) };
  const read = reader(readColumn(spec, streams, 0, count));
  return Array.from({ length: count }, (_, row) => read(row));
}

const whole = { base: 0, step: 1, scale: 1, delta: false };

test("whole numbers have a base, a step and a scale; 0 is missing", () => {
  const spec = { ...whole, kind: "integer", base: -5, step: 10, scale: 100 } as const;
  assert.deepEqual(valuesOf(spec, [1, 0, 3]), [-0.05, null, 0.15]);
});

test("differences from row to row add up, also below what is missing", () => {
  // 3, 0, 2 as signed differences.
  assert.deepEqual(valuesOf({ ...whole, kind: "integer", delta: true }, [6, 5, 4]), [2, null, 1]);
});

test("numbers beyond 32 bits keep their digits", () => {
  const most = [254, 255, 255, 255, 255, 255, 255, 15];
  const spec = { ...whole, kind: "integer" } as const;
  assert.deepEqual(valuesOf(spec, most, "", 1), [Number.MAX_SAFE_INTEGER - 2]);
});

test("digits keep their zeros, and yes is 1", () => {
  assert.deepEqual(valuesOf({ ...whole, kind: "digits", width: 4 }, [8, 0]), ["0007", null]);
  assert.deepEqual(valuesOf({ ...whole, kind: "boolean" }, [1, 2, 0]), [false, true, null]);
});

test("floats come back bit by bit", () => {
  const numbers = Float64Array.of(Math.PI, Number.NaN, -1e300);
  const bytes = new Uint8Array(numbers.buffer);
  const planes = Array.from({ length: 24 }, (_, i) => bytes[(i % 3) * 8 + Math.floor(i / 3)]);
  assert.deepEqual(valuesOf({ kind: "float" }, planes, "", 3), [Math.PI, null, -1e300]);
});

test("a dictionary has each text once", () => {
  assert.deepEqual(valuesOf({ kind: "dictionary" }, [2, 0, 1], '["a","网"]'), ["网", null, "a"]);
});

test("texts of any size are found from marks, far down too", () => {
  const texts = Array.from({ length: 200 }, (_, i) => (i % 7 === 3 ? null : "网".repeat(i % 5)));
  const sizes = texts.map((text) => (text === null ? 0 : coded(text).length + 1));
  assert.deepEqual(valuesOf({ kind: "text" }, sizes, texts.join("")), texts);
});

test("anything else stands in the page as it is", () => {
  assert.deepEqual(valuesOf({ kind: "json", values: ["x", 1, null] }, [], "", 3), ["x", 1, null]);
});
