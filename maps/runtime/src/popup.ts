import type { Geometry } from "geojson";
import L from "leaflet";
import type { Context } from "./context";
import { isNarrow, make } from "./dom";
import type { Features } from "./features";

/**
 * Opens a popup with the shown fields of the first of some rows, from which buttons lead to the
 * others; it follows the language of the page.
 */
export function openPopup(
  context: Context,
  features: Features,
  rows: number[],
  at: L.LatLng,
): L.Popup {
  const look = { className: "gm-popup", maxWidth: 340, minWidth: 180, maxHeight: 320 };
  const popup = L.popup({ ...look, ...clearance(context) }).setLatLng(at);
  popup.on("add", () => {
    let position = 0;
    const show = () => {
      const content = describe(context, features, rows[position]);
      if (rows.length > 1) content.prepend(pages(context, rows.length, position, turn));
      popup.setContent(content);
      const close = popup.getElement()?.querySelector(".leaflet-popup-close-button");
      close?.setAttribute("aria-label", context.text("close"));
    };
    const turn = (to: number, pressed: string) => {
      position = (to + rows.length) % rows.length;
      show();
      popup.getElement()?.querySelector<HTMLElement>(`.gm-pages [name="${pressed}"]`)?.focus();
    };
    const stop = context.speak(show);
    popup.once("remove", stop);
  });
  return popup.openOn(context.map);
}

/** How many there are at this place, and buttons that lead from one to the next. */
function pages(
  context: Context,
  count: number,
  position: number,
  turn: (to: number, pressed: string) => void,
): HTMLElement {
  const button = (name: string, sign: string, to: number) => {
    const label = { title: context.text(name), "aria-label": context.text(name) };
    const made = make("button", { type: "button", class: "gm-all", name, ...label }, sign);
    // A popup that is drawn anew has lost the button by the time the map would ask where it was.
    made.addEventListener("click", (event) => {
      event.stopPropagation();
      turn(to, name);
    });
    return made;
  };
  const { formats } = context;
  const place = make(
    "span",
    { role: "status" },
    `${formats.number(position + 1)} / ${formats.number(count)}`,
  );
  const before = button("previous_here", "‹", position - 1);
  return make("div", { class: "gm-pages" }, before, place, button("next_here", "›", position + 1));
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
    const style = {
      color: colour,
      weight: width,
      opacity: 0.9,
      fillOpacity: 0.08,
      radius,
      renderer,
    };
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
