"""Where areas do not fit together: faults as geometry, without names and judgement.

Pieces that are smaller than `NOISE_M2` or thinner than `NOISE_M` are rounding errors of the
coordinates and never reported.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from gridmap.design.geometry.polygons import NEAR_M
from gridmap.design.geometry.rings import Rings

__all__ = [
    "NOISE_M",
    "NOISE_M2",
    "best_parent",
    "beyond",
    "detached",
    "faces",
    "holes",
    "overlaps",
    "solid",
    "suspects",
    "uncovered",
    "unmatched",
    "width",
]

Shapes = npt.NDArray[np.object_]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NOISE_M2 = 1e-6
NOISE_M = 2 * NEAR_M  # matching nodes moves them by up to the distance at which they match
POLYGONS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_EMPTY = shapely.Polygon()


def width(shapes: Shapes) -> Floats:
    """Return the mean width of polygons: twice the area over the perimeter.

    It is the width of a long strip, and half the side of a square.
    """
    around = shapely.length(shapes)
    return np.asarray(2 * shapely.area(shapes) / np.where(around > 0, around, 1))


def solid(shapes: Shapes) -> tuple[Shapes, Bools]:
    """Return valid polygons, and which shapes had to be mended for that.

    What is no polygon becomes an empty one. Rings are mended by structure (shells are joined,
    holes are taken out), so that what a shape covers twice is not lost.
    """
    made = shapes.copy()
    made[shapely.is_missing(made)] = _EMPTY
    broken = np.asarray(~shapely.is_valid(made))
    # Coordinates that are no number leave an empty polygon.
    with np.errstate(invalid="ignore"):
        made[broken] = shapely.make_valid(made[broken], method="structure", keep_collapsed=False)
    made[~np.isin(shapely.get_type_id(made), POLYGONS)] = _EMPTY
    return made, broken


def faces(pieces: Shapes) -> tuple[Shapes, Longs]:
    """Return the polygons in geometries, without noise, and the position each comes from."""
    parts, row = shapely.get_parts(pieces, return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)
    row = row[inner]
    kept = (shapely.area(parts) > NOISE_M2) & (width(parts) > NOISE_M)
    return parts[kept], np.asarray(row[kept], dtype=np.int64)


def suspects(shapes: Shapes) -> Longs:
    """Return the positions of the polygons with an edge that fits no neighbour."""
    if len(shapes) == 0:
        return np.empty(0, dtype=np.int64)
    edges = shapely.coverage_invalid_edges(shapes)
    return np.flatnonzero(~shapely.is_missing(edges) & ~shapely.is_empty(edges))


def overlaps(shapes: Shapes, among: Longs) -> tuple[Shapes, Longs, Longs]:
    """Return the ground that two shapes both cover.

    Parameters
    ----------
    shapes : ndarray of Polygon or MultiPolygon, shape (n,)
    among : ndarray of int
        One of each pair at least is among these.

    Returns
    -------
    pieces, one, other : ndarrays, shape (p,)
        Connected pieces and the two shapes, ``one < other``.
    """
    found, other = shapely.STRtree(shapes).query(shapes[among])
    pairs = np.sort(np.stack([among[found], other], axis=1), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    pieces, row = faces(shapely.intersection(shapes[pairs[:, 0]], shapes[pairs[:, 1]]))
    return pieces, pairs[row, 0], pairs[row, 1]


def holes(shapes: Shapes, *, coverage: bool) -> Shapes:
    """Return the ground that shapes enclose and do not cover.

    Parameters
    ----------
    shapes : ndarray of Polygon or MultiPolygon, shape (n,)
    coverage : bool
        Whether they are a valid coverage, whose union is found at once.
    """
    united = shapely.coverage_union_all(shapes) if coverage else shapely.union_all(shapes)
    parts = shapely.get_parts(shapely.get_parts([united]))
    rings, part = shapely.get_rings(parts, return_index=True)
    inner = np.flatnonzero(np.diff(part, prepend=-1) == 0)
    if len(inner) == 0:
        return np.empty(0, dtype=object)
    found = np.asarray(shapely.polygons(rings[inner]))
    hole, island = shapely.STRtree(parts).query(found, predicate="contains")
    for at in np.unique(hole):
        found[at] = shapely.difference(found[at], shapely.union_all(parts[island[hole == at]]))
    return faces(found)[0]


def best_parent(shapes: Shapes, outlines: Shapes) -> Longs:
    """Return the outline that covers most of each shape, -1 where none does.

    Of outlines that cover as much the first counts.
    """
    found = np.full(len(shapes), -1, dtype=np.int64)
    if len(shapes) == 0 or len(outlines) == 0:
        return found
    child, parent = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    times = np.bincount(child, minlength=len(shapes))
    shared = np.full(len(child), np.inf)
    several = times[child] > 1
    meet = shapely.intersection(shapes[child[several]], outlines[parent[several]])
    shared[several] = shapely.area(meet)
    single = np.flatnonzero(~several)
    touches = shapely.touches(shapes[child[single]], outlines[parent[single]])
    shared[single[touches]] = 0
    # Sums of rounding errors decide nothing.
    order = np.lexsort((parent, -np.round(shared, 6), child))
    order = order[shared[order] > NOISE_M2]
    first = np.unique(child[order], return_index=True)[1]
    found[child[order[first]]] = parent[order[first]]
    return found


def beyond(shapes: Shapes, outlines: Shapes, parent: Longs) -> tuple[Shapes, Longs]:
    """Return the pieces of shapes outside of their parents, and the shape of each piece.

    Shapes whose parent is -1 are left out.
    """
    stated = np.flatnonzero(parent >= 0)
    shapely.prepare(outlines)
    held = shapely.covers(outlines[parent[stated]], shapes[stated])
    odd = stated[~held]
    pieces, row = faces(shapely.difference(shapes[odd], outlines[parent[odd]]))
    return pieces, odd[row]


def uncovered(shapes: Shapes, outlines: Shapes, among: Longs) -> tuple[Shapes, Longs]:
    """Return the ground of outlines that no shape covers, and the outline of each piece.

    Parameters
    ----------
    shapes, outlines : ndarray of Polygon or MultiPolygon
    among : ndarray of int
        The outlines to look at.
    """
    left = outlines[among].copy()
    outline, shape = shapely.STRtree(shapes).query(left, predicate="intersects")
    order = np.argsort(outline, kind="stable")
    bounds = np.searchsorted(outline[order], np.arange(len(among) + 1))
    for at in range(len(among)):
        mine = shapes[shape[order[bounds[at] : bounds[at + 1]]]]
        left[at] = shapely.difference(left[at], shapely.union_all(mine))
    pieces, row = faces(left)
    return pieces, among[row]


def detached(shapes: Shapes, outlines: Shapes, parent: Longs) -> tuple[Shapes, Longs]:
    """Return the parts of shapes that the shapes of their parents do not force to be apart.

    In every connected piece of its parent a shape may have one part: the largest. Where no
    parent is known (-1), it may have one part in all.

    Returns
    -------
    parts : ndarray of Polygon, shape (d,)
        All others.
    shape : ndarray of int, shape (d,)
        The shape of each.
    """
    several = np.flatnonzero(shapely.get_num_geometries(shapes) > 1)
    parts, row = shapely.get_parts(shapes[several], return_index=True)
    owner = several[row]
    piece = np.full(len(parts), -1, dtype=np.int64)
    known = np.flatnonzero(parent[owner] >= 0)
    if len(known):
        pieces, home = shapely.get_parts(outlines, return_index=True)
        points = shapely.point_on_surface(parts[known])
        part, at = shapely.STRtree(pieces).query(points, predicate="intersects")
        own = home[at] == parent[owner[known[part]]]
        piece[known[part[own]]] = at[own]
    order = np.lexsort((-shapely.area(parts), piece, owner))
    rest = np.zeros(len(parts), dtype=bool)
    same = (owner[order][1:] == owner[order][:-1]) & (piece[order][1:] == piece[order][:-1])
    rest[order[1:]] = same
    return parts[rest], owner[rest]


def unmatched(shapes: Shapes) -> tuple[Longs, Floats, Longs]:
    """Return the nodes of shapes that lie on an edge of a neighbour which lacks them.

    Returns
    -------
    lacking : ndarray of int, shape (u,)
        The shape without the node.
    nodes : ndarray of float, shape (u, 2)
    owner : ndarray of int, shape (u,)
        A shape with the node.
    """
    rings = Rings.of(shapes)
    rim = rings.rim
    at = np.unique(np.concatenate([rings.rim, rings.rim + 1]))
    key = rings.node[at] * (len(shapes) + 1) + rings.shape[at]
    at = at[np.unique(key, return_index=True)[1]]
    if len(at) == 0:
        return at, np.empty((0, 2)), at
    ends_xy = np.stack([rings.xy[rim], rings.xy[rim + 1]], axis=1)
    segments = np.asarray(shapely.linestrings(ends_xy))
    points = shapely.points(rings.xy[at])
    found, line = shapely.STRtree(segments).query(points, "dwithin", distance=NEAR_M)
    node, start = rings.node[at[found]], rim[line]
    ends = (node == rings.node[start]) | (node == rings.node[start + 1])
    foreign = (rings.shape[at[found]] != rings.shape[start]) & ~ends
    found, start = found[foreign], start[foreign]
    return rings.shape[start], rings.xy[at[found]], rings.shape[at[found]]
