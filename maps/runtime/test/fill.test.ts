import assert from "node:assert/strict";
import { test } from "node:test";
import type { Shapes } from "../src/packed/decode";
import { Filler } from "../src/packed/fill";
import type { Projection } from "../src/packed/projection";
import { example } from "./examples";

const [WEST, EAST] = [0, 1];
const [RED, BLUE] = [0xff0000ff, 0xffff0000];

/** A canvas on which a step of the lattice is some pixels, and the first line is the top. */
function canvas(shapes: Shapes, width: number, height: number, pixels: number) {
  const words = new Uint32Array(width * height);
  const projection = {
    x: (column: number) => column * pixels,
    y: (row: number) => (4 - row) * pixels,
  };
  const drawing = { shapes, projection: projection as unknown as Projection, detail: 0 };
  const filler = new Filler({ words, width, height }, drawing);
  const letters = new Map([
    [RED, "r"],
    [BLUE, "b"],
  ]);
  const line = (y: number) => words.subarray(y * width, (y + 1) * width);
  const picture = () =>
    Array.from({ length: height }, (_, y) =>
      Array.from(line(y), (word) => letters.get(word) ?? ".").join(""),
    );
  return { filler, picture };
}

async function areas(): Promise<Shapes> {
  const { shapes } = (await example(0)).decoded;
  assert.ok(shapes);
  return shapes;
}

test("an area has the pixels whose middle it holds, and its hole stays empty", async () => {
  const { filler, picture } = canvas(await areas(), 8, 4, 1);
  filler.fill(WEST, RED);
  filler.fill(EAST, BLUE);
  assert.deepEqual(picture(), ["rrrrbbbb", "rrrrbbbb", "r.rrbbbb", "rrrrbbbb"]);
});

/** An island of one pixel, and the area around it, along whose hole the island's arc runs backwards. */
const island: Shapes = {
  start: Uint32Array.of(0, 5, 10),
  x: Int32Array.of(1, 2, 2, 1, 1, 0, 3, 3, 0, 0),
  y: Int32Array.of(1, 1, 2, 2, 1, 0, 0, 3, 3, 0),
  level: new Uint8Array(10),
  ring: Uint32Array.of(0, 1, 3),
  use: Uint32Array.of(0, 1, 2, 3),
  arc: Uint32Array.of(0, 2, 1),
  boxes: Int32Array.of(1, 1, 2, 2, 0, 0, 3, 3),
  row: Uint32Array.of(0, 1),
  feature: Uint32Array.of(0, 1),
  tree: { levels: [] },
};

test("a hole is empty whichever way its arc is held", () => {
  const { filler, picture } = canvas(island, 12, 8, 2);
  filler.fill(1, RED);
  assert.deepEqual(picture().slice(2), [
    "rrrrrr......",
    "rrrrrr......",
    "rr..rr......",
    "rr..rr......",
    "rrrrrr......",
    "rrrrrr......",
  ]);
});

test("areas that tile leave no seam and cover no pixel twice, at any scale", async () => {
  const shapes = await areas();
  for (const pixels of [0.7, 1.3, 2.9, 5.1]) {
    const [width, height] = [Math.floor(8 * pixels), Math.floor(4 * pixels)];
    const parts = [WEST, EAST].map((feature) => {
      const { filler, picture } = canvas(shapes, width, height, pixels);
      filler.fill(feature, RED);
      return picture().join("");
    });
    const [west, east] = parts.map((part) => [...part].map((letter) => letter === "r"));
    assert.ok(!west.some((one, i) => one && east[i]), `${pixels}`);
    const upper = west.slice(0, width).map((one, i) => one || east[i]);
    assert.ok(upper.every(Boolean), `${pixels}`);
  }
});

test("what is too small for a pixel still shows, where nothing else does", async () => {
  const { filler, picture } = canvas(await areas(), 1, 1, 0.05);
  filler.fill(EAST, BLUE);
  filler.fill(WEST, RED);
  assert.deepEqual(picture(), ["b"]);
});

test("a feature without a ring draws nothing", async () => {
  const { filler, picture } = canvas(await areas(), 2, 1, 1);
  filler.fill(2, RED);
  assert.deepEqual(picture(), [".."]);
});
