"""Getis-Ord Gi* hot spots, on areas and on H3 cells, with the false discovery rate controlled."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import h3.api.numpy_int as h3
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import shapely
from scipy import stats

__all__ = ["cell_grid", "cell_neighbours", "getis_ord", "hotspots", "neighbours"]

Floats = npt.NDArray[np.float64]


def neighbours(areas: gpd.GeoDataFrame, *, distance_m: float = 1.0) -> sp.csr_array:
    """Return who is next to whom, each area also next to itself.

    Parameters
    ----------
    areas : GeoDataFrame of m polygons
    distance_m : float, metres
        Areas no further apart are neighbours, so that a hairline between two outlines does not
        part them. On a coverage this is queen contiguity.

    Returns
    -------
    csr_array of float, shape (m, m), binary and symmetric
    """
    row, column = areas.sindex.query(areas.geometry, predicate="dwithin", distance=distance_m)
    ones = np.ones(len(row))
    return sp.csr_array((ones, (row, column)), shape=(len(areas), len(areas)))


def getis_ord(values: Floats, weights: sp.csr_array) -> Floats:
    """Return Gi* as standard scores.

    Parameters
    ----------
    values : ndarray of float, shape (m,)
    weights : csr_array, shape (m, m)
        Neighbours, self included.

    Returns
    -------
    ndarray of float, shape (m,)
        0 where the values do not vary or where everything is a neighbour.

    References
    ----------
    Ord and Getis (1995), Geographical Analysis 27(4), equation 14 (the form with self).
    """
    count = len(values)
    if count < 2:  # noqa: PLR2004 - one value has no spread
        return np.zeros(count)
    mean = values.mean()
    spread = np.sqrt(max(np.mean(values**2) - mean**2, 0.0))
    weight = weights.sum(axis=1)
    squares = weights.power(2).sum(axis=1)
    variance = np.clip((count * squares - weight**2) / (count - 1), 0.0, None)
    scale = spread * np.sqrt(variance)
    # Rounding leaves a spread of about 1e-16 of the mean where all values are equal.
    flat = scale <= 1e-12 * max(abs(mean), 1.0)
    deviation = weights @ values - mean * weight
    scores: Floats = np.divide(deviation, scale, out=np.zeros(count), where=~flat)
    return scores


def hotspots(counts: pd.Series, weights: sp.csr_array, *, alpha: float = 0.05) -> pd.DataFrame:
    """Tell which units stand out.

    Parameters
    ----------
    counts : Series of Int64, shape (m,)
    weights : csr_array, shape (m, m)
    alpha : float
        The false discovery rate to allow.

    Returns
    -------
    DataFrame, shape (m, 5)
        On the index of the counts: ``count``, ``z`` (Gi*), ``p`` (two-sided, normal), ``q`` (p
        after Benjamini and Hochberg, 1995) and ``hotspot`` (``hot``, ``cold`` or ``none``).
    """
    z = getis_ord(counts.to_numpy(dtype="float64"), weights)
    p = 2.0 * stats.norm.sf(np.abs(z))
    q = stats.false_discovery_control(p) if len(p) else p
    found = np.where(q > alpha, "none", np.where(z > 0, "hot", "cold"))
    return pd.DataFrame(
        {
            "count": counts.astype("Int64"),
            "z": z,
            "p": p,
            "q": q,
            "hotspot": pd.Series(found, index=counts.index, dtype="string"),
        },
        index=counts.index,
    )


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
    """
    degrees = points.geometry.to_crs(4326)
    hit = [
        h3.latlng_to_cell(lat, lon, resolution)
        for lat, lon in zip(degrees.y.to_list(), degrees.x.to_list(), strict=True)
    ]
    cells, counts = np.unique(np.asarray(hit, dtype=np.uint64), return_counts=True)
    every = np.unique(np.concatenate([cells, _cells_of(outline, cells, points, resolution)]))
    found = np.zeros(len(every), dtype=np.int64)
    found[np.searchsorted(every, cells)] = counts
    rings = [shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(cell)]) for cell in every]
    return gpd.GeoDataFrame(
        {
            "code": pd.Series([h3.int_to_str(int(cell)) for cell in every], dtype="string"),
            "count": pd.Series(found, dtype="Int64"),
        },
        geometry=gpd.GeoSeries(rings, crs=4326).to_crs(points.crs).to_numpy(),
        crs=points.crs,
    )


def _cells_of(
    outline: shapely.Geometry | None,
    cells: npt.NDArray[np.uint64],
    points: gpd.GeoDataFrame,
    resolution: int,
) -> npt.NDArray[np.uint64]:
    if outline is None:
        disks = [np.asarray(h3.grid_disk(cell, 1), dtype=np.uint64) for cell in cells]
        return np.concatenate(disks) if disks else np.empty(0, dtype=np.uint64)
    shape = gpd.GeoSeries([outline], crs=points.crs).to_crs(4326).iloc[0]
    inside = [
        np.asarray(
            h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(part), resolution, "overlap"),
            dtype=np.uint64,
        )
        for part in shapely.get_parts(shape)
    ]
    return np.concatenate(inside)


def cell_neighbours(codes: Sequence[str]) -> sp.csr_array:
    """Return who is next to whom among H3 cells, each also next to itself.

    Parameters
    ----------
    codes : sequence of str, length m, sorted

    Returns
    -------
    csr_array of float, shape (m, m), binary and symmetric
    """
    cells = np.array([h3.str_to_int(code) for code in codes], dtype=np.uint64)
    order = np.argsort(cells)
    disks = [np.asarray(h3.grid_disk(cell, 1), dtype=np.uint64) for cell in cells]
    row = np.repeat(np.arange(len(cells)), [len(disk) for disk in disks])
    near = np.concatenate(disks) if disks else np.empty(0, dtype=np.uint64)
    slot = np.searchsorted(cells, near, sorter=order).clip(max=max(len(cells) - 1, 0))
    column = order[slot] if len(cells) else slot
    present = cells[column] == near if len(cells) else np.zeros(0, dtype=bool)
    ones = np.ones(int(present.sum()))
    size = (len(cells), len(cells))
    return sp.csr_array((ones, (row[present], column[present])), shape=size)
