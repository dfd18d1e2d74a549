"""Whether series rise or fall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridmap.analysis._doors import asks
from gridmap.analysis.clusters._kendall import kendall
from gridmap.errors import ConformError

__all__ = ["Trend", "mann_kendall"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


class Trend(NamedTuple):
    """The trend of each series.

    Parameters
    ----------
    score : ndarray of int, shape (m,)
        Pairs of values that rise less those that fall: Kendall's S.
    tau : ndarray of float, shape (m,)
        The score as a share of all pairs; 0 where there is none.
    z : ndarray of float, shape (m,)
        The score as a standard score, corrected for continuity.
    p : ndarray of float, shape (m,)
        Two-sided, normal.
    """

    score: Longs
    tau: Floats
    z: Floats
    p: Floats


@asks()
def mann_kendall(values: npt.ArrayLike) -> Trend:
    """Test every series for a monotonic trend.

    Parameters
    ----------
    values : array_like of float, shape (m, t)
        A series in each row, in order of time. NaN is a missing value: its row is tested without.

    Returns
    -------
    Trend
        No trend, with p of 1, for a series of equal values or of fewer than two.

    Raises
    ------
    ConformError
        If a value is infinite.

    References
    ----------
    Mann (1945), Econometrica 13(3); Kendall (1975), Rank Correlation Methods, with his variance
    for ties.

    Examples
    --------
    >>> trend = analysis.mann_kendall([[1, 2, 3, 4, 5], [5, 5, 5, 5, 5], [5, 4, 3, 1, 2]])
    >>> trend.score.tolist()
    [10, 0, -8]
    >>> trend.p.round(3).tolist()
    [0.027, 1.0, 0.086]
    """
    series = np.ascontiguousarray(np.atleast_2d(np.asarray(values, dtype=np.float64)))
    wrong = np.flatnonzero(np.isinf(series).any(axis=1))
    if len(wrong):
        raise ConformError("conform.values", what="series", rows=", ".join(map(str, wrong[:5])))
    rows = len(series)
    score, pairs = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
    z, p = np.empty(rows), np.empty(rows)
    kendall(series, score, pairs, z, p)
    return Trend(score, score / np.maximum(pairs, 1), z, p)
