import esda.smoothing
import libpysal
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import grid_of

from gridmap.analysis import (
    crude_rates,
    empirical_bayes,
    local_empirical_bayes,
    queen,
    standardised_rates,
    with_self,
)
from gridmap.errors import ConformError

counted = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 500)), min_size=9, max_size=9)
NINE = grid_of("abc\ndef\nghi")


def plain(counts: list[int], exposure: list[int], rows: list[int]) -> tuple[float, float]:
    """Mean and variance between units, by the method of moments, term by term."""
    total = sum(exposure[i] for i in rows)
    mean = sum(counts[i] for i in rows) / total
    spread = sum(exposure[i] * (counts[i] / exposure[i] - mean) ** 2 for i in rows) / total
    return mean, max(spread - mean / (total / len(rows)), 0.0)


def shrunk(count: int, exposure: int, mean: float, between: float) -> float:
    if between == 0:
        return mean
    return mean + between / (between + mean / exposure) * (count / exposure - mean)


@settings(max_examples=60, deadline=None)
@given(counted)
def test_rates_are_those_of_the_formula_and_of_esda(data: list[tuple[int, int]]) -> None:
    counts, exposure = ([pair[k] for pair in data] for k in (0, 1))
    count, exposed = pd.Series(counts), pd.Series(exposure)
    rows = list(range(9))
    assert crude_rates(count, exposed).tolist() == [c / e for c, e in data]
    mean, between = plain(counts, exposure, rows)
    expected = [shrunk(c, e, mean, between) for c, e in data]
    found = empirical_bayes(count, exposed)
    assert found.to_numpy() == pytest.approx(expected, rel=1e-9, abs=1e-12)
    if between > 1e-6:
        peer = esda.smoothing.Empirical_Bayes(np.array(counts), np.array(exposure))
        assert found.to_numpy() == pytest.approx(peer.r.ravel(), rel=1e-6)
    if sum(counts):
        peer = esda.smoothing.assuncao_rate(np.array(counts), np.array(exposure))
        standard = standardised_rates(count, exposed)
        assert standard.to_numpy() == pytest.approx(peer, rel=1e-6, abs=1e-9)
    near = with_self(queen(NINE))
    expected = [
        shrunk(counts[i], exposure[i], *plain(counts, exposure, near[[i]].indices.tolist()))
        for i in rows
    ]
    local = local_empirical_bayes(count, exposed, queen(NINE))
    # What is left of a variance of nothing decides how much is left of a rate.
    assert local.to_numpy() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_local_rates_are_those_of_esda() -> None:
    rng = np.random.default_rng(2)
    exposure = rng.integers(50, 3000, 9)
    counts = rng.poisson(exposure * np.linspace(0.01, 0.2, 9))
    weights = libpysal.weights.Queen.from_dataframe(NINE, use_index=False)
    weights.id_order = list(range(9))
    peer = esda.smoothing.Spatial_Empirical_Bayes(counts, exposure, weights)
    found = local_empirical_bayes(pd.Series(counts), pd.Series(exposure), queen(NINE))
    assert found.to_numpy() == pytest.approx(peer.r.ravel(), rel=1e-6)


def test_a_little_exposure_makes_no_high_rate() -> None:
    exposure = pd.Series([1.0, *[1000.0] * 20])
    counts = pd.Series([2, *np.random.default_rng(1).poisson(20, 20)])
    counts[20] = 60
    crude, smooth = crude_rates(counts, exposure), empirical_bayes(counts, exposure)
    assert crude.idxmax() == 0
    assert smooth.idxmax() == 20
    assert smooth[20] > 0.9 * crude[20] - 0.01


def test_without_exposure_there_is_no_rate_and_wrong_rows_are_named() -> None:
    counts = pd.Series([1, 2, 3], index=["x", "y", "z"])
    exposure = pd.Series([0.0, np.nan, 4.0], index=["x", "y", "z"])
    for rate in (crude_rates, empirical_bayes, standardised_rates):
        assert rate(counts, exposure).isna().tolist() == [True, True, False]
        assert rate(counts, exposure * 0).isna().all()
        assert rate(counts[:0], exposure[:0]).empty
    weights = sp.csr_array((3, 3))
    local = local_empirical_bayes(counts, exposure, weights)
    assert local.isna().tolist() == [True, True, False]
    assert local["z"] == pytest.approx(0.75)
    with pytest.raises(ConformError, match="counts: below zero in rows y"):
        crude_rates(counts.replace(2, -2), exposure)
    with pytest.raises(ConformError, match="exposure: missing or infinite in rows z"):
        crude_rates(counts, exposure.replace(4.0, np.inf))


def test_rates_that_are_all_equal_stay_so() -> None:
    exposure = pd.Series([10.0, 20.0, 40.0, 80.0])
    assert empirical_bayes(exposure / 10, exposure).to_numpy() == pytest.approx([0.1] * 4)
    assert empirical_bayes(exposure * 0, exposure).tolist() == [0.0] * 4
    assert standardised_rates(exposure / 10, exposure).to_numpy() == pytest.approx([0] * 4)
    assert standardised_rates(exposure * 0, exposure).tolist() == [0.0] * 4
