import type L from "leaflet";
import { spoken } from "./card";
import type { Context } from "./context";
import { make } from "./dom";
import type { Span, Unit } from "./spans";
import type { Time } from "./time";

export const LEFT = "gm-left";
export const RIGHT = "gm-right";
/** Pixels; beyond any screen. */
const FAR = 1e5;

/** A divider over the map: left of it the chosen time, right of it another. */
export class Swipe {
  readonly row: HTMLElement;
  private readonly other = make("select", { class: "gm-select" });
  private readonly divider: HTMLInputElement;
  private readonly line = make("div", { class: "gm-swipe" });
  private steps: Span[] = [];

  constructor(
    private readonly context: Context,
    private readonly time: Time,
  ) {
    this.divider = make("input", { type: "range", min: "0", max: "1000", value: "500" });
    this.divider.addEventListener("input", () => this.move());
    this.line.append(make("div", { class: "gm-swipe-line", "aria-hidden": "true" }), this.divider);
    this.other.addEventListener("change", () => this.choose());
    const label = make(
      "label",
      {},
      spoken(context, () => context.text("compare")),
      this.other,
    );
    this.row = make("div", { class: "gm-compare" }, label);
    context.map.on("move zoom resize", () => this.move());
    context.speak(() => this.divider.setAttribute("aria-label", context.text("divider")));
  }

  setSteps(steps: Span[], unit: Unit): void {
    this.steps = steps;
    const names = [
      this.context.text("nothing"),
      ...steps.map((step) => this.time.label(step, unit)),
    ];
    this.other.replaceChildren(
      ...names.map((name, index) => make("option", { value: String(index - 1) }, name)),
    );
    this.stop();
  }

  stop(): void {
    this.other.value = "-1";
    this.choose();
  }

  private choose(): void {
    const span = this.steps[Number(this.other.value)] ?? null;
    for (const timed of this.time.timed) timed.compare?.(span);
    if (span) {
      this.context.map.getContainer().after(this.line);
      this.move();
    } else {
      this.line.remove();
      paneOf(this.context.map, LEFT).style.clipPath = "";
    }
  }

  /** Tells the panes of both sides where to end: at the divider, in the map's own pixels. */
  private move(): void {
    if (!this.line.isConnected) return;
    const { map } = this.context;
    const share = this.divider.valueAsNumber / 1000;
    this.line.style.setProperty("--share", String(share));
    const { x } = map.containerPointToLayerPoint([share * map.getSize().x, 0]);
    clip(paneOf(map, LEFT), -FAR, x);
    clip(paneOf(map, RIGHT), x, FAR);
  }
}

function clip(pane: HTMLElement, from: number, to: number): void {
  const corners = [
    [from, -FAR],
    [to, -FAR],
    [to, FAR],
    [from, FAR],
  ];
  pane.style.clipPath = `polygon(${corners.map(([x, y]) => `${x}px ${y}px`).join(", ")})`;
}

function paneOf(map: L.Map, name: string): HTMLElement {
  return map.getPane(name) ?? map.createPane(name);
}

/** Makes the panes of the two sides, where what is timed draws. */
export function swipePanes(map: L.Map): void {
  for (const name of [LEFT, RIGHT]) {
    const pane = paneOf(map, name);
    // Below the features, above tiles.
    pane.style.zIndex = "350";
    pane.style.pointerEvents = "none";
  }
}
