"""Layers for GIS desktops: one GeoPackage of everything, and single layers in other formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from gridmap.errors import OutputError
from gridmap.outputs.qgis import write_styles
from gridmap.privacy import without_private
from gridmap.result import Analysed

__all__ = ["DEFAULT_FORMATS", "FORMATS", "write_layers"]

FORMATS = ("gpkg", "geojson", "fgb", "parquet")
DEFAULT_FORMATS = ("gpkg", "geojson")

# GDAL writes the time of day into a GeoPackage unless it is told another one.
_TIMESTAMP = "2000-01-01T00:00:00.000Z"
_MULTI = {"LineString": "MultiLineString", "Polygon": "MultiPolygon"}
_GEOJSON = {"RFC7946": "YES", "COORDINATE_PRECISION": "7"}


def write_layers(
    analysed: Analysed,
    folder: Path,
    *,
    formats: Sequence[str] = DEFAULT_FORMATS,
    names: Iterable[str] = (),
    lang: str = "en",
) -> list[Path]:
    """Write layers, the same bytes for the same input.

    Parameters
    ----------
    analysed : Analysed
    folder : pathlib.Path
        It must exist. ``<city>.gpkg`` holds every layer, in the city's coordinate system
        and its times in UTC; each
        ``<layer>.geojson`` is in longitude and latitude (RFC 7946, 7 decimals). FlatGeobuf
        (``.fgb``, whose spatial index orders the features anew) and GeoParquet 1.1 (``.parquet``)
        hold one layer each in the city's system.
    formats : sequence of str
        Of `FORMATS`.
    names : iterable of str
        The layers to write; all if none is named.
    lang : str
        Of the legends and field aliases that QGIS shows with the GeoPackage.

    Returns
    -------
    list of pathlib.Path
        What was written.

    Raises
    ------
    OutputError
        If a format is not known.
    CatalogError
        If a layer is not known.
    """
    for name in formats:
        if name not in FORMATS:
            raise OutputError("output.format", format=name, known=", ".join(FORMATS))
    chosen = [analysed.city.catalog.layer(name).name for name in names]
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _TIMESTAMP})
    written = []
    if "gpkg" in formats:
        path = folder / f"{analysed.city.name}.gpkg"
        written.append(_geopackage(analysed, path, chosen, lang))
    for suffix, write in _SINGLE.items():
        if suffix in formats:
            for name, frame in _frames(analysed, chosen):
                if isinstance(frame, gpd.GeoDataFrame):
                    kind = analysed.city.catalog.layer(name).geometry
                    path = folder / f"{name}.{suffix}"
                    write(frame, path, _MULTI.get(kind, kind))
                    written.append(path)
    return written


def _frames(analysed: Analysed, chosen: list[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    for layer in analysed.city.catalog.in_order:
        frame = analysed.frame(layer.name)
        if frame is None or (chosen and layer.name not in chosen):
            continue
        columns = [name for name in layer.fields if name in frame]
        if isinstance(frame, gpd.GeoDataFrame):
            columns.append("geometry")
        yield layer.name, without_private(layer, frame[columns])


def _geopackage(analysed: Analysed, path: Path, chosen: list[str], lang: str) -> Path:
    for name, frame in _frames(analysed, chosen):
        kind = analysed.city.catalog.layer(name).geometry
        options = {} if kind == "none" else {"geometry_type": _MULTI.get(kind, kind)}
        pyogrio.write_dataframe(_in_utc(frame), path, layer=name, driver="GPKG", **options)
    layers = [(analysed.city.catalog.layer(n), frame) for n, frame in _frames(analysed, chosen)]
    write_styles(path, layers, lang)
    return path


def _in_utc(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its times in UTC, the only zone that the GeoPackage standard has."""
    zoned = frame.select_dtypes("datetimetz")
    return frame.assign(**{str(name): times.dt.tz_convert("UTC") for name, times in zoned.items()})


def _geojson(frame: gpd.GeoDataFrame, path: Path, _geometry: str) -> None:
    degrees = frame.to_crs(4326)
    pyogrio.write_dataframe(degrees, path, driver="GeoJSON", layer_options=_GEOJSON)


def _flatgeobuf(frame: gpd.GeoDataFrame, path: Path, geometry: str) -> None:
    pyogrio.write_dataframe(frame, path, driver="FlatGeobuf", geometry_type=geometry)


def _geoparquet(frame: gpd.GeoDataFrame, path: Path, _geometry: str) -> None:
    frame.to_parquet(path, index=False, schema_version="1.1.0", write_covering_bbox=True)


_SINGLE = {"geojson": _geojson, "fgb": _flatgeobuf, "parquet": _geoparquet}
