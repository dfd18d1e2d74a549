import { aboutDialog } from "./about";
import type { Context } from "./context";
import { make } from "./dom";
import { spoken, toolButton } from "./frame";
import { savePng } from "./png";
import { PAPERS, printMap } from "./print";
import { setTheme, THEMES, type Theme, theme } from "./theme";
import { LANGUAGES } from "./words";

/** The button and card with what concerns the page as a whole. */
export function menu(context: Context): { button: HTMLButtonElement; card: HTMLElement } {
  const about = aboutDialog(context);
  const languages = Object.entries(LANGUAGES).map(
    ([tag, name]) => [tag, () => name] as [string, () => string],
  );
  const themes = THEMES.map((name) => [name, () => context.text(`theme_${name}`)] as const);
  const lang = select(
    context,
    "language",
    languages,
    () => context.lang,
    (chosen) => {
      context.lang = chosen;
      context.map.fire("gridmap:state");
    },
  );
  const look = select(context, "theme", themes, theme, (chosen) => {
    setTheme(chosen as Theme);
    context.map.fire("gridmap:state");
  });
  const action = (say: () => string, run: () => void) => {
    const button = make("button", { type: "button", class: "gm-action" }, spoken(context, say));
    button.addEventListener("click", () => {
      show(false);
      run();
    });
    return button;
  };
  const card = make(
    "section",
    { class: "gm-card gm-menu" },
    lang,
    look,
    ...PAPERS.map((paper) =>
      action(
        () => context.text("print", { paper }),
        () => printMap(context, paper),
      ),
    ),
    action(
      () => context.text("save_png"),
      () => savePng(context),
    ),
    action(
      () => context.text("about"),
      () => about.showModal(),
    ),
  );
  card.hidden = true;
  const show = (open: boolean) => {
    card.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  const button = toolButton(context, "menu", "menu", () => show(Boolean(card.hidden)));
  button.setAttribute("aria-expanded", "false");
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
