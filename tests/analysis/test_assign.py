import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import CRS, EAST, NORTH, grid_of, points_at

from gridmap.analysis import assign, assign_all, count_points

AREAS = grid_of("""
    ccd
    abd
""")


def test_a_point_goes_to_the_area_that_holds_it() -> None:
    points = points_at((50, 50), (150, 50), (50, 150), (250, 100), (900, 50))
    assert assign(points, AREAS).to_list() == ["a", "b", "c", "d", pd.NA]


def test_ties_on_borders_and_corners_go_to_the_lowest_code() -> None:
    points = points_at((100, 50), (100, 100), (200, 150), (0, 0), (300, 200))
    assert assign(points, AREAS).to_list() == ["a", "a", "c", "a", "d"]


def test_overlapping_areas_give_the_lowest_code_whatever_their_order() -> None:
    areas = pd.concat([grid_of("zz"), grid_of(".m")], ignore_index=True)
    points = points_at((150, 50))
    assert assign(points, areas).to_list() == ["m"]
    assert assign(points, areas[::-1].reset_index(drop=True)).to_list() == ["m"]


def test_the_answer_is_on_the_index_of_the_points() -> None:
    points = points_at((50, 50), (150, 50)).set_index(pd.Index([7, 3]))
    found = assign(points, AREAS)
    assert list(found.index) == [7, 3]
    assert found.dtype == "string"


def test_no_points_and_no_areas_are_no_trouble() -> None:
    assert assign(points_at(), AREAS).empty
    assert assign(points_at((1, 1)), AREAS.iloc[:0]).isna().all()
    assert assign_all(points_at(), AREAS).empty


def test_every_zone_that_holds_a_point_is_told() -> None:
    zones = pd.concat([grid_of("xx"), grid_of(".y")], ignore_index=True)
    pairs = assign_all(points_at((150, 50), (50, 50), (500, 50)), zones)
    assert pairs.to_numpy().tolist() == [["p0", "x"], ["p0", "y"], ["p1", "x"]]


def test_counts_include_the_border() -> None:
    points = points_at((50, 50), (100, 50), (250, 50))
    assert count_points(AREAS, points).to_list() == [2, 1, 0, 1]


@given(
    st.lists(
        st.tuples(st.integers(-1, 31), st.integers(-1, 21)).map(
            lambda xy: (xy[0] * 10, xy[1] * 10)
        ),
        min_size=1,
        max_size=40,
    )
)
def test_the_answer_is_that_of_a_plain_loop(places: list[tuple[int, int]]) -> None:
    points = points_at(*places)
    plain = [
        min(
            (c for c, s in zip(AREAS["code"], AREAS.geometry, strict=True) if s.covers(p)),
            default=None,
        )
        for p in points.geometry
    ]
    found = assign(points, AREAS)
    assert [None if pd.isna(code) else code for code in found] == plain


def test_a_hole_is_no_part_of_the_area() -> None:
    ring = shapely.Polygon(
        shapely.box(EAST, NORTH, EAST + 300, NORTH + 300).exterior,
        [shapely.box(EAST + 100, NORTH + 100, EAST + 200, NORTH + 200).exterior],
    )
    areas = gpd.GeoDataFrame({"code": ["r"]}, geometry=[ring], crs=CRS)
    found = assign(points_at((150, 150), (50, 50), (100, 150)), areas)
    assert found.isna().to_list() == [True, False, False]
    assert np.count_nonzero(found.notna()) == 2
