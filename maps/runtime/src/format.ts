export type Value = string | number | boolean | null;
export type FormatName = "text" | "number" | "percent" | "date" | "datetime";

export interface Field {
  name: string;
  label: string;
  unit: string;
  format: FormatName;
  decimals: number | null;
  /** Whether times are wall-clock times, to be shown as they are. */
  wallClock: boolean;
}

export const MISSING = "–";

/** Numbers and dates as the reader of the page writes them. */
export class Formats {
  constructor(
    private readonly lang: string,
    private readonly timeZone: string,
    private readonly text: (key: string) => string,
  ) {}

  number(value: number, decimals: number | null = null, percent = false): string {
    return new Intl.NumberFormat(this.lang, {
      style: percent ? "percent" : "decimal",
      minimumFractionDigits: decimals ?? 0,
      maximumFractionDigits: decimals ?? (percent ? 1 : 2),
    }).format(value);
  }

  private date(milliseconds: number, field: Field): string {
    const day = { year: "numeric", month: "short", day: "numeric" } as const;
    const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    return new Intl.DateTimeFormat(this.lang, {
      ...day,
      ...(field.format === "datetime" ? time : {}),
      timeZone: field.wallClock ? "UTC" : this.timeZone,
    }).format(milliseconds);
  }

  field(value: Value | undefined, field: Field): string {
    if (value === null || value === undefined || value === "") return MISSING;
    if (typeof value === "boolean") return this.text(value ? "yes" : "no");
    const shown = typeof value === "number" ? this.quantity(value, field) : value;
    return field.unit ? `${shown} ${field.unit}` : shown;
  }

  private quantity(value: number, field: Field): string {
    switch (field.format) {
      case "text":
        return String(value);
      case "date":
      case "datetime":
        return this.date(value, field);
      default:
        return this.number(value, field.decimals, field.format === "percent");
    }
  }
}
