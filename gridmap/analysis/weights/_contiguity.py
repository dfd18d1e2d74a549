"""Contiguity by hashing: the compiled loops behind `queen` and `rook`.

Every border of a coverage is drawn twice, once for each side. A hash table finds the other one,
its twin. Where the twins of two borders in a row are also two borders in a row, nothing else can
be at the vertex between them; every other vertex goes into a second table, by which areas that
share it find each other. Coordinates are compared as 64-bit integers, after -0.0 was made 0.0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

__all__ = ["Pairs", "Rings", "contiguous", "crowds", "twins"]

Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]

OPEN, NO_BORDER, CROWDED = -1, -2, -3


class Rings(NamedTuple):
    """Closed rings, those of an area one after another, areas in order."""

    xy: Longs  # shape (n, 2), the bits of each coordinate
    start: Longs  # where each ring begins, and the end
    area: Ints  # of each ring
    owner: Ints  # shape (n,), area of each vertex


class Pairs(NamedTuple):
    """Directed pairs of areas, in the order of the first; one may be there more than once."""

    row: Ints
    column: Ints


@inner
def _mixed(x: int, y: int) -> int:
    h = x * 0x1E3779B97F4A7C15 + y * 0x42B2AE3D27D4EB4F
    h ^= h >> 32
    h *= 0x3F58476D1CE4E5B9
    return h ^ (h >> 29)


@inner
def _same_vertex(xy: Longs, a: int, b: int) -> bool:
    return bool((xy[a, 0] == xy[b, 0]) & (xy[a, 1] == xy[b, 1]))


@inner
def _same_border(xy: Longs, e: int, f: int) -> bool:
    if _same_vertex(xy, e, f + 1):
        return _same_vertex(xy, e + 1, f)
    return _same_vertex(xy, e, f) and _same_vertex(xy, e + 1, f + 1)


@inner
def _slots(most: int) -> int:
    slots = 16
    while slots < 3 * most // 2:
        slots *= 2
    return slots


@inner
def _longer(values: Longs) -> Longs:
    longer = np.empty((2 * len(values), 2), np.int64)
    longer[: len(values)] = values
    return longer


@kernel
def twins(rings: Rings, twin: Ints, crowd: Longs) -> Longs:
    """Find the twin of every border.

    Parameters
    ----------
    rings : Rings
    twin : ndarray of int32, shape (n,)
        Receives, at the first vertex of each border, that of its twin; OPEN if it has none;
        NO_BORDER at the last vertex of a ring and where a vertex is repeated.
    crowd : ndarray of int64, shape (any, 2)
        Room for the result.

    Returns
    -------
    ndarray of int64, shape (c, 2)
        Borders that are at least the third of their kind, each with the first.
    """
    xy = rings.xy
    last = _slots(len(twin)) - 1
    table = np.full(last + 1, -1, np.int32)
    crowded = 0
    for r in range(len(rings.area)):
        ahead = _mixed(xy[rings.start[r], 0], xy[rings.start[r], 1])
        guess = -1
        for e in range(rings.start[r], rings.start[r + 1] - 1):
            here, ahead = ahead, _mixed(xy[e + 1, 0], xy[e + 1, 1])
            if _same_vertex(xy, e, e + 1):
                twin[e] = NO_BORDER
                continue
            # The neighbour usually goes on, the other way round.
            if guess > 0 and twin[guess - 1] == OPEN and _same_border(xy, e, guess - 1):
                guess -= 1
                twin[e], twin[guess] = guess, e
                continue
            at = (here + ahead) & last
            guess = -1
            while table[at] >= 0:
                if _same_border(xy, e, table[at]):
                    guess = table[at]
                    break
                at = (at + 1) & last
            if guess < 0:
                table[at] = e
            elif twin[guess] == OPEN:
                twin[e], twin[guess] = guess, e
            else:
                if crowded == len(crowd):
                    crowd = _longer(crowd)
                crowd[crowded] = guess, e
                crowded += 1
                twin[e] = CROWDED
        twin[rings.start[r + 1] - 1] = NO_BORDER
    return crowd[:crowded]


@kernel
def crowds(owner: Ints, twin: Ints, crowd: Longs, pairs: Longs) -> Longs:
    """Pair the areas of borders that more than two areas have, and mark these borders.

    Parameters
    ----------
    owner, twin : ndarray of int32, shape (n,)
    crowd : ndarray of int64, shape (c, 2)
        As `twins` gives it, ordered by its first column.
    pairs : ndarray of int64, shape (any, 2)
        Room for the result.

    Returns
    -------
    ndarray of int64, shape (p, 2)
        Pairs of areas, in both directions.
    """
    count = begin = 0
    while begin < len(crowd):
        first, end = crowd[begin, 0], begin
        while end < len(crowd) and crowd[end, 0] == first:
            end += 1
        edges = np.empty(end - begin + 2, np.int64)
        edges[0], edges[1], edges[2:] = first, twin[first], crowd[begin:end, 1]
        for a in edges:
            for b in edges:
                if owner[a] != owner[b]:
                    if count == len(pairs):
                        pairs = _longer(pairs)
                    pairs[count] = owner[a], owner[b]
                    count += 1
        twin[edges[0]] = twin[edges[1]] = CROWDED
        begin = end
    return pairs[:count]


@inner
def _is_plain(before: int, after: int) -> bool:
    """Whether the twins of two borders in a row are two borders in a row."""
    return before >= 0 and after >= 0 and (after == before - 1 or after == before + 1)


@inner
def _nodes(rings: Rings, twin: Ints) -> Longs:
    """Return the vertices where more than two areas may meet, in order."""
    count = 0
    for turn in range(2):
        if turn:
            nodes = np.empty(count, np.int64)
            count = 0
        for r in range(len(rings.area)):
            before = CROWDED
            for e in range(rings.start[r], rings.start[r + 1] - 1):
                if not _is_plain(before, twin[e]):
                    if turn:
                        nodes[count] = e
                    count += 1
                before = twin[e]
    return nodes


@inner
def _links(xy: Longs, nodes: Longs) -> Ints:
    """Tie the nodes of one place into a ring: each leads to the next."""
    place = xy[nodes]
    last = _slots(2 * len(nodes)) - 1
    table = np.full(last + 1, -1, np.int32)
    link = np.empty(len(nodes), np.int32)
    for k in range(len(nodes)):
        at = _mixed(place[k, 0], place[k, 1]) & last
        while table[at] >= 0 and not _same_vertex(place, k, table[at]):
            at = (at + 1) & last
        if table[at] < 0:
            table[at] = k
            link[k] = k
        else:
            link[k] = link[table[at]]
            link[table[at]] = k
    return link


@kernel
def contiguous(rings: Rings, twin: Ints, corners: bool) -> Pairs:
    """List who shares a border, and with ``corners`` who shares a vertex.

    Parameters
    ----------
    rings : Rings
    twin : ndarray of int32, shape (n,)
    corners : bool

    Returns
    -------
    Pairs
        In both directions. Of borders that more than two areas have, nothing.
    """
    nodes = _nodes(rings, twin)
    owner = rings.owner[nodes]
    link = _links(rings.xy, nodes) if corners else np.arange(len(nodes)).astype(np.int32)
    row = np.empty(8 * len(rings.area) + 64, np.int32)
    column = np.empty(len(row), np.int32)
    count = 0
    for k in range(len(nodes)):
        beside = twin[nodes[k]]
        if beside >= 0 and rings.owner[beside] != owner[k]:
            if count == len(row):
                row, column = np.append(row, row), np.append(column, column)
            row[count], column[count] = owner[k], rings.owner[beside]
            count += 1
        at = link[k]
        while at != k:
            if owner[at] != owner[k]:
                if count == len(row):
                    row, column = np.append(row, row), np.append(column, column)
                row[count], column[count] = owner[k], owner[at]
                count += 1
            at = link[at]
    return Pairs(row[:count], column[:count])
