import L from "leaflet";
import type { Context } from "./context";
import { readState, writeState } from "./pagestate";
import { setTheme, THEMES, theme } from "./theme";
import { timeOf } from "./time";

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
  const shown = shownOverlays(context);
  return writeState({
    place: [map.getZoom(), lat, lng],
    layers: String(shown) === String(first) ? null : shown,
    time: timeOf(context).chosen || null,
    lang: context.lang === context.config.lang ? null : context.lang,
    theme: theme() === "auto" ? null : theme(),
  });
}

/** Takes over what a hash says; what it does not say, or says wrongly, stays. */
function restore(context: Context, hash: string): void {
  const state = readState(hash);
  context.lang = state.lang ?? context.lang;
  const look = THEMES.find((one) => one === state.theme);
  if (look) setTheme(look);
  if (state.layers) showOnly(context, new Set(state.layers));
  if (state.time !== null) timeOf(context).chosen = state.time;
  if (!state.place) return;
  const [zoom, lat, lng] = state.place;
  context.map.setView(L.latLng(lat, lng), zoom, { animate: false });
}

function showOnly({ map, overlays }: Context, names: Set<string>): void {
  for (const [name, layer] of overlays) {
    if (names.has(name)) map.addLayer(layer);
    else map.removeLayer(layer);
  }
}
