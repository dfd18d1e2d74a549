"""Cells around buildings that tile a grid exactly: every point of the grid belongs to one atom.

The method is that of enclosed tessellation (Fleischmann et al. 2020, "Morphological tessellation
as a way of partitioning space"; Arribas-Bel and Fleischmann 2022, "Spatial signatures"), with one
change: outline, barriers, footprints and Voronoi edges are noded once, together, and cells are
unions of the faces between them. Neighbours therefore share their nodes, no footprint is cut, and
the adjacency of atoms is read off the faces' segments.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from gridmap.design.geometry.lines import ridges, within
from gridmap.design.geometry.rings import Rings

__all__ = ["Cells", "tessellate"]

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SITE_SPACING_M = 8.0  # between the points that stand for a footprint's outline
SITE_SHARE = 0.125  # of the side of a square as large, where that is more: for parcels and fields
SITE_GRID_M = 1e-3  # sites nearer to each other than this are one
AREA_SHARE = 1e-9  # of a parent: rounding
AREA_M2 = 1e-6  # rounding of a small one
NODE_GRID_M = 1e-8  # of the noding, so that lines which are the same but for rounding become one
APART_M = 5e-8  # nodes on the outline nearer to each other may have changed places in the noding
LAND_M2 = 20_000.0  # an empty footprint that is larger is no building
LAND_COMPACTNESS = 0.1  # nor is one of a lower 4 pi area / perimeter^2, such as a street
ON_LINE_M = 3e-3  # a segment this near to a barrier lies on it
LEAST_BORDER_M = 0.05  # what touches along less is not a neighbour one could walk to
BARRIER_SHARE = 0.5  # of a border that must lie on a barrier for the border to count as one


@dataclass(frozen=True)
class Cells:
    """The cells of one parent.

    Parameters
    ----------
    geometry : ndarray of Polygon or MultiPolygon, shape (c,)
        Together the parent; interiors are disjoint, shared borders have the same nodes.
    owner : ndarray of int64, shape (n,)
        The cell of each footprint that came in.
    pairs : ndarray of int64, shape (e, 2)
        Cells that share a border one can cross; the first is the lower.
    border_m : ndarray of float, shape (e,), metres
    barrier : ndarray of float, shape (e,)
        The weight of the barrier along the border, 0 if less than half of it lies on one.
    line : ndarray of int64, shape (e,)
        Which barrier that is, -1 for none.
    """

    geometry: Shapes
    owner: Longs
    pairs: Longs
    border_m: Floats
    barrier: Floats
    line: Longs


@dataclass(frozen=True)
class _Faces:
    """What the noded lines enclose, and the segments between two of them."""

    shapes: Shapes
    inner: Floats
    one: Longs
    other: Longs
    length: Floats
    barrier: Floats
    line: Longs


def tessellate(
    parent: shapely.Polygon | shapely.MultiPolygon,
    footprints: Shapes,
    occupied: Bools,
    *,
    barriers: Shapes | None = None,
    weights: Floats | None = None,
) -> Cells:
    """Divide a parent among its buildings.

    Parameters
    ----------
    parent : Polygon or MultiPolygon, metres
    footprints : ndarray of Polygon, MultiPolygon or Point, shape (n,)
        May overlap, touch, coincide or reach over the parent's outline.
    occupied : ndarray of bool, shape (n,)
        Only these get a cell; the land of the others joins the neighbour with which it shares
        the longest border that is no barrier; streets and open land are shared among all beside
        them. If none is occupied, all share one cell.
    barriers : ndarray of LineString, shape (b,), optional
        Streets, rivers, railways, walls. A cell reaches across one only with its own footprint,
        or for land that no building stands on.
    weights : ndarray of float, shape (b,), optional
        Of the barriers; infinite for what nobody crosses. 1 where not given.

    Returns
    -------
    Cells
        A footprint that others cover wholly shares the cell of the one over most of it.
    """
    lines = np.empty(0, dtype=object) if barriers is None else barriers
    strength = np.ones(len(lines)) if weights is None else weights
    if not occupied.any():
        return _whole(parent, len(footprints))
    built = occupied | ~_is_land(footprints)
    if not built.all():
        return _with_land(parent, footprints, occupied, built, lines, strength)
    sites, site_owner = _sites(footprints)
    faces = _sound_faces(parent, footprints, sites, site_owner, lines, strength)
    own, printed = _claims(faces, footprints, occupied, sites, site_owner)
    owner_of_face = _settle(faces, own, printed)
    return _joined(faces, owner_of_face, footprints, occupied)


def _is_land(footprints: Shapes) -> Bools:
    """Tell which footprints are streets or open land, if nobody lives there."""
    area, length = shapely.area(footprints), shapely.length(footprints)
    thin = 4 * np.pi * area < LAND_COMPACTNESS * length**2
    return np.asarray((area > LAND_M2) | (thin & (area > 0)))


def _with_land(
    parent: shapely.Polygon | shapely.MultiPolygon,
    footprints: Shapes,
    occupied: Bools,
    built: Bools,
    lines: Shapes,
    strength: Floats,
) -> Cells:
    """Share open land among the buildings beside it; each piece of it follows its inner point."""
    cells = tessellate(parent, footprints[built], occupied[built], barriers=lines, weights=strength)
    owner = np.empty(len(footprints), dtype=np.int64)
    owner[built] = cells.owner
    inner = shapely.point_on_surface(footprints[~built])
    owner[~built] = shapely.STRtree(cells.geometry).nearest(inner)
    return replace(cells, owner=owner)


def _whole(parent: BaseGeometry, footprints: int) -> Cells:
    cells = np.array([parent], dtype=object)
    none, nothing = np.empty(0), np.empty(0, dtype=np.int64)
    owner = np.zeros(footprints, np.int64)
    return Cells(cells, owner, np.empty((0, 2), dtype=np.int64), none, none, nothing)


def _sites(footprints: Shapes) -> tuple[Floats, Longs]:
    """Return points that stand for the footprints, and whose they are; no two coincide."""
    polygons = shapely.get_dimensions(footprints) == 2  # noqa: PLR2004 - of a polygon
    dense = footprints.copy()
    side = np.sqrt(shapely.area(footprints[polygons]))
    spacing = np.maximum(SITE_SPACING_M, SITE_SHARE * side)
    dense[polygons] = shapely.segmentize(footprints[polygons], spacing)
    xy, owner = shapely.get_coordinates(dense, return_index=True)
    _, first = np.unique(np.round(xy / SITE_GRID_M), axis=0, return_index=True)
    first.sort()
    return xy[first], owner[first].astype(np.int64)


def _sound_faces(
    parent: BaseGeometry,
    footprints: Shapes,
    sites: Floats,
    site_owner: Longs,
    barriers: Shapes,
    weights: Floats,
) -> _Faces:
    """Return faces that tile the parent.

    Lines that no arithmetic of floating point can node are left out, barriers before footprints;
    what that cuts, `gridmap.design.losses` tells.
    """
    none, nothing = np.empty(0, dtype=object), np.empty(0)
    for drawn, lines, strength, grid_m in (
        (footprints, barriers, weights, NODE_GRID_M),
        (footprints, barriers, weights, None),
        (footprints, none, nothing, None),
        (none, none, nothing, None),
    ):
        faces = _faces(parent, drawn, sites, site_owner, lines, strength, grid_m)
        if _sound(faces.shapes, parent):
            break
    return faces


def _sound(shapes: Shapes, parent: BaseGeometry) -> bool:
    missing = parent.area - shapely.area(shapes).sum()
    return bool(
        abs(missing) <= max(AREA_M2, AREA_SHARE * parent.area)
        and shapely.is_valid(shapes).all()
        and shapely.coverage_is_valid(shapes)
    )


def _faces(
    parent: BaseGeometry,
    footprints: Shapes,
    sites: Floats,
    site_owner: Longs,
    barriers: Shapes,
    weights: Floats,
    grid_m: float | None,
) -> _Faces:
    """Node all lines once and return the faces inside the parent.

    No line is moved: what moves one by a millimetre takes square metres off a long parcel.
    """
    box = parent.bounds
    polygons = footprints[shapely.get_dimensions(footprints) == 2]  # noqa: PLR2004
    edges = _outside(ridges(sites, site_owner, box), polygons)
    clipped = shapely.clip_by_rect(barriers, box[0] - 1, box[1] - 1, box[2] + 1, box[3] + 1)
    clipped = within(clipped, parent.boundary)
    drawn = np.concatenate([shapely.boundary(polygons), clipped, edges])
    outline = np.array([parent.boundary], dtype=object)
    lines = np.concatenate([drawn[~shapely.is_empty(drawn)], outline])
    noded = shapely.unary_union(lines, grid_size=grid_m)
    shapes = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inner = shapely.point_on_surface(shapes)
    shapely.prepare(parent)
    inside = shapely.contains(parent, inner)
    inner, rings = inner[inside], Rings.of(shapes[inside])
    if grid_m:
        rings = _restored(rings, parent.boundary)
        # What lay between the outline and a line beside it may have collapsed; all else stays,
        # however small, lest it leave a hole.
        solid = (shapely.area(rings.shapes) > 0) & shapely.is_valid(rings.shapes)
        inner, rings = inner[solid], Rings.of(rings.shapes[solid])
    shapes = rings.shapes
    one, other, start, end = _segments(rings)
    # The heaviest of several lines is the last in the order of their weights.
    order = np.argsort(weights, kind="stable")
    last = np.full(len(one), -1)
    if len(barriers):
        middle = shapely.points((start + end) / 2)
        on, line = (
            shapely.STRtree(clipped).query(middle, "dwithin", distance=ON_LINE_M).reshape(2, -1)
        )
        np.maximum.at(last, on, np.argsort(order)[line])
    heaviest = np.append(order, -1)[last]
    barrier = np.append(weights, 0.0)[heaviest]
    length = np.hypot(*(end - start).T)
    return _Faces(shapes, shapely.get_coordinates(inner), one, other, length, barrier, heaviest)


def _outside(edges: Shapes, footprints: Shapes) -> Shapes:
    """Leave out edges inside a footprint, which part nothing: all of it has one owner."""
    kept = np.ones(len(edges), dtype=bool)
    kept[shapely.STRtree(edges).query(footprints, "contains_properly")[1]] = False
    return np.asarray(edges[kept])


def _restored(rings: Rings, outline: BaseGeometry) -> Rings:
    """Put the nodes on the rim back from the grid of the noding onto the outline."""
    at, node = rings.rim_nodes
    exact = shapely.get_coordinates(shapely.shortest_line(outline, shapely.points(rings.xy[at])))
    exact = exact[::2]
    corners = np.unique(shapely.get_coordinates(outline), axis=0)
    nearest = cKDTree(corners).query(rings.xy[at])
    distance, corner = np.asarray(nearest[0]), np.asarray(nearest[1])
    exact[distance < NODE_GRID_M] = corners[corner[distance < NODE_GRID_M]]
    return rings.moved_nodes(node, _gathered(exact, distance))


def _gathered(nodes: Floats, distance: Floats) -> Floats:
    """Make one of nodes that are nearer than the noding can tell, lest they change their order."""
    close = cKDTree(nodes).query_pairs(APART_M, output_type="ndarray")
    if len(close) == 0:
        return nodes
    group = _pieces(len(nodes), close[:, 0], close[:, 1])
    order = np.lexsort((np.arange(len(nodes)), distance, group))
    first = np.ones(len(nodes), dtype=bool)
    first[1:] = group[order][1:] != group[order][:-1]
    return np.asarray(nodes[order[first]][group])


def _segments(rings: Rings) -> tuple[Longs, Longs, Floats, Floats]:
    """Return the segments that two faces share: the faces, and both ends."""
    order = np.argsort(rings.key, kind="stable")
    twice = rings.key[order][1:] == rings.key[order][:-1]
    first, second = rings.start[order[:-1][twice]], rings.start[order[1:][twice]]
    return rings.shape[first], rings.shape[second], rings.xy[first], rings.xy[first + 1]


def _claims(
    faces: _Faces, footprints: Shapes, occupied: Bools, sites: Floats, site_owner: Longs
) -> tuple[Longs, Bools]:
    """Return the footprint that each face belongs to by itself, and whether it lies in it.

    A face in several footprints belongs to one that is occupied, of those to the smallest, then
    to the first.
    """
    own = site_owner[cKDTree(sites).query(faces.inner)[1]]
    inner = shapely.points(faces.inner)
    face, footprint = shapely.STRtree(footprints).query(inner, "intersects")
    size = shapely.area(footprints)[footprint]
    order = np.lexsort((footprint, size, ~occupied[footprint], face))
    face, footprint = face[order], footprint[order]
    first = np.ones(len(face), dtype=bool)
    first[1:] = face[1:] != face[:-1]
    printed = np.zeros(len(own), dtype=bool)
    own[face[first]] = footprint[first]
    printed[face[first]] = True
    points = np.flatnonzero(shapely.get_dimensions(footprints) == 0)
    if len(points):
        point, at = shapely.STRtree(faces.shapes).query(footprints[points], "intersects")
        mine = own[at] == points[point]
        printed[at[mine]] = True
    return own.astype(np.int64), printed


def _settle(faces: _Faces, own: Longs, printed: Bools) -> Longs:
    """Return the footprint of every face, so that each footprint's faces hang together."""
    count = len(own)
    open_ = faces.barrier == 0
    enclosure = _pieces(count, faces.one[open_], faces.other[open_])
    # Land belongs to a footprint on its own side of the street, if there is one.
    side = own * (int(enclosure.max(initial=0)) + 1) + enclosure
    own = np.where(np.isin(side, side[printed]), own, -1)
    same = (own[faces.one] == own[faces.other]) & (own[faces.one] >= 0)
    piece = _pieces(count, faces.one[same], faces.other[same])
    area = shapely.area(faces.shapes)
    inside = np.bincount(piece, weights=np.where(printed, area, area * 1e-9))
    best = _best_piece(own, piece, np.asarray(inside, dtype=np.float64))
    own = np.where(best, own, -1)
    return _grown(own, faces.one, faces.other, faces.length, faces.barrier, faces.inner)


def _best_piece(own: Longs, piece: Longs, value: Floats) -> Bools:
    """Tell which faces lie in the best piece of their footprint."""
    order = np.lexsort((piece, -value[piece], own))
    first = np.ones(len(own), dtype=bool)
    first[1:] = own[order][1:] != own[order][:-1]
    chosen = np.full(int(own.max(initial=0)) + 2, -1)
    chosen[own[order][first]] = piece[order][first]
    return np.asarray((own >= 0) & (chosen[own] == piece))


def _pieces(count: int, one: Longs, other: Longs) -> Longs:
    links = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _grown(
    own: Longs, one: Longs, other: Longs, length: Floats, barrier: Floats, inner: Floats
) -> Longs:
    """Give what nobody owns (-1) to a neighbour: over the lowest barrier, the longest border."""
    lost = np.flatnonzero(own < 0)
    if len(lost) == 0:
        return own
    own = own.copy()
    pairs, total, _ = _pair_sums(one, other, length, barrier, len(own))
    beside: dict[int, list[tuple[float, float, int]]] = {int(k): [] for k in lost}
    for (a, b), (border, weight) in zip(pairs.tolist(), total.tolist(), strict=True):
        if a in beside:
            beside[a].append((weight, -border, b))
        if b in beside:
            beside[b].append((weight, -border, a))
    queue = [
        (weight, border, face, int(own[at]))
        for face, around in beside.items()
        for weight, border, at in around
        if own[at] >= 0
    ]
    heapq.heapify(queue)
    while queue:
        _, _, face, footprint = heapq.heappop(queue)
        if own[face] >= 0:
            continue
        own[face] = footprint
        for weight, border, at in beside[face]:
            if own[at] < 0:
                heapq.heappush(queue, (weight, border, at, footprint))
    island = np.flatnonzero(own < 0)
    if len(island):
        held = np.flatnonzero(own >= 0)
        own[island] = own[held[cKDTree(inner[held]).query(inner[island])[1]]]
    return own


def _pair_sums(
    one: Longs, other: Longs, length: Floats, barrier: Floats, count: int
) -> tuple[Longs, Floats, Floats]:
    """Add up segments by pair: pairs, (length, barrier) of each, and the length on barriers."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    apart = low != high
    key, at = np.unique(low[apart] * count + high[apart], return_inverse=True)
    total = np.bincount(at, weights=length[apart], minlength=len(key))
    barred = np.bincount(at, weights=np.where(barrier > 0, length, 0.0)[apart], minlength=len(key))
    weight = np.zeros(len(key))
    np.maximum.at(weight, at, barrier[apart])
    weight[barred < BARRIER_SHARE * total] = 0.0
    pairs = np.column_stack([key // count, key % count])
    return pairs, np.column_stack([total, weight]), np.asarray(barred, dtype=np.float64)


def _joined(faces: _Faces, owner: Longs, footprints: Shapes, occupied: Bools) -> Cells:
    """Join empty footprints to neighbours, and the faces of each cell to one polygon."""
    count = len(footprints)
    one, other = owner[faces.one], owner[faces.other]
    has_land = np.bincount(owner, minlength=count) > 0
    keeps = occupied & has_land
    if not keeps.any():
        keeps = has_land & (np.arange(count) == owner[0])
    cell = np.where(keeps, np.arange(count), -1)
    inner = shapely.get_coordinates(shapely.point_on_surface(footprints))
    landed = np.flatnonzero(has_land)
    cell[landed] = _grown(
        np.where(keeps, np.arange(count), np.where(has_land, -1, count)),
        one, other, faces.length, faces.barrier, inner,
    )[landed]  # fmt: skip
    covered = np.flatnonzero(~has_land)
    if len(covered):
        cell[covered] = cell[_hosts(faces, owner, footprints[covered])]
    kept, owner_cell = np.unique(cell, return_inverse=True)
    of_face = owner_cell[owner]
    shapes = _unions(faces.shapes, of_face, len(kept))
    pairs, total, barred = _pair_sums(
        of_face[faces.one], of_face[faces.other], faces.length, faces.barrier, len(kept)
    )
    blocked = np.isinf(total[:, 1])
    border = np.where(blocked, total[:, 0] - barred, total[:, 0])
    weight = np.where(blocked, 0.0, total[:, 1])
    near = border > LEAST_BORDER_M
    line = _lines_of(faces, of_face, pairs, weight)
    return Cells(shapes, owner_cell, pairs[near], border[near], weight[near], line[near])


def _hosts(faces: _Faces, owner: Longs, covered: Shapes) -> Longs:
    """Return for each footprint without a face whose faces take up most of it."""
    inner = shapely.point_on_surface(covered)
    host = owner[shapely.STRtree(faces.shapes).nearest(inner)]
    within = shapely.STRtree(np.asarray(shapely.points(faces.inner), dtype=object))
    row, face = within.query(covered, "intersects")
    key = row * (int(owner.max()) + 1) + owner[face]
    pairs, at = np.unique(key, return_inverse=True)
    area = np.bincount(at, weights=shapely.area(faces.shapes[face]), minlength=len(pairs))
    row, whose = np.divmod(pairs, int(owner.max()) + 1)
    # The largest of each row is written last.
    order = np.lexsort((-whose, area, row))
    host[row[order]] = whose[order]
    return np.asarray(host, dtype=np.int64)


def _lines_of(faces: _Faces, cell: Longs, pairs: Longs, weight: Floats) -> Longs:
    """Return the barrier that gives the border of each pair its weight, -1 for none."""
    count = int(cell.max(initial=0)) + 1
    ends = np.sort(np.column_stack([cell[faces.one], cell[faces.other]]), axis=1)
    keys, key = pairs[:, 0] * count + pairs[:, 1], ends[:, 0] * count + ends[:, 1]
    line = np.full(len(pairs), -1, dtype=np.int64)
    on = np.flatnonzero((faces.line >= 0) & (ends[:, 0] != ends[:, 1]))
    at = np.searchsorted(keys, key[on])
    same = weight[at] == faces.barrier[on]
    line[at[same]] = faces.line[on[same]]
    return np.where(weight > 0, line, -1)


def _unions(shapes: Shapes, group: Longs, count: int) -> Shapes:
    """Return the union of the faces of each group."""
    order = np.argsort(group, kind="stable")
    bounds = np.searchsorted(group[order], np.arange(count + 1))
    united = np.empty(count, dtype=object)
    for k in range(count):
        mine = shapes[order[bounds[k] : bounds[k + 1]]]
        united[k] = mine[0] if len(mine) == 1 else shapely.coverage_union_all(mine)
    return united
