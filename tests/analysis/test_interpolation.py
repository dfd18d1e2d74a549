import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import CRS, EAST, NORTH, grid_of

from gridmap.analysis import areal_interpolate

TARGETS = grid_of("abbcc")


def counts(*values: int | None) -> pd.Series:
    return pd.Series(values, dtype="Int64")


def test_counts_go_by_shared_area_in_whole_numbers() -> None:
    assert areal_interpolate(grid_of("XXXXX"), TARGETS, counts(11)).to_list() == [2, 5, 4]


def test_a_source_that_nothing_touches_gives_to_the_nearest_or_keeps() -> None:
    sources = grid_of("........Y")
    assert areal_interpolate(sources, TARGETS, counts(7)).to_list() == [0, 0, 7]
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
    handed = areal_interpolate(sources, TARGETS, given_counts)
    assert handed.sum() == given_counts.sum()
    assert (handed >= 0).all()


def test_each_share_is_within_one_of_its_exact_part() -> None:
    handed = areal_interpolate(grid_of("XXXXX"), TARGETS, counts(1234))
    assert handed.to_numpy(dtype=float) == pytest.approx([246.8, 493.6, 493.6], abs=1)
