"""A QGIS project as XML: what is in it, in which order, by which style, and what is printed."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pytest
from shapes import EAST, NORTH, grid_of
from towns import conformed, lines, squares, town

from gridmap.measures.analyse import analyse
from gridmap.outputs import write_layers
from gridmap.outputs.export.project import layer_id
from gridmap.result import Analysed


@pytest.fixture(scope="module")
def analysed() -> Analysed:
    """Two grids in a community, with a road and a building; the hours of the grids are known."""
    city = town(
        grid_of("ab"), squares([(50, 50)], [10]), roads=lines((0, 50, 300, 50), name=["Main"])
    )
    wide = conformed("grids", grid_of("CC").assign(level="community", name="Com"))
    grids = pd.concat([city.layers["grids"], wide], ignore_index=True)
    layers = {**city.layers, "grids": gpd.GeoDataFrame(grids, crs=city.crs)}
    made = replace(city, layers=layers, review_number="GS(2026)1号")
    return analyse(made, want=["grid_results"])


def project(analysed: Analysed, folder: Path, **options: str) -> ET.Element:
    written = write_layers(analysed, folder, formats=["qgz"], lang="en", **options)
    assert [path.name for path in written] == ["town.gpkg", "town.qgz"]
    with zipfile.ZipFile(folder / "town.qgz") as packed:
        assert packed.namelist() == ["town.qgs"]
        return ET.fromstring(packed.read("town.qgs").decode("utf-8"))


@pytest.fixture(scope="module")
def root(analysed: Analysed, tmp_path_factory: pytest.TempPathFactory) -> ET.Element:
    return project(analysed, tmp_path_factory.mktemp("qgz"))


def names_in(parent: ET.Element, path: str) -> list[str]:
    return [one.attrib["name"] for one in parent.findall(path)]


# From the top: outlines, lines, areas.
DRAWN = ["grids", "roads", "buildings", "grid_results"]


def test_layers_stand_in_groups_and_are_drawn_by_their_geometry(root: ET.Element) -> None:
    ids = [layer_id(name) for name in DRAWN]
    assert [one.attrib["id"] for one in root.findall("layerorder/layer")] == ids
    assert [one.text for one in root.findall("layer-tree-group/custom-order/item")] == ids
    assert [one.findtext("id") for one in root.findall("projectlayers/maplayer")] == ids
    groups = root.findall("layer-tree-group/layer-tree-group")
    assert [[one.attrib["id"] for one in group] for group in groups] == [ids[3:], ids[:3]]
    kinds = [one.attrib["geometry"] for one in root.findall("projectlayers/maplayer")]
    assert kinds == ["Polygon", "Line", "Polygon", "Polygon"]
    sources = {one.findtext("datasource") for one in root.findall("projectlayers/maplayer")}
    assert sources == {f"./town.gpkg|layername={name}" for name in DRAWN}
    assert root.findtext("projectCrs/spatialrefsys/authid") == "EPSG:4549"
    assert root.findtext("projectCrs/spatialrefsys/geographicflag") == "false"
    assert root.findtext("mapcanvas/units") == "meters"
    assert root.findtext("title") == "Town"


def test_the_map_opens_on_the_areas_not_on_what_runs_out_of_them(root: ET.Element) -> None:
    extent = [float(one.text or "") for one in root.findall("mapcanvas/extent/*")]
    assert extent == pytest.approx([EAST, NORTH, EAST + 200, NORTH + 100])


def test_grids_open_as_outlines_and_keep_their_own_styles(
    root: ET.Element, analysed: Analysed
) -> None:
    managers = {
        one.findtext("id"): one.find("map-layer-style-manager")
        for one in root.findall("projectlayers/maplayer")
    }
    grids = managers[layer_id("grids")]
    assert grids is not None
    assert grids.attrib["current"] == "sheet"
    styles = list(analysed.city.catalog.layer("grids").styles)
    assert sorted(names_in(grids, "map-layer-style")) == sorted(["sheet", "default", *styles])
    roads = managers[layer_id("roads")]
    assert roads is not None
    assert roads.attrib["current"] == "default"
    assert names_in(roads, "map-layer-style")[0] == "default"
    assert root.find("projectlayers/maplayer/renderer-v2") is not None


def test_maps_that_can_be_shown_are_themes_and_the_sheet_comes_last(
    root: ET.Element, analysed: Analysed
) -> None:
    catalog = analysed.city.catalog
    presets = root.findall("visibility-presets/visibility-preset")
    titles = [one.attrib["name"] for one in presets]
    assert titles[0] == catalog.map("workload").title.en
    assert catalog.map("hotspots").title.en not in titles
    sheet = {one.attrib["id"]: one.attrib["style"] for one in presets[-1]}
    assert sheet[layer_id("grids")] == "sheet"
    assert sheet[layer_id("roads")] == "default"
    assert sheet[layer_id("grid_results")] == "default"
    checked = {
        one.attrib["id"]: one.attrib["checked"]
        for one in root.findall("layer-tree-group/layer-tree-group/layer-tree-layer")
    }
    for name in DRAWN:
        on = layer_id(name) in sheet
        assert checked[layer_id(name)] == ("Qt::Checked" if on else "Qt::Unchecked")


def test_an_atlas_of_the_finest_level_and_one_of_the_level_above_it(root: ET.Element) -> None:
    layouts = root.findall("Layouts/Layout")
    atlases = [one.find("Atlas") for one in layouts]
    filters = [one.attrib["featureFilter"] for one in atlases if one is not None]
    assert filters == ["\"level\" = 'grid'"] * 2 + ["\"level\" = 'community'"]
    assert [one.attrib["name"][-2:] for one in layouts] == ["A4", "A3", "A3"]
    texts = [one.attrib.get("labelText", "") for one in layouts[0].iter("LayoutItem")]
    foot = next(text for text in texts if "2026-01-01" in text)
    assert "GS(2026)1号" in foot
    assert "Drawn for a test" in foot


def test_without_a_review_number_there_is_a_dash_and_without_maps_no_sheet(
    analysed: Analysed, tmp_path: Path
) -> None:
    bare = replace(analysed, city=replace(analysed.city, review_number=""))
    (tmp_path / "bare").mkdir()
    root = project(bare, tmp_path / "bare")
    texts = [one.attrib.get("labelText", "") for one in root.iter("LayoutItem")]
    assert any(text.endswith("–") for text in texts)
    only = replace(bare, results={}, city=replace(bare.city, layers={
        "roads": bare.city.layers["roads"]
    }))  # fmt: skip
    (tmp_path / "only").mkdir()
    root = project(only, tmp_path / "only")
    extent = [float(one.text or "") for one in root.findall("mapcanvas/extent/*")]
    assert extent == pytest.approx([EAST, NORTH + 50, EAST + 300, NORTH + 50])
    assert [one.attrib["id"] for one in root.findall("layerorder/layer")] == [layer_id("roads")]
