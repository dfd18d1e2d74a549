"""One layer of a map as elements of a page: what is drawn, its legend, its labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd
import pandas as pd
from folium.map import Layer as FoliumLayer

from gridmap import messages
from gridmap.analysis.location.assign import assign
from gridmap.catalog import Field, Layer, MapLayer, Text
from gridmap.messages import Words
from gridmap.outputs.maps.tints import TINT_OPACITY, TINTS, tints_of
from gridmap.outputs.pages import elements
from gridmap.outputs.pages.elements import Unit
from gridmap.outputs.pages.packed import PackedLines, PackedPoints, PackedPolygons
from gridmap.outputs.styles.symbology import LegendItem, Painted, PathStyle, paint, symbology_of
from gridmap.outputs.tables.explained import explained
from gridmap.result import Result

__all__ = [
    "Overlay",
    "count_layer",
    "feature_layer",
    "heat_layer",
    "heat_section",
    "in_words",
    "label_layer",
    "legend_section",
]

PLAIN_FEATURES = 5_000
_PACKED: dict[str, type[PackedPolygons | PackedLines | PackedPoints]] = {
    "Polygon": PackedPolygons,
    "LineString": PackedLines,
    "Point": PackedPoints,
}
_SHAPES: dict[str, Literal["line", "circle"]] = {"Point": "circle", "LineString": "line"}


@dataclass(frozen=True)
class Overlay:
    """One switchable part of a map."""

    shown: MapLayer
    layer: Layer
    name: Words
    frame: gpd.GeoDataFrame
    show: bool
    result: Result | None = None

    def called(self, lang: str) -> str:
        """Return the name in one language."""
        return self.name if isinstance(self.name, str) else messages.pick(self.name, lang)

    @property
    def key(self) -> str:
        """The name by which other elements know the overlay."""
        return elements.plain_name(self.name)

    def holds(self, field: str) -> bool:
        """Tell whether a field has any value here."""
        return bool(field) and field in self.frame and bool(self.frame[field].notna().any())


def in_words(text: Text) -> dict[str, str]:
    """Return a text of the catalogue as the elements of a page take it."""
    return {"en": text.en, "zh": text.zh}


def _unit(unit: str) -> Words:
    return messages.in_each(lambda lang: messages.unit_label(unit, lang)) if unit else ""


def heat_layer(overlay: Overlay, unit: Unit) -> PackedPoints:
    """Return the heat map of a layer of points with times."""
    frame, style = overlay.frame, symbology_of(overlay.layer)
    if style.unless in frame:
        frame = frame[~frame[style.unless].fillna(False)]
    return PackedPoints(
        frame,
        as_="heat",
        name=overlay.name,
        fields=(),
        times=frame["opened"].dt.tz_localize(None).to_numpy(),
        unit=unit,
        radius=style.radius,
        colours=style.colours,
        show=overlay.show,
    )


def heat_section(overlay: Overlay) -> elements.LegendSection:
    """Return the legend of a heat map."""
    colours = symbology_of(overlay.layer).colours
    ends = {0: "few", len(colours) - 1: "many"}
    written = messages.written("legend")
    return {
        "title": overlay.name,
        "kind": "ramp",
        "items": [
            {"colour": colour, "label": written[ends[number]] if number in ends else ""}
            for number, colour in enumerate(colours)
        ],
        "overlay": overlay.key,
    }


def feature_layer(overlay: Overlay, painted: Painted) -> elements.FeatureLayer:
    """Return the features of a layer, drawn as they were painted; packed where they are many."""
    layer = overlay.layer
    if overlay.shown.tints:
        painted = _tinted(painted, overlay.frame.geometry)
    fields = [name for name in overlay.shown.popup if overlay.holds(name)]
    many = len(overlay.frame) > PLAIN_FEATURES
    draw = _PACKED[layer.geometry] if many else elements.GeoLayer
    return draw(
        overlay.frame,
        name=overlay.name,
        style=painted.keys,
        styles={key: _leaflet(style) for key, style in painted.styles.items()},
        fields=[_field(name, layer.fields[name]) for name in fields],
        tooltip=layer.label if overlay.holds(layer.label) else None,
        keep=[name for name in _sought(layer) if overlay.holds(name)],
        show=overlay.show,
    )


def _tinted(painted: Painted, areas: gpd.GeoSeries) -> Painted:
    """Fill areas so that neighbours differ; their borders stay those of their classes."""
    tints = tints_of(areas)
    keys = tuple(f"{key} {tint}" for key, tint in zip(painted.keys, tints, strict=True))
    styles = {
        f"{key} {tint}": replace(style, fill=fill, fill_opacity=TINT_OPACITY)
        for key, style in painted.styles.items()
        for tint, fill in enumerate(TINTS)
    }
    return replace(painted, keys=keys, styles=styles)


def _sought(layer: Layer) -> dict[str, None]:
    """Return what a reader searches a feature by."""
    return dict.fromkeys((layer.label, layer.key, layer.person, "address"))


def _field(name: str, field: Field) -> elements.Field:
    spec: elements.Field = {"name": name, "label": in_words(field.label)}
    if field.unit:
        spec["unit"] = _unit(field.unit)
    if field.categories:
        spec["categories"] = {key: in_words(label) for key, label in field.categories.items()}
    if field.type in ("integer", "number"):
        spec["format"] = "number"
        spec["decimals"] = field.decimals
    elif field.type == "datetime":
        spec["format"] = "datetime"
    return spec


def _leaflet(style: PathStyle) -> dict[str, object]:
    path: dict[str, object] = {
        "color": style.stroke,
        "weight": style.stroke_width,
        "fillColor": style.fill,
        "fillOpacity": style.fill_opacity,
        "radius": style.radius,
    }
    if style.dash:
        path["dashArray"] = style.dash
    return path


def legend_section(overlay: Overlay, painted: Painted) -> elements.LegendSection:
    """Return the legend of a layer, with the other attributes that the reader can choose."""
    section = _section(overlay, painted)
    if notes := _explained(overlay):
        section["brief"], section["note"] = notes
    others = [other for other in _others(overlay) if other.field != painted.field]
    if painted.field and others:
        section["title"] = overlay.name
        section["variants"] = [
            {
                "name": in_words(overlay.layer.fields[choice.field].label),
                "section": {**_section(overlay, choice), "title": overlay.name},
                "style": choice.keys,
            }
            for choice in (painted, *others)
        ]
    return section


def _explained(overlay: Overlay) -> tuple[Words, Words] | None:
    """Return what is to be said of a finding, in a few words and as a paragraph."""
    if overlay.result is None:
        return None
    said = {lang: explained(overlay.result, overlay.frame, lang) for lang in messages.LANGUAGES}
    known = {lang: one for lang, one in said.items() if one is not None}
    if not known:
        return None
    return {lang: one.brief for lang, one in known.items()}, {
        lang: one.text for lang, one in known.items()
    }


def _others(overlay: Overlay) -> Iterator[Painted]:
    """Yield the layer painted by each other attribute that the map offers."""
    style = symbology_of(overlay.layer)
    for name in overlay.shown.attributes:
        if not overlay.holds(name):
            continue
        shown = {"kind": "graduated", "field": name, "instead": "", "breaks": (), "classes": {}}
        other = style.model_copy(update=shown)
        yield paint(overlay.layer.model_copy(update={"symbology": other}), overlay.frame)


def _section(overlay: Overlay, painted: Painted) -> elements.LegendSection:
    layer, split = overlay.layer, overlay.shown.split
    by_split = painted.field == split
    section: elements.LegendSection = {
        "title": overlay.name,
        "kind": "classes" if painted.field and not split else "categories",
        "items": [
            _item(layer, painted, item) for item in painted.legend if item.count or not split
        ],
        "overlay": overlay.key,
        "shape": _SHAPES.get(layer.geometry, "area"),
        "styles": {key: _leaflet(style) for key, style in painted.styles.items()},
    }
    if painted.field:
        field = layer.fields[painted.field]
        if not by_split:
            section["title"] = messages.in_each(
                lambda lang: f"{overlay.called(lang)}: {field.label.get(lang)}"
            )
        section["unit"] = _unit(field.unit)
    return section


def _item(layer: Layer, painted: Painted, item: LegendItem) -> elements.LegendItem:
    return {
        "colour": item.colour,
        "label": _class_name(layer, painted, item),
        "count": item.count,
        "style": item.key,
    }


def _class_name(layer: Layer, painted: Painted, item: LegendItem) -> Words:
    """Return what a class is called: numbers are written alike in every language."""
    if item.key == "missing":
        return messages.written("legend")["missing"]
    if not painted.field:
        return in_words(layer.title)
    names = layer.fields[painted.field].categories
    return in_words(names[item.key]) if item.key in names else item.label


def label_layer(overlay: Overlay, element: FoliumLayer) -> elements.Labels:
    """Return what is written inside the areas, a line for each field that has a value."""
    fields = [name for name in overlay.shown.labels if overlay.holds(name)]
    columns = [overlay.frame[name].astype("string").fillna("") for name in fields]
    texts = ["\n".join(filter(None, lines)) for lines in zip(*columns, strict=True)]
    style = symbology_of(overlay.layer).labels
    return elements.Labels(
        overlay.frame.geometry,
        texts or [""] * len(overlay.frame),
        overlay=element,
        size=style.size if style else 12.0,
    )


def count_layer(
    overlay: Overlay, element: FoliumLayer, points: gpd.GeoDataFrame, layer: Layer, unit: Unit
) -> elements.CountByTime:
    """Return what colours areas by the points in them that the chosen time has."""
    style = symbology_of(overlay.layer)
    if layer.symbology is not None and layer.symbology.unless in points:
        points = points[~points[layer.symbology.unless].fillna(False)]
    found = assign(points, overlay.frame[["code", "geometry"]].to_crs(points.crs))
    rows = pd.Index(overlay.frame["code"]).get_indexer(found)
    look = {"color": style.stroke, "weight": style.stroke_width, "fillOpacity": 0.75}
    return elements.CountByTime(
        element,
        rows,
        points["opened"].dt.tz_localize(None).to_numpy(),
        title=messages.in_each(lambda lang: f"{overlay.called(lang)}: {layer.title.get(lang)}"),
        style=look,
        unit=unit,
    )
