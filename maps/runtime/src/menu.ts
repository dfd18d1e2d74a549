import { aboutDialog } from "./about";
import { spoken, toolButton } from "./card";
import type { Context } from "./context";
import { make } from "./dom";
import { savePng } from "./png";
import { PAPERS, printMap } from "./print";
import { setTheme, THEMES, type Theme, theme } from "./theme";
import { LANGUAGES } from "./words";

/** The button and card with what concerns the page as a whole. */
export function menu(context: Context): { button: HTMLButtonElement; card: HTMLElement } {
  const card = make("section", { class: "gm-card gm-menu" });
  card.hidden = true;
  const show = (open: boolean) => {
    card.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  const button = toolButton(context, "menu", "menu", () => show(Boolean(card.hidden)));
  button.setAttribute("aria-expanded", "false");
  card.append(...choices(context), ...actions(context, () => show(false)));
  card.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    show(false);
    button.focus();
  });
  // It covers other cards: what takes the focus elsewhere closes it.
  document.addEventListener("focusin", ({ target }) => {
    const inside = target === button || card.contains(target as Node);
    if (!inside && !card.hidden) show(false);
  });
  context.speak(() => card.setAttribute("aria-label", context.text("menu")));
  return { button, card };
}

/** Language and appearance. */
function choices(context: Context): HTMLElement[] {
  const languages = Object.entries(LANGUAGES).map(([tag, name]) => [tag, () => name] as const);
  const themes = THEMES.map((name) => [name, () => context.text(`theme_${name}`)] as const);
  const speak = (chosen: string) => {
    context.lang = chosen;
    context.map.fire("gridmap:state");
  };
  const look = (chosen: string) => {
    setTheme(chosen as Theme);
    context.map.fire("gridmap:state");
  };
  return [
    select(context, "language", languages, () => context.lang, speak),
    select(context, "theme", themes, theme, look),
  ];
}

/** What can be done with the page; each closes the menu first. */
function actions(context: Context, close: () => void): HTMLElement[] {
  const about = aboutDialog(context);
  const action = (say: () => string, run: () => void) => {
    const button = make("button", { type: "button", class: "gm-action" }, spoken(context, say));
    button.addEventListener("click", () => {
      close();
      run();
    });
    return button;
  };
  const print = (paper: (typeof PAPERS)[number]) =>
    action(
      () => context.text("print", { paper }),
      () => printMap(context, paper),
    );
  const save = action(
    () => context.text("save_png"),
    () => savePng(context),
  );
  const tell = action(
    () => context.text("about"),
    () => about.showModal(),
  );
  return [...PAPERS.map(print), save, tell];
}

function select(
  context: Context,
  key: string,
  choices: readonly (readonly [string, () => string])[],
  now: () => string,
  choose: (chosen: string) => void,
): HTMLElement {
  const options = choices.map(([value]) => make("option", { value }));
  const box = make("select", { class: "gm-select" }, ...options);
  const sync = () => {
    options.forEach((option, index) => {
      option.text = choices[index][1]();
    });
    box.value = now();
  };
  context.speak(sync);
  context.map.on("gridmap:theme", sync);
  box.addEventListener("change", () => choose(box.value));
  return make(
    "label",
    {},
    make(
      "span",
      {},
      spoken(context, () => context.text(key)),
    ),
    box,
  );
}
