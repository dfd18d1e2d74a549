"""Contiguous, balanced, irregular groups of blocks by repeated halving, all parts at a time."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from synthetic.fields import BoolArray, FloatArray, IntArray, ranks_within


def split(
    parts: IntArray,
    counts: IntArray,
    *,
    weights: IntArray | FloatArray,
    positions: FloatArray,
    pairs: IntArray,
) -> IntArray:
    """Split every part into a number of connected parts of about equal weight.

    Each step halves all parts across their longer axis; pieces that the cut leaves apart go over to
    the other half, so that both halves stay connected when the part was.

    Parameters
    ----------
    parts : array of int, shape (n,)
        The part of each block, 0 to p - 1; each part connected.
    counts : array of int, shape (p,)
        Parts wanted from each; a part of fewer blocks gives one for each block.
    weights : array, shape (n,)
        Weight to balance.
    positions : array, shape (n, 2), metres
        Where the blocks are; shifted positions give irregular borders.
    pairs : array of int, shape (m, 2)
        Blocks that touch.

    Returns
    -------
    array of int, shape (n,)
        New parts, numbered from 0, those of one old part next to each other.
    """
    part, wanted = parts.copy(), counts.copy()
    heavy = weights.astype(np.float64) + 1e-3 * max(float(np.mean(weights)), 1e-9)
    while True:
        wanted = np.minimum(wanted, np.bincount(part, minlength=len(wanted)))
        if wanted.max() <= 1:
            break
        right = _halve(part, wanted, heavy, positions)
        for side in (False, True):
            right ^= _strays(part, right, heavy, pairs) & (right == side)
        half = wanted // 2
        children = np.where(wanted > 1, 2, 1)
        first = np.cumsum(children) - children
        part = first[part] + right
        sizes = np.zeros(int(children.sum()), dtype=np.int64)
        sizes[first] = np.where(wanted > 1, half, 1)
        divided = wanted > 1
        sizes[first[divided] + 1] = (wanted - half)[divided]
        wanted = sizes
    return np.asarray(np.unique(part, return_inverse=True)[1], dtype=np.int64)


def _along(part: IntArray, count: int, positions: FloatArray) -> FloatArray:
    """Distance of each block along its part's longer axis."""
    size = np.maximum(np.bincount(part, minlength=count), 1)
    mean = np.stack(
        [np.bincount(part, weights=positions[:, k], minlength=count) / size for k in (0, 1)], axis=1
    )
    x, y = (positions - mean[part]).T
    xx, yy, xy = (np.bincount(part, weights=w, minlength=count) for w in (x * x, y * y, x * y))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)[part]
    return np.asarray(x * np.cos(angle) + y * np.sin(angle))


def _halve(part: IntArray, wanted: IntArray, heavy: FloatArray, positions: FloatArray) -> BoolArray:
    """Tell the blocks of the second half: the first takes wanted // 2 shares of the weight."""
    count = len(wanted)
    order = np.lexsort((_along(part, count, positions), part))
    ordered = part[order]
    total = np.bincount(part, weights=heavy, minlength=count)
    before = np.cumsum(total) - total
    middle = np.cumsum(heavy[order]) - before[ordered] - heavy[order] / 2
    half = wanted // 2
    rank = ranks_within(ordered)
    size = np.bincount(part, minlength=count)
    left = middle < (total * half / np.maximum(wanted, 1))[ordered]
    left |= rank < half[ordered]
    left &= rank < (size - (wanted - half))[ordered]
    right = np.zeros(len(part), dtype=np.bool_)
    right[order] = ~left & (wanted > 1)[ordered]
    return right


def _strays(part: IntArray, right: BoolArray, heavy: FloatArray, pairs: IntArray) -> BoolArray:
    """Tell the blocks cut off from the heaviest piece of their half."""
    half = 2 * part + right
    piece = pieces(half, pairs)
    weight = np.bincount(piece, weights=heavy)
    owner = np.empty(len(weight), dtype=np.int64)
    owner[piece] = half
    order = np.lexsort((np.arange(len(weight)), -weight, owner))
    main = np.zeros(len(weight), dtype=np.bool_)
    main[order[np.r_[True, owner[order][1:] != owner[order][:-1]]]] = True
    return np.asarray(~main[piece])


def pieces(groups: IntArray, pairs: IntArray) -> IntArray:
    """Find the connected pieces of the groups.

    Parameters
    ----------
    groups : array of int, shape (n,)
        Group of each block.
    pairs : array of int, shape (m, 2)
        Blocks that touch.

    Returns
    -------
    array of int, shape (n,)
        Piece of each block, from 0; blocks of one piece are of one group and connected.
    """
    inner = pairs[groups[pairs[:, 0]] == groups[pairs[:, 1]]]
    links = coo_array(
        (np.ones(len(inner), dtype=np.int8), (inner[:, 0], inner[:, 1])),
        shape=(len(groups), len(groups)),
    )
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)
