"""Getis-Ord Gi* hot spots, with the false discovery rate controlled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy
import scipy.sparse as sp

from gridmap.analysis._doors import asks
from gridmap.analysis._values import finite, fitting
from gridmap.analysis.clusters._mixture import counted_tails
from gridmap.analysis.clusters._tails import drawn_tails
from gridmap.analysis.clusters.moran import apart_of, lag_score, others_of
from gridmap.analysis.clusters.rates import empirical_bayes, standardised_rates
from gridmap.analysis.clusters.significance import neighbour_ranks, pseudo_p
from gridmap.analysis.discoveries import discoveries
from gridmap.analysis.weights.neighbours import with_self
from gridmap.errors import ConformError

__all__ = ["count_by", "getis_ord", "hotspots", "hotspots_by_source"]

Floats = npt.NDArray[np.float64]
Distribution = Literal["normal", "exact"]

# Rounding leaves a spread of about 1e-16 of the mean where all values are equal.
_FLAT = 1e-12
# For weights of several sizes, of which no exact p is known.
_PERMUTATIONS = 9999


@asks()
def getis_ord(values: Floats, weights: sp.csr_array, *, star: bool = True) -> Floats:
    """Return Gi* as standard scores, or Gi.

    Parameters
    ----------
    values : ndarray of float, shape (m,)
    weights : csr_array, shape (m, m)
        Neighbours, self included.
    star : bool
        Whether a unit counts among its neighbours; without it, what is on the diagonal does not
        count, and values are compared with the mean and spread of the others.

    Returns
    -------
    ndarray of float, shape (m,)
        0 where the values do not vary or where everything is a neighbour.

    References
    ----------
    Ord and Getis (1995), Geographical Analysis 27(4), equation 14 (the form with self) and
    equation 6.

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in range(0, 500, 100)], crs=4549)
    >>> near = analysis.with_self(analysis.rook(row))
    >>> analysis.getis_ord(np.array([9.0, 8.0, 1.0, 0.0, 0.0]), near).round(2).tolist()
    [1.99, 1.46, -0.36, -1.99, -1.46]
    """
    if not star:
        return _among_others(values, weights)
    count = len(values)
    if count < 2:  # noqa: PLR2004 - one value has no spread
        return np.zeros(count)
    # Gi* does not change with the level, and squares of small numbers lose no digits.
    level = values.mean()
    apart = values - level
    mean = apart.mean()
    spread = np.sqrt(max(np.mean(apart**2) - mean**2, 0.0))
    weight = weights.sum(axis=1)
    squares = weights.power(2).sum(axis=1)
    variance = np.clip((count * squares - weight**2) / (count - 1), 0.0, None)
    scale = spread * np.sqrt(variance)
    flat = (scale <= _FLAT * max(spread, 0.0)) | (spread <= _FLAT * abs(level))
    deviation = weights @ apart - mean * weight
    scores: Floats = np.divide(deviation, scale, out=np.zeros(count), where=~flat)
    return scores


def _among_others(values: Floats, weights: sp.csr_array) -> Floats:
    """Return Gi: the lag is a sum of others, whose mean and spread are those of the others."""
    return lag_score(apart_of(values), others_of(weights))


@asks()
def hotspots(
    counts: pd.Series,
    weights: sp.csr_array,
    *,
    exposure: pd.Series | None = None,
    minimum: int = 0,
    distribution: Distribution = "exact",
    permutations: int = 0,
    random_state: int = 0,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Tell which units stand out together with their neighbours.

    Parameters
    ----------
    counts : Series, shape (m,)
        Or any other value of the units.
    weights : csr_array, shape (m, m)
        Who is a neighbour. A unit without a weight for itself gets one of 1.
    exposure : Series, shape (m,), optional
        Households, hours of patrol or of video. With it, not counts are compared but the
        `standardised_rates`, so that the high rate of a unit with little exposure proves nothing.
        Units without exposure are left out: they have no score and are ``too_few``.
    minimum : int
        A unit with fewer counts is never hot, but ``too_few``.
    distribution : {"normal", "exact"}
        What p is taken from: the exact one (see Notes) keeps its promise on few and skewed counts;
        the normal one finds more, of which more are chance.
    permutations : int
        999 to take p from conditional permutation instead, which asks of the neighbours alone.
    random_state : int
        Of the permutations.
    alpha : float
        The false discovery rate to allow. The least p of M permutations is ``2 / (M + 1)``; fewer
        than that over alpha of the units cannot be found, so take more permutations for few.

    Returns
    -------
    DataFrame
        On the index of the counts: ``count``, ``rate`` (`empirical_bayes`, if there is an
        exposure), ``z`` (Gi*), ``p`` (two-sided), ``p_sim`` (two-sided, if there are
        permutations), ``q`` (p, or p_sim, after Benjamini and Hochberg, 1995) and ``hotspot``
        (``hot``, ``cold``, ``none`` or ``too_few``).

    Raises
    ------
    ConformError
        If a count is missing, or the weights are for another number of units.

    Notes
    -----
    Counts are skewed and their sums over a few neighbours are not normal: on maps of chance alone
    normal p shows hot spots where there are none. The exact p of a neighbourhood of k units is the
    chance that k values drawn from all, without replacement, add up to as much. With an exposure
    it is the chance of the count if the rate of each unit is drawn from the distribution of rates
    that makes all counts likeliest, of whatever form (Laird 1978). Weights of several sizes have no
    exact p; 9,999 conditional permutations stand in.

    Examples
    --------
    >>> corners = [(x, y) for x in range(0, 500, 100) for y in (0, 100)]
    >>> squares = gpd.GeoSeries([shapely.box(x, y, x + 100, y + 100) for x, y in corners], crs=4549)
    >>> counts = pd.Series([40, 35, 30, 2, 1, 0, 1, 0, 2, 1])
    >>> found = analysis.hotspots(counts, analysis.queen(squares))
    >>> found[["count", "z", "p", "hotspot"]].round(3).head(4)
       count      z      p hotspot
    0     40  2.418  0.019     hot
    1     35  2.418  0.019     hot
    2     30  1.586  0.229    none
    3      2  1.586  0.229    none
    """
    values = finite(counts, "counts")
    fitting(weights, len(counts))
    whole = bool((values == np.rint(values)).all())
    frame = pd.DataFrame({"count": counts.astype("Int64" if whole else "float64")})
    known = np.ones(len(values), dtype=bool)
    if exposure is not None:
        frame["rate"] = empirical_bayes(counts, exposure)
        values = standardised_rates(counts, exposure).to_numpy()
        known = ~np.isnan(values)
        weights = sp.csr_array(weights[known][:, known])
    near = with_self(weights)
    frame["z"] = _spread_out(getis_ord(values[known], near), known)
    if distribution == "normal":
        frame["p"] = 2.0 * scipy.stats.norm.sf(frame["z"].abs())
        hot = (frame["z"] > 0).to_numpy()
    else:
        exposed = None if exposure is None else exposure.reindex(counts.index)[known]
        above, below, p = (
            _exact(counts[known], exposed, values[known], near)
            if _equal(near)
            else _permuted(values[known], near, _PERMUTATIONS, random_state)
        )
        frame["p"] = _spread_out(p, known)
        hot = _spread_out(above, known) < _spread_out(below, known)
    if permutations:
        above, below, p = _permuted(values[known], near, permutations, random_state)
        frame["p_sim"] = _spread_out(p, known)
        hot = _spread_out(above, known) < _spread_out(below, known)
    frame["q"] = discoveries(frame["p_sim" if permutations else "p"].to_numpy())
    found = np.where(frame["q"] <= alpha, np.where(hot, "hot", "cold"), "none")
    few = ((found == "hot") & (counts < minimum).to_numpy(dtype=bool)) | ~known
    frame["hotspot"] = pd.Series(np.where(few, "too_few", found), frame.index, dtype="string")
    return frame


def _equal(weights: sp.csr_array) -> bool:
    """Tell whether the weights of each row are of one size."""
    rows = np.flatnonzero(np.diff(weights.indptr))
    starts = weights.indptr[rows]
    if len(rows) == 0:
        return True
    least = np.minimum.reduceat(weights.data, starts)
    return bool((least > 0).all() and (np.maximum.reduceat(weights.data, starts) == least).all())


def _exact(
    counts: pd.Series, exposure: pd.Series | None, values: Floats, near: sp.csr_array
) -> tuple[Floats, Floats, Floats]:
    """Return how likely at least, and at most, as much is by chance, and p."""
    if exposure is None:
        above, below = drawn_tails(values, near)
    else:
        above, below = counted_tails(finite(counts, "counts"), finite(exposure, "exposure"), near)
    p: Floats = np.minimum(2.0 * np.minimum(above, below), 1.0)
    return above, below, p


def _permuted(
    values: Floats, near: sp.csr_array, permutations: int, random_state: int
) -> tuple[Floats, Floats, Floats]:
    """Return how many random sums are at least, and at most, the observed one, and p."""
    ranks = neighbour_ranks(values, near, permutations=permutations, random_state=random_state)
    return ranks.above.astype(np.float64), ranks.below.astype(np.float64), pseudo_p(ranks)


def _spread_out(values: npt.NDArray[np.generic], known: npt.NDArray[np.bool_]) -> Floats:
    """Put values back among the units that have none."""
    spread = np.full(len(known), np.nan)
    spread[known] = values
    return spread


def _rare(some: Floats, every: Floats, near: sp.csr_array) -> Floats:
    """Return the chance of at most so few of some events among all of a neighbourhood."""
    ones = near.astype(bool).astype(np.float64)
    share = some.sum() / max(every.sum(), 1.0)
    return np.asarray(scipy.stats.binom.cdf(ones @ some, ones @ every, share), dtype=np.float64)


@asks()
def count_by(units: pd.Series, kinds: pd.Series, codes: pd.Index | pd.Series) -> pd.DataFrame:
    """Count events by unit and kind, such as problems by grid and source.

    Parameters
    ----------
    units, kinds : Series, shape (n,)
        The unit and the kind of each event; an event without one of them does not count.
    codes : Index or Series, length m
        All units, also those without events.

    Returns
    -------
    DataFrame of Int64, shape (m, number of kinds)
        In the order of ``codes``, which are its index; the kinds as columns, sorted.

    Raises
    ------
    ConformError
        If an event is in a unit that is not among the codes.

    Examples
    --------
    >>> units = pd.Series(["a", "a", "b", None])
    >>> kinds = pd.Series(["hotline", "patrol", "hotline", "hotline"])
    >>> analysis.count_by(units, kinds, pd.Index(["a", "b", "c"]))
       hotline  patrol
    a        1       1
    b        1       0
    c        0       0
    """
    strange = pd.Index(units.dropna().unique()).difference(pd.Index(codes))
    if len(strange):
        raise ConformError(
            "conform.unknown_unit", what="events", codes=", ".join(map(str, strange[:5]))
        )
    table = pd.crosstab(units, kinds).reindex(pd.Index(codes), fill_value=0)
    return table.astype("Int64").rename_axis(index=None, columns=None)


@asks()
def hotspots_by_source(
    counts: pd.DataFrame,
    weights: sp.csr_array,
    *,
    residents: Sequence[str],
    patrols: Sequence[str],
    exposure: pd.Series | Mapping[str, pd.Series] | None = None,
    minimum: int = 0,
    distribution: Distribution = "exact",
    permutations: int = 0,
    random_state: int = 0,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Tell which units stand out for each source, and where nobody looks.

    Parameters
    ----------
    counts : DataFrame, shape (m, s)
        A column for each source, such as `count_by` gives.
    weights : csr_array, shape (m, m)
    residents : sequence of str
        The sources that residents report by, such as hotline and app.
    patrols : sequence of str
        The sources of those who are sent to look, such as patrol and video.
    exposure : Series, or mapping of str to Series, optional
        Of all sources; or by source, such as hours of patrol, for the sources that have one.
    minimum, distribution, permutations, random_state, alpha
        As for `hotspots`; the false discovery rate is that of each source.

    Returns
    -------
    DataFrame
        On the index of the counts: the columns of `hotspots` for all sources together, by the
        exposure of all; ``count_S``, ``z_S``, ``q_S`` and ``hotspot_S`` for each source S; and
        ``unseen``, boolean: hot by what residents report, and not one report by a patrol, and
        about it fewer than by their part of all reports (binomial, false discovery rate alpha).

    Raises
    ------
    ConformError
        If a source is not among the columns; and as for `hotspots`.

    Examples
    --------
    >>> corners = [(x, y) for x in range(0, 500, 100) for y in (0, 100)]
    >>> squares = gpd.GeoSeries([shapely.box(x, y, x + 100, y + 100) for x, y in corners], crs=4549)
    >>> counts = pd.DataFrame({"hotline": [40, 35, 30, 2, 1, 0, 1, 0, 2, 1]})
    >>> counts["patrol"] = [0, 1, 2, 3, 3, 3, 3, 3, 3, 3]
    >>> near = analysis.queen(squares)
    >>> found = analysis.hotspots_by_source(counts, near, residents=["hotline"], patrols=["patrol"])
    >>> found[["count_hotline", "count_patrol", "hotspot_hotline", "unseen"]].head(3)
       count_hotline  count_patrol hotspot_hotline  unseen
    0             40             0             hot    True
    1             35             1             hot   False
    2             30             2            none   False
    """
    missing = [name for name in (*residents, *patrols) if name not in counts.columns]
    if missing:
        known = ", ".join(map(str, counts.columns))
        raise ConformError("conform.source_column", source=missing[0], known=known)

    def found_in(count: pd.Series, held: pd.Series | None = None) -> pd.DataFrame:
        return hotspots(
            count, weights, exposure=held, minimum=minimum, distribution=distribution,
            permutations=permutations, random_state=random_state, alpha=alpha,
        )  # fmt: skip

    whole = exposure if isinstance(exposure, pd.Series) else None
    each = exposure if isinstance(exposure, Mapping) else {}
    frame = found_in(counts.sum(axis=1), whole)
    for name in counts.columns:
        found = found_in(counts[name], each.get(name, whole))
        for column in ("count", "z", "q", "hotspot"):
            frame[f"{column}_{name}"] = found[column]
    reported = found_in(counts[list(residents)].sum(axis=1), whole)
    sent = counts[list(patrols)].sum(axis=1).to_numpy(dtype="float64")
    hot = (reported["hotspot"] == "hot").to_numpy()
    rare = _rare(sent, counts.to_numpy(dtype="float64").sum(axis=1), with_self(weights))
    blind = np.zeros(len(counts), dtype=bool)
    blind[hot] = (discoveries(rare[hot]) <= alpha) & (sent[hot] == 0)
    frame["unseen"] = pd.Series(blind, counts.index, dtype="boolean")
    return frame
