"""Exact chances of sums over neighbours, against every draw there is."""

from __future__ import annotations

import itertools
from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from benchmarks.lines import Options
from benchmarks.nulls import hotspots as maps_of_chance
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis import hotspots, with_self
from gridmap.analysis.clusters._tails import drawn_tails


def links_of(rows: list[list[int]], count: int) -> sp.csr_array:
    dense = np.zeros((count, count))
    for row, columns in enumerate(rows):
        dense[row, columns] = 1.0
    return sp.csr_array(dense)


def by_enumeration(values: list[float], members: list[int]) -> tuple[float, float]:
    sums = Counter(
        sum(map(Fraction, drawn)) for drawn in itertools.combinations(values, len(members))
    )
    seen = sum(Fraction(values[at]) for at in members)
    ways = sum(sums.values())
    above = sum(times for total, times in sums.items() if total >= seen)
    below = sum(times for total, times in sums.items() if total <= seen)
    return above / ways, below / ways


@settings(max_examples=60)
@given(
    st.lists(st.integers(-3, 40), min_size=1, max_size=9),
    st.integers(0, 2**32),
)
def test_the_chance_is_that_of_every_draw_there_is(values: list[int], seed: int) -> None:
    count = len(values)
    rng = np.random.default_rng(seed)
    rows = [
        rng.choice(count, rng.integers(0, count + 1), replace=False).tolist() for _ in range(count)
    ]
    above, below = drawn_tails(np.array(values, float), links_of(rows, count))
    for at, members in enumerate(rows):
        expected = by_enumeration(values, members) if members else (1.0, 1.0)
        assert (above[at], below[at]) == pytest.approx(expected, abs=1e-11)


def test_numbers_with_fractions_are_ranked_as_they_are() -> None:
    values = [0.1, 7.25, 3.5, 1e-3, 2.75, 9.5, 4.125, 0.5]
    rows = [[0, 1], [5], [2, 3, 4], [], [1, 5, 6], [0, 3], [7], list(range(8))]
    above, below = drawn_tails(np.array(values), links_of(rows, 8))
    for at, members in enumerate(rows):
        expected = by_enumeration(values, members) if members else (1.0, 1.0)
        assert (above[at], below[at]) == pytest.approx(expected, abs=1e-11)


def test_a_few_huge_values_do_not_hide_the_others() -> None:
    rng = np.random.default_rng(1)
    values = rng.poisson(3, 400).astype(float)
    near = sp.csr_array(np.eye(400) + np.eye(400, k=1) + np.eye(400, k=-1))
    plain, _ = drawn_tails(values, near)
    values[[10, 11, 12]] = 1e9
    above, below = drawn_tails(values, near)
    three = 1 / (400 * 399 * 398 / 6)
    assert above[11] == pytest.approx(three, rel=1e-6)
    assert (above[100:] >= 1e-3).all()
    assert (below <= 1.0).all()
    assert plain.min() > 1e-6


def test_tails_go_far_beyond_any_number_of_permutations() -> None:
    values = np.zeros(2000)
    values[:8] = 50.0
    near = sp.csr_array((np.ones(8), (np.zeros(8, int), np.arange(8))), shape=(2000, 2000))
    above, _ = drawn_tails(values, near)
    assert 0 < above[0] <= 1e-13
    found = hotspots(pd.Series(values), near, distribution="exact")
    assert found["q"].iloc[0] < 1e-10
    assert found["hotspot"].iloc[0] == "hot"


def square(side: int) -> sp.csr_array:
    line = sp.diags_array([1.0, 1.0, 1.0], offsets=[-1, 0, 1], shape=(side, side))
    return sp.csr_array(sp.kron(line, line))


@pytest.mark.parametrize("exposed", [False, True])
@pytest.mark.parametrize("kind", ["poisson", "negative_binomial", "zero_inflated"])
def test_maps_of_chance_show_nothing(kind: str, exposed: bool) -> None:
    """By normal p a third of the first and more than half of the second show something."""
    near, shown = square(20), 0
    y, x = np.divmod(np.arange(400), 20)
    centre = 0.2 + 9.0 * np.exp(-((x - 10) ** 2 + (y - 10) ** 2) / 32.0)
    exposure = pd.Series(centre / centre.mean() if exposed else np.ones(400))
    trials = 150
    for trial in range(trials):
        rng = np.random.default_rng([7, trial])
        mean = 0.2 * exposure.to_numpy()
        drawn = {
            "poisson": lambda: rng.poisson(mean),  # noqa: B023 - called at once
            "negative_binomial": lambda: rng.negative_binomial(0.5, 0.5 / (0.5 + 5 * mean)),  # noqa: B023
            "zero_inflated": lambda: rng.poisson(60 * mean) * (rng.random(400) < 0.4),  # noqa: B023
        }[kind]()
        held = exposure if exposed else None
        found = hotspots(pd.Series(drawn), near, exposure=held, distribution="exact")
        shown += bool(found["hotspot"].isin(["hot", "cold"]).any())
    assert shown / trials <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / trials)


def test_a_planted_cluster_is_found() -> None:
    near, found = square(50), 0
    for trial in range(20):
        counts = np.random.default_rng([3, trial]).poisson(1.0, 2500)
        block = (20 + np.arange(5))[:, None] * 50 + 20 + np.arange(5)
        counts[block.ravel()] = np.random.default_rng([4, trial]).poisson(3.0, 25)
        told = hotspots(pd.Series(counts), near, distribution="exact")["hotspot"]
        found += bool((told.iloc[block.ravel()] == "hot").any())
    assert found >= 18


def test_weights_of_several_sizes_are_permuted() -> None:
    near = square(12)
    near.data[near.indptr[5]] = 0.25
    counts = pd.Series(np.random.default_rng(5).poisson(4, 144))
    counts[[0, 1, 12, 13]] += 30
    found = hotspots(counts, near, distribution="exact")
    assert found["p"].min() >= 2 / 10_000
    permuted = hotspots(counts, near, permutations=9999)
    pd.testing.assert_series_equal(found["p"], permuted["p_sim"], check_names=False)
    equal = hotspots(counts, with_self(square(12)), distribution="exact")
    assert (equal["p"] < 1e-4).any()


def test_the_benchmark_tells_of_maps_with_and_without_a_cluster(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(maps_of_chance, "SIZES", (100,))
    lines = list(maps_of_chance.run(Options(size=2)))
    for kind in maps_of_chance.COUNTS:
        told = [line for line in lines if line.case.startswith(kind)]
        assert {line.variant for line in told} >= {"exact", "normal", "exact, by exposure"}
    assert {line.metric for line in lines} == {"any %", "any +-", "found %", "found +-"}
    made = maps_of_chance.town(400, np.random.default_rng(1))
    assert (len(made.cluster), made.near.shape) == (4, (400, 400))
    assert made.exposure.mean() == pytest.approx(1)
