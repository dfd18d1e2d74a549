import type { Feature, Geometry } from "geojson";
import L from "leaflet";
import { contextOf } from "./context";

export interface OnlineConfig {
  name: string;
  urls: string[];
  subdomains: string;
  attribution: string;
  deepest: number;
  shared: boolean;
}

/** Tiles of an online service. */
export function onlineTiles(map: L.Map, config: OnlineConfig): L.Layer {
  const { urls, subdomains, attribution, deepest, shared } = config;
  const options = {
    subdomains,
    attribution: asText(attribution),
    maxNativeZoom: deepest,
    maxZoom: map.getMaxZoom(),
    ...(shared ? { crossOrigin: "anonymous" as const } : {}),
  };
  // The attribution once, however many sheets lie over each other.
  const sheets = urls.map((url, index) =>
    L.tileLayer(url, index ? { ...options, attribution: "" } : options),
  );
  return registered(map, config.name, L.layerGroup(sheets));
}

export interface LocalConfig {
  name: string;
  /** By zoom/x/y. */
  tiles: Record<string, string>;
  deepest: number;
  attribution: string;
}

/** Tiles that the page holds itself; there are no others to ask for. */
export function localTiles(map: L.Map, config: LocalConfig): L.Layer {
  const Local = L.GridLayer.extend({
    createTile({ x, y, z }: L.Coords) {
      const tile = document.createElement("img");
      tile.alt = "";
      tile.setAttribute("role", "presentation");
      const url = config.tiles[`${z}/${x}/${y}`];
      if (url) tile.src = url;
      return tile;
    },
  }) as unknown as new (
    options: L.GridLayerOptions,
  ) => L.GridLayer;
  const zooms = Object.keys(config.tiles).map((key) => Number(key.split("/", 1)[0]));
  const layer = new Local({
    attribution: asText(config.attribution),
    minNativeZoom: Math.min(...zooms),
    maxNativeZoom: config.deepest,
    maxZoom: map.getMaxZoom(),
  });
  return registered(map, config.name, layer);
}

export interface BackdropConfig {
  name: string;
  kind: "water" | "buildings" | "roads";
  geometries: (Geometry | null)[];
}

/** Features for orientation alone, in colours of the page. */
export function backdrop(map: L.Map, config: BackdropConfig): L.Layer {
  const pane = map.getPane("gm-backdrop") ?? map.createPane("gm-backdrop");
  pane.style.zIndex = "250";
  pane.style.pointerEvents = "none";
  const style = (feature?: Feature): L.PathOptions => {
    const page = getComputedStyle(map.getContainer());
    const colour = page.getPropertyValue(`--gm-${config.kind}`).trim();
    const area = { stroke: false, fill: true, fillColor: colour, fillOpacity: 1 };
    const isLine = /LineString/.test(feature?.geometry.type ?? "");
    return isLine ? { color: colour, weight: 2.5, fill: false } : area;
  };
  const geometries = config.geometries.filter((geometry) => geometry !== null);
  const layer = L.geoJSON(undefined, {
    pane: "gm-backdrop",
    renderer: L.canvas({ pane: "gm-backdrop", padding: 0.3 }),
    interactive: false,
    style,
  } as L.GeoJSONOptions);
  layer.addData({ type: "GeometryCollection", geometries } as GeoJSON.GeometryCollection);
  map.on("gridmap:theme", () => layer.setStyle(style));
  return registered(map, config.name, layer);
}

function registered(map: L.Map, name: string, layer: L.Layer): L.Layer {
  contextOf(map).register(name, layer);
  return layer;
}

/** Leaflet writes an attribution as markup. */
function asText(attribution: string): string {
  const box = document.createElement("span");
  box.textContent = attribution;
  return box.innerHTML;
}
