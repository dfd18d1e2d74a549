import { spoken, toolButton } from "./card";
import type { Context, Licence } from "./context";
import { make } from "./dom";

declare global {
  /** Licences of the plugins that a page has taken in. */
  var gridmapPlugins: Licence[] | undefined;
}

/** The dialogue that names the packages in the page and shows their licences. */
export function aboutDialog(context: Context): HTMLDialogElement {
  const dialog = make("dialog", { class: "gm-about" });
  context.speak(() => dialog.setAttribute("aria-label", context.text("about")));
  dialog.append(
    make(
      "div",
      { class: "gm-card-head" },
      make(
        "h2",
        { class: "gm-card-title" },
        spoken(context, () => context.text("about")),
      ),
      toolButton(context, "close", "close", () => dialog.close()),
    ),
    make(
      "p",
      {},
      spoken(context, () => context.text("about_text")),
    ),
    ...[...context.config.licences, ...(globalThis.gridmapPlugins ?? [])].map(licenceDetails),
  );
  // The backdrop belongs to the dialogue: a click there has the dialogue itself as its target.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  return dialog;
}

function licenceDetails({ name, version, licence, text }: Licence): HTMLElement {
  return make(
    "details",
    {},
    make("summary", {}, `${name} ${version} · ${licence}`),
    make("pre", { tabindex: "0" }, text),
  );
}
