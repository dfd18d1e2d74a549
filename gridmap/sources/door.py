"""The door of every input: by what its name says, of a bounded size, and nothing else.

A file is what its name says or is refused. Formats that lead on to other files or to a network
(VRT, WFS, GML with its schemas, connection strings) have no name here, and what stands in a file
is looked at before a library opens it, so that one cannot come under another name.
"""

from __future__ import annotations

import gzip
import re
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from gridmap.errors import GridmapError, SourceError
from gridmap.messages import Message, os_reason
from gridmap.messages.foreign import library_reason

__all__ = ["LIMIT_BYTES", "Opened", "opened", "reading"]

LIMIT_BYTES = 4 * 2**30
"""How much one file may unpack to."""

_CHUNK = 1 << 20
_HEAD = 4096
_SAID = 160
_ANY = 2**62

# By what a name ends in: the way to read it, for OGR the name of the driver.
FORMATS = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".xlsx": "sheets",
    ".xlsm": "sheets",
    ".xls": "sheets",
    ".ods": "sheets",
    ".parquet": "parquet",
    ".geoparquet": "parquet",
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".topojson": "TopoJSON",
    ".geojsonl": "GeoJSONSeq",
    ".geojsons": "GeoJSONSeq",
    ".ndjson": "GeoJSONSeq",
    ".fgb": "FlatGeobuf",
    ".shp": "ESRI Shapefile",
    ".kml": "LIBKML",
    ".kmz": "LIBKML",
    ".tab": "MapInfo File",
    ".mif": "MapInfo File",
    ".dxf": "DXF",
    ".gdb": "OpenFileGDB",
}
_PACKED = (".zip", ".gz")
_ARCHIVES = (".rar", ".7z", ".tar", ".tgz", ".bz2", ".xz")
_RAR_OR_7Z = re.compile(rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c")
# What old Office writes, and new Office once it encrypts.
_OLE = re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")  # MS-CFB 2.2
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")  # a stream, see MS-OFFCRYPTO 2.1
_ENCRYPTED_FLAG = 1  # of a member of a zip, see APPNOTE 4.4.4
_PAGE = re.compile(rb"[\s\xef\xbb\xbf]*<(?:!doctype|html|head|meta|table|\?xml)", re.IGNORECASE)
_TOPOLOGY = re.compile(
    rb'^[\s\xef\xbb\xbf]*\{(?:(?!"Feature).)*?"type"\s*:\s*"Topology"', re.DOTALL
)
# What a file of a kind begins with; any text may be CSV.
_BEGINS: dict[str, re.Pattern[bytes]] = {
    "GPKG": re.compile(rb"SQLite format 3\x00"),
    "GeoJSON": re.compile(rb"[\s\xef\xbb\xbf\x1e]*[\{\[]"),
    "TopoJSON": re.compile(rb"[\s\xef\xbb\xbf]*\{"),
    "GeoJSONSeq": re.compile(rb"[\s\xef\xbb\xbf\x1e]*\{"),
    "FlatGeobuf": re.compile(rb"fgb"),
    "ESRI Shapefile": re.compile(rb"\x00\x00\x27\x0a"),
    "parquet": re.compile(rb"PAR1"),
    ".kml": re.compile(rb"[\s\xef\xbb\xbf]*(?:<\?.*?\?>|<!.*?>|\s)*<(?:\w+:)?kml[\s>]", re.DOTALL),
    ".kmz": re.compile(rb"PK"),
    ".tab": re.compile(rb"[\s\xef\xbb\xbf]*!table", re.IGNORECASE),
    ".mif": re.compile(rb"[\s\xef\xbb\xbf]*version", re.IGNORECASE),
    "DXF": re.compile(rb"\s*(?:0|999)\s*\r?\n|AutoCAD Binary DXF"),
    ".xls": _OLE,
    ".xlsx": re.compile(rb"PK"),
    ".xlsm": re.compile(rb"PK"),
    ".ods": re.compile(rb"PK"),
}


@dataclass(frozen=True)
class Opened:
    """A file that may be read, and how.

    Parameters
    ----------
    path : pathlib.Path
        Where its content lies now: of a packed file, unpacked.
    way : str
        ``text``, ``sheets``, ``parquet``, or the name of an OGR driver.
    suffix : str
        What its name ends in, in lower case and without what it was packed in.
    """

    path: Path
    way: str
    suffix: str


@contextmanager
def opened(path: Path, *, member: str = "", limit_bytes: int = LIMIT_BYTES) -> Iterator[Opened]:
    """Give what a file holds to a reader, unpacked as long as that reads.

    Parameters
    ----------
    path : pathlib.Path
    member : str
        Of a zip with several data sets, the name of one.
    limit_bytes : int
        How much a packed file may unpack to.

    Yields
    ------
    Opened

    Raises
    ------
    SourceError
        If there is no such file, its name tells no format, it holds something else, or too much.
    """
    _prove_file(path)
    suffix = path.suffix.lower()
    if suffix not in _PACKED:
        yield _known(path, path)
        return
    with reading(path), path.open("rb") as packed:
        head = packed.read(_HEAD)
    if _RAR_OR_7Z.match(head):
        raise SourceError("source.archive", path=path)
    with tempfile.TemporaryDirectory(prefix="gridmap-") as folder:
        with reading(path):
            if suffix == ".gz":
                inner = _from_gzip(path, Path(folder), limit_bytes)
            else:
                inner = _from_zip(path, Path(folder), member, limit_bytes)
        yield _known(inner, path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a library raises while it reads a file into one line that names the file."""
    try:
        yield
    except (GridmapError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except PermissionError:
        raise SourceError("source.locked", path=path) from None
    except MemoryError as error:
        raise SourceError("source.memory", path=path) from error
    except BaseException as error:  # a panic of Rust (calamine) is no Exception
        raise SourceError("source.broken", path=path, reason=library_reason(error)) from error


def _prove_file(path: Path) -> None:
    """Refuse what is no ordinary file: pipes, devices, folders, loops of links, odd names."""
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise SourceError("source.missing", path=path) from None
    except PermissionError:
        raise SourceError("source.locked", path=path) from None
    except (OSError, ValueError) as error:
        name = str(path).replace("\0", "\\0")
        shown = name if len(name) <= _SAID else name[: _SAID - 1] + "…"
        reason = os_reason(error) if isinstance(error, OSError) else Message("os.EINVAL")
        raise SourceError("source.no_name", path=shown, reason=reason) from None
    geodatabase = path.suffix.lower() == ".gdb" and stat.S_ISDIR(kind)
    if not (stat.S_ISREG(kind) or geodatabase):
        raise SourceError("source.no_file", path=path)


def _known(path: Path, shown: Path) -> Opened:
    """Return how to read a file by its name, once it begins as such a file does."""
    suffix = path.suffix.lower()
    way = FORMATS.get(suffix)
    if way is None:
        if suffix in _ARCHIVES:
            raise SourceError("source.archive", path=shown)
        raise SourceError("source.format", path=shown, suffix=suffix)
    if path.is_dir():
        return Opened(path, way, suffix)
    with reading(shown), path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise SourceError("source.empty", path=shown)
    begins = _BEGINS.get(suffix) or _BEGINS.get(way)
    if begins is not None and not begins.match(head):
        raise _other(path, shown, head)
    if way == "ESRI Shapefile":
        _prove_parts(path, shown)
    if way == "GeoJSON" and _TOPOLOGY.match(head):
        way = "TopoJSON"
    if suffix in (".xlsx", ".xlsm", ".ods", ".kmz"):
        with reading(shown), zipfile.ZipFile(path) as archive:
            _prove_size(archive, archive.infolist(), shown, LIMIT_BYTES)
    return Opened(path, way, suffix)


def _other(path: Path, shown: Path, head: bytes) -> SourceError:
    """Return what is wrong with a file that holds something else than its name says."""
    suffix = path.suffix.lower()
    if shown.name.startswith("~$"):
        return SourceError("source.lock_file", path=shown, name=shown.name.removeprefix("~$"))
    if _RAR_OR_7Z.match(head):
        return SourceError("source.archive", path=shown)
    if FORMATS.get(suffix) == "sheets":
        if _OLE.match(head):
            with reading(shown):
                hidden = _ENCRYPTED in path.read_bytes()
            return SourceError("source.password" if hidden else "source.old_workbook", path=shown)
        if _PAGE.match(head):
            return SourceError("source.web_page", path=shown)
    return SourceError("source.other_format", path=shown, format=suffix.lstrip("."))


def _prove_parts(path: Path, shown: Path) -> None:
    """Refuse a Shapefile without its index or its table."""
    beside = {each.name.lower() for each in path.parent.iterdir()}
    for suffix in (".shx", ".dbf"):
        part = path.with_suffix(suffix).name
        if part.lower() not in beside:
            raise SourceError("source.part_missing", path=shown, part=part)


def _from_gzip(path: Path, folder: Path, limit: int) -> Path:
    inner = folder / path.stem
    with gzip.GzipFile(path) as source, inner.open("wb") as target:
        _pour(source, target, path, limit, 0)
    return inner


def _from_zip(path: Path, folder: Path, member: str, limit: int) -> Path:
    """Unpack the data set of a zip, with the files beside it that belong to it."""
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir() and _shown(info)]
        if any(info.flag_bits & _ENCRYPTED_FLAG for info in files):
            raise SourceError("source.password", path=path)
        sets = _data_sets(files)
        names = [name.stem for name in sets]
        if member:
            sets = [name for name in sets if member in (name.stem, name.name)] or sets
        if not sets:
            known = ", ".join(FORMATS)
            raise SourceError("source.zip_without", path=path, known=known)
        if len(sets) > 1:
            raise SourceError("source.sublayer", path=path, names=", ".join(names))
        chosen, done = sets[0], 0
        for info in files:
            name = PurePosixPath(info.filename)
            if chosen in name.parents:  # a geodatabase is a folder
                target = folder / chosen.name / name.name
            elif name.parent == chosen.parent and name.stem.lower() == chosen.stem.lower():
                # A Shapefile finds its parts by names that differ in the end alone.
                target = folder / (chosen.stem + name.suffix.lower())
            else:
                continue
            target.parent.mkdir(exist_ok=True)
            info.file_size = _ANY  # what it says of itself need not be true
            with archive.open(info) as source, target.open("wb") as file:
                done = _pour(source, file, path, limit, done)
    unpacked = folder / chosen.name
    return unpacked if unpacked.exists() else folder / (chosen.stem + chosen.suffix.lower())


def _shown(info: zipfile.ZipInfo) -> bool:
    """Tell whether a file of a zip is data, not what macOS puts beside it."""
    parts = PurePosixPath(info.filename).parts
    return bool(parts) and parts[0] != "__MACOSX" and not parts[-1].startswith(".")


def _data_sets(files: list[zipfile.ZipInfo]) -> list[PurePosixPath]:
    """Return the data sets of a zip; a table beside shapes is none of its own."""
    names = [PurePosixPath(info.filename) for info in files]
    folders = {part for name in names for part in name.parents if part.suffix.lower() == ".gdb"}
    found = [
        name
        for name in names
        if name.suffix.lower() in FORMATS and not any(part in folders for part in name.parents)
    ]
    spatial = [name for name in found if FORMATS[name.suffix.lower()] not in ("text", "sheets")]
    return [*folders, *(spatial or found)]


def _prove_size(
    archive: zipfile.ZipFile, files: list[zipfile.ZipInfo], path: Path, limit: int
) -> None:
    """Refuse an archive that unpacks to more than the limit, whatever it says of itself."""
    if sum(info.file_size for info in files) > limit:
        raise SourceError("source.too_large", path=path, limit=_gib(limit))
    # Deflate makes at most 1,032 bytes of one (RFC 1951), so that a small archive needs no look.
    if sum(info.compress_size for info in files) * 1032 <= limit:
        return
    done = 0
    for info in files:
        info.file_size = _ANY
        with archive.open(info) as source:
            done = _pour(source, None, path, limit, done)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _pour(source: _Readable, target: IO[bytes] | None, path: Path, limit: int, done: int) -> int:
    """Copy a stream in pieces, and return how much has been unpacked with it."""
    while piece := source.read(_CHUNK):
        done += len(piece)
        if done > limit:
            raise SourceError("source.too_large", path=path, limit=_gib(limit))
        if target is not None:
            target.write(piece)
    return done


def _gib(limit: int) -> str:
    return f"{limit / 2**30:g} GiB"
