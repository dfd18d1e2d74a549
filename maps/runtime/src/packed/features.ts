import type { Geometry } from "geojson";
import L from "leaflet";
import type { Context } from "../context";
import type { Features, Twin } from "../features";
import type { Field, Value } from "../format";
import { anchorOf } from "../inside";
import { Halo, openPopup } from "../popup";
import type { Words } from "../words";
import type { CanvasLayer } from "./canvaslayer";
import { reader } from "./columns";
import type { Content, Decoded } from "./decode";
import type { Lattice } from "./projection";

export interface PackedConfig extends Content {
  name: string;
  title: Words;
  /** The id of the element that holds the data as text. */
  source: string;
  lattice: Lattice;
  /** What a vertex of each level of detail, from the second on, may lie off the finer line. */
  tolerances: number[];
  styles: L.PathOptions[];
  fields: Field[];
  shown: string[];
  tooltip: string | null;
}

/** What draws the features of a layer, and knows where they lie. */
export interface Drawn extends CanvasLayer {
  /** Takes in what has been decoded. */
  fill(decoded: Decoded): void;
  keeps(row: number): boolean;
  filter(keep: Uint8Array | null): void;
  restyle(style: ArrayLike<number>, styles: L.PathOptions[]): void;
  veil(on: boolean): void;
  /** Makes a canvas of the same features in another pane. */
  twin(pane: string): Drawn;
  classOf(row: number): number;
  styleOf(row: number): L.PathOptions;
  /** West, south, east, north on the lattice; null without a place. */
  box(row: number): ArrayLike<number> | null;
  /** Calls back with the rows whose box meets another. */
  find(box: [number, number, number, number], found: (row: number) => void): void;
  holds(row: number, column: number, line: number): boolean;
  geometry(row: number): Geometry | null;
  /** The row, then others that are drawn at the very same place. */
  together(row: number): number[];
  /** The row that is drawn uppermost at a point, or -1. */
  hit(point: L.LatLng): number;
}

/** A packed layer as the cards around the map see it; empty until it is decoded. */
export class PackedFeatures implements Features {
  readonly name: string;
  readonly title: Words;
  readonly count: number;
  readonly fields: Field[];
  readonly shown: string[];
  private readonly byName: Map<string, Field>;
  private readers = new Map<string, (row: number) => Value>();
  private readonly selected: Halo;

  constructor(
    private readonly context: Context,
    private readonly config: PackedConfig,
    readonly canvas: Drawn,
  ) {
    ({ name: this.name, title: this.title, fields: this.fields, shown: this.shown } = config);
    this.count = config.count;
    this.byName = new Map(config.fields.map((field) => [field.name, field]));
    this.selected = new Halo(context.map);
  }

  fill(decoded: Decoded): void {
    const { fields } = this.config;
    this.readers = new Map(fields.map((field, i) => [field.name, reader(decoded.columns[i])]));
    this.canvas.fill(decoded);
  }

  value(row: number, name: string): Value {
    return this.readers.get(name)?.(row) ?? null;
  }

  text(row: number, name: string): string {
    const field = this.byName.get(name);
    return field ? this.context.formats.field(this.value(row, name), field) : name;
  }

  has(row: number, name: string): boolean {
    return (this.value(row, name) ?? "") !== "";
  }

  bounds(row: number): L.LatLngBounds | null {
    const box = this.canvas.box(row);
    if (!box) return null;
    const { west, south, step_x: stepX, step_y: stepY } = this.config.lattice;
    return L.latLngBounds(
      [south + box[1] * stepY, west + box[0] * stepX],
      [south + box[3] * stepY, west + box[2] * stepX],
    );
  }

  rowsAt(point: L.LatLng): number[] {
    if (this.config.kind !== "polygons") return [];
    const [column, line] = this.place(point);
    const rows: number[] = [];
    this.canvas.find([column, line, column, line], (row) => {
      if (this.canvas.holds(row, column, line)) rows.push(row);
    });
    return rows.sort((a, b) => a - b);
  }

  rowsIn(bounds: L.LatLngBounds): number[] {
    const corners = [bounds.getSouthWest(), bounds.getNorthEast()] as const;
    const [[west, south], [east, north]] = corners.map((corner) => this.place(corner));
    const rows: number[] = [];
    this.canvas.find([west, south, east, north], (row) => {
      if (this.canvas.keeps(row)) rows.push(row);
    });
    return rows.sort((a, b) => a - b);
  }

  classOf(row: number): number {
    return this.canvas.classOf(row);
  }

  select(row: number, at?: L.LatLng): void {
    const geometry = this.canvas.geometry(row);
    this.selected.show(geometry, this.canvas.styleOf(row));
    if (!geometry) return;
    const [lng, lat] = anchorOf(geometry);
    const popup = openPopup(
      this.context,
      this,
      this.canvas.together(row),
      at ?? L.latLng(lat, lng),
    );
    popup.once("remove", () => this.selected.clear());
  }

  filter(keep: Uint8Array | null): void {
    this.canvas.filter(keep);
  }

  restyle(style: ArrayLike<number>, styles: L.PathOptions[]): void {
    this.canvas.restyle(style, styles);
  }

  veil(on: boolean): void {
    this.canvas.veil(on);
  }

  twin(pane: string): Twin {
    const canvas = this.canvas.twin(pane);
    return {
      layer: canvas,
      filter: (keep) => canvas.filter(keep),
      restyle: (style, styles) => canvas.restyle(style, styles),
    };
  }

  private place({ lng, lat }: L.LatLng): [column: number, line: number] {
    const { west, south, step_x: stepX, step_y: stepY } = this.config.lattice;
    return [(lng - west) / stepX, (lat - south) / stepY];
  }
}
