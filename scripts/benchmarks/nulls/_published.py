"""Trend tests for correlated series as they were published, to be held against gridmap's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["hamed_rao", "trend_free_pre_whitening"]

Floats = npt.NDArray[np.float64]


def hamed_rao(series: Floats) -> Floats:
    """Return p by Hamed and Rao (1998): all lags at which ranks correlate significantly.

    Parameters
    ----------
    series : ndarray of float, shape (m, n)
        Without ties.

    Returns
    -------
    ndarray of float, shape (m,)
        NaN where the variance comes out below zero, as may be: no trend is found there.
    """
    count = series.shape[1]
    ranks = stats.rankdata(series - _slopes(series)[:, None] * np.arange(count), axis=1)
    ranks = ranks - ranks.mean(axis=1, keepdims=True)
    spread = (ranks**2).sum(axis=1)
    more = np.zeros(len(series))
    for lag in range(1, count):
        found = (ranks[:, lag:] * ranks[:, :-lag]).sum(axis=1) / spread
        counts = np.abs(found) > stats.norm.ppf(0.975) / np.sqrt(count)
        more += np.where(counts, (count - lag) * (count - lag - 1) * (count - lag - 2) * found, 0)
    return _p(series, 1.0 + 2.0 * more / (count * (count - 1.0) * (count - 2.0)))


def trend_free_pre_whitening(series: Floats) -> Floats:
    """Return p by Yue, Pilon, Phinney and Cavadias (2002), Hydrological Processes 16(9).

    Parameters
    ----------
    series : ndarray of float, shape (m, n)
        Without ties.

    Returns
    -------
    ndarray of float, shape (m,)
    """
    count = series.shape[1]
    line = _slopes(series)[:, None] * np.arange(1, count + 1)
    free = series - line
    apart = free - free.mean(axis=1, keepdims=True)
    memory = (apart[:, 1:] * apart[:, :-1]).sum(axis=1) / (apart**2).sum(axis=1)
    white = free[:, 1:] - memory[:, None] * free[:, :-1] + line[:, :-1]
    return _p(white, np.ones(len(series)))


def _slopes(series: Floats) -> Floats:
    early, late = np.triu_indices(series.shape[1], 1)
    found: Floats = np.median((series[:, late] - series[:, early]) / (late - early), axis=1)
    return found


def _p(series: Floats, more: Floats) -> Floats:
    count = series.shape[1]
    score = np.zeros(len(series))
    for lag in range(1, count):
        score += np.sign(series[:, lag:] - series[:, :-lag]).sum(axis=1)
    variance = count * (count - 1.0) * (2.0 * count + 5.0) / 18.0 * more
    z = np.maximum(np.abs(score) - 1.0, 0.0) / np.sqrt(np.where(variance > 0, variance, np.nan))
    p: Floats = 2.0 * stats.norm.sf(z)
    return p
