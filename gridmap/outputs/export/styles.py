"""Styles as files of their own, for desktops, servers and web maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gridmap.leaving import json_text
from gridmap.outputs.export.geopackage import styles_of
from gridmap.outputs.export.job import Job
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.styles.maplibre import maplibre_style
from gridmap.outputs.styles.qgis import qml
from gridmap.outputs.styles.sld import sld
from gridmap.outputs.styles.symbology import symbology_of

__all__ = ["bottom_up", "write_maplibre", "write_qml", "write_sld"]

_OUTLINE = 0.1  # fills below this opacity leave readable what is beneath


def write_qml(job: Job, chosen: Chosen) -> list[Path]:
    """Write ``<layer>.qml``, and ``<layer>.<style>.qml`` for its other styles."""
    return _each(job, chosen, "qml")


def write_sld(job: Job, chosen: Chosen) -> list[Path]:
    """Write ``<layer>.sld``, and ``<layer>.<style>.sld`` for its other styles."""
    if chosen.styled and symbology_of(chosen.layer).kind == "heat":
        job.note("no_heat", layer=chosen.layer.title.get(job.lang), format="SLD")
    return _each(job, chosen, "sld")


def _each(job: Job, chosen: Chosen, dialect: str) -> list[Path]:
    written = []
    for name in styles_of(chosen) if chosen.styled else []:
        stem = f"{chosen.layer.name}.{name}" if name else chosen.layer.name
        layer = chosen.layer.styled(name)
        text = (qml if dialect == "qml" else sld)(layer, chosen.whole, job.lang)
        path = job.folder / f"{stem}.{dialect}"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def write_maplibre(job: Job, chosen: tuple[Chosen, ...]) -> list[Path]:
    """Write ``<city>.style.json``, a MapLibre style of all layers, on the files beside it.

    Of tiles where this export has them, else of GeoJSON.
    """
    tiles = "pmtiles" in job.formats
    if not tiles and "geojson" not in job.formats:
        job.note("maplibre_data")
    layers = [
        (one.layer, one.whole, _source(one, tiles)) for one in bottom_up(chosen) if one.styled
    ]
    style = maplibre_style(job.analysed.city.title.get(job.lang), layers, job.lang)
    path = job.folder / f"{job.analysed.city.name}.style.json"
    path.write_text(json_text(style, indent=1) + "\n", encoding="utf-8")
    return [path]


def _source(chosen: Chosen, tiles: bool) -> dict[str, Any]:
    name = chosen.layer.name
    if tiles and len(chosen.frame):
        return {"type": "vector", "url": f"pmtiles://{name}.pmtiles"}
    return {"type": "geojson", "data": f"{name}.geojson"}


def bottom_up(chosen: tuple[Chosen, ...]) -> list[Chosen]:
    """Return layers in the order in which they are drawn: areas, lines, outlines, points.

    Of areas the most opaque come first. Those with hardly a fill are outlines: borders run along
    roads, which would hide them.
    """
    height = {"Polygon": 0, "LineString": 1, "Point": 3}

    def place(one: Chosen) -> tuple[int, float, bool, str]:
        style, geometry = one.layer.symbology, one.layer.geometry
        opacity = style.fill_opacity if style and geometry == "Polygon" else 0.0
        outline = style is not None and geometry == "Polygon" and opacity < _OUTLINE
        tall = 2 if outline else height.get(geometry, 4)
        return tall, -opacity, one.layer.role == "result", one.layer.name

    return sorted(chosen, key=place)
