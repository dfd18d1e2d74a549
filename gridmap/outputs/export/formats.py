"""The table of formats: what each is called, which layers it takes, and who writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gridmap.outputs.export.dxf import write_dxf
from gridmap.outputs.export.geopackage import write_geopackage
from gridmap.outputs.export.job import Job
from gridmap.outputs.export.kml import write_kml, write_kmz
from gridmap.outputs.export.project import write_project
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.export.shapefile import write_shapefile
from gridmap.outputs.export.styles import write_maplibre, write_qml, write_sld
from gridmap.outputs.export.tables import write_csv, write_xlsx
from gridmap.outputs.export.vector import (
    write_flatgeobuf,
    write_geojson,
    write_geojson_lines,
    write_geoparquet,
    write_pmtiles,
)

__all__ = ["DEFAULT_FORMATS", "FORMATS", "FORMAT_TABLE", "Format"]

WriteOne = Callable[[Job, Chosen], list[Path]]
WriteAll = Callable[[Job, tuple[Chosen, ...]], list[Path]]


@dataclass(frozen=True)
class Format:
    """A format.

    Parameters
    ----------
    one : callable, optional
        Writes a file for each layer.
    all : callable, optional
        Writes all layers into one file.
    tables : bool
        Whether it takes layers without geometry.
    degrees : bool
        Whether its coordinates are longitude and latitude, whatever system is asked for.
    loses : str
        Message of section ``export`` that says what it cannot hold; empty for nothing.
    """

    one: WriteOne | None = None
    all: WriteAll | None = None
    tables: bool = False
    degrees: bool = False
    loses: str = ""


FORMAT_TABLE = {
    "gpkg": Format(all=write_geopackage, tables=True),
    "qgz": Format(all=write_project),
    "geojson": Format(one=write_geojson, degrees=True),
    "geojsonl": Format(one=write_geojson_lines, degrees=True),
    "fgb": Format(one=write_flatgeobuf, loses="fgb_order"),
    "parquet": Format(one=write_geoparquet),
    "pmtiles": Format(one=write_pmtiles, degrees=True, loses="pmtiles_detail"),
    "kml": Format(one=write_kml, degrees=True),
    "kmz": Format(all=write_kmz, degrees=True),
    "dxf": Format(one=write_dxf),
    "shp": Format(one=write_shapefile, loses="shp_null"),
    "csv": Format(one=write_csv, tables=True),
    "xlsx": Format(all=write_xlsx, tables=True),
    "qml": Format(one=write_qml),
    "sld": Format(one=write_sld),
    "maplibre": Format(all=write_maplibre),
}
FORMATS = tuple(FORMAT_TABLE)
DEFAULT_FORMATS = ("gpkg", "geojson")
