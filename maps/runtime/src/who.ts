import L from "leaflet";
import { spoken, toolButton } from "./card";
import { type Context, contextOf } from "./context";
import { isNarrow, make } from "./dom";
import "./who.css";
import { Asked, type Ownership } from "./whoowns";
import type { Answer } from "./whorank";
import { fill } from "./words";

/** What a script can ask of the panel: who answers for a point, as a click on it shows. */
export interface WhoPanel {
  answers(point: L.LatLngExpression, category?: string | null): Answer[];
}

/** A panel that tells, on each click, who answers for the place, in the order in which to ask. */
export function whoIsResponsible(map: L.Map, ownership: Ownership): WhoPanel {
  const context = contextOf(map);
  const asked = new Asked(context, ownership);
  const icon = L.divIcon({ className: "gm-pin", iconSize: [22, 22] });
  const pin = L.marker([0, 0], { icon, interactive: false, keyboard: false });
  const chooser = categories(context, ownership, () => tell());
  const answer = make("div", { class: "gm-card-body", "aria-live": "polite", tabindex: "0" });
  const panel = card(context, chooser, answer, () => pin.remove());
  const tell = () => {
    const point = pin.getLatLng();
    const some = asked.answers(point, chooser.value || null);
    answer.replaceChildren(
      heading(context, ownership, point),
      ...asked.ownerless(point).map((layer) => noOwner(context, context.say(layer))),
      ...(some.length ? sections(ownership, context, some) : [nobody(context, ownership)]),
    );
  };
  context.speak(() => {
    if (!panel.hidden) tell();
  });
  map.on("click", ({ latlng }: L.LeafletMouseEvent) => {
    pin.setLatLng(latlng).addTo(map);
    tell();
    panel.hidden = false;
    answer.scrollTop = 0;
    // There the panel is a sheet over the lower part of the map.
    if (isNarrow()) map.panInside(latlng, { paddingBottomRight: [0, panel.offsetHeight + 32] });
  });
  return { answers: (point, category = null) => asked.answers(L.latLng(point), category) };
}

function card(
  context: Context,
  chooser: HTMLSelectElement,
  answer: HTMLElement,
  onClose: () => void,
): HTMLElement {
  const close = toolButton(context, "close", "close", () => {
    panel.hidden = true;
    onClose();
  });
  const title = spoken(context, () => context.text("who_title"));
  const head = make(
    "div",
    { class: "gm-card-head" },
    make("h2", { class: "gm-card-title" }, title),
    close,
  );
  const named = spoken(context, () => context.text("who_category"));
  const label = make("label", { class: "gm-who-category" }, make("span", {}, named), chooser);
  const panel = make("section", { class: "gm-card gm-who" }, head);
  if (chooser.options.length > 1) panel.append(label);
  panel.append(answer);
  panel.hidden = true;
  context.frame["top-left"].append(panel);
  return panel;
}

/** The choice of the category of a problem, which narrows the answer; at first it is any. */
function categories(
  context: Context,
  { categories }: Ownership,
  onChange: () => void,
): HTMLSelectElement {
  const any = make(
    "option",
    { value: "" },
    spoken(context, () => context.text("who_any")),
  );
  const others = categories.map(([code, name]) => make("option", { value: code }, name));
  const select = make("select", { class: "gm-select" }, any, ...others);
  select.addEventListener("change", onChange);
  return select;
}

function heading(context: Context, { at }: Ownership, { lng, lat }: L.LatLng): HTMLElement {
  const place = [lng, lat].map((degrees) => degrees.toFixed(5)).join(", ");
  const said = [`${context.text("position")} ${place}`, context.text("who_at", { at })];
  return make(
    "p",
    { class: "gm-eyebrow gm-who-when" },
    ...said.map((text) => make("span", {}, text)),
  );
}

function sections(ownership: Ownership, context: Context, some: Answer[]): HTMLElement[] {
  const begins = some.flatMap((answer, at) => {
    const before = some[at - 1];
    return before?.found === answer.found && before.rule === answer.rule ? [] : [at];
  });
  return begins.map((begin, run) =>
    section(ownership, context, some.slice(begin, begins[run + 1]), begin + 1),
  );
}

/** Answers of one target, one behind the other, under what it is and why it counts. */
function section(
  ownership: Ownership,
  context: Context,
  some: Answer[],
  first: number,
): HTMLElement {
  const { found } = some[0];
  const code = found.name ? make("span", { class: "gm-code" }, found.code) : null;
  return make(
    "section",
    { class: "gm-who-item" },
    make("h3", { class: "gm-who-target" }, found.name || found.code, code),
    make("p", { class: "gm-who-why" }, why(ownership, context, some[0])),
    make(
      "ol",
      { class: "gm-who-people", start: String(first) },
      ...some.map((answer, at) => person(ownership, context, answer, first + at)),
    ),
  );
}

function person(ownership: Ownership, context: Context, answer: Answer, rank: number): HTMLElement {
  const { name, role, category, until, phone, source } = answer;
  const lasts = until
    ? context.text("who_until", { until })
    : context.say(ownership.texts.open_end);
  const names = Object.fromEntries(ownership.categories);
  return make(
    "li",
    {},
    make("span", { class: "gm-who-rank" }, String(rank)),
    make("span", { class: "gm-who-name" }, name),
    make("span", { class: "gm-who-role" }, context.say(ownership.roles[role] ?? role)),
    category === null ? null : make("span", { class: "gm-who-line" }, names[category] ?? category),
    make("span", { class: "gm-who-more" }, [lasts, phone, source].filter(Boolean).join(" · ")),
  );
}

/** By which rule somebody is responsible, in words. */
function why({ groups, texts }: Ownership, context: Context, { found, rule }: Answer): string {
  const whole = (metres: number) => context.formats.number(Math.round(metres));
  return fill(context.say(texts[rule]), {
    what: context.say(groups[found.group].what),
    distance: whole(found.distance),
    chainage: whole(found.chainage ?? 0),
  });
}

function nobody(context: Context, { at, texts }: Ownership): HTMLElement {
  return make("p", { class: "gm-who-nobody" }, fill(context.say(texts.nobody), { at }));
}

function noOwner(context: Context, layer: string): HTMLElement {
  return make("p", { class: "gm-warning" }, context.text("no_owner", { layer }));
}
