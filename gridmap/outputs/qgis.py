"""The same symbology for QGIS: styles that a GeoPackage carries and that QGIS opens it with.

QGIS reads the table ``layer_styles`` of a GeoPackage and applies the default style of each layer.
The style is QML, QGIS's own XML; what is written here was compared with what QGIS 3.22 writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd

from gridmap.catalog import Layer, Symbology
from gridmap.outputs.symbology import Painted, PathStyle, paint, symbology_of

__all__ = ["qml", "write_styles"]

_SYMBOL = {"Point": "marker", "LineString": "line", "Polygon": "fill"}
# As the timestamps of the GeoPackage itself: the same input gives the same bytes.
_TIMESTAMP = "2000-01-01T00:00:00.000Z"


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
        QML with the renderer, and an alias for every field.

    Raises
    ------
    CatalogError
        If the layer has no symbology.
    """
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology|Fields")
    style = symbology_of(layer)
    if style.kind == "heat":
        root.append(_heat_renderer(style))
    else:
        painted = paint(layer, frame, lang)
        renderer = {
            "categorised": _categorised_renderer,
            "graduated": _graduated_renderer,
            "single": _single_renderer,
        }[style.kind](painted)
        symbols = ET.SubElement(renderer, "symbols")
        for number, item in enumerate(painted.legend):
            symbols.append(_symbol(layer.geometry, painted.styles[item.key], str(number)))
        root.append(renderer)
    aliases = ET.SubElement(root, "aliases")
    for name in frame.columns:
        if name in layer.fields:
            ET.SubElement(aliases, "alias", field=name, name=layer.fields[name].label.get(lang))
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode")


def write_styles(
    geopackage: Path, layers: Iterable[tuple[Layer, pd.DataFrame]], lang: str = "en"
) -> None:
    """Put the styles of layers into a GeoPackage, the usual one as the default.

    Parameters
    ----------
    geopackage : pathlib.Path
        That holds the layers, and no styles yet.
    layers : iterable of (Layer, DataFrame)
        Those without geometry or symbology are passed over.
    lang : str
    """
    with closing(sqlite3.connect(geopackage)) as connection, connection:
        connection.execute(
            "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,"
            " f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),"
            " f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,"
            " useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),"
            " update_time DATETIME)"
        )
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description,"
            " last_change) VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
            (_TIMESTAMP,),
        )
        connection.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name,"
            " f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner,"
            " update_time) VALUES ('', '', ?, 'geom', ?, ?, '', ?, ?, '', ?)",
            [
                (
                    layer.name,
                    name or layer.name,
                    qml(layer.styled(name), frame, lang),
                    not name,
                    layer.title.get(lang),
                    _TIMESTAMP,
                )
                for layer, frame in layers
                if layer.geometry != "none" and layer.symbology is not None
                for name in ("", *layer.styles)
                if symbology_of(layer.styled(name)).field in ("", *frame.columns)
            ],
        )


def _renderer(kind: str, **attributes: str) -> ET.Element:
    shared = {"type": kind, "symbollevels": "0", "enableorderby": "0", "forceraster": "0"}
    return ET.Element("renderer-v2", {**shared, **attributes})


def _single_renderer(_painted: Painted) -> ET.Element:
    return _renderer("singleSymbol")


def _categorised_renderer(painted: Painted) -> ET.Element:
    renderer = _renderer("categorizedSymbol", attr=painted.field)
    categories = ET.SubElement(renderer, "categories")
    for number, item in enumerate(painted.legend):
        # QGIS draws with the empty value whatever none of the others matches.
        value = "" if item.key == "missing" else item.key
        ET.SubElement(
            categories,
            "category",
            value=value,
            symbol=str(number),
            label=item.label,
            render="true",
        )
    return renderer


def _graduated_renderer(painted: Painted) -> ET.Element:
    renderer = _renderer("graduatedSymbol", attr=painted.field, graduatedMethod="GraduatedColor")
    ranges = ET.SubElement(renderer, "ranges")
    for number, item in enumerate(painted.legend):
        if item.bounds is not None:
            low, high = item.bounds
            ET.SubElement(
                ranges,
                "range",
                lower=repr(low),
                upper=repr(high),
                symbol=str(number),
                label=item.label,
                render="true",
            )
    return renderer


def _heat_renderer(style: Symbology) -> ET.Element:
    colours = style.colours
    weight = f'CASE WHEN "{style.unless}" THEN 0 ELSE 1 END' if style.unless else ""
    # Radius in pixels (unit 2); the best of the qualities but one, which a large layer bears.
    renderer = _renderer(
        "heatmapRenderer",
        radius=f"{2 * style.radius:g}",
        radius_unit="2",
        quality="1",
        max_value="0",
        weight_expression=weight,
    )
    ramp = ET.SubElement(renderer, "colorramp", type="gradient", name="[source]")
    stops = [
        f"{(number + 1) / len(colours):g};{_rgba(colour)}"
        for number, colour in enumerate(colours[:-1])
    ]
    _options(
        ramp,
        {
            "color1": _rgba(colours[0], 0),
            "color2": _rgba(colours[-1]),
            "discrete": "0",
            "rampType": "gradient",
            "stops": ":".join(stops),
        },
    )
    return renderer


def _symbol(geometry: str, style: PathStyle, name: str) -> ET.Element:
    kind = _SYMBOL[geometry]
    symbol = ET.Element("symbol", type=kind, name=name, alpha="1", clip_to_extent="1")
    dash = "dash" if style.dash else "solid"
    outline = {
        "outline_color": _rgba(style.stroke),
        "outline_width": f"{style.stroke_width:g}",
        "outline_width_unit": "Pixel",
        "outline_style": dash,
        "color": _rgba(style.fill, style.fill_opacity),
    }
    made = {
        "marker": {**outline, "name": "circle", "size": f"{2 * style.radius:g}"},
        "line": {
            "line_color": _rgba(style.stroke),
            "line_width": f"{style.stroke_width:g}",
            "line_width_unit": "Pixel",
            "line_style": dash,
        },
        "fill": {**outline, "style": "solid"},
    }[kind]
    if kind == "marker":
        made["size_unit"] = "Pixel"
    shape = {"marker": "SimpleMarker", "line": "SimpleLine", "fill": "SimpleFill"}[kind]
    layer = ET.SubElement(symbol, "layer", {"class": shape, "enabled": "1", "pass": "0"})
    _options(layer, made)
    return symbol


def _options(parent: ET.Element, values: dict[str, str]) -> None:
    options = ET.SubElement(parent, "Option", type="Map")
    for name, value in values.items():
        ET.SubElement(options, "Option", type="QString", name=name, value=value)


def _rgba(colour: str, opacity: float = 1.0) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"
