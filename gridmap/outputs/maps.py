"""Interactive maps: what a ``maps/*.toml`` asks for, drawn as one page that opens offline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import folium
import geopandas as gpd
import pandas as pd

from gridmap import messages
from gridmap.catalog import Field, Layer, MapLayer, MapSpec
from gridmap.errors import OutputError
from gridmap.outputs import elements
from gridmap.outputs.page import Page, page
from gridmap.outputs.symbology import Painted, PathStyle, paint, symbology_of
from gridmap.result import Analysed

__all__ = ["MOST_FEATURES", "draw"]

MOST_FEATURES = 12_000


@dataclass(frozen=True)
class _Overlay:
    """One switchable part of a map."""

    shown: MapLayer
    layer: Layer
    name: str
    frame: gpd.GeoDataFrame
    show: bool


def draw(analysed: Analysed, spec: MapSpec, *, lang: str = "en") -> Page:
    """Draw a map.

    Parameters
    ----------
    analysed : Analysed
    spec : MapSpec
        Layers that the city does not have are left out; a layer of more than `MOST_FEATURES`
        features is left out too, and the title card says so.
    lang : str
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Page
        A ``folium.Map`` to which more can be added; `gridmap.outputs.page.save_page` writes it.

    Raises
    ------
    OutputError
        If the city lacks a layer without which the map would say nothing.
    """
    for name in spec.needs:
        frame = analysed.frame(name)
        if frame is None or frame.empty:
            layer = analysed.city.catalog.layer(name)
            raise OutputError("map.needs", map=spec.name, layer=layer.name)
    overlays = list(_overlays(analysed, spec, lang))
    large = [overlay for overlay in overlays if len(overlay.frame) > _limit(overlay, spec)]
    overlays = [overlay for overlay in overlays if overlay not in large]
    canvas = page(
        title=f"{spec.title.get(lang)} · {analysed.city.title.get(lang)}",
        bounds=_bounds(analysed, overlays),
        lang=lang,
        lines=_lines(analysed, spec, large, lang),
        time_zone=analysed.city.timezone,
        review_number=analysed.city.review_number or "–",
    )
    _fill(canvas, spec, overlays, lang)
    return canvas


def _limit(overlay: _Overlay, spec: MapSpec) -> float:
    return float("inf") if _is_heat(overlay, spec) else MOST_FEATURES


def _is_heat(overlay: _Overlay, spec: MapSpec) -> bool:
    style = overlay.layer.symbology
    return bool(spec.time) and style is not None and style.kind == "heat"


def _overlays(analysed: Analysed, spec: MapSpec, lang: str) -> Iterator[_Overlay]:
    for shown in spec.layers:
        layer = analysed.city.catalog.layer(shown.layer).styled(shown.style)
        frame = analysed.frame(shown.layer)
        if frame is None or frame.empty or not isinstance(frame, gpd.GeoDataFrame):
            continue
        title = layer.title.get(lang)
        if not shown.split:
            yield _Overlay(shown, layer, title, frame, shown.show)
            continue
        labels = layer.fields[shown.split].categories
        present = set(frame[shown.split].dropna())
        values = [value for value in labels if value in present] or sorted(present)
        for value in values:
            part = frame[frame[shown.split] == value].reset_index(drop=True)
            label = labels[value].get(lang) if value in labels else value
            # Levels hide one another, so only the finest is on at first; kinds do not nest.
            finest = shown.split != "level" or value == values[-1]
            yield _Overlay(shown, layer, f"{title} · {label}", part, shown.show and finest)


def _bounds(analysed: Analysed, overlays: list[_Overlay]) -> tuple[float, float, float, float]:
    boxes = [
        overlay.frame.total_bounds
        for overlay in overlays
        if overlay.layer.geometry == "Polygon" or len(overlays) == 1
    ]
    table = pd.DataFrame(boxes, columns=["west", "south", "east", "north"])
    corners = gpd.GeoSeries(
        gpd.points_from_xy(
            [table["west"].min(), table["east"].max()], [table["south"].min(), table["north"].max()]
        ),
        crs=analysed.city.crs,
    ).to_crs(4326)
    west, south, east, north = corners.total_bounds
    return float(west), float(south), float(east), float(north)


def _lines(analysed: Analysed, spec: MapSpec, large: list[_Overlay], lang: str) -> list[str]:
    city = analysed.city
    lines = [
        spec.description.get(lang),
        messages.text("map.as_of", lang, date=f"{city.as_of:%Y-%m-%d}"),
        messages.text("map.source", lang, source=city.source.get(lang)),
    ]
    lines += [
        messages.text("map.left_out", lang, layer=overlay.name, count=f"{len(overlay.frame):,}")
        for overlay in large
    ]
    return lines


def _fill(canvas: folium.Map, spec: MapSpec, overlays: list[_Overlay], lang: str) -> None:
    made: list[elements.HeatByTime | elements.GeoLayer] = []
    sections, owners = [], []
    for overlay in overlays:
        if _is_heat(overlay, spec):
            made.append(_heat(overlay))
            sections.append(_heat_section(overlay, lang))
        else:
            painted = paint(overlay.layer, overlay.frame, lang)
            element = _geo_layer(overlay, painted, lang, keep=_owner_columns(overlay, spec))
            sections.append(_section(overlay, painted, lang))
            if spec.click == "who" and _has_owners(overlay):
                owners.append(_owner(overlay, element))
            made.append(element)
        made[-1].add_to(canvas)
    elements.LayerSwitch(made).add_to(canvas)
    elements.Legend(sections).add_to(canvas)
    if owners:
        elements.WhoIsResponsible(owners[::-1]).add_to(canvas)


def _heat(overlay: _Overlay) -> elements.HeatByTime:
    frame, style = overlay.frame, symbology_of(overlay.layer)
    if style.unless in frame:
        frame = frame[~frame[style.unless].fillna(False)]
    months = frame["opened"].dt.strftime("%Y-%m")
    every = pd.period_range(months.min(), months.max(), freq="M").strftime("%Y-%m")
    degrees = frame.geometry.to_crs(4326)
    return elements.HeatByTime(
        degrees.get_coordinates().to_numpy(),
        every.get_indexer(months),
        labels=list(every),
        name=overlay.name,
        radius=round(style.radius),
        colours=style.colours,
        show=overlay.show,
    )


def _heat_section(overlay: _Overlay, lang: str) -> elements.LegendSection:
    colours = symbology_of(overlay.layer).colours
    ends = {0: "few", len(colours) - 1: "many"}
    return {
        "title": overlay.name,
        "kind": "ramp",
        "items": [
            {
                "colour": colour,
                "label": messages.text(f"legend.{ends[number]}", lang) if number in ends else "",
            }
            for number, colour in enumerate(colours)
        ],
        "overlay": overlay.name,
    }


def _geo_layer(
    overlay: _Overlay, painted: Painted, lang: str, keep: tuple[str, ...]
) -> elements.GeoLayer:
    layer = overlay.layer
    fields = [name for name in overlay.shown.popup if overlay.frame[name].notna().any()]
    tooltip = layer.label if layer.label and overlay.frame[layer.label].notna().any() else None
    return elements.GeoLayer(
        _spoken(overlay.frame, layer, lang),
        name=overlay.name,
        style=painted.keys,
        styles={key: _leaflet(style) for key, style in painted.styles.items()},
        fields=[_field(name, layer.fields[name], lang) for name in fields],
        tooltip=tooltip,
        keep=keep,
        show=overlay.show,
    )


def _has_owners(overlay: _Overlay) -> bool:
    person = overlay.layer.person
    return bool(person) and bool(overlay.frame[person].notna().any())


def _owner_columns(overlay: _Overlay, spec: MapSpec) -> tuple[str, ...]:
    layer = overlay.layer
    if spec.click != "who" or not layer.person:
        return ()
    return tuple(filter(None, (layer.label, layer.key, layer.person)))


def _owner(overlay: _Overlay, element: elements.GeoLayer) -> elements.WhoLayer:
    layer = overlay.layer
    return {
        "layer": element,
        "title": overlay.name,
        "name": layer.label,
        "code": layer.key,
        "person": layer.person,
        "required": overlay.shown.required and overlay.show,
    }


def _spoken(frame: gpd.GeoDataFrame, layer: Layer, lang: str) -> gpd.GeoDataFrame:
    """Return the frame with the labels of categories in place of their values."""
    spoken = {
        name: frame[name].map({key: label.get(lang) for key, label in field.categories.items()})
        for name, field in layer.fields.items()
        if field.categories and name in frame
    }
    return frame.assign(**spoken)


def _field(name: str, field: Field, lang: str) -> elements.Field:
    spec: elements.Field = {"name": name, "label": field.label.get(lang)}
    if field.unit:
        spec["unit"] = messages.unit_label(field.unit, lang)
    if field.type in ("integer", "number"):
        spec["format"] = "number"
        spec["decimals"] = field.decimals
    elif field.type == "datetime":
        spec["format"] = "date"
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


def _section(overlay: _Overlay, painted: Painted, lang: str) -> elements.LegendSection:
    layer = overlay.layer
    shapes = {"Point": "circle", "LineString": "line"}
    section: elements.LegendSection = {
        "title": overlay.name,
        "kind": "classes" if painted.field and not overlay.shown.split else "categories",
        "items": [
            {"colour": item.colour, "label": item.label, "count": item.count}
            for item in painted.legend
            if item.count or painted.field not in _splits(overlay)
        ],
        "overlay": overlay.name,
        "shape": shapes.get(layer.geometry, "area"),  # type: ignore[typeddict-item]
    }
    if painted.field:
        field = layer.fields[painted.field]
        if painted.field not in _splits(overlay):
            section["title"] = f"{overlay.name}: {field.label.get(lang)}"
        if field.unit:
            section["unit"] = messages.unit_label(field.unit, lang)
    return section


def _splits(overlay: _Overlay) -> tuple[str, ...]:
    return (overlay.shown.split,) if overlay.shown.split else ()
