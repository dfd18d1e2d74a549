"""Emerging hot spots: where hot spots come, stay and go."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy
import scipy.sparse as sp

from gridmap.analysis._doors import asks
from gridmap.analysis._values import finite, fitting, not_negative
from gridmap.analysis.clusters.cube import Cube
from gridmap.analysis.clusters.rates import standardised_rates
from gridmap.analysis.clusters.trend import mann_kendall
from gridmap.analysis.discoveries import discoveries
from gridmap.analysis.weights.neighbours import with_self
from gridmap.errors import ConformError

__all__ = ["PATTERNS", "Against", "classify", "emerging", "space_time_scores"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Against = Literal["city", "cube"]

_KINDS = (
    "new", "consecutive", "intensifying", "persistent", "diminishing", "sporadic", "oscillating",
    "historical",
)  # fmt: skip
PATTERNS = (*(f"{kind}_{side}" for side in ("hot", "cold") for kind in _KINDS), "no_pattern")

_FLAT = 1e-12  # of the mean: a smaller spread is rounding
_DIGITS = 11  # of a ratio; what differs beyond them is rounding


@asks()
def space_time_scores(counts: npt.ArrayLike, weights: sp.csr_array, *, previous: int = 1) -> Floats:
    """Return Gi* of every unit in every bin, against the whole cube.

    Parameters
    ----------
    counts : array_like of float, shape (m, t)
        In order of time.
    weights : csr_array, shape (m, m)
        Who is a neighbour. A unit without a weight for itself gets one of 1.
    previous : int
        A unit's neighbours are those of its bin and of so many bins before it.

    Returns
    -------
    ndarray of float, shape (m, t)
        0 where the counts do not vary or where everything is a neighbour.

    Raises
    ------
    ConformError
        If a count is missing, or the weights are for another number of units.

    References
    ----------
    Ord and Getis (1995), Geographical Analysis 27(4), equation 14, with the bins of all units as
    its sites.

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in range(0, 300, 100)], crs=4549)
    >>> counts = [[0, 0, 9], [0, 0, 9], [0, 0, 0]]
    >>> analysis.space_time_scores(counts, analysis.rook(row), previous=0).round(2).tolist()
    [[-0.81, -0.81, 2.83], [-1.07, -1.07, 2.14], [-0.81, -0.81, 1.01]]
    """
    values = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(wrong):
        raise ConformError("conform.values", what="counts", rows=", ".join(map(str, wrong[:5])))
    fitting(weights, len(values))
    size = values.size
    if size < 2:  # noqa: PLR2004 - one value has no spread
        return np.zeros(values.shape)
    near = with_self(weights)
    level = values.mean()
    apart = values - level
    spread = np.sqrt(np.mean(apart**2))
    if spread <= _FLAT * abs(level):
        return np.zeros(values.shape)
    around = near @ apart
    total = around.copy()
    for back in range(1, min(previous, values.shape[1] - 1) + 1):
        total[:, back:] += around[:, :-back]
    bins = np.minimum(np.arange(values.shape[1]), previous) + 1.0
    weight = near.sum(axis=1)[:, None] * bins
    squares = near.power(2).sum(axis=1)[:, None] * bins
    scale = spread * np.sqrt(np.clip((size * squares - weight**2) / (size - 1), 0.0, None))
    scores: Floats = np.divide(
        total, scale, out=np.zeros(values.shape), where=scale > _FLAT * spread
    )
    return scores


@asks(alike=("hot", "cold", "rising"))
def classify(hot: Bools, cold: Bools, rising: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    """Name the pattern of every unit.

    The definitions are Esri's, here for hot spots and likewise for cold ones, with "often" for at
    least nine in ten bins:

    - ``new``: hot in the last bin and never before.
    - ``intensifying``, ``diminishing``: hot often and in the last bin, while the clustering rises,
      or falls, significantly. Cold spots intensify as it falls.
    - ``persistent``: hot often, without a trend.
    - ``consecutive``: hot in the last two or more bins and never before these; not often.
    - ``oscillating``: hot in the last bin, not often, and cold in some bin before.
    - ``sporadic``: hot in the last bin, not often, and never cold.
    - ``historical``: hot often, but not in the last bin.
    - ``no_pattern``: none of these.

    A unit may fit several of them. The order is ours: what it is in the last bin goes before what
    it was, so that ``historical`` comes last and before ``persistent`` where the last bin is not
    hot; and among those that are hot there, the first in the order of this list.

    Parameters
    ----------
    hot, cold : ndarray of bool, shape (m, t)
        Whether each bin is significantly so, in order of time.
    rising : ndarray of int, shape (m,)
        1 where the scores rise significantly, -1 where they fall, 0 where neither.

    Returns
    -------
    ndarray of str, shape (m,)
        Of `PATTERNS`.

    References
    ----------
    Esri, "How Emerging Hot Spot Analysis works", ArcGIS Pro tool reference.

    Examples
    --------
    >>> hot = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 1], [0, 0, 0, 0]], dtype=bool)
    >>> rising = np.zeros(4, dtype=int)
    >>> analysis.classify(hot, np.zeros_like(hot), rising).tolist()
    ['new_hot', 'consecutive_hot', 'sporadic_hot', 'no_pattern']
    """
    found = np.full(len(hot), "no_pattern", dtype=object)
    if not hot.shape[1]:
        return found
    for side, own in (("hot", hot), ("cold", cold)):
        found[_often(own) & ~own[:, -1]] = f"historical_{side}"
    _classify_present(found, hot, cold, rising, "hot")
    _classify_present(found, cold, hot, -rising, "cold")
    return found


def _classify_present(
    found: npt.NDArray[np.object_],
    own: Bools,
    other: Bools,
    growing: npt.NDArray[np.int64],
    side: str,
) -> None:
    """Name the pattern of the units that are hot, or cold, in the last bin."""
    bins, total, often = own.shape[1], own.sum(axis=1), _often(own)
    # Bins since the last one that is not hot.
    run = np.where(own.all(axis=1), bins, np.argmin(own[:, ::-1], axis=1))
    conditions = {
        "new": total == 1,
        "intensifying": often & (growing > 0),
        "diminishing": often & (growing < 0),
        "persistent": often,
        "consecutive": run == total,
        "oscillating": other.any(axis=1),
        "sporadic": np.ones(len(own), dtype=bool),
    }
    names = np.select(
        list(conditions.values()), [np.array(f"{name}_{side}", dtype=object) for name in conditions]
    )
    found[own[:, -1]] = names[own[:, -1]]


@asks()
def emerging(
    cube: Cube,
    weights: sp.csr_array,
    *,
    against: Against = "city",
    exposure: pd.Series | None = None,
    previous: int = 1,
    alpha: float = 0.05,
    trend_alpha: float = 0.05,
) -> pd.DataFrame:
    """Tell where hot spots come, stay and go.

    Gi* of every unit and bin against the whole cube; significant after the false discovery rate
    is controlled over all bins of all units; the trend of each neighbourhood by Mann and Kendall,
    allowing for what neighbouring bins have in common; and one of 17 patterns from both, see
    `classify`.

    Parameters
    ----------
    cube : Cube
        Ten bins or more say something; fewer seldom show a trend.
    weights : csr_array, shape (m, m)
        Who is a neighbour. A unit without a weight for itself gets one of 1.
    against : {"city", "cube"}
        What the counts are held against. ``city``: the city's total of each bin, so that a unit
        stands out by its share, and what the whole city does makes no hot spot. ``cube``: the mean
        of all bins, as in Esri's tool; where the whole city grows its last bins are hot.
    exposure : Series, shape (m,), on the codes, optional
        Households, hours of patrol: a unit is then held against its share of them. Units without
        any are left out: they have no scores.
    previous : int
        How many bins back a neighbour is still one, for Gi*. Trends are of each bin by itself.
    alpha : float
        The false discovery rate to allow over the cube.
    trend_alpha : float
        The false discovery rate to allow over the trends of units that are hot, or cold, often.

    Returns
    -------
    DataFrame, shape (m, 9)
        On the codes: ``count`` (events in all bins), ``pattern``, ``trend_z`` and ``trend_p``
        (Mann-Kendall, see `mann_kendall`), ``trend_q`` (after Benjamini and Hochberg; missing for
        units that are neither hot nor cold often), ``slope`` (Sen's: events in a unit by which
        each bin differs from the one before, the mean of the unit and its neighbours, as held
        against the city or the cube), ``last_z`` (Gi* of the last bin), ``hot_bins`` and
        ``cold_bins``.

    Raises
    ------
    ConformError
        If the weights are for another number of units, or an exposure is infinite or below zero.

    References
    ----------
    Ord and Getis (1995), Geographical Analysis 27(4); Assuncao and Reis (1999), Statistics in
    Medicine 18(16), with the expected count as exposure; Benjamini and Hochberg (1995), Journal of
    the Royal Statistical Society B 57(1); Bourgon, Gentleman and Huber (2010), PNAS 107(21), for
    testing but the units that a test without regard to the order of bins has picked out.

    Examples
    --------
    >>> counts = np.ones((6, 12), dtype=int)
    >>> counts[:2, 6:] = [8, 9, 12, 14, 16, 20]
    >>> months = pd.date_range("2025-01-01", periods=13, freq="MS")
    >>> cube = analysis.Cube(counts, pd.Index(list("abcdef")), months, left_out=0)
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in range(0, 600, 100)], crs=4549)
    >>> found = analysis.emerging(cube, analysis.rook(row), against="cube")
    >>> found[["count", "pattern", "hot_bins"]].head(3)
       count          pattern  hot_bins
    a     85  consecutive_hot         4
    b     85  consecutive_hot         3
    c     12       no_pattern         0
    """
    expected, known = _expected(cube, against, exposure)
    near = with_self(sp.csr_array(weights[known][:, known]))
    counts = cube.counts[known].astype(np.float64)
    z: Floats = np.full(cube.counts.shape, np.nan)
    z[known] = space_time_scores(_values(counts, expected), near, previous=previous)
    q = discoveries(2.0 * scipy.stats.norm.sf(np.abs(z)))
    hot, cold = (q <= alpha) & (z > 0), (q <= alpha) & (z < 0)
    levels = np.full(z.shape, np.nan)
    levels[known] = _levels(counts, expected, near)
    trend = mann_kendall(levels, correlated=True)
    often = _often(hot) | _often(cold)
    trend_q = discoveries(np.where(often, trend.p, np.nan))
    rising = np.where(trend_q <= trend_alpha, np.sign(trend.score), 0)
    frame = pd.DataFrame(index=cube.codes)
    frame["count"] = pd.array(cube.counts.sum(axis=1), dtype="Int64")
    frame["pattern"] = pd.array(classify(hot, cold, rising), dtype="string")
    told = {"trend_z": trend.z, "trend_p": trend.p, "trend_q": trend_q, "slope": trend.slope}
    for name, column in told.items():
        frame[name] = np.where(known, column, np.nan)
    frame["last_z"] = z[:, -1] if z.shape[1] else np.where(known, 0.0, np.nan)
    frame["hot_bins"] = pd.array(hot.sum(axis=1), dtype="Int64")
    frame["cold_bins"] = pd.array(cold.sum(axis=1), dtype="Int64")
    return frame


def _often(own: Bools) -> Bools:
    """Return which units are so in at least nine of ten bins."""
    often: Bools = (10 * own.sum(axis=1) >= 9 * own.shape[1]) & (own.shape[1] > 0)
    return often


def _expected(cube: Cube, against: str, exposure: pd.Series | None) -> tuple[Floats, Bools]:
    """Return the counts to expect of the units that have an exposure, and which have."""
    units, bins = cube.counts.shape
    held = np.ones(units)
    if exposure is not None:
        held = finite(exposure.reindex(cube.codes).fillna(0), "exposure")
        not_negative(held, cube.codes, "exposure")
    known = held > 0.0
    share = held[known] / max(held[known].sum(), 1e-300)
    totals = cube.counts[known].sum(axis=0, dtype=np.float64)
    if against == "cube":
        totals = np.full(bins, totals.mean() if bins else 0.0)
    expected: Floats = share[:, None] * totals
    return expected, known


def _values(counts: Floats, expected: Floats) -> Floats:
    """Return how far counts are from what is expected; 0 in a bin in which nothing is."""
    if not counts.size or (expected == expected.flat[0]).all():
        return counts  # what follows is then no more than another unit to count by
    found = standardised_rates(pd.Series(counts.ravel()), pd.Series(expected.ravel()))
    scores: Floats = np.nan_to_num(found.to_numpy(dtype=np.float64))
    return np.round(scores, _DIGITS).reshape(counts.shape)


def _levels(counts: Floats, expected: Floats, near: sp.csr_array) -> Floats:
    """Return the events in a unit, on average over its neighbours, as what is expected is even.

    Gi* of one bin by itself, where variances are alike, times the unit's own constant: what rises
    in the one rises in the other. NaN in a bin in which nothing is expected.
    """
    if not counts.size:
        return counts
    ratio = np.divide(
        near @ counts, near @ expected, out=np.full(counts.shape, np.nan), where=expected > 0.0
    )
    levels: Floats = np.round(ratio, _DIGITS) * expected.mean(axis=1, keepdims=True)
    return levels
