import assert from "node:assert/strict";
import { test } from "node:test";
import type L from "leaflet";
import { Filtering } from "../src/filtering";

/** A layer whose rows have the classes 0, 1, 2, 0, and what it was told to draw. */
function filtered() {
  const classes = [0, 1, 2, 0];
  const told: (number[] | null)[] = [];
  const events: string[] = [];
  const layer = {
    count: classes.length,
    classOf: (row: number) => classes[row],
    filter: (keep: Uint8Array | null) => told.push(keep && [...keep]),
  };
  const map = { fire: (name: string) => events.push(name) };
  const filtering = new Filtering(map as unknown as L.Map, layer);
  return { filtering, told, events };
}

test("a row is drawn if every card keeps it", () => {
  const { filtering, told } = filtered();
  filtering.set("time", Uint8Array.of(1, 1, 1, 0));
  filtering.set("table", Uint8Array.of(1, 0, 1, 1));
  assert.deepEqual(told.at(-1), [1, 0, 1, 0]);
  filtering.set("time", null);
  assert.deepEqual(told.at(-1), [1, 0, 1, 1]);
  filtering.set("table", null);
  assert.equal(told.at(-1), null);
});

test("classes that are switched off are not drawn", () => {
  const { filtering, told } = filtered();
  filtering.hide(new Set([0, 1]));
  assert.deepEqual(told.at(-1), [0, 0, 1, 0]);
  filtering.hide(new Set());
  assert.equal(told.at(-1), null);
});

test("rows can be asked for with other classes than the layer has", () => {
  const { filtering } = filtered();
  filtering.hide(new Set([2]));
  assert.deepEqual([...(filtering.keptAs((row) => (row === 0 ? 2 : 1)) ?? [])], [0, 1, 1, 1]);
});

test("what changes nothing draws nothing and tells nobody", () => {
  const { filtering, told, events } = filtered();
  filtering.set("time", null);
  filtering.hide(new Set());
  assert.deepEqual([told, events], [[], []]);
  filtering.set("time", Uint8Array.of(1, 1, 1, 0));
  assert.deepEqual(events, ["gridmap:filtered"]);
});
