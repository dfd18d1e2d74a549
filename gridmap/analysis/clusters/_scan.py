"""The compiled loops of the space-time scan: every cylinder that ends now, of every replicate."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = ["best_of_each", "largest"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]


@inner
def _ratio(cases: float, expected: float, total: float) -> float:
    """Return the logarithm of the likelihood ratio of more inside than outside."""
    found = cases * math.log(cases / expected)
    if total > cases:
        found += (total - cases) * math.log((total - cases) / (total - expected))
    return found


@inner
def _beats(cases: float, expected: float, total: float, best: float) -> bool:
    """Tell whether a ratio can be above another, without a logarithm.

    With d = c - m above 0, ``c log(c/m) - d <= d^2 / 2m`` and the part of those outside is at most
    ``-d + d^2 / (C - m)``.
    """
    above = cases - expected
    rest = total - expected
    return above > 0.0 and above * above * (rest + 2.0 * expected) > best * 2.0 * expected * rest


@kernel
def largest(
    recent: Ints,
    order: Ints,
    starts: Longs,
    last: npt.NDArray[np.bool_],
    share: Floats,
    lengths: Floats,
    total: float,
) -> float:
    """Return the largest ratio of all cylinders.

    Parameters
    ----------
    recent : ndarray of int32, shape (m, l)
        Cases of each unit in its last 1, 2, ... l bins.
    order : ndarray of int32
        Units about each centre, the nearest first, one centre after the other.
    starts : ndarray of int64, shape (centres + 1,)
    last : ndarray of bool, as order
        Whether the next unit is further away: a circle holds all that are as near.
    share : ndarray of float, shape (m,)
        Of what is expected.
    lengths : ndarray of float, shape (l,)
        What is expected of all units in the last 1, 2, ... l bins.
    total : float
        All cases.
    """
    best = 0.0
    span = len(lengths)
    inside = np.empty(span)
    for centre in range(len(starts) - 1):
        inside[:] = 0.0
        held = 0.0
        more = False
        for k in range(starts[centre], starts[centre + 1]):
            unit = order[k]
            held += share[unit]
            if recent[unit, span - 1] > 0:
                more = True
                for at in range(span):
                    inside[at] += recent[unit, at]
            # Without a case more a larger circle has no larger ratio.
            if not (last[k] and more):
                continue
            more = False
            for at in range(span):
                expected = held * lengths[at]
                if _beats(inside[at], expected, total, best):
                    best = max(best, _ratio(inside[at], expected, total))
    return best


@kernel
def best_of_each(
    recent: Ints,
    order: Ints,
    starts: Longs,
    last: npt.NDArray[np.bool_],
    share: Floats,
    lengths: Floats,
    total: float,
) -> tuple[Floats, Longs, Longs]:
    """Return the largest ratio about each centre, of how many units, and of how many bins."""
    count, span = len(starts) - 1, len(lengths)
    ratio = np.zeros(count)
    units, bins = np.zeros(count, np.int64), np.zeros(count, np.int64)
    inside = np.empty(span)
    for centre in range(count):
        inside[:] = 0.0
        held = 0.0
        for k in range(starts[centre], starts[centre + 1]):
            held += share[order[k]]
            for at in range(span):
                inside[at] += recent[order[k], at]
            if not last[k]:
                continue
            for at in range(span):
                expected = held * lengths[at]
                if _beats(inside[at], expected, total, ratio[centre]):
                    found = _ratio(inside[at], expected, total)
                    if found > ratio[centre]:
                        ratio[centre], bins[centre] = found, at + 1
                        units[centre] = k - starts[centre] + 1
    return ratio, units, bins
