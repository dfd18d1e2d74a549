import type { Geometry } from "geojson";
import L from "leaflet";
import type { Context } from "./context";
import { isNarrow, make } from "./dom";
import type { Features } from "./features";

/** Opens a popup with the shown fields of a row; it follows the language of the page. */
export function openPopup(context: Context, features: Features, row: number, at: L.LatLng): L.Popup {
  const look = { className: "gm-popup", maxWidth: 340, minWidth: 180, maxHeight: 320 };
  const popup = L.popup({ ...look, ...clearance(context) }).setLatLng(at);
  popup.on("add", () => {
    const stop = context.speak(() => {
      popup.setContent(describe(context, features, row));
      const close = popup.getElement()?.querySelector(".leaflet-popup-close-button");
      close?.setAttribute("aria-label", context.text("close"));
    });
    popup.once("remove", stop);
  });
  return popup.openOn(context.map);
}

function describe(context: Context, features: Features, row: number): HTMLElement {
  const fields = new Map(features.fields.map((field) => [field.name, field]));
  const rows = features.shown.map((name) => {
    const heading = make("th", { scope: "row" }, context.say(fields.get(name)?.label ?? name));
    return make("tr", {}, heading, make("td", {}, features.text(row, name)));
  });
  return make(
    "div",
    {},
    make("p", { class: "gm-eyebrow" }, context.say(features.title)),
    make("table", {}, make("tbody", {}, ...rows)),
  );
}

/** Keeps a popup from opening under the cards. */
function clearance({ frame }: Context): L.PopupOptions {
  const { "top-left": left, "top-right": right } = frame;
  return isNarrow()
    ? { autoPanPaddingTopLeft: [12, left.offsetHeight + 16], autoPanPaddingBottomRight: [12, 12] }
    : {
        autoPanPaddingTopLeft: [left.offsetWidth + 24, 12],
        autoPanPaddingBottomRight: [right.offsetWidth + 24, 12],
      };
}

/** An outline above all layers: restyling a feature would leave it under its neighbours. */
export class Halo {
  private drawn: L.GeoJSON | null = null;

  /** Without a renderer of its own it lies on the map's canvas. */
  constructor(
    private readonly map: L.Map,
    private readonly renderer?: L.Renderer,
  ) {}

  show(geometry: Geometry | null, { weight = 3, radius = 10 }: L.CircleMarkerOptions): void {
    this.clear();
    if (!geometry) return;
    const colour = getComputedStyle(this.map.getContainer()).getPropertyValue("--gm-halo").trim();
    const { renderer } = this;
    const width = weight + 1.5;
    const style = { color: colour, weight: width, opacity: 0.9, fillOpacity: 0.08, radius, renderer };
    this.drawn = L.geoJSON(geometry, {
      interactive: false,
      style: { ...style, fillColor: colour },
      pointToLayer: (_feature, latlng) => L.circleMarker(latlng, { ...style, interactive: false }),
    }).addTo(this.map);
  }

  clear(): void {
    this.drawn?.remove();
    this.drawn = null;
  }
}
