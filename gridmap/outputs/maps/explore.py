"""A page of any frame in one line: search, table, legend and popups, without a network."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pandas.api import types

from gridmap import messages
from gridmap.catalog import Field, FieldType, Geometry, Layer, MapLayer, Symbology, Text
from gridmap.errors import CrsError, OutputError
from gridmap.kinds import checked
from gridmap.leaving import leaving, unmasked
from gridmap.outputs.maps._layers import Overlay, feature_layer, in_words, legend_section
from gridmap.outputs.pages import elements
from gridmap.outputs.pages.page import Page, page
from gridmap.outputs.styles.symbology import paint
from gridmap.privacy import shown_table

__all__ = ["explore"]

_FAMILIES: dict[Geometry, tuple[str, ...]] = {
    "Polygon": ("Polygon", "MultiPolygon"),
    "LineString": ("LineString", "MultiLineString", "LinearRing"),
    "Point": ("Point", "MultiPoint"),
}
_TITLES = {"Polygon": "map.polygon", "LineString": "map.linestring", "Point": "map.point"}
# ColorBrewer's YlGnBu without its palest, and the colours of Okabe and Ito (2008).
_RAMP = ("#c7e9b4", "#7fcdbb", "#41b6c4", "#2c7fb8", "#253494")
_CLASSES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
_PLAIN = "#2c7fb8"
_GREY = "#999999"
_LOOK = {"stroke": "#4a5568", "stroke_width": 0.8, "missing": "#a0aec0", "fill_opacity": 0.75}
_LOOKS = {"LineString": {"stroke_width": 2.5}, "Point": {"radius": 5.0}}
_OTHERS = "(others)"
_CLASS = "(class)"


@checked
def explore(
    frame: gpd.GeoDataFrame | gpd.GeoSeries,
    column: str | None = None,
    *,
    title: str = "",
    lang: str = "en",
    unmask: bool = False,
) -> Page:
    """Draw any frame on a page of its own.

    Parameters
    ----------
    frame : GeoDataFrame or GeoSeries
        In any coordinate system, of any mixture of geometries; every column but the geometry can
        be read, searched and sorted on the page. Rows without a shape stand in no map.
    column : str, optional
        What the colours show: numbers in five classes of as many rows, anything else by value, the
        seven most frequent ones.
    title : str
        By default the column, or how many rows there are.
    lang : str
        The language to begin with.
    unmask : bool
        Show phones and numbers of identity cards in full; numbers that may be phones are masked
        in columns of numbers too.

    Returns
    -------
    Page
        To be shown in a notebook, added to, or written by `save_page`.

    Raises
    ------
    CrsError
        If the frame does not say its coordinate system.
    OutputError
        If there is no such column, or no row has a shape.

    Examples
    --------
    >>> shapes = [shapely.box(x, 30, x + 1, 31) for x in (120, 121)]
    >>> areas = gpd.GeoDataFrame({"hours": [3.5, 8.0]}, geometry=shapes, crs=4326)
    >>> page = gridmap.explore(areas, column="hours")
    >>> "hours" in page.get_root().render()
    True
    """
    frame = _frame(frame)
    columns = frame.columns.drop(frame.geometry.name)
    if column is not None and column not in columns:
        raise OutputError("map.column", column=column, known=", ".join(map(str, columns)))
    shapes = frame.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    try:
        shown = frame[there].to_crs(4326)
    except pyproj.exceptions.ProjError:
        raise CrsError("crs.no_way", name="frame", crs=frame.crs.name) from None
    heading = title or (f"{column}" if column is not None else f"{len(frame):,}")
    if shown.empty:
        raise OutputError("map.no_shapes", rows=f"{len(frame):,}")
    left = len(frame) - len(shown)
    canvas = page(title=heading, bounds=shown.total_bounds, lang=lang, lines=_lines(left))
    with unmasked(unmask):
        plain = gpd.GeoDataFrame(shown_table(_plain(shown)))
    overlays = [*_overlays(plain, None if column is None else leaving(_named(column)))]
    made, sections = [], []
    for overlay in overlays:
        painted = paint(overlay.layer, overlay.frame)
        made.append(feature_layer(overlay, painted))
        made[-1].add_to(canvas)
        sections.append(legend_section(overlay, painted))
    elements.LayerSwitch(made).add_to(canvas)
    elements.Legend(sections).add_to(canvas)
    return canvas


def _frame(given: gpd.GeoDataFrame | gpd.GeoSeries) -> gpd.GeoDataFrame:
    """Return what was given as a frame whose system is known."""
    if isinstance(given, gpd.GeoSeries):
        given = given.to_frame("geometry")
    if given.crs is None:
        raise CrsError("crs.none", function="explore", name="frame")
    return given


def _lines(left: int) -> list[messages.Words]:
    if not left:
        return []
    return [messages.in_each(lambda lang: messages.text("map.left_out", lang, rows=f"{left:,}"))]


def _plain(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a frame with names of text, and values that a page can hold."""
    geometry = frame.geometry
    columns: dict[str, pd.Series] = {}
    for place, name in enumerate(frame.columns):
        if name == frame.geometry.name:
            continue
        values = frame.iloc[:, place]
        if isinstance(values.dtype, pd.CategoricalDtype | pd.PeriodDtype | pd.IntervalDtype):
            values = values.astype("string")
        elif types.is_object_dtype(values) or types.is_timedelta64_dtype(values):
            values = values.map(str, na_action="ignore").astype("string")
        columns[_named(name)] = values
    table = pd.DataFrame(columns).reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry=geometry.to_numpy(), crs=frame.crs)


def _named(name: object) -> str:
    """Return the name of a column; a field cannot go without one."""
    return str(name) or "–"


def _overlays(frame: gpd.GeoDataFrame, column: str | None) -> Iterator[Overlay]:
    """Yield a layer for each kind of geometry that there is."""
    kinds = frame.geom_type
    for family, names in _FAMILIES.items():
        part = frame[kinds.isin(names)].reset_index(drop=True)
        if part.empty:
            continue
        layer, drawn = _layer(part, family, column)
        fields = tuple(str(name) for name in part.columns if name != part.geometry.name)
        name = in_words(layer.title)
        yield Overlay(MapLayer(layer=layer.name, popup=fields), layer, name, drawn, show=True)


def _layer(
    part: gpd.GeoDataFrame, geometry: Geometry, column: str | None
) -> tuple[Layer, gpd.GeoDataFrame]:
    fields = {
        str(name): _field(str(name), part[name])
        for name in part.columns
        if name != part.geometry.name
    }
    style: dict[str, object] = {"kind": "single", "colours": (_PLAIN,)}
    if column is not None and fields[str(column)].type in ("integer", "number"):
        style = {"kind": "graduated", "field": str(column), "colours": _RAMP}
    elif column is not None and part[str(column)].notna().any():
        classes, order = _classes(part[str(column)])
        labels = {key: _text(key) for key in order}
        if _OTHERS in labels:
            labels[_OTHERS] = _said("map.others")
        fields[_CLASS] = Field(
            type="category", label=_text(str(column)), description=_text(""), categories=labels
        )
        colours = dict(zip(labels, _CLASSES, strict=False)) | dict.fromkeys(
            {_OTHERS} & {*labels}, _GREY
        )
        style = {"kind": "categorised", "field": _CLASS, "classes": colours}
        part = part.assign(**{_CLASS: classes})
    layer = Layer(
        name=geometry.lower(),
        title=_said(_TITLES[geometry]),
        description=_text(""),
        geometry=geometry,
        role="result",
        fields=fields,
        symbology=Symbology.model_validate({**_LOOK, **style, **_LOOKS.get(geometry, {})}),
    )
    return layer, part


def _classes(values: pd.Series) -> tuple[pd.Series, list[str]]:
    """Return values as text, the rarer ones as one class, and the classes in order."""
    text = values.astype("string")
    frequent = text.value_counts().index[: len(_CLASSES)]
    order = sorted(frequent)
    if text.nunique() > len(order):
        order.append(_OTHERS)
        text = text.where(text.isin(frequent) | text.isna(), _OTHERS)
    return text, order


def _field(name: str, values: pd.Series) -> Field:
    kind: FieldType = "string"
    decimals = 0
    if types.is_bool_dtype(values):
        kind = "boolean"
    elif types.is_integer_dtype(values):
        kind = "integer"
    elif types.is_float_dtype(values):
        kind, decimals = "number", _decimals(values)
    elif types.is_datetime64_any_dtype(values):
        kind = "datetime"
    return Field(type=kind, label=_text(name), description=_text(""), decimals=decimals)


def _decimals(values: pd.Series) -> int:
    """Return as many decimals as three significant digits of the usual value take."""
    finite = values.astype("float64").abs()
    finite = finite[np.isfinite(finite) & (finite > 0)]
    if finite.empty or (finite % 1 == 0).all():
        return 0
    return int(np.clip(2 - np.floor(np.log10(finite.median())), 0, 6))


def _text(text: str) -> Text:
    return Text(en=text, zh=text)


def _said(key: str) -> Text:
    return Text(en=messages.text(key, "en"), zh=messages.text(key, "zh"))
