import assert from "node:assert/strict";
import { test } from "node:test";
import { Formats, MISSING } from "../src/format";
import { inLanguage } from "../src/words";
import { field } from "./rows";

function formats(lang: string): Formats {
  const texts: Record<string, string> = { yes: "Yes", no: "No" };
  const speaker = {
    lang,
    say: (words: Parameters<typeof inLanguage>[0]) => inLanguage(words, lang),
    text: (key: string) => texts[key],
  };
  return new Formats(speaker, "Asia/Shanghai");
}

const english = formats("en");
/** 2024-03-01 at 18:30 in UTC, when it is the next day in Shanghai. */
const EVENING = Date.UTC(2024, 2, 1, 18, 30, 5);

test("numbers have the decimals of their field, or two at most", () => {
  assert.equal(english.bare(1234.5678, field("n", { format: "number" })), "1,234.57");
  assert.equal(english.bare(1234, field("n", { format: "number" })), "1,234");
  assert.equal(english.bare(2, field("n", { format: "number", decimals: 1 })), "2.0");
  assert.equal(english.bare(0.1234, field("n", { format: "percent" })), "12.3%");
  assert.equal(english.bare(2.5, field("n", { format: "number", decimals: 0 })), "3");
  assert.equal(english.bare(-0.04, field("n", { format: "number", decimals: 1 })), "0.0");
});

test("a number that is a name is not grouped", () => {
  assert.equal(english.bare(310101, field("code")), "310101");
});

test("a unit stands behind a value, and behind nothing where there is none", () => {
  const hours = field("hours", { format: "number", unit: { en: "h", "zh-Hans": "小时" } });
  assert.equal(english.field(3, hours), "3 h");
  assert.equal(formats("zh-Hans").field(3, hours), "3 小时");
  assert.equal(english.field(null, hours), MISSING);
  assert.equal(english.bare(3, hours), "3");
});

test("what is missing or empty is a dash, and zero and no are not", () => {
  for (const value of [null, undefined, ""]) assert.equal(english.bare(value, field("x")), MISSING);
  assert.equal(english.bare(0, field("n", { format: "number" })), "0");
  assert.equal(english.bare(false, field("x")), "No");
  assert.equal(english.bare(true, field("x")), "Yes");
});

test("a category is called by its name; data that is no category stays", () => {
  const kind = field("kind", { categories: { open: { en: "Open", "zh-Hans": "未结" } } });
  assert.equal(english.bare("open", kind), "Open");
  assert.equal(english.bare("toString", kind), "toString");
});

test("a time without a zone is shown as it is, one with a zone in that of the page", () => {
  const wall = field("at", { format: "datetime", wallClock: true });
  assert.equal(english.bare(EVENING, wall), "2024-03-01 18:30");
  assert.equal(english.bare(EVENING, { ...wall, wallClock: false }), "2024-03-02 02:30");
  assert.equal(english.bare(EVENING, { ...wall, format: "date" }), "2024-03-01");
});

test("for other programs times are ISO 8601 in the zone of the page, and numbers bare", () => {
  const wall = field("at", { format: "datetime", wallClock: true });
  assert.equal(english.plain(EVENING, wall), "2024-03-01T18:30:05");
  assert.equal(english.plain(EVENING, { ...wall, wallClock: false }), "2024-03-02T02:30:05");
  assert.equal(english.plain(EVENING, { ...wall, format: "date", wallClock: false }), "2024-03-02");
  assert.equal(english.plain(1234.5678, field("n", { format: "number" })), 1234.5678);
  assert.equal(english.plain(null, wall), "");
  assert.equal(english.plain(true, field("x")), "Yes");
});

test("a change of the language changes what was written before", () => {
  const speaker = { lang: "en", say: String, text: (key: string) => key };
  const changing = new Formats(speaker, "UTC");
  const date = { year: "numeric", month: "short", day: "numeric", timeZone: "UTC" } as const;
  assert.equal(changing.date(EVENING, date), "Mar 1, 2024");
  speaker.lang = "zh-Hans";
  assert.equal(changing.date(EVENING, date), "2024年3月1日");
});
