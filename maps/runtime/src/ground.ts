import L from "leaflet";
import { readColour } from "./colour";
import { luminanceOf, onDark } from "./contrast";

const TURNED = "gridmap:ground";
/** The luminance with the same contrast to white as to black. */
const DARK = 0.179;
/** Through a fill with less opacity than this the ground shows. */
const FAINT = 0.3;
const grounds = new WeakMap<L.Map, Ground>();

/** What features lie on: the colour of the page, unless the tiles of a base map cover it. */
class Ground {
  private luminance = 1;
  private readonly inks = new Map<string, string>();

  constructor(private readonly map: L.Map) {
    map.on("gridmap:theme", () => this.look());
    map.on("layeradd layerremove", (event) => {
      if ((event as L.LayerEvent).layer instanceof L.GridLayer) this.look();
    });
    this.look();
  }

  /** A style whose outlines and lines can be made out on the ground. */
  ink<Style extends L.PathOptions>(style: Style): Style {
    const { color } = style;
    if (this.luminance > DARK || !color || !bare(style)) return style;
    const seen = this.inks.get(color) ?? this.onDark(color);
    this.inks.set(color, seen);
    return { ...style, color: seen };
  }

  private onDark(text: string): string {
    return `rgba(${onDark(readColour(text), this.luminance).join(", ")})`;
  }

  private look(): void {
    const before = this.luminance;
    const colour = getComputedStyle(this.map.getContainer()).getPropertyValue("--gm-ground");
    let tiles = false;
    this.map.eachLayer((layer) => {
      tiles ||= layer instanceof L.GridLayer;
    });
    // A plain folium page has no such colour, and the tiles of all services are light.
    this.luminance = tiles || !colour ? 1 : luminanceOf(readColour(colour.trim()));
    if (this.luminance === before) return;
    this.inks.clear();
    this.map.fire(TURNED);
  }
}

function bare({ fill = true, fillOpacity = 0.2 }: L.PathOptions): boolean {
  return !fill || fillOpacity < FAINT;
}

export function groundOf(map: L.Map): Ground {
  const ground = grounds.get(map) ?? new Ground(map);
  grounds.set(map, ground);
  return ground;
}

/** Calls back whenever the ground turns dark or light; returns what ends that. */
export function onGround(map: L.Map, callback: () => void): () => void {
  groundOf(map);
  map.on(TURNED, callback);
  return () => map.off(TURNED, callback);
}
