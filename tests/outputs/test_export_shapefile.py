"""Chinese Shapefiles, read back by geopandas, by Debian's ogr2ogr and by QGIS."""

import csv
import io
import subprocess
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from desktop import ask_qgis, ogrinfo
from export_town import RARE, awkward, field, layer, town
from hypothesis import given
from hypothesis import strategies as st

from gridmap.catalog import Layer
from gridmap.outputs.export.layers import export_layers
from gridmap.outputs.export.selection import Selection
from gridmap.outputs.export.shapefile import cut_text, short_names

# Forty names; many share their first three characters, some their first five.
NAMES = [
    *(f"网格化{tail}" for tail in "管理中心服务平台人员案件"),
    *(f"实际居住户{tail}" for tail in "数甲乙丙丁戊己"),
    *(f"责任{tail}" for tail in "人员领导区域路长".replace("人员", "人").replace("领导", "领")),
    "编码", "𠮷祥㙍名", "㙍字段", "name", "NAME2", "name_of_the_grid", "name_of_the_member",
    "最后更新时间", "最后更新人员", "联系电话号码",
]  # fmt: skip
TEXTS = ["𠮷野家", "㙍塘社区", "龘靐齉", "a,b\"c'", "长" * 100, "", None]


def many() -> tuple[Layer, gpd.GeoDataFrame]:
    names = [*NAMES, *(f"补充字段{k}" for k in range(40 - len(NAMES) + 0))][:40]
    assert len(set(names)) == len(names) == 40
    frame = awkward()[["code", "geometry"]]
    for number, name in enumerate(names):
        values = [TEXTS[(row + number) % len(TEXTS)] for row in range(len(frame))]
        frame[name] = pd.Series(values, dtype="string")
    fields = {"code": field("string", "编码"), **{name: field("string", name) for name in names}}
    return layer("wide", fields=fields, symbology=None, label=""), frame


@pytest.fixture(scope="module", params=["utf-8", "gb18030"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp(request.param)
    export_layers(town(many()), folder, formats=["shp"], encoding=request.param, lang="zh")
    return folder / "wide.shp.zip", request.param


def full_names(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        text = archive.read("wide_fields.csv").decode("utf-8-sig")
    return {row["name"]: row["field"] for row in csv.DictReader(io.StringIO(text))}


def wanted(encoding: str) -> dict[str, list[str | None]]:
    """What a dBASE table can hold: 254 bytes, and no empty text apart from none."""
    _, frame = many()
    return {
        name: [cut_text(v, 254, encoding) if isinstance(v, str) and v else None for v in values]
        for name, values in frame.drop(columns="geometry").items()
    }


def held(frame: pd.DataFrame, path: Path) -> dict[str, list[str | None]]:
    names = full_names(path)
    return {
        names[str(name)]: [None if pd.isna(v) or v == "" else str(v) for v in values]
        for name, values in frame.items()
        if name in names
    }


def test_geopandas_reads_it_back(made: tuple[Path, str]) -> None:
    path, encoding = made
    frame = gpd.read_file(path)
    assert max(len(name.encode(encoding)) for name in frame.columns.drop("geometry")) == 10
    assert frame.crs.to_epsg() == 4549
    assert held(frame, path) == wanted(encoding)


def test_ogr2ogr_reads_it_back(made: tuple[Path, str], tmp_path: Path) -> None:
    path, encoding = made
    assert "Feature Count: 25" in ogrinfo(f"/vsizip/{path}")
    subprocess.run(
        ["ogr2ogr", tmp_path / "back.gpkg", f"/vsizip/{path}", "-nlt", "PROMOTE_TO_MULTI"],
        check=True,
        capture_output=True,
    )
    frame = pyogrio.read_dataframe(tmp_path / "back.gpkg")
    assert held(frame, path) == wanted(encoding)


@pytest.mark.qgis
def test_qgis_reads_it_back(made: tuple[Path, str], tmp_path: Path) -> None:
    path, encoding = made
    told = ask_qgis(tmp_path, sources={"shp": {"source": f"/vsizip/{path}"}})["layers"]["shp"]
    assert told["crs"] == "EPSG:4549"
    frame = pd.DataFrame(told["rows"], columns=told["fields"])
    assert held(frame, path) == {name: some[:5] for name, some in wanted(encoding).items()}


def test_code_page_and_language_driver_agree(made: tuple[Path, str]) -> None:
    path, encoding = made
    with zipfile.ZipFile(path) as archive:
        assert archive.read("wide.cpg").decode() == encoding.upper()
        assert archive.read("wide.dbf")[29] == (0x4D if encoding == "gb18030" else 0)
        # 100 characters are 300 bytes of UTF-8, too many, and 200 of GB 18030.
        assert ("wide_texts.csv" in archive.namelist()) == (encoding == "utf-8")
        if encoding == "utf-8":
            assert "长" * 100 in archive.read("wide_texts.csv").decode("utf-8-sig")


def test_a_shapefile_has_dates_numbers_and_its_style(tmp_path: Path) -> None:
    export_layers(town(), tmp_path, formats=["shp"])
    frame = gpd.read_file(tmp_path / "places.shp.zip")
    assert frame["seen"].iloc[0] == "2025-01-01T23:30:00+08:00"
    assert frame["number"].iloc[2] == 3**30
    assert frame["number"].isna().sum() == 8
    assert frame["name"].iloc[0] == f"{RARE}0"
    with zipfile.ZipFile(tmp_path / "places.shp.zip") as archive:
        assert {"places.qml", "places.sld", "places_fields.csv"} <= set(archive.namelist())


def test_names_that_differ_in_case_alone_get_different_ones() -> None:
    assert short_names(["Name", "name", "NAME"], "utf-8") == {
        "Name": "Name", "name": "name_1", "NAME": "NAME_2",
    }  # fmt: skip
    long = ["name_of_the_grid", "name_of_the_member", "NAME_OF_THE"]
    assert list(short_names(long, "utf-8").values()) == ["name_of_th", "name_of__1", "NAME_OF__2"]
    assert short_names(["tencharact"], "utf-8") == {"tencharact": "tencharact"}


def test_a_text_of_just_so_many_bytes_is_whole(tmp_path: Path) -> None:
    frame = awkward().head(3)
    texts = ["x" * 254, "y" * 255, "长" * 84 + "ab"]  # 254, 255 and 254 bytes
    frame["note"] = pd.Series(texts, dtype="string")
    selection = Selection(privacy="full")
    made = export_layers(town((layer(), frame)), tmp_path, formats=["shp"], selection=selection)
    (long,) = [note for note in made.notes if note.key == "export.shp_long"]
    assert long.params["count"] == 1
    back = gpd.read_file(tmp_path / "places.shp.zip")
    assert back["note"].to_list() == [texts[0], "y" * 254, texts[2]]
    with zipfile.ZipFile(tmp_path / "places.shp.zip") as archive:
        told = archive.read("places_texts.csv").decode("utf-8-sig").splitlines()
    assert told == ["code,field,text", f"A001,note,{texts[1]}"]


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=40),
       st.sampled_from(["utf-8", "gb18030"]))  # fmt: skip
def test_short_names_are_short_different_and_whole(names: list[str], encoding: str) -> None:
    short = short_names(names, encoding)
    assert list(short) == names
    assert len({name.lower() for name in short.values()}) == len(names)
    for name in short.values():
        assert len(name.encode(encoding, errors="replace")) <= 10
