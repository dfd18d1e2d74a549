import "./global";
import "leaflet/dist/leaflet.css";
import "./style.css";
import { backdrop, localTiles, onlineTiles } from "./basemap";
import { supportFolium } from "./folium";
import { geoLayer } from "./geolayer";
import { labels } from "./labels";
import { layerSwitch } from "./layerswitch";
import { legend } from "./legend";
import { packedFeatures, packedPoints } from "./packed/packed";
import { keepInFront, page } from "./page";
import { countByTime, followTime } from "./timed";
import { titleBlock } from "./titleblock";
import { whoIsResponsible } from "./who";

supportFolium();
Object.assign(window, {
  gridmap: {
    backdrop,
    localTiles,
    onlineTiles,
    countByTime,
    followTime,
    geoLayer,
    keepInFront,
    labels,
    layerSwitch,
    legend,
    packedFeatures,
    packedPoints,
    page,
    titleBlock,
    whoIsResponsible,
  },
});
