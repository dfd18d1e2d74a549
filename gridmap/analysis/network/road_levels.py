"""Five levels of roads, as a five-colour map shows them: by speed, else by problems per kilometre.

Speeds are judged by the class of the road: what is free-flowing in a lane is a jam on an
expressway. The limits that are used where none are given are bands that Chinese cities publish for
expressways, main roads and others; they are data to be replaced by those of the place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis.location.assign import assign_lines
from gridmap.errors import ConformError
from gridmap.messages import Message

__all__ = ["SPEED_LIMITS_KMH", "road_levels"]

_LEVELS = 5
SPEED_LIMITS_KMH: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "expressway": (65.0, 50.0, 35.0, 20.0),
        "main": (40.0, 30.0, 20.0, 15.0),
        "*": (35.0, 25.0, 15.0, 10.0),
    }
)
"""Above which speed a road is of level 1, 2, 3, 4; by class, ``*`` for any other. km/h."""


@asks("roads", "problems", columns={"roads": ("code",)})
def road_levels(
    roads: gpd.GeoDataFrame,
    problems: gpd.GeoDataFrame | None = None,
    *,
    speeds_kmh: Mapping[str, Sequence[float]] = SPEED_LIMITS_KMH,
    per_km: Sequence[float] = (),
    within_m: float = 50.0,
) -> pd.DataFrame:
    """Grade every road from 1, best, to 5, worst.

    Parameters
    ----------
    roads : GeoDataFrame of n lines, metres
        With ``code``; with ``class`` where limits differ by class. Where ``speed_kmh`` has a
        value, the road is graded by its speed, every other road by its problems.
    problems : GeoDataFrame of points, optional
        Each counts on the nearest road within reach.
    speeds_kmh : mapping of str to sequence of 4 float, km/h
        By class, falling; ``*`` for classes that are not named.
    per_km : sequence of 4 float, problems per kilometre, rising
        Up to which density a road is of level 1, 2, 3, 4. Without it, a road without a problem
        is of level 1, and those with problems are parted into quarters.
    within_m : float, metres

    Returns
    -------
    DataFrame, shape (n, 5)
        On the index of the roads: ``length_m``, ``problems``, ``per_km``, ``basis`` (``speed`` or
        ``density``, missing where there is neither) and ``level`` (1 to 5).

    Raises
    ------
    ConformError
        If limits are not four numbers in order.

    Examples
    --------
    >>> lines = [shapely.LineString([(0, y), (1000, y)]) for y in (0, 500, 1000)]
    >>> roads = gpd.GeoDataFrame({"code": ["a", "b", "c"]}, geometry=lines, crs=4549)
    >>> roads["speed_kmh"] = [12.0, None, None]
    >>> places = gpd.points_from_xy([100, 200, 300], [505, 505, 505])
    >>> problems = gpd.GeoDataFrame(geometry=places, crs=4549)
    >>> analysis.road_levels(roads, problems, per_km=(0.5, 1, 2, 5))
       length_m  problems  per_km    basis  level
    0    1000.0         0     0.0    speed      4
    1    1000.0         3     3.0  density      4
    2    1000.0         0     0.0  density      1

    The first is graded by its speed, the others by their problems per kilometre.
    """
    limits = {kind: _four(f"speeds_kmh.{kind}", steps, -1) for kind, steps in speeds_kmh.items()}
    steps = _four("per_km", per_km, 1) if len(per_km) else None
    graded = pd.DataFrame({"length_m": roads.length}, index=roads.index)
    graded["problems"] = pd.Series(pd.NA, index=roads.index, dtype="Int64")
    if problems is not None:
        pairs = assign_lines(problems, roads[["code", "geometry"]], within_m=within_m)
        counts = pairs["code"].value_counts()
        graded["problems"] = roads["code"].map(counts).fillna(0).astype("Int64").to_numpy()
    lengths_km = graded["length_m"].where(graded["length_m"] > 0) / 1000.0
    graded["per_km"] = graded["problems"].astype("float64") / lengths_km
    by_density = _by_density(graded["per_km"].to_numpy(), steps)
    by_speed = _by_speed(roads, limits)
    level = np.where(np.isnan(by_speed), by_density, by_speed)
    basis = np.where(np.isnan(by_speed), "density", "speed")
    graded["basis"] = pd.Series(basis, index=roads.index, dtype="string").mask(np.isnan(level))
    graded["level"] = pd.Series(level, index=roads.index).astype("Int64")
    return graded


def _four(name: str, limits: Sequence[float], direction: int) -> npt.NDArray[np.float64]:
    given = np.asarray(limits, dtype=float)
    if len(given) != _LEVELS - 1 or not (np.diff(given) * direction > 0).all():
        order = Message(f"road_levels.{'rising' if direction > 0 else 'falling'}")
        raise ConformError("road_levels.limits", name=name, order=order, given=list(limits))
    return given


def _by_density(
    per_km: npt.NDArray[np.float64], steps: npt.NDArray[np.float64] | None
) -> npt.NDArray[np.float64]:
    known = ~np.isnan(per_km)
    level = np.full(len(per_km), np.nan)
    if steps is None:
        some = per_km[known & (per_km > 0)]
        quarters = np.quantile(some, (0.25, 0.5, 0.75)) if len(some) else np.zeros(3)
        steps = np.array([0.0, *quarters])
    level[known] = 1 + np.searchsorted(steps, per_km[known], side="left")
    return level


def _by_speed(
    roads: gpd.GeoDataFrame, limits: Mapping[str, npt.NDArray[np.float64]]
) -> npt.NDArray[np.float64]:
    level = np.full(len(roads), np.nan)
    if "speed_kmh" not in roads:
        return level
    speed = roads["speed_kmh"].to_numpy(dtype=float, na_value=np.nan)
    classes = roads["class"] if "class" in roads else pd.Series("*", index=roads.index)
    for kind in sorted(set(classes.fillna("*"))):
        steps = limits.get(kind, limits.get("*"))
        if steps is None:
            continue
        rows = (classes.fillna("*") == kind).to_numpy() & ~np.isnan(speed)
        # A limit itself belongs to the worse level.
        level[rows] = _LEVELS - np.searchsorted(steps[::-1], speed[rows], side="left")
    return level
