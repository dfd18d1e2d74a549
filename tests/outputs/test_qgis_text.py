"""Labels as QGIS reads them, attribute by attribute: what QGIS does not know it passes over."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from gridmap.catalog import Labels, Scales
from gridmap.outputs.styles.qgis_text import labeling, literal_in, name_in, rgba, text_style

FAMILIES = (
    '<families><family name="Microsoft YaHei" /><family name="PingFang SC" />'
    '<family name="Noto Sans CJK SC" /><family name="WenQuanYi Micro Hei" /></families>'
)


def buffer(draw: int, size: str, colour: str) -> str:
    return (
        f'<text-buffer bufferDraw="{draw}" bufferSize="{size}" bufferSizeUnits="MM" '
        f'bufferColor="{colour}" bufferOpacity="1" bufferNoFill="1" bufferJoinStyle="128" />'
    )


def test_a_text_has_fonts_with_chinese_and_a_halo_where_one_is_asked_for() -> None:
    said = ET.tostring(text_style(9.0, "#1a202c"), encoding="unicode")
    assert said == (
        '<text-style fieldName="" isExpression="0" fontFamily="Microsoft YaHei" fontSize="9" '
        'fontSizeUnit="Point" fontWeight="50" textColor="26,32,44,255" textOpacity="1">'
        f"{FAMILIES}{buffer(0, '0.000', '255,255,255,255')}</text-style>"
    )
    made = text_style(10.5, "#ff0000", halo="#00ff00", halo_mm=0.5, bold=True, field="a",
                      expression=True)  # fmt: skip
    assert ET.tostring(made, encoding="unicode") == (
        '<text-style fieldName="a" isExpression="1" fontFamily="Microsoft YaHei" fontSize="10.5" '
        'fontSizeUnit="Point" fontWeight="75" textColor="255,0,0,255" textOpacity="1">'
        f"{FAMILIES}{buffer(1, '0.500', '0,255,0,255')}</text-style>"
    )
    for halo, width in (("", 0.5), ("#00ff00", 0.0)):
        bare = text_style(9.0, "#1a202c", halo=halo, halo_mm=width).find("text-buffer")
        assert bare is not None
        assert bare.attrib["bufferDraw"] == "0"


@pytest.mark.parametrize(
    ("geometry", "placement", "repeat", "obstacle"),
    [("Point", "6", "0", "1"), ("LineString", "3", "60", "0"), ("Polygon", "4", "0", "0")],
)
def test_labels_are_placed_by_the_kind_of_geometry(
    geometry: str, placement: str, repeat: str, obstacle: str
) -> None:
    labels = Labels(field="name", size=12, colour="#1a202c", halo="#ffffff", halo_width=2)
    made = labeling(labels, geometry, "kind")
    (settings,) = made
    style = settings[0]
    assert (style.attrib["fieldName"], style.attrib["fontSize"]) == ("name", "9")
    halo = style.find("text-buffer")
    assert halo is not None
    assert (halo.attrib["bufferDraw"], halo.attrib["bufferSize"]) == ("1", "0.529")
    settings.remove(style)
    assert ET.tostring(made, encoding="unicode") == (
        '<labeling type="simple"><settings calloutType="simple">'
        '<text-format multilineAlign="3" formatNumbers="0" />'
        f'<placement placement="{placement}" placementFlags="10" '
        'predefinedPositionOrder="TR,TL,BR,BL,R,L,TSR,BSR" dist="0.5" distUnits="MM" '
        f'centroidInside="1" repeatDistance="{repeat}" repeatDistanceUnits="MM" />'
        f'<rendering drawLabels="1" displayAll="0" mergeLines="1" obstacle="{obstacle}" '
        'scaleVisibility="0" scaleMin="0" scaleMax="1000000000" />'
        "</settings></labeling>"
    )


def test_scales_and_classes_limit_what_is_written() -> None:
    scales = Scales(nearest=500, farthest=20_000)
    made = labeling(Labels(field='na"me', classes=("it's", "b"), scales=scales), "Point", "kind")
    rendering = made.find("settings/rendering")
    assert rendering is not None
    limits = [rendering.attrib[f"scale{name}"] for name in ("Visibility", "Min", "Max")]
    assert limits == ["1", "500", "20000"]
    style = made.find("settings/text-style")
    assert style is not None
    assert style.attrib["isExpression"] == "1"
    assert style.attrib["fieldName"] == ("""CASE WHEN "kind" IN ('it''s', 'b') THEN "na""me" END""")


def test_names_texts_and_colours_as_an_expression_has_them() -> None:
    assert name_in('a"b') == '"a""b"'
    assert literal_in("it's") == "'it''s'"
    assert rgba("#0a80ff") == "10,128,255,255"
    assert rgba("#0a80ff", 0.5) == "10,128,255,128"
