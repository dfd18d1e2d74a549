"""Geometries as rings or lines on an integer grid: the first half of packing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gridmap.compiled import kernel
from gridmap.errors import OutputError
from gridmap.outputs.pages._pack_bytes import hilbert

__all__ = ["Kind", "Lattice", "Paths", "degrees", "lattice", "order", "paths", "places"]

METRES_PER_DEGREE = 111_700.0  # the longest degree of the WGS 84 ellipsoid, at the poles
_ORDER_BITS = 16
_LEAST_RING = 3
_MOST_STEPS = 2**31 - 1
_COLLECTIONS = (4, 5, 6, 7)
_KINDS = {"polygons": (3,), "lines": (1, 2), "points": (0,)}
_MERCATOR_LIMIT = 85.0
Kind = Literal["polygons", "lines", "points"]
Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lattice:
    """The grid of places that a page can hold.

    Parameters
    ----------
    west, south : float, degrees
        The place (0, 0).
    step_x, step_y : float, degrees
        Between neighbouring places: never more than `quantum_m` on the ground.
    quantum_m : float, metres
    """

    west: float
    south: float
    step_x: float
    step_y: float
    quantum_m: float


@dataclass(frozen=True)
class Paths:
    """Rings without their closing vertex, or lines, on a lattice.

    Parameters
    ----------
    x, y : ndarray of int32, shape (vertices,)
        No vertex repeats the one before it.
    start : ndarray of int64, shape (paths + 1,)
        The first vertex of each.
    count : ndarray of int64, shape (features,)
        Paths of each feature; 0 without a geometry.
    """

    x: Int32
    y: Int32
    start: Int64
    count: Int64


def degrees(gdf: gpd.GeoDataFrame, name: str) -> Shapes:
    """Return the geometries in longitude and latitude (WGS 84).

    Raises
    ------
    OutputError
        If the frame has no CRS, or a place is beyond what a web map shows.
    """
    if gdf.crs is None:
        raise OutputError("page.no_crs", layer=name)
    shapes: Shapes = np.asarray(gdf.geometry.to_crs(4326).array)
    bounds = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        lost = (np.abs(bounds[:, [1, 3]]) > _MERCATOR_LIMIT).any(axis=1)
        lost |= (np.abs(bounds[:, [0, 2]]) > 180).any(axis=1)  # noqa: PLR2004 - degrees
        lost |= ~np.isfinite(bounds).all(axis=1) & ~(
            shapely.is_empty(shapes) | shapely.is_missing(shapes)
        )
    if lost.any():
        rows = np.flatnonzero(lost)
        raise OutputError("packed.off_map", layer=name, count=len(rows), rows=rows[:5].tolist())
    return shapes


def lattice(bounds: Floats, quantum_m: float, name: str) -> Lattice:
    """Return the grid for boxes.

    Parameters
    ----------
    bounds : ndarray of float, shape (n, 4), degrees
        NaN for rows without geometry.
    quantum_m : float, metres
    name : str
        Of the layer, for the error.

    Raises
    ------
    OutputError
        If the quantum is not positive, or too fine for the extent.
    """
    if not (np.isfinite(quantum_m) and quantum_m > 0):
        raise OutputError("packed.quantum", layer=name, quantum=quantum_m)
    known = bounds[np.isfinite(bounds).all(axis=1)]
    if not len(known):
        known = np.zeros((1, 4))
    west, south = known[:, :2].min(axis=0)
    east, north = known[:, 2:].max(axis=0)
    nearest = 0.0 if south < 0 < north else min(abs(south), abs(north))
    step_y = quantum_m / METRES_PER_DEGREE
    step_x = step_y / math.cos(math.radians(nearest))
    if max((east - west) / step_x, (north - south) / step_y) > _MOST_STEPS:
        raise OutputError("packed.quantum", layer=name, quantum=quantum_m)
    return Lattice(float(west), float(south), step_x, step_y, quantum_m)


def order(bounds: Floats) -> Int64:
    """Return the rows along a Hilbert curve through the middles of their boxes, stable.

    Rows without a box (NaN) come last.
    """
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    known = np.isfinite(middle).all(axis=1)
    place = np.full(len(middle), np.iinfo(np.int64).max)
    if known.any():
        low = middle[known].min(axis=0)
        size = max(float((middle[known].max(axis=0) - low).max()), 1e-12)
        cells = ((middle[known] - low) / size * (2**_ORDER_BITS - 1)).astype(np.int64)
        place[known] = hilbert(cells[:, 0].copy(), cells[:, 1].copy(), _ORDER_BITS)
    return np.argsort(place, kind="stable")


def paths(shapes: Shapes, grid: Lattice, kind: Kind) -> Paths:
    """Return the rings of polygons, or lines, on the lattice.

    Exteriors run counter-clockwise and holes clockwise. A ring that falls into less than three
    places is kept where it is an exterior, so that its feature keeps a place, else dropped.

    Parameters
    ----------
    shapes : ndarray of geometry, shape (features,)
        In degrees. Parts of another kind are left out.
    grid : Lattice
    kind : str
        ``"polygons"`` or ``"lines"``.
    """
    parts, feature = _parts(shapes, _KINDS[kind])
    coordinates, ring_start, part_start = _ragged(parts, kind)
    exterior = np.zeros(len(ring_start) - 1, dtype=np.bool_)
    exterior[part_start[:-1]] = True
    owner = np.repeat(feature, np.diff(part_start))
    x, y, start, whole = _on_lattice(
        coordinates, ring_start, exterior, kind == "polygons",
        np.array([grid.west, grid.south]), np.array([grid.step_x, grid.step_y]),
    )  # fmt: skip
    return Paths(x, y, start, np.bincount(owner[whole], minlength=len(shapes)).astype(np.int64))


def places(shapes: Shapes, grid: Lattice) -> tuple[Int64, Int64, Int64]:
    """Return points on the lattice along a Hilbert curve, and the rows in that order.

    Parameters
    ----------
    shapes : ndarray of geometry, shape (n,)
        In degrees; what is no point stands at a point inside of it.
    grid : Lattice

    Returns
    -------
    x, y : ndarray of int64, shape (placed,)
    rows : ndarray of int64, shape (n,)
        The rows without a place come last.
    """
    known = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    points = shapes[known]
    if (shapely.get_type_id(points) != 0).any():
        points = shapely.point_on_surface(points)
    x = np.rint((shapely.get_x(points) - grid.west) / grid.step_x).astype(np.int64)
    y = np.rint((shapely.get_y(points) - grid.south) / grid.step_y).astype(np.int64)
    bits = max(int(max(x.max(initial=0), y.max(initial=0))).bit_length(), 1)
    along = np.argsort(hilbert(x, y, bits), kind="stable")
    rows = np.concatenate([np.flatnonzero(known)[along], np.flatnonzero(~known)])
    return x[along], y[along], rows


def _parts(shapes: Shapes, types: tuple[int, ...]) -> tuple[Shapes, Int64]:
    """Return the single, non-empty parts of some types, and the position of each one's shape."""
    feature = np.arange(len(shapes), dtype=np.int64)
    parts = shapes
    while np.isin(shapely.get_type_id(parts), _COLLECTIONS).any():
        parts, index = shapely.get_parts(parts, return_index=True)
        feature = feature[index]
    good = np.isin(shapely.get_type_id(parts), types) & ~shapely.is_empty(parts)
    return parts[good], feature[good]


def _ragged(parts: Shapes, kind: Kind) -> tuple[Floats, Int64, Int64]:
    """Return coordinates, and where each ring and each part starts."""
    if kind == "polygons" and len(parts):
        _, coordinates, offsets = shapely.to_ragged_array(parts, include_z=False)
        return coordinates, offsets[0].astype(np.int64), offsets[1].astype(np.int64)
    coordinates = shapely.get_coordinates(parts)
    sizes = shapely.get_num_coordinates(parts)
    start = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    return coordinates, start, np.arange(len(start), dtype=np.int64)


@kernel
def _on_lattice(
    coordinates: Floats,
    ring_start: Int64,
    exterior: npt.NDArray[np.bool_],
    closed: bool,
    low: Floats,
    step: Floats,
) -> tuple[Int32, Int32, Int64, npt.NDArray[np.bool_]]:
    x = np.empty(len(coordinates), dtype=np.int32)
    y = np.empty(len(coordinates), dtype=np.int32)
    start = np.zeros(len(ring_start), dtype=np.int64)
    whole = np.zeros(len(ring_start) - 1, dtype=np.bool_)
    at, ring = 0, 0
    for i in range(len(ring_start) - 1):
        begin = at
        area = 0.0
        for k in range(ring_start[i], ring_start[i + 1]):
            column = np.int32(np.rint((coordinates[k, 0] - low[0]) / step[0]))
            row = np.int32(np.rint((coordinates[k, 1] - low[1]) / step[1]))
            if at > begin and x[at - 1] == column and y[at - 1] == row:
                continue
            if at > begin:
                area += float(x[at - 1]) * row - float(column) * y[at - 1]
            x[at], y[at] = column, row
            at += 1
        if closed:
            while at - begin > 1 and x[at - 1] == x[begin] and y[at - 1] == y[begin]:
                at -= 1
            if at - begin < _LEAST_RING and not exterior[i]:
                at = begin
                continue
            if (area < 0) == exterior[i] and area != 0:
                x[begin:at] = x[begin:at][::-1].copy()
                y[begin:at] = y[begin:at][::-1].copy()
        whole[i] = True
        ring += 1
        start[ring] = at
    return x[:at].copy(), y[:at].copy(), start[: ring + 1].copy(), whole
