"""Levels of roads by hand-made cases."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString, Point

from gridmap.analysis.network.road_levels import road_levels
from gridmap.errors import ConformError


def roads(**columns: list[object]) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values())))
    lines = [LineString([(0, 1000 * row), (1000, 1000 * row)]) for row in range(count)]
    codes = [f"R{row}" for row in range(count)]
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=lines, crs=4549)


def problems(*counts: int) -> gpd.GeoDataFrame:
    points = [Point(500, 1000 * row) for row, count in enumerate(counts) for _ in range(count)]
    return gpd.GeoDataFrame(geometry=points, crs=4549)


def test_a_speed_is_judged_by_the_class_of_the_road() -> None:
    given = roads(
        **{
            "class": ["expressway", "expressway", "main", "lane", "lane", None],
            "speed_kmh": [65.1, 65.0, 41.0, 10.0, 10.5, 36.0],
        }
    )
    graded = road_levels(given)
    assert graded["level"].tolist() == [1, 2, 1, 5, 4, 1]
    assert set(graded["basis"]) == {"speed"}


def test_without_speeds_quarters_of_the_density_part_the_roads() -> None:
    graded = road_levels(roads(name=list("abcdefghi")), problems(0, 1, 2, 3, 4, 5, 6, 7, 8))
    assert graded["level"].tolist() == [1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert graded["per_km"].tolist() == [float(count) for count in range(9)]
    assert set(graded["basis"]) == {"density"}


def test_limits_of_density_can_be_given_and_a_limit_belongs_to_the_better_level() -> None:
    graded = road_levels(roads(name=list("abc")), problems(1, 2, 9), per_km=(1, 3, 5, 7))
    assert graded["level"].tolist() == [1, 2, 5]


def test_a_road_without_a_speed_falls_back_on_its_problems() -> None:
    graded = road_levels(roads(speed_kmh=[50.0, np.nan]), problems(3, 3))
    assert graded["basis"].tolist() == ["speed", "density"]
    nothing = road_levels(roads(speed_kmh=[np.nan, 8.0]))
    assert nothing["level"].tolist() == [pd.NA, 5]
    assert nothing["basis"].isna().tolist() == [True, False]


def test_problems_out_of_reach_count_on_no_road() -> None:
    far = gpd.GeoDataFrame(geometry=[Point(500, 60), Point(500, 40)], crs=4549)
    assert road_levels(roads(name=["a"]), far, within_m=50)["problems"].tolist() == [1]


@pytest.mark.parametrize("limits", [(1, 2, 3), (4, 3, 2, 1), (1, 1, 2, 3)])
def test_limits_that_are_no_four_steps_are_named(limits: tuple[float, ...]) -> None:
    with pytest.raises(ConformError, match="per_km"):
        road_levels(roads(name=["a"]), per_km=limits)


def test_the_answer_is_on_the_index_of_the_roads() -> None:
    given = roads(speed_kmh=[50.0, np.nan, 8.0])
    cases = problems(1, 4, 0)
    graded = road_levels(given, cases)
    index = pd.Index([7, 0, 30])
    other = road_levels(given.set_axis(index), cases)
    pd.testing.assert_frame_equal(other, graded.set_axis(index))
