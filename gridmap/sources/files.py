"""Reading files as they are: any OGR format, GeoParquet, CSV and Excel, into one raw frame."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow.lib
import pyarrow.parquet
import pyogrio
import pyogrio.errors
import python_calamine
from charset_normalizer import from_bytes

from gridmap.errors import SourceError

__all__ = ["Raw", "read_raw"]

_TEXT = {".csv", ".tsv", ".txt"}
_SHEETS = {".xlsx", ".xls", ".xlsm", ".ods"}
# What Chinese offices write besides UTF-8; a detector left free takes short GBK for Korean.
_ENCODINGS = ["utf_8", "gb18030", "big5", "utf_16", "cp1252"]


@dataclass(frozen=True)
class Raw:
    """A file as it was read: every row in order, and the geometry where the file has one."""

    table: pd.DataFrame
    geometry: gpd.GeoSeries | None = None


def read_raw(path: Path, *, sublayer: str = "", encoding: str = "") -> Raw:
    """Read one file.

    Parameters
    ----------
    path : pathlib.Path
        CSV (also gzipped), Excel, GeoParquet, or anything that OGR reads: GeoPackage, GeoJSON,
        FlatGeobuf, a Shapefile or its zip, TopoJSON, KML.
    sublayer : str
        The layer of a GeoPackage, or the sheet of a workbook; needed where there are several.
    encoding : str
        Of text files and Shapefiles. Left empty, UTF-8 is tried, then it is detected.

    Returns
    -------
    Raw
        With a RangeIndex. Cells of text files are text; nothing is parsed yet.

    Raises
    ------
    SourceError
        If the file is missing, locked, empty, of no known format, or in another encoding.
    """
    if not path.exists():
        raise SourceError("source.missing", path=path)
    try:
        raw = _read(path, sublayer, encoding)
    except PermissionError:
        raise SourceError("source.locked", path=path) from None
    if raw.table.empty:
        raise SourceError("source.empty", path=path)
    return raw


def _read(path: Path, sublayer: str, encoding: str) -> Raw:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    last = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else path.suffix.lower()
    if last in _TEXT:
        return Raw(_read_text(path, encoding, "\t" if last == ".tsv" else ","))
    if last in _SHEETS:
        return Raw(_read_sheet(path, sublayer))
    if last == ".parquet":
        return _read_parquet(path)
    return _read_ogr(path, sublayer, encoding)


def _read_text(path: Path, encoding: str, separator: str) -> pd.DataFrame:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        data = file.read()
    if not data.strip():
        raise SourceError("source.empty", path=path)
    used = encoding or _detect(data)
    try:
        text = data.decode("utf_8_sig" if used.lower().replace("-", "_") == "utf_8" else used)
    except UnicodeDecodeError as error:
        raise SourceError(
            "source.encoding", path=path, encoding=used, byte=error.start, found=_detect(data)
        ) from None
    except LookupError:
        raise SourceError("source.encoding_unknown", path=path, encoding=used) from None
    return _parse_text(path, text, separator)


def _parse_text(path: Path, text: str, separator: str) -> pd.DataFrame:
    try:
        return pd.read_csv(
            io.StringIO(text), sep=separator, dtype="string", keep_default_na=False, na_values=[""]
        )
    except pd.errors.EmptyDataError:
        raise SourceError("source.empty", path=path) from None
    except pd.errors.ParserError as error:
        raise SourceError("source.broken", path=path, reason=error) from None


def _detect(data: bytes) -> str:
    try:
        data.decode("utf_8")
    except UnicodeDecodeError:
        best = from_bytes(data[:200_000], cp_isolation=_ENCODINGS[1:]).best()
        return best.encoding if best else "gb18030"
    return "utf_8"


def _read_sheet(path: Path, sheet: str) -> pd.DataFrame:
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
    except python_calamine.CalamineError as error:
        raise SourceError("source.broken", path=path, reason=error) from None
    names = book.sheet_names
    if (sheet and sheet not in names) or (not sheet and len(names) > 1):
        raise SourceError("source.sublayer", path=path, names=", ".join(names))
    rows = book.get_sheet_by_name(sheet or names[0]).to_python()
    if len(rows) < 2:  # noqa: PLR2004 - a heading and a row
        raise SourceError("source.empty", path=path)
    table = pd.DataFrame(rows[1:], columns=[str(name) for name in rows[0]], dtype=object)
    return table.where(table != "", None)


def _read_parquet(path: Path) -> Raw:
    try:
        metadata = pyarrow.parquet.read_schema(path).metadata or {}
        if b"geo" not in metadata:
            return Raw(pd.read_parquet(path))
        return _split(gpd.read_parquet(path))
    except (pyarrow.lib.ArrowInvalid, json.JSONDecodeError, ValueError) as error:
        raise SourceError("source.broken", path=path, reason=error) from None


def _read_ogr(path: Path, sublayer: str, encoding: str) -> Raw:
    try:
        names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    except (pyogrio.errors.DataSourceError, zipfile.BadZipFile) as error:
        raise SourceError("source.broken", path=path, reason=error) from None
    if (sublayer and sublayer not in names) or (not sublayer and len(names) > 1):
        raise SourceError("source.sublayer", path=path, names=", ".join(names))
    try:
        frame = pyogrio.read_dataframe(path, layer=sublayer or None, encoding=encoding or None)
    except (pyogrio.errors.DataSourceError, UnicodeDecodeError, ValueError) as error:
        raise SourceError("source.broken", path=path, reason=error) from None
    return _split(frame) if isinstance(frame, gpd.GeoDataFrame) else Raw(frame)


def _split(frame: gpd.GeoDataFrame) -> Raw:
    frame = frame.reset_index(drop=True)
    table = pd.DataFrame(frame.drop(columns=frame.active_geometry_name))
    return Raw(table, gpd.GeoSeries(frame.geometry, name="geometry"))
