import assert from "node:assert/strict";
import { test } from "node:test";
import { type PageState, readState, writeState } from "../src/pagestate";

const SILENT: PageState = { place: null, layers: null, time: null, lang: null, theme: null };

test("an address says the view, and only what differs from the page as it opens", () => {
  const state = { ...SILENT, place: [12, 30.123456, 121] as [number, number, number] };
  assert.equal(writeState(state), "#map=12/30.12346/121.00000");
});

test("each overlay is named, in its own writing", () => {
  const hash = writeState({ ...SILENT, layers: ["Grids & roads", "网格"] });
  assert.equal(hash, "#layer=Grids%20%26%20roads&layer=%E7%BD%91%E6%A0%BC");
  assert.deepEqual(readState(hash).layers, ["Grids & roads", "网格"]);
});

test("no overlay at all is not the same as nothing said of them", () => {
  const hash = writeState({ ...SILENT, layers: [] });
  assert.equal(hash, "#layer=");
  assert.deepEqual(readState(hash).layers, []);
  assert.equal(readState("#map=1/2/3").layers, null);
});

test("a state comes back as it was", () => {
  const state: PageState = {
    place: [13.5, -30.5, 121.25],
    layers: ["a/b", "c"],
    time: "week.19783",
    lang: "zh-Hant",
    theme: "dark",
  };
  assert.deepEqual(readState(writeState(state)), state);
  assert.deepEqual(readState(writeState(SILENT)), SILENT);
});

test("a place that is none is not said", () => {
  for (const wrong of ["", "12", "12/30", "12/x/121", "12/30/121/5", "12/30/Infinity"]) {
    assert.equal(readState(`#map=${wrong}`).place, null, wrong);
  }
});

test("what another program wrote is read too", () => {
  const { layers, theme } = readState("#theme=dark&unknown=1&layer=a+b");
  assert.deepEqual([layers, theme], [["a b"], "dark"]);
});
