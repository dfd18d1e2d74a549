"""What each grid holds and has to do, and how fairly that is shared."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.analysis.location.assign import count_points

__all__ = ["gini", "households_in", "workload"]


def workload(
    grids: gpd.GeoDataFrame,
    problems: pd.DataFrame | None,
    *,
    minutes: pd.Series | None = None,
    default_minutes: float = 30.0,
    households: pd.Series | None = None,
    places: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Compute the workload of every grid.

    Parameters
    ----------
    grids : GeoDataFrame of m polygons
        With columns ``code`` and ``members`` (persons; none or missing counts as one).
    problems : DataFrame, optional
        With columns ``grid, category, state, overdue, days_to_close``; without it, what depends
        on problems is missing, not zero.
    minutes : Series of float, optional, minutes
        The work of one problem, by category.
    default_minutes : float, minutes
        For categories that `minutes` does not know.
    households : Series of Int64, optional
        Occupied households of each grid, on its index.
    places : GeoDataFrame of points, optional

    Returns
    -------
    DataFrame, shape (m, 10)
        On the index of the grids: ``households, places, problems, open, overdue`` (counts),
        ``median_days`` (days, over closed problems), ``hours`` (expected hours of work),
        ``hours_per_member``, ``problems_per_100`` (for every 100 households) and ``area_m2``.
    """
    if problems is None:
        found = pd.DataFrame(np.nan, index=grids.index, columns=["hours", "median_days"])
        for name in ("problems", "open", "overdue"):
            found[name] = pd.Series(pd.NA, index=grids.index, dtype="Int64")
    else:
        found = _problem_loads(grids, problems, minutes, default_minutes)
    unknown = pd.Series(pd.NA, index=grids.index, dtype="Int64")
    found["households"] = unknown if households is None else households.astype("Int64")
    found["places"] = unknown if places is None else count_points(grids, places)
    members = grids["members"].astype("float64").fillna(1.0).clip(lower=1.0)
    found["hours_per_member"] = found["hours"] / members
    lived_in = found["households"].astype("float64")
    found["problems_per_100"] = (
        100.0 * found["problems"].astype("float64") / lived_in.where(lived_in > 0)
    )
    found["area_m2"] = grids.area
    return found


def _problem_loads(
    grids: gpd.GeoDataFrame,
    problems: pd.DataFrame,
    minutes: pd.Series | None,
    default_minutes: float,
) -> pd.DataFrame:
    each = pd.Series(default_minutes, index=problems.index)
    if minutes is not None:
        each = problems["category"].map(minutes).astype("float64").fillna(default_minutes)
    table = pd.DataFrame(
        {
            "problems": 1,
            "open": (problems["state"] == "open").astype("int64"),
            "overdue": problems["overdue"].fillna(False).astype("int64"),
            "hours": each / 60.0,
        }
    )
    sums = table.groupby(problems["grid"]).sum().reindex(grids["code"]).fillna(0)
    sums = sums.astype({"problems": "Int64", "open": "Int64", "overdue": "Int64"})
    median = problems.groupby("grid")["days_to_close"].median().reindex(grids["code"])
    sums["median_days"] = median.astype("float64")
    return sums.set_axis(grids.index)


def households_in(grids: gpd.GeoDataFrame, grid: pd.Series, occupied: pd.Series) -> pd.Series:
    """Sum the occupied households of each grid's buildings.

    Parameters
    ----------
    grids : GeoDataFrame
        With a column ``code``.
    grid : Series of string
        The grid of each building.
    occupied : Series of Int64
        Its occupied households; missing counts as none.

    Returns
    -------
    Series of Int64, on the index of the grids
    """
    sums = occupied.fillna(0).groupby(grid).sum().reindex(grids["code"]).fillna(0)
    return sums.set_axis(grids.index).astype("Int64").rename("households")


def gini(values: pd.Series) -> float:
    """Return the Gini index of a set of loads: 0 all equal, towards 1 all on one.

    Parameters
    ----------
    values : Series of float, not negative
        Missing ones are left out.

    Returns
    -------
    float
        Half the mean absolute difference over the mean; 0 where nothing is loaded.

    References
    ----------
    Gini (1912); computed from the sorted values as in Sen (1973), On Economic Inequality.
    """
    sorted_values = np.sort(values.dropna().to_numpy(dtype="float64"))
    total, count = sorted_values.sum(), len(sorted_values)
    if total == 0:
        return 0.0
    ranks = np.arange(1, count + 1)
    return float((2 * ranks - count - 1) @ sorted_values / (count * total))
