"""Random streams and smooth random fields that give neighbouring places similar character."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def stream(random_state: int, stage: str) -> np.random.Generator:
    """Open the stage's own random stream, so that one stage's draws never shift another's."""
    return np.random.default_rng([random_state, *stage.encode()])


def smooth_field(
    xy: FloatArray, rng: np.random.Generator, *, wavelength_m: tuple[float, float], waves: int = 7
) -> FloatArray:
    """Evaluate a sum of plane waves of random direction: a stationary field, variance about 1.

    Parameters
    ----------
    xy : array, shape (..., 2), metres
        Where to evaluate it.
    rng : numpy.random.Generator
        Draws directions, lengths and phases.
    wavelength_m : tuple of float, metres
        Shortest and longest wave.
    waves : int
        How many waves.

    Returns
    -------
    array, shape (...)
        The field's values.
    """
    direction = rng.uniform(0, 2 * np.pi, waves)
    number = 2 * np.pi / rng.uniform(*wavelength_m, waves)
    phase = rng.uniform(0, 2 * np.pi, waves)
    total = np.zeros(xy.shape[:-1])
    for k, theta, shift in zip(number, direction, phase, strict=True):
        total += np.cos(k * (xy[..., 0] * np.cos(theta) + xy[..., 1] * np.sin(theta)) + shift)
    return np.asarray(total / np.sqrt(waves / 2))


def ranks_within(groups: IntArray) -> IntArray:
    """Count off the rows of each group, 0, 1, 2, ..., in row order.

    Parameters
    ----------
    groups : array of int
        The group of each row; groups need not be contiguous.

    Returns
    -------
    array of int
        Each row's rank among the rows of its group.
    """
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(ordered)])
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return ranks
