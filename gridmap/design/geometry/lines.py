"""The lines that part the cells of a grid: barriers, and Voronoi edges between footprints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import Delaunay
from shapely.geometry.base import BaseGeometry

__all__ = ["ridges", "within"]

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

ALONG_M = 0.01  # a barrier this near to the outline runs along it
LEAST_RUN_M = 0.05  # on less it crosses


def within(barriers: Shapes, outline: BaseGeometry) -> Shapes:
    """Return barriers without what runs along the outline; ends beside it reach it."""
    shapely.prepare(outline)
    near = np.flatnonzero(shapely.dwithin(outline, barriers, ALONG_M))
    if len(near) == 0:
        return barriers
    strip, kept = shapely.buffer(outline, ALONG_M), barriers.copy()
    for k in near:
        runs = shapely.get_parts(shapely.intersection(barriers[k], strip))
        along = shapely.length(runs).max(initial=0.0) > LEAST_RUN_M
        left = shapely.difference(barriers[k], strip) if along else barriers[k]
        ends = shapely.get_parts(shapely.boundary(left))
        ends = ends[shapely.dwithin(outline, ends, 2 * ALONG_M)]
        kept[k] = shapely.union_all([left, *shapely.shortest_line(outline, ends)])
    return kept


def ridges(sites: Floats, owner: Longs, box: Sequence[float]) -> Shapes:
    """Return the Voronoi edges between sites of different footprints, near the box."""
    low, high = np.array(box[:2]), np.array(box[2:])
    centre, reach = (low + high) / 2, float(np.max(high - low)) + 1.0
    far = np.max(np.abs(sites - centre), initial=0.0) + reach
    corners = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]) * 20.0 * far
    at = np.vstack([sites - centre, corners])
    mesh = Delaunay(at)
    whose = np.append(owner, np.full(4, -1))[mesh.simplices]
    # Between the centres of two triangles runs the edge between the sites that they share.
    one, corner = np.nonzero(mesh.neighbors > np.arange(len(mesh.neighbors))[:, None])
    first, second = whose[one, (corner + 1) % 3], whose[one, (corner + 2) % 3]
    apart = (first != second) & (first >= 0) & (second >= 0)
    one, corner = one[apart], corner[apart]
    centres = _centres(at[mesh.simplices])
    xy = np.stack([centres[one], centres[mesh.neighbors[one, corner]]], axis=1)
    xy = xy[~np.isnan(xy).any(axis=(1, 2))]
    near = (xy.min(axis=1) <= high - centre).all(axis=1) & (xy.max(axis=1) >= low - centre).all(
        axis=1
    )
    long = np.abs(xy[:, 0] - xy[:, 1]).max(axis=1) > 0
    xy = np.clip(xy[near & long], -10 * far, 10 * far) + centre
    return np.asarray(shapely.linestrings(xy))


def _centres(triangles: Floats) -> Floats:
    """Return where the points are that are as far from all three corners; NaN if in a line."""
    origin = triangles[:, 0]
    (bx, by), (cx, cy) = (triangles[:, at].T - origin.T for at in (1, 2))
    twice = 2.0 * (bx * cy - by * cx)
    bb, cc = bx * bx + by * by, cx * cx + cy * cy
    with np.errstate(divide="ignore", invalid="ignore"):
        off = np.column_stack([(cy * bb - by * cc) / twice, (bx * cc - cx * bb) / twice])
    return np.asarray(origin + off)
