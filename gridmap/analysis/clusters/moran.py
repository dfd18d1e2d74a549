"""Local Moran and Geary: which units are like their neighbours, and which are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy
import scipy.sparse as sp

from gridmap.analysis._doors import asks
from gridmap.analysis._values import finite, fitting
from gridmap.analysis.clusters._permute import draws, geary_ranks
from gridmap.analysis.clusters.rates import standardised_rates
from gridmap.analysis.clusters.significance import Ranks, neighbour_ranks, pseudo_p
from gridmap.analysis.discoveries import discoveries
from gridmap.errors import ConformError

__all__ = ["apart_of", "lag_score", "local_geary", "local_moran", "others_of"]

Floats = npt.NDArray[np.float64]

_FLAT = 1e-12  # of the mean: a smaller spread is rounding


@asks(within={"permutations": (0, np.inf)})
def local_moran(
    values: pd.Series,
    weights: sp.csr_array,
    *,
    beside: pd.Series | None = None,
    exposure: pd.Series | None = None,
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
    beside : Series, shape (m,), optional
        Another value of the units, of which the neighbours' is compared with the unit's own one of
        `values`: bivariate local Moran. It does not ask how the two go together in one unit.
    exposure : Series, shape (m,), optional
        With it, values are counts, of which the `standardised_rates` are compared; units without
        exposure are left out and have no score.
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
        If a value is missing, the weights are for another number of units, or both another value
        and an exposure are given.

    References
    ----------
    Anselin (1995), Geographical Analysis 27(2), equation 12; Sokal, Oden and Thomson (1998),
    Geographical Analysis 30(4), for the moments of conditional permutation; Anselin, Syabri and
    Smirnov (2002), New Tools for Spatial Data Analysis, for two values; Assuncao and Reis (1999),
    Statistics in Medicine 18(16), by exposure.

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
    if exposure is not None:
        return _by_exposure(
            values, weights, exposure, beside,
            {"permutations": permutations, "random_state": random_state, "alpha": alpha},
        )  # fmt: skip
    y = x if beside is None else finite(beside.reindex(values.index), "beside")
    near = _standardised(weights)
    apart, other_apart = apart_of(x), apart_of(y)
    score = lag_score(other_apart, near)
    frame = pd.DataFrame({"value": values}, index=values.index)
    if beside is not None:
        frame["beside"] = beside.reindex(values.index)
    around = near @ other_apart
    size = np.sqrt(float((apart**2).sum()) * float((other_apart**2).sum()))
    frame["moran"] = (len(x) - 1) * apart * around / size if size else np.zeros(len(x))
    frame["z"] = np.sign(apart) * score
    frame["p"] = 2.0 * scipy.stats.norm.sf(np.abs(score))
    if permutations:
        ranks = neighbour_ranks(y, near, permutations=permutations, random_state=random_state)
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


def _by_exposure(
    values: pd.Series,
    weights: sp.csr_array,
    exposure: pd.Series,
    beside: pd.Series | None,
    asked: dict[str, Any],
) -> pd.DataFrame:
    """Return the local Moran of standardised rates, on the index of the counts."""
    if beside is not None:
        raise ConformError("conform.beside_exposure")
    rates = standardised_rates(values, exposure)
    known = rates.notna().to_numpy()
    found = local_moran(rates[known], sp.csr_array(weights[known][:, known]), **asked)
    frame = found.reindex(values.index)
    frame["value"] = values
    frame["cluster"] = frame["cluster"].fillna("none")
    return frame


@asks(within={"permutations": (1, np.inf)})
def local_geary(
    values: pd.Series,
    weights: sp.csr_array,
    *,
    permutations: int = 999,
    random_state: int = 0,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Tell which units differ little from their neighbours, and which much, by local Geary.

    It sees differences of any kind, also between values that are both high or both low, to which
    local Moran is blind.

    Parameters
    ----------
    values : Series, shape (m,)
    weights : csr_array, shape (m, m)
        Who is a neighbour, without regard to the diagonal; each row is divided by its sum.
    permutations : int
        Of conditional permutation: of local Geary no good approximation is known.
    random_state : int
    alpha : float
        The false discovery rate to allow.

    Returns
    -------
    DataFrame
        On the index of the values: ``value``, ``geary`` (the mean squared difference from the
        neighbours, in variances of the values), ``p_sim`` (two-sided), ``q`` and ``cluster``:
        ``high_high``, ``low_low`` or ``other_alike`` where the difference is small, ``unlike``
        where it is large, else ``none``.

    Raises
    ------
    ConformError
        If a value is missing, or the weights are for another number of units.

    References
    ----------
    Anselin (1995), Geographical Analysis 27(2), equation 19; Anselin (2019), Geographical Analysis
    51(2), for the kinds.

    Examples
    --------
    >>> corners = [(x, y) for x in range(8) for y in range(8)]
    >>> squares = gpd.GeoSeries([shapely.box(x, y, x + 1, y + 1) for x, y in corners], crs=4549)
    >>> values = [9.0 if max(x, y) < 4 else 5.0 * ((x + y) % 2) for x, y in corners]
    >>> found = analysis.local_geary(pd.Series(values), analysis.queen(squares))
    >>> found[["value", "geary", "cluster"]].round(2).iloc[[2, 63]]
        value  geary    cluster
    2     9.0   0.00  high_high
    63    0.0   1.32       none
    """
    x = finite(values, "values")
    fitting(weights, len(x))
    near = _standardised(weights)
    apart = apart_of(x)
    spread = np.sqrt((apart**2).mean()) if len(x) else 0.0
    z = apart / spread if spread else apart
    weight, lag = near.sum(axis=1), near @ z
    frame = pd.DataFrame({"value": values}, index=values.index)
    frame["geary"] = np.clip(z**2 * weight - 2.0 * z * lag + near @ z**2, 0.0, None)
    above, below = _geary_ranks(z, near, permutations, random_state)
    ranks = Ranks(above, below, permutations)
    frame["p_sim"] = np.where(np.diff(near.indptr) == 0, 1.0, pseudo_p(ranks))
    frame["q"] = discoveries(frame["p_sim"].to_numpy())
    small = above > below
    alike = np.where((z > 0) & (lag > 0), "high_high", "other_alike")
    alike = np.where((z < 0) & (lag < 0), "low_low", alike)
    kinds = np.where(small, alike, "unlike")
    found = np.where(frame["q"] <= alpha, kinds, "none")
    frame["cluster"] = pd.Series(found, index=values.index, dtype="string")
    return frame


def _geary_ranks(
    z: Floats, near: sp.csr_array, permutations: int, random_state: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    above, below = (np.zeros(len(z), dtype=np.int32) for _ in range(2))
    degree = np.diff(near.indptr)
    if len(z) and degree.max(initial=0):
        order = np.argsort(z, kind="stable")
        own = np.empty(len(z), dtype=np.int64)
        own[order] = np.arange(len(z))
        drawn = draws(len(z) - 1, int(degree.max()), permutations, random_state)
        geary_ranks(
            z[order], own, near.indptr.astype(np.int64), near.indices.astype(np.int64), near.data,
            drawn, above, below,
        )  # fmt: skip
    return above, below


def others_of(weights: sp.csr_array) -> sp.csr_array:
    """Return the weights of others, without the diagonal."""
    links = weights.tocoo()
    kept = links.row != links.col
    near = sp.csr_array(
        (links.data[kept].astype(np.float64), (links.row[kept], links.col[kept])),
        shape=weights.shape,
    )
    near.eliminate_zeros()
    return near


def _standardised(weights: sp.csr_array) -> sp.csr_array:
    """Return the weights of others, each row divided by its sum."""
    near = others_of(weights)
    total = near.sum(axis=1)
    near.data /= np.repeat(total, np.diff(near.indptr))
    return near


def apart_of(x: Floats) -> Floats:
    """Return the distance of each value from the mean; nothing where they do not vary."""
    if len(x) < 3:  # noqa: PLR2004 - with one other there is nothing to draw
        return np.zeros(len(x))
    apart: Floats = x - x.mean()
    flat = np.sqrt((apart**2).mean()) <= _FLAT * abs(x.mean())
    return np.zeros(len(x)) if flat else apart


def lag_score(apart: Floats, near: sp.csr_array) -> Floats:
    """Return the standard score of the lag.

    The lag is a sum of random others, without replacement: its mean and variance follow from
    those of the others.
    """
    count = len(apart)
    if not apart.any():
        return np.zeros(count)
    others = count - 1
    mean = -apart / others
    variance = np.clip(((apart**2).sum() - apart**2) / others - mean**2, 0.0, None)
    weight, squares = near.sum(axis=1), near.power(2).sum(axis=1)
    scale = np.sqrt(variance * np.clip(others * squares - weight**2, 0.0, None) / (others - 1))
    deviation = (near @ apart) - weight * mean
    flat = scale <= _FLAT * np.abs(apart).max()
    score: Floats = np.divide(deviation, scale, out=np.zeros(count), where=~flat)
    return score
