import { spoken } from "./card";
import type { Context } from "./context";
import { make } from "./dom";
import type { Features } from "./features";
import { filteringOf } from "./filtering";
import type { Field, Value } from "./format";

/** A field with more values than this is no category. */
const MOST_VALUES = 40;
/** Rows looked at to see whether a text is a category. */
const SAMPLE = 5_000;

/** Keeps the rows of one layer that have a value in a range, or one of some values. */
export class FilterBar {
  readonly element: HTMLElement;
  private readonly fields = make("select", { class: "gm-select" });
  private readonly controls = make("span", { class: "gm-filter-controls" });
  private readonly byField = new Map<string, (value: Value) => boolean>();
  private features: Features | undefined;

  constructor(private readonly context: Context) {
    this.fields.addEventListener("change", () => this.drawControls());
    this.element = make("div", { class: "gm-filter", role: "group" }, this.fields, this.controls);
    context.speak(() => {
      this.element.setAttribute("aria-label", context.text("filter"));
      this.fields.setAttribute("aria-label", context.text("filter"));
      this.drawFields();
      this.drawControls();
    });
  }

  choose(features: Features | undefined): void {
    if (features === this.features) return;
    this.clear();
    this.features = features;
    this.drawFields();
    this.drawControls();
  }

  private clear(): void {
    this.byField.clear();
    this.apply();
  }

  private drawFields(): void {
    const { context, features } = this;
    const offered = features ? features.fields.filter((field) => this.kindOf(features, field)) : [];
    const none = make("option", { value: "" }, context.text("filter"));
    const options = offered.map(({ name, label }) =>
      make("option", { value: name }, context.say(label)),
    );
    this.fields.replaceChildren(none, ...options);
    this.element.hidden = !offered.length;
  }

  private kindOf(features: Features, field: Field): "range" | "values" | null {
    if (!features.shown.includes(field.name)) return null;
    if (["number", "percent"].includes(field.format)) return "range";
    if (field.format !== "text") return null;
    const { size } = this.valuesOf(features, field);
    return size > 1 && size <= MOST_VALUES ? "values" : null;
  }

  private valuesOf(features: Features, { name }: Field): Map<Value, number> {
    const counts = new Map<Value, number>();
    for (let row = 0; row < features.count; row++) {
      const value = features.value(row, name);
      counts.set(value, (counts.get(value) ?? 0) + 1);
      if (row < SAMPLE && counts.size > MOST_VALUES) break;
    }
    return counts;
  }

  private drawControls(): void {
    const { features, context } = this;
    const field = features?.fields.find(({ name }) => name === this.fields.value);
    if (!features || !field) {
      this.controls.replaceChildren();
      if (this.byField.size) this.clear();
      return;
    }
    for (const name of [...this.byField.keys()]) if (name !== field.name) this.byField.delete(name);
    this.apply();
    const drawn =
      this.kindOf(features, field) === "range"
        ? this.drawRange(features, field)
        : [this.drawValues(features, field)];
    const reset = make("button", { type: "button", class: "gm-all" });
    reset.append(spoken(context, () => context.text("reset")));
    reset.addEventListener("click", () => {
      this.fields.value = "";
      this.drawControls();
    });
    this.controls.replaceChildren(...drawn, reset);
  }

  private drawRange(features: Features, field: Field): HTMLElement[] {
    let [low, high] = [Infinity, -Infinity];
    for (let row = 0; row < features.count; row++) {
      const value = features.value(row, field.name);
      if (typeof value !== "number") continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const box = (key: string, value: number) =>
      make("input", {
        type: "number",
        step: "any",
        class: "gm-range",
        placeholder: this.context.formats.plain(value, field).toString(),
        "aria-label": `${this.context.say(field.label)}: ${this.context.text(key)}`,
      });
    const [least, most] = [box("at_least", low), box("at_most", high)];
    const keep = () => {
      // An empty box leaves its side open.
      const [from, to] = [least.valueAsNumber, most.valueAsNumber];
      if (Number.isNaN(from) && Number.isNaN(to)) this.byField.delete(field.name);
      else {
        this.byField.set(
          field.name,
          (value) => typeof value === "number" && !(value < from) && !(value > to),
        );
      }
      this.apply();
    };
    for (const input of [least, most]) input.addEventListener("input", keep);
    return [least, make("span", { "aria-hidden": "true" }, "–"), most];
  }

  private drawValues(features: Features, field: Field): HTMLElement {
    const { context } = this;
    const off = new Set<Value>();
    const values = [...this.valuesOf(features, field)].map(([value, count]) => ({
      value,
      count,
      text: context.formats.field(value, field),
    }));
    const order = Object.keys(field.categories ?? {});
    const collator = new Intl.Collator(context.lang, { numeric: true });
    values.sort(
      (a, b) =>
        order.indexOf(String(a.value)) - order.indexOf(String(b.value)) ||
        collator.compare(a.text, b.text),
    );
    const boxes = values.map(({ value, count, text }) => {
      const box = make("input", { type: "checkbox" });
      box.checked = true;
      box.addEventListener("change", () => {
        if (box.checked) off.delete(value);
        else off.add(value);
        if (off.size) this.byField.set(field.name, (one) => !off.has(one));
        else this.byField.delete(field.name);
        this.apply();
      });
      const number = make("span", { class: "gm-count" }, context.formats.number(count));
      return make("label", {}, box, make("span", { class: "gm-label" }, text), number);
    });
    const summary = make("summary", {}, context.say(field.label));
    return make("details", { class: "gm-values" }, summary, make("div", {}, ...boxes));
  }

  private apply(): void {
    const { features } = this;
    if (!features) return;
    const tests = [...this.byField];
    const keep = (_: unknown, row: number) =>
      tests.every(([name, holds]) => holds(features.value(row, name))) ? 1 : 0;
    const mask = tests.length ? Uint8Array.from({ length: features.count }, keep) : null;
    filteringOf(this.context, features).set("value", mask);
  }
}
