import type { Geometry, Position } from "geojson";

/** In degrees. */
export type Box = [west: number, south: number, east: number, north: number];

/**
 * Tells whether a point lies in a geometry's area, by the even-odd rule over all rings, so that
 * holes fall out. An edge counts for the half-open span of its latitudes: a point on a border
 * that two neighbours share belongs to one of them.
 */
export function contains(geometry: Geometry, lon: number, lat: number): boolean {
  switch (geometry.type) {
    case "Polygon":
      return inRings(geometry.coordinates, lon, lat);
    case "MultiPolygon":
      return geometry.coordinates.some((rings) => inRings(rings, lon, lat));
    case "GeometryCollection":
      return geometry.geometries.some((part) => contains(part, lon, lat));
    default:
      return false;
  }
}

function inRings(rings: Position[][], lon: number, lat: number): boolean {
  let inside = false;
  for (const crossing of crossings(rings, lat)) if (lon < crossing) inside = !inside;
  return inside;
}

/** The longitudes at which rings cross a parallel. */
function crossings(rings: Position[][], lat: number): number[] {
  const found: number[] = [];
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [x, y] = ring[i];
      const [previousX, previousY] = ring[j];
      if (y > lat === previousY > lat) continue;
      found.push(x + ((previousX - x) * (lat - y)) / (previousY - y));
    }
  }
  return found;
}

/** A place to point at: on a point or line, or the middle of an area's widest part at half height. */
export function anchorOf(geometry: Geometry): [lon: number, lat: number] {
  switch (geometry.type) {
    case "Point":
      return [geometry.coordinates[0], geometry.coordinates[1]];
    case "LineString":
      return middle(geometry.coordinates);
    case "Polygon":
      return widest([geometry.coordinates]);
    case "MultiPolygon":
      return widest(geometry.coordinates);
    case "GeometryCollection":
      return anchorOf(geometry.geometries[0]);
    default:
      return anchorOf({
        type: geometry.type === "MultiPoint" ? "Point" : "LineString",
        coordinates: geometry.coordinates[0],
      } as Geometry);
  }
}

function middle(line: Position[]): [number, number] {
  const [lon, lat] = line[Math.floor(line.length / 2)];
  return [lon, lat];
}

function widest(polygons: Position[][][]): [number, number] {
  let best: [number, number] = [polygons[0][0][0][0], polygons[0][0][0][1]];
  let width = -1;
  for (const rings of polygons) {
    const lats = rings[0].map(([, lat]) => lat);
    const lat = (lats.reduce((a, b) => Math.min(a, b)) + lats.reduce((a, b) => Math.max(a, b))) / 2;
    const at = crossings(rings, lat).sort((a, b) => a - b);
    for (let i = 0; i + 1 < at.length; i += 2) {
      if (at[i + 1] - at[i] <= width) continue;
      width = at[i + 1] - at[i];
      best = [(at[i] + at[i + 1]) / 2, lat];
    }
  }
  return best;
}

export function boxOf(geometry: Geometry): Box {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  const stretch = (places: Position | Position[] | Position[][] | Position[][][]): void => {
    if (typeof places[0] !== "number") {
      for (const part of places as Position[][][]) stretch(part);
      return;
    }
    const [lon, lat] = places as Position;
    if (lon < box[0]) box[0] = lon;
    if (lat < box[1]) box[1] = lat;
    if (lon > box[2]) box[2] = lon;
    if (lat > box[3]) box[3] = lat;
  };
  const parts = geometry.type === "GeometryCollection" ? geometry.geometries : [geometry];
  for (const part of parts) if ("coordinates" in part) stretch(part.coordinates);
  return box;
}
