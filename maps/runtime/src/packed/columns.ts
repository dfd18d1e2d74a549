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

/** A column as memory holds it. */
export interface Held {
  /** 0 where missing; else one more than what is stored. */
  stored?: Uint32Array | Float64Array;
  words?: string[];
  numbers?: Float64Array;
  letters?: Uint8Array;
}

const TWO_TO_32 = 2 ** 32;

export function readColumn(spec: ColumnSpec, streams: Streams, index: number, count: number): Held {
  const values = streams[`${index}.values`];
  const letters = streams[`${index}.letters`];
  switch (spec.kind) {
    case "json":
      return {};
    case "float":
      return { numbers: readFloats(values, count) };
    case "dictionary":
      return {
        stored: readVarints(values, new Uint32Array(count)),
        words: JSON.parse(new TextDecoder().decode(letters)) as string[],
      };
    case "text":
      return { stored: readVarints(values, new Uint32Array(count)), letters: letters.slice() };
    default:
      return { stored: readIntegers(values, count, spec.delta) };
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
export function reader(spec: ColumnSpec, held: Held): (row: number) => Value {
  const { stored, words, numbers } = held;
  switch (spec.kind) {
    case "json":
      return (row) => spec.values[row];
    case "float":
      return (row) => (Number.isNaN(numbers![row]) ? null : numbers![row]);
    case "dictionary":
      return (row) => (stored![row] ? words![stored![row] - 1] : null);
    case "text":
      return textReader(held);
    default:
      return integerReader(spec, stored!);
  }
}

function integerReader(
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
function textReader({ stored, letters }: Held): (row: number) => Value {
  const sizes = stored!;
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
    return decoder.decode(letters!.subarray(at, at + sizes[row] - 1));
  };
}
