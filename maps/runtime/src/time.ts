import type { Context } from "./context";
import { Timeline } from "./timeline";

export const UNITS = ["day", "week", "month"] as const;
export type Unit = (typeof UNITS)[number];

/** Days since 1970-01-01, the first within and the last without. */
export type Span = [from: number, to: number];

/** What changes with the time that the reader chose. */
export interface Timed {
  /** The overlay that this belongs to: the slider is there while one of them is shown. */
  overlay: string;
  /** Its first day, and how many things each day from there on has. */
  first: number;
  counts: number[];
  /** Shows what happened in a span; null: all. */
  show(span: Span | null): void;
  /** Shows another span on the right of a divider; null: no longer. */
  compare?(span: Span | null): void;
}

const DAY_MS = 86_400_000;
/** More steps than this cannot be told apart on a slider. */
const MOST_STEPS = 800;
const times = new WeakMap<Context, Time>();

/** The one time of a page: what is timed joins it, the slider moves it. */
export class Time {
  readonly timed: Timed[] = [];
  private timeline: Timeline | null = null;

  constructor(
    private readonly context: Context,
    public unit: Unit,
  ) {
    document.addEventListener("DOMContentLoaded", () => this.start());
  }

  join(timed: Timed): void {
    this.timed.push(timed);
  }

  /** First day, and the day after the last. */
  get span(): Span {
    const ends = this.timed.map(({ first, counts }) => first + counts.length);
    return [Math.min(...this.timed.map(({ first }) => first)), Math.max(...ends)];
  }

  /** The spans that the slider steps through; the first and last may be cut by the data. */
  steps(unit: Unit): Span[] {
    const [first, end] = this.span;
    const steps: Span[] = [];
    for (let from = first; from < end; ) {
      const to = Math.min(nextStart(from, unit), end);
      steps.push([from, to]);
      from = to;
    }
    return steps;
  }

  get units(): Unit[] {
    return UNITS.filter((unit) => {
      const { length } = this.steps(unit);
      return length > 1 && length <= MOST_STEPS;
    });
  }

  /**
   * How many things a span has: in the overlay with the most of those that are shown, because
   * several may show the same things.
   */
  count([from, to]: Span): number {
    const total = ({ counts }: Timed) => counts.reduce((sum, count) => sum + count, 0);
    const shown = this.timed.filter(({ overlay }) => this.context.isShown(overlay));
    if (!shown.length) return 0;
    const { first, counts } = shown.reduce((most, one) => (total(one) > total(most) ? one : most));
    const start = Math.max(from - first, 0);
    return counts.slice(start, Math.max(to - first, start)).reduce((sum, count) => sum + count, 0);
  }

  label([from, to]: Span, unit: Unit): string {
    const { lang } = this.context;
    const day = { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" } as const;
    const month = { year: "numeric", month: "short", timeZone: "UTC" } as const;
    const format = new Intl.DateTimeFormat(lang, unit === "month" ? month : day);
    if (unit !== "week") return format.format(from * DAY_MS);
    return format.formatRange(from * DAY_MS, (to - 1) * DAY_MS);
  }

  /** The chosen span, as the permalink holds it; empty: all. */
  get chosen(): string {
    return this.timeline?.chosen ?? "";
  }

  set chosen(text: string) {
    this.timeline?.restore(text);
  }

  private start(): void {
    if (!this.timed.length) return;
    if (!this.units.includes(this.unit)) this.unit = this.units.at(-1) ?? this.unit;
    this.timeline = new Timeline(this.context, this);
    this.context.watch(() => this.timeline?.refresh());
  }
}

/** The day on which the next week (Monday) or month begins. */
function nextStart(day: number, unit: Unit): number {
  if (unit === "day") return day + 1;
  // 1970-01-01 was a Thursday.
  if (unit === "week") return day + 7 - ((day + 3) % 7);
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / DAY_MS;
}

export function timeOf(context: Context, unit: Unit = "month"): Time {
  const time = times.get(context) ?? new Time(context, unit);
  times.set(context, time);
  return time;
}
