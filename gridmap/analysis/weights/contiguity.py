"""Who is next to whom on a coverage, as sparse matrices.

Rows and columns are in the order of the frame. What has no neighbour has an empty row.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis._values import rows_of
from gridmap.analysis.weights._contiguity import OPEN, Rings, contiguous, crowds, twins
from gridmap.errors import ConformError

__all__ = ["matrix", "proven", "queen", "rook"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Rows = npt.NDArray[np.integer[Any]]
Shapes = npt.NDArray[np.object_]

_POLYGON, _MULTIPOLYGON = 3, 6


@asks()
def queen(areas: gpd.GeoDataFrame | gpd.GeoSeries) -> sp.csr_array:
    """Return which areas of a coverage share a point.

    Vertices are compared exactly, by hashing. An area with a border that no other has, at the rim
    or where the vertex of a neighbour lies on it, is also asked of shapely (``intersects``).

    Parameters
    ----------
    areas : GeoDataFrame or GeoSeries of m polygons
        A coverage: they do not overlap. Areas that overlap in spite of that are neighbours if
        they share a vertex or if one of them has a border of its own. Outlines with hairlines
        between them are for `neighbours`. Areas that are empty or missing have no neighbours.

    Returns
    -------
    csr_array of float, shape (m, m), binary and symmetric, no area next to itself

    Raises
    ------
    ConformError
        If there is something else than polygons, or a coordinate is not finite.

    Examples
    --------
    >>> squares = [shapely.box(x, y, x + 100, y + 100) for x in (0, 100) for y in (0, 100)]
    >>> near = analysis.queen(gpd.GeoSeries(squares, crs=4549))
    >>> near.toarray().astype(int)
    array([[0, 1, 1, 1],
           [1, 0, 1, 1],
           [1, 1, 0, 1],
           [1, 1, 1, 0]])
    """
    return _contiguity(areas, corners=True)


@asks()
def rook(areas: gpd.GeoDataFrame | gpd.GeoSeries) -> sp.csr_array:
    """Return which areas of a coverage share a border, and not only a point of it.

    Parameters
    ----------
    areas : GeoDataFrame or GeoSeries of m polygons
        As for `queen`. Where the vertex of a neighbour lies on a border, they are neighbours if
        the intersection of the two areas has a length.

    Returns
    -------
    csr_array of float, shape (m, m), binary and symmetric, no area next to itself

    Raises
    ------
    ConformError
        If there is something else than polygons, or a coordinate is not finite.

    Examples
    --------
    >>> squares = [shapely.box(x, y, x + 100, y + 100) for x in (0, 100) for y in (0, 100)]
    >>> near = analysis.rook(gpd.GeoSeries(squares, crs=4549))
    >>> near.toarray().astype(int)
    array([[0, 1, 1, 0],
           [1, 0, 0, 1],
           [1, 0, 0, 1],
           [0, 1, 1, 0]])
    """
    return _contiguity(areas, corners=False)


def matrix(row: Rows, column: Rows, size: int) -> sp.csr_array:
    """Return binary weights from pairs, repeated ones and links to oneself left out."""
    apart = row != column
    row, column = row[apart], column[apart]
    made = sp.csr_array((np.ones(len(row)), (row, column)), shape=(size, size))
    made.sum_duplicates()
    made.data[:] = 1.0
    return made


def proven(xy: Floats, row: Rows, shapes: gpd.GeoSeries) -> None:
    """Prove that coordinates are finite; the error names the rows."""
    if not np.isfinite(xy).all():
        wrong = np.unique(row[~np.isfinite(xy).all(axis=1)])
        raise ConformError("conform.values", what="coordinates", rows=rows_of(shapes.index[wrong]))


def _contiguity(areas: gpd.GeoDataFrame | gpd.GeoSeries, *, corners: bool) -> sp.csr_array:
    shapes = areas.geometry
    rings = _rings(shapes)
    twin = np.full(len(rings.xy), OPEN, dtype=np.int32)
    crowd = twins(rings, twin, np.empty((64, 2), dtype=np.int64))
    crowd = crowd[np.argsort(crowd[:, 0], kind="stable")]
    shared = crowds(rings.owner, twin, crowd, np.empty((64, 2), dtype=np.int64))
    pairs = contiguous(rings, twin, corners)
    row = np.concatenate([pairs.row, shared[:, 0]])
    column = np.concatenate([pairs.column, shared[:, 1]])
    rim = np.zeros(len(shapes), dtype=bool)
    rim[rings.owner[twin == OPEN]] = True
    one, other = _asked(shapes.to_numpy(), rim)
    if not corners:
        known = rim[row]
        one, other = _with_length(shapes.to_numpy(), one, other, row[known], column[known])
    row, column = np.concatenate([row, one, other]), np.concatenate([column, other, one])
    return matrix(row, column, len(shapes))


def _rings(shapes: gpd.GeoSeries) -> Rings:
    polygons = shapes.to_numpy()
    kinds = shapely.get_type_id(polygons)
    if not np.isin(kinds, (_POLYGON, _MULTIPOLYGON, -1)).all():
        found = ", ".join(sorted(set(shapes.geom_type.dropna()) - {"Polygon", "MultiPolygon"}))
        raise ConformError("conform.geometry", layer="areas", found=found, asked="Polygon")
    xy = shapely.get_coordinates(polygons)
    if (kinds == _MULTIPOLYGON).any() or shapely.get_num_interior_rings(polygons).any():
        area, ring = _all_rings(polygons)
    else:
        area, ring = np.arange(len(polygons)), polygons
    length = shapely.get_num_coordinates(ring)
    area, length = area[length > 0], length[length > 0]
    owner = np.repeat(area, length).astype(np.int32)
    proven(xy, owner, shapes)
    start = np.concatenate([[0], np.cumsum(length)])
    # The sum turns -0.0 into 0.0, which is equal but has other bits.
    return Rings((xy + 0.0).view(np.int64), start, area.astype(np.int32), owner)


def _all_rings(polygons: Shapes) -> tuple[Longs, Shapes]:
    """Return the rings of polygons in the order of their coordinates, and whose they are."""
    part, whole = shapely.get_parts(polygons, return_index=True)
    ring, of_part = shapely.get_rings(part, return_index=True)
    return whole[of_part], ring


def _asked(polygons: Shapes, rim: npt.NDArray[np.bool_]) -> tuple[Longs, Longs]:
    """Return the pairs that meet, one of them an area with a border of its own."""
    rows: Longs = np.flatnonzero(rim)
    if not len(rows):
        return rows, rows
    found, other = shapely.STRtree(polygons).query(polygons[rows], predicate="intersects")
    apart = rows[found] != other
    return rows[found][apart], other[apart]


def _with_length(
    polygons: Shapes, one: Longs, other: Longs, row: Longs, column: Longs
) -> tuple[Longs, Longs]:
    """Return the pairs that share more than points, of those not known to share a border."""
    size = len(polygons)
    known = np.isin(one * size + other, row * size + column)
    one, other = one[~known], other[~known]
    shared = shapely.length(shapely.intersection(polygons[one], polygons[other])) > 0
    return one[shared], other[shared]
