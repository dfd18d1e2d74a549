"""The gallery: one page with a card for every map of a city, each with a small picture of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from jinja2 import Environment, PackageLoader, StrictUndefined

from gridmap import messages
from gridmap.catalog import MapSpec
from gridmap.messages import TAGS
from gridmap.outputs.maps._layers import Overlay
from gridmap.outputs.maps.draw import overlays_of
from gridmap.outputs.styles.symbology import PathStyle, paint, symbology_of
from gridmap.resources import AnyPath
from gridmap.result import Analysed

__all__ = ["preview", "write_gallery"]

# Half pixels of a screen, so that whole numbers are fine enough.
_WIDTH, _HEIGHT = 640, 400
_MARGIN = 20
# What is smaller than this shows as nothing.
_SMALLEST = 2.0
_CELLS = (64, 40)


def write_gallery(
    analysed: Analysed, specs: Mapping[str, MapSpec], folder: AnyPath, *, lang: str = "en"
) -> Path:
    """Write ``index.html``, a card for each map that lies beside it.

    Parameters
    ----------
    analysed : Analysed
    specs : mapping of str to MapSpec
        By the name of the map's file without its suffix.
    folder : path
        Of the maps; it must exist.
    lang : str
        The language to begin with; the reader can choose another.

    Returns
    -------
    pathlib.Path
        The page needs no network, no script, and nothing but the maps beside it.

    Examples
    --------
    >>> import tempfile
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> analysed = gridmap.analyse(city, want=["grid_results"])
    >>> specs = {"workload": city.catalog.map("workload")}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = gridmap.save_page(gridmap.draw(analysed, "workload"), f"{folder}/workload.html")
    ...     index = maps.write_gallery(analysed, specs, folder)
    ...     path.name in index.read_text(encoding="utf-8")
    True
    """
    analysed = analysed.shown()
    city = analysed.city
    cards = [
        {
            "name": name,
            "title": _said(spec.title.get),
            "description": _said(spec.description.get),
            "preview": preview(analysed, spec),
        }
        for name, spec in specs.items()
    ]

    def of_date(lang: str) -> str:
        return messages.text("map.as_of", lang, date=f"{city.as_of:%Y-%m-%d}")

    environment = Environment(
        loader=PackageLoader("gridmap.outputs.maps.draw", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("gallery.html").render(
        lang=TAGS[lang],
        tags=[TAGS[one] for one in messages.LANGUAGES],
        names={"en": "English", "zh-Hans": "简体中文", "zh-Hant": "繁體中文"},
        title=_said(city.title.get),
        heading=_said(lambda lang: messages.text("gallery.title", lang)),
        chooser=_said(lambda lang: messages.text("browser.language", lang)),
        lines=[
            *([_said(of_date)] if city.moment else []),
            _said(lambda lang: messages.text("map.source", lang, source=city.source.get(lang))),
        ],
        cards=cards,
    )
    path = Path(folder) / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def _said(say: messages.Say) -> dict[str, str]:
    return {TAGS[lang]: text for lang, text in messages.in_each(say).items()}


def preview(analysed: Analysed, spec: MapSpec) -> str:
    """Return a small picture of a map as SVG: what it shows at first."""
    overlays = [overlay for overlay in overlays_of(analysed, spec) if overlay.show]
    boxes = np.array([overlay.frame.total_bounds for overlay in overlays])
    place = _placing(boxes) if len(boxes) else None
    parts = [] if place is None else [part for one in overlays for part in _drawn(one, place)]
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} aria-hidden="true">{"".join(parts)}</svg>'
    )


class _Place:
    """The way from metres to the pixels of a picture."""

    def __init__(self, west: float, north: float, scale: float, left: float, top: float) -> None:
        self.west, self.north, self.scale, self.left, self.top = west, north, scale, left, top

    def __call__(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        x = (points[:, 0] - self.west) * self.scale + self.left
        y = (self.north - points[:, 1]) * self.scale + self.top
        return np.column_stack([x, y])


def _placing(boxes: npt.NDArray[np.float64]) -> _Place:
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    room = np.array([_WIDTH, _HEIGHT]) - 2 * _MARGIN
    scale = float(min(room / np.maximum([east - west, north - south], 1.0)))
    left = (_WIDTH - (east - west) * scale) / 2
    top = (_HEIGHT - (north - south) * scale) / 2
    return _Place(west, north, scale, left, top)


def _drawn(overlay: Overlay, place: _Place) -> Iterator[str]:
    style = symbology_of(overlay.layer)
    if style.kind == "heat":
        yield from _heat(overlay, style.colours, place)
        return
    painted = paint(overlay.layer, overlay.frame)
    keys = pd.Series(painted.keys)
    shapes = overlay.frame.geometry.reset_index(drop=True)
    for key, look in painted.styles.items():
        yield from _class(shapes[(keys == key).to_numpy()], look, place)


def _class(shapes: gpd.GeoSeries, look: PathStyle, place: _Place) -> Iterator[str]:
    shapes = shapes[shapes.notna() & ~shapes.is_empty]
    points = shapes[shapes.geom_type.isin(["Point", "MultiPoint"])]
    width = max(look.stroke_width, 0.8)
    stroke = f'stroke="{look.stroke}" stroke-width="{width:.1f}"'
    for x, y in place(shapely.get_coordinates(points.to_numpy())).round().astype(int).tolist():
        yield f'<circle cx="{x}" cy="{y}" r="5" fill="{look.fill}" {stroke}/>'
    lines = shapes[shapes.geom_type.str.endswith("LineString")]
    if path := _path(lines, place):
        yield f'<path d="{path}" fill="none" {stroke}/>'
    areas = shapes[shapes.geom_type.str.endswith("Polygon")]
    if path := _path(areas, place, close="z"):
        fill = f'fill="{look.fill}" fill-opacity="{look.fill_opacity:g}" fill-rule="evenodd"'
        yield f'<path d="{path}" {fill} {stroke}/>'


def _path(shapes: gpd.GeoSeries, place: _Place, close: str = "") -> str:
    """Return outlines as SVG path data; what is too small to see is left out."""
    smallest = _SMALLEST / place.scale
    thin = shapely.simplify(shapes.to_numpy(), smallest / 2)
    lines = shapely.get_parts(shapely.boundary(thin) if close else thin)
    lines = shapely.get_parts(lines)
    boxes = shapely.bounds(lines)
    large = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) >= smallest
    said = []
    for line in lines[large]:
        places = place(shapely.get_coordinates(line))[: -1 if close else None].round().astype(int)
        (x, y), *steps = np.diff(places, axis=0, prepend=[[0, 0]]).tolist()
        said.append(f"M{x},{y}l{' '.join(f'{dx},{dy}' for dx, dy in steps)}{close}")
    return "".join(said)


def _heat(overlay: Overlay, colours: tuple[str, ...], place: _Place) -> Iterator[str]:
    places = place(overlay.frame.get_coordinates().to_numpy())
    edges = [
        np.linspace(0, end, cells + 1) for end, cells in zip((_WIDTH, _HEIGHT), _CELLS, strict=True)
    ]
    counts, _, _ = np.histogram2d(places[:, 0], places[:, 1], bins=edges)
    found = np.argwhere(counts > 0)
    if not len(found):
        return
    most = np.quantile(counts[counts > 0], 0.98)
    side = _WIDTH / _CELLS[0]
    for x, y in found.tolist():
        share = min(counts[x, y] / most, 1.0)
        colour = colours[min(int(share * len(colours)), len(colours) - 1)]
        at = f'cx="{(x + 0.5) * side:g}" cy="{(y + 0.5) * side:g}" r="{side * 0.6:g}"'
        yield f'<circle {at} fill="{colour}" fill-opacity="{0.35 + share / 2:.2f}"/>'
