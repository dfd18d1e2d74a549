from itertools import permutations

import esda
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import grid_of

from gridmap.analysis import as_graph, local_moran, queen
from gridmap.errors import ConformError

SIZE = 8
DRAWING = "\n".join("".join(chr(0x4E00 + SIZE * r + c) for c in range(SIZE)) for r in range(SIZE))
AREAS = grid_of(DRAWING)
WEIGHTS = queen(AREAS)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=64, max_size=64).filter(lambda v: len(set(v)) > 1))
def test_local_moran_and_its_moments_are_those_of_esda(values: list[int]) -> None:
    graph = as_graph(WEIGHTS, AREAS["code"])
    peer = esda.Moran_Local(np.array(values, float), graph, permutations=0)
    found = local_moran(pd.Series(values, dtype="Int64"), WEIGHTS)
    assert found["moran"].to_numpy() == pytest.approx(peer.Is, abs=1e-10)


def test_the_score_is_that_of_many_permutations() -> None:
    rng = np.random.default_rng(3)
    values = rng.gamma(2, 3, 64)
    found = local_moran(pd.Series(values), WEIGHTS)
    for unit in (0, 9, 30):
        others = np.delete(values, unit)
        degree = WEIGHTS[[unit]].nnz
        lags = np.array([rng.permutation(others)[:degree].mean() for _ in range(40_000)])
        lag = values[WEIGHTS[[unit]].indices].mean()
        expected = np.sign(values[unit] - values.mean()) * (lag - lags.mean()) / lags.std()
        assert found["z"][unit] == pytest.approx(expected, abs=0.05)


def test_the_score_is_that_of_every_permutation() -> None:
    values = np.array([3.0, 8.0, 1.0, 5.0, 5.0, 13.0])
    rows = ["012001", "100000", "300110", "001010", "111101", "100400"]
    links = np.array([list(map(float, row)) for row in rows])
    found = local_moran(pd.Series(values), sp.csr_array(links))["z"]
    for unit in range(len(values)):
        shares = np.delete(links[unit], unit) / links[unit].sum()
        lags = [shares @ drawn for drawn in permutations(np.delete(values, unit))]
        lag = shares @ np.delete(values, unit)
        spread = np.std(lags)
        score = 0.0 if spread < 1e-9 else (lag - np.mean(lags)) / spread
        assert found[unit] == pytest.approx(np.sign(values[unit] - values.mean()) * score, abs=1e-7)


def test_pseudo_p_is_that_of_esda_but_for_chance() -> None:
    values = np.random.default_rng(5).gamma(2, 3, 64)
    graph = as_graph(WEIGHTS, AREAS["code"])
    peer = esda.Moran_Local(values, graph, permutations=9999, seed=1, n_jobs=1)
    found = local_moran(pd.Series(values), WEIGHTS, permutations=9999)
    assert np.abs(found["p_sim"] / 2 - peer.p_sim).max() < 5 * np.sqrt(2 * 0.25 / 9999)


def test_clusters_and_outliers_have_their_names() -> None:
    values = pd.Series(np.where(np.arange(64) % SIZE < 4, 0.0, 10.0))
    values += np.random.default_rng(0).normal(0, 0.5, 64)
    values[27 - 2], values[27 + 4 - 1] = 12.0, -3.0
    found = local_moran(values, WEIGHTS)
    assert found["cluster"][9] == "low_low"
    assert found["cluster"][14] == "high_high"
    assert found["cluster"][25] == "high_low"
    assert found["cluster"][30] == "low_high"
    simulated = local_moran(values, WEIGHTS, permutations=9999)
    assert (simulated["cluster"] == found["cluster"]).mean() > 0.9
    assert found["cluster"].isin(["none"]).any()


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [0.3] * 5, [0.1 + 0.2] * 5])
def test_values_that_do_not_vary_have_no_cluster(values: list[float]) -> None:
    weights = sp.csr_array(np.ones((len(values), len(values))))
    for draws in (0, 99):
        found = local_moran(pd.Series(values, dtype=float), weights, permutations=draws)
        assert (found["cluster"] == "none").all()
        assert not found[["moran", "z", "p", "q"]].isna().any(axis=None)


def test_an_island_has_no_cluster_and_a_missing_value_is_refused() -> None:
    weights = sp.csr_array(([1.0, 1.0], ([0, 1], [1, 0])), shape=(4, 4))
    found = local_moran(pd.Series([1.0, 5.0, 3.0, 90.0]), weights, permutations=99)
    assert found["cluster"][3] == "none"
    assert found["moran"][3] == 0
    with pytest.raises(ConformError, match="rows 1"):
        local_moran(pd.Series([1.0, np.nan]), weights)
