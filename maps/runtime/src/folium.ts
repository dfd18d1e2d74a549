import L from "leaflet";
import icon from "leaflet/dist/images/marker-icon.png";
import retina from "leaflet/dist/images/marker-icon-2x.png";
import shadow from "leaflet/dist/images/marker-shadow.png";

/** What folium's own templates (popups, "keep in front") use of jQuery: `$(html)[0]`, `ready`. */
function query(of: string | Document): Node[] | { ready: (callback: () => void) => void } {
  if (typeof of !== "string") {
    return { ready: (callback) => of.addEventListener("DOMContentLoaded", callback) };
  }
  const template = document.createElement("template");
  template.innerHTML = of.trim();
  return [...template.content.childNodes];
}

/** What `folium.Icon` and clusters ask for: a pin of a colour, without the fonts of its glyphs. */
function pin({ markerColor = "blue" }: { markerColor?: string } = {}): L.DivIcon {
  const head = document.createElement("span");
  head.style.background = CSS.supports("color", markerColor) ? markerColor : "";
  return L.divIcon({
    className: "gm-marker",
    html: head,
    iconSize: [22, 30],
    iconAnchor: [11, 30],
  });
}

/** Gives folium's plain elements what they expect to find in a page. */
export function supportFolium(): void {
  Object.assign(window, { $: query });
  Object.assign(L, { AwesomeMarkers: { icon: pin } });
  // Leaflet guesses the folder of its icons from a style sheet's URL: there is none here.
  Reflect.deleteProperty(L.Icon.Default.prototype, "_getIconUrl");
  L.Icon.Default.mergeOptions({ iconUrl: icon, iconRetinaUrl: retina, shadowUrl: shadow });
}
