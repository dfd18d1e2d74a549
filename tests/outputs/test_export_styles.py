"""The same colours for the same features, whoever draws them."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from export_town import STYLE, awkward, layer

from gridmap.catalog import Labels, Layer, Scales, Symbology
from gridmap.outputs.styles.maplibre import maplibre_layers
from gridmap.outputs.styles.qgis import qml
from gridmap.outputs.styles.sld import sld
from gridmap.outputs.styles.symbology import paint
from gridmap.result import Analysed

NS = {"se": "http://www.opengis.net/se", "ogc": "http://www.opengis.net/ogc"}
CATEGORISED = STYLE.model_copy(
    update={
        "kind": "categorised",
        "field": "kind",
        "classes": {"park": "#22aa22", "shop": "#aa2222"},
    }
)
STYLES = {
    "graduated": layer(),
    "breaks": layer(symbology=STYLE.model_copy(update={"breaks": (2.0, 5.0)})),
    "categorised": layer(symbology=CATEGORISED),
    "single": layer(symbology=STYLE.model_copy(update={"kind": "single", "field": ""})),
    "by_scale": layer(
        symbology=CATEGORISED.model_copy(update={"scales": {"shop": Scales(farthest=5000)}})
    ),
}


def painted_colours(one: Layer, frame: pd.DataFrame) -> list[str]:
    painted = paint(one, frame)
    side = "stroke" if one.geometry == "LineString" else "fill"
    return [getattr(painted.styles[key], side) for key in painted.keys]


def hexed(rgba: str) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in rgba.split(",")[:3])


def qml_colours(one: Layer, frame: pd.DataFrame) -> list[str | None]:
    """Follow the renderer as QGIS does."""
    root = ET.fromstring(qml(one, frame))
    renderer = root.find("renderer-v2")
    assert renderer is not None
    names = {"Polygon": "color", "Point": "color", "LineString": "line_color"}
    colours = {
        str(symbol.get("name")): hexed(option.get("value", ""))
        for symbol in renderer.findall("symbols/symbol")
        for option in symbol.findall("layer")[-1].iter("Option")
        if option.get("name") == names[one.geometry]
    }
    kind, field = renderer.get("type"), renderer.get("attr")
    if kind == "singleSymbol":
        return [colours["0"]] * len(frame)
    found: list[str | None] = []
    for _, row in frame.iterrows():
        if kind == "categorizedSymbol":
            value = "" if pd.isna(row[field]) else str(row[field])
            known = {c.get("value"): c.get("symbol") for c in renderer.iter("category")}
            symbol = known.get(value, known.get(""))
        elif kind == "graduatedSymbol":
            symbol = next(
                r.get("symbol")
                for r in renderer.iter("range")
                if float(r.get("lower", "")) <= row[field] <= float(r.get("upper", ""))
            )
        else:
            rules = list(renderer.find("rules") or ())
            symbol = next(
                (r.get("symbol") for r in rules if follows(r.get("filter", ""), row)),
                next((r.get("symbol") for r in rules if r.get("filter") == "ELSE"), None),
            )
        found.append(colours.get(str(symbol)))
    return found


def follows(filter_: str, row: pd.Series) -> bool:
    """Evaluate a filter of ours: comparisons joined by AND."""
    if filter_ == "ELSE":
        return False
    for test in filter_.split(" AND "):
        name, sign, value = test.split(" ", 2)
        held = row[name.strip('"')]
        if pd.isna(held):
            return False
        right: Any = value.strip("'") if value.startswith("'") else float(value)
        left = str(held) if isinstance(right, str) else float(held)
        if not {"=": left == right, ">": left > right, "<=": left <= right}[sign]:
            return False
    return True


def sld_colours(one: Layer, frame: pd.DataFrame) -> list[str | None]:
    root = ET.fromstring(sld(one, frame))
    rules = [
        rule
        for style in root.findall(".//se:FeatureTypeStyle", NS)[bool(one.symbology.casing) :]
        for rule in style.findall("se:Rule", NS)
        if rule.find("se:TextSymbolizer", NS) is None
    ]
    wanted = "stroke" if one.geometry == "LineString" else "fill"
    signs = {"PropertyIsEqualTo": "=", "PropertyIsGreaterThan": ">",
             "PropertyIsLessThanOrEqualTo": "<="}  # fmt: skip
    found: list[str | None] = []
    for _, row in frame.iterrows():
        hit = other = None
        for rule in rules:
            colour = next(
                p.text for p in rule.iter(f"{{{NS['se']}}}SvgParameter") if p.get("name") == wanted
            )
            if rule.findtext("se:Name", "", NS) == "missing":
                other = colour
                continue
            tests = [
                f'"{test.findtext("ogc:PropertyName", namespaces=NS)}" {signs[tag]} '
                + quoted(test.findtext("ogc:Literal", namespaces=NS) or "")
                for test in rule.iter()
                if (tag := test.tag.rpartition("}")[2]) in signs
            ]
            if hit is None and all(follows(test, row) for test in tests):
                hit = colour
        found.append(hit or other)
    return found


def quoted(value: str) -> str:
    try:
        return repr(float(value))
    except ValueError:
        return f"'{value}'"


def evaluate(expression: Any, row: dict[str, Any]) -> Any:
    """Evaluate the expressions of the MapLibre specification that a style of ours has."""
    if not isinstance(expression, list):
        return expression
    name, *arguments = expression
    if name == "case":
        pairs, other = arguments[:-1], arguments[-1]
        for test, value in zip(pairs[::2], pairs[1::2], strict=True):
            if evaluate(test, row):
                return evaluate(value, row)
        return evaluate(other, row)
    if name == "literal":
        return arguments[0]
    if name == "all":
        return all(evaluate(test, row) for test in arguments)
    values = [evaluate(argument, row) for argument in arguments]
    operations: dict[str, Any] = {
        "get": row.get,
        "to-string": lambda value: "" if value is None else str(value),
        "to-number": lambda value: 0.0 if value is None else float(value),
        "typeof": lambda value: "number" if isinstance(value, int | float) else "string",
        "==": lambda a, b: a == b,
        ">": lambda a, b: a > b,
        "<=": lambda a, b: a <= b,
        "!": lambda value: not value,
        "any": lambda *tests: any(tests),
        "+": lambda *values: sum(values),
        "in": lambda value, among: value in among,
    }
    return operations[name](*values)


def maplibre_colours(one: Layer, frame: pd.DataFrame) -> list[str | None]:
    names = {"Polygon": "fill-color", "LineString": "line-color", "Point": "circle-color"}
    kinds = {"Polygon": "fill", "LineString": "line", "Point": "circle"}
    made = [
        x for x in maplibre_layers(one, frame)
        if x["type"] == kinds[one.geometry] and not x["id"].endswith("-casing")
    ]  # fmt: skip
    plain = json.loads(
        pd.DataFrame(frame.drop(columns="geometry")).to_json(
            orient="records", date_format="iso", double_precision=15
        )
    )
    found: list[str | None] = []
    for row in plain:
        drawn = [x for x in made if evaluate(x.get("filter", True), row)]
        colour = evaluate(drawn[-1]["paint"][names[one.geometry]], row) if drawn else None
        found.append(None if colour == "rgba(0,0,0,0)" else colour)
    return found


DIALECTS = {"qml": qml_colours, "sld": sld_colours, "maplibre": maplibre_colours}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", STYLES)
def test_every_dialect_gives_a_feature_the_colour_of_the_map(name: str, dialect: str) -> None:
    one, frame = STYLES[name], awkward()
    assert len(set(painted_colours(one, frame))) > (name != "single")
    assert DIALECTS[dialect](one, frame) == painted_colours(one, frame)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_sample_has_the_same_colours_in_every_dialect(sample: Analysed, dialect: str) -> None:
    compared = 0
    for one in sample.city.catalog.in_order:
        frame = sample.frame(one.name)
        style = one.symbology
        if frame is None or style is None or style.kind == "heat" or len(frame) > 1500:
            continue
        assert DIALECTS[dialect](one, frame) == painted_colours(one, frame), one.name
        compared += 1
    assert compared > 10


def test_scales_labels_casing_and_icons_are_in_every_dialect() -> None:
    labels = Labels(field="name", size=10, scales=Scales(farthest=20000), classes=("park",))
    road = layer(
        "ways",
        "LineString",
        symbology=CATEGORISED.model_copy(
            update={"casing": "#000000", "casing_width": 1.0, "labels": labels}
        ),
    )
    spot = layer(
        "spots",
        "Point",
        symbology=CATEGORISED.model_copy(
            update={"icons": {"park": "star"}, "scales": {"*": Scales(nearest=500)}}
        ),
    )
    frame = awkward()
    line = ET.fromstring(qml(road, frame))
    assert [len(symbol.findall("layer")) for symbol in line.iter("symbol")] == [2, 2, 2]
    text = line.find("labeling/settings/text-style")
    assert text is not None
    assert "IN ('park')" in str(text.get("fieldName"))
    rendering = line.find("labeling/settings/rendering")
    assert rendering is not None
    assert rendering.get("scaleMax") == "20000"
    assert next(family.get("name") for family in text.iter("family")) == "Microsoft YaHei"
    point = ET.fromstring(qml(spot, frame))
    assert point.get("maxScale") == "500"
    icons = [o.get("value") for o in point.iter("Option") if o.get("name") == "name"]
    assert icons == ["star", "circle", "circle"]
    drawn = ET.fromstring(sld(road, frame))
    assert len(drawn.findall(".//se:FeatureTypeStyle", NS)) == 3
    assert drawn.findtext(".//se:TextSymbolizer/se:Label/ogc:PropertyName", "", NS) == "name"
    assert ET.fromstring(sld(spot, frame)).findtext(".//se:WellKnownName", "", NS) == "star"
    layers = maplibre_layers(road, frame)
    assert [x["id"] for x in layers] == ["ways-casing", "ways", "ways-labels"]
    wide, within = (x["paint"]["line-width"] for x in layers[:2])
    assert evaluate(wide, {}) == within + 2
    assert layers[2]["minzoom"] == pytest.approx(np.log2(279541132.014 / 20000), abs=0.01)
    signs = maplibre_layers(spot, frame)[0]
    assert evaluate(signs["layout"]["text-field"], {"kind": "park"}) == "★"


def test_outlines_follow_their_class_and_the_widest_lies_on_top(sample: Analysed) -> None:
    one, frame = sample.city.catalog.layer("grids"), sample.frame("grids")
    assert frame is not None
    assert one.symbology is not None
    painted = paint(one, frame)
    classes, widths = one.symbology.classes, one.symbology.stroke_widths
    assert {key: style.stroke for key, style in painted.styles.items()} == classes
    assert {key: style.stroke_width for key, style in painted.styles.items()} == widths
    assert len({*classes.values()}) == len({*widths.values()}) == 4
    upwards = sorted(widths, key=lambda key: widths[key])

    renderer = ET.fromstring(qml(one, frame)).find("renderer-v2")
    assert renderer is not None
    assert renderer.get("symbollevels") == "1"
    named = {c.get("symbol"): c.get("value") for c in renderer.iter("category")}
    levels = {named[s.get("name")]: s.find("layer").get("pass") for s in renderer.iter("symbol")}
    assert sorted(levels, key=lambda key: int(levels[key])) == upwards

    styles = ET.fromstring(sld(one, frame)).findall(".//se:FeatureTypeStyle", NS)
    assert [style.findtext("se:Rule/se:Name", None, NS) for style in styles] == [*upwards, None]

    outline = next(x for x in maplibre_layers(one, frame) if x["id"] == "grids-outline")
    for level in widths:
        assert evaluate(outline["paint"]["line-width"], {"level": level}) == widths[level]
        assert evaluate(outline["layout"]["line-sort-key"], {"level": level}) == widths[level]


def test_a_heat_map_leaves_out_what_it_shall(sample: Analysed) -> None:
    one, frame = sample.city.catalog.layer("problems"), sample.frame("problems")
    assert frame is not None
    (heat,) = maplibre_layers(one, frame)
    assert heat["type"] == "heatmap"
    assert heat["filter"] == ["!=", ["get", "pile"], True]


def test_classes_that_a_style_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="no classes"):
        Symbology.model_validate({**STYLE.model_dump(), "icons": {"park": "star"}})


def test_a_dash_is_counted_in_widths_of_the_line() -> None:
    style = STYLE.model_copy(update={"kind": "single", "field": "", "dash": "6, 3",
                                     "stroke_width": 2.0})  # fmt: skip
    one = layer(symbology=style)
    outline = next(x for x in maplibre_layers(one, awkward()) if x["id"] == "places-outline")
    assert outline["paint"]["line-dasharray"] == [3.0, 1.5]
