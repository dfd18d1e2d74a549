import L from "leaflet";
import { spoken, toolButton } from "./card";
import { Context, type PageConfig } from "./context";
import { isNarrow, make } from "./dom";
import { menu } from "./menu";
import { startPermalink } from "./permalink";
import { Search } from "./search";
import { Table } from "./table";
import { followTheme } from "./theme";
import { startTimeline } from "./timeline";

const MARGIN = 24;

/** Makes the map of a page, with its tool bar and scale. */
export function page(id: string, config: PageConfig, options: L.MapOptions): L.Map {
  const [west, south, east, north] = config.bounds;
  const bounds = L.latLngBounds([south, west], [north, east]);
  // Without a view until all is there, so that every layer is drawn once.
  const { center: _center, zoom: _zoom, ...rest } = options;
  const map = L.map(id, { renderer: L.canvas({ padding: 0.3, tolerance: 3 }), ...rest });
  map.attributionControl?.setPrefix(false);
  // Plugins look at the view as soon as they are added.
  if (globalThis.gridmapPlugins) map.fitBounds(bounds, { animate: false });
  let placed = false;
  map.whenReady(() => {
    placed = true;
  });
  const box = map.getContainer();
  box.addEventListener("pointerdown", () => box.classList.add("gm-pointed"));
  box.addEventListener("blur", () => box.classList.remove("gm-pointed"));
  const context = new Context(map, config);
  followTheme(map);
  context.speak(() => {
    document.documentElement.lang = context.lang;
    document.title = context.say(config.title);
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", context.say(config.title));
  });
  addTools(context, bounds);
  document.addEventListener("DOMContentLoaded", () => {
    if (context.geoLayers.size) context.frame["top-left"].append(new Search(context).card);
    startTimeline(context);
  });
  // By then every card has its place.
  window.addEventListener("load", () => {
    // A view that the page's author has set since then stays.
    if (!placed) fit(context, bounds, false);
    startPermalink(context);
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
  const zoomIn = toolButton(context, "plus", "zoom_in", () => map.zoomIn());
  const zoomOut = toolButton(context, "minus", "zoom_out", () => map.zoomOut());
  const home = toolButton(context, "home", "home", () => fit(context, bounds, true));
  const more = menu(context);
  const limit = () => {
    zoomIn.disabled = map.getZoom() >= map.getMaxZoom();
    zoomOut.disabled = map.getZoom() <= map.getMinZoom();
  };
  map.on("zoomend viewreset", limit);
  const scale = L.control.scale({ imperial: false, maxWidth: 120 }).addTo(map).getContainer();
  const north = make(
    "div",
    { class: "gm-north" },
    spoken(context, () => context.text("north")),
  );
  const tools = make("div", { class: "gm-tools", role: "group" }, zoomIn, zoomOut, home);
  document.addEventListener("DOMContentLoaded", () => {
    if (context.geoLayers.size) tools.append(tableButton(context));
    tools.append(more.button);
  });
  const foot = make("div", { class: "gm-foot" }, north, ...(scale ? [scale] : []));
  const row = make("div", { class: "gm-tool-row" }, tools, more.card);
  frame["bottom-left"].append(row, foot);
}

function tableButton(context: Context): HTMLButtonElement {
  const show = (open: boolean) => {
    if (open) table.open();
    else table.close();
    button.setAttribute("aria-expanded", String(open));
    if (!open) button.focus();
  };
  const button = toolButton(context, "table", "table", () => show(Boolean(table.panel.hidden)));
  button.setAttribute("aria-expanded", "false");
  const table = new Table(context, () => show(false));
  context.map.getContainer().closest(".gm-page")?.append(table.panel);
  return button;
}

/** folium's `Map.keep_in_front`: these layers come to the front now and after each switching-on. */
export function keepInFront(map: L.Map, layers: () => L.FeatureGroup[]): void {
  const raise = () => {
    for (const layer of layers()) if (map.hasLayer(layer)) layer.bringToFront();
  };
  map.on("overlayadd", raise);
  document.addEventListener("DOMContentLoaded", raise);
}
