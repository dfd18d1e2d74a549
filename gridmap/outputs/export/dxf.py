"""DXF for CAD: one layer for each class, in its colour, with labels as text.

By ezdxf in the format of AutoCAD 2010, whose texts are UTF-8: GDAL's driver mangles Chinese names
of layers. An entity has no attributes; its code stands in the extended data ``GRIDMAP``.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from gridmap.errors import OutputError
from gridmap.leaving import clean
from gridmap.outputs.export.job import Job
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.export.systems import System
from gridmap.outputs.styles.symbology import label_of, paint
from gridmap.outputs.tables.words import words

__all__ = ["write_dxf"]

_VERSION = "R2010"
_APPLICATION = "GRIDMAP"
_FORBIDDEN = str.maketrans('<>/\\":;?*|=`', "_" * 12)
_TEXT_SHARE = 0.06  # of the width of a typical feature


def write_dxf(job: Job, chosen: Chosen) -> list[Path]:
    """Write a layer as ``<layer>.dxf``, in metres.

    Raises
    ------
    OutputError
        If ezdxf is not installed.
    """
    if importlib.util.find_spec("ezdxf") is None:
        raise OutputError("export.dxf_missing")
    import ezdxf  # noqa: PLC0415 - an extra

    layer, lang = chosen.layer, job.lang
    system = job.system
    if not system.metric:
        job.note("dxf_metres", crs=job.analysed.city.crs.name)
        system = System(job.analysed.city.crs)
    job.note("dxf_attributes")
    ezdxf.options.write_fixed_meta_data_for_testing = True  # type: ignore[attr-defined]  # no time of day, no random ids
    drawing = ezdxf.new(_VERSION, units=6)  # type: ignore[attr-defined]  # metres
    drawing.appids.add(_APPLICATION)
    drawing.styles.add("gridmap", font="simsun.ttc")
    space = drawing.modelspace()
    assert isinstance(chosen.frame, gpd.GeoDataFrame)  # noqa: S101 - for the type checker
    shapes = system.place(chosen.frame).geometry.to_numpy()
    names = _layers(drawing, chosen, lang)
    codes = _codes(chosen)
    for shape, name, code in zip(shapes, names, codes, strict=True):
        for entity in _draw(space, shape, name):
            entity.set_xdata(_APPLICATION, [(1000, clean(code)[:255])])
    labels = label_of(layer, chosen.frame) if chosen.styled else None
    if labels is not None:
        field, zone = layer.fields[labels.field], job.analysed.city.timezone
        texts = words(chosen.frame[labels.field], field, lang, zone=zone)
        title = _clean(f"{layer.title.get(lang)}·{field.label.get(lang)}")
        drawing.layers.add(title, true_color=int(labels.colour[1:], 16))
        height = _height(shapes)
        for shape, text in zip(shapes, texts, strict=True):
            if text and shape is not None and not shape.is_empty:
                at = shape.representative_point()
                given = {"layer": title, "height": height, "style": "gridmap"}
                entity = space.add_text(text, dxfattribs=given)
                entity.dxf.insert = (at.x, at.y)
    # Of a set, whose order is another one in every process.
    for name in sorted(drawing.entitydb.dxf_types_in_use()):
        drawing.classes.add_class(name)
    path = job.folder / f"{layer.name}.dxf"
    drawing.saveas(path)
    return [path]


def _layers(drawing: Any, chosen: Chosen, lang: str) -> list[str]:
    """Add a layer for each class; return that of every row."""
    title = chosen.layer.title.get(lang)
    if not chosen.styled:
        drawing.layers.add(_clean(title))
        return [_clean(title)] * len(chosen.frame)
    painted = paint(chosen.layer, chosen.whole, lang)
    names: dict[str, str] = {}
    for item in painted.legend:
        name = _clean(title if item.key == "all" else f"{title}·{item.label}")
        if name in names.values():
            name = _clean(f"{name} {len(names) + 1}")
        names[item.key] = name
        drawing.layers.add(name, true_color=int(item.colour[1:], 16))
    return [names[key] for key, kept in zip(painted.keys, chosen.rows, strict=True) if kept]


def _clean(name: str) -> str:
    return clean(name).translate(_FORBIDDEN).strip()[:255]


def _codes(chosen: Chosen) -> list[str]:
    key = chosen.layer.key
    if key not in chosen.frame:
        return [str(row + 1) for row in range(len(chosen.frame))]
    return chosen.frame[key].astype("string").fillna("").to_list()


def _draw(space: Any, shape: shapely.Geometry | None, layer: str) -> Iterable[Any]:
    for part in [] if shape is None else shapely.get_parts(shape):
        if part.is_empty:
            continue
        given = {"layer": layer}
        if isinstance(part, shapely.Point):
            yield space.add_point((part.x, part.y), dxfattribs=given)
            continue
        rings = [part.exterior, *part.interiors] if isinstance(part, shapely.Polygon) else [part]
        for ring in rings:
            xy = shapely.get_coordinates(ring)
            closed = isinstance(part, shapely.Polygon)
            points = xy[:-1] if closed else xy
            yield space.add_lwpolyline(points.tolist(), close=closed, dxfattribs=given)


def _height(shapes: np.ndarray) -> float:
    """Return a height of text, metres, that fits a typical feature."""
    boxes = shapely.bounds(shapes)
    boxes = boxes[~np.isnan(boxes).any(axis=1)]
    wide = float(np.median(boxes[:, 2] - boxes[:, 0])) if len(boxes) else 0.0
    return max(round(_TEXT_SHARE * wide, 1), 1.0) if math.isfinite(wide) else 1.0
