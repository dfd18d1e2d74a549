"""Alarms of a city: what was planted at its end is told, by grid, by cell and by exposure."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap.errors import ConformError
from gridmap.measures.alarms import _level
from gridmap.measures.analyse import analyse, why_nothing
from gridmap.measures.registry import Given
from gridmap.model import City
from gridmap.outputs.tables.explained import explained
from gridmap.result import Analysed
from gridmap.settings import Analysis

NOW = pd.Timestamp("2026-01-01", tz="Asia/Shanghai")


def surged(city: City) -> City:
    """Return a city whose problems of a year lie evenly, but for 40 more of the last five days."""
    grids = city.areas("grid")
    rng = np.random.default_rng(5)
    old = city.frame("problems").iloc[:4000]
    at = grids.geometry.sample_points(120, rng=3).explode().sample(4000, random_state=2)
    days = pd.to_timedelta(rng.uniform(0, 365, 4000), unit="D")
    even = old.assign(
        opened=NOW - days,
        closed=pd.Series(pd.NaT, old.index, dtype=old["closed"].dtype),
        category="占道经营",
    )
    even = even.set_geometry(gpd.GeoSeries(at.to_numpy(), even.index, crs=even.crs))
    place = grids.geometry.iloc[7].representative_point()
    lately = even.iloc[:40].assign(
        opened=NOW - pd.to_timedelta(rng.uniform(0, 5, 40), unit="D"), category="暴露垃圾"
    )
    spread = rng.normal((place.x, place.y), 15.0, (40, 2))
    points = gpd.GeoSeries(shapely.points(spread), lately.index, crs=even.crs)
    lately = lately.set_geometry(points).assign(code=[f"S{k}" for k in range(40)])
    lately.index = range(10_000, 10_040)
    problems = gpd.GeoDataFrame(pd.concat([even, lately]), crs=even.crs)
    return replace(city, layers={**city.layers, "problems": problems}, as_of=NOW)


@pytest.fixture(scope="module")
def surge(sample: Analysed) -> City:
    return surged(sample.city)


def told(city: City, settings: Analysis | None = None) -> Analysed:
    return analyse(city, settings or Analysis(), want=["alarms"])


def test_what_began_five_days_ago_is_told_with_its_category(surge: City) -> None:
    grid = surge.areas("grid").iloc[7]
    frame = told(surge).frame("alarms")
    first = frame.iloc[0]
    assert first.geometry.intersects(grid.geometry.representative_point())
    assert first["category"] == "暴露垃圾"
    assert first["category_cases"] == 40
    assert first["cases"] >= 40
    assert first["p"] == pytest.approx(0.001)
    assert first["once_in"] == pytest.approx(1000.0)
    assert first["bins"] == pytest.approx(5, abs=1)
    assert first["since"] == NOW - pd.Timedelta(days=int(first["bins"]))
    assert (frame["p"] <= 0.05).all()
    assert frame["rank"].tolist() == list(range(1, len(frame) + 1))
    inside = surge.frame("problems").within(first.geometry)
    recent = surge.frame("problems")["opened"] > first["since"]
    assert (inside & recent).sum() == pytest.approx(first["cases"], abs=1)


def test_cells_see_it_too_and_are_named_by_their_grid(surge: City) -> None:
    settings = Analysis(alarms={"level": "h3"}, h3_resolution=10)
    first = told(surge, settings).frame("alarms").iloc[0]
    assert first["name"] == surge.areas("grid")["name"].iloc[7]
    assert len(first["code"]) == 15
    assert first["p"] == pytest.approx(0.001)


def test_it_stands_out_against_households_as_well(surge: City) -> None:
    for level in ("", "h3"):
        asked = {"model": "exposure", "level": level}
        found = told(surge, Analysis(alarms=asked, h3_resolution=10, exposure="households"))
        point = surge.areas("grid").geometry.iloc[7].representative_point()
        assert found.frame("alarms").geometry.intersects(point).any()
        text = explained(found.results["alarms"], found.frame("alarms"), "en")
        assert text is not None
        assert "what problems are held against" in text.text
    with pytest.raises(ConformError, match="held against"):
        told(surge, Analysis(alarms={"model": "exposure"}, exposure="none"))
    with pytest.raises(ConformError, match='level = "grid"'):
        told(surge, Analysis(alarms={"model": "exposure", "level": "community"}))


def test_a_season_of_the_whole_city_is_no_alarm(surge: City) -> None:
    problems = surge.frame("problems").iloc[:4000]
    # Three times as many in the last ten days, everywhere alike.
    rng = np.random.default_rng(1)
    days = pd.to_timedelta(np.where(rng.random(4000) < 0.1, rng.uniform(0, 10, 4000),
                                    rng.uniform(10, 365, 4000)), unit="D")  # fmt: skip
    season = problems.assign(opened=NOW - days)
    busy = replace(surge, layers={**surge.layers, "problems": season})
    assert told(busy).frame("alarms").empty


def test_only_the_days_that_are_asked_for_count(surge: City) -> None:
    short = told(surge, Analysis(alarms={"days": 2})).frame("alarms")
    # Both days are as the surge is: nothing is known of how it was before.
    assert short.empty
    one = told(surge, Analysis(alarms={"bin": "400D"}))
    assert one.frame("alarms") is None
    assert "alarms.days" in str(why_nothing(one, "alarms"))


def test_a_closing_long_after_the_last_report_silences_nothing(surge: City) -> None:
    usual = told(surge).frame("alarms")
    later = told(replace(surge, as_of=NOW + pd.Timedelta(days=500, hours=7))).frame("alarms")
    assert later.drop(columns="geometry").equals(usual.drop(columns="geometry"))


def test_too_many_cells_are_refused_by_what_to_change(surge: City) -> None:
    with pytest.raises(ConformError, match="h3_resolution"):
        told(surge, Analysis(alarms={"level": "h3"}, h3_resolution=13))
    # Of a level that nobody asked for, the areas above are taken instead.
    many = {"replicates": 50_000_000}
    assert len(surge.areas("grid")) ** 2 * 0.1 * 28 * many["replicates"] > 1e11
    assert _level(Given(surge, Analysis(alarms=many))) == "community"
    assert _level(Given(surge, Analysis())) == "grid"
    with pytest.raises(ConformError, match="moon"):
        told(surge, Analysis(level="moon"))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_explained(surge: City, lang: str) -> None:
    result = told(surge).results["alarms"]
    text = explained(result, result.frame, lang)
    assert text is not None
    assert "999" in text.text
    assert "0.05" in text.text
