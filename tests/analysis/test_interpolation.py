import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import CRS, EAST, NORTH, grid_of

from gridmap.analysis import areal_interpolate, areal_shares
from gridmap.analysis.location.interpolation import apportion
from gridmap.errors import ConformError

TARGETS = grid_of("abbcc")


def counts(*values: int | None) -> pd.Series:
    return pd.Series(values, dtype="Int64")


def test_counts_go_by_shared_area_in_whole_numbers() -> None:
    assert areal_interpolate(grid_of("XXXXX"), TARGETS, counts(11)).to_list() == [2, 5, 4]


def test_a_source_that_nothing_touches_gives_to_the_nearest_or_keeps() -> None:
    sources = grid_of("........Y")
    assert areal_interpolate(sources, TARGETS, counts(7)).to_list() == [0, 0, 0]
    assert areal_interpolate(sources, TARGETS, counts(7), reach_m=math.inf).to_list() == [0, 0, 7]
    assert areal_interpolate(sources, TARGETS, counts(7), reach_m=100).to_list() == [0, 0, 0]
    assert areal_interpolate(sources, TARGETS, counts(7), reach_m=400).to_list() == [0, 0, 7]


def test_missing_counts_are_none() -> None:
    assert areal_interpolate(grid_of("XXYYY"), TARGETS, counts(None, 3)).sum() == 3


@given(
    st.lists(
        st.tuples(st.floats(0, 500), st.floats(0, 100), st.floats(1, 300), st.integers(0, 5000)),
        min_size=1,
        max_size=8,
    )
)
def test_the_total_is_kept_to_the_last_one(boxes: list[tuple[float, float, float, int]]) -> None:
    shapes = [
        shapely.box(EAST + x, NORTH + y, EAST + x + size, NORTH + y + size)
        for x, y, size, _ in boxes
    ]
    sources = gpd.GeoDataFrame(geometry=shapes, crs=CRS)
    given_counts = counts(*(number for *_, number in boxes))
    handed = areal_interpolate(sources, TARGETS, given_counts, reach_m=math.inf)
    assert handed.sum() == given_counts.sum()
    assert (handed >= 0).all()
    # What is not handed on is kept, and told.
    shares = areal_shares(sources, TARGETS, given_counts)
    assert shares.received.sum() + shares.kept.sum() == given_counts.sum()
    assert (shares.received >= 0).all()
    assert (shares.kept >= 0).all()


@pytest.mark.parametrize(
    ("east", "size", "goes"),
    [(510, 40, True), (510, 41, False), (540, 11, False), (499.5, 60, True), (500, 51, False)],
)
def test_no_count_goes_further_than_the_reach(east: float, size: float, goes: bool) -> None:
    """It is measured to the farthest point of a source on which no target lies."""
    box = shapely.box(EAST + east, NORTH + 20, EAST + east + size, NORTH + 30)
    shares = areal_shares(gpd.GeoDataFrame(geometry=[box], crs=CRS), TARGETS, counts(9))
    assert (shares.received.sum(), shares.kept.sum()) == ((9, 0) if goes else (0, 9))


def test_without_targets_all_is_kept_and_no_count_is_below_zero() -> None:
    sources = grid_of("XY")
    shares = areal_shares(sources, TARGETS.iloc[:0], counts(4, None))
    assert shares.received.empty
    assert shares.kept.to_list() == [4, 0]
    with pytest.raises(ConformError, match="below zero"):
        areal_shares(sources, TARGETS, counts(4, -1))
    with pytest.raises(ConformError, match="reach_m"):
        areal_shares(sources, TARGETS, counts(4, 1), reach_m=-1.0)


def test_each_share_is_within_one_of_its_exact_part() -> None:
    handed = areal_interpolate(grid_of("XXXXX"), TARGETS, counts(1234))
    assert handed.to_numpy(dtype=float) == pytest.approx([246.8, 493.6, 493.6], abs=1)


@pytest.mark.parametrize(
    ("area", "target", "shares"),
    [
        ([1.0, 3.0], [0, 1], [0, 2]),  # 0.5 and 1.5: the larger area
        ([3.0, 1.0], [0, 1], [2, 0]),
        ([2.0, 2.0, 2.0], [2, 0, 1], [0, 1, 1]),  # 2/3 each: the lower targets
        ([1.0, 2.0], [0, 1], [1, 1]),  # 2/3 and 4/3: the larger remainder
    ],
)
def test_what_is_left_of_a_count_goes_by_remainder_area_and_order(
    area: list[float], target: list[int], shares: list[int]
) -> None:
    source = np.zeros(len(area), dtype=np.int64)
    found = apportion(np.array([2]), source, np.array(target), np.array(area))
    assert found.tolist() == shares


def test_areas_that_only_touch_share_nothing() -> None:
    assert areal_interpolate(grid_of("XX..."), TARGETS, counts(9)).to_list() == [5, 4, 0]
    assert areal_interpolate(grid_of("X...."), TARGETS, counts(9)).to_list() == [9, 0, 0]
