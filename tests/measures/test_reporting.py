"""The layer of reporting: areas that report seldom, and those that nobody looked at."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pydantic import ValidationError

from gridmap.measures.analyse import analyse, why_nothing
from gridmap.model import City
from gridmap.outputs.tables.explained import explained
from gridmap.result import Analysed
from gridmap.settings import Analysis

ASKED = Analysis(residents=("随手拍",), patrols=("巡查",), reporting={"lifetime_days": 20})


@pytest.fixture(scope="module")
def quiet(sample: Analysed) -> tuple[City, str, str]:
    """A city whose east reports a third as readily as its west; one grid has nothing at all."""
    grids = sample.city.areas("grid")
    east = grids["code"][grids.centroid.x > grids.centroid.x.median()]
    silent = grids["code"].iloc[5]
    rng = np.random.default_rng(8)
    rows = []
    for grid in grids.itertuples():
        if grid.code == silent:
            continue
        rate = 0.04 if grid.code in set(east) else 0.12
        inner = shapely.buffer(grid.geometry, -8)
        points = gpd.GeoSeries([inner]).sample_points(70, rng=rng).explode()
        for point in points:
            first, length = rng.uniform(0, 330), rng.exponential(12.0)
            rows.append((point, first, first + length, "巡查" if rng.random() < 0.3 else "随手拍"))
            rows += [
                (point, first + length * rng.random(), first + length, "随手拍")
                for _ in range(rng.poisson(rate * length))
            ]
    start = pd.Timestamp("2025-01-05", tz="Asia/Shanghai")
    problems = sample.city.frame("problems").iloc[: len(rows)].copy()
    assert len(problems) == len(rows)
    problems["opened"] = start + pd.to_timedelta([row[1] for row in rows], unit="D").as_unit("us")
    problems["closed"] = start + pd.to_timedelta([row[2] for row in rows], unit="D").as_unit("us")
    problems["source"] = [row[3] for row in rows]
    problems["category"] = "暴露垃圾"
    problems = problems.set_geometry(
        gpd.GeoSeries([row[0] for row in rows], problems.index, crs=problems.crs)
    )
    return replace(sample.city, layers={**sample.city.layers, "problems": problems}), silent, east


def told(city: City, settings: Analysis = ASKED) -> gpd.GeoDataFrame:
    return analyse(city, settings, want=["reporting"]).frame("reporting").set_index("code")


def test_who_reports_seldom_is_told(quiet: tuple[City, str, pd.Series]) -> None:
    city, silent, east = quiet
    frame = told(city).drop(index=silent)
    in_east = frame.index.isin(east)
    assert set(frame["verdict"][in_east]) <= {"seldom", "alike"}
    assert set(frame["verdict"][~in_east]) <= {"readily", "alike"}
    assert (frame["verdict"] == "seldom").sum() >= 5
    assert frame["ratio"][in_east].mean() < 0.6 * frame["ratio"][~in_east].mean()
    # As many events everywhere, whatever the number of reports.
    assert frame["reports"][in_east].mean() < 0.85 * frame["reports"][~in_east].mean()
    told_of = frame["need"].notna()
    assert told_of.mean() > 0.8
    assert (frame["need"] > frame["found"])[told_of].all()
    assert (frame["need_high"] <= 10 * frame["found"])[told_of].all()
    assert frame["share_found"][in_east].mean() < frame["share_found"][~in_east].mean()
    assert (frame["need_low"] <= frame["need"])[told_of].all()
    assert (frame["need"] <= frame["need_high"])[told_of].all()
    assert (frame["by_residents"] <= frame["found"]).all()


def test_where_nothing_is_reported_somebody_must_have_looked(
    quiet: tuple[City, str, pd.Series],
) -> None:
    city, silent, _ = quiet
    frame = told(city)
    assert frame.loc[silent, "verdict"] == "unlooked"
    assert frame.loc[silent, ["need", "need_low", "need_high"]].isna().all()
    grids = city.frame("grids").assign(patrol_hours=40.0)
    patrolled = replace(city, layers={**city.layers, "grids": grids})
    assert told(patrolled).loc[silent, "verdict"] == "nothing"


def test_duplicates_that_the_source_knows_count_alone(
    quiet: tuple[City, str, pd.Series],
) -> None:
    city, _, _ = quiet
    problems = city.frame("problems")
    first = problems.drop_duplicates("geometry").set_index("geometry")["code"]
    named = problems["geometry"].map(first)
    named = named.where(named != problems["code"])
    marked = problems.assign(duplicate_of=named.astype("string"))
    said = told(replace(city, layers={**city.layers, "problems": marked}))
    # But for those of more than 90 days after the first.
    assert 0.99 * named.notna().sum() < said["repeats"].sum() <= named.notna().sum()
    every_other = named.where(np.arange(len(named)) % 2 == 0).astype("string")
    some = problems.assign(duplicate_of=every_other)
    half = told(replace(city, layers={**city.layers, "problems": some}))
    assert half["repeats"].sum() < said["repeats"].sum()


def test_a_city_in_which_nothing_is_reported_twice(sample: Analysed) -> None:
    # What lies side by side there is chance: as much lies there before as after a report.
    found = analyse(sample.city, Analysis(), want=["reporting"])
    assert found.frame("reporting") is None
    assert "reporting.within_m" in str(why_nothing(found, "reporting"))


def test_sources_that_nobody_reports_by_are_told(sample: Analysed) -> None:
    for source in ("nosuch", "12345"):
        found = analyse(sample.city, Analysis(residents=(source,)), want=["reporting"])
        assert found.frame("reporting") is None
        assert "analysis.residents" in str(why_nothing(found, "reporting"))
    with pytest.raises(ValidationError, match="both name 巡查"):
        Analysis(residents=("巡查", "随手拍"), patrols=("巡查",))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_explained(quiet: tuple[City, str, pd.Series], lang: str) -> None:
    result = analyse(quiet[0], ASKED, want=["reporting"]).results["reporting"]
    text = explained(result, result.frame, lang)
    assert text is not None
    for number in ("30", "90", "20"):
        assert number in text.text
