"""A small city for the tests of exports, with Chinese names and everything that is awkward."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from shapes import CRS, EAST, NORTH

from gridmap.catalog import Catalog, Field, Layer, Symbology, Text, load_catalog
from gridmap.model import City
from gridmap.result import Analysed, Result

RARE = "𠮷野家㙍"
SIDE = 100.0


def awkward(count: int = 25) -> gpd.GeoDataFrame:
    """Return squares with a value in each, some of them missing, and multi-part ones."""
    side = int(np.ceil(np.sqrt(count)))
    x, y = np.divmod(np.arange(count), side)
    west, south = EAST + x * SIDE, NORTH + y * SIDE
    shapes = shapely.box(west, south, west + SIDE, south + SIDE)
    shapes[3] = shapely.union(
        shapely.box(west[3], south[3], west[3] + 40, south[3] + SIDE),
        shapely.box(west[3] + 60, south[3], west[3] + SIDE, south[3] + SIDE),
    )
    value = np.linspace(0, 10, count)
    value[5] = np.nan
    return gpd.GeoDataFrame(
        {
            "code": pd.Series([f"A{k:03d}" for k in range(count)], dtype="string"),
            "name": pd.Series([f"{RARE}{k}" for k in range(count)], dtype="string"),
            "value": value,
            "kind": pd.Series(
                [("park", "shop", None)[k % 3] for k in range(count)], dtype="string"
            ),
            "seen": pd.date_range("2025-01-01T23:30", periods=count, freq="D", tz="Asia/Shanghai"),
            "open": pd.Series([True, False, None] * count, dtype="boolean")[:count],
            "number": pd.Series([1, None, 3**30] * count, dtype="Int64")[:count],
            "note": pd.Series(["长" * 200, "=1+1", ""] * count, dtype="string")[:count],
        },
        geometry=shapes,
        crs=CRS,
    )


def field(kind: str, zh: str, **more: Any) -> Field:
    """Return a field."""
    said = Text(en=zh.title(), zh=zh)
    return Field.model_validate({"type": kind, "label": said, "description": said, **more})


FIELDS = {
    "code": field("string", "编码", required=True, unique=True),
    "name": field("string", "名称"),
    "value": field("number", "数值", unit="h", decimals=1),
    "kind": field(
        "category",
        "类别",
        categories={"park": Text(en="Park", zh="公园"), "shop": Text(en="Shop", zh="商店")},
    ),
    "seen": field("datetime", "时间", required=True),
    "open": field("boolean", "开放"),
    "number": field("integer", "数量"),
    "note": field("string", "备注", private=True),
}
STYLE = Symbology(
    kind="graduated",
    field="value",
    colours=("#edf8fb", "#8c96c6", "#810f7c"),
    stroke="#4a5568",
    fill_opacity=0.7,
)


def layer(name: str = "places", geometry: str = "Polygon", **more: Any) -> Layer:
    """Return a layer of the town's catalogue."""
    said = Text(en=f"The {name}", zh="地块")
    return Layer.model_validate(
        {
            "name": name,
            "title": said,
            "description": said,
            "geometry": geometry,
            "role": "result",
            "key": "code",
            "label": "name",
            "fields": FIELDS,
            "symbology": STYLE,
            **more,
        }
    )


def town(*results: tuple[Layer, gpd.GeoDataFrame]) -> Analysed:
    """Return a city that has nothing but these results."""
    made = results or ((layer(), awkward()),)
    shipped = load_catalog()
    layers = dict(shipped.layers) | {one.name: one for one, _ in made}
    city = City(
        name="town",
        title=Text(en="Town", zh="小镇"),
        source=Text(en="Drawn for a test", zh="测试绘制"),
        crs=pyproj.CRS(CRS),
        timezone="Asia/Shanghai",
        as_of=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        layers={},
        catalog=Catalog(layers=layers, maps=shipped.maps),
        review_number="GS(2026)0001",
    )
    return Analysed(city, {one.name: Result(one, frame, "drawn") for one, frame in made}, {})


def files(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder with its bytes."""
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


__all__ = ["FIELDS", "RARE", "STYLE", "awkward", "field", "files", "layer", "town"]
