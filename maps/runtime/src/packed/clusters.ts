import type { Canvas2D, View } from "./canvaslayer";
import type { Chosen } from "./chosen";
import type { Look } from "./look";

/** Points that are drawn as one circle. */
export interface Cluster {
  /** World pixels at the zoom of the drawing: the mean of the points. */
  x: number;
  y: number;
  /** CSS pixels. */
  radius: number;
  count: number;
  /** On the lattice: west, south, east, north. */
  box: [number, number, number, number];
  /** The row, where there is but one. */
  only: number | null;
}

/** CSS pixels. Cells lie fast on the world, so that a pan changes no cluster. */
const CELL = 72;
const POINTS_A_STEP = 16_384;
/** Colours of circles, each from a count on. */
const TONES: [from: number, tone: string][] = [
  [1000, "#123f7a"],
  [100, "#1b5fb0"],
  [0, "#2f7ed8"],
];

/**
 * Groups points by the cells of a grid, then joins circles that would overlap. It takes one pass
 * over the points, and so follows a filter or the time at once; no tree of clusters is kept.
 */
export function* clustersOf(
  { spots, features, projection }: Chosen,
  { corner, size, ratio }: View,
): Generator<void, Cluster[]> {
  const [west, north] = [Math.floor(corner.x / CELL), Math.floor(corner.y / CELL)];
  const columns = Math.floor((corner.x + size.x) / CELL) - west + 1;
  const lines = Math.floor((corner.y + size.y) / CELL) - north + 1;
  const cells: (Cluster | undefined)[] = new Array(columns * lines);
  const { x, y, row } = spots;
  const count = features ? features.length : x.length;
  for (let i = 0; i < count; i++) {
    if (i % POINTS_A_STEP === POINTS_A_STEP - 1) yield;
    const spot = features ? features[i] : i;
    const left = projection.x(x[spot]) / ratio + corner.x;
    const column = Math.floor(left / CELL) - west;
    if (column < 0 || column >= columns) continue;
    const top = projection.y(y[spot]) / ratio + corner.y;
    const line = Math.floor(top / CELL) - north;
    if (line < 0 || line >= lines) continue;
    const at = line * columns + column;
    const cluster = cells[at] ?? newCluster(row[spot]);
    cells[at] = cluster;
    cluster.count++;
    // Sums now, means below.
    cluster.x += left;
    cluster.y += top;
    widen(cluster.box, x[spot], y[spot], x[spot], y[spot]);
  }
  return joined(cells.filter((cell) => cell !== undefined));
}

function newCluster(only: number): Cluster {
  return { x: 0, y: 0, radius: 0, count: 0, box: [Infinity, Infinity, -Infinity, -Infinity], only };
}

function widen(box: Cluster["box"], west: number, south: number, east: number, north: number) {
  if (west < box[0]) box[0] = west;
  if (south < box[1]) box[1] = south;
  if (east > box[2]) box[2] = east;
  if (north > box[3]) box[3] = north;
}

function joined(cells: Cluster[]): Cluster[] {
  const done: Cluster[] = [];
  for (const cell of cells) {
    cell.x /= cell.count;
    cell.y /= cell.count;
    cell.radius = radiusOf(cell.count);
  }
  cells.sort((a, b) => b.count - a.count || a.y - b.y || a.x - b.x);
  for (const cell of cells) {
    const host = done.find(
      ({ x, y, radius }) => Math.hypot(x - cell.x, y - cell.y) < (radius + cell.radius) * 0.9,
    );
    if (host) absorb(host, cell);
    else done.push(cell);
  }
  for (const cluster of done) {
    if (cluster.count > 1) cluster.only = null;
    cluster.radius = radiusOf(cluster.count);
  }
  return done;
}

function absorb(host: Cluster, { x, y, count, box }: Cluster): void {
  const sum = host.count + count;
  host.x += ((x - host.x) * count) / sum;
  host.y += ((y - host.y) * count) / sum;
  host.count = sum;
  widen(host.box, ...box);
}

function radiusOf(count: number): number {
  return count === 1 ? 7 : 13 + 3.2 * Math.log10(count);
}

export function* drawClusters(
  canvas: Canvas2D,
  { corner, ratio }: View,
  clusters: Cluster[],
  looks: Look[],
  style: ArrayLike<number>,
  write: (count: number) => string,
): Generator<void> {
  canvas.textAlign = "center";
  canvas.textBaseline = "middle";
  for (const cluster of clusters) {
    const [x, y] = [(cluster.x - corner.x) * ratio, (cluster.y - corner.y) * ratio];
    if (cluster.only === null) drawMany(canvas, x, y, cluster, ratio, write);
    else drawOne(canvas, x, y, looks[style[cluster.only]]);
  }
  yield;
}

function drawOne(canvas: Canvas2D, x: number, y: number, look: Look): void {
  disc(canvas, x, y, look.radius, rgba(look.fill));
  if (!look.pen) return;
  canvas.strokeStyle = look.pen.colour;
  canvas.lineWidth = look.pen.width;
  canvas.stroke();
}

function drawMany(
  canvas: Canvas2D,
  x: number,
  y: number,
  { count, radius }: Cluster,
  ratio: number,
  write: (count: number) => string,
): void {
  const [, tone] = TONES.find(([from]) => count >= from) ?? TONES[0];
  disc(canvas, x, y, radius * ratio, `${tone}40`);
  disc(canvas, x, y, (radius - 3.5) * ratio, tone);
  const text = write(count);
  canvas.fillStyle = "#ffffff";
  canvas.font = `600 ${(text.length > 4 ? 10 : 11.5) * ratio}px system-ui, sans-serif`;
  canvas.fillText(text, x, y + 0.5 * ratio);
}

function disc(canvas: Canvas2D, x: number, y: number, radius: number, fill: string) {
  canvas.beginPath();
  canvas.arc(x, y, radius, 0, 2 * Math.PI);
  canvas.fillStyle = fill;
  canvas.fill();
}

function rgba(word: number): string {
  const part = (shift: number) => (word >>> shift) & 255;
  return `rgb(${part(0)} ${part(8)} ${part(16)} / ${(part(24) / 255).toFixed(3)})`;
}
