"""Counts by what they are exposed to, and rates that few counts do not throw off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from gridmap.analysis._doors import asks
from gridmap.analysis._values import finite, fitting, not_negative
from gridmap.analysis.weights.neighbours import with_self

__all__ = [
    "crude_rates",
    "empirical_bayes",
    "local_empirical_bayes",
    "standardised_rates",
]

Floats = npt.NDArray[np.float64]


@asks()
def crude_rates(counts: pd.Series, exposure: pd.Series) -> pd.Series:
    """Return counts by exposure.

    Parameters
    ----------
    counts : Series, shape (m,)
    exposure : Series, shape (m,), on the index of the counts
        Households, hours of patrol, hours of video: whatever makes a count likely in proportion.

    Returns
    -------
    Series of float, shape (m,)
        Missing where there is no exposure.

    Raises
    ------
    ConformError
        If a count is missing, or anything is infinite or below zero.

    Examples
    --------
    >>> analysis.crude_rates(pd.Series([2, 30, 0]), pd.Series([4, 100, 0])).to_list()
    [0.5, 0.3, nan]
    """
    count, exposed = _proven(counts, exposure)
    return pd.Series(count / exposed, index=counts.index, name="rate")


@asks()
def empirical_bayes(counts: pd.Series, exposure: pd.Series) -> pd.Series:
    """Return rates drawn towards the rate of all units, the more the less exposure they have.

    Parameters
    ----------
    counts : Series, shape (m,)
    exposure : Series, shape (m,), on the index of the counts

    Returns
    -------
    Series of float, shape (m,)
        ``b + (r - b) a / (a + b / e)`` for the crude rate r of a unit of exposure e, with the rate
        b of all units and the variance a between units, at least 0, by the method of moments.
        Missing where there is no exposure.

    Raises
    ------
    ConformError
        As for `crude_rates`.

    References
    ----------
    Marshall (1991), Journal of the Royal Statistical Society C 40(2), the global estimator.

    Examples
    --------
    >>> counts, households = pd.Series([2, 30, 10]), pd.Series([2, 100, 100])
    >>> analysis.crude_rates(counts, households).round(2).to_list()
    [1.0, 0.3, 0.1]
    >>> analysis.empirical_bayes(counts, households).round(2).to_list()
    [0.3, 0.29, 0.11]

    The rate of 2 in 2 households says little, and is drawn most of the way to that of all.
    """
    count, exposed = _proven(counts, exposure)
    mean, between = _moments(count, exposed)
    rates = _shrunk(count / exposed, exposed, mean, max(between, 0.0))
    return pd.Series(rates, index=counts.index, name="rate")


@asks()
def standardised_rates(counts: pd.Series, exposure: pd.Series) -> pd.Series:
    """Return how far each rate is from that of all units, by how far chance may take it.

    These are what to test for clusters: a unit with little exposure varies no more than another.

    Parameters
    ----------
    counts : Series, shape (m,)
    exposure : Series, shape (m,), on the index of the counts

    Returns
    -------
    Series of float, shape (m,)
        ``(r - b) / sqrt(a + b / e)`` in the terms of `empirical_bayes`, but with the variance
        ``b / e`` of chance alone where the estimate is below 0. 0 where nothing is counted;
        missing where there is no exposure.

    Raises
    ------
    ConformError
        As for `crude_rates`.

    References
    ----------
    Assuncao and Reis (1999), Statistics in Medicine 18(16).

    Examples
    --------
    >>> counts, households = pd.Series([2, 30, 10]), pd.Series([2, 100, 100])
    >>> analysis.standardised_rates(counts, households).round(2).to_list()
    [2.32, 0.75, -0.88]
    """
    count, exposed = _proven(counts, exposure)
    mean, between = _moments(count, exposed)
    within = mean / exposed
    variance = np.where(between + within < 0, within, between + within)
    apart = count / exposed - mean
    scores = np.divide(apart, np.sqrt(variance), out=np.zeros(len(apart)), where=variance != 0)
    return pd.Series(scores, index=counts.index, name="rate")


@asks()
def local_empirical_bayes(
    counts: pd.Series, exposure: pd.Series, weights: sp.csr_array
) -> pd.Series:
    """Return rates drawn towards the rate of the neighbourhood.

    A map of these is smooth by construction: they are for looking at, not for testing whether
    neighbours are alike.

    Parameters
    ----------
    counts : Series, shape (m,)
    exposure : Series, shape (m,), on the index of the counts
    weights : csr_array, shape (m, m)
        Who is a neighbour; a unit belongs to its own neighbourhood. How large weights are does
        not count.

    Returns
    -------
    Series of float, shape (m,)
        As of `empirical_bayes`, with the mean and variance of each neighbourhood.

    Raises
    ------
    ConformError
        As for `crude_rates`, or if the weights are for another number of units.

    References
    ----------
    Marshall (1991), Journal of the Royal Statistical Society C 40(2), the local estimator.

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in range(0, 400, 100)], crs=4549)
    >>> counts, households = pd.Series([2, 30, 10, 12]), pd.Series([2, 100, 100, 100])
    >>> analysis.local_empirical_bayes(counts, households, analysis.rook(row)).round(2).to_list()
    [0.33, 0.29, 0.12, 0.11]
    """
    count, exposed = _proven(counts, exposure)
    fitting(weights, len(counts))
    near = with_self(weights)
    near.data = (near.data != 0).astype(np.float64)
    known = ~np.isnan(exposed)
    held = np.where(known, exposed, 0.0)
    rate = count / exposed
    total = near @ held
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (near @ np.where(known, count, 0.0)) / total
        # The sum of e (r - mean)^2, multiplied out: every neighbourhood has a mean of its own.
        squares = near @ np.where(known, count * np.nan_to_num(rate), 0.0)
        spread = squares / total - mean**2
        between = np.maximum(spread - mean * (near @ known.astype(np.float64)) / total, 0.0)
    return pd.Series(_shrunk(rate, exposed, mean, between), index=counts.index, name="rate")


def _proven(counts: pd.Series, exposure: pd.Series) -> tuple[Floats, Floats]:
    """Return counts and exposure as arrays; no exposure is NaN."""
    count = finite(counts, "counts")
    not_negative(count, counts.index, "counts")
    aligned = exposure.reindex(counts.index)
    exposed = finite(aligned.fillna(0), "exposure")
    not_negative(exposed, counts.index, "exposure")
    return count, np.where(exposed > 0, exposed, np.nan)


def _moments(count: Floats, exposed: Floats) -> tuple[float, float]:
    """Return the rate of all units and the variance between them, by the method of moments."""
    known = ~np.isnan(exposed)
    if not known.any():
        return np.nan, np.nan
    total = exposed[known].sum()
    mean = count[known].sum() / total
    spread = (exposed[known] * (count[known] / exposed[known] - mean) ** 2).sum() / total
    return float(mean), float(spread - mean * known.sum() / total)


def _shrunk(rate: Floats, exposed: Floats, mean: float | Floats, between: float | Floats) -> Floats:
    within = mean / exposed
    share = np.divide(
        between, between + within, out=np.zeros(len(rate)), where=(between + within) > 0
    )
    return np.where(np.isnan(exposed), np.nan, mean + share * (rate - mean))
