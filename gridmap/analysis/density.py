"""Kernel density of points, as a raster and as bands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import contourpy
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

__all__ = ["Surface", "bands", "bandwidth", "kernel_density"]

Floats = npt.NDArray[np.float64]

# Where the bands are cut, as shares of the highest density.
_CUTS = (0.08, 0.2, 0.35, 0.55, 0.75)
_REACH = 4.0  # bandwidths to which a Gaussian is summed; less than 1e-4 of it lies beyond
_MAX_CELLS = 4_000_000


@dataclass(frozen=True)
class Surface:
    """A density raster.

    Parameters
    ----------
    values : ndarray of float, shape (rows, columns)
        Points per square kilometre; row 0 is the southernmost.
    west, south : float, metres
        The centre of the first cell.
    cell_m, bandwidth_m : float, metres
    """

    values: Floats
    west: float
    south: float
    cell_m: float
    bandwidth_m: float


def bandwidth(x: Floats, y: Floats) -> float:
    """Return the default bandwidth for points.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,), metres

    Returns
    -------
    float, metres
        ``0.9 min(sd, d / sqrt(ln 2)) n^(-1/5)`` with the standard distance ``sd`` and the median
        distance ``d`` from the mean centre: Silverman (1986), equation 3.31, in the form for
        the plane that desktop GIS uses, which stray points do not stretch. At least 1 m.
    """
    distance = np.hypot(x - x.mean(), y - y.mean())
    spread = min(np.sqrt(np.mean(distance**2)), np.median(distance) / np.sqrt(np.log(2.0)))
    return max(float(0.9 * spread * len(x) ** -0.2), 1.0)


def kernel_density(points: gpd.GeoSeries, *, bandwidth_m: float | None = None) -> Surface:
    """Estimate the density of points with a Gaussian kernel.

    Parameters
    ----------
    points : GeoSeries of n points, n > 0, in a metric system
    bandwidth_m : float, optional, metres
        The standard deviation of the kernel; `bandwidth` where not given.

    Returns
    -------
    Surface
        Its sum times the area of a cell is n. The cells are a fifth of the bandwidth wide, or
        wider where there would be more than four million of them.
    """
    x, y = points.x.to_numpy(), points.y.to_numpy()
    width = bandwidth(x, y) if bandwidth_m is None else bandwidth_m
    pad = _REACH * width
    west, south = x.min() - pad, y.min() - pad
    wide, high = x.max() + pad - west, y.max() + pad - south
    cell = max(width / 5.0, np.sqrt(wide * high / _MAX_CELLS))
    shape = (int(high / cell) + 2, int(wide / cell) + 2)
    row = np.rint((y - south) / cell).astype(np.int64)
    column = np.rint((x - west) / cell).astype(np.int64)
    counts = np.bincount(row * shape[1] + column, minlength=shape[0] * shape[1]).reshape(shape)
    smooth = ndimage.gaussian_filter(
        counts.astype(np.float64), width / cell, mode="constant", truncate=_REACH
    )
    return Surface(smooth / cell**2 * 1e6, float(west), float(south), float(cell), float(width))


def bands(surface: Surface, crs: object) -> gpd.GeoDataFrame:
    """Cut a surface into bands of rising density.

    Parameters
    ----------
    surface : Surface
    crs : CRS
        Of the surface.

    Returns
    -------
    GeoDataFrame
        ``code`` (from 1), ``low, high`` (points per square kilometre), ``area_m2`` and the
        polygons. The lowest eight hundredths of the peak are left blank.
    """
    values = surface.values
    x = surface.west + surface.cell_m * np.arange(values.shape[1])
    y = surface.south + surface.cell_m * np.arange(values.shape[0])
    lines = contourpy.contour_generator(x, y, values, fill_type=contourpy.FillType.OuterOffset)
    edges = [*(cut * values.max() for cut in _CUTS), values.max() * (1 + 1e-9)]
    rows = []
    for number, (low, high) in enumerate(pairwise(edges), start=1):
        shape = _polygons(*lines.filled(low, high))
        if not shape.is_empty:
            rows.append((number, low, high, shape.area, shape))
    columns = ["code", "low", "high", "area_m2", "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns).astype({"code": "Int64"}), crs=crs)


def _polygons(points: list[Floats], offsets: list[npt.NDArray[np.uint32]]) -> BaseGeometry:
    made = []
    for ring_points, ring_offsets in zip(points, offsets, strict=True):
        rings = [ring_points[start:stop] for start, stop in pairwise(ring_offsets)]
        made.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.union_all(shapely.make_valid(made))
