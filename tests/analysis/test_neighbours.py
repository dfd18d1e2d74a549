import builtins
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import shapely
from benchmarks.coverages import make_coverage
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay
from shapes import CRS, grid_of, points_at

from gridmap.analysis import (
    as_graph,
    distance_band,
    k_nearest,
    neighbours,
    queen,
    rook,
    with_self,
)
from gridmap.errors import ConformError, GridmapError

Build = Callable[[gpd.GeoSeries], sp.csr_array]


def plain(shapes: gpd.GeoSeries, *, corners: bool) -> np.ndarray:
    """Every pair of areas, asked one by one."""
    found = np.zeros((len(shapes), len(shapes)))
    for i, one in enumerate(shapes):
        for j, other in enumerate(shapes):
            if i != j and one is not None and other is not None and one.intersects(other):
                found[i, j] = corners or one.intersection(other).length > 0
    return found


def is_plain(shapes: gpd.GeoSeries) -> None:
    assert (queen(shapes).toarray() == plain(shapes, corners=True)).all()
    assert (rook(shapes).toarray() == plain(shapes, corners=False)).all()


def of_libpysal(shapes: gpd.GeoSeries, *, rook: bool) -> np.ndarray:
    graph = libpysal.graph.Graph.build_contiguity(shapes, rook=rook)
    return graph.sparse.toarray()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcdefg."), min_size=5, max_size=5), min_size=4, max_size=5)
)
def test_drawings_with_holes_parts_touching_corners_and_t_junctions(rows: list[list[str]]) -> None:
    drawing = "\n".join("".join(row) for row in rows)
    if set(drawing) <= {".", "\n"}:
        return
    shapes = grid_of(drawing).geometry
    # A union drops vertices on straight borders, so that neighbours meet them in T-junctions.
    is_plain(shapes.simplify(0))
    is_plain(shapes)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 60), st.integers(1, 12), st.booleans())
def test_random_coverages_have_the_neighbours_of_libpysal(
    seed: int, points: int, labels: int, turned: bool
) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 1000, (points, 2))
    triangles = shapely.polygons(xy[Delaunay(xy).simplices])
    label = rng.integers(0, labels, len(triangles))
    made = [shapely.MultiPolygon(list(triangles[label == k])) for k in np.unique(label)]
    pieces = gpd.GeoSeries(shapely.coverage_union_all([shape]) for shape in made)
    shapes = gpd.GeoSeries(shapely.reverse(pieces.to_numpy()) if turned else pieces)
    expected = of_libpysal(shapes, rook=False)
    assert (queen(shapes).toarray() == expected).all()
    assert (rook(shapes).toarray() == of_libpysal(shapes, rook=True)).all()


def test_a_large_jagged_coverage_has_the_neighbours_of_libpysal() -> None:
    shapes = gpd.GeoSeries(make_coverage(2000, random_state=3))
    for build, is_rook in ((queen, False), (rook, True)):
        found = build(shapes)
        assert (found.toarray() == of_libpysal(shapes, rook=is_rook)).all()
        assert (found != found.T).nnz == 0
        assert (found.data == 1).all()


@pytest.mark.real
@pytest.mark.parametrize("city", ["boston", "cambridge", "shanghai", "shenzhen", "tainan"])
def test_real_areas_have_the_neighbours_of_shapely(city: str) -> None:
    folder = Path(__file__).parents[3] / "shared/data" / city
    files = [*folder.rglob("*.geojson"), *folder.rglob("*.gpkg"), *folder.rglob("*.shp")]
    tried = 0
    for file in sorted(files):
        shapes = gpd.read_file(file, rows=3000).geometry
        if not shapes.geom_type.isin(["Polygon", "MultiPolygon"]).all() or not len(shapes):
            continue
        shapes = gpd.GeoSeries(shapely.make_valid(shapes.to_numpy(), method="structure"))
        row, column = shapes.sindex.query(shapes, predicate="intersects")
        expected = np.zeros((len(shapes), len(shapes)))
        expected[row, column] = row != column
        assert (queen(shapes).toarray() == expected).all(), file
        tried += 1
    if not tried:
        pytest.skip("no areas, see examples/README.md")


def test_areas_that_touch_at_a_corner_are_neighbours_for_a_queen_only() -> None:
    shapes = grid_of("ab\ncd").geometry
    assert queen(shapes).toarray().sum() == 12
    assert rook(shapes).toarray().sum() == 8


def test_a_tip_between_two_areas_on_a_long_border_is_found() -> None:
    """The tip's own borders are shared, but its end lies in the middle of a border."""
    below = shapely.box(0, -10, 20, 0)
    tip = shapely.Polygon([(10, 0), (15, 10), (5, 10)])
    left = shapely.Polygon([(0, 0), (10, 0), (5, 10), (0, 10)])
    right = shapely.Polygon([(10, 0), (20, 0), (20, 10), (15, 10)])
    cap = shapely.box(0, 10, 20, 20).union(shapely.Point(5, 10)).union(shapely.Point(15, 10))
    shapes = gpd.GeoSeries([below, tip, left, right, cap])
    is_plain(shapes)
    assert queen(shapes)[0, 1] == 1
    assert rook(shapes)[0, 1] == 0


def test_an_enclave_an_overlap_and_twice_the_same_area() -> None:
    outer = shapely.Polygon(
        shapely.box(0, 0, 30, 30).exterior.coords,
        [list(shapely.box(10, 10, 20, 20).exterior.coords)],
    )
    enclave = shapely.box(10, 10, 20, 20)
    is_plain(gpd.GeoSeries([outer, enclave]))
    is_plain(gpd.GeoSeries([outer, enclave, enclave, outer, shapely.box(12, 12, 13, 13)]))
    is_plain(gpd.GeoSeries([shapely.box(0, 0, 30, 30), enclave]))


def test_two_parts_that_share_a_border_are_not_their_own_neighbour() -> None:
    shape = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    found = queen(gpd.GeoSeries([shape, shapely.box(2, 0, 3, 1)])).toarray()
    assert found.tolist() == [[0, 1], [1, 0]]


def test_minus_zero_is_zero() -> None:
    shapes = gpd.GeoSeries(
        [
            shapely.Polygon([(-0.0, 0), (1, 0), (1, 1), (-0.0, 1)]),
            shapely.Polygon([(0.0, -0.0), (0.0, 1), (-1, 1), (-1, -0.0)]),
        ]
    )
    is_plain(shapes)
    assert rook(shapes).nnz == 2


def test_repeated_vertices_and_spikes_do_no_harm() -> None:
    shapes = gpd.GeoSeries(
        [
            shapely.Polygon([(0, 0), (1, 0), (1, 0), (1, 1), (0, 1), (0, 0)]),
            shapely.Polygon([(1, 0), (2, 0), (2, 1), (1, 1), (1, 1), (1, 0)]),
        ]
    )
    assert rook(shapes).toarray().tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("shift", [0.0, 1e9, -1e9])
def test_far_from_the_origin_nothing_changes(shift: float) -> None:
    shapes = grid_of("aab\ncdb\ncde").geometry.translate(shift - 500_000, shift)
    is_plain(shapes)


@pytest.mark.parametrize("build", [queen, rook])
def test_nothing_one_and_empty_areas(build: Build) -> None:
    assert build(gpd.GeoSeries([], crs=CRS)).shape == (0, 0)
    square = shapely.box(0, 0, 1, 1)
    assert build(gpd.GeoSeries([square])).nnz == 0
    three = gpd.GeoSeries([square, shapely.Polygon(), None, shapely.box(1, 0, 2, 1)])
    assert build(three).toarray().sum() == 2
    assert build(three)[0, 3] == 1


@pytest.mark.parametrize("build", [queen, rook])
def test_what_is_no_area_is_refused(build: Build) -> None:
    with pytest.raises(ConformError, match="Point"):
        build(points_at((0, 0), (1, 1)).geometry)
    wrong = gpd.GeoSeries([shapely.box(0, 0, 1, 1)] * 2, index=["x", "y"])
    wrong["y"] = shapely.Polygon([(0, 0), (1, np.inf), (1, 1)])
    with pytest.raises(ConformError, match="rows y"):
        build(wrong)


def test_neighbours_of_a_coverage_are_those_of_queen_contiguity() -> None:
    areas = grid_of("abcd\nefgh\nijkl\nmnop")
    expected = queen(areas).toarray() + np.eye(16)
    assert (neighbours(areas).toarray() == expected).all()


def test_a_hairline_does_not_part_neighbours() -> None:
    areas = grid_of("ab")
    areas.loc[1, "geometry"] = areas.geometry[1].buffer(-0.2)
    assert neighbours(areas, distance_m=1.0).nnz == 4
    assert neighbours(areas, distance_m=0.0).nnz == 2
    assert queen(areas).nnz == 0


def test_with_self_keeps_the_weights_that_are_there() -> None:
    weights = sp.csr_array(np.array([[0.5, 1.0], [1.0, 0.0]]))
    assert with_self(weights).toarray().tolist() == [[0.5, 1.0], [1.0, 1.0]]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20),
    st.sampled_from([0.0, 1.0, 2.0, 2.5]),
)
def test_a_distance_band_holds_whatever_is_no_further(
    places: list[tuple[int, int]], distance: float
) -> None:
    points = gpd.GeoSeries([shapely.Point(*place) for place in places], crs=CRS)
    xy = np.array(places, dtype=float).reshape(-1, 2)
    away = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))
    expected = (away <= distance) & ~np.eye(len(places), dtype=bool)
    assert (distance_band(points, distance).toarray() == expected).all()


def test_a_distance_band_of_areas_and_of_empty_points() -> None:
    assert distance_band(grid_of("a.b"), 100.0).nnz == 2
    assert distance_band(grid_of("a.b"), 99.0).nnz == 0
    shapes = [shapely.Point(0, 0), shapely.Point(), None, shapely.Point(1, 0)]
    points = gpd.GeoSeries(shapes, crs=CRS)
    assert distance_band(points, 2.0).nnz == 2
    assert distance_band(gpd.GeoSeries([], crs=CRS), 2.0).shape == (0, 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=25),
    st.integers(1, 24),
)
def test_the_nearest_are_those_of_a_plain_sort(places: list[tuple[int, int]], k: int) -> None:
    k = min(k, len(places) - 1)
    found = k_nearest(gpd.GeoSeries([shapely.Point(*place) for place in places], crs=CRS), k)
    for i, (x, y) in enumerate(places):
        ranked = sorted(
            ((x - a) ** 2 + (y - b) ** 2, j) for j, (a, b) in enumerate(places) if j != i
        )
        assert sorted(j for _, j in ranked[:k]) == found[[i]].indices.tolist()


def test_too_many_nearest_are_refused() -> None:
    points = points_at((0, 0), (1, 0), (2, 0))
    for k in (0, 3):
        with pytest.raises(ConformError, match="ask for 1 to 2"):
            k_nearest(points, k)
    holed = gpd.GeoSeries([shapely.Point(0, 0), shapely.Point(), shapely.Point(1, 1)], crs=CRS)
    with pytest.raises(ConformError, match="rows 1"):
        k_nearest(holed, 1)


def test_a_graph_of_libpysal_has_the_same_links_and_isolates() -> None:
    areas = grid_of("ab.e\ncd..")
    graph = as_graph(queen(areas), areas["code"])
    peer = libpysal.graph.Graph.build_contiguity(areas.set_index("code"), rook=False)
    assert graph == peer
    assert list(graph.isolates) == ["e"]
    assert list(graph.unique_ids) == list(areas["code"])
    nearest = k_nearest(areas.set_geometry(areas.centroid), 2)
    assert (as_graph(nearest, areas["code"]).sparse.toarray() == nearest.toarray()).all()
    with pytest.raises(ConformError, match="5 units cannot go with 4"):
        as_graph(queen(areas), pd.Index(["a", "b", "c", "d"]))


def test_without_libpysal_a_graph_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        if name.startswith("libpysal"):
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(GridmapError, match=r"gridmap-analytics\[pysal\]"):
        as_graph(sp.csr_array(np.eye(2)), pd.Index(["a", "b"]))
