"""Who is near whom: distance bands and nearest points, as sparse matrices.

Rows and columns are in the order of the frame. What has no neighbour has an empty row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import shapely
from scipy.spatial import cKDTree

from gridmap.analysis._doors import asks
from gridmap.analysis._values import rows_of
from gridmap.analysis.weights.contiguity import matrix, proven
from gridmap.errors import ConformError, GridmapError

if TYPE_CHECKING:
    from libpysal.graph import Graph

__all__ = ["as_graph", "distance_band", "k_nearest", "neighbours", "with_self"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_POINT = 0


@asks("places")
def distance_band(places: gpd.GeoDataFrame | gpd.GeoSeries, distance_m: float) -> sp.csr_array:
    """Return which places are no further apart than a distance.

    Parameters
    ----------
    places : GeoDataFrame or GeoSeries of m geometries
        Between points and between outlines alike the shortest distance counts.
    distance_m : float, metres

    Returns
    -------
    csr_array of float, shape (m, m), binary and symmetric, no place next to itself

    Examples
    --------
    >>> places = gpd.GeoSeries.from_xy([0, 80, 200], [0, 0, 0], crs=4549)
    >>> analysis.distance_band(places, 100).toarray().astype(int)
    array([[0, 1, 0],
           [1, 0, 0],
           [0, 0, 0]])
    """
    shapes = places.geometry
    if len(shapes) and (shapely.get_type_id(shapes.to_numpy()) == _POINT).all():
        xy, present = _points(shapes)
        found = cKDTree(xy).query_pairs(distance_m, output_type="ndarray")
        one, other = present[found].T if len(found) else np.empty((2, 0), dtype=np.int64)
        row, column = np.concatenate([one, other]), np.concatenate([other, one])
    else:
        row, column = shapes.sindex.query(shapes, predicate="dwithin", distance=distance_m)
    return matrix(row, column, len(shapes))


@asks("points")
def k_nearest(points: gpd.GeoDataFrame | gpd.GeoSeries, k: int) -> sp.csr_array:
    """Return the nearest neighbours of every point; of equally near ones those of the first rows.

    Parameters
    ----------
    points : GeoDataFrame or GeoSeries of m points
    k : int
        How many; 1 to m - 1.

    Returns
    -------
    csr_array of float, shape (m, m), binary, k in every row, not always symmetric

    Raises
    ------
    ConformError
        If there are not so many, or something else than points, or an empty one.

    Examples
    --------
    >>> places = gpd.GeoSeries.from_xy([0, 80, 200], [0, 0, 0], crs=4549)
    >>> analysis.k_nearest(places, 1).toarray().astype(int)
    array([[0, 1, 0],
           [1, 0, 0],
           [0, 1, 0]])
    """
    shapes = points.geometry
    xy, present = _points(shapes)
    if len(present) < len(shapes):
        raise ConformError(
            "conform.values", what="points", rows=rows_of(shapes.index.delete(present))
        )
    count = len(xy)
    if not 1 <= k < count:
        raise ConformError("conform.nearest", k=k, points=count, most=max(count - 1, 0))
    tree = cKDTree(xy)
    # Two more than asked for: the point itself, and the next one to see whether it is as near.
    asked = min(k + 2, count)
    far, near = tree.query(xy, k=asked)
    own = near == np.arange(count)[:, None]
    far = np.where(own, -1.0, far)
    order = np.lexsort((near, far), axis=1)
    far, near = np.take_along_axis(far, order, 1), np.take_along_axis(near, order, 1)
    chosen = near[:, 1 : k + 1].copy()
    doubtful = ~own.any(axis=1)
    if asked == k + 2:
        doubtful |= far[:, k] == far[:, k + 1]
    for point in np.flatnonzero(doubtful):
        chosen[point] = _nearest(tree, xy, int(point), float(far[point, -1]), k)
    return matrix(np.repeat(np.arange(count), k), chosen.ravel(), count)


@asks("areas")
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

    Examples
    --------
    >>> squares = [shapely.box(x, 0, x + 100, 100) for x in (0, 100.5, 300)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, crs=4549)
    >>> analysis.neighbours(areas).toarray().astype(int)
    array([[1, 1, 0],
           [1, 1, 0],
           [0, 0, 1]])
    """
    return with_self(distance_band(areas, distance_m))


@asks()
def with_self(weights: sp.csr_array) -> sp.csr_array:
    """Return weights in which every unit is also its own neighbour.

    Parameters
    ----------
    weights : csr_array, shape (m, m)
        A unit without a weight for itself gets one of 1.

    Returns
    -------
    csr_array of float, shape (m, m)

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200)], crs=4549)
    >>> analysis.with_self(analysis.queen(row)).toarray().astype(int)
    array([[1, 1, 0],
           [1, 1, 1],
           [0, 1, 1]])
    """
    missing = (weights.diagonal() == 0).astype(np.float64)
    return sp.csr_array(weights + sp.diags_array(missing)) if missing.any() else weights


@asks()
def as_graph(weights: sp.csr_array, ids: pd.Index | pd.Series) -> Graph:
    """Return weights as a graph of libpysal.

    Parameters
    ----------
    weights : csr_array, shape (m, m)
    ids : Index or Series, length m, without repetition
        Names of the units, such as the codes of the frame.

    Returns
    -------
    libpysal.graph.Graph
        With the units in the order of ``ids``, those without neighbours as isolates.

    Raises
    ------
    ConformError
        If there are not as many names as units.
    GridmapError
        If libpysal is not installed.

    Examples
    --------
    >>> row = gpd.GeoSeries([shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200)], crs=4549)
    >>> graph = analysis.as_graph(analysis.queen(row), pd.Index(["a", "b", "c"]))
    >>> graph["b"].to_dict()
    {'a': 1.0, 'c': 1.0}
    """
    if weights.shape[0] != len(ids):
        raise ConformError("conform.weights", found=weights.shape[0], asked=len(ids))
    try:
        from libpysal.graph import Graph  # noqa: PLC0415 - an optional package
    except ImportError:
        raise GridmapError("conform.pysal_missing") from None
    links = weights.tocoo()
    alone = np.flatnonzero(np.diff(weights.tocsr().indptr) == 0)
    names = np.asarray(ids)
    focal = np.concatenate([links.row, alone])
    order = np.argsort(focal, kind="stable")
    return Graph.from_arrays(
        names[focal][order],
        names[np.concatenate([links.col, alone])][order],
        np.concatenate([links.data, np.zeros(len(alone))])[order],
    )


def _points(shapes: gpd.GeoSeries) -> tuple[Floats, Longs]:
    """Return the coordinates of the points that are not empty, and their rows."""
    kinds = shapely.get_type_id(shapes.to_numpy())
    if not np.isin(kinds, (_POINT, -1)).all():
        found = ", ".join(sorted(set(shapes.geom_type.dropna()) - {"Point"}))
        raise ConformError("conform.geometry", layer="points", found=found, asked="Point")
    xy, row = shapely.get_coordinates(shapes.to_numpy(), return_index=True)
    proven(xy, row, shapes)
    return xy, row


def _nearest(tree: cKDTree, xy: Floats, point: int, reach: float, k: int) -> Longs:
    """Return the nearest points where several are equally near."""
    ball = np.array(tree.query_ball_point(xy[point], np.nextafter(reach, np.inf)), dtype=np.int64)
    ball = ball[ball != point]
    distance = np.sqrt(((xy[ball] - xy[point]) ** 2).sum(axis=1))
    nearest: Longs = ball[np.lexsort((ball, distance))][:k]
    return nearest
