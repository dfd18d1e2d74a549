"""GeoPackage: every layer in one file, with styles, aliases, domains and provenance.

Aliases and domains are the Schema extension (OGC 12-128r19, F.9), which GDAL, QGIS and ArcGIS
read; styles are the table ``layer_styles`` of QGIS; provenance is GDAL's metadata.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pyproj

from gridmap._version import __version__
from gridmap.catalog import Layer
from gridmap.design.imported import SAME_M
from gridmap.errors import OutputError
from gridmap.leaving import json_text
from gridmap.outputs.export.job import TIMESTAMP, Job, all_multi, multi, prove_family, zoned
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.styles.qgis import qml
from gridmap.outputs.styles.sld import sld
from gridmap.outputs.styles.symbology import symbology_of

__all__ = ["METADATA", "provenance", "replace_rows", "styles_of", "write_geopackage"]

METADATA = "GRIDMAP"
_VERSION = "1.3"  # the newest that desktops of 2022 read without a warning
_SCHEMA = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT,
  mime_type TEXT, constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE IF NOT EXISTS gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT, min NUMERIC,
  min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE IF NOT EXISTS layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
  f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
  styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30), update_time DATETIME);
"""
_DEFINITION = "http://www.geopackage.org/spec121/#extension_schema"


def write_geopackage(job: Job, chosen: Sequence[Chosen]) -> list[Path]:
    """Write layers into ``<city>.gpkg``, in the order of the catalogue.

    With ``job.append`` rows are added to those of that file: a row whose key is there takes the
    place of the old one, and whatever is not written now stays.
    """
    path = job.folder / job.gpkg
    if job.append is not None:
        shutil.copyfile(job.append, path)
    held = {str(name) for name, _ in pyogrio.list_layers(path)} if path.exists() else set()
    with _without_waiting():
        for one in chosen:
            job.tell(one.layer.name, "gpkg")
            part = zoned(prove_family(one), "UTC")  # the only zone that the standard has
            _write_layer(job, path, part, added=one.layer.name in held)
    with closing(sqlite3.connect(path)) as connection, connection:
        _describe(connection, chosen, job.lang)
        _write_styles(connection, [one for one in chosen if one.styled], job.lang)
    return [path]


@contextmanager
def _without_waiting() -> Iterator[None]:
    """Let GDAL not wait for the disk at every layer: what is written last waits for all of it."""
    option = "OGR_SQLITE_SYNCHRONOUS"
    before = pyogrio.get_gdal_config_option(option)
    pyogrio.set_gdal_config_options({option: "OFF"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({option: before})


def _write_layer(job: Job, path: Path, part: Chosen, *, added: bool) -> None:
    frame, layer = part.frame, part.layer
    names = {str(name).lower() for name in frame.columns}
    options = {
        "IDENTIFIER": layer.title.get(job.lang),
        "DESCRIPTION": layer.description.get(job.lang),
        # An attribute may have the name that is usual for these columns.
        "FID": next(name for name in ("fid", "gpkg_fid", "gpkg_fid_") if name not in names),
    }
    # By way of Arrow, which is twice as fast as row by row.
    shared = {"layer": layer.name, "driver": "GPKG", "use_arrow": True}
    if isinstance(frame, gpd.GeoDataFrame):
        shared["geometry_type"] = multi(layer.geometry)
        options["GEOMETRY_NAME"] = "geom" if "geom" not in names else "gpkg_geom"
        frame = all_multi(job.system.place(frame))
    if not added:
        metadata = {METADATA: json_text(provenance(job, layer))}
        pyogrio.write_dataframe(
            frame,
            path,
            **shared,
            dataset_options={"VERSION": _VERSION} if not path.exists() else {},
            layer_options=options,
            layer_metadata=metadata,
        )
        return
    _fits(job, path, layer, frame)
    _drop_old(path, layer, frame)
    pyogrio.write_dataframe(frame, path, **shared, append=True)


def _fits(job: Job, path: Path, layer: Layer, frame: pd.DataFrame) -> None:
    """Refuse rows that the layer of the file cannot take."""
    info = pyogrio.read_info(path, layer=layer.name)
    lost = sorted(set(frame.columns) - set(info["fields"]) - {"geometry"})
    if lost:
        raise OutputError(
            "export.append_columns", path=job.append, layer=layer.name, columns=", ".join(lost)
        )
    if isinstance(frame, gpd.GeoDataFrame) and pyproj.CRS(info["crs"]) != frame.crs:
        raise OutputError(
            "export.append_crs",
            path=job.append,
            layer=layer.name,
            found=pyproj.CRS(info["crs"]).name,
            crs=frame.crs.name,
        )


def _drop_old(path: Path, layer: Layer, frame: pd.DataFrame) -> None:
    if not layer.key or layer.key not in frame:
        return
    table, key = (_quoted(name) for name in (layer.name, layer.key))
    values = [(value,) for value in frame[layer.key].dropna().to_list()]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", values)  # noqa: S608 - quoted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def replace_rows(
    source: Path, path: Path, layer: str, before: gpd.GeoDataFrame, after: gpd.GeoDataFrame
) -> int:
    """Copy a GeoPackage and change the rows of one layer that differ, by ``code``.

    Parameters
    ----------
    source, path : pathlib.Path
    layer : str
    before, after : GeoDataFrame
        What the layer holds, and what it shall hold; with the same columns.

    Returns
    -------
    int
        How many features were added, changed or removed. Everything else stays as it is.
    """
    shutil.copyfile(source, path)
    old, new = before.set_index("code"), after.set_index("code")
    there = new.index.intersection(old.index)
    same = pd.Series(True, index=there)
    for name in new.columns.difference(["geometry"]):
        left, right = old.loc[there, name], new.loc[there, name]
        same &= (left == right).fillna(False) | (left.isna() & right.isna())
    same &= old.loc[there].geometry.geom_equals_exact(new.loc[there].geometry, SAME_M)
    gone = [*old.index.difference(new.index), *there[~same]]
    come = after[~after["code"].isin(there[same])]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            f'DELETE FROM {_quoted(layer)} WHERE "code" = ?',  # noqa: S608 - quoted
            [(code,) for code in gone],
        )
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": TIMESTAMP})
    pyogrio.write_dataframe(come, path, layer=layer, driver="GPKG", append=True)
    return len(come) + len(old.index.difference(new.index))


def provenance(job: Job, layer: Layer) -> dict[str, object]:
    """Return where a layer comes from: sources, method, parameters, version and moment."""
    city = job.analysed.city
    result = job.analysed.results.get(layer.name)
    said: dict[str, object] = {
        "gridmap": __version__,
        "city": city.title.get(job.lang),
        "source": city.source.get(job.lang),
        "as_of": city.moment.isoformat() if city.moment else None,
        "inputs": [
            {"source": receipt.source, "rows": receipt.rows, "placed": receipt.placed}
            for receipt in city.receipts
            if receipt.layer == layer.name
        ],
    }
    if city.review_number:
        said["review_number"] = city.review_number
    if result is not None:
        said |= {"method": result.method, "parameters": dict(result.parameters)}
    return json.loads(json.dumps(said, default=str))  # type: ignore[no-any-return]


def _describe(connection: sqlite3.Connection, chosen: Iterable[Chosen], lang: str) -> None:
    connection.executescript(_SCHEMA)
    for table in ("gpkg_data_columns", "gpkg_data_column_constraints"):
        connection.execute(
            "INSERT OR IGNORE INTO gpkg_extensions SELECT ?, NULL, 'gpkg_schema', ?, 'read-write'"
            " WHERE NOT EXISTS (SELECT 1 FROM gpkg_extensions WHERE table_name = ?)",
            (table, _DEFINITION, table),
        )
    other = "en" if lang == "zh" else "zh"
    for one in chosen:
        layer, used = one.layer, set()
        for name, field in layer.fields.items():
            if name not in one.frame:
                continue
            label = field.label.get(lang)
            alias = label if label not in used else f"{label} ({name})"
            used.add(alias)
            domain = f"{layer.name}_{name}" if field.categories else None
            connection.execute(
                "INSERT OR REPLACE INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, ?)",
                (
                    layer.name,
                    name,
                    alias,
                    field.label.get(other),
                    field.description.get(lang),
                    domain,
                ),
            )
            connection.executemany(
                "INSERT OR REPLACE INTO gpkg_data_column_constraints"
                " VALUES (?, 'enum', ?, NULL, NULL, NULL, NULL, ?)",
                [(domain, value, text.get(lang)) for value, text in field.categories.items()],
            )


def _write_styles(connection: sqlite3.Connection, chosen: Sequence[Chosen], lang: str) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO gpkg_contents (table_name, data_type, identifier, description,"
        " last_change) VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?)",
        (TIMESTAMP,),
    )
    columns = dict(
        connection.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
    )
    for one in chosen:
        layer = one.layer
        connection.execute("DELETE FROM layer_styles WHERE f_table_name = ?", (layer.name,))
        connection.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name,"
            " f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner,"
            " update_time) VALUES ('', '', ?, ?, ?, ?, ?, ?, ?, '', ?)",
            [
                (
                    layer.name,
                    columns[layer.name],
                    name or layer.name,
                    qml(layer.styled(name), one.whole, lang),
                    sld(layer.styled(name), one.whole, lang),
                    not name,
                    layer.title.get(lang),
                    TIMESTAMP,
                )
                for name in styles_of(one)
            ],
        )


def styles_of(chosen: Chosen) -> list[str]:
    """Return the names of the styles whose field is there; the usual one is empty."""
    columns = ("", *chosen.whole.columns)
    return [
        name
        for name in ("", *chosen.layer.styles)
        if symbology_of(chosen.layer.styled(name)).field in columns
    ]
