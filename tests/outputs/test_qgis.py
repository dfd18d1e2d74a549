"""Styles and projects for QGIS: as XML, and as a real QGIS opens, draws and prints them."""

import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from desktop import ask_qgis, validate_geopackage

from gridmap.outputs import write_layers
from gridmap.outputs.styles.qgis import qml
from gridmap.outputs.styles.symbology import paint
from gridmap.result import Analysed


def colours_of(analysed: Analysed, name: str) -> dict[str, str]:
    """The colour of every feature, by its code, as the HTML map paints it."""
    layer = analysed.city.catalog.layer(name)
    frame = analysed.frame(name)
    assert frame is not None
    painted = paint(layer, frame)
    side = "stroke" if layer.geometry == "LineString" else "fill"
    shown = [getattr(painted.styles[key], side) for key in painted.keys]
    return {str(code): fill for code, fill in zip(frame["code"], shown, strict=True)}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_layer_has_a_style_with_its_labels(sample: Analysed, lang: str) -> None:
    for layer in sample.city.catalog.in_order:
        frame = sample.frame(layer.name)
        if frame is None or layer.symbology is None:
            continue
        root = ET.fromstring(qml(layer, frame, lang))
        assert root.find("renderer-v2") is not None
        aliases = {alias.get("field"): alias.get("name") for alias in root.iter("alias")}
        assert aliases[layer.key] == layer.fields[layer.key].label.get(lang)
        if layer.symbology.kind == "categorised":
            labels = {category.get("label") for category in root.iter("category")}
            field = layer.fields[layer.symbology.field]
            assert {label.get(lang) for label in field.categories.values()} <= labels


def test_a_heat_map_leaves_the_fallback_points_out(sample: Analysed) -> None:
    frame = sample.frame("problems")
    assert frame is not None
    renderer = ET.fromstring(qml(sample.city.catalog.layer("problems"), frame)).find("renderer-v2")
    assert renderer is not None
    assert '"pile"' in str(renderer.get("weight_expression"))


@pytest.fixture(scope="module")
def seen(sample: Analysed, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a real QGIS tells of the project of the sample city."""
    folder = tmp_path_factory.mktemp("project")
    written = write_layers(sample, folder, formats=["gpkg", "qgz"], lang="zh")
    assert [path.name for path in written] == ["qinghe.gpkg", "qinghe.qgz"]
    validate_geopackage(folder / "qinghe.gpkg")
    names = [
        one.name
        for one in sample.city.catalog.in_order
        if "geometry" in getattr(sample.frame(one.name), "columns", ())
    ]
    sources = {
        name: {"source": f"{folder}/qinghe.gpkg|layername={name}", "style": "default"}
        for name in names
    }
    told = ask_qgis(
        folder, sources=sources, project=str(folder / "qinghe.qgz"), layouts=str(folder)
    )
    return {**told, "folder": folder, "names": names}


@pytest.mark.qgis
def test_qgis_opens_every_layer_with_the_colours_of_the_map(
    sample: Analysed, seen: dict[str, Any]
) -> None:
    for name in seen["names"]:
        layer, frame = sample.city.catalog.layer(name), sample.frame(name)
        assert frame is not None
        # The file itself, and the project over it.
        for told in (seen["layers"][name], seen["layers"][layer.title.zh]):
            assert told["crs"] == "EPSG:4549"
            assert told["count"] == len(frame)
            assert told["aliases"][layer.key] == layer.fields[layer.key].label.zh
            if layer.symbology is not None and layer.symbology.kind == "heat":
                assert told["renderer"] == "heatmapRenderer"
            elif "code" in frame and frame["code"].is_unique:
                assert told["colours"] == colours_of(sample, name), name


@pytest.mark.qgis
def test_the_project_has_groups_order_and_the_maps_as_themes(
    sample: Analysed, seen: dict[str, Any]
) -> None:
    catalog = sample.city.catalog
    assert seen["read"]
    assert seen["crs"] == "EPSG:4549"
    assert seen["title"] == sample.city.title.zh
    assert seen["groups"] == ["分析结果", "基础数据"]
    heights = {"Point": 3, "LineString": 1, "Polygon": 0}
    titles = {catalog.layer(name).title.zh: catalog.layer(name) for name in seen["names"]}
    # The grids are outlines, which roads beneath them do not hide.
    drawn = [2 if title == "网格" else heights[titles[title].geometry] for title in seen["order"]]
    assert drawn == sorted(drawn, reverse=True)
    assert {"网格工作量", "问题热力图", "打印图幅"} <= set(seen["themes"])
    assert set(seen["visible"]) == {"网格工作量", "网格", "道路"}
    assert seen["layers"]["网格"]["labels"].endswith('THEN "name" END')


@pytest.mark.qgis
def test_sheets_are_printed_for_every_grid_and_community(
    sample: Analysed, seen: dict[str, Any]
) -> None:
    grids = sample.city.layers["grids"]["level"].value_counts()
    assert {name: told["pages"] for name, told in seen["layouts"].items()} == {
        "网格图幅 A4": grids["grid"],
        "网格图幅 A3": grids["grid"],
        "社区图幅 A3": grids["community"],
    }
    for name, told in seen["layouts"].items():
        assert told["done"] == 0
        assert set(told["items"]) >= {
            "QgsLayoutItemMap", "QgsLayoutItemLegend", "QgsLayoutItemScaleBar",
            "QgsLayoutItemPicture", "QgsLayoutItemLabel",
        }  # fmt: skip
        paper = (seen["folder"] / f"{name}.pdf").read_bytes()
        assert paper.startswith(b"%PDF")
        assert paper.count(b"/Type /Page\n") in (0, told["pages"])


def test_a_project_is_the_same_text_for_the_same_city(sample: Analysed, tmp_path: Path) -> None:
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        write_layers(sample, tmp_path / number, formats=["qgz"], names=["grids", "roads"])
    one, other = (tmp_path / number / "qinghe.qgz" for number in ("1", "2"))
    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        text = archive.read("qinghe.qgs").decode("utf-8")
    root = ET.fromstring(text.partition("\n")[2])
    assert root.find("projectlayers/maplayer/datasource") is not None
    # Relative, so that both files can be moved together.
    sources = {str(source.text) for source in root.iter("datasource")}
    assert sources == {"./qinghe.gpkg|layername=grids", "./qinghe.gpkg|layername=roads"}
    assert "审图号" not in text
    assert "Map review number" in text
