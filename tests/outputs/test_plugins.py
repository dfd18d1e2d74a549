"""Plugins of folium that a page takes in work without a network; others say what they need."""

from __future__ import annotations

from pathlib import Path

import folium
from browser import OpenPage
from folium import plugins
from playwright.sync_api import expect

from gridmap.outputs import page, save_page

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def made() -> folium.Map:
    found: folium.Map = page(title="Plugins", bounds=(120.8, 30.6, 121.0, 30.8))
    return found


def test_clusters_fullscreen_and_a_small_map_need_no_network(
    tmp_path: Path, open_page: OpenPage
) -> None:
    canvas = made()
    places = [(30.7 + k / 10_000, 120.9) for k in range(7)]
    plugins.MarkerCluster(places, popups=[f"place {k}" for k in range(7)]).add_to(canvas)
    plugins.FastMarkerCluster([[30.65, 120.85], [30.65, 120.85]]).add_to(canvas)
    plugins.MiniMap(tile_layer=folium.TileLayer(DOT, attr="none")).add_to(canvas)
    plugins.Fullscreen().add_to(canvas)
    folium.Marker((30.75, 120.95), icon=folium.Icon(color="red")).add_to(canvas)
    path = save_page(canvas, tmp_path / "plugins.html")
    text = path.read_text(encoding="utf-8")
    assert "cdnjs" not in text
    assert text.count("MIT-LICENCE") + text.count('"leaflet.markercluster"') >= 1
    opened = open_page(path)
    expect(opened.locator(".marker-cluster")).to_have_count(2)
    expect(opened.locator(".marker-cluster").first).to_have_text("7")
    expect(opened.locator(".gm-marker span")).to_have_css("background-color", "rgb(255, 0, 0)")
    expect(opened.locator(".leaflet-control-minimap")).to_be_visible()
    expect(opened.locator("dialog.gm-about")).to_contain_text("leaflet.markercluster 1.5.3")
    expect(opened.locator("dialog.gm-about")).to_contain_text("leaflet-minimap 3.6.1")


def test_a_page_without_plugins_holds_none(tmp_path: Path) -> None:
    text = save_page(made(), tmp_path / "plain.html").read_text(encoding="utf-8")
    assert "MarkerClusterGroup" not in text


def test_a_plugin_that_is_not_held_keeps_its_link_and_opens_its_host_alone(tmp_path: Path) -> None:
    canvas = made()
    plugins.Draw().add_to(canvas)
    text = save_page(canvas, tmp_path / "draw.html").read_text(encoding="utf-8")
    assert "leaflet.draw.js" in text
    policy = text.partition("Content-Security-Policy")[2].partition(">")[0]
    assert "https://cdnjs.cloudflare.com" in policy
    assert policy.count("https://") == 2
