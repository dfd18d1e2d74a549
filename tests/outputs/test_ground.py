"""Outlines and lines on a dark page in a real browser: they are made out as on a light one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import folium
import geopandas as gpd
import pytest
import shapely
from browser import colour_at, wait_equal, wait_until

from gridmap.outputs.pages.elements import (
    FeatureLayer,
    GeoLayer,
    LayerSwitch,
    Legend,
    LegendItem,
    LegendSection,
)
from gridmap.outputs.pages.packed import PackedLines, PackedPolygons
from gridmap.outputs.pages.page import page, save_page

if TYPE_CHECKING:
    from browser import OpenPage
    from playwright.sync_api import Page as BrowserPage

pytestmark = pytest.mark.browser
# Each at a latitude of its own: strong grey, faint grey, a colour too dark for a dark ground,
# one that can be seen on it, a dark outline of a full fill.
STYLES: dict[str, dict[str, object]] = {
    "strong": {"color": "#1a202c", "weight": 8, "fillOpacity": 0},
    "faint": {"color": "#a0aec0", "weight": 8, "fillOpacity": 0.04},
    "navy": {"color": "#1c3a8a", "weight": 8, "fillOpacity": 0},
    "orange": {"color": "#dd6b20", "weight": 8, "fillOpacity": 0},
    "filled": {"color": "#1a202c", "weight": 8, "fillColor": "#ffd700", "fillOpacity": 0.9},
}
EDGES = {key: (121.02, 30.6 + 0.05 * at) for at, key in enumerate(STYLES)}
LIGHT = {
    "strong": [0x1A, 0x20, 0x2C],
    "faint": [0xA0, 0xAE, 0xC0],
    "navy": [0x1C, 0x3A, 0x8A],
    "orange": [0xDD, 0x6B, 0x20],
    "filled": [0x1A, 0x20, 0x2C],
}
# Greys turned round; the rest as given, but for the colour that is too dark.
DARK = LIGHT | {"strong": [0xD3, 0xD9, 0xE5], "faint": [0x3F, 0x4D, 0x5F]}
CANVAS = ".leaflet-overlay-pane canvas, canvas.gm-packed"


def areas() -> gpd.GeoDataFrame:
    boxes = [shapely.box(lon, lat - 0.02, 121.2, lat + 0.02) for lon, lat in EDGES.values()]
    return gpd.GeoDataFrame({"kind": list(STYLES)}, geometry=boxes, crs=4326)


def lines() -> gpd.GeoDataFrame:
    ends = [[(lon, lat - 0.02), (lon, lat + 0.02)] for lon, lat in EDGES.values()]
    return gpd.GeoDataFrame({"kind": list(STYLES)}, geometry=shapely.linestrings(ends), crs=4326)


def saved(tmp_path: Path, layer: FeatureLayer, *, tiles: bool = False) -> Path:
    made = page(title="Dark", bounds=(121.0, 30.57, 121.22, 30.83))
    if tiles:
        blank = "data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs="
        folium.TileLayer(blank, attr="Survey", name="Tiles").add_to(made)
    layer.add_to(made)
    LayerSwitch([layer]).add_to(made)
    line: LegendItem = {"colour": "#ffffff", "label": "Strong", "style": "strong"}
    legend: LegendSection = {
        "title": "Areas",
        "kind": "categories",
        "overlay": "Areas",
        "styles": STYLES,
        "items": [line],
    }
    Legend([legend]).add_to(made)
    return save_page(made, tmp_path / "dark.html")


def edges(opened: BrowserPage) -> dict[str, list[int]]:
    return {key: colour_at(opened, *place, CANVAS)[:3] for key, place in EDGES.items()}


def drawn_as(kind: type[GeoLayer | PackedPolygons]) -> GeoLayer | PackedPolygons:
    return kind(areas(), name="Areas", style=list(STYLES), styles=STYLES, fields=())


@pytest.mark.parametrize("kind", [GeoLayer, PackedPolygons])
def test_outlines_suit_the_ground(
    tmp_path: Path, open_page: OpenPage, kind: type[GeoLayer | PackedPolygons]
) -> None:
    opened = open_page(saved(tmp_path, drawn_as(kind)))
    wait_equal(opened, lambda: edges(opened), LIGHT)
    swatch = "getComputedStyle(document.querySelector('.gm-swatch')).borderColor"
    assert opened.evaluate(swatch) == "rgb(26, 32, 44)"
    opened.emulate_media(color_scheme="dark")
    wait_equal(opened, lambda: edges(opened)["strong"], DARK["strong"])
    assert opened.evaluate(swatch) == "rgb(211, 217, 229)"
    seen = edges(opened)
    red, green, blue = seen.pop("navy")
    assert seen == {key: colour for key, colour in DARK.items() if key != "navy"}
    assert (red, green) > (0x1C, 0x3A)
    assert blue > green > red, "it stays a blue"
    opened.emulate_media(color_scheme="light")
    wait_equal(opened, lambda: edges(opened), LIGHT)


def test_lines_suit_the_ground_whatever_their_fill(tmp_path: Path, open_page: OpenPage) -> None:
    layer = PackedLines(lines(), name="Areas", style=list(STYLES), styles=STYLES)
    opened = open_page(saved(tmp_path, layer))
    wait_equal(opened, lambda: edges(opened), LIGHT)
    opened.emulate_media(color_scheme="dark")
    wait_equal(opened, lambda: edges(opened)["filled"], DARK["strong"])
    assert edges(opened)["faint"] == DARK["faint"]


def test_on_the_tiles_of_a_base_map_lines_stay(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(saved(tmp_path, drawn_as(GeoLayer), tiles=True))
    opened.emulate_media(color_scheme="dark")
    wait_until(opened, "document.documentElement.dataset.theme === 'dark'")
    assert edges(opened) == LIGHT
    opened.evaluate(
        "{ const map = window[document.querySelector('.gm-map').id];"
        " map.eachLayer((layer) => { if (layer instanceof L.TileLayer) layer.remove(); }); }"
    )
    wait_equal(opened, lambda: edges(opened)["strong"], DARK["strong"])
