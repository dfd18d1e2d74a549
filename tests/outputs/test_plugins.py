"""Plugins of folium that a page takes in work without a network; others say what they need."""

from __future__ import annotations

from pathlib import Path

import folium
import geopandas as gpd
import shapely
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


def test_a_choropleth_and_its_legend_need_no_network(tmp_path: Path, open_page: OpenPage) -> None:
    canvas = made()
    grids = gpd.GeoDataFrame(
        {"code": list("abcd"), "cases": [1, 5, 9, 30]},
        geometry=[shapely.box(120.8 + x, 30.6, 120.85 + x, 30.8) for x in (0, 0.05, 0.1, 0.15)],
        crs=4326,
    )
    folium.Choropleth(
        grids.to_json(),
        data=grids,
        columns=["code", "cases"],
        key_on="feature.properties.code",
        legend_name="Cases by grid",
    ).add_to(canvas)
    opened = open_page(save_page(canvas, tmp_path / "choropleth.html"))
    expect(opened.locator("svg#legend .caption")).to_have_text("Cases by grid")
    expect(opened.locator("dialog.gm-about")).to_contain_text("d3 3.5.17")


def test_heat_works_beside_what_is_clicked(tmp_path: Path, open_page: OpenPage) -> None:
    canvas = made()
    plugins.HeatMap([[30.7, 120.9]] * 9, radius=30).add_to(canvas)
    folium.Rectangle([[30.65, 120.85], [30.75, 120.95]], popup="Below", fill=True).add_to(canvas)
    opened = open_page(save_page(canvas, tmp_path / "heat.html"))
    expect(opened.locator("canvas.leaflet-heatmap-layer")).to_be_visible()
    opened.mouse.click(640, 400)
    expect(opened.locator(".leaflet-popup-content")).to_have_text("Below")


def test_lines_groups_search_and_coordinates_need_no_network(
    tmp_path: Path, open_page: OpenPage
) -> None:
    canvas = made()
    route = [(30.65, 120.83), (30.72, 120.9), (30.7, 120.97)]
    plugins.AntPath(route, weight=8).add_to(canvas)
    plugins.PolyLineOffset(route, offset=12, color="green").add_to(canvas)
    cases = plugins.MarkerCluster(control=False).add_to(canvas)
    app = plugins.FeatureGroupSubGroup(cases, "App").add_to(canvas)
    folium.Marker((30.75, 120.85), popup="app").add_to(app)
    north, south = folium.FeatureGroup("North").add_to(canvas), folium.FeatureGroup("South")
    south.add_to(canvas)
    plugins.GroupedLayerControl({"Halves": [north, south]}, collapsed=False).add_to(canvas)
    tree = {"label": "Town", "children": [{"label": "Old part", "layer": north}]}
    plugins.TreeLayerControl(overlay_tree=tree).add_to(canvas)
    plugins.MousePosition(prefix="Here:").add_to(canvas)
    frame = gpd.GeoDataFrame({"name": ["Mill"]}, geometry=gpd.points_from_xy([120.9], [30.7]))
    found = folium.GeoJson(frame.set_crs(4326)).add_to(canvas)
    plugins.Search(found, search_label="name", collapsed=False).add_to(canvas)
    path = save_page(canvas, tmp_path / "many.html")
    opened = open_page(path)
    expect(opened.locator(".leaflet-ant-path")).to_have_count(1)
    expect(opened.get_by_text("Halves")).to_be_visible()
    expect(opened.locator(".leaflet-layerstree-node").first).to_be_attached()
    expect(opened.locator(".leaflet-marker-icon").first).to_be_visible()
    opened.mouse.move(640, 400)
    expect(opened.locator(".leaflet-control-mouseposition")).to_contain_text("Here: 30.69")
    # The box lies beside the cards, not below them.
    opened.get_by_placeholder("Search").click(timeout=2_000)
    opened.get_by_placeholder("Search").press_sequentially("Mil")
    expect(opened.locator(".search-tip")).to_have_text("Mill")


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
