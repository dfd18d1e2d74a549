"""Where points lie: the compiled loop that asks the cells of `_cells`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmap.analysis.location._buckets import (
    AFTER,
    DEEPEST,
    DOUBT,
    INVERT,
    NEAR,
    QUANTA,
    RIM,
    UNSURE,
    Table,
)
from gridmap.compiled import inner, kernel

__all__ = ["locate"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

BATCH = 1024


@inner
def _decide(words: Ints, at: int, area: int, x: int, y: int, doubt: int) -> int:
    """Return the area of a point in a cell with borders, or NEAR + 1."""
    count = words[at + 1]
    if count == UNSURE:
        return NEAR + 1
    near = False
    # Without branches: which side a point is on cannot be foreseen.
    for k in range(at + 2, at + 2 + 3 * count, 3):
        low, high, turn = words[k], words[k + 1], words[k + 2]
        x1, y1 = low & 0xFFFF, (low >> 16) & 0xFFFF
        dx, dy = (high & 0xFFFF) - x1, ((high >> 16) & 0xFFFF) - y1
        up = y - y1
        right = dy * (x - x1) - dx * up
        beside = (up >= 0) & (up < dy) & ((right > 0) != ((turn & INVERT) != 0))
        beyond = (up >= dy) & (turn & AFTER != 0)
        area ^= (turn >> 2) * (beside | beyond)
        close = abs(right) <= doubt * (abs(dx) + dy)
        near |= close & (up >= -doubt) & (up <= dy + doubt)
    return NEAR + 1 if near else area


@kernel
def locate(table: Table, x: Floats, y: Floats, margin: float, out: Ints) -> None:
    """Write the area of each point from 0, NOWHERE, or NEAR where that is in doubt.

    Each step runs over a batch of points: reads that do not depend on each other overlap.

    Parameters
    ----------
    table : Table
    x, y : ndarray of float64, shape (n,), metres
    margin : float
        In blocks; a point closer to a border is in doubt.
    out : ndarray of int32, shape (n,)
    """
    column, row = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32)
    place, value = np.empty(BATCH, np.int64), np.empty(BATCH, np.int64)
    which, corner = np.empty(BATCH, np.int32), np.empty(BATCH, np.int32)
    fine = float(1 << DEEPEST)
    for begin in range(0, len(x), BATCH):
        many = min(BATCH, len(x) - begin)
        for i in range(many):
            tx = (x[begin + i] - table.origin_x) * table.per_m
            ty = (y[begin + i] - table.origin_y) * table.per_m
            inside = (tx >= 0.0) & (ty >= 0.0) & (tx < table.columns) & (ty < table.rows)
            column[i] = np.int32((tx if inside else 0.0) * fine)
            row[i] = np.int32((ty if inside else 0.0) * fine)
            block = (row[i] >> DEEPEST) * table.columns + (column[i] >> DEEPEST)
            place[i] = block if inside else len(table.blocks) - 1
        for i in range(many):
            value[i] = table.blocks[place[i]]
        cut = 0
        for i in range(many):
            out[begin + i] = value[i] - 1
            which[cut] = i
            value[cut] = value[i]
            cut += value[i] < 0
        for j in range(cut):
            i, block = which[j], ~value[j]
            halvings = block & 15
            shift, last = DEEPEST - halvings, (1 << halvings) - 1
            value[j] = halvings
            place[j] = (
                (block >> 4) + ((row[i] >> shift & last) << halvings) + (column[i] >> shift & last)
            )
        for j in range(cut):
            place[j] = table.cells[place[j]]
        edge = 0
        for j in range(cut):
            i, area = which[j], place[j]
            out[begin + i] = area - 1
            which[edge] = i
            value[edge] = value[j]
            place[edge] = ~area
            edge += area < 0
        for j in range(edge):
            corner[j] = table.words[place[j]]
        for j in range(edge):
            i = which[j]
            across = table.per_m * float(1 << value[j])
            tx = (x[begin + i] - table.origin_x) * across
            ty = (y[begin + i] - table.origin_y) * across
            px = int((tx - np.floor(tx) + RIM) * QUANTA)
            py = int((ty - np.floor(ty) + RIM) * QUANTA)
            doubt = DOUBT + int(margin * float(1 << value[j]) * QUANTA)
            out[begin + i] = _decide(table.words, place[j], corner[j], px, py, doubt) - 1
