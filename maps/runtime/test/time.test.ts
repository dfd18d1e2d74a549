import assert from "node:assert/strict";
import { test } from "node:test";
import { Time, type Timed } from "../src/time";

function timed(overlay: string, first: number, counts: number[]): Timed {
  return { overlay, first, counts, show: () => undefined };
}

function timeOf(hidden: string[], ...all: Timed[]): Time {
  const time = new Time({ lang: "en", isShown: (name) => !hidden.includes(name) }, "month");
  for (const one of all) time.join(one);
  return time;
}

test("the span runs from the first day of all to the day after the last of all", () => {
  const time = timeOf([], timed("a", 100, [1, 1]), timed("b", 90, [1, 1, 1]));
  assert.deepEqual(time.span, [90, 102]);
});

test("units are offered that have several steps, but not too many for a slider", () => {
  assert.deepEqual(timeOf([], timed("a", 4, new Array(7).fill(1))).units, ["day"]);
  const years = timeOf([], timed("a", 0, new Array(900).fill(1)));
  assert.deepEqual(years.units, ["week", "month"]);
});

test("the largest of the overlays that are shown is counted", () => {
  const small = timed("small", 100, [1, 1, 1]);
  const large = timed("large", 101, [5, 7]);
  assert.equal(timeOf([], small, large).count([101, 102]), 5);
  assert.equal(timeOf([], small, large).count([100, 101]), 0);
  assert.equal(timeOf(["large"], small, large).count([101, 103]), 2);
  assert.equal(timeOf(["small", "large"], small, large).count([101, 103]), 0);
});

test("the permalink speaks to the slider, if there is one", () => {
  const time = timeOf([], timed("a", 100, [1]));
  time.chosen = "day.100";
  assert.equal(time.chosen, "");
  const heard: string[] = [];
  time.slider = { chosen: "week.7", restore: (text) => heard.push(text) };
  time.chosen = "day.100";
  assert.deepEqual([time.chosen, heard], ["week.7", ["day.100"]]);
});
