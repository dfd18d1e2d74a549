"""A city and its summaries: what they hold, tell and refuse."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from shapes import grid_of, points_at
from towns import conformed, squares, town

from gridmap.errors import ConformError, CrsError
from gridmap.measures.registry import Given
from gridmap.model import City
from gridmap.result import Analysed, Result
from gridmap.settings import Analysis
from gridmap.summaries import Summarised


@pytest.fixture(scope="module")
def city() -> City:
    return town(grid_of("ab"), squares([(5.0, 5.0)], [1]))


def leveled(city: City, **counts: int) -> City:
    """Return a city with so many areas of each level, in the order that they are given."""
    parts = []
    for level, count in counts.items():
        drawn = grid_of("".join(chr(97 + k) for k in range(count)))
        named = drawn.assign(code=level + drawn["code"].astype("string"), level=level)
        parts.append(conformed("grids", named))
    grids = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=city.crs)
    return replace(city, layers={"grids": grids})


def test_levels_are_told_from_the_widest_whatever_their_order(city: City) -> None:
    three = leveled(city, grid=3, street=1, community=2)
    assert three.levels == ("street", "community", "grid")
    assert three.areas("community").index.to_list() == [0, 1]
    assert three.areas("community")["code"].to_list() == ["communitya", "communityb"]
    with pytest.raises(ConformError, match="street, community, grid"):
        three.areas("district")
    bare = replace(city, layers={})
    assert (bare.levels, bare.overview) == ((), "")
    with pytest.raises(ConformError):
        bare.frame("grids")


def test_an_overview_is_the_finest_level_of_at_most_thirty_areas(city: City) -> None:
    assert leveled(city, street=2, community=30, grid=31).overview == "community"
    assert leveled(city, street=2, community=31).overview == "street"
    assert leveled(city, community=31, grid=32).overview == "community"


def test_a_layer_without_rows_is_there_and_has_none(city: City) -> None:
    empty = replace(city, layers={"grids": city.layers["grids"].iloc[:0]})
    assert not empty.has("grids")
    assert empty.frame("grids").empty
    assert empty.levels == ()
    assert city.has("grids")
    assert not city.has("roads")


@pytest.mark.parametrize("crs", [4490, 2263, 3857])
def test_a_city_is_in_metres_that_are_true(city: City, crs: int) -> None:
    grids = city.layers["grids"].to_crs(crs)
    with pytest.raises(CrsError):
        replace(city, crs=pyproj.CRS(crs), layers={"grids": grids})


def test_a_layer_is_in_the_system_and_of_the_kind_of_the_city(city: City) -> None:
    grids = city.layers["grids"]
    cases: list[tuple[str, Any, type[Exception], str]] = [
        ("grids", grids.to_crs(4550), CrsError, "crs.mixed"),
        ("grids", pd.DataFrame(grids), CrsError, "crs.mixed"),
        ("grids", grids.set_geometry(grids.centroid), ConformError, "conform.geometry"),
        ("grids", grids.set_geometry([bowtie(), grids.geometry[1]]), ConformError,
         "conform.invalid"),
        ("grids", grids.drop(columns="code"), ConformError, "conform.schema"),
        ("problems", points_at((1, 1)), ConformError, "conform.schema"),
    ]  # fmt: skip
    for name, frame, error, key in cases:
        with pytest.raises(error) as caught:
            replace(city, layers={name: frame})
        assert caught.value.key == key  # type: ignore[attr-defined]


def bowtie() -> shapely.Polygon:
    return shapely.Polygon([(5e5, 3.4e6), (500_010, 3_400_010), (500_010, 3.4e6), (5e5, 3_400_010)])


@dataclass(repr=False)
class Record(Summarised):
    headline: ClassVar[tuple[str, ...]] = ("name", "rows")

    name: str
    rows: Any = None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (pd.DataFrame({"a": range(1200)}), "1,200 rows"),
        (pd.Series([1, 2]), "2 rows"),
        (pd.Index([1]), "1 rows"),
        (np.zeros((2, 3)), "2 x 3 float64"),
        ({"a": pd.Series([1, 2]), "b": 3, "c": "text"}, "3 (a 2, b, c)"),
        (dt.datetime(2025, 1, 2, 3, 4, 5), "2025-01-02 03:04"),
        ((1, 2), "2"),
        ([1] * 1000, "1,000"),
        ((1,), "(1,)"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        (pd.Series([], name="q").dtype, "object"),
        (pyproj.CRS(4549), "CGCS2000 / 3-degree Gauss-Kruger CM 120E"),
    ],
)
def test_a_record_tells_frames_by_their_size_and_text_as_it_is(value: Any, told: str) -> None:
    assert repr(Record("<b>", value)) == f"<Record name: <b>, rows: {told}>"
    html = Record("<b>", value)._repr_html_()
    assert "&lt;b&gt;" in html
    assert html.count("<tr>") == 2
    assert html.startswith("<strong>Record</strong><table>")


def test_a_city_with_results_tells_both_and_gives_a_result_before_an_input(city: City) -> None:
    named = city.layers["grids"].assign(name="x")
    made = Analysed(city, {"grids": Result(city.catalog.layer("grids"), named, "by hand")}, {})
    assert repr(made) == "<Analysed city: town, results: 1 (grids 2)>"
    assert made.frame("grids") is named
    assert made.frame("buildings") is city.layers["buildings"]
    assert made.frame("roads") is None
    given = Given(city, Analysis(), {"gaps": named})
    assert repr(given) == "<Given city: town, found: 1 (gaps 2)>"
    assert (given.has("gaps"), given.has("grids"), given.has("roads")) == (True, True, False)
    assert given["gaps"] is named
    assert given.get("grids") is city.layers["grids"]
