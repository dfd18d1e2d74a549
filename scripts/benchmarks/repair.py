"""Connectivity for those who do not promise it: one repair for all peers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from benchmarks.atoms import Part

__all__ = ["repaired"]

Longs = npt.NDArray[np.int64]


def repaired(part: Part, label: Longs) -> Longs:
    """Return labels with every part in one piece.

    The largest piece of each label keeps it (by atoms, then by the first atom); the others are
    emptied and join, one atom at a time in the order of atoms, the neighbouring part with the
    least weight.

    Parameters
    ----------
    part : Part
        The atoms of one parent, in one piece.
    label : ndarray of int64, shape (n,)
    """
    return np.asarray(
        _repair(part.starts, part.neighbour, part.weight, label.astype(np.int64)), dtype=np.int64
    )


@njit(cache=True)
def _pieces(starts, neighbour, label):  # type: ignore[no-untyped-def]
    """Return the first atom of each atom's piece, and by that atom how many the piece has."""
    size = len(label)
    piece = np.full(size, -1, dtype=np.int64)
    atoms = np.zeros(size, dtype=np.int64)
    stack = np.empty(size, dtype=np.int64)
    for root in range(size):
        if piece[root] >= 0:
            continue
        top, stack[0], piece[root] = 1, root, root
        while top > 0:
            top -= 1
            at = stack[top]
            atoms[root] += 1
            for to in neighbour[starts[at] : starts[at + 1]]:
                if piece[to] < 0 and label[to] == label[root]:
                    piece[to], stack[top] = root, to
                    top += 1
    return piece, atoms


@njit(cache=True)
def _lightest(near, out, total):  # type: ignore[no-untyped-def]
    """Return the part of the least weight among those of some atoms, -1 for none."""
    chosen = -1
    for to in near:
        part = out[to]
        if part >= 0 and (chosen < 0 or total[part] < total[chosen]):
            chosen = part
    return chosen


@njit(cache=True)
def _repair(starts, neighbour, weight, label):  # type: ignore[no-untyped-def]
    size = len(label)
    piece, atoms = _pieces(starts, neighbour, label)
    best = np.full(label.max() + 1, -1, dtype=np.int64)
    for root in range(size):
        own = best[label[root]]
        if own < 0 or atoms[root] > atoms[own]:
            best[label[root]] = root
    out = np.where(best[label] == piece, label, -1)
    total = np.zeros(len(best), dtype=np.int64)
    for at in range(size):
        if out[at] >= 0:
            total[out[at]] += weight[at]
    found = True
    while found:
        found = False
        for at in range(size):
            if out[at] >= 0:
                continue
            chosen = _lightest(neighbour[starts[at] : starts[at + 1]], out, total)
            if chosen >= 0:
                out[at] = chosen
                total[chosen] += weight[at]
                found = True
    return out
