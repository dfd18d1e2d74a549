"""The coverage index answers as shapely does, to the point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreted import interpreted

from gridmap.analysis.location import _buckets as buckets
from gridmap.analysis.location.index import NEAR, NOWHERE, CoverageIndex
from gridmap.errors import ConformError, SourceError

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]
loops = interpreted(buckets)


def plainly(polygons: Shapes, xy: Floats) -> npt.NDArray[np.int64]:
    """Ask every polygon about every point, one after another."""
    found = np.full(len(xy), NOWHERE, dtype=np.int64)
    points = shapely.points(xy)
    for number in range(len(polygons) - 1, -1, -1):
        found[shapely.intersects(polygons[number], points)] = number
    return found


def lattice(rng: np.random.Generator, across: int, size: float = 10.0) -> Shapes:
    """Return quadrilaterals with shared, shaken corners; a few are missing."""
    corner = np.stack(np.meshgrid(np.arange(across + 1.0), np.arange(across + 1.0)), axis=-1)
    corner += rng.uniform(-0.3, 0.3, corner.shape) * rng.integers(0, 2)
    rings = [
        [corner[j, i], corner[j, i + 1], corner[j + 1, i + 1], corner[j + 1, i]]
        for j in range(across)
        for i in range(across)
    ]
    polygons = shapely.polygons(np.array(rings) * size)
    return np.asarray(polygons)[rng.permutation(len(polygons))[: max(1, len(polygons) - 2)]]


def hard_points(polygons: Shapes, rng: np.random.Generator, count: int) -> Floats:
    """Return vertices, points on borders, beside them at every distance, and anywhere."""
    xy, owner = shapely.get_coordinates(polygons, return_index=True)
    begin = rng.integers(0, len(xy) - 1, count)
    begin = begin[owner[begin] == owner[begin + 1]]
    one, other = xy[begin], xy[begin + 1]
    on = one + (other - one) * rng.random((len(begin), 1))
    wide = np.ptp(xy, axis=0).max() + 1e-300
    beside = on + rng.normal(size=on.shape) * wide * 10.0 ** -rng.integers(1, 16, (len(on), 1))
    nudged = on + np.spacing(on) * rng.integers(-2, 3, on.shape)
    level = np.column_stack([rng.permutation(one[:, 0]), one[:, 1]])
    low, high = xy.min(axis=0) - 0.1 * wide, xy.max(axis=0) + 0.1 * wide
    return np.concatenate([one, on, beside, nudged, level, rng.uniform(low, high, (count, 2))])


def agrees(polygons: Shapes, xy: Floats, **options: float) -> None:
    index = CoverageIndex.build(polygons, **options)  # type: ignore[arg-type]
    np.testing.assert_array_equal(index.query(xy[:, 0], xy[:, 1]), plainly(polygons, xy))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    across=st.integers(1, 7),
    size=st.sampled_from([1e-3, 1.0, 10.0, 128.0, 1e6]),
    shift=st.sampled_from([0.0, 0.5, -1e3, 5e5, 1e9]),
    points=st.sampled_from([10, 10_000_000]),
)
def test_the_answer_is_that_of_shapely(
    seed: int, across: int, size: float, shift: float, points: int
) -> None:
    if shift > 1e6 * size:
        size = 1.0
    rng = np.random.default_rng(seed)
    polygons = shapely.transform(lattice(rng, across, size), lambda xy: xy + shift)
    agrees(polygons, hard_points(polygons, rng, 60), points=points)


@pytest.mark.parametrize("size", [1.0, 100.0, 2.0**-4, 0.3])
def test_squares_on_round_coordinates(size: float) -> None:
    boxes = [
        shapely.box(i * size, j * size, (i + 1) * size, (j + 1) * size)
        for i in range(16)
        for j in range(16)
    ]
    polygons = np.array(boxes)
    agrees(polygons, hard_points(polygons, np.random.default_rng(1), 500))


def test_holes_islands_parts_gaps_and_slivers() -> None:
    centre = shapely.Point(0, 0)
    disc, hole, island = (centre.buffer(radius, 32) for radius in (100, 60, 20))
    polygons = np.array(
        [
            disc - hole,
            (hole - island) | shapely.box(300, 300, 301, 400),
            island,
            shapely.box(305, 0, 305 + 1e-7, 500),
            shapely.Polygon(),
            None,
            shapely.box(-200, -200, 350, -150),
        ],
        dtype=object,
    )
    points = hard_points(polygons, np.random.default_rng(2), 3000)
    agrees(polygons, points)


def test_neighbours_need_not_share_vertices() -> None:
    polygons = np.array(
        [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 3), shapely.box(10, 3, 20, 10)]
    )
    agrees(polygons, hard_points(polygons, np.random.default_rng(3), 2000))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_no_place_is_nowhere(number: float) -> None:
    index = CoverageIndex.build([shapely.box(0, 0, 1, 1)])
    assert list(index.query([number, 0.5, number], [0.5, number, number])) == [NOWHERE] * 3
    assert list(index.query([], [])) == []


@pytest.mark.parametrize("polygons", [[], [None], [shapely.Polygon()]])
def test_no_polygon_holds_no_point(polygons: list[shapely.Polygon]) -> None:
    assert list(CoverageIndex.build(polygons).query([0.0, 1.0], [0.0, 1.0])) == [NOWHERE] * 2


@pytest.mark.parametrize(
    "others",
    [
        [shapely.box(0, 0, 4, 4)],
        [shapely.box(1, 1, 2, 2)],
        [shapely.box(2, 2, 6, 6)],
        [shapely.box(0, 0, 2, 4), shapely.box(2, 0, 4, 4)],
        [shapely.box(-1, 3.999999, 5, 8)],
    ],
)
def test_overlaps_are_told(others: list[shapely.Polygon]) -> None:
    with pytest.raises(ConformError, match="overlap"):
        CoverageIndex.build([shapely.box(0, 0, 4, 4), *others])


def test_only_polygons_with_finite_coordinates_are_taken() -> None:
    with pytest.raises(ConformError, match="row 1 is a POINT"):
        CoverageIndex.build([shapely.box(0, 0, 1, 1), shapely.Point(0, 0)])
    with pytest.raises(ConformError, match="infinite"):
        CoverageIndex.build([shapely.box(0, 0, np.inf, 1)])


def test_what_is_near_a_border_is_not_decided_if_so_asked() -> None:
    rng = np.random.default_rng(4)
    polygons = lattice(rng, 6, 100.0)
    index = CoverageIndex.build(polygons, margin_m=0.5)
    xy = rng.uniform(-50, 700, (20_000, 2))
    found = index.query(xy[:, 0], xy[:, 1], margin_m=0.5)
    away = shapely.distance(shapely.union_all(shapely.boundary(polygons)), shapely.points(xy))
    assert (found[away <= 0.5] == NEAR).all()
    assert (found[away > 0.8] == NEAR).mean() < 0.01
    decided = found != NEAR
    np.testing.assert_array_equal(found[decided], plainly(polygons, xy[decided]))
    with pytest.raises(ValueError, match=r"0\.5 m"):
        index.query([0.0], [0.0], margin_m=0.6)


def test_less_memory_and_more_threads_change_no_answer() -> None:
    rng = np.random.default_rng(5)
    polygons = lattice(rng, 12)
    xy = hard_points(polygons, rng, 2000)
    fine, coarse = CoverageIndex.build(polygons), CoverageIndex.build(polygons, memory_mb=0.001)
    assert coarse.nbytes < fine.nbytes
    known = fine.query(xy[:, 0], xy[:, 1])
    np.testing.assert_array_equal(coarse.query(xy[:, 0], xy[:, 1]), known)
    np.testing.assert_array_equal(fine.query(xy[:, 0], xy[:, 1], threads=3), known)


def test_a_saved_index_answers_as_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    polygons = np.append(lattice(rng, 5), [None, shapely.Polygon()])
    xy = hard_points(polygons, rng, 500)
    index = CoverageIndex.build(polygons, margin_m=0.01)
    index.save(tmp_path / "grids")
    known = index.query(xy[:, 0], xy[:, 1])
    loaded = CoverageIndex.load(tmp_path / "grids")
    assert isinstance(loaded.table.cells, np.memmap)
    assert len(loaded) == len(polygons)
    np.testing.assert_array_equal(loaded.query(xy[:, 0], xy[:, 1]), known)
    loaded.save(tmp_path / "again")
    again = CoverageIndex.load(tmp_path / "again")
    np.testing.assert_array_equal(again.query(xy[:, 0], xy[:, 1]), known)
    with pytest.raises(FileExistsError):
        index.save(tmp_path / "grids")


def test_what_is_no_saved_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no saved index"):
        CoverageIndex.load(tmp_path)
    (tmp_path / "index.json").write_text('{"format": 0}', encoding="utf-8")
    with pytest.raises(SourceError, match="another version"):
        CoverageIndex.load(tmp_path)


def test_x_and_y_must_match() -> None:
    with pytest.raises(ValueError, match="shapes"):
        CoverageIndex.build([shapely.box(0, 0, 1, 1)]).query([1.0], [1.0, 2.0])


def brickwork(across: int, size: float) -> Shapes:
    """Quadrilaterals of the same town every time."""
    return lattice(np.random.default_rng(11), across, size)


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({}, (103, 102, 42976, 53439, 98)),
        ({"points": 100}, (11, 11, 444, 2653, 2303)),
        ({"points": 3000}, (14, 14, 9776, 11837, 459)),
        ({"memory_mb": 0.02}, (103, 102, 33556, 46076, 115)),
        ({"memory_mb": 0.001}, (103, 102, 2260, 12302, 411)),
        ({"margin_m": 2.0}, (6, 6, 24, 879, 11498)),
        ({"margin_m": 0.05}, (103, 102, 2260, 12302, 411)),
    ],
    ids=str,
)
def test_an_index_is_as_fine_as_points_and_memory_are_worth(
    options: dict[str, float], made: tuple[float, ...]
) -> None:
    """How fine it is, and how few points are left to exact arithmetic, shows in no answer."""
    index = CoverageIndex.build(brickwork(9, 50.0), **options)  # type: ignore[arg-type]
    table = index.table
    lines = shapely.boundary(brickwork(9, 50.0))
    rng = np.random.default_rng(12)
    xy = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, rng.uniform(0, 150, (300, len(lines))))
    )
    xy += rng.uniform(-0.02, 0.02, xy.shape)
    near = int((index.query(xy[:, 0], xy[:, 1], margin_m=0.0) == NEAR).sum())
    shape = (table.columns, table.rows, len(table.cells), len(table.words), near)
    assert shape == pytest.approx(made, rel=0.01)


@pytest.mark.parametrize("seed", range(20))
def test_a_border_is_cut_off_at_the_rim_of_its_cell(seed: int) -> None:
    rng = np.random.default_rng(seed)
    low, high = -buckets.RIM, 1.0 + buckets.RIM
    whole = shapely.box(low, low, high, high)
    places = [*rng.uniform(-1, 2, (30, 4)), *rng.choice([-1.0, 0.0, low, high, 0.5, 2.0], (30, 4))]
    for x1, y1, x2, y2 in places:
        one, other = sorted([(y1, x1), (y2, x2)])
        begin, end = one[::-1], other[::-1]
        touches, *cut = loops._clipped(*begin, *end)
        line = shapely.LineString([begin, end])
        assert touches == whole.intersects(line) or line.length == 0.0
        if touches and line.length:
            found = shapely.get_coordinates(shapely.intersection(line, whole))
            assert np.reshape(cut, (2, 2))[[0, -1]] == pytest.approx(
                found[np.lexsort(found.T)][[0, -1]], abs=1e-12
            )
        for reach in (0.01, 0.3):
            away = shapely.distance(shapely.Point(0, 0), line)
            assert loops._passes(*begin, *end, reach) >= (away <= reach)
            assert loops._passes(*begin, *end, reach) <= (away <= 5 * reach)
        bottom, top = sorted(rng.uniform(-1, 2, 2))
        band = shapely.intersection(line, shapely.box(-9, bottom, 9, top))
        if not band.is_empty and y1 != y2:
            slope = loops._slope(*begin, *end)
            inside = loops._stretch(*begin, *end, slope, bottom, top)
            assert inside == pytest.approx((band.bounds[0], band.bounds[2]))


def test_cells_and_halvings_by_hand() -> None:
    rim = buckets.RIM
    assert loops._span(0.5, 2.5, 9) == (0, 2)
    assert loops._span(1.0 + rim * 0.9, 3.0 - rim * 0.9, 9) == (0, 3)
    assert loops._span(1.0 + rim * 1.1, 3.0 - rim * 1.1, 9) == (1, 2)
    assert loops._span(-4.0, 40.0, 9) == (0, 8)
    assert [loops._halvings(n, 4.0, 3) for n in (0, 1, 2, 3, 8, 9, 32, 33, 999)] == [
        0, 1, 1, 2, 2, 3, 3, 3, 3,
    ]  # fmt: skip
    assert [loops._halvings(n, 0.5, 3) for n in (4, 5, 16, 17)] == [0, 1, 1, 2]


@pytest.mark.parametrize("seed", range(10))
def test_a_way_from_the_corner_turns_at_every_border_that_it_crosses(seed: int) -> None:
    """Up the left wall, then right: both ways of counting, over all borders of one cell."""
    rng = np.random.default_rng(seed)
    for ends in rng.uniform(-1, 2, (60, 2, 2)):
        (x1, y1), (x2, y2) = sorted(ends.tolist(), key=lambda xy: xy[1])
        told = loops._wall(x1, y1, x2, y2)
        line = shapely.LineString([(x1, y1), (x2, y2)])
        for x, y in rng.uniform(0, 1, (8, 2)):
            way = [shapely.LineString([(0, 0), (0, y)]), shapely.LineString([(0, y), (x, y)])]
            crossed = sum(leg.intersects(line) for leg in way) % 2
            right = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1) < 0
            beside = y1 <= y < y2 and right != bool(told & buckets.INVERT)
            beyond = y >= y2 and bool(told & buckets.AFTER)
            turned = told != buckets.ASIDE and (beside or beyond)
            assert turned == crossed


def stars(rng: np.random.Generator, count: int) -> list[Floats]:
    """Rings with deep bays, some of them turned round, that begin anywhere."""
    found = []
    for _ in range(count):
        angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
        reach = rng.choice([0.3, 1.0, 2.5], 9)[:, None]
        ring = np.c_[np.cos(angle), np.sin(angle)] * reach + rng.uniform(3, 5, 2)
        ring = np.roll(ring[:: rng.choice([1, -1])], int(rng.integers(9)), axis=0)
        found.append(np.r_[ring, ring[:1]])
    return found


def edges_of(rings: list[Floats]) -> buckets.Edges:
    xy = np.concatenate(rings)
    starts = np.r_[0, np.cumsum([len(ring) for ring in rings])]
    left = np.array([shapely.LinearRing(ring).is_ccw for ring in rings])
    area = np.arange(1, len(rings) + 1, dtype=np.int32)
    return buckets.Edges(xy[:, 0].copy(), xy[:, 1].copy(), starts, area, left)


@pytest.mark.parametrize("seed", range(10))
def test_on_which_side_of_a_ring_its_area_is(seed: int) -> None:
    rings = stars(np.random.default_rng(seed), 8)
    edges = edges_of(rings)
    for hole in (False, True):
        left = np.empty(8, dtype=np.bool_)
        loops.interior_left(edges.x, edges.y, edges.ring, np.full(8, hole), left)
        assert (left != hole).tolist() == edges.left.tolist()


@pytest.mark.parametrize("seed", range(10))
def test_segments_are_listed_in_the_blocks_that_they_touch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rings = stars(rng, 2)
    edges, columns, rows = edges_of(rings), 8, 9
    count = np.zeros(columns * rows, dtype=np.int64)
    none = np.empty(0, dtype=np.int32)
    loops.list_edges(edges, columns, rows, count, none, none)
    ends = np.r_[0, np.cumsum(count)]
    segment, owner = np.empty((2, ends[-1]), dtype=np.int32)
    loops.list_edges(edges, columns, rows, ends[:-1].copy(), segment, owner)
    rim = buckets.RIM
    for block in range(columns * rows):
        x, y = block % columns, block // columns
        mine = shapely.box(x - rim, y - rim, x + 1 + rim, y + 1 + rim)
        listed = segment[ends[block] : ends[block + 1]].tolist()
        wanted = [
            i
            for i in range(len(edges.x) - 1)
            if i + 1 != edges.ring[1]
            and shapely.LineString(
                [(edges.x[i], edges.y[i]), (edges.x[i + 1], edges.y[i + 1])]
            ).intersects(mine)
        ]
        assert listed == wanted
        sides = [1 + (i >= edges.ring[1]) for i in listed]
        signed = [side if edges.left[side - 1] else -side for side in sides]
        assert owner[ends[block] : ends[block + 1]].tolist() == signed
    corner = np.zeros(columns * rows, dtype=np.int32)
    loops.corner_areas(edges, columns, rows, corner)
    inside = [shapely.Polygon(ring) for ring in rings]
    for block in range(columns * rows):
        place = shapely.Point(block % columns, block // columns)
        known = 0
        for number, polygon in enumerate(inside, start=1):
            known ^= number * polygon.contains(place)
        assert corner[block] == known
