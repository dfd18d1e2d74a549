import type { Spots } from "./decode";
import type { Projection } from "./projection";

/** Days from the first, the last without; null: all. */
export type Days = readonly [from: number, to: number] | null;

/** Points as they are drawn: those that are neither filtered out nor of another time. */
export interface Chosen {
  spots: Spots;
  /** Features; null: all. */
  features: Uint32Array | null;
  projection: Projection;
}

/** Tells whether a feature is of some days. */
export function isOf({ day }: Pick<Spots, "day">, days: Days, feature: number): boolean {
  return !days || !day || (day[feature] >= days[0] && day[feature] < days[1]);
}

/** Returns the features of some days whose rows are kept; null: all. */
export function pick(
  spots: Pick<Spots, "x" | "row" | "day">,
  days: Days,
  keep: Uint8Array | null,
): Uint32Array | null {
  if (days === null && keep === null) return null;
  const { x, row } = spots;
  const picked = new Uint32Array(x.length);
  let count = 0;
  for (let i = 0; i < x.length; i++) {
    if (isOf(spots, days, i) && (keep === null || keep[row[i]] === 1)) picked[count++] = i;
  }
  return picked.slice(0, count);
}
