"""From a layer's symbology to the class, style and legend of every feature, for any output.

Nothing here knows a map library: the breaks and colours come from one place, so that an HTML map
and a GIS layer cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from gridmap.catalog import Layer, Symbology
from gridmap.errors import CatalogError
from gridmap.messages import text

__all__ = ["LegendItem", "Painted", "PathStyle", "paint", "symbology_of"]


@dataclass(frozen=True)
class PathStyle:
    """How one class of features is drawn; widths and radii in pixels."""

    fill: str
    stroke: str
    stroke_width: float
    fill_opacity: float
    radius: float
    dash: str


@dataclass(frozen=True)
class LegendItem:
    """A class in a legend; a graduated one with its lowest and highest value."""

    key: str
    label: str
    colour: str
    count: int
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Painted:
    """A layer ready to draw.

    Parameters
    ----------
    field : str
        The attribute that the colours show; empty where they show none.
    keys : tuple of str
        The class of every row.
    styles : mapping of str to PathStyle
        By class.
    legend : tuple of LegendItem
        The classes in order, those without a feature too.
    """

    field: str
    keys: tuple[str, ...]
    styles: Mapping[str, PathStyle]
    legend: tuple[LegendItem, ...]


def paint(layer: Layer, frame: pd.DataFrame, lang: str = "en") -> Painted:
    """Class the features of a layer.

    Parameters
    ----------
    layer : Layer
        With a symbology.
    frame : DataFrame of n rows
        With the field that the symbology shows.
    lang : str
        Of the legend.

    Returns
    -------
    Painted
        Graduated classes are quantiles unless the symbology has breaks; equal values are never
        parted. Rows without a value form a class of their own.
    """
    style = symbology_of(layer)
    if style.kind == "categorised":
        return _categorised(layer, style, frame, lang)
    if style.kind == "graduated":
        return _graduated(layer, style, frame, lang)
    item = LegendItem("all", layer.title.get(lang), style.colours[0], len(frame))
    return Painted(
        "", ("all",) * len(frame), {"all": _path(style, style.colours[0], style.stroke)}, (item,)
    )


def symbology_of(layer: Layer) -> Symbology:
    """Return the symbology of a layer.

    Raises
    ------
    CatalogError
        If it has none.
    """
    if layer.symbology is None:
        problem = "symbology: a map shows this layer, so it needs one"
        raise CatalogError("catalog.invalid", file=f"layers/{layer.name}.toml", problem=problem)
    return layer.symbology


def _path(style: Symbology, fill: str, stroke: str) -> PathStyle:
    return PathStyle(fill, stroke, style.stroke_width, style.fill_opacity, style.radius, style.dash)


def _categorised(layer: Layer, style: Symbology, frame: pd.DataFrame, lang: str) -> Painted:
    values = frame[style.field].astype("string")
    keys = values.where(values.isin(list(style.classes)), "missing").fillna("missing")
    labels = layer.fields[style.field].categories
    colours = dict(style.classes)
    named = {key: labels[key].get(lang) if key in labels else key for key in colours}
    return _painted(layer, style, style.field, keys, colours, named, lang)


def _graduated(layer: Layer, style: Symbology, frame: pd.DataFrame, lang: str) -> Painted:
    shown = style.field
    if style.instead and frame[shown].isna().all():
        shown = style.instead
    values = frame[shown].astype("float64")
    uppers = _uppers(values.dropna().to_numpy(), style)
    slot = pd.Series(np.searchsorted(uppers, values.to_numpy(), side="left"), index=frame.index)
    keys = ("class-" + slot.astype("string")).mask(values.isna(), "missing")
    decimals = layer.fields[shown].decimals
    lowers = _lowers(values, uppers)
    # Few classes take their colours from the whole ramp, not from its pale end.
    ramp = np.linspace(0, len(style.colours) - 1, max(len(uppers), 1)).round().astype(int)
    colours, named, bounds = {}, {}, {}
    for number, (low, high) in enumerate(zip(lowers, uppers, strict=False)):
        colours[f"class-{number}"] = style.colours[ramp[number]]
        ends = [f"{end:,.{decimals}f}" for end in (low, high)]
        named[f"class-{number}"] = ends[0] if low == high else " – ".join(ends)
        bounds[f"class-{number}"] = (float(low), float(high))
    return _painted(layer, style, shown, keys, colours, named, lang, bounds)


def _uppers(values: np.ndarray, style: Symbology) -> np.ndarray:
    if len(values) == 0:
        return np.empty(0)
    if style.breaks:
        return np.array([*style.breaks, max(float(values.max()), style.breaks[-1])])
    distinct = np.unique(values)
    if len(distinct) <= len(style.colours):
        return distinct
    shares = np.arange(1, len(style.colours) + 1) / len(style.colours)
    return np.unique(np.quantile(values, shares))


def _lowers(values: pd.Series, uppers: np.ndarray) -> np.ndarray:
    if len(uppers) == 0 or len(uppers) == values.nunique():
        return uppers  # each class is one value
    return np.array([float(values.min()), *uppers[:-1]])


def _painted(
    layer: Layer,
    style: Symbology,
    field: str,
    keys: pd.Series,
    colours: dict[str, str],
    named: dict[str, str],
    lang: str,
    bounds: Mapping[str, tuple[float, float]] = MappingProxyType({}),
) -> Painted:
    counts = keys.value_counts()
    if "missing" in counts.index:
        colours = {**colours, "missing": style.missing}
        named = {**named, "missing": text("legend.missing", lang)}
    legend = tuple(
        LegendItem(key, named[key], colour, int(counts.get(key, 0)), bounds.get(key))
        for key, colour in colours.items()
    )
    # A line has nothing to fill: its class shows in the stroke.
    line = layer.geometry == "LineString"
    styles = {
        key: _path(style, colour, colour if line else style.stroke)
        for key, colour in colours.items()
    }
    return Painted(field, tuple(keys), styles, legend)
