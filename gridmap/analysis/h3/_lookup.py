"""Which H3 cells places lie in, as many at once as there are."""

from __future__ import annotations

from functools import cache

import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj

from gridmap.analysis._doors import asks
from gridmap.analysis.h3._digits import Levels, compose, levels, seeds, take_digits, turned
from gridmap.analysis.h3._hexagons import (
    Lattice,
    Patch,
    face_keys,
    lattice,
    locate,
    sparse_keys,
    tally,
    to_lattice,
    translate,
)

__all__ = ["cell_counts", "cells_at", "extent_patch"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Cells = npt.NDArray[np.uint64]

_FINEST = 15
# Below so many points a polynomial costs more than it saves.
_FEW = 2_000
_DEGREES = (3, 5, 7, 9)
_CLOSE = 1e-4  # steps of the lattice: how far off a polynomial may be
_SPARE = 8.0  # by how much the guard is wider than any error that was seen
_SAMPLE = 1 << 15
_STRAY = 0.005  # share of the points that may lie outside on either side
# A table holds so many cells, or one for so many points: each must be asked of H3.
_TABLE = 1 << 14
_POINTS_A_CELL = 64


@asks(alike=("x", "y"), within={"resolution": (0, 15)}, systems=("crs",))
def cells_at(x: Floats, y: Floats, crs: object, *, resolution: int) -> Cells:
    """Return the H3 cell of every place.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,)
        East and north, or longitude and latitude.
    crs : CRS
        Of the coordinates.
    resolution : int
        Of H3, 0 to 15.

    Returns
    -------
    ndarray of uint64, shape (n,)
        0 where a coordinate is not finite, or no place on earth.

    Examples
    --------
    >>> lon, lat = np.array([120.15, np.nan]), np.array([30.28, 30.28])
    >>> cells = analysis.cells_at(lon, lat, 4326, resolution=9)
    >>> [f"{cell:x}" for cell in cells.tolist()]
    ['89309a552b7ffff', '0']
    """
    x, y = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64)
    way = _to_degrees(pyproj.CRS.from_user_input(crs))
    patch = _patch(x, y, way, resolution)
    if patch is None:
        return _everywhere(x, y, way, resolution)
    if patch.width * patch.height > max(_TABLE, len(x) // _POINTS_A_CELL):
        return _fine(x, y, patch, way, resolution)
    first = np.full(patch.width * patch.height, -1)
    out = np.empty(len(x), dtype=np.uint64)
    left = locate(x, y, patch, first, out)
    code = np.zeros(len(first) + 1, dtype=np.uint64)
    seen = np.flatnonzero(first >= 0)
    code[seen] = _exact(x[first[seen]], y[first[seen]], way, resolution)
    unsure = np.flatnonzero(out == len(first)) if left else np.empty(0, dtype=np.int64)
    translate(out, code)
    out[unsure] = _everywhere(x[unsure], y[unsure], way, resolution)
    return out


@asks(alike=("x", "y"), within={"resolution": (0, 15)}, systems=("crs",))
def cell_counts(x: Floats, y: Floats, crs: object, *, resolution: int) -> pd.Series:
    """Count places in H3 cells.

    Parameters
    ----------
    x, y, crs, resolution
        As of `cells_at`; a place that is not finite is not counted.

    Returns
    -------
    Series of int64
        Of every cell that has any, on an index of uint64, rising.

    Examples
    --------
    >>> x, y = np.array([120.15, 120.15, 120.20]), np.array([30.28, 30.28, 30.28])
    >>> analysis.cell_counts(x, y, 4326, resolution=7).to_list()
    [2, 1]
    """
    x, y = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64)
    way = _to_degrees(pyproj.CRS.from_user_input(crs))
    patch = _patch(x, y, way, resolution)
    if patch is None or patch.width * patch.height > max(_TABLE, len(x) // _POINTS_A_CELL):
        return _summed(cells_at(x, y, crs, resolution=resolution), None)
    first = np.full(patch.width * patch.height, -1)
    count, unsure = np.zeros_like(first), np.empty(len(x) // 64 + 64, dtype=np.int64)
    left = tally(x, y, patch, first, count, unsure)
    if left > len(unsure):
        return _summed(cells_at(x, y, crs, resolution=resolution), None)
    seen, rest = np.flatnonzero(count), unsure[:left]
    cells = np.r_[
        _exact(x[first[seen]], y[first[seen]], way, resolution),
        _everywhere(x[rest], y[rest], way, resolution),
    ]
    return _summed(cells, np.r_[count[seen], np.ones(left, dtype=np.int64)])


def extent_patch(x: Floats, y: Floats, crs: object, *, resolution: int) -> Patch | None:
    """Return the polynomials by which `cells_at` finds the cells of places, if there are any."""
    return _patch(x, y, _to_degrees(pyproj.CRS.from_user_input(crs)), resolution)


@cache
def _to_degrees(crs: pyproj.CRS) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(crs, 4326, always_xy=True)


@cache
def _lattice(resolution: int) -> Lattice:
    return lattice(resolution)


def _exact(x: Floats, y: Floats, way: pyproj.Transformer, resolution: int) -> Cells:
    """Ask H3, point by point."""
    longitude, latitude = way.transform(x, y)
    known = np.isfinite(longitude) & np.isfinite(latitude)
    places = zip(latitude[known].tolist(), longitude[known].tolist(), strict=True)
    found = np.zeros(len(x), dtype=np.uint64)
    found[known] = [h3.latlng_to_cell(lat, lng, resolution) for lat, lng in places]
    return found


def _everywhere(x: Floats, y: Floats, way: pyproj.Transformer, resolution: int) -> Cells:
    """Return the cells of places that no polynomial serves."""
    known = np.isfinite(x) & np.isfinite(y)
    if not known.all():
        out = np.zeros(len(x), dtype=np.uint64)
        out[known] = _everywhere(x[known], y[known], way, resolution)
        return out
    if len(x) < _FEW:
        return _exact(x, y, way, resolution)
    longitude, latitude = way.transform(x, y)
    keys = face_keys(latitude, longitude, _lattice(resolution))
    return _by_key(keys, x, y, way, resolution)


def _by_key(keys: Longs, x: Floats, y: Floats, way: pyproj.Transformer, resolution: int) -> Cells:
    """Ask H3 for one point of every key, and for all that have none."""
    unsure = np.flatnonzero(keys < 0)
    number, unique = pd.factorize(keys)
    first = np.empty(len(unique), dtype=np.int64)
    first[number[::-1]] = np.arange(len(keys))[::-1]
    code = np.zeros(len(unique), dtype=np.uint64)
    sure = unique >= 0
    code[sure] = _exact(x[first[sure]], y[first[sure]], way, resolution)
    found: Cells = code[number]
    known = np.isfinite(x[unsure]) & np.isfinite(y[unsure])
    at = unsure[known]
    found[at] = _exact(x[at], y[at], way, resolution)
    return found


def _fine(x: Floats, y: Floats, patch: Patch, way: pyproj.Transformer, resolution: int) -> Cells:
    """Return the cells of places where there are too many to ask for each."""
    most = max(_TABLE, len(x) // _POINTS_A_CELL)
    count = int(np.ceil(np.log(patch.width * patch.height / most) / np.log(7.0)))
    up = levels(resolution, count)
    window = _window_above(patch, up)
    if count > resolution or window[2] * window[3] > 8 * most:
        return _by_key(sparse_keys(x, y, patch), x, y, way, resolution)
    first = np.full(window[2] * window[3], -1)
    out = np.empty(len(x), dtype=np.uint64)
    take_digits(x, y, patch, up, window, first, out)
    seen = np.flatnonzero(first != -1)
    point = np.where(first[seen] < 0, -2 - first[seen], first[seen])
    digits = out[point].astype(np.int64) & (1 << 3 * count) - 1
    exact = _exact(x[point], y[point], way, resolution)
    above, turn = np.zeros(len(first), dtype=np.uint64), np.full(len(first), -1)
    above[seen], turn[seen] = seeds(exact, digits, resolution, count)
    if compose(out, above, turn, turned(), count, 3 * (_FINEST - resolution)):
        rest = np.flatnonzero(out == 0)
        out[rest] = _everywhere(x[rest], y[rest], way, resolution)
    return out


def _window_above(patch: Patch, up: Levels) -> tuple[int, int, int, int]:
    """Return where the ancestors of the cells of a window lie: first q and r, height, width."""
    corner = np.array([(0, 0), (0, patch.width), (patch.height, 0), (patch.height, patch.width)])
    places = (corner + np.array([patch.first_q, patch.first_r])).astype(np.float64)
    for at in range(len(up.factor)):
        places = places @ up.up[at].T / 7.0
    low, high = np.floor(places.min(axis=0)) - 2.0, np.ceil(places.max(axis=0)) + 2.0
    size = high - low + 1.0
    return int(low[0]), int(low[1]), int(size[0]), int(size[1])


def _summed(cells: Cells, counts: Longs | None) -> pd.Series:
    if counts is None:
        code, sums = np.unique(cells, return_counts=True)
    else:
        code, at = np.unique(cells, return_inverse=True)
        sums = np.zeros(len(code), dtype=np.int64)
        np.add.at(sums, at.reshape(-1), counts)
    index = pd.Index(code, name="cell")
    return pd.Series(sums, index=index, name="count")[index != 0]


def _extent(values: Floats) -> tuple[float, float]:
    """Return the middle and half the width of where almost all values are."""
    low, high = np.quantile(values, [_STRAY, 1.0 - _STRAY])
    more = 0.25 * (high - low)
    west, east = max(values.min(), low - more), min(values.max(), high + more)
    return 0.5 * (west + east), 0.5 * (east - west)


def _patch(x: Floats, y: Floats, way: pyproj.Transformer, resolution: int) -> Patch | None:
    """Return polynomials that serve the extent of points, or none where there are no such."""
    if len(x) < _FEW:
        return None
    some = np.linspace(0, len(x) - 1, min(len(x), _SAMPLE)).astype(np.int64)
    some = some[np.isfinite(x[some]) & np.isfinite(y[some])]
    if not len(some):
        return None
    (x0, wide), (y0, high) = _extent(x[some]), _extent(y[some])
    # A little more, for what the sample does not hold.
    half = 1.02 * max(wide, high)
    if not 0.0 < half < np.inf:
        return None
    lines = _lattice(resolution)
    # Nodes to fit by, a denser lattice with the corners to check by, and some of the points.
    nodes = np.cos(np.pi * (np.arange(12) + 0.5) / 12)
    ticks = np.linspace(-1.0, 1.0, 17)
    some = some[:: max(len(some) // 512, 1)]
    some = some[np.maximum(abs(x[some] - x0), abs(y[some] - y0)) < half]
    pairs = [np.stack(np.meshgrid(t, t), axis=-1).reshape(-1, 2) for t in (nodes, ticks)]
    at = np.concatenate([*pairs, np.column_stack([x[some] - x0, y[some] - y0]) / half])
    longitude, latitude = way.transform(x0 + half * at[:, 0], y0 + half * at[:, 1])
    if not (np.isfinite(longitude).all() and np.isfinite(latitude).all()):
        return None
    face, direction = to_lattice(lines, latitude, longitude)
    main = int(np.bincount(face).argmax())
    facing = direction @ lines.centre[main]
    if facing.min() < 0.5:  # noqa: PLR2004 - 60 degrees from the centre of its face
        return None
    exact = direction @ lines.axes[main].T / facing[:, None]
    return _fitted(at, exact, len(nodes) ** 2, (x0, y0, half), lines)


def _fitted(
    at: Floats, exact: Floats, nodes: int, frame: tuple[float, float, float], lines: Lattice
) -> Patch | None:
    """Return polynomials of the lowest degree that is close enough."""
    x0, y0, half = frame
    for degree in _DEGREES:
        i, j = np.array([(i, j) for j in range(degree + 1) for i in range(degree + 1 - j)]).T
        powers = at[:, :1] ** i * at[:, 1:] ** j
        terms = np.linalg.lstsq(powers[:nodes], exact[:nodes], rcond=None)[0]
        error = float(np.abs(powers @ terms - exact).max())
        if error < _CLOSE:
            break
    else:
        return None
    table = np.zeros((2, degree + 1, degree + 1))
    table[:, j, i] = terms.T
    low, high = np.floor(exact.min(axis=0)), np.ceil(exact.max(axis=0))
    margin = 2.0 + 0.01 * (high - low)
    first, last = (low - margin).astype(np.int64), (high + margin).astype(np.int64)
    size = last - first + 1
    guard = _SPARE * error + 1e-15 * float(np.abs(exact).max()) + 1e-13 / lines.unit
    return Patch(table, x0, y0, 1.0 / half, guard, lines.sides, int(first[0]), int(first[1]),
                 int(size[0]), int(size[1]))  # fmt: skip
