import L from "leaflet";
import { readColour } from "./colour";

type Rgb = [red: number, green: number, blue: number];

const TURNED = "gridmap:ground";
/** What has less contrast than this with what it lies on cannot be made out (WCAG 2.2, 1.4.11). */
const LEAST_CONTRAST = 3;
/** The luminance with the same contrast to white as to black. */
const DARK = 0.179;
/** Through a fill with less opacity than this the ground shows. */
const FAINT = 0.3;
/** Colours whose channels differ by less than this are greys. */
const GREY = 64;
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

  /**
   * Turns greys round, `#1a202c` into `#d3d9e5`, so that what stands back on a light ground does on
   * a dark one; makes other colours as much lighter as it takes to make them out.
   */
  private onDark(text: string): string {
    const [red, green, blue, alpha] = readColour(text);
    const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
    const lighter = (by: number): Rgb => [
      Math.min(red + by, 255),
      Math.min(green + by, 255),
      Math.min(blue + by, 255),
    ];
    let by = 0;
    if (most - least < GREY) by = 255 - most - least;
    else while (this.contrast(lighter(by)) < LEAST_CONTRAST) by++;
    return `rgba(${lighter(by).join(", ")}, ${alpha})`;
  }

  private contrast(colour: Rgb): number {
    const [one, other] = [luminanceOf(colour) + 0.05, this.luminance + 0.05];
    return Math.max(one, other) / Math.min(one, other);
  }

  private look(): void {
    const before = this.luminance;
    const colour = getComputedStyle(this.map.getContainer()).getPropertyValue("--gm-ground");
    let tiles = false;
    this.map.eachLayer((layer) => {
      tiles ||= layer instanceof L.GridLayer;
    });
    // A plain folium page has no such colour, and the tiles of all services are light.
    const [red, green, blue] = readColour(colour.trim());
    this.luminance = tiles || !colour ? 1 : luminanceOf([red, green, blue]);
    if (this.luminance === before) return;
    this.inks.clear();
    this.map.fire(TURNED);
  }
}

function bare({ fill = true, fillOpacity = 0.2 }: L.PathOptions): boolean {
  return !fill || fillOpacity < FAINT;
}

/** The relative luminance of WCAG 2.2, 0 (black) to 1 (white). */
function luminanceOf(colour: Rgb): number {
  const [red, green, blue] = colour.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
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
