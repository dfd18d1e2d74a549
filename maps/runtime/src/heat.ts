import L from "leaflet";
import { contextOf } from "./context";
import { type PackedPoints, type Points, unpackPoints } from "./points";
import { Timeline } from "./timeline";

export interface HeatConfig extends PackedPoints {
  name: string;
  /** Points are sorted by step; how many each step has. */
  counts: number[];
  labels: string[];
  colours: string[];
  radius: number;
  blur: number;
}

type Span = [from: number, to: number];

/** The share of cells that weigh less than the one that the scale is made for. */
const DENSE = 0.98;
/** Spots of neighbouring cells overlap and add up: one cell alone must stay below full colour. */
const OVERLAP = 1.8;

/** A heat layer over a time slider. */
export function heatByTime(map: L.Map, config: HeatConfig): L.Layer {
  const context = contextOf(map);
  const points = unpackPoints(config);
  const places = Array.from(points.lon, (lon, i) => L.latLng(points.lat[i], lon, points.weight[i]));
  const starts = config.counts.reduce((all, count) => [...all, all[all.length - 1] + count], [0]);
  const span = (of: number): Span => (of < 0 ? [0, config.count] : [starts[of], starts[of + 1]]);
  let step = -1;
  const gradient = Object.fromEntries(
    config.colours.map((colour, i) => [(i + 1) / config.colours.length, colour]),
  );
  const { radius, blur } = config;
  const heat = L.heatLayer(places, { radius, blur, gradient, maxZoom: 0, minOpacity: 0.04 });
  const calibrate = () => {
    const spans = step < 0 ? [span(-1)] : config.counts.map((_, i) => span(i));
    heat.setOptions({ max: fullWeight(map, points, (radius + blur) / 2, spans) });
  };
  const steps = config.labels.map((label, i) => ({ label, count: config.counts[i] }));
  const timeline = new Timeline(context, config.name, steps, (chosen) => {
    const scaleChanges = step < 0 !== chosen < 0;
    step = chosen;
    if (scaleChanges) calibrate();
    heat.setLatLngs(places.slice(...span(step)));
  });
  heat.on("add", () => {
    context.frame["bottom-centre"].append(timeline.card);
    map.on("zoomend", calibrate);
    calibrate();
  });
  heat.on("remove", () => {
    timeline.pause();
    timeline.card.remove();
    map.off("zoomend", calibrate);
    forgetFrame(heat);
  });
  context.register(config.name, heat);
  return heat;
}

/** leaflet.heat would still draw a frame that it asked for before it was removed, and fail. */
function forgetFrame(heat: L.HeatLayer): void {
  const drawn = heat as unknown as { _frame: number | null };
  if (drawn._frame !== null) L.Util.cancelAnimFrame(drawn._frame);
  drawn._frame = null;
}

/**
 * Returns the weight that a cell needs for the full colour, so that the scale fits the data at
 * this zoom. All single steps share one scale: they can be compared.
 */
function fullWeight(map: L.Map, points: Points, cell: number, spans: Span[]): number {
  const size = cell / map.options.crs!.scale(map.getZoom());
  const weights: number[] = [];
  for (const [from, to] of spans) {
    const cells = new Map<number, number>();
    for (let i = from; i < to; i++) {
      const x = (points.lon[i] + 180) / 360;
      const y = Math.asinh(Math.tan((points.lat[i] * Math.PI) / 180)) / (2 * Math.PI);
      const key = Math.floor(x / size) * 0x4000000 + Math.floor((y + 0.5) / size);
      cells.set(key, (cells.get(key) ?? 0) + points.weight[i]);
    }
    for (const weight of cells.values()) weights.push(weight);
  }
  weights.sort((a, b) => a - b);
  const dense = weights[Math.floor(weights.length * DENSE)] ?? 0;
  return dense > 0 ? dense * OVERLAP : 1;
}
