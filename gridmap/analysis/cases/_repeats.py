"""Loops that find what happened again near by: cells of the distance asked for, times within."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = ["Shelves", "counts_before", "first_after", "heads_of", "pairs_after", "shelve"]

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_MOST_CELLS = 1_000_000  # each way, so that keys of cells fit in 64 bits


class Shelves(NamedTuple):
    """Cases by kind, cell and then time.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        The rows in this order; of it are the other arrays.
    kind, column, row : ndarray of int, shape (n,)
    x, y : ndarray of float, shape (n,), metres
    opened, closed : ndarray of int, shape (n,)
        The greatest instant where a case is not closed.
    keys : ndarray of int, shape (cells,)
        Of the cells that are not empty, in order.
    starts : ndarray of int, shape (cells + 1,)
    columns, rows : int
        How many cells there are each way, with an empty one around.
    """

    order: Longs
    kind: Longs
    column: Longs
    row: Longs
    x: Floats
    y: Floats
    opened: Longs
    closed: Longs
    keys: Longs
    starts: Longs
    columns: int
    rows: int


def shelve(
    x: Floats, y: Floats, kind: Longs, opened: Longs, closed: Longs, within_m: float
) -> Shelves:
    """Put cases on shelves; at least one."""
    extent = max(float(np.ptp(x)), float(np.ptp(y)))
    cell = max(within_m, extent / _MOST_CELLS)
    column = np.floor((x - x.min()) / cell).astype(np.int64) + 1
    row = np.floor((y - y.min()) / cell).astype(np.int64) + 1
    columns, rows = int(column.max()) + 2, int(row.max()) + 2
    key = (kind * rows + row) * columns + column
    order = np.lexsort((np.arange(len(x)), opened, key))
    keys, starts = np.unique(key[order], return_index=True)
    return Shelves(
        order.astype(np.int64), kind[order], column[order], row[order], x[order], y[order],
        opened[order], closed[order], keys, np.append(starts, len(x)).astype(np.int64),
        columns, rows,
    )  # fmt: skip


@inner
def _shelf(shelves: Shelves, key: int) -> int:
    """Return the place of a cell among those that are not empty, or -1."""
    at = int(np.searchsorted(shelves.keys, key))
    return at if at < len(shelves.keys) and shelves.keys[at] == key else -1


@inner
def _next(shelves: Shelves, shelf: int, moment: int) -> int:
    """Return the first case of a cell that was opened after a moment."""
    low, high = int(shelves.starts[shelf]), int(shelves.starts[shelf + 1])
    while low < high:
        middle = (low + high) // 2
        if shelves.opened[middle] > moment:
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def pairs_after(shelves: Shelves, within_m: float, span: int, earlier: Longs, later: Longs) -> int:
    """Write the pairs of cases of one kind of which one was opened soon after the other's closing.

    Parameters
    ----------
    shelves : Shelves
    within_m : float, metres
    span : int
        How long after the closing.
    earlier, later : ndarray of int, shape (k,)
        Where to write them; nothing is written beyond.

    Returns
    -------
    int
        How many there are.
    """
    never = np.iinfo(np.int64).max
    count = 0
    for case in range(len(shelves.x)):
        if shelves.closed[case] == never:
            continue
        for side in range(9):
            row, column = shelves.row[case] + side // 3 - 1, shelves.column[case] + side % 3 - 1
            key = (shelves.kind[case] * shelves.rows + row) * shelves.columns + column
            shelf = _shelf(shelves, key)
            if shelf < 0:
                continue
            other = _next(shelves, shelf, shelves.closed[case])
            while (
                other < shelves.starts[shelf + 1]
                and shelves.opened[other] - shelves.closed[case] <= span
            ):
                dx = shelves.x[other] - shelves.x[case]
                dy = shelves.y[other] - shelves.y[case]
                if other != case and np.hypot(dx, dy) <= within_m:
                    if count < len(earlier):
                        earlier[count], later[count] = shelves.order[case], shelves.order[other]
                    count += 1
                other += 1
    return count


@kernel
def first_after(shelves: Shelves, within_m: float) -> Longs:
    """Return for each case the first of its kind opened near by after its closing, or -1."""
    never = np.iinfo(np.int64).max
    found = np.full(len(shelves.x), -1, np.int64)
    for case in range(len(shelves.x)):
        if shelves.closed[case] == never:
            continue
        best = never
        for side in range(9):
            row, column = shelves.row[case] + side // 3 - 1, shelves.column[case] + side % 3 - 1
            key = (shelves.kind[case] * shelves.rows + row) * shelves.columns + column
            shelf = _shelf(shelves, key)
            if shelf < 0:
                continue
            other = _next(shelves, shelf, shelves.closed[case])
            while other < shelves.starts[shelf + 1] and shelves.opened[other] < best:
                dx = shelves.x[other] - shelves.x[case]
                dy = shelves.y[other] - shelves.y[case]
                if other != case and np.hypot(dx, dy) <= within_m:
                    best = shelves.opened[other]
                    found[shelves.order[case]] = shelves.order[other]
                other += 1
    return found


@kernel
def heads_of(shelves: Shelves, order: Longs, within_m: float) -> Longs:
    """Return for each case the first report of the event that was open near by, or itself.

    Parameters
    ----------
    shelves : Shelves
    order : ndarray of int, shape (n,)
        The cases by opening.
    within_m : float, metres

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    count = len(order)
    place = np.empty(count, np.int64)
    for at in range(count):
        place[shelves.order[at]] = at
    # Of each cell the first reports of events that may still be open, moved to its front.
    live = np.empty(count, np.int64)
    held = np.zeros(len(shelves.keys), np.int64)
    found = np.arange(count)
    for case in order:
        at = place[case]
        now = shelves.opened[at]
        best, nearest = -1, np.inf
        for side in range(9):
            row, column = shelves.row[at] + side // 3 - 1, shelves.column[at] + side % 3 - 1
            key = (shelves.kind[at] * shelves.rows + row) * shelves.columns + column
            shelf = _shelf(shelves, key)
            if shelf < 0:
                continue
            start, kept = shelves.starts[shelf], 0
            for turn in range(held[shelf]):
                other = live[start + turn]
                if shelves.closed[other] <= now:
                    continue
                live[start + kept] = other
                kept += 1
                away = np.hypot(shelves.x[other] - shelves.x[at], shelves.y[other] - shelves.y[at])
                if away > within_m or away > nearest:
                    continue
                if away < nearest or (shelves.opened[other], shelves.order[other]) > (
                    shelves.opened[best],
                    shelves.order[best],
                ):
                    best, nearest = other, away
            held[shelf] = kept
        if best >= 0:
            found[case] = shelves.order[best]
            continue
        own = _shelf(
            shelves,
            (shelves.kind[at] * shelves.rows + shelves.row[at]) * shelves.columns
            + shelves.column[at],
        )
        live[shelves.starts[own] + held[own]] = at
        held[own] += 1
    return found


@kernel
def counts_before(
    shelves: Shelves, spans: Longs, counted: npt.NDArray[np.bool_], within_m: float
) -> Longs:
    """Count cases of the same kind near by that were opened in a span before each.

    Parameters
    ----------
    shelves : Shelves
    spans : ndarray of int64, shape (n,)
        How long before its opening.
    counted : ndarray of bool, shape (n,)
        Which cases count.
    within_m : float, metres

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    found = np.zeros(len(shelves.x), np.int64)
    for case in range(len(shelves.x)):
        now, label = shelves.opened[case], shelves.order[case]
        if spans[label] <= 0:
            continue
        for side in range(9):
            row, column = shelves.row[case] + side // 3 - 1, shelves.column[case] + side % 3 - 1
            key = (shelves.kind[case] * shelves.rows + row) * shelves.columns + column
            shelf = _shelf(shelves, key)
            if shelf < 0:
                continue
            other = _next(shelves, shelf, now - spans[label] - 1)
            while other < shelves.starts[shelf + 1] and shelves.opened[other] < now:
                away = np.hypot(
                    shelves.x[other] - shelves.x[case], shelves.y[other] - shelves.y[case]
                )
                if counted[shelves.order[other]] and away <= within_m:
                    found[label] += 1
                other += 1
    return found
