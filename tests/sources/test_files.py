import gzip
import os
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import xlsxwriter

from gridmap.errors import SourceError
from gridmap.sources.files import read_raw

TEXT = "编号,类别\n1,占道经营\n2,暴露垃圾\n"
FRAME = gpd.GeoDataFrame(
    {"code": ["a", "b"]}, geometry=[shapely.Point(121, 30), shapely.Point(121.1, 30)], crs=4326
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_text_is_read_in_its_own_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes((TEXT * 1 + "3,路灯故障\n" * 40).encode(encoding))
    table = read_raw(file).table
    assert list(table.columns) == ["编号", "类别"]
    assert table["类别"].iloc[:2].to_list() == ["占道经营", "暴露垃圾"]


def test_a_declared_encoding_that_is_wrong_is_told_with_the_right_one(tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes(TEXT.encode("gb18030"))
    with pytest.raises(SourceError, match=r'not utf-8 at byte \d+.*encoding = "gb18030"'):
        read_raw(file, encoding="utf-8")
    with pytest.raises(SourceError, match="no such encoding"):
        read_raw(file, encoding="klingon")


def test_gzipped_text_is_read(tmp_path: Path) -> None:
    file = tmp_path / "cases.csv.gz"
    file.write_bytes(gzip.compress(TEXT.encode()))
    assert len(read_raw(file).table) == 2


def test_cells_stay_text_and_empty_ones_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text("id,n\n007,NA\n,1.0\n", encoding="utf-8")
    table = read_raw(file).table
    assert table["id"].to_list() == ["007", pd.NA]
    assert table["n"].to_list() == ["NA", "1.0"]


def test_tabs_part_the_columns_of_a_tsv(tmp_path: Path) -> None:
    file = tmp_path / "cases.tsv"
    file.write_text("id\tn,m\n7\ta\n", encoding="utf-8")
    assert read_raw(file).table.to_dict("list") == {"id": ["7"], "n,m": ["a"]}


def test_a_sheet_needs_a_heading_and_a_row(tmp_path: Path) -> None:
    file = tmp_path / "places.xlsx"
    for rows in (1, 2):
        with xlsxwriter.Workbook(file) as book:
            sheet = book.add_worksheet("甲")
            sheet.write_row(0, 0, ["名称", "经度"])
            if rows == 2:
                sheet.write_row(1, 0, ["x", 120.5])
        if rows == 1:
            with pytest.raises(SourceError, match="holds no rows"):
                read_raw(file)
    assert len(read_raw(file).table) == 1


def test_a_workbook_is_read_by_sheet(tmp_path: Path) -> None:
    file = tmp_path / "places.xlsx"
    with xlsxwriter.Workbook(file) as book:
        for name in ("甲", "乙"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["名称", "经度"])
            sheet.write_row(1, 0, [name, 120.5])
    with pytest.raises(SourceError, match="甲, 乙"):
        read_raw(file)
    table = read_raw(file, sublayer="乙").table
    assert table.iloc[0].to_list() == ["乙", 120.5]


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.fgb", "a.parquet", "a.shp.zip"])
def test_every_spatial_format_is_read(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if name.endswith("parquet"):
        FRAME.to_parquet(file)
    else:
        FRAME.to_file(file, driver="ESRI Shapefile" if "shp" in name else None)
    raw = read_raw(file)
    assert raw.geometry is not None
    assert raw.geometry.crs.to_epsg() == 4326
    assert sorted(raw.table["code"]) == ["a", "b"]


def test_a_geopackage_of_many_layers_asks_which(tmp_path: Path) -> None:
    file = tmp_path / "a.gpkg"
    FRAME.to_file(file, layer="streets")
    FRAME.to_file(file, layer="grids")
    with pytest.raises(SourceError, match="streets, grids"):
        read_raw(file)
    assert len(read_raw(file, sublayer="grids").table) == 2


@pytest.mark.parametrize("name", ["a.csv", "a.gpkg", "a.parquet", "a.xlsx", "a.zip", "a.geojson"])
def test_a_file_that_is_not_what_its_name_says_is_told(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"" if name == "a.csv" else b"\x00\x01nonsense" * 9)
    with pytest.raises(SourceError) as caught:
        read_raw(file)
    assert caught.value.key in ("source.broken", "source.empty", "source.other_format")
    assert "\n" not in str(caught.value)


def test_missing_and_empty_files_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_raw(tmp_path / "nowhere.csv")
    headings = tmp_path / "headings.csv"
    headings.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(SourceError, match="holds no rows"):
        read_raw(headings)


def test_a_locked_file_is_told(tmp_path: Path) -> None:
    locked = tmp_path / "locked.csv"
    locked.write_text(TEXT, encoding="utf-8")
    locked.chmod(0)
    if os.geteuid() == 0:
        pytest.skip("nothing is locked for root")
    with pytest.raises(SourceError, match="no permission"):
        read_raw(locked)
