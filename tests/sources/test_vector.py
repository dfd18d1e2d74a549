"""Files with shapes: exact numbers, times as written, shapes row by row."""

from __future__ import annotations

import json
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyogrio
import pytest
import shapely
from written_town import HEAD, reasons

from gridmap.errors import SourceError
from gridmap.sources import read_city
from gridmap.sources.files import read_raw

SQUARES = [shapely.box(x, 30, x + 0.01, 30.01) for x in (120.0, 120.01, 120.02)]
BIG = 2**53 + 1


def features(*properties: dict[str, Any], shapes: list[Any] | None = None) -> str:
    given = shapes or [shapely.geometry.mapping(each) for each in SQUARES]
    rows = [
        {"type": "Feature", "properties": row, "geometry": given[at]}
        for at, row in enumerate(properties)
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows})


@pytest.mark.parametrize("name", ["a.gpkg", "a.fgb", "a.geojson", "a.parquet"])
def test_integers_stay_exact_beside_missing_ones(tmp_path: Path, name: str) -> None:
    codes = pd.array([BIG, None, 330499001001001001], dtype="Int64")
    frame = gpd.GeoDataFrame({"code": codes}, geometry=SQUARES, crs=4326)
    if name.endswith("parquet"):
        frame.to_parquet(tmp_path / name)
    else:
        pyogrio.write_dataframe(frame, tmp_path / name, use_arrow=not name.endswith("json"))
    read = read_raw(tmp_path / name).table["code"]
    # FlatGeobuf orders its rows by place.
    found = {None if pd.isna(each) else int(each) for each in read}
    assert found == {BIG, None, 330499001001001001}


def test_integers_of_plain_parquet_stay_exact(tmp_path: Path) -> None:
    table = pa.table({"code": pa.array([BIG, None]), "yes": pa.array([True, None])})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    read = read_raw(tmp_path / "a.parquet").table
    assert int(read["code"].iloc[0]) == BIG
    assert read["yes"].to_list() == [True, pd.NA]


def test_times_of_geojson_are_as_written(tmp_path: Path) -> None:
    said = ["2025-03-01 08:05", "2025-03-01T00:05:00.000Z", "2025/03/01"]
    (tmp_path / "a.geojson").write_text(features(*({"at": each} for each in said)), "utf-8")
    assert read_raw(tmp_path / "a.geojson").table["at"].to_list() == said


def test_times_of_a_geopackage_are_those_of_the_file(tmp_path: Path) -> None:
    times = pd.to_datetime(["2025-03-01 08:05:00", None, "2025-03-02 00:00:00"])
    frame = gpd.GeoDataFrame({"at": times}, geometry=SQUARES, crs=4326)
    pyogrio.write_dataframe(frame, tmp_path / "a.gpkg")
    read = read_raw(tmp_path / "a.gpkg").table["at"]
    assert str(read.iloc[0]).replace("T", " ").startswith("2025-03-01 08:05:00")
    assert read.isna().to_list() == [False, True, False]


def test_rings_are_closed_and_odd_shapes_cost_their_row(tmp_path: Path) -> None:
    ring = [[120.01, 30], [120.02, 30], [120.02, 30.01], [120.01, 30.01]]
    shapes = [
        shapely.geometry.mapping(SQUARES[0]),
        {"type": "Polygon", "coordinates": [ring]},
        {"type": "Polygon", "coordinates": [ring[:2]]},
    ]
    text = features({"code": "a"}, {"code": "b"}, {"code": "c"}, shapes=shapes)
    (tmp_path / "a.geojson").write_text(text, encoding="utf-8")
    raw = read_raw(tmp_path / "a.geojson")
    assert raw.geometry is not None
    assert raw.geometry.iloc[1].area == pytest.approx(1e-4)
    assert raw.table["code"].to_list() == ["a", "b", "c"]
    (tmp_path / "city.toml").write_text(
        HEAD + '[[inputs]]\nlayer = "grids"\npath = "a.geojson"\nconstants = {level = "grid"}\n',
        encoding="utf-8",
    )
    city = read_city(tmp_path)
    assert city.frame("grids")["code"].to_list() == ["a", "b"]
    assert sum(reasons(city).values()) == 1


def test_surfaces_that_cannot_be_computed_with_cost_their_row(tmp_path: Path) -> None:
    path = tmp_path / "t.gpkg"
    pyogrio.write_dataframe(gpd.GeoDataFrame({"code": ["a"]}, geometry=SQUARES[:1], crs=4326), path)
    with sqlite3.connect(path) as base:
        header = base.execute("SELECT geom FROM t").fetchone()[0][:8]
        # A TIN of no triangles, in the form of GeoPackage: ISO type 1016.
        blob = (
            header[:3] + b"\x11" + header[4:8] + b"\x01" + (1016).to_bytes(4, "little") + b"\0" * 4
        )
        base.execute("DROP TRIGGER IF EXISTS rtree_t_geom_insert")
        base.execute("INSERT INTO t (geom, code) VALUES (?, 'b')", [blob])
    raw = read_raw(path)
    assert raw.table["code"].to_list() == ["a", "b"]
    assert raw.geometry is not None
    assert raw.geometry.isna().to_list() == [False, True]


def test_shapes_without_fields_are_rows(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(geometry=SQUARES, crs=4326)
    for name in ("a.gpkg", "a.geojson", "a.fgb"):
        pyogrio.write_dataframe(frame, tmp_path / name)
        assert len(read_raw(tmp_path / name).table) == 3


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_the_encoding_of_a_shapefile_that_hides_it_is_found(tmp_path: Path, encoding: str) -> None:
    names = ["青禾街道第一网格", "青禾街道第二网格", "青禾街道第三网格"]
    frame = gpd.GeoDataFrame({"name": names}, geometry=SQUARES, crs=4326)
    frame.to_file(tmp_path / "g.shp", encoding=encoding)
    (tmp_path / "g.cpg").unlink()
    raw = read_raw(tmp_path / "g.shp")
    assert raw.table["name"].to_list() == names
    assert [note.key for note in raw.notes] == (["encoding"] if encoding == "gbk" else [])
    assert read_raw(tmp_path / "g.shp", encoding=encoding).table["name"].to_list() == names


@pytest.mark.parametrize("asked", ["", "gb18030"])
@pytest.mark.parametrize("name", ["a.geojson", "a.geojsonl"])
def test_json_in_another_encoding_is_read(tmp_path: Path, name: str, asked: str) -> None:
    said = features(*({"n": f"网格员张示例{at}号楼道"} for at in range(3)))
    text = json.dumps(json.loads(said), ensure_ascii=False)
    if name.endswith("l"):
        rows = json.loads(said)["features"]
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (tmp_path / name).write_bytes(text.encode("gb18030"))
    raw = read_raw(tmp_path / name, encoding=asked)
    assert raw.table["n"].str.startswith("网格员张示例").all()
    assert not raw.bad
    assert [note.key for note in raw.notes] == ([] if asked else ["encoding"])


def test_an_encoding_that_a_file_does_not_need_is_told(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"n": ["一", "二", "三"]}, geometry=SQUARES, crs=4326)
    frame.to_file(tmp_path / "a.gpkg")
    raw = read_raw(tmp_path / "a.gpkg", encoding="gb18030")
    assert raw.table["n"].to_list() == ["一", "二", "三"]
    assert [note.key for note in raw.notes] == ["encoding_idle"]
    (tmp_path / "b.geojson").write_bytes(features({"n": "一"}).encode())
    data = features({"n": "x"}).encode().replace(b'"x"', b'"\xd5\xc5"')
    (tmp_path / "c.geojson").write_bytes(data)
    with pytest.raises(SourceError, match="no such encoding"):
        read_raw(tmp_path / "c.geojson", encoding="klingon")
    assert not read_raw(tmp_path / "b.geojson", encoding="utf-8").notes


def test_a_system_that_nobody_knows_is_told(tmp_path: Path) -> None:
    known = json.loads(features({"n": 1}))
    for name, told in (("urn:ogc:def:crs:EPSG::999999", 1), ("urn:ogc:def:crs:EPSG::4490", 0)):
        known["crs"] = {"type": "name", "properties": {"name": name}}
        (tmp_path / "a.geojson").write_text(json.dumps(known))
        raw = read_raw(tmp_path / "a.geojson")
        assert [note.key for note in raw.notes] == ["crs_unread"] * told


def test_coordinates_that_are_no_numbers_warn_nobody(tmp_path: Path) -> None:
    text = features({"n": 1}, {"n": 2}).replace("120.01,", "NaN,", 1)
    (tmp_path / "a.geojson").write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_raw(tmp_path / "a.geojson").table) == 2


def test_a_file_without_a_layer_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(SourceError, match="no rows"):
        read_raw(tmp_path / "a.geojson")
