"""Trends and emerging hot spots where nothing comes or goes, and each pattern by its definition."""

from __future__ import annotations

import re
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from benchmarks.lines import Options
from benchmarks.nulls import trends
from benchmarks.nulls._published import hamed_rao, trend_free_pre_whitening
from benchmarks.nulls._rates import most
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import grid_of

from gridmap.analysis import PATTERNS, Cube, classify, emerging, mann_kendall, queen
from gridmap.errors import ConformError

PROMISED = [kind for kind in trends.SERIES if "0.8" not in kind]


@pytest.mark.parametrize("bins", [10, 12, 16, 20, 30, 45, 60])
@pytest.mark.parametrize("kind", PROMISED)
def test_no_more_than_one_series_in_twenty_without_a_trend_has_one(kind: str, bins: int) -> None:
    series = trends.SERIES[kind](np.random.default_rng([3, bins]), 4000, bins)
    p = mann_kendall(series, correlated=True).p
    assert (p <= 0.05).mean() <= most(0.05, len(series))
    assert (p <= 0.01).mean() <= most(0.01, len(series))


def test_a_trend_that_is_there_is_found() -> None:
    rng = np.random.default_rng(5)
    for bins, least in ((12, 0.5), (20, 0.85), (52, 0.999)):
        rising = rng.normal(size=(1000, bins)) + np.linspace(0, 4, bins)
        found = mann_kendall(rising, correlated=True)
        assert (found.p <= 0.05).mean() >= least
        assert np.median(found.slope) == pytest.approx(4 / (bins - 1), rel=0.05)
        falling = mann_kendall(-rising, correlated=True)
        assert (falling.p == found.p).all()
        assert (falling.slope == -found.slope).all()


@pytest.mark.parametrize("length", [0, 1, 2, 4, 5, 6])
def test_short_series_are_sure_of_nothing(length: int) -> None:
    found = mann_kendall([list(range(length)), [1] * length], correlated=True)
    assert (found.p > 0.05).all()
    assert found.p[1] == 1.0
    assert found.slope.tolist() == [1.0 if length > 1 else 0.0, 0.0]
    assert np.isfinite(found.z).all()


@settings(max_examples=100)
@given(st.lists(st.one_of(st.integers(-5, 5), st.just(None)), max_size=20))
def test_a_slope_is_the_median_of_all_pairs(values: list[int | None]) -> None:
    series = [float("nan") if value is None else float(value) for value in values]
    known = [(at, value) for at, value in enumerate(series) if not np.isnan(value)]
    slopes = [(b - a) / (j - i) for (i, a), (j, b) in combinations(known, 2)]
    for correlated in (False, True):
        found = mann_kendall([series], correlated=correlated)
        assert found.slope[0] == pytest.approx(np.median(slopes) if slopes else 0.0)
        assert 0.0 < found.p[0] <= 1.0


def test_trends_are_those_of_another_library() -> None:
    """And the methods that the table of false trends is about are those of their authors."""
    peer = pytest.importorskip("pymannkendall", reason="pymannkendall is not installed")
    rng = np.random.default_rng(8)
    for bins in (10, 25, 52):
        series = trends.SERIES["AR(1) 0.6"](rng, 40, bins)
        found = mann_kendall(series)
        whitened, corrected = trend_free_pre_whitening(series), hamed_rao(series)
        for row, values in enumerate(series):
            plain = peer.original_test(values)
            assert found.p[row] == pytest.approx(plain.p)
            assert found.slope[row] == pytest.approx(plain.slope)
            theirs = peer.trend_free_pre_whitening_modification_test(values).p
            assert whitened[row] == pytest.approx(theirs)
            if not np.isnan(corrected[row]):
                assert corrected[row] == pytest.approx(peer.hamed_rao_modification_test(values).p)


CELLS = grid_of("\n".join("".join(chr(0x4E00 + 20 * r + c) for c in range(20)) for r in range(20)))
NEAR = queen(CELLS)


def emerged(shape: str, bins: int, seed: int, **how: object) -> pd.DataFrame:
    counts = np.random.default_rng(seed).poisson(trends.city(shape, bins))
    edges = pd.date_range("2025-01-01", periods=bins + 1, freq="7D")
    return emerging(Cube(counts, pd.Index(CELLS["code"]), edges, 0), NEAR, **how)


@pytest.mark.parametrize("bins", [12, 52])
@pytest.mark.parametrize("against", ["city", "cube"])
def test_no_more_than_one_unit_in_twenty_of_a_steady_city_has_a_trend(
    against: str, bins: int
) -> None:
    found = [emerged("even", bins, seed, against=against) for seed in range(10)]
    assert np.mean([(one["trend_p"] <= 0.05).mean() for one in found]) <= 0.05
    assert sum((one["pattern"] != "no_pattern").sum() for one in found) <= 2


@pytest.mark.parametrize("bins", [12, 52])
def test_a_centre_that_stays_as_it_is_does_not_intensify(bins: int) -> None:
    found = pd.concat([emerged("a centre", bins, seed) for seed in range(10)])
    patterns = found["pattern"].value_counts()
    assert patterns["persistent_hot"] > 250
    assert patterns.get("intensifying_hot", 0) + patterns.get("diminishing_hot", 0) <= 1


@pytest.mark.parametrize("shape", [shape for shape in trends.CITIES if shape.startswith("even,")])
def test_growth_of_the_whole_city_makes_no_new_hot_spots(shape: str) -> None:
    found = pd.concat([emerged(shape, 12, seed) for seed in range(10)])
    assert found["pattern"].isin(["new_hot", "consecutive_hot"]).sum() <= 2
    assert (found["trend_p"] <= 0.05).mean() <= 0.05
    against_all = emerged(shape, 12, 0, against="cube")
    assert (against_all["pattern"] == "new_hot").sum() > 5


def test_a_spot_that_grows_in_a_growing_city_intensifies() -> None:
    mean = trends.city("even, threefold in the end", 52)
    spot = [189, 190, 209, 210]
    mean[spot] *= np.linspace(4.0, 12.0, 52)
    counts = np.random.default_rng(2).poisson(mean)
    edges = pd.date_range("2025-01-01", periods=53, freq="7D")
    found = emerging(Cube(counts, pd.Index(CELLS["code"]), edges, 0), NEAR)
    assert (found["pattern"].iloc[spot] == "intensifying_hot").all()
    assert (found["trend_q"].iloc[spot] <= 0.05).all()
    assert (found["slope"].iloc[spot] > 0).all()
    assert found["trend_q"].isna().sum() > 300


def test_units_are_held_against_their_share_of_an_exposure() -> None:
    homes = np.full(400, 100.0)
    dense = [189, 190, 209, 210]
    homes[dense], homes[0] = 600.0, 0.0
    mean = np.outer(homes / 50.0, np.linspace(0.5, 1.5, 20))
    mean[[57, 58, 77, 78]] *= 3.0
    counts = np.random.default_rng(4).poisson(mean)
    counts[0, 3] = 1
    edges = pd.date_range("2025-01-01", periods=21, freq="7D")
    cube = Cube(counts, pd.Index(CELLS["code"]), edges, 0)
    found = emerging(cube, NEAR, exposure=pd.Series(homes, cube.codes))
    assert (found["hot_bins"].iloc[dense] == 0).all()
    assert (found["hot_bins"].iloc[[57, 58, 77, 78]] >= 15).all()
    assert (emerging(cube, NEAR)["hot_bins"].iloc[dense] >= 18).all()
    nobody = found.iloc[0]
    assert nobody["pattern"] == "no_pattern"
    assert nobody["count"] == 1
    assert nobody[["trend_z", "trend_p", "trend_q", "slope", "last_z"]].isna().all()
    with pytest.raises(ConformError, match="below zero"):
        emerging(cube, NEAR, exposure=pd.Series(-homes, cube.codes))
    none = emerging(cube, NEAR, exposure=pd.Series(0.0, cube.codes))
    assert (none["pattern"] == "no_pattern").all()


def test_a_bin_without_events_says_nothing_of_any_unit() -> None:
    counts = np.random.default_rng(6).poisson(trends.city("a centre", 20))
    counts[:, 7] = 0
    edges = pd.date_range("2025-01-01", periods=21, freq="7D")
    found = emerging(Cube(counts, pd.Index(CELLS["code"]), edges, 0), NEAR)
    assert found["trend_p"].notna().all()
    assert (found["cold_bins"] <= 19).all()
    empty = emerging(Cube(np.zeros((400, 20), int), pd.Index(CELLS["code"]), edges, 0), NEAR)
    assert (empty["pattern"] == "no_pattern").all()
    assert (empty["trend_p"] == 1.0).all()


def test_where_all_are_neighbours_or_alike_nothing_rises() -> None:
    edges = pd.date_range("2025-01-01", periods=13, freq="7D")
    counts = np.random.default_rng(7).poisson(3.0, (3, 12))
    found = emerging(Cube(counts, pd.Index(list("abc")), edges, 0), sp.csr_array(np.ones((3, 3))))
    assert (found["trend_p"] == 1.0).all()
    alike = np.tile(np.arange(1, 13), (3, 1))
    found = emerging(Cube(alike, pd.Index(list("abc")), edges, 0), sp.csr_array(np.eye(3)))
    assert (found["trend_p"] == 1.0).all()
    assert (found["slope"] == 0.0).all()


BINS = 11
OFTEN = 0.9 * BINS

# Esri's definitions, read literally, of hot (+), cold (-) and neither (.) in order of time; those
# of cold spots are the same with the signs exchanged.


def _new(bins: str, trend: int) -> bool:
    return bins[-1] == "+" and "+" not in bins[:-1]


def _consecutive(bins: str, trend: int) -> bool:
    return bool(re.fullmatch(r"[^+]*\+{2,}", bins)) and bins.count("+") < OFTEN


def _intensifying(bins: str, trend: int) -> bool:
    return bins.count("+") >= OFTEN and bins[-1] == "+" and trend > 0


def _persistent(bins: str, trend: int) -> bool:
    return bins.count("+") >= OFTEN and trend == 0


def _diminishing(bins: str, trend: int) -> bool:
    return bins.count("+") >= OFTEN and bins[-1] == "+" and trend < 0


def _sporadic(bins: str, trend: int) -> bool:
    off_and_on = bool(re.fullmatch(r".*\+.*[^+].*\+", bins))
    return off_and_on and bins.count("+") < OFTEN and "-" not in bins


def _oscillating(bins: str, trend: int) -> bool:
    return bins[-1] == "+" and "-" in bins and bins.count("+") < OFTEN


def _historical(bins: str, trend: int) -> bool:
    return bins[-1] != "+" and bins.count("+") >= OFTEN


# In the order in which they count where a unit fits several: first what it is in the last bin.
DEFINITIONS = {
    "new": _new,
    "intensifying": _intensifying,
    "diminishing": _diminishing,
    "persistent": _persistent,
    "consecutive": _consecutive,
    "oscillating": _oscillating,
    "sporadic": _sporadic,
    "historical": _historical,
}
SWAP = str.maketrans("+-", "-+")


def fits(bins: str, trend: int) -> list[str]:
    """Every definition that a sequence meets."""
    sides = (("hot", bins, trend), ("cold", bins.translate(SWAP), -trend))
    return [
        f"{name}_{side}"
        for side, own, rising in sides
        for name, holds in DEFINITIONS.items()
        if holds(own, rising)
    ]


def first(found: list[str], bins: str) -> str:
    """The one that counts: of the last bin, in their order; else historical; else none."""
    side = {"+": "hot", "-": "cold", ".": ""}[bins[-1]]
    order = [f"{name}_{side}" for name in DEFINITIONS] + ["historical_hot", "historical_cold"]
    return next((name for name in order if name in found), "no_pattern")


@pytest.mark.parametrize("trend", [-1, 0, 1])
def test_every_sequence_of_eleven_bins_has_the_one_pattern_of_the_definitions(trend: int) -> None:
    sequences = ["".join(signs) for signs in product("+-.", repeat=BINS)]
    assert len(sequences) == 3**BINS
    signs = np.array([list(bins) for bins in sequences])
    found = classify(signs == "+", signs == "-", np.full(len(signs), trend))
    several = 0
    for bins, name in zip(sequences, found, strict=True):
        fitting = fits(bins, trend)
        several += len(fitting) > 1
        assert name == first(fitting, bins), bins
        assert name in PATTERNS
        # None is left over that a definition would hold, and none is made up.
        assert (name == "no_pattern") == (not fitting), bins
    assert several == {-1: 4070, 0: 4072, 1: 4070}[trend]


def test_the_benchmark_tells_of_every_kind_of_series_and_city() -> None:
    lines = list(trends.run(Options(size=200)))
    told = {line.case for line in lines if line.bench == "null"}
    for kind in (*trends.SERIES, *trends.CITIES):
        assert any(case.startswith(kind) for case in told), kind
    assert all(line.median is not None and line.median >= 0 for line in lines)
    assert {"10 bins %", "10 bins +-", "new_hot", "new_hot +-"} <= {line.metric for line in lines}
