"""Reading any grid layer for an audit: whatever its columns are called, in a metric system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyproj

from gridmap.catalog import load_catalog
from gridmap.config import Input
from gridmap.crs import working_crs
from gridmap.errors import ConformError, CrsError, SourceError
from gridmap.sources.cells import as_text
from gridmap.sources.columns import Reasons
from gridmap.sources.files import read_raw
from gridmap.sources.geometry import shapes_of

__all__ = ["AreaFile", "of_level", "read_areas"]

# The remedy for a file by itself is an option, not a line of a city file.
_OPTIONS = {
    "crs.missing": "audit.no_crs",
    "crs.not_degrees": "audit.not_degrees",
    "conform.kind": "audit.kind",
    "conform.no_geometry": "audit.no_geometry",
}
_CODES = ("code", "parent", "reason", "level")
_NUMBERS = ("households", "occupied", "weight")


@dataclass(frozen=True)
class AreaFile:
    """A file of areas or buildings.

    Parameters
    ----------
    path : pathlib.Path
    frame : GeoDataFrame
        ``code, parent, reason, level`` as text and ``households, occupied, weight`` as numbers,
        as far as the file has them, and the geometry in a metric system. A row without a place
        has no geometry.
    table : DataFrame
        Every column as it was read, row by row the same.
    names : mapping of str to str
        The column of the file for each of these names.
    """

    path: Path
    frame: gpd.GeoDataFrame
    table: pd.DataFrame
    names: Mapping[str, str]


def read_areas(
    path: Path,
    *,
    sublayer: str = "",
    crs: str = "",
    columns: Mapping[str, tuple[str, str]] | None = None,
    coded: bool = True,
    working: pyproj.CRS | None = None,
) -> AreaFile:
    """Read areas, or buildings.

    Parameters
    ----------
    path : pathlib.Path
        Anything that `gridmap.sources.files.read_raw` reads, with geometry.
    sublayer : str
        Of a file with several layers.
    crs : str
        Of the file, where it does not say so or is wrong; GCJ-02 and BD-09 too.
    columns : mapping of str to (str, str), optional
        For each of the names of `AreaFile` the column of the file, and the option that named it,
        for the message if there is no such column. Others are looked for by their own name.
    coded : bool
        Whether these are areas, which need a code, rather than buildings.
    working : pyproj.CRS, optional
        The metric system; by default the file's own if it is metric, else that of its place.

    Returns
    -------
    AreaFile

    Raises
    ------
    GridmapError
        If the file cannot be read, has no geometry or one of another kind, no system, or lacks a
        column.
    """
    raw = read_raw(path, sublayer=sublayer)
    names = _names(path, raw.table, dict(columns or {}), coded=coded)
    # A building may be a point, an area may not.
    layer = load_catalog().layer("grids" if coded else "buildings")
    entry = Input(layer=layer.name, path=str(path), crs=crs)
    try:
        shapes = shapes_of(raw, layer, entry, Reasons(len(raw.table)))
    except (ConformError, CrsError) as error:
        raise _of_option(error, coded=coded) from None
    values: dict[str, pd.Series] = {}
    for name, column in names.items():
        source = raw.table[column]
        if name in _NUMBERS:
            values[name] = pd.to_numeric(source, errors="coerce").astype("Float64")
        elif pd.api.types.is_string_dtype(source):
            values[name] = source.astype("string")
        else:
            values[name] = as_text(source)
    frame = gpd.GeoDataFrame(values, geometry=shapes, crs=shapes.crs)
    return AreaFile(path, frame.to_crs(working or _metric(frame.geometry)), raw.table, names)


def _of_option(error: ConformError | CrsError, *, coded: bool) -> ConformError | CrsError:
    """Return an error about an input of a city file as one about a file named on the command."""
    key = _OPTIONS.get(error.key)
    if key == "audit.kind" and not coded:
        key = "audit.kind_of_buildings"
    return error if key is None else type(error)(key, **error.params)


def of_level(parents: AreaFile, areas: gpd.GeoDataFrame, level: str = "") -> gpd.GeoDataFrame:
    """Return the parents of one level, where their layer has several.

    Parameters
    ----------
    parents : AreaFile
    areas : GeoDataFrame
        Without a level, those of the parents that these name count.
    level : str

    Raises
    ------
    ConformError
        If there are none of that level.
    """
    frame = parents.frame
    if "level" not in frame:
        levels: set[str] = set()
    elif level:
        levels = {level}
    else:
        named = areas.get("parent", [])
        levels = set(frame.loc[frame["code"].isin(named), "level"].dropna())
    if not levels and not level:
        return frame
    kept = frame[frame["level"].isin(levels)] if levels else frame.iloc[:0]
    if kept.empty:
        known = ", ".join(sorted(set(frame["level"].dropna()))) if "level" in frame else "-"
        path = parents.path.name
        raise ConformError("audit.no_level", path=path, level=level, known=known)
    return kept.reset_index(drop=True)


def _names(
    path: Path, table: pd.DataFrame, columns: dict[str, tuple[str, str]], *, coded: bool
) -> dict[str, str]:
    named = {name: given for name, given in columns.items() if given[0]}
    if coded:
        named.setdefault("code", ("code", columns.get("code", ("", "--code-column"))[1]))
    for column, option in named.values():
        if column not in table:
            known = ", ".join(str(name) for name in table.columns)
            raise SourceError(
                "audit.no_column", path=path, column=column, option=option, known=known
            )
    found = {name: name for name in (*_CODES, *_NUMBERS) if name in table}
    return found | {name: column for name, (column, _) in named.items()}


def _metric(shapes: gpd.GeoSeries) -> pyproj.CRS:
    """Return the metric system in which areas are measured.

    A metric system of the file's own stays, so that borders that fit still fit to the last bit;
    but for the one of web maps, whose metres are none.
    """
    own = pyproj.CRS(shapes.crs)
    web = own.coordinate_operation is not None and "Pseudo" in own.coordinate_operation.method_name
    if own.is_projected and {axis.unit_name for axis in own.axis_info} == {"metre"} and not web:
        return own
    west, south, east, north = shapes.to_crs(4326).total_bounds.tolist()
    return working_crs((west, south, east, north))
