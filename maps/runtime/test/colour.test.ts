import assert from "node:assert/strict";
import { test } from "node:test";
import { channelsOf } from "../src/colour";
import { rampBetween } from "../src/packed/density";
import { over } from "../src/packed/fill";

const parts = (word: number) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 255);

test("both ways in which a canvas writes a colour are read", () => {
  assert.deepEqual(channelsOf("#0a80ff"), [10, 128, 255, 1]);
  assert.deepEqual(channelsOf("rgba(10, 128, 255, 0.25)"), [10, 128, 255, 0.25]);
});

test("an opaque colour hides what is behind, and over nothing a colour stays", () => {
  assert.equal(over(0xff0000ff, 0xffffffff), 0xff0000ff);
  assert.equal(over(0x800000ff, 0), 0x800000ff);
});

test("half a colour over another mixes them", () => {
  assert.deepEqual(parts(over(0x800000ff, 0xffff0000)), [128, 0, 127, 255]);
  assert.deepEqual(parts(over(0x80ffffff, 0x80ffffff)), [255, 255, 255, 192]);
});

test("a ramp runs from clear to nearly opaque, through its colours in their order", () => {
  const ramp = rampBetween([0xff0000ff, 0xff00ff00, 0xffff0000]);
  assert.equal(ramp.length, 256);
  assert.equal(ramp[0], 0);
  assert.deepEqual(parts(ramp[255]).slice(0, 3), [0, 0, 255]);
  const [red, green] = parts(ramp[128]);
  assert.ok(green > 250 && red < 5);
  const opacity = Array.from(ramp, (word) => word >>> 24);
  assert.ok(opacity.every((alpha, i) => i === 0 || alpha >= opacity[i - 1]));
  assert.equal(opacity[255], Math.round(255 * 0.86));
});
