import assert from "node:assert/strict";
import { test } from "node:test";
import { channelsOf } from "../src/colour";
import { contrastOf, luminanceOf, onDark } from "../src/contrast";

const DARK = luminanceOf(channelsOf("#10151d"));
const contrast = (one: string, other: string) =>
  contrastOf(luminanceOf(channelsOf(one)), luminanceOf(channelsOf(other)));

test("contrasts are those of WCAG 2.2", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#777777", "#777777"), 1);
  // The grey that is known as the lightest with 4.5 to white.
  assert.ok(contrast("#767676", "#ffffff") >= 4.5 && contrast("#777777", "#ffffff") < 4.5);
});

test("on a dark ground greys are turned round", () => {
  assert.deepEqual(onDark(channelsOf("#1a202c"), DARK), channelsOf("#d3d9e5"));
  assert.deepEqual(onDark(channelsOf("#ffffff"), DARK), channelsOf("#000000"));
});

test("a dark colour gets as light as it takes to make it out, and keeps its opacity", () => {
  const seen = onDark([120, 0, 0, 0.5], DARK);
  assert.equal(seen[3], 0.5);
  assert.ok(contrastOf(luminanceOf(seen), DARK) >= 3);
  const [red, green, blue, alpha] = seen;
  assert.ok(contrastOf(luminanceOf([red - 1, green - 1, blue - 1, alpha]), DARK) < 3);
});

test("a colour that can be made out stays as it is", () => {
  assert.deepEqual(onDark(channelsOf("#ffb000"), DARK), channelsOf("#ffb000"));
});
