import L from "leaflet";
import { type Context, contextOf } from "./context";
import { isNarrow, make } from "./dom";
import type { Features } from "./features";
import { spoken, toolButton } from "./frame";
import type { Words } from "./words";

/** A layer to ask, with the names of the fields that answer. */
export interface WhoLayer {
  layer: string;
  title: Words;
  required: boolean;
  name: string | null;
  code: string | null;
  person: string | null;
  role: string | null;
}

/** A panel that tells, on each click, who answers for the place. */
export function whoIsResponsible(map: L.Map, layers: WhoLayer[]): HTMLElement {
  const context = contextOf(map);
  const answer = make("div", { class: "gm-card-body", "aria-live": "polite", tabindex: "0" });
  const icon = L.divIcon({ className: "gm-pin", iconSize: [22, 22] });
  const pin = L.marker([0, 0], { icon, interactive: false, keyboard: false });
  const close = toolButton(context, "close", "close", () => {
    panel.hidden = true;
    pin.remove();
  });
  const title = spoken(context, () => context.text("who_title"));
  const heading = make("h2", { class: "gm-card-title" }, title);
  const head = make("div", { class: "gm-card-head" }, heading, close);
  const panel = make("section", { class: "gm-card gm-who" }, head, answer);
  panel.hidden = true;
  context.frame["top-left"].append(panel);
  const tell = (place: L.LatLng) =>
    answer.replaceChildren(position(context, place), ...describe(context, layers, place));
  context.speak(() => {
    if (!panel.hidden) tell(pin.getLatLng());
  });
  map.on("click", ({ latlng }: L.LeafletMouseEvent) => {
    tell(latlng);
    pin.setLatLng(latlng).addTo(map);
    panel.hidden = false;
    // There the panel is a sheet over the lower part of the map.
    if (isNarrow()) map.panInside(latlng, { paddingBottomRight: [0, panel.offsetHeight + 32] });
  });
  return panel;
}

function position(context: Context, { lng, lat }: L.LatLng): HTMLElement {
  const place = [lng, lat].map((degrees) => degrees.toFixed(5)).join(", ");
  return make("p", { class: "gm-eyebrow" }, `${context.text("position")} ${place}`);
}

function describe(context: Context, layers: WhoLayer[], point: L.LatLng): HTMLElement[] {
  const found = layers.flatMap((spec) => {
    const layer = context.geoLayers.get(spec.layer);
    const rows = layer ? layer.rowsAt(point) : [];
    if (layer && rows.length) return rows.flatMap((row) => describeRow(context, spec, layer, row));
    return spec.required ? [noOwner(context, spec)] : [];
  });
  return found.length ? found : [make("p", {}, context.text("nothing_found"))];
}

function describeRow(context: Context, spec: WhoLayer, layer: Features, row: number): HTMLElement[] {
  const text = (name: string | null) => (name === null ? "" : layer.text(row, name));
  const owner = [text(spec.person), text(spec.role)].filter(Boolean).join(" · ");
  const item = make(
    "section",
    { class: "gm-who-item" },
    make("p", { class: "gm-eyebrow" }, context.say(spec.title)),
    make("p", { class: "gm-who-name" }, text(spec.name), codeOf(text(spec.code))),
    owner ? make("p", { class: "gm-who-owner" }, owner) : null,
    make("p", { class: "gm-who-why" }, context.text("why", { layer: context.say(spec.title) })),
  );
  const nobody = spec.required && spec.person !== null && !layer.has(row, spec.person);
  return nobody ? [item, noOwner(context, spec)] : [item];
}

function codeOf(code: string): HTMLElement | null {
  return code ? make("span", { class: "gm-code" }, code) : null;
}

function noOwner(context: Context, spec: WhoLayer): HTMLElement {
  return make("p", { class: "gm-warning" }, context.text("no_owner", { layer: context.say(spec.title) }));
}
