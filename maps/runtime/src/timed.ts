import type L from "leaflet";
import { classOf, limitsOf, quantileEnds } from "./classes";
import { type Context, contextOf } from "./context";
import type { Features } from "./features";
import { filteringOf } from "./filtering";
import { replaceLegend } from "./legend";
import { either } from "./masks";
import { fromBase64, readSums } from "./packed/bytes";
import { Sides } from "./sides";
import { Daily, maskOf, type Span, type Unit } from "./spans";
import { type Timed, timeOf } from "./time";

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
  const rowsIn = (span: Span | null) => span && maskOf(days, config.first, span);
  join(context, config, (chosen, other) => {
    const features = featuresOf(context, config.overlay);
    const [left, right] = [rowsIn(chosen), rowsIn(other)];
    // While two times are compared, what either has answers the pointer.
    filteringOf(context, features).set("time", other ? either(left, right) : left);
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
  const daily = new Daily(config.first, config.counts);
  const rows = readSums(fromBase64(config.rows), daily.total);
  const countsIn = (span: Span | null): Uint32Array => {
    const counted = new Uint32Array(featuresOf(context, config.overlay).count);
    for (const row of rows.subarray(...daily.range(span))) counted[row]++;
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
      breaks = quantileEnds(spans.map(countsIn), config.colours.length - 1);
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

function legendOf(context: Context, config: CountConfig, classes: Uint8Array, breaks: number[]) {
  const counts = new Array<number>(breaks.length + 1).fill(0);
  for (const one of classes) counts[one]++;
  const { formats } = context;
  const name = (at: number) =>
    [...new Set(limitsOf(at, breaks))].map((count) => formats.number(count)).join(" – ");
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
