"""Save a city with its results to a database, and read it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pandas as pd
import pyproj
import shapely
import sqlalchemy as sa

from gridmap._version import __version__
from gridmap.catalog import Catalog, load_catalog
from gridmap.errors import StoreError
from gridmap.leaving import unmasked
from gridmap.messages.foreign import database_reason
from gridmap.result import Analysed
from gridmap.store.connection import is_postgres, reason_of, transaction
from gridmap.store.rows import columns_of, read_rows, write_rows
from gridmap.store.state import analysed_of, crs_of, state_of
from gridmap.store.tables import CITY, GEOMETRY, city_table, layer_table, table_name

__all__ = ["cities", "load", "prove", "save"]

Progress = Callable[[str], None]

_LOCK = int.from_bytes(b"gridmap", "big")


class _ProvenError(Exception):
    """Ends a transaction of which nothing is to be kept."""


def prove(url: str, catalog: Catalog | None = None) -> None:
    """Prove that a store takes a city, and leave it as it is.

    What only the city itself can tell, `save` proves.

    Parameters
    ----------
    url : str
        As for `save`.
    catalog : Catalog, optional
        Of the city; by default the shipped one.

    Raises
    ------
    StoreError
        If the store cannot be reached or written to, or has tables of other columns.
    """
    catalog = catalog or load_catalog()
    with suppress(_ProvenError), transaction(url, write=True) as connection:
        _have_postgis(connection)
        metadata = sa.MetaData()
        known = city_table(metadata)
        known.create(connection, checkfirst=True)
        srid = connection.scalar(sa.select(known.c.srid)) if is_postgres(connection) else None
        tables = {layer.name: layer_table(metadata, layer, srid) for layer in catalog.in_order}
        _check_tables(connection, tables)
        raise _ProvenError


def save(
    analysed: Analysed, url: str, *, progress: Progress | None = None, unmask: bool = False
) -> None:
    """Save a city with its results, in place of what the store had of that city.

    Phones and numbers of identity cards are masked, and control characters left out.

    A layer that exists both as input and as result is stored once, as the result: the input's
    columns and rows with the derived fields filled, which is what outputs show too.

    Parameters
    ----------
    analysed : Analysed
        Its frames come back with their rows numbered from 0; times are kept to the microsecond.
    url : str
        ``postgresql://user@host:port/database``, or a file that ends in .sqlite or .db.
    progress : callable, optional
        Is told the name of each layer before it is written.
    unmask : bool
        Whether phones and numbers of identity cards are stored in full.

    Raises
    ------
    StoreError
        If the store cannot be reached, or the city does not fit it. The store is then as before.
    """
    with unmasked(unmask):
        analysed = analysed.shown()
    city = analysed.city
    frames = _frames(analysed)
    columns = {name: columns_of(city.catalog.layer(name), frame) for name, frame in frames.items()}
    state = state_of(analysed, columns)
    with transaction(url, write=True) as connection:
        typed = _prepared(connection, city.crs)
        metadata = sa.MetaData()
        known = city_table(metadata)
        tables = {name: layer_table(metadata, city.catalog.layer(name), typed) for name in frames}
        known.create(connection, checkfirst=True)
        _check_srid(connection, known, typed)
        _check_tables(connection, tables)
        metadata.create_all(connection)
        _clear(connection, known, city.name)
        row = {
            "name": city.name,
            "srid": city.crs.to_epsg(),
            "version": __version__,
            "state": state,
        }
        connection.execute(known.insert(), row)
        for name, frame in frames.items():
            if progress is not None:
                progress(name)
            layer = city.catalog.layer(name)
            write_rows(connection, tables[name], layer, frame, city=city.name, srid=typed)


def load(url: str, name: str, catalog: Catalog | None = None) -> Analysed:
    """Read a city with its results.

    Parameters
    ----------
    url : str
        As for `save`.
    name : str
        Of the city.
    catalog : Catalog, optional
        The one it was made with; by default the shipped one.

    Returns
    -------
    Analysed
        Equal to what was saved.

    Raises
    ------
    StoreError
        If the store cannot be reached, does not have the city, or has a layer or field of it that
        the catalogue does not.
    """
    catalog = catalog or load_catalog()
    with transaction(url, write=False) as connection:
        state = _state(connection, city_table(sa.MetaData()), name)
        if state is None:
            known = ", ".join(_names(connection))
            raise StoreError("store.no_city", city=name, known=known or "-")
        crs = crs_of(state)
        frames = {}
        for layer, columns in state["frames"].items():
            _check_known(catalog, name, layer, columns)
            frames[layer] = read_rows(connection, catalog.layer(layer), columns, city=name, crs=crs)
    return analysed_of(name, state, frames, catalog)


def cities(url: str) -> list[str]:
    """Return the names of the cities in a store, sorted.

    Raises
    ------
    StoreError
        If the store cannot be reached.
    """
    with transaction(url, write=False) as connection:
        return _names(connection)


def _names(connection: sa.Connection) -> list[str]:
    known = city_table(sa.MetaData())
    if not sa.inspect(connection).has_table(known.name):
        return []
    return sorted(connection.scalars(sa.select(known.c.name)))


def _frames(analysed: Analysed) -> dict[str, pd.DataFrame]:
    """Return what is stored of every layer, once."""
    frames = dict(analysed.city.layers)
    for name, result in analysed.results.items():
        if name in frames and not _extends(result.frame, frames[name]):
            raise StoreError("store.result_differs", layer=name)
        frames[name] = result.frame
    return frames


def _extends(wide: pd.DataFrame, narrow: pd.DataFrame) -> bool:
    if len(wide) != len(narrow) or not set(narrow.columns) <= set(wide.columns):
        return False
    for name in narrow.columns:
        ours, theirs = wide[name], narrow[name]
        if name == GEOMETRY:
            if not shapely.equals_identical(ours.to_numpy(), theirs.to_numpy()).all():
                return False
        elif not ours.equals(theirs):
            return False
    return True


def _prepared(connection: sa.Connection, crs: pyproj.CRS) -> int | None:
    """Return the EPSG code that types the geometry columns; SQLite has no such types."""
    if not is_postgres(connection):
        return None
    srid = crs.to_epsg()
    if srid is None:
        raise StoreError("store.no_srid", crs=crs.name)
    # One save at a time: two could make the same table, or leave rows of both.
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    _have_postgis(connection)
    return int(srid)


def _have_postgis(connection: sa.Connection) -> None:
    if not is_postgres(connection):
        return
    if connection.scalar(sa.text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")) is None:
        try:
            connection.execute(sa.text("CREATE EXTENSION postgis"))
        except sa.exc.DBAPIError as error:
            database = connection.engine.url.database
            reason = database_reason(reason_of(error))
            raise StoreError("store.no_postgis", database=database, reason=reason) from None


def _check_tables(connection: sa.Connection, tables: Mapping[str, sa.Table]) -> None:
    inspector = sa.inspect(connection)
    present = set(inspector.get_table_names())
    dialect = connection.dialect
    for layer, table in tables.items():
        if table.name not in present:
            continue
        found = {
            entry["name"]: entry["type"].compile(dialect)
            for entry in inspector.get_columns(table.name)
        }
        for column in table.columns:
            if column.name not in found:
                raise StoreError(
                    "store.column_missing", layer=layer, field=column.name, table=table.name
                )
            asked = column.type.compile(dialect)
            if found[column.name] != asked:
                raise StoreError(
                    "store.column_type",
                    layer=layer,
                    field=column.name,
                    table=table.name,
                    found=found[column.name],
                    asked=asked,
                )


def _check_srid(connection: sa.Connection, known: sa.Table, srid: int | None) -> None:
    if srid is None:
        return
    other = connection.execute(
        sa.select(known.c.name, known.c.srid).where(known.c.srid != srid).order_by(known.c.name)
    ).first()
    if other is not None:
        raise StoreError("store.srid", srid=srid, city=other.name, found=other.srid)


def _clear(connection: sa.Connection, known: sa.Table, city: str) -> None:
    """Take away a city's rows, in layers that it no longer has as well."""
    state = _state(connection, known, city)
    present = set(sa.inspect(connection).get_table_names())
    for layer in state["frames"] if state is not None else ():
        if table_name(layer) in present:
            table = sa.table(table_name(layer), sa.column(CITY))
            connection.execute(sa.delete(table).where(table.c[CITY] == city))
    connection.execute(sa.delete(known).where(known.c.name == city))


def _state(connection: sa.Connection, known: sa.Table, city: str) -> dict[str, Any] | None:
    if not sa.inspect(connection).has_table(known.name):
        return None
    return connection.scalar(sa.select(known.c.state).where(known.c.name == city))


def _check_known(catalog: Catalog, city: str, layer: str, columns: list[list[str]]) -> None:
    if layer not in catalog.layers:
        raise StoreError("store.catalogue", city=city, name=layer)
    for name, _ in columns:
        if name != GEOMETRY and name not in catalog.layers[layer].fields:
            raise StoreError("store.catalogue", city=city, name=f"{layer}.{name}")
