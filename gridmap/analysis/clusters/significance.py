"""How likely chance alone gives what is seen: conditional permutation."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from gridmap.analysis._doors import asks
from gridmap.analysis.clusters._permute import draws, equal_ranks, weighted_ranks

__all__ = ["Ranks", "neighbour_ranks", "pseudo_p"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Alternative = Literal["two-sided", "greater", "less"]

_ROUNDING = 1e-12  # of the largest value, for each value in a sum


class Ranks(NamedTuple):
    """How a sum over neighbours compares with sums over random ones.

    Parameters
    ----------
    above, below : ndarray of int32, shape (m,)
        How many of the random sums are at least, and at most, as large as the observed one.
    permutations : int
    """

    above: Ints
    below: Ints
    permutations: int


@asks()
def neighbour_ranks(
    values: Floats, weights: sp.csr_array, *, permutations: int = 999, random_state: int = 0
) -> Ranks:
    """Compare every unit's neighbours with others drawn at random: conditional permutation.

    The unit keeps its value; its k neighbours are replaced by k of the other m - 1 units, drawn
    without replacement. All units share the draws, which are taken from the values in order of
    size: neither the order of the units nor the number of threads changes the result.

    Parameters
    ----------
    values : ndarray of float, shape (m,)
        Finite.
    weights : csr_array, shape (m, m)
        What is on the diagonal does not count.
    permutations : int
    random_state : int

    Returns
    -------
    Ranks
        For a unit without neighbours, all sums are equal.

    References
    ----------
    Anselin (1995), Geographical Analysis 27(2), section 3.2.

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in range(0, 600, 100)], crs=4549)
    >>> values = np.array([8.0, 9.0, 8.0, 0.0, 1.0, 0.0])
    >>> ranks = analysis.neighbour_ranks(values, analysis.rook(row), permutations=99)
    >>> int(ranks.below[1]), int(ranks.above[4])
    (99, 99)

    No sum of two others is above the 16 beside the second unit, or below the 0 beside the fifth.
    """
    count = len(values)
    above = np.zeros(count, dtype=np.int32)
    below = np.zeros(count, dtype=np.int32)
    ranks = Ranks(above, below, permutations)
    if not count:
        return ranks
    links = _links(weights)
    degree = np.diff(links.indptr).astype(np.int64)
    own = np.empty(count, dtype=np.int64)
    own[np.argsort(values, kind="stable")] = np.arange(count)
    ordered = np.sort(values)
    drawn = draws(count - 1, int(degree.max()), permutations, random_state)
    events = np.argsort(drawn, axis=None, kind="stable")
    begins = np.searchsorted(drawn.ravel()[events], np.arange(count))
    alike = _alike(links)
    # Sums of integers are exact; others depend on the order in which they are added.
    exact = bool((values == np.rint(values)).all())
    slack = float(_ROUNDING * np.abs(values).max() * max(degree.max(), 1))
    units = np.flatnonzero(alike)
    equal_ranks(
        ordered, own, degree, _sums(links, values), units[np.lexsort((own[units], degree[units]))],
        drawn, events, begins, 0.0 if exact else slack, above, below,
    )  # fmt: skip
    weighted_ranks(
        ordered, own, links.indptr.astype(np.int64), links.data, links @ values,
        np.flatnonzero(~alike), drawn, slack * float(np.abs(links.data).max(initial=0.0)),
        above, below,
    )  # fmt: skip
    return ranks


@asks()
def pseudo_p(ranks: Ranks, *, alternative: Alternative = "two-sided") -> Floats:
    """Return pseudo-p values.

    Parameters
    ----------
    ranks : Ranks
    alternative : {"two-sided", "greater", "less"}
        ``greater`` is ``(a + 1) / (M + 1)`` where a of M random sums are at least as large as the
        observed one, ``less`` the same with those at most as large, and ``two-sided`` twice the
        smaller of both, at most 1.

    Returns
    -------
    ndarray of float, shape (m,)
        Never 0: the least is ``1 / (M + 1)``, or twice that if two-sided.

    References
    ----------
    North, Curtis and Sham (2002), American Journal of Human Genetics 71(2), for the added 1.

    Examples
    --------
    >>> from gridmap.analysis.clusters.significance import Ranks
    >>> ranks = Ranks(above=np.array([0, 49]), below=np.array([99, 50]), permutations=99)
    >>> analysis.pseudo_p(ranks, alternative="greater").tolist()
    [0.01, 0.5]
    >>> analysis.pseudo_p(ranks).tolist()
    [0.02, 1.0]
    """
    greater: Floats = (ranks.above.astype(np.float64) + 1.0) / (ranks.permutations + 1.0)
    less: Floats = (ranks.below.astype(np.float64) + 1.0) / (ranks.permutations + 1.0)
    if alternative == "two-sided":
        twice: Floats = np.minimum(2.0 * np.minimum(greater, less), 1.0)
        return twice
    return greater if alternative == "greater" else less


def _links(weights: sp.csr_array) -> sp.csr_array:
    """Return the weights of others, those of a row in descending order."""
    links = weights.tocoo()
    kept = (links.row != links.col) & (links.data != 0)
    row, column, data = links.row[kept], links.col[kept], links.data[kept].astype(np.float64)
    order = np.lexsort((-data, row))
    starts = np.searchsorted(row[order], np.arange(weights.shape[0] + 1))
    return sp.csr_array((data[order], column[order], starts), shape=weights.shape)


def _alike(links: sp.csr_array) -> npt.NDArray[np.bool_]:
    """Return which rows have one positive weight throughout, or none."""
    alike = np.ones(links.shape[0], dtype=bool)
    some = np.flatnonzero(np.diff(links.indptr))
    least = links.data[links.indptr[some + 1] - 1]
    alike[some] = (least > 0) & (links.data[links.indptr[some]] == least)
    return alike


def _sums(links: sp.csr_array, values: Floats) -> Floats:
    ones = np.ones(len(links.data))
    binary = sp.csr_array((ones, links.indices, links.indptr), shape=links.shape)
    return np.asarray(binary @ values)
