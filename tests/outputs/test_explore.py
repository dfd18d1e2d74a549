"""A page of any frame in one line: what it shows, and that nothing a frame holds breaks it."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from browser import OpenPage
from playwright.sync_api import expect

import gridmap
from gridmap.errors import ConformError, CrsError, OutputError
from gridmap.outputs.maps.explore import _overlays

BOX = [shapely.box(120 + x / 100, 30, 120.01 + x / 100, 30.01) for x in range(9)]


def areas(**columns: object) -> gpd.GeoDataFrame:
    count = len(next(iter(columns.values()))) if columns else 2  # type: ignore[arg-type]
    return gpd.GeoDataFrame(columns, geometry=BOX[:count], crs=4326)


@pytest.mark.browser
def test_a_page_has_legend_search_table_and_popup(tmp_path: Path, open_page: OpenPage) -> None:
    frame = areas(
        name=["north", "south", "west"], hours=[3.5, 8.25, np.nan], done=[True, False, True]
    )
    path = gridmap.save_page(gridmap.explore(frame, column="hours"), tmp_path / "page.html")
    opened = open_page(path)
    legend = opened.locator(".gm-legend")
    expect(legend).to_contain_text("hours")
    expect(legend).to_contain_text("8.25")
    box = opened.get_by_role("combobox")
    box.focus()
    box.type("south")
    expect(opened.locator(".gm-hits li").first).to_contain_text("south")


@pytest.mark.parametrize("column", ["hours", "name", "when", "odd", "flag", None])
def test_every_kind_of_column_can_be_shown(column: str | None) -> None:
    frame = areas(
        hours=[1.0, None],
        name=pd.Categorical(["a", None]),
        when=pd.to_datetime(["2025-01-01", None]).tz_localize("UTC"),
        odd=[[1, 2], {"x": 1}],
        flag=pd.array([True, None], dtype="boolean"),
        span=pd.to_timedelta(["1h", None]),
    )
    assert "gridmap.page(" in gridmap.explore(frame, column).get_root().render()


def test_geometries_of_any_mixture_are_drawn_and_what_has_none_is_told() -> None:
    shapes = [
        BOX[0], shapely.Point(120, 30), shapely.LineString([(120, 30), (121, 31)]), None,
        shapely.MultiPoint([(120, 30), (121, 31)]), shapely.Polygon(),
    ]  # fmt: skip
    frame = gpd.GeoDataFrame({"n": range(6)}, geometry=shapes, crs=4326)
    page = gridmap.explore(frame, "n").get_root().render()
    assert "2 rows have no shape and are not on the map" in page
    for title in ("Areas", "Lines", "Points"):
        assert title in page


def test_the_rarer_values_are_one_class() -> None:
    frame = areas(kind=[*"aabcdefgh"])
    page = gridmap.explore(frame, "kind", lang="zh").get_root().render()
    assert "其他" in page
    assert "others" not in gridmap.explore(areas(kind=[*"abcdefg"]), "kind").get_root().render()


def test_any_system_will_do_and_none_will_not() -> None:
    frame = areas(n=[1, 2])
    local = gridmap.explore(frame.to_crs(4549), "n").get_root().render()
    assert local.count("gridmap.page(") == 1
    with pytest.raises(CrsError, match="explore: 'frame' does not say"):
        gridmap.explore(frame.set_crs(None, allow_override=True), "n")


def test_an_unknown_column_and_an_empty_frame_are_told() -> None:
    with pytest.raises(OutputError, match="no column 'hour'; it has: hours"):
        gridmap.explore(areas(hours=[1.0]), "hour")
    with pytest.raises(OutputError, match="None of the 1 rows has a shape"):
        gridmap.explore(gpd.GeoDataFrame({"n": [1]}, geometry=[None], crs=4326))


def test_a_column_without_a_value_a_name_or_a_shape_breaks_nothing() -> None:
    for empty in ([None, None], pd.to_datetime([None, None])):
        assert "gridmap.page(" in gridmap.explore(areas(v=empty), "v").get_root().render()
    nameless = areas(n=[1, 2]).rename(columns={"n": ""})
    assert "gridmap.page(" in gridmap.explore(nameless, "").get_root().render()
    assert "gridmap.page(" in gridmap.explore(areas(n=[1, 2]).geometry).get_root().render()
    with pytest.raises(OutputError, match="no column 'geometry'; it has: n"):
        gridmap.explore(areas(n=[1, 2]), "geometry")
    for none in (pd.DataFrame({"n": [1]}), gpd.GeoDataFrame({"n": [1]})):
        with pytest.raises(ConformError, match="explore: 'frame' "):
            gridmap.explore(none)


def test_a_system_that_leads_nowhere_is_told() -> None:
    local = 'LOCAL_CS["site",UNIT["metre",1]]'
    with pytest.raises(CrsError, match="no way leads from site"):
        gridmap.explore(areas(n=[1, 2]).set_crs(local, allow_override=True), "n")


def test_there_is_a_layer_for_each_kind_of_geometry_and_for_no_other() -> None:
    shapes = {
        "Point": shapely.Point(0, 0),
        "LineString": shapely.LineString([(0, 0), (1, 1)]),
        "Polygon": shapely.box(0, 0, 1, 1),
    }
    for kinds in (["Point"], ["Polygon", "LineString"], ["LineString", "Polygon", "Point"]):
        frame = gpd.GeoDataFrame({"a": range(len(kinds))}, geometry=[shapes[k] for k in kinds],
                                 crs=4326)  # fmt: skip
        found = list(_overlays(frame, None))
        assert sorted(one.layer.geometry for one in found) == sorted(kinds)
        assert [len(one.frame) for one in found] == [1] * len(kinds)
        assert all(one.shown.popup == ("a",) for one in found)
