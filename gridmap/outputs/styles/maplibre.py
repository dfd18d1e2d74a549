"""The same symbology as a MapLibre style, JSON by the MapLibre Style Specification, version 8."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from gridmap.catalog import Labels, Layer, Scales, Symbology
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

__all__ = ["maplibre_layers", "maplibre_style"]

Json = dict[str, Any]

# Of a map of zoom 0 at the equator, in tiles of 512 pixels of 0.28 mm (OGC 17-083r4).
_ZOOM_0 = 279_541_132.0143589
_FONT = ["Noto Sans Regular"]
_SIGNS = {"square": "■", "triangle": "▲", "star": "★", "cross": "✚"}


def maplibre_style(
    name: str, layers: Sequence[tuple[Layer, pd.DataFrame, Json]], lang: str = "en"
) -> Json:
    """Return a style of several layers.

    Parameters
    ----------
    name : str
        Of the map.
    layers : sequence of (Layer, DataFrame, dict)
        Each with its rows and its source, as the specification describes sources; the first is
        the lowest. Tiles name their layer as the catalogue does.
    lang : str

    Returns
    -------
    dict
        To be written as JSON. Text needs no fonts from a server: it is drawn by the browser's.
    """
    drawn = [
        one
        for layer, frame, source in layers
        for one in maplibre_layers(layer, frame, lang, tiled=source["type"] == "vector")
    ]
    texts = [one for one in drawn if one["id"].endswith("-labels")]
    return {
        "version": 8,
        "name": name,
        "sources": {layer.name: source for layer, _, source in layers},
        "layers": [*(one for one in drawn if one not in texts), *texts],
    }


def maplibre_layers(
    layer: Layer, frame: pd.DataFrame, lang: str = "en", *, tiled: bool = False
) -> list[Json]:
    """Return the style layers of one layer, from the lowest.

    Parameters
    ----------
    layer : Layer
        With geometry and a symbology.
    frame : DataFrame
    lang : str
        Of the legend, which is in the metadata of the style layers.
    tiled : bool
        Whether the source has tiles, which name their layers.

    Raises
    ------
    CatalogError
        If the layer has no symbology.
    """
    style = symbology_of(layer)
    shared: Json = {"source": layer.name, **({"source-layer": layer.name} if tiled else {})}
    whole = style.scales.get("*", Scales())
    if style.kind == "heat":
        return [{"id": layer.name, "type": "heatmap", **shared, **_heat(style), **_zooms(whole)}]
    painted = paint(layer, frame, lang)
    rules = rules_of(layer, painted)
    groups = [(layer.name, rules, whole)] if rules else []
    if any(key != "*" for key in style.scales) or (style.dash and style.stroke_widths):
        # What depends on the scale stands in a layer of its own; so does a dash, which is counted
        # in widths.
        upwards = sorted(rules, key=lambda rule: rule.style.stroke_width)
        groups = [(f"{layer.name}-{rule.key}", (rule,), rule.scales) for rule in upwards]
    legend = [{"label": item.label, "colour": item.colour} for item in painted.legend]
    made: list[Json] = []
    for name, some, scales in groups:
        only = {"filter": _test(painted.field, some[0], rules)} if len(groups) > 1 else {}
        for suffix, kind, paint_of in _parts(layer.geometry, some, painted.field):
            one = {"id": name + suffix, "type": kind, **shared, **only, **paint_of}
            made.append({**one, "metadata": {"gridmap:legend": legend}, **_zooms(scales)})
    labels = label_of(layer, frame)
    if labels is not None:
        shown = labels.scales if labels.scales != Scales() else whole
        text = {"id": f"{layer.name}-labels", "type": "symbol", **shared}
        if labels.classes:
            text["filter"] = ["in", ["get", style.field], ["literal", list(labels.classes)]]
        made.append({**text, **_label(labels, layer.geometry), **_zooms(shown)})
    return made


def _parts(geometry: str, rules: Sequence[Rule], field: str) -> list[tuple[str, str, Json]]:
    """Return suffix, type and paint of the style layers of one geometry, from the lowest."""
    one = rules[0].style

    def by_class(name: str) -> Any:
        return _by_class(field, rules, name)

    width = by_class("stroke_width")
    line: Json = {"line-color": by_class("stroke"), "line-width": width}
    layout: Json = {"line-join": "round"}
    if any(levels_of(rules)):
        layout["line-sort-key"] = width
    if one.dash:
        lengths = [float(length) for length in one.dash.replace(",", " ").split()]
        line["line-dasharray"] = [length / one.stroke_width for length in lengths]
    drawn: Json = {"paint": line, "layout": layout}
    if geometry == "LineString" and one.casing:
        wide = ["+", width, 2 * one.casing_width]
        below = {"line-color": one.casing, "line-width": wide}
        return [("-casing", "line", {"paint": below}), ("", "line", drawn)]
    if geometry == "LineString":
        return [("", "line", drawn)]
    if geometry == "Polygon":
        fill = {"fill-color": by_class("fill"), "fill-opacity": one.fill_opacity}
        return [("", "fill", {"paint": fill}), ("-outline", "line", drawn)]
    if any(rule.style.icon in _SIGNS for rule in rules):
        return [("", "symbol", _signs(rules, by_class))]
    circle = {
        "circle-color": by_class("fill"),
        "circle-opacity": one.fill_opacity,
        "circle-radius": one.radius,
        "circle-stroke-color": by_class("stroke"),
        "circle-stroke-width": by_class("stroke_width"),
    }
    return [("", "circle", {"paint": circle})]


def _signs(rules: Sequence[Rule], by_class: Any) -> Json:
    style: PathStyle = rules[0].style
    return {
        "layout": {
            "text-field": by_class("icon"),
            "text-font": _FONT,
            "text-size": 3 * style.radius,
            "text-allow-overlap": True,
        },
        "paint": {
            "text-color": by_class("fill"),
            "text-opacity": style.fill_opacity,
            "text-halo-color": by_class("stroke"),
            "text-halo-width": style.stroke_width / 2,
        },
    }


def _by_class(field: str, rules: Sequence[Rule], name: str) -> Any:
    values = [getattr(rule.style, name) for rule in rules]
    if name == "icon":
        values = [_SIGNS.get(value, "●") for value in values]
    if len(set(values)) == 1:
        return values[0]
    # Without a value or in no class: as missing is drawn, else not at all.
    other = next((v for r, v in zip(rules, values, strict=True) if r.kind == "missing"), None)
    if other is None:
        other = {"icon": "", "stroke_width": 0.0}.get(name, "rgba(0,0,0,0)")
    cases: list[Any] = []
    for rule, value in zip(rules, values, strict=True):
        if rule.kind != "missing":
            cases += [_test(field, rule, rules), value]
    return ["case", *cases, other]


def _test(field: str, rule: Rule, rules: Sequence[Rule]) -> Any:
    if rule.kind == "all":
        return True
    if rule.kind == "missing":
        others = [_test(field, one, rules) for one in rules if one.kind != "missing"]
        return ["!", ["any", *others]]
    if rule.kind == "equal":
        return ["==", ["to-string", ["get", field]], rule.value]
    number = ["==", ["typeof", ["get", field]], "number"]
    value = ["to-number", ["get", field]]
    return ["all", number, *([sign, value, bound] for sign, bound in tests_of(rule))]


def _heat(style: Symbology) -> Json:
    colours = style.colours
    steps: list[Any] = [0, "rgba(0,0,0,0)"]
    for number, colour in enumerate(colours):
        steps += [(number + 1) / len(colours), colour]
    made: Json = {
        "paint": {
            "heatmap-radius": 2 * style.radius,
            "heatmap-color": ["interpolate", ["linear"], ["heatmap-density"], *steps],
        }
    }
    if style.unless:
        made["filter"] = ["!=", ["get", style.unless], True]
    return made


def _label(labels: Labels, geometry: str) -> Json:
    layout: Json = {
        "text-field": ["coalesce", ["to-string", ["get", labels.field]], ""],
        "text-font": _FONT,
        "text-size": labels.size,
    }
    if geometry == "LineString":
        layout["symbol-placement"] = "line"
    if geometry == "Point":
        layout |= {"text-variable-anchor": ["left", "right", "top", "bottom"]}
        layout |= {"text-radial-offset": 0.8}
    return {
        "layout": layout,
        "paint": {
            "text-color": labels.colour,
            "text-halo-color": labels.halo,
            "text-halo-width": labels.halo_width,
        },
    }


def _zooms(scales: Scales) -> Json:
    found: Json = {}
    if scales.farthest:
        found["minzoom"] = max(0.0, round(math.log2(_ZOOM_0 / scales.farthest), 2))
    if scales.nearest:
        found["maxzoom"] = min(24.0, round(math.log2(_ZOOM_0 / scales.nearest), 2))
    return found
