import assert from "node:assert/strict";
import { test } from "node:test";
import { Daily, labelOf, maskOf, stepsOf } from "../src/spans";

const day = (text: string) => Date.parse(`${text}T00:00Z`) / 86_400_000;

test("days are steps of their own", () => {
  assert.deepEqual(stepsOf([10, 13], "day"), [
    [10, 11],
    [11, 12],
    [12, 13],
  ]);
});

test("weeks begin on Monday and are cut by the span", () => {
  const span: [number, number] = [day("2024-02-28"), day("2024-03-12")];
  const mondays = [day("2024-03-04"), day("2024-03-11")];
  assert.deepEqual(stepsOf(span, "week"), [
    [span[0], mondays[0]],
    [mondays[0], mondays[1]],
    [mondays[1], span[1]],
  ]);
});

test("weeks begin on Monday before 1970 too", () => {
  const [first] = stepsOf([day("1969-12-20"), day("1970-01-10")], "week");
  assert.deepEqual(first, [day("1969-12-20"), day("1969-12-22")]);
});

test("months follow the calendar over a leap day and the end of a year", () => {
  const starts = stepsOf([day("2023-12-15"), day("2024-03-02")], "month").map(([from]) => from);
  assert.deepEqual(starts, ["2023-12-15", "2024-01-01", "2024-02-01", "2024-03-01"].map(day));
});

test("a span without days has no steps", () => {
  assert.deepEqual(stepsOf([5, 5], "month"), []);
});

test("a step is called by its day, its week or its month, in the reader's language", () => {
  const from = day("2024-03-04");
  assert.equal(labelOf([from, from + 1], "day", "en"), "Mar 4, 2024");
  assert.match(labelOf([from, from + 7], "week", "en"), /^Mar 4\s–\s10, 2024$/);
  assert.equal(labelOf([from, from + 28], "month", "en"), "Mar 2024");
  assert.equal(labelOf([from, from + 1], "day", "zh-Hans"), "2024年3月4日");
});

test("a span takes its first day and not the day after its last", () => {
  // Rows of the days 100, 101, 102, and one without a day, which is always drawn.
  const days = Int32Array.of(0, 1, 2, -1);
  assert.deepEqual([...maskOf(days, 100, [101, 102])], [0, 1, 0, 1]);
  assert.deepEqual([...maskOf(days, 100, [100, 103])], [1, 1, 1, 1]);
  assert.deepEqual([...maskOf(days, 100, [90, 100])], [0, 0, 0, 1]);
});

test("things by day are found by position", () => {
  const daily = new Daily(100, [2, 0, 3]);
  assert.equal(daily.total, 5);
  assert.deepEqual(daily.range(null), [0, 5]);
  assert.deepEqual(daily.range([100, 101]), [0, 2]);
  assert.deepEqual(daily.range([101, 102]), [2, 2]);
  assert.deepEqual(daily.range([102, 103]), [2, 5]);
  assert.deepEqual(daily.range([90, 500]), [0, 5]);
  assert.deepEqual(daily.range([90, 95]), [0, 0]);
});

test("nothing on any day is nothing", () => {
  assert.deepEqual(new Daily(0, []).range([0, 10]), [0, 0]);
});
