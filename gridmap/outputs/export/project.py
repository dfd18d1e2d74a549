"""A QGIS project over the GeoPackage: groups, order, themes and print layouts, as ``.qgz``.

The XML was compared, element by element, with what QGIS 3.22 writes. What it leaves out, QGIS
fills with its defaults.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pyproj

from gridmap import messages
from gridmap.catalog import Layer, MapSpec
from gridmap.outputs.export.archive import zip_bytes
from gridmap.outputs.export.geopackage import styles_of, write_geopackage
from gridmap.outputs.export.job import Job, multi
from gridmap.outputs.export.layouts import Atlas, Sheet, layouts_of
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.export.styles import bottom_up
from gridmap.outputs.styles.qgis import options, style_into
from gridmap.outputs.styles.symbology import paint, symbology_of
from gridmap.outputs.tables.words import heading

__all__ = ["layer_id", "write_project"]

_NAMESPACE = uuid.UUID("6e2c1f0a-3d0b-4c58-9d3e-1b7a52a3f6d4")
_USUAL = "default"  # QGIS's name for the style that a layer opens with
_SHEET = "sheet"  # the style of grids at first: outlines, with the area of an atlas page
_FIRST = ("plan", "workload")  # maps whose layers are on at first, if the city has them
_BASE = ("grids", "roads")  # what a printed sheet shows beside its map


def write_project(job: Job, chosen: Sequence[Chosen]) -> list[Path]:
    """Write ``<city>.qgz``, and the GeoPackage that it shows unless that is written anyway."""
    written = [] if "gpkg" in job.formats else write_geopackage(job, job.chosen)
    for one in chosen:
        if one.layer.symbology is not None and not one.styled:
            job.note("no_style", layer=one.layer.title.get(job.lang))
    name = job.analysed.city.name
    path = job.folder / f"{name}.qgz"
    text = '<!DOCTYPE qgis PUBLIC "http://mrcc.com/qgis.dtd" "SYSTEM">\n' + _project(job, chosen)
    zip_bytes(path, [(f"{name}.qgs", text.encode("utf-8"))])
    return [*written, path]


def layer_id(layer: str) -> str:
    """Return the identifier of a layer in the project, the same in every export."""
    return f"{layer}_{uuid.uuid5(_NAMESPACE, layer).hex}"


def _project(job: Job, chosen: Sequence[Chosen]) -> str:
    city, lang = job.analysed.city, job.lang
    drawn = bottom_up(tuple(chosen))[::-1]
    themes = _themes(job, drawn)
    shown = _on_sheet(drawn, themes) if themes else {one.layer.name: _USUAL for one in drawn}
    root = ET.Element("qgis", version="3.22.0", projectname=city.title.get(lang))
    ET.SubElement(root, "homePath", path="")
    ET.SubElement(root, "title").text = city.title.get(lang)
    _system(ET.SubElement(root, "projectCrs"), job.system.crs)
    root.append(_tree(job, drawn, shown))
    _canvas(root, job, drawn)
    layers = ET.SubElement(root, "projectlayers")
    for one in drawn:
        layers.append(_map_layer(job, one))
    order = ET.SubElement(root, "layerorder")
    for one in drawn:
        ET.SubElement(order, "layer", id=layer_id(one.layer.name))
    _properties(root)
    sheet = _sheet(job, drawn, themes)
    printed = [] if sheet is None else [(sheet.theme, _on_sheet(drawn, themes))]
    root.append(_presets([*themes, *printed]))
    if sheet is not None:
        root.append(layouts_of(sheet))
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode")


def _system(parent: ET.Element, crs: pyproj.CRS) -> None:
    system = ET.SubElement(parent, "spatialrefsys")
    authority = crs.to_authority()
    ET.SubElement(system, "wkt").text = crs.to_wkt("WKT2_2019")
    ET.SubElement(system, "authid").text = ":".join(authority) if authority else ""
    ET.SubElement(system, "description").text = crs.name
    ET.SubElement(system, "geographicflag").text = str(crs.is_geographic).lower()


def _tree(job: Job, drawn: Sequence[Chosen], shown: dict[str, str]) -> ET.Element:
    tree = ET.Element("layer-tree-group")
    for role in ("result", "input"):
        members = [one for one in drawn if one.layer.role == role]
        if members:
            name = messages.text(f"export.group_{role}", job.lang)
            group = ET.SubElement(
                tree, "layer-tree-group", name=name, checked="Qt::Checked", expanded="1"
            )
            for one in members:
                group.append(tree_layer(job, one.layer, checked=one.layer.name in shown))
    # Drawn by geometry, whatever the group: no area lies on a line or point.
    order = ET.SubElement(tree, "custom-order", enabled="1")
    for one in drawn:
        ET.SubElement(order, "item").text = layer_id(one.layer.name)
    return tree


def tree_layer(job: Job, layer: Layer, *, checked: bool) -> ET.Element:
    """Return a layer's place in the tree of layers, or in a legend."""
    return ET.Element(
        "layer-tree-layer",
        id=layer_id(layer.name),
        name=layer.title.get(job.lang),
        source=_source(job, layer),
        providerKey="ogr",
        checked="Qt::Checked" if checked else "Qt::Unchecked",
        expanded=str(int(checked)),
    )


def _source(job: Job, layer: Layer) -> str:
    return f"./{job.gpkg}|layername={layer.name}"


def _canvas(root: ET.Element, job: Job, drawn: Sequence[Chosen]) -> None:
    canvas = ET.SubElement(root, "mapcanvas", name="theMapCanvas", annotationsVisible="1")
    ET.SubElement(canvas, "units").text = "meters" if job.system.metric else "degrees"
    extent = ET.SubElement(canvas, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), _extent(job, drawn), strict=True):
        ET.SubElement(extent, name).text = repr(value)
    ET.SubElement(canvas, "rotation").text = "0"
    _system(ET.SubElement(canvas, "destinationsrs"), job.system.crs)


def _extent(job: Job, drawn: Sequence[Chosen]) -> tuple[float, float, float, float]:
    """Return the bounds of all areas, or of all layers where there is no area."""
    areas = [one for one in drawn if one.layer.geometry == "Polygon" and len(one.frame)]
    boxes = [
        job.system.place(one.frame).total_bounds
        for one in areas or [one for one in drawn if len(one.frame)]
        if isinstance(one.frame, gpd.GeoDataFrame)
    ]
    if not boxes:
        return 0.0, 0.0, 1.0, 1.0
    west, south, east, north = zip(*boxes, strict=True)
    return float(min(west)), float(min(south)), float(max(east)), float(max(north))


def _map_layer(job: Job, one: Chosen) -> ET.Element:
    layer = one.layer
    made = ET.Element(
        "maplayer",
        type="vector",
        geometry=layer.geometry.removesuffix("String"),
        wkbType=multi(layer.geometry),
        styleCategories="AllStyleCategories",
        autoRefreshEnabled="0",
        readOnly="0",
    )
    ET.SubElement(made, "id").text = layer_id(layer.name)
    ET.SubElement(made, "datasource").text = _source(job, layer)
    ET.SubElement(made, "layername").text = layer.title.get(job.lang)
    ET.SubElement(made, "title").text = layer.title.get(job.lang)
    ET.SubElement(made, "abstract").text = layer.description.get(job.lang)
    _system(ET.SubElement(made, "srs"), job.system.crs)
    ET.SubElement(made, "provider", encoding="UTF-8").text = "ogr"
    current = _SHEET if layer.name == "grids" and one.styled else _USUAL
    manager = ET.SubElement(made, "map-layer-style-manager", current=current)
    ET.SubElement(manager, "map-layer-style", name=current)
    if one.styled:
        named = {name or _USUAL: name for name in styles_of(one)}
        for title, name in named.items():
            if title != current:
                style_into(_other(manager, title), layer.styled(name), one.whole, job.lang)
        if current == _SHEET:
            focus = messages.text("export.this_sheet", job.lang)
            style_into(made, _outlined(job, layer), one.whole, job.lang, focus=focus)
        else:
            style_into(made, layer, one.whole, job.lang)
    if layer.label in one.frame:
        ET.SubElement(made, "previewExpression").text = f'"{layer.label}"'
    return made


def _outlined(job: Job, layer: Layer) -> Layer:
    """Return the grids as outlines, which leave the colours of results beneath them alone."""
    usual = "outline" if len(job.analysed.city.levels) == 1 and "outline" in layer.styles else ""
    style = symbology_of(layer.styled(usual)).model_copy(update={"fill_opacity": 0.0})
    return layer.model_copy(update={"symbology": style})


def _other(manager: ET.Element, name: str) -> ET.Element:
    style = ET.SubElement(manager, "map-layer-style", name=name)
    return ET.SubElement(style, "qgis", version="3.22", styleCategories="AllStyleCategories")


def _properties(root: ET.Element) -> None:
    properties = ET.SubElement(root, "properties")
    paths = ET.SubElement(properties, "Paths")
    ET.SubElement(paths, "Absolute", type="bool").text = "false"
    projections = ET.SubElement(properties, "SpatialRefSys")
    ET.SubElement(projections, "ProjectionsEnabled", type="int").text = "1"


def _themes(job: Job, drawn: Sequence[Chosen]) -> list[tuple[str, dict[str, str]]]:
    """Return the maps that the layers can show: title, and the style of each visible layer."""
    held = {one.layer.name: styles_of(one) for one in drawn if one.styled}
    specs = job.analysed.city.catalog.maps
    order = [name for name in _FIRST if name in specs]
    order += [name for name in specs if name not in order]
    found = []
    for spec in (specs[name] for name in order):
        shown = _shown(spec, held)
        if shown and set(spec.needs) <= set(held):
            found.append((spec.title.get(job.lang), shown))
    return found


def _shown(spec: MapSpec, held: dict[str, list[str]]) -> dict[str, str]:
    return {
        one.layer: one.style or _USUAL
        for one in spec.layers
        if one.show and one.style in held.get(one.layer, ())
    }


def _on_sheet(
    drawn: Sequence[Chosen], themes: Sequence[tuple[str, dict[str, str]]]
) -> dict[str, str]:
    """Return the layers of the first theme with the base of a sheet."""
    held = {one.layer.name for one in drawn if one.styled}
    base = {name: _USUAL for name in _BASE if name in held}
    return base | themes[0][1] | ({"grids": _SHEET} if "grids" in held else {})


def _presets(themes: Sequence[tuple[str, dict[str, str]]]) -> ET.Element:
    presets = ET.Element("visibility-presets")
    for title, layers in themes:
        preset = ET.SubElement(presets, "visibility-preset", name=title)
        for name, style in layers.items():
            ET.SubElement(preset, "layer", id=layer_id(name), visible="1", style=style)
    return presets


def _sheet(
    job: Job, drawn: Sequence[Chosen], themes: list[tuple[str, dict[str, str]]]
) -> Sheet | None:
    """Return what the print layouts show: the first theme, in which they add the grids' names."""
    if not themes:
        return None
    title = themes[0][0]
    city, lang = job.analysed.city, job.lang
    shown = _on_sheet(drawn, themes)
    legend = [_legend_layer(job, one) for one in drawn if one.layer.name in shown]
    foot = [
        *(messages.text("map.as_of", lang, date=f"{at:%Y-%m-%d}") for at in [city.moment] if at),
        messages.text("map.source", lang, source=city.source.get(lang)),
        messages.text("export.review_number", lang, number=city.review_number or "–"),
    ]
    return Sheet(
        title=f"{city.title.get(lang)} · {title}",
        theme=messages.text("export.sheet_theme", lang),
        legend_title=messages.text("export.legend", lang),
        legend=legend,
        foot="    ".join(foot),
        extent=_extent(job, drawn),
        atlases=_atlases(job, drawn),
    )


def _legend_layer(job: Job, one: Chosen) -> ET.Element:
    """Return a layer of the legend, with the field that its colours show and its unit."""
    made = tree_layer(job, one.layer, checked=True)
    field = paint(one.layer, one.whole, job.lang).field
    if field:
        title = one.layer.title.get(job.lang)
        said = heading(one.layer.fields[field], job.lang)
        custom = ET.SubElement(made, "customproperties")
        options(custom, {"legend/title-label": f"{title}: {said}"})
    return made


def _atlases(job: Job, drawn: Sequence[Chosen]) -> tuple[Atlas, ...]:
    """Return an atlas of the finest level on both papers, and one of the level above it on A3."""
    grids = next((one for one in drawn if one.layer.name == "grids"), None)
    if grids is None or "level" not in grids.frame:
        return ()
    labels = grids.layer.fields["level"].categories
    held = [level for level in labels if level in set(grids.frame["level"])]
    layer, source = layer_id("grids"), _source(job, grids.layer)
    found = []
    for level, papers in zip(held[:-3:-1], (("A4", "A3"), ("A3",)), strict=False):
        name = messages.text("export.atlas", job.lang, level=labels[level].get(job.lang))
        found.append(Atlas(name, level, layer, source, papers))
    return tuple(found)
