import type L from "leaflet";
import { makeCard } from "./card";
import { type Context, contextOf } from "./context";
import { make, swatch } from "./dom";
import { filteringOf } from "./filtering";
import { groundOf, onGround } from "./ground";
import type { Words } from "./words";

export interface LegendItem {
  colour: string;
  /** Of the fill, as on the map. */
  opacity: number;
  /** The colour of the outline; null: none is shown. */
  edge: string | null;
  label: Words;
  count: number | null;
  /** The position of its style in the overlay's; null: the entry switches nothing. */
  style: number | null;
}

export interface LegendSection {
  title: Words;
  unit: Words;
  /** What is held against what, in a few words; empty: nothing is to be said. */
  brief: Words;
  /** What the finding says, and what would make it vanish. */
  note: Words;
  kind: "classes" | "categories" | "ramp";
  shape: "area" | "line" | "circle";
  overlay: string;
  items: LegendItem[];
  /** The attributes that the overlay can show, the first at first; empty: only this one. */
  variants: Variant[];
}

interface Variant {
  name: Words;
  section: LegendSection;
  styles: L.PathOptions[];
  /** The position in `styles` of each row, a byte each, base64. */
  style: string;
}

const parts = new WeakMap<Context, Map<string, Part>>();

/** Exchanges title and classes of an overlay's part of the legend, as they change with the time. */
export function replaceLegend(
  context: Context,
  overlay: string,
  change: Pick<LegendSection, "title" | "unit" | "kind" | "items">,
): void {
  parts.get(context)?.get(overlay)?.replace(change);
}

export function legend(map: L.Map, sections: LegendSection[]): HTMLElement {
  const context = contextOf(map);
  const drawn = sections.map((section) => new Part(context, section));
  parts.set(context, new Map(drawn.map((part) => [part.whole.overlay, part])));
  const card = makeCard(
    context,
    { heading: () => context.text("legend"), className: "gm-legend", foldWhenNarrow: true },
    ...drawn.map(({ element }) => element),
  );
  context.frame["bottom-right"].append(card);
  context.watch(() => {
    for (const part of drawn) part.element.hidden = !context.isShown(part.whole.overlay);
    card.hidden = drawn.every(({ element }) => element.hidden);
  });
  return card;
}

/** One overlay's part of the legend; its entries switch their classes off and on. */
class Part {
  readonly element: HTMLElement;
  private readonly off = new Set<number>();

  private section: LegendSection;
  private chosen = 0;
  /** Whether the explanation is open. */
  private unfolded = false;

  constructor(
    private readonly context: Context,
    readonly whole: LegendSection,
  ) {
    this.section = whole;
    this.element = make("section", { class: "gm-legend-section" });
    context.speak(() => this.draw());
    onGround(context.map, () => this.draw());
  }

  replace(change: Pick<LegendSection, "title" | "unit" | "kind" | "items">): void {
    this.section = { ...this.section, ...change };
    // The classes of rows have changed with the time.
    this.filter();
    this.draw();
  }

  /** Lets the overlay show another attribute; all of its classes are on. */
  private choose(position: number): void {
    const { section, styles, style } = this.whole.variants[position];
    const features = this.context.geoLayers.get(this.whole.overlay);
    this.chosen = position;
    this.section = section;
    this.off.clear();
    this.filter();
    features?.restyle(
      Uint8Array.from(atob(style), (byte) => byte.charCodeAt(0)),
      styles,
    );
    this.draw();
  }

  private draw(): void {
    const { title, unit, kind } = this.section;
    const heading = make("h3", {}, this.context.say(title));
    if (unit) heading.append(make("span", { class: "gm-unit" }, this.context.say(unit)));
    this.element.className = `gm-legend-section gm-${kind}`;
    const choice = this.whole.variants.length > 1 ? [this.drawChoice()] : [];
    const body = kind === "ramp" ? this.drawRamp() : this.drawList();
    this.element.replaceChildren(heading, ...this.drawNote(), ...choice, body);
  }

  private drawNote(): HTMLElement[] {
    const { brief, note } = this.whole;
    if (!brief) return [];
    const summary = make("summary", {}, this.context.say(brief));
    summary.title = this.context.text("explain");
    const text = make("p", { class: "gm-note-text" }, this.context.say(note));
    const whole = make("details", { class: "gm-note" }, summary, text);
    whole.open = this.unfolded;
    whole.addEventListener("toggle", () => {
      this.unfolded = whole.open;
    });
    return [whole];
  }

  private drawChoice(): HTMLElement {
    const { context } = this;
    const options = this.whole.variants.map(({ name }, index) =>
      make("option", { value: String(index) }, context.say(name)),
    );
    const label = context.text("shown_by");
    const box = make("select", { class: "gm-select", "aria-label": label }, ...options);
    box.value = String(this.chosen);
    box.addEventListener("change", () => {
      this.choose(Number(box.value));
      this.element.querySelector("select")?.focus();
    });
    return box;
  }

  private drawList(): HTMLElement {
    const features = this.context.geoLayers.get(this.whole.overlay);
    const rows = this.section.items.map((item) => {
      const parts = this.drawItem(item);
      if (!features || item.style === null || this.section.items.length < 2) {
        return make("li", {}, ...parts);
      }
      return make("li", {}, this.drawSwitch(item.style, parts));
    });
    return make("ul", {}, ...rows);
  }

  private drawItem(item: LegendItem): HTMLElement[] {
    const { context, section } = this;
    const { label, count } = item;
    const name = make("span", { class: "gm-label" }, context.say(label));
    const parts = [swatch(this.seen(item), section.shape), name];
    if (count === null) return parts;
    return [...parts, make("span", { class: "gm-count" }, context.formats.number(count))];
  }

  /** An entry in the colours that the map has on its present ground. */
  private seen(item: LegendItem): LegendItem {
    const ground = groundOf(this.context.map);
    const { colour, edge, opacity } = item;
    if (this.section.shape === "line") {
      return { ...item, colour: ground.ink({ color: colour, fill: false }).color };
    }
    return edge ? { ...item, edge: ground.ink({ color: edge, fillOpacity: opacity }).color } : item;
  }

  private drawSwitch(style: number, parts: HTMLElement[]): HTMLElement {
    const pressed = () => String(!this.off.has(style));
    const button = make("button", { type: "button", "aria-pressed": pressed() }, ...parts);
    button.title = this.context.text("switch_class");
    button.addEventListener("click", () => {
      if (!this.off.delete(style)) this.off.add(style);
      button.setAttribute("aria-pressed", pressed());
      this.filter();
    });
    return button;
  }

  private filter(): void {
    const features = this.context.geoLayers.get(this.whole.overlay);
    if (features) filteringOf(this.context, features).hide(this.off);
  }

  private drawRamp(): HTMLElement {
    const { items } = this.section;
    const bar = make("div", { class: "gm-ramp-bar", "aria-hidden": "true" });
    const colours = items.map(({ colour }) => colour).filter((text) => CSS.supports("color", text));
    bar.style.backgroundImage = `linear-gradient(to right, ${colours.join(", ")})`;
    const labels = items.map(({ label }) => make("span", {}, this.context.say(label)));
    return make("div", {}, bar, make("div", { class: "gm-ramp-labels" }, ...labels));
  }
}
