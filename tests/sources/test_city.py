import datetime as dt
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import ConfigError, ConformError, CrsError, GridmapError, SourceError
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


def test_a_city_is_conformed(tmp_path: Path) -> None:
    city = read_town(tmp_path, [ROW])
    assert city.crs.to_epsg() == 4549
    problems = city.frame("problems")
    assert list(problems.columns) == [*city.catalog.layer("problems").inputs, "geometry"]
    assert str(problems["opened"].dt.tz) == "Asia/Shanghai"
    assert city.as_of == dt.datetime(2025, 3, 1, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert city.levels == ("grid",)
    assert city.receipts[-1].placed == 1


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,litter,2025-03-01,,,,", "no_place"),
        ("2,litter,2025-03-01,,,abc,30.7", "no_place"),
        ("2,litter,2025-03-01,,,30.705,120.905", "outside"),
        ("2,litter,2025-03-01,,,0,0", "outside"),
        ("2,litter,2025-03-01,,,118,32", "outside"),
        ("2,litter,yesterday,,,120.905,30.705", "no_time:opened"),
        ("2,litter,2025-13-45,,,120.905,30.705", "no_time:opened"),
        ("2,litter,1025-01-01,,,120.905,30.705", "impossible_time:opened"),
        ("2,litter,2025-03-02,,2025-03-01,120.905,30.705", "order:closed"),
        ("2,litter,,,,120.905,30.705", "missing:opened"),
        ("2,,2025-03-01,,,120.905,30.705", "missing:category"),
        (",litter,2025-03-01,,,120.905,30.705", "missing:code"),
        ("1,litter,2025-03-01,,,120.905,30.705", "repeated:code"),
    ],
)
def test_a_bad_row_is_quarantined_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    city = read_town(tmp_path, [ROW, row])
    assert reasons(city) == {reason: 1}
    receipt = city.receipts[-1]
    assert (receipt.rows, receipt.placed, receipt.quarantined) == (2, 1, 1)
    assert receipt.rejected["gridmap_row"].to_list() == [2]
    assert receipt.rejected["lon"].fillna("").to_list() == [row.split(",")[5]]


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-01T08:05:00",
        "2025/3/1 8:05",
        "2025年3月1日 8:05",
        "2025-03-01 08:05",
        "2025-03-01T00:05:00Z",
    ],
)
def test_the_ways_to_write_a_time(tmp_path: Path, text: str) -> None:
    city = read_town(tmp_path, [f"1,litter,{text},,,120.905,30.705"])
    opened = city.frame("problems")["opened"][0]
    assert opened == pd.Timestamp("2025-03-01 08:05", tz="Asia/Shanghai")


def test_a_mapping_extracts_translates_and_numbers(tmp_path: Path) -> None:
    columns = """
columns.code = { sequence = "C" }
columns.category = { column = "kind", values = { litter = "垃圾" } }
columns.opened = "from"
columns.recorded_area = { column = "id", extract = '0*(\\d+)$', prefix = "ward-" }
"""
    text = HEAD + GRIDS + CASES.rpartition("columns")[0] + columns
    row = ROW.replace("1,litter", "Ward 03,litter", 1)
    problems = read_town(tmp_path, [row], text).frame("problems")
    assert problems[["code", "category", "recorded_area"]].iloc[0].to_list() == [
        "C1",
        "垃圾",
        "ward-3",
    ]


def test_rows_are_never_lost_whatever_they_hold(tmp_path_factory: pytest.TempPathFactory) -> None:
    cell = st.sampled_from(
        ["", "1", "x", "0", "120.905", "30.705", "2025-03-01", "-1e308", "nan", "inf"]
    )

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.lists(cell, min_size=7, max_size=7), max_size=6))
    def check(rows: list[list[str]]) -> None:
        folder = tmp_path_factory.mktemp("town")
        good = [f"good{number}{ROW[1:]}" for number in range(8)]
        city = read_town(folder, [*good, *(",".join(row) for row in rows if any(row))])
        receipt = city.receipts[-1]
        assert receipt.rows == receipt.placed + receipt.quarantined
        assert receipt.placed == len(city.frame("problems"))
        assert receipt.quarantined == len(receipt.rejected)

    check()


def bad(tmp_path: Path, text: str, rows: list[str] | None = None) -> GridmapError:
    with pytest.raises(GridmapError) as caught:
        read_town(tmp_path, rows or [ROW], text)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "error", "says"),
    [
        ("cases.csv", "nowhere.csv", SourceError, "no such file"),
        ('code = "id"', 'code = "idd"', SourceError, "no column 'idd'; it has: id"),
        ('x = "lon"', 'x = "lng"', SourceError, "no column 'lng'"),
        ('crs = "EPSG:4326"', 'crs = "EPSG:4549"', CrsError, "lies near the city's grids"),
        ('crs = "EPSG:4326"\n', "", CrsError, "does not say its coordinate system"),
        ('crs = "EPSG:4326"', 'crs = "WGS48"', CrsError, "no coordinate system"),
        ('x = "lon"\ny = "lat"', 'x = "lat"\ny = "lon"', CrsError, "exchange x and y"),
        ('y = "lat"\n', "", ConfigError, "both 'x' and 'y'"),
        ('"problems"', '"problem"', GridmapError, "no layer 'problem'"),
        ("columns = { code", "colums = { code", ConfigError, "did you mean 'columns'"),
        ("opened =", "openend =", ConfigError, "has no such field"),
        ("Asia/Shanghai", "Asia/Peking2", ConfigError, "no time zone"),
        ('name = "town"', 'name = "Town!"', ConfigError, "name:"),
        ('path = "cases.csv"', 'path = "grids.geojson"', SourceError, "no column"),
        (
            'constants = { level = "grid" }',
            'constants = { level = "yard" }',
            ConformError,
            "unknown",
        ),
    ],
)
def test_a_mistake_in_the_city_file_is_one_clear_line(
    tmp_path: Path, old: str, new: str, error: type[GridmapError], says: str
) -> None:
    text = HEAD + GRIDS + CASES
    assert old in text
    found = bad(tmp_path, text.replace(old, new, 1))
    assert isinstance(found, error)
    assert says in str(found)


def test_polygons_where_points_are_asked_are_refused(tmp_path: Path) -> None:
    text = HEAD + GRIDS + '[[inputs]]\nlayer = "places"\npath = "grids.geojson"\n'
    assert "holds Polygon, but layer 'places' is of Point" in str(bad(tmp_path, text))


def test_degrees_that_are_metres_are_refused(tmp_path: Path) -> None:
    row = ROW.replace("120.905,30.705", "40500000,3398000")
    assert "cannot be degrees" in str(bad(tmp_path, HEAD + GRIDS + CASES, [row]))


def test_an_invalid_polygon_is_mended_and_counted(tmp_path: Path) -> None:
    write_town(tmp_path, [ROW])
    bow = shapely.Polygon([(120.9, 30.7), (120.91, 30.71), (120.91, 30.7), (120.9, 30.71)])
    line = shapely.Polygon([(120.9, 30.7), (120.91, 30.71), (120.9, 30.7)])
    frame = gpd.GeoDataFrame({"code": ["g1", "g2"]}, geometry=[bow, line], crs=4326)
    frame.to_file(tmp_path / "grids.geojson")
    city = read_city(tmp_path)
    assert city.frame("grids")["code"].to_list() == ["g1"]
    assert city.receipts[0].repaired == 1
    assert city.receipts[0].rejected["gridmap_reason"].to_list() == ["no_shape"]


def test_a_shifted_datum_is_taken_back(tmp_path: Path) -> None:
    plain = read_town(tmp_path, [ROW]).frame("problems").geometry[0]
    text = (HEAD + GRIDS + CASES).replace('crs = "EPSG:4326"', 'crs = "GCJ-02"')
    shifted = read_town(tmp_path, [ROW], text).frame("problems").geometry[0]
    assert 300 < plain.distance(shifted) < 700


def test_a_join_adds_columns_and_needs_one_row_each(tmp_path: Path) -> None:
    joined = GRIDS.replace(
        "constants",
        'columns = { households = "n" }\n'
        'join = { path = "n.csv", left = "code", right = "grid" }\nconstants',
    )
    (tmp_path / "n.csv").write_text("grid,n\ng2,50\n", encoding="utf-8")
    city = read_town(tmp_path, [ROW], HEAD + joined + CASES)
    assert city.frame("grids")["households"].fillna(-1).to_list() == [-1, 50]
    (tmp_path / "n.csv").write_text("grid,n\ng2,50\ng2,51\n", encoding="utf-8")
    assert "repeats" in str(bad(tmp_path, HEAD + joined + CASES))


def test_rows_of_one_code_are_dissolved(tmp_path: Path) -> None:
    text = HEAD + GRIDS.replace(
        "constants", 'dissolve = true\ncolumns = { code = "all" }\nconstants'
    )
    write_town(tmp_path, [ROW], text)
    squares = [shapely.box(120.9 + x, 30.7, 120.91 + x, 30.71) for x in (0, 0.01)]
    frame = gpd.GeoDataFrame({"all": ["g", "g"]}, geometry=squares, crs=4326)
    frame.to_file(tmp_path / "grids.geojson")
    city = read_city(tmp_path)
    assert len(city.frame("grids")) == 1
    assert (city.receipts[0].rows, city.receipts[0].placed) == (2, 2)


def test_reports_after_the_day_of_the_analysis_are_set_aside(tmp_path: Path) -> None:
    text = HEAD + "as_of = 2025-03-01T12:00:00\n" + GRIDS + CASES
    late = ROW.replace("1,litter,2025-03-01 08:00", "2,litter,2025-03-01 19:00")
    city = read_town(tmp_path, [ROW, late], text)
    assert reasons(city) == {"future:opened": 1}


def test_a_city_refuses_what_is_not_conformed(tmp_path: Path) -> None:
    city = read_town(tmp_path, [ROW])
    grids = city.frame("grids")
    with pytest.raises(CrsError, match="metres"):
        replace(city, crs=grids.to_crs(4326).crs)
    with pytest.raises(CrsError, match="is not in"):
        replace(city, layers={"grids": grids.to_crs(32650)})
    with pytest.raises(ConformError, match=r"see layers/grids\.toml"):
        replace(city, layers={"grids": grids.assign(level="yard")})
    with pytest.raises(ConformError, match="holds Point"):
        replace(city, layers={"grids": grids.set_geometry(grids.centroid)})
    with pytest.raises(ConformError, match="no layer 'roads'"):
        city.frame("roads")
    with pytest.raises(ConformError, match="the levels are: grid"):
        city.areas("street")
