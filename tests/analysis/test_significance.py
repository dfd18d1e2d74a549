import itertools
from math import comb

import esda
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from esda.crand import vec_permutations
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gridmap.analysis import as_graph, discoveries, neighbour_ranks, pseudo_p
from gridmap.analysis.clusters import significance as module
from gridmap.analysis.clusters._permute import draws
from gridmap.analysis.clusters.significance import Ranks


def random_links(rng: np.random.Generator, count: int, degree: float) -> sp.csr_array:
    links = rng.random((count, count)) < degree / count
    np.fill_diagonal(links, False)
    return sp.csr_array(links.astype(float))


def plain_ranks(values: np.ndarray, weights: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The same draws, unit by unit: the others in order of size, added up."""
    found = []
    for i in range(len(values)):
        others = np.sort(np.delete(values, i))
        mine = np.sort(np.delete(weights[i], i)[np.delete(weights[i], i) != 0])[::-1]
        observed = sum(weights[i, j] * values[j] for j in range(len(values)) if j != i)
        sums = [sum(w * others[at] for w, at in zip(mine, row, strict=False)) for row in drawn]
        near = 1e-9
        found.append(
            (sum(s >= observed - near for s in sums), sum(s <= observed + near for s in sums))
        )
    return np.array(found).reshape(-1, 2)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(2, 40), st.sampled_from([0.5, 3.0, 8.0]), st.sampled_from(["counts", "rates"]),
    st.sampled_from(["binary", "rows", "any"]), st.integers(0, 2**32),
)  # fmt: skip
def test_ranks_are_those_of_plain_permutation(
    count: int, degree: float, kind: str, weighting: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.poisson(2, count).astype(float) if kind == "counts" else rng.gamma(2, 3, count)
    weights = random_links(rng, count, degree).toarray()
    if weighting == "rows":
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1)
    elif weighting == "any":
        weights *= rng.integers(1, 4, weights.shape)
    found = neighbour_ranks(values, sp.csr_array(weights), permutations=49, random_state=3)
    most = int((weights != 0).sum(axis=1).max())
    expected = plain_ranks(values, weights, draws(count - 1, most, 49, 3))
    assert found.above.tolist() == expected[:, 0].tolist()
    assert found.below.tolist() == expected[:, 1].tolist()


def test_neither_the_order_of_units_nor_the_diagonal_changes_ranks() -> None:
    rng = np.random.default_rng(1)
    for values in (rng.poisson(3, 200).astype(float), rng.gamma(2, 2, 200)):
        links = random_links(rng, 200, 6)
        found = neighbour_ranks(values, links)
        turned = rng.permutation(200)
        shuffled = sp.csr_array(links[turned][:, turned])
        again = neighbour_ranks(values[turned], sp.csr_array(shuffled + sp.eye_array(200)))
        assert (again.above == found.above[turned]).all()
        assert (again.below == found.below[turned]).all()


def test_with_the_draws_of_esda_the_answer_is_that_of_esda(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(4)
    # In order of size, a position among the others means the same to both.
    values = np.sort(rng.gamma(2, 2, 300))
    links = random_links(rng, 300, 5)
    graph = as_graph(links, pd.RangeIndex(300))
    peer = esda.G_Local(
        values,
        graph,
        transform="B",
        permutations=499,
        star=True,
        n_jobs=1,
        seed=5,
        keep_simulations=False,
    )
    most = int(np.diff(links.indptr).max())
    drawn = vec_permutations(most, 300, 499, 5).astype(np.int32)
    monkeypatch.setattr(module, "draws", lambda *_: drawn)
    ranks = neighbour_ranks(values, links, permutations=499)
    larger = np.where(499 - ranks.above < ranks.above, 499 - ranks.above, ranks.above)
    some = np.diff(links.indptr) > 0
    assert ((larger + 1) / 500)[some] == pytest.approx(peer.p_sim[some], abs=1e-6)


def test_draws_of_our_own_agree_with_esda_but_for_chance() -> None:
    rng = np.random.default_rng(6)
    values, links = rng.gamma(2, 2, 400), random_links(rng, 400, 5)
    graph = as_graph(links, pd.RangeIndex(400))
    peer = esda.G_Local(
        values,
        graph,
        transform="B",
        permutations=9999,
        star=True,
        n_jobs=1,
        seed=5,
        keep_simulations=False,
    )
    ranks = neighbour_ranks(values, links, permutations=9999)
    ours = np.minimum(pseudo_p(ranks, alternative="greater"), pseudo_p(ranks, alternative="less"))
    some = np.diff(links.indptr) > 0
    # Five standard deviations of the difference of two shares of 9999.
    bound = 5 * np.sqrt(2 * 0.25 / 9999)
    assert np.abs(ours - peer.p_sim)[some].max() < bound


def test_pseudo_p_nears_the_exact_share_of_all_samples() -> None:
    values = np.array([1.0, 2, 3, 5, 8, 13, 21, 34])
    links = np.zeros((8, 8))
    links[0, [5, 6, 7]] = links[3, [0, 1]] = 1
    ranks = neighbour_ranks(values, sp.csr_array(links), permutations=20_000)
    p = pseudo_p(ranks, alternative="greater")
    samples = [sum(s) for s in itertools.combinations(values[1:], 3)]
    assert p[0] == pytest.approx(sum(s >= 68 for s in samples) / comb(7, 3), abs=0.006)
    samples = [sum(s) for s in itertools.combinations(np.delete(values, 3), 2)]
    assert p[3] == pytest.approx(sum(s >= 3 for s in samples) / comb(7, 2), abs=0.006)
    assert p[1] == 1.0


def test_under_no_pattern_pseudo_p_is_uniform() -> None:
    rng = np.random.default_rng(2)
    values, links = rng.normal(size=3000), random_links(rng, 3000, 6)
    p = pseudo_p(neighbour_ranks(values, links, permutations=4999), alternative="greater")
    assert stats.kstest(p, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("others", [3, 5, 100])
def test_draws_are_without_replacement_and_none_is_preferred(others: int) -> None:
    drawn = draws(others, 3, 30_000, 1)
    assert (np.diff(np.sort(drawn, axis=1), axis=1) > 0).all()
    for column in drawn.T:
        seen = np.bincount(column, minlength=others)
        assert stats.chisquare(seen).pvalue > 1e-4
    if others < 10:
        triples = np.unique(drawn @ [others**2, others, 1], return_counts=True)[1]
        assert len(triples) == others * (others - 1) * (others - 2)
        assert stats.chisquare(triples).pvalue > 1e-4


def test_pseudo_p_counts_the_observed_one() -> None:
    ranks = Ranks(np.array([0, 99, 49]), np.array([99, 0, 99]), 99)
    assert pseudo_p(ranks, alternative="greater").tolist() == [0.01, 1.0, 0.5]
    assert pseudo_p(ranks, alternative="less").tolist() == [1.0, 0.01, 1.0]
    assert pseudo_p(ranks).tolist() == [0.02, 0.02, 1.0]


@pytest.mark.parametrize("values", [[], [4.0], [2.0] * 6, [0.1 + 0.2] * 6])
def test_values_that_do_not_vary_are_never_extreme(values: list[float]) -> None:
    ring = sp.csr_array(np.roll(np.eye(len(values)), 1, axis=0)) if values else sp.csr_array((0, 0))
    ranks = neighbour_ranks(np.array(values), ring, permutations=99)
    assert (pseudo_p(ranks) == 1.0).all()


def test_discoveries_are_those_of_scipy_and_what_was_not_tested_does_not_count() -> None:
    p = np.array([0.01, np.nan, 0.02, 0.5])
    expected = stats.false_discovery_control(p[[0, 2, 3]])
    assert discoveries(p)[[0, 2, 3]] == pytest.approx(expected)
    assert np.isnan(discoveries(p)[1])
    assert len(discoveries(np.empty(0))) == 0
    assert np.isnan(discoveries(np.array([np.nan]))).all()
