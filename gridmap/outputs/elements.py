"""What a map page can hold, as folium elements: each is one call of the page runtime.

Data goes to the runtime as JSON and is drawn as text: a value is never markup. The elements need
a map made by :func:`gridmap.outputs.page.page`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from folium.map import Layer

from gridmap import messages
from gridmap.outputs.encoding import Field, column, geometries, pack_points, positions
from gridmap.outputs.runtime import RuntimeCall, script_json

__all__ = [
    "Field",
    "GeoLayer",
    "HeatByTime",
    "LayerSwitch",
    "Legend",
    "LegendItem",
    "LegendSection",
    "TitleBlock",
    "WhoIsResponsible",
    "WhoLayer",
    "page_texts",
]

HEAT_COLOURS = ("#3b7dd8", "#35b6a5", "#f2d13c", "#f08a24", "#d7301f")
_TEXTS = (
    "about", "about_text", "all", "close", "collapse", "expand", "home", "layers", "legend", "no",
    "no_owner", "nothing_found", "pause", "play", "position", "review_number", "time", "who_title",
    "why", "yes", "zoom_in", "zoom_out",
)  # fmt: skip


def page_texts(lang: str) -> dict[str, str]:
    """Return what the runtime itself says, by key, in a language of the message catalogue."""
    texts = messages.section("page", lang)
    return {key: texts[key] for key in _TEXTS}


class TitleBlock(RuntimeCall):
    """A card with the title and lines such as date, source and parameters.

    Parameters
    ----------
    title : str
    lines : sequence of str
    review_number : str, optional
        The map review number (审图号); its line is there in any case.
    """

    function = "titleBlock"

    def __init__(self, title: str, lines: Sequence[str] = (), *, review_number: str = "–") -> None:
        super().__init__({"title": title, "lines": [*lines], "reviewNumber": review_number})


class LegendItem(TypedDict):
    """One line of a legend."""

    colour: str
    label: str
    count: NotRequired[int | None]


class LegendSection(TypedDict):
    """One part of a legend; it hides while the overlay of that name is switched off."""

    title: str
    kind: Literal["classes", "categories", "ramp"]
    items: Sequence[LegendItem]
    unit: NotRequired[str]
    overlay: NotRequired[str]
    shape: NotRequired[Literal["area", "line", "circle"]]


class Legend(RuntimeCall):
    """A card with what the colours mean.

    Parameters
    ----------
    sections : sequence of LegendSection
    """

    function = "legend"

    def __init__(self, sections: Sequence[LegendSection]) -> None:
        super().__init__(
            [
                {"unit": "", "overlay": "", "shape": "area", **section}
                | {"items": [{"count": None, **item} for item in section["items"]]}
                for section in sections
            ]
        )


class LayerSwitch(RuntimeCall):
    """A card with a check box for each overlay; the first lies lowest.

    Parameters
    ----------
    overlays : sequence of folium.map.Layer
        Feature groups, :class:`GeoLayer`, :class:`HeatByTime`; shown under their names.
    """

    function = "layerSwitch"

    def __init__(self, overlays: Sequence[Layer]) -> None:
        super().__init__(None)
        self._overlays = [*overlays]

    def _arguments(self) -> str:
        entries = [
            f"{{name: {script_json(overlay.layer_name)}, layer: {overlay.get_name()}}}"
            for overlay in self._overlays
        ]
        return f"() => [{', '.join(entries)}]"


class HeatByTime(RuntimeCall, Layer):
    """A heat map over a time slider that plays.

    Parameters
    ----------
    points : array of float, shape (n, 2)
        Longitude and latitude in degrees (WGS 84).
    steps : array of int, shape (n,)
        The position in ``labels`` of each point's time.
    labels : sequence of str
        One for each step, such as a month.
    name : str
        The overlay's name.
    weights : array of float, shape (n,), optional
        At least 0; embedded to three decimals. By default each point weighs 1.
    radius, blur : int, pixels
        Of one point's spot.
    colours : sequence of str
        From few to many.
    show : bool
        Whether the overlay is switched on at first.

    Raises
    ------
    OutputError
        If the arrays have different lengths, or rows have no place, a step without a label, or
        a weight that is negative or missing.
    """

    function = "heatByTime"

    def __init__(
        self,
        points: npt.ArrayLike,
        steps: npt.ArrayLike,
        *,
        labels: Sequence[str],
        name: str,
        weights: npt.ArrayLike | None = None,
        radius: int = 11,
        blur: int = 13,
        colours: Sequence[str] = HEAT_COLOURS,
        show: bool = True,
    ) -> None:
        packed = pack_points(np.asarray(points), np.asarray(steps), len(labels), weights)
        look = {"colours": [*colours], "radius": radius, "blur": blur}
        config = {"name": name, "labels": [*labels]} | look | packed
        super().__init__(config, name=name, overlay=True, show=show)


class GeoLayer(RuntimeCall, Layer):
    """Features with a popup of their attributes, for up to about 10,000 of them.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame, any CRS
        Polygons, lines or points. A row without geometry is not drawn.
    name : str
        The overlay's name.
    style : sequence of str, or str
        For each row (or for all), a key of ``styles``.
    styles : mapping of str to mapping
        Leaflet path options: ``color``, ``weight``, ``fillColor``, ``fillOpacity``, ``radius``.
    fields : sequence of Field
        What the popup shows, in order.
    tooltip : str, optional
        The column shown under the pointer.
    keep : sequence of str
        Further columns, for :class:`WhoIsResponsible`.
    show : bool
        Whether the overlay is switched on at first.

    Raises
    ------
    OutputError
        If the frame has no CRS, or ``style`` has another length than it.
    """

    function = "geoLayer"

    def __init__(
        self,
        gdf: gpd.GeoDataFrame,
        *,
        name: str,
        style: Sequence[str] | str,
        styles: Mapping[str, Mapping[str, Any]],
        fields: Sequence[Field],
        tooltip: str | None = None,
        keep: Sequence[str] = (),
        show: bool = True,
    ) -> None:
        shown = [field["name"] for field in fields]
        others = dict.fromkeys([*keep, *([tooltip] if tooltip else [])])
        plain: list[Field] = [
            {"name": other, "label": other} for other in others if other not in shown
        ]
        columns = [column(gdf, field) for field in [*fields, *plain]]
        keys = [*styles]
        config = {
            "name": name,
            "geometries": geometries(gdf, name),
            "styles": [dict(styles[key]) for key in keys],
            "style": positions(style, keys, len(gdf), name),
            "fields": [field for field, _ in columns],
            "shown": shown,
            "columns": {field["name"]: values for field, values in columns},
            "tooltip": tooltip,
        }
        super().__init__(config, name=name, overlay=True, show=show)
        self.columns = frozenset(field["name"] for field, _ in columns)


class WhoLayer(TypedDict):
    """A layer to ask who answers for a place, with its columns that tell."""

    layer: GeoLayer
    title: str
    name: NotRequired[str]
    code: NotRequired[str]
    person: NotRequired[str]
    role: NotRequired[str]
    required: NotRequired[bool]


class WhoIsResponsible(RuntimeCall):
    """A panel that tells, on a click anywhere, everyone who answers for that place.

    Parameters
    ----------
    layers : sequence of WhoLayer
        In the order of the answer. A ``required`` layer says so where it has no owner.

    Raises
    ------
    ValueError
        If a layer does not hold a column that it is asked for.
    """

    function = "whoIsResponsible"

    def __init__(self, layers: Sequence[WhoLayer]) -> None:
        super().__init__([_who_layer(layer) for layer in layers])


def _who_layer(spec: WhoLayer) -> dict[str, Any]:
    layer = spec["layer"]
    asked = {key: spec.get(key) for key in ("name", "code", "person", "role")}
    missing = {value for value in asked.values() if value} - layer.columns
    if missing:
        raise ValueError(f"{layer.layer_name}: add {sorted(map(str, missing))} to fields or keep")
    required = bool(spec.get("required"))
    return {"layer": layer.layer_name, "title": spec["title"], "required": required} | asked
