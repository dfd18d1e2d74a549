"""From road lines to the edges of a network: which places are junctions, and what lies between."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

__all__ = ["edges_of"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


def edges_of(roads: Shapes, *, join_m: float, crossings: bool) -> Shapes:
    """Return the edges of the network that roads form.

    Parameters
    ----------
    roads : ndarray of LineString or MultiLineString
        What is missing, empty or of no length is left out.
    join_m : float, metres
        Vertices no further apart are one, and the end of a road joins a road no further off.
    crossings : bool
        Roads also meet where they cross between their vertices.

    Returns
    -------
    ndarray of LineString, shape (e,)
        Each from junction or dead end to the next, in an order and direction that depend on the
        coordinates alone. Of edges that are alike only one is kept.
    """
    lines = shapely.get_parts(roads[~shapely.is_missing(roads)])
    lines = shapely.force_2d(lines[shapely.length(lines) > 0.0])
    if not len(lines):
        return np.empty(0, dtype=object)
    xy, line = _with_cuts(lines, join_m, crossings=crossings)
    place, vertex = _places(xy, join_m)
    vertex, line = _without_repeats(vertex, line)
    if not len(vertex):
        return np.empty(0, dtype=object)
    edges = _distinct(_split(place, vertex, line))
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(edges)))
    return _in_order(_rolled(merged))


def _with_cuts(lines: Shapes, join_m: float, *, crossings: bool) -> tuple[Floats, Longs]:
    """Return the vertices of the lines in turn, with those added where roads meet."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    first = np.flatnonzero(line[1:] == line[:-1])
    pieces = shapely.linestrings(np.stack([xy[first], xy[first + 1]], axis=1))
    segments: Shapes = np.asarray(pieces, dtype=object)
    tree = shapely.STRtree(segments)
    starts = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    ends = xy[np.r_[starts, np.r_[starts[1:], len(line)] - 1]]
    end, hit = tree.query(shapely.points(ends), predicate="dwithin", distance=join_m)
    at, added = [hit], [ends[end]]
    if crossings:
        for segment, places in _crossings(segments, tree):
            at.append(segment)
            added.append(places)
    on, new = np.concatenate(at), np.concatenate(added)
    along = shapely.line_locate_point(segments[on], shapely.points(new))
    # An added vertex stands after the first of its segment, by its distance along it.
    position = np.r_[np.arange(len(xy), dtype=np.float64), first[on].astype(np.float64)]
    order = np.lexsort((np.r_[np.full(len(xy), -1.0), along], position))
    return np.r_[xy, new][order], np.r_[line, line[first[on]]][order].astype(np.int64)


def _crossings(segments: Shapes, tree: shapely.STRtree) -> list[tuple[Longs, Floats]]:
    """Return where pairs of segments meet, once for each of the two."""
    one, other = tree.query(segments, predicate="intersects")
    # The same two in the same order and direction, so that rounding does not tell rows apart.
    alike = shapely.normalize(segments)
    ends = shapely.get_coordinates(alike).reshape(-1, 4)
    rank = np.argsort(np.lexsort(ends.T[::-1]))
    ahead = rank[one] < rank[other]
    one, other = one[ahead], other[ahead]
    xy, pair = shapely.get_coordinates(
        shapely.intersection(alike[one], alike[other]), return_index=True
    )
    return [(one[pair], xy), (other[pair], xy)]


def _places(xy: Floats, join_m: float) -> tuple[Floats, Longs]:
    """Return the distinct places, and which of them each vertex is."""
    place, vertex = np.unique(xy, axis=0, return_inverse=True)
    vertex = vertex.reshape(-1)
    pairs = cKDTree(place).query_pairs(join_m, output_type="ndarray")
    if not len(pairs):
        return place, vertex
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(place), len(place)))
    group = connected_components(links, directed=False)[1]
    # Groups are numbered by their first place, which is the smallest of its coordinates.
    least = np.unique(group, return_index=True)[1]
    return place[least], group[vertex].astype(np.int64)


def _without_repeats(vertex: Longs, line: Longs) -> tuple[Longs, Longs]:
    """Drop vertices that are the one before, and lines of which only one is left."""
    kept = np.r_[True, (vertex[1:] != vertex[:-1]) | (line[1:] != line[:-1])]
    vertex, line = vertex[kept], line[kept]
    long = np.bincount(line)[line] > 1
    return vertex[long], line[long]


def _split(place: Floats, vertex: Longs, line: Longs) -> Shapes:
    """Cut lines at their ends and wherever a place comes up more than once."""
    new = np.r_[True, line[1:] != line[:-1]]
    last = np.r_[new[1:], True]
    node = new | last | (np.bincount(vertex)[vertex] > 1)
    begins = np.flatnonzero(node & ~last)
    stops = np.flatnonzero(node & ~new)
    sizes = stops - begins + 1
    index = np.repeat(np.arange(len(begins)), sizes)
    run = np.arange(len(index)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    edges = shapely.linestrings(place[vertex[begins[index] + run]], indices=index)
    return np.asarray(edges, dtype=object)


def _distinct(edges: Shapes) -> Shapes:
    """Keep one of the edges that are alike in either direction."""
    keys = shapely.to_wkb(shapely.normalize(edges))
    first: Longs = np.unique(keys.astype(object), return_index=True)[1]
    kept: Shapes = edges[first]
    return kept


def _rolled(edges: Shapes) -> Shapes:
    """Let rings on which there is no junction begin at their least vertex."""
    edges = edges.copy()
    ends = shapely.get_coordinates(
        np.r_[shapely.get_point(edges, 0), shapely.get_point(edges, -1)]
    ).reshape(2, len(edges), 2)
    node, count = np.unique(ends.reshape(-1, 2), axis=0, return_counts=True)
    alone = {tuple(xy) for xy in node[count == 2].tolist()}  # noqa: PLR2004 - its own two ends
    for at in np.flatnonzero((ends[0] == ends[1]).all(axis=1)):
        if tuple(ends[0, at].tolist()) in alone:
            ring = shapely.get_coordinates(edges[at])[:-1]
            ring = np.roll(ring, -int(np.lexsort((ring[:, 1], ring[:, 0]))[0]), axis=0)
            edges[at] = shapely.LineString(np.r_[ring, ring[:1]])
    return edges


def _in_order(edges: Shapes) -> Shapes:
    """Turn every edge towards its greater end, and sort them by their coordinates."""
    forth = [shapely.get_coordinates(edge).tolist() for edge in edges]
    turned = sorted(min(one, one[::-1]) for one in forth)
    sizes = np.array([len(one) for one in turned])
    flat = np.array([xy for one in turned for xy in one])
    index = np.repeat(np.arange(len(sizes)), sizes)
    return np.asarray(shapely.linestrings(flat, indices=index), dtype=object)
