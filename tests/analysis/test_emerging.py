import datetime as dt
import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shapes import grid_of

from gridmap.analysis import (
    PATTERNS,
    Cube,
    classify,
    emerging,
    mann_kendall,
    queen,
    space_time_cube,
    space_time_scores,
)
from gridmap.errors import ConformError

DAY = pd.Timedelta(days=1)


# A bin for each sign, in order of time: + hot, - cold, . neither; then the trend of the scores.
EXAMPLES = [
    ("..........+", 0, "new_hot"),
    ("-.........+", 0, "new_hot"),
    (".........++", 0, "consecutive_hot"),
    ("-...+++++++", 1, "consecutive_hot"),
    ("++++++++++", 1, "intensifying_hot"),
    (".+++++++++", 1, "intensifying_hot"),
    ("++++++++++", 0, "persistent_hot"),
    ("+++-++++++", 0, "persistent_hot"),
    ("++++++++++", -1, "diminishing_hot"),
    ("++++.+++++", -1, "diminishing_hot"),
    ("..+..+...+", 0, "sporadic_hot"),
    ("+++++++..+", 1, "sporadic_hot"),
    ("..+..-...+", 0, "oscillating_hot"),
    ("-+.......+", -1, "oscillating_hot"),
    ("+++++++++.", 0, "historical_hot"),
    ("+++++++++.", 1, "historical_hot"),
    ("..........", 1, "no_pattern"),
    ("++++++++..", -1, "no_pattern"),
    ("+.-.+.-.+.", 0, "no_pattern"),
]
SWAP = str.maketrans("+-", "-+")


def one_class(bins: str, rising: int) -> str:
    hot = np.array([[sign == "+" for sign in bins]])
    cold = np.array([[sign == "-" for sign in bins]])
    return str(classify(hot, cold, np.array([rising]))[0])


@pytest.mark.parametrize(("bins", "rising", "pattern"), EXAMPLES)
def test_every_pattern_has_its_example(bins: str, rising: int, pattern: str) -> None:
    assert one_class(bins, rising) == pattern
    mirrored = pattern.replace("_hot", "_cold")
    assert one_class(bins.translate(SWAP), -rising) == mirrored


def test_the_examples_are_of_all_17_patterns() -> None:
    found = {pattern for _, _, pattern in EXAMPLES}
    assert found | {p.replace("_hot", "_cold") for p in found} == set(PATTERNS)
    assert len(PATTERNS) == 17


def test_what_a_unit_is_goes_before_what_it_was() -> None:
    assert one_class("+++++++++-", 0) == "new_cold"
    assert one_class("---------+", 0) == "new_hot"
    assert one_class("+", 0) == "new_hot"


def plain_class(bins: str, rising: int) -> str:
    """The definitions, one by one."""
    for own, other, side, trend in (("+", "-", "hot", rising), ("-", "+", "cold", -rising)):
        if bins[-1] != own:
            continue
        share = bins.count(own) / len(bins)
        ending = len(bins) - len(bins.rstrip(own))
        if bins.count(own) == 1:
            return f"new_{side}"
        if share >= 0.9:
            return f"{ {1: 'intensifying', 0: 'persistent', -1: 'diminishing'}[trend] }_{side}"
        if ending >= 2 and ending == bins.count(own):
            return f"consecutive_{side}"
        return f"oscillating_{side}" if other in bins else f"sporadic_{side}"
    for own, side in (("+", "hot"), ("-", "cold")):
        if bins.count(own) / len(bins) >= 0.9:
            return f"historical_{side}"
    return "no_pattern"


@settings(max_examples=300)
@given(st.text("+-.", min_size=1, max_size=12), st.sampled_from([-1, 0, 1]))
def test_every_series_has_the_pattern_of_the_definitions(bins: str, rising: int) -> None:
    assert one_class(bins, rising) == plain_class(bins, rising)


@settings(max_examples=100)
@given(st.integers(8, 20), st.integers(0, 2**20), st.sampled_from([-1, 0, 1]))
def test_series_that_are_hot_often_too(length: int, seed: int, rising: int) -> None:
    rng = np.random.default_rng(seed)
    bins = "".join(rng.choice(["+", ".", "-"], length, p=[0.92, 0.05, 0.03]))
    assert one_class(bins, rising) == plain_class(bins, rising)


def plain_kendall(series: list[float]) -> tuple[int, float, float]:
    """Score, z and p, pair by pair."""
    score = sum((b > a) - (b < a) for a, b in combinations(series, 2))
    n = len(series)
    groups = [series.count(value) for value in set(series)]
    variance = (n * (n - 1) * (2 * n + 5) - sum(g * (g - 1) * (2 * g + 5) for g in groups)) / 18
    z = 0.0 if score == 0 else (score - math.copysign(1, score)) / math.sqrt(variance)
    return score, z, 2 * stats.norm.sf(abs(z))


@settings(max_examples=200)
@given(st.lists(st.integers(0, 6), max_size=30))
def test_a_trend_is_that_of_plain_pairs(series: list[int]) -> None:
    values = [float(value) for value in series]
    found = mann_kendall([values])
    score, z, p = plain_kendall(values)
    assert found.score[0] == score
    assert found.z[0] == pytest.approx(z)
    assert found.p[0] == pytest.approx(p)
    assert found.tau[0] == pytest.approx(score / max(math.comb(len(values), 2), 1))


def test_a_published_trend() -> None:
    """Kendall's tau-b of scipy has the same score and, without ties, the same tau."""
    rng = np.random.default_rng(1)
    for length in (5, 12, 52, 365):
        values = rng.normal(size=length)
        found = mann_kendall([values])
        assert found.tau[0] == pytest.approx(stats.kendalltau(range(length), values).statistic)


def test_missing_values_are_left_out_and_infinite_ones_refused() -> None:
    holed = mann_kendall([[1.0, np.nan, 2.0, 5.0, np.nan, 4.0], [np.nan] * 6])
    whole = mann_kendall([[1.0, 2.0, 5.0, 4.0]])
    assert holed.z[0] == whole.z[0]
    assert holed.p[1] == 1.0
    assert mann_kendall(np.empty((0, 5))).p.shape == (0,)
    assert mann_kendall(np.empty((3, 0))).p.tolist() == [1.0] * 3
    assert mann_kendall([[1e9, 1e9 + 1, 1e9 + 2]]).score[0] == 3
    with pytest.raises(ConformError, match="rows 1"):
        mann_kendall([[1.0], [np.inf]])


def plain_scores(counts: np.ndarray, near: np.ndarray, previous: int) -> np.ndarray:
    """Every bin a site of its own, with all its neighbours in space and time."""
    units, bins = counts.shape
    values = counts.ravel()
    n, mean, spread = values.size, values.mean(), values.std()
    found = np.zeros(counts.shape)
    for i in range(units):
        for t in range(bins):
            sites = [
                counts[j, s]
                for j in range(units)
                if near[i, j] or i == j
                for s in range(max(t - previous, 0), t + 1)
            ]
            total = len(sites)
            scale = spread * math.sqrt(max((n * total - total**2) / (n - 1), 0))
            if scale > 0:
                found[i, t] = (sum(sites) - mean * total) / scale
    return found


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(1, 9), st.integers(0, 3), st.integers(0, 2**20))
def test_scores_are_those_of_plain_sums(units: int, bins: int, previous: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(1.5, (units, bins)).astype(float)
    links = np.triu(rng.random((units, units)) < 0.4, 1)
    near = links | links.T
    found = space_time_scores(counts, sp.csr_array(near.astype(float)), previous=previous)
    if counts.std() == 0 or counts.size < 2:
        assert (found == 0).all()
    else:
        assert found == pytest.approx(plain_scores(counts, near, previous), abs=1e-9)
        high = space_time_scores(counts + 1e9, sp.csr_array(near.astype(float)), previous=previous)
        assert high == pytest.approx(found, abs=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_neighbours_count_by_their_weights(seed: int) -> None:
    """Equation 14 of Ord and Getis, with every unit in every bin as a site."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(3, (5, 4)).astype(float)
    weights = rng.choice([0.0, 0.5, 1.0, 3.0], (5, 5))
    np.fill_diagonal(weights, rng.choice([1.0, 2.0], 5))
    found = space_time_scores(counts, sp.csr_array(weights), previous=1)
    for i, t in np.ndindex(5, 4):
        sites = np.zeros((5, 4))
        sites[:, max(t - 1, 0) : t + 1] = weights[i][:, None]
        total, squares = sites.sum(), (sites**2).sum()
        scale = counts.std() * math.sqrt((20 * squares - total**2) / 19)
        score = ((sites * counts).sum() - counts.mean() * total) / scale
        assert found[i, t] == pytest.approx(score)


def test_scores_of_what_cannot_be_scored() -> None:
    weights = sp.csr_array(np.ones((2, 2)))
    assert (space_time_scores(np.full((2, 5), 0.3), weights) == 0).all()
    assert space_time_scores(np.empty((0, 0)).reshape(0, 4), sp.csr_array((0, 0))).shape == (0, 4)
    with pytest.raises(ConformError, match="counts: missing or infinite in rows 1"):
        space_time_scores([[1.0, 2.0], [np.nan, 1.0]], weights)
    with pytest.raises(ConformError, match="2 units cannot go with 3"):
        space_time_scores(np.zeros((3, 4)), weights)


def events(days: list[float], unit: str = "a") -> tuple[pd.Series, pd.Series]:
    times = pd.Series([pd.Timestamp("2025-01-01", tz="Asia/Shanghai") + d * DAY for d in days])
    return pd.Series([unit] * len(days), dtype="string"), times


def test_bins_laid_back_from_the_end_hold_their_end() -> None:
    units, times = events([0, 1, 6.9, 7, 7.1, 14, 20])
    end = dt.datetime(2025, 1, 22, tzinfo=times[0].tzinfo)
    cube = space_time_cube(units, times, pd.Index(["b", "a"]), end=end)
    # 22 January, 15, 8 and 1 January.
    assert list(cube.edges) == [times[0] + 7 * k * DAY for k in range(4)]
    assert cube.counts.tolist() == [[0, 0, 0], [3, 2, 1]]
    assert cube.left_out == 1


def test_bins_laid_on_from_the_start_hold_their_start() -> None:
    units, times = events([0, 1, 6.9, 7, 7.1, 14, 20])
    cube = space_time_cube(units, times, pd.Index(["a"]), align="start")
    assert list(cube.edges) == [times[0] + 7 * k * DAY for k in range(3)]
    assert cube.counts.tolist() == [[3, 2]]
    assert cube.left_out == 2


def test_months_days_and_widths() -> None:
    units, times = events([0, 20, 58, 70])
    end = dt.datetime(2025, 3, 31, tzinfo=times[0].tzinfo)
    cube = space_time_cube(units, times, pd.Index(["a"]), bin="month", end=end)
    assert [f"{edge:%m-%d}" for edge in cube.edges] == ["01-31", "02-28", "03-31"]
    assert cube.counts.tolist() == [[1, 1]]
    assert space_time_cube(units, times, ["a"], bin="day").counts.shape == (1, 70)
    assert space_time_cube(units, times, ["a"], bin="10D").counts.shape == (1, 7)
    naive = times.dt.tz_localize(None)
    assert space_time_cube(units, naive, ["a"], bin="10D").counts.sum() == 3


def test_no_event_is_lost_unseen() -> None:
    rng = np.random.default_rng(4)
    units, times = events(list(rng.uniform(0, 100, 500)))
    units[:7] = pd.NA
    times[10:14] = pd.NaT
    for align in ("end", "start"):
        for width in ("day", "week", "month", "36h"):
            cube = space_time_cube(units, times, ["a", "b"], bin=width, align=align)
            assert cube.counts.sum() + cube.left_out == 500


def test_wrong_bins_and_units_are_refused() -> None:
    units, times = events([0, 1, 2])
    for width in ("fortnight", "-3D", "0D"):
        with pytest.raises(ConformError, match="is no width of time"):
            space_time_cube(units, times, ["a"], bin=width)
    with pytest.raises(ConformError, match="do not fill one bin"):
        space_time_cube(units, times, ["a"], bin="week")
    with pytest.raises(ConformError, match="do not fill one bin"):
        space_time_cube(units[:0], times[:0], ["a"])
    with pytest.raises(ConformError, match="no such unit as a"):
        space_time_cube(units, times, ["b"])


def test_a_planted_spot_emerges_and_one_that_ended_is_history() -> None:
    size, bins = 12, 20
    areas = grid_of(
        "\n".join("".join(chr(0x4E00 + size * r + c) for c in range(size)) for r in range(size))
    )
    rng = np.random.default_rng(3)
    counts = rng.poisson(2, (len(areas), bins))
    new, old, always = [13, 14, 25, 26], [20, 21, 32, 33], [112, 113, 124, 125]
    counts[np.ix_(new, [bins - 3, bins - 2, bins - 1])] += 12
    counts[np.ix_(old, range(bins - 2))] += 12
    counts[np.ix_(always, range(bins))] += 12
    edges = pd.date_range("2025-01-01", periods=bins + 1, freq="7D")
    cube = Cube(counts, pd.Index(areas["code"]), edges, 0)
    found = emerging(cube, queen(areas)).reset_index(drop=True)
    assert set(found["pattern"][new]) == {"consecutive_hot"}
    assert set(found["pattern"][old]) == {"historical_hot"}
    assert set(found["pattern"][always]) <= {"persistent_hot", "intensifying_hot"}
    assert found["pattern"].isin(PATTERNS).all()
    assert found["count"].tolist() == counts.sum(axis=1).tolist()
    assert (found["hot_bins"] + found["cold_bins"] <= bins).all()
    assert (found["pattern"] == "no_pattern").sum() > 60


def test_nothing_and_sameness_have_no_pattern() -> None:
    edges = pd.date_range("2025-01-01", periods=5, freq="7D")
    for units in (0, 1, 3):
        cube = Cube(np.full((units, 4), 2), pd.RangeIndex(units), edges, 0)
        found = emerging(cube, sp.csr_array(np.ones((units, units))))
        assert len(found) == units
        assert (found["pattern"] == "no_pattern").all()
