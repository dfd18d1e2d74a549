"""The Mann-Kendall score of many series: the compiled loop behind `mann_kendall`."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = ["kendall"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]


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


@kernel
def kendall(values: Floats, score: Longs, pairs: Longs, z: Floats, p: Floats) -> None:
    """Write score, number of pairs, z and two-sided p of each row; NaN in a row is left out."""
    series = np.empty(values.shape[1])
    for row in range(len(values)):
        count = 0
        for value in values[row]:
            if not math.isnan(value):
                series[count] = value
                count += 1
        found, equal = _score(series, count)
        score[row] = found
        pairs[row] = count * (count - 1) // 2
        z[row] = 0.0
        variance = _variance(series, count, equal)
        if found != 0:
            z[row] = (found - 1.0 if found > 0 else found + 1.0) / math.sqrt(variance)
        p[row] = math.erfc(abs(z[row]) / math.sqrt(2.0))
