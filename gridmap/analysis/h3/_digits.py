"""The digits of fine H3 cells, by arithmetic on lattice coordinates.

A cell's index names its ancestor of a coarser resolution and then, level by level, which of seven
children it is in. Within an ancestor the digits of H3 are those of the lattice of the face, all
turned by the same multiple of 60 degrees (Brodsky 2018). The ancestor and the turn come from H3's
own index of one point; ancestors that are pentagons are left to H3.
"""

from __future__ import annotations

from typing import NamedTuple

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt

from gridmap.analysis.h3._hexagons import BLOCK, Patch, numbers
from gridmap.compiled import kernel

__all__ = ["Levels", "compose", "levels", "seeds", "take_digits", "turned"]

Cells = npt.NDArray[np.uint64]
Longs = npt.NDArray[np.int64]

_FINEST = 15
_TURN = np.arcsin(np.sqrt(3.0 / 28.0))
# The middle, and the neighbours of a lattice point counterclockwise from the first axis, with
# what H3 calls them.
_STEPS = np.array([(0, 0), (1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)])
_NAMES = np.array([0, 4, 6, 2, 3, 1, 5])
# Digits after so many turns of 60 degrees.
_TURNED = np.zeros((6, 8), dtype=np.int64)
for _turn in range(6):
    _TURNED[_turn, _NAMES] = [0, *np.roll(_NAMES[1:], -_turn)]


class Levels(NamedTuple):
    """How to go up from a resolution, one level a row: the finest first.

    A child at ``(q, r)`` is the one with the ``step`` and ``digit`` of ``(q + factor r) % 7``, and
    its parent at ``up @ ((q, r) - step) / 7``.
    """

    factor: Longs
    step: Longs
    digit: Longs
    up: Longs


def levels(resolution: int, count: int) -> Levels:
    """Return the way up from a resolution by so many levels."""
    found = Levels(
        np.empty(count, np.int64),
        np.empty((count, 7, 2), np.int64),
        np.empty((count, 7), np.int64),
        np.empty((count, 2, 2), np.int64),
    )
    for at in range(count):
        # A parent's step is sqrt(7) of a child's, and turned against it one way or the other.
        turn = -_TURN if (resolution - at) % 2 else _TURN
        angle = np.array([turn, turn + np.pi / 3.0])
        x, y = np.sqrt(7.0) * np.cos(angle), np.sqrt(7.0) * np.sin(angle)
        down = np.rint([x - y / np.sqrt(3.0), 2.0 * y / np.sqrt(3.0)]).astype(np.int64)
        factor = next(f for f in range(1, 7) if not ((down[0] + f * down[1]) % 7).any())
        slot = (_STEPS[:, 0] + factor * _STEPS[:, 1]) % 7
        found.factor[at] = factor
        found.step[at, slot] = _STEPS
        found.digit[at, slot] = _NAMES
        found.up[at] = [[down[1, 1], -down[0, 1]], [-down[1, 0], down[0, 0]]]
    return found


@kernel
def take_digits(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    patch: Patch,
    way: Levels,
    window: tuple[int, int, int, int],
    first: Longs,
    out: Cells,
) -> int:
    """Find the ancestor of every point, and the digits below it.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
    patch : Patch
    way : Levels
    window : tuple of int
        Where ancestors lie: first q, first r, height and width.
    first : ndarray of int64, shape (height * width,)
        -1 everywhere; receives a point for each ancestor, one with digits if there is any.
    out : ndarray of uint64, shape (n,)
        Receives the number of the ancestor and the digits, the coarsest first; the greatest
        number where the cell is not certain.

    Returns
    -------
    int
        How many are not certain.
    """
    work, found = np.empty((5, BLOCK)), np.empty(BLOCK)
    count = len(way.factor)
    first_q, first_r, height, width = window
    left = 0
    for begin in range(0, len(x), BLOCK):
        size = min(BLOCK, len(x) - begin)
        numbers(x, y, begin, size, patch, work, found)
        for k in range(size):
            if found[k] < 0.0:
                out[begin + k] = ~np.uint64(0)
                left += 1
                continue
            number = int(found[k])
            q, r = patch.first_q + number // patch.width, patch.first_r + number % patch.width
            digits = 0
            for at in range(count):
                slot = (q + way.factor[at] * r) % 7
                digits |= way.digit[at, slot] << 3 * at
                a, b = q - way.step[at, slot, 0], r - way.step[at, slot, 1]
                q = (way.up[at, 0, 0] * a + way.up[at, 0, 1] * b) // 7
                r = (way.up[at, 1, 0] * a + way.up[at, 1, 1] * b) // 7
            row, column = q - first_q, r - first_r
            if row < 0 or row >= height or column < 0 or column >= width:
                out[begin + k] = ~np.uint64(0)
                left += 1
                continue
            ancestor = row * width + column
            # A negative note is a point without digits, which tells no turn.
            if first[ancestor] < 0 and digits:
                first[ancestor] = begin + k
            elif first[ancestor] == -1:
                first[ancestor] = -2 - (begin + k)
            out[begin + k] = np.uint64(ancestor << 3 * count | digits)
    return left


def seeds(cells: Cells, digits: Longs, resolution: int, count: int) -> tuple[Cells, Longs]:
    """Return what stands above the digits of each ancestor, and its turn; -1 if H3 must tell.

    Parameters
    ----------
    cells : ndarray of uint64, shape (m,)
        H3's index of a point of each ancestor.
    digits : ndarray of int64, shape (m,)
        Its digits by the lattice.
    resolution, count : int
        Of the cells, and how many digits.
    """
    low = 3 * (_FINEST - resolution)
    mask = (1 << 3 * count) - 1
    actual = (cells >> np.uint64(low)).astype(np.int64) & mask
    turn = np.full(len(cells), -1, dtype=np.int64)
    for number in range(6):
        turned = np.zeros_like(digits)
        for at in range(count):
            turned |= _TURNED[number][digits >> 3 * at & 7] << 3 * at
        turn[(turned == actual) & (turn < 0)] = number
    # In the base cell of a pentagon H3 turns by the first digit that is not 0: without any such
    # among those of the ancestor, which is then a pentagon, its children differ.
    coarse = (cells >> np.uint64(low + 3 * count)).astype(np.int64)
    coarse &= (1 << 3 * (resolution - count)) - 1
    base = (cells >> np.uint64(45)).astype(np.int64) & 127
    pentagons = [cell >> 45 & 127 for cell in h3.get_pentagons(0)]
    turn[np.isin(base, pentagons) & (coarse == 0)] = -1
    above = cells & ~np.uint64(mask << low)
    return above, turn


@kernel
def compose(out: Cells, above: Cells, turn: Longs, turned: Longs, count: int, low: int) -> int:
    """Put the index of each cell in place of its ancestor and digits; 0 where H3 must tell.

    Returns
    -------
    int
        How many are 0.
    """
    left = 0
    for k in range(len(out)):
        if out[k] == ~np.uint64(0):
            out[k] = np.uint64(0)
            left += 1
            continue
        number = np.int64(out[k])
        ancestor = number >> 3 * count
        if turn[ancestor] < 0:
            out[k] = np.uint64(0)
            left += 1
            continue
        digits = 0
        for at in range(count):
            digits |= turned[turn[ancestor], number >> 3 * at & 7] << 3 * at
        out[k] = above[ancestor] | np.uint64(digits << low)
    return left


def turned() -> Longs:
    """Return each digit after so many turns, shape (6, 8)."""
    return _TURNED.copy()
