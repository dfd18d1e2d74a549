"""The same pixels: a layer on its HTML map in Chromium, and from its GeoPackage in a real QGIS."""

import zlib
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from browser import OpenPage
from desktop import ask_qgis
from playwright.sync_api import Page

from gridmap.catalog import MapLayer, MapSpec, Text
from gridmap.outputs import draw, save_page, write_layers
from gridmap.outputs.maps import _layers as _map_layers
from gridmap.outputs.styles.symbology import PathStyle, paint
from gridmap.result import Analysed

ZOOM = 18
CIRCUMFERENCE_M = 40_075_016.686  # of the sphere of Web Mercator
TOLERANCE = 3  # of 255; opacity is rounded here and there
MOST = 3  # places of a class
LAYERS = {
    "hotspots": "categorised areas",
    "grid_results": "graduated areas",
    "network_hotspots": "lines",
    "deadlines": "points",
}
pytestmark = [pytest.mark.browser, pytest.mark.qgis]


def pixel_m(frame: gpd.GeoDataFrame) -> float:
    """Return how many metres a pixel of the page is long."""
    lat = np.radians(frame.to_crs(4326).total_bounds[[1, 3]].mean())
    return float(CIRCUMFERENCE_M * np.cos(lat) / (256 * 2**ZOOM))


def places_of(frame: gpd.GeoDataFrame, keys: tuple[str, ...], clear_m: float) -> dict[str, Any]:
    """Return a point inside some features of each class, away from borders and all others."""
    shapes = frame.geometry
    kind = shapes.geom_type.iloc[0]
    line = "LineString" in kind
    at = shapes.interpolate(0.5, normalized=True) if line else shapes.representative_point()
    found: dict[str, Any] = {}
    taken = dict.fromkeys(keys, 0)
    for row in np.argsort(frame["code"].to_numpy(), kind="stable"):
        near = shapely.dwithin(shapes.to_numpy(), at.iloc[row], clear_m)
        edge = "Polygon" in kind and shapes.iloc[row].boundary.distance(at.iloc[row]) < clear_m
        if near.sum() == 1 and not edge and taken[keys[row]] < MOST:
            taken[keys[row]] += 1
            found[str(frame["code"].iloc[row])] = at.iloc[row]
    assert [key for key, count in taken.items() if not count] == []
    return found


def colours_at(opened: Page, lat: float, lon: float, line: bool) -> np.ndarray:
    """Return the colour of the pixel where a place is drawn, and for a line of those beside it.

    The page rounds a place to a pixel, which is not always one that the line covers as a whole.
    """
    x, y = opened.evaluate(
        "async ([lat, lon, zoom]) => { const map = window[document.querySelector('.gm-map').id];"
        " map.setView([lat, lon], zoom, { animate: false });"
        " for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);"
        " const { x, y } = map.latLngToContainerPoint([lat, lon]);"
        " const box = map.getContainer().getBoundingClientRect();"
        " return [box.x + x, box.y + y]; }",
        [lat, lon, ZOOM],
    )
    beside = ((0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)) if line else ((0, 0),)
    clips: Any = [{"x": int(x) + i, "y": int(y) + j, "width": 1, "height": 1} for i, j in beside]
    return np.array([only_pixel(opened.screenshot(clip=clip)) for clip in clips], dtype=int)


def only_pixel(png: bytes) -> np.ndarray:
    """Return the colour of a PNG of one pixel, which no filter can change."""
    data, at = b"", 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += size + 12
    return np.frombuffer(zlib.decompress(data)[1:4], np.uint8)


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


def mixed(style: PathStyle, line: bool, ground: np.ndarray) -> np.ndarray:
    """Return what a class looks like over the ground."""
    if line:
        return rgb(style.stroke)
    return style.fill_opacity * rgb(style.fill) + (1 - style.fill_opacity) * ground


@pytest.fixture(scope="module")
def desktop(sample: Analysed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desktop")
    write_layers(sample, folder, formats=["gpkg"], names=list(LAYERS))
    return folder


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("name", LAYERS, ids=list(LAYERS.values()))
def test_qgis_paints_the_pixels_of_the_map(
    sample: Analysed,
    desktop: Path,
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    packed: bool,
) -> None:
    layer, frame = sample.city.catalog.layer(name), sample.frame(name)
    assert isinstance(frame, gpd.GeoDataFrame)
    painted, line = paint(layer, frame), layer.geometry == "LineString"
    metres = pixel_m(frame)
    places = places_of(frame, painted.keys, clear_m=(layer.symbology.radius + 8) * metres)
    # The page: this layer and no other.
    monkeypatch.setattr(_map_layers, "PLAIN_FEATURES", 0 if packed else len(frame))
    said = Text(en="One layer", zh="一个图层")
    spec = MapSpec(
        name="one", title=said, description=said, needs=(name,), layers=(MapLayer(layer=name),)
    )
    made = draw(sample, spec)
    assert made.get_root().render().count("gridmap.packed") == packed
    save_page(made, tmp_path / "one.html")
    opened = open_page(tmp_path / "one.html")
    ground = np.array(
        opened.evaluate(
            "getComputedStyle(document.querySelector('.gm-map')).backgroundColor"
            ".match(/\\d+/g).slice(0, 3).map(Number)"
        )
    )
    degrees = gpd.GeoSeries(places, crs=frame.crs).to_crs(4326)
    on_page = {code: colours_at(opened, at.y, at.x, line) for code, at in degrees.items()}
    # The GeoPackage, over the ground of the page.
    asked = {
        "source": f"{desktop}/qinghe.gpkg|layername={name}",
        "style": "default",
        "places": {
            "at": {code: [at.x, at.y] for code, at in places.items()},
            "pixel_m": metres,
            "ground": "#" + "".join(f"{part:02x}" for part in ground),
        },
    }
    seen = ask_qgis(tmp_path, sources={name: asked})["layers"][name]["seen"]
    assert len({seen[code] for code in places}) == len(set(painted.keys))
    classes = dict(zip(frame["code"].astype(str), painted.keys, strict=True))
    for code in places:
        style = painted.styles[classes[code]]
        there = (classes[code], seen[code], on_page[code])
        away = np.abs(on_page[code] - rgb(seen[code])).max(axis=1)
        assert away.min() <= TOLERANCE, there
        # Both of them, and so not the ground alone.
        wanted = mixed(style, line, ground)
        assert np.abs(wanted - rgb(seen[code])).max() <= TOLERANCE, (*there, wanted)
