import type L from "leaflet";
import { type Context, contextOf } from "./context";
import type { Features } from "./features";
import { filteringOf } from "./filtering";
import { replaceLegend } from "./legend";
import { fromBase64, readSums } from "./packed/bytes";
import { Sides } from "./sides";
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
  const days = readSums(fromBase64(config.days), config.count);
  const sides = new Sides(context, config.overlay);
  const within = (at: number, [from, to]: Span) =>
    at < 0 || (at + config.first >= from && at + config.first < to);
  const rowsIn = (span: Span | null) =>
    span && Uint8Array.from(days, (at) => (within(at, span) ? 1 : 0));
  join(context, config, (chosen, other) => {
    const features = featuresOf(context, config.overlay);
    const [left, right] = [rowsIn(chosen), rowsIn(other)];
    // While two times are compared, what either has answers the pointer.
    const either = left && right && left.map((kept, row) => kept | right[row]);
    filteringOf(context, features).set("time", other ? either : left);
    if (other) sides.draw(features, [{ mask: left }, { mask: right }]);
    else sides.end();
  });
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
  const starts = [0];
  for (const count of config.counts) starts.push(starts.at(-1)! + count);
  const rows = readSums(fromBase64(config.rows), starts.at(-1)!);
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
  const sides = new Sides(context, config.overlay);
  const timed = join(context, config, (span, other) => {
    const features = featuresOf(context, config.overlay);
    // All single steps share one scale: they can be compared.
    const scale = span ? time.unit : "all";
    if (scale !== drawn) {
      const spans = span ? time.steps(time.unit) : [null];
      breaks = quantiles(spans.map(countsIn), config.colours.length - 1);
      drawn = scale;
    }
    const classesIn = (during: Span | null) =>
      Uint8Array.from(countsIn(during), (count) => classOf(count, breaks));
    const classes = classesIn(span);
    features.restyle(classes, config.styles);
    if (other) {
      sides.draw(features, [{ classes }, { classes: classesIn(other) }], config.styles);
    } else {
      sides.end();
    }
    replaceLegend(context, config.overlay, legendOf(context, config, classes, breaks));
  });
  document.addEventListener("DOMContentLoaded", () => timed.show(null));
}

function featuresOf(context: Context, overlay: string): Features {
  const features = context.geoLayers.get(overlay);
  if (!features) throw new Error(`no overlay is called ${overlay}`);
  return features;
}

/** Draws whenever the chosen time changes, or the one that it is compared with. */
function join(
  context: Context,
  config: TimedConfig,
  draw: (chosen: Span | null, other: Span | null) => void,
): Timed {
  let chosen: Span | null = null;
  let other: Span | null = null;
  const timed: Timed = {
    ...config,
    show(span) {
      chosen = span;
      draw(chosen, other);
    },
    compare(span) {
      if (span === other) return;
      other = span;
      draw(chosen, other);
    },
  };
  timeOf(context, config.unit).join(timed);
  return timed;
}

/** Upper ends of classes with about as many areas each, of those that have any event. */
function quantiles(parts: Uint32Array[], classes: number): number[] {
  const some = parts
    .flatMap((part) => [...part.filter((count) => count > 0)])
    .sort((a, b) => a - b);
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
    return low === high ? formats.number(low) : `${formats.number(low)} – ${formats.number(high)}`;
  };
  return {
    title: config.title,
    unit: "",
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
