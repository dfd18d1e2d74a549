import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from written_town import CASES, GRIDS, HEAD, JOINED, ROW, read_town, reasons, write_town

from gridmap.catalog import load_catalog
from gridmap.config import Input
from gridmap.errors import ConfigError, ConformError, CrsError, GridmapError, SourceError
from gridmap.sources import columns, read_city
from gridmap.sources.cells import as_text
from gridmap.sources.columns import Reasons, typed_columns
from gridmap.sources.geometry import mended, shapes_of
from gridmap.sources.raw import Raw


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
        ("2,litter,2025-03-01,,,abc,30.7", "unread_place"),
        ("2,litter,2025-03-01,,,30.705,120.905", "swapped"),
        ("2,litter,2025-03-01,,,0,0", "no_place"),
        ("2,litter,2025-03-01,,,118,32", "outside"),
        ("2,litter,2025-03-01,,,200,30.705", "outside"),
        ("2,litter,1989-12-31,,,120.905,30.705", "impossible_time:opened"),
        ("2,litter,2101-01-01,,,120.905,30.705", "impossible_time:opened"),
        ("2,litter,2025-03-02 08:00:01,,2025-03-02 08:00,120.905,30.705", "order:closed"),
        ("2,  ,2025-03-01,,,120.905,30.705", "missing:category"),
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
    assert receipt.rejected["gridmap_row"].to_list() == [3]
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


@pytest.mark.parametrize(
    "row",
    [
        "2,litter,1990-01-01 00:00,,,120.905,30.705",
        "2,litter,2100-12-31 23:59,,,120.905,30.705",
        "2,litter,2025-03-01 08:00,,2025-03-01 08:00,120.905,30.705",
        "2,litter,2025-03-01 08:00,,2025-03-01 08:00,120.9,30.7",
    ],
)
def test_a_row_at_the_very_limit_is_kept(tmp_path: Path, row: str) -> None:
    assert reasons(read_town(tmp_path, [ROW, row])) == {}


def test_blanks_around_a_cell_do_not_count(tmp_path: Path) -> None:
    row = ROW.replace("1,litter", " 1 ,  litter  ", 1)
    problems = read_town(tmp_path, [row]).frame("problems")
    assert problems[["code", "category"]].iloc[0].to_list() == ["1", "litter"]


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2024-11-03 01:30", "2024-11-03 05:30"),  # the clocks go back: the first of the two
        ("2024-03-10 02:30", "2024-03-10 07:00"),  # they go forward: the next hour that there is
    ],
)
def test_hours_that_come_twice_or_never(tmp_path: Path, local: str, utc: str) -> None:
    text = (HEAD + GRIDS + CASES).replace("Asia/Shanghai", "America/New_York")
    city = read_town(tmp_path, [f"1,litter,{local},,,120.905,30.705"], text)
    opened = city.frame("problems")["opened"][0]
    assert opened == pd.Timestamp(utc, tz="UTC")
    assert str(opened.tz) == "America/New_York"


@pytest.mark.parametrize(
    ("cell", "value"),
    [("50", 50), ("50.0", 50), ("2.5", None), ("inf", None), ("many", None), ("-1", None)],
)
def test_a_count_is_a_whole_number(tmp_path: Path, cell: str, value: int | None) -> None:
    (tmp_path / "n.csv").write_text(f"grid,n\ng1,7\ng2,{cell}\n", encoding="utf-8")
    city = read_town(tmp_path, [ROW], HEAD + JOINED + CASES)
    grids = city.frame("grids")
    assert grids["households"].to_list() == [7, *([] if value is None else [value])]
    if value is None:
        rejected = city.receipts[0].rejected.iloc[0]
        kind = "too_small" if cell == "-1" else "not_an_integer"
        assert rejected["gridmap_reason"] == f"{kind}:households"
        assert rejected["gridmap_row"] == 2


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
        ('code = "id"', 'code = "idd"', SourceError, "no column 'idd'; did you mean 'id'"),
        ('x = "lon"', 'x = "lng"', SourceError, "no column 'lng'"),
        ('crs = "EPSG:4326"', 'crs = "EPSG:4549"', CrsError, "lies near the city's grids"),
        ('crs = "EPSG:4326"\n', "", CrsError, "does not say its coordinate system"),
        ('crs = "EPSG:4326"', 'crs = "WGS48"', CrsError, "no coordinate system"),
        ('x = "lon"\ny = "lat"', 'x = "lat"\ny = "lon"', CrsError, "exchange x and y"),
        ('y = "lat"\n', "", ConfigError, "both 'x' and 'y'"),
        ('"problems"', '"problem"', GridmapError, "no layer 'problem'"),
        ("columns = { code", "colums = { code", ConfigError, "did you mean 'columns'"),
        ("opened =", "openend =", ConfigError, "has no field 'openend'; did you mean 'opened'"),
        ("Asia/Shanghai", "Asia/Peking2", ConfigError, "no time zone"),
        ('name = "town"', 'name = "Town!"', ConfigError, "name:"),
        ('path = "cases.csv"', 'path = "grids.geojson"', SourceError, "no column"),
        (
            'constants = { level = "grid" }',
            'constants = { level = "yard" }',
            ConformError,
            "is none of the known values",
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
    (tmp_path / "n.csv").write_text("grid,n\ng2,50\n", encoding="utf-8")
    city = read_town(tmp_path, [ROW], HEAD + JOINED + CASES)
    assert city.frame("grids")["households"].fillna(-1).to_list() == [-1, 50]
    (tmp_path / "n.csv").write_text("grid,n\ng2,50\ng2,51\n", encoding="utf-8")
    assert "repeats" in str(bad(tmp_path, HEAD + JOINED + CASES))


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


def test_rows_without_a_code_to_dissolve_by_are_set_aside(tmp_path: Path) -> None:
    text = HEAD + GRIDS.replace(
        "constants", 'dissolve = true\ncolumns = { code = "all" }\nconstants'
    )
    write_town(tmp_path, [ROW], text)
    squares = [shapely.box(120.9 + x, 30.7, 120.91 + x, 30.71) for x in (0, 0.01, 0.02, 0.03)]
    frame = gpd.GeoDataFrame({"all": ["g", None, "g", None]}, geometry=squares, crs=4326)
    frame.to_file(tmp_path / "grids.geojson")
    city = read_city(tmp_path)
    assert city.frame("grids")["code"].to_list() == ["g"]
    receipt = city.receipts[0]
    assert (receipt.rows, receipt.placed, receipt.quarantined) == (4, 2, 2)
    assert receipt.rejected["gridmap_row"].to_list() == [2, 4]
    assert set(receipt.rejected["gridmap_reason"]) == {"missing:code"}


def test_the_moment_of_a_city_is_its_last_or_that_of_its_file(tmp_path: Path) -> None:
    later = "2,litter,2025-03-05 07:00,,,120.905,30.705"
    assert read_town(tmp_path, [ROW, later]).as_of == dt.datetime(
        2025, 3, 5, 7, tzinfo=ZoneInfo("Asia/Shanghai")
    )
    assert read_town(tmp_path, [ROW], HEAD + GRIDS).as_of == dt.datetime(
        1970, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai")
    )
    text = HEAD + "as_of = 2025-03-05T00:00:00Z\n" + GRIDS + CASES
    assert read_town(tmp_path, [ROW], text).as_of.isoformat() == "2025-03-05T08:00:00+08:00"


def test_a_report_of_the_very_moment_is_kept(tmp_path: Path) -> None:
    text = HEAD + "as_of = 2025-03-01T08:00:00\n" + GRIDS + CASES
    late = ROW.replace("1,litter,2025-03-01 08:00", "2,litter,2025-03-01 08:00:01")
    city = read_town(tmp_path, [ROW, late.replace("20:00", "21:00")], text)
    assert reasons(city) == {"future:opened": 1}
    assert city.frame("problems")["code"].to_list() == ["1"]


def write_grids(folder: Path, corners: list[tuple[float, float]]) -> None:
    boxes = [shapely.box(x, y, x + 0.01, y + 0.01) for x, y in corners]
    codes = [f"g{number}" for number in range(1, len(boxes) + 1)]
    gpd.GeoDataFrame({"code": codes}, geometry=boxes, crs=4326).to_file(folder / "grids.geojson")


@pytest.mark.parametrize(
    "corner", [(2.3, 48.8), (-120.9, 30.7), (30.72, 89.0), (120.9, -30.7), (124.2, 30.7)]
)
def test_a_grid_that_no_system_of_the_city_reaches_costs_its_row(
    tmp_path: Path, corner: tuple[float, float]
) -> None:
    write_town(tmp_path, [ROW])
    write_grids(tmp_path, [(120.9, 30.7), (120.91, 30.7), (120.92, 30.7), corner])
    city = read_city(tmp_path)
    assert city.crs.to_epsg() == 4549
    assert city.frame("grids")["code"].to_list() == ["g1", "g2", "g3"]
    assert city.receipts[0].rejected["gridmap_reason"].to_list() == ["outside"]
    assert reasons(city) == {}


def test_a_grid_with_latitude_first_is_told_so(tmp_path: Path) -> None:
    write_town(tmp_path, [ROW.replace("120.905", "40.405")])
    write_grids(tmp_path, [(40.4, 30.7), (40.41, 30.7), (40.42, 30.7), (30.7, 40.4)])
    city = read_city(tmp_path)
    assert city.receipts[0].rejected["gridmap_reason"].to_list() == ["swapped"]
    assert len(city.frame("grids")) == 3


def test_a_city_too_wide_says_how_wide_it_is(tmp_path: Path) -> None:
    write_town(tmp_path, [ROW])
    write_grids(tmp_path, [(110.0, 30.7), (110.5, 30.7), (120.9, 30.7), (121.0, 30.7)])
    with pytest.raises(CrsError) as caught:
        read_city(tmp_path)
    assert caught.value.key == "crs.too_wide"
    assert "110.0" in str(caught.value)
    assert "121.0" in str(caught.value)


def test_a_system_that_is_given_serves_as_wide_a_city_as_it_says(tmp_path: Path) -> None:
    # A province, in an equal-area system of its own.
    albers = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=30 +lon_0=110 +ellps=GRS80 +units=m"
    write_town(tmp_path, [ROW], HEAD + f'crs = "{albers}"\n' + GRIDS + CASES)
    write_grids(tmp_path, [(100.0, 30.7), (120.9, 30.7), (120.91, 30.7), (120.92, 30.7)])
    assert len(read_city(tmp_path).frame("grids")) == 4


def test_a_nought_byte_and_an_unknown_system_are_told(tmp_path: Path) -> None:
    odd = CASES.replace('"cases.csv"', '"a\\u0000b.csv"')
    with pytest.raises(SourceError) as told:
        read_town(tmp_path, [ROW], HEAD + GRIDS + odd)
    assert told.value.key == "source.no_name"
    with pytest.raises(CrsError, match="town: crs = 'EPSG:99999'"):
        read_town(tmp_path, [ROW], HEAD + 'crs = "EPSG:99999"\n' + GRIDS + CASES)
    with pytest.raises(ConfigError, match=r"colour: no such key; there are: .*timezone"):
        read_town(tmp_path, [ROW], "colour = 3\n" + HEAD + GRIDS + CASES)


def test_rows_are_counted_as_a_spreadsheet_counts_them(tmp_path: Path) -> None:
    write_town(tmp_path, [ROW])
    bad = "2,litter,never,,,120.905,30.705"
    quoted = ROW.replace("1,litter", '"1\nb",litter')
    head = "id,kind,from,due,to,lon,lat"
    lines = ["Ledger of March,,,,,,", "", head, ROW, "", quoted, ",,,,,,", bad, bad]
    (tmp_path / "cases.csv").write_text("\n".join(lines), encoding="utf-8")
    receipt = read_city(tmp_path).receipts[-1]
    assert receipt.rejected["gridmap_row"].to_list() == [8, 9]
    assert receipt.rows == 4
    with xlsxwriter.Workbook(tmp_path / "cases.xlsx") as book:
        sheet = book.add_worksheet()
        for at, cells in enumerate(csv.reader(["", "", *lines[:5], *lines[6:]])):
            sheet.write_row(at, 0, cells)
    text = (tmp_path / "city.toml").read_text(encoding="utf-8")
    (tmp_path / "city.toml").write_text(text.replace("cases.csv", "cases.xlsx"), encoding="utf-8")
    receipt = read_city(tmp_path).receipts[-1]
    assert receipt.rejected["gridmap_row"].to_list() == [9, 10]


def test_a_file_is_refused_only_if_most_of_it_cannot_be(tmp_path: Path) -> None:
    # Half in degrees, half in metres: those are set aside.
    wrong = "2,litter,2025-03-01,,,40500000,3398000"
    city = read_town(tmp_path, [ROW, wrong])
    assert reasons(city) == {"outside": 1}
    more = ["3,litter,2025-03-01,,,40500000,3398000"]
    with pytest.raises(CrsError, match="cannot be degrees"):
        read_town(tmp_path, [ROW, wrong, *more])
    with pytest.raises(CrsError, match="lies near the city's grids"):
        read_town(tmp_path, ["1,litter,2025-03-01,,,118,32"])


def test_points_near_the_grids_are_of_the_city(tmp_path: Path) -> None:
    text = HEAD + "[analysis]\nmargin_m = 500\n" + GRIDS + CASES
    # A degree of longitude is about 95.8 km there: 479 m and 527 m east of the grids.
    near, far = "2,litter,2025-03-01,,,120.925,30.705", "3,litter,2025-03-01,,,120.9255,30.705"
    city = read_town(tmp_path, [ROW, near, far], text)
    assert city.frame("problems")["code"].to_list() == ["1", "2"]
    assert reasons(city) == {"outside": 1}


@pytest.mark.parametrize("degrees", [(-180.0, -90.0), (180.0, 90.0)])
def test_the_ends_of_the_earth_are_degrees(degrees: tuple[float, float]) -> None:
    raw = Raw(pd.DataFrame({"x": [degrees[0]], "y": [degrees[1]]}))
    entry = Input(layer="problems", path="p.csv", crs="EPSG:4326", x="x", y="y")
    seen = Reasons(1)
    shapes = shapes_of(raw, load_catalog().layer("problems"), entry, seen)
    assert not seen.any.any()
    assert (shapes.x[0], shapes.y[0]) == degrees


def mended_as(layer: str, *shapes: object) -> tuple[list[object], list[str], int]:
    seen = Reasons(len(shapes))
    series = gpd.GeoSeries(list(shapes), crs=4549)
    made, repaired = mended(series, load_catalog().layer(layer), seen)
    return list(made), seen.codes.tolist(), repaired


def test_a_point_is_one_point() -> None:
    one, two = shapely.Point(1, 2), shapely.MultiPoint([(1, 2), (3, 4)])
    made, codes, repaired = mended_as("problems", one, shapely.MultiPoint([(5, 6)]), two, None)
    assert made == [one, shapely.Point(5, 6), None, None]
    assert codes == ["", "", "several_points", "no_shape"]
    assert repaired == 0


def test_only_the_kind_that_is_asked_for_is_kept() -> None:
    line, ring = shapely.LineString([(0, 0), (1, 0)]), shapely.LinearRing([(0, 0), (1, 0), (1, 1)])
    box = shapely.box(0, 0, 1, 1)
    both = shapely.GeometryCollection([line, box])
    made, codes, repaired = mended_as("grids", box, both, line)
    assert made[0] == box
    assert made[1] is not None
    assert shapely.equals(made[1], box)
    assert (made[2], codes) == (None, ["", "", "no_shape"])
    made, codes, repaired = mended_as(
        "roads", ring, both, shapely.Point(0, 0), shapely.LineString([(0, 0), (0, 0)])
    )
    assert made[0] is not None
    assert made[0].geom_type == "LineString"
    assert shapely.equals(made[1], line)
    assert codes == ["", "", "no_shape", "no_shape"]
    assert repaired == 0


def test_a_point_stands_for_a_building_of_eight_metres() -> None:
    made, codes, _ = mended_as("buildings", shapely.Point(10, 20), shapely.box(0, 0, 2, 3))
    assert made[0].bounds == (6, 16, 14, 24)
    assert made[1].bounds == (0, 0, 2, 3)
    assert codes == ["", ""]


def test_cells_of_a_workbook_are_text() -> None:
    assert as_text(pd.Series([1.0, 2.5, None])).to_list() == ["1.0", "2.5", pd.NA]
    assert as_text(pd.Series([1.0, 2.0, None])).to_list() == ["1", "2", pd.NA]
    assert as_text(pd.Series([2.0**53 - 1])).to_list() == ["9007199254740991"]
    assert as_text(pd.Series([2.0**53])).to_list() == ["9007199254740992.0"]
    mixed = pd.Series([7.0, 7.5, " x ", "", None], dtype=object)
    assert as_text(mixed).to_list() == ["7", "7.5", "x", pd.NA, pd.NA]


def test_the_first_reason_stays() -> None:
    seen = Reasons(3)
    seen.add([True, False, False], "missing:code")
    seen.add([True, True, False], "repeated:code", pd.Series(["a", "b", "c"]))
    assert seen.codes.tolist() == ["missing:code", "repeated:code", ""]
    assert seen.values.tolist() == ["", "b", ""]
    assert seen.any.tolist() == [True, True, False]


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
    with pytest.raises(ConformError, match="has no rows of: roads"):
        city.frame("roads")
    with pytest.raises(ConformError, match="the levels are: grid"):
        city.areas("street")


def test_a_column_that_is_not_there_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, entry = load_catalog().layer("problems"), Input(layer="problems", path="cases.csv")
    whole = pd.DataFrame({"code": ["1"], "category": ["litter"], "opened": ["2025-03-01"]})
    taken = []

    def as_before(source: pd.Series) -> pd.Series:
        taken.append(source.name)
        return as_text(source)

    monkeypatch.setattr(columns, "as_text", as_before)
    typed_columns(whole, layer, entry, "Asia/Shanghai", Reasons(1), [])
    assert sorted(taken) == sorted(whole)


def test_a_field_without_a_column_is_as_one_whose_cells_are_empty() -> None:
    for layer in load_catalog().in_order:
        needed = {name: ["1"] for name, field in layer.inputs.items() if field.required}
        table = pd.DataFrame(needed).replace("1", "2025")
        blank = table.assign(**{name: "" for name in layer.inputs if name not in table})
        entry = Input(layer=layer.name, path="x.csv")
        read = [
            typed_columns(each, layer, entry, "Asia/Shanghai", Reasons(1), [])
            for each in (table, blank)
        ]
        pd.testing.assert_frame_equal(*read)


def test_times_of_a_typed_column_are_read_as_texts_are() -> None:
    """Hours that the clocks skip or repeat among them, of Parquet as of CSV."""
    layer, entry = load_catalog().layer("problems"), Input(layer="problems", path="cases.parquet")
    texts = ["2025-03-30 02:30", "2025-10-26 02:30", "2025-07-01 12:00"]
    whole = pd.DataFrame({"code": ["1", "2", "3"], "category": "litter", "opened": texts})
    typed = whole.assign(opened=pd.to_datetime(whole["opened"]))
    read = [
        typed_columns(each, layer, entry, "Europe/Madrid", Reasons(3), [])["opened"]
        for each in (whole, typed)
    ]
    pd.testing.assert_series_equal(*read)
