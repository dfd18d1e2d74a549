"""Interactive maps: what a ``maps/*.toml`` asks for, drawn as one page that opens offline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Literal

import folium
import geopandas as gpd
import numpy as np
from folium.map import Layer

from gridmap import messages
from gridmap.catalog import Basemap, MapSpec, Text
from gridmap.errors import ConformError, OutputError
from gridmap.kinds import checked
from gridmap.leaving import unmasked
from gridmap.measures.analyse import why_nothing
from gridmap.messages import Words
from gridmap.outputs.maps._layers import (
    Overlay,
    count_layer,
    feature_layer,
    heat_layer,
    heat_section,
    in_words,
    label_layer,
    legend_section,
)
from gridmap.outputs.maps._people import who_panel
from gridmap.outputs.pages import elements
from gridmap.outputs.pages.basemap import Backdrop, add_basemap, shifted
from gridmap.outputs.pages.page import Page, page
from gridmap.outputs.styles.symbology import paint
from gridmap.result import Analysed

__all__ = ["draw", "overlays_of"]

_KINDS: dict[str, Literal["water", "buildings", "roads"]] = {
    "barriers": "water",
    "buildings": "buildings",
    "roads": "roads",
}


@checked
def draw(
    analysed: Analysed,
    spec: MapSpec | str,
    *,
    lang: str = "en",
    basemap: Basemap | None = None,
    folder: str | PathLike[str] | None = None,
    unmask: bool = False,
) -> Page:
    """Draw a map.

    Parameters
    ----------
    analysed : Analysed
    spec : MapSpec or str
        A map, or the name of one of the city's catalogue. Layers that the city does not have are
        left out.
    lang : str
        The language to begin with: ``"en"``, ``"zh"`` or ``"zh-Hant"``.
    basemap : Basemap, optional
        What lies under the layers; by default nothing.
    folder : path, optional
        That a relative path of the base map is in, by default the current one.
    unmask : bool
        Show phones and numbers of identity cards in full.

    Returns
    -------
    Page
        A ``folium.Map`` to which more can be added; `gridmap.save_page` writes it.

    Raises
    ------
    OutputError
        If the city lacks a layer without which the map would say nothing.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> analysed = gridmap.analyse(city, want=["grid_results"])
    >>> page = gridmap.draw(analysed, "workload", lang="zh")
    >>> city.catalog.map("workload").title.zh in page.get_root().render()
    True
    """
    if isinstance(spec, str):
        spec = analysed.city.catalog.map(spec)
    for name in spec.needs:
        frame = analysed.frame(name)
        if frame is None or frame.empty:
            raise OutputError("map.nothing", map=spec.name, why=why_nothing(analysed, name))
    if spec.click == "who" and analysed.city.moment is None:
        why = ConformError("measure.no_moment", name="responsibilities")
        raise OutputError("map.nothing", map=spec.name, why=why)
    beneath = basemap or Basemap()
    with unmasked(unmask):
        return _drawn(analysed, spec, lang, beneath, Path(folder or ""))


def _drawn(known: Analysed, spec: MapSpec, lang: str, beneath: Basemap, folder: Path) -> Page:
    analysed = known.shown()
    overlays = [
        replace(overlay, frame=shifted(overlay.frame, beneath.service))
        for overlay in overlays_of(analysed, spec)
    ]
    city = analysed.city
    bounds = _bounds(overlays)
    canvas = page(
        title=messages.in_each(lambda lang: f"{spec.title.get(lang)} · {city.title.get(lang)}"),
        bounds=bounds,
        lang=lang,
        lines=_lines(analysed, spec, beneath),
        time_zone=city.timezone,
        review_number=city.review_number or "–",
    )
    below = add_basemap(canvas, beneath, bounds, folder)
    below += _backdrops(canvas, analysed, spec, beneath)
    made = list(zip(overlays, _fill(canvas, spec, overlays, below), strict=True))
    if spec.click == "who":
        panel = who_panel(known, made, service=beneath.service)
        if panel is not None:
            panel.add_to(canvas)
    _count(canvas, analysed, spec, made)
    return canvas


def _backdrops(
    canvas: folium.Map, analysed: Analysed, spec: MapSpec, basemap: Basemap
) -> list[Layer]:
    """Draw the city's own layers quietly, those that the map does not show anyway."""
    shown = {layer.layer for layer in spec.layers if layer.show}
    made: list[Layer] = []
    for name in basemap.backdrop:
        frame = analysed.frame(name)
        if name in shown or not isinstance(frame, gpd.GeoDataFrame) or frame.empty:
            continue
        element = Backdrop(
            shifted(frame, basemap.service),
            name=_beneath(analysed.city.catalog.layer(name).title),
            kind=_KINDS[name],
        )
        element.add_to(canvas)
        made.append(element)
    return made


def _beneath(title: Text) -> Words:
    return messages.in_each(lambda lang: messages.text("map.backdrop", lang, layer=title.get(lang)))


def _is_heat(overlay: Overlay, spec: MapSpec) -> bool:
    style = overlay.layer.symbology
    return bool(spec.time) and style is not None and style.kind == "heat"


def overlays_of(analysed: Analysed, spec: MapSpec) -> Iterator[Overlay]:
    """Yield what a map can show of a city, the lowest first."""
    for shown in spec.layers:
        layer = analysed.city.catalog.layer(shown.layer).styled(shown.style)
        frame = analysed.frame(shown.layer)
        if frame is None or frame.empty or not isinstance(frame, gpd.GeoDataFrame):
            continue
        title, result = shown.title or layer.title, analysed.results.get(shown.layer)
        if not shown.split:
            yield Overlay(shown, layer, in_words(title), frame, shown.show, result)
            continue
        labels = layer.fields[shown.split].categories
        present = set(frame[shown.split].dropna())
        values = [value for value in labels if value in present] or sorted(present)
        for value in values:
            part = frame[frame[shown.split] == value].reset_index(drop=True)
            # Levels hide one another, so only the finest is on at first; kinds do not nest.
            finest = shown.split != "level" or value == values[-1]
            name = _split_name(title, labels.get(value, value))
            yield Overlay(shown, layer, name, part, shown.show and finest, result)


def _split_name(title: Text, value: Text | str) -> dict[str, str]:
    def said(lang: str) -> str:
        return f"{title.get(lang)} · {value if isinstance(value, str) else value.get(lang)}"

    return messages.in_each(said)


def _bounds(overlays: list[Overlay]) -> tuple[float, float, float, float]:
    """Return the box in degrees of the areas, or of all there is where there is no area."""
    areas = [overlay for overlay in overlays if overlay.layer.geometry == "Polygon"] or overlays
    boxes = np.array([overlay.frame.geometry.to_crs(4326).total_bounds for overlay in areas])
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _lines(analysed: Analysed, spec: MapSpec, basemap: Basemap) -> list[Words]:
    city = analysed.city

    def of_source(lang: str) -> str:
        return messages.text("map.source", lang, source=city.source.get(lang))

    def of_date(lang: str) -> str:
        return messages.text("map.as_of", lang, date=f"{city.as_of:%Y-%m-%d}")

    lines: list[Words] = [in_words(spec.description)]
    if city.moment is not None:
        lines.append(messages.in_each(of_date))
    lines.append(messages.in_each(of_source))
    problems = city.layers.get("problems")
    if problems is not None and len(problems) and analysed.results.keys() & _shown(spec):
        first, last = problems["opened"].min(), problems["opened"].max()

        def of_period(lang: str) -> str:
            told = {"first": f"{first:%Y-%m-%d}", "last": f"{last:%Y-%m-%d}"}
            return messages.text("map.period", lang, **told)

        lines.insert(1, messages.in_each(of_period))
    if basemap.service == "amap":
        lines.append(messages.written("basemap")["gcj"])
    return lines


def _shown(spec: MapSpec) -> set[str]:
    return {layer.layer for layer in spec.layers}


def _fill(
    canvas: folium.Map,
    spec: MapSpec,
    overlays: list[Overlay],
    below: list[Layer],
) -> list[elements.FeatureLayer]:
    """Put overlays, their labels and the cards that tell of them into a page."""
    made: list[elements.FeatureLayer] = []
    sections = []
    for overlay in overlays:
        if _is_heat(overlay, spec):
            made.append(heat_layer(overlay, spec.time or "month"))
            sections.append(heat_section(overlay))
        else:
            painted = paint(overlay.layer, overlay.frame)
            made.append(feature_layer(overlay, painted))
            sections.append(legend_section(overlay, painted))
        made[-1].add_to(canvas)
    for overlay, drawn in zip(overlays, made, strict=True):
        if overlay.shown.labels:
            label_layer(overlay, drawn).add_to(canvas)
    groups = [in_words(o.shown.group) if o.shown.group else "" for o in overlays]
    ground = messages.in_each(lambda lang: messages.text("map.ground", lang))
    groups = [*(ground for _ in below), *groups]
    elements.LayerSwitch([*below, *made], groups=groups).add_to(canvas)
    elements.Legend(sections).add_to(canvas)
    return made


def _count(
    canvas: folium.Map, analysed: Analysed, spec: MapSpec, made: Sequence[tuple[Overlay, Layer]]
) -> None:
    """Let areas be coloured by the points in them that the chosen time has."""
    for overlay, element in made:
        points = analysed.frame(overlay.shown.counts) if overlay.shown.counts else None
        if isinstance(points, gpd.GeoDataFrame) and spec.time:
            layer = analysed.city.catalog.layer(overlay.shown.counts)
            count_layer(overlay, element, points, layer, spec.time).add_to(canvas)
