import type L from "leaflet";
import { type Context, contextOf } from "./context";
import type { Features } from "./features";
import { filteringOf } from "./filtering";
import { replaceLegend } from "./legend";
import { integers } from "./points";
import { type Span, type Timed, timeOf, type Unit } from "./time";

interface TimedConfig {
  overlay: string;
  unit: Unit;
  first: number;
  counts: number[];
}

export interface FollowConfig extends TimedConfig {
  /** The day of each row from the first, as differences; -1: it has none and is always drawn. */
  days: string;
  count: number;
}

/** Draws the features of an overlay that belong to the chosen time. */
export function followTime(map: L.Map, config: FollowConfig): void {
  const context = contextOf(map);
  const next = integers(config.days);
  let day = 0;
  const days = Int32Array.from({ length: config.count }, () => (day += next()));
  const show = (span: Span | null) => {
    const features = featuresOf(context, config.overlay);
    const within = (at: number) => at < 0 || (at + config.first >= span![0] && at + config.first < span![1]);
    const mask = span && Uint8Array.from(days, (at) => (within(at) ? 1 : 0));
    filteringOf(context, features).set("time", mask);
  };
  join(context, config, show);
}

export interface CountConfig extends TimedConfig {
  /** The row of each event, by day, as differences. */
  rows: string;
  /** Of no event, then from few to many. */
  styles: L.PathOptions[];
  colours: string[];
  title: string | Record<string, string>;
}

/** Colours areas by how many events they have in the chosen time. */
export function countByTime(map: L.Map, config: CountConfig): void {
  const context = contextOf(map);
  const time = timeOf(context, config.unit);
  const next = integers(config.rows);
  const starts = [0];
  for (const count of config.counts) starts.push(starts.at(-1)! + count);
  let row = 0;
  const rows = Uint32Array.from({ length: starts.at(-1)! }, () => (row += next()));
  const countsIn = (span: Span | null): Uint32Array => {
    const counted = new Uint32Array(featuresOf(context, config.overlay).count);
    const start = (day: number) =>
      starts[Math.min(Math.max(day - config.first, 0), config.counts.length)];
    const [from, to] = span ? span.map(start) : [0, rows.length];
    for (let i = from; i < to; i++) counted[rows[i]]++;
    return counted;
  };
  let drawn = "";
  let breaks: number[] = [];
  const show = (span: Span | null) => {
    const features = featuresOf(context, config.overlay);
    // All single steps share one scale: they can be compared.
    const scale = span ? time.unit : "all";
    if (scale !== drawn) {
      const spans = span ? time.steps(time.unit) : [null];
      breaks = quantiles(spans.map(countsIn), config.colours.length - 1);
      drawn = scale;
    }
    const classes = Uint8Array.from(countsIn(span), (count) => classOf(count, breaks));
    features.restyle(classes, config.styles);
    replaceLegend(context, config.overlay, legendOf(context, config, classes, breaks));
  };
  join(context, config, show);
  document.addEventListener("DOMContentLoaded", () => show(null));
}

function featuresOf(context: Context, overlay: string): Features {
  const features = context.geoLayers.get(overlay);
  if (!features) throw new Error(`no overlay is called ${overlay}`);
  return features;
}

function join(context: Context, config: TimedConfig, show: Timed["show"]): void {
  timeOf(context, config.unit).join({ ...config, show });
}

/** Upper ends of classes with about as many areas each, of those that have any event. */
function quantiles(parts: Uint32Array[], classes: number): number[] {
  const some = parts.flatMap((part) => [...part.filter((count) => count > 0)]).sort((a, b) => a - b);
  const ends = Array.from(
    { length: classes },
    (_, i) => some[Math.ceil(((i + 1) / classes) * some.length) - 1] ?? 0,
  );
  return [...new Set(ends)].filter((end) => end > 0);
}

/** 0: no event; then the class whose upper end is the first to hold the count. */
function classOf(count: number, breaks: number[]): number {
  if (!count) return 0;
  const at = breaks.findIndex((end) => count <= end);
  return (at < 0 ? breaks.length - 1 : at) + 1;
}

function legendOf(context: Context, config: CountConfig, classes: Uint8Array, breaks: number[]) {
  const counts = new Array<number>(breaks.length + 1).fill(0);
  for (const one of classes) counts[one]++;
  const { formats } = context;
  const name = (at: number) => {
    if (!at) return "0";
    const low = at > 1 ? breaks[at - 2] + 1 : 1;
    const high = breaks[at - 1];
    return low === high
      ? formats.number(low)
      : `${formats.number(low)} – ${formats.number(high)}`;
  };
  return {
    title: config.title,
    kind: "classes" as const,
    items: counts.map((count, at) => ({
      colour: config.colours[at],
      opacity: config.styles[at].fillOpacity ?? 1,
      edge: null,
      label: name(at),
      count,
      style: at,
    })),
  };
}
