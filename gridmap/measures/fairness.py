"""How fairly the work is shared among grids, and what would make it fairer."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from gridmap import analysis
from gridmap.analysis.workloads.fairness import Effort, Proposal
from gridmap.measures.summary import Frames, trusted
from gridmap.model import City
from gridmap.settings import Sharing

__all__ = ["effort_of", "passed", "proposed", "shared", "transfers_of"]

_DAY_S = 86_400.0


def effort_of(city: City, settings: Sharing) -> Effort:
    """Return the coefficients of work, for a period as long as the problems of the city span."""
    usual = dict(settings.effort)
    if "days" not in usual and city.has("problems"):
        first = city.frame("problems")["opened"].min()
        span = (pd.Timestamp(city.as_of) - first).total_seconds() / _DAY_S
        if span > 0:
            usual["days"] = span
    return analysis.load_effort(changes=usual)


def shared(city: City, grids: gpd.GeoDataFrame, found: Frames, settings: Sharing) -> Frames:
    """Compute how fairly the work of a city is shared.

    Parameters
    ----------
    city : City
    grids : GeoDataFrame
        The grids that are worked.
    found : mapping of str to DataFrame
        Of the steps before: ``problems`` with their grid, and ``grid_results``.
    settings : Sharing

    Returns
    -------
    dict of str to DataFrame
        ``fairness`` and, where the city has micro-grids, ``transfers``.
    """
    effort = effort_of(city, settings)
    loads = found["grid_results"]
    households = loads["households"].astype("float64")
    hours = _hours(city, grids, trusted(found), households, effort)
    fair = analysis.fairness(
        hours["hours_per_member"], members=hours["members"], tolerance=settings.tolerance
    )
    told = fair.table[["status", "excess_hours"]]
    frame = grids[["code", "name", "member", "geometry"]].join(hours).join(told)
    made: Frames = {"fairness": frame[[*city.catalog.layer("fairness").fields, "geometry"]]}
    if city.has("microgrids"):
        proposal = proposed(city, city.frame("microgrids"), found, settings)
        made["transfers"] = transfers_of(city, proposal)
    return made


def _hours(
    city: City,
    areas: gpd.GeoDataFrame,
    problems: gpd.GeoDataFrame,
    households: pd.Series,
    effort: Effort,
) -> pd.DataFrame:
    minutes = None
    if city.has("categories"):
        minutes = city.layers["categories"].set_index("code")["minutes"]
    return analysis.expected_hours(
        areas,
        problems,
        minutes=minutes,
        households=households if households.notna().any() else None,
        places=city.frame("places") if city.has("places") else None,
        effort=effort,
    )


def proposed(city: City, units: gpd.GeoDataFrame, found: Frames, settings: Sharing) -> Proposal:
    """Propose which micro-grids should pass to neighbouring grids.

    Parameters
    ----------
    city : City
    units : GeoDataFrame
        Micro-grids with ``code``, ``parent`` and, where known, ``households``.
    found : mapping of str to DataFrame
        With ``problems``.
    settings : Sharing
    """
    effort = effort_of(city, settings)
    units = units.reset_index(drop=True)
    problems = trusted(found)
    inside = problems.assign(grid=analysis.assign(problems, units))
    households = units["households"].astype("float64")
    hours = _hours(city, units, inside, households, effort)
    level = city.frame("grids").set_index("code")["level"].get(units["parent"].iloc[0])
    return analysis.proposed_transfers(
        units.join(hours[["work_hours", "stops"]]),
        city.areas(str(level)),
        effort=effort,
        tolerance=settings.tolerance,
        moves=settings.moves,
        across=settings.across,
    )


def transfers_of(city: City, proposal: Proposal) -> pd.DataFrame:
    """Return proposed transfers as the layer ``transfers``."""
    return proposal.transfers[[*city.catalog.layer("transfers").fields]]


def passed(city: City, units: gpd.GeoDataFrame, proposal: Proposal) -> gpd.GeoDataFrame:
    """Return the grids as they would be after the transfers, as the layer ``grids``."""
    level = city.frame("grids").set_index("code")["level"].get(units["parent"].iloc[0])
    return analysis.transferred_grids(
        city.areas(str(level)), units.reset_index(drop=True), proposal.parents
    )
