"""What the problems of a unit are held against: what makes them likely in proportion."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import shapely

from gridmap import analysis
from gridmap.errors import ConformError
from gridmap.measures.registry import Given

__all__ = [
    "COUNTS",
    "KNOWN_BY",
    "USES",
    "Exposure",
    "cell_exposure",
    "grid_exposure",
    "parent_exposure",
]

COUNTS = "counts"
"""What ``held_against`` says where nothing is known that counts could be held against."""

# Fields of grids that counts may be held against.
_FIELDS = ("population", "patrol_hours", "camera_hours")

USES = ("buildings", "roads")
"""Layers that tell what is in a unit."""

# The first of these that is known where problems are is taken, if the settings do not name one.
_ORDER = ("households", "population", "roads", "patrol_hours", "camera_hours")
# Share of the problems that must lie in units with some of it: the others can prove nothing.
_COVERED = 0.95
# How far from their door people report problems: standard deviation, east and north.
_WALK_M = 60.0
_STEP = 3.0 / 14.0
# Roads count by pieces of this length, each in the unit that its middle lies in, as a problem does.
_PIECE_M = 10.0

KNOWN_BY = {"households": "buildings, grids.households", "roads": "roads"} | {
    name: f"grids.{name}" for name in _FIELDS
}
"""The layers, or fields of them, that tell of each."""

Place = Callable[[gpd.GeoDataFrame], pd.Series]


@dataclass(frozen=True)
class Exposure:
    """What counts are held against.

    Parameters
    ----------
    name : str
        ``households``, ``population``, ``roads``, ``patrol_hours``, ``camera_hours``, or `COUNTS`.
    values : Series, shape (m,), optional
        On the index of the units; None for counts alone.
    """

    name: str = COUNTS
    values: pd.Series | None = None


def grid_exposure(given: Given, counts: pd.Series) -> Exposure:
    """Return what the problems of grids are held against.

    Parameters
    ----------
    given : Given
        With ``grid_results``.
    counts : Series, shape (m,)
        On the index of the grids.

    Raises
    ------
    ConformError
        If the settings name something that the city does not know of its grids.
    """
    households = given["grid_results"]["households"]
    return _area_exposure(given, given.grids, counts, households, given.settings.exposure)


def parent_exposure(given: Given, areas: gpd.GeoDataFrame, counts: pd.Series) -> Exposure:
    """Return what the problems of areas above the grids that are worked are held against.

    Parameters
    ----------
    given : Given
    areas : GeoDataFrame
        Of one level.
    counts : Series, shape (m,)
        On the index of the areas.
    """
    buildings, households = given.get("buildings"), areas.get("households")
    if buildings is not None:
        inner = buildings.set_geometry(buildings.representative_point())
        occupied = buildings["occupied"].fillna(0).groupby(analysis.assign(inner, areas)).sum()
        households = occupied.reindex(areas["code"], fill_value=0).set_axis(areas.index)
    asked = given.settings.exposure
    return _area_exposure(given, areas, counts, households, "none" if asked == "none" else "auto")


def _area_exposure(
    given: Given,
    areas: gpd.GeoDataFrame,
    counts: pd.Series,
    households: pd.Series | None,
    asked: str,
) -> Exposure:
    known = {name: areas[name] for name in _FIELDS if name in areas}
    if households is not None:
        known["households"] = households

    def roads() -> pd.Series | None:
        return _road_lengths(given, areas["code"], lambda points: analysis.assign(points, areas))

    return _chosen(asked, counts, known, roads)


def cell_exposure(given: Given, cells: gpd.GeoDataFrame, place: Place) -> Exposure:
    """Return what the problems of H3 cells are held against.

    Parameters
    ----------
    given : Given
    cells : GeoDataFrame
        With ``code`` and ``count``.
    place : callable
        From points to the codes of their cells.

    Raises
    ------
    ConformError
        If the settings name households or roads, and the city has none of them. What is known of
        grids alone is not known of cells, of which the city's own choice is taken.
    """
    known: dict[str, pd.Series] = {}
    buildings = given.get("buildings")
    if buildings is not None:
        inner = buildings.set_geometry(buildings.representative_point())
        occupied = buildings["occupied"].fillna(0).groupby(place(inner)).sum()
        everywhere = occupied.reindex(cells["code"], fill_value=0)
        width_m = math.sqrt(cells.geometry.area.mean() * 2.0 / math.sqrt(3.0))
        known["households"] = _around(everywhere, width_m, cells.index)
    asked = given.settings.exposure
    if asked in _FIELDS or (asked == "households" and buildings is None):
        asked = "auto"

    def roads() -> pd.Series | None:
        return _road_lengths(given, cells["code"], place)

    return _chosen(asked, cells["count"], known, roads)


def _chosen(
    asked: str,
    counts: pd.Series,
    known: Mapping[str, pd.Series],
    roads: Callable[[], pd.Series | None],
) -> Exposure:
    if asked == "none":
        return Exposure()
    total = counts.sum()
    for name in _ORDER if asked == "auto" else (asked,):
        found = roads() if name == "roads" else known.get(name)
        if found is None or not found.fillna(0).gt(0).any():
            continue
        values = found.astype("float64")
        covered = counts[values.fillna(0).gt(0)].sum()
        if asked != "auto" or covered >= _COVERED * total:
            return Exposure(name, values)
    if asked != "auto":
        raise ConformError(
            "conform.no_exposure", setting="exposure", exposure=asked, layers=KNOWN_BY[asked]
        )
    return Exposure()


def _around(households: pd.Series, width_m: float, index: pd.Index) -> pd.Series:
    """Return households of cells, spread as far as what is reported of them.

    It lies at their door or in the streets about it, and a cell of some streets without a door is
    no place where nothing can happen. Each step moves a share of every cell evenly over the cell
    and its six neighbours: a share of one half moves `_STEP` squares of the width of a cell.
    """
    near = analysis.with_self(analysis.cell_neighbours(list(households.index)))
    sizes = near.sum(axis=1)
    values = households.to_numpy(dtype="float64")
    steps = (_WALK_M / width_m) ** 2 / _STEP
    for _ in range(math.ceil(steps)):
        share = 0.5 * steps / math.ceil(steps)
        values = (1.0 - share) * values + share * (near @ (values / sizes))
    return pd.Series(values, index=index)


def _road_lengths(given: Given, codes: pd.Series, place: Place) -> pd.Series | None:
    """Return the metres of road in each unit; None where the city has no roads."""
    roads = given.get("roads")
    if roads is None:
        return None
    lines = shapely.get_parts(shapely.segmentize(roads.geometry.to_numpy(), _PIECE_M))
    points, line = shapely.get_coordinates(lines, return_index=True)
    within = line[1:] == line[:-1]
    starts, ends = points[:-1][within], points[1:][within]
    middles = gpd.points_from_xy(*((starts + ends) / 2.0).T)
    pieces = gpd.GeoDataFrame(geometry=middles, crs=roads.crs)
    lengths = pd.Series(((ends - starts) ** 2).sum(axis=1) ** 0.5, index=pieces.index)
    metres = lengths.groupby(place(pieces)).sum()
    return metres.reindex(codes, fill_value=0.0).set_axis(codes.index)
