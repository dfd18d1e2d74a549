import type L from "leaflet";
import { makeCard, spoken } from "./card";
import { type Context, contextOf } from "./context";
import { make } from "./dom";
import type { Words } from "./words";

export interface Overlay {
  name: string;
  title: Words;
  /** The heading that the overlay stands under; empty: none. */
  group: Words;
  layer: L.Layer;
}

/** Check boxes that switch overlays; `overlays` is asked once all of the page's script has run. */
export function layerSwitch(map: L.Map, overlays: () => Overlay[]): HTMLElement {
  const context = contextOf(map);
  const list = make("div", {});
  const card = makeCard(
    context,
    { heading: () => context.text("layers"), className: "gm-layers", foldWhenNarrow: true },
    list,
  );
  context.frame["top-right"].append(card);
  document.addEventListener("DOMContentLoaded", () => {
    const all = overlays();
    for (const { name, layer } of all) context.register(name, layer);
    list.append(...drawGroups(context, all));
  });
  return card;
}

function drawGroups(context: Context, all: Overlay[]): HTMLElement[] {
  const { map } = context;
  // What stands under no heading comes first, or it would seem to belong to the one above.
  const groups = new Map<string, Overlay[]>([[JSON.stringify(""), []]]);
  for (const overlay of all) {
    const key = JSON.stringify(overlay.group);
    groups.set(key, [...(groups.get(key) ?? []), overlay]);
  }
  const filled = [...groups.values()].filter(({ length }) => length);
  return filled.map((group) => {
    const boxes = group.map((overlay) => drawBox(context, overlay, () => restack(map, all)));
    const [{ group: title }] = group;
    if (!title) return make("ul", {}, ...boxes);
    const heading = make(
      "legend",
      {},
      spoken(context, () => context.say(title)),
    );
    return make("fieldset", {}, heading, make("ul", {}, ...boxes));
  });
}

function drawBox(context: Context, { title, layer }: Overlay, changed: () => void): HTMLElement {
  const { map } = context;
  const box = make("input", { type: "checkbox" });
  const sync = () => {
    box.checked = map.hasLayer(layer);
  };
  box.addEventListener("change", () => {
    if (box.checked) map.addLayer(layer);
    else map.removeLayer(layer);
    changed();
  });
  layer.on("add remove", sync);
  sync();
  const name = make(
    "span",
    {},
    spoken(context, () => context.say(title)),
  );
  return make("li", {}, make("label", {}, box, name));
}

/** A layer that comes back would lie on top: put all in the order of the list again. */
function restack(map: L.Map, overlays: Overlay[]): void {
  for (const { layer } of overlays) {
    if (map.hasLayer(layer) && "bringToFront" in layer) (layer as L.FeatureGroup).bringToFront();
  }
}
