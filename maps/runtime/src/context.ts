import type L from "leaflet";
import { type Frame, makeFrame } from "./frame";
import { Formats } from "./format";
import type { GeoLayer } from "./geolayer";

export interface Licence {
  name: string;
  version: string;
  licence: string;
  text: string;
}

export interface PageConfig {
  lang: string;
  timeZone: string;
  bounds: [west: number, south: number, east: number, north: number];
  texts: Record<string, string>;
  licences: Licence[];
}

const CHANGED = "gridmap:overlays";
const contexts = new WeakMap<L.Map, Context>();

/** What the elements of one page share. */
export class Context {
  readonly frame: Frame;
  readonly formats: Formats;
  readonly geoLayers = new Map<string, GeoLayer>();
  private readonly overlays = new Map<string, L.Layer>();

  constructor(
    readonly map: L.Map,
    readonly config: PageConfig,
  ) {
    this.frame = makeFrame(map);
    this.formats = new Formats(config.lang, config.timeZone, (key) => this.text(key));
    contexts.set(map, this);
    map.on("layeradd layerremove", (event) => {
      const { layer } = event as L.LayerEvent;
      if ([...this.overlays.values()].includes(layer)) map.fire(CHANGED);
    });
  }

  text(key: string, values: Record<string, string> = {}): string {
    const template = this.config.texts[key] ?? key;
    return template.replace(/\{(\w+)\}/g, (hole, name: string) => values[name] ?? hole);
  }

  register(name: string, layer: L.Layer): void {
    this.overlays.set(name, layer);
    this.map.fire(CHANGED);
  }

  /** A name that no overlay bears counts as shown: there is nothing to switch off. */
  isShown(name: string): boolean {
    const layer = this.overlays.get(name);
    return layer === undefined || this.map.hasLayer(layer);
  }

  /** Calls back now and whenever an overlay is switched on or off. */
  watch(callback: () => void): void {
    this.map.on(CHANGED, callback);
    callback();
  }
}

export function contextOf(map: L.Map): Context {
  const context = contexts.get(map);
  if (!context) throw new Error("this map was not made by gridmap.page");
  return context;
}
