"""One answer to who is responsible: of the function, of the command, and of a click on the page.

Asked at 500 places of the sample city where layers overlap, none within half a metre of where the
answer changes (see `who_places`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import wait_equal
from conftest import ROOT
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect
from test_cli import gridmap
from who_places import city_with_microgrids, clear_places

from gridmap import analysis, messages
from gridmap.config import read_city_file
from gridmap.crs import from_wgs84
from gridmap.leaving import masked
from gridmap.measures.analyse import analyse
from gridmap.measures.responsibility import reach_of, responsibilities
from gridmap.outputs import draw, save_page
from gridmap.outputs.maps._people import who_panel
from gridmap.outputs.pages.page import page
from gridmap.result import Analysed
from gridmap.sources import read_city

if TYPE_CHECKING:
    from browser import OpenPage

PLACES = 500
SEED = 20260101
CLICKS = 30
CATEGORIES = (None, "占道经营", "路灯故障")
SAYS = messages.section("browser", "en")
ASK = """(asked) => {
    const name = Object.keys(window).find((key) => key.startsWith('who_is_responsible'));
    return asked.map(([lon, lat, category]) => window[name].answers([lat, lon], category).map(
        ({ name, role, category, layer, target, rule, until, phone, found }) => [
            name, role, category ?? '', layer, target, rule, until ?? '', phone ?? '',
            found.distance, found.chainage]));
}"""

# Holder, role, category, layer, target, rule, until, phone: what must agree to the letter.
Told = tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """The city, where it is asked, and what the function answers there."""

    file: Path
    analysed: Analysed
    degrees: list[tuple[float, float]]
    categories: list[str | None]
    told: list[list[Told]]
    distances: list[list[tuple[float, float | None]]]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    sample = read_city(read_city_file(ROOT / "data"))
    folder = tmp_path_factory.mktemp("city")
    file = city_with_microgrids(ROOT / "data", sample.areas("grid"), folder)
    city_file = read_city_file(file)
    city = read_city(city_file)
    settings = city_file.analysis.responsibility
    layers, assignments = responsibilities(city, settings)
    reach = reach_of(settings)
    places = clear_places(layers, assignments, reach, number=PLACES, seed=SEED)
    points = gpd.GeoDataFrame(geometry=places)
    categories = [CATEGORIES[number % len(CATEGORIES)] for number in range(PLACES)]
    parts = []
    for category in CATEGORIES:
        some = [number for number in range(PLACES) if categories[number] == category]
        found = analysis.who(
            points.iloc[some], layers, assignments, at=pd.Timestamp(city.as_of),
            category=category, reach_m=reach,
        )  # fmt: skip
        parts.append(found.assign(point=[some[point] for point in found["point"]]))
    told, distances = _told(pd.concat(parts), city.timezone)
    return Asked(
        file=file,
        analysed=analyse(
            city, city_file.analysis, want=["responsibilities", "frontages", "corridors"]
        ),
        degrees=[(point.x, point.y) for point in places.to_crs(4490)],
        categories=categories,
        told=told,
        distances=distances,
    )


def _told(
    found: pd.DataFrame, timezone: str
) -> tuple[list[list[Told]], list[list[tuple[float, float | None]]]]:
    texts = ["holder", "role", "category", "layer", "target", "rule"]
    until = pd.to_datetime(found["until"], utc=True).dt.tz_convert(timezone)
    found = found.assign(until=until.dt.strftime("%Y-%m-%d"))
    told: list[list[Told]] = [[] for _ in range(PLACES)]
    distances: list[list[tuple[float, float | None]]] = [[] for _ in range(PLACES)]
    for row in found.sort_values(["point", "rank"]).to_dict("records"):
        phone = "" if pd.isna(row["phone"]) else masked(str(row["phone"]))
        names = ["" if pd.isna(row[name]) else str(row[name]) for name in (*texts, "until")]
        told[row["point"]].append((*names, phone))
        chainage = None if pd.isna(row["chainage_m"]) else row["chainage_m"]
        distances[row["point"]].append((row["distance_m"], chainage))
    return told, distances


def test_the_places_lie_where_much_overlaps(asked: Asked) -> None:
    rules = [{answer[5] for answer in answers} for answers in asked.told]
    layers = [{answer[3] for answer in answers} for answers in asked.told]
    assert len(asked.told) == PLACES
    assert sum("near" in some for some in rules) > 60
    assert sum("along" in some for some in rules) > 120
    assert sum("territory" in some for some in rules) > 20
    assert sum("microgrids" in some for some in layers) > 450
    assert sum("zones" in some for some in layers) > 450
    firsts = {answers[0][3] for answers in asked.told if answers}
    assert firsts == {"places", "zones", "microgrids", "roads", "grids"} - {"grids"}


@pytest.fixture(scope="module")
def full_map(asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped map, which draws all areas that somebody answers for."""
    spec = asked.analysed.city.catalog.map("responsibility")
    return save_page(draw(asked.analysed, spec), tmp_path_factory.mktemp("full") / "map.html")


@pytest.fixture(scope="module")
def bare_map(asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map that draws grids alone, so that its panel holds all other shapes itself."""
    spec = asked.analysed.city.catalog.map("responsibility")
    grids = [layer for layer in spec.layers if layer.layer == "grids"]
    spec = spec.model_copy(update={"layers": tuple(grids)})
    return save_page(draw(asked.analysed, spec), tmp_path_factory.mktemp("bare") / "map.html")


@pytest.mark.browser
@pytest.mark.parametrize("drawn", ["full_map", "bare_map"])
def test_the_page_answers_as_the_function_does(
    asked: Asked, drawn: str, open_page: OpenPage, request: pytest.FixtureRequest
) -> None:
    agree(asked, ask(open_page(request.getfixturevalue(drawn)), asked, asked.degrees))


@pytest.mark.browser
def test_a_page_whose_places_are_shifted_answers_as_well(
    asked: Asked, open_page: OpenPage, tmp_path: Path
) -> None:
    made = page(title="Shifted", bounds=(120.8, 30.6, 121.0, 30.8))
    panel = who_panel(asked.analysed, [], service="amap")
    assert panel is not None
    panel.add_to(made)
    lon, lat = from_wgs84(*np.array(asked.degrees).T, "GCJ-02")
    shifted = list(zip(lon.tolist(), lat.tolist(), strict=True))
    assert abs(shifted[0][0] - asked.degrees[0][0]) > 0.003
    opened = open_page(save_page(made, tmp_path / "shifted.html"))
    agree(asked, ask(opened, asked, shifted))


def agree(asked: Asked, answers: list[list[list[Any]]]) -> None:
    for number in range(PLACES):
        told = [tuple(answer[:8]) for answer in answers[number]]
        assert told == asked.told[number], (number, asked.degrees[number])
        for (distance, chainage), answer in zip(
            asked.distances[number], answers[number], strict=True
        ):
            assert answer[8] == pytest.approx(distance, abs=0.02)
            assert answer[9] == pytest.approx(chainage, abs=0.1)


def ask(
    opened: BrowserPage, asked: Asked, degrees: list[tuple[float, float]]
) -> list[list[list[Any]]]:
    both = zip(degrees, asked.categories, strict=True)
    places = [[*place, category] for place, category in both]
    answers: list[list[list[Any]]] = opened.evaluate(ASK, places)
    return answers


def test_the_command_answers_as_the_function_does(
    asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(0, PLACES, PLACES // 10):
        lon, lat = asked.degrees[number]
        category = asked.categories[number]
        narrowed = ["--category", category] if category else []
        assert gridmap("who", asked.file, f"{lon:.9f},{lat:.9f}", *narrowed, "--json") == 0
        said = json.loads(capsys.readouterr().out)
        assert said["at"] == "2026-01-01T00:00:00+08:00"
        keys = ("holder", "role", "category", "layer", "target", "rule", "until", "phone")
        told = [tuple(row[key] for key in keys) for row in said["responsible"]]
        assert told == asked.told[number]


@pytest.mark.browser
def test_a_click_lists_as_the_function_does(
    asked: Asked, full_map: Path, open_page: OpenPage
) -> None:
    opened = open_page(full_map)
    roles = asked.analysed.city.catalog.layer("assignments").fields["role"].categories
    for number in range(0, PLACES, PLACES // CLICKS):
        category = asked.categories[number]
        click(opened, *asked.degrees[number])
        opened.get_by_label(SAYS["who_category"]).select_option(category or "")
        names = [(answer[0], roles[answer[1]].en, answer[2]) for answer in asked.told[number]]
        wait_equal(opened, lambda: listed(opened), names)


def click(opened: BrowserPage, lon: float, lat: float) -> None:
    """Click a place in the middle of the nearest view, where a pixel is a quarter of a metre."""
    x, y = opened.evaluate(
        """([lon, lat]) => {
            const map = window[document.querySelector('.gm-map').id];
            map.closePopup();
            map.setView([lat, lon], 19, { animate: false });
            const { x, y } = map.latLngToContainerPoint([lat, lon]);
            const { left, top } = map.getContainer().getBoundingClientRect();
            return [left + x, top + y];
        }""",
        [lon, lat],
    )
    opened.mouse.click(x, y)


def listed(opened: BrowserPage) -> list[tuple[str, str, str]]:
    rows: list[list[str]] = opened.evaluate(
        """() => [...document.querySelectorAll('.gm-who-people li')].map((row) =>
            ['name', 'role', 'line'].map((part) =>
                row.querySelector(`.gm-who-${part}`)?.textContent ?? ''))"""
    )
    return [(name, role, line) for name, role, line in rows]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "dark")])
def test_the_panel_can_be_read_and_used_by_keyboard(
    asked: Asked, full_map: Path, open_page: OpenPage, width: int, theme: str
) -> None:
    opened = open_page(full_map, width=width, height=844)
    opened.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    number = max(range(PLACES), key=lambda at: len(asked.told[at]))
    click(opened, *asked.degrees[number])
    panel = opened.locator(".gm-who")
    expect(panel.locator("[aria-live=polite]")).to_contain_text(asked.told[number][0][0])
    expect(panel).to_contain_text("at 2026-01-01 00:00")
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    chooser = opened.get_by_label(SAYS["who_category"])
    chooser.focus()
    opened.keyboard.press("ArrowDown")
    line = chooser.input_value()
    assert line in {answer[2] for answer in asked.told[number]}
    wait_equal(opened, lambda: {row[2] for row in listed(opened)}, {"", line})
    opened.keyboard.press("Tab")
    expect(panel.locator(".gm-card-body")).to_be_focused()
    found = Axe().run(opened).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
