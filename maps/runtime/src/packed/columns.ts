import type { Value } from "../format";
import { readVarints, type Streams } from "./bytes";

/** How a column is packed: see `_pack_columns.py`. */
interface Numbers {
  base: number;
  step: number;
  scale: number;
  /** Whether differences from row to row are stored. */
  delta: boolean;
}

export type ColumnSpec =
  | ({ kind: "integer" | "boolean" } & Numbers)
  | ({ kind: "digits"; width: number } & Numbers)
  | { kind: "dictionary" | "float" | "text" }
  | { kind: "json"; values: Value[] };

/** A column as memory holds it; where stored numbers are 0 a value is missing, else they are one more. */
export type Held =
  | { kind: "whole"; spec: Extract<ColumnSpec, Numbers>; stored: Uint32Array | Float64Array }
  | { kind: "float"; numbers: Float64Array }
  | { kind: "dictionary"; stored: Uint32Array; words: string[] }
  | { kind: "text"; stored: Uint32Array; letters: Uint8Array }
  | { kind: "json"; values: Value[] };

const TWO_TO_32 = 2 ** 32;

export function readColumn(spec: ColumnSpec, streams: Streams, index: number, count: number): Held {
  const values = streams[`${index}.values`];
  const letters = streams[`${index}.letters`];
  switch (spec.kind) {
    case "json":
      return spec;
    case "float":
      return { kind: "float", numbers: readFloats(values, count) };
    case "dictionary": {
      const words = JSON.parse(new TextDecoder().decode(letters)) as string[];
      return { kind: "dictionary", stored: readVarints(values, new Uint32Array(count)), words };
    }
    case "text": {
      const stored = readVarints(values, new Uint32Array(count));
      return { kind: "text", stored, letters: letters.slice() };
    }
    default:
      return { kind: "whole", spec, stored: readIntegers(values, count, spec.delta) };
  }
}

function readIntegers(
  bytes: Uint8Array,
  count: number,
  delta: boolean,
): Uint32Array | Float64Array {
  const wide = readVarints(bytes, new Float64Array(count));
  if (delta) {
    for (let i = 0, sum = 0; i < count; i++) {
      sum += wide[i] % 2 ? -(wide[i] + 1) / 2 : wide[i] / 2;
      wide[i] = sum;
    }
  }
  return wide.every((value) => value < TWO_TO_32) ? Uint32Array.from(wide) : wide;
}

/** The like bytes of all numbers stand together. */
function readFloats(bytes: Uint8Array, count: number): Float64Array {
  const numbers = new Float64Array(count);
  const into = new Uint8Array(numbers.buffer);
  for (let i = 0; i < count; i++)
    for (let k = 0; k < 8; k++) into[i * 8 + k] = bytes[k * count + i];
  return numbers;
}

/** Returns what gives the value of a row. */
export function reader(held: Held): (row: number) => Value {
  switch (held.kind) {
    case "json":
      return (row) => held.values[row];
    case "float":
      return (row) => (Number.isNaN(held.numbers[row]) ? null : held.numbers[row]);
    case "dictionary":
      return (row) => (held.stored[row] ? held.words[held.stored[row] - 1] : null);
    case "text":
      return textReader(held.stored, held.letters);
    default:
      return wholeReader(held.spec, held.stored);
  }
}

function wholeReader(
  spec: Extract<ColumnSpec, Numbers>,
  stored: ArrayLike<number>,
): (row: number) => Value {
  const { base, step, scale } = spec;
  return (row) => {
    if (!stored[row]) return null;
    const value = (base + step * (stored[row] - 1)) / scale;
    if (spec.kind === "boolean") return value > 0;
    return spec.kind === "digits" ? String(value).padStart(spec.width, "0") : value;
  };
}

/** Finds where the text of a row starts from marks at every 64th row. */
function textReader(sizes: Uint32Array, letters: Uint8Array): (row: number) => Value {
  const marks = new Uint32Array((sizes.length >> 6) + 1);
  for (let row = 0, at = 0; row < sizes.length; row++) {
    if ((row & 63) === 0) marks[row >> 6] = at;
    at += Math.max(sizes[row] - 1, 0);
  }
  const decoder = new TextDecoder();
  return (row) => {
    if (!sizes[row]) return null;
    let at = marks[row >> 6];
    for (let i = row & ~63; i < row; i++) at += Math.max(sizes[i] - 1, 0);
    return decoder.decode(letters.subarray(at, at + sizes[row] - 1));
  };
}
