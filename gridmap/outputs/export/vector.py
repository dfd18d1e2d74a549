"""Formats of one layer a file that GDAL or geopandas writes: GeoJSON, FlatGeobuf and so on."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio

from gridmap.outputs.export.job import Job, multi, prove_family
from gridmap.outputs.export.selection import Chosen

__all__ = [
    "write_flatgeobuf",
    "write_geojson",
    "write_geojson_lines",
    "write_geoparquet",
    "write_pmtiles",
]

DIGITS = 7  # of degrees: a centimetre, as RFC 7946 suggests
ZOOMS = (8, 14)  # of tiles, from a province to a street: 4096 steps a tile are then 0.6 m
_RFC_7946 = {"RFC7946": "YES", "COORDINATE_PRECISION": str(DIGITS)}


def write_geojson(job: Job, chosen: Chosen) -> list[Path]:
    """Write GeoJSON by RFC 7946: longitude and latitude, outer rings counter-clockwise."""
    path = job.folder / f"{chosen.layer.name}.geojson"
    pyogrio.write_dataframe(_degrees(job, chosen), path, driver="GeoJSON", layer_options=_RFC_7946)
    return [path]


def write_geojson_lines(job: Job, chosen: Chosen) -> list[Path]:
    """Write newline-delimited GeoJSON: one feature a line, for programs that stream."""
    path = job.folder / f"{chosen.layer.name}.geojsonl"
    frame = _degrees(job, chosen)
    if frame.empty:
        path.write_bytes(b"")
        return [path]
    options = {"COORDINATE_PRECISION": str(DIGITS), "RS": "NO"}
    oriented = frame.set_geometry(frame.geometry.orient_polygons(exterior_cw=False))
    pyogrio.write_dataframe(oriented, path, driver="GeoJSONSeq", layer_options=options)
    return [path]


def write_flatgeobuf(job: Job, chosen: Chosen) -> list[Path]:
    """Write FlatGeobuf, whose spatial index puts the features in another order."""
    path = job.folder / f"{chosen.layer.name}.fgb"
    frame = job.system.place(prove_family(chosen).frame)
    kind = multi(chosen.layer.geometry)
    options = {
        "TITLE": chosen.layer.title.get(job.lang),
        "DESCRIPTION": chosen.layer.description.get(job.lang),
    }
    pyogrio.write_dataframe(
        frame, path, driver="FlatGeobuf", geometry_type=kind, layer_options=options
    )
    return [path]


def write_geoparquet(job: Job, chosen: Chosen) -> list[Path]:
    """Write GeoParquet 1.1 with the bounding box of every row, by which readers skip rows."""
    path = job.folder / f"{chosen.layer.name}.parquet"
    frame = job.system.place(chosen.frame)
    frame.to_parquet(path, index=False, schema_version="1.1.0", write_covering_bbox=True)
    return [path]


def write_pmtiles(job: Job, chosen: Chosen) -> list[Path]:
    """Write PMTiles: vector tiles in one file, for web maps without a server."""
    if chosen.frame.empty:
        job.note("empty", layer=chosen.layer.title.get(job.lang), format="PMTiles")
        return []
    path = job.folder / f"{chosen.layer.name}.pmtiles"
    frame = _degrees(job, prove_family(chosen)).to_crs(3857)
    options = {
        "NAME": chosen.layer.title.get(job.lang),
        "DESCRIPTION": chosen.layer.description.get(job.lang),
        "MINZOOM": str(ZOOMS[0]),
        "MAXZOOM": str(ZOOMS[1]),
    }
    pyogrio.write_dataframe(
        frame, path, layer=chosen.layer.name, driver="PMTiles", dataset_options=options
    )
    return [path]


def _degrees(job: Job, chosen: Chosen) -> gpd.GeoDataFrame:
    return job.system.degrees(chosen.frame)
