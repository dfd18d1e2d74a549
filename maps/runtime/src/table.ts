import { spoken, toolButton } from "./card";
import type { Context } from "./context";
import { make } from "./dom";
import { download, toCsv } from "./download";
import type { Features } from "./features";
import { FilterBar } from "./filterbar";
import { filteringOf, onFiltered } from "./filtering";
import type { Field } from "./format";
import { goTo } from "./search";
import { sorted } from "./sorting";

/** Pixels; as in style.css. */
const ROW = 30;
const BEYOND = 8;
const WAIT_MS = 80;

/** A panel with the rows of one layer that are in view: sorted, filtered, as CSV. */
export class Table {
  readonly panel: HTMLElement;
  private readonly layers = make("select", { class: "gm-select" });
  private readonly status = make("span", { class: "gm-eyebrow", role: "status" });
  private readonly head = make("div", { role: "row", class: "gm-table-head" });
  private readonly body = make("div", { role: "rowgroup", class: "gm-table-body" });
  private readonly scroller: HTMLElement;
  private readonly filters: FilterBar;
  private rows: number[] = [];
  private active = -1;
  private sort: { name: string; down: boolean } | null = null;
  private timer = 0;

  constructor(
    private readonly context: Context,
    onClose: () => void,
  ) {
    this.filters = new FilterBar(context);
    const grid = { role: "grid", class: "gm-table-scroll", tabindex: "0" };
    const heads = make("div", { role: "rowgroup", class: "gm-table-heads" }, this.head);
    this.scroller = make("div", grid, heads, this.body);
    this.panel = make(
      "section",
      { class: "gm-table", hidden: "" },
      make(
        "div",
        { class: "gm-table-bar" },
        this.layers,
        this.filters.element,
        this.status,
        this.button("csv", () => this.save()),
        toolButton(context, "close", "close", onClose),
      ),
      this.scroller,
    );
    this.layers.addEventListener("change", () => this.choose());
    this.scroller.addEventListener("scroll", () => this.drawRows());
    this.scroller.addEventListener("keydown", (event) => this.press(event));
    context.map.on("moveend", () => this.refresh());
    onFiltered(context, () => this.refresh());
    context.watch(() => this.drawLayers());
    context.speak(() => {
      this.panel.setAttribute("aria-label", context.text("table"));
      this.layers.setAttribute("aria-label", context.text("layer"));
      this.scroller.setAttribute("aria-label", context.text("table"));
      this.drawLayers();
      this.drawHead();
      this.refresh();
    });
  }

  open(): void {
    this.panel.hidden = false;
    this.context.map.invalidateSize();
    this.choose();
    this.layers.focus();
  }

  close(): void {
    this.panel.hidden = true;
    this.context.map.invalidateSize();
  }

  private get features(): Features | undefined {
    return this.context.geoLayers.get(this.layers.value);
  }

  private get columns(): Field[] {
    const { features } = this;
    if (!features) return [];
    const fields = new Map(features.fields.map((field) => [field.name, field]));
    return features.shown.flatMap((name) => fields.get(name) ?? []);
  }

  private button(key: string, onClick: () => void): HTMLButtonElement {
    const text = spoken(this.context, () => this.context.text(key));
    const button = make("button", { type: "button", class: "gm-all" }, text);
    button.addEventListener("click", onClick);
    return button;
  }

  /** Offers the layers that are shown; the topmost is taken first. */
  private drawLayers(): void {
    const { context } = this;
    const shown = [...context.geoLayers.values()]
      .filter(({ name, shown: fields }) => context.isShown(name) && fields.length)
      .reverse();
    const before = this.layers.value;
    this.layers.replaceChildren(
      ...shown.map(({ name, title }) => make("option", { value: name }, context.say(title))),
    );
    if (shown.some(({ name }) => name === before)) this.layers.value = before;
    else if (!this.panel.hidden) this.choose();
  }

  private choose(): void {
    this.sort = null;
    this.filters.choose(this.features);
    this.drawHead();
    this.refresh();
    this.scroller.scrollTop = 0;
  }

  /** Waits for the end of a move, then lists what is in view. */
  private refresh(): void {
    if (this.panel.hidden) return;
    window.clearTimeout(this.timer);
    this.scroller.setAttribute("aria-busy", "true");
    this.timer = window.setTimeout(() => this.list(), WAIT_MS);
  }

  private list(): void {
    const { features, context } = this;
    this.rows = features ? features.rowsIn(context.map.getBounds()) : [];
    this.active = -1;
    if (features && this.sort) this.sortRows(features, this.sort);
    const key = features && filteringOf(context, features).keep ? "rows_filtered" : "rows_in_view";
    this.status.textContent = context.text(key, {
      count: context.formats.number(this.rows.length),
      total: context.formats.number(features?.count ?? 0),
    });
    this.body.style.height = `${this.rows.length * ROW}px`;
    this.scroller.setAttribute("aria-rowcount", String(this.rows.length + 1));
    this.drawRows();
    this.scroller.setAttribute("aria-busy", "false");
  }

  private sortRows(features: Features, { name, down }: { name: string; down: boolean }): void {
    const field = this.columns.find((column) => column.name === name);
    // Categories are sorted as they read; data as what it is.
    const key = (row: number) =>
      field?.categories ? features.text(row, name) : features.value(row, name);
    this.rows = sorted(this.rows, key, { down, lang: this.context.lang });
  }

  private drawHead(): void {
    this.head.style.setProperty("--columns", String(this.columns.length));
    this.scroller.style.setProperty("--columns", String(this.columns.length));
    this.head.replaceChildren(
      ...this.columns.map(({ name, label, unit }) => {
        const said = this.context.say(unit);
        const button = make(
          "button",
          { type: "button" },
          this.context.say(label),
          said ? make("span", { class: "gm-unit" }, said) : null,
        );
        button.addEventListener("click", () => this.sortBy(name));
        return make("div", { role: "columnheader", "aria-sort": this.orderOf(name) }, button);
      }),
    );
  }

  private orderOf(name: string): string {
    if (this.sort?.name !== name) return "none";
    return this.sort.down ? "descending" : "ascending";
  }

  private sortBy(name: string): void {
    this.sort = { name, down: this.sort?.name === name && !this.sort.down };
    const position = this.columns.findIndex((column) => column.name === name);
    this.drawHead();
    this.head.querySelectorAll("button")[position]?.focus();
    this.list();
  }

  /** Draws the rows that the panel shows, and a few more: the rest is only height. */
  private drawRows(): void {
    const { features, columns } = this;
    if (!features) {
      this.body.replaceChildren();
      return;
    }
    const { scrollTop, clientHeight } = this.scroller;
    const from = Math.max(Math.floor(scrollTop / ROW) - BEYOND, 0);
    const to = Math.min(Math.ceil((scrollTop + clientHeight) / ROW) + BEYOND, this.rows.length);
    const drawn: HTMLElement[] = [];
    for (let at = from; at < to; at++) drawn.push(this.drawRow(features, columns, at));
    this.body.replaceChildren(...drawn);
  }

  private drawRow(features: Features, columns: Field[], at: number): HTMLElement {
    const row = this.rows[at];
    const cells = columns.map((field) => {
      const number = typeof features.value(row, field.name) === "number" && field.format !== "text";
      const text = this.context.formats.bare(features.value(row, field.name), field);
      return make("div", { role: "gridcell", class: number ? "gm-number" : "", title: text }, text);
    });
    const attributes = {
      role: "row",
      id: `gm-row-${at}`,
      "aria-rowindex": String(at + 2),
      "aria-selected": String(at === this.active),
    };
    const line = make("div", attributes, ...cells);
    line.style.top = `${at * ROW}px`;
    line.addEventListener("click", () => this.go(at));
    return line;
  }

  private press(event: KeyboardEvent): void {
    if (event.target !== this.scroller) return;
    const page = Math.max(Math.floor(this.scroller.clientHeight / ROW) - 2, 1);
    const moves: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    if (event.key in moves) {
      event.preventDefault();
      this.mark(Math.min(Math.max(this.active + moves[event.key], 0), this.rows.length - 1));
    } else if (event.key === "Enter" && this.active >= 0) {
      this.go(this.active);
    }
  }

  private mark(at: number): void {
    this.active = at;
    const top = at * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    const bottom = top + 2 * ROW - clientHeight;
    if (bottom > scrollTop) this.scroller.scrollTop = bottom;
    this.drawRows();
    this.scroller.setAttribute("aria-activedescendant", `gm-row-${at}`);
  }

  private go(at: number): void {
    this.mark(at);
    const { features } = this;
    if (features) goTo(this.context, features, this.rows[at]);
  }

  /** Saves what the table lists, in its order, raw times and numbers as they are. */
  private save(): void {
    const { features, columns, context } = this;
    if (!features) return;
    const heads = columns.map(({ label, unit }) => {
      const said = context.say(unit);
      return said ? `${context.say(label)} (${said})` : context.say(label);
    });
    const lines = this.rows.map((row) =>
      columns.map((field) => context.formats.plain(features.value(row, field.name), field)),
    );
    download(`${features.name}.csv`, "text/csv", toCsv([heads, ...lines]));
  }
}
