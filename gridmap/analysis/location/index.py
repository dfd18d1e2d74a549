"""Which polygon of a coverage a point lies in, for millions of points.

A coverage tiles: its polygons share borders and never overlap. Most places are far from a border,
and there one read of a table answers; near one, a few stored segments do; and what is closer to a
border than these can tell goes to GEOS, whose predicates are exact. See `docs/methods.md`.
"""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from gridmap.analysis.location._buckets import (
    DEEPEST,
    NEAR,
    NOWHERE,
    RIM,
    Edges,
    Made,
    Table,
    corner_areas,
    fill_blocks,
    interior_left,
    list_edges,
)
from gridmap.analysis.location._locate import locate
from gridmap.errors import ConformError, SourceError
from gridmap.summaries import Summarised

__all__ = ["NEAR", "NOWHERE", "CoverageIndex"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Shapes = npt.NDArray[np.object_]
Bools = npt.NDArray[np.bool_]

POINTS = 10_000_000
MEMORY_MB = 400.0
# A point in a block without borders is answered by one read. Blocks are at least as many as
# polygons, and more while they pay: up to so many to a polygon, to a point, and in the cache.
BLOCKS, BLOCKS_TO_A_POINT, BLOCKS_IN_CACHE = 128.0, 0.05, 300_000.0
OFFSET = 0.37  # of a block, before the first polygon: borders on round coordinates miss corners
DENSITIES = 0.25, 12.0  # cells to a segment
BYTES, BYTES_DENSE = 13.0, 8.0  # to a segment: measured, of an index without and for each cell
ULPS = 2.0**23  # of the largest coordinate, to a block
FORMAT = 1
ARRAYS = ("blocks", "cells", "words")


@dataclass(frozen=True, repr=False)
class CoverageIndex(Summarised):
    """An index over a coverage. Make one with `build` or `load`.

    Parameters
    ----------
    table : Table
        What the compiled loops read.
    margin_m : float, metres
        The largest margin that `query` takes.
    size : int
        How many polygons there are.
    wkb, ends : ndarray
        The polygons as well-known binary, one after another, and where each ends; for points
        that only exact arithmetic decides. Empty if `known` holds the polygons themselves.
    known : ndarray of Polygon or MultiPolygon
    """

    table: Table
    margin_m: float
    size: int
    wkb: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]
    known: Shapes

    @classmethod
    def build(
        cls,
        polygons: npt.ArrayLike,
        *,
        points: int = POINTS,
        memory_mb: float = MEMORY_MB,
        margin_m: float = 0.0,
    ) -> CoverageIndex:
        """Make an index.

        Parameters
        ----------
        polygons : array of Polygon or MultiPolygon, shape (m,)
            Valid, in a metric system. Gaps between them are allowed, and neighbours need not share
            vertices; empty and missing ones hold no point.
        points : int
            How many points will be asked for in all; for few, a coarser index is made sooner.
        memory_mb : float
            What the index should not exceed, in 10^6 bytes. It is coarser, and slower, for less.
        margin_m : float, metres
            The largest margin to be asked for.

        Returns
        -------
        CoverageIndex

        Raises
        ------
        ConformError
            If two polygons overlap, or one is no polygon or has coordinates that are no numbers.
        """
        shapes = np.asarray(polygons, dtype=object).ravel()
        _check(shapes)
        bounds = shapely.bounds(shapes)
        frame = _frame(bounds, margin_m, points)
        order = _along_rows(bounds, frame)
        edges, segments = _edges(shapes[order], order, frame)
        density = _density(segments, points, memory_mb)
        table, lonely = _table(edges, frame, density, len(shapes))
        _tiles(shapes, lonely)
        none = np.empty(0, dtype=np.uint8)
        return cls(table, margin_m, len(shapes), none, np.empty(0, dtype=np.int64), shapes)

    def __len__(self) -> int:
        """Return how many polygons there are."""
        return self.size

    @property
    def nbytes(self) -> int:
        """Return how many bytes the index takes, the polygons apart."""
        return sum(getattr(self.table, name).nbytes for name in ARRAYS)

    def query(
        self, x: npt.ArrayLike, y: npt.ArrayLike, *, margin_m: float | None = None, threads: int = 1
    ) -> Ints:
        """Return the polygon of each point.

        Parameters
        ----------
        x, y : array of float, shape (n,), metres
        margin_m : float, optional, metres
            If given, points closer to a border, and perhaps a few a little further off, are not
            decided.
        threads : int
            How many cores to use.

        Returns
        -------
        ndarray of int32, shape (n,)
            The position of the polygon that the point is in; of the first one, for a point on the
            border of several, as `shapely.intersects` tells; `NOWHERE` (-1) outside of all and
            for a coordinate that is no number; `NEAR` (-2) for what is not decided.

        Raises
        ------
        ValueError
            If the margin is larger than that of the index, or x and y differ in length.
        """
        xs, ys = _floats(x), _floats(y)
        if xs.shape != ys.shape or xs.ndim != 1:
            raise ValueError(f"x and y are of shapes {xs.shape} and {ys.shape}")
        margin = 0.0 if margin_m is None else margin_m
        if margin > self.margin_m:
            raise ValueError(f"the index was built for margins up to {self.margin_m} m")
        out = np.empty(len(xs), dtype=np.int32)
        blocks = margin * self.table.per_m

        def locate_some(begin: int, end: int) -> None:
            locate(self.table, xs[begin:end], ys[begin:end], blocks, out[begin:end])

        if threads > 1:
            cuts = np.linspace(0, len(xs), threads + 1).astype(np.int64)
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(locate_some, cuts[:-1], cuts[1:]))
        else:
            locate_some(0, len(xs))
        if margin_m is None:
            near = np.flatnonzero(out == NEAR)
            out[near] = self._exactly(xs[near], ys[near])
        return out

    def _exactly(self, x: Floats, y: Floats) -> Ints:
        found = np.full(len(x), NOWHERE, dtype=np.int32)
        if len(x):
            point, polygon = self._tree.query(shapely.points(x, y), predicate="intersects")
            order = np.lexsort((-polygon, point))
            found[point[order]] = polygon[order]
        return found

    @cached_property
    def _tree(self) -> shapely.STRtree:
        if len(self.known) == self.size:
            return shapely.STRtree(self.known)
        begin = np.concatenate([[0], self.ends[:-1]])
        raw = self.wkb.tobytes()
        parts = [raw[a:b] or None for a, b in zip(begin, self.ends, strict=True)]
        return shapely.STRtree(shapely.from_wkb(np.array(parts, dtype=object)))

    def save(self, folder: Path) -> None:
        """Write the index into a folder, which must not exist yet.

        Raises
        ------
        OSError
            If it does, or cannot be written.
        """
        wkb, ends = self.wkb, self.ends
        if len(self.known) == self.size:
            parts = [part or b"" for part in shapely.to_wkb(self.known)]
            ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
            wkb = np.frombuffer(b"".join(parts), dtype=np.uint8)
        folder.mkdir(parents=True)
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self.table, name))
        np.save(folder / "wkb.npy", wkb)
        np.save(folder / "ends.npy", ends)
        numbers = {
            name: value
            for name, value in self.table._asdict().items()
            if isinstance(value, int | float)
        }
        about = {"format": FORMAT, "margin_m": self.margin_m, "size": self.size, **numbers}
        (folder / "index.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> CoverageIndex:
        """Open a saved index; its arrays stay on the disk, and processes share them.

        Raises
        ------
        SourceError
            If there is none, or one of another version.
        """
        about = folder / "index.json"
        if not about.is_file():
            raise SourceError("index.missing", path=str(folder))
        told = json.loads(about.read_text(encoding="utf-8"))
        if told.pop("format") != FORMAT:
            raise SourceError("index.version", path=str(folder))
        arrays = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r")
            for name in (*ARRAYS, "wkb", "ends")
        }
        wkb, ends = arrays.pop("wkb"), arrays.pop("ends")
        margin_m, size = told.pop("margin_m"), told.pop("size")
        none = np.empty(0, dtype=object)
        return cls(Table(**told, **arrays), margin_m, size, wkb, ends, none)


@dataclass(frozen=True)
class _Frame:
    """How the plane is cut into blocks."""

    x: float
    y: float
    block_m: float
    columns: int
    rows: int
    deepest: int


def _floats(values: npt.ArrayLike) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def _check(shapes: Shapes) -> None:
    kinds = shapely.get_type_id(shapes)
    polygonal = np.isin(kinds, (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON))
    wrong = np.flatnonzero(~polygonal & (kinds >= 0) & ~shapely.is_empty(shapes))
    if len(wrong):
        kind = shapely.GeometryType(int(kinds[wrong[0]])).name
        raise ConformError("index.kind", row=int(wrong[0]), kind=kind)


def _frame(bounds: Floats, margin_m: float, points: int) -> _Frame:
    known = bounds[~np.isnan(bounds[:, 0])]
    if len(known) == 0:
        return _Frame(0.0, 0.0, 1.0, 1, 1, 0)
    if not np.isfinite(known).all():
        row = int(np.flatnonzero(np.isinf(bounds).any(axis=1))[0])
        raise ConformError("index.infinite", row=row)
    (left, bottom), (right, top) = known[:, :2].min(axis=0), known[:, 2:].max(axis=0)
    wide, high = max(right - left, 1e-9), max(top - bottom, 1e-9)
    worth = min(BLOCKS * len(known), BLOCKS_TO_A_POINT * points, BLOCKS_IN_CACHE)
    wanted = max(float(len(known)), worth)
    block = math.sqrt(wide * high / wanted)
    # A long and thin frame shall not have a million columns of one row.
    block = max(block, max(wide, high) / (4.0 * wanted), margin_m / RIM)
    block = max(block, ULPS * float(np.spacing(np.abs(known).max())))
    deepest = DEEPEST
    while deepest and block * 0.5**deepest * RIM <= margin_m:
        deepest -= 1
    return _Frame(
        left - OFFSET * block,
        bottom - OFFSET * block,
        block,
        int(wide / block + OFFSET) + 2,
        int(high / block + OFFSET) + 2,
        deepest,
    )


def _along_rows(bounds: Floats, frame: _Frame) -> npt.NDArray[np.int64]:
    """Return the polygons that have an extent, by rows of blocks, so that neighbours are near."""
    known = np.flatnonzero(~np.isnan(bounds[:, 0]))
    row = np.floor((bounds[known, 1] - frame.y) / (4.0 * frame.block_m))
    return known[np.lexsort((bounds[known, 0], row))]


def _edges(shapes: Shapes, order: npt.NDArray[np.int64], frame: _Frame) -> tuple[Edges, int]:
    """Return the rings of polygons in blocks, and how many segments they have."""
    whole = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
    whole[whole] = shapely.get_num_interior_rings(shapes[whole]) == 0
    parts, part_of = shapely.get_parts(shapes[~whole], return_index=True)
    rings, ring_of = shapely.get_rings(parts, return_index=True)
    hole = np.zeros(int(whole.sum()) + len(rings), dtype=bool)
    hole[int(whole.sum()) + 1 :] = ring_of[1:] == ring_of[:-1]
    area = np.concatenate([order[whole], order[~whole][part_of[ring_of]]])
    lines = np.concatenate([shapes[whole], rings])
    xy, ring = shapely.get_coordinates(lines, return_index=True)
    starts = np.zeros(len(lines) + 1, dtype=np.int64)
    np.cumsum(np.bincount(ring, minlength=len(lines)), out=starts[1:])
    x = (xy[:, 0] - frame.x) * (1.0 / frame.block_m)
    y = (xy[:, 1] - frame.y) * (1.0 / frame.block_m)
    left = np.empty(len(lines), dtype=np.bool_)
    interior_left(x, y, starts, hole, left)
    return Edges(x, y, starts, (area + 1).astype(np.int32), left), len(xy) - len(lines)


def _density(segments: int, points: int, memory_mb: float) -> float:
    """Return how many cells to make for each segment."""
    fits = (1e6 * memory_mb / max(segments, 1) - BYTES) / BYTES_DENSE
    least, most = DENSITIES
    return float(min(max(min(fits, 2.0 * points / max(segments, 1)), least), most))


def _table(edges: Edges, frame: _Frame, density: float, size: int) -> tuple[Table, Bools]:
    """Return the table, and which polygons have a border that no other has on its other side."""
    count = frame.columns * frame.rows
    none = np.empty(0, dtype=np.int32)
    starts = np.zeros(count + 1, dtype=np.int64)
    list_edges(edges, frame.columns, frame.rows, starts[1:], none, none)
    np.cumsum(starts, out=starts)
    segment = np.empty(starts[-1], dtype=np.int32)
    owner = np.empty(starts[-1], dtype=np.int32)
    list_edges(edges, frame.columns, frame.rows, starts[:-1].copy(), segment, owner)
    corner = np.zeros(count, dtype=np.int32)
    corner_areas(edges, frame.columns, frame.rows, corner)
    made, lonely = Made(0, 0, 0), np.zeros(size, dtype=np.bool_)
    room = int(len(segment) * density) + 4 ** (frame.deepest + 1)
    table = Table(
        frame.x, frame.y, 1.0 / frame.block_m, frame.columns, frame.rows,
        np.zeros(count + 1, dtype=np.int64), np.empty(room, dtype=np.int32),
        np.empty(6 * room, dtype=np.int32),
    )  # fmt: skip
    while True:
        made = fill_blocks(
            edges, frame.columns, starts, segment, owner, corner, density, frame.deepest, table,
            made, lonely,
        )  # fmt: skip
        # What lies beyond was never touched, so that it takes no memory.
        cells, words = table.cells[: made.cells], table.words[: made.words]
        if made.block == count:
            return table._replace(cells=cells, words=words), lonely
        table = table._replace(cells=_longer(cells), words=_longer(words))


def _longer(values: Ints) -> Ints:
    longer = np.empty(2 * len(values) + 16 * 4**DEEPEST, dtype=np.int32)
    longer[: len(values)] = values
    return longer


def _tiles(shapes: Shapes, lonely: Bools) -> None:
    """Refuse polygons that overlap.

    Where two overlap, there is a border that does not have exactly one polygon on either side:
    a sheet of polygons that lies over another one ends somewhere.
    """
    alone = np.flatnonzero(lonely)
    if len(alone) == 0:
        return
    one, other = shapely.STRtree(shapes).query(shapes[alone])
    one = alone[one]
    once = (one != other) & ((one < other) | ~lonely[other])
    one, other = one[once], other[once]
    clash = np.flatnonzero(shapely.relate_pattern(shapes[one], shapes[other], "T********"))
    if len(clash):
        first = clash[0]
        raise ConformError(
            "index.overlap", one=int(one[first]), other=int(other[first]), pairs=len(clash)
        )
