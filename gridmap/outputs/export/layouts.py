"""Print layouts of a QGIS project: A4 and A3 sheets of every grid, and an atlas of communities.

Each has the map, title, legend, scale bar, north arrow, date, source and map review number.
Element and attribute names are those that QGIS 3.22 writes; lengths are millimetres.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from gridmap.outputs.styles.qgis import options
from gridmap.outputs.styles.qgis_text import FONTS, rgba, text_style

__all__ = ["Atlas", "Sheet", "layouts_of"]

_NAMESPACE = uuid.UUID("0c9b6a52-4a8e-4f0b-8a55-0e5d6f2c7b11")
_PAPER = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
_MARGIN, _GAP = 10.0, 4.0
_HEAD, _FOOT = 12.0, 12.0  # heights of the title and of the lines at the foot
_PAGE, _MAP, _PICTURE, _LABEL, _LEGEND, _BAR = 65638, 65639, 65640, 65641, 65642, 65646
_ALIGN = {"left": "1", "right": "2", "centre": "4"}
_ARROW = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 60">'
    '<path d="M20 14 L32 56 L20 47 Z" fill="#1a202c"/>'
    '<path d="M20 14 L8 56 L20 47 Z" fill="#ffffff" stroke="#1a202c" stroke-width="1.2"/>'
    '<path d="M15.5 11 V1 L24.5 11 V1" fill="none" stroke="#1a202c" stroke-width="2"/></svg>'
)


@dataclass(frozen=True)
class Atlas:
    """One page for each area of a level.

    Parameters
    ----------
    name : str
        Of the layout, before the size of the paper.
    level : str
        Of the layer ``grids``.
    layer, source : str
        Identifier and source of that layer in the project.
    papers : tuple of str
    """

    name: str
    level: str
    layer: str
    source: str
    papers: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """What stands on the sheets.

    Parameters
    ----------
    title : str
        Of the map; that of the area follows.
    theme : str
        Name of the theme that the map follows.
    legend_title : str
    legend : sequence of Element
        The layers of the legend, from the top.
    foot : str
        Date, source and map review number.
    extent : tuple of float
        Of everything, for a layout without an atlas.
    atlases : tuple of Atlas
        If there is none, one layout shows everything.
    """

    title: str
    theme: str
    legend_title: str
    legend: Sequence[ET.Element]
    foot: str
    extent: tuple[float, float, float, float]
    atlases: tuple[Atlas, ...]


def layouts_of(sheet: Sheet) -> ET.Element:
    """Return the element ``Layouts`` of a project."""
    layouts = ET.Element("Layouts")
    for atlas in sheet.atlases:
        for paper in atlas.papers:
            layouts.append(_layout(sheet, paper, atlas))
    if not sheet.atlases:
        for paper in _PAPER:
            layouts.append(_layout(sheet, paper, None))
    return layouts


def _layout(sheet: Sheet, paper: str, atlas: Atlas | None) -> ET.Element:
    wide, high = _PAPER[paper]
    grow = wide / _PAPER["A4"][0]
    name = f"{atlas.name} {paper}" if atlas else f"{sheet.title} {paper}"
    layout = ET.Element("Layout", name=name, units="mm", printResolution="300", worldFileMap="")
    pages = ET.SubElement(layout, "PageCollection")
    _page_symbol(pages)
    page = _item(pages, _PAGE, f"{name}/page", (0, 0, wide, high), layer=0)
    _page_symbol(page)
    side = 62.0 * grow
    top = _MARGIN + _HEAD * grow
    bottom = high - _MARGIN - _FOOT * grow
    main = (_MARGIN, top, wide - 2 * _MARGIN - side - _GAP, bottom - top)
    left = wide - _MARGIN - side
    map_id = _uuid(f"{name}/map")
    _map(layout, name, main, sheet, atlas is not None)
    said = f'{sheet.title}  [% coalesce("name", "code", \'\') %]' if atlas else sheet.title
    head = (_MARGIN, _MARGIN - 2, wide - 2 * _MARGIN, _HEAD * grow)
    _label(layout, f"{name}/title", said, head, 18 * grow, bold=True, align="centre")
    north = (main[0] + main[2] - 15 * grow, top + 3 * grow, 12 * grow, 17 * grow)
    _arrow(layout, f"{name}/north", north, map_id)
    _legend(layout, f"{name}/legend", (left, top, side, 60), sheet, map_id, grow)
    bar = (_MARGIN, bottom + 1, 90 * grow, 11 * grow)
    _scale_bar(layout, f"{name}/bar", bar, map_id, grow)
    foot = (_MARGIN + 95 * grow, bottom + 2, wide - 2 * _MARGIN - 95 * grow, _FOOT * grow)
    _label(layout, f"{name}/foot", sheet.foot, foot, 9 * grow, align="right")
    custom = ET.SubElement(layout, "customproperties")
    options(custom, {"atlasRasterFormat": "png", "singleFile": "true"})
    _atlas(layout, atlas)
    return layout


def _uuid(name: str) -> str:
    return "{" + str(uuid.uuid5(_NAMESPACE, name)) + "}"


def _item(
    parent: ET.Element,
    kind: int,
    name: str,
    box: tuple[float, float, float, float],
    *,
    layer: int = 1,
    frame: bool = False,
    background: bool = False,
    **more: str,
) -> ET.Element:
    x, y, wide, high = box
    place = f"{x:g},{y:g},mm"
    said = {
        "type": str(kind),
        "uuid": _uuid(name),
        "templateUuid": _uuid(name),
        "id": name.rpartition("/")[2],
        "position": place,
        "positionOnPage": place,
        "size": f"{wide:g},{high:g},mm",
        "zValue": str(layer),
        "frame": str(frame).lower(),
        "background": str(background).lower(),
        "visibility": "1",
        "opacity": "1",
        "referencePoint": "0",
        "outlineWidthM": "0.3,mm",
        "itemRotation": "0",
        "blendMode": "0",
    }
    item = ET.SubElement(parent, "LayoutItem", {**said, **more})
    ET.SubElement(item, "FrameColor", red="74", green="85", blue="104", alpha="255")
    ET.SubElement(item, "BackgroundColor", red="255", green="255", blue="255", alpha="255")
    return item


def _page_symbol(parent: ET.Element) -> None:
    symbol = ET.SubElement(parent, "symbol", type="fill", name="", alpha="1", clip_to_extent="1")
    layer = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"})
    options(layer, {"color": rgba("#ffffff"), "style": "solid", "outline_style": "no"})


def _map(layout: ET.Element, name: str, box: tuple[float, ...], sheet: Sheet, driven: bool) -> None:
    item = _item(
        layout,
        _MAP,
        f"{name}/map",
        (box[0], box[1], box[2], box[3]),
        frame=True,
        background=True,
        followPreset="true",
        followPresetName=sheet.theme,
        mapRotation="0",
        drawCanvasItems="true",
        keepLayerSet="false",
        mapFlags="0",
        labelMargin="0,mm",
    )
    west, south, east, north = _fitted(sheet.extent, box[2] / box[3])
    ET.SubElement(
        item, "Extent", xmin=repr(west), ymin=repr(south), xmax=repr(east), ymax=repr(north)
    )
    ET.SubElement(item, "AtlasMap", atlasDriven=str(int(driven)), scalingMode="2", margin="0.08")


def _fitted(extent: tuple[float, ...], ratio: float) -> tuple[float, float, float, float]:
    """Return an extent of that ratio of width to height around another."""
    west, south, east, north = extent
    wide, high = 1.05 * (east - west), 1.05 * (north - south)
    wide, high = max(wide, high * ratio), max(high, wide / ratio)
    x, y = (west + east) / 2, (south + north) / 2
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _label(
    layout: ET.Element,
    name: str,
    text: str,
    box: tuple[float, float, float, float],
    points: float,
    *,
    bold: bool = False,
    align: str = "left",
) -> None:
    item = _item(
        layout,
        _LABEL,
        name,
        box,
        labelText=text,
        htmlState="0",
        halign=_ALIGN[align],
        valign="128",
        marginX="0",
        marginY="0",
    )
    ET.SubElement(item, "LabelFont", description=_font(points, bold=bold), style="")
    ET.SubElement(item, "FontColor", red="26", green="32", blue="44", alpha="255")


def _font(points: float, *, bold: bool = False) -> str:
    """Return a font as Qt 5 writes it down; Qt finds another one for signs that it lacks."""
    return f"{FONTS[0]},{points:g},-1,5,{75 if bold else 50},0,0,0,0,0"


def _arrow(
    layout: ET.Element, name: str, box: tuple[float, float, float, float], map_id: str
) -> None:
    picture = base64.b64encode(_ARROW.encode()).decode()
    _item(
        layout,
        _PICTURE,
        name,
        box,
        layer=2,
        background=True,
        file=f"base64:{picture}",
        mode="0",
        resizeMode="0",
        anchorPoint="4",
        northMode="0",
        northOffset="0",
        pictureRotation="0",
        mapUuid=map_id,
    )


def _legend(
    layout: ET.Element,
    name: str,
    box: tuple[float, float, float, float],
    sheet: Sheet,
    map_id: str,
    grow: float,
) -> None:
    item = _item(
        layout,
        _LEGEND,
        name,
        box,
        background=True,
        title=sheet.legend_title,
        titleAlignment="1",
        map_uuid=map_id,
        legendFilterByMap="0",
        legendFilterByAtlas="0",
        resizeToContents="1",
        columnCount="1",
        symbolWidth=f"{6 * grow:g}",
        symbolHeight=f"{3.5 * grow:g}",
        boxSpace="0",
        wrapChar="",
        lineSpacing="1",
    )
    styles = ET.SubElement(item, "styles")
    kinds: tuple[tuple[str, float, bool, dict[str, str]], ...] = (
        ("title", 12, True, {"marginBottom": "2"}),
        ("group", 10, True, {"marginTop": "3"}),
        ("subgroup", 9.5, True, {"marginTop": "3"}),
        ("symbol", 9, False, {"marginTop": "1.5"}),
        ("symbolLabel", 9, False, {"marginTop": "1.5", "marginLeft": "2"}),
    )
    for kind, points, bold, margin in kinds:
        style = ET.SubElement(
            styles, "style", {"name": kind, "alignment": "1", "indent": "0", **margin}
        )
        ET.SubElement(style, "styleFont", description=_font(points * grow, bold=bold), style="")
    tree = ET.SubElement(item, "layer-tree-group")
    tree.extend(sheet.legend)


def _scale_bar(
    layout: ET.Element,
    name: str,
    box: tuple[float, float, float, float],
    map_id: str,
    grow: float,
) -> None:
    item = _item(
        layout,
        _BAR,
        name,
        box,
        mapUuid=map_id,
        style="Single Box",
        unitType="meters",
        unitLabel="m",
        numMapUnitsPerScaleBarUnit="1",
        numUnitsPerSegment="100",
        numSegments="2",
        numSegmentsLeft="0",
        segmentSizeMode="1",
        minBarWidth=f"{30 * grow:g}",
        maxBarWidth=f"{70 * grow:g}",
        height=f"{2 * grow:g}",
        labelBarSpace="1",
        boxContentSpace="0",
        alignment="0",
        outlineWidth="0.2",
    )
    item.append(text_style(8 * grow, "#1a202c"))
    for tag, colour in (("fillColor", "0"), ("fillColor2", "255")):
        ET.SubElement(item, tag, red=colour, green=colour, blue=colour, alpha="255")


def _atlas(layout: ET.Element, atlas: Atlas | None) -> None:
    if atlas is None:
        ET.SubElement(layout, "Atlas", enabled="0")
        return
    level = atlas.level.replace("'", "''")
    ET.SubElement(
        layout,
        "Atlas",
        enabled="1",
        coverageLayer=atlas.layer,
        coverageLayerName="grids",
        coverageLayerSource=atlas.source,
        coverageLayerProvider="ogr",
        filterFeatures="1",
        featureFilter=f"\"level\" = '{level}'",
        sortFeatures="1",
        sortKey='"code"',
        sortAscending="1",
        hideCoverage="0",
        pageNameExpression='"name"',
        filenamePattern="'" + atlas.name + '_\' || "code"',
    )
