import type { Words } from "./words";

export type Value = string | number | boolean | null;
export type FormatName = "text" | "number" | "percent" | "date" | "datetime";

export interface Field {
  name: string;
  label: Words;
  unit: Words;
  format: FormatName;
  decimals: number | null;
  /** Whether times are wall-clock times, to be shown as they are. */
  wallClock: boolean;
  /** What the values of a category are called; null where values are data. */
  categories: Record<string, Words> | null;
}

export const MISSING = "–";

/** What a format needs of the page. */
export interface Speaker {
  readonly lang: string;
  say(words: Words): string;
  text(key: string): string;
}

/** Numbers and dates as the reader of the page writes them. */
export class Formats {
  private readonly made = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

  constructor(
    private readonly speaker: Speaker,
    readonly timeZone: string,
  ) {}

  number(value: number, decimals: number | null = null, percent = false): string {
    const most = decimals ?? (percent ? 1 : 2);
    const format = this.format(
      `${percent} ${decimals}`,
      (lang) =>
        new Intl.NumberFormat(lang, {
          style: percent ? "percent" : "decimal",
          minimumFractionDigits: decimals ?? 0,
          maximumFractionDigits: most,
        }),
    );
    // What rounds to nothing has no sign; browsers that write none by themselves are too new.
    const isZero = Math.abs(percent ? 100 * value : value) * 10 ** most < 0.5;
    return format.format(isZero ? 0 : value);
  }

  date(milliseconds: number, options: Intl.DateTimeFormatOptions): string {
    const format = this.format(
      JSON.stringify(options),
      (lang) => new Intl.DateTimeFormat(lang, options),
    );
    return format.format(milliseconds);
  }

  /** A value with its unit. */
  field(value: Value | undefined, field: Field): string {
    const shown = this.bare(value, field);
    const unit = this.speaker.say(field.unit);
    return unit && shown !== MISSING ? `${shown} ${unit}` : shown;
  }

  /** A value without its unit, as below a heading that has it. */
  bare(value: Value | undefined, field: Field): string {
    if (value === null || value === undefined || value === "") return MISSING;
    if (typeof value === "boolean") return this.speaker.text(value ? "yes" : "no");
    return typeof value === "number" ? this.quantity(value, field) : this.word(value, field);
  }

  /** A value for other programs: numbers bare, times as ISO 8601 in the zone of the page. */
  plain(value: Value, field: Field): string | number {
    if (value === null) return "";
    if (typeof value !== "number") return this.bare(value, field);
    if (!isTime(field)) return value;
    const text = this.clock(value, field).replace(" ", "T");
    return field.format === "date" ? text.slice(0, 10) : text;
  }

  /** A time by the clock of its zone, to the second. */
  private clock(value: number, field: Field): string {
    const timeZone = field.wallClock ? "UTC" : this.timeZone;
    const format = this.format(
      `iso ${timeZone}`,
      () => new Intl.DateTimeFormat("sv", { ...ISO, timeZone }),
    );
    return format.format(value);
  }

  /** Making an Intl format costs far more than using it. */
  private format<F extends Intl.NumberFormat | Intl.DateTimeFormat>(
    key: string,
    make: (lang: string) => F,
  ): F {
    const { lang } = this.speaker;
    const known = this.made.get(`${lang} ${key}`) as F | undefined;
    if (known) return known;
    const format = make(lang);
    this.made.set(`${lang} ${key}`, format);
    return format;
  }

  private word(value: string, field: Field): string {
    const { categories } = field;
    return categories && Object.hasOwn(categories, value)
      ? this.speaker.say(categories[value])
      : value;
  }

  private quantity(value: number, field: Field): string {
    if (field.format === "text") return String(value);
    // As terminal and tables have them, so that a time is found again in any of them.
    if (isTime(field)) return this.clock(value, field).slice(0, field.format === "date" ? 10 : 16);
    return this.number(value, field.decimals, field.format === "percent");
  }
}

function isTime({ format }: Field): boolean {
  return format === "date" || format === "datetime";
}

/** Swedish writes dates as ISO 8601 does. */
const ISO = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
} as const;
