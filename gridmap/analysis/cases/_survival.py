"""Kaplan-Meier curves, by scipy, and the log-rank test of several groups."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

__all__ = ["CURVE", "Ranked", "log_rank", "survival_curve"]

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CURVE = ["days", "at_risk", "recurred", "censored", "free", "lower", "upper"]


def survival_curve(lasted: Floats, event: npt.NDArray[np.bool_], confidence: float) -> pd.DataFrame:
    """Return the curve of one group.

    Parameters
    ----------
    lasted : ndarray of float, shape (n,), days
    event : ndarray of bool, shape (n,)
        Whether it ended then; else it was censored.
    confidence : float

    Returns
    -------
    DataFrame
        The columns of `CURVE`, a row for every time at which something happened.

    References
    ----------
    Kaplan and Meier (1958), Journal of the American Statistical Association 53(282).
    """
    data = scipy.stats.CensoredData(uncensored=lasted[event], right=lasted[~event])
    curve = scipy.stats.ecdf(data).sf
    with warnings.catch_warnings():
        # Where nothing or everything recurred there is no interval, and it comes as NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        interval: Any = curve.confidence_interval(confidence, method="log-log")
    days = np.asarray(curve.quantiles)
    ordered = np.sort(lasted)
    return pd.DataFrame(
        {
            "days": days,
            "at_risk": len(lasted) - np.searchsorted(ordered, days, side="left"),
            "recurred": _on(days, lasted[event]),
            "censored": _on(days, lasted[~event]),
            "free": curve.probabilities,
            "lower": interval.low.probabilities,
            "upper": interval.high.probabilities,
        }
    )


class Ranked(NamedTuple):
    """What the log-rank test says of groups.

    Parameters
    ----------
    observed, expected, variance : ndarray of float, shape (g,)
        Events of each group, how many there would be if all were alike, and the variance of this.
    statistic : float
        Chi-squared of all groups together, with ``freedom`` degrees of freedom.
    freedom : int
    p : float
    """

    observed: Floats
    expected: Floats
    variance: Floats
    statistic: float
    freedom: int
    p: float


def log_rank(lasted: Floats, event: npt.NDArray[np.bool_], group: Longs, groups: int) -> Ranked:
    """Compare how long members of groups last.

    Parameters
    ----------
    lasted : ndarray of float, shape (n,)
    event : ndarray of bool, shape (n,)
        Whether it ended then; else it was censored.
    group : ndarray of int64, shape (n,)
        From 0.
    groups : int

    References
    ----------
    Mantel (1966), Cancer Chemotherapy Reports 50(3); of several groups Peto and Peto (1972),
    Journal of the Royal Statistical Society A 135(2), with the hypergeometric variance.
    """
    times = np.unique(lasted[event])
    at_risk = np.empty((len(times), groups))
    ended = np.empty((len(times), groups))
    for each in range(groups):
        own, gone = np.sort(lasted[group == each]), np.sort(lasted[event & (group == each)])
        at_risk[:, each] = len(own) - np.searchsorted(own, times, side="left")
        ended[:, each] = np.searchsorted(gone, times, "right") - np.searchsorted(gone, times)
    watched, happened = at_risk.sum(axis=1), ended.sum(axis=1)
    share = at_risk / watched[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(watched > 1, happened * (watched - happened) / (watched - 1), 0.0)
    expected = (happened[:, None] * share).sum(axis=0)
    between = (spread[:, None] * share).T
    covariance = np.diag(between.sum(axis=1)) - between @ share
    beyond = ended.sum(axis=0) - expected
    # A group of which nobody was at risk when anything happened says nothing.
    told = np.flatnonzero(np.diag(covariance) > 0.0)
    freedom = max(len(told) - 1, 0)
    statistic = float("nan")
    if freedom:
        part = told[:-1]
        inverse = np.linalg.pinv(covariance[np.ix_(part, part)])
        statistic = float(beyond[part] @ inverse @ beyond[part])
    p = float(scipy.stats.chi2.sf(statistic, freedom)) if freedom else float("nan")
    return Ranked(ended.sum(axis=0), expected, np.diag(covariance).copy(), statistic, freedom, p)


def _on(days: Floats, lasted: Floats) -> Longs:
    """Return how many lasted until each of some days."""
    found: Longs = np.bincount(np.searchsorted(days, lasted), minlength=len(days))
    return found
