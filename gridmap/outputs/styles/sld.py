"""The same symbology as OGC Styled Layer Descriptor 1.1 with Symbology Encoding 1.1.

For GeoServer, MapServer, deegree and whatever else reads the standard (OGC 05-078r4, 05-077r4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

import pandas as pd

from gridmap.catalog import Labels, Layer, Scales
from gridmap.outputs.styles.symbology import (
    PathStyle,
    Rule,
    label_of,
    levels_of,
    paint,
    rules_of,
    symbology_of,
    tests_of,
)

__all__ = ["sld"]

_SLD = "http://www.opengis.net/sld"
_SE = "http://www.opengis.net/se"
_OGC = "http://www.opengis.net/ogc"
_TESTS = {
    "=": "PropertyIsEqualTo",
    "!=": "PropertyIsNotEqualTo",
    ">": "PropertyIsGreaterThan",
    "<=": "PropertyIsLessThanOrEqualTo",
}
_FONTS = ("Noto Sans CJK SC", "Microsoft YaHei", "sans-serif")


def sld(layer: Layer, frame: pd.DataFrame, lang: str = "en", *, name: str = "") -> str:
    """Return the style of a layer as SLD 1.1.

    Parameters
    ----------
    layer : Layer
        With geometry and a symbology. SLD has no heat map: its points are drawn, translucent.
    frame : DataFrame
        Its rows: graduated classes are cut from them, as for a map.
    lang : str
        Of the titles.
    name : str
        Of the layer on the server; the layer's own if empty.

    Returns
    -------
    str

    Raises
    ------
    CatalogError
        If the layer has no symbology.
    """
    root = ET.Element(
        "StyledLayerDescriptor",
        {"version": "1.1.0", "xmlns": _SLD, "xmlns:se": _SE, "xmlns:ogc": _OGC},
    )
    named = ET.SubElement(root, "NamedLayer")
    _text(named, "se:Name", name or layer.name)
    user = ET.SubElement(named, "UserStyle")
    _text(user, "se:Name", name or layer.name)
    _text(ET.SubElement(user, "se:Description"), "se:Title", layer.title.get(lang))
    painted = paint(layer, frame, lang)
    rules = rules_of(layer, painted)
    if any(rule.style.casing for rule in rules):
        # A style of its own comes first, so that no casing lies on a line that it crosses.
        below = ET.SubElement(user, "se:FeatureTypeStyle")
        for rule in rules:
            style, part = rule.style, _rule(below, rule, painted.field, rules)
            width = style.stroke_width + 2 * style.casing_width
            _stroke(ET.SubElement(part, "se:LineSymbolizer"), style.casing, width, "")
    levels = levels_of(rules)
    bodies = [ET.SubElement(user, "se:FeatureTypeStyle") for _ in sorted({*levels, 0})]
    for rule, level in zip(rules, levels, strict=True):
        _symbolizer(_rule(bodies[level], rule, painted.field, rules), layer.geometry, rule.style)
    labels = label_of(layer, frame)
    if labels is not None:
        part = ET.SubElement(ET.SubElement(user, "se:FeatureTypeStyle"), "se:Rule")
        if labels.classes:
            kept = ET.SubElement(part, "ogc:Filter")
            for value in labels.classes:
                either = kept if len(labels.classes) == 1 else _either(kept)
                _compare(either, "=", painted.field, value)
        _scales(part, _within(labels.scales, symbology_of(layer).scales.get("*", Scales())))
        _label(part, labels, layer.geometry)
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def _either(kept: ET.Element) -> ET.Element:
    found = kept.find("ogc:Or")
    return ET.SubElement(kept, "ogc:Or") if found is None else found


def _within(scales: Scales, whole: Scales) -> Scales:
    return scales if scales != Scales() else whole


def _rule(parent: ET.Element, rule: Rule, field: str, rules: Sequence[Rule]) -> ET.Element:
    made = ET.SubElement(parent, "se:Rule")
    _text(made, "se:Name", rule.key)
    _text(ET.SubElement(made, "se:Description"), "se:Title", rule.label)
    if rule.kind == "missing":
        _missing(ET.SubElement(made, "ogc:Filter"), field, rules)
    elif rule.kind == "equal":
        _compare(ET.SubElement(made, "ogc:Filter"), "=", field, rule.value)
    elif rule.kind == "range":
        _range(ET.SubElement(made, "ogc:Filter"), field, rule)
    _scales(made, rule.scales)
    return made


def _missing(into: ET.Element, field: str, rules: Sequence[Rule]) -> None:
    """Ask for what no class has, in so many words: readers differ about an ElseFilter."""
    values = [rule.value for rule in rules if rule.kind == "equal"]
    either = ET.SubElement(into, "ogc:Or") if values else into
    _text(ET.SubElement(either, "ogc:PropertyIsNull"), "ogc:PropertyName", field)
    if values:
        other = ET.SubElement(either, "ogc:And") if len(values) > 1 else either
        for value in values:
            _compare(other, "!=", field, value)


def _range(into: ET.Element, field: str, rule: Rule) -> None:
    tests = tests_of(rule)
    if not tests:
        null = ET.SubElement(ET.SubElement(into, "ogc:Not"), "ogc:PropertyIsNull")
        _text(null, "ogc:PropertyName", field)
        return
    both = ET.SubElement(into, "ogc:And") if len(tests) > 1 else into
    for sign, value in tests:
        _compare(both, sign, field, repr(value))


def _compare(into: ET.Element, sign: str, field: str, value: str) -> None:
    test = ET.SubElement(into, f"ogc:{_TESTS[sign]}")
    _text(test, "ogc:PropertyName", field)
    _text(test, "ogc:Literal", value)


def _scales(rule: ET.Element, scales: Scales) -> None:
    if scales.nearest:
        _text(rule, "se:MinScaleDenominator", f"{scales.nearest:g}")
    if scales.farthest:
        _text(rule, "se:MaxScaleDenominator", f"{scales.farthest:.0f}")


def _symbolizer(rule: ET.Element, geometry: str, style: PathStyle) -> None:
    if geometry == "LineString":
        line = ET.SubElement(rule, "se:LineSymbolizer")
        _stroke(line, style.stroke, style.stroke_width, style.dash)
    elif geometry == "Polygon":
        polygon = ET.SubElement(rule, "se:PolygonSymbolizer")
        _fill(polygon, style.fill, style.fill_opacity)
        _stroke(polygon, style.stroke, style.stroke_width, style.dash)
    else:
        graphic = ET.SubElement(ET.SubElement(rule, "se:PointSymbolizer"), "se:Graphic")
        mark = ET.SubElement(graphic, "se:Mark")
        _text(mark, "se:WellKnownName", style.icon)
        _fill(mark, style.fill, style.fill_opacity)
        _stroke(mark, style.stroke, style.stroke_width, style.dash)
        _text(graphic, "se:Size", f"{2 * style.radius:g}")


def _fill(parent: ET.Element, colour: str, opacity: float) -> None:
    if opacity:
        _parameters(parent, "se:Fill", {"fill": colour, "fill-opacity": f"{opacity:g}"})


def _stroke(parent: ET.Element, colour: str, width: float, dash: str) -> None:
    if width:
        given = {"stroke": colour, "stroke-width": f"{width:g}", "stroke-linejoin": "round"}
        if dash:
            given["stroke-dasharray"] = dash.replace(",", " ")
        _parameters(parent, "se:Stroke", given)


def _label(rule: ET.Element, labels: Labels, geometry: str) -> None:
    symbolizer = ET.SubElement(rule, "se:TextSymbolizer")
    label = ET.SubElement(symbolizer, "se:Label")
    _text(label, "ogc:PropertyName", labels.field)
    font = ET.SubElement(symbolizer, "se:Font")
    for family in _FONTS:
        _text(font, "se:SvgParameter", family, name="font-family")
    _text(font, "se:SvgParameter", f"{labels.size:g}", name="font-size")
    placement = ET.SubElement(symbolizer, "se:LabelPlacement")
    if geometry == "LineString":
        ET.SubElement(placement, "se:LinePlacement")
    else:
        anchor = ET.SubElement(ET.SubElement(placement, "se:PointPlacement"), "se:AnchorPoint")
        _text(anchor, "se:AnchorPointX", "0.5")
        _text(anchor, "se:AnchorPointY", "0.5" if geometry == "Polygon" else "-0.5")
    if labels.halo_width:
        halo = ET.SubElement(symbolizer, "se:Halo")
        _text(halo, "se:Radius", f"{labels.halo_width:g}")
        _parameters(halo, "se:Fill", {"fill": labels.halo})
    _parameters(symbolizer, "se:Fill", {"fill": labels.colour})


def _parameters(parent: ET.Element, name: str, values: Mapping[str, str]) -> None:
    holder = ET.SubElement(parent, name)
    for key, value in values.items():
        _text(holder, "se:SvgParameter", value, name=key)


def _text(parent: ET.Element, tag: str, said: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = said
