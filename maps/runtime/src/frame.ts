import type L from "leaflet";
import { iconButton, isNarrow, make } from "./dom";

const SLOTS = ["top-left", "top-right", "bottom-left", "bottom-centre", "bottom-right"] as const;
export type Slot = (typeof SLOTS)[number];
export type Frame = Record<Slot, HTMLElement>;

/** Lays five slots for cards over the map; on narrow screens they stack (see style.css). */
export function makeFrame(map: L.Map): Frame {
  const slots = SLOTS.map((slot) => [slot, make("div", { class: `gm-slot gm-${slot}` })] as const);
  const frame = Object.fromEntries(slots) as Record<string, HTMLElement> as Frame;
  const column = (name: string, ...inside: HTMLElement[]) =>
    make("div", { class: `gm-column gm-column-${name}` }, ...inside);
  // A sibling of the map, so that what happens on a card never reaches the map.
  map.getContainer().after(
    make(
      "div",
      { class: "gm-frame" },
      column("left", frame["top-left"], frame["bottom-left"]),
      column("centre", frame["bottom-centre"]),
      column("right", frame["top-right"], frame["bottom-right"]),
    ),
  );
  return frame;
}

export interface CardOptions {
  heading: string;
  className: string;
  labels: { expand: string; collapse: string };
  /** Whether the card starts folded where space is short. */
  foldWhenNarrow: boolean;
}

/** A card: a heading that folds the body away. */
export function makeCard(options: CardOptions, ...body: Node[]): HTMLElement {
  const content = make("div", { class: "gm-card-body" }, ...body);
  const heading = make("h2", { class: "gm-card-title" }, options.heading);
  const fold = (folded: boolean) => {
    content.hidden = folded;
    toggle.setAttribute("aria-expanded", String(!folded));
    const label = folded ? options.labels.expand : options.labels.collapse;
    toggle.title = label;
    toggle.setAttribute("aria-label", `${label}: ${options.heading}`);
  };
  const toggle = iconButton("fold", "", () => fold(!content.hidden));
  const head = make("div", { class: "gm-card-head" }, heading, toggle);
  fold(options.foldWhenNarrow && isNarrow());
  return make("section", { class: `gm-card ${options.className}` }, head, content);
}
