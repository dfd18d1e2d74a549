"""Print layouts: what stands where on a sheet, in millimetres, by the measures of the paper."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
import shapely

from gridmap.outputs.export.layouts import Atlas, Sheet, layouts_of

EXTENT = (100.0, 200.0, 500.0, 400.0)
GRIDS = Atlas("Grids", "grid", "grids_1", "grids.gpkg", ("A4", "A3"))


def sheet(*atlases: Atlas) -> Sheet:
    legend = [ET.Element("layer-tree-layer", name="Grids")]
    return Sheet("Town", "theme", "Legend", legend, "2025, GS(2026)1", EXTENT, atlases)


def items(layout: ET.Element) -> dict[str, ET.Element]:
    return {item.attrib["id"]: item for item in layout.iter("LayoutItem")}


def box(item: ET.Element) -> shapely.Polygon:
    x, y, _ = item.attrib["position"].split(",")
    wide, high, _ = item.attrib["size"].split(",")
    return shapely.box(float(x), float(y), float(x) + float(wide), float(y) + float(high))


@pytest.mark.parametrize(("paper", "wide", "high"), [("A4", 297.0, 210.0), ("A3", 420.0, 297.0)])
def test_nothing_lies_on_another_or_off_the_paper(paper: str, wide: float, high: float) -> None:
    (layout,) = (one for one in layouts_of(sheet()) if one.attrib["name"] == f"Town {paper}")
    found = items(layout)
    assert list(found) == ["page", "map", "title", "north", "legend", "bar", "foot"]
    assert box(found["page"]).bounds == (0, 0, wide, high)
    grow = wide / 297.0
    for name, item in found.items():
        assert item.attrib["positionOnPage"] == item.attrib["position"]
        if name not in ("page", "title"):
            inner = shapely.box(10, 10, wide - 10, high - 10 + 2)
            assert box(item).buffer(-0.01).within(inner), name
    for one, other in combinations([name for name in found if name not in ("page", "north")], 2):
        assert not box(found[one]).buffer(-0.01).intersects(box(found[other])), (one, other)
    assert box(found["north"]).within(box(found["map"]))
    west, south, east, north = box(found["map"]).bounds
    assert (west, south) == pytest.approx((10, 10 + 12 * grow), abs=1e-3)
    assert (east, north) == pytest.approx(
        (wide - 10 - 62 * grow - 4, high - 10 - 12 * grow), abs=1e-3
    )
    assert box(found["legend"]).bounds[2] == pytest.approx(wide - 10, abs=1e-3)
    assert box(found["foot"]).bounds[2] == pytest.approx(wide - 10, abs=1e-3)
    kinds = {name: item.attrib["type"] for name, item in found.items()}
    assert kinds == {
        "page": "65638", "map": "65639", "title": "65641", "north": "65640", "legend": "65642",
        "bar": "65646", "foot": "65641",
    }  # fmt: skip
    assert found["title"].attrib["labelText"] == "Town"
    assert found["foot"].attrib["labelText"] == "2025, GS(2026)1"
    assert found["bar"].attrib["mapUuid"] == found["map"].attrib["uuid"]
    assert found["legend"].attrib["map_uuid"] == found["map"].attrib["uuid"]
    fonts = [font.attrib["description"].split(",") for font in layout.iter("LabelFont")]
    assert [float(font[1]) for font in fonts] == pytest.approx([18 * grow, 9 * grow], rel=1e-4)
    assert [font[4] for font in fonts] == ["75", "50"]


def test_the_map_shows_all_of_the_extent_with_a_little_room() -> None:
    for layout in layouts_of(sheet()):
        found = items(layout)["map"].find("Extent")
        assert found is not None
        west, south, east, north = (
            float(found.attrib[name]) for name in ("xmin", "ymin", "xmax", "ymax")
        )
        assert ((west + east) / 2, (south + north) / 2) == pytest.approx((300, 300))
        assert east - west == pytest.approx(1.05 * 400)
        x0, y0, x1, y1 = box(items(layout)["map"]).bounds
        assert (east - west) / (north - south) == pytest.approx((x1 - x0) / (y1 - y0), rel=1e-4)
    high = Sheet("Town", "theme", "Legend", [], "foot", (0.0, 0.0, 100.0, 1000.0), ())
    found = items(next(iter(layouts_of(high))))["map"].find("Extent")
    assert found is not None
    assert float(found.attrib["ymax"]) - float(found.attrib["ymin"]) == pytest.approx(1050)


def test_an_atlas_has_a_layout_for_each_of_its_papers() -> None:
    names = [one.attrib["name"] for one in layouts_of(sheet(GRIDS))]
    assert names == ["Grids A4", "Grids A3"]
    layout = layouts_of(sheet(GRIDS))[0]
    map_ = items(layout)["map"].find("AtlasMap")
    assert map_ is not None
    assert map_.attrib["atlasDriven"] == "1"
    assert items(layout)["title"].attrib["labelText"].startswith("Town  [%")
    atlas = layout.find("Atlas")
    assert atlas is not None
    assert atlas.attrib["enabled"] == "1"
    assert "grids_1" in atlas.attrib.values()
    alone = layouts_of(sheet())[0]
    map_ = items(alone)["map"].find("AtlasMap")
    assert map_ is not None
    assert map_.attrib["atlasDriven"] == "0"
    assert len({item.attrib["uuid"] for item in layout.iter("LayoutItem")}) == 7
