import type { Canvas2D } from "./canvaslayer";
import type { Chosen } from "./chosen";
import { over } from "./fill";
import { type Look, wordOf } from "./look";

const POINTS_A_STEP = 8192;

/** The pixels of one dot: how far off the middle, and their colours. */
export interface Stamp {
  reach: number;
  across: Int8Array;
  down: Int8Array;
  words: Uint32Array;
}

/**
 * Stamps dots into the pixels, the last first: what lies below nothing but opaque pixels costs
 * next to nothing. Of several dots on one pixel the last is drawn.
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
  const taken = new Uint8Array(width * height);
  const stamps = looks.map(stampOf);
  const { x, y, row } = spots;
  const count = features ? features.length : x.length;
  for (let i = count - 1; i >= 0; i--) {
    if (i % POINTS_A_STEP === 0) yield;
    const spot = features ? features[i] : i;
    const left = Math.floor(projection.x(x[spot]));
    if (left < 0 || left >= width) continue;
    const top = Math.floor(projection.y(y[spot]));
    if (top < 0 || top >= height || taken[top * width + left]) continue;
    taken[top * width + left] = 1;
    slip(stamps[style[row[spot]]], words, width, height, left, top);
  }
  canvas.putImageData(image, 0, 0);
}

/** Puts a dot below what has been drawn. */
function slip(
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
    const front = words[at];
    if (front === 0) words[at] = colours[k];
    else if (front >>> 24 < 255) words[at] = over(front, colours[k]);
  }
}

/** A disc with a rim, smoothed by how much of each pixel lies within. */
export function stampOf({ fill, pen, radius }: Look): Stamp {
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
    reach,
    across: Int8Array.from(across),
    down: Int8Array.from(down),
    words: Uint32Array.from(words),
  };
}

function faded(colour: number, share: number): number {
  const alpha = Math.round((colour >>> 24) * Math.min(Math.max(share, 0), 1));
  return alpha === 0 ? 0 : ((colour & 0xffffff) | (alpha << 24)) >>> 0;
}
