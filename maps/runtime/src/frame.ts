import type L from "leaflet";
import { isNarrow, make } from "./dom";

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
