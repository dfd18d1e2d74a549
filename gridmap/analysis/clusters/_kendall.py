"""Pairs, slopes and the memory of many series: the compiled loops behind `mann_kendall`."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = ["kendall"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

# Residuals that differ by less, as a share of the span of their series, are equal.
_ROUNDING = 1e-9


@inner
def _score(series: Floats, count: int) -> tuple[int, int]:
    """Return rises less falls, and how many pairs are equal."""
    rises = falls = 0
    for i in range(count - 1):
        value = series[i]
        for j in range(i + 1, count):
            rises += series[j] > value
            falls += series[j] < value
    return rises - falls, count * (count - 1) // 2 - rises - falls


@inner
def _variance(series: Floats, count: int, equal: int) -> float:
    """Return the variance of the score, groups of equal values allowed for."""
    variance = count * (count - 1.0) * (2.0 * count + 5.0)
    if equal:
        ordered = np.sort(series[:count])
        group = 1.0
        for i in range(1, count + 1):
            if i < count and ordered[i] == ordered[i - 1]:
                group += 1.0
                continue
            variance -= group * (group - 1.0) * (2.0 * group + 5.0)
            group = 1.0
    return variance / 18.0


@inner
def _slope(series: Floats, bins: Longs, count: int, slopes: Floats) -> float:
    """Return the median of the slopes of all pairs; 0 where there is none."""
    found = 0
    for i in range(count - 1):
        for j in range(i + 1, count):
            slopes[found] = (series[j] - series[i]) / (bins[j] - bins[i])
            found += 1
    return float(np.median(slopes[:found])) if found else 0.0


@inner
def _memory(series: Floats, bins: Longs, count: int, slope: float, ranks: Floats) -> float:
    """Return how the ranks of neighbours correlate once the slope is taken off."""
    if count < 2:  # noqa: PLR2004 - neighbours are two
        return 0.0
    alike = _ROUNDING * (series[:count].max() - series[:count].min())
    for i in range(count):
        own = series[i] - slope * bins[i]
        ranks[i] = 0.0
        for j in range(count):
            ahead = series[j] - slope * bins[j] - own
            if ahead < -alike:
                ranks[i] += 1.0
            elif ahead <= alike:
                ranks[i] += 0.5
    ranks[:count] -= ranks[:count].mean()
    spread = (ranks[:count] ** 2).sum()
    if spread <= 0.0:
        return 0.0
    return float((ranks[1:count] * ranks[: count - 1]).sum() / spread)


@kernel
def kendall(
    values: Floats,
    counts: Longs,
    score: Longs,
    variance: Floats,
    slope: Floats,
    memory: Floats,
) -> None:
    """Write of each row what it holds without NaN.

    Parameters
    ----------
    values : ndarray of float, shape (m, t)
    counts : ndarray of int64, shape (m,)
        How many values.
    score : ndarray of int64, shape (m,)
        Rises less falls.
    variance : ndarray of float, shape (m,)
        Of the score, were the values independent.
    slope : ndarray of float, shape (m,)
        The median of the slopes of all pairs.
    memory : ndarray of float, shape (m,)
        The correlation of the ranks of neighbours, the slope taken off.
    """
    width = values.shape[1]
    series, ranks, bins = np.empty(width), np.empty(width), np.empty(width, np.int64)
    slopes = np.empty(max(width * (width - 1) // 2, 1))
    for row in range(len(values)):
        count = 0
        for at in range(width):
            if not math.isnan(values[row, at]):
                series[count] = values[row, at]
                bins[count] = at
                count += 1
        counts[row] = count
        score[row], equal = _score(series, count)
        variance[row] = _variance(series, count, equal)
        slope[row] = _slope(series, bins, count, slopes)
        memory[row] = _memory(series, bins, count, slope[row], ranks)
