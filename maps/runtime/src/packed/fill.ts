import type { Shapes } from "./decode";
import type { Projection } from "./projection";

/** Pixels of a canvas, as 32-bit words in the order of an ImageData's bytes. */
export interface Pixels {
  words: Uint32Array;
  width: number;
  height: number;
}

/** What is the same for all features of one drawing. */
export interface Drawing {
  shapes: Shapes;
  projection: Projection;
  /** The level of detail: vertices of a lower level are left out. */
  detail: number;
}

const SMALL = 2;

/**
 * Fills areas without the canvas's own paths: a pixel belongs to the area that holds its middle.
 * Areas that tile leave no seam between them, which smoothed edges would, and a hundred thousand
 * of them cost milliseconds.
 */
export class Filler {
  /** Changes of the winding number at each pixel of the feature's box; zero between features. */
  private turns = new Int16Array(0);

  constructor(
    private readonly pixels: Pixels,
    private readonly drawing: Drawing,
  ) {}

  fill(feature: number, colour: number): void {
    const { projection, shapes } = this.drawing;
    const { width, height } = this.pixels;
    const at = feature * 4;
    const { boxes } = shapes;
    if (boxes[at] > boxes[at + 2]) return;
    const [left, right] = [projection.x(boxes[at]), projection.x(boxes[at + 2])];
    const [top, bottom] = [projection.y(boxes[at + 3]), projection.y(boxes[at + 1])];
    const [first, last] = [firstCentre(left), firstCentre(right) - 1];
    const [upper, lower] = [firstCentre(top), firstCentre(bottom) - 1];
    if (first > last || upper > lower) {
      this.dot(Math.floor((left + right) / 2), Math.floor((top + bottom) / 2), colour);
      return;
    }
    const box = {
      left: Math.max(first, 0),
      right: Math.min(last, width - 1),
      top: Math.max(upper, 0),
      bottom: Math.min(lower, height - 1),
    };
    if (box.left > box.right || box.top > box.bottom) return;
    if (last - first < SMALL && lower - upper < SMALL) this.block(box, colour);
    else this.area(feature, box, colour);
  }

  /** What is too small to hold the middle of a pixel still shows, where nothing else does. */
  private dot(x: number, y: number, colour: number): void {
    const { words, width, height } = this.pixels;
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    if (words[y * width + x] === 0) words[y * width + x] = colour;
  }

  private block({ left, right, top, bottom }: Box, colour: number): void {
    const { words, width } = this.pixels;
    for (let y = top; y <= bottom; y++) {
      words.fill(colour, y * width + left, y * width + right + 1);
    }
  }

  private area(feature: number, box: Box, colour: number): void {
    const columns = box.right - box.left + 1;
    const rows = box.bottom - box.top + 1;
    if (this.turns.length < columns * rows) this.turns = new Int16Array(columns * rows);
    this.markEdges(feature, box);
    const { turns } = this;
    const { words, width } = this.pixels;
    let i = 0;
    for (let y = box.top; y <= box.bottom; y++) {
      let winding = 0;
      let to = y * width + box.left;
      for (const end = i + columns; i < end; i++, to++) {
        if (turns[i] !== 0) {
          winding += turns[i];
          turns[i] = 0;
        }
        if (winding !== 0) words[to] = words[to] === 0 ? colour : over(colour, words[to]);
      }
    }
  }

  /** By the rule of non-zero winding: exteriors and holes run in opposite directions. */
  private markEdges(feature: number, box: Box): void {
    const { shapes, projection, detail } = this.drawing;
    const { ring, use, arc, start, x, y, level } = shapes;
    for (let u = use[ring[feature]], end = use[ring[feature + 1]]; u < end; u++) {
      const a = arc[u] >> 1;
      // Arcs are always run along forwards, so that both neighbours reckon with the same numbers.
      const turn = arc[u] & 1 ? -1 : 1;
      let fromX = projection.x(x[start[a]]);
      let fromY = projection.y(y[start[a]]);
      for (let k = start[a] + 1; k < start[a + 1]; k++) {
        if (level[k] < detail) continue;
        const toX = projection.x(x[k]);
        const toY = projection.y(y[k]);
        if (fromY < toY) this.markEdge(fromX, fromY, toX, toY, turn, box);
        else if (toY < fromY) this.markEdge(toX, toY, fromX, fromY, -turn, box);
        fromX = toX;
        fromY = toY;
      }
    }
  }

  private markEdge(x1: number, y1: number, x2: number, y2: number, turn: number, box: Box): void {
    const { left, right, top } = box;
    const upper = Math.max(firstCentre(y1), top);
    const lower = Math.min(firstCentre(y2) - 1, box.bottom);
    if (upper > lower) return;
    const { turns } = this;
    const columns = right - left + 1;
    const slope = (x2 - x1) / (y2 - y1);
    let x = x1 + (upper + 0.5 - y1) * slope;
    for (let row = upper; row <= lower; row++, x += slope) {
      const column = x <= left ? left : firstCentre(x);
      if (column <= right) turns[(row - top) * columns + column - left] += turn;
    }
  }
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Returns the first pixel whose middle is not before a place. */
function firstCentre(place: number): number {
  return Math.ceil(place - 0.5);
}

/** Lays one colour over another, both with opacity, as words of red, green, blue, alpha. */
export function over(front: number, back: number): number {
  const alpha = front >>> 24;
  if (alpha === 255 || back === 0) return front;
  const behind = ((back >>> 24) * (255 - alpha)) / 255;
  const sum = alpha + behind;
  const mix = (shift: number) =>
    Math.round((((front >>> shift) & 255) * alpha + ((back >>> shift) & 255) * behind) / sum);
  return ((Math.round(sum) << 24) | (mix(16) << 16) | (mix(8) << 8) | mix(0)) >>> 0;
}
