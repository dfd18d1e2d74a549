import L from "leaflet";
import { aboutDialog } from "./about";
import { Context, type PageConfig } from "./context";
import { iconButton, isNarrow, make } from "./dom";

const MARGIN = 24;

/** Makes the map of a page, with its tool bar and scale. */
export function page(id: string, config: PageConfig, options: L.MapOptions): L.Map {
  const [west, south, east, north] = config.bounds;
  const bounds = L.latLngBounds([south, west], [north, east]);
  const map = L.map(id, { renderer: L.canvas({ padding: 0.3, tolerance: 3 }), ...options });
  map.attributionControl?.setPrefix(false);
  map.fitBounds(bounds);
  const box = map.getContainer();
  box.addEventListener("pointerdown", () => box.classList.add("gm-pointed"));
  box.addEventListener("blur", () => box.classList.remove("gm-pointed"));
  const context = new Context(map, config);
  addTools(context, bounds);
  const first = map.getBounds();
  document.addEventListener("DOMContentLoaded", () => {
    // A view that the page's author has set since then stays.
    if (map.getBounds().equals(first)) fit(context, bounds, false);
  });
  return map;
}

/** Fits the bounds into what the cards leave free. */
function fit({ map, frame }: Context, bounds: L.LatLngBounds, animate: boolean): void {
  const top = isNarrow() ? frame["top-left"].offsetHeight + frame["top-right"].offsetHeight : 0;
  map.fitBounds(bounds, {
    paddingTopLeft: [MARGIN, MARGIN + top],
    paddingBottomRight: [MARGIN, MARGIN + frame["bottom-centre"].offsetHeight],
    animate,
  });
}

function addTools(context: Context, bounds: L.LatLngBounds): void {
  const { map, frame } = context;
  const about = aboutDialog(context);
  const zoomIn = iconButton("plus", context.text("zoom_in"), () => map.zoomIn());
  const zoomOut = iconButton("minus", context.text("zoom_out"), () => map.zoomOut());
  const home = iconButton("home", context.text("home"), () => fit(context, bounds, true));
  const info = iconButton("about", context.text("about"), () => about.showModal());
  const limit = () => {
    zoomIn.disabled = map.getZoom() >= map.getMaxZoom();
    zoomOut.disabled = map.getZoom() <= map.getMinZoom();
  };
  map.on("zoomend", limit);
  limit();
  const scale = L.control.scale({ imperial: false, maxWidth: 120 }).addTo(map).getContainer();
  const tools = make("div", { class: "gm-tools", role: "group" }, zoomIn, zoomOut, home, info);
  frame["bottom-left"].append(tools, ...(scale ? [scale] : []));
}

/** folium's `Map.keep_in_front`: these layers come to the front now and after each switching-on. */
export function keepInFront(map: L.Map, layers: () => L.FeatureGroup[]): void {
  const raise = () => {
    for (const layer of layers()) if (map.hasLayer(layer)) layer.bringToFront();
  };
  map.on("overlayadd", raise);
  document.addEventListener("DOMContentLoaded", raise);
}
