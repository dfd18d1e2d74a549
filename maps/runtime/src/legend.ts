import type L from "leaflet";
import { type Context, contextOf } from "./context";
import { make, swatch } from "./dom";
import { makeCard } from "./frame";

export interface LegendItem {
  colour: string;
  label: string;
  count: number | null;
}

export interface LegendSection {
  title: string;
  unit: string;
  kind: "classes" | "categories" | "ramp";
  shape: "area" | "line" | "circle";
  overlay: string;
  items: LegendItem[];
}

export function legend(map: L.Map, sections: LegendSection[]): HTMLElement {
  const context = contextOf(map);
  const parts = sections.map((section) => drawSection(context, section));
  const labels = { expand: context.text("expand"), collapse: context.text("collapse") };
  const card = makeCard(
    { heading: context.text("legend"), className: "gm-legend", labels, foldWhenNarrow: true },
    ...parts,
  );
  context.frame["bottom-right"].append(card);
  context.watch(() => {
    sections.forEach(({ overlay }, index) => {
      parts[index].hidden = !context.isShown(overlay);
    });
    card.hidden = parts.every((part) => part.hidden);
  });
  return card;
}

function drawSection(context: Context, section: LegendSection): HTMLElement {
  const heading = make("h3", {}, section.title);
  if (section.unit) heading.append(make("span", { class: "gm-unit" }, section.unit));
  const body = section.kind === "ramp" ? drawRamp(section) : drawList(context, section);
  return make("section", { class: `gm-legend-section gm-${section.kind}` }, heading, body);
}

function drawList(context: Context, { items, shape }: LegendSection): HTMLElement {
  const rows = items.map(({ colour, label, count }) =>
    make(
      "li",
      {},
      swatch(colour, shape),
      make("span", { class: "gm-label" }, label),
      count === null ? null : make("span", { class: "gm-count" }, context.formats.number(count)),
    ),
  );
  return make("ul", {}, ...rows);
}

function drawRamp({ items }: LegendSection): HTMLElement {
  const bar = make("div", { class: "gm-ramp-bar", "aria-hidden": "true" });
  const colours = items.map(({ colour }) => colour).filter((text) => CSS.supports("color", text));
  bar.style.backgroundImage = `linear-gradient(to right, ${colours.join(", ")})`;
  const labels = items.map(({ label }) => make("span", {}, label));
  return make("div", {}, bar, make("div", { class: "gm-ramp-labels" }, ...labels));
}
