"""What each grid holds and has to do, and how fairly that is shared."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis.location.assign import count_points
from gridmap.analysis.workloads._effort import PARTS, Effort, expected_hours

__all__ = ["gini", "households_in", "workload"]


@asks(
    "grids",
    "places",
    codes=("grids",),
    columns={"problems": ("grid", "state", "overdue", "days_to_close")},
)
def workload(
    grids: gpd.GeoDataFrame,
    problems: pd.DataFrame | None = None,
    *,
    minutes: pd.Series | None = None,
    households: pd.Series | None = None,
    places: gpd.GeoDataFrame | None = None,
    effort: Effort | None = None,
) -> pd.DataFrame:
    """Compute the workload of every grid: what it holds, and the hours that this takes.

    Parameters
    ----------
    grids : GeoDataFrame of m polygons, metres
        With columns ``code`` and ``members`` (persons; none or missing counts as one).
    problems : DataFrame, optional
        With columns ``grid, category, state, overdue, days_to_close``; without it, what depends
        on problems is missing, not zero, and so are the hours, for no period is known.
    minutes : Series of float, optional, minutes
        The work of one problem, by category.
    households : Series of Int64, optional
        Occupied households of each grid, on its index.
    places : GeoDataFrame of points, optional
        To inspect, with ``risk``.
    effort : Effort, optional
        The coefficients of `expected_hours`.

    Returns
    -------
    DataFrame of m rows
        On the index of the grids: ``households, places, problems, open, overdue`` (counts),
        ``median_days`` (days, over closed problems), ``problems_per_100`` (for every 100
        households), ``area_m2``, and the hours of `expected_hours`, their sum ``hours``,
        ``members`` and ``hours_per_member``.

    Examples
    --------
    >>> squares = [shapely.box(x, 0, x + 500, 500) for x in (0, 500)]
    >>> grids = gpd.GeoDataFrame({"code": ["a", "b"], "members": 1}, geometry=squares, crs=4549)
    >>> problems = pd.DataFrame({"grid": ["a", "a", "b"], "category": "litter"})
    >>> problems = problems.assign(state=["open", "closed", "closed"], overdue=[True, False, False])
    >>> problems["days_to_close"] = [None, 2.0, 5.0]
    >>> loads = analysis.workload(grids, problems, households=pd.Series([100, 50]))
    >>> loads[["problems", "open", "overdue", "median_days", "problems_per_100"]]
       problems  open  overdue  median_days  problems_per_100
    0         2     1        1          2.0               2.0
    1         1     0        0          5.0               2.0
    """
    if problems is None:
        found = pd.DataFrame({"median_days": np.nan}, index=grids.index)
        for name in ("problems", "open", "overdue"):
            found[name] = pd.Series(pd.NA, index=grids.index, dtype="Int64")
    else:
        found = _problem_counts(grids, problems)
    unknown = pd.Series(pd.NA, index=grids.index, dtype="Int64")
    found["households"] = unknown if households is None else households.astype("Int64")
    found["places"] = unknown if places is None else count_points(grids, places)
    lived_in = found["households"].astype("float64")
    found["problems_per_100"] = (
        100.0 * found["problems"].astype("float64") / lived_in.where(lived_in > 0)
    )
    found["area_m2"] = grids.area
    hours = expected_hours(
        grids, problems, minutes=minutes, households=households, places=places, effort=effort
    )
    if problems is None:
        hours[[*PARTS, "work_hours", "hours", "hours_per_member", "share"]] = np.nan
    return found.join(hours)


def _problem_counts(grids: gpd.GeoDataFrame, problems: pd.DataFrame) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "problems": 1,
            "open": (problems["state"] == "open").astype("int64"),
            "overdue": problems["overdue"].fillna(False).astype("int64"),
        }
    )
    sums = table.groupby(problems["grid"]).sum().reindex(grids["code"]).fillna(0).astype("Int64")
    median = problems.groupby("grid")["days_to_close"].median().reindex(grids["code"])
    sums["median_days"] = median.astype("float64")
    return sums.set_axis(grids.index)


@asks(columns={"grids": ("code",)})
def households_in(grids: pd.DataFrame, grid: pd.Series, occupied: pd.Series) -> pd.Series:
    """Sum the occupied households of each grid's buildings.

    Parameters
    ----------
    grids : DataFrame
        With a column ``code``.
    grid : Series of string
        The grid of each building.
    occupied : Series of Int64
        Its occupied households; missing counts as none.

    Returns
    -------
    Series of Int64, on the index of the grids

    Examples
    --------
    >>> grids = gpd.GeoDataFrame({"code": ["a", "b"]})
    >>> buildings = pd.Series(["a", "a", None], dtype="string")
    >>> occupied = pd.Series([12, 30, 7], dtype="Int64")
    >>> analysis.households_in(grids, buildings, occupied).to_list()
    [42, 0]
    """
    sums = occupied.fillna(0).groupby(grid).sum().reindex(grids["code"]).fillna(0)
    return sums.set_axis(grids.index).astype("Int64").rename("households")


@asks()
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

    Examples
    --------
    >>> analysis.gini(pd.Series([5.0, 5.0, 5.0]))
    0.0
    >>> round(analysis.gini(pd.Series([0.0, 0.0, 6.0])), 3)
    0.667
    """
    sorted_values = np.sort(values.dropna().to_numpy(dtype="float64"))
    total, count = sorted_values.sum(), len(sorted_values)
    if total == 0:
        return 0.0
    ranks = np.arange(1, count + 1)
    return float((2 * ranks - count - 1) @ sorted_values / (count * total))
