import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import CRS, EAST, NORTH, grid_of, points_at

from gridmap.analysis import assign, assign_all, count_points
from gridmap.analysis.location.assign import MANY_POINTS, assign_lines, assign_nearest

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


@pytest.mark.parametrize("overlapping", [False, True])
def test_many_points_get_the_answer_of_few(*, overlapping: bool) -> None:
    areas = pd.concat([AREAS, grid_of(".mm")]) if overlapping else AREAS
    areas = areas.reset_index(drop=True)
    rng = np.random.default_rng(1)
    xy = rng.integers(-5, 70, (MANY_POINTS, 2)) * 5 + rng.integers(0, 2, (MANY_POINTS, 1)) * 0.25
    points = gpd.GeoDataFrame(
        {"code": [str(number) for number in range(MANY_POINTS)]},
        geometry=gpd.points_from_xy(EAST + xy[:, 0], NORTH + xy[:, 1]),
        crs=CRS,
    )
    few = [points.iloc[begin : begin + 10_000] for begin in range(0, MANY_POINTS, 10_000)]
    pd.testing.assert_series_equal(
        assign(points, areas), pd.concat([assign(part, areas) for part in few])
    )
    pd.testing.assert_frame_equal(
        assign_all(points, areas),
        pd.concat([assign_all(part, areas) for part in few], ignore_index=True),
    )


def test_many_points_of_which_one_has_no_place() -> None:
    shapes = [shapely.Point(EAST + 50, NORTH + 50)] * MANY_POINTS
    points = gpd.GeoDataFrame(geometry=[*shapes, None], crs=CRS)
    found = assign(points, AREAS)
    assert found.iloc[:-1].eq("a").all()
    assert pd.isna(found.iloc[-1])


def _lines(
    **lines: list[tuple[float, float]] | list[list[tuple[float, float]]],
) -> gpd.GeoDataFrame:
    shapes = []
    for line in lines.values():
        many = isinstance(line[0], list)
        shape = shapely.MultiLineString(line) if many else shapely.LineString(line)
        shapes.append(shapely.affinity.translate(shape, EAST, NORTH))
    return gpd.GeoDataFrame({"code": list(lines)}, geometry=shapes, crs=CRS)


def test_a_point_belongs_to_the_nearest_road_and_knows_how_far_along() -> None:
    roads = _lines(b=[(0, 0), (100, 0), (100, 100)], a=[(0, 60), (90, 60)])
    found = assign_lines(
        points_at((30, 5), (105, 40), (50, 30), (50, 300), (0, 30)), roads, within_m=30
    )
    assert found["code"].to_list() == ["b", "b", "a", pd.NA, "a"]
    assert found["distance_m"].iloc[:3].to_list() == [5, 5, 30]
    assert found["chainage_m"].iloc[[0, 1, 2, 4]].to_list() == [30, 140, 50, 0]
    assert found.iloc[3].isna().all()


def test_chainage_goes_on_over_the_parts_of_a_road() -> None:
    roads = _lines(r=[[(0, 0), (100, 0)], [(200, 0), (300, 0)]])
    found = assign_lines(points_at((250, 1), (20, 1), (150, 1)), roads, within_m=60)
    assert found["chainage_m"].to_list() == [150, 20, 100]


def test_the_nearest_place_within_reach_the_lowest_code_of_equals() -> None:
    posts = points_at((0, 0), (100, 0), (300, 0)).assign(code=["y", "x", "z"])
    found = assign_nearest(points_at((50, 0), (310, 0), (900, 0)), posts, within_m=60)
    assert found["code"].to_list() == ["x", "z", pd.NA]
    assert found["distance_m"].iloc[:2].to_list() == [50, 10]
    nobody = assign_nearest(points_at((0, 0)), posts.iloc[:0], within_m=60)
    assert nobody["code"].isna().all()
    assert len(assign_lines(points_at(), _lines(r=[(0, 0), (1, 1)]), within_m=1)) == 0


@pytest.mark.parametrize("seed", range(8))
def test_chainage_runs_over_the_parts_of_lines_as_one_by_one(seed: int) -> None:
    draw = np.random.default_rng(seed)
    lines = [
        shapely.multilinestrings(
            [shapely.linestrings(draw.integers(0, 60, (3, 2)) * 1.0) for _ in range(parts)]
        )
        for parts in draw.integers(1, 4, 6)
    ]
    roads = gpd.GeoDataFrame({"code": [*"fbdace"]}, geometry=lines, crs=4549)
    places = gpd.points_from_xy(*(draw.integers(0, 60, (2, 200)) * 1.0))
    found = assign_lines(gpd.GeoDataFrame(geometry=places, crs=4549), roads, within_m=9)
    by_code = roads.set_index("code").geometry
    assert found["code"].notna().sum() > 50
    for place, row in zip(places, found.itertuples(), strict=True):
        near = [(place.distance(line), code) for code, line in by_code.items()]
        away, code = min(near)
        if away > 9:
            assert pd.isna(row.code)
            continue
        assert (row.code, row.distance_m) == (code, pytest.approx(away))
        parts = list(by_code[code].geoms)
        nearest = min(range(len(parts)), key=lambda at: parts[at].distance(place))
        before = sum(part.length for part in parts[:nearest])
        assert row.chainage_m == pytest.approx(before + parts[nearest].project(place))
