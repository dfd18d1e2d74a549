import type L from "leaflet";
import type { Features } from "./features";
import { Formats } from "./format";
import { type Frame, makeFrame } from "./frame";
import { fill, inLanguage, LANGUAGES, type Words } from "./words";

export interface Licence {
  name: string;
  version: string;
  licence: string;
  text: string;
}

export interface PageConfig {
  lang: string;
  title: Words;
  timeZone: string;
  bounds: [west: number, south: number, east: number, north: number];
  texts: Record<string, Words>;
  licences: Licence[];
}

const CHANGED = "gridmap:overlays";
const SPOKEN = "gridmap:language";
const contexts = new WeakMap<L.Map, Context>();

/** What the elements of one page share. */
export class Context {
  readonly frame: Frame;
  readonly formats: Formats;
  readonly geoLayers = new Map<string, Features>();
  readonly overlays = new Map<string, L.Layer>();
  private language: string;

  constructor(
    readonly map: L.Map,
    readonly config: PageConfig,
  ) {
    this.language = config.lang;
    this.frame = makeFrame(map);
    this.formats = new Formats(this, config.timeZone);
    contexts.set(map, this);
    map.on("layeradd layerremove", (event) => {
      const { layer } = event as L.LayerEvent;
      if ([...this.overlays.values()].includes(layer)) map.fire(CHANGED);
    });
  }

  get lang(): string {
    return this.language;
  }

  set lang(chosen: string) {
    if (!Object.hasOwn(LANGUAGES, chosen) || chosen === this.language) return;
    this.language = chosen;
    this.map.fire(SPOKEN);
  }

  say(words: Words): string {
    return inLanguage(words, this.language);
  }

  text(key: string, values: Record<string, string> = {}): string {
    return fill(this.say(this.config.texts[key] ?? key), values);
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

  show(name: string): void {
    const layer = this.overlays.get(name);
    if (layer) this.map.addLayer(layer);
  }

  /** Calls back now and whenever an overlay is switched on or off. */
  watch(callback: () => void): void {
    this.map.on(CHANGED, callback);
    callback();
  }

  /** Calls back now and whenever another language is chosen; returns what ends that. */
  speak(callback: () => void): () => void {
    this.map.on(SPOKEN, callback);
    callback();
    return () => this.map.off(SPOKEN, callback);
  }
}

export function contextOf(map: L.Map): Context {
  const context = contexts.get(map);
  if (!context) throw new Error("this map was not made by gridmap.page");
  return context;
}
