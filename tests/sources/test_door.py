"""What may be opened: by its name, of a bounded size, and nothing else."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xlsxwriter

from gridmap.errors import SourceError
from gridmap.sources.door import opened
from gridmap.sources.files import read_raw

FRAME = gpd.GeoDataFrame(
    {"code": ["a", "b"]}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs=4326
)
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{}</SrcDataSource></OGRVRTLayer>'
    "</OGRVRTDataSource>"
)
WFS = "<OGRWFSDataSource><URL>http://127.0.0.1:9/wfs</URL></OGRWFSDataSource>"


def refusal(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_raw(path)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("name", ["x.geojson", "x.kml", "x.gpkg", "x.json", "x.tab", "x.fgb"])
@pytest.mark.parametrize("text", [VRT, WFS, '<?xml version="1.0"?>' + VRT])
def test_a_file_that_leads_to_another_is_not_opened(tmp_path: Path, name: str, text: str) -> None:
    FRAME.to_file(tmp_path / "other.gpkg")
    (tmp_path / name).write_text(text.format(tmp_path / "other.gpkg"), encoding="utf-8")
    assert refusal(tmp_path / name).key == "source.other_format"


@pytest.mark.parametrize("name", ["x.vrt", "x.gml", "x.xml", "x.sql", "x", "x.pdf", "x.sqlite"])
def test_a_name_that_tells_no_format_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(VRT, encoding="utf-8")
    assert refusal(tmp_path / name).key == "source.format"


@pytest.mark.parametrize(
    "path",
    ["/vsicurl/http://127.0.0.1:9/a.geojson", "WFS:http://127.0.0.1:9/wfs", "http://127.0.0.1:9/a.csv",
     "/vsizip//tmp/a.zip/a.csv", "PG:dbname=x", "CARTO:x", "/vsimem/a.geojson"],
)  # fmt: skip
def test_an_address_is_no_file(path: str) -> None:
    assert refusal(Path(path)).key == "source.missing"


def test_odd_paths_end_in_one_line(tmp_path: Path) -> None:
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    (tmp_path / "folder.csv").mkdir()
    assert refusal(loop).key == "source.no_name"
    assert refusal(pipe).key == "source.no_file"
    assert refusal(tmp_path / "folder.csv").key == "source.no_file"
    assert refusal(tmp_path / "a\0b.csv").key == "source.no_name"
    assert refusal(tmp_path / ("x" * 5000 + ".csv")).key == "source.no_name"
    assert refusal(Path("/dev/null")).key == "source.no_file"
    dangling = tmp_path / "dangling.csv"
    dangling.symlink_to(tmp_path / "nowhere.csv")
    assert refusal(dangling).key == "source.missing"


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("id\n1\n", encoding="utf-8")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert len(read_raw(tmp_path / "link.csv").table) == 1


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "cases.csv.gz"
    with gzip.open(bomb, "wb") as file:
        for _ in range(64):
            file.write(b"\0" * 2**20)
    packed = tmp_path / "cases.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cases.csv", b"\0" * (64 * 2**20))
    for path in (bomb, packed):
        with (
            pytest.raises(SourceError, match="unpacks to more"),
            opened(path, limit_bytes=2**20),
        ):
            pass


def test_a_zip_that_understates_its_size_is_refused(tmp_path: Path) -> None:
    honest = tmp_path / "honest.zip"
    with zipfile.ZipFile(honest, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cases.csv", b"id\n" + b"1\n" * 2**20)
    size = (2 * 2**20 + 3).to_bytes(4, "little")
    lying = tmp_path / "lying.zip"
    lying.write_bytes(honest.read_bytes().replace(size, (9).to_bytes(4, "little")))
    with pytest.raises(SourceError, match="unpacks to more"), opened(lying, limit_bytes=2**16):
        pass


def test_a_zip_with_folders_inside_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    FRAME.to_file(tmp_path / "in" / "网格.shp")
    packed = tmp_path / "grids.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in (tmp_path / "in").iterdir():
            archive.write(
                part, f"交付/2025/{part.name.upper() if part.suffix == '.dbf' else part.name}"
            )
        archive.writestr("__MACOSX/._网格.shp", b"junk")
        archive.writestr("交付/readme.pdf", b"x")
    raw = read_raw(packed)
    assert sorted(raw.table["code"]) == ["a", "b"]
    assert raw.geometry is not None


def test_a_zip_of_several_data_sets_asks_which(tmp_path: Path) -> None:
    for name in ("streets", "grids"):
        FRAME.assign(code=name).dissolve("code").reset_index().to_file(tmp_path / f"{name}.geojson")
    packed = tmp_path / "all.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("streets", "grids"):
            archive.write(tmp_path / f"{name}.geojson", f"{name}.geojson")
    assert refusal(packed).params["names"] == "streets, grids"
    assert read_raw(packed, sublayer="grids").table["code"].to_list() == ["grids"]


@pytest.mark.parametrize("name", ["cases.csv.gz", "cases.CSV.GZ", "cases.csv.zip", "cases.Csv"])
def test_case_and_packing_of_a_name_do_not_matter(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.lower().endswith("gz"):
        path.write_bytes(gzip.compress(b"id\n1\n"))
    elif name.endswith("zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("cases.csv", "id\n1\n")
    else:
        path.write_bytes(b"id\n1\n")
    assert read_raw(path).table["id"].to_list() == ["1"]


def whole(folder: Path, name: str) -> Path:
    """Write a good file of a format."""
    path = folder / name
    frame = pd.DataFrame({"code": [f"c{row}" for row in range(400)], "n": range(400)})
    points = gpd.GeoDataFrame(frame, geometry=shapely.points(np.arange(400) / 10, 1.0), crs=4326)
    if name.endswith(".parquet"):
        points.to_parquet(path)
    elif name.endswith(".xlsx"):
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for row, cells in enumerate([["code", "n"], *frame.to_numpy().tolist()]):
                sheet.write_row(row, 0, cells)
    elif name.endswith(".csv.gz"):
        path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    elif name.endswith(".shp.zip"):
        (folder / "in").mkdir(exist_ok=True)
        points.to_file(folder / "in" / "a.shp")
        shutil.make_archive(str(folder / "a.shp"), "zip", folder / "in")
    else:
        points.to_file(path, driver="KML" if name.endswith("kml") else None)
    return path


@pytest.mark.parametrize(
    "name",
    ["a.gpkg", "a.fgb", "a.parquet", "a.xlsx", "a.csv.gz", "a.shp.zip", "a.geojson", "a.kml"],
)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_file_cut_short_is_told_in_one_line_or_whole(
    tmp_path: Path, name: str, share: float
) -> None:
    path = whole(tmp_path, name)
    data = path.read_bytes()
    assert len(read_raw(path).table) == 400
    path.write_bytes(data[: int(len(data) * share)])
    assert path.name in str(refusal(path))


def test_geojson_of_another_driver_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "x.fgb"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": []}), encoding="utf-8")
    assert refusal(path).key == "source.other_format"
