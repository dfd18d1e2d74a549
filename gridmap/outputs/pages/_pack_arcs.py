"""Rings cut into arcs, so that a border that neighbours share is held once.

An arc ends where a vertex has other neighbours on one ring than on another: there borders meet,
or begin to be shared. Between its ends every ring that has one edge of an arc has all of it.
The method is that of TopoJSON (M. Bostock, 2013), here over integers in compiled loops.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel
from gridmap.outputs.pages._pack_rings import Paths

__all__ = ["Arcs", "cut", "levels"]

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
_MIX = 0x9E3779B97F4A7C1


@dataclass(frozen=True)
class Arcs:
    """Arcs, and the rings made of them.

    Parameters
    ----------
    x, y : ndarray of int32, shape (vertices,)
        Of all arcs, each with both its ends; one that closes has its end twice.
    start : ndarray of int64, shape (arcs + 1,)
        The first vertex of each arc, of which there are at least two.
    use : ndarray of int64, shape (uses,)
        Along each ring: twice the arc, plus one where it runs backwards.
    ring : ndarray of int64, shape (rings + 1,)
        The first use of each ring.
    """

    x: Int32
    y: Int32
    start: Int64
    use: Int64
    ring: Int64


def cut(paths: Paths, *, closed: bool) -> Arcs:
    """Cut rings into arcs, numbered as they are first met.

    Parameters
    ----------
    paths : Paths
    closed : bool
        Whether these are rings; each line is one arc of its own, whatever it shares.

    Returns
    -------
    Arcs
    """
    if not closed:
        return _whole_lines(paths)
    keys = (paths.x.astype(np.int64) << 32) | paths.y
    vertex, first = _number(keys)
    del keys
    vertices = len(first)
    joint = _joints(vertex, paths.start, vertices)
    begin, length, ring_of = _spans(vertex, paths.start, joint)
    key, backwards = _identity(vertex, paths.start, begin, length, ring_of, vertices)
    arc, first = _number(key)
    use = 2 * arc.astype(np.int64) + (backwards != backwards[first][arc])
    size = length[first] + 1
    start = np.concatenate([[0], np.cumsum(size)])
    x, y = _vertices(paths.x, paths.y, paths.start, begin[first], ring_of[first], start)
    rings = np.bincount(ring_of, minlength=len(paths.start) - 1)
    return Arcs(x, y, start, use, np.concatenate([[0], np.cumsum(rings)]))


def _whole_lines(paths: Paths) -> Arcs:
    """Return each line as one arc; one that fell into a single place has it twice."""
    size = np.diff(paths.start)
    twice = np.repeat(size == 1, size) + 1
    lines = np.arange(len(size), dtype=np.int64)
    return Arcs(
        np.repeat(paths.x, twice),
        np.repeat(paths.y, twice),
        np.concatenate([[0], np.cumsum(np.maximum(size, 2))]),
        2 * lines,
        np.arange(len(size) + 1, dtype=np.int64),
    )


@kernel
def _number(keys: Int64) -> tuple[Int32, Int64]:
    """Give the distinct keys numbers as they are first met, by a hash table (open addresses).

    Returns
    -------
    number : ndarray of int32, shape (n,)
    first : ndarray of int64, shape (distinct,)
        Where each is first met.
    """
    bits = 4
    while (1 << bits) < len(keys) + len(keys) // 2:
        bits += 1
    table = np.zeros(1 << bits, dtype=np.int32)
    first = np.empty(len(keys), dtype=np.int64)
    number = np.empty(len(keys), dtype=np.int32)
    distinct = 0
    mask = (1 << bits) - 1
    for i in range(len(keys)):
        key = keys[i]
        mixed = key * _MIX
        slot = (mixed ^ (mixed >> 29)) & mask
        while table[slot] and keys[first[table[slot] - 1]] != key:
            slot = (slot + 1) & mask
        if not table[slot]:
            first[distinct] = i
            distinct += 1
            table[slot] = distinct
        number[i] = table[slot] - 1
    return number, first[:distinct].copy()


@kernel
def _joints(vertex: Int32, start: Int64, vertices: int) -> Flags:
    """Tell which vertices have other neighbours on one visit than on another."""
    low = np.full(vertices, -1, dtype=np.int32)
    high = np.empty(vertices, dtype=np.int32)
    joint = np.zeros(vertices, dtype=np.bool_)
    for ring in range(len(start) - 1):
        begin, end = start[ring], start[ring + 1]
        before = vertex[end - 1]
        for k in range(begin, end):
            after = vertex[k + 1] if k + 1 < end else vertex[begin]
            here = vertex[k]
            least, most = min(before, after), max(before, after)
            if low[here] < 0:
                low[here], high[here] = least, most
            elif low[here] != least or high[here] != most:
                joint[here] = True
            before = here
    return joint


@kernel
def _spans(vertex: Int32, start: Int64, joint: Flags) -> tuple[Int64, Int64, Int32]:
    """Cut rings at joints; one without any starts at its lowest vertex, whoever else has it.

    Returns
    -------
    begin : ndarray of int64, shape (uses,)
        Position of the first vertex.
    length : ndarray of int64, shape (uses,)
        Edges, at least one; they run on from the end of the ring to its start.
    ring_of : ndarray of int32, shape (uses,)
    """
    most = len(start) - 1
    for k in range(len(vertex)):
        most += joint[vertex[k]]
    begin = np.empty(most, dtype=np.int64)
    length = np.empty(most, dtype=np.int64)
    ring_of = np.empty(most, dtype=np.int32)
    uses = 0
    for ring in range(len(start) - 1):
        low, size = start[ring], start[ring + 1] - start[ring]
        origin = 0
        while origin < size and not joint[vertex[low + origin]]:
            origin += 1
        if origin == size:
            origin = int(np.argmin(vertex[low : low + size]))
        at = 0
        while at < size:
            edges = 1
            while at + edges < size and not joint[vertex[low + (origin + at + edges) % size]]:
                edges += 1
            begin[uses] = low + (origin + at) % size
            length[uses] = edges
            ring_of[uses] = ring
            uses += 1
            at += edges
    return begin[:uses].copy(), length[:uses].copy(), ring_of[:uses].copy()


@kernel
def _identity(
    vertex: Int32, start: Int64, begin: Int64, length: Int64, ring_of: Int32, vertices: int
) -> tuple[Int64, Flags]:
    """Return a key that is the same for both directions of an arc, and which one this is.

    The key is the lesser of its first edge and, backwards, its last.
    """
    key = np.empty(len(begin), dtype=np.int64)
    backwards = np.empty(len(begin), dtype=np.bool_)
    for i in range(len(begin)):
        low = start[ring_of[i]]
        size = start[ring_of[i] + 1] - low
        at = begin[i] - low
        forth = np.int64(vertex[begin[i]]) * vertices + vertex[low + (at + 1) % size]
        last = vertex[low + (at + length[i]) % size]
        back = np.int64(last) * vertices + vertex[low + (at + length[i] - 1) % size]
        key[i] = min(forth, back)
        backwards[i] = back < forth
    return key, backwards


@kernel
def _vertices(
    x: Int32, y: Int32, ring_start: Int64, begin: Int64, ring_of: Int32, start: Int64
) -> tuple[Int32, Int32]:
    out_x = np.empty(start[-1], dtype=np.int32)
    out_y = np.empty(start[-1], dtype=np.int32)
    for arc in range(len(begin)):
        end = ring_start[ring_of[arc] + 1]
        k = begin[arc]
        for at in range(start[arc], start[arc + 1]):
            out_x[at], out_y[at] = x[k], y[k]
            k = k + 1 if k + 1 < end else ring_start[ring_of[arc]]
    return out_x, out_y


@inner
def _distance(x: Int32, y: Int32, k: int, i: int, j: int) -> float:
    """Return the distance of vertex k from the segment from i to j."""
    along_x, along_y = float(x[j]) - x[i], float(y[j]) - y[i]
    off_x, off_y = float(x[k]) - x[i], float(y[k]) - y[i]
    square = along_x * along_x + along_y * along_y
    share = 0.0
    if square > 0:
        share = min(max((off_x * along_x + off_y * along_y) / square, 0.0), 1.0)
    return float(np.hypot(off_x - share * along_x, off_y - share * along_y))


@kernel
def levels(
    x: Int32, y: Int32, start: Int64, tolerances: npt.NDArray[np.float64]
) -> npt.NDArray[np.uint8]:
    """Return the coarsest level of detail at which each vertex is still drawn.

    Parameters
    ----------
    x, y, start
        As in :class:`Arcs`.
    tolerances : ndarray of float, shape (t,), ascending
        In steps of the lattice.

    Returns
    -------
    ndarray of uint8, shape (vertices,)
        From 0 (only in full detail) to t; both ends of an arc are always drawn.

    References
    ----------
    D. Douglas, T. Peucker, Cartographica 10 (1973) 112-122. A vertex never outlives the one
    whose split made way for it, so that the levels nest.
    """
    level = np.zeros(len(x), dtype=np.uint8)
    most = 0
    for arc in range(len(start) - 1):
        most = max(most, start[arc + 1] - start[arc])
    spans = np.empty((most + 1, 3), dtype=np.int64)
    for arc in range(len(start) - 1):
        spans[0, 0], spans[0, 1], spans[0, 2] = start[arc], start[arc + 1] - 1, len(tolerances)
        level[spans[0, 0]] = level[spans[0, 1]] = len(tolerances)
        waiting = 1
        while waiting:
            waiting -= 1
            i, j, limit = spans[waiting, 0], spans[waiting, 1], spans[waiting, 2]
            furthest, far = i, -1.0
            for k in range(i + 1, j):
                distance = _distance(x, y, k, i, j)
                if distance > far:
                    furthest, far = k, distance
            while limit and far <= tolerances[limit - 1]:
                limit -= 1
            if limit:
                level[furthest] = limit
                spans[waiting, 0], spans[waiting, 1], spans[waiting, 2] = i, furthest, limit
                waiting += 1
                spans[waiting, 0], spans[waiting, 1], spans[waiting, 2] = furthest, j, limit
                waiting += 1
    return level
