"""What a page holds of the shapes that somebody answers for, so that it can answer by itself."""

from __future__ import annotations

import base64
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapes import CRS, EAST, NORTH
from unpacking import varints, zigzag

from gridmap.outputs.pages.who import _PER_METRE, _shapes


def numbers(packed: Any) -> list[int]:
    """Return integers as they were before they were packed: differences in varints, in base64."""
    return np.cumsum(zigzag(varints(base64.b64decode(packed)))).tolist()


def held(*shapes: shapely.Geometry) -> dict[str, Any]:
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=CRS)
    found = _shapes(frame, (EAST, NORTH))
    return {
        key: numbers(value) if isinstance(value, str) else value for key, value in found.items()
    }


def at(*places: tuple[float, float]) -> list[tuple[float, float]]:
    return [(EAST + x, NORTH + y) for x, y in places]


def test_lines_and_points_are_places_from_an_origin() -> None:
    line = shapely.LineString(at((1, 2), (3.5, 4)))
    both = shapely.MultiLineString([at((5, 6), (7, 8), (9, 10)), at((0, 0), (0, 1))])
    assert held(line, both) == {
        "x": [round(_PER_METRE * x) for x in (1, 3.5, 5, 7, 9, 0, 0)],
        "y": [round(_PER_METRE * y) for y in (2, 4, 6, 8, 10, 0, 1)],
        "ends": [2, 5, 7],
        "owners": [0, 1, 1],
        "places": 7,
        "parts": 3,
    }
    assert held(shapely.Point(*at((1, 2))[0]))["ends"] == [1]


def test_areas_are_rings_of_which_each_knows_whose_it_is() -> None:
    hole = shapely.Polygon(at((0, 0), (9, 0), (9, 9), (0, 9)), [at((1, 1), (2, 1), (2, 2))])
    two = shapely.MultiPolygon([shapely.box(EAST, NORTH, EAST + 1, NORTH + 1), hole])
    found = held(hole, two)
    assert found["owners"] == [0, 0, 1, 1, 1]
    assert found["ends"] == [5, 9, 14, 19, 23]
    assert (found["places"], found["parts"]) == (23, 5)
    assert found["x"][5:9] == pytest.approx([_PER_METRE * x for x in (1, 2, 2, 1)])
