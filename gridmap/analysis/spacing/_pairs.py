"""The compiled loops of K functions: pairs of points within some distances."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmap.compiled import kernel

__all__ = ["counts_within", "labelled_pairs", "shelved"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]


def shelved(x: Floats, y: Floats, reach: float) -> tuple[Longs, Longs, float, float, int, int]:
    """Sort points into square cells as wide as the reach, with a rim of empty ones.

    Returns
    -------
    order, starts : ndarray of int64
        ``order[starts[c]:starts[c + 1]]`` are the points in cell ``c``.
    west, south : float
    rows, columns : int
    """
    west, south = float(x.min()) - reach, float(y.min()) - reach
    columns = int((x.max() - west) / reach) + 3
    rows = int((y.max() - south) / reach) + 3
    cell = ((y - south) / reach).astype(np.int64) * columns + ((x - west) / reach).astype(np.int64)
    order = np.argsort(cell, kind="stable").astype(np.int64)
    starts = np.r_[0, np.cumsum(np.bincount(cell, minlength=rows * columns))].astype(np.int64)
    return order, starts, west, south, rows, columns


@kernel
def counts_within(
    x: Floats,
    y: Floats,
    others_x: Floats,
    others_y: Floats,
    order: Longs,
    starts: Longs,
    west: float,
    south: float,
    rows: int,
    columns: int,
    distances: Floats,
) -> Longs:
    """Count other points within some distances of each.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
    others_x, others_y : ndarray of float, shape (o,)
    order, starts, west, south, rows, columns
        As of `shelved` for the others and the largest distance.
    distances : ndarray of float, shape (d,), rising

    Returns
    -------
    ndarray of int64, shape (n, d)
        Also of itself, where a point is among the others.
    """
    reach = distances[-1]
    squares = distances * distances
    count = len(distances)
    found = np.zeros((len(x), count), np.int64)
    for i in range(len(x)):
        row, column = int((y[i] - south) // reach), int((x[i] - west) // reach)
        for near_row in range(max(row - 1, 0), min(row + 2, rows)):
            for near_column in range(max(column - 1, 0), min(column + 2, columns)):
                cell = near_row * columns + near_column
                for at in range(starts[cell], starts[cell + 1]):
                    other = order[at]
                    away = (others_x[other] - x[i]) ** 2 + (others_y[other] - y[i]) ** 2
                    for d in range(count):
                        if away <= squares[d]:
                            found[i, d] += 1
                            break
        for d in range(1, count):
            found[i, d] += found[i, d - 1]
    return found


@kernel
def labelled_pairs(
    x: Floats,
    y: Floats,
    order: Longs,
    starts: Longs,
    west: float,
    south: float,
    rows: int,
    columns: int,
    distances: Floats,
    labels: Ints,
    kinds: int,
) -> Longs:
    """Count pairs of points of one label within some distances, for several ways of labelling.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
    order, starts, west, south, rows, columns
        As of `shelved` for the points and the largest distance.
    distances : ndarray of float, shape (d,), rising
    labels : ndarray of int32, shape (n, s)
        From 0, of every point and way of labelling.
    kinds : int
        How many labels there are.

    Returns
    -------
    ndarray of int64, shape (s, kinds, d)
        Each pair once.
    """
    reach = distances[-1]
    squares = distances * distances
    count = len(distances)
    ways = labels.shape[1]
    found = np.zeros((ways, kinds, count), np.int64)
    for i in range(len(x)):
        row, column = int((y[i] - south) // reach), int((x[i] - west) // reach)
        for near_row in range(max(row - 1, 0), min(row + 2, rows)):
            for near_column in range(max(column - 1, 0), min(column + 2, columns)):
                cell = near_row * columns + near_column
                for at in range(starts[cell], starts[cell + 1]):
                    other = order[at]
                    if other <= i:
                        continue
                    away = (x[other] - x[i]) ** 2 + (y[other] - y[i]) ** 2
                    ring = np.searchsorted(squares, away)
                    if ring == count:
                        continue
                    for way in range(ways):
                        label = labels[i, way]
                        if label == labels[other, way]:
                            found[way, label, ring] += 1
    for d in range(1, count):
        found[:, :, d] += found[:, :, d - 1]
    return found
