"""How likely chance alone gives a sum over neighbours as large, or as small, as the one observed.

Exact, so that no number of permutations is the least p there is. The null model is that the values
lie on the map at random. The sum of k neighbours is that of k values drawn from all n without
replacement. The number of ways to draw k values of sum s is the coefficient of ``y^k x^s`` in the
product of ``1 + y x^v`` over all values v; its elementary symmetric polynomials follow from power
sums by Newton's identities, here at every frequency of a Fourier transform in x.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.sparse as sp

__all__ = ["drawn_tails"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Steps of the sums. Values are rounded to it before anything is compared, so that what is tested
# is exact for the rounded ones.
_STEPS = 2**15
# Rounding of a Fourier transform, of probabilities that add up to 1.
_LEAST = 1e-14


def drawn_tails(values: Floats, links: sp.csr_array) -> tuple[Floats, Floats]:
    """Return how likely a sum of as many random values is at least, and at most, the observed one.

    Parameters
    ----------
    values : ndarray of float, shape (m,)
    links : csr_array, shape (m, m)
        Which units make up each sum; how large weights are does not count.

    Returns
    -------
    ndarray of float, shape (m,), twice
    """
    sizes = np.diff(links.indptr).astype(np.int64)
    above, below = np.ones(len(values)), np.ones(len(values))
    most = int(min(sizes.max(initial=0), len(values)))
    if most == 0:
        return above, below
    heights = _lattice(values, _STEPS // most)
    sums = _sums(links, heights)
    for size, chances in _chances(heights, sizes):
        rows = np.flatnonzero(sizes == size)
        at = sums[rows]
        above[rows] = _upper(chances)[at]
        below[rows] = _upper(chances[::-1])[::-1][at]
    return above, below


def _lattice(values: Floats, steps: int) -> Ints:
    """Return values as whole numbers from 0; the values themselves where they are such."""
    apart = values - values.min()
    if (values == np.rint(values)).all() and apart.max() <= steps:
        steps = int(apart.max())
    scaled: Floats = np.rint(apart * (steps / max(apart.max(), np.finfo(float).tiny)))
    return scaled.astype(np.int64)


def _sums(links: sp.csr_array, heights: Ints) -> Ints:
    ones = np.ones(len(links.data))
    binary = sp.csr_array((ones, links.indices, links.indptr), shape=links.shape)
    return np.rint(binary @ heights.astype(np.float64)).astype(np.int64)


def _chances(heights: Ints, sizes: Ints) -> Iterator[tuple[int, Floats]]:
    """Yield, for every size that there is, the chance of each sum of that many values."""
    count = len(heights)
    wanted = set(np.unique(sizes).tolist()) - {0}
    most = max(wanted)
    top = np.sort(heights)[::-1]
    length = scipy.fft.next_fast_len(int(top[:most].sum()) + 1, real=True)
    turns = np.arange(length // 2 + 1)
    whole = scipy.fft.fft(np.bincount(heights % length, minlength=length).astype(np.float64))
    powers: list[npt.NDArray[np.complex128]] = []
    made = [np.ones(len(turns), dtype=np.complex128)]
    for size in range(1, most + 1):
        powers.append(whole[(size * turns) % length])
        total = np.zeros(len(turns), dtype=np.complex128)
        share = 1.0 / size
        for step in range(1, size + 1):
            # C(n, size - step) / C(n, size), of which Newton's identities take 1/size.
            share *= (size - step + 1) / (count - size + step)
            term = share * powers[step - 1] * made[size - step]
            total += term if step % 2 else -term
            if share * count < _LEAST:
                break
        made.append(total)
        if size in wanted:
            reach = int(top[:size].sum()) + 1
            yield size, np.clip(scipy.fft.irfft(total, length)[:reach], 0.0, None)


def _upper(chances: Floats) -> Floats:
    """Return the chance of each sum or a larger one."""
    sums: Floats = np.cumsum(chances[::-1])[::-1]
    return np.clip(sums, _LEAST, 1.0)
