import type { Feature, Geometry } from "geojson";
import L from "leaflet";
import { type Context, contextOf } from "./context";
import { isNarrow, make } from "./dom";
import type { Field, Value } from "./format";
import { contains } from "./inside";

export interface GeoConfig {
  name: string;
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
export class GeoLayer {
  readonly layer: L.GeoJSON<Row, Geometry>;
  private readonly fields: Map<string, Field>;
  private halo: L.GeoJSON | null = null;

  constructor(
    private readonly context: Context,
    private readonly config: GeoConfig,
  ) {
    this.fields = new Map(config.fields.map((field) => [field.name, field]));
    const features = config.geometries.flatMap((geometry, row) =>
      geometry ? [{ type: "Feature", geometry, properties: { row } } as Feature<Geometry, Row>] : [],
    );
    const styleOf = (feature?: Feature<Geometry, Row>) => this.style(feature?.properties.row ?? 0);
    this.layer = L.geoJSON<Row, Geometry>(undefined, {
      style: styleOf,
      pointToLayer: (feature, latlng) => L.circleMarker(latlng, styleOf(feature)),
      onEachFeature: (feature, part) => catchExactly(feature, part, context.map),
    });
    this.layer.addData({ type: "FeatureCollection", features } as GeoJSON.FeatureCollection);
    this.listen();
  }

  /** Returns a value as text, by the field's format. */
  text(row: number, name: string): string {
    const field = this.fields.get(name);
    return field ? this.context.formats.field(this.config.columns[name][row], field) : name;
  }

  has(row: number, name: string): boolean {
    const value = this.config.columns[name]?.[row] ?? "";
    return value !== "";
  }

  /** Returns the rows whose area holds a point, whether the layer is shown or not. */
  rowsAt(point: L.LatLng): number[] {
    const rows: number[] = [];
    this.layer.eachLayer((part) => {
      if (!(part instanceof L.Polygon) || !part.getBounds().contains(point)) return;
      const feature = part.feature as Feature<Geometry, Row>;
      if (contains(feature.geometry, point.lng, point.lat)) rows.push(feature.properties.row);
    });
    return rows;
  }

  private style(row: number): L.PathOptions {
    return this.config.styles[this.config.style[row]];
  }

  private listen(): void {
    const { map } = this.context;
    const tip = L.tooltip({ sticky: true, className: "gm-tooltip" } as L.TooltipOptions);
    this.layer.on("click", (event) => this.openPopup(rowOf(event), event.latlng));
    this.layer.on("mouseover", (event) => {
      this.highlight(rowOf(event));
      if (this.config.tooltip === null) return;
      const text = this.text(rowOf(event), this.config.tooltip);
      tip.setContent(make("span", {}, text)).setLatLng(event.latlng).openOn(map);
    });
    this.layer.on("mousemove", (event) => tip.setLatLng(event.latlng));
    const clear = () => {
      this.halo?.remove();
      map.closeTooltip(tip);
    };
    this.layer.on("mouseout", clear);
    this.layer.on("remove", clear);
  }

  /** Draws an outline above all layers; restyling the feature would leave it under its neighbours. */
  private highlight(row: number): void {
    const geometry = this.config.geometries[row];
    const { weight = 3, radius = 10 } = this.style(row) as L.CircleMarkerOptions;
    const style = { color: "#102a43", weight: weight + 1.5, opacity: 0.9, fillOpacity: 0.08, radius };
    this.halo?.remove();
    this.halo = L.geoJSON(geometry, {
      interactive: false,
      style,
      pointToLayer: (_feature, latlng) => L.circleMarker(latlng, { ...style, interactive: false }),
    }).addTo(this.context.map);
  }

  /** Keeps a popup from opening under the cards. */
  private clearance(): L.PopupOptions {
    const { "top-left": left, "top-right": right } = this.context.frame;
    return isNarrow()
      ? { autoPanPaddingTopLeft: [12, left.offsetHeight + 16], autoPanPaddingBottomRight: [12, 12] }
      : {
          autoPanPaddingTopLeft: [left.offsetWidth + 24, 12],
          autoPanPaddingBottomRight: [right.offsetWidth + 24, 12],
        };
  }

  private openPopup(row: number, at: L.LatLng): void {
    const { map } = this.context;
    const rows = this.config.shown.map((name) => {
      const label = this.fields.get(name)?.label ?? name;
      const heading = make("th", { scope: "row" }, label);
      return make("tr", {}, heading, make("td", {}, this.text(row, name)));
    });
    const content = make(
      "div",
      {},
      make("p", { class: "gm-eyebrow" }, this.config.name),
      make("table", {}, make("tbody", {}, ...rows)),
    );
    const look = { className: "gm-popup", maxWidth: 340, minWidth: 180, maxHeight: 320 };
    const popup = L.popup({ ...look, ...this.clearance() });
    popup.setLatLng(at).setContent(content).openOn(map);
    const close = popup.getElement()?.querySelector(".leaflet-popup-close-button");
    close?.setAttribute("aria-label", this.context.text("close"));
  }
}

interface HitTest {
  _pxBounds?: L.Bounds;
  _containsPoint(point: L.Point, closed: boolean): boolean;
}

/**
 * Makes areas catch the pointer exactly. On a canvas Leaflet also takes what is a few pixels
 * outside, so that a popup would tell of the neighbour; and it lets an outline without a fill
 * catch what is meant for the features that show inside it.
 */
function catchExactly(feature: Feature, part: L.Layer, map: L.Map): void {
  if (!(part instanceof L.Polygon)) return;
  const { _containsPoint: onLine } = L.Polyline.prototype as unknown as HitTest;
  const inArea = (point: L.Point) => {
    if (!(part as unknown as HitTest)._pxBounds?.contains(point)) return false;
    const { lng, lat } = map.layerPointToLatLng(point);
    return contains(feature.geometry, lng, lat);
  };
  const onOutline = (point: L.Point) => onLine.call(part, point, true);
  Object.assign(part, { _containsPoint: part.options.fill === false ? onOutline : inArea });
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
