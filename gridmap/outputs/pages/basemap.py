"""What lies under a map: nothing by default, local tiles, an online service, the city's own data.

Only a base map from an online service makes a page ask the network; the page then names the hosts
of that service, and no others, in its Content-Security-Policy.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import folium
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from folium.map import Layer

from gridmap import messages
from gridmap.catalog import Basemap
from gridmap.crs import from_wgs84
from gridmap.errors import OutputError
from gridmap.messages import Words, words
from gridmap.outputs.pages.encoding import geometries
from gridmap.outputs.pages.runtime import RuntimeCall
from gridmap.outputs.pages.tiles import tiles_within

__all__ = ["Backdrop", "LocalTiles", "OnlineTiles", "add_basemap", "datum_of", "shifted"]

KEY_VARIABLE = "TIANDITU_KEY"


@dataclass(frozen=True)
class _Service:
    urls: tuple[str, ...]
    subdomains: str
    hosts: tuple[str, ...]
    attribution: str
    deepest: int
    datum: Literal["WGS 84", "GCJ-02"] = "WGS 84"
    # Whether other pages may read the pixels, so that a picture of the map can hold them.
    shared: bool = False


_TIANDITU = (
    "https://t{s}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    "&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    "&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}"
)
_SERVICES = {
    "osm": _Service(
        ("https://tile.openstreetmap.org/{z}/{x}/{y}.png",),
        "",
        ("https://tile.openstreetmap.org",),
        "© OpenStreetMap contributors",
        19,
        shared=True,
    ),
    "tianditu": _Service(
        tuple(_TIANDITU.replace("{layer}", layer) for layer in ("vec", "cva")),
        "01234567",
        ("https://*.tianditu.gov.cn",),
        "© 天地图 国家地理信息公共服务平台",
        18,
    ),
    "amap": _Service(
        (
            "https://webrd0{s}.is.autonavi.com/appmaptile"
            "?lang=zh_cn&size=1&scale=1&style=8&x={x}&y={y}&z={z}",
        ),
        "1234",
        ("https://*.is.autonavi.com",),
        "© 高德地图 AutoNavi",
        18,
        datum="GCJ-02",
    ),
}


class OnlineTiles(RuntimeCall, Layer):
    """Tiles of an online service; the page needs a network for them, and for nothing else.

    Parameters
    ----------
    service : str
        ``"osm"``, ``"tianditu"`` or ``"amap"``. What lies on Amap must be in GCJ-02: see
        :func:`shifted`.
    key : str
        The user's own, for Tianditu; by default the environment variable ``TIANDITU_KEY``. It
        stands in the page.

    Raises
    ------
    OutputError
        If the service is not known, or needs a key and there is none.
    """

    function = "onlineTiles"

    def __init__(self, service: str, *, key: str = "") -> None:
        if service not in _SERVICES:
            known = ", ".join(_SERVICES)
            raise OutputError("basemap.unknown", name=service, known=known)
        found = _SERVICES[service]
        key = key or os.environ.get(KEY_VARIABLE, "")
        if service == "tianditu" and not key:
            raise OutputError("basemap.key", variable=KEY_VARIABLE)
        self.hosts = found.hosts
        config = {
            "urls": [url.replace("{key}", key) for url in found.urls],
            "subdomains": found.subdomains,
            "attribution": found.attribution,
            "deepest": found.deepest,
            "shared": found.shared,
        }
        _add(self, config, messages.written("basemap")[service])


class LocalTiles(RuntimeCall, Layer):
    """Tiles of a file or folder, held by the page itself.

    Parameters
    ----------
    path : path
        As :func:`gridmap.outputs.pages.tiles.tiles_within` takes it.
    bounds : tuple of float
        West, south, east, north in degrees, of what the page shows.
    attribution : str
        Who made the tiles; the page always says it.
    most_mb : float, megabytes
        Of pictures; nearer zooms that do not fit are drawn from the last that does.

    Raises
    ------
    OutputError
        If there are no tiles for the place, or not one zoom fits.
    """

    function = "localTiles"

    def __init__(
        self,
        path: str | os.PathLike[str],
        bounds: tuple[float, float, float, float],
        *,
        attribution: str,
        most_mb: float = 8.0,
    ) -> None:
        tiles = tiles_within(Path(path), bounds, most_bytes=int(most_mb * 1e6))
        config = {"tiles": tiles.urls, "deepest": tiles.deepest, "attribution": attribution}
        _add(self, config, messages.written("basemap")["local"])


class Backdrop(RuntimeCall, Layer):
    """Features in quiet colours beneath everything, for orientation alone: roads, water, buildings.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame, any CRS
    name : str or mapping of str to str
    kind : str
        ``"water"``, ``"buildings"`` or ``"roads"``: how it is drawn.
    """

    function = "backdrop"

    def __init__(
        self, gdf: gpd.GeoDataFrame, *, name: Words, kind: Literal["water", "buildings", "roads"]
    ) -> None:
        label = name if isinstance(name, str) else next(iter(name.values()))
        _add(self, {"geometries": geometries(gdf, label), "kind": kind}, name)


def _add(element: Any, config: dict[str, Any], name: Words) -> None:
    label = name if isinstance(name, str) else next(iter(name.values()))
    element.title = words(name)
    RuntimeCall.__init__(element, config | {"name": label}, name=label, overlay=True, show=True)


def add_basemap(
    canvas: folium.Map, basemap: Basemap, bounds: tuple[float, float, float, float], folder: Path
) -> list[Layer]:
    """Put a base map under a page; return its layers, for the list of layers.

    Parameters
    ----------
    canvas : folium.Map
    basemap : Basemap
        An empty one adds nothing.
    bounds : tuple of float
        West, south, east, north in degrees.
    folder : pathlib.Path
        That a relative path of tiles is in.
    """
    if basemap.service:
        online = OnlineTiles(basemap.service, key=basemap.key)
        online.add_to(canvas)
        return [online]
    if basemap.path:
        tiles = LocalTiles(
            folder / basemap.path,
            bounds,
            attribution=basemap.attribution,
            most_mb=basemap.most_mb,
        )
        tiles.add_to(canvas)
        return [tiles]
    return []


def datum_of(service: str) -> str:
    """Return the datum that a service shifts places to; empty for one that does not."""
    found = _SERVICES.get(service)
    return "" if found is None or found.datum == "WGS 84" else found.datum


def shifted(frame: gpd.GeoDataFrame, service: str) -> gpd.GeoDataFrame:
    """Return a frame in degrees, as the datum of a service has them.

    What lies on Amap is shifted to GCJ-02; the frame still says EPSG:4326, for that is how a web
    map reads its degrees. On any other base map nothing moves.
    """
    datum = datum_of(service)
    if not datum:
        return frame
    degrees = frame.to_crs(4326)

    def shift(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(from_wgs84(places[:, 0], places[:, 1], datum))

    moved = shapely.transform(shapely.force_2d(degrees.geometry.to_numpy()), shift)
    return degrees.set_geometry(gpd.GeoSeries(moved, index=degrees.index, crs=4326))
