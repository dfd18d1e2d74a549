"""Scans: where more is reported than elsewhere, and where and since when more than before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from gridmap.analysis._doors import asks
from gridmap.analysis._values import finite, not_negative, rows_of, whole
from gridmap.analysis.clusters._scan import best_of_each, largest
from gridmap.analysis.clusters.cube import Cube
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = ["Scan", "space_time_scan", "spatial_scan"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Model = Literal["permutation", "poisson"]

_TIE_M = 1e-6


@dataclass(frozen=True, repr=False)
class Scan(Summarised):
    """What a scan found.

    Parameters
    ----------
    clusters : DataFrame
        The cylinders that do not overlap, the likeliest first: ``code`` of the unit in the middle,
        ``radius_m``, ``units`` (how many), ``since`` (beginning of the first bin), ``bins``,
        ``cases``, ``expected``, ``ratio`` (cases over expected), ``llr`` (logarithm of the
        likelihood ratio), ``p`` and ``once_in`` (in how many bins a map of chance shows as much
        once).
    members : DataFrame
        ``cluster`` (the row of `clusters`) and ``code`` of every unit in one.
    largest : ndarray of float, shape (permutations,)
        The largest ratio of each replicate.
    """

    headline = ("clusters",)

    clusters: pd.DataFrame
    members: pd.DataFrame
    largest: Floats


@asks(
    "places",
    within={"most_bins": (1, np.inf), "most_share": (0.0, 1.0), "permutations": (1, np.inf),
            "alpha": (0.0, 1.0)},
)  # fmt: skip
def space_time_scan(
    cube: Cube,
    places: gpd.GeoSeries,
    *,
    model: Model = "permutation",
    exposure: pd.Series | None = None,
    most_bins: int = 28,
    most_share: float = 0.1,
    permutations: int = 999,
    random_state: int = 0,
    alpha: float = 1.0,
) -> Scan:
    """Look for places where more is reported since a while, up to the last bin.

    Every cylinder is looked at: a circle about each unit that holds all units as near as its
    farthest, and a stretch of bins that ends with the last.

    Parameters
    ----------
    cube : Cube
        Of `space_time_cube`; bins in order of time.
    places : GeoSeries, length m, in the order of the units of the cube
        Points, or shapes whose centroids are taken.
    model : {"permutation", "poisson"}
        What is expected: ``permutation`` takes it from the cases themselves, of each unit over all
        bins and of each bin over all units, so that neither a busy place nor a busy season is a
        cluster; ``poisson`` from the exposure, the same in every bin.
    exposure : Series, shape (m,), in the order of the units
        For ``poisson``; such as households.
    most_bins : int
        The longest stretch; at most half of the bins count.
    most_share : float
        Of what is expected, the largest share that a circle of several units may hold; one unit
        may hold more.
    permutations : int
        Replicates behind p.
    random_state : int
    alpha : float
        Clusters with a larger p are left out.

    Returns
    -------
    Scan

    Raises
    ------
    ConformError
        If there are no cases, fewer than two bins, an exposure is missing or below zero, a place
        is missing, or the places are not as many as the units.

    Notes
    -----
    p is the rank of a ratio among the largest ones of maps of chance, so that of maps of chance
    alpha show any cluster with p <= alpha: many circles and stretches are looked at, but p is that
    of the best of all. For a secondary cluster it is too large rather than too small.

    References
    ----------
    Kulldorff (2001), Journal of the Royal Statistical Society A 164(1); Kulldorff, Heffernan,
    Hartman, Assuncao and Mostashari (2005), PLoS Medicine 2(3), for the permutation model.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> corners = [(x, y) for x in range(8) for y in range(8)]
    >>> squares = gpd.GeoSeries([shapely.box(x, y, x + 1, y + 1) for x, y in corners], crs=4549)
    >>> counts = rng.poisson(2.0, (64, 60))
    >>> counts[[11, 18, 19, 20, 27], -5:] += 4
    >>> days = pd.date_range("2025-01-01", periods=61, tz="Asia/Shanghai")
    >>> cube = analysis.Cube(counts, pd.Index([f"g{k:02}" for k in range(64)]), days, 0)
    >>> found = analysis.space_time_scan(cube, squares, alpha=0.05)
    >>> found.clusters[["units", "bins", "p"]].to_dict("records")
    [{'units': 5, 'bins': 5, 'p': 0.001}]
    >>> sorted(found.members["code"])
    ['g11', 'g18', 'g19', 'g20', 'g27']
    """
    counts = _counted(cube)
    span = min(most_bins, counts.shape[1] // 2)
    _alike("places", places, counts)
    if span < 1:
        raise ConformError("conform.few_bins", bins=counts.shape[1])
    deal = _permuted if model == "permutation" else _poisson
    share = _shares(counts, None if model == "permutation" else _held(exposure, counts))
    looked = _Looked(counts, share, _lengths(counts, model, span))
    clusters, members, drawn = _scanned(
        looked, cube.codes, places, deal, most_share, permutations, random_state, alpha
    )
    since = pd.Series(cube.edges[-1 - clusters["bins"].to_numpy(dtype=np.int64)])
    clusters.insert(3, "since", since)
    return Scan(clusters.assign(once_in=1.0 / clusters["p"]), members, drawn)


@asks(
    "places",
    alike=("counts", "exposure", "places"),
    within={"most_share": (0.0, 1.0), "permutations": (1, np.inf), "alpha": (0.0, 1.0)},
)
def spatial_scan(
    counts: pd.Series,
    exposure: pd.Series,
    places: gpd.GeoSeries,
    *,
    most_share: float = 0.5,
    permutations: int = 999,
    random_state: int = 0,
    alpha: float = 1.0,
) -> Scan:
    """Look for places where more is reported than what they are held against tells.

    Every circle about a unit is looked at that holds all units as near as its farthest.

    Parameters
    ----------
    counts : Series of int, shape (m,)
        On the index of the units, whose labels are the codes in the result.
    exposure : Series, shape (m,)
        What counts are in proportion to where nothing is the matter, such as households.
    places : GeoSeries, length m
        Points, or shapes whose centroids are taken.
    most_share : float
        Of the exposure, the largest share that a circle of several units may hold; one unit may
        hold more.
    permutations : int
        Replicates behind p.
    random_state : int
    alpha : float
        Clusters with a larger p are left out.

    Returns
    -------
    Scan
        Without ``since``, ``bins`` and ``once_in``, for there is no time in it.

    Raises
    ------
    ConformError
        If there are no cases, a count is no whole number of nought or more, an exposure is below
        zero or zero where there are cases, or a place is missing.

    References
    ----------
    Kulldorff (1997), Communications in Statistics - Theory and Methods 26(6).

    Examples
    --------
    >>> corners = [(x, y) for x in range(6) for y in range(6)]
    >>> squares = gpd.GeoSeries([shapely.box(x, y, x + 1, y + 1) for x, y in corners], crs=4549)
    >>> counts = pd.Series(4, index=squares.index)
    >>> counts[[8, 13, 14, 15, 20]] = 12
    >>> found = analysis.spatial_scan(counts, pd.Series(100.0, counts.index), squares, alpha=0.05)
    >>> found.clusters[["units", "cases", "p"]].to_dict("records")
    [{'units': 5, 'cases': 60, 'p': 0.001}]
    """
    numbers = finite(counts, "counts")
    not_negative(numbers, counts.index, "counts")
    whole(numbers, counts.index, "counts")
    cases = numbers.astype(np.int64)[:, None]
    share = _shares(cases, _held(exposure, cases))
    looked = _Looked(cases, share, np.array([float(cases.sum())]))
    clusters, members, drawn = _scanned(
        looked, counts.index, places, _poisson, most_share, permutations, random_state, alpha
    )
    return Scan(clusters.drop(columns="bins"), members, drawn)


def _counted(cube: Cube) -> Longs:
    """Return the counts of a cube, proven to be such."""
    numbers = np.asarray(cube.counts, dtype=np.float64)
    rows = pd.Series(numbers.sum(axis=1), index=cube.codes)
    finite(rows, "counts")
    not_negative(numbers.min(axis=1, initial=0.0), cube.codes, "counts")
    whole((numbers - np.floor(numbers)).max(axis=1, initial=0.0) * 0.5, cube.codes, "counts")
    return numbers.astype(np.int64)


@dataclass(frozen=True)
class _Looked:
    """What is looked at: cases of each unit and bin, and what is expected in proportion to what."""

    counts: Longs
    share: Floats
    lengths: Floats

    @property
    def span(self) -> int:
        """How many bins a cylinder may have."""
        return len(self.lengths)


Deal = Callable[[np.random.Generator, _Looked], Ints]


def _scanned(
    looked: _Looked,
    codes: pd.Index,
    places: gpd.GeoSeries,
    deal: Deal,
    most_share: float,
    permutations: int,
    random_state: int,
    alpha: float,
) -> tuple[pd.DataFrame, pd.DataFrame, Floats]:
    missing = (places.is_empty | places.isna()).to_numpy(dtype=bool)
    if missing.any():
        rows = rows_of(places.index[missing])
        raise ConformError("conform.values", what="places", rows=rows)
    share, lengths, total = looked.share, looked.lengths, float(looked.counts.sum())
    points = shapely.get_coordinates(shapely.centroid(places.to_numpy()))
    order, starts, last = _circles(points, share, most_share)
    seen = _recent(looked.counts, looked.span)
    best = best_of_each(seen, order, starts, last, share, lengths, total)
    rng = np.random.default_rng(random_state)
    drawn = np.array(
        [
            largest(deal(rng, looked), order, starts, last, share, lengths, total)
            for _ in range(permutations)
        ]
    )
    clusters, members = _apart(looked, codes, points, (order, starts), best, seen, drawn)
    kept = (clusters["p"] <= alpha).to_numpy(dtype=bool)
    members = members[members["cluster"].isin(np.flatnonzero(kept))].reset_index(drop=True)
    return clusters[kept].reset_index(drop=True), members, drawn


def _alike(what: str, given: pd.Series, counts: Longs) -> None:
    if len(given) != len(counts):
        raise ConformError("conform.scan_places", what=what, found=len(given), asked=len(counts))


def _held(exposure: pd.Series | None, counts: Longs) -> Floats:
    """Return the exposure, proven to be one that every case can be held against."""
    if exposure is None:
        raise ConformError("conform.scan_exposure")
    held = finite(exposure, "exposure")
    not_negative(held, exposure.index, "exposure")
    _alike("exposure", exposure, counts)
    if held.sum() == 0 or counts[held == 0].any():
        raise ConformError("conform.scan_exposure")
    return held


def _shares(counts: Longs, held: Floats | None) -> Floats:
    """Return the share of each unit in what is expected; that of its cases without exposure."""
    if counts.sum() == 0:
        raise ConformError("conform.no_cases")
    base: Floats = counts.sum(axis=1).astype(np.float64) if held is None else held
    shares: Floats = base / base.sum()
    return shares


def _lengths(counts: Longs, model: Model, span: int) -> Floats:
    """Return what is expected of all units in the last bins, by how many these are."""
    if model == "permutation":
        late: Floats = np.cumsum(counts.sum(axis=0)[::-1])[:span].astype(np.float64)
        return late
    even: Floats = counts.sum() * np.arange(1, span + 1, dtype=np.float64) / counts.shape[1]
    return even


def _circles(
    points: Floats, share: Floats, most_share: float
) -> tuple[Ints, Longs, npt.NDArray[np.bool_]]:
    """Return the units about each, the nearest first, up to a share of what is expected."""
    tree = cKDTree(points)
    count = len(points)
    parts, ends, starts = [], [], [0]
    reach = min(count, 64)
    found = tree.query(points, k=reach)
    distance, near = (np.asarray(each).reshape(count, -1) for each in found)
    for unit in range(count):
        away, about = distance[unit], near[unit]
        asked = reach
        while share[about].sum() <= most_share and asked < count:
            asked = min(4 * asked, count)
            away, about = (np.asarray(each) for each in tree.query(points[unit], k=asked))
        ranked = np.lexsort((about, away))
        away, about = away[ranked], about[ranked]
        further = np.append(np.diff(away) > _TIE_M, True)
        held = np.cumsum(share[about])
        whole = np.flatnonzero(further & (held <= most_share + 1e-12))
        # The unit itself, with those that lie on it, however much it holds.
        size = int(whole[-1] if len(whole) else np.argmax(further)) + 1
        parts.append(about[:size].astype(np.int32))
        ends.append(further[:size])
        starts.append(starts[-1] + size)
    return np.concatenate(parts), np.array(starts, np.int64), np.concatenate(ends)


def _recent(counts: Longs, span: int) -> Ints:
    """Return the cases of each unit in its last 1, 2, ... bins."""
    recent = np.cumsum(counts[:, ::-1][:, :span], axis=1)
    return np.ascontiguousarray(recent, dtype=np.int32)


def _poisson(rng: np.random.Generator, looked: _Looked) -> Ints:
    """Deal all cases out to units by their share, and to bins evenly."""
    counts, share, span = looked.counts, looked.share, looked.span
    late = int(rng.binomial(int(counts.sum()), span / counts.shape[1]))
    unit = rng.choice(len(share), late, p=share)
    back = rng.integers(span, size=late)
    dealt = np.bincount(unit * span + back, minlength=len(share) * span)
    return np.cumsum(dealt.reshape(len(share), span), axis=1).astype(np.int32)


def _permuted(rng: np.random.Generator, looked: _Looked) -> Ints:
    """Deal the times of all cases out to them anew: units and bins keep their totals."""
    counts, span = looked.counts, looked.span
    unit = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
    late = counts.sum(axis=0)[::-1][:span]
    back = np.repeat(np.arange(span), late)
    some = rng.choice(unit, len(back), replace=False, shuffle=True)
    dealt = np.bincount(some * span + back, minlength=len(counts) * span)
    return np.cumsum(dealt.reshape(len(counts), span), axis=1).astype(np.int32)


def _apart(
    looked: _Looked,
    codes: pd.Index,
    points: Floats,
    circles: tuple[Ints, Longs],
    best: tuple[Floats, Longs, Longs],
    recent: Ints,
    drawn: Floats,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the cylinders that share no unit with a likelier one, and their units."""
    (order, starts), (ratio, units, bins) = circles, best
    taken = np.zeros(len(points), dtype=bool)
    rows, members = [], []
    for centre in np.lexsort((np.arange(len(ratio)), -ratio)):
        inside = order[starts[centre] : starts[centre] + units[centre]]
        if ratio[centre] <= 0 or taken[inside].any():
            continue
        taken[inside] = True
        length = int(bins[centre])
        cases = int(recent[inside, length - 1].sum())
        expected = float(looked.share[inside].sum() * looked.lengths[length - 1])
        p = (1.0 + float((drawn >= ratio[centre] - 1e-9).sum())) / (len(drawn) + 1.0)
        rows.append(
            {"code": codes[centre],
             "radius_m": float(np.hypot(*(points[inside] - points[centre]).T).max()),
             "units": len(inside), "bins": length, "cases": cases, "expected": expected,
             "ratio": cases / expected, "llr": float(ratio[centre]), "p": p}
        )  # fmt: skip
        members += [{"cluster": len(rows) - 1, "code": code} for code in codes[inside]]
    columns = ["code", "radius_m", "units", "bins", "cases", "expected", "ratio", "llr", "p"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(members, columns=["cluster", "code"])
