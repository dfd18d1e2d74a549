"""The elements in a real browser: what a reader sees, clicks and hears."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from browser import spot
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from gridmap import messages
from gridmap.analysis import implied_assignments
from gridmap.errors import OutputError
from gridmap.measures.ownership import Ownership, owners_of
from gridmap.outputs.pages.elements import (
    GeoLayer,
    LayerSwitch,
    Legend,
)
from gridmap.outputs.pages.encoding import Field, column, day_numbers
from gridmap.outputs.pages.packed import PackedPoints
from gridmap.outputs.pages.page import Page, page, save_page
from gridmap.outputs.pages.who import DrawnTargets, WhoIsResponsible

if TYPE_CHECKING:
    from browser import OpenPage

EVIL = '<img src=x onerror="window.hacked=1"></script>{{ 7*7 }}{% raw %}'
SAYS = messages.section("browser", "en")
# Two grids side by side; the community has a hole in the east grid.
WEST = shapely.box(121.0, 30.6, 121.1, 30.7)
EAST = shapely.box(121.1, 30.6, 121.2, 30.7)
HOLE = shapely.box(121.14, 30.64, 121.16, 30.66)
ISLAND = shapely.box(121.15, 30.645, 121.155, 30.65)
COMMUNITY = shapely.union(shapely.box(121.0, 30.6, 121.2, 30.7).difference(HOLE), ISLAND)
FIELDS: list[Field] = [
    {"name": "name", "label": "Name"},
    {"name": "cases", "label": "Cases", "unit": "cases", "format": "number"},
    {"name": "rate", "label": "In time", "format": "percent"},
    {"name": "seen", "label": "Seen", "format": "datetime"},
    {"name": "member", "label": "Member"},
]


def grids(name: str = "West grid") -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {
            "code": ["330482001", "330482002"],
            "name": [name, "East grid"],
            "cases": [1234, 5],
            "rate": [0.875, np.nan],
            "seen": pd.to_datetime(["2024-03-01T17:30", None], utc=True),
            "member": ["Wang", None],
        },
        geometry=[WEST, EAST],
        crs=4326,
    )


def full_page(name: str = "West grid", lang: str = "en") -> Page:
    frame = grids(name)
    made = page(title=name, bounds=frame.total_bounds, lang=lang, lines=["Sample"])
    grid_layer = GeoLayer(
        frame,
        name="Grids",
        style=["busy", "calm"],
        styles={"busy": {"fillColor": "#08519c"}, "calm": {"fillColor": "#bdd7e7"}},
        fields=FIELDS,
        tooltip="name",
        keep=["code"],
    ).add_to(made)
    communities = gpd.GeoDataFrame(
        {"code": ["330482"], "name": ["Old town"]}, geometry=[COMMUNITY], crs=4326
    )
    community_layer = GeoLayer(
        communities,
        name="Communities",
        style="line",
        styles={"line": {"fill": False}},
        fields=[{"name": "name", "label": "Name"}],
    ).add_to(made)
    heat = PackedPoints(
        gpd.GeoDataFrame(
            geometry=gpd.points_from_xy([121.05] * 3 + [121.12], [30.65] * 3 + [30.62]), crs=4326
        ),
        as_="heat",
        times=np.array(["2025-01-03", "2025-01-20", "2025-03-02", "2025-02-11"], "datetime64[D]"),
        name="Heat",
    ).add_to(made)
    LayerSwitch([grid_layer, community_layer, heat]).add_to(made)
    Legend(
        [
            {
                "title": name,
                "kind": "classes",
                "overlay": "Grids",
                "items": [{"colour": "#08519c", "label": name, "count": 1200}],
            },
            {
                "title": "Density",
                "kind": "ramp",
                "overlay": "Heat",
                "items": [
                    {"colour": "#3b7dd8", "label": "few"},
                    {"colour": "#d7301f", "label": "many"},
                ],
            },
        ]
    ).add_to(made)
    drawn = {
        ("grids", "grid"): DrawnTargets(grid_layer, frame["code"], "Grid", required=True),
        ("grids", "community"): DrawnTargets(
            community_layer, communities["code"], "Community", required=True
        ),
    }
    WhoIsResponsible(owners(frame, communities), drawn).add_to(made)
    return made


def owners(frame: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> Ownership:
    """Say who answers: the member of the west grid, and an elder for the old town."""
    levels = [frame.assign(level="grid"), communities.assign(level="community", member="Elder")]
    layers = {"grids": pd.concat(levels, ignore_index=True).to_crs(4549)}
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return owners_of(layers, implied_assignments(layers), at=at)


def hover_at(opened: BrowserPage, lon: float, lat: float) -> tuple[float, float]:
    """Puts the pointer on a place of the map, wherever that lies on the screen."""
    x, y = spot(opened, lon, lat)
    opened.mouse.move(x, y)
    return x, y


def click_at(opened: BrowserPage, lon: float, lat: float) -> None:
    opened.mouse.click(*hover_at(opened, lon, lat))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save_page(full_page(), tmp_path / "map.html")


@pytest.mark.browser
def test_click_shows_labels_and_formatted_values(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    click_at(opened, 121.05, 30.65)
    popup = opened.locator(".gm-popup")
    expect(popup.locator("tr")).to_have_text(
        [
            "NameWest grid",
            "Cases1,234 cases",
            "In time87.5%",
            "Seen2024-03-02 01:30",
            "MemberWang",
        ]
    )


@pytest.mark.browser
def test_missing_values_show_as_a_dash(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    click_at(opened, 121.12, 30.68)
    rows = opened.locator(".gm-popup tr")
    expect(rows).to_have_text(["NameEast grid", "Cases5 cases", "In time–", "Seen–", "Member–"])


@pytest.mark.browser
def test_hover_shows_the_tooltip(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    hover_at(opened, 121.05, 30.65)
    expect(opened.locator(".gm-tooltip")).to_have_text("West grid")


@pytest.mark.browser
def test_markup_in_data_shows_as_text(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(full_page(EVIL), tmp_path / "evil.html"))
    assert opened.title() == EVIL
    hover_at(opened, 121.05, 30.65)
    for place in (".gm-title h2", ".gm-legend h3", ".gm-label", ".gm-tooltip"):
        expect(opened.locator(place).first).to_have_text(EVIL)
    click_at(opened, 121.05, 30.65)
    expect(opened.locator(".gm-popup td").first).to_have_text(EVIL)
    expect(opened.locator(".gm-who-target").first).to_contain_text(EVIL)
    assert opened.evaluate("[window.hacked, document.querySelectorAll('img').length]") == [None, 0]


@pytest.mark.browser
def test_time_steps_and_all(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    slider, label = opened.get_by_role("slider", name=SAYS["time"]), opened.locator("output")
    expect(label).to_have_text("All 4")
    slider.focus()
    for shown in ("Jan 2025 2", "Feb 2025 1", "Mar 2025 1"):
        slider.press("ArrowRight")
        expect(label).to_have_text(shown)
    expect(opened.locator(".gm-bar.gm-current")).to_have_count(1)
    opened.get_by_role("button", name=SAYS["all"], exact=True).click()
    expect(label).to_have_text("All 4")
    expect(opened.locator(".gm-bar")).to_have_count(3)


@pytest.mark.browser
def test_play_runs_through_the_steps_until_paused(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    label = opened.locator("output")
    opened.get_by_role("button", name=SAYS["play"]).click()
    for shown in ("Jan", "Feb", "Mar", "Jan"):
        expect(label).to_contain_text(shown)
    opened.get_by_role("button", name=SAYS["pause"]).click()
    expect(opened.get_by_role("button", name=SAYS["play"])).to_be_visible()


@pytest.mark.browser
def test_an_overlay_that_is_off_takes_its_legend_and_slider_along(
    saved: Path, open_page: OpenPage
) -> None:
    opened = open_page(saved)
    density = opened.get_by_role("heading", name="Density")
    expect(density).to_be_visible()
    box = opened.get_by_role("checkbox", name="Heat")
    box.focus()
    box.press("Space")
    expect(density).to_be_hidden()
    expect(opened.get_by_role("slider")).to_have_count(0)
    expect(opened.get_by_role("heading", name="West grid").last).to_be_visible()
    opened.get_by_role("checkbox", name="Grids").uncheck()
    expect(opened.locator(".gm-legend")).to_be_hidden()
    box.check()
    expect(density).to_be_visible()
    expect(opened.get_by_role("slider")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("place", "names", "warnings"),
    [
        ((121.05, 30.65), ["Wang", "Elder", "Wang"], []),
        ((121.145, 30.642), [], ["Grid", "Community"]),
        ((121.152, 30.648), ["Elder", "Elder"], ["Grid"]),
        ((121.0999, 30.62), ["Wang", "Elder", "Wang"], []),
        ((121.25, 30.65), [], ["Grid", "Community"]),
    ],
    ids=["inside", "hole", "island in the hole", "beside a border", "outside"],
)
def test_who_is_responsible(
    saved: Path,
    open_page: OpenPage,
    place: tuple[float, float],
    names: list[str],
    warnings: list[str],
) -> None:
    opened = open_page(saved)
    opened.get_by_role("button", name=SAYS["zoom_out"]).click()
    click_at(opened, *place)
    expect(opened.locator(".gm-who-people .gm-who-name")).to_have_text(names)
    expect(opened.locator(".gm-who-nobody")).to_have_count(0 if names else 1)
    expect(opened.locator(".gm-warning")).to_have_text(
        [SAYS["no_owner"].format(layer=layer) for layer in warnings]
    )
    if "Wang" in names:
        expect(opened.locator(".gm-popup td").first).to_have_text("West grid")
    opened.get_by_role("button", name=SAYS["close"], exact=True).first.click()


@pytest.mark.browser
def test_a_chinese_page_speaks_chinese(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(full_page(lang="zh"), tmp_path / "zh.html"))
    expect(opened.get_by_role("button", name=messages.text("browser.play", "zh"))).to_be_visible()
    click_at(opened, 121.05, 30.65)
    expect(opened.locator(".gm-popup td").nth(3)).to_have_text("2024-03-02 01:30")


@pytest.mark.browser
def test_a_narrow_page_folds_its_cards_and_stays_inside(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved, width=390, height=844)
    expect(opened.get_by_role("checkbox", name="Grids")).to_be_hidden()
    opened.get_by_role("button", name=f"{SAYS['expand']}: {SAYS['layers']}").click()
    expect(opened.get_by_role("checkbox", name="Grids")).to_be_visible()
    click_at(opened, 121.05, 30.65)
    expect(opened.locator(".gm-who")).to_be_visible()
    assert opened.evaluate("document.documentElement.scrollWidth") == 390
    for card in opened.locator(".gm-card:visible").all():
        box = card.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390


@pytest.mark.browser
def test_folium_elements_can_be_added(tmp_path: Path, open_page: OpenPage) -> None:
    made = page(title="Plain", bounds=(121.0, 30.6, 121.2, 30.7))
    group = folium.FeatureGroup("Marks").add_to(made)
    folium.Marker([30.65, 121.1], popup="Station").add_to(group)
    LayerSwitch([group]).add_to(made)
    made.keep_in_front(group)
    opened = open_page(save_page(made, tmp_path / "plain.html"))
    opened.locator(".leaflet-marker-icon").click()
    expect(opened.locator(".leaflet-popup-content")).to_have_text("Station")
    opened.get_by_role("checkbox", name="Marks").uncheck()
    expect(opened.locator(".leaflet-marker-icon")).to_have_count(0)


def test_times_are_counted_in_days_from_the_first() -> None:
    first, days = day_numbers(np.array(["1970-01-03T23:59", "NaT", "1970-01-02"], "datetime64[s]"))
    assert (first, days.tolist()) == (1, [1, -1, 0])


def test_geometry_needs_a_crs_and_a_style_for_each_row() -> None:
    frame = grids()
    look = {"s": {"color": "#000000"}}
    with pytest.raises(OutputError, match="Grids"):
        GeoLayer(frame.set_crs(None, allow_override=True), name="Grids", style="s", styles=look,
                 fields=[])  # fmt: skip
    with pytest.raises(OutputError, match="1"):
        GeoLayer(frame, name="Grids", style=["s"], styles=look, fields=[])


def test_projected_geometry_is_drawn_in_degrees() -> None:
    look = {"s": {"color": "#000000"}}
    degrees = GeoLayer(grids(), name="Grids", style="s", styles=look, fields=[])
    metres = GeoLayer(grids().to_crs(4549), name="Grids", style="s", styles=look, fields=[])
    assert metres._arguments() == degrees._arguments()


def test_values_become_what_json_holds() -> None:
    frame = gpd.GeoDataFrame(
        {
            "long": [330482001002003004005, 7],
            "size": [np.inf, 2.0],
            "flag": pd.array([True, None], dtype="boolean"),
            "day": ["2024-03-01", None],
        },
        geometry=[WEST, EAST],
        crs=4326,
    )
    fields: list[Field] = [{"name": name, "label": name} for name in ("long", "size", "flag")]
    day: Field = {"name": "day", "label": "Day", "format": "date"}
    values = [column(frame, field)[1] for field in [*fields, day]]
    assert values == [
        ["330482001002003004005", 7],
        [None, 2],
        [True, None],
        [1709251200000, None],
    ]


def test_an_element_without_a_map_says_so() -> None:
    figure = folium.Figure()
    Legend([]).add_to(figure)
    with pytest.raises(TypeError, match="Legend needs a map"):
        figure.render()


def test_the_runtime_asks_for_no_text_that_the_catalogue_lacks() -> None:
    sources = Path(__file__).parents[2] / "maps" / "runtime" / "src"
    code = "\n".join(file.read_text("utf-8") for file in sorted(sources.rglob("*.ts")))
    asked = set(re.findall(r'\btext\(\s*"(\w+)"', code))
    asked |= set(re.findall(r'toolButton\(\s*context,\s*"\w+",\s*"(\w+)"', code))
    assert len(asked) > 30
    assert asked <= set(messages.written("browser"))
