"""Which areas a point lies in."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

__all__ = ["assign", "assign_all", "count_points"]


def assign(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.Series:
    """Assign every point to at most one area.

    A point on a border, or where areas overlap, goes to the area with the lowest code.

    Parameters
    ----------
    points : GeoDataFrame of n points
    areas : GeoDataFrame of m polygons
        With a column ``code``; in the coordinate system of the points.

    Returns
    -------
    Series of string, shape (n,)
        The code of the area, on the index of the points; missing for a point in no area.
    """
    pairs = _pairs(points, areas)
    lowest = pairs.sort_values("code", kind="stable").groupby("point")["code"].first()
    found = pd.Series(pd.NA, index=range(len(points)), dtype="string", name="code")
    found[lowest.index] = lowest.to_numpy()
    return found.set_axis(points.index)


def assign_all(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return every pair of a point and an area that holds it, its border included.

    Parameters
    ----------
    points, areas : GeoDataFrame
        Each with a column ``code``.

    Returns
    -------
    DataFrame of string
        Columns ``point`` and ``area``, both codes, in the order of the points, then by code.
    """
    pairs = _pairs(points, areas).sort_values(["point", "code"], kind="stable")
    codes = points["code"].to_numpy()[pairs["point"].to_numpy(dtype=int)]
    return pd.DataFrame({"point": codes, "area": pairs["code"].to_numpy()}, dtype="string")


def count_points(areas: gpd.GeoDataFrame, points: gpd.GeoDataFrame) -> pd.Series:
    """Count the points in every area, borders included.

    Returns
    -------
    Series of Int64, shape (m,)
        On the index of the areas. A point where areas overlap counts in each.
    """
    hits = points.sindex.query(areas.geometry, predicate="intersects")[0]
    counts = np.bincount(hits, minlength=len(areas))
    return pd.Series(counts, index=areas.index, dtype="Int64", name="points")


def _pairs(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    # The tree is over the points, because the query prepares the geometries that ask: a polygon
    # prepared once answers for all points in its box.
    area, point = points.sindex.query(areas.geometry, predicate="intersects")
    return pd.DataFrame({"point": point, "code": areas["code"].to_numpy()[area]})
