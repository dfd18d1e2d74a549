import type { Value } from "./format";

/**
 * Returns rows by a key of each: numbers by size, texts as a language does, with their digits as
 * numbers. Those without a value come last either way, and equals stay in the order of rows.
 */
export function sorted(
  rows: readonly number[],
  keyOf: (row: number) => Value,
  { down, lang }: { down: boolean; lang: string },
): number[] {
  const text = new Intl.Collator(lang, { numeric: true });
  const keys = new Map(rows.map((row) => [row, keyOf(row)]));
  const turn = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [keys.get(a) ?? null, keys.get(b) ?? null];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || a - b;
    const order =
      typeof x === "string" || typeof y === "string"
        ? text.compare(String(x), String(y))
        : Number(x) - Number(y);
    return order * turn || a - b;
  });
}
