import type { Feature, Geometry } from "geojson";
import L from "leaflet";
import { type Context, contextOf } from "./context";
import { make } from "./dom";
import type { Features, Twin } from "./features";
import type { Field, Value } from "./format";
import { groundOf, onGround } from "./ground";
import { anchorOf, type Box, boxOf, contains } from "./inside";
import { Halo, openPopup } from "./popup";
import type { Words } from "./words";

export interface GeoConfig {
  name: string;
  title: Words;
  geometries: (Geometry | null)[];
  styles: L.PathOptions[];
  /** The position in `styles` of each feature. */
  style: number[];
  fields: Field[];
  /** Names of the fields that the popup shows. */
  shown: string[];
  columns: Record<string, Value[]>;
  tooltip: string | null;
}

interface Row {
  row: number;
}

/** A layer of features with their attributes, kept by column. */
export class GeoLayer implements Features {
  readonly name: string;
  readonly title: Words;
  readonly count: number;
  readonly fields: Field[];
  readonly shown: string[];
  readonly layer: L.GeoJSON<Row, Geometry>;
  private readonly byName: Map<string, Field>;
  private readonly boxes: (Box | null)[];
  private readonly hover: Halo;
  private readonly selected: Halo;
  private style: ArrayLike<number>;
  private styles: L.PathOptions[];
  private keep: Uint8Array | null = null;
  private veiled = false;

  constructor(
    private readonly context: Context,
    private readonly config: GeoConfig,
  ) {
    ({ name: this.name, title: this.title, fields: this.fields, shown: this.shown } = config);
    ({ style: this.style, styles: this.styles } = config);
    this.count = config.geometries.length;
    this.byName = new Map(config.fields.map((field) => [field.name, field]));
    this.boxes = config.geometries.map((geometry) => geometry && boxOf(geometry));
    this.hover = new Halo(context.map);
    this.selected = new Halo(context.map);
    const styleOf = (feature?: Feature<Geometry, Row>) => this.look(feature?.properties.row ?? 0);
    this.layer = L.geoJSON<Row, Geometry>(undefined, {
      style: styleOf,
      pointToLayer: (feature, latlng) => L.circleMarker(latlng, styleOf(feature)),
      onEachFeature: (feature, part) => this.catchExactly(feature, part),
    });
    this.layer.addData(this.collection());
    this.listen();
  }

  value(row: number, name: string): Value {
    return this.config.columns[name]?.[row] ?? null;
  }

  text(row: number, name: string): string {
    const field = this.byName.get(name);
    return field ? this.context.formats.field(this.value(row, name), field) : name;
  }

  has(row: number, name: string): boolean {
    return (this.value(row, name) ?? "") !== "";
  }

  bounds(row: number): L.LatLngBounds | null {
    const box = this.boxes[row];
    return box && L.latLngBounds([box[1], box[0]], [box[3], box[2]]);
  }

  rowsAt(point: L.LatLng): number[] {
    const { lng, lat } = point;
    return this.rowsWhere(([west, south, east, north], row) => {
      if (lng < west || lng > east || lat < south || lat > north) return false;
      const geometry = this.config.geometries[row];
      return geometry !== null && contains(geometry, lng, lat);
    });
  }

  rowsIn(bounds: L.LatLngBounds): number[] {
    const [west, south] = [bounds.getWest(), bounds.getSouth()];
    const [east, north] = [bounds.getEast(), bounds.getNorth()];
    return this.rowsWhere(
      (box, row) =>
        this.isKept(row) && box[0] <= east && box[2] >= west && box[1] <= north && box[3] >= south,
    );
  }

  classOf(row: number): number {
    return this.style[row];
  }

  select(row: number, at?: L.LatLng): void {
    const geometry = this.config.geometries[row];
    this.selected.show(geometry, this.look(row));
    if (!geometry) return;
    const [lng, lat] = anchorOf(geometry);
    const popup = openPopup(this.context, this, this.together(row), at ?? L.latLng(lat, lng));
    popup.once("remove", () => this.selected.clear());
  }

  /** The row, then others that are points at the very same place. */
  private together(row: number): number[] {
    const geometry = this.config.geometries[row];
    if (geometry?.type !== "Point") return [row];
    const [lng, lat] = geometry.coordinates;
    const same = ([west, south]: Box, other: number) =>
      west === lng && south === lat && other !== row && this.isKept(other);
    const others = this.rowsWhere((box, other) => same(box, other));
    return [row, ...others.filter((other) => this.config.geometries[other]?.type === "Point")];
  }

  filter(keep: Uint8Array | null): void {
    this.keep = keep;
    this.redraw();
  }

  restyle(style: ArrayLike<number>, styles: L.PathOptions[]): void {
    this.style = style;
    this.styles = styles;
    this.redraw();
  }

  veil(on: boolean): void {
    this.veiled = on;
    this.redraw();
  }

  twin(pane: string): Twin {
    let { style, styles, keep } = this;
    const renderer = L.canvas({ pane, padding: 0.3 });
    const look = (feature?: Feature<Geometry, Row>) => {
      const row = feature?.properties.row ?? 0;
      return { ...this.draw(row, styles[style[row]], keep), renderer };
    };
    const layer = L.geoJSON<Row, Geometry>(this.collection(), {
      style: look,
      pointToLayer: (feature, latlng) => L.circleMarker(latlng, { ...look(feature), pane }),
      interactive: false,
      pane,
    });
    let leaveGround: (() => void) | null = null;
    layer.on("add", () => {
      layer.setStyle(look);
      leaveGround = onGround(this.context.map, () => layer.setStyle(look));
    });
    layer.on("remove", () => {
      leaveGround?.();
      renderer.remove();
    });
    return {
      layer,
      filter: (rows) => {
        keep = rows;
        layer.setStyle(look);
      },
      restyle: (given, looks) => {
        [style, styles] = [given, looks];
        layer.setStyle(look);
      },
    };
  }

  private collection(): GeoJSON.FeatureCollection<Geometry, Row> {
    const features = this.config.geometries.flatMap((geometry, row) =>
      geometry ? [{ type: "Feature" as const, geometry, properties: { row } }] : [],
    );
    return { type: "FeatureCollection", features };
  }

  private redraw(): void {
    this.layer.setStyle((feature) => this.look(feature?.properties.row ?? 0));
  }

  private rowsWhere(holds: (box: Box, row: number) => boolean): number[] {
    const rows: number[] = [];
    this.boxes.forEach((box, row) => {
      if (box && holds(box, row)) rows.push(row);
    });
    return rows;
  }

  private isKept(row: number): boolean {
    return this.keep === null || this.keep[row] === 1;
  }

  private look(row: number): L.PathOptions {
    const look = this.draw(row, this.styles[this.style[row]], this.keep);
    return this.veiled ? { ...look, opacity: 0, fillOpacity: 0 } : look;
  }

  /** A filtered row stays in its place between the others, so that it comes back there. */
  private draw(row: number, style: L.PathOptions, keep: Uint8Array | null): L.PathOptions {
    if (keep && !keep[row]) return { ...style, stroke: false, fill: false };
    const line = /LineString/.test(this.config.geometries[row]?.type ?? "");
    // What one style sets stays in a path until another sets it: each begins with the defaults.
    const whole = { stroke: true, fill: !line, opacity: 1, fillOpacity: 0.2, ...style };
    return groundOf(this.context.map).ink(whole);
  }

  private listen(): void {
    const { map } = this.context;
    onGround(map, () => this.redraw());
    const tip = L.tooltip({ sticky: true, className: "gm-tooltip" } as L.TooltipOptions);
    this.layer.on("click", (event) => this.select(rowOf(event), event.latlng));
    this.layer.on("mouseover", (event) => {
      const row = rowOf(event);
      this.hover.show(this.config.geometries[row], this.look(row));
      if (this.config.tooltip === null) return;
      const text = this.text(row, this.config.tooltip);
      tip
        .setContent(make("span", {}, text))
        .setLatLng(event.latlng)
        .openOn(map);
    });
    this.layer.on("mousemove", (event) => tip.setLatLng(event.latlng));
    const clear = () => {
      this.hover.clear();
      map.closeTooltip(tip);
    };
    this.layer.on("mouseout", clear);
    this.layer.on("remove", () => {
      clear();
      this.selected.clear();
    });
  }

  /**
   * Makes areas catch the pointer exactly. On a canvas Leaflet also takes what is a few pixels
   * outside, so that a popup would tell of the neighbour; and it lets an outline without a fill
   * catch what is meant for the features that show inside it. What is filtered out catches nothing.
   */
  private catchExactly(feature: Feature<Geometry, Row>, part: L.Layer): void {
    const { map } = this.context;
    const path = part as unknown as HitTest;
    const near = path._containsPoint;
    const onLine = (L.Polyline.prototype as unknown as HitTest)._containsPoint;
    const inArea = (point: L.Point) => {
      if (!path._pxBounds?.contains(point)) return false;
      const { lng, lat } = map.layerPointToLatLng(point);
      return contains(feature.geometry, lng, lat);
    };
    path._containsPoint = (point) => {
      if (!this.isKept(feature.properties.row)) return false;
      if (!(part instanceof L.Polygon)) return near.call(part, point);
      return part.options.fill === false ? onLine.call(part, point, true) : inArea(point);
    };
  }
}

interface HitTest {
  _pxBounds?: L.Bounds;
  _containsPoint(point: L.Point, closed?: boolean): boolean;
}

function rowOf(event: L.LeafletEvent): number {
  return (event.sourceTarget as { feature: Feature<Geometry, Row> }).feature.properties.row;
}

export function geoLayer(map: L.Map, config: GeoConfig): L.Layer {
  const context = contextOf(map);
  const made = new GeoLayer(context, config);
  context.geoLayers.set(config.name, made);
  context.register(config.name, made.layer);
  return made.layer;
}
