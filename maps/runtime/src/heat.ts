import L from "leaflet";
import { contextOf } from "./context";
import { type PackedPoints, type Points, unpackPoints } from "./points";
import { LEFT, RIGHT, swipePanes } from "./swipe";
import { type Span, type Time, type Timed, timeOf, type Unit } from "./time";
import type { Words } from "./words";

export interface HeatConfig extends PackedPoints {
  name: string;
  title: Words;
  /** Points are sorted by day: the first, in days since 1970, and how many each has. */
  first: number;
  counts: number[];
  unit: Unit;
  colours: string[];
  radius: number;
  blur: number;
}

/** Positions of points: the first, and the one after the last. */
type Range = [from: number, to: number];

/** The share of cells that weigh less than the one that the scale is made for. */
const DENSE = 0.98;
/** Spots of neighbouring cells overlap and add up: one cell alone must stay below full colour. */
const OVERLAP = 1.8;

/** A heat layer that follows the time of the page. */
export function heatByTime(map: L.Map, config: HeatConfig): L.Layer {
  const context = contextOf(map);
  swipePanes(map);
  const { layer } = new HeatByTime(map, timeOf(context, config.unit), config);
  context.register(config.name, layer);
  return layer;
}

/** Two heat layers: of the chosen time, and of the one that it is compared with. */
class HeatByTime implements Timed {
  readonly overlay: string;
  readonly first: number;
  readonly counts: number[];
  readonly layer = L.layerGroup();
  private readonly points: Points;
  private readonly places: L.LatLng[];
  private readonly starts: number[];
  private readonly left: L.HeatLayer;
  private readonly right: L.HeatLayer;
  private step: Span | null = null;

  constructor(
    private readonly map: L.Map,
    private readonly time: Time,
    private readonly config: HeatConfig,
  ) {
    ({ name: this.overlay, first: this.first, counts: this.counts } = config);
    this.points = unpackPoints(config);
    const { lon, lat, weight } = this.points;
    this.places = Array.from(lon, (x, i) => L.latLng(lat[i], x, weight[i]));
    this.starts = [0];
    for (const count of config.counts) this.starts.push(this.starts.at(-1)! + count);
    this.left = sided(config, this.places, LEFT);
    this.right = sided(config, [], RIGHT);
    this.layer.addLayer(this.left);
    const calibrate = () => this.calibrate();
    this.layer.on("add", () => {
      map.on("zoomend", calibrate);
      calibrate();
    });
    this.layer.on("remove", () => map.off("zoomend", calibrate));
    time.join(this);
  }

  show(span: Span | null): void {
    this.step = span;
    this.calibrate();
    this.left.setLatLngs(this.places.slice(...this.range(span)));
  }

  compare(span: Span | null): void {
    if (!span) {
      this.layer.removeLayer(this.right);
      return;
    }
    this.right.setLatLngs(this.places.slice(...this.range(span)));
    this.layer.addLayer(this.right);
    this.calibrate();
  }

  private range(span: Span | null): Range {
    if (!span) return [0, this.config.count];
    const start = (day: number) => {
      const position = Math.min(Math.max(day - this.first, 0), this.counts.length);
      return this.starts[position];
    };
    return [start(span[0]), start(span[1])];
  }

  /** Fits the scale to this zoom. All single steps share one scale: they can be compared. */
  private calibrate(): void {
    const { radius, blur } = this.config;
    const steps = this.step ? this.time.steps(this.time.unit) : [null];
    const ranges = steps.map((span) => this.range(span));
    const max = fullWeight(this.map, this.points, (radius + blur) / 2, ranges);
    for (const heat of [this.left, this.right]) heat.setOptions({ max });
  }
}

interface Drawn extends L.Layer {
  side: string;
  _canvas: HTMLCanvasElement;
  _frame: number | null;
}

type HeatClass = typeof L.Layer & {
  new (places: L.LatLng[], options: object): L.HeatLayer;
  readonly prototype: L.HeatLayer;
};

// Its types know only the function beside the class.
const { HeatLayer } = L as unknown as { HeatLayer: HeatClass };

/** leaflet.heat knows the overlay pane alone: its canvas goes to the pane of a side and back. */
const Sided = HeatLayer.extend({
  onAdd(this: Drawn, map: L.Map) {
    HeatLayer.prototype.onAdd.call(this, map);
    map.getPane(this.side)?.append(this._canvas);
  },
  /** What a slider changes while the layer is switched off is drawn when it comes back. */
  redraw(this: Drawn) {
    if (this._map) HeatLayer.prototype.redraw.call(this);
    return this;
  },
  onRemove(this: Drawn, map: L.Map) {
    map.getPanes().overlayPane.append(this._canvas);
    HeatLayer.prototype.onRemove.call(this, map);
    // It would still draw a frame that it asked for before it was removed, and fail.
    if (this._frame !== null) L.Util.cancelAnimFrame(this._frame);
    this._frame = null;
  },
});

function sided({ colours, radius, blur }: HeatConfig, places: L.LatLng[], side: string): L.HeatLayer {
  const gradient = Object.fromEntries(
    colours.map((colour, i) => [(i + 1) / colours.length, colour]),
  );
  const options = { radius, blur, gradient, maxZoom: 0, minOpacity: 0.04 };
  return Object.assign(new (Sided as unknown as HeatClass)(places, options), { side });
}

/** Returns the weight that a cell needs for the full colour, so that the scale fits the data. */
function fullWeight(map: L.Map, points: Points, cell: number, ranges: Range[]): number {
  const size = cell / map.options.crs!.scale(map.getZoom());
  const weights: number[] = [];
  for (const [from, to] of ranges) {
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
