"""How likely neighbours count as much as they do, if each unit has a rate of its own by chance.

The null model of counts by exposure: the rate of each unit is drawn from one distribution, of
whatever form, and its count is Poisson at that rate. The distribution is the one that makes all
counts likeliest (Kiefer and Wolfowitz 1956; Laird 1978), which needs no form to be believed in:
Poisson, negative binomial and zero-inflated counts are cases of it. Neighbours that are high
together, more than units drawn at random would be, stand out.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.sparse as sp

from gridmap.compiled import kernel

__all__ = ["counted_tails", "rate_mixture"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Rates that the distribution may have, beside nought, each some way above the one before.
_RATES = 48
_ROUNDS = 250
_NEGLIGIBLE = 1e-7
# Longest transform. Larger sums are counted in twos, threes and so on, as if events came in such
# groups: a little more chance than there is, so that no p is too small.
_LONGEST = 2**15
_BLOCK = 64
# Where many units expect about the same, they are taken to expect the same: alike by this share for
# the distribution of rates, and for p by this share of what chance moves a neighbourhood by.
_ALIKE = 0.01
_ROUNDING = 0.05
# Rounding of the sums over all frequencies.
_LEAST = 1e-13


def counted_tails(counts: Floats, exposure: Floats, links: sp.csr_array) -> tuple[Floats, Floats]:
    """Return how likely a neighbourhood counts at least, and at most, as much as it does.

    Parameters
    ----------
    counts, exposure : ndarray of float, shape (m,)
        Exposures above zero.
    links : csr_array, shape (m, m)
        Which units make up each neighbourhood: one at least.

    Returns
    -------
    ndarray of float, shape (m,), twice
    """
    total = counts.sum()
    if total == 0:
        return np.ones(len(counts)), np.ones(len(counts))
    ones = sp.csr_array((np.ones(len(links.data)), links.indices, links.indptr), shape=links.shape)
    expected = exposure * (total / exposure.sum())
    rates, shares = rate_mixture(counts, expected)
    levels, level = _levels(expected, _ROUNDING / math.sqrt(float((ones @ expected).max())))
    seen: Floats = np.rint(np.asarray(ones @ counts))
    reach = np.maximum(_reach(levels, level, rates, shares, ones), seen + 2.0)
    group = math.ceil(reach.max() / _LONGEST)
    if group > 1:
        levels, seen = levels / group, np.rint(seen / group)
        reach = np.maximum(_reach(levels, level, rates, shares, ones), seen + 2.0)
    above, below = np.empty(len(counts)), np.empty(len(counts))
    size = np.ceil(np.log2(reach))
    for each in np.unique(size):
        rows = np.flatnonzero(size == each)
        part = ones[rows]
        used, at = np.unique(level[part.indices], return_inverse=True)
        length = scipy.fft.next_fast_len(math.ceil(reach[rows].max()), real=True)
        above[rows], below[rows] = _inverted(
            levels[used], rates, shares, part.indptr.astype(np.int64), at.astype(np.int64),
            seen[rows].astype(np.int64), length,
        )  # fmt: skip
    return np.clip(above, _LEAST, 1.0), np.clip(below, _LEAST, 1.0)


def _levels(values: Floats, step: float) -> tuple[Floats, Ints]:
    """Return values a share apart, and which of them each is; all as they are if few are alike."""
    steps, level = np.unique(np.rint(np.log(values) / step), return_inverse=True)
    if 2 * len(steps) > len(values):
        return values, np.arange(len(values))
    return np.exp(steps * step), level.astype(np.int64)


def rate_mixture(counts: Floats, expected: Floats) -> tuple[Floats, Floats]:
    """Return the distribution of rates that makes counts likeliest.

    Parameters
    ----------
    counts : ndarray of float, shape (m,)
        Not all nought.
    expected : ndarray of float, shape (m,)
        Counts at the rate of 1, all above zero.

    Returns
    -------
    rates, shares : ndarray of float, shape (k,)
        The shares add up to 1.

    References
    ----------
    Laird (1978), Journal of the American Statistical Association 73(364): by expectation and
    maximisation, here over fixed rates between the least and the largest that was counted.
    """
    counted = counts[counts > 0] / expected[counts > 0]
    least, most = min(counted.min(), 0.05), max(counted.max(), 1.5)
    rates = np.concatenate([[0.0], np.geomspace(least, most, _RATES)])
    # Units with as many and about the same expectation are one row.
    levels, level = _levels(expected, _ALIKE)
    alike, times = np.unique(np.column_stack([levels[level], counts]), axis=0, return_counts=True)
    mean, many = np.outer(alike[:, 0], rates), alike[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(many == 0, -mean, many * np.log(mean) - mean)
    likely = np.exp(logs - logs.max(axis=1, keepdims=True))
    shares = np.full(len(rates), 1.0 / len(rates))
    for _ in range(_ROUNDS):
        shares *= (times / (likely @ shares)) @ likely / len(counts)
    kept = shares > _NEGLIGIBLE
    return rates[kept], shares[kept] / shares[kept].sum()


def _reach(
    expected: Floats, level: Ints, rates: Floats, shares: Floats, ones: sp.csr_array
) -> Floats:
    """Return counts that neighbourhoods reach with a chance below rounding (Chernoff 1952)."""
    reach = np.full(len(level), np.inf)
    for turn in np.geomspace(1e-4, 4.0, 40):
        powers = np.outer(expected, rates) * math.expm1(turn)
        top = powers.max(axis=1)
        growth = top + np.log(np.exp(powers - top[:, None]) @ shares)
        reach = np.minimum(reach, (ones @ growth[level] - math.log(_LEAST)) / turn)
    return reach


@kernel
def _inverted(
    expected: Floats,
    rates: Floats,
    shares: Floats,
    starts: Ints,
    members: Ints,
    seen: Ints,
    length: int,
) -> tuple[Floats, Floats]:
    """Return both tails of the counts of neighbourhoods, from their characteristic functions.

    Of a sum of independent counts it is the product of those of the counts; the chance of a count
    is its Fourier transform (Gil-Pelaez 1951, on a lattice).
    """
    rows = len(seen)
    below, equal = np.empty(rows), np.empty(rows)
    for row in range(rows):
        below[row], equal[row] = (seen[row] + 1.0) / length, 1.0 / length
    each = np.empty((len(expected), _BLOCK), np.complex128)
    for first in range(1, length // 2 + 1, _BLOCK):
        count = min(_BLOCK, length // 2 + 1 - first)
        for unit in range(len(expected)):
            for at in range(count):
                angle = 2.0 * math.pi * (first + at) / length
                across, along = math.cos(angle) - 1.0, math.sin(angle)
                total = 0.0 + 0.0j
                for k in range(len(rates)):
                    mean = expected[unit] * rates[k]
                    size = shares[k] * math.exp(mean * across)
                    total += complex(size * math.cos(mean * along), size * math.sin(mean * along))
                each[unit, at] = total
        for row in range(rows):
            for at in range(count):
                product = 1.0 + 0.0j
                for k in range(starts[row], starts[row + 1]):
                    product *= each[members[k], at]
                angle = 2.0 * math.pi * (first + at) / length
                weight = (1.0 if 2 * (first + at) == length else 2.0) / length
                back = cmath.exp(complex(0.0, -angle * seen[row]))
                turn = cmath.exp(complex(0.0, -angle))
                equal[row] += weight * (product * back).real
                below[row] += weight * (product * (1.0 - back * turn) / (1.0 - turn)).real
    return 1.0 - below + equal, below
