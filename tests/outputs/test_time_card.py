"""The time card in a real browser: steps, one slider for all, two periods side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from browser import colour_at, spot, wait_equal, wait_until
from playwright.sync_api import expect

from gridmap import messages
from gridmap.outputs.pages.elements import CountByTime, FollowTime, GeoLayer, LayerSwitch, Legend
from gridmap.outputs.pages.encoding import Field
from gridmap.outputs.pages.packed import PackedPoints
from gridmap.outputs.pages.page import Page, page, save_page

if TYPE_CHECKING:
    from browser import OpenPage

pytestmark = pytest.mark.browser
SAYS = messages.section("browser", "en")
CANVAS = ".leaflet-overlay-pane canvas"
FIELDS: list[Field] = [{"name": "name", "label": "Name"}]


def timed_page(days: int = 60) -> Page:
    made = page(title="Time", bounds=(121.0, 30.6, 121.2, 30.7))
    start = np.datetime64("2025-01-06")  # a Monday
    west = np.repeat(start + np.arange(days), 2)
    east = start + np.arange(0, days, 7)
    lon = [121.05] * len(west) + [121.15] * len(east)
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, [30.65] * len(lon)), crs=4326)
    heat = PackedPoints(
        points, as_="heat", times=np.concatenate([west, east]), name="Heat", unit="week"
    ).add_to(made)
    LayerSwitch([heat]).add_to(made)
    return made


def test_the_slider_steps_by_day_week_and_month(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(timed_page(), tmp_path / "time.html"))
    slider, label = opened.get_by_role("slider"), opened.locator(".gm-time-label")
    expect(label).to_have_text("All 129")
    slider.press("ArrowRight")
    expect(label).to_have_text("Jan 6 – 12, 2025 15")
    expect(opened.locator(".gm-bar")).to_have_count(9)
    unit = opened.get_by_role("combobox", name=SAYS["time_unit"])
    unit.select_option("day")
    expect(opened.locator(".gm-bar")).to_have_count(60)
    slider.press("ArrowRight")
    expect(label).to_have_text("Jan 6, 2025 3")
    unit.select_option("month")
    expect(opened.locator(".gm-bar")).to_have_count(3)
    slider.press("ArrowRight")
    expect(label).to_have_text(f"Jan 2025 {2 * 26 + 4}")
    assert "time=month." in opened.evaluate("location.hash")
    again = open_page(tmp_path / "time.html", hash=opened.evaluate("location.hash"))
    expect(again.locator(".gm-time-label")).to_have_text(f"Jan 2025 {2 * 26 + 4}")


INKED = """(pane) => {
    const canvas = document.querySelector(`.leaflet-gm-${pane}-pane canvas`);
    if (!canvas) return null;
    const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    const halves = new Set();
    data.forEach((value, i) => {
        if (i % 4 === 3 && value > 20) halves.add(((i >> 2) % canvas.width) < canvas.width / 2);
    });
    return halves.size;
}"""


def test_two_periods_stand_side_by_side(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(timed_page(), tmp_path / "time.html"))
    opened.get_by_role("combobox", name=SAYS["time_unit"]).select_option("day")
    slider = opened.get_by_role("slider", name=SAYS["time"], exact=True)
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    wait_until(opened, f"({INKED})('packed') === 1")
    assert opened.evaluate(f"({INKED})('right')") is None
    other = opened.get_by_role("combobox", name=SAYS["compare"])
    other.select_option("Jan 13, 2025")
    wait_until(opened, f"({INKED})('right') === 2")
    assert opened.evaluate(f"({INKED})('left')") == 1
    clip = "document.querySelector('.leaflet-gm-left-pane').style.clipPath"
    before = opened.evaluate(clip)
    divider = opened.get_by_role("slider", name=SAYS["divider"])
    divider.press("Home")
    assert opened.evaluate(clip) != before
    other.select_option(SAYS["nothing"])
    expect(divider).to_have_count(0)
    assert opened.evaluate(clip) == ""


def shared_time_page() -> Page:
    """Three areas, a point in each, and a heat map, of the same events."""
    made = page(title="Shared", bounds=(121.0, 30.6, 121.3, 30.7))
    areas = gpd.GeoDataFrame(
        {"name": list("abc")},
        geometry=[shapely.box(121 + x / 10, 30.6, 121.1 + x / 10, 30.7) for x in range(3)],
        crs=4326,
    )
    rows = np.array([0] * 6 + [1] * 2 + [2])
    days = ["2025-01-05"] * 6 + ["2025-01-20", "2025-02-03", "2025-02-03"]
    times = np.array(days, dtype="datetime64[D]")
    plain = {"s": {"color": "#222222"}}
    layer = GeoLayer(areas, name="Areas", style="s", styles=plain, fields=FIELDS).add_to(made)
    CountByTime(layer, rows, times, title="Events").add_to(made)
    points = gpd.GeoDataFrame(
        {"name": list("xyz")}, geometry=areas.representative_point(), crs=4326
    )
    dots = GeoLayer(points, name="Dots", style="s", styles=plain, fields=FIELDS).add_to(made)
    FollowTime(dots, times[[0, 6, 8]]).add_to(made)
    places = points[["geometry"]].iloc[rows]
    heat = PackedPoints(places, as_="heat", times=times, name="Heat", show=False).add_to(made)
    LayerSwitch([layer, dots, heat]).add_to(made)
    Legend([{"title": "Areas", "kind": "classes", "overlay": "Areas", "items": []}]).add_to(made)
    return made


def test_one_slider_drives_heat_areas_and_points(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(shared_time_page(), tmp_path / "shared.html"))
    shown = "[...document.querySelectorAll('.gm-classes .gm-count')].map((one) => one.textContent)"
    west, middle, east = (121.02, 30.62), (121.12, 30.62), (121.22, 30.62)
    assert opened.evaluate(shown) == ["0", "1", "1", "1"]
    assert len({tuple(colour_at(opened, *place, CANVAS)) for place in (west, middle, east)}) == 3
    slider = opened.get_by_role("slider", name=SAYS["time"], exact=True)
    slider.press("ArrowRight")
    expect(opened.locator(".gm-time-label")).to_have_text("Jan 2025 7")
    # All months share one scale: January has no area with the two of February's middle.
    assert opened.evaluate(shown)[0] == "1"
    wait_until(
        opened,
        lambda: (
            colour_at(opened, *west, CANVAS)
            != colour_at(opened, *middle, CANVAS)
            != colour_at(opened, *east, CANVAS)
        ),
    )
    opened.mouse.click(*spot(opened, 121.25, 30.65))
    expect(opened.locator(".gm-popup .gm-eyebrow")).to_have_text("Areas")
    slider.press("ArrowRight")
    expect(opened.locator(".gm-time-label")).to_have_text("Feb 2025 2")
    opened.mouse.click(*spot(opened, 121.25, 30.65))
    expect(opened.locator(".gm-popup .gm-eyebrow").last).to_have_text("Dots")
    heat = opened.get_by_role("checkbox", name="Heat")
    heat.check()
    # Switched off once it has been drawn, it still takes part in a change of time.
    heat.uncheck()
    slider.press("ArrowLeft")
    heat.check()
    wait_until(opened, f"({INKED})('packed') >= 1")


def test_areas_of_two_months_stand_side_by_side(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(shared_time_page(), tmp_path / "shared.html"))
    opened.get_by_role("slider", name=SAYS["time"], exact=True).press("ArrowRight")
    opened.get_by_role("combobox", name=SAYS["compare"]).select_option("Feb 2025")
    west, middle = (121.02, 30.62), (121.12, 30.62)
    left, right = ".leaflet-gm-left-pane canvas", ".leaflet-gm-right-pane canvas"
    # January has six events in the west, February none, but one in the middle as January.
    wait_until(opened, lambda: colour_at(opened, *west, right)[3] > 0)
    assert colour_at(opened, *west, left) != colour_at(opened, *west, right)
    assert colour_at(opened, *middle, left) == colour_at(opened, *middle, right)
    assert colour_at(opened, *west, CANVAS)[3] == 0
    # The dot of the west is of January, that of the east of February.
    spots = (121.05, 30.65), (121.25, 30.65)
    drawn = [[colour_at(opened, *at, f"{side}:nth-of-type(2)")[3] > 0 for at in spots]
             for side in (left, right)]  # fmt: skip
    assert drawn == [[True, False], [False, True]]
    opened.mouse.click(*spot(opened, *spots[1]))
    expect(opened.locator(".gm-popup .gm-eyebrow")).to_have_text("Dots")
    opened.locator(".leaflet-popup-close-button").click()
    opened.get_by_role("combobox", name=SAYS["compare"]).select_option(SAYS["nothing"])
    wait_until(opened, lambda: colour_at(opened, *west, CANVAS)[3] > 0)
    assert opened.evaluate(f"document.querySelector({right!r})") is None


def test_both_periods_suit_a_dark_page(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(shared_time_page(), tmp_path / "shared.html"))
    opened.get_by_role("slider", name=SAYS["time"], exact=True).press("ArrowRight")
    opened.get_by_role("combobox", name=SAYS["compare"]).select_option("Feb 2025")
    west, east = ((121.05, 30.65), "left"), ((121.25, 30.65), "right")

    def dots() -> list[list[int]]:
        canvas = ".leaflet-gm-{}-pane canvas:nth-of-type(2)".format
        return [colour_at(opened, *at, canvas(side)) for at, side in (west, east)]

    wait_until(opened, lambda: all(opacity > 0 and red < 0x40 for red, _, _, opacity in dots()))
    opened.emulate_media(color_scheme="dark")
    wait_until(opened, lambda: all(red > 0xC0 for red, *_ in dots()))


def test_a_class_is_switched_off_on_each_side_by_its_own_period(
    tmp_path: Path, open_page: OpenPage
) -> None:
    opened = open_page(save_page(shared_time_page(), tmp_path / "shared.html"))
    opened.get_by_role("slider", name=SAYS["time"], exact=True).press("ArrowRight")
    opened.get_by_role("combobox", name=SAYS["compare"]).select_option("Feb 2025")
    nothing = opened.locator(".gm-classes").get_by_role("button", name="0", exact=False).first
    nothing.click()
    west, east = (121.02, 30.62), (121.22, 30.62)
    sides = [f".leaflet-gm-{side}-pane canvas" for side in ("left", "right")]

    # January has nothing in the east, February nothing in the west.
    def shown() -> list[list[bool]]:
        return [[colour_at(opened, *at, side)[3] > 0 for at in (west, east)] for side in sides]

    wait_equal(opened, shown, [[True, False], [False, True]])
    opened.mouse.click(*spot(opened, *east))
    expect(opened.locator(".gm-popup .gm-eyebrow")).to_have_text("Areas")
    opened.locator(".leaflet-popup-close-button").click()
    opened.get_by_role("combobox", name=SAYS["compare"]).select_option(SAYS["nothing"])
    wait_until(opened, lambda: colour_at(opened, *west, CANVAS)[3] > 0)
    assert colour_at(opened, *east, CANVAS)[3] == 0
    opened.mouse.click(*spot(opened, *east))
    expect(opened.locator(".gm-popup")).to_have_count(0)
