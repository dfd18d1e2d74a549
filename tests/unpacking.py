"""A reader of packed layers by docs/packed.md, apart from what writes them and what draws them."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["Unpacked", "read", "spots", "unpack", "varints", "zigzag"]

Int64 = npt.NDArray[np.int64]


@dataclass
class Unpacked:
    """Arcs and uses on the lattice, and the columns."""

    config: dict[str, Any]
    streams: dict[str, bytes]

    def __post_init__(self) -> None:
        if self.config["kind"] == "points":
            return
        self.rings = varints(self.streams["rings"])
        self.uses = varints(self.streams["uses"])
        self.rows = np.cumsum(zigzag(varints(self.streams["row"])))
        self.sizes = varints(self.streams["size"]) + 2
        self.x = np.cumsum(zigzag(varints(self.streams["x"])))
        self.y = np.cumsum(zigzag(varints(self.streams["y"])))
        packed = np.frombuffer(self.streams["level"], dtype=np.uint8)
        self.levels = ((packed[:, None] >> (0, 2, 4, 6)) & 3).ravel()[: len(self.x)]
        self.ends = np.cumsum(self.sizes)
        self.arcs, newest = [], -1
        for code in varints(self.streams["use"]).tolist():
            arc = newest + 1 - (code >> 1) if code >> 1 else newest + 1
            newest = max(newest, arc)
            self.arcs.append((arc, bool(code & 1)))

    def rings_of(self, level: int = 0) -> list[list[list[tuple[int, int]]]]:
        """Return the closed rings (or lines) of each feature at a level, on the lattice."""
        features, ring, use = [], 0, 0
        for count in self.rings:
            found = []
            for _ in range(count):
                places: list[tuple[int, int]] = []
                for arc, backwards in self.arcs[use : use + self.uses[ring]]:
                    kept = np.arange(self.ends[arc] - self.sizes[arc], self.ends[arc])
                    kept = kept[self.levels[kept] >= level]
                    run = [*zip(self.x[kept].tolist(), self.y[kept].tolist(), strict=True)]
                    run = run[::-1] if backwards else run
                    assert not places or places[-1] == run[0]
                    places += run[1:] if places else run
                use += self.uses[ring]
                ring += 1
                found.append(places)
            features.append(found)
        return features

    def geometries(self, level: int = 0) -> list[shapely.Geometry | None]:
        """Return the features in degrees; polygons by the order of their rings."""
        grid = self.config["lattice"]
        low, step = (grid["west"], grid["south"]), (grid["step_x"], grid["step_y"])
        found: list[shapely.Geometry | None] = []
        for rings in self.rings_of(level):
            if self.config["kind"] == "lines":
                lines = [np.array(line) * step + low for line in rings]
                found.append(shapely.MultiLineString(lines) if lines else None)
                continue
            parts: list[list[Any]] = []
            for places in rings:
                closed = places + places[-1:] * (4 - len(places))
                ring = np.array(closed) * step + low
                if parts and _area(places) < 0:
                    parts[-1].append(ring)
                else:
                    parts.append([ring])
            polygons = [shapely.Polygon(part[0], part[1:]) for part in parts]
            found.append(shapely.MultiPolygon(polygons) if polygons else None)
        return found

    def column(self, name: str) -> list[Any]:
        """Return the values of a column."""
        names = [field["name"] for field in self.config["fields"]]
        index = names.index(name)
        how = self.config["columns"][index]
        held = self.streams.get(f"{index}.values", b"")
        letters = self.streams.get(f"{index}.letters", b"")
        if how["kind"] == "json":
            return list(how["values"])
        if how["kind"] == "float":
            bytes_ = np.frombuffer(held, dtype=np.uint8).reshape(8, -1).T.copy()
            return [None if np.isnan(number) else number for number in bytes_.view("<f8")[:, 0]]
        codes = varints(held)
        stored = (np.cumsum(zigzag(codes)) if how.get("delta") else codes).tolist()
        if how["kind"] == "dictionary":
            words = json.loads(letters)
            return [words[code - 1] if code else None for code in stored]
        if how["kind"] == "text":
            texts, at = [], 0
            for size in stored:
                texts.append(letters[at : at + size - 1].decode() if size else None)
                at += max(size - 1, 0)
            return texts
        return [_integer(how, code) if code else None for code in stored]


def _area(ring: list[tuple[int, int]]) -> int:
    """Return twice the area of a closed ring, negative where it runs clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))


def _integer(how: dict[str, Any], code: int) -> Any:
    value = (how["base"] + how["step"] * (code - 1)) / how["scale"]
    if how["kind"] == "boolean":
        return value > 0
    return f"{int(value):0{how['width']}}" if how["kind"] == "digits" else value


def varints(stream: bytes) -> Int64:
    """Read LEB128."""
    values, value, shift = [], 0, 0
    for byte in stream:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value, shift = 0, 0
    return np.array(values, dtype=np.int64)


def zigzag(values: Int64) -> Int64:
    """Return 0, -1, 1, -2, ... for 0, 1, 2, 3, ..."""
    return (values >> 1) ^ -(values & 1)


def read(config: dict[str, Any], data: str) -> Unpacked:
    """Read the object and the text that a page holds of a layer."""
    assert config["version"] == 1
    raw = zlib.decompress(base64.b64decode(data, validate=True))
    streams, at = {}, 0
    for name, size in config["streams"]:
        streams[name] = raw[at : at + size]
        at += size
    assert at == len(raw)
    return Unpacked(config, streams)


def unpack(element: Any) -> Unpacked:
    """Read the data of an element."""
    return read(json.loads(json.dumps(element._config)), element._data)


def spots(unpacked: Unpacked) -> npt.NDArray[np.float64]:
    """Return the places of packed points in degrees, in the order of the rows; NaN without one."""
    grid = unpacked.config["lattice"]
    x = np.cumsum(zigzag(varints(unpacked.streams["x"])))
    y = np.cumsum(zigzag(varints(unpacked.streams["y"])))
    count = unpacked.config["count"]
    rows = np.arange(count)
    if "row" in unpacked.streams:
        rows = np.cumsum(zigzag(varints(unpacked.streams["row"])))
    places = np.full((count, 2), np.nan)
    places[rows[: len(x)], 0] = grid["west"] + x * grid["step_x"]
    places[rows[: len(x)], 1] = grid["south"] + y * grid["step_y"]
    return places
