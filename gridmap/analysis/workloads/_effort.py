"""How many hours the work of each area takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, ValidationError

from gridmap.analysis._doors import asks
from gridmap.analysis.location.assign import assign
from gridmap.analysis.workloads._travel import Pace, travel_hours
from gridmap.errors import ConfigError, ConformError
from gridmap.records import FrozenMap, Record, problems_of, read_toml, short_path
from gridmap.resources import AnyPath, packaged

__all__ = [
    "PARTS",
    "Effort",
    "aligned",
    "expected_hours",
    "load_effort",
    "members_of",
    "not_negative",
    "pace_of",
]

PARTS = ("case_hours", "household_hours", "place_hours", "travel_hours")
_FILE = packaged("analysis/workloads/effort.toml")
_YEAR = 365.0  # days


class Effort(Record):
    """How long the work of a grid takes.

    Parameters
    ----------
    days : float, days
        Length of the period that the problems are of; all hours are of such a period.
    default_minutes : float, minutes
        To handle a problem whose category has no minutes of its own.
    household_minutes, place_minutes : float, minutes
        Of one visit.
    household_visits, other_visits : float, 1 / year
        Of each household, and of each place whose risk class is not in `visits`.
    rounds : float, 1 / year
        How often a member sets out.
    speed_km_h : float, km / h
    detour : float
        Metres walked for each metre as the crow flies.
    visits : mapping of str to float, 1 / year
        Inspections of a place, by risk class.

    Examples
    --------
    >>> effort = analysis.load_effort(changes={"days": 73.0})
    >>> effort.years
    0.2
    """

    days: float = Field(gt=0)
    default_minutes: float = Field(ge=0)
    household_minutes: float = Field(ge=0)
    household_visits: float = Field(ge=0)
    place_minutes: float = Field(ge=0)
    other_visits: float = Field(ge=0)
    rounds: float = Field(gt=0)
    speed_km_h: float = Field(gt=0)
    detour: float = Field(ge=1)
    visits: FrozenMap[str, float]

    @property
    def years(self) -> float:
        """Length of the period in years of 365 days."""
        return self.days / _YEAR


@asks()
def load_effort(path: AnyPath | None = None, *, changes: Mapping[str, Any] | None = None) -> Effort:
    """Read coefficients of work.

    Parameters
    ----------
    path : path, optional
        A TOML file with all or some of the keys of the shipped ``effort.toml``, which fills in the
        others. Its ``[visits]`` replaces the shipped ones as a whole.
    changes : mapping, optional
        Keys to change after that.

    Raises
    ------
    ConfigError
        If the file is missing, is no TOML, or has a key or value that cannot be.

    Examples
    --------
    >>> effort = analysis.load_effort(changes={"speed_km_h": 12.0})
    >>> effort.speed_km_h, effort.household_minutes
    (12.0, 10.0)
    """
    shipped = read_toml(_FILE, ConfigError)
    given = read_toml(Path(path), ConfigError) if path else {}
    whole = {**shipped, **given, **(changes or {})}
    try:
        return Effort.model_validate(whole)
    except ValidationError as error:
        problem = problems_of(error, Effort, whole)
        file = short_path(Path(path)) if path else "effort"
        raise ConfigError("config.invalid", file=file, problem=problem) from None


@asks("areas", "places", codes=("areas",), columns={"problems": ("grid", "category")})
def expected_hours(
    areas: gpd.GeoDataFrame,
    problems: pd.DataFrame | None,
    *,
    minutes: pd.Series | None = None,
    households: pd.Series | None = None,
    places: gpd.GeoDataFrame | None = None,
    effort: Effort | None = None,
) -> pd.DataFrame:
    """Compute the hours that the work of each area takes, part by part.

    Parameters
    ----------
    areas : GeoDataFrame of m polygons, metres
        ``code`` and, where known, ``members`` (persons; none or missing counts as one).
    problems : DataFrame, optional
        Of one period of ``effort.days``: ``grid`` (the code of the area) and ``category``. What
        lies in no area is nobody's work here; `gridmap.analysis.find_unassigned` lists it.
    minutes : Series of float, optional, minutes
        To handle one problem, by category.
    households : Series, optional
        To visit, on the index of the areas.
    places : GeoDataFrame of points, optional
        To inspect, with ``risk``.
    effort : Effort, optional
        The coefficients; by default those of ``gridmap/analysis/workloads/effort.toml``.

    Returns
    -------
    DataFrame, shape (m, 12)
        On the index of the areas: the `PARTS` ``case_hours``, ``household_hours``,
        ``place_hours`` and ``travel_hours``; a part for which there is no input is missing.
        ``work_hours`` is the sum of the parts but travel, ``hours`` of all; both are missing if
        every input is. Then ``members``, ``hours_per_member``, ``share`` (of the mean hours of a
        member), ``stops`` (cases and inspections, to which members travel), ``assumed_cases`` and
        ``assumed_places`` (whose category or risk class has no coefficient of its own).

    Raises
    ------
    ConformError
        If minutes or households are below zero, or the households are not on the index of the
        areas.

    Notes
    -----
    Travel is the length of the shortest tours through the stops, ``0.7124 sqrt(n A)`` for ``n``
    random stops in an area ``A`` (Beardwood, Halton and Hammersley 1959; the constant by Johnson,
    McGeoch and Rothberg 1996), times the detour of streets, at walking speed. Stops are shared
    among the members' rounds, so that the tours of a period are ``0.7124 sqrt(n r A)`` long, with
    ``r`` rounds of a member, or stops of a member if these are fewer. The formula holds for many
    stops on a round; for less than about ten it is a lower estimate, as it has no way back to the
    office. Household visits are paid on the spot and add no travel.

    Examples
    --------
    >>> square = shapely.box(0, 0, 1000, 1000)
    >>> grids = gpd.GeoDataFrame({"code": ["a"], "members": [2]}, geometry=[square], crs=4549)
    >>> problems = pd.DataFrame({"grid": ["a"] * 40, "category": ["litter"] * 40})
    >>> hours = analysis.expected_hours(grids, problems, minutes=pd.Series({"litter": 15.0}))
    >>> hours[["case_hours", "travel_hours", "hours", "hours_per_member"]].round(2)
       case_hours  travel_hours  hours  hours_per_member
    0        10.0          5.82  15.82              7.91

    Forty cases of a quarter of an hour, and the way to them.
    """
    effort = effort or load_effort()
    members = members_of(areas)
    found = pd.DataFrame(np.nan, index=areas.index, columns=list(PARTS))
    stops = pd.Series(0.0, index=areas.index)
    assumed = {"cases": 0.0 * stops, "places": 0.0 * stops}
    if problems is not None:
        each = problems["category"].map(minutes) if minutes is not None else None
        sums = _by_area(areas, problems["grid"], each, effort.default_minutes)
        found["case_hours"] = sums["amount"] / 60.0
        stops += sums["count"]
        assumed["cases"] = sums["assumed"]
    if households is not None:
        visits = aligned(households, areas) * effort.household_visits * effort.years
        found["household_hours"] = visits * effort.household_minutes / 60.0
    if places is not None:
        visits_of = places["risk"].map(dict(effort.visits))
        sums = _by_area(areas, assign(places, areas), visits_of, effort.other_visits)
        visits = sums["amount"] * effort.years
        found["place_hours"] = visits * effort.place_minutes / 60.0
        stops += visits
        assumed["places"] = sums["assumed"]
    if problems is not None or places is not None:
        found["travel_hours"] = _travel(areas, stops, members, effort)
    found = _summed(found, members).assign(stops=stops)
    for name, count in assumed.items():
        found[f"assumed_{name}"] = count.astype("Int64")
    return found


def _travel(
    areas: gpd.GeoDataFrame, stops: pd.Series, members: pd.Series, effort: Effort
) -> npt.NDArray[np.float64]:
    return travel_hours(
        np.asarray(stops, dtype=np.float64),
        np.asarray(areas.area, dtype=np.float64),
        np.asarray(members, dtype=np.float64),
        pace_of(effort),
    )


def _summed(parts: pd.DataFrame, members: pd.Series) -> pd.DataFrame:
    """Return parts with their sums, and what a member has of them."""
    work = parts[list(PARTS[:-1])].sum(axis=1, min_count=1)
    hours = parts.sum(axis=1, min_count=1)
    persons = float(members[hours.notna()].sum())
    mean = float(hours.sum()) / persons if persons else 0.0
    each = hours / members
    return parts.assign(
        work_hours=work,
        hours=hours,
        members=members.astype("Int64"),
        hours_per_member=each,
        share=each / mean if mean > 0 else np.nan,
    )


def members_of(areas: pd.DataFrame) -> pd.Series:
    """Return how many members each area has; none or missing counts as one."""
    if "members" not in areas:
        return pd.Series(1.0, index=areas.index)
    return areas["members"].astype("float64").fillna(1.0).clip(lower=1.0)


def pace_of(effort: Effort) -> Pace:
    """Return how members travel in the period."""
    return Pace(effort.rounds * effort.years, effort.detour / (1000.0 * effort.speed_km_h))


def _by_area(
    areas: gpd.GeoDataFrame, area: pd.Series, each: pd.Series | None, usual: float
) -> pd.DataFrame:
    """Return, for each area, how many things lie in it, their amounts, and how many are assumed."""
    amount = pd.Series(np.nan, index=area.index) if each is None else each.astype("float64")
    not_negative(amount, "minutes, visits")
    table = pd.DataFrame(
        {"count": 1.0, "amount": amount.fillna(usual), "assumed": amount.isna().astype("int64")}
    )
    sums = table.groupby(area).sum().reindex(areas["code"]).fillna(0)
    return sums.set_axis(areas.index)


def aligned(values: pd.Series, areas: pd.DataFrame) -> pd.Series:
    """Return numbers that are proven to be on the index of the areas."""
    if not values.index.equals(areas.index):
        raise ConformError("conform.weights", found=len(values), asked=len(areas))
    numbers = values.astype("float64")
    not_negative(numbers, "households")
    return numbers


def not_negative(values: pd.Series, what: str) -> None:
    """Prove that no number is below zero; the error names the rows."""
    if (values < 0).any():
        rows = ", ".join(str(row) for row in values.index[values < 0][:5])
        raise ConformError("conform.negative", what=what, rows=rows)
