"""Files with shapes: what OGR reads, and GeoParquet."""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyogrio
import pyogrio.raw
import pyproj
import shapely

from gridmap.errors import SourceError
from gridmap.messages import Message
from gridmap.model import Note
from gridmap.sources.door import LIMIT_BYTES, Opened, opened, reading
from gridmap.sources.raw import Raw
from gridmap.sources.text import detect

__all__ = ["layer_names", "read_layer", "read_parquet", "read_vector"]

# Drivers that may answer for a file of a kind, besides the one that its name says.
_ALSO = {
    "GeoJSON": {"ESRIJSON", "JSONFG", "TopoJSON", "GeoJSONSeq"},
    "LIBKML": {"KML"},
    "TopoJSON": {"GeoJSON"},
    "GeoJSONSeq": {"GeoJSON"},
}
_JSON = {"GeoJSON", "GeoJSONSeq", "TopoJSON"}
_CRS = re.compile(rb'"crs"\s*:\s*\{[^{}]*\{\s*"name"\s*:\s*"([^"]+)"')
_CRS_WITHIN = 100_000
# Where the header of a dBASE table names its code page; 0x57 stands for whatever Windows has.
_LANGUAGE = 29
# Curves and surfaces, which GEOS reads but cannot compute with.
_LAST_TYPE = int(shapely.GeometryType.GEOMETRYCOLLECTION)


def layer_names(path: Path) -> list[str]:
    """Return the names of the layers of a file.

    Raises
    ------
    SourceError
        If it is missing or no file of layers.
    """
    with opened(path) as file, reading(path):
        return _layers(file, path)


def read_layer(path: Path, layer: str, *, geometry: bool = True) -> pd.DataFrame:
    """Read a layer of a file that gridmap wrote itself, types and all.

    Raises
    ------
    SourceError
        If the file cannot be read.
    """
    with opened(path) as file, reading(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        frame: pd.DataFrame = pyogrio.read_dataframe(file.path, layer=layer, read_geometry=geometry)
        return frame


def read_vector(file: Opened, shown: Path, *, sublayer: str = "", encoding: str = "") -> Raw:
    """Read a layer of a file with OGR.

    Parameters
    ----------
    file : Opened
    shown : pathlib.Path
        What to call it in messages.
    sublayer : str
        Needed where there are several layers.
    encoding : str
        Of a Shapefile that does not say it; left empty, it is found.

    Returns
    -------
    Raw
        Integers stay exact beside missing ones, times are texts as in the file. Rows whose shape
        cannot be read are bad; rings that are not closed are closed.

    Raises
    ------
    SourceError
        If it cannot be read, or not in whole.
    """
    with reading(shown):
        names = _layers(file, shown)
    if not names:
        raise SourceError("source.empty", path=shown)
    if sublayer and sublayer not in names:
        raise SourceError("source.no_sublayer", path=shown, name=sublayer, names=", ".join(names))
    if not sublayer and len(names) != 1:
        raise SourceError("source.sublayer", path=shown, names=", ".join(names))
    layer = sublayer or names[0]
    used, notes = _encoding(file, encoding)
    with _in_utf8(file, shown, encoding, notes) as read:
        return _read(read, shown, layer, used, notes)


def _read(file: Opened, shown: Path, layer: str, used: str, notes: list[Note]) -> Raw:
    # GeoJSON has no type for times; what OGR makes of texts would hide how they are written.
    options = {"DATE_AS_STRING": "YES"} if file.way == "GeoJSON" else {}
    with reading(shown), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", RuntimeWarning)
        meta, table = pyogrio.raw.read_arrow(
            file.path, layer=layer, encoding=used or None, datetime_as_string=True, **options
        )
        expected = pyogrio.read_info(file.path, layer=layer, encoding=used or None)["features"]
        table, torn = _whole(table)
        frame = table.to_pandas(types_mapper=_types)
    told = [str(each.message) for each in said if issubclass(each.category, RuntimeWarning)]
    if len(frame) < expected:
        damaged = Message("foreign.damaged")
        reason = Message("foreign.library", {"words": told[0]}) if told else damaged
        raise SourceError(
            "source.cut", path=shown, rows=len(frame), expected=expected, reason=reason
        )
    name = meta["geometry_name"] or "wkb_geometry"
    if meta["geometry_type"] is None or name not in frame:
        return Raw(frame.reset_index(drop=True), bad=torn, notes=tuple(notes))
    shapes, lost = _shapes(frame.pop(name))
    with reading(shown):
        crs = None if meta["crs"] is None else pyproj.CRS.from_user_input(meta["crs"])
    geometry = gpd.GeoSeries(shapes, crs=crs, name="geometry")
    return Raw(frame.reset_index(drop=True), geometry, lost | torn, tuple(notes))


def _whole(table: pa.Table) -> tuple[pa.Table, dict[int, tuple[str, str]]]:
    """Return a table whose texts are texts, and the rows that had bytes that are none.

    What OGR gives is not proven: a damaged file makes columns that crash whoever reads them.
    """
    bad: dict[int, tuple[str, str]] = {}
    for position, name in enumerate(table.column_names):
        column = table.column(position)
        kind = column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            column.validate(full=True)
            continue
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            raw = pa.chunked_array(
                [part.view(_BINARY[kind]) for part in column.chunks], _BINARY[kind]
            )
            raw.validate(full=True)
            texts = []
            for row, cell in enumerate(raw.to_pylist()):
                text = None if cell is None else cell.decode("utf-8", errors="replace")
                if text is not None and "\ufffd" in text:
                    bad.setdefault(row, ("bad_bytes", text))
                texts.append(text)
            table = table.set_column(position, name, pa.array(texts, pa.large_string()))
    return table, bad


_BINARY = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}


def read_parquet(path: Path, shown: Path) -> Raw:
    """Read Parquet, or GeoParquet.

    Raises
    ------
    SourceError
        If it cannot be read, or unpacks to more than is allowed.
    """
    with reading(shown):
        about = pyarrow.parquet.read_metadata(path)
        size = sum(about.row_group(at).total_byte_size for at in range(about.num_row_groups))
        if size > LIMIT_BYTES:
            raise SourceError("source.too_large", path=shown, limit=f"{LIMIT_BYTES / 2**30:g} GiB")
        if b"geo" not in (about.metadata or {}):
            table, torn = _whole(pyarrow.parquet.read_table(path))
            return Raw(_named(table.to_pandas(types_mapper=_types)), bad=torn)
        # Of the shapes alone; texts are proven first, as those of every other file.
        main = json.loads(about.metadata[b"geo"])["primary_column"]
        geometry = gpd.read_parquet(path, columns=[main]).geometry
        held = [name for name in about.schema.to_arrow_schema().names if name != main]
        table, torn = _whole(pyarrow.parquet.read_table(path, columns=held))
        frame = table.to_pandas(types_mapper=_types)
    shapes, lost = _computable(geometry.to_numpy().copy())
    series = gpd.GeoSeries(shapes, crs=geometry.crs, name="geometry")
    return Raw(_named(frame), series, lost | torn)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    table = table.reset_index(drop=True)
    table.columns = pd.Index([str(name) for name in table.columns])
    return table


def _layers(file: Opened, shown: Path) -> list[str]:
    names = [str(name) for name in pyogrio.list_layers(file.path)[:, 0]]
    if names:
        driver = pyogrio.read_info(file.path, layer=names[0])["driver"]
        if driver != file.way and driver not in _ALSO.get(file.way, ()):
            raise SourceError("source.other_format", path=shown, format=file.suffix.lstrip("."))
    return names


def _types(kind: pa.DataType) -> Any:
    """Return the type of pandas that keeps every value of a column, missing ones beside it."""
    if pa.types.is_integer(kind):
        return pd.UInt64Dtype() if kind == pa.uint64() else pd.Int64Dtype()
    if pa.types.is_boolean(kind):
        return pd.BooleanDtype()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.StringDtype("pyarrow")
    return None


def _shapes(wkb: pd.Series) -> tuple[np.ndarray[Any, Any], dict[int, tuple[str, str]]]:
    """Return shapes from their binary form, and the rows whose shape cannot be read."""
    given = wkb.to_numpy(dtype=object)
    with np.errstate(invalid="ignore"):  # coordinates that are no numbers
        shapes = shapely.from_wkb(given, on_invalid="fix")
    shapes, bad = _computable(shapes)
    lost = shapely.is_missing(shapes) & np.array([each is not None for each in given], dtype=bool)
    return shapes, {int(row): ("unreadable_shape", "") for row in np.flatnonzero(lost)} | bad


def _computable(
    shapes: np.ndarray[Any, Any],
) -> tuple[np.ndarray[Any, Any], dict[int, tuple[str, str]]]:
    odd = shapely.get_type_id(shapes) > _LAST_TYPE
    bad = {int(row): ("unreadable_shape", shapes[row].geom_type) for row in np.flatnonzero(odd)}
    shapes[odd] = None
    return shapes, bad


@contextmanager
def _in_utf8(file: Opened, shown: Path, asked: str, notes: list[Note]) -> Iterator[Opened]:
    """Give a file of JSON in UTF-8, which is all that OGR reads."""
    if file.way not in _JSON:
        yield file
        return
    with reading(shown):
        data = file.path.read_bytes()
    notes += _unread_crs(data)
    text, found = _decoded(data, shown, asked)
    if text is None:
        yield file
        return
    if found != asked:
        notes.append(Note("encoding", {"encoding": found}))
    with tempfile.TemporaryDirectory(prefix="gridmap-") as folder:
        path = Path(folder) / file.path.name
        with reading(shown):
            path.write_text(text, encoding="utf-8", newline="")
        yield replace(file, path=path)


def _unread_crs(data: bytes) -> list[Note]:
    """Tell of a coordinate system that nobody knows, which OGR takes for degrees without a word."""
    named = _CRS.search(data[:_CRS_WITHIN])
    if named is None:
        return []
    name = named[1].decode("utf-8", errors="replace")
    try:
        pyproj.CRS.from_user_input(name)
    except pyproj.exceptions.CRSError:
        return [Note("crs_unread", {"crs": name})]
    return []


def _decoded(data: bytes, shown: Path, asked: str) -> tuple[str | None, str]:
    """Return the text of a file that is not in UTF-8, and its encoding; None where it is."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        found = asked or detect(data)
    else:
        return None, "utf_8"
    try:
        return data.decode(found), found
    except LookupError:
        raise SourceError("source.encoding_unknown", path=shown, encoding=asked) from None
    except UnicodeDecodeError as error:
        if asked:
            raise SourceError(
                "source.encoding",
                path=shown,
                encoding=asked,
                byte=error.start,
                found=detect(data),
            ) from None
        return None, found  # a few bytes are no text: each costs its row


def _encoding(file: Opened, asked: str) -> tuple[str, list[Note]]:
    """Return the encoding of a Shapefile that does not say its own: by all bytes of its table."""
    if file.way != "ESRI Shapefile":
        # Those say their encoding themselves, or have one alone; but for JSON, see above.
        idle = asked and file.way not in _JSON
        return "", [Note("encoding_idle", {"encoding": asked})] if idle else []
    if asked:
        return asked, []
    table = next((p for p in _beside(file.path, ".dbf") if p.is_file()), None)
    if table is None or any(p.is_file() for p in _beside(file.path, ".cpg")):
        return "", []
    data = table.read_bytes()
    if data[_LANGUAGE : _LANGUAGE + 1] not in (b"\0", b"\x57", b""):
        return "", []
    found = detect(data[32:].replace(b"\0", b" "))
    if found in ("ascii", "utf_8"):
        return ("utf_8" if found == "utf_8" else ""), []
    return found, [Note("encoding", {"encoding": found})]


def _beside(path: Path, suffix: str) -> list[Path]:
    return [path.with_suffix(suffix), path.with_suffix(suffix.upper())]
