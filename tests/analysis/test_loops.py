"""The loops along a network, each by itself, on networks where many ways are equally long."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from interpreted import interpreted

from gridmap.analysis.network import _loops
from gridmap.analysis.network._loops import Streets, spread

loops = interpreted(_loops)

Floats = npt.NDArray[np.float64]
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(4)


def streets_of(
    ends: list[tuple[int, int]], length: list[float], pieces: list[int], nodes: int
) -> Streets:
    sides = [[2 * k + s for k in range(len(ends)) for s in (0, 1) if ends[k][s] == node]
             for node in range(nodes)]  # fmt: skip
    return Streets(
        ends=np.array(ends, dtype=np.int64),
        length=np.array(length, dtype=float),
        first=np.r_[0, np.cumsum(pieces)].astype(np.int64),
        edge=np.repeat(np.arange(len(ends)), pieces),
        starts=np.r_[0, np.cumsum([len(one) for one in sides])].astype(np.int64),
        incident=np.array([at for one in sides for at in one], dtype=np.int64),
    )


def tangle(seed: int) -> Streets:
    """Few nodes, edges of whole lengths, with loops, twins and dead ends, some out of reach."""
    rng = np.random.default_rng(seed)
    nodes, edges = int(rng.integers(2, 7)), int(rng.integers(1, 9))
    ends = [(int(a), int(b)) for a, b in rng.integers(0, nodes, (edges, 2))]
    pieces = rng.integers(1, 4, edges)
    return streets_of(ends, (pieces * rng.integers(1, 4, edges)).tolist(), pieces.tolist(), nodes)


def kernel(distance: Floats, bandwidth: float) -> Floats:
    t = np.minimum(distance / bandwidth, 1.0)
    found: Floats = 15.0 / 16.0 / bandwidth * (1.0 - t * t) ** 2
    return found


def onward(s: Streets, source: int) -> tuple[Floats, Floats, float]:
    """How far every node is, the flow into each further edge there, and where the source is."""
    own, nodes = int(s.edge[source]), len(s.starts) - 1
    along = float((source - s.first[own] + 0.5) * s.length[own] / np.diff(s.first)[own])
    far = np.full(nodes, np.inf)
    first = [(s.ends[own, 0], along), (s.ends[own, 1], s.length[own] - along)]
    for node, way in first:
        far[node] = min(far[node], way)
    edges = [(*pair, way) for (a, b), way in zip(s.ends, s.length, strict=True)
             for pair in ((a, b), (b, a))]  # fmt: skip
    for _ in range(nodes):
        for a, b, way in edges:
            far[b] = min(far[b], far[a] + way)
    degree, flow = np.diff(s.starts), np.zeros(nodes)
    for node, way in first:
        flow[node] += way == far[node]
    for a in np.argsort(far):
        for one, b, way in edges:
            if one == a and np.isfinite(far[a]) and far[a] + way == far[b]:
                flow[b] += flow[a] / max(degree[a] - 1, 1)
    return far, np.where(degree > 1, flow / np.maximum(degree - 1, 1), 0.0), along


def plain(s: Streets, source: int, bandwidth: float) -> Floats:
    """What each lixel gets: the integral of the kernel, each place by the front that is first."""
    far, flow, along = onward(s, source)
    mass = np.zeros(len(s.edge))
    for lixel, edge in enumerate(s.edge):
        (u, v), length = s.ends[edge], s.length[edge]
        step = length / (s.first[edge + 1] - s.first[edge])
        # Each front: how far it is at 0, which way it goes, its flow.
        fronts = [(far[u], 1.0, flow[u]), (far[v] + length, -1.0, flow[v])]
        if edge == s.edge[source]:
            fronts += [(-along, 1.0, 1.0), (along, -1.0, 1.0)]
        low, high = step * (lixel - s.first[edge]), step * (lixel - s.first[edge] + 1)
        meets = [(b - a) / 2 for (a, up, _), (b, down, _) in itertools.permutations(fronts, 2)
                 if up > down and np.isfinite(a + b)]  # fmt: skip
        ends = [(bandwidth - at) * way for at, way, _ in fronts if np.isfinite(at)]
        cuts = sorted({low, high, *(x for x in [*meets, *ends, along] if low < x < high)})
        for one, two in itertools.pairwise(cuts):
            places = 0.5 * (one + two) + 0.5 * (two - one) * POINTS
            ways = [(at + way * places, part) for at, way, part in fronts]
            real = [(way, part) for way, part in ways if way.min() >= 0]
            if real:
                way, part = min(real, key=lambda front: front[0].mean())
                if way.mean() < bandwidth:
                    mass[lixel] += part * 0.5 * (two - one) * (WEIGHTS @ kernel(way, bandwidth))
    return mass / mass.sum()


@pytest.mark.parametrize("seed", range(40))
def test_every_place_gets_what_the_front_that_is_first_brings(seed: int) -> None:
    streets = tangle(seed)
    for bandwidth in (0.4, 2.0, 3.5, 7.0, 30.0):
        starts, lixel, mass = loops.spread(streets, bandwidth)
        assert len(starts) == len(streets.edge) + 1
        assert len(lixel) == len(mass) == starts[-1]
        assert (mass > 0).all()
        for source in range(len(streets.edge)):
            mine = slice(starts[source], starts[source + 1])
            assert len(set(lixel[mine].tolist())) == starts[source + 1] - starts[source]
            found = np.zeros(len(streets.edge))
            found[lixel[mine]] = mass[mine]
            assert found == pytest.approx(plain(streets, source, bandwidth), abs=1e-9)


def test_compiled_it_is_the_same_also_where_every_lixel_reaches_every_other() -> None:
    star = streets_of([(0, k) for k in range(1, 7)], [3.0] * 6, [4] * 6, 7)
    plainly, quickly = loops.spread(star, 50.0), spread(star, 50.0)
    assert plainly[0].tolist() == [24 * k for k in range(25)]
    for one, other in zip(plainly, quickly, strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def reach_of(size: int) -> loops._Reach:
    return loops._Reach(
        *(np.zeros(size) for _ in range(2)), *(np.full(size, -1) for _ in range(5)),
        np.zeros(size), np.zeros(size, np.int64), np.zeros(size), np.zeros(3, np.int64),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_what_is_first_comes_off_the_heap_first(seed: int) -> None:
    rng, reach = np.random.default_rng(seed), reach_of(200)
    waiting: list[tuple[float, int]] = []
    for node in range(150):
        if waiting and rng.random() < 0.4:
            distance, first = float(reach.heap_at[0]), int(reach.heap[0])
            assert distance == min(waiting)[0]
            waiting.remove((distance, first))
            loops._pop(reach)
        else:
            waiting.append((float(rng.integers(0, 20)), node))
            loops._push(reach, node, waiting[-1][0])
        size = reach.size[0]
        assert sorted(waiting) == sorted(
            zip(reach.heap_at[:size].tolist(), reach.heap[:size].tolist(), strict=True)
        )
        for at in range(1, size):  # the shape by which a way down is short
            assert reach.heap_at[(at - 1) // 2] <= reach.heap_at[at]


def test_ways_of_one_length_add_up_and_longer_ones_do_not_count() -> None:
    reach = reach_of(9)
    told = [(5.0, 0.5), (5.0 + 9e-7, 0.25), (5.0 - 9e-7, 0.125), (6.0, 9.0), (5.0 + 2e-6, 9.0)]
    for distance, flow in told:
        loops._arrive(reach, 7, 3, distance, flow)
    assert (reach.distance[3], reach.flow[3], reach.size[0]) == (5.0, 0.875, 1)
    loops._arrive(reach, 7, 3, 4.0, 0.1)
    assert (reach.distance[3], reach.flow[3], reach.size[0]) == (4.0, 0.1, 2)
    loops._arrive(reach, 8, 3, 9.0, 0.2)
    assert (reach.distance[3], reach.flow[3], reach.seen[3]) == (9.0, 0.2, 8)


def test_the_kernel_adds_up() -> None:
    ticks = np.linspace(0.0, 1.5, 31)
    for t in ticks:
        places = 0.5 * min(t, 1.0) * (POINTS + 1.0)
        known = 0.5 * min(t, 1.0) * (WEIGHTS @ kernel(places, 1.0))
        assert loops._quartic(t) == pytest.approx(known)


def splitmix(state: int) -> tuple[int, float]:
    state = (state + 0x9E3779B97F4A7C15) % 2**64
    z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return state, ((z ^ z >> 31) >> 11) / 2**53


@pytest.mark.parametrize("seed", range(10))
def test_events_are_thrown_by_chance_and_what_is_reached_is_counted(seed: int) -> None:
    """Weights and shares are such that equal sums are equal to the last bit."""
    rng = np.random.default_rng(seed)
    count, weights = 6, np.array([1.0, 1.0, 2.0, 0.0])
    chance = rng.integers(0, 4, count) / 8 + np.array([0, 0, 1, 0, 0, 1]) / 8
    chance /= chance.sum()
    shares = rng.integers(0, 3, (count, count)) / 4
    pairs = [(s, k) for s in range(count) for k in range(count) if shares[k, s] > 0]
    starts = np.r_[0, np.cumsum(np.bincount([s for s, _ in pairs], minlength=count))]
    observed = rng.integers(0, 8, count) / 4
    upto, state, known = np.cumsum(chance) / chance.sum(), seed, np.zeros(count, dtype=int)
    for _ in range(60):
        thrown = np.zeros(count)
        for weight in weights:
            state, number = splitmix(state)
            thrown[np.searchsorted(upto / upto[-1], number, side="right")] += weight
        known += shares @ thrown >= observed
    found = loops.exceedances(
        starts, np.array([k for _, k in pairs], np.int32),
        np.array([shares[k, s] for s, k in pairs]), chance, weights, observed, 60, seed,
    )  # fmt: skip
    assert found.tolist() == known.tolist()
