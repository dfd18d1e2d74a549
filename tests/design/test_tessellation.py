"""Cells around buildings, by hand and against plain geometry."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
import shapely

from gridmap.design.geometry import tessellation as module
from gridmap.design.geometry.tessellation import Cells, tessellate

Shapes = npt.NDArray[np.object_]
PARENT = shapely.box(0, 0, 100, 40)
TWO = np.array([shapely.box(10, 10, 30, 30), shapely.box(70, 10, 90, 30)])
BOTH = np.array([True, True])


def lines(*ends: list[tuple[float, float]]) -> Shapes:
    return np.array([shapely.LineString(one) for one in ends], dtype=object)


def assert_tiles(cells: Cells, parent: shapely.Polygon, footprints: Shapes) -> None:
    """The cells are a coverage of the parent, and what is told of their borders is true."""
    assert shapely.is_valid(cells.geometry).all()
    assert shapely.coverage_is_valid(cells.geometry)
    assert shapely.area(cells.geometry).sum() == pytest.approx(parent.area, rel=1e-9)
    assert shapely.union_all(cells.geometry).symmetric_difference(parent).area < 1e-3
    assert len(cells.owner) == len(footprints)
    known = dict(zip(map(tuple, cells.pairs.tolist()), cells.border_m.tolist(), strict=True))
    for one, other in itertools.combinations(range(len(cells.geometry)), 2):
        shared = shapely.intersection(
            shapely.boundary(cells.geometry[one]), shapely.boundary(cells.geometry[other])
        ).length
        assert known.get((one, other), 0.0) == pytest.approx(shared if shared > 0.05 else 0.0)


def test_two_buildings_meet_half_way() -> None:
    cells = tessellate(PARENT, TWO, BOTH)
    assert_tiles(cells, PARENT, TWO)
    assert cells.owner.tolist() == [0, 1]
    assert cells.geometry[0].symmetric_difference(shapely.box(0, 0, 50, 40)).area < 1.0
    assert cells.pairs.tolist() == [[0, 1]]
    assert cells.barrier.tolist() == [0.0]


@pytest.mark.parametrize("weight", [0.3, np.inf])
def test_a_street_parts_cells_where_it_lies(weight: float) -> None:
    street = lines([(60, -5), (60, 45)])
    assert_tiles(tessellate(PARENT, TWO, BOTH, barriers=street), PARENT, TWO)
    cells = tessellate(PARENT, TWO, BOTH, barriers=street, weights=np.array([weight]))
    assert cells.geometry[0].symmetric_difference(shapely.box(0, 0, 60, 40)).area < 0.01
    if np.isinf(weight):
        assert len(cells.pairs) == 0
    else:
        assert cells.barrier.tolist() == [0.3]
    assert tessellate(PARENT, TWO, BOTH, barriers=street).barrier.tolist() == [1.0]


@pytest.mark.parametrize(("high", "barrier"), [(19.0, 0.0), (21.0, 2.0)])
def test_a_border_is_a_barrier_where_half_of_it_lies_on_one(high: float, barrier: float) -> None:
    """The border is 40 m long, along x = 50 in either case."""
    wall = lines([(50, 0), (50, high)], [(50, 0), (50, 5)])
    cells = tessellate(PARENT, TWO, BOTH, barriers=wall, weights=np.array([2.0, 1.0]))
    assert cells.border_m == pytest.approx([40.0], abs=1.0)
    assert cells.barrier.tolist() == [barrier]
    blocked = tessellate(PARENT, TWO, BOTH, barriers=wall[:1], weights=np.array([np.inf]))
    if barrier:
        assert blocked.border_m == pytest.approx([40.0 - high], abs=1.0)
        assert blocked.barrier.tolist() == [0.0]


def test_the_land_of_an_empty_building_goes_over_the_longest_border_that_is_no_street() -> None:
    row = np.array([shapely.box(10 + 30 * k, 10, 30 + 30 * k, 30) for k in range(3)])
    ends = np.array([True, False, True])
    street = lines([(65, -1), (65, 41)])
    cells = tessellate(PARENT, row, ends, barriers=street)
    assert cells.owner.tolist() == [0, 0, 1]
    street = lines([(35, -1), (35, 41)])
    assert tessellate(PARENT, row, ends, barriers=street).owner.tolist() == [0, 1, 1]
    longer = np.array([row[0], row[1], shapely.box(80, 2, 95, 38)])
    tall = tessellate(shapely.box(0, 0, 100, 40), longer, ends)
    assert_tiles(tall, PARENT, longer)
    nobody = tessellate(PARENT, row, np.zeros(3, dtype=bool))
    assert nobody.owner.tolist() == [0, 0, 0]
    assert nobody.geometry.tolist() == [PARENT]


@pytest.mark.parametrize("seed", range(6))
def test_any_buildings_are_tiled_and_none_is_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parent = shapely.box(0, 0, 120, 90)
    boxes = [
        shapely.box(x, y, x + rng.uniform(4, 24), y + rng.uniform(4, 24))
        for x, y in itertools.product((5, 35, 65, 95), (5, 35, 65))
        if rng.random() < 0.8
    ]
    footprints = np.array(boxes, dtype=object)[rng.permutation(len(boxes))]
    occupied = rng.random(len(boxes)) < 0.8
    occupied[0] = True
    streets = lines([(-1, 32), (121, 32)], [(62, -1), (62, 91)])
    cells = tessellate(parent, footprints, occupied, barriers=streets, weights=np.array([0.5, 2]))
    assert_tiles(cells, parent, footprints)
    inside = shapely.area(shapely.intersection(footprints, cells.geometry[cells.owner]))
    assert inside == pytest.approx(shapely.area(footprints), abs=0.05)
    mine = cells.owner[occupied].tolist()
    assert sorted(mine) == list(range(len(cells.geometry)))
    for (one, other), border, told in zip(cells.pairs, cells.border_m, cells.barrier, strict=True):
        shared = shapely.intersection(cells.geometry[one], cells.geometry[other])
        on = [shapely.intersection(shared, shapely.buffer(line, 0.004)).length for line in streets]
        strongest = max(
            (w for w, part in zip((0.5, 2.0), on, strict=True) if part > 0.1), default=0
        )
        assert told == (strongest if sum(on) >= 0.5 * border else 0.0)


def test_one_building_over_another_and_points() -> None:
    shapes = np.array([shapely.box(10, 10, 30, 30), shapely.box(10, 10, 30, 30),
                       shapely.Point(80, 20), shapely.box(15, 15, 18, 18)])  # fmt: skip
    cells = tessellate(PARENT, shapes, np.ones(4, dtype=bool))
    assert cells.owner[0] == cells.owner[1]
    assert len(set(cells.owner.tolist())) == 3
    assert cells.geometry[cells.owner[2]].contains(shapely.Point(80, 20))
    assert cells.geometry[cells.owner[3]].covers(shapely.box(15.1, 15.1, 17.9, 17.9))
    assert not cells.geometry[cells.owner[0]].contains(shapely.Point(16, 16))
    assert_tiles(cells, PARENT, shapes)


def test_what_is_land_and_what_a_building() -> None:
    side = np.sqrt(20_000.0)
    shapes = np.array([
        shapely.box(0, 0, side - 0.1, side), shapely.box(0, 0, side + 0.1, side),
        shapely.box(0, 0, 10, 290), shapely.box(0, 0, 10, 350), shapely.Point(0, 0),
    ])  # fmt: skip
    assert module._is_land(shapes).tolist() == [False, True, False, True, False]


def test_land_lies_with_the_cell_of_its_inner_point_and_takes_no_part() -> None:
    street = shapely.box(40, 0, 41, 40)
    shapes = np.array([street, *TWO])
    cells = tessellate(PARENT, shapes, np.array([False, True, True]))
    bare = tessellate(PARENT, TWO, BOTH)
    assert cells.owner.tolist() == [0, 0, 1]
    assert shapely.equals_exact(cells.geometry, bare.geometry, 1e-9).all()


def test_sites_stand_every_eight_metres_or_an_eighth_of_the_side() -> None:
    xy, owner = module._sites(
        np.array(
            [
                shapely.box(0, 0, 16, 8.1),
                shapely.box(500, 0, 600, 100),
                shapely.Point(7, 7),
                shapely.Point(7.0004, 7),
            ]
        )
    )
    assert np.bincount(owner).tolist() == [8, 32, 1]
    assert len(np.unique(np.round(xy, 3), axis=0)) == len(xy)


@pytest.mark.parametrize("seed", range(20))
def test_lost_faces_grow_on_over_low_barriers_and_long_borders(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 8
    pairs = [pair for pair in itertools.combinations(range(count), 2) if rng.random() < 0.35]
    twice = [pairs[k] for k in rng.integers(0, max(len(pairs), 1), 4)] if pairs else []
    ends = np.array([*pairs, *(pair[::-1] for pair in twice), (3, 3)], dtype=np.int64)
    length = rng.integers(1, 4, len(ends)).astype(float)
    barrier = rng.choice([0.0, 1.0, 2.0], len(ends))
    borders: dict[tuple[int, int], list[float]] = {}
    for (a, b), long, wall in zip(ends.tolist(), length, barrier, strict=True):
        row = borders.setdefault((min(a, b), max(a, b)), [0.0, 0.0, 0.0])
        row[0] += long
        row[1] = max(row[1], wall)
        row[2] += long * (wall > 0)
    borders.pop((3, 3))
    found, total, barred = module._pair_sums(ends[:, 0], ends[:, 1], length, barrier, count)
    walls = {pair: w if 2 * on >= long else 0.0 for pair, (long, w, on) in borders.items()}
    assert found.tolist() == [list(pair) for pair in sorted(borders)]
    assert total.tolist() == [[borders[pair][0], walls[pair]] for pair in sorted(borders)]
    assert barred.tolist() == [borders[pair][2] for pair in sorted(borders)]
    own = np.where(rng.random(count) < 0.4, np.arange(count) + 20, -1)
    own[0] = 20
    inner = rng.uniform(0, 9, (count, 2))
    grown = own.copy()
    while True:
        front = [
            (walls[pair], -borders[pair][0], lost, grown[held])
            for pair in borders
            for lost, held in (pair, pair[::-1])
            if grown[lost] < 0 <= grown[held]
        ]
        if not front:
            break
        _, _, face, name = min(front)
        grown[face] = name
    known = np.flatnonzero(grown >= 0)
    for face in np.flatnonzero(grown < 0):
        grown[face] = grown[known[np.hypot(*(inner[known] - inner[face]).T).argmin()]]
    kept = own.copy()
    told = module._grown(own, ends[:, 0], ends[:, 1], length, barrier, inner)
    assert told.tolist() == grown.tolist()
    assert own.tolist() == kept.tolist()


def test_the_best_piece_of_each_owner_is_kept() -> None:
    own = np.array([0, 0, 0, 1, 1, -1, 2, 2])
    piece = np.array([0, 1, 1, 2, 3, 4, 5, 6])
    value = np.array([5.0, 7.0, 2.0, 1.0, 9.0, 3.0, 3.0])
    best = [False, True, True, True, False, False, True, False]
    assert module._best_piece(own, piece, value).tolist() == best


def test_nodes_too_near_to_tell_apart_become_the_one_nearest_to_the_outline() -> None:
    step = module.APART_M * 0.6
    nodes = np.array([[0.0, 0], [step, 0], [2 * step, 0], [1, 0], [1 + 2 * step, 0]])
    found = module._gathered(nodes, np.array([0.5, 0.2, 0.9, 0.1, 0.3]))
    assert found.tolist() == nodes[[1, 1, 1, 3, 4]].tolist()
    tie = module._gathered(nodes[:2], np.array([0.5, 0.5]))
    assert tie.tolist() == nodes[[0, 0]].tolist()


def test_a_street_beside_the_outline_parts_nothing_and_one_that_ends_beside_it_does() -> None:
    along = lines([(-5, 0.004), (105, 0.004)])
    cells = tessellate(PARENT, TWO, BOTH, barriers=along)
    assert_tiles(cells, PARENT, TWO)
    assert cells.barrier.tolist() == [0.0]
    short = lines([(60, 0.003), (60, 39.998)])
    cells = tessellate(PARENT, TWO, BOTH, barriers=short)
    assert_tiles(cells, PARENT, TWO)
    assert cells.barrier.tolist() == [1.0]
    assert cells.geometry[0].symmetric_difference(shapely.box(0, 0, 60, 40)).area < 0.01
