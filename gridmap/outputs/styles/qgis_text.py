"""Text in QGIS: what is written at features, in fonts that have Chinese on every system."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from gridmap.catalog import Labels, Scales

__all__ = ["FONTS", "MM", "labeling", "literal_in", "name_in", "rgba", "text_style"]

FONTS = ("Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "WenQuanYi Micro Hei")
MM = 25.4 / 96  # a pixel of a page
_POINTS = 72 / 96
_AROUND, _CURVED, _HORIZONTAL = "6", "3", "4"  # QgsPalLayerSettings.Placement
_PLACEMENT = {"Point": _AROUND, "LineString": _CURVED, "Polygon": _HORIZONTAL}


def labeling(labels: Labels, geometry: str, field: str) -> ET.Element:
    """Return how QGIS writes at features; `field` tells their classes."""
    labeling = ET.Element("labeling", type="simple")
    settings = ET.SubElement(labeling, "settings", calloutType="simple")
    settings.append(
        text_style(
            labels.size * _POINTS,
            labels.colour,
            halo=labels.halo,
            halo_mm=labels.halo_width * MM,
            field=_shown_by(labels, field),
            expression=bool(labels.classes),
        )
    )
    ET.SubElement(settings, "text-format", multilineAlign="3", formatNumbers="0")
    ET.SubElement(
        settings,
        "placement",
        placement=_PLACEMENT[geometry],
        placementFlags="10",
        predefinedPositionOrder="TR,TL,BR,BL,R,L,TSR,BSR",
        dist="0.5",
        distUnits="MM",
        centroidInside="1",
        repeatDistance="60" if geometry == "LineString" else "0",
        repeatDistanceUnits="MM",
    )
    scales = labels.scales
    ET.SubElement(
        settings,
        "rendering",
        drawLabels="1",
        displayAll="0",
        mergeLines="1",
        obstacle=str(int(geometry == "Point")),
        scaleVisibility=str(int(scales != Scales())),
        scaleMin=f"{scales.nearest:g}",
        scaleMax=f"{scales.farthest or 1e9:.0f}",
    )
    return labeling


def _shown_by(labels: Labels, field: str) -> str:
    """Return the field that is written, or an expression that is empty for other classes."""
    if not labels.classes:
        return labels.field
    classes = ", ".join(literal_in(value) for value in labels.classes)
    return f"CASE WHEN {name_in(field)} IN ({classes}) THEN {name_in(labels.field)} END"


def name_in(field: str) -> str:
    """Return a field as an expression names it."""
    return '"' + field.replace('"', '""') + '"'


def literal_in(value: str) -> str:
    """Return a text as an expression has it."""
    return "'" + value.replace("'", "''") + "'"


def text_style(
    points: float,
    colour: str,
    *,
    halo: str = "",
    halo_mm: float = 0.0,
    bold: bool = False,
    field: str = "",
    expression: bool = False,
) -> ET.Element:
    """Return a text format of QGIS whose fonts have Chinese on every system."""
    style = ET.Element(
        "text-style",
        fieldName=field,
        isExpression=str(int(expression)),
        fontFamily=FONTS[0],
        fontSize=f"{points:g}",
        fontSizeUnit="Point",
        fontWeight="75" if bold else "50",
        textColor=rgba(colour),
        textOpacity="1",
    )
    families = ET.SubElement(style, "families")
    for name in FONTS:
        ET.SubElement(families, "family", name=name)
    ET.SubElement(
        style,
        "text-buffer",
        bufferDraw=str(int(bool(halo) and halo_mm > 0)),
        bufferSize=f"{halo_mm:.3f}",
        bufferSizeUnits="MM",
        bufferColor=rgba(halo or "#ffffff"),
        bufferOpacity="1",
        bufferNoFill="1",
        bufferJoinStyle="128",
    )
    return style


def rgba(colour: str, opacity: float = 1.0) -> str:
    """Return a colour as QGIS writes it: red, green, blue and opacity, each up to 255."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"
