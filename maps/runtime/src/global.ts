import L from "leaflet";

// Leaflet plugins, ours and those of folium, look for a global L as they load.
Object.assign(window, { L });
