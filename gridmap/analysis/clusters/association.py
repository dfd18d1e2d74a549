"""Whether a whole map clusters: one number for all units, and how likely chance alone gives it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import scipy.special

from gridmap.analysis._doors import asks
from gridmap.analysis._values import finite, fitting, not_negative
from gridmap.analysis.clusters.moran import others_of
from gridmap.analysis.clusters.rates import standardised_rates
from gridmap.errors import ConformError

__all__ = ["Association", "general_g", "global_moran", "join_counts"]

Floats = npt.NDArray[np.float64]

_AT_ONCE = 4_000_000  # values that are permuted together
_FEWEST = 4  # units, for the variance has that many factors below the line


class Association(NamedTuple):
    """A statistic of a whole map, and what it is where values lie at random.

    Parameters
    ----------
    value : float
    expected, variance : float
        Over all ways to deal the values out to the units.
    z : float
        How many standard deviations it is above what is expected.
    p : float
        Two-sided, by the normal distribution.
    p_sim : float
        Two-sided, by permutation; missing (NaN) without permutations.
    """

    value: float
    expected: float
    variance: float
    z: float
    p: float
    p_sim: float


@asks(within={"permutations": (0, np.inf)})
def global_moran(
    values: pd.Series,
    weights: sp.csr_array,
    *,
    exposure: pd.Series | None = None,
    rows: bool = True,
    permutations: int = 0,
    random_state: int = 0,
) -> Association:
    """Return Moran's I: whether units are like their neighbours, over the whole map.

    Parameters
    ----------
    values : Series, shape (m,)
    weights : csr_array, shape (m, m)
        Who is a neighbour, without regard to the diagonal.
    exposure : Series, shape (m,), optional
        With it, values are counts, of which the `standardised_rates` are compared; units without
        exposure are left out.
    rows : bool
        Whether each row of weights is divided by its sum.
    permutations : int
        999 for p by permutation as well.
    random_state : int

    Returns
    -------
    Association
        The value above 0 where like lies by like. All NaN but the expectation where the values do
        not vary or nobody has a neighbour.

    Raises
    ------
    ConformError
        If a value is missing, there are fewer than four units (with an exposure, if one is given),
        or the weights are for another number of them.

    References
    ----------
    Moran (1950), Biometrika 37; variance under randomisation, Cliff and Ord (1981), Spatial
    Processes, section 2.3; Assuncao and Reis (1999), Statistics in Medicine 18(16), by exposure.

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in range(0, 800, 100)], crs=4549)
    >>> like = analysis.global_moran(pd.Series([9.0, 8, 8, 7, 2, 1, 1, 0]), analysis.rook(row))
    >>> round(like.value, 2), round(like.expected, 2), round(like.p, 3)
    (0.81, -0.14, 0.012)
    """
    x, near = _given(values, weights)
    if exposure is not None:
        rates = standardised_rates(values, exposure).to_numpy()
        known = ~np.isnan(rates)
        x, near = _enough(rates[known]), sp.csr_array(near[known][:, known])
    if rows:
        near = _by_row(near)
    apart = x - x.mean() if len(x) else x
    count, total, first, second = _sizes(near)
    expected = -1.0 / (count - 1)
    square = float((apart**2).mean())
    if count < _FEWEST or total == 0 or square == 0:
        return _nothing(expected)
    kurtosis = float((apart**4).mean()) / square**2
    above = count * ((count**2 - 3 * count + 3) * first - count * second + 3 * total**2)
    above -= kurtosis * ((count**2 - count) * first - 2 * count * second + 6 * total**2)
    below = (count - 1) * (count - 2) * (count - 3) * total**2
    variance = above / below - expected**2

    def statistic(dealt: Floats) -> Floats:
        found: Floats = ((near @ dealt) * dealt).sum(axis=0) / (total * square)
        return found

    return _told(statistic, apart, expected, variance, permutations, random_state)


@asks(within={"permutations": (0, np.inf)})
def general_g(
    values: pd.Series, weights: sp.csr_array, *, permutations: int = 0, random_state: int = 0
) -> Association:
    """Return the general G: whether high values lie together, or low ones do, over the whole map.

    Moran's I cannot tell the two apart.

    Parameters
    ----------
    values : Series, shape (m,)
        Counts or rates, none below zero.
    weights : csr_array, shape (m, m)
        Who is a neighbour, without regard to the diagonal; as they are.
    permutations, random_state : int
        As for `global_moran`.

    Returns
    -------
    Association
        Above what is expected where high values lie together, below where low ones do.

    Raises
    ------
    ConformError
        As for `global_moran`, or if a value is below zero.

    References
    ----------
    Getis and Ord (1992), Geographical Analysis 24(3), equations 5 to 9.

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in range(0, 800, 100)], crs=4549)
    >>> high = analysis.general_g(pd.Series([1.0, 1, 9, 9, 9, 1, 1, 1]), analysis.rook(row))
    >>> round(high.value, 3), round(high.expected, 3), round(high.p, 3)
    (0.472, 0.25, 0.043)
    """
    x, near = _given(values, weights)
    not_negative(x, values.index, "values")
    count, total, first, second = _sizes(near)
    expected = total / (count * (count - 1.0))
    one, two, three, four = (float((x**power).sum()) for power in (1, 2, 3, 4))
    pairs = one**2 - two
    if count < _FEWEST or total == 0 or pairs == 0 or np.ptp(x) == 0:
        return _nothing(expected)
    squared = (
        ((count**2 - 3 * count + 3) * first - count * second + 3 * total**2) * two**2
        - ((count**2 - count) * first - 2 * count * second + 6 * total**2) * four
        - (2 * count * first - (count + 3) * second + 6 * total**2) * one**2 * two
        + (4 * (count - 1) * first - 2 * (count + 1) * second + 8 * total**2) * one * three
        + (first - second + total**2) * one**4
    )
    ways = count * (count - 1) * (count - 2) * (count - 3)
    variance = squared / (pairs**2 * ways) - expected**2

    def statistic(dealt: Floats) -> Floats:
        found: Floats = ((near @ dealt) * dealt).sum(axis=0) / pairs
        return found

    return _told(statistic, x, expected, variance, permutations, random_state)


@asks(within={"permutations": (0, np.inf)})
def join_counts(
    flags: pd.Series, weights: sp.csr_array, *, permutations: int = 0, random_state: int = 0
) -> dict[str, Association]:
    """Count the pairs of neighbours that both have something, that neither has, and that differ.

    Parameters
    ----------
    flags : Series of bool, shape (m,)
        Such as whether a grid was patrolled.
    weights : csr_array, shape (m, m)
        Who is a neighbour, without regard to the diagonal; a pair counts half of either weight.
    permutations, random_state : int
        As for `global_moran`.

    Returns
    -------
    dict of str to Association
        ``both``, ``neither`` and ``mixed``.

    Raises
    ------
    ConformError
        As for `global_moran`, or if a value is neither true nor false.

    References
    ----------
    Moran (1948), Journal of the Royal Statistical Society B 10(2); variance for a fixed number of
    flags (without replacement), Cliff and Ord (1981), Spatial Processes, section 1.4.

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in range(0, 800, 100)], crs=4549)
    >>> seen = pd.Series([True] * 4 + [False] * 4)
    >>> joins = analysis.join_counts(seen, analysis.rook(row))
    >>> {name: (each.value, each.expected) for name, each in joins.items()}
    {'both': (3.0, 1.5), 'neither': (3.0, 1.5), 'mixed': (1.0, 4.0)}
    """
    x, near = _given(flags.astype("float64"), weights)
    wrong = ~np.isin(x, (0.0, 1.0))
    if wrong.any():
        raise ConformError(
            "conform.flags", what="flags", value=str(flags.iloc[int(np.argmax(wrong))])
        )
    count, total, first, second = _sizes(near)
    have = int(x.sum())
    lack = count - have
    found = {}
    for name, some in (("both", x), ("neither", 1.0 - x)):
        expected, variance = _alike(int(some.sum()), count, total, first, second)

        def pairs(dealt: Floats) -> Floats:
            joined: Floats = 0.5 * ((near @ dealt) * dealt).sum(axis=0)
            return joined

        found[name] = _told(pairs, some, expected, variance, permutations, random_state)
    ways = [math.perm(count, k) or 1 for k in range(5)]
    expected = total * have * lack / ways[2]
    squared = 2 * first * have * lack / ways[2]
    squared += (second - 2 * first) * have * lack * (count - 2) / ways[3]
    squared += 4 * (total**2 + first - second) * math.perm(have, 2) * math.perm(lack, 2) / ways[4]

    def differing(dealt: Floats) -> Floats:
        joined: Floats = 0.5 * (
            ((near @ dealt) * (1.0 - dealt)).sum(axis=0)
            + ((near @ (1.0 - dealt)) * dealt).sum(axis=0)
        )
        return joined

    variance = squared / 4.0 - expected**2
    found["mixed"] = _told(differing, x, expected, variance, permutations, random_state)
    return found


def _alike(some: int, count: int, total: float, first: float, second: float) -> tuple[float, float]:
    """Return the mean and variance of the pairs of neighbours of which both are of `some`."""
    share = [math.perm(some, k) / (math.perm(count, k) or 1) for k in range(5)]
    expected = 0.5 * total * share[2]
    squared = first * share[2] + (second - 2 * first) * share[3]
    squared += (total**2 + first - second) * share[4]
    return expected, squared / 4.0 - expected**2


def _given(values: pd.Series, weights: sp.csr_array) -> tuple[Floats, sp.csr_array]:
    x = finite(values, "values")
    fitting(weights, len(x))
    return _enough(x), others_of(weights)


def _enough(x: Floats) -> Floats:
    if len(x) < _FEWEST:
        raise ConformError("conform.few_units", count=len(x), least=_FEWEST)
    return x


def _by_row(near: sp.csr_array) -> sp.csr_array:
    divided = near.copy()
    divided.data = near.data / np.repeat(near.sum(axis=1), np.diff(near.indptr))
    return divided


def _sizes(near: sp.csr_array) -> tuple[int, float, float, float]:
    """Return how many units there are, and S0, S1 and S2 of Cliff and Ord."""
    both = near + near.T
    first = 0.5 * float(both.power(2).sum())
    second = float(((near.sum(axis=0) + near.sum(axis=1)) ** 2).sum())
    return near.shape[0], float(near.sum()), first, second


def _nothing(expected: float) -> Association:
    return Association(math.nan, expected, math.nan, math.nan, math.nan, math.nan)


def _told(
    statistic: Callable[[Floats], Floats],
    values: Floats,
    expected: float,
    variance: float,
    permutations: int,
    random_state: int,
) -> Association:
    value = float(statistic(values[:, None])[0])
    flat = variance <= 0
    z = math.nan if flat else (value - expected) / math.sqrt(variance)
    p = math.nan if flat else float(2.0 * scipy.special.ndtr(-abs(z)))
    p_sim = math.nan
    if permutations:
        rng = np.random.default_rng(random_state)
        above = below = done = 0
        slack = 1e-12 * max(abs(value), abs(expected))
        while done < permutations:
            some = min(permutations - done, max(_AT_ONCE // len(values), 1))
            dealt = rng.permuted(np.broadcast_to(values, (some, len(values))), axis=1).T
            drawn = statistic(np.ascontiguousarray(dealt))
            above += int((drawn >= value - slack).sum())
            below += int((drawn <= value + slack).sum())
            done += some
        p_sim = min(2.0 * (min(above, below) + 1.0) / (permutations + 1.0), 1.0)
    return Association(value, expected, variance, z, p, p_sim)
