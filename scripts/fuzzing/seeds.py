"""Good files of every format, to be damaged; and the city that reads them."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xlsxwriter

__all__ = ["FORMATS", "write_city"]

FORMATS = {
    "gpkg": "cases.gpkg",
    "geojson": "cases.geojson",
    "fgb": "cases.fgb",
    "parquet": "cases.parquet",
    "shp": "cases.shp.zip",
    "csv": "cases.csv",
    "xlsx": "cases.xlsx",
    "kml": "cases.kml",
    "toml": "city.toml",
}

_CITY = """name = "town"
title = { en = "Town", zh = "镇" }
source = { en = "Made up", zh = "虚构" }
timezone = "Asia/Shanghai"
as_of = 2025-06-01T00:00:00

[analysis]
h3_resolution = 9
margin_m = 500

[[inputs]]
layer = "grids"
path = "grids.geojson"
constants = { level = "grid" }

[[inputs]]
layer = "problems"
path = "NAME"
PLACE
[inputs.columns]
code = { sequence = "P" }
category = "kind"
opened = "at"
"""


def write_city(folder: Path, form: str) -> Path:
    """Write a city whose problems are in a file of a format, and return the file to damage."""
    folder.mkdir(parents=True, exist_ok=True)
    squares = [shapely.box(120.9 + x, 30.7, 120.91 + x, 30.71) for x in (0, 0.01)]
    areas = gpd.GeoDataFrame({"code": ["g1", "g2"]}, geometry=squares, crs=4326)
    areas.to_file(folder / "grids.geojson")
    name = FORMATS[form] if form != "toml" else "cases.csv"
    table = name.endswith((".csv", ".xlsx"))
    place = 'crs = "EPSG:4326"\nx = "lon"\ny = "lat"\n' if table else ""
    text = _CITY.replace("NAME", name).replace("PLACE", place)
    (folder / "city.toml").write_text(text, encoding="utf-8")
    _write_cases(folder, name)
    return folder / FORMATS[form]


def _write_cases(folder: Path, name: str) -> None:
    draw = np.random.default_rng(1)
    count = 60
    lon, lat = 120.9 + draw.random(count) * 0.02, 30.7 + draw.random(count) * 0.01
    kinds = np.array(["占道经营", "暴露垃圾", 'litter "x", y', "路灯故障"])
    cases = pd.DataFrame(
        {
            "kind": kinds[draw.integers(0, 4, count)],
            "at": pd.Timestamp("2025-03-01 08:00") + pd.to_timedelta(np.arange(count), unit="h"),
            "n": draw.integers(0, 9, count),
        }
    )
    cases["at"] = cases["at"].dt.strftime("%Y-%m-%d %H:%M:%S")
    points = gpd.GeoDataFrame(cases, geometry=gpd.points_from_xy(lon, lat), crs=4326)
    path = folder / name
    if name.endswith(".csv"):
        cases.assign(lon=lon, lat=lat).to_csv(path, index=False, encoding="gb18030")
    elif name.endswith(".xlsx"):
        whole = cases.assign(lon=lon, lat=lat)
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for row, cells in enumerate([[*whole.columns], *whole.to_numpy().tolist()]):
                sheet.write_row(row, 0, cells)
    elif name.endswith(".parquet"):
        points.to_parquet(path)
    elif name.endswith(".zip"):
        parts = folder / "parts"
        parts.mkdir(exist_ok=True)
        points.to_file(parts / "cases.shp", encoding="utf-8")
        shutil.make_archive(str(path.with_suffix("")), "zip", parts)
    else:
        points.to_file(path, driver="KML" if name.endswith(".kml") else None)
