"""What buildings weigh, by hand."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
from shapes import grid_of, points_at
from towns import squares, town

from gridmap.design.geometry.weights import building_weights
from gridmap.errors import ConformError
from gridmap.model import City
from gridmap.settings import Design

PLACES = [(50.0, 50.0), (150.0, 50.0), (250.0, 50.0)]


def city(**others: gpd.GeoDataFrame) -> City:
    buildings = squares(PLACES, [10, 30, 0], floors=pd.array([2, None, 4], dtype="Int64"))
    return town(grid_of("aaa"), buildings, **others)


def weighed(town: City, balance: str | dict[str, float], **more: float) -> list[float]:
    found = building_weights(town, Design(balance=balance), **more)
    assert found.index.equals(town.frame("buildings").index)
    return found.tolist()


def test_a_field_is_counted_as_it_is_and_what_is_missing_as_nothing() -> None:
    assert weighed(city(), "occupied") == [10.0, 30.0, 0.0]
    assert weighed(city(), "floors") == [2.0, 0.0, 4.0]
    with pytest.raises(ConformError, match="households"):
        weighed(city(), "households")
    with pytest.raises(ConformError, match="storeys"):
        weighed(city(), "storeys")


def test_places_and_hours_count_at_the_nearest_building() -> None:
    at = points_at((60, 60), (70, 50), (240, 90), (30, 0), category=["a", "b", "b", "c"])
    assert weighed(city(places=at.drop(columns="category")), "places") == [3.0, 0.0, 1.0]
    asked = city(problems=at.assign(opened=pd.Timestamp("2025-12-01", tz="UTC")))
    assert weighed(asked, "hours") == pytest.approx([1.5, 0.0, 0.5])
    assert weighed(asked, "hours", default_minutes=60.0) == pytest.approx([3.0, 0.0, 1.0])


def test_a_mix_is_counted_in_households() -> None:
    mixed = weighed(city(), {"occupied": 1.0, "floors": 3.0})
    assert mixed == pytest.approx([10 / 4 + 40 * 0.75 * 2 / 6, 30 / 4, 40 * 0.75 * 4 / 6])
    assert sum(mixed) == pytest.approx(40.0)
    flat = town(grid_of("aaa"), squares(PLACES, [10, 30, 0], floors=[0, 0, 0]))
    assert weighed(flat, {"occupied": 1.0, "floors": 1.0}) == pytest.approx([5.0, 15.0, 0.0])
