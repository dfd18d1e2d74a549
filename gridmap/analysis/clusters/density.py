"""Kernel density of points, as a raster and as bands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, Literal

import contourpy
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import fft, ndimage, special
from shapely.geometry.base import BaseGeometry

from gridmap.analysis._doors import asks
from gridmap.compiled import kernel
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = ["Surface", "ascii_grid", "bands", "bandwidth", "kernel_density"]

Floats = npt.NDArray[np.float64]

# Where the bands are cut, as shares of the highest density.
_CUTS = (0.08, 0.2, 0.35, 0.55, 0.75)
_REACH = 5.0  # bandwidths around the points; 4e-6 of the peak is the density beyond
_CELLS_A_BANDWIDTH = 5.0
_MAX_CELLS = 4_000_000
_SCANS = 4  # lines a row of cells by which an outline is measured
_NO_DATA = -9999
_LEAST = 1e-9  # of a kernel's mass; what has less of it inside counts as having so much

Edges = Literal["mass", "level"]


@dataclass(frozen=True, repr=False)
class Surface(Summarised):
    """A density raster.

    Parameters
    ----------
    values : ndarray of float, shape (rows, columns)
        Points, or their weight, per square kilometre; row 0 is the southernmost. NaN outside the
        outline by which edges were corrected.
    west, south : float, metres
        The centre of the first cell.
    cell_m, bandwidth_m : float, metres
    inside : ndarray of float, shape (rows, columns), optional
        The share of each cell that lies inside that outline; None where there is none.

    Examples
    --------
    >>> values = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> analysis.Surface(values, west=50.0, south=50.0, cell_m=100.0, bandwidth_m=300.0)
    <Surface values: 2 x 2 float64, west: 50.0, south: 50.0, cell_m: 100.0, bandwidth_m: 300.0>
    """

    headline: ClassVar[tuple[str, ...]] = ("values", "west", "south", "cell_m", "bandwidth_m")

    values: Floats
    west: float
    south: float
    cell_m: float
    bandwidth_m: float
    inside: Floats | None = None

    @property
    def mass(self) -> float:
        """How many points, or how much weight, the surface holds; of an outline, inside of it."""
        held = self.values if self.inside is None else np.nan_to_num(self.values) * self.inside
        return float(held.sum() * (self.cell_m / 1000.0) ** 2)


def bandwidth(x: Floats, y: Floats, weights: Floats | None = None) -> float:
    """Return the default bandwidth for points.

    Parameters
    ----------
    x, y : ndarray of float, shape (n,), metres
    weights : ndarray of float, shape (n,), optional
        Then means and medians are weighted, and n is ``sum(w)^2 / sum(w^2)`` (Kish 1965).

    Returns
    -------
    float, metres
        ``0.9 min(sd, d / sqrt(ln 2)) n^(-1/5)`` with the standard distance ``sd`` and the median
        distance ``d`` from the mean centre: Silverman (1986), equation 3.31, in the form for
        the plane that desktop GIS uses, which stray points do not stretch. At least 1 m.
    """
    if weights is None:
        distance = np.hypot(x - x.mean(), y - y.mean())
        deviation, middle, count = np.sqrt(np.mean(distance**2)), np.median(distance), len(x)
    else:
        share = weights / weights.sum()
        distance = np.hypot(x - x @ share, y - y @ share)
        order = np.argsort(distance, kind="stable")
        half = int(np.searchsorted(np.cumsum(share[order]), 0.5))
        deviation, middle = np.sqrt(distance**2 @ share), distance[order[min(half, len(x) - 1)]]
        count = 1.0 / (share @ share)
    spread = min(deviation, middle / np.sqrt(np.log(2.0)))
    return max(float(0.9 * spread * count**-0.2), 1.0)


@asks("points")
def kernel_density(
    points: gpd.GeoSeries,
    *,
    bandwidth_m: float | None = None,
    weights: pd.Series | None = None,
    outline: BaseGeometry | None = None,
    edges: Edges = "mass",
) -> Surface:
    """Estimate the density of points with a Gaussian kernel.

    Points are shared among the nine cells around them and convolved by FFT. What that adds to the
    variance of the kernel is taken off its own, so that the values at the centres of cells are
    the sums of kernels up to 1e-4 of the highest.

    Parameters
    ----------
    points : GeoSeries of n points, in a metric system
        What is missing or empty is left out.
    bandwidth_m : float, optional, metres
        The standard deviation of the kernel; `bandwidth` where not given.
    weights : Series of float, shape (n,), optional
        1 where not given.
    outline : Polygon or MultiPolygon, optional
        The area from which points are reported: those outside are left out, and so is what a
        kernel has beyond it, because nothing is known there.
    edges : {"mass", "level"}
        How the edges of the outline are corrected. ``mass``: the kernel of each point is divided
        by its own mass inside (Jones 1993; Diggle 2010), so that the surface holds all points; a
        density that is even comes out 0.69 times as high at a straight edge, and up to 1.07 times
        behind it. ``level``: the density of each place is divided by the mass inside of a kernel
        there (Diggle 1985), so that an even one stays even; the surface then holds a few points
        more or less than there
        are.

    Returns
    -------
    Surface
        Its ``mass`` is n, or the sum of the weights, unless edges are corrected by ``level``. The
        cells are a fifth of the bandwidth wide, or wider where there would be more than four
        million of them.

    Raises
    ------
    ConformError
        If no point of any weight is left, a weight is none, or the bandwidth is not positive.

    References
    ----------
    Diggle (1985), Journal of the Royal Statistical Society C 34(2); Jones (1993), Statistics and
    Computing 3(3); Diggle (2010), in Handbook of Spatial Statistics, equation 18.9.

    Examples
    --------
    >>> points = gpd.GeoSeries.from_xy([0, 0, 900], [0, 0, 0], crs=4549)
    >>> surface = analysis.kernel_density(points, bandwidth_m=200)
    >>> surface.cell_m
    40.0
    >>> float(round(surface.values.sum() * (surface.cell_m / 1000) ** 2, 6))
    3.0

    The whole of the surface holds the three points, and so does one that ends at an outline:

    >>> square = shapely.box(0, 0, 1000, 1000)
    >>> round(analysis.kernel_density(points, bandwidth_m=200, outline=square).mass, 6)
    3.0
    """
    x, y, weight = _usable(points, weights, outline)
    width = bandwidth(x, y, weight) if bandwidth_m is None else float(bandwidth_m)
    if not (np.isfinite(width) and width > 0.0):
        raise ConformError("density.bandwidth", value=bandwidth_m)
    bounds = (x.min(), y.min(), x.max(), y.max()) if outline is None else outline.bounds
    wide, high = (
        far - near + 2.0 * _REACH * width for near, far in zip(bounds[:2], bounds[2:], strict=True)
    )
    cell = float(max(width / _CELLS_A_BANDWIDTH, np.sqrt(wide * high / _MAX_CELLS)))
    pad = max(_REACH * width, 2.0 * cell)
    west, south = bounds[0] - pad, bounds[1] - pad
    wide, high = bounds[2] + pad - west, bounds[3] + pad - south
    rows, columns = (fft.next_fast_len(int(side / cell) + 2, real=True) for side in (high, wide))
    given = np.ones(len(x)) if weight is None else weight
    binned = _binned((x - west) / cell, (y - south) / cell, given, rows, columns)
    # Binning adds 1/4 of a squared cell to the variance each way, a box of one cell 1/12.
    variance, to_km2 = width**2 - cell**2 / 3.0, 1e6 / cell**2
    if outline is None:
        smooth = _smoothed(binned, variance, cell) * to_km2
        return Surface(smooth, float(west), float(south), cell, width)
    inside = _covered(outline, west, south, cell, rows, columns)
    if edges == "mass":
        # What a kernel from one cell has inside is what one from inside has in that cell: the very
        # same sums, so that nothing is lost to rounding.
        held = _smoothed(inside, variance, cell)
        smooth = _smoothed(binned / np.maximum(held, _LEAST), variance, cell)
    else:
        held = _smoothed(inside, width**2 - cell**2 / 6.0, cell)
        smooth = _smoothed(binned, variance, cell) / np.maximum(held, _LEAST)
    # One cell more than the outline, so that bands can be cut off along it.
    near = ndimage.binary_dilation(inside > 0.0, np.ones((3, 3), dtype=bool))
    found = np.where(near, smooth * to_km2, np.nan)
    return Surface(found, float(west), float(south), cell, width, inside)


def _usable(
    points: gpd.GeoSeries, weights: pd.Series | None, outline: BaseGeometry | None
) -> tuple[Floats, Floats, Floats | None]:
    x, y = points.x.to_numpy(dtype=np.float64), points.y.to_numpy(dtype=np.float64)
    kept = np.isfinite(x) & np.isfinite(y)
    weight = None
    if weights is not None:
        weight = weights.to_numpy(dtype=np.float64, na_value=np.nan)
        if len(weight) != len(x) or not (np.isfinite(weight).all() and (weight >= 0.0).all()):
            raise ConformError("density.weights")
        kept &= weight > 0.0
    if outline is not None:
        shapely.prepare(outline)
        kept[kept] = shapely.intersects_xy(outline, x[kept], y[kept])
    if not kept.any():
        raise ConformError("density.no_points")
    return x[kept], y[kept], None if weight is None else weight[kept]


@kernel
def _binned(x: Floats, y: Floats, weight: Floats, rows: int, columns: int) -> Floats:
    """Share points among the centres of nine cells by quadratic splines.

    Their variance is a quarter of a squared cell wherever in the cell a point lies; that of linear
    binning depends on it.
    """
    found = np.zeros((rows, columns))
    for i in range(len(x)):
        column, row = int(x[i] + 0.5), int(y[i] + 0.5)
        right, up = x[i] - column, y[i] - row
        across = (0.5 * (0.5 - right) ** 2, 0.75 - right**2, 0.5 * (0.5 + right) ** 2)
        along = (0.5 * (0.5 - up) ** 2, 0.75 - up**2, 0.5 * (0.5 + up) ** 2)
        for r in range(3):
            part = weight[i] * along[r]
            for c in range(3):
                found[row + r - 1, column + c - 1] += part * across[c]
    return found


def _smoothed(values: Floats, variance: float, cell: float) -> Floats:
    """Convolve a raster with a Gaussian averaged over cells, around the raster as on a torus.

    What leaves on one side enters on the other, more than twice `_REACH` bandwidths from where
    it came, so that no mass is lost.
    """
    made = fft.rfft2(values)
    made *= _transfer(values.shape[0], variance, cell)[:, None]
    made *= _transfer(values.shape[1], variance, cell)[: made.shape[1]]
    smooth: Floats = fft.irfft2(made, s=values.shape)
    return np.maximum(smooth, 0.0)


def _transfer(size: int, variance: float, cell: float) -> Floats:
    """Return the Fourier transform of the kernel's mass in each of `size` cells."""
    steps = fft.fftfreq(size, 1.0 / size)
    scale = cell / np.sqrt(2.0 * max(variance, 1e-6 * cell**2))
    mass = special.erf((steps + 0.5) * scale) - special.erf((steps - 0.5) * scale)
    transfer: Floats = fft.fft(mass / mass.sum()).real
    return transfer


def _covered(
    outline: BaseGeometry, west: float, south: float, cell: float, rows: int, columns: int
) -> Floats:
    """Return the share of each cell that lies inside an outline, along scan lines."""
    rings = shapely.get_rings(shapely.get_parts(outline))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    # Scan lines run at whole numbers of v, cells begin at whole numbers of u.
    u = (xy[:, 0] - west) / cell + 0.5
    v = ((xy[:, 1] - south) / cell + 0.5) * _SCANS - 0.5
    side = np.flatnonzero(ring[1:] == ring[:-1])
    low, high = np.minimum(v[side], v[side + 1]), np.maximum(v[side], v[side + 1])
    first, last = np.ceil(low).astype(np.int64), np.ceil(high).astype(np.int64)
    count = last - first
    of = np.repeat(side, count)
    line = np.arange(len(of)) - np.repeat(np.cumsum(count) - count - first, count)
    at = u[of] + (line - v[of]) / (v[of + 1] - v[of]) * (u[of + 1] - u[of])
    order = np.lexsort((at, line))
    line, at = line[order] // _SCANS, np.clip(at[order], 0.0, float(columns))
    # What is right of every second crossing is inside: add it, and take it off after the next.
    sign = np.where(np.arange(len(at)) % 2 == 0, 1.0, -1.0) / _SCANS
    column = np.minimum(at.astype(np.int64), columns - 1)
    part = (1.0 - (at - column)) * sign
    start = line * (columns + 1) + column
    to, size = np.r_[start, start + 1], rows * (columns + 1)
    flat = np.bincount(to, np.r_[part, sign - part], size).astype(np.float64)
    inside: Floats = np.cumsum(flat.reshape(rows, columns + 1), axis=1)[:, :columns]
    return np.clip(inside, 0.0, 1.0)


@asks()
def ascii_grid(surface: Surface) -> str:
    """Return a surface as an Esri ASCII raster, which every desktop GIS reads.

    Parameters
    ----------
    surface : Surface

    Returns
    -------
    str
        The content of an ``.asc`` file, the northernmost row first; the coordinate system goes
        beside it, in a ``.prj``.

    Examples
    --------
    >>> values = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> surface = analysis.Surface(values, west=50.0, south=50.0, cell_m=100.0, bandwidth_m=300.0)
    >>> print(analysis.ascii_grid(surface), end="")
    ncols 2
    nrows 2
    xllcenter 50.0
    yllcenter 50.0
    cellsize 100.0
    NODATA_value -9999
    3 4
    1 2
    """
    rows, columns = surface.values.shape
    head = {
        "ncols": columns,
        "nrows": rows,
        "xllcenter": repr(surface.west),
        "yllcenter": repr(surface.south),
        "cellsize": repr(surface.cell_m),
        "NODATA_value": _NO_DATA,
    }
    lines = [f"{name} {value}" for name, value in head.items()]
    known = np.where(np.isnan(surface.values), float(_NO_DATA), surface.values)
    lines += [" ".join(f"{value:.6g}" for value in row) for row in known[::-1].tolist()]
    return "\n".join(lines) + "\n"


@asks(systems=("crs",))
def bands(
    surface: Surface, crs: object, *, outline: BaseGeometry | None = None
) -> gpd.GeoDataFrame:
    """Cut a surface into bands of rising density.

    Parameters
    ----------
    surface : Surface
    crs : CRS
        Of the surface.
    outline : Polygon or MultiPolygon, optional
        By which edges were corrected; bands end there.

    Returns
    -------
    GeoDataFrame
        ``code`` (from 1), ``low, high`` (points per square kilometre), ``area_m2`` and the
        polygons. The lowest eight hundredths of the peak are left blank.

    Examples
    --------
    >>> points = gpd.GeoSeries.from_xy([0, 0, 900], [0, 0, 0], crs=4549)
    >>> surface = analysis.kernel_density(points, bandwidth_m=200)
    >>> bands = analysis.bands(surface, points.crs)
    >>> bands[["code", "low", "high"]].round(1)
       code  low  high
    0     1  0.6   1.6
    1     2  1.6   2.8
    2     3  2.8   4.4
    3     4  4.4   6.0
    4     5  6.0   8.0
    """
    values = surface.values
    x = surface.west + surface.cell_m * np.arange(values.shape[1])
    y = surface.south + surface.cell_m * np.arange(values.shape[0])
    lines = contourpy.contour_generator(
        x, y, np.ma.masked_invalid(values), fill_type=contourpy.FillType.OuterOffset
    )
    peak = float(np.nanmax(values))
    edges = [*(cut * peak for cut in _CUTS), peak * (1 + 1e-9)]
    rows = []
    for number, (low, high) in enumerate(pairwise(edges), start=1):
        shape = _polygons(*lines.filled(low, high))
        if outline is not None:
            shape = _polygonal(shapely.intersection(shape, outline))
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


def _polygonal(shape: BaseGeometry) -> BaseGeometry:
    """Drop the points and lines that an intersection leaves where shapes touch."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    polygons = parts[shapely.get_dimensions(parts) == 2]  # noqa: PLR2004 - of a polygon
    return shapely.MultiPolygon(polygons.tolist())
