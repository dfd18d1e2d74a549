export const UNITS = ["day", "week", "month"] as const;
export type Unit = (typeof UNITS)[number];

/** Days since 1970-01-01, the first within and the last without. */
export type Span = [from: number, to: number];

const DAY_MS = 86_400_000;

/** The days, weeks or months of a span; the first and last may be cut short by it. */
export function stepsOf([first, end]: Span, unit: Unit): Span[] {
  const steps: Span[] = [];
  for (let from = first; from < end; ) {
    const to = Math.min(nextStart(from, unit), end);
    steps.push([from, to]);
    from = to;
  }
  return steps;
}

/** The day on which the next week (Monday) or month begins. */
function nextStart(day: number, unit: Unit): number {
  if (unit === "day") return day + 1;
  // 1970-01-01 was a Thursday.
  if (unit === "week") return day + 7 - ((((day + 3) % 7) + 7) % 7);
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / DAY_MS;
}

export function labelOf([from, to]: Span, unit: Unit, lang: string): string {
  const day = { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" } as const;
  const month = { year: "numeric", month: "short", timeZone: "UTC" } as const;
  const format = new Intl.DateTimeFormat(lang, unit === "month" ? month : day);
  if (unit !== "week") return format.format(from * DAY_MS);
  return format.formatRange(from * DAY_MS, (to - 1) * DAY_MS);
}

/** Things by day: of the first day, of the day after it, and so on. */
export class Daily {
  /** How many things there are before each day, and at the end of all. */
  private readonly before: Uint32Array;

  constructor(
    private readonly first: number,
    counts: readonly number[],
  ) {
    this.before = new Uint32Array(counts.length + 1);
    for (const [day, count] of counts.entries()) this.before[day + 1] = this.before[day] + count;
  }

  get total(): number {
    return this.before.at(-1) ?? 0;
  }

  /** The positions of the things of a span, the first within and the last without; null: all. */
  range(span: Span | null): [from: number, to: number] {
    if (!span) return [0, this.total];
    const last = this.before.length - 1;
    const [from, to] = span.map(
      (day) => this.before[Math.min(Math.max(day - this.first, 0), last)],
    );
    return [from, to];
  }
}

/** Marks with 1 the rows whose day, counted from a first, lies in a span, and those without (-1). */
export function maskOf(days: Int32Array, first: number, [from, to]: Span): Uint8Array {
  const within = (at: number) => at < 0 || (at + first >= from && at + first < to);
  return Uint8Array.from(days, (at) => (within(at) ? 1 : 0));
}
