import type { Geometry, Position } from "geojson";

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
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [x, y] = ring[i];
      const [previousX, previousY] = ring[j];
      if (y > lat === previousY > lat) continue;
      if (lon < x + ((previousX - x) * (lat - y)) / (previousY - y)) inside = !inside;
    }
  }
  return inside;
}
