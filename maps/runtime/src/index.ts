import "./global";
import "leaflet.heat";
import "leaflet/dist/leaflet.css";
import "./style.css";
import { supportFolium } from "./folium";
import { geoLayer } from "./geolayer";
import { heatByTime } from "./heat";
import { layerSwitch } from "./layerswitch";
import { legend } from "./legend";
import { keepInFront, page } from "./page";
import { titleBlock } from "./titleblock";
import { whoIsResponsible } from "./who";

supportFolium();
Object.assign(window, {
  gridmap: {
    geoLayer,
    heatByTime,
    keepInFront,
    layerSwitch,
    legend,
    page,
    titleBlock,
    whoIsResponsible,
  },
});
