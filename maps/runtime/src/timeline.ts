import { spoken } from "./card";
import type { Context } from "./context";
import { iconButton, make, relabel } from "./dom";
import type { Span, Unit } from "./spans";
import { Swipe } from "./swipe";
import { type Slider, type Time, timeOf } from "./time";

const PAUSE_MS = 900;

/** Puts the slider on the page, if anything there is timed. */
export function startTimeline(context: Context): void {
  const time = timeOf(context);
  if (!time.timed.length) return;
  if (!time.units.includes(time.unit)) time.unit = time.units.at(-1) ?? time.unit;
  const timeline = new Timeline(context, time);
  time.slider = timeline;
  context.watch(() => timeline.refresh());
}

/** A slider over "all" (step -1) and every step, with a bar chart of the counts, and play. */
class Timeline implements Slider {
  readonly card: HTMLElement;
  private steps: Span[];
  private bars: HTMLElement[] = [];
  private readonly chart = make("div", { class: "gm-bars", "aria-hidden": "true" });
  private readonly track: HTMLElement;
  private readonly slider = make("input", { type: "range", min: "0", value: "0" });
  private readonly all: HTMLButtonElement;
  private readonly label = make("output", { class: "gm-time-label" });
  private readonly play: HTMLButtonElement;
  private readonly units: HTMLSelectElement;
  private readonly swipe: Swipe | null;
  private timer = 0;

  constructor(
    private readonly context: Context,
    private readonly time: Time,
  ) {
    this.steps = time.steps(time.unit);
    this.all = make("button", { type: "button", class: "gm-all" });
    this.all.append(spoken(context, () => context.text("all")));
    this.all.addEventListener("click", () => this.choose(-1));
    this.play = iconButton("play", "", () => this.toggle());
    this.slider.addEventListener("input", () => this.choose(this.step));
    this.units = this.drawUnits();
    this.track = make("div", { class: "gm-track" }, this.chart, this.slider);
    this.swipe = time.timed.some(({ compare }) => compare) ? new Swipe(context, time) : null;
    const title = spoken(context, () => context.text("time"));
    const head = make("h2", { class: "gm-card-title" }, title);
    this.card = make(
      "section",
      { class: "gm-card gm-timeline" },
      make("div", { class: "gm-card-head" }, head, this.label, this.units),
      make("div", { class: "gm-time-row" }, this.play, this.all, this.track),
      this.swipe?.row ?? null,
    );
    context.speak(() => this.redraw());
  }

  /** Is there while something timed is shown, and counts what is shown. */
  refresh(): void {
    const shown = this.time.timed.some(({ overlay }) => this.context.isShown(overlay));
    if (shown) {
      if (!this.card.isConnected) this.context.frame["bottom-centre"].append(this.card);
      this.drawBars();
      this.show(this.step);
      return;
    }
    this.pause();
    this.swipe?.stop();
    this.card.remove();
  }

  get chosen(): string {
    return this.step < 0 ? "" : `${this.time.unit}.${this.steps[this.step][0]}`;
  }

  restore(text: string): void {
    const [unit, day] = text.split(".");
    if (this.time.units.includes(unit as Unit)) this.setUnit(unit as Unit);
    this.choose(this.steps.findIndex(([from, to]) => from <= Number(day) && Number(day) < to));
  }

  private pause(): void {
    window.clearInterval(this.timer);
    this.timer = 0;
    relabel(this.play, "play", this.context.text("play"));
  }

  private get step(): number {
    return this.slider.valueAsNumber - 1;
  }

  private toggle(): void {
    if (this.timer) {
      this.pause();
      return;
    }
    const advance = () => this.go((this.step + 1) % this.steps.length);
    advance();
    this.timer = window.setInterval(advance, PAUSE_MS);
    relabel(this.play, "pause", this.context.text("pause"));
  }

  /** The reader's own choice ends playing. */
  private choose(step: number): void {
    this.pause();
    this.go(step);
  }

  private go(step: number): void {
    this.slider.valueAsNumber = step + 1;
    this.show(step);
    for (const timed of this.time.timed) timed.show(step < 0 ? null : this.steps[step]);
    this.context.map.fire("gridmap:time");
  }

  private setUnit(unit: Unit): void {
    this.time.unit = unit;
    this.units.value = unit;
    this.steps = this.time.steps(unit);
    this.slider.valueAsNumber = 0;
    this.redraw();
  }

  private redraw(): void {
    const { context } = this;
    this.slider.max = String(this.steps.length);
    this.slider.setAttribute("aria-label", context.text("time"));
    this.units.setAttribute("aria-label", context.text("time_unit"));
    for (const option of this.units.options) option.text = context.text(`by_${option.value}`);
    this.track.style.setProperty("--stops", String(this.steps.length + 1));
    relabel(this.play, this.timer ? "pause" : "play", context.text(this.timer ? "pause" : "play"));
    this.swipe?.setSteps(this.steps, this.time.unit);
    this.drawBars();
    this.show(this.step);
  }

  private name(step: number): string {
    return step < 0 ? this.context.text("all") : this.time.label(this.steps[step], this.time.unit);
  }

  private show(step: number): void {
    const count = this.context.formats.number(
      this.time.count(step < 0 ? this.time.span : this.steps[step]),
    );
    const label = this.name(step);
    this.label.replaceChildren(make("strong", {}, label), ` ${count}`);
    this.slider.setAttribute("aria-valuetext", `${label}: ${count}`);
    this.all.setAttribute("aria-pressed", String(step < 0));
    this.bars.forEach((bar, index) => {
      bar.classList.toggle("gm-current", step < 0 || step === index);
    });
  }

  private drawBars(): void {
    const counts = this.steps.map((span) => this.time.count(span));
    const most = counts.reduce((a, b) => Math.max(a, b), 1);
    this.bars = counts.map((count, index) => {
      const title = `${this.name(index)}: ${this.context.formats.number(count)}`;
      const bar = make("div", { class: "gm-bar", title });
      bar.style.setProperty("--share", String(count / most));
      bar.addEventListener("click", () => this.choose(index));
      return bar;
    });
    this.chart.replaceChildren(...this.bars);
  }

  private drawUnits(): HTMLSelectElement {
    const options = this.time.units.map((value) => make("option", { value }));
    const units = make("select", { class: "gm-select" }, ...options);
    units.value = this.time.unit;
    units.addEventListener("change", () => {
      this.setUnit(units.value as Unit);
      this.choose(-1);
    });
    return units;
  }
}
