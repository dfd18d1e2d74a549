import type L from "leaflet";
import { readColour } from "../colour";
import type { Pen } from "./strokes";

/** A style as it is drawn. */
export interface Look {
  /** Red, green, blue, alpha as the 32-bit word of an ImageData's bytes; 0: no fill. */
  fill: number;
  pen: Pen | null;
  /** Of a point, in CSS pixels. */
  radius: number;
}

/** Reads Leaflet's path options, with its defaults. */
export function lookOf(style: L.CircleMarkerOptions, ratio: number): Look {
  const { color = "#3388ff", weight = 3, opacity = 1, stroke = true, fill = true } = style;
  const { fillColor = color, fillOpacity = 0.2, dashArray, radius = 4 } = style;
  const dash = typeof dashArray === "string" ? dashArray.split(/[\s,]+/).map(Number) : dashArray;
  const pen = {
    colour: color,
    width: weight * ratio,
    opacity,
    dash: (dash ?? []).filter(Number.isFinite).map((length) => length * ratio),
  };
  return {
    fill: fill ? wordOf(fillColor, fillOpacity) : 0,
    pen: stroke && weight > 0 && opacity > 0 ? pen : null,
    radius: radius * ratio,
  };
}

/** A CSS colour as the 32-bit word of an ImageData's bytes. */
export function wordOf(colour: string, opacity: number): number {
  const [red, green, blue, alpha] = readColour(colour);
  const share = Math.round(255 * Math.min(Math.max(alpha * opacity, 0), 1));
  return share === 0 ? 0 : ((share << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
