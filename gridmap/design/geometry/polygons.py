"""From cells to micro-grids: dissolved, simplified as a coverage, never through a building."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gridmap.design.geometry.rings import Rings
from gridmap.design.losses import CUT_M2

__all__ = ["matched", "outlines"]

Shapes = npt.NDArray[np.object_]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NEAR_M = 1e-6  # a node this near to a neighbour's segment lies on it


def outlines(
    cells: Shapes, label: Longs, count: int, footprints: Shapes, owner: Longs, *, simplify_m: float
) -> Shapes:
    """Dissolve the cells of one parent into its micro-grids and smooth their inner borders.

    Parameters
    ----------
    cells : ndarray of Polygon, shape (c,)
        A coverage: neighbours share their nodes.
    label : ndarray of int, shape (c,)
        The micro-grid of each cell, 0 to `count` - 1.
    count : int
    footprints : ndarray of geometry, shape (n,)
        None of them is cut more than the cells cut it already.
    owner : ndarray of int, shape (n,)
        The cell of each footprint.
    simplify_m : float, metres
        Tolerance of the smoothing (Visvalingam and Whyatt 1993, on a coverage); 0 for none. It
        is lowered for a parent in which a building would be cut.

    Returns
    -------
    ndarray of Polygon or MultiPolygon, shape (count,)
        The outline of the parent stays as it is, and borders stay shared.
    """
    exact = dissolved(cells, label, count)
    home = label[owner]
    for tolerance in (simplify_m, simplify_m / 4):
        if tolerance <= 0 or count == 1:
            break
        smooth = shapely.coverage_simplify(exact, tolerance, simplify_boundary=False)
        if _whole(smooth, exact, footprints, home):
            return np.asarray(smooth)
    return exact


def dissolved(cells: Shapes, label: Longs, count: int) -> Shapes:
    """Return the union of the cells of each label."""
    order = np.argsort(label, kind="stable")
    bounds = np.searchsorted(label[order], np.arange(count + 1))
    united = np.empty(count, dtype=object)
    for k in range(count):
        mine = cells[order[bounds[k] : bounds[k + 1]]]
        united[k] = mine[0] if len(mine) == 1 else shapely.coverage_union_all(mine)
    return united


def _whole(smooth: Shapes, exact: Shapes, footprints: Shapes, home: Longs) -> bool:
    """Tell whether the smoothed borders cut no building more than the exact ones."""
    if not (shapely.is_valid(smooth) & ~shapely.is_empty(smooth)).all():
        return False
    shapely.prepare(smooth)
    doubtful = ~shapely.covers(smooth[home], footprints)
    if not doubtful.any():
        return True
    suspects, at = footprints[doubtful], home[doubtful]
    # Where areas tile a grid, each border cuts one, and the first few tell: 1, then 2, 4, ...
    for few in np.split(np.arange(len(at)), 2 ** np.arange(1, len(at).bit_length() + 1) - 1):
        now = shapely.area(shapely.difference(suspects[few], smooth[at[few]]))
        cut = few[now > CUT_M2]
        before = shapely.area(shapely.difference(suspects[cut], exact[at[cut]]))
        if (now[now > CUT_M2] > before + CUT_M2).any():
            return False
    return True


def matched(shapes: Shapes, parent: Longs) -> Shapes:
    """Give polygons of different parents the same nodes along the borders of the parents.

    Parameters
    ----------
    shapes : ndarray of Polygon or MultiPolygon, shape (n,)
        Inside each parent a coverage; where parents touch, a node of one may lie inside a
        segment of the other.
    parent : ndarray of int, shape (n,)
        The parent of each shape.

    Returns
    -------
    ndarray of Polygon or MultiPolygon, shape (n,)
        A city-wide coverage, if the parents are one. Nodes are added; two that the same street
        left at one place, a rounding error apart, become one.
    """
    rings = _gathered(Rings.of(shapes))
    rim = rings.rim
    if len(rim) == 0:
        return rings.shapes
    nodes, owners = _nodes(rings, parent)
    ends = np.stack([rings.xy[rim], rings.xy[rim + 1]], axis=1)
    segments = np.asarray(shapely.linestrings(ends), dtype=object)
    points = np.asarray(shapely.points(nodes), dtype=object)
    found, line = shapely.STRtree(segments).query(points, "dwithin", distance=NEAR_M)
    at = rim[line]
    at_end = (nodes[found] == rings.xy[at]).all(axis=1) | (nodes[found] == rings.xy[at + 1]).all(1)
    foreign = (owners[found] != parent[rings.shape[at]]) & ~at_end
    found, line, at = found[foreign], line[foreign], at[foreign]
    # Beside a flat corner a node is near both segments, but belongs into one.
    away = shapely.distance(points[found], segments[line])
    order = np.lexsort((at, away, nodes[found, 1], nodes[found, 0], rings.ring[at]))
    place = np.column_stack([rings.ring[at], *nodes[found].T])[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (place[1:] != place[:-1]).any(axis=1)
    chosen = order[first]
    return _inserted(rings, at[chosen], nodes[found[chosen]])


def _gathered(rings: Rings) -> Rings:
    """Make one of nodes on the rim that lie nearer than `NEAR_M` to each other."""
    at, node = rings.rim_nodes
    xy = rings.xy[at]
    if len(xy) == 0:
        return rings
    close = cKDTree(xy).query_pairs(NEAR_M, output_type="ndarray")
    if len(close) == 0:
        return rings
    links = coo_array((np.ones(len(close)), (close[:, 0], close[:, 1])), shape=(len(xy), len(xy)))
    group = connected_components(links, directed=False)[1]
    # The node that most shapes have stays: it is likely one of the parents' own.
    times = np.bincount(rings.node)[node]
    order = np.lexsort((np.arange(len(xy)), -times, group))
    chief = np.ones(len(xy), dtype=bool)
    chief[1:] = group[order][1:] != group[order][:-1]
    return rings.moved_nodes(node, xy[order[chief][group]])


def _nodes(rings: Rings, parent: Longs) -> tuple[Floats, Longs]:
    """Return the nodes on the rim, each once for each parent."""
    at = np.unique(np.concatenate([rings.rim, rings.rim + 1]))
    owner = parent[rings.shape[at]].astype(np.int64)
    key = rings.node[at] * (int(parent.max()) + 1) + owner
    _, first = np.unique(key, return_index=True)
    return rings.xy[at[first]], owner[first]


def _inserted(rings: Rings, after: Longs, nodes: Floats) -> Shapes:
    """Return the shapes with nodes put in after the coordinates at the places given."""
    if len(after) == 0:
        return rings.shapes
    along = np.hypot(*(nodes - rings.xy[after]).T)
    order = np.lexsort((nodes[:, 1], nodes[:, 0], along, after))
    after, nodes = after[order], nodes[order]
    new = np.ones(len(after), dtype=bool)
    new[1:] = (after[1:] != after[:-1]) | (nodes[1:] != nodes[:-1]).any(axis=1)
    return rings.inserted(after[new], nodes[new]).shapes
