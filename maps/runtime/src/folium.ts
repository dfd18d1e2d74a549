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

/** Gives folium's plain elements what they expect to find in a page. */
export function supportFolium(): void {
  Object.assign(window, { $: query });
  // Leaflet guesses the folder of its icons from a style sheet's URL: there is none here.
  Reflect.deleteProperty(L.Icon.Default.prototype, "_getIconUrl");
  L.Icon.Default.mergeOptions({ iconUrl: icon, iconRetinaUrl: retina, shadowUrl: shadow });
}
