"""Small frames for tests, drawn in squares."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import pandas as pd
import shapely

CRS = "EPSG:4549"
EAST, NORTH = 500_000.0, 3_400_000.0


def grid_of(drawing: str, size: float = 100.0, **columns: Sequence[object]) -> gpd.GeoDataFrame:
    """Return one polygon for every letter of a drawing; each sign is a square of `size` metres.

    A dot is empty. The last line is the southernmost.
    """
    squares: dict[str, list[shapely.Polygon]] = {}
    lines = drawing.split()
    for row, line in enumerate(reversed(lines)):
        for column, letter in enumerate(line):
            if letter != ".":
                x, y = EAST + column * size, NORTH + row * size
                squares.setdefault(letter, []).append(shapely.box(x, y, x + size, y + size))
    codes = sorted(squares)
    shapes = [shapely.union_all(squares[code]) for code in codes]
    frame = gpd.GeoDataFrame({"code": pd.Series(codes, dtype="string")}, geometry=shapes, crs=CRS)
    return frame.assign(**columns)


def points_at(*places: tuple[float, float], **columns: Sequence[object]) -> gpd.GeoDataFrame:
    """Return points at places in metres from the south-west corner of a drawing."""
    shapes = [shapely.Point(EAST + x, NORTH + y) for x, y in places]
    codes = pd.Series([f"p{number}" for number in range(len(places))], dtype="string")
    return gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=CRS).assign(**columns)
