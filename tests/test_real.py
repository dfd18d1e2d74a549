"""The main job on real cities. The data are not in this repository: see examples/README.md."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from browser import OpenPage
from playwright.sync_api import expect
from shapely import Point

from gridmap.config import read_city_file
from gridmap.design import Plan, design_grids
from gridmap.design.audit.checks import audit
from gridmap.design.codes import load_profiles
from gridmap.measures.analyse import analyse
from gridmap.model import Receipt
from gridmap.outputs import draw, save_page
from gridmap.result import Analysed
from gridmap.settings import Design
from gridmap.sources import read_city

EXAMPLES = Path(__file__).parent.parent / "examples"
DATA = EXAMPLES.parent.parent / "shared" / "data"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.exists(), reason="needs open data: see examples/README.md"),
]


def worked(name: str) -> Analysed:
    city_file = read_city_file(EXAMPLES / f"{name}.toml")
    return analyse(read_city(city_file), city_file.analysis)


@pytest.fixture(scope="module")
def boston() -> Analysed:
    return worked("boston")


@pytest.fixture(scope="module")
def cambridge() -> Analysed:
    return worked("cambridge")


@pytest.fixture(scope="module")
def tainan() -> Analysed:
    return worked("tainan")


def receipt(analysed: Analysed, layer: str, part: str = "") -> Receipt:
    receipts = analysed.city.receipts
    return next(r for r in receipts if r.layer == layer and part in r.source)


def frame(analysed: Analysed, name: str) -> gpd.GeoDataFrame:
    found = analysed.frame(name)
    assert isinstance(found, gpd.GeoDataFrame)
    return found


def test_every_boston_request_is_accounted_for(boston: Analysed) -> None:
    requests = receipt(boston, "problems")
    assert requests.rows == 121_145
    assert requests.placed + requests.quarantined == 121_145
    assert len(frame(boston, "problems")) == requests.placed


def test_boston_cases_closed_before_they_open_are_quarantined(boston: Analysed) -> None:
    rejected = receipt(boston, "problems").rejected
    assert (rejected["gridmap_reason"] == "order:closed").sum() == 197


def test_the_boston_pile_is_found_and_never_drawn_as_a_hot_spot(boston: Analysed) -> None:
    piles = frame(boston, "piles")
    rejected = receipt(boston, "problems").rejected
    at_pile = (rejected["LATITUDE"] == "42.3594") & (rejected["LONGITUDE"] == "-71.0587")
    assert len(piles) == 1
    assert piles["problems"][0] + at_pile.sum() == 17_070
    place = piles.to_crs(4326).geometry[0]
    assert place.distance(Point(-71.0587, 42.3594)) < 1e-6
    problems = frame(boston, "problems")
    cells = frame(boston, "hotspot_cells")
    assert cells["count"].sum() == len(problems) - piles["problems"][0]
    under = cells[cells.contains(piles.geometry[0])]
    assert under["count"].iloc[0] < 2_000
    assert problems.loc[problems["pile"], "grid"].isna().all()


def test_the_boston_ward_found_is_the_ward_on_record(boston: Analysed) -> None:
    assert boston.summary["recorded_compared"] > 30_000
    assert boston.summary["recorded_agrees"] >= 0.995


def test_boston_households_are_kept_to_the_last_one(boston: Analysed) -> None:
    census = frame(boston, "census")
    counted = int(census["households"].sum())
    handed = int(frame(boston, "buildings")["occupied"].sum())
    assert handed + boston.summary["households_left"] == counted
    assert handed > 100_000
    # Of half of the wards no parcel is known: their tracts keep their households, as is told.
    kept = frame(boston, "not_interpolated")
    assert kept["count"].sum() == boston.summary["households_left"] > 100_000
    assert len(kept) == boston.summary["areas_left"] == 92
    assert set(kept["area"]) <= set(census["code"])
    assert (kept.distance(frame(boston, "buildings").union_all()) < 10).sum() == 10


def test_boston_defects_of_other_layers_are_told(boston: Analysed) -> None:
    assert receipt(boston, "buildings").quarantined == 13
    assert receipt(boston, "buildings").repaired == 2
    assert boston.city.crs.to_epsg() == 32619
    police = frame(boston, "zones").query("kind == 'police'")
    assert len(police) == 12, "a layer in feet lies where the others do"
    assert police.union_all().intersects(frame(boston, "grids").union_all())


@pytest.mark.browser
def test_a_click_on_a_boston_grid_shows_its_figures(
    boston: Analysed, tmp_path: Path, open_page: OpenPage
) -> None:
    path = save_page(draw(boston, boston.city.catalog.map("workload")), tmp_path / "w.html")
    opened = open_page(path)
    loads = frame(boston, "grid_results")
    row = int(loads["problems"].fillna(0).astype(int).idxmax())
    point = loads.geometry.iloc[[row]].representative_point().to_crs(4326).iloc[0]
    spot = opened.evaluate(
        "([lat, lon]) => { const map = window[document.querySelector('.gm-map').id];"
        " map.setView([lat, lon], 15, {animate: false});"
        " const p = map.latLngToContainerPoint([lat, lon]); return [p.x, p.y]; }",
        [point.y, point.x],
    )
    opened.mouse.click(*spot)
    popup = opened.locator(".leaflet-popup")
    expect(popup).to_contain_text(loads["code"][row])
    expect(popup).to_contain_text(f"{loads['problems'][row]:,}")


def test_cambridge_households_are_those_of_its_parcels(cambridge: Analysed) -> None:
    assert int(frame(cambridge, "buildings")["occupied"].sum()) == 38_414
    assert cambridge.summary["households"] > 38_000
    assert cambridge.summary["grids"] == 33
    assert len(frame(cambridge, "places")) == receipt(cambridge, "places").placed


def test_tainan_names_are_correct_chinese(tainan: Analysed) -> None:
    areas = frame(tainan, "grids")
    villages = areas[areas["level"] == "community"]
    assert len(villages) == 752
    names = set(villages["name"])
    assert {"大寮里", "大社里"} <= names
    assert names
    assert (
        pd.Series(sorted(names)).str.fullmatch(r"[\[\]\u3400-\u9fff\U00020000-\U0003ffff]+").all()
    )
    assert {"七股區", "新市區"} <= set(areas.loc[areas["level"] == "street", "name"])
    assert tainan.summary["households"] > 400_000


@pytest.fixture(scope="module", params=["cambridge", "boston"])
def parcels(request: pytest.FixtureRequest) -> tuple[Analysed, Plan]:
    analysed = request.getfixturevalue(request.param)
    return analysed, design_grids(analysed.city, Design(level="grid"), lang="en", workers=2)


def test_a_plan_of_a_real_city_passes_the_audit(parcels: tuple[Analysed, Plan]) -> None:
    _, plan = parcels
    found = audit(
        plan.microgrids,
        plan.grids,
        buildings=plan.buildings,
        minimum=plan.settings.least,
        maximum=plan.settings.most,
        profile=load_profiles()["suffix"],
    )
    assert found["kind"].value_counts().to_dict() == {}
    assert shapely.coverage_is_valid(plan.shape)


def test_a_plan_of_a_real_city_is_even_and_explained(parcels: tuple[Analysed, Plan]) -> None:
    analysed, plan = parcels
    micro = plan.microgrids
    buildings = analysed.city.frame("buildings").set_index("code")["occupied"]
    lost = buildings.reindex(list(plan.outside)).sum()
    assert micro["households"].sum() == buildings.sum() - lost
    beyond = (micro["weight"] < plan.settings.least) | (micro["weight"] > plan.settings.most)
    assert (beyond == micro["reason"].notna()).all()
    free = micro[micro["reason"].isna()]
    assert (free["deviation"].abs() <= 20).mean() > 0.85
    assert (micro["reason"].fillna("") == "not_found").mean() < 0.02


def test_tainan_in_parts_that_are_more_even_than_the_official_ones() -> None:
    city_file = read_city_file(EXAMPLES / "tainan_design.toml")
    city = read_city(city_file)
    plan = design_grids(city, city_file.design, workers=2)
    areas = city.frame("buildings")
    member = plan.membership.set_index("code")["microgrid"]
    planned = areas.assign(part=areas["code"].map(member)).dropna(subset=["part"])

    def judged(parts: gpd.GeoDataFrame, by: str) -> tuple[float, float]:
        households = parts.groupby(by)["occupied"].sum().astype("float64")
        households = households[households > 0]
        shapes = parts.dissolve(by)
        square = np.square(shapes.length)
        return households.std() / households.mean(), float(
            (4 * np.pi * shapes.area / square).mean()
        )

    spread, compact = judged(planned, "part")
    official_spread, official_compact = judged(areas, "compound")
    assert spread < 0.8 * official_spread
    assert compact >= official_compact


def test_boston_has_kpis_by_department_and_neighbourhood(boston: Analysed) -> None:
    found = boston.results["kpis"].frame
    whole = found[found["by"].isna()].set_index("kpi")
    for by in ("department", "neighbourhood"):
        parts = found[found["by"] == by]
        sums = parts.groupby("kpi")[["numerator", "denominator"]].sum()
        rates = whole["numerator"].notna()
        assert sums.loc[rates[rates].index, "numerator"].eq(whole["numerator"].dropna()).all()
        assert sums["denominator"].eq(whole["denominator"]).all()
        assert parts["group"].nunique() > 10
    assert whole.loc["closing_rate", "denominator"] == len(boston.frame("problems"))
    overdue = boston.frame("deadlines")
    assert len(overdue) == boston.summary["overdue_open"] + boston.summary["due_soon"]
