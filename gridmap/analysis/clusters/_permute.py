"""Conditional permutation: the compiled loops behind pseudo-p values.

The sum over k neighbours is compared with sums over k of the other n - 1 values, drawn without
replacement. All units share the draws, as positions among the others in order of size: that makes
the sums depend on the values alone and not on how the units are ordered. From one unit to the next
larger one, the others differ by one value, so that few of the sums change; they are kept sorted,
and a unit finds its rank among them by bisection.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = ["draws", "equal_ranks", "geary_ranks", "weighted_ranks"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

_SPARSE = 8  # others to a neighbour, from which on drawing until all differ is quick


def draws(others: int, most: int, permutations: int, random_state: int) -> Ints:
    """Draw positions without replacement.

    Parameters
    ----------
    others : int
        Positions to draw from.
    most : int
        How many each time; at most ``others``.
    permutations : int
    random_state : int

    Returns
    -------
    ndarray of int32, shape (permutations, most)
        The first k of a row are a sample of size k, in random order.
    """
    rng = np.random.default_rng(random_state)
    if most * _SPARSE > others:
        rows = [rng.permutation(others)[:most] for _ in range(permutations)]
        return np.array(rows, dtype=np.int32).reshape(permutations, most)
    drawn = rng.integers(others, size=(permutations, most), dtype=np.int32)
    while True:
        # What repeats an earlier one of its row is drawn again. No position is treated unlike
        # another, so every sample stays equally likely.
        order = np.argsort(drawn, axis=1, kind="stable")
        ordered = np.take_along_axis(drawn, order, axis=1)
        row, at = np.nonzero(ordered[:, 1:] == ordered[:, :-1])
        if not len(row):
            return drawn
        drawn[row, order[row, at + 1]] = rng.integers(others, size=len(row), dtype=np.int32)


@inner
def _sum(values: Floats, drawn: Ints, p: int, k: int, own: int) -> float:
    """Add up a sample of the values without the one at ``own``."""
    total = 0.0
    for j in range(k):
        at = drawn[p, j]
        total += values[at + (at >= own)]
    return total


@inner
def _below(ordered: Floats, value: float) -> int:
    """Return how many are smaller than a value."""
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def _up_to(ordered: Floats, value: float) -> int:
    """Return how many are no larger than a value."""
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) >> 1
        if ordered[middle] <= value:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def _lower(ordered: Floats, old: float, new: float) -> None:
    """Replace a value by one that is not larger."""
    stop, start = _below(ordered, old), _up_to(ordered, new)
    for at in range(stop, start, -1):
        ordered[at] = ordered[at - 1]
    ordered[start] = new


@kernel
def equal_ranks(
    values: Floats, own: Longs, degree: Longs, observed: Floats, order: Longs, drawn: Ints,
    events: Longs, begins: Longs, slack: float, above: Ints, below: Ints,
) -> None:  # fmt: skip
    """Compare sums over neighbours of equal weight with those of random neighbours.

    Parameters
    ----------
    values : ndarray of float64, shape (n,), ascending
    own : ndarray of int64, shape (n,)
        Where in ``values`` each unit is.
    degree : ndarray of int64, shape (n,)
        How many neighbours it has.
    observed : ndarray of float64, shape (n,)
        Their sum.
    order : ndarray of int64, shape (u,)
        The units to do, by degree, then by ``own``.
    drawn : ndarray of int32, shape (p, most)
    events : ndarray of int64, shape (p * most,)
        Flat positions in ``drawn``, by what is drawn there.
    begins : ndarray of int64, shape (n,)
        How many of them draw something smaller than each position.
    slack : float
        Sums that differ by less count as equal.
    above, below : ndarray of int32, shape (n,)
        Receive how many sums are at least and at most as large.
    """
    most = drawn.shape[1]
    sums = np.empty(len(drawn))
    ordered = np.empty(len(drawn))
    k, at = -1, 0
    for unit in order:
        if degree[unit] != k:
            k, at = degree[unit], own[unit]
            for p in range(len(drawn)):
                sums[p] = _sum(values, drawn, p, k, at)
            ordered[:] = np.sort(sums)
        last, at = at, own[unit]
        for event in events[begins[last] : begins[at]]:
            p = event // most
            if event - p * most < k:
                changed = _sum(values, drawn, p, k, at)
                if changed < sums[p]:
                    _lower(ordered, sums[p], changed)
                    sums[p] = changed
        above[unit] = len(sums) - _below(ordered, observed[unit] - slack)
        below[unit] = _up_to(ordered, observed[unit] + slack)


@kernel
def weighted_ranks(
    values: Floats, own: Longs, starts: Longs, weights: Floats, observed: Floats, units: Longs,
    drawn: Ints, slack: float, above: Ints, below: Ints,
) -> None:  # fmt: skip
    """Compare weighted sums over neighbours with those of random neighbours.

    Parameters
    ----------
    values, own, observed, drawn, slack, above, below
        As for `equal_ranks`.
    starts : ndarray of int64, shape (n + 1,)
    weights : ndarray of float64, shape (starts[-1],)
        Of the neighbours of each unit, descending.
    units : ndarray of int64, shape (u,)
        The units to do.
    """
    for unit in units:
        weight = weights[starts[unit] : starts[unit + 1]]
        low, high = observed[unit] - slack, observed[unit] + slack
        for p in range(len(drawn)):
            total = 0.0
            for j in range(len(weight)):
                at = drawn[p, j]
                total += weight[j] * values[at + (at >= own[unit])]
            above[unit] += total >= low
            below[unit] += total <= high


@kernel
def geary_ranks(
    ordered: Floats,
    own: Longs,
    starts: Longs,
    members: Longs,
    weights: Floats,
    drawn: Ints,
    above: Ints,
    below: Ints,
) -> None:
    """Count how many random neighbours differ at least, and at most, as much as those there are."""
    for unit in range(len(own)):
        first, last = starts[unit], starts[unit + 1]
        value = ordered[own[unit]]
        seen = 0.0
        for k in range(first, last):
            seen += weights[k] * (value - ordered[own[members[k]]]) ** 2
        slack = 1e-12 * max(seen, 1.0)
        for p in range(len(drawn)):
            total = 0.0
            for k in range(last - first):
                at = drawn[p, k]
                total += weights[first + k] * (value - ordered[at + (at >= own[unit])]) ** 2
            above[unit] += total >= seen - slack
            below[unit] += total <= seen + slack
