"""Outlines of micro-grids and the rings that they are made of, by hand."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
import shapely

from gridmap.design.geometry import polygons as module
from gridmap.design.geometry.polygons import dissolved, matched, outlines
from gridmap.design.geometry.rings import Rings

Shapes = npt.NDArray[np.object_]


def squares(across: int, size: float = 10.0) -> Shapes:
    """Row by row, from the south-west."""
    return np.array(
        [
            shapely.box(i * size, j * size, (i + 1) * size, (j + 1) * size)
            for j, i in itertools.product(range(across), repeat=2)
        ]
    )


def test_cells_of_a_label_are_one_shape() -> None:
    label = np.array([1, 1, 0, 1, 0, 0, 2, 0, 0])
    found = dissolved(squares(3), label, 3)
    for part in range(3):
        wanted = shapely.union_all(squares(3)[label == part])
        assert found[part].equals(wanted)
    assert shapely.coverage_is_valid(found)


def stairs() -> tuple[Shapes, np.ndarray]:
    """Cells of 2 m; the border between two labels is a flight of steps."""
    return squares(10, 2.0), np.array(
        [int(i > j) for j, i in itertools.product(range(10), repeat=2)]
    )


def test_steps_are_smoothed_and_the_outline_stays() -> None:
    cells, label = stairs()
    none, no_one = np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    exact = outlines(cells, label, 2, none, no_one, simplify_m=0.0)
    smooth = outlines(cells, label, 2, none, no_one, simplify_m=3.0)
    assert shapely.get_num_coordinates(smooth).sum() < shapely.get_num_coordinates(exact).sum() - 8
    assert shapely.coverage_is_valid(smooth)
    assert shapely.union_all(smooth).equals(shapely.box(0, 0, 20, 20))
    alone = outlines(cells, np.zeros(100, dtype=np.int64), 1, none, no_one, simplify_m=3.0)
    assert alone[0].equals(shapely.box(0, 0, 20, 20))
    assert shapely.equals_exact(exact, dissolved(cells, label, 2)).all()


@pytest.mark.parametrize(("size", "cut"), [(1.9, True), (0.005, False)])
def test_no_border_is_smoothed_through_a_building(size: float, cut: bool) -> None:
    """Cells that hold a building at each inner corner of the steps."""
    cells, label = stairs()
    own = np.array([10 * k + k for k in range(10)])
    footprints = shapely.box(*(shapely.bounds(cells[own]).T - [[0], [0], [2 - size], [2 - size]]))
    footprints = np.asarray(shapely.transform(footprints, lambda xy: xy))
    none, no_one = np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    exact = outlines(cells, label, 2, none, no_one, simplify_m=0.0)
    smooth = outlines(cells, label, 2, none, no_one, simplify_m=3.0)
    found = outlines(cells, label, 2, footprints, own, simplify_m=3.0)
    home = label[own]
    lost = shapely.area(shapely.difference(footprints, found[home]))
    assert (lost <= 1e-4).all()
    would = shapely.area(shapely.difference(footprints, smooth[home]))
    assert (would > 1e-4).any() == (not shapely.equals_exact(found, smooth).all())
    if cut:
        assert module._whole(exact, exact, footprints, home)


def test_a_building_that_cells_cut_already_may_be_cut_as_much() -> None:
    cells = squares(2)
    across = np.array([shapely.box(5, 2, 15, 4)])
    owner = np.array([0])
    assert module._whole(cells, cells, across, np.array([0]))
    moved = cells.copy()
    moved[0], moved[1] = shapely.box(0, 0, 9.99994, 10), shapely.box(9.99994, 0, 20, 10)
    assert not module._whole(moved, cells, across, owner)
    moved[0], moved[1] = shapely.box(0, 0, 9.99996, 10), shapely.box(9.99996, 0, 20, 10)
    assert module._whole(moved, cells, across, owner)
    bad = cells.copy()
    bad[3] = shapely.Polygon()
    assert not module._whole(bad, cells, across, owner)


def test_nodes_of_one_parent_go_into_the_borders_of_the_next() -> None:
    left = np.array([shapely.box(0, 0, 10, 5), shapely.box(0, 5, 10, 10)])
    right = np.array([shapely.box(10, 0, 20, 3), shapely.box(10, 3, 20, 10)])
    every = np.concatenate([left, right])
    found = matched(every, np.array([0, 0, 1, 1]))
    assert [shapely.equals(a, b) for a, b in zip(found, every, strict=True)] == [True] * 4
    assert shapely.get_num_coordinates(found).tolist() == [6, 5, 5, 6]
    assert shapely.coverage_is_valid(found)
    assert not shapely.coverage_is_valid(every)
    same = matched(every, np.zeros(4, dtype=np.int64))
    assert shapely.equals_exact(same, every).all()


@pytest.mark.parametrize(("off", "joined"), [(5e-7, True), (3e-6, False)])
def test_nodes_a_rounding_error_apart_become_one(off: float, joined: bool) -> None:
    left = np.array([shapely.box(0, 0, 10, 5), shapely.box(0, 5, 10, 10)])
    right = np.array([shapely.box(10, 0, 20, 5 + off), shapely.box(10, 5 + off, 20, 10)])
    found = matched(np.concatenate([left, right]), np.array([0, 0, 1, 1]))
    xy = shapely.get_coordinates(found)
    at = {y for x, y in xy.tolist() if x == 10 and abs(y - 5) < 1e-3}
    assert len(at) == (1 if joined else 2)
    assert shapely.coverage_is_valid(found)
    assert shapely.get_num_coordinates(found).tolist() == ([5] * 4 if joined else [5, 6, 6, 5])


@pytest.mark.parametrize("seed", range(15))
def test_any_city_becomes_one_coverage(seed: int) -> None:
    """Strips side by side, each cut by itself."""
    rng = np.random.default_rng(seed)
    shapes, parent = [], []
    for strip in range(4):
        cuts = [0.0, *np.sort(rng.choice(np.arange(1, 20), rng.integers(0, 5), replace=False)), 20]
        low = strip % 2 * float(rng.integers(0, 2))
        for one, other in itertools.pairwise(cuts):
            shapes.append(shapely.box(strip * 10, low + one, strip * 10 + 10, low + other))
            parent.append(strip)
    every = np.array(shapes)
    found = matched(every, np.array(parent))
    assert shapely.coverage_is_valid(found)
    assert all(one.equals(other) for one, other in zip(found, every, strict=True))
    again = matched(found, np.array(parent))
    assert shapely.equals_exact(again, found).all()
    for at, shape in enumerate(found):
        # Its own nodes, and those of other parents that stand on its border; no other.
        others = every[(np.array(parent) != parent[at]) | (np.arange(len(every)) == at)]
        nodes = {tuple(xy) for xy in shapely.get_coordinates(others).tolist()}
        on = {xy for xy in nodes if shape.exterior.distance(shapely.Point(xy)) == 0}
        ring = [tuple(xy) for xy in shapely.get_coordinates(shape)[:-1].tolist()]
        assert set(ring) == on
        assert len(ring) == len(on)


def test_rings_and_their_rim() -> None:
    holed = shapely.box(0, 0, 10, 10) - shapely.box(2, 2, 4, 4)
    two = shapely.MultiPolygon([shapely.box(10, 0, 20, 10), shapely.box(30, 0, 40, 10)])
    rings = Rings.of(np.array([holed, two], dtype=object))
    assert np.bincount(rings.ring).tolist() == [5, 5, 5, 5]
    assert np.bincount(rings.shape).tolist() == [10, 10]
    assert len(rings.start) == 16
    assert len(np.unique(rings.node)) == 14
    assert len(rings.rim) == 14  # all but the border of the two, which stands twice
    at, node = rings.rim_nodes
    assert sorted(node.tolist()) == list(range(14))
    assert (rings.node[at] == node).all()
    turned = Rings.of(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]))
    assert len(turned.rim) == 6
    assert len(Rings.of(np.empty(0, dtype=object)).rim) == 0


def test_moved_nodes_move_wherever_they_stand_and_merge() -> None:
    rings = Rings.of(
        np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 5, 6, 6)])
    )
    node = rings.node[(rings.xy == [1.0, 0.0]).all(axis=1)][:1]
    moved = rings.moved_nodes(node, np.array([[1.2, 0.1]]))
    assert moved.shapes[0].equals(shapely.Polygon([(0, 0), (1.2, 0.1), (1, 1), (0, 1)]))
    assert moved.shapes[1].equals(shapely.Polygon([(1.2, 0.1), (2, 0), (2, 1), (1, 1)]))
    assert moved.shapes[2] is rings.shapes[2]
    merged = rings.moved_nodes(node, np.array([[1.0, 1.0]]))
    assert shapely.get_num_coordinates(merged.shapes).tolist() == [4, 4, 5]
    assert len(merged.xy) == len(merged.ring) == len(merged.shape) == 13
    sliver = Rings.of(np.array([shapely.Polygon([(0, 0), (1, 0), (0, 1)])]))
    kept = sliver.moved_nodes(sliver.node[:1], sliver.xy[1:2])
    assert shapely.get_num_coordinates(kept.shapes[0]) == 4


def test_nodes_are_put_in_after_coordinates_also_in_holes_and_parts() -> None:
    holed = shapely.Polygon(
        [(0, 0), (10, 0), (10, 10), (0, 10)], [[(2, 2), (4, 2), (4, 4), (2, 4)]]
    )
    two = shapely.MultiPolygon([shapely.box(20, 0, 30, 10), shapely.box(40, 0, 50, 10)])
    rings = Rings.of(np.array([holed, two], dtype=object))
    hole = int(np.flatnonzero((rings.xy == [2.0, 2.0]).all(axis=1))[0])
    end = int(np.flatnonzero((rings.xy == [50.0, 0.0]).all(axis=1))[0])
    found = rings.inserted(np.array([hole, end]), np.array([[3.0, 2.0], [50.0, 5.0]]))
    assert shapely.get_num_coordinates(found.shapes).tolist() == [11, 11]
    assert [one.equals(other) for one, other in zip(found.shapes, [holed, two], strict=True)] == [
        True, True,
    ]  # fmt: skip
    assert len(found.xy) == 22
    assert shapely.get_num_coordinates(shapely.get_interior_ring(found.shapes[0], 0)) == 6
