import type { Context } from "./context";
import { iconButton, isNarrow, make, relabel } from "./dom";

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
