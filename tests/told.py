"""What gridmap says of a small town, kept as text: any change of it is a change to be judged.

A test tells something by a name and as lines; a file of that name in ``tests/told`` holds what was
judged right. After a change that is meant, ``GRIDMAP_TELL=1 pytest`` writes the files anew, and
their difference is reviewed with the change.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

__all__ = ["FOLDER", "plain", "table_lines", "tells"]

FOLDER = Path(__file__).parent / "told"
_ANEW = bool(os.environ.get("GRIDMAP_TELL"))
# To the last digits a figure depends on the libraries below.
_DIGITS = 6
_LONG = re.compile(r"-?\d+\.\d{4,}(?:[eE][-+]?\d+)?")


def tells(name: str, text: str) -> None:
    """Prove that a text is the one that was judged right."""
    path = FOLDER / f"{name}.txt"
    text = "\n".join(line.rstrip() for line in text.rstrip().splitlines()) + "\n"
    if _ANEW:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    # By lines, so that a failure names those that differ.
    assert text.splitlines() == path.read_text(encoding="utf-8").splitlines()


def plain(text: str) -> str:
    """Return a text with its long numbers rounded."""
    return _LONG.sub(lambda found: _number(float(found[0])), text)


def table_lines(frame: pd.DataFrame) -> Iterator[str]:
    """Yield a table by lines: its columns with their types, then its rows."""
    yield " | ".join(f"{name}:{kind}" for name, kind in frame.dtypes.items())
    if isinstance(frame, gpd.GeoDataFrame):
        yield f"crs {frame.crs.to_epsg() if frame.crs else None}"
    for row in frame.itertuples(index=False):
        yield " | ".join(_cell(value) for value in row)


def _cell(value: Any) -> str:
    if isinstance(value, shapely.Geometry):
        return _shape(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict | list | tuple):
        return plain(json.dumps(value, ensure_ascii=False, default=str))
    return "-" if value is None or value is pd.NA or value is pd.NaT else str(value)


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value + 0.0:.{_DIGITS}g}" if abs(value) > 1e-9 else "0"


def _shape(shape: shapely.Geometry) -> str:
    """Return what a shape is and where, in whole decimetres; not its every corner."""
    west, south, east, north = (f"{value:.1f}" for value in shape.bounds)
    size = shape.area if shape.area else shape.length
    parts = shapely.get_num_geometries(shape)
    return f"{shape.geom_type} {parts}: {west} {south} {east} {north}, {size:.5g}"
