"""Every format, read back by other programs than the one that wrote it."""

import csv
import datetime as dt
import json
import subprocess
import sys
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapely
from desktop import ask_qgis, ogrinfo, validate_geopackage
from export_town import RARE, STYLE, awkward, field, files, layer, town
from python_calamine import CalamineWorkbook

from gridmap.catalog import Text
from gridmap.errors import CrsError, OutputError
from gridmap.outputs.export.layers import FORMATS, export_layers
from gridmap.outputs.export.selection import Selection
from gridmap.outputs.styles.symbology import paint

KML = {"k": "http://www.opengis.net/kml/2.2"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town in every format."""
    made = tmp_path_factory.mktemp("town")
    export_layers(town(), made, formats=FORMATS, lang="zh")
    return made


def test_the_documentation_lists_every_format_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "docs" / "gis.md").read_text(encoding="utf-8")
    table = text.partition("## Formats")[2].partition("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in row.split("`")[1::2]]
    assert sorted(named) == sorted(FORMATS)


def test_every_format_writes_the_same_bytes_again(folder: Path, tmp_path: Path) -> None:
    # In a process of its own, so that nothing is the same by being remembered.
    code = (
        "import sys; from pathlib import Path; from export_town import town;"
        "from gridmap.outputs.export.layers import FORMATS, export_layers;"
        "export_layers(town(), Path(sys.argv[1]), formats=FORMATS, lang='zh')"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        env={"PYTHONPATH": f"{root / 'tests'}:{root}", "TZ": "America/New_York", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = files(folder), files(tmp_path)
    assert set(first) == set(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_a_geopackage_has_aliases_domains_and_provenance(folder: Path) -> None:
    path = folder / "town.gpkg"
    validate_geopackage(path)
    told = ogrinfo(path)
    assert "domain name=places_kind" in told
    info = pyogrio.read_info(path, layer="places")
    provenance = json.loads(info["layer_metadata"]["GRIDMAP"])
    assert provenance["method"] == "drawn"
    assert provenance["review_number"] == "GS(2026)0001"
    assert info["geometry_type"] == "MultiPolygon"
    frame = pyogrio.read_dataframe(path, layer="places")
    assert frame["name"].iloc[0] == f"{RARE}0"
    assert frame["note"].iloc[0] == "长长长" + "*" * 194 + "长长长"


def as_read(path: Path, **more: Any) -> gpd.GeoDataFrame:
    return pyogrio.read_dataframe(path, **more).set_index("code")


@pytest.mark.parametrize(
    "name", ["places.geojson", "places.geojsonl", "places.fgb", "places.kml", "places.shp.zip"]
)
def test_gdal_reads_the_same_features(folder: Path, name: str) -> None:
    original = awkward().set_index("code")
    frame = as_read(folder / name).rename(columns={"Name": "name"})
    assert sorted(frame.index) == sorted(original.index)
    frame = frame.loc[original.index]
    there = frame.to_crs(original.crs).geometry
    assert there.hausdorff_distance(original.geometry).max() < 0.02
    assert frame["name"].to_list() == original["name"].to_list()
    value = frame["value"].astype(float)
    assert np.allclose(value, original["value"], equal_nan=True)
    ogrinfo(f"/vsizip/{folder / name}" if name.endswith(".zip") else folder / name)


def test_geojson_is_rfc_7946(folder: Path) -> None:
    lines = (folder / "places.geojsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(awkward())
    data = json.loads((folder / "places.geojson").read_text(encoding="utf-8"))
    assert "crs" not in data
    for feature in [*data["features"], *map(json.loads, lines)]:
        for polygon in shapely.get_parts(shapely.geometry.shape(feature["geometry"])):
            assert polygon.exterior.is_ccw
    corners = data["features"][0]["geometry"]["coordinates"]
    texts = json.dumps(corners).replace("[", "").replace("]", "").split(",")
    assert max(len(text.partition(".")[2]) for text in texts) == 7


def test_geoparquet_is_read_by_pyarrow_and_duckdb(folder: Path) -> None:
    path = folder / "places.parquet"
    meta = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert meta["version"] == "1.1.0"
    assert meta["columns"]["geometry"]["covering"]["bbox"]
    assert meta["columns"]["geometry"]["crs"]["id"] == {"authority": "EPSG", "code": 4549}
    duckdb = pytest.importorskip("duckdb")
    read = duckdb.read_parquet(str(path))
    found = read.aggregate("count(*), sum(bbox.xmax - bbox.xmin)").fetchall()
    assert found == [(25, pytest.approx(2500.0))]


def test_pmtiles_hold_the_layer_at_every_zoom(folder: Path) -> None:
    path = folder / "places.pmtiles"
    frame = pyogrio.read_dataframe(path, layer="places")
    assert set(frame["code"]) == set(awkward()["code"])
    assert frame["name"].str.startswith(RARE).all()
    info = pyogrio.read_info(path, layer="places")
    assert info["driver"] == "PMTiles"


def test_kml_has_the_colours_of_the_map_and_no_broken_polygon(folder: Path) -> None:
    root = ET.parse(folder / "places.kml").getroot()
    styles = {
        style.get("id"): style.findtext("k:PolyStyle/k:color", "", KML)
        for style in root.iter(f"{{{KML['k']}}}Style")
    }
    painted = paint(layer(), awkward())
    marks = root.findall(".//k:Placemark", KML)
    for mark, key in zip(marks, painted.keys, strict=True):
        abgr = styles[mark.findtext("k:styleUrl", "", KML)[1:]]
        assert "#" + abgr[6:] + abgr[4:6] + abgr[2:4] == painted.styles[key].fill
        assert int(abgr[:2], 16) == round(255 * 0.7)
    with zipfile.ZipFile(folder / "town.kmz") as archive:
        assert archive.namelist() == ["doc.kml", "files/dot.png"]
        assert archive.read("doc.kml").count(b"<Placemark>") == 25


def test_a_kml_says_any_text(tmp_path: Path) -> None:
    said = Text(en="Flats & <b>shops</b>", zh="地块")
    fields = {**layer().fields, "name": field("string", "Name <&>")}
    names = ["A & B", "<i>x</i>", "\"quoted\" 'so'", "bell\a, tab\t, line\n", "]]>"]
    frame = awkward().head(5)
    frame["name"] = pd.Series(names, dtype="string")
    one = layer(title=said, description=said, fields=fields)
    export_layers(town((one, frame)), tmp_path, formats=["kml", "kmz"], lang="en")
    with zipfile.ZipFile(tmp_path / "town.kmz") as archive:
        packed = ET.fromstring(archive.read("doc.kml"))
    for root in (ET.parse(tmp_path / "places.kml").getroot(), packed):
        found = [mark.findtext("k:name", "", KML) for mark in root.iterfind(".//k:Placemark", KML)]
        assert found == [name.replace("\a", "") for name in names]
        assert "Flats & <b>shops</b>" in [element.text for element in root.iter()]
        assert "Name <&>" in [element.text for element in root.iter()]
    assert as_read(tmp_path / "places.kml")["Name"].to_list()[:2] == names[:2]


def test_rings_of_a_kml_run_as_it_asks(tmp_path: Path) -> None:
    """Outer rings counter-clockwise and inner ones clockwise, however they came."""
    frame = awkward().head(3)
    shapes = frame.geometry.to_numpy().copy()
    hole = shapely.buffer(shapely.centroid(shapes[0]), 10)
    shapes[0] = shapely.reverse(shapely.difference(shapes[0], hole))
    shapes[1] = shapely.difference(shapes[1], shapely.buffer(shapely.centroid(shapes[1]), 10))
    shapes[2] = shapely.reverse(shapely.multipolygons([shapes[2], shapely.box(0, 0, 9, 9)]))
    one = frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))
    export_layers(town((layer(), one)), tmp_path, formats=["kml"])
    root = ET.parse(tmp_path / "places.kml").getroot()
    turns: dict[str, list[bool]] = {}
    for side in ("outerBoundaryIs", "innerBoundaryIs"):
        for ring in root.iterfind(f".//k:{side}/k:LinearRing/k:coordinates", KML):
            places = [tuple(map(float, place.split(","))) for place in (ring.text or "").split()]
            turns.setdefault(side, []).append(shapely.LinearRing(places).is_ccw)
    assert turns == {"outerBoundaryIs": [True] * 4, "innerBoundaryIs": [False] * 2}


def test_integers_of_a_kml_have_32_bits(tmp_path: Path) -> None:
    for most, kind in ((2**31 - 1, "int"), (2**31, "double"), (-(2**31), "double")):
        frame = awkward().head(3)
        frame["number"] = pd.Series([1, None, most], dtype="Int64")
        export_layers(town((layer(), frame)), tmp_path, formats=["kml"])
        root = ET.parse(tmp_path / "places.kml").getroot()
        types = {one.get("name"): one.get("type") for one in root.iterfind(".//k:SimpleField", KML)}
        assert types["number"] == kind
        assert types["name_"] == "string"


def test_an_invalid_polygon_does_not_cost_the_kml(tmp_path: Path) -> None:
    frame = awkward()
    shapes = frame.geometry.to_numpy().copy()
    x, y = shapely.get_coordinates(shapes[0])[0]
    shapes[0] = shapely.Polygon([(x, y), (x + 50, y + 50), (x + 50, y), (x, y + 50)])
    shapes[1] = shapely.Polygon()
    made = export_layers(
        town((layer(), frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs)))),
        tmp_path,
        formats=["kml"],
    )
    assert [note.key for note in made.notes] == ["export.kml_empty", "export.kml_mended"]
    back = pyogrio.read_dataframe(tmp_path / "places.kml")
    assert len(back) == 24
    assert back.geometry.is_valid.all()


def test_dxf_keeps_chinese_layers_and_colours(folder: Path) -> None:
    ezdxf = pytest.importorskip("ezdxf")
    drawing = ezdxf.readfile(folder / "places.dxf")
    assert not drawing.audit().has_errors
    painted = paint(layer(), awkward(), "zh")
    colours = {item.label: item.colour for item in painted.legend}
    for made in drawing.layers:
        title, _, label = made.dxf.name.partition("·")
        if title == "地块":
            assert f"#{made.dxf.true_color:06x}" == colours[label]
    lines = drawing.modelspace().query("LWPOLYLINE")
    assert len(lines) == 26  # one square has two parts
    assert lines[0].get_xdata("GRIDMAP")[0].value == "A000"
    # GDAL takes the names of DXF for Latin-1.
    read = pyogrio.read_dataframe(folder / "places.dxf")["Layer"]
    assert "地块·无数据" in {name.encode("latin-1").decode("utf-8") for name in read}
    ogrinfo(folder / "places.dxf")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("place", ["lonlat", "wkt", "none"])
def test_a_ledger_has_labels_and_places(tmp_path: Path, encoding: str, place: str) -> None:
    export_layers(
        town(), tmp_path, formats=["csv", "xlsx"], lang="zh", encoding=encoding, place=place
    )
    read = pd.read_csv(
        tmp_path / "places.csv", encoding="utf-8-sig" if encoding == "utf-8" else encoding
    )
    heads = ["编码", "名称", "数值 (小时)", "类别", "时间 (Asia/Shanghai)", "开放", "数量", "备注"]
    more = {"lonlat": ["经度", "纬度"], "wkt": ["WKT"], "none": []}[place]
    assert list(read.columns) == [*heads, *more]
    assert read["类别"].fillna("-").to_list()[:3] == ["公园", "商店", "-"]
    assert read["时间 (Asia/Shanghai)"].iloc[0] == "2025-01-01 23:30:00"
    assert read["开放"].fillna("-").to_list()[:3] == ["是", "否", "-"]
    # Data keep every digit; only what a person reads is rounded.
    assert read["数值 (小时)"].to_list()[:3] == [0.0, 10 / 24, 20 / 24]
    assert read["名称"].iloc[0] == f"{RARE}0"
    if place == "lonlat":
        inside = gpd.points_from_xy(read["经度"], read["纬度"], crs=4326).to_crs(4549)
        assert awkward().geometry.covers(gpd.GeoSeries(inside, crs=4549)).all()
    if place == "wkt":
        shapes = gpd.GeoSeries.from_wkt(read["WKT"])
        assert shapes.area.to_numpy() == pytest.approx(awkward().area.to_numpy())
    sheet = CalamineWorkbook.from_path(str(tmp_path / "town.xlsx")).get_sheet_by_name("地块")
    rows = sheet.to_python()
    assert rows[0] == [*heads, *more]
    assert len(rows) == 26
    assert rows[2][2:7] == [10 / 24, "商店", dt.datetime(2025, 1, 2, 23, 30), "否", ""]


def test_a_text_that_begins_like_a_formula_is_none(tmp_path: Path) -> None:
    selection = Selection(privacy="full")
    export_layers(town(), tmp_path, formats=["csv", "xlsx"], selection=selection)
    read = pd.read_csv(tmp_path / "places.csv", encoding="utf-8-sig")
    assert read.iloc[1, 7] == "'=1+1"
    with zipfile.ZipFile(tmp_path / "town.xlsx") as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_every_way_to_begin_a_formula_is_guarded(tmp_path: Path, sign: str) -> None:
    frame = awkward().head(2)
    frame["name"] = pd.Series([f"{sign}1+1", f"1{sign}1"], dtype="string")
    export_layers(town((layer(), frame)), tmp_path, formats=["csv"])
    with (tmp_path / "places.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    left = sign.replace("\r", "\n")  # an end of a line, as all are
    assert [row[1] for row in rows[1:]] == [f"'{left}1+1", f"1{left}1"]


def test_a_csv_begins_with_the_mark_that_excel_asks_for(tmp_path: Path) -> None:
    for encoding, mark in (("utf-8", b"\xef\xbb\xbf"), ("gb18030", b"")):
        export_layers(town(), tmp_path, formats=["csv"], encoding=encoding, lang="zh")
        data = (tmp_path / "places.csv").read_bytes()
        assert data.startswith(mark + "编码,名称".encode(encoding))
        assert data.count(b"\r\n") == 26
        assert data.endswith(b"\r\n")


def test_a_cell_of_excel_has_at_most_so_many_signs(tmp_path: Path) -> None:
    frame = awkward().head(2)
    frame["name"] = pd.Series(["x" * 32_767, "y" * 32_768], dtype="string")
    made = export_layers(town((layer(), frame)), tmp_path, formats=["xlsx"])
    rows = CalamineWorkbook.from_path(str(tmp_path / "town.xlsx")).get_sheet_by_index(0).to_python()
    assert [row[1] for row in rows[1:]] == ["x" * 32_767, "y" * 32_767]
    assert "export.xlsx_long" in [note.key for note in made.notes]
    whole = town((layer(), frame.head(1)))
    made = export_layers(whole, tmp_path, formats=["xlsx"])
    assert "export.xlsx_long" not in [note.key for note in made.notes]


@pytest.mark.parametrize(
    ("crs", "west", "south"),
    [
        ("EPSG:4528", 40_500_000.0, 3_400_000.0),
        ("CRS84", 120.0, 30.72),
        ("", 500_000.0, 3_400_000.0),
    ],
)
def test_every_file_is_in_the_system_that_is_asked_for(
    tmp_path: Path, crs: str, west: float, south: float
) -> None:
    export_layers(town(), tmp_path, formats=["gpkg", "fgb", "parquet", "shp"], crs=crs)
    frames = {
        "gpkg": pyogrio.read_dataframe(tmp_path / "town.gpkg", layer="places"),
        "fgb": pyogrio.read_dataframe(tmp_path / "places.fgb"),
        "parquet": gpd.read_parquet(tmp_path / "places.parquet"),
        "shp": pyogrio.read_dataframe(tmp_path / "places.shp.zip"),
    }
    off = 0.02 if west < 180 else 1.0
    for name, frame in frames.items():
        assert frame.total_bounds[:2] == pytest.approx([west, south], abs=off), name
        assert frame.to_crs(4549).total_bounds[0] == pytest.approx(500_000, abs=0.01), name


def test_the_style_of_a_part_is_that_of_the_whole(tmp_path: Path) -> None:
    styles = {}
    for name, selection in {
        "whole": Selection(),
        "part": Selection(since=pd.Timestamp("2025-01-20").to_pydatetime()),
    }.items():
        folder = tmp_path / name
        folder.mkdir()
        formats = ["gpkg", "qml", "sld", "maplibre"]
        export_layers(town(), folder, formats=formats, selection=selection)
        held = pyogrio.read_dataframe(folder / "town.gpkg", layer="layer_styles")
        files_of = {path.suffix: path.read_text("utf-8") for path in folder.glob("places.*")}
        styles[name] = (held[["styleQML", "styleSLD", "useAsDefault"]].to_dict("list"), files_of)
    assert len(styles["whole"][0]["styleQML"]) == 1
    assert styles["part"] == styles["whole"]


@pytest.mark.qgis
def test_qgis_reads_every_format_that_it_knows(folder: Path, tmp_path: Path) -> None:
    sources = {
        "gpkg": {"source": f"{folder}/town.gpkg|layername=places", "style": "default"},
        "sld": {
            "source": f"{folder}/town.gpkg|layername=places",
            "style": f"{folder}/places.sld",
        },
        "geojson": {"source": f"{folder}/places.geojson", "style": f"{folder}/places.qml"},
        "geojsonl": {"source": f"{folder}/places.geojsonl", "style": f"{folder}/places.qml"},
        "fgb": {"source": f"{folder}/places.fgb", "style": f"{folder}/places.qml"},
        "kml": {"source": f"{folder}/places.kml"},
        "shp": {"source": f"/vsizip/{folder}/places.shp.zip"},
    }
    for name in ("gpkg", "geojson", "fgb", "sld"):
        sources[name]["png"] = str(tmp_path / f"{name}.png")
    seen = ask_qgis(tmp_path, sources=sources)["layers"]
    frame = awkward()
    painted = paint(layer(), frame, "zh")
    fills = [painted.styles[key].fill for key in painted.keys]
    wanted = dict(zip(frame["code"], fills, strict=True))
    systems = {"gpkg": "EPSG:4549", "fgb": "EPSG:4549", "shp": "EPSG:4549", "sld": "EPSG:4549"}
    for name, told in seen.items():
        assert told["valid"], name
        assert told["count"] == 25, name
        assert told["crs"] == systems.get(name, "EPSG:4326"), name
        if sources[name].get("style"):
            assert told["colours"] == wanted, name
        if "png" in sources[name]:
            for code, pixel in told["pixels"].items():
                assert near(pixel, over_white(wanted[code], 0.7)), (name, code)
    told = seen["gpkg"]
    assert told["aliases"]["value"] == "数值"
    assert told["widgets"]["kind"] == "ValueMap"
    assert told["renderer"] == "RuleRenderer"  # one square has no value
    assert [label for label, _ in told["classes"]] == [item.label for item in painted.legend]


def over_white(colour: str, opacity: float) -> list[float]:
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return [opacity * part + (1 - opacity) * 255 for part in parts]


def near(colour: str, parts: list[float]) -> bool:
    found = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return all(abs(a - b) <= 2 for a, b in zip(found, parts, strict=True))


@pytest.mark.qgis
@pytest.mark.parametrize(
    ("crs", "authority", "first"),
    [
        ("CRS84", "EPSG:4326", (120.0, 30.7)),
        ("EPSG:4490", "EPSG:4490", (120.0, 30.7)),
        ("EPSG:4528", "EPSG:4528", (40_500_000.0, 3_400_000.0)),  # zone 40, its number in front
        ("EPSG:4550", "EPSG:4550", (213_000.0, 3_410_000.0)),  # the next strip
        ("GCJ-02", "", (120.0047, 30.7)),
    ],
)
def test_desktops_know_the_system_and_its_axes(
    tmp_path: Path, crs: str, authority: str, first: tuple[float, float]
) -> None:
    formats = ["gpkg", "qgz", "fgb", "parquet", "shp"]
    export_layers(town(), tmp_path, formats=formats, crs=crs)
    seen = ask_qgis(
        tmp_path,
        sources={
            "gpkg": {"source": f"{tmp_path}/town.gpkg|layername=places"},
            "fgb": {"source": f"{tmp_path}/places.fgb"},
            "shp": {"source": f"/vsizip/{tmp_path}/places.shp.zip"},
        },
        project=f"{tmp_path}/town.qgz",
    )
    for name, told in seen["layers"].items():
        assert told["valid"], name
        # A Shapefile tells EPSG:4326 by the words of ESRI.
        assert told["crs"] == authority or (not authority and "GCJ-02" in str(told)), name
        near_degrees = first[0] < 180
        off = 0.01 if near_degrees else 5000.0
        assert abs(told["extent"][0] - first[0]) < off, (name, told["extent"])
        assert abs(told["extent"][1] - first[1]) < off * 10, (name, told["extent"])
    back = gpd.read_parquet(tmp_path / "places.parquet")
    assert abs(back.total_bounds[0] - first[0]) < off
    if authority:
        assert back.crs == pyproj.CRS(authority)
        there = back.to_crs(4549).geometry
        assert there.hausdorff_distance(awkward().geometry).max() < 0.001


def test_what_a_format_cannot_do_is_said_once(tmp_path: Path) -> None:
    other = layer("others")
    made = export_layers(
        town((layer(), awkward()), (other, awkward())),
        tmp_path,
        formats=["geojson", "dxf", "shp", "fgb"],
        crs="GCJ-02",
        selection=Selection(privacy="full"),
    )
    keys = [note.key.removeprefix("export.") for note in made.notes]
    assert sorted(keys) == sorted(
        ["shifted", "dxf_metres", "dxf_attributes", "fgb_order", "shp_null", "shp_times",
         "shp_long"]
    )  # fmt: skip
    for lang in ("en", "zh"):
        assert "{" not in "".join(note.text(lang) for note in made.notes)
    (long,) = [note for note in made.notes if note.key == "export.shp_long"]
    assert long.params["count"] == 18


def test_a_heat_map_is_drawn_as_points_by_formats_that_have_none(tmp_path: Path) -> None:
    heat = STYLE.model_copy(update={"kind": "heat", "field": ""})
    points = awkward().set_geometry(awkward().representative_point())
    hot = layer("hot", "Point", symbology=heat)
    plain = (layer("plain"), awkward())
    made = export_layers(town((hot, points), plain), tmp_path, formats=["sld", "kml", "qml"])
    notes = [note for note in made.notes if note.key == "export.no_heat"]
    told = {(note.params["layer"], note.params["format"]) for note in notes}
    assert told == {("The hot", "SLD"), ("The hot", "KML")}


def test_a_maplibre_style_needs_its_data_beside_it(tmp_path: Path) -> None:
    for formats, said in ((["maplibre"], True), (["maplibre", "geojson"], False)):
        folder = tmp_path / formats[-1]
        folder.mkdir()
        made = export_layers(town(), folder, formats=formats)
        assert ("export.maplibre_data" in [note.key for note in made.notes]) is said


def test_gcj_02_is_half_a_kilometre_off_and_named(tmp_path: Path) -> None:
    export_layers(town(), tmp_path, formats=["gpkg"], crs="gcj-02")
    back = pyogrio.read_dataframe(tmp_path / "town.gpkg", layer="places")
    assert "GCJ-02" in back.crs.name
    moved = back.set_crs(4326, allow_override=True).to_crs(4549).centroid
    off = moved.distance(awkward().centroid)
    assert off.between(300, 700).all()


def test_unknown_words_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CrsError, match="no coordinate system"):
        export_layers(town(), tmp_path, crs="EPSG:nonsense")
    for given, says in (
        (Selection(columns=["lakes"]), "no exported layer|No exported layer"),
        (Selection(areas=["X"]), "no grid of any level"),
        (Selection(privacy="some"), "no level of privacy"),  # type: ignore[arg-type]
    ):
        with pytest.raises(OutputError, match=says):
            export_layers(town(), tmp_path, selection=given)
    assert list(tmp_path.iterdir()) == []


def test_names_that_mean_something_to_a_database(tmp_path: Path) -> None:
    names = ["select", "fid", "geom", "group", "ogc_fid"]
    fields = {"code": field("string", "编码"), **{n: field("string", n) for n in names}}
    one = layer("order", fields=fields, symbology=None, label="")
    frame = awkward()[["code", "geometry"]].assign(**{n: n for n in names})
    export_layers(town((one, frame)), tmp_path, formats=["gpkg", "qgz", "fgb", "shp", "kml"])
    back = pyogrio.read_dataframe(tmp_path / "town.gpkg", layer="order")
    assert set(back.columns) == {"code", *names, "geometry"}
    validate_geopackage(tmp_path / "town.gpkg")


def test_an_empty_layer_and_many_fields(tmp_path: Path) -> None:
    many = {f"f{k:03d}": field("integer", f"字段{k}") for k in range(300)}
    wide = layer("wide", fields={"code": field("string", "编码"), **many}, symbology=None, label="")
    columns = pd.DataFrame(dict.fromkeys(many, 1), index=range(25))
    frame = gpd.GeoDataFrame(
        pd.concat([awkward()[["code"]], columns], axis=1), geometry=awkward().geometry
    )
    every = [name for name in FORMATS if name != "shp"]
    made = export_layers(town((layer(), awkward().head(0)), (wide, frame)), tmp_path, formats=every)
    assert "export.empty" in [note.key for note in made.notes]
    assert len(pyogrio.read_dataframe(tmp_path / "town.gpkg", layer="wide").columns) == 302
    assert len(pyogrio.read_dataframe(tmp_path / "town.gpkg", layer="places")) == 0
    with pytest.raises(OutputError, match="has 301 fields, a Shapefile at most 255"):
        export_layers(town((wide, frame)), tmp_path, formats=["shp"])


def test_mixed_geometries_are_refused_by_formats_of_one_type(tmp_path: Path) -> None:
    frame = awkward()
    shapes = frame.geometry.to_numpy().copy()
    shapes[2] = shapely.LineString([(500_000, 3_400_000), (500_001, 3_400_000)])
    mixed = town((layer(), frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))))
    for name in ("gpkg", "fgb", "shp", "pmtiles"):
        with pytest.raises(OutputError, match="rows 3 hold LineString where Polygon is asked"):
            export_layers(mixed, tmp_path, formats=[name])
    export_layers(mixed, tmp_path, formats=["geojson", "parquet", "kml"])
    assert len(gpd.read_parquet(tmp_path / "places.parquet")) == 25


def test_rows_are_added_or_take_the_place_of_others(tmp_path: Path) -> None:
    old, folder = tmp_path / "town.gpkg", tmp_path / "new"
    folder.mkdir()
    export_layers(town(), tmp_path, formats=["gpkg"])
    moved = awkward(30).iloc[20:].reset_index(drop=True).assign(value=99.0)
    export_layers(town((layer(), moved)), folder, formats=["gpkg"], append=old)
    back = as_read(folder / "town.gpkg", layer="places")
    assert len(back) == 30
    assert (back["value"] == 99.0).sum() == 10
    assert len(as_read(old, layer="places")) == 25
    validate_geopackage(folder / "town.gpkg")
    with pytest.raises(OutputError, match="choose the same system"):
        export_layers(town(), folder, formats=["gpkg"], append=old, crs="CRS84")
    with pytest.raises(OutputError, match="Only a GeoPackage"):
        export_layers(town(), folder, formats=["fgb"], append=old)


def test_a_selection_keeps_the_classes_of_the_whole(tmp_path: Path) -> None:
    selection = Selection(
        since=pd.Timestamp("2025-01-20").to_pydatetime(), columns=["value"], privacy="none"
    )
    export_layers(town(), tmp_path, formats=["gpkg", "kml"], selection=selection)
    back = as_read(tmp_path / "town.gpkg", layer="places")
    assert set(back.columns) == {"value", "geometry"}
    assert len(back) == 6  # half past eleven at night on the 19th is before the 20th
    painted = paint(layer(), awkward())
    root = ET.parse(tmp_path / "places.kml").getroot()
    links = [mark.text for mark in root.iter(f"{{{KML['k']}}}styleUrl")]
    assert links == [f"#places.{key}" for key in painted.keys[19:]]


def test_rings_of_geojson_lines_meet(folder: Path) -> None:
    frame = pyogrio.read_dataframe(folder / "places.geojsonl")
    assert len(frame) == 25
    for shape in frame.geometry:
        for part in shapely.get_parts(shape):
            steps = [a != b for a, b in pairwise(part.exterior.coords)]
            assert all(steps)
