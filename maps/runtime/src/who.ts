import L from "leaflet";
import { spoken, toolButton } from "./card";
import { type Context, contextOf } from "./context";
import { isNarrow, make } from "./dom";
import type { Features } from "./features";
import type { Words } from "./words";

/** Somebody who answers for an area, perhaps for one line of several. */
export interface Person {
  role: Words;
  name: string;
  line?: string;
  phone?: string;
  until?: string;
}

/** A layer to ask, with the names of the fields that answer, and all who do by the area's code. */
export interface WhoLayer {
  layer: string;
  title: Words;
  required: boolean;
  name: string | null;
  code: string | null;
  person: string | null;
  role: string | null;
  people: Record<string, Person[]>;
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

function describeRow(
  context: Context,
  spec: WhoLayer,
  layer: Features,
  row: number,
): HTMLElement[] {
  const text = (name: string | null) => (name === null ? "" : layer.text(row, name));
  const code = text(spec.code);
  const people = Object.hasOwn(spec.people, code) ? spec.people[code] : [];
  const owner = people.length
    ? ""
    : [text(spec.person), text(spec.role)].filter(Boolean).join(" · ");
  const item = make(
    "section",
    { class: "gm-who-item" },
    make("p", { class: "gm-eyebrow" }, context.say(spec.title)),
    make("p", { class: "gm-who-name" }, text(spec.name), codeOf(code)),
    owner ? make("p", { class: "gm-who-owner" }, owner) : null,
    ...describePeople(context, people),
    make("p", { class: "gm-who-why" }, context.text("why", { layer: context.say(spec.title) })),
  );
  const nobody =
    spec.required && spec.person !== null && !layer.has(row, spec.person) && people.length === 0;
  return nobody ? [item, noOwner(context, spec)] : [item];
}

/** Lists who answers for all lines, and folds away who answers for single ones. */
function describePeople(context: Context, people: Person[]): HTMLElement[] {
  const list = (some: Person[]) =>
    make(
      "ul",
      { class: "gm-who-people" },
      ...some.map((person) => describePerson(context, person)),
    );
  const general = people.filter(({ line }) => !line);
  const lines = people.filter(({ line }) => line);
  const found = general.length ? [list(general)] : [];
  if (!lines.length) return found;
  const summary = make("summary", {}, context.text("who_lines", { count: String(lines.length) }));
  return [...found, make("details", { class: "gm-who-lines" }, summary, list(lines))];
}

function describePerson(context: Context, { role, name, line, phone, until }: Person): HTMLElement {
  const more = [line, phone, until && context.text("who_until", { until })].filter(Boolean);
  return make(
    "li",
    {},
    make("span", { class: "gm-who-role" }, context.say(role)),
    make("span", { class: "gm-who-holder" }, name),
    more.length ? make("span", { class: "gm-who-more" }, more.join(" · ")) : null,
  );
}

function codeOf(code: string): HTMLElement | null {
  return code ? make("span", { class: "gm-code" }, code) : null;
}

function noOwner(context: Context, spec: WhoLayer): HTMLElement {
  return make(
    "p",
    { class: "gm-warning" },
    context.text("no_owner", { layer: context.say(spec.title) }),
  );
}
