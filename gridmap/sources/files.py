"""Reading files as they are: any format that is known, into one raw frame."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from gridmap.errors import SourceError
from gridmap.sources.door import opened, reading
from gridmap.sources.raw import Raw
from gridmap.sources.sheets import read_sheet
from gridmap.sources.text import read_text
from gridmap.sources.vector import read_parquet, read_vector

__all__ = ["read_raw"]


def read_raw(
    path: Path, *, sublayer: str = "", encoding: str = "", known: Collection[str] = ()
) -> Raw:
    """Read one file.

    Parameters
    ----------
    path : pathlib.Path
        CSV, Excel, GeoParquet, GeoPackage, GeoJSON, TopoJSON, FlatGeobuf, Shapefile, KML, MapInfo,
        DXF or a file geodatabase, as its name says; also in a zip or gzipped.
    sublayer : str
        The layer of a GeoPackage, the sheet of a workbook, or the data set of a zip; needed where
        there are several.
    encoding : str
        Of text files and Shapefiles. Left empty, it is found from all bytes.
    known : collection of str
        Names of columns that are asked for, by which the heading of a table is found.

    Returns
    -------
    Raw
        Nothing is parsed yet. What was guessed is told, rows that could not be read are known.

    Raises
    ------
    SourceError
        If the file is missing, locked, empty, of no known format, not what its name says, too
        large, or in another encoding.
    """
    with opened(path, member=sublayer) as file:
        if file.way == "text":
            with reading(path):
                data = file.path.read_bytes()
            raw = read_text(path, data, encoding=encoding, tabs=file.suffix == ".tsv", known=known)
        elif file.way == "sheets":
            raw = read_sheet(file.path, path, sheet=sublayer, known=known)
        elif file.way == "parquet":
            raw = read_parquet(file.path, path)
        else:
            packed = file.path.suffix != path.suffix and file.way in _ONE_LAYER
            layer = "" if packed else sublayer
            raw = read_vector(file, path, sublayer=layer, encoding=encoding)
    if not len(raw.table):
        raise SourceError("source.empty", path=path)
    return raw


# Of these a zip can hold several, told apart by their names.
_ONE_LAYER = {"ESRI Shapefile", "GeoJSON", "FlatGeobuf", "TopoJSON", "GeoJSONSeq", "MapInfo File"}
