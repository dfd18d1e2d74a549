"""Local raster tiles: MBTiles, PMTiles or a folder, as many as a page can hold."""

from __future__ import annotations

import base64
import math
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gridmap.errors import OutputError
from gridmap.messages.foreign import database_reason

__all__ = ["Tiles", "tiles_within"]

_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"RIFF": "webp"}
_SUFFIXES = ("png", "jpg", "jpeg", "webp")
_DEEPEST = 22
_MOST_TILES = 20_000
Read = Callable[[int, int, int], bytes | None]


@dataclass(frozen=True)
class Tiles:
    """Tiles that cover some bounds.

    Parameters
    ----------
    urls : dict of str to str
        By ``zoom/x/y`` (y from the north), each a ``data:`` URL.
    deepest : int
        The largest zoom that is there.
    size : int, bytes
        Of the pictures.
    """

    urls: dict[str, str]
    deepest: int
    size: int


def tiles_within(
    path: Path, bounds: tuple[float, float, float, float], *, most_bytes: int
) -> Tiles:
    """Read the tiles of an area, from far to near, as long as they fit.

    Parameters
    ----------
    path : pathlib.Path
        A ``.mbtiles`` or ``.pmtiles`` file, or a folder of ``zoom/x/y`` pictures, in Web
        Mercator; y counts from the north, as on the web (in an MBTiles file from the south, as
        its standard has it).
    bounds : tuple of float
        West, south, east, north in degrees.
    most_bytes : int
        A zoom whose tiles would go beyond this is left out, and all nearer ones.

    Raises
    ------
    OutputError
        If the path is none of these, holds no pictures of the area, or not one zoom fits.
    """
    urls: dict[str, str] = {}
    size, deepest = 0, -1
    for zoom, level in _levels(_reader(path), bounds):
        weight = sum(map(len, level.values()))
        if size + weight > most_bytes:
            if not urls:
                raise OutputError("tiles.too_large", path=path, mb=f"{weight / 1e6:.1f}")
            break
        size, deepest = size + weight, zoom
        urls |= {key: _data_url(path, picture) for key, picture in level.items()}
    if not urls:
        raise OutputError("tiles.none", path=path, bounds=_said(bounds))
    return Tiles(urls, deepest, size)


def _said(bounds: tuple[float, float, float, float]) -> str:
    return ", ".join(f"{degrees:.4f}" for degrees in bounds)


def _levels(
    read: Read, bounds: tuple[float, float, float, float]
) -> Iterator[tuple[int, dict[str, bytes]]]:
    """Yield each zoom that has a tile, and its tiles; after the first, up to one that has none.

    A zoom with more tiles than a page could hold is not looked for.
    """
    west, south, east, north = bounds
    begun = False
    for zoom in range(_DEEPEST + 1):
        (left, top), (right, bottom) = _tile(west, north, zoom), _tile(east, south, zoom)
        if (right - left + 1) * (bottom - top + 1) > _MOST_TILES:
            return
        level = {
            f"{zoom}/{x}/{y}": picture
            for x in range(left, right + 1)
            for y in range(top, bottom + 1)
            if (picture := read(zoom, x, y)) is not None
        }
        if level:
            begun = True
            yield zoom, level
        elif begun:
            return


def _tile(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    count = 2**zoom
    phi = math.radians(max(min(lat, 85.05), -85.05))
    y = (1 - math.asinh(math.tan(phi)) / math.pi) / 2
    x = (lon + 180) / 360
    return min(int(x * count), count - 1), min(int(y * count), count - 1)


def _reader(path: Path) -> Read:
    if path.is_dir():
        return lambda zoom, x, y: _from_folder(path, zoom, x, y)
    if path.suffix == ".mbtiles" and path.is_file():
        return _from_mbtiles(path)
    if path.suffix == ".pmtiles" and path.is_file():
        return _from_pmtiles(path)
    raise OutputError("tiles.kind", path=path)


def _from_folder(path: Path, zoom: int, x: int, y: int) -> bytes | None:
    for suffix in _SUFFIXES:
        file = path / str(zoom) / str(x) / f"{y}.{suffix}"
        if file.is_file():
            return file.read_bytes()
    return None


def _from_mbtiles(path: Path) -> Read:
    query = "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?"

    def read(zoom: int, x: int, y: int) -> bytes | None:
        try:
            row = connection.execute(query, (zoom, x, 2**zoom - 1 - y)).fetchone()
        except sqlite3.DatabaseError as error:
            reason = database_reason(str(error))
            raise OutputError("tiles.broken", path=path, reason=reason) from error
        return None if row is None else bytes(row[0])

    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    # It is closed when nobody can read from it any more.
    weakref.finalize(read, connection.close)
    return read


def _from_pmtiles(path: Path) -> Read:
    try:
        from pmtiles.reader import MemorySource, Reader  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise OutputError("tiles.pmtiles_missing", path=path) from error
    held = MemorySource(path.read_bytes())  # type: ignore[no-untyped-call]
    reader = Reader(held)  # type: ignore[no-untyped-call]

    def read(zoom: int, x: int, y: int) -> bytes | None:
        picture: bytes | None = reader.get(zoom, x, y)  # type: ignore[no-untyped-call]
        return picture

    return read


def _data_url(path: Path, picture: bytes) -> str:
    for start, kind in _KINDS.items():
        if picture.startswith(start):
            return f"data:image/{kind};base64,{base64.b64encode(picture).decode('ascii')}"
    raise OutputError("tiles.vector", path=path)
