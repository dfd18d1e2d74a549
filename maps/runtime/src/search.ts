import type { Context } from "./context";
import { isNarrow, make } from "./dom";
import type { Features } from "./features";
import { type Hit, Index, ranked } from "./finding";

const MOST_SHOWN = 50;
const CLOSEST_ZOOM = 18;
const PAUSE_MS = 60;

/** A box that finds rows of all layers by what stands in them: code, name, person, address. */
export class Search {
  readonly card: HTMLElement;
  private readonly box = make("input", {
    type: "search",
    class: "gm-search-box",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": "gm-hits",
    "aria-autocomplete": "list",
    autocomplete: "off",
    spellcheck: "false",
  });
  private readonly list = make("ul", { id: "gm-hits", role: "listbox", class: "gm-hits" });
  private readonly status = make("p", { class: "gm-eyebrow gm-status", role: "status" });
  private indexes: Index[] | null = null;
  private hits: Hit[] = [];
  private total = 0;
  private active = -1;
  private timer = 0;

  constructor(private readonly context: Context) {
    this.list.hidden = true;
    this.status.hidden = true;
    this.card = make("search", { class: "gm-card gm-search" }, this.box, this.list, this.status);
    context.speak(() => {
      const label = context.text("search");
      this.box.placeholder = label;
      this.box.setAttribute("aria-label", label);
      this.list.setAttribute("aria-label", label);
      this.draw();
    });
    this.box.addEventListener("focus", () => this.prepare());
    this.box.addEventListener("input", () => {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.run(), PAUSE_MS);
    });
    this.box.addEventListener("keydown", (event) => this.press(event));
  }

  private prepare(): Index[] {
    this.indexes ??= [...this.context.geoLayers.values()].map((features) => new Index(features));
    return this.indexes;
  }

  private get asked(): string {
    return this.box.value.trim().toLowerCase();
  }

  private run(): void {
    const { asked } = this;
    const found = asked ? ranked(this.prepare(), asked) : [];
    this.total = found.length;
    this.hits = found.slice(0, MOST_SHOWN);
    this.active = -1;
    this.draw();
  }

  private draw(): void {
    const { context, asked } = this;
    const indexOf = new Map(this.indexes?.map((index) => [index.features, index]));
    this.list.replaceChildren(
      ...this.hits.map((hit, position) => {
        const [name = "", ...more] = indexOf.get(hit.features)?.describe(hit.row, asked) ?? [];
        const layer = make("span", { class: "gm-eyebrow" }, context.say(hit.features.title));
        const rest = make("span", { class: "gm-hit-rest" }, more.join(" · "));
        const attributes = { role: "option", id: `gm-hit-${position}`, "aria-selected": "false" };
        const item = make("li", attributes, make("span", {}, name), rest, layer);
        item.addEventListener("click", () => this.go(position));
        return item;
      }),
    );
    this.list.hidden = !this.hits.length;
    this.status.hidden = !asked || (this.total > 0 && this.total <= this.hits.length);
    const key = this.total ? "found_more" : "found_none";
    const { formats } = context;
    this.status.textContent = context.text(key, {
      shown: formats.number(this.hits.length),
      total: formats.number(this.total),
    });
    this.box.setAttribute("aria-expanded", String(!this.list.hidden));
    this.mark(this.active);
  }

  private press(event: KeyboardEvent): void {
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves && this.hits.length) {
      event.preventDefault();
      const count = this.hits.length;
      const from = this.active < 0 && event.key === "ArrowUp" ? 0 : this.active;
      this.mark((from + moves[event.key] + count) % count);
    } else if (event.key === "Enter") {
      window.clearTimeout(this.timer);
      const chosen = this.active;
      this.run();
      if (this.hits.length) this.go(Math.max(chosen, 0));
    } else if (event.key === "Escape") {
      this.close();
    }
  }

  private mark(position: number): void {
    this.active = position;
    [...this.list.children].forEach((item, index) => {
      item.setAttribute("aria-selected", String(index === position));
      if (index === position) item.scrollIntoView({ block: "nearest" });
    });
    if (position < 0) this.box.removeAttribute("aria-activedescendant");
    else this.box.setAttribute("aria-activedescendant", `gm-hit-${position}`);
  }

  private close(): void {
    this.hits = [];
    this.total = 0;
    this.draw();
    this.status.hidden = true;
  }

  private go(position: number): void {
    const { features, row } = this.hits[position];
    if (isNarrow()) this.box.blur();
    this.close();
    goTo(this.context, features, row);
  }
}

/** Switches the layer on, moves the map to a row and selects it. */
export function goTo(context: Context, features: Features, row: number): void {
  const { map } = context;
  context.show(features.name);
  const bounds = features.bounds(row);
  if (bounds) {
    const zoom = Math.min(map.getBoundsZoom(bounds.pad(0.5)), CLOSEST_ZOOM);
    map.setView(bounds.getCenter(), Math.max(zoom, map.getMinZoom()), { animate: false });
  }
  features.select(row);
}
