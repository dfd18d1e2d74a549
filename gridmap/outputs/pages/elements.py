"""What a map page can hold, as folium elements: each is one call of the page runtime.

Data goes to the runtime as JSON and is drawn as text: a value is never markup. The elements need
a map made by :func:`gridmap.outputs.pages.page.page`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NotRequired, TypedDict

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from folium.map import Layer

from gridmap import messages
from gridmap.errors import OutputError
from gridmap.messages import Words, words
from gridmap.outputs.pages.encoding import (
    Field,
    column,
    day_numbers,
    geometries,
    label_places,
    pack_integers,
    plain_name,
    positions,
)
from gridmap.outputs.pages.runtime import RuntimeCall, script_json

__all__ = [
    "CountByTime",
    "FeatureLayer",
    "Field",
    "FollowTime",
    "GeoLayer",
    "Labels",
    "LayerSwitch",
    "Legend",
    "LegendItem",
    "LegendSection",
    "TitleBlock",
    "Variant",
    "page_texts",
    "plain_name",
]

Unit = Literal["day", "week", "month"]
COUNT_COLOURS = ("#f7f7f7", "#fdd49e", "#fdbb84", "#fc8d59", "#e34a33", "#b30000")
HEAT_COLOURS = ("#3b7dd8", "#35b6a5", "#f2d13c", "#f08a24", "#d7301f")


def page_texts() -> dict[str, str | dict[str, str]]:
    """Return what the runtime itself says: by key, in every language."""
    return {key: messages.words(texts) for key, texts in messages.written("browser").items()}


class TitleBlock(RuntimeCall):
    """A card with the title and lines such as date, source and parameters.

    Parameters
    ----------
    title : str or mapping of str to str
        A text for all languages, or by language: ``en``, ``zh``, ``zh-Hant``.
    lines : sequence of str or mapping of str to str
    review_number : str, optional
        The map review number (审图号); its line is there in any case.
    """

    function = "titleBlock"

    def __init__(
        self, title: Words, lines: Sequence[Words] = (), *, review_number: str = "–"
    ) -> None:
        said = [words(line) for line in lines]
        super().__init__({"title": words(title), "lines": said, "reviewNumber": review_number})


class LegendItem(TypedDict):
    """One line of a legend.

    ``style`` is the key of the overlay's style that the line stands for: a click on the line then
    switches the features of that style off and on.
    """

    colour: str
    label: Words
    count: NotRequired[int | None]
    style: NotRequired[str]


class LegendSection(TypedDict):
    """One part of a legend; it hides while the overlay of that name is switched off.

    With ``variants`` the reader chooses the attribute that the overlay shows: the first is the
    one that it shows at first.
    """

    title: Words
    kind: Literal["classes", "categories", "ramp"]
    items: Sequence[LegendItem]
    unit: NotRequired[Words]
    brief: NotRequired[Words]
    note: NotRequired[Words]
    overlay: NotRequired[str]
    shape: NotRequired[Literal["area", "line", "circle"]]
    styles: NotRequired[Mapping[str, Mapping[str, Any]]]
    variants: NotRequired[Sequence[Variant]]


class Variant(TypedDict):
    """Another attribute that an overlay can show: name, legend, styles, the style of each row."""

    name: Words
    section: LegendSection
    style: Sequence[str]


class Legend(RuntimeCall):
    """A card with what the colours mean.

    Parameters
    ----------
    sections : sequence of LegendSection
    """

    function = "legend"

    def __init__(self, sections: Sequence[LegendSection]) -> None:
        super().__init__([_section(section) for section in sections])


def _section(section: LegendSection) -> dict[str, Any]:
    shape = section.get("shape", "area")
    outlined = shape == "area" and section["kind"] == "categories"
    items = [_line(item, section.get("styles", {}), shape, outlined) for item in section["items"]]
    return {
        "title": words(section["title"]),
        "unit": words(section.get("unit", "")),
        "brief": words(section.get("brief", "")),
        "note": words(section.get("note", "")),
        "kind": section["kind"],
        "overlay": section.get("overlay", ""),
        "shape": shape,
        "items": items,
        "variants": [_variant(variant) for variant in section.get("variants", ())],
    }


def _line(
    item: LegendItem, styles: Mapping[str, Mapping[str, Any]], shape: str, outlined: bool
) -> dict[str, Any]:
    """Return a line of a legend, its patch as opaque and outlined as the features are."""
    key = item.get("style", "")
    style = styles.get(key, {})
    filled = float(style.get("fillOpacity", 1.0)) if style.get("fill", True) else 0.0
    stroked = outlined and style.get("stroke", True)
    return {
        "colour": item["colour"],
        "opacity": 1.0 if shape == "line" else filled,
        "edge": style.get("color") if stroked else None,
        "label": words(item["label"]),
        "count": item.get("count"),
        "style": [*styles].index(key) if key in styles else None,
    }


def _variant(variant: Variant) -> dict[str, Any]:
    section = variant["section"]
    styles = section["styles"]
    place = {key: position for position, key in enumerate(styles)}
    of_rows = np.array([place[key] for key in variant["style"]], dtype=np.uint8)
    return {
        "name": words(variant["name"]),
        "section": _section(section),
        "styles": [dict(style) for style in styles.values()],
        "style": base64.b64encode(of_rows.tobytes()).decode("ascii"),
    }


class LayerSwitch(RuntimeCall):
    """A card with a check box for each overlay; the first lies lowest.

    Parameters
    ----------
    overlays : sequence of folium.map.Layer
        Feature groups, :class:`GeoLayer`, packed layers; shown under their names.
    groups : sequence of str or mapping of str to str, optional
        For each overlay the heading that it stands under; empty for none.
    """

    function = "layerSwitch"

    def __init__(self, overlays: Sequence[Layer], *, groups: Sequence[Words] = ()) -> None:
        super().__init__(None)
        self._overlays = [*overlays]
        self._groups = [words(group) for group in groups] or [""] * len(self._overlays)

    def _arguments(self) -> str:
        entries = []
        for overlay, group in zip(self._overlays, self._groups, strict=True):
            said = {
                "name": overlay.layer_name,
                "title": getattr(overlay, "title", overlay.layer_name),
                "group": group,
            }
            entries.append(f"{{...{script_json(said)}, layer: {overlay.get_name()}}}")
        return f"() => [{', '.join(entries)}]"


class FeatureLayer(RuntimeCall, Layer):
    """A layer of features that cards can search, list and ask.

    Attributes
    ----------
    title : str or mapping of str to str
        What the overlay is called.
    columns : frozenset of str
        What the page holds of each feature.
    """

    title: Words
    columns: frozenset[str]


class GeoLayer(FeatureLayer):
    """Features with a popup of their attributes, for up to about 5,000 of them.

    There are packed layers for more, see :mod:`gridmap.outputs.pages.packed`.

    Parameters
    ----------
    gdf : geopandas.GeoDataFrame, any CRS
        Polygons, lines or points. A row without geometry is not drawn.
    name : str or mapping of str to str
        The overlay's name, unique on the page; its own elements refer to it by the first text.
    style : sequence of str, or str
        For each row (or for all), a key of ``styles``.
    styles : mapping of str to mapping
        Leaflet path options: ``color``, ``weight``, ``fillColor``, ``fillOpacity``, ``radius``.
    fields : sequence of Field
        What the popup shows, in order.
    tooltip : str, optional
        The column shown under the pointer.
    keep : sequence of str
        Further columns, for search and other cards.
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
        name: Words,
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
        label = plain_name(name)
        self.title = words(name)
        config = {
            "name": label,
            "title": self.title,
            "geometries": geometries(gdf, label),
            "styles": [dict(styles[key]) for key in keys],
            "style": positions(style, keys, len(gdf), label),
            "fields": [field for field, _ in columns],
            "shown": shown,
            "columns": {field["name"]: values for field, values in columns},
            "tooltip": tooltip,
        }
        super().__init__(config, name=label, overlay=True, show=show)
        self.columns = frozenset(field["name"] for field, _ in columns)


class Labels(RuntimeCall):
    """Names of areas, each written inside its own where that is large enough, none over another.

    Parameters
    ----------
    areas : geopandas.GeoSeries, any CRS
        Polygons; a row without one has no label.
    texts : sequence of str
        One for each row, of one line or several; empty for none.
    overlay : FeatureLayer
        Whose areas these are: the labels come and go with it, and with what is filtered.
    size : float, pixels
        Of the letters. Where a name does not fit it is broken into lines and made smaller.

    Raises
    ------
    OutputError
        If there is not one text for each area, or the areas have no CRS.
    """

    function = "labels"

    def __init__(
        self, areas: gpd.GeoSeries, texts: Sequence[str], *, overlay: Layer, size: float = 12.0
    ) -> None:
        name = overlay.layer_name
        places, radii = label_places(areas, name)
        if len(texts) != len(areas):
            raise OutputError("page.unaligned", layer=name, given=len(texts), expected=len(areas))
        super().__init__(
            {
                "overlay": name,
                "texts": [*texts],
                "places": places,
                "radii": radii,
                "size": size,
            }
        )


class FollowTime(RuntimeCall):
    """Lets the time slider of the page choose which features of an overlay are drawn.

    Parameters
    ----------
    overlay : GeoLayer
        Or any other overlay of features.
    times : array of datetime64, shape (n,)
        Of each of its rows, on the wall clock; kept to the day. A row without one stays.
    unit : str
        What the slider steps by at first: ``"day"``, ``"week"`` or ``"month"``.
    """

    function = "followTime"

    def __init__(self, overlay: Layer, times: npt.ArrayLike, *, unit: Unit = "month") -> None:
        first, days = day_numbers(times)
        counts = np.bincount(days[days >= 0])
        super().__init__(
            {
                "overlay": overlay.layer_name,
                "unit": unit,
                "first": first,
                "counts": counts.tolist(),
                "days": pack_integers(days),
                "count": len(days),
            }
        )


class CountByTime(RuntimeCall):
    """Colours the areas of an overlay by how many events they have in the chosen time.

    Parameters
    ----------
    overlay : GeoLayer
        Or any other overlay of areas; its part of the legend follows.
    rows : array of int, shape (n,)
        The row of the area that each event is in; -1 for none.
    times : array of datetime64, shape (n,)
        Of each event, on the wall clock; kept to the day. Those without one do not count.
    title : str or mapping of str to str
        Of what is counted, in the legend.
    colours : sequence of str
        Of no event, then from few to many: classes of about as many areas each.
    style : mapping
        Leaflet path options for all of them.
    unit : str
        As of :class:`FollowTime`.
    """

    function = "countByTime"

    def __init__(
        self,
        overlay: Layer,
        rows: npt.ArrayLike,
        times: npt.ArrayLike,
        *,
        title: Words,
        colours: Sequence[str] = COUNT_COLOURS,
        style: Mapping[str, Any] = MappingProxyType({}),
        unit: Unit = "month",
    ) -> None:
        first, days = day_numbers(times)
        places = np.asarray(rows, dtype=np.int64)
        known = (days >= 0) & (places >= 0)
        order = np.lexsort((places[known], days[known]))
        super().__init__(
            {
                "overlay": overlay.layer_name,
                "unit": unit,
                "first": first,
                "counts": np.bincount(days[known]).tolist(),
                "rows": pack_integers(places[known][order]),
                "styles": [{**style, "fillColor": colour} for colour in colours],
                "colours": [*colours],
                "title": words(title),
            }
        )
