import type { Context } from "./context";
import { Daily, labelOf, type Span, stepsOf, UNITS, type Unit } from "./spans";

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

/** What the reader moves: it tells and takes the chosen span as the permalink holds it. */
export interface Slider {
  /** Empty: all. */
  readonly chosen: string;
  restore(text: string): void;
}

/** More steps than this cannot be told apart on a slider. */
const MOST_STEPS = 800;
const times = new WeakMap<Context, Time>();

/** The one time of a page: what is timed joins it, the slider moves it. */
export class Time {
  readonly timed: Timed[] = [];
  slider: Slider | null = null;

  constructor(
    private readonly context: Pick<Context, "isShown" | "lang">,
    public unit: Unit,
  ) {}

  join(timed: Timed): void {
    this.timed.push(timed);
  }

  /** First day, and the day after the last. */
  get span(): Span {
    const ends = this.timed.map(({ first, counts }) => first + counts.length);
    return [Math.min(...this.timed.map(({ first }) => first)), Math.max(...ends)];
  }

  /** The spans that the slider steps through. */
  steps(unit: Unit): Span[] {
    return stepsOf(this.span, unit);
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
  count(span: Span): number {
    const shown = this.timed.filter(({ overlay }) => this.context.isShown(overlay));
    const daily = shown.map(({ first, counts }) => new Daily(first, counts));
    daily.sort((a, b) => b.total - a.total);
    const [from, to] = daily[0]?.range(span) ?? [0, 0];
    return to - from;
  }

  label(span: Span, unit: Unit): string {
    return labelOf(span, unit, this.context.lang);
  }

  /** The chosen span, as the permalink holds it; empty: all. */
  get chosen(): string {
    return this.slider?.chosen ?? "";
  }

  set chosen(text: string) {
    this.slider?.restore(text);
  }
}

export function timeOf(context: Context, unit: Unit = "month"): Time {
  const time = times.get(context) ?? new Time(context, unit);
  times.set(context, time);
  return time;
}
