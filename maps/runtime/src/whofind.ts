import { fromBase64, readSums } from "./packed/bytes";

/** Polynomials from degrees to metres over equal tiles of a box, as `metres.py` fits them. */
export interface Metres {
  box: [west: number, south: number, east: number, north: number];
  tiles: number;
  powers: [number, number][];
  x: number[][];
  y: number[][];
}

export type Place = [x: number, y: number];

/** Returns a place in metres from the origin; null beyond what is within reach of anything. */
export function metresAt(
  { box, tiles, powers, x, y }: Metres,
  lon: number,
  lat: number,
): Place | null {
  const [west, south, east, north] = box;
  const across = ((lon - west) / (east - west)) * tiles;
  const up = ((lat - south) / (north - south)) * tiles;
  if (!(across >= 0 && across <= tiles && up >= 0 && up <= tiles)) return null;
  const column = Math.min(Math.floor(across), tiles - 1);
  const row = Math.min(Math.floor(up), tiles - 1);
  const [u, v] = [2 * (across - column) - 1, 2 * (up - row) - 1];
  const sum = (terms: number[]) =>
    powers.reduce((total, [i, j], term) => total + terms[term] * u ** i * v ** j, 0);
  const tile = row * tiles + column;
  return [sum(x[tile]), sum(y[tile])];
}

/** Lines, points or rings of areas in centimetres from the origin, as `who.py` packs them. */
export interface PackedShapes {
  x: string;
  y: string;
  ends: string;
  owners: string;
  places: number;
  parts: number;
}

/** A target near a place: how far away, and how far along it the place is. */
export interface Nearby {
  row: number;
  distance: number;
  chainage: number;
}

const PER_METRE = 100;

/** The shapes of the targets of one group, in metres. */
export class Shapes {
  private readonly x: Float64Array;
  private readonly y: Float64Array;
  private readonly ends: Int32Array;
  private readonly owners: Int32Array;

  constructor(packed: PackedShapes) {
    const read = (text: string, count: number) => readSums(fromBase64(text), count);
    this.x = Float64Array.from(read(packed.x, packed.places), (value) => value / PER_METRE);
    this.y = Float64Array.from(read(packed.y, packed.places), (value) => value / PER_METRE);
    this.ends = read(packed.ends, packed.parts);
    this.owners = read(packed.owners, packed.parts);
  }

  /** Areas that hold a place, by the even-odd rule over all rings of each. */
  holding([x, y]: Place): number[] {
    const held = new Set<number>();
    this.eachPart((begin, end, row) => {
      for (let i = begin + 1; i < end; i++) {
        if (this.y[i] > y === this.y[i - 1] > y) continue;
        const share = (y - this.y[i - 1]) / (this.y[i] - this.y[i - 1]);
        if (x >= this.x[i - 1] + (this.x[i] - this.x[i - 1]) * share) continue;
        if (!held.delete(row)) held.add(row);
      }
    });
    return [...held];
  }

  /** Points within reach of a place. */
  near(place: Place, reach: number): Nearby[] {
    const found: Nearby[] = [];
    this.eachPart((begin, _end, row) => {
      const distance = Math.hypot(this.x[begin] - place[0], this.y[begin] - place[1]);
      if (distance <= reach) found.push({ row, distance, chainage: 0 });
    });
    return found;
  }

  /** The nearest line within reach of a place; of equally near ones the first. */
  nearest(place: Place, reach: number): Nearby[] {
    let nearest: Nearby = { row: -1, distance: Infinity, chainage: 0 };
    let [before, whose] = [0, -1];
    this.eachPart((begin, end, row) => {
      // The chainage of a line goes on over its parts.
      if (row !== whose) [before, whose] = [0, row];
      for (let i = begin + 1; i < end; i++) {
        const [distance, along, length] = this.foot(i, place);
        if (distance < nearest.distance) nearest = { row, distance, chainage: before + along };
        before += length;
      }
    });
    return nearest.distance <= reach ? [nearest] : [];
  }

  /** How far a place is from the segment that ends at a vertex, where on it, and how long that is. */
  private foot(i: number, [x, y]: Place): [distance: number, along: number, length: number] {
    const [fromX, fromY] = [this.x[i - 1], this.y[i - 1]];
    const [stepX, stepY] = [this.x[i] - fromX, this.y[i] - fromY];
    const length = Math.hypot(stepX, stepY);
    const share = length ? ((x - fromX) * stepX + (y - fromY) * stepY) / length ** 2 : 0;
    const within = Math.min(Math.max(share, 0), 1);
    const distance = Math.hypot(fromX + within * stepX - x, fromY + within * stepY - y);
    return [distance, within * length, length];
  }

  private eachPart(tell: (begin: number, end: number, row: number) => void): void {
    let begin = 0;
    this.owners.forEach((row, part) => {
      tell(begin, this.ends[part], row);
      begin = this.ends[part];
    });
  }
}
