"""The same symbology for QGIS: QML, QGIS's own XML.

QGIS reads the table ``layer_styles`` of a GeoPackage and applies the default style of each layer.
What is written here was compared with what QGIS 3.22 writes. Lengths are in millimetres, a pixel
of a page being 1/96 inch as in CSS, so that prints look as screens do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

import pandas as pd

from gridmap.catalog import Layer, Scales, Symbology
from gridmap.outputs.styles.qgis_text import MM, labeling, literal_in, name_in, rgba
from gridmap.outputs.styles.symbology import (
    Painted,
    PathStyle,
    Rule,
    label_of,
    levels_of,
    paint,
    rules_of,
    symbology_of,
    tests_of,
)

__all__ = ["options", "qml", "style_into"]

_SYMBOL = {"Point": "marker", "LineString": "line", "Polygon": "fill"}
_FOCUS = PathStyle("#c53030", "#c53030", 5.0, 0.0, 4.0, "")


def qml(layer: Layer, frame: pd.DataFrame, lang: str = "en") -> str:
    """Return the QGIS style of a layer.

    Parameters
    ----------
    layer : Layer
        With geometry and a symbology.
    frame : DataFrame
        Its rows: graduated classes are cut from them, as for a map.
    lang : str
        Of the legend and of the aliases of the fields.

    Returns
    -------
    str
        QML with the renderer, labels, and alias and values of every field.

    Raises
    ------
    CatalogError
        If the layer has no symbology.
    """
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology|Labeling|Fields|Forms")
    style_into(root, layer, frame, lang)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode")


def style_into(
    root: ET.Element, layer: Layer, frame: pd.DataFrame, lang: str, *, focus: str = ""
) -> None:
    """Put the style of a layer into an element that QGIS reads one from, QML or map layer.

    With `focus`, the label of a further class, the area of an atlas page is drawn as that.
    """
    style = symbology_of(layer)
    whole = style.scales.get("*", Scales())
    root.set("hasScaleBasedVisibilityFlag", str(int(whole != Scales())))
    root.set("minScale", f"{whole.farthest:g}")
    root.set("maxScale", f"{whole.nearest:g}")
    if style.kind == "heat":
        root.append(_heat_renderer(style))
    else:
        painted = paint(layer, frame, lang)
        rules = rules_of(layer, painted)
        renderer = _renderer_of(style, painted, rules, plain=not focus)
        symbols, levels = ET.SubElement(renderer, "symbols"), levels_of(rules)
        cased = any(rule.style.casing for rule in rules)
        renderer.set("symbollevels", str(int(cased or any(levels))))
        for number, (rule, level) in enumerate(zip(rules, levels, strict=True)):
            symbols.append(_symbol(layer.geometry, rule.style, str(number), level))
        if focus:
            shown = {"filter": "$id = @atlas_featureid", "key": "{gridmap-focus}"}
            named = {"label": focus, "symbol": str(len(rules))}
            ET.SubElement(renderer[0], "rule", {**shown, **named})
            symbols.append(_symbol(layer.geometry, _FOCUS, str(len(rules)), len(rules)))
        root.append(renderer)
    labels = label_of(layer, frame)
    root.set("labelsEnabled", str(int(labels is not None)))
    if labels is not None:
        root.append(labeling(labels, layer.geometry, style.field))
    _fields_into(root, layer, frame, lang)


def _renderer_of(
    style: Symbology, painted: Painted, rules: Sequence[Rule], *, plain: bool
) -> ET.Element:
    by_class = not plain or any(key != "*" for key in style.scales)
    missing = any(rule.kind == "missing" for rule in rules)
    # QGIS draws no feature without a value by classes of a number.
    if by_class or (style.kind == "graduated" and missing):
        return _rule_renderer(painted.field, rules)
    if style.kind == "categorised":
        return _categorised_renderer(painted.field, rules)
    if style.kind == "graduated":
        return _graduated_renderer(painted.field, rules)
    return _renderer("singleSymbol")


def _renderer(kind: str, **attributes: str) -> ET.Element:
    shared = {"type": kind, "symbollevels": "0", "enableorderby": "0", "forceraster": "0"}
    return ET.Element("renderer-v2", {**shared, **attributes})


def _categorised_renderer(field: str, rules: Sequence[Rule]) -> ET.Element:
    renderer = _renderer("categorizedSymbol", attr=field)
    categories = ET.SubElement(renderer, "categories")
    for number, rule in enumerate(rules):
        # QGIS draws with the empty value whatever none of the others matches.
        shown = {"value": rule.value, "symbol": str(number), "label": rule.label, "render": "true"}
        ET.SubElement(categories, "category", shown)
    return renderer


def _graduated_renderer(field: str, rules: Sequence[Rule]) -> ET.Element:
    renderer = _renderer("graduatedSymbol", attr=field, graduatedMethod="GraduatedColor")
    ranges = ET.SubElement(renderer, "ranges")
    for number, rule in enumerate(rules):
        bounds = {"lower": repr(rule.low), "upper": repr(rule.high)}
        shown = {**bounds, "symbol": str(number), "label": rule.label, "render": "true"}
        ET.SubElement(ranges, "range", shown)
    return renderer


def _rule_renderer(field: str, rules: Sequence[Rule]) -> ET.Element:
    renderer = _renderer("RuleRenderer")
    parent = ET.SubElement(renderer, "rules", key="{gridmap}")
    for number, rule in enumerate(rules):
        shown = {"filter": _filter(field, rule), "key": f"{{gridmap-{number}}}"}
        shown |= {"label": rule.label, "symbol": str(number)}
        if rule.scales.nearest:
            shown["scalemindenom"] = f"{rule.scales.nearest:g}"
        if rule.scales.farthest:
            shown["scalemaxdenom"] = f"{rule.scales.farthest:g}"
        ET.SubElement(parent, "rule", shown)
    return renderer


def _filter(field: str, rule: Rule) -> str:
    name = name_in(field)
    if rule.kind == "missing":
        return "ELSE"
    if rule.kind == "equal":
        return f"{name} = {literal_in(rule.value)}"
    if rule.kind == "all":
        return ""
    tests = [f"{name} {sign} {value!r}" for sign, value in tests_of(rule)]
    return " AND ".join(tests) or f"{name} IS NOT NULL"


def _heat_renderer(style: Symbology) -> ET.Element:
    colours = style.colours
    weight = f'CASE WHEN "{style.unless}" THEN 0 ELSE 1 END' if style.unless else ""
    # The unit 0 is the millimetre; the best of the qualities but one, which a large layer bears.
    renderer = _renderer(
        "heatmapRenderer",
        radius=f"{2 * style.radius * MM:.3f}",
        radius_unit="0",
        quality="1",
        max_value="0",
        weight_expression=weight,
    )
    ramp = ET.SubElement(renderer, "colorramp", type="gradient", name="[source]")
    stops = [
        f"{(number + 1) / len(colours):g};{rgba(colour)}"
        for number, colour in enumerate(colours[:-1])
    ]
    options(
        ramp,
        {
            "color1": rgba(colours[0], 0),
            "color2": rgba(colours[-1]),
            "discrete": "0",
            "rampType": "gradient",
            "stops": ":".join(stops),
        },
    )
    return renderer


def _symbol(geometry: str, style: PathStyle, name: str, level: int) -> ET.Element:
    kind = _SYMBOL[geometry]
    symbol = ET.Element("symbol", type=kind, name=name, alpha="1", clip_to_extent="1")
    if kind == "line":
        if style.casing:
            wide = style.stroke_width + 2 * style.casing_width
            _symbol_layer(symbol, "SimpleLine", _line(style.casing, wide, ""), 0)
        line = _line(style.stroke, style.stroke_width, style.dash)
        _symbol_layer(symbol, "SimpleLine", line, level + 1)
        return symbol
    outline = {
        "outline_color": rgba(style.stroke),
        "outline_width": f"{style.stroke_width * MM:.3f}",
        "outline_width_unit": "MM",
        "outline_style": "dash" if style.dash else "solid" if style.stroke_width else "no",
        "color": rgba(style.fill, style.fill_opacity),
    }
    if kind == "fill":
        fill = {**outline, "style": "solid" if style.fill_opacity else "no"}
        _symbol_layer(symbol, "SimpleFill", {**fill, "joinstyle": "round"}, level)
    else:
        size = {"size": f"{2 * style.radius * MM:.3f}", "size_unit": "MM"}
        mark = {**outline, **size, "name": style.icon}
        _symbol_layer(symbol, "SimpleMarker", mark, level)
    return symbol


def _line(colour: str, width: float, dash: str) -> dict[str, str]:
    lengths = [f"{float(length) * MM:.3f}" for length in dash.replace(",", " ").split()]
    return {
        "line_color": rgba(colour),
        "line_width": f"{width * MM:.3f}",
        "line_width_unit": "MM",
        "line_style": "solid",
        "joinstyle": "round",
        "capstyle": "flat" if dash else "round",
        "use_custom_dash": str(int(bool(dash))),
        "customdash": ";".join(lengths),
        "customdash_unit": "MM",
    }


def _symbol_layer(symbol: ET.Element, kind: str, values: Mapping[str, str], level: int) -> None:
    layer = ET.SubElement(symbol, "layer", {"class": kind, "enabled": "1", "pass": str(level)})
    options(layer, values)


def _fields_into(root: ET.Element, layer: Layer, frame: pd.DataFrame, lang: str) -> None:
    known = [str(name) for name in frame.columns if name in layer.fields]
    configuration = ET.SubElement(root, "fieldConfiguration")
    for name in known:
        labels = layer.fields[name].categories
        if not labels:
            continue
        field = ET.SubElement(configuration, "field", name=name, configurationFlags="None")
        widget = ET.SubElement(field, "editWidget", type="ValueMap")
        config = ET.SubElement(ET.SubElement(widget, "config"), "Option", type="Map")
        values = ET.SubElement(config, "Option", name="map", type="List")
        for value, label in labels.items():
            options(values, {label.get(lang): value})
    aliases = ET.SubElement(root, "aliases")
    for name in known:
        ET.SubElement(aliases, "alias", field=name, name=layer.fields[name].label.get(lang))


def options(parent: ET.Element, values: Mapping[str, str]) -> None:
    """Put a map of texts into an element, as QGIS holds properties."""
    inner = ET.SubElement(parent, "Option", type="Map")
    for name, value in values.items():
        ET.SubElement(inner, "Option", type="QString", name=name, value=value)
