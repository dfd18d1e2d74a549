"""From a layer's symbology to the class, style and legend of every feature, for any output.

Nothing here knows a map library: the breaks and colours come from one place, so that an HTML map
and a GIS layer cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import pandas as pd

from gridmap.catalog import Labels, Layer, Scales, Symbology
from gridmap.errors import CatalogError
from gridmap.messages import text
from gridmap.outputs.numbers import number_text

__all__ = [
    "LegendItem",
    "Painted",
    "PathStyle",
    "Rule",
    "label_of",
    "levels_of",
    "paint",
    "rules_of",
    "symbology_of",
    "tests_of",
]


@dataclass(frozen=True)
class PathStyle:
    """How one class of features is drawn; widths and radii in pixels.

    `casing` is the colour of a wider line beneath a line, empty for none, and `casing_width` how
    far it looks out on either side.
    """

    fill: str
    stroke: str
    stroke_width: float
    fill_opacity: float
    radius: float
    dash: str
    icon: str = "circle"
    casing: str = ""
    casing_width: float = 0.0


@dataclass(frozen=True)
class LegendItem:
    """A class in a legend; a graduated one with its lowest and highest value."""

    key: str
    label: str
    colour: str
    count: int
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Rule:
    """A class as other programs can tell it: which features it has, and how they are drawn.

    Parameters
    ----------
    key, label : str
        As in the legend.
    style : PathStyle
    kind : str
        ``all``; ``equal``, of one `value`; ``range``, above `low` up to `high`; ``missing``, what
        no other rule has.
    value : str
    low, high : float
    first, last : bool
        Whether a range of the symbology reaches down, or up, without end.
    scales : Scales
        At which it is drawn.
    """

    key: str
    label: str
    style: PathStyle
    kind: str
    value: str = ""
    low: float = 0.0
    high: float = 0.0
    first: bool = False
    last: bool = False
    scales: Scales = Scales()  # noqa: RUF009 - frozen


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


def rules_of(layer: Layer, painted: Painted) -> tuple[Rule, ...]:
    """Return the classes of a painted layer as rules that any program can follow.

    Parameters
    ----------
    layer : Layer
    painted : Painted
        Of `paint`.

    Returns
    -------
    tuple of Rule
        In the order of the legend; one for what has no value comes last.
    """
    scales = symbology_of(layer).scales
    bounds = _class_bounds([item.bounds for item in painted.legend if item.bounds is not None])
    ranges = 0
    rules = []
    for item in painted.legend:
        rule = Rule(item.key, item.label, painted.styles[item.key], "all")
        if item.key == "missing":
            rule = replace(rule, kind="missing")
        elif item.bounds is not None:
            low, high = bounds[ranges]
            rule = replace(rule, kind="range", low=low, high=high, first=ranges == 0)
            ranges += 1
            rule = replace(rule, last=ranges == len(bounds))
        elif painted.field:
            rule = replace(rule, kind="equal", value=item.key)
        shown = scales.get(item.key, scales.get("*", Scales()))
        rules.append(replace(rule, scales=shown))
    return tuple(rules)


def _class_bounds(bounds: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return bounds that meet: classes of one value each are parted halfway between them.

    Other programs have values that were rounded on the way, so that none would be equal.
    """
    if not all(low == high for low, high in bounds):
        return bounds
    values = [low for low, _ in bounds]
    halfway = [(low + high) / 2 for low, high in pairwise(values)]
    return list(zip([*values[:1], *halfway], [*halfway, *values[-1:]], strict=True))


def levels_of(rules: Sequence[Rule]) -> list[int]:
    """Return how far up the strokes of each rule are drawn: no narrow one lies on a wide one."""
    widths = sorted({rule.style.stroke_width for rule in rules})
    return [widths.index(rule.style.stroke_width) for rule in rules]


def label_of(layer: Layer, frame: pd.DataFrame) -> Labels | None:
    """Return what is written at the features, None where that field is empty or not there."""
    labels = symbology_of(layer).labels
    if labels is None or labels.field not in frame or bool(frame[labels.field].isna().all()):
        return None
    return labels


def tests_of(rule: Rule) -> list[tuple[str, float]]:
    """Return the tests of a rule of kind ``range``: pairs of ``>`` or ``<=`` and a number.

    None at all stand for any number.
    """
    tests = [] if rule.first else [(">", rule.low)]
    return tests if rule.last else [*tests, ("<=", rule.high)]


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


def _path(style: Symbology, fill: str, stroke: str, key: str = "") -> PathStyle:
    return PathStyle(
        fill,
        stroke,
        style.stroke_widths.get(key, style.stroke_width),
        style.fill_opacity,
        style.radius,
        style.dash,
        icon=style.icons.get(key, style.icon),
        casing=style.casing or "",
        casing_width=style.casing_width if style.casing else 0.0,
    )


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
        ends = [number_text(end, decimals) for end in (low, high)]
        named[f"class-{number}"] = _range(ends, number, len(uppers), fixed=bool(style.breaks))
        bounds[f"class-{number}"] = (float(low), float(high))
    return _painted(layer, style, shown, keys, colours, named, lang, bounds)


def _range(ends: list[str], number: int, classes: int, *, fixed: bool) -> str:
    """Return a class in words; one of fixed breaks that nothing lies in has one end alone."""
    low, high = ends
    if low != high:
        return f"{low} – {high}"
    if fixed and number == 0:
        return f"≤ {high}"
    if fixed and number == classes - 1:
        return f"> {low}"
    return low


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
    if len(uppers) == 0 or np.array_equal(uppers, np.unique(values.dropna().to_numpy())):
        return uppers  # each class is one value
    return np.array([min(float(values.min()), uppers[0]), *uppers[:-1]])


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
    own = style.stroke_by_class or layer.geometry == "LineString"
    styles = {
        key: _path(style, colour, colour if own else style.stroke, key)
        for key, colour in colours.items()
    }
    return Painted(field, tuple(keys), styles, legend)
