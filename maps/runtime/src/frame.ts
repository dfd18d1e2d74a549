import type L from "leaflet";
import type { Context } from "./context";
import { iconButton, isNarrow, make, relabel } from "./dom";

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
  map
    .getContainer()
    .after(
      make(
        "div",
        { class: "gm-frame" },
        column("left", frame["top-left"], frame["bottom-left"]),
        column("centre", frame["bottom-centre"]),
        column("right", frame["top-right"], frame["bottom-right"]),
      ),
    );
  keepClear(map, frame);
  return frame;
}

interface Cornered {
  _controlCorners: Record<"topleft" | "topright" | "bottomleft", HTMLElement>;
}

/** Leaflet's own corners, where controls of plugins are, begin where the cards end. */
function keepClear(map: L.Map, frame: Frame): void {
  const { topleft, topright, bottomleft } = (map as unknown as Cornered)._controlCorners;
  const place = () => {
    const whole = map.getContainer().getBoundingClientRect();
    const below = (slot: Slot) =>
      Math.max(frame[slot].getBoundingClientRect().bottom - whole.top, 0);
    const [left, right] = [below("top-left"), below("top-right")];
    // On narrow screens one stack lies over both.
    topleft.style.top = `${isNarrow() ? Math.max(left, right) : left}px`;
    topright.style.top = `${isNarrow() ? Math.max(left, right) : right}px`;
    bottomleft.style.bottom = `${whole.bottom - frame["bottom-left"].getBoundingClientRect().top}px`;
  };
  const observer = new ResizeObserver(place);
  for (const slot of [map.getContainer(), ...Object.values(frame)]) observer.observe(slot);
}

export interface CardOptions {
  heading: () => string;
  className: string;
  /** Whether the card starts folded where space is short. */
  foldWhenNarrow: boolean;
}

/** A card: a heading that folds the body away. */
export function makeCard(context: Context, options: CardOptions, ...body: Node[]): HTMLElement {
  // It scrolls where space is short, which a keyboard must be able to do too.
  const content = make("div", { class: "gm-card-body", role: "group", tabindex: "0" }, ...body);
  const heading = make("h2", { class: "gm-card-title" });
  const toggle = iconButton("fold", "", () => fold(!content.hidden));
  const label = () => {
    heading.textContent = options.heading();
    content.setAttribute("aria-label", options.heading());
    const text = context.text(content.hidden ? "expand" : "collapse");
    toggle.title = text;
    toggle.setAttribute("aria-label", `${text}: ${options.heading()}`);
  };
  const fold = (folded: boolean) => {
    content.hidden = folded;
    toggle.setAttribute("aria-expanded", String(!folded));
    label();
  };
  const head = make("div", { class: "gm-card-head" }, heading, toggle);
  fold(options.foldWhenNarrow && isNarrow());
  context.speak(label);
  return make("section", { class: `gm-card ${options.className}` }, head, content);
}

/** A button whose accessible name follows the language of the page. */
export function toolButton(
  context: Context,
  icon: string,
  key: string,
  onClick: () => void,
): HTMLButtonElement {
  const button = iconButton(icon, "", onClick);
  context.speak(() => relabel(button, icon, context.text(key)));
  return button;
}

/** Text that follows the language of the page. */
export function spoken(context: Context, say: () => string): Text {
  const node = document.createTextNode("");
  context.speak(() => {
    node.data = say();
  });
  return node;
}
