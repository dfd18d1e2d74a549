import type { Canvas2D, View } from "./canvaslayer";
import type { Chosen } from "./chosen";
import type { Spots } from "./decode";
import { wordOf } from "./look";

/** How a heat map looks. */
export interface HeatLook {
  /** From few to many. */
  colours: string[];
  /** CSS pixels that a point's heat reaches. */
  radius: number;
}

/** CSS pixels of a cell that points are counted in. */
export const CELL = 3;
const POINTS_A_STEP = 16_384;
/** The share of warm cells that stay below the full colour. */
export const BELOW_FULL = 0.995;
/** A cell is warm from this share of the hottest one's heat on. */
export const WARM = 0.01;
/** Steps that the heat is sorted by. */
export const STEPS = 2048;
export const SHADES = 256;
const MOST_OPAQUE = 0.86;
/** Below this share of the full colour the heat fades out: far out, a blurred point is a square. */
const FADING = 0.06;
/** Points on one spot that the full colour takes at least, so that a single one never looks hot. */
export const LEAST_POINTS = 3;

/**
 * Counts points in small cells and blurs the counts: the time depends on the view's size, hardly
 * on the number of points. Three box blurs come within 3 % of a Gaussian (W. M. Wells, IEEE
 * Transactions on Pattern Analysis and Machine Intelligence 8 (1986) 234-239).
 */
export function* drawDensity(
  canvas: Canvas2D,
  chosen: Chosen,
  { ratio }: View,
  { colours, radius }: HeatLook,
  share: number,
  /** The points of all days, which have a scale in common: single steps then compare. */
  everyDay: Chosen,
): Generator<void> {
  const { width, height } = canvas.canvas;
  const cell = CELL * ratio;
  const [columns, lines] = [Math.ceil(width / cell), Math.ceil(height / cell)];
  const grid = new Grid(columns, lines);
  yield* grid.count(chosen, cell);
  yield* grid.blur(radius);
  let scale = grid;
  if (share < 1) {
    scale = new Grid(columns, lines);
    yield* scale.count(everyDay, cell);
    yield* scale.blur(radius);
  }
  const full = fullOf(scale.full(), share, spotHeat(chosen.spots, radius));
  yield;
  const image = document.createElement("canvas");
  image.width = columns;
  image.height = lines;
  image.getContext("2d")?.putImageData(grid.paint(full, colours), 0, 0);
  canvas.imageSmoothingEnabled = true;
  canvas.imageSmoothingQuality = "high";
  canvas.drawImage(image, 0, 0, columns * cell, lines * cell);
}

/** Returns the reach of three box blurs that together blur by half of a radius. */
export function boxReach(radius: number): number {
  const sigma = radius / CELL / 2;
  return Math.max(Math.round((Math.sqrt(4 * sigma * sigma + 1) - 1) / 2), 1);
}

/** Returns the heat of a point of mean weight where it lies. */
export function spotHeat({ weight }: Spots, radius: number): number {
  const width = 2 * boxReach(radius) + 1;
  // The middle of three box blurs one after the other, along both axes.
  const middle = (3 * width ** 2 + 1) / (4 * width ** 3);
  const mean = weight?.length ? weight.reduce((a, b) => a + b, 0) / weight.length : 1;
  return middle ** 2 * mean;
}

/**
 * Returns the heat of the full colour for a share of the days. So few points vary by chance: for
 * counts of Poisson's kind the blurred heat has the variance `mean * spot / 2` (of a Gaussian).
 */
export function fullOf(ofAll: number, share: number, spot: number): number {
  const mean = ofAll * share;
  const chance = share < 1 ? 2 * Math.sqrt((mean * spot) / 2) : 0;
  return Math.max(mean + chance, LEAST_POINTS * spot) || 1;
}

/** Returns the heat of the full colour: a few cells, as of a pile, may be hotter. */
export function fullHeat(heat: Float32Array): number {
  const hottest = heat.reduce((a, b) => Math.max(a, b), 0);
  if (hottest === 0) return 0;
  const cells = new Uint32Array(STEPS);
  let warm = 0;
  for (const value of heat) {
    if (value <= hottest * WARM) continue;
    cells[Math.min(Math.floor((value / hottest) * STEPS), STEPS - 1)]++;
    warm++;
  }
  let step = -1;
  for (let below = 0; below <= warm * BELOW_FULL && step < STEPS - 1; ) below += cells[++step];
  return (hottest * (step + 0.5)) / STEPS;
}

class Grid {
  private values: Float32Array<ArrayBuffer>;
  private spare: Float32Array<ArrayBuffer>;

  constructor(
    private readonly columns: number,
    private readonly lines: number,
  ) {
    this.values = new Float32Array(columns * lines);
    this.spare = new Float32Array(columns * lines);
  }

  *count({ spots, features, projection }: Chosen, cell: number): Generator<void> {
    const { x, y, weight } = spots;
    const { columns, lines, values } = this;
    const count = features ? features.length : x.length;
    for (let i = 0; i < count; i++) {
      if (i % POINTS_A_STEP === POINTS_A_STEP - 1) yield;
      const spot = features ? features[i] : i;
      const column = Math.floor(projection.x(x[spot]) / cell);
      if (column < 0 || column >= columns) continue;
      const line = Math.floor(projection.y(y[spot]) / cell);
      if (line < 0 || line >= lines) continue;
      values[line * columns + column] += weight ? weight[spot] : 1;
    }
  }

  *blur(radius: number): Generator<void> {
    const reach = boxReach(radius);
    for (let pass = 0; pass < 3; pass++) {
      this.pass(reach, this.lines, this.columns, this.columns, 1);
      yield;
      this.pass(reach, this.columns, this.lines, 1, this.columns);
      yield;
    }
  }

  /** A running mean along each row, or each column. */
  private pass(reach: number, rows: number, length: number, next: number, step: number): void {
    const { values, spare } = this;
    const share = 1 / (2 * reach + 1);
    for (let row = 0; row < rows; row++) {
      const from = row * next;
      let sum = 0;
      for (let i = -reach; i < length; i++) {
        if (i + reach < length) sum += values[from + (i + reach) * step];
        if (i - reach - 1 >= 0) sum -= values[from + (i - reach - 1) * step];
        if (i >= 0) spare[from + i * step] = sum * share;
      }
    }
    [this.values, this.spare] = [spare, values];
  }

  full(): number {
    return fullHeat(this.values);
  }

  paint(full: number, colours: string[]): ImageData {
    const image = new ImageData(this.columns, this.lines);
    const words = new Uint32Array(image.data.buffer);
    const shades = rampOf(colours);
    for (let i = 0; i < words.length; i++) {
      const share = Math.min(this.values[i] / full, 1);
      words[i] = shades[Math.round(share * (SHADES - 1))];
    }
    return image;
  }
}

export function rampOf(colours: string[]): Uint32Array {
  return rampBetween(colours.map((colour) => wordOf(colour, 1)));
}

/** Colours between those given, from clear to nearly opaque, as words of an ImageData's bytes. */
export function rampBetween(words: number[]): Uint32Array {
  return Uint32Array.from({ length: SHADES }, (_, i) => {
    const share = i / (SHADES - 1);
    const place = share * (words.length - 1);
    const low = Math.min(Math.floor(place), words.length - 2);
    const mix = (shift: number) => {
      const [a, b] = [words[Math.max(low, 0)], words[low + 1]];
      return (
        ((a >>> shift) & 255) + (((b >>> shift) & 255) - ((a >>> shift) & 255)) * (place - low)
      );
    };
    const alpha =
      255 * MOST_OPAQUE * Math.min(1, Math.sqrt(share) * 1.15) * Math.min(1, share / FADING);
    const [red, green, blue] = [mix(0), mix(8), mix(16)].map(Math.round);
    return i === 0 ? 0 : ((Math.round(alpha) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  });
}
