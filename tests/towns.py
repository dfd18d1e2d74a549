"""Small towns for the tests of zone design, drawn in letters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from shapes import CRS, EAST, NORTH

from gridmap.catalog import Text, load_catalog
from gridmap.model import City
from gridmap.schema import typed


def conformed(layer: str, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a frame with every field of its layer."""
    fields = load_catalog().layer(layer).inputs
    missing = {name: None for name in fields if name not in frame}
    whole = frame.assign(**missing)[[*fields, "geometry"]]
    return gpd.GeoDataFrame(typed(load_catalog().layer(layer), whole), crs=CRS)


def town(grids: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, **others: gpd.GeoDataFrame) -> City:
    """Return a city of grids, buildings and whatever else is given by layer name."""
    grids = grids.assign(level="grid", name=[f"Grid {code}" for code in grids["code"]])
    frames = {"grids": grids, "buildings": buildings, **others}
    return City(
        name="town",
        title=Text(en="Town", zh="小镇"),
        source=Text(en="Drawn for a test", zh="测试绘制"),
        crs=pyproj.CRS(CRS),
        timezone="Asia/Shanghai",
        as_of=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        layers={name: conformed(name, frame) for name, frame in frames.items()},
        catalog=load_catalog(),
    )


def squares(
    places: Sequence[tuple[float, float]], occupied: Sequence[int], side: float = 10.0, **more: Any
) -> gpd.GeoDataFrame:
    """Return square buildings around places in metres from the south-west corner."""
    shapes = [
        shapely.box(EAST + x - side / 2, NORTH + y - side / 2, EAST + x + side / 2,
                    NORTH + y + side / 2)
        for x, y in places
    ]  # fmt: skip
    codes = [f"B{number:03d}" for number in range(len(places))]
    return gpd.GeoDataFrame(
        {"code": codes, "occupied": list(occupied), **more}, geometry=shapes, crs=CRS
    )


def rows_of_buildings(
    columns: int, rows: int, households: Mapping[int, int] | int = 20, step: float = 40.0
) -> gpd.GeoDataFrame:
    """Return buildings in rows, with as many households each, or as given by their number."""
    places = [
        (step * (k % columns + 0.5), step * (k // columns + 0.5)) for k in range(columns * rows)
    ]
    usual = households if isinstance(households, int) else 20
    given = {} if isinstance(households, int) else households
    return squares(places, [given.get(k, usual) for k in range(len(places))])


def lines(*ends: tuple[float, float, float, float], **columns: Any) -> gpd.GeoDataFrame:
    """Return straight lines between places in metres from the south-west corner."""
    shapes = [
        shapely.LineString([(EAST + a, NORTH + b), (EAST + c, NORTH + d)]) for a, b, c, d in ends
    ]
    codes = [f"L{number}" for number in range(len(ends))]
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=shapes, crs=CRS)


def joined_of(plan: Any) -> dict[str, frozenset[str]]:
    """Return the buildings of each micro-grid."""
    members = pd.DataFrame(plan.membership[["code", "microgrid"]])
    return {str(code): frozenset(part["code"]) for code, part in members.groupby("microgrid")}


def pieces_of(plan: Any) -> np.ndarray[Any, Any]:
    """Return in how many polygons each micro-grid lies."""
    return np.asarray(shapely.get_num_geometries(plan.shape))
