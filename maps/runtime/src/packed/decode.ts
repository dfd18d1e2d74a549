import { type Boxes, boxesOfRuns, emptyBoxes, widen } from "./boxes";
import {
  cutStreams,
  fromBase64,
  inflate,
  readSums,
  readVarints,
  type Streams,
  starts,
} from "./bytes";
import { type ColumnSpec, type Held, readColumn } from "./columns";
import { buildTree, FAN_OUT, type Tree } from "./tree";

/** What is packed, as the page's script holds it. */
export interface Content {
  kind: "polygons" | "lines" | "points";
  count: number;
  streams: [name: string, size: number][];
  columns: ColumnSpec[];
}

/** What every kind of layer holds. */
export interface Rows {
  /** The row of each feature, and the feature of each row: features lie along a curve. */
  row: Uint32Array;
  feature: Uint32Array;
  /** Boxes of the features, or, for points, of each 16 of them. */
  tree: Tree;
}

/** Points on the lattice; the features after the last have no place. */
export interface Spots extends Rows {
  x: Int32Array;
  y: Int32Array;
  /** Days from the first, where points have a time; 65535 for one without. */
  day: Uint16Array | null;
  weight: Float32Array | null;
}

/** Arcs, and the rings or lines that are made of them, in steps of the lattice. */
export interface Shapes extends Rows {
  /** The first vertex of each arc. */
  start: Uint32Array;
  x: Int32Array;
  y: Int32Array;
  /** The coarsest level of detail at which a vertex is drawn. */
  level: Uint8Array;
  /** The first ring of each feature, and the first use of an arc by each ring. */
  ring: Uint32Array;
  use: Uint32Array;
  /** Twice the arc, plus one where the ring runs along it backwards. */
  arc: Uint32Array;
  /** Of each feature. */
  boxes: Boxes;
}

export interface Decoded {
  shapes: Shapes | null;
  spots: Spots | null;
  style: Uint16Array;
  columns: Held[];
}

export type Progress = (share: number) => void;

export async function decode(content: Content, data: string, progress: Progress): Promise<Decoded> {
  const size = content.streams.reduce((sum, [, bytes]) => sum + bytes, 0);
  const bytes = await inflate(fromBase64(data), size, progress);
  const streams = cutStreams(bytes, content.streams);
  const { count, kind } = content;
  return {
    shapes: kind === "points" ? null : readShapes(streams, count),
    spots: kind === "points" ? readSpots(streams, count) : null,
    style: readVarints(streams.style, new Uint16Array(count)),
    columns: content.columns.map((spec, i) => readColumn(spec, streams, i, count)),
  };
}

/** What a worker hands over instead of copying. */
export function buffersOf(decoded: Decoded): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  const collect = (value: unknown) => {
    if (ArrayBuffer.isView(value)) buffers.add(value.buffer as ArrayBuffer);
    else if (Array.isArray(value) && typeof value[0] === "object") value.forEach(collect);
    else if (value && typeof value === "object") Object.values(value).forEach(collect);
  };
  collect(decoded);
  return [...buffers];
}

/** Rows are those of the frame; where nothing tells them apart they are not told. */
function readRows(streams: Streams, count: number): { row: Uint32Array; feature: Uint32Array } {
  const row = streams.row
    ? Uint32Array.from(readSums(streams.row, count))
    : Uint32Array.from({ length: count }, (_, i) => i);
  if (!streams.row) return { row, feature: row };
  const feature = new Uint32Array(count);
  for (let i = 0; i < count; i++) feature[row[i]] = i;
  return { row, feature };
}

function readSpots(streams: Streams, count: number): Spots {
  const placed = countOf(streams.x);
  const x = readSums(streams.x, placed);
  const y = readSums(streams.y, placed);
  return {
    x,
    y,
    day: streams.day ? readDays(streams.day, placed) : null,
    weight: streams.weight ? readVarints(streams.weight, new Float32Array(placed)) : null,
    tree: buildTree(boxesOfPoints(x, y)),
    ...readRows(streams, count),
  };
}

/** 0 is for no time: it becomes the last of all days. */
function readDays(bytes: Uint8Array, count: number): Uint16Array {
  return readVarints(bytes, new Uint16Array(count)).map((day) => day - 1);
}

/** Boxes of so many points in a row as a box of the tree has below it. */
function boxesOfPoints(x: Int32Array, y: Int32Array): Boxes {
  const blocks = Math.ceil(x.length / FAN_OUT);
  const start = Uint32Array.from({ length: blocks + 1 }, (_, i) => Math.min(i * FAN_OUT, x.length));
  return boxesOfRuns(start, x, y);
}

function readShapes(streams: Streams, count: number): Shapes {
  const ring = starts(streams.rings, count);
  const use = starts(streams.uses, ring[count]);
  const arc = readUses(streams.use, use[ring[count]]);
  const arcs = countOf(streams.size);
  const start = starts(streams.size, arcs, 2);
  const vertices = start[arcs];
  const x = readSums(streams.x, vertices);
  const y = readSums(streams.y, vertices);
  const level = readLevels(streams.level, vertices);
  const boxes = boxesOf({ start, x, y, ring, use, arc });
  const tree = buildTree(boxes);
  return { start, x, y, level, ring, use, arc, boxes, tree, ...readRows(streams, count) };
}

/** Varints end with the bytes below 128. */
function countOf(bytes: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] < 128) count++;
  return count;
}

/** An arc is coded as how far it lies behind the newest so far; 0 is the next new one. */
function readUses(bytes: Uint8Array, count: number): Uint32Array {
  const uses = readVarints(bytes, new Uint32Array(count));
  let newest = -1;
  for (let i = 0; i < count; i++) {
    const back = uses[i] >>> 1;
    const arc = back ? newest + 1 - back : ++newest;
    uses[i] = arc * 2 + (uses[i] & 1);
  }
  return uses;
}

function readLevels(bytes: Uint8Array, count: number): Uint8Array {
  const level = new Uint8Array(count);
  for (let i = 0; i < count; i++) level[i] = (bytes[i >> 2] >> ((i & 3) * 2)) & 3;
  return level;
}

/** A feature without a ring gets a box that meets nothing. */
function boxesOf(shapes: Pick<Shapes, "start" | "x" | "y" | "ring" | "use" | "arc">): Boxes {
  const { start, x, y, ring, use, arc } = shapes;
  const ofArcs = boxesOfRuns(start, x, y);
  const boxes = emptyBoxes(ring.length - 1);
  for (let feature = 0; feature + 1 < ring.length; feature++) {
    for (let u = use[ring[feature]]; u < use[ring[feature + 1]]; u++) {
      widen(boxes, feature * 4, ofArcs, (arc[u] >> 1) * 4);
    }
  }
  return boxes;
}
