"""Whether series rise or fall, and how fast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from gridmap.analysis._doors import asks
from gridmap.analysis.clusters._kendall import kendall
from gridmap.errors import ConformError

__all__ = ["Trend", "mann_kendall"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_MOST = 0.95  # the correlation beyond which a series is not told from one that drifts
_CAUTION = 0.5  # standard errors by which the correlation is taken larger than it looks
_FEW = 4  # of so many values no correlation can be estimated
_GRID = np.linspace(0.0, _MOST, 96)


class Trend(NamedTuple):
    """The trend of each series.

    Parameters
    ----------
    score : ndarray of int, shape (m,)
        Pairs of values that rise less those that fall: Kendall's S.
    tau : ndarray of float, shape (m,)
        The score as a share of all pairs; 0 where there is none.
    z : ndarray of float, shape (m,)
        The score as a standard score, corrected for continuity, and for what neighbours in time
        have in common if that was asked for.
    p : ndarray of float, shape (m,)
        Two-sided; normal, or of Student's t if correlation was asked for.
    slope : ndarray of float, shape (m,)
        Sen's: the median of the slopes of all pairs, in units of the values for each step of time.
    correlation : ndarray of float, shape (m,)
        Of neighbours in time, as it was allowed for; 0 where that was not asked for.
    """

    score: Longs
    tau: Floats
    z: Floats
    p: Floats
    slope: Floats
    correlation: Floats


@asks()
def mann_kendall(values: npt.ArrayLike, *, correlated: bool = False) -> Trend:
    """Test every series for a monotonic trend.

    Parameters
    ----------
    values : array_like of float, shape (m, t)
        A series in each row, in order of time and evenly spaced. NaN is a missing value: its row
        is tested without.
    correlated : bool
        Whether values near in time may be alike, as those of a city are. The test of Mann and
        Kendall takes them for independent: where they are not, far more than `p` of the series
        without a trend have one.

    Returns
    -------
    Trend
        No trend, with p of 1, for a series of equal values or of fewer than two.

    Raises
    ------
    ConformError
        If a value is infinite.

    Notes
    -----
    For correlated values the variance of the score is that of Hamed and Rao (1998), with the
    correlations of a series of which each value remembers the one before. How well it does follows
    from the ranks of what Sen's slope leaves, corrected for its bias (Hamed 2009) and taken half a
    standard error larger; and z is held against Student's t with as many degrees of freedom as
    there are independent values, less two (Santer et al. 2000). ``scripts/bench null`` shows
    how many series without a trend have one, by this and by the methods as published.

    References
    ----------
    Mann (1945), Econometrica 13(3); Kendall (1975), Rank Correlation Methods, with his variance
    for ties. Sen (1968), Journal of the American Statistical Association 63(324). Hamed and Rao
    (1998), Journal of Hydrology 204; Hamed (2009), Journal of Hydrology 368. Santer et al. (2000),
    Journal of Geophysical Research 105(D6).

    Examples
    --------
    >>> trend = analysis.mann_kendall([[1, 2, 3, 4, 5], [5, 5, 5, 5, 5], [5, 4, 3, 1, 2]])
    >>> trend.score.tolist()
    [10, 0, -8]
    >>> trend.p.round(3).tolist()
    [0.027, 1.0, 0.086]
    >>> trend.slope.tolist()
    [1.0, 0.0, -1.0]

    Twelve months of which each takes after the one before are less sure of a trend:

    >>> months = [[3, 4, 4, 5, 7, 6, 8, 8, 7, 6, 6, 7]]
    >>> analysis.mann_kendall(months).p.round(3).tolist()
    [0.03]
    >>> analysis.mann_kendall(months, correlated=True).p.round(3).tolist()
    [0.506]
    """
    series = np.ascontiguousarray(np.atleast_2d(np.asarray(values, dtype=np.float64)))
    wrong = np.flatnonzero(np.isinf(series).any(axis=1))
    if len(wrong):
        raise ConformError("conform.values", what="series", rows=", ".join(map(str, wrong[:5])))
    rows = len(series)
    counts, score = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
    variance, slope, memory = np.empty(rows), np.empty(rows), np.empty(rows)
    kendall(series, counts, score, variance, slope, memory)
    correlation = _correlation(memory, counts) if correlated else np.zeros(rows)
    more = _variance_ratio(correlation, counts)
    certain = np.sign(score) * np.maximum(np.abs(score) - 1.0, 0.0)
    z = np.divide(
        certain, np.sqrt(variance * more), out=np.zeros(rows), where=(score != 0) & (variance > 0)
    )
    if correlated:
        p = 2.0 * stats.t.sf(np.abs(z), np.maximum(counts / more - 2.0, 1.0))
    else:
        p = special.erfc(np.abs(z) / np.sqrt(2.0))
    tau = score / np.maximum(counts * (counts - 1) // 2, 1)
    return Trend(score, tau, z, np.asarray(p), slope, correlation)


def _correlation(memory: Floats, counts: Longs) -> Floats:
    """Return the correlation of neighbours in time to allow for, from that of the ranks."""
    enough = np.maximum(counts, _FEW + 1)
    # The line that is taken off takes (2 + 4 r) / n of the correlation r with it.
    found = np.clip((enough * memory + 2.0) / (enough - 4.0), -1.0, 1.0)
    error = np.sqrt((1.0 - found**2) / enough)
    allowed: Floats = np.clip(found + _CAUTION * error, 0.0, _MOST)
    return np.where(counts > _FEW, allowed, _MOST)


def _variance_ratio(correlation: Floats, counts: Longs) -> Floats:
    """Return how many times as large the variance of the score is as of independent values.

    Hamed and Rao (1998), equation 7; the correlation of ranks follows from that of normal values.
    """
    ratio = np.ones(len(counts))
    for count in np.unique(counts[correlation > 0.0]):
        lag = np.arange(1, count)
        pairs = (count - lag) * (count - lag - 1.0) * (count - lag - 2.0)
        ranks = 6.0 / np.pi * np.arcsin(_GRID[:, None] ** lag / 2.0)
        whole = max(count * (count - 1.0) * (count - 2.0), 1.0)
        rows = (counts == count) & (correlation > 0.0)
        ratio[rows] = np.interp(correlation[rows], _GRID, 1.0 + 2.0 * (ranks @ pairs) / whole)
    return ratio
