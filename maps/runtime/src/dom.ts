export type Child = Node | string | null;

/** Makes an element; strings become text nodes, so that data never turns into markup. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Makes a button with an icon from the runtime's own style sheet and an accessible name. */
export function iconButton(icon: string, label: string, onClick: () => void): HTMLButtonElement {
  const button = make("button", { type: "button", class: `gm-button gm-icon-${icon}` });
  button.addEventListener("click", onClick);
  relabel(button, icon, label);
  return button;
}

export function relabel(button: HTMLButtonElement, icon: string, label: string): void {
  button.className = button.className.replace(/gm-icon-\S+/, `gm-icon-${icon}`);
  button.title = label;
  button.setAttribute("aria-label", label);
}

/**
 * What features look like: their colour, as opaque as they are, and their outline. Colours are set
 * as properties, so that none can smuggle in other styles.
 */
export function swatch(
  { colour, opacity, edge }: { colour: string; opacity: number; edge: string | null },
  shape: string,
): HTMLElement {
  const fill = make("span", { class: "gm-swatch-fill" });
  fill.style.backgroundColor = colour;
  fill.style.opacity = String(opacity);
  const attributes = { class: `gm-swatch gm-swatch-${shape}`, "aria-hidden": "true" };
  const element = make("span", attributes, fill);
  if (edge) element.style.border = `1.5px solid ${edge}`;
  return element;
}

/** What draws on a canvas. */
export function penOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser has no canvas");
  return pen;
}

export function isNarrow(): boolean {
  return window.matchMedia("(max-width: 640px)").matches;
}
