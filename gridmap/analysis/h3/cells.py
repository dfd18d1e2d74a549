"""H3 cells: points counted in them, the cells of a city, and who is next to whom."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis.h3._lookup import cell_counts, cells_at
from gridmap.errors import CrsError

__all__ = [
    "cell_counts",
    "cell_grid",
    "cell_neighbours",
    "cells_at",
    "cells_of",
    "parents",
    "roll_up",
]

Cells = npt.NDArray[np.uint64]

_FINEST = 15


@asks(within={"resolution": (0, 15)})
def cells_of(points: gpd.GeoSeries | gpd.GeoDataFrame, resolution: int) -> Cells:
    """Return the H3 cell of every point.

    Parameters
    ----------
    points : GeoSeries or GeoDataFrame of n points
    resolution : int
        Of H3, 0 to 15.

    Returns
    -------
    ndarray of uint64, shape (n,)
        As H3 itself says of the points in degrees (EPSG:4326); 0 for a missing or empty one, and
        for one that is no place on earth.

    Examples
    --------
    >>> points = gpd.GeoSeries.from_xy([120.15, 120.20], [30.28, 30.28], crs=4326)
    >>> [f"{cell:x}" for cell in analysis.cells_of(points, 9).tolist()]
    ['89309a552b7ffff', '89309a55c6fffff']
    """
    shapes = points.geometry
    return cells_at(shapes.x.to_numpy(), shapes.y.to_numpy(), shapes.crs, resolution=resolution)


@asks(within={"resolution": (0, 15)})
def parents(cells: Cells, resolution: int) -> Cells:
    """Return the parent of every cell.

    Parameters
    ----------
    cells : ndarray of uint64
        Of resolutions not below the one asked for.
    resolution : int

    Returns
    -------
    ndarray of uint64

    Examples
    --------
    >>> points = gpd.GeoSeries.from_xy([120.15], [30.28], crs=4326)
    >>> fine = analysis.cells_of(points, 9)
    >>> coarse = analysis.parents(fine, 7)
    >>> f"{fine[0]:x}", f"{coarse[0]:x}"
    ('89309a552b7ffff', '87309a552ffffff')
    """
    # Bits 52 to 55 are the resolution; below are 15 digits of three bits, 7 where unused.
    unused = (1 << 3 * (_FINEST - resolution)) - 1
    kept = cells & np.uint64(~(0xF << 52) & (1 << 64) - 1)
    found: Cells = kept | np.uint64(resolution << 52 | unused)
    return found


@asks(within={"resolution": (0, 15)})
def roll_up(counts: pd.Series, resolution: int) -> pd.Series:
    """Add up the counts of cells by parent.

    Parameters
    ----------
    counts : Series
        On an index of H3 cells as uint64, as of `cell_counts`.
    resolution : int
        Not above that of the cells.

    Returns
    -------
    Series
        On an index of uint64, rising.

    Examples
    --------
    >>> x, y = np.array([120.15, 120.151, 120.20]), np.array([30.28, 30.28, 30.28])
    >>> fine = analysis.cell_counts(x, y, 4326, resolution=11)
    >>> fine.to_list()
    [1, 1, 1]
    >>> analysis.roll_up(fine, 7).to_list()
    [2, 1]
    """
    above = parents(counts.index.to_numpy(dtype=np.uint64), resolution)
    sums: pd.Series = counts.groupby(above).sum()
    sums.index.name = counts.index.name
    return sums


@asks(within={"resolution": (0, 15)})
def cell_grid(
    points: gpd.GeoDataFrame, outline: shapely.Geometry | None, *, resolution: int
) -> gpd.GeoDataFrame:
    """Count points in H3 cells, empty cells of the city included.

    Parameters
    ----------
    points : GeoDataFrame of points
    outline : Polygon or MultiPolygon, optional
        The city, in the system of the points; every cell that meets it counts, empty or not.
        Without one, the cells of the points and their neighbours do.
    resolution : int
        Of H3, 0 to 15.

    Returns
    -------
    GeoDataFrame
        ``code`` (the H3 index as text), ``count`` and the hexagon, ordered by code.

    Raises
    ------
    CrsError
        If the points do not say their coordinate system.

    Examples
    --------
    >>> points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([120.15], [30.28]), crs=4326)
    >>> cells = analysis.cell_grid(points, None, resolution=8)
    >>> cells["count"].to_list()
    [0, 0, 0, 0, 0, 1, 0]
    >>> cells.geom_type.unique().tolist()
    ['Polygon']
    """
    if points.crs is None:
        raise CrsError("crs.none", function="cell_grid", name="points")
    shapes = points.geometry
    counts = cell_counts(
        shapes.x.to_numpy(), shapes.y.to_numpy(), points.crs, resolution=resolution
    )
    cells = counts.index.to_numpy(dtype=np.uint64)
    every = np.unique(
        np.concatenate([cells, _cells_within(outline, cells, points.crs, resolution)])
    )
    found = np.zeros(len(every), dtype=np.int64)
    found[np.searchsorted(every, cells)] = counts.to_numpy()
    return gpd.GeoDataFrame(
        {
            "code": pd.Series([f"{cell:x}" for cell in every.tolist()], dtype="string"),
            "count": pd.Series(found, dtype="Int64"),
        },
        geometry=gpd.GeoSeries(_hexagons(every), crs=4326).to_crs(points.crs).to_numpy(),
        crs=points.crs,
    )


@asks()
def cell_neighbours(codes: Sequence[str]) -> sp.csr_array:
    """Return who is next to whom among H3 cells, each also next to itself.

    Parameters
    ----------
    codes : sequence of str, length m, sorted

    Returns
    -------
    csr_array of float, shape (m, m), binary and symmetric

    Examples
    --------
    >>> points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([120.15], [30.28]), crs=4326)
    >>> codes = analysis.cell_grid(points, None, resolution=8)["code"].to_list()
    >>> analysis.cell_neighbours(codes).sum(axis=1).astype(int).tolist()
    [4, 4, 4, 4, 4, 7, 4]

    The cell in the middle is next to six others, those around it to three; each to itself.
    """
    cells = np.array([int(code, 16) for code in codes], dtype=np.uint64)
    order = np.argsort(cells)
    near, sizes = _disks(cells)
    row = np.repeat(np.arange(len(cells)), sizes)
    slot = np.searchsorted(cells, near, sorter=order).clip(max=max(len(cells) - 1, 0))
    column = order[slot] if len(cells) else slot
    present = cells[column] == near if len(cells) else np.zeros(0, dtype=bool)
    ones = np.ones(int(present.sum()))
    size = (len(cells), len(cells))
    return sp.csr_array((ones, (row[present], column[present])), shape=size)


def _disks(cells: Cells) -> tuple[Cells, list[int]]:
    """Return every cell with those around it, and how many these are."""
    disks = [h3.grid_disk(cell, 1) for cell in cells.tolist()]
    near = np.concatenate(disks) if disks else np.empty(0, dtype=np.uint64)
    return near.astype(np.uint64), [len(disk) for disk in disks]


def _hexagons(cells: Cells) -> npt.NDArray[np.object_]:
    """Return the outlines of cells, in degrees."""
    rings = [h3.cell_to_boundary(cell) for cell in cells.tolist()]
    index = np.repeat(np.arange(len(rings)), [len(ring) for ring in rings])
    xy = np.array([place for ring in rings for place in ring]).reshape(-1, 2)[:, ::-1]
    return np.asarray(shapely.polygons(shapely.linearrings(xy, indices=index)), dtype=object)


def _cells_within(
    outline: shapely.Geometry | None, cells: Cells, crs: object, resolution: int
) -> Cells:
    if outline is None:
        return _disks(cells)[0]
    shape = gpd.GeoSeries([outline], crs=crs).to_crs(4326).iloc[0]
    inside = [
        np.asarray(
            h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(part), resolution, "overlap"),
            dtype=np.uint64,
        )
        for part in shapely.get_parts(shape)
    ]
    return np.concatenate(inside)
