import type { Context } from "./context";
import { iconButton, make, relabel } from "./dom";

const PAUSE_MS = 900;

export interface Step {
  label: string;
  count: number;
}

/** A slider over "all" (step -1) and every step, with a bar chart of the counts, and play. */
export class Timeline {
  readonly card: HTMLElement;
  private readonly bars: HTMLElement[];
  private readonly slider: HTMLInputElement;
  private readonly all: HTMLButtonElement;
  private readonly label = make("output", { class: "gm-time-label" });
  private readonly play: HTMLButtonElement;
  private timer = 0;

  constructor(
    private readonly context: Context,
    title: string,
    private readonly steps: Step[],
    private readonly changed: (step: number) => void,
  ) {
    this.bars = this.drawBars();
    this.slider = this.drawSlider();
    this.all = make("button", { type: "button", class: "gm-all" }, context.text("all"));
    this.all.addEventListener("click", () => this.choose(-1));
    this.play = iconButton("play", context.text("play"), () => this.toggle());
    const chart = make("div", { class: "gm-bars", "aria-hidden": "true" }, ...this.bars);
    const track = make("div", { class: "gm-track" }, chart, this.slider);
    track.style.setProperty("--stops", String(steps.length + 1));
    const head = make("h2", { class: "gm-card-title" }, title);
    this.card = make(
      "section",
      { class: "gm-card gm-timeline" },
      make("div", { class: "gm-card-head" }, head, this.label),
      make("div", { class: "gm-time-row" }, this.play, this.all, track),
    );
    this.show(-1);
  }

  /** Stops playing. */
  pause(): void {
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
    this.changed(step);
  }

  private show(step: number): void {
    const { formats } = this.context;
    const total = this.steps.reduce((sum, { count }) => sum + count, 0);
    const label = step < 0 ? this.context.text("all") : this.steps[step].label;
    const count = formats.number(step < 0 ? total : this.steps[step].count);
    this.label.replaceChildren(make("strong", {}, label), ` ${count}`);
    this.slider.setAttribute("aria-valuetext", `${label}: ${count}`);
    this.all.setAttribute("aria-pressed", String(step < 0));
    this.bars.forEach((bar, index) => {
      bar.classList.toggle("gm-current", step < 0 || step === index);
    });
  }

  private drawBars(): HTMLElement[] {
    const most = Math.max(1, ...this.steps.map(({ count }) => count));
    return this.steps.map(({ label, count }, index) => {
      const title = `${label}: ${this.context.formats.number(count)}`;
      const bar = make("div", { class: "gm-bar", title });
      bar.style.setProperty("--share", String(count / most));
      bar.addEventListener("click", () => this.choose(index));
      return bar;
    });
  }

  private drawSlider(): HTMLInputElement {
    const slider = make("input", {
      type: "range",
      min: "0",
      max: String(this.steps.length),
      value: "0",
      "aria-label": this.context.text("time"),
    });
    slider.addEventListener("input", () => this.choose(this.step));
    return slider;
  }
}
