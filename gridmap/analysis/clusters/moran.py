"""Local Moran: which units are like their neighbours, and which are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy
import scipy.sparse as sp

from gridmap.analysis._doors import asks
from gridmap.analysis._values import finite, fitting
from gridmap.analysis.clusters.significance import Ranks, discoveries, neighbour_ranks, pseudo_p

__all__ = ["local_moran"]

Floats = npt.NDArray[np.float64]

_FLAT = 1e-12  # of the mean: a smaller spread is rounding


@asks()
def local_moran(
    values: pd.Series,
    weights: sp.csr_array,
    *,
    permutations: int = 0,
    random_state: int = 0,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Tell which units are like their neighbours, and which stand out among them.

    Parameters
    ----------
    values : Series, shape (m,)
        Counts, or rates such as of `empirical_bayes`.
    weights : csr_array, shape (m, m)
        Who is a neighbour, without regard to the diagonal; each row is divided by its sum.
    permutations : int
        0 to take p from the normal distribution; 999 to take it from conditional permutation.
    random_state : int
        Of the permutations.
    alpha : float
        The false discovery rate to allow; see `hotspots` for how few can be found.

    Returns
    -------
    DataFrame
        On the index of the values: ``value``, ``moran`` (the local I), ``z`` (by the mean and
        variance of conditional permutation), ``p`` (two-sided, normal), ``p_sim`` (two-sided, if
        there are permutations), ``q`` and ``cluster``: ``high_high``, ``low_low``, ``high_low`` (a
        high value among low ones), ``low_high`` or ``none``.

    Raises
    ------
    ConformError
        If a value is missing, or the weights are for another number of units.

    References
    ----------
    Anselin (1995), Geographical Analysis 27(2), equation 12; Sokal, Oden and Thomson (1998),
    Geographical Analysis 30(4), for the moments of conditional permutation.

    Examples
    --------
    >>> corners = range(0, 2000, 100)
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in corners], crs=4549)
    >>> values = pd.Series([9.0] * 5 + [1.0] * 15)
    >>> found = analysis.local_moran(values, analysis.distance_band(row, 150))
    >>> found[["value", "moran", "cluster"]].round(2).iloc[[2, 5, 12]]
        value  moran    cluster
    2     9.0   2.85  high_high
    5     1.0  -0.32       none
    12    1.0   0.32       none

    The last is like its neighbours as well, but so is nearly every other: that proves nothing.
    """
    x = finite(values, "values")
    fitting(weights, len(x))
    near = _standardised(weights)
    lag = near @ x
    apart, score = _moments(x, near)
    frame = pd.DataFrame({"value": values}, index=values.index)
    mean = x.mean() if len(x) else 0.0
    square = float((apart**2).sum())
    around = lag - mean * near.sum(axis=1)
    frame["moran"] = (len(x) - 1) * apart * around / square if square else np.zeros(len(x))
    frame["z"] = np.sign(apart) * score
    frame["p"] = 2.0 * scipy.stats.norm.sf(np.abs(score))
    if permutations:
        ranks = neighbour_ranks(x, near, permutations=permutations, random_state=random_state)
        frame["p_sim"] = np.where(apart == 0, 1.0, pseudo_p(ranks))
        around = _direction(ranks)
    frame["q"] = discoveries(frame["p_sim" if permutations else "p"].to_numpy())
    own = np.where(apart > 0, "high", "low")
    other = np.where(around > 0, "high", "low")
    kinds = np.char.add(np.char.add(own, "_"), other)
    found = np.where((frame["q"] <= alpha) & (apart != 0), kinds, "none")
    frame["cluster"] = pd.Series(found, index=values.index, dtype="string")
    return frame


def _direction(ranks: Ranks) -> Floats:
    """Return above 0 where the neighbours are higher than random ones."""
    return (ranks.below - ranks.above).astype(np.float64)


def _standardised(weights: sp.csr_array) -> sp.csr_array:
    """Return the weights of others, each row divided by its sum."""
    links = weights.tocoo()
    kept = links.row != links.col
    near = sp.csr_array(
        (links.data[kept].astype(np.float64), (links.row[kept], links.col[kept])),
        shape=weights.shape,
    )
    near.eliminate_zeros()
    total = near.sum(axis=1)
    near.data /= np.repeat(total, np.diff(near.indptr))
    return near


def _moments(x: Floats, near: sp.csr_array) -> tuple[Floats, Floats]:
    """Return the distance of each value from the mean, and the standard score of its lag.

    The lag is a sum of random others, without replacement: its mean and variance follow from
    those of the others.
    """
    count = len(x)
    if count < 3:  # noqa: PLR2004 - with one other there is nothing to draw
        return np.zeros(count), np.zeros(count)
    apart = x - x.mean()
    if np.sqrt((apart**2).mean()) <= _FLAT * abs(x.mean()):
        return np.zeros(count), np.zeros(count)
    others = count - 1
    mean = -apart / others
    variance = np.clip(((apart**2).sum() - apart**2) / others - mean**2, 0.0, None)
    weight, squares = near.sum(axis=1), near.power(2).sum(axis=1)
    scale = np.sqrt(variance * np.clip(others * squares - weight**2, 0.0, None) / (others - 1))
    deviation = (near @ apart) - weight * mean
    flat = scale <= _FLAT * np.abs(apart).max()
    score: Floats = np.divide(deviation, scale, out=np.zeros(count), where=~flat)
    return apart, score
