"""Frames into their tables, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
import sqlalchemy as sa

from gridmap.catalog import Layer
from gridmap.errors import StoreError
from gridmap.store.connection import is_postgres
from gridmap.store.tables import CITY, GEOMETRY, ROW, SINGLE, layer_table

__all__ = ["column", "columns_of", "read_rows", "write_rows"]

_CHUNK_ROWS = 50_000
_COPY_TYPES = {
    "text": "text",
    "big_integer": "int8",
    "double": "float8",
    "boolean": "bool",
    "datetime": "timestamptz",
    "large_binary": "bytea",
}

_PARTS = {
    "Point": ("Point",),
    "LineString": ("LineString", "MultiLineString"),
    "Polygon": ("Polygon", "MultiPolygon"),
}
_PROMOTE: dict[str, Any] = {
    "LineString": shapely.multilinestrings,
    "Polygon": shapely.multipolygons,
}


def columns_of(layer: Layer, frame: pd.DataFrame) -> list[list[str]]:
    """Return the name and dtype of every column, proven to fit the layer's table.

    Parameters
    ----------
    layer : Layer
    frame : GeoDataFrame or DataFrame

    Returns
    -------
    list of [name, dtype]
        In the order of the frame.

    Raises
    ------
    StoreError
        If a column is no field of the layer or of another type, or a geometry is of another kind.
    """
    known = {*layer.fields, *([GEOMETRY] if layer.geometry != "none" else [])}
    for name in map(str, frame.columns):
        if name not in known:
            raise StoreError("store.field_unknown", layer=layer.name, field=name)
        if name != GEOMETRY and not _fits(frame[name], layer.fields[name].type):
            found, asked = frame[name].dtype, layer.fields[name].type
            raise StoreError(
                "store.field_type", layer=layer.name, field=name, found=found, asked=asked
            )
    if layer.geometry != "none":
        _check_geometry(layer, frame)
    return [[str(name), str(dtype)] for name, dtype in frame.dtypes.items()]


def _fits(values: pd.Series, kind: str) -> bool:
    types = pd.api.types
    if kind == "integer":
        return types.is_integer_dtype(values)
    if kind == "number":
        return types.is_numeric_dtype(values) and not types.is_bool_dtype(values)
    if kind == "boolean":
        return types.is_bool_dtype(values)
    if kind == "datetime":
        return isinstance(values.dtype, pd.DatetimeTZDtype)
    return types.infer_dtype(values, skipna=True) in ("string", "empty")


def _check_geometry(layer: Layer, frame: pd.DataFrame) -> None:
    asked = _PARTS[layer.geometry]
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.name != GEOMETRY:
        found = {"none"}
    else:
        found = set(frame.geom_type.dropna()) - set(asked)
        if frame.has_z.any():
            found.add("Z")
    if found:
        raise StoreError(
            "store.geometry",
            layer=layer.name,
            found=", ".join(sorted(found)),
            asked=", ".join(asked),
        )


def write_rows(
    connection: sa.Connection,
    table: sa.Table,
    layer: Layer,
    frame: pd.DataFrame,
    *,
    city: str,
    srid: int | None = None,
) -> None:
    """Add a frame to its layer's table: on PostgreSQL by COPY in binary.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    table : sqlalchemy.Table
    layer : Layer
    frame : GeoDataFrame or DataFrame
        As `columns_of` has proven it.
    city : str
    srid : int, optional
        Of the geometry column, on PostgreSQL.
    """
    for start in range(0, len(frame), _CHUNK_ROWS):
        part = frame.iloc[start : start + _CHUNK_ROWS]
        values: dict[str, list[Any]] = {
            CITY: [city] * len(part),
            ROW: list(range(start, start + len(part))),
            **_values(layer, part, srid),
        }
        if is_postgres(connection):
            _copy(connection, table, values)
        else:
            rows = zip(*values.values(), strict=True)
            connection.execute(table.insert(), [dict(zip(values, r, strict=True)) for r in rows])


def _values(layer: Layer, frame: pd.DataFrame, srid: int | None) -> dict[str, list[Any]]:
    """Return columns as a database takes them: None for no value, times in UTC, WKB or EWKB."""
    found: dict[str, list[Any]] = {}
    for name in map(str, frame.columns):
        if name == GEOMETRY:
            continue
        values: Any = frame[name]
        if layer.fields[name].type == "datetime":
            values = values.dt.tz_convert("UTC")
        found[name] = values.to_numpy(dtype=object, na_value=None).tolist()
    if layer.geometry != "none":
        found |= _stored_geometry(layer, frame[GEOMETRY].to_numpy(), srid)
    return found


def _stored_geometry(layer: Layer, shapes: Any, srid: int | None) -> dict[str, list[Any]]:
    stored: dict[str, list[Any]] = {}
    if layer.geometry in _PROMOTE:
        single = shapely.get_type_id(shapes) == shapely.GeometryType[layer.geometry.upper()]
        at = np.flatnonzero(single)
        shapes = shapes.copy()
        shapes[at] = _PROMOTE[layer.geometry](shapes[at], indices=np.arange(len(at)))
        stored[SINGLE] = single.tolist()
    if srid is not None:
        shapes = shapely.set_srid(shapes, srid)
    stored[GEOMETRY] = shapely.to_wkb(shapes, include_srid=srid is not None).tolist()
    return stored


def _copy(connection: sa.Connection, table: sa.Table, values: Mapping[str, list[Any]]) -> None:
    from psycopg import sql  # noqa: PLC0415 - an optional extra

    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, values))
    )
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([_COPY_TYPES[table.c[name].type.__visit_name__] for name in values])
        for row in zip(*values.values(), strict=True):
            copy.write_row(row)


def read_rows(
    connection: sa.Connection,
    layer: Layer,
    columns: Sequence[Sequence[str]],
    *,
    city: str,
    crs: pyproj.CRS,
) -> pd.DataFrame:
    """Return a city's rows of a layer, as the frame that `write_rows` was given.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    layer : Layer
    columns : sequence of (name, dtype)
        As `columns_of` returned them.
    city : str
    crs : pyproj.CRS

    Returns
    -------
    GeoDataFrame, or DataFrame for a layer without geometry
        Rows numbered from 0.
    """
    table = layer_table(sa.MetaData(), layer)
    names = [name for name, _ in columns] + ([SINGLE] if SINGLE in table.c else [])
    chosen: dict[str, sa.ColumnElement[Any]] = {name: table.c[name] for name in names}
    if GEOMETRY in chosen and is_postgres(connection):
        chosen[GEOMETRY] = sa.func.ST_AsBinary(chosen[GEOMETRY], type_=sa.LargeBinary())
    found = connection.execute(
        sa.select(*chosen.values()).where(table.c[CITY] == city).order_by(table.c[ROW])
    ).all()
    cells = zip(*found, strict=True) if found else ((),) * len(chosen)
    values = dict(zip(chosen, cells, strict=True))
    made = {
        name: gpd.GeoSeries(_read_geometry(values), crs=crs)
        if name == GEOMETRY
        else column(values[name], dtype)
        for name, dtype in columns
    }
    frame = pd.DataFrame(made)
    return frame if layer.geometry == "none" else gpd.GeoDataFrame(frame, geometry=GEOMETRY)


def column(values: Sequence[Any], dtype: str) -> pd.Series:
    """Return values as a column of a dtype; times without an offset are in UTC."""
    if dtype.startswith("datetime64[") and "," in dtype:
        # Text in one column may have an offset for summer and another for winter.
        times = pd.to_datetime(pd.Series(values, dtype=object), utc=True, format="ISO8601")
        return pd.Series(times, dtype=dtype)
    return pd.Series(values, dtype=dtype)


def _read_geometry(values: Mapping[str, Sequence[Any]]) -> Any:
    shapes = np.asarray(shapely.from_wkb(np.array(values[GEOMETRY], dtype=object)))
    if SINGLE in values:
        single = np.array(values[SINGLE], dtype=bool)
        shapes[single] = shapely.get_geometry(shapes[single], 0)
    return shapes
