import type L from "leaflet";
import { type Context, contextOf } from "../context";
import { make } from "../dom";
import { onFiltered } from "../filtering";
import type { Span } from "../spans";
import { LEFT, RIGHT, swipePanes } from "../swipe";
import { timeOf } from "../time";
import { FeatureCanvas, type FeatureOptions } from "./featurecanvas";
import { type Drawn, type PackedConfig, PackedFeatures } from "./features";
import { load } from "./load";
import "./packed.css";
import { PointCanvas, type PointOptions } from "./pointcanvas";
import { pointerOf } from "./pointer";

/** Packed polygons or lines: drawn as soon as they are decoded. */
export function packedFeatures(map: L.Map, config: PackedConfig & FeatureOptions): L.Layer {
  return open(contextOf(map), config, new FeatureCanvas(config));
}

/** Packed points, as dots, clusters or heat. */
export function packedPoints(map: L.Map, config: PackedConfig & PointOptions): L.Layer {
  const context = contextOf(map);
  const canvas = new PointCanvas(config, (count) => shortly(context, count));
  const { time } = config;
  if (time) {
    const { first, counts } = time;
    const days = (span: Span | null): Span | null => span && [span[0] - first, span[1] - first];
    const show = (span: Span | null) => canvas.setDays(days(span));
    const compare = sideBySide(map, canvas, days);
    timeOf(context, time.unit).join({ overlay: config.name, first, counts, show, compare });
  }
  return open(context, config, canvas);
}

/** Returns what draws a layer's points of another time on the right of the divider. */
function sideBySide(map: L.Map, canvas: PointCanvas, days: (span: Span | null) => Span | null) {
  swipePanes(map);
  let other: Span | null = null;
  let right: PointCanvas | null = null;
  /** It is there while the layer is, and its rows are those that the layer keeps. */
  const follow = () => {
    right?.remove();
    right = null;
    if (!other || !map.hasLayer(canvas)) return;
    right = canvas.twin(RIGHT);
    right.setDays(days(other));
    right.addTo(map);
  };
  canvas.on("add remove", follow);
  onFiltered(contextOf(map), follow);
  return (span: Span | null) => {
    if (span === other) return;
    other = span;
    canvas.moveTo(span ? LEFT : undefined);
    follow();
  };
}

function open<C extends Drawn>(context: Context, config: PackedConfig, canvas: C): L.Layer {
  const features = new PackedFeatures(context, config, canvas);
  // What has no attributes has nothing to search, list or click.
  if (config.fields.length) context.geoLayers.set(config.name, features);
  context.register(config.name, canvas);
  const onTop = config.kind === "points";
  const clickable = config.shown.length > 0;
  pointerOf(context.map).add({
    features,
    layer: canvas,
    tooltip: config.tooltip,
    onTop,
    clickable,
  });
  void take(context, config).then((decoded) => {
    features.fill(decoded);
    context.register(config.name, canvas);
  });
  // So that a page's own script can ask the layer.
  return Object.assign(canvas, { features });
}

function shortly(context: Context, count: number): string {
  const options = { notation: "compact", maximumSignificantDigits: 3 } as const;
  return new Intl.NumberFormat(context.lang, options).format(count);
}

/** Takes the data out of the page, so that its text does not stay in memory, and decodes it. */
async function take(context: Context, config: PackedConfig) {
  const source = document.getElementById(config.source);
  const data = source?.textContent ?? "";
  source?.remove();
  const bar = make("progress", { max: "1", value: "0" });
  const label = make("label", {}, context.say(config.title), bar);
  const note = make("p", { class: "gm-loading", role: "status" }, label);
  context.frame["bottom-centre"].prepend(note);
  const { kind, count, streams, columns } = config;
  try {
    return await load({ content: { kind, count, streams, columns }, data }, (share) => {
      bar.value = share;
    });
  } finally {
    note.remove();
  }
}
