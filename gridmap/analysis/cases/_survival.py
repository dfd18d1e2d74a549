"""Kaplan-Meier curves, by scipy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

__all__ = ["CURVE", "survival_curve"]

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


def _on(days: Floats, lasted: Floats) -> Longs:
    """Return how many lasted until each of some days."""
    found: Longs = np.bincount(np.searchsorted(days, lasted), minlength=len(days))
    return found
