"""The tables of the store, derived from the catalogue: one model for PostGIS and SQLite.

``gridmap_cities`` has a row for every city; ``gridmap_<layer>`` has the rows of one layer, of every
city. A prefix and not a schema, for SQLite has none: so both databases have the same names.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from gridmap.catalog import Field, Layer
from gridmap.errors import StoreError

__all__ = ["CITY", "GEOMETRY", "ROW", "SINGLE", "city_table", "layer_table", "table_name"]

CITY = "gridmap_city"
ROW = "gridmap_row"
SINGLE = "gridmap_single"
GEOMETRY = "geometry"

_TYPES: dict[str, TypeEngine[Any]] = {
    "string": sa.Text(),
    "category": sa.Text(),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
    "datetime": sa.DateTime(timezone=True),
}

# ArcGIS, and QGIS at its best, ask for one type a column; so a line or polygon is stored as a
# multi-part one, and `SINGLE` tells which were not.
_GEOMETRIES = {"Point": "POINT", "LineString": "MULTILINESTRING", "Polygon": "MULTIPOLYGON"}


def table_name(layer: str) -> str:
    """Return the name of a layer's table."""
    return f"gridmap_{layer}"


def city_table(metadata: sa.MetaData) -> sa.Table:
    """Return the table of cities.

    Parameters
    ----------
    metadata : sqlalchemy.MetaData
        Is given the table.

    Returns
    -------
    sqlalchemy.Table
        ``state`` holds all of a city but the rows of its layers. It is JSON and not JSONB, which
        does not keep the order of the keys.
    """
    return sa.Table(
        "gridmap_cities",
        metadata,
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("srid", sa.Integer(), comment="EPSG"),
        sa.Column("version", sa.Text(), nullable=False, comment="gridmap"),
        sa.Column("state", sa.JSON(), nullable=False),
    )


def layer_table(metadata: sa.MetaData, layer: Layer, srid: int | None = None) -> sa.Table:
    """Return the table of a layer.

    Parameters
    ----------
    metadata : sqlalchemy.MetaData
        Is given the table.
    layer : Layer
    srid : int, optional
        EPSG code that PostGIS types the geometry with. Without one the table serves SQLite alone,
        and GeoAlchemy2 need not be there.

    Returns
    -------
    sqlalchemy.Table
        The fields of the layer, their labels as comments, after the city's name and the number of
        the row, from 0.

    Raises
    ------
    StoreError
        If a field has the name of one of the store's own columns.
    """
    _check_names(layer)
    columns: list[sa.Column[Any]] = [
        sa.Column(CITY, sa.Text(), primary_key=True, comment="城市 / City"),
        sa.Column(
            ROW, sa.BigInteger(), primary_key=True, autoincrement=False, comment="行号 / Row"
        ),
        *(
            sa.Column(name, _TYPES[field.type], comment=_comment(field))
            for name, field in layer.fields.items()
        ),
    ]
    indexes: list[sa.Index] = []
    if layer.geometry != "none":
        if layer.geometry != "Point":
            columns.append(sa.Column(SINGLE, sa.Boolean(), comment="单部分图形 / Single part"))
        columns.append(sa.Column(GEOMETRY, _geometry_type(layer, srid)))
        index = sa.Index(f"{table_name(layer.name)}_{GEOMETRY}", GEOMETRY, postgresql_using="gist")
        indexes.append(index.ddl_if(dialect="postgresql"))
    comment = f"{layer.title.zh} / {layer.title.en}"
    return sa.Table(table_name(layer.name), metadata, *columns, *indexes, comment=comment)


def _check_names(layer: Layer) -> None:
    own = {CITY, ROW, SINGLE, GEOMETRY}
    seen: set[str] = set()
    for name in layer.fields:
        # SQLite does not tell 'Code' from 'code'.
        if name.lower() in own | seen:
            raise StoreError("store.field_name", layer=layer.name, field=name)
        seen.add(name.lower())


def _geometry_type(layer: Layer, srid: int | None) -> TypeEngine[Any]:
    """Return WKB, with the typed geometry of PostGIS as its variant.

    The other way round, GeoAlchemy2 would see its own type on SQLite and ask for SpatiaLite.
    """
    if srid is None:
        return sa.LargeBinary()
    from geoalchemy2 import Geometry  # noqa: PLC0415 - an optional extra

    typed = Geometry(_GEOMETRIES[layer.geometry], srid=srid, spatial_index=False)
    return sa.LargeBinary().with_variant(typed, "postgresql")


def _comment(field: Field) -> str:
    label = f"{field.label.zh} / {field.label.en}"
    return f"{label} [{field.unit}]" if field.unit else label
