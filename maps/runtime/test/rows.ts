import type { Field, Value } from "../src/format";

/** A field as a page has it, a text unless told otherwise. */
export function field(name: string, more: Partial<Field> = {}): Field {
  return {
    name,
    label: name,
    unit: "",
    format: "text",
    decimals: null,
    wallClock: true,
    categories: null,
    ...more,
  };
}

/** Rows of values, as a layer answers for them. */
export function rowsOf(fields: Field[], rows: Value[][]) {
  const place = new Map(fields.map(({ name }, i) => [name, i]));
  const value = (row: number, name: string): Value => rows[row][place.get(name) ?? -1] ?? null;
  return { fields, count: rows.length, value };
}
