"""Counts handed on from one set of polygons to another, without losing one."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.analysis._doors import asks
from gridmap.errors import ConformError

__all__ = ["apportion", "areal_interpolate"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@asks("sources", "targets", alike=("sources", "counts"))
def areal_interpolate(
    sources: gpd.GeoDataFrame,
    targets: gpd.GeoDataFrame,
    counts: pd.Series,
    *,
    reach_m: float | None = None,
) -> pd.Series:
    """Share the counts of source polygons among target polygons.

    Each source's count goes to the targets that share area with it, in proportion to that area,
    in whole numbers by largest remainder (then larger area, then the earlier row). A source that
    no target touches gives all to the nearest one. So the total stays what it was, unless a reach
    is given.

    Parameters
    ----------
    sources : GeoDataFrame of n polygons
    targets : GeoDataFrame of m polygons
        Both in one metric system.
    counts : Series of Int64, shape (n,)
        On the index of the sources; missing counts as none.
    reach_m : float, optional, metres
        A source whose nearest target is further away keeps its count.

    Returns
    -------
    Series of Int64, shape (m,)
        On the index of the targets; its sum is that of the counts, less what sources kept.

    Raises
    ------
    ConformError
        If there are counts, but no target.

    References
    ----------
    Areal weighting: Goodchild and Lam (1980). Largest remainder: Hamilton's method.

    Examples
    --------
    >>> blocks = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 300, 100)], crs=4549)
    >>> halves = [shapely.box(0, 0, 100, 100), shapely.box(100, 0, 300, 100)]
    >>> grids = gpd.GeoDataFrame(geometry=halves, crs=4549)
    >>> analysis.areal_interpolate(blocks, grids, pd.Series([10])).to_list()
    [3, 7]
    """
    given = counts.fillna(0).to_numpy(dtype=np.int64)
    source, target, area = _shared_areas(sources, targets)
    lost = np.setdiff1d(np.flatnonzero(given > 0), source)
    if len(lost) and not len(targets):
        raise ConformError("conform.no_rows", function="areal_interpolate", name="targets")
    if len(lost):
        nearest = targets.sindex.nearest(
            sources.geometry.iloc[lost], return_all=False, max_distance=reach_m
        )
        source = np.concatenate([source, lost[nearest[0]]])
        target = np.concatenate([target, nearest[1]])
        area = np.concatenate([area, np.ones(len(nearest[0]))])
    shares = apportion(given, source, target, area)
    sums = np.zeros(len(targets), dtype=np.int64)
    np.add.at(sums, target, shares)
    return pd.Series(sums, index=targets.index, dtype="Int64", name=counts.name)


def _shared_areas(
    sources: gpd.GeoDataFrame, targets: gpd.GeoDataFrame
) -> tuple[Ints, Ints, Floats]:
    source, target = targets.sindex.query(sources.geometry, predicate="intersects")
    inside = targets.sindex.query(sources.geometry, predicate="contains_properly")
    # Most targets lie within one source; only the others need an intersection.
    whole = np.isin(
        source.astype(np.int64) * len(targets) + target,
        inside[0].astype(np.int64) * len(targets) + inside[1],
    )
    area = shapely.area(targets.geometry.to_numpy())[target]
    cut = ~whole
    area[cut] = shapely.area(
        shapely.intersection(
            sources.geometry.to_numpy()[source[cut]], targets.geometry.to_numpy()[target[cut]]
        )
    )
    kept = area > 0
    return source[kept].astype(np.int64), target[kept].astype(np.int64), area[kept]


def apportion(given: Ints, source: Ints, target: Ints, area: Floats) -> Ints:
    """Cut each source's count into whole shares in proportion to the areas.

    Parameters
    ----------
    given : ndarray of int, shape (n,)
        Of each source.
    source, target : ndarray of int, shape (s,)
        The shares: whose, and for whom.
    area : ndarray of float, shape (s,)
        What the shares are in proportion to; above zero in sum for every source.

    Returns
    -------
    ndarray of int, shape (s,)
        By largest remainder, then larger area, then the lower target. A source without a share
        keeps what it has.
    """
    given = np.where(np.isin(np.arange(len(given)), source), given, 0)
    total = np.bincount(source, weights=area, minlength=len(given))
    exact = given[source] * (area / total[source])
    shares = np.floor(exact).astype(np.int64)
    left = given - np.bincount(source, weights=shares, minlength=len(given)).astype(np.int64)
    order = np.lexsort((target, -area, shares - exact, source))
    first = np.searchsorted(source[order], np.arange(len(given)))
    rank = np.empty(len(source), dtype=np.int64)
    rank[order] = np.arange(len(source)) - first[source[order]]
    shares[rank < left[source]] += 1
    return shares
