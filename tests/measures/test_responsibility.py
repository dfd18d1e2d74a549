"""Who must answer for what, of a whole city."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest

import gridmap
from gridmap.measures import responsibility


def _dead_corners(city: gridmap.City) -> pd.DataFrame:
    frame: gpd.GeoDataFrame = gridmap.analyse(city, want=["dead_corners"]).frame("dead_corners")
    return pd.DataFrame(frame).assign(geometry=frame.geometry.to_wkb())


def test_points_asked_for_in_parts_have_the_answers_of_all_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    city = gridmap.read_city("data")
    whole = _dead_corners(city)
    assert set(whole["finding"]) == {"unowned", "double"}
    # 5,459 problems and some hundred places: several whole parts, and a rest.
    monkeypatch.setattr(responsibility, "_AT_ONCE", 1000)
    pd.testing.assert_frame_equal(_dead_corners(city), whole)
