import L from "leaflet";
import type { Context } from "./context";

export const PAPERS = ["A4", "A3"] as const;
export type Paper = (typeof PAPERS)[number];

/** Width and height of what is printed, in CSS pixels at 96 to the inch: landscape less margins. */
const SIZES: Record<Paper, [number, number]> = { A4: [1047, 718], A3: [1512, 1047] };
const DRAWN_MS = 700;

/** Lays the page out for a sheet of paper, prints it, and lays it back. */
export function printMap(context: Context, paper: Paper): void {
  const back = layOut(context, paper);
  window.addEventListener("afterprint", back, { once: true });
  // Layers draw in slices: the sheet must be whole before it is printed.
  window.setTimeout(() => window.print(), DRAWN_MS);
}

/** Lays the page out for paper; returns what lays it back. */
export function layOut({ map, config }: Context, paper: Paper): () => void {
  const view = map.getBounds();
  const [west, south, east, north] = config.bounds;
  const whole = L.latLngBounds([south, west], [north, east]);
  const rule = document.createElement("style");
  rule.textContent = `@page { size: ${paper} landscape; margin: 10mm; }`;
  document.head.append(rule);
  const { dataset, style } = document.documentElement;
  const [width, height] = SIZES[paper];
  const { theme } = dataset;
  const { retina } = L.Browser;
  dataset.print = paper;
  dataset.theme = "light";
  style.setProperty("--gm-paper-width", `${width}px`);
  style.setProperty("--gm-paper-height", `${height}px`);
  // A canvas has as many pixels as the screen needs; paper shows more.
  Object.assign(L.Browser, { retina: true });
  refit(map, view.contains(whole) ? whole.pad(0.02) : view);
  return () => {
    rule.remove();
    delete dataset.print;
    dataset.theme = theme;
    Object.assign(L.Browser, { retina });
    refit(map, view);
  };
}

function refit(map: L.Map, bounds: L.LatLngBounds): void {
  map.fire("gridmap:theme");
  map.invalidateSize({ animate: false });
  const { zoomSnap } = map.options;
  map.options.zoomSnap = 0;
  map.fitBounds(bounds, { animate: false });
  map.options.zoomSnap = zoomSnap;
}
