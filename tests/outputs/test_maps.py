"""The shipped maps of the sample city, in a real browser with no network."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from browser import OpenPage, spot
from playwright.sync_api import Page, expect

from gridmap.errors import OutputError
from gridmap.outputs.maps import _layers as _map_layers
from gridmap.outputs.maps.draw import draw
from gridmap.outputs.styles.symbology import paint
from gridmap.result import Analysed

pytestmark = pytest.mark.browser


def click_at(opened: Page, place: gpd.GeoSeries) -> None:
    """Click where a point lies, whatever the zoom: the page tells where that is."""
    point = place.to_crs(4326).iloc[0]
    opened.mouse.click(*spot(opened, point.x, point.y))


def inner(sample: Analysed, name: str, row: int) -> gpd.GeoSeries:
    frame: Any = sample.frame(name)
    return frame.geometry.iloc[[row]].representative_point()


def test_a_click_on_a_grid_shows_its_figures(
    sample: Analysed, shipped_maps: Path, open_page: OpenPage
) -> None:
    loads: Any = sample.frame("grid_results")
    opened = open_page(shipped_maps / "workload.zh.html")
    row = int(loads["member"].notna().to_numpy().argmax())
    click_at(opened, inner(sample, "grid_results", row))
    popup = opened.locator(".leaflet-popup")
    expect(popup).to_contain_text(loads["code"][row])
    expect(popup).to_contain_text("实际居住户")
    expect(popup).to_contain_text(str(loads["problems"][row]))
    expect(popup).to_contain_text(loads["member"][row])


def test_a_click_tells_everyone_responsible(
    sample: Analysed, shipped_maps: Path, open_page: OpenPage
) -> None:
    opened = open_page(shipped_maps / "responsibility.en.html")
    grids = sample.city.areas("grid")
    zones = sample.city.frame("zones")
    place = grids.geometry.iloc[[20]].representative_point()
    click_at(opened, place)
    panel = opened.locator("body")
    expect(panel).to_contain_text(grids["member"][20])
    for lead in zones.loc[zones.intersects(place.iloc[0]), "lead"]:
        expect(panel).to_contain_text(lead)


def test_the_month_slider_counts_the_months(
    sample: Analysed, shipped_maps: Path, open_page: OpenPage
) -> None:
    opened = open_page(shipped_maps / "heatmap.en.html")
    problems: Any = sample.frame("problems")
    placed = problems[~problems["pile"]]
    expect(opened.locator("body")).to_contain_text(f"{len(placed):,}")
    slider = opened.get_by_role("slider")
    slider.focus()
    slider.press("ArrowRight")
    january = (placed["opened"].dt.month == 1).sum()
    expect(opened.locator("body")).to_contain_text("Jan 2025")
    expect(opened.locator("body")).to_contain_text(f"{january:,}")


def test_a_map_without_its_layer_is_refused(sample: Analysed) -> None:
    results = {k: v for k, v in sample.results.items() if k != "hotspot_cells"}
    poor = replace(sample, results=results)
    with pytest.raises(OutputError, match="no 'hotspot_cells', for"):
        draw(poor, sample.city.catalog.map("hotspots"))


def test_a_layer_of_many_features_is_packed(
    sample: Analysed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_map_layers, "PLAIN_FEATURES", 1000)
    made = draw(sample, sample.city.catalog.map("responsibility")).get_root().render()
    assert made.count("gridmap.packedFeatures(") == 1
    assert '"count":1169' in made


def test_the_legend_is_as_opaque_and_outlined_as_the_features(
    sample: Analysed, shipped_maps: Path, open_page: OpenPage
) -> None:
    opened = open_page(shipped_maps / "coverage.en.html")
    frame: Any = sample.frame("gaps")
    gaps = paint(sample.city.catalog.layer("gaps"), frame).styles["all"]
    patch = opened.locator(".gm-legend section").filter(has_text="Gaps").locator(".gm-swatch")
    seen = "one => [getComputedStyle(one).borderTopColor, getComputedStyle(one).backgroundColor]"
    edge, _ = patch.evaluate(seen)
    _, fill = patch.locator(".gm-swatch-fill").evaluate(seen)
    assert edge == "rgb({}, {}, {})".format(*bytes.fromhex(gaps.stroke[1:]))
    assert fill == "rgb({}, {}, {})".format(*bytes.fromhex(gaps.fill[1:]))
    shown = patch.locator(".gm-swatch-fill").evaluate("one => getComputedStyle(one).opacity")
    assert float(shown) == pytest.approx(gaps.fill_opacity)
    assert gaps.fill_opacity < 1
