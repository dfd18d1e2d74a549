"""Reads what a packed layer holds, apart from the code that wrote it and the one that draws it."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["Unpacked", "spots", "unpack", "varints", "zigzag"]

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
            degrees = [np.array(ring) * step + low for ring in rings]
            if self.config["kind"] == "lines":
                found.append(shapely.MultiLineString(degrees) if degrees else None)
                continue
            parts: list[list[Any]] = []
            for thin in degrees:
                ring = np.concatenate([thin, *[thin[-1:]] * max(4 - len(thin), 0)])
                if parts and not shapely.is_ccw(shapely.linearrings(ring)):
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


def unpack(element: Any) -> Unpacked:
    """Read the data of an element."""
    raw = zlib.decompress(base64.b64decode(element._data))
    streams, at = {}, 0
    for name, size in element._config["streams"]:
        streams[name] = raw[at : at + size]
        at += size
    assert at == len(raw)
    return Unpacked(json.loads(json.dumps(element._config)), streams)


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
