"""Statistics of whole maps and of pairs of values: esda, published values, enumeration."""

from __future__ import annotations

import itertools
import math

import esda
import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from gridmap import analysis
from gridmap.errors import ConformError

RNG = np.random.default_rng(11)
Town = tuple[gpd.GeoDataFrame, sp.csr_array, libpysal.weights.W]


def lattice(side: int) -> tuple[sp.csr_array, libpysal.weights.W]:
    peer = libpysal.weights.lat2W(side, side, rook=False)
    return sp.csr_array(peer.sparse), peer


def of_pairs(count: int, seed: int) -> sp.csr_array:
    rng = np.random.default_rng(seed)
    dense = rng.random((count, count)) * (rng.random((count, count)) < 0.5)
    np.fill_diagonal(dense, 3.0)  # which does not count
    return sp.csr_array(dense)


@pytest.fixture(scope="module")
def columbus() -> Town:
    """The neighbourhoods of Columbus of Anselin (1988), as libpysal brings them."""
    frame = gpd.read_file(libpysal.examples.get_path("columbus.shp"))
    file = libpysal.io.open(libpysal.examples.get_path("columbus.gal"))
    peer = file.read()
    file.close()
    return frame, sp.csr_array(peer.sparse), peer


def test_morans_i_of_columbus_is_as_published(columbus: Town) -> None:
    frame, near, _ = columbus
    found = analysis.global_moran(frame["CRIME"], near)
    # moran.test of R's spdep, by randomisation.
    assert found.value == pytest.approx(0.500188557, abs=1e-9)
    assert found.expected == pytest.approx(-0.020833333, abs=1e-9)
    assert found.variance == pytest.approx(0.008689289, abs=1e-9)


@pytest.mark.parametrize("rows", [True, False])
def test_morans_i_is_that_of_esda(columbus: Town, rows: bool) -> None:
    frame, near, peer = columbus
    for name in ("CRIME", "INC", "HOVAL"):
        ours = analysis.global_moran(frame[name], near, rows=rows)
        theirs = esda.Moran(frame[name], peer, transformation="r" if rows else "b", permutations=0)
        assert ours[:4] == pytest.approx(
            (theirs.I, theirs.EI, theirs.VI_rand, theirs.z_rand), rel=1e-9
        )
        assert ours.p == pytest.approx(theirs.p_rand, rel=1e-9)
        assert math.isnan(ours.p_sim)


def test_the_general_g_is_that_of_esda(columbus: Town) -> None:
    frame, near, peer = columbus
    for name in ("CRIME", "INC", "HOVAL"):
        ours = analysis.general_g(frame[name], near)
        theirs = esda.G(frame[name], peer, permutations=0)
        assert ours[:4] == pytest.approx((theirs.G, theirs.EG, theirs.VG, theirs.z_norm), rel=1e-9)
        # esda's is one-sided.
        assert ours.p == pytest.approx(2.0 * theirs.p_norm, rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_mean_and_variance_are_those_of_every_way_to_deal_values_out(seed: int) -> None:
    near, values = of_pairs(7, seed), RNG.integers(0, 9, 7).astype(float)
    values[seed % 7] += 20
    flags = np.array([1, 1, 1, 0, 0, 0, 0]) == 1
    ways = [np.array(way) for way in itertools.permutations(range(7))]

    dense = near.toarray()
    np.fill_diagonal(dense, 0.0)
    apart = values - values.mean()
    moran = np.array([(dense * np.outer(apart[w], apart[w])).sum() for w in ways])
    moran /= dense.sum() * (apart**2).mean()
    general = np.array([(dense * np.outer(values[w], values[w])).sum() for w in ways])
    general /= values.sum() ** 2 - (values**2).sum()
    both = np.array([0.5 * (dense * np.outer(flags[w], flags[w])).sum() for w in ways])
    mixed = np.array([0.5 * (dense * (flags[w][:, None] != flags[w][None, :])).sum() for w in ways])
    ours = {
        "moran": (analysis.global_moran(pd.Series(values), near, rows=False), moran),
        "g": (analysis.general_g(pd.Series(values), near), general),
        "both": (analysis.join_counts(pd.Series(flags), near)["both"], both),
        "mixed": (analysis.join_counts(pd.Series(flags), near)["mixed"], mixed),
    }
    for found, drawn in ours.values():
        assert found.value == pytest.approx(drawn[0])
        assert found.expected == pytest.approx(drawn.mean())
        assert found.variance == pytest.approx(drawn.var())


def test_joins_of_a_board_are_as_published() -> None:
    """A board of four by four with the upper half black: of the documentation of esda."""
    near = sp.csr_array(libpysal.weights.lat2W(4, 4).sparse)
    found = analysis.join_counts(pd.Series([True] * 8 + [False] * 8), near, permutations=999)
    assert [found[name].value for name in ("both", "neither", "mixed")] == [10, 10, 4]
    assert found["both"].expected == pytest.approx(5.6)
    assert found["both"].p_sim < 0.02
    assert sum(each.expected for each in found.values()) == pytest.approx(24)


def test_permutations_agree_with_the_moments(columbus: Town) -> None:
    frame, near, _ = columbus
    for found in (
        analysis.global_moran(frame["INC"], near, permutations=9999),
        analysis.general_g(frame["INC"], near, permutations=9999),
        analysis.join_counts(frame["INC"] > 14, near, permutations=9999)["mixed"],
    ):
        assert found.p_sim == pytest.approx(found.p, abs=0.04)
    shuffled = frame["INC"].sample(frac=1.0, random_state=3).set_axis(frame.index)
    assert analysis.global_moran(shuffled, near, permutations=999).p_sim > 0.05


def test_by_exposure_it_is_the_moran_of_standardised_rates() -> None:
    near, peer = lattice(12)
    exposure = pd.Series(RNG.integers(50, 900, 144).astype(float))
    counts = pd.Series(RNG.poisson(0.1 * exposure))
    ours = analysis.global_moran(counts, near, exposure=exposure)
    theirs = esda.Moran_Rate(counts.to_numpy(float), exposure.to_numpy(), peer, permutations=0)
    assert ours.value == pytest.approx(theirs.I, rel=1e-9)
    local = analysis.local_moran(counts, near, exposure=exposure)
    rates = analysis.standardised_rates(counts, exposure)
    plain = analysis.local_moran(rates, near)
    assert local["moran"].to_numpy() == pytest.approx(plain["moran"].to_numpy())
    assert local["value"].tolist() == counts.tolist()
    peer_local = esda.Moran_Local_Rate(
        counts.to_numpy(float), exposure.to_numpy(), peer, permutations=0
    )
    assert local["moran"].to_numpy() == pytest.approx(peer_local.Is, rel=1e-9)
    some = exposure.where(exposure.index != 7, 0.0)
    lacking = analysis.local_moran(counts, near, exposure=some)
    assert lacking["moran"].isna().tolist() == [row == 7 for row in range(144)]
    assert lacking["cluster"][7] == "none"


def test_two_values_are_compared_as_by_esda(columbus: Town) -> None:
    frame, near, peer = columbus
    ours = analysis.local_moran(
        frame["INC"], near, beside=frame["HOVAL"], permutations=9999, alpha=1.0
    )
    peer.transform = "r"
    theirs = esda.Moran_Local_BV(frame["INC"], frame["HOVAL"], peer, permutations=9999, seed=5)
    assert ours["moran"].to_numpy() == pytest.approx(theirs.Is, rel=1e-9)
    # esda folds one side; ours is both.
    assert (ours["p_sim"] / 2 - theirs.p_sim).abs().max() < 0.02
    found = (ours["p_sim"] < 0.4).to_numpy()
    kinds = np.array(["", "high_high", "low_high", "low_low", "high_low"])
    assert found.sum() > 5
    assert (ours["cluster"][found].to_numpy() == kinds[theirs.q[found]]).all()
    same = analysis.local_moran(frame["INC"], near, beside=frame["INC"])
    alone = analysis.local_moran(frame["INC"], near)
    assert same["moran"].to_numpy() == pytest.approx(alone["moran"].to_numpy())
    with pytest.raises(ConformError, match="either another value"):
        analysis.local_moran(frame["INC"], near, beside=frame["INC"], exposure=frame["HOVAL"])


def test_local_geary_is_that_of_esda(columbus: Town) -> None:
    frame, near, _ = columbus
    # Of names that are no numbers in order esda mixes up the rows.
    peer = libpysal.weights.WSP(near).to_W(silence_warnings=True)
    ours = analysis.local_geary(frame["CRIME"], near, permutations=9999, alpha=0.3)
    peer.transform = "r"
    theirs = esda.Geary_Local(connectivity=peer, permutations=9999, seed=3, sig=0.05)
    theirs.fit(frame["CRIME"].to_numpy())
    assert ours["geary"].to_numpy() == pytest.approx(theirs.localG, rel=1e-9)
    assert np.abs(ours["p_sim"] / 2 - theirs.p_sim).max() < 0.02
    assert {"high_high", "low_low"} <= set(ours["cluster"])
    alike = ours["cluster"].isin(["high_high", "low_low", "other_alike"])
    assert ours["geary"][alike].mean() < ours["geary"][~alike].mean()


def test_what_differs_from_its_neighbours_is_unlike() -> None:
    near, _ = lattice(9)
    values = pd.Series(np.tile([0.0, 1.0], 41)[:81] * 0.1)
    values[40] = 9.0
    found = analysis.local_geary(values, near, permutations=999, alpha=0.5)
    assert found["geary"].idxmax() == 40
    assert found["geary"][40] > 10


def test_what_cannot_be_told_is_missing_or_refused() -> None:
    near, _ = lattice(3)
    flat = pd.Series(np.ones(9))
    assert math.isnan(analysis.global_moran(flat, near).value)
    assert math.isnan(analysis.general_g(flat, near).value)
    assert math.isnan(analysis.global_moran(pd.Series(range(9)), sp.csr_array((9, 9))).z)
    every = analysis.join_counts(flat == 1, near)
    assert (every["both"].value, every["mixed"].value) == (20.0, 0.0)
    assert math.isnan(every["mixed"].z)
    with pytest.raises(ConformError, match="below zero"):
        analysis.general_g(flat - 2, near)
    with pytest.raises(ConformError, match="There are 3 units"):
        analysis.global_moran(flat[:3], sp.csr_array((3, 3)))
    lone = pd.Series([1.0, *[0.0] * 8])
    with pytest.raises(ConformError, match="There are 1 units"):
        analysis.global_moran(flat, near, exposure=lone)
    with pytest.raises(ConformError, match="neither true nor false"):
        analysis.join_counts(pd.Series(np.arange(9.0)), near)
    with pytest.raises(ConformError, match="9 units cannot go with 4"):
        analysis.global_moran(pd.Series(range(4)), near)
    lone = analysis.local_geary(pd.Series([1.0, 2.0, 3.0]), sp.csr_array((3, 3)))
    assert lone["p_sim"].tolist() == [1, 1, 1]
    assert len(analysis.local_geary(pd.Series(dtype=float), sp.csr_array((0, 0)))) == 0
