"""A small town written to files, and read from them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import shapely

from gridmap.model import City
from gridmap.sources import read_city

HEAD = """
name = "town"
title = { en = "Town", zh = "镇" }
source = { en = "Made up", zh = "虚构" }
timezone = "Asia/Shanghai"
"""
GRIDS = """
[[inputs]]
layer = "grids"
path = "grids.geojson"
constants = { level = "grid" }
"""
CASES = """
[[inputs]]
layer = "problems"
path = "cases.csv"
crs = "EPSG:4326"
x = "lon"
y = "lat"
columns = { code = "id", category = "kind", opened = "from", due = "due", closed = "to" }
"""
JOINED = GRIDS.replace(
    "constants",
    'columns = { households = "n" }\n'
    'join = { path = "n.csv", left = "code", right = "grid" }\nconstants',
)
# A town with buildings, in the GeoPackage of a plan.
PLANNED = """
[[inputs]]
layer = "grids"
path = "town.gpkg"
sublayer = "grids"

[[inputs]]
layer = "buildings"
path = "town.gpkg"
sublayer = "plan_buildings"
columns = { occupied = "households" }
"""
ROW = "1,litter,2025-03-01 08:00,2025-03-02 08:00,2025-03-01 20:00,120.905,30.705"


def write_town(folder: Path, rows: list[str], text: str = HEAD + GRIDS + CASES) -> Path:
    squares = [shapely.box(120.9 + x, 30.7, 120.91 + x, 30.71) for x in (0, 0.01)]
    frame = gpd.GeoDataFrame({"code": ["g1", "g2"]}, geometry=squares, crs=4326)
    frame.to_file(folder / "grids.geojson")
    lines = ["id,kind,from,due,to,lon,lat", *rows]
    (folder / "cases.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "city.toml").write_text(text, encoding="utf-8")
    return folder


def read_town(folder: Path, rows: list[str], text: str = HEAD + GRIDS + CASES) -> City:
    return read_city(write_town(folder, rows, text))


def reasons(city: City) -> dict[str, int]:
    rejected = city.receipts[-1].rejected
    return rejected["gridmap_reason"].value_counts().to_dict() if len(rejected) else {}
