import type { Geometry, Position } from "geojson";
import type { Shapes } from "./decode";
import type { Lattice } from "./projection";

/**
 * Tells whether a feature's area holds a place of the lattice, by the even-odd rule. An edge
 * counts for the half-open span of its rows: a place on a border belongs to one neighbour.
 */
export function holds(shapes: Shapes, feature: number, column: number, row: number): boolean {
  const { ring, use, arc, start, x, y } = shapes;
  let inside = false;
  for (let u = use[ring[feature]], end = use[ring[feature + 1]]; u < end; u++) {
    const a = arc[u] >> 1;
    for (let k = start[a] + 1; k < start[a + 1]; k++) {
      if (y[k] > row === y[k - 1] > row) continue;
      const share = (row - y[k]) / (y[k - 1] - y[k]);
      if (column < x[k] + (x[k - 1] - x[k]) * share) inside = !inside;
    }
  }
  return inside;
}

/** Returns the least squared distance, in steps, of a place from a feature's lines. */
export function distance(
  shapes: Shapes,
  feature: number,
  column: number,
  row: number,
  aspect: number,
): number {
  const { ring, use, arc, start, x, y } = shapes;
  let least = Infinity;
  for (let u = use[ring[feature]], end = use[ring[feature + 1]]; u < end; u++) {
    const a = arc[u] >> 1;
    for (let k = start[a] + 1; k < start[a + 1]; k++) {
      const alongX = (x[k] - x[k - 1]) * aspect;
      const alongY = y[k] - y[k - 1];
      const offX = (column - x[k - 1]) * aspect;
      const offY = row - y[k - 1];
      const square = alongX * alongX + alongY * alongY;
      const share = square ? Math.min(Math.max((offX * alongX + offY * alongY) / square, 0), 1) : 0;
      const [missX, missY] = [offX - share * alongX, offY - share * alongY];
      least = Math.min(least, missX * missX + missY * missY);
    }
  }
  return least;
}

/** Returns a feature as GeoJSON, in degrees. */
export function geometryOf(
  shapes: Shapes,
  lattice: Lattice,
  feature: number,
  kind: "polygons" | "lines",
): Geometry | null {
  const rings = ringsOf(shapes, feature);
  if (!rings.length) return null;
  const degrees = (ring: Position[]) => ring.map(([x, y]) => placeOf(lattice, x, y));
  if (kind === "lines") return { type: "MultiLineString", coordinates: rings.map(degrees) };
  const parts: Position[][][] = [];
  for (const ring of rings) {
    // Exteriors run counter-clockwise, and holes follow theirs.
    const last = parts.at(-1);
    if (!last || signedArea(ring) >= 0) parts.push([degrees(ring)]);
    else last.push(degrees(ring));
  }
  return { type: "MultiPolygon", coordinates: parts };
}

function placeOf(lattice: Lattice, x: number, y: number): Position {
  return [lattice.west + x * lattice.step_x, lattice.south + y * lattice.step_y];
}

/** Returns the rings or lines of a feature on the lattice, where areas are exact. */
function ringsOf(shapes: Shapes, feature: number): Position[][] {
  const { ring, use, arc, start, x, y } = shapes;
  const rings: Position[][] = [];
  for (let r = ring[feature]; r < ring[feature + 1]; r++) {
    const places: Position[] = [];
    for (let u = use[r]; u < use[r + 1]; u++) {
      const a = arc[u] >> 1;
      const run: Position[] = [];
      for (let k = start[a]; k < start[a + 1]; k++) {
        run.push([x[k], y[k]]);
      }
      if (arc[u] & 1) run.reverse();
      places.push(...(places.length ? run.slice(1) : run));
    }
    rings.push(places);
  }
  return rings;
}

function signedArea(ring: Position[]): number {
  let area = 0;
  for (let i = 1; i < ring.length; i++) {
    area += ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1];
  }
  return area;
}
