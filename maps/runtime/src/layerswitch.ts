import type L from "leaflet";
import { contextOf } from "./context";
import { make } from "./dom";
import { makeCard } from "./frame";

export interface Overlay {
  name: string;
  layer: L.Layer;
}

/** Check boxes that switch overlays; `overlays` is asked once all of the page's script has run. */
export function layerSwitch(map: L.Map, overlays: () => Overlay[]): HTMLElement {
  const context = contextOf(map);
  const list = make("ul", {});
  const labels = { expand: context.text("expand"), collapse: context.text("collapse") };
  const card = makeCard(
    { heading: context.text("layers"), className: "gm-layers", labels, foldWhenNarrow: true },
    list,
  );
  context.frame["top-right"].append(card);
  document.addEventListener("DOMContentLoaded", () => {
    const all = overlays();
    for (const { name, layer } of all) context.register(name, layer);
    list.append(...all.map((overlay) => drawBox(map, overlay, () => restack(map, all))));
  });
  return card;
}

function drawBox(map: L.Map, { name, layer }: Overlay, changed: () => void): HTMLElement {
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
  return make("li", {}, make("label", {}, box, make("span", {}, name)));
}

/** A layer that comes back would lie on top: put all in the order of the list again. */
function restack(map: L.Map, overlays: Overlay[]): void {
  for (const { layer } of overlays) {
    if (map.hasLayer(layer) && "bringToFront" in layer) (layer as L.FeatureGroup).bringToFront();
  }
}
