"""What a plan balances: households, hours of work, places to inspect, or a mix of them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.errors import ConformError
from gridmap.model import City
from gridmap.settings import Design

__all__ = ["building_weights"]

Floats = npt.NDArray[np.float64]


def building_weights(city: City, settings: Design, default_minutes: float = 30.0) -> pd.Series:
    """Return what each building weighs in the balance.

    Parameters
    ----------
    city : City
        With the layer ``buildings``.
    settings : Design
        ``balance`` names one quantity, which is then counted in its own unit, or gives shares
        to several; a mix is counted in household equivalents: its sum over the city is that of
        the occupied households. Quantities are the numeric fields of buildings (``occupied``,
        ``households``, ``floors``, ...), ``hours`` (expected hours for the problems nearest to
        a building) and ``places`` (places nearest to a building).
    default_minutes : float
        Handling time of a problem whose category has none.

    Returns
    -------
    Series of float
        On the index of the buildings; never missing or negative.

    Raises
    ------
    ConformError
        If a quantity is unknown, or no building has a value for it.
    """
    buildings = city.frame("buildings")
    balance = settings.balance
    if isinstance(balance, str):
        return pd.Series(_quantity(city, balance, default_minutes), index=buildings.index)
    scale = float(_quantity(city, "occupied", default_minutes).sum())
    mixed = np.zeros(len(buildings))
    for name, share in sorted(balance.items()):
        values = _quantity(city, name, default_minutes)
        if values.sum() > 0:
            mixed += share / sum(balance.values()) * scale * values / values.sum()
    return pd.Series(mixed, index=buildings.index)


def _quantity(city: City, name: str, default_minutes: float) -> Floats:
    buildings = city.frame("buildings")
    if name == "hours":
        values = _near(buildings, city.frame("problems"), _hours(city, default_minutes))
    elif name == "places":
        places = city.frame("places")
        values = _near(buildings, places, np.ones(len(places)))
    else:
        values = _field(city, name)
    return values


def _field(city: City, name: str) -> Floats:
    fields = city.catalog.layer("buildings").fields
    numeric = sorted(key for key, field in fields.items() if field.type in ("integer", "number"))
    if name not in numeric:
        known = ", ".join(["hours", "places", *numeric])
        raise ConformError("design.balance_unknown", name=name, known=known)
    column = city.frame("buildings")[name]
    if column.isna().all():
        raise ConformError("design.balance_empty", name=name)
    return np.asarray(column.fillna(0).clip(lower=0).to_numpy(dtype=np.float64))


def _hours(city: City, default_minutes: float) -> Floats:
    problems = city.frame("problems")
    minutes = pd.Series(default_minutes, index=problems.index)
    if city.has("categories"):
        known = city.layers["categories"].drop_duplicates("category").set_index("category")
        minutes = problems["category"].map(known["minutes"]).astype("Float64")
    known_minutes = minutes.fillna(default_minutes).to_numpy(dtype=np.float64)
    return np.asarray(known_minutes, dtype=np.float64) / 60.0


def _near(buildings: gpd.GeoDataFrame, points: gpd.GeoDataFrame, values: Floats) -> Floats:
    """Add up the values of points at the building nearest to each."""
    point, building = buildings.sindex.nearest(points.geometry, return_all=False)
    sums = np.bincount(building, weights=values[point], minlength=len(buildings))
    return np.asarray(sums, dtype=np.float64)
