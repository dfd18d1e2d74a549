import type { Canvas2D } from "./canvaslayer";
import { type Look, wordOf } from "./look";
import type { Chosen } from "./pointcanvas";
import { over } from "./fill";

const POINTS_A_STEP = 8192;

/** The pixels of one dot: how far off the middle, and their colours. */
interface Stamp {
  across: Int8Array;
  down: Int8Array;
  words: Uint32Array;
}

/**
 * Stamps dots into the pixels: a million cost a tenth of a second. One that would fall on the
 * pixel of an equal one is left out.
 */
export function* drawDots(
  canvas: Canvas2D,
  { spots, features, projection }: Chosen,
  looks: Look[],
  style: ArrayLike<number>,
): Generator<void> {
  const { width, height } = canvas.canvas;
  const image = canvas.createImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  const taken = new Uint16Array(width * height);
  const stamps = looks.map(stampOf);
  const { x, y, row } = spots;
  const count = features ? features.length : x.length;
  for (let i = 0; i < count; i++) {
    if (i % POINTS_A_STEP === POINTS_A_STEP - 1) yield;
    const spot = features ? features[i] : i;
    const left = Math.floor(projection.x(x[spot]));
    if (left < 0 || left >= width) continue;
    const top = Math.floor(projection.y(y[spot]));
    if (top < 0 || top >= height) continue;
    const kind = style[row[spot]];
    if (taken[top * width + left] === kind + 1) continue;
    taken[top * width + left] = kind + 1;
    press(stamps[kind], words, width, height, left, top);
  }
  canvas.putImageData(image, 0, 0);
}

function press(
  { across, down, words: colours }: Stamp,
  words: Uint32Array,
  width: number,
  height: number,
  left: number,
  top: number,
): void {
  for (let k = 0; k < colours.length; k++) {
    const [x, y] = [left + across[k], top + down[k]];
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    const at = y * width + x;
    words[at] = words[at] === 0 ? colours[k] : over(colours[k], words[at]);
  }
}

/** A disc with a rim, smoothed by how much of each pixel lies within. */
function stampOf({ fill, pen, radius }: Look): Stamp {
  const rim = pen ? pen.width / 2 : 0;
  const edge = pen ? wordOf(pen.colour, pen.opacity) : 0;
  const reach = Math.ceil(radius + rim);
  const [across, down, words]: number[][] = [[], [], []];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const far = Math.hypot(x, y);
      const inside = faded(fill, radius - rim + 0.5 - far);
      const ring = faded(edge, Math.min(radius + rim + 0.5 - far, far - (radius - rim) + 0.5));
      const colour = ring ? over(ring, inside) : inside;
      if (!colour) continue;
      across.push(x);
      down.push(y);
      words.push(colour);
    }
  }
  return {
    across: Int8Array.from(across),
    down: Int8Array.from(down),
    words: Uint32Array.from(words),
  };
}

function faded(colour: number, share: number): number {
  const alpha = Math.round((colour >>> 24) * Math.min(Math.max(share, 0), 1));
  return alpha === 0 ? 0 : ((colour & 0xffffff) | (alpha << 24)) >>> 0;
}
