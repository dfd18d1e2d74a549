"""What each grid holds and has to do, how fairly that is shared, and what would even it out."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from gridmap import analysis
from gridmap.analysis.workloads.fairness import Effort, Proposal
from gridmap.measures.registry import Given, Made, Measure

__all__ = ["effort_of", "proposed", "transferred_grids", "transfers_of"]

_DAY_S = 86_400.0


def effort_of(given: Given) -> Effort:
    """Return the coefficients of work, for a period as long as the problems of the city span.

    Examples
    --------
    >>> from gridmap.measures.registry import Given
    >>> from gridmap.measures.workloads import effort_of
    >>> city = gridmap.read_city("data", layers=["problems"])
    >>> effort = effort_of(Given(city, gridmap.Analysis(default_minutes=45)))
    >>> round(effort.days), effort.default_minutes
    (365, 45.0)
    """
    usual = dict(given.settings.fairness.effort)
    if "days" not in usual and given.city.has("problems"):
        first = given.city.frame("problems")["opened"].min()
        span = (pd.Timestamp(given.city.as_of) - first).total_seconds() / _DAY_S
        if span > 0:
            usual["days"] = span
    usual.setdefault("default_minutes", given.settings.default_minutes)
    return analysis.load_effort(changes=usual)


def _buildings(given: Given) -> Made:
    """Give each building the grid that it lies in."""
    buildings = given["buildings"]
    inner = buildings.set_geometry(buildings.representative_point())
    return {"buildings": buildings.assign(grid=analysis.assign(inner, given.grids))}


def _loads(given: Given) -> Made:
    """Count what every grid holds, and the hours that it takes."""
    grids = given.grids
    households = grids["households"] if grids["households"].notna().any() else None
    buildings = given.get("buildings")
    if buildings is not None:
        households = analysis.households_in(grids, buildings["grid"], buildings["occupied"])
    loads = analysis.workload(
        grids,
        given.get("problems"),
        minutes=given.minutes,
        households=households,
        places=given.get("places"),
        effort=effort_of(given),
    )
    frame = grids[["code", "name", "member", "geometry"]].join(loads)
    frame["members"] = grids["members"]
    fields = given.city.catalog.layer("grid_results").fields
    return {"grid_results": frame[[*fields, "geometry"]], "grid_hours": loads}


def _fairness(given: Given) -> Made:
    """Compare the hours of members with what they would be if all had the same."""
    grids, hours = given.grids, given["grid_hours"]
    fair = analysis.fairness(
        hours["hours_per_member"],
        members=hours["members"],
        tolerance=given.settings.fairness.tolerance,
    )
    told = fair.table[["status", "excess_hours"]]
    frame = grids[["code", "name", "member", "geometry"]].join(hours).join(told)
    fields = given.city.catalog.layer("fairness").fields
    return {"fairness": frame[[*fields, "geometry"]]}


def _transfers(given: Given) -> Made:
    return {"transfers": transfers_of(given, proposed(given, given["microgrids"]))}


def proposed(given: Given, units: gpd.GeoDataFrame) -> Proposal:
    """Propose which micro-grids should pass to neighbouring grids.

    Parameters
    ----------
    given : Given
        With ``problems`` as the case table has them.
    units : GeoDataFrame
        Micro-grids with ``code``, ``parent`` and, where known, ``households``.

    Examples
    --------
    >>> from gridmap.measures.registry import Given
    >>> from gridmap.measures.workloads import proposed
    >>> city = gridmap.read_city("data", layers=["grids", "buildings", "problems"])
    >>> units = gridmap.design_grids(city).microgrids
    >>> problems = gridmap.analyse(city, want=["problems"]).frame("problems")
    >>> given = Given(city, gridmap.Analysis(), {"problems": problems})
    >>> proposal = proposed(given, units)
    >>> ginis = proposal.transfers[["gini_before", "gini_after"]]
    >>> bool((ginis["gini_after"] < ginis["gini_before"]).all())
    True
    """
    settings, units = given.settings.fairness, units.reset_index(drop=True)
    placed = given.placed
    inside = placed.assign(grid=analysis.assign(placed, units))
    households = units["households"].astype("float64")
    known = households if households.notna().any() else None
    effort = effort_of(given)
    hours = analysis.expected_hours(
        units,
        inside,
        minutes=given.minutes,
        households=known,
        places=given.get("places"),
        effort=effort,
    )
    return analysis.proposed_transfers(
        units.join(hours[["work_hours", "stops"]]),
        given.city.areas(_parent_level(given, units)),
        effort=effort,
        tolerance=settings.tolerance,
        moves=settings.moves,
        across=settings.across,
    )


def _parent_level(given: Given, units: gpd.GeoDataFrame) -> str:
    return str(given.city.frame("grids").set_index("code")["level"].get(units["parent"].iloc[0]))


def transfers_of(given: Given, proposal: Proposal) -> pd.DataFrame:
    """Return proposed transfers as the layer ``transfers``.

    Examples
    --------
    >>> from gridmap.measures.registry import Given
    >>> from gridmap.measures.workloads import proposed, transfers_of
    >>> city = gridmap.read_city("data", layers=["grids", "buildings", "problems"])
    >>> units = gridmap.design_grids(city).microgrids
    >>> problems = gridmap.analyse(city, want=["problems"]).frame("problems")
    >>> given = Given(city, gridmap.Analysis(), {"problems": problems})
    >>> told = transfers_of(given, proposed(given, units))
    >>> list(told.columns[:4])
    ['step', 'code', 'from_grid', 'to_grid']
    """
    return proposal.transfers[[*given.city.catalog.layer("transfers").fields]]


def transferred_grids(
    given: Given, units: gpd.GeoDataFrame, proposal: Proposal
) -> gpd.GeoDataFrame:
    """Return the grids as they would be after the transfers, as the layer ``grids``.

    Examples
    --------
    >>> from gridmap.measures.registry import Given
    >>> from gridmap.measures.workloads import proposed, transferred_grids
    >>> city = gridmap.read_city("data", layers=["grids", "buildings", "problems"])
    >>> units = gridmap.design_grids(city).microgrids
    >>> problems = gridmap.analyse(city, want=["problems"]).frame("problems")
    >>> given = Given(city, gridmap.Analysis(), {"problems": problems})
    >>> after, before = transferred_grids(given, units, proposed(given, units)), city.areas("grid")
    >>> len(after) == len(before), float(round(after.area.sum() / before.area.sum(), 6))
    (True, 1.0)
    """
    areas = given.city.areas(_parent_level(given, units))
    return analysis.transferred_grids(areas, units.reset_index(drop=True), proposal.parents)


_HOURS = ("level", "default_minutes", "fairness")

MEASURES = (
    Measure(
        "buildings",
        needs=("buildings", "grids"),
        makes=("buildings",),
        method="Grid by a point inside the building",
        settings=("level",),
        run=_buildings,
    ),
    Measure(
        "workload",
        needs=("grids",),
        uses=("buildings", "problems", "places", "categories"),
        makes=("grid_results", "grid_hours"),
        method="Counts by grid; expected hours of cases, households, places and travel "
        "(Beardwood et al. 1959)",
        settings=_HOURS,
        run=_loads,
    ),
    Measure(
        "fairness",
        needs=("grids", "grid_hours", "problems"),
        makes=("fairness",),
        method="Expected hours of a member against the mean",
        settings=_HOURS,
        run=_fairness,
    ),
    Measure(
        "transfers",
        needs=("microgrids", "grids", "problems"),
        uses=("places", "categories"),
        makes=("transfers",),
        method="Greedy moves of border micro-grids that lessen the spread of hours, connected",
        settings=_HOURS,
        run=_transfers,
    ),
)
