"""A layer of polygons to files: gridmap's exports, plain GDAL by pyogrio, and tippecanoe."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from benchmarks.array_turns import Arrays, Figures, timed

__all__ = ["SYSTEMS"]

CRS = 4549
ZOOMS = (8, 14)
BREAKS = (20.0, 40.0, 60.0, 80.0)
COLOURS = ("#edf8fb", "#b3cde3", "#8c96c6", "#8856a7", "#810f7c")
WARM = 500


def _frame(data: Arrays) -> gpd.GeoDataFrame:
    """Return the polygons with twelve attributes: texts, Chinese ones, numbers and times."""
    offsets = (data["parts"], data["rings"])
    shapes = shapely.from_ragged_array(shapely.GeometryType.POLYGON, data["coordinates"], offsets)
    count = len(shapes)
    rng = np.random.default_rng(0)
    opened = pd.Timestamp("2025-01-01", tz="Asia/Shanghai") + pd.to_timedelta(
        rng.integers(0, 365 * 86400, count), unit="s"
    )
    columns = {
        "code": pd.Series([f"3304{k:08d}" for k in range(count)], dtype="string"),
        "name": pd.Series([f"稻香社区第{k}网格" for k in range(count)], dtype="string"),
        "parent": pd.Series([f"3304{k // 50:06d}" for k in range(count)], dtype="string"),
        "kind": pd.Series(rng.choice(["park", "shop"], count), dtype="string"),
        "opened": opened.as_unit("ms"),
        "active": pd.Series(rng.random(count) < 0.5).astype("boolean"),  # noqa: PLR2004
        **{name: rng.integers(0, 1000, count) for name in ("households", "problems", "members")},
        **{name: np.round(rng.random(count) * 100, 1) for name in ("hours", "share", "days")},
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def _field(kind: str, **more: Any) -> dict[str, Any]:
    said = {"en": "Field", "zh": "字段"}
    return {"type": kind, "label": said, "description": said, **more}


def _analysed(frame: gpd.GeoDataFrame) -> Any:
    """Return a city that has this layer alone, with a style of five classes and labels."""
    catalog, model, result = (
        import_module(f"gridmap.{name}") for name in ("catalog", "model", "result")
    )
    labels = {"park": {"en": "Park", "zh": "公园"}, "shop": {"en": "Shop", "zh": "商店"}}
    kinds = dict.fromkeys(("code", "name", "parent"), "string") | {"opened": "datetime"}
    kinds |= {"active": "boolean", **dict.fromkeys(("hours", "share", "days"), "number")}
    fields = {
        name: _field("category", categories=labels)
        if name == "kind"
        else _field(kinds.get(name, "integer"))
        for name in frame.columns.drop("geometry")
    }
    style = {
        "kind": "graduated",
        "field": "hours",
        "breaks": BREAKS,
        "colours": COLOURS,
        "labels": {"field": "name"},
    }
    said = {"en": "Grids", "zh": "网格"}
    layer = catalog.Layer.model_validate(
        {"name": "cells", "title": said, "description": said, "geometry": "Polygon",
         "role": "result", "key": "code", "label": "name", "fields": fields, "symbology": style}
    )  # fmt: skip
    city = model.City(
        name="city",
        title=catalog.Text(**said),
        source=catalog.Text(**said),
        crs=frame.crs,
        timezone="Asia/Shanghai",
        as_of=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        layers={},
        catalog=catalog.Catalog(layers={"cells": layer}, maps={}),
    )
    return result.Analysed(city, {"cells": result.Result(layer, frame, "made")}, {})


def _ours(data: Arrays, suffix: str) -> tuple[Arrays, Figures]:
    layers = import_module("gridmap.outputs.export.layers")
    frame = _frame(data)
    whole, few = _analysed(frame), _analysed(frame.head(WARM))

    def write(folder: Path) -> Path:
        made = layers.export_layers(whole, folder, formats=[suffix])
        return Path(made.files[0])

    with tempfile.TemporaryDirectory() as name:
        layers.export_layers(few, Path(name), formats=[suffix])
    return _measured(write)


def _plain(data: Arrays, suffix: str) -> tuple[Arrays, Figures]:
    frame = _frame(data)
    frame["opened"] = frame["opened"].dt.tz_convert("UTC")
    options: dict[str, Any] = {"layer": "cells"}
    if suffix == "pmtiles":
        frame = frame.to_crs(3857)
        zooms = {"MINZOOM": str(ZOOMS[0]), "MAXZOOM": str(ZOOMS[1])}
        options |= {"driver": "PMTiles", "dataset_options": zooms}

    def write(folder: Path) -> Path:
        pyogrio.write_dataframe(frame, folder / f"cells.{suffix}", **options)
        return folder / f"cells.{suffix}"

    with tempfile.TemporaryDirectory() as name:
        pyogrio.write_dataframe(frame.head(WARM), Path(name) / f"cells.{suffix}", **options)
    return _measured(write)


def _tippecanoe(data: Arrays) -> tuple[Arrays, Figures]:
    frame = _frame(data).to_crs(4326)
    program = Path(sys.executable).parent / "tippecanoe"

    def write(folder: Path) -> Path:
        pyogrio.write_dataframe(frame, folder / "cells.geojsonl", driver="GeoJSONSeq")
        zooms = (f"-Z{ZOOMS[0]}", f"-z{ZOOMS[1]}")
        files = (folder / "cells.pmtiles", folder / "cells.geojsonl")
        command: list[str | Path] = [program, "-q", "-l", "cells", *zooms, "-o", *files]
        subprocess.run(command, check=True)  # noqa: S603 - of the peers' environment
        return folder / "cells.pmtiles"

    return _measured(write)


def _measured(write: Callable[[Path], Path]) -> tuple[Arrays, Figures]:
    with tempfile.TemporaryDirectory() as name:
        path, took = timed(lambda: write(Path(name)))
        size = path.stat().st_size / 1e6
        read = pyogrio.read_dataframe(path, layer="cells", columns=["code"], read_geometry=False)
    codes = np.array([read["code"].nunique()])
    return {"codes": codes}, {"write_cpu_s": took, "file_mb": size}


SYSTEMS = {
    "gpkg": lambda data: _ours(data, "gpkg"),
    "plain gpkg": lambda data: _plain(data, "gpkg"),
    "pmtiles": lambda data: _ours(data, "pmtiles"),
    "plain pmtiles": lambda data: _plain(data, "pmtiles"),
    "tippecanoe": _tippecanoe,
}
