"""Counts handed on from one set of polygons to another, without losing one."""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis._values import rows_of
from gridmap.errors import ConformError

__all__ = ["REACH_M", "Shares", "apportion", "areal_interpolate", "areal_shares"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Four in five lots of Boston are 10 to 30 m wide, and streets about as much; of its census tracts
# without a lot none lies within 500 m of one with all its points.
REACH_M = 50.0


class Shares(NamedTuple):
    """What became of counts that were shared out.

    Parameters
    ----------
    received : Series of Int64
        On the index of the targets.
    kept : Series of Int64
        On the index of the sources: what found no target. Both together are what was given.
    """

    received: pd.Series
    kept: pd.Series


@asks("sources", "targets", alike=("sources", "counts"), within={"reach_m": (0.0, np.inf)})
def areal_shares(
    sources: gpd.GeoDataFrame,
    targets: gpd.GeoDataFrame,
    counts: pd.Series,
    *,
    reach_m: float = REACH_M,
) -> Shares:
    """Share the counts of source polygons among target polygons, and tell what was not shared.

    Each source's count goes to the targets that share area with it, in proportion to that area,
    in whole numbers by largest remainder (then larger area, then the earlier row). A source on
    which no target lies gives all to the nearest one, if no point of it is further from that than
    the reach: so no count goes further. Else it keeps its count.

    Parameters
    ----------
    sources : GeoDataFrame of n polygons
    targets : GeoDataFrame of m polygons
        Both in one metric system.
    counts : Series of Int64, shape (n,)
        On the index of the sources; missing counts as none.
    reach_m : float, metres
        How far a count may go. The default bridges a lot and the street before it, not a block;
        ``math.inf`` is however far.

    Returns
    -------
    Shares

    Raises
    ------
    ConformError
        If a count is below zero, or the reach is.

    References
    ----------
    Areal weighting: Goodchild and Lam (1980). Largest remainder: Hamilton's method.

    Examples
    --------
    >>> near, far = shapely.box(0, 0, 20, 20), shapely.box(900, 0, 1200, 300)
    >>> lots = gpd.GeoDataFrame(geometry=[near, far], crs=4549)
    >>> grids = gpd.GeoDataFrame(geometry=[shapely.box(30, 0, 130, 100)], crs=4549)
    >>> shares = analysis.areal_shares(lots, grids, pd.Series([4, 60]))
    >>> shares.received.to_list(), shares.kept.to_list()
    ([4], [0, 60])
    """
    given = counts.fillna(0).to_numpy(dtype=np.int64)
    if (given < 0).any():
        rows = rows_of(counts.index[given < 0])
        raise ConformError("conform.negative", what="counts", rows=rows)
    source, target, area = _shared_areas(sources, targets)
    lost = np.setdiff1d(np.flatnonzero(given > 0), source)
    near, nearest = _nearest(sources, targets, lost, reach_m)
    source, target = np.concatenate([source, near]), np.concatenate([target, nearest])
    area = np.concatenate([area, np.ones(len(near))])
    shares = apportion(given, source, target, area)
    sums = np.zeros(len(targets), dtype=np.int64)
    np.add.at(sums, target, shares)
    kept = np.where(np.isin(np.arange(len(given)), source), 0, given)
    return Shares(
        pd.Series(sums, index=targets.index, dtype="Int64", name=counts.name),
        pd.Series(kept, index=sources.index, dtype="Int64", name=counts.name),
    )


@asks("sources", "targets", alike=("sources", "counts"), within={"reach_m": (0.0, np.inf)})
def areal_interpolate(
    sources: gpd.GeoDataFrame,
    targets: gpd.GeoDataFrame,
    counts: pd.Series,
    *,
    reach_m: float = REACH_M,
) -> pd.Series:
    """Share the counts of source polygons among target polygons.

    As `areal_shares`, which also tells what found no target.

    Parameters
    ----------
    sources : GeoDataFrame of n polygons
    targets : GeoDataFrame of m polygons
        Both in one metric system.
    counts : Series of Int64, shape (n,)
        On the index of the sources; missing counts as none.
    reach_m : float, metres
        How far a count may go; ``math.inf`` is however far.

    Returns
    -------
    Series of Int64, shape (m,)
        On the index of the targets; its sum is that of the counts, less what sources kept.

    Raises
    ------
    ConformError
        If a count is below zero, or the reach is, or there are counts and no target.

    Examples
    --------
    >>> blocks = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 300, 100)], crs=4549)
    >>> halves = [shapely.box(0, 0, 100, 100), shapely.box(100, 0, 300, 100)]
    >>> grids = gpd.GeoDataFrame(geometry=halves, crs=4549)
    >>> analysis.areal_interpolate(blocks, grids, pd.Series([10])).to_list()
    [3, 7]
    """
    if targets.empty and counts.fillna(0).gt(0).any():
        raise ConformError("conform.no_rows", function="areal_interpolate", name="targets")
    return areal_shares(sources, targets, counts, reach_m=reach_m).received


def _nearest(
    sources: gpd.GeoDataFrame, targets: gpd.GeoDataFrame, lost: Ints, reach_m: float
) -> tuple[Ints, Ints]:
    """Return the sources of `lost` all of which lies in reach of its nearest target, and that."""
    if not (len(lost) and len(targets)):
        return lost[:0], lost[:0]
    at, nearest = targets.sindex.nearest(
        sources.geometry.iloc[lost],
        return_all=False,
        max_distance=reach_m if 0.0 < reach_m < np.inf else None,
    )
    row = lost[at]
    corners, of = shapely.get_coordinates(sources.geometry.to_numpy()[row], return_index=True)
    shapes = targets.geometry.to_numpy()[nearest]
    shapely.prepare(shapes)
    away = np.zeros(len(row))
    np.maximum.at(away, of, shapely.distance(shapes[of], shapely.points(corners)))
    held = away <= reach_m
    return row[held].astype(np.int64), nearest[held].astype(np.int64)


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
