import type L from "leaflet";
import { type Context, contextOf } from "./context";
import type { Features, Twin } from "./features";
import { filteringOf } from "./filtering";
import { replaceLegend } from "./legend";
import { integers } from "./points";
import { LEFT, RIGHT, swipePanes } from "./swipe";
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
  let chosen: Span | null = null;
  let other: Span | null = null;
  const sides = new Sides(context, config);
  const draw = () => {
    const span = chosen;
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
    if (other) sides.draw(features, classes, classesIn(other));
    else sides.end();
    features.restyle(classes, other ? config.styles.map(unseen) : config.styles);
    replaceLegend(context, config.overlay, legendOf(context, config, classes, breaks));
  };
  const show = (span: Span | null) => {
    chosen = span;
    draw();
  };
  const compare = (span: Span | null) => {
    if (span === other) return;
    other = span;
    draw();
  };
  swipePanes(map);
  timeOf(context, config.unit).join({ ...config, show, compare });
  document.addEventListener("DOMContentLoaded", () => show(null));
}

/** The areas once for each side of the divider: what stands between is not drawn, but answers. */
class Sides {
  private twins: Twin[] = [];

  constructor(
    private readonly context: Context,
    private readonly config: CountConfig,
  ) {
    context.watch(() => this.follow());
  }

  draw(features: Features, left: Uint8Array, right: Uint8Array): void {
    if (!this.twins.length) this.twins = [LEFT, RIGHT].map((pane) => features.twin(pane));
    [left, right].forEach((classes, side) => this.twins[side].restyle(classes, this.config.styles));
    this.follow();
  }

  end(): void {
    for (const { layer } of this.twins) layer.remove();
    this.twins = [];
  }

  /** They are there while their overlay is. */
  private follow(): void {
    const { map } = this.context;
    for (const { layer } of this.twins) {
      if (!this.context.isShown(this.config.overlay)) layer.remove();
      else if (!map.hasLayer(layer)) layer.addTo(map);
    }
  }
}

function unseen(style: L.PathOptions): L.PathOptions {
  return { ...style, opacity: 0, fillOpacity: 0 };
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
