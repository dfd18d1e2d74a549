import math
from fractions import Fraction
from pathlib import Path

import esda
import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
import rdata
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import grid_of

from gridmap.analysis import (
    as_graph,
    count_by,
    getis_ord,
    hotspots,
    hotspots_by_source,
    neighbours,
    queen,
    with_self,
)
from gridmap.errors import ConformError

ROWS = ["abcd", "efgh", "ijkl", "mnop"]


@settings(max_examples=30)
@given(st.lists(st.integers(0, 50), min_size=16, max_size=16).filter(lambda v: len(set(v)) > 1))
def test_gi_star_is_that_of_esda(values: list[int]) -> None:
    areas = grid_of("\n".join(ROWS))
    queen = libpysal.weights.Queen.from_dataframe(areas, use_index=False, silence_warnings=True)
    peer = esda.G_Local(np.array(values, float), queen, transform="B", permutations=0, star=True)
    found = getis_ord(np.array(values, float), neighbours(areas))
    assert found == pytest.approx(peer.Zs, rel=0, abs=1e-10)


@settings(max_examples=30)
@given(
    st.lists(st.integers(-20, 20), min_size=2, max_size=9).filter(lambda v: len(set(v)) > 1),
    st.integers(0, 2**32),
)
def test_gi_star_is_that_of_exact_fractions(values: list[int], links: int) -> None:
    """Equation 14 of Ord and Getis (1995), term by term, with rational numbers."""
    n = len(values)
    rng = np.random.default_rng(links)
    weights = np.maximum(rng.integers(0, 2 + links % 3, (n, n)), np.eye(n, dtype=int))
    mean = Fraction(sum(values), n)
    variance = Fraction(sum(v * v for v in values), n) - mean**2
    found = getis_ord(np.array(values, float), sp.csr_array(weights.astype(float)))
    for i in range(n):
        total = int(weights[i].sum())
        squares = int((weights[i] ** 2).sum())
        spread = variance * Fraction(n * squares - total**2, n - 1)
        lag = sum(int(weights[i, j]) * values[j] for j in range(n)) - total * mean
        expected = 0.0 if spread == 0 else float(lag) / math.sqrt(spread)
        assert found[i] == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.real
def test_gi_star_is_the_published_figure() -> None:
    """Ord and Getis's 16 x 16 example: Gi* of the centre cell at distance 30 is 1.4508."""
    file = Path(__file__).parents[3] / "shared/data/known_answers/getisord.rda"
    if not file.exists():
        pytest.skip(f"needs {file.name}, see examples/README.md")
    frame = rdata.read_rda(file)["go_xyz"]
    x, y, value = (frame[name].to_numpy(float) for name in ("x", "y", "val"))
    near = np.hypot(x[:, None] - x, y[:, None] - y) <= 30
    z = getis_ord(value, sp.csr_array(near.astype(float)))
    # The example's centre is the cell at (210, 210) of a lattice of 30.
    centre = np.flatnonzero((x == 210) & (y == 210))
    assert z[centre] == pytest.approx(1.4508, abs=5e-5)


@pytest.mark.parametrize("values", [[], [5.0], [3.0, 3.0, 3.0, 3.0], [0.0] * 4, [0.1 + 0.2] * 4])
def test_values_that_do_not_vary_have_no_hot_spot(values: list[float]) -> None:
    weights = sp.csr_array(np.ones((len(values), len(values))))
    assert (getis_ord(np.array(values), weights) == 0).all()
    counts = pd.Series(values, dtype="float64").round().astype("Int64")
    assert (hotspots(counts, weights)["hotspot"] == "none").all()


def test_a_cluster_is_hot_and_its_far_opposite_is_not() -> None:
    drawing = "\n".join(
        "".join(chr(0x4E00 + 12 * row + column) for column in range(12)) for row in range(12)
    )
    areas = grid_of(drawing)
    counts = pd.Series(2, index=areas.index, dtype="Int64")
    centre = areas.distance(areas.geometry[70].centroid) < 120
    counts[centre] = 30
    found = hotspots(counts, neighbours(areas))
    assert (found.loc[centre, "hotspot"] == "hot").any()
    assert (found.loc[found["hotspot"] == "hot", "z"] > 2).all()
    assert found.loc[143, "hotspot"] == "none"
    assert (found["q"] >= found["p"] - 1e-15).all()


def town(seed: int = 5, size: int = 12) -> tuple[gpd.GeoDataFrame, sp.csr_array, pd.Series]:
    drawing = "\n".join(
        "".join(chr(0x4E00 + size * row + column) for column in range(size)) for row in range(size)
    )
    areas = grid_of(drawing)
    counts = np.random.default_rng(seed).poisson(4, len(areas))
    counts[[0, 1, 12, 13]] += 12
    return areas, queen(areas), pd.Series(counts, index=areas.index, dtype="Int64")


def test_a_unit_is_its_own_neighbour_whether_the_weights_say_so_or_not() -> None:
    _, weights, counts = town()
    pd.testing.assert_frame_equal(
        hotspots(counts, weights, permutations=99),
        hotspots(counts, with_self(weights), permutations=99),
    )


def test_permutation_finds_the_cluster_and_changes_with_the_random_state_alone() -> None:
    _, weights, counts = town()
    found = hotspots(counts, weights, permutations=9999)
    assert (found.loc[[0, 1, 12], "hotspot"] == "hot").all()
    assert (found["hotspot"] == "hot").sum() < 12
    assert found["p_sim"].between(2 / 10_000, 1).all()
    pd.testing.assert_frame_equal(found, hotspots(counts, weights, permutations=9999))
    other = hotspots(counts, weights, permutations=9999, random_state=1)
    assert (other["p_sim"] != found["p_sim"]).any()
    assert (other["p_sim"] - found["p_sim"]).abs().max() < 0.05


def test_rates_find_what_counts_hide_and_forgive_what_many_people_explain() -> None:
    areas, weights, _ = town()
    households = pd.Series(1000.0, index=areas.index)
    households.iloc[:30] = 4000.0
    expected = households / 250
    counts = expected.astype("Int64")
    quiet = [100, 101, 112, 113]
    counts.loc[quiet] = 12
    assert set(np.flatnonzero(hotspots(counts, weights)["hotspot"] == "hot")) <= set(range(42))
    by_rate = hotspots(counts, weights, exposure=households)
    assert (by_rate.loc[quiet, "hotspot"] == "hot").all()
    assert (by_rate.loc[range(30), "hotspot"] != "hot").all()


def test_without_exposure_a_unit_has_no_score_and_the_others_have_theirs() -> None:
    _, weights, counts = town()
    households = pd.Series(100.0, index=counts.index)
    households[5], households[9] = 0.0, np.nan
    found = hotspots(counts, weights, exposure=households, permutations=99)
    assert found.loc[[5, 9], ["rate", "z", "p", "p_sim", "q"]].isna().all(axis=None)
    assert (found.loc[[5, 9], "hotspot"] == "too_few").all()
    rest = found.index.difference([5, 9])
    kept = hotspots(
        counts[rest], sp.csr_array(weights[rest][:, rest]), exposure=households, permutations=99
    )
    pd.testing.assert_frame_equal(found.loc[rest], kept)
    nobody = hotspots(counts, weights, exposure=households * 0)
    assert (nobody["hotspot"] == "too_few").all()


def test_units_with_few_counts_are_never_hot() -> None:
    _, weights, counts = town()
    counts[13] = 2
    free = hotspots(counts, weights, distribution="normal")
    held = hotspots(counts, weights, minimum=3, distribution="normal")
    assert free.loc[13, "hotspot"] == "hot"
    assert held.loc[13, "hotspot"] == "too_few"
    rest = held.index.drop(13)
    pd.testing.assert_series_equal(
        free.loc[rest, "hotspot"].where(counts[rest] >= 3, "none"),
        held.loc[rest, "hotspot"].where(counts[rest] >= 3, "none"),
    )


def test_missing_counts_and_foreign_weights_are_refused() -> None:
    _, weights, counts = town()
    holed = counts.copy()
    holed[[3, 7]] = pd.NA
    with pytest.raises(ConformError, match="counts: missing or infinite in rows 3, 7"):
        hotspots(holed, weights)
    with pytest.raises(ConformError, match="144 units cannot go with 143"):
        hotspots(counts[1:], weights)
    with pytest.raises(ConformError, match="exposure: below zero in rows 4"):
        hotspots(
            counts,
            weights,
            exposure=pd.Series(1.0, index=counts.index).where(lambda s: s.index != 4, -1),
        )


@pytest.mark.parametrize("size", [0, 1, 2])
def test_few_units_are_no_trouble(size: int) -> None:
    counts = pd.Series(range(size), dtype="Int64")
    weights = sp.csr_array(np.ones((size, size)))
    found = hotspots(counts, weights, exposure=counts + 1, permutations=99)
    assert len(found) == size
    assert not found["hotspot"].isin(["hot", "cold"]).any()


def test_huge_values_keep_their_scores() -> None:
    _, weights, counts = town()
    near = with_self(weights)
    plain = getis_ord(counts.to_numpy(float), near)
    shifted = getis_ord(counts.to_numpy(float) + 1e9, near)
    assert shifted == pytest.approx(plain, abs=1e-6)


def test_events_are_counted_by_unit_and_source() -> None:
    units = pd.Series(["a", "b", "a", None, "a"], dtype="string")
    kinds = pd.Series(["app", "video", "app", "app", None], dtype="string")
    found = count_by(units, kinds, pd.Index(["b", "c", "a"]))
    assert found.to_dict("list") == {"app": [0, 0, 2], "video": [1, 0, 0]}
    assert list(found.index) == ["b", "c", "a"]
    with pytest.raises(ConformError, match="no such unit as b"):
        count_by(units, kinds, pd.Index(["a"]))


def test_where_residents_report_and_nobody_looks() -> None:
    _, weights, counts = town()
    patrol = pd.Series(1, index=counts.index, dtype="Int64")
    patrol[[0, 1]] = 0
    frame = pd.DataFrame({"hotline": counts, "app": 0, "patrol": patrol}).astype("Int64")
    found = hotspots_by_source(frame, weights, residents=["hotline", "app"], patrols=["patrol"])
    assert set(found.index[found["unseen"]]) == {0, 1}
    alone = hotspots(counts, weights)
    pd.testing.assert_series_equal(found["hotspot_hotline"], alone["hotspot"], check_names=False)
    assert (found["hotspot_app"] == "none").all()
    pooled = hotspots(frame.sum(axis=1), weights)
    pd.testing.assert_series_equal(found["z"], pooled["z"])
    with pytest.raises(ConformError, match="no report of source 'video'"):
        hotspots_by_source(frame, weights, residents=["app"], patrols=["video"])


def test_gi_without_the_unit_itself_is_that_of_esda() -> None:
    _, weights, counts = town()
    values = counts.to_numpy(dtype="float64")
    peer = libpysal.weights.WSP(weights).to_W(silence_warnings=True)
    theirs = esda.G_Local(values, peer, transform="B", permutations=0, star=False)
    for links in (weights, with_self(weights)):
        assert getis_ord(values, links, star=False) == pytest.approx(theirs.Zs, rel=1e-9)
    assert getis_ord(np.ones(144), weights, star=False).tolist() == [0.0] * 144


def test_gi_star_of_a_thousand_areas_is_that_of_esda() -> None:
    areas, weights, _ = town(size=32)
    values = np.random.default_rng(8).gamma(2, 3, len(areas))
    graph = as_graph(weights, areas["code"])
    peer = esda.G_Local(values, graph, transform="B", permutations=0, star=True)
    assert getis_ord(values, with_self(weights)) == pytest.approx(peer.Zs, rel=0, abs=1e-10)


def test_a_hot_spot_at_the_very_limit_is_one() -> None:
    areas = grid_of("\n".join(ROWS))
    counts = pd.Series([40, 35, 2, 1, 38, 30, 1, 2, 2, 1, 1, 0, 1, 0, 2, 1])
    weights = neighbours(areas)
    wide = hotspots(counts, weights, alpha=0.2)
    hot = wide["hotspot"] == "hot"
    assert hot.any()
    limit = wide.loc[hot, "q"].max()
    assert (hotspots(counts, weights, alpha=limit)["hotspot"] == "hot").sum() == hot.sum()
    below = hotspots(counts, weights, alpha=np.nextafter(limit, 0))["hotspot"]
    assert below[hot & (wide["q"] == limit)].eq("none").all()
    least = int(counts[hot].min())
    for minimum, few in ((least, 0), (least + 1, int((counts[hot] == least).sum()))):
        found = hotspots(counts, weights, alpha=0.2, minimum=minimum)["hotspot"]
        assert (found == "too_few").sum() == few
