"""How many points the coverage index answers otherwise than shapely: it must be none."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
import shapely

from benchmarks.coverages import make_coverage, make_points
from benchmarks.lines import Line, Options, figure, note
from benchmarks.names import short
from gridmap.analysis.location.index import CoverageIndex

__all__ = ["run"]

BENCH = "exact"
RANDOM, HARD = 100_000_000, 1_000_000
POLYGONS = 20_000
CHUNK = 1_000_000

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]


def run(options: Options) -> Iterator[Line]:
    """Yield the number of differences over random points and over points at borders."""
    seed = options.seeds[0]
    coverage = make_coverage(POLYGONS, random_state=seed)
    squares = np.asarray(
        [shapely.box(500_000 + 50 * i, 3_400_000 + 50 * j, 500_050 + 50 * i, 3_400_050 + 50 * j)
         for i in range(100) for j in range(100)]
    )  # fmt: skip
    far = shapely.transform(coverage[:2000], lambda xy: xy + 1e9)
    random, hard = options.size or RANDOM, min(HARD, options.size or HARD)
    yield _line("jagged, random points", coverage, _random(random, seed))
    for name, polygons in (("jagged", coverage), ("squares", squares), ("at 10^9 m", far)):
        yield _line(f"{name}, points at borders", polygons, _hard(polygons, hard, seed))


def _line(name: str, polygons: Shapes, chunks: Iterator[tuple[Floats, Floats]]) -> Line:
    index = CoverageIndex.build(polygons)
    count = differ = 0
    for x, y in chunks:
        differ += int((index.query(x, y) != _by_shapely(polygons, x, y)).sum())
        count += len(x)
        note(f"{name}: {short(count)} points, {differ} differ")
    head = Line(
        BENCH, f"{name}, {short(count)}", "gridmap", "", version("gridmap-analytics"), "",
        None, None, None, 0, agrees=differ == 0,
    )  # fmt: skip
    return figure(head, "differences", [float(differ)])


def _by_shapely(polygons: Shapes, x: Floats, y: Floats) -> npt.NDArray[np.int64]:
    polygon, point = shapely.STRtree(np.asarray(shapely.points(x, y))).query(
        polygons, predicate="intersects"
    )
    found = np.full(len(x), -1, dtype=np.int64)
    order = np.argsort(-polygon, kind="stable")
    found[point[order]] = polygon[order]
    return found


def _random(count: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    for begin in range(0, count, CHUNK):
        yield make_points(min(CHUNK, count - begin), random_state=seed + begin)


def _hard(polygons: Shapes, count: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield vertices, points on borders, and points beside them at every distance."""
    rng = np.random.default_rng(seed)
    xy, owner = shapely.get_coordinates(polygons, return_index=True)
    begin = rng.integers(0, len(xy) - 1, count)
    begin = begin[owner[begin] == owner[begin + 1]]
    kind = rng.integers(0, 5, len(begin))[:, None]
    one, other = xy[begin], xy[begin + 1]
    on = one + (other - one) * rng.random((len(begin), 1))
    beside = on + rng.normal(size=on.shape) * 10.0 ** -rng.integers(-1, 12, (len(on), 1))
    nudged = on + np.spacing(on) * rng.integers(-2, 3, on.shape)
    level = np.column_stack([on[:, 0] + rng.normal(0, 50, len(on)), one[:, 1]])
    chosen = np.choose(kind, [one, on, beside, nudged, level])
    for first in range(0, len(chosen), CHUNK):
        yield chosen[first : first + CHUNK, 0], chosen[first : first + CHUNK, 1]
