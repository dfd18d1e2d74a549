"""What keeps parts as they were, step by step, against all that could be done instead."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gridmap.design import keep as module
from gridmap.design.explain import _component_weight, _heaviest
from gridmap.design.search.graph import AtomGraph
from gridmap.settings import Design

SETTINGS = Design(target=20, minimum=12, maximum=28)
SEEDS = range(25)


def graph_of(pairs: list[tuple[int, int]], weight: np.ndarray, border: np.ndarray) -> AtomGraph:
    count = len(weight)
    return AtomGraph.from_pairs(
        np.array(pairs, dtype=int).reshape(-1, 2), parent=np.zeros(count), weight=weight,
        x=np.arange(count) * 1.0, y=np.zeros(count), area_m2=np.ones(count),
        perimeter_m=np.full(count, 9.0), border_m=border,
    )  # fmt: skip


def town(seed: int, count: int = 9) -> tuple[AtomGraph, list[tuple[int, int]], np.random.Generator]:
    rng = np.random.default_rng(seed)
    pairs = [pair for pair in itertools.combinations(range(count), 2) if rng.random() < 0.3]
    weight = rng.integers(0, 12, count).astype(float)
    return graph_of(pairs, weight, rng.integers(1, 4, len(pairs)).astype(float)), pairs, rng


def pieces(pairs: list[tuple[int, int]], atoms: set[int]) -> list[set[int]]:
    found = []
    left = set(atoms)
    while left:
        piece, todo = set(), [min(left)]
        while todo:
            u = todo.pop()
            piece.add(u)
            near = {a + b - u for a, b in pairs if u in (a, b)} & left
            todo += near - piece
        found.append(piece)
        left -= piece
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_atoms_without_a_home_join_over_the_longest_border_but_no_locked_part(seed: int) -> None:
    graph, _, rng = town(seed)
    was = rng.integers(-1, 3, 9)
    was[:3] = [0, 1, 2]
    locked = was == (1 if seed % 2 else -9)
    border = {
        (int(a), int(graph.neighbour[e])): float(graph.border_m[e])
        for a in range(9)
        for e in range(graph.starts[a], graph.starts[a + 1])
    }
    label = was.copy()
    while (label < 0).any():
        ring = label.copy()
        for u in np.flatnonzero(label < 0):
            able = [v for (a, v) in border if a == u and label[v] >= 0]
            able = [v for v in able if not (seed % 2 and label[v] == 1)]
            if able:
                ring[u] = label[min(able, key=lambda v: (-border[u, v], v))]
        if (ring == label).all():
            ring[ring < 0] = ring.max() + 1
        label = ring
    kept = was.copy()
    assert module._grown(graph, was, locked).tolist() == label.tolist()
    assert was.tolist() == kept.tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_pieces_bounds_and_what_hangs_together(seed: int) -> None:
    graph, pairs, rng = town(seed)
    label = np.r_[0, 1, 2, rng.integers(0, 3, 6)]
    mine = [set(np.flatnonzero(label == part).tolist()) for part in range(3)]
    assert module._pieces(graph, label).tolist() == [len(pieces(pairs, one)) for one in mine]
    weights = [graph.weight[list(one)].sum() for one in mine]
    out = sum(max(12 - weight, 0) + max(weight - 28, 0) for weight in weights)
    assert module._violation(graph, label, SETTINGS) == pytest.approx(out)
    whole = all(len(pieces(pairs, one)) == 1 for one in mine)
    forced = len(pieces(pairs, set(range(9)))) > 3
    assert module._connected(graph, label, 3) == (whole or forced)
    towers = Design(target=5, minimum=0, maximum=7)
    assert module._unavoidable(graph, towers) == sum(max(w - 7, 0) for w in graph.weight)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_moved_is_what_does_not_go_on_in_the_part_that_continues_its_own(seed: int) -> None:
    """The largest share first, as codes are handed on."""
    graph, _, rng = town(seed)
    was, label = rng.integers(-1, 3, 9), np.r_[0, 1, 2, 3, rng.integers(0, 4, 5)]
    was[:3] = [2, 1, 0]
    left = {}
    for old, new in itertools.product(range(3), range(4)):
        both = (was == old) & (label == new)
        if both.any():
            left[old, new] = (float(graph.weight[both].sum()), int(both.sum()), -old, -new)
    heir: dict[int, int] = {}
    while left:
        old, new = max(left, key=lambda pair: left[pair])
        heir[old] = new
        left = {pair: share for pair, share in left.items() if pair[0] != old and pair[1] != new}
    home = [heir.get(int(old), -1) for old in was]
    assert module._home(graph, was, label).tolist() == home
    gone = [u for u in range(9) if was[u] >= 0 and home[u] != label[u]]
    assert module._moved(graph, was, label) == pytest.approx(graph.weight[gone].sum())


@pytest.mark.parametrize("seed", SEEDS)
def test_the_lightest_pair_is_merged_and_the_heaviest_part_halved(seed: int) -> None:
    graph, pairs, rng = town(seed)
    label = np.r_[0, 1, 2, 3, rng.integers(0, 4, 5)]
    locked = (label == 2) & (seed % 3 == 0)
    mine = [set(np.flatnonzero(label == part).tolist()) for part in range(4)]
    weight = [graph.weight[list(one)].sum() for one in mine]
    free = [part for part in range(4) if not (seed % 3 == 0 and part == 2)]
    beside = {tuple(sorted((label[a], label[b]))) for a, b in pairs if label[a] != label[b]}
    able = [(a, b) for a, b in beside if a in free and b in free]
    found = module._merged(graph, label, locked)
    if not able:
        assert found is None
    else:
        assert found is not None
        one, other = min(able, key=lambda pair: (weight[pair[0]] + weight[pair[1]], pair))
        parts = [mine[k] | (mine[other] if k == one else set()) for k in range(4) if k != other]
        assert [set(np.flatnonzero(found == k).tolist()) for k in range(3)] == parts
    able = [part for part in free if len(mine[part]) > 1]
    halved = module._halved(graph, label, locked, SETTINGS, 0)
    if not able:
        assert halved is None
    else:
        assert halved is not None
        cut = max(able, key=lambda part: (weight[part], -part))
        assert set(np.flatnonzero(halved == cut)) | set(np.flatnonzero(halved == 4)) == mine[cut]
        assert (halved == 4).any()
        assert (halved == cut).any()
        others = label != cut
        assert (halved[others] == label[others]).all()


@pytest.mark.parametrize(
    ("weights", "count", "wanted", "tried"),
    [
        ([10.0] * 8, 4, 0, [4, 3, 5, 2, 6]),
        ([10.0] * 8, 4, 3, [3]),
        ([10.0] * 8, 1, 0, [1, 2, 3, 4]),
        ([10.0] * 8, 8, 0, [8, 7, 6, 5, 4]),
        ([100.0, 10, 10], 1, 0, [1, 2, 3]),
        ([1.0] * 40, 30, 0, [30, 29, 31, 32, 28, 24, 19, 13, 8, 2]),
    ],
)
def test_which_numbers_of_parts_are_tried(
    weights: list[float], count: int, wanted: int, tried: list[int]
) -> None:
    graph = graph_of([], np.array(weights), np.empty(0))
    assert list(module._numbers(graph, count, wanted, SETTINGS)) == tried


def test_parts_that_are_good_stay_and_others_move_as_little_as_they_can() -> None:
    """A row of eight atoms of 10, wanted between 12 and 28."""
    row = graph_of([(k, k + 1) for k in range(7)], np.full(8, 10.0), np.ones(7))
    free, seeds = np.zeros(8, dtype=bool), np.zeros(1, dtype=np.int64)

    def kept(home: list[int], wanted: int = 0) -> tuple[list[int], bool]:
        label, same = module.keep(row, np.array(home), free, np.array([wanted]), SETTINGS, seeds)
        return label.tolist(), bool(same[0])

    assert kept([5, 5, 7, 7, 8, 8, 9, 9]) == ([0, 0, 1, 1, 2, 2, 3, 3], True)
    assert kept([5, 5, 7, 7, -1, 8, 9, 9]) == ([0, 0, 1, 1, 2, 2, 3, 3], False)
    label, same = kept([5, 5, 5, 7, 8, 8, 9, 9])
    assert not same
    assert label == [0, 0, 1, 1, 2, 2, 3, 3]
    assert len(set(kept([5, 5, 7, 7, 8, 8, 9, 9], wanted=5)[0])) == 5
    assert len(set(kept([-1] * 8, wanted=3)[0])) == 3
    assert len(set(kept([-1] * 8)[0])) == 4


@pytest.mark.parametrize("seed", SEEDS)
def test_the_heaviest_atom_of_each_part_and_the_land_it_lies_on(seed: int) -> None:
    graph, pairs, rng = town(seed)
    label = np.r_[0, 1, 2, rng.integers(0, 3, 6)]
    wanted = [
        min(np.flatnonzero(label == part), key=lambda u: (-graph.weight[u], u)) for part in range(3)
    ]
    assert _heaviest(graph.weight, label, 3).tolist() == wanted
    land = {u: graph.weight[list(one)].sum() for one in pieces(pairs, set(range(9))) for u in one}
    assert _component_weight(graph).tolist() == [land[u] for u in range(9)]
