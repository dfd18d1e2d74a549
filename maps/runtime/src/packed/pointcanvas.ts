import type { Geometry } from "geojson";
import L from "leaflet";
import type { Unit } from "../spans";
import { type Canvas2D, onCanvas, type View } from "./canvaslayer";
import { type Days, isOf, pick } from "./chosen";
import { type Cluster, clustersOf, drawClusters } from "./clusters";
import type { Decoded, Spots } from "./decode";
import { drawDensity, type HeatLook } from "./density";
import { drawDots } from "./dots";
import { deviceEvents } from "./gpu/device";
import { GpuPoints } from "./gpu/points";
import { StyledCanvas, type StyledOptions } from "./styled";
import { FAN_OUT, search } from "./tree";

export interface PointOptions extends StyledOptions {
  as: "dots" | "clusters" | "heat";
  heat: HeatLook;
  /** The first day, counted from 1970, and how many points each has from there on. */
  time: { first: number; counts: number[]; unit: Unit } | null;
}

type Box = [west: number, south: number, east: number, north: number];

/** The canvas of packed points. */
export class PointCanvas extends StyledCanvas<Spots> {
  private chosen: Uint32Array | null = null;
  private days: Days = null;
  private onGpu: GpuPoints | null | undefined;
  private clusters: Cluster[] = [];

  constructor(
    private readonly config: PointOptions,
    private readonly write: (count: number) => string,
    pane = paneOf(config),
  ) {
    super(pane, config);
  }

  twin(pane: string): PointCanvas {
    const twin = new PointCanvas(this.config, this.write, pane);
    twin.likeness(this);
    return twin;
  }

  onAdd(map: L.Map): this {
    deviceEvents.addEventListener("lost", this.leaveGpu);
    return super.onAdd(map);
  }

  onRemove(map: L.Map): this {
    deviceEvents.removeEventListener("lost", this.leaveGpu);
    return super.onRemove(map);
  }

  private readonly leaveGpu = () => this.redraw();

  /** Draws in another pane from now on; without one, in its own. */
  moveTo(pane = paneOf(this.config)): void {
    this.setPane(pane);
  }

  protected heldOf({ spots }: Decoded): Spots | null {
    return spots;
  }

  /** Draws only the points of some days from the first; null: all. */
  setDays(days: Days): void {
    this.days = days;
    this.choose();
  }

  filter(keep: Uint8Array | null): void {
    this.keep = keep;
    this.onGpu?.turn();
    this.choose();
  }

  restyle(style: ArrayLike<number>, styles: L.PathOptions[]): void {
    this.onGpu?.turn();
    super.restyle(style, styles);
  }

  private choose(): void {
    this.chosen = null;
    this.redraw();
  }

  box(row: number): Box | null {
    const feature = this.held?.feature[row] ?? Infinity;
    if (!this.held || feature >= this.held.x.length) return null;
    const [x, y] = [this.held.x[feature], this.held.y[feature]];
    return [x, y, x, y];
  }

  find([west, south, east, north]: Box, found: (row: number) => void): void {
    const { held } = this;
    if (!held) return;
    const { x, y, row } = held;
    search(held.tree, west, south, east, north, (block) => {
      const end = Math.min((block + 1) * FAN_OUT, x.length);
      for (let i = block * FAN_OUT; i < end; i++) {
        if (x[i] >= west && x[i] <= east && y[i] >= south && y[i] <= north) found(row[i]);
      }
    });
  }

  holds(): boolean {
    return false;
  }

  geometry(row: number): Geometry | null {
    const box = this.box(row);
    if (!box) return null;
    const { west, south, step_x: stepX, step_y: stepY } = this.config.lattice;
    return { type: "Point", coordinates: [west + box[0] * stepX, south + box[1] * stepY] };
  }

  hit(point: L.LatLng): number {
    if (!this.held || this.config.as === "heat") return -1;
    if (this.config.as === "clusters") return this.oneAt(point);
    const { column, line, lines } = this.locate(point);
    const aspect = this.aspect(point.lat);
    const { radius = 4 } = this.styleOf(0) as L.CircleMarkerOptions;
    const reach = lines * (radius + 2);
    const across = reach / aspect;
    let [least, nearest] = [reach * reach, -1];
    this.find([column - across, line - reach, column + across, line + reach], (row) => {
      const place = this.box(row);
      if (!place || !this.isChosen(row)) return;
      const [x, y] = place;
      const square = ((x - column) * aspect) ** 2 + (y - line) ** 2;
      if (square < least) [least, nearest] = [square, row];
    });
    return nearest;
  }

  together(row: number): number[] {
    const own = this.box(row);
    if (!own) return [row];
    const cluster = this.clusters.find((one) => this.isLast(one) && holdsBox(one.box, own));
    const others: number[] = [];
    this.find(cluster?.box ?? own, (other) => {
      if (other !== row && this.isChosen(other)) others.push(other);
    });
    return [row, ...others.sort((a, b) => a - b)];
  }

  /** Moves into the cluster at a point; tells whether there is one that can be taken apart. */
  enter(point: L.LatLng): boolean {
    const cluster = this.clusterAt(point);
    if (!cluster || this.isLast(cluster)) return false;
    const { west, south, step_x: stepX, step_y: stepY } = this.config.lattice;
    const [left, bottom, right, top] = cluster.box;
    const bounds = L.latLngBounds(
      [south + bottom * stepY, west + left * stepX],
      [south + top * stepY, west + right * stepX],
    );
    const zoom = Math.max(this._map.getBoundsZoom(bounds), this._map.getZoom() + 1);
    this._map.setView(bounds.getCenter(), Math.min(zoom, this._map.getMaxZoom()));
    return true;
  }

  /** The first row of a cluster that no zoom takes apart. */
  private oneAt(point: L.LatLng): number {
    const cluster = this.clusterAt(point);
    if (!cluster || !this.isLast(cluster)) return -1;
    let first = -1;
    this.find(cluster.box, (row) => {
      if ((first < 0 || row < first) && this.isChosen(row)) first = row;
    });
    return first;
  }

  private isLast({ box: [west, south, east, north] }: Cluster): boolean {
    return (west === east && south === north) || this._map.getZoom() >= this._map.getMaxZoom();
  }

  private clusterAt(point: L.LatLng): Cluster | null {
    if (this.config.as !== "clusters") return null;
    const at = this._map.project(point);
    return (
      this.clusters.find(({ x, y, radius }) => (x - at.x) ** 2 + (y - at.y) ** 2 <= radius ** 2) ??
      null
    );
  }

  private isChosen(row: number): boolean {
    const { held } = this;
    return held !== null && this.keeps(row) && isOf(held, this.days, held.feature[row]);
  }

  protected *draw(view: View): Generator<void, ImageBitmap> {
    return this.byGpu(view) ?? (yield* onCanvas(view, (canvas) => this.drawOn(canvas, view)));
  }

  /** Returns null where there is no graphics card, or one that cannot draw these points. */
  private byGpu(view: View): ImageBitmap | null {
    const { held: spots, config, days } = this;
    if (!spots || this.veiled || config.as === "clusters") return null;
    if (this.onGpu === undefined) {
      this.onGpu = GpuPoints.of(spots, config.lattice, this.heights);
    }
    const { onGpu } = this;
    if (!onGpu || onGpu.isLost) return null;
    onGpu.bring(this.style, (row) => this.keeps(row));
    if (config.as === "heat") return onGpu.heat(view, config.heat, days, this.share());
    return onGpu.dots(view, this.looks(view), days);
  }

  private *drawOn(canvas: Canvas2D, view: View): Generator<void> {
    const { held: spots, config, days } = this;
    if (!spots || this.veiled) return;
    const projection = this.projection(view);
    this.chosen ??= pick(spots, days, this.keep);
    const chosen = { spots, features: this.chosen, projection };
    if (config.as === "heat") {
      const everyDay = days ? { ...chosen, features: pick(spots, null, this.keep) } : chosen;
      yield* drawDensity(canvas, chosen, view, config.heat, this.share(), everyDay);
      return;
    }
    const looks = this.looks(view);
    if (config.as === "dots") {
      yield* drawDots(canvas, chosen, looks, this.style);
      return;
    }
    this.clusters = yield* clustersOf(chosen, view);
    yield* drawClusters(canvas, view, this.clusters, looks, this.style, this.write);
  }

  /** The share of all days that is drawn: single steps have a scale in common, so they compare. */
  private share(): number {
    const { days, config } = this;
    return days && config.time ? Math.min((days[1] - days[0]) / config.time.counts.length, 1) : 1;
  }
}

function holdsBox([west, south, east, north]: Box, box: Box): boolean {
  return west <= box[0] && south <= box[1] && east >= box[2] && north >= box[3];
}

function paneOf({ as }: PointOptions): string {
  return as === "heat" ? "gm-packed" : "gm-points";
}
