"""Counts of neighbours by exposure, where each unit has a rate of its own by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis import hotspots
from gridmap.analysis.clusters import _mixture
from gridmap.analysis.clusters._mixture import counted_tails, rate_mixture

Floats = np.ndarray


def links_of(rows: list[list[int]], count: int) -> sp.csr_array:
    dense = np.zeros((count, count))
    for row, columns in enumerate(rows):
        dense[row, columns] = 1.0
    return sp.csr_array(dense)


def convolved(expected: Floats, rates: Floats, shares: Floats, members: list[int]) -> Floats:
    """Return the chance of each count of some units, one unit added after the other."""
    chances = np.ones(1)
    for each in members:
        most = int(scipy.stats.poisson.isf(1e-16, expected[each] * rates.max())) + 2
        one = scipy.stats.poisson.pmf(np.arange(most)[:, None], expected[each] * rates) @ shares
        chances = np.convolve(chances, one)
    return chances


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.integers(2, 12), st.floats(0.05, 40.0))
def test_tails_are_those_of_adding_one_unit_after_the_other(
    seed: int, count: int, level: float
) -> None:
    rng = np.random.default_rng(seed)
    exposure = rng.gamma(1.0, 1.0, count) + 0.01
    counts = rng.negative_binomial(0.7, 0.7 / (0.7 + level * exposure)).astype(float)
    counts[rng.integers(count)] += 1
    rows = [
        rng.choice(count, rng.integers(1, count + 1), replace=False).tolist() for _ in range(count)
    ]
    links = links_of(rows, count)
    above, below = counted_tails(counts, exposure, links)
    expected = exposure * counts.sum() / exposure.sum()
    rates, shares = rate_mixture(counts, expected)
    for at, members in enumerate(rows):
        chances = convolved(expected, rates, shares, members)
        seen = int(counts[members].sum())
        assert above[at] == pytest.approx(chances[seen:].sum(), abs=1e-10)
        assert below[at] == pytest.approx(chances[: seen + 1].sum(), abs=1e-10)


def test_long_sums_are_counted_in_groups_and_no_p_gets_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(2)
    exposure = rng.gamma(2.0, 1.0, 60)
    counts = rng.poisson(rng.gamma(4.0, 50.0, 60) * exposure).astype(float)
    links = sp.csr_array(np.eye(60) + np.eye(60, k=1) + np.eye(60, k=-1))
    fine = counted_tails(counts, exposure, links)
    monkeypatch.setattr(_mixture, "_LONGEST", 500)
    coarse = counted_tails(counts, exposure, links)
    for one, other in zip(fine, coarse, strict=True):
        assert np.abs(one - other).max() < 0.04
    small = np.minimum(*fine) < 0.02
    assert small.any()
    assert (np.minimum(*coarse)[small] >= 0.9 * np.minimum(*fine)[small]).all()


def test_the_distribution_is_that_of_the_rates_there_are() -> None:
    rng = np.random.default_rng(3)
    expected = np.full(5000, 8.0)
    even, share = rate_mixture(rng.poisson(8.0, 5000).astype(float), expected)
    assert share[(even > 0.8) & (even < 1.25)].sum() > 0.95
    half = rng.poisson(16.0, 5000) * (rng.random(5000) < 0.5)
    rates, share = rate_mixture(half.astype(float), expected)
    assert share[rates < 0.1].sum() == pytest.approx(0.5, abs=0.02)
    assert share[(rates > 1.7) & (rates < 2.3)].sum() == pytest.approx(0.5, abs=0.03)
    assert share.sum() == pytest.approx(1)


def test_nothing_counted_proves_nothing() -> None:
    links = links_of([[0, 1], [1]], 2)
    above, below = counted_tails(np.zeros(2), np.array([1.0, 2.0]), links)
    assert (above.tolist(), below.tolist()) == ([1, 1], [1, 1])


def test_neighbours_that_are_high_together_are_found_and_those_apart_are_not() -> None:
    rng = np.random.default_rng(4)
    side = 30
    line = sp.diags_array([1.0, 1.0, 1.0], offsets=[-1, 0, 1], shape=(side, side))
    near = sp.csr_array(sp.kron(line, line))
    exposure = pd.Series(rng.gamma(2.0, 1.0, side * side))
    counts = pd.Series(rng.poisson(3 * exposure))
    block = ((10 + np.arange(3))[:, None] * side + 10 + np.arange(3)).ravel()
    apart = rng.choice(np.arange(450, side * side), 9, replace=False)
    counts[apart] = rng.poisson(12 * exposure[apart])
    assert not (hotspots(counts, near, exposure=exposure)["hotspot"] == "hot").any()
    counts[block] = rng.poisson(12 * exposure[block])
    found = hotspots(counts, near, exposure=exposure)["hotspot"]
    assert (found[block] == "hot").sum() >= 5
    assert (found.drop(block) == "hot").sum() <= 16  # that have it among their neighbours
