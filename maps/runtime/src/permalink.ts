import L from "leaflet";
import type { Context } from "./context";
import { setTheme, THEMES, theme } from "./theme";
import { timeOf } from "./time";

const PRECISION = 5;

/** Keeps the state of the page in its address, and takes it from there. */
export function startPermalink(context: Context): void {
  const { map } = context;
  const first = shownOverlays(context);
  // A page inside a page (Jupyter) has no address of its own.
  if (window.location.protocol === "about:") return;
  restore(context, window.location.hash);
  window.addEventListener("hashchange", () => restore(context, window.location.hash));
  const save = () => {
    const hash = describe(context, first);
    if (hash !== window.location.hash) window.history.replaceState(null, "", hash);
  };
  map.on("moveend gridmap:overlays gridmap:time gridmap:language gridmap:state", save);
}

function shownOverlays(context: Context): string[] {
  return [...context.overlays.keys()].filter((name) => context.isShown(name));
}

function describe(context: Context, first: string[]): string {
  const { map } = context;
  const { lat, lng } = map.getCenter();
  const place = [lat, lng].map((degrees) => degrees.toFixed(PRECISION));
  const state: [key: string, value: string][] = [["map", [map.getZoom(), ...place].join("/")]];
  const shown = shownOverlays(context);
  // A layer without a name stands for none at all.
  const names = shown.length ? shown : [""];
  if (String(shown) !== String(first)) for (const name of names) state.push(["layer", name]);
  const { chosen } = timeOf(context);
  if (chosen) state.push(["time", chosen]);
  if (context.lang !== context.config.lang) state.push(["lang", context.lang]);
  if (theme() !== "auto") state.push(["theme", theme()]);
  const written = state.map(([key, value]) => `${key}=${encodeURIComponent(value)}`);
  return `#${written.join("&").replaceAll("%2F", "/")}`;
}

/** Takes over what a hash says; what it does not say, or says wrongly, stays. */
function restore(context: Context, hash: string): void {
  const state = new URLSearchParams(hash.slice(1));
  context.lang = state.get("lang") ?? context.lang;
  const look = THEMES.find((one) => one === state.get("theme"));
  if (look) setTheme(look);
  if (state.has("layer")) showOnly(context, new Set(state.getAll("layer")));
  const time = state.get("time");
  if (time !== null) timeOf(context).chosen = time;
  const place = (state.get("map") ?? "").split("/").map(Number);
  if (place.length === 3 && place.every(Number.isFinite)) {
    const [zoom, lat, lng] = place;
    context.map.setView(L.latLng(lat, lng), zoom, { animate: false });
  }
}

function showOnly({ map, overlays }: Context, names: Set<string>): void {
  for (const [name, layer] of overlays) {
    if (names.has(name)) map.addLayer(layer);
    else map.removeLayer(layer);
  }
}
