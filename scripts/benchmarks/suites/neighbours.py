"""Who is next to whom on a coverage: gridmap against libpysal and the tree of shapely."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely

from benchmarks.array_turns import Arrays, Runner, array_turns, told
from benchmarks.coverages import make_coverage
from benchmarks.lines import Line, Options
from benchmarks.names import short

__all__ = ["run"]

BENCH = "neighbours"
POLYGONS = (20_000, 200_000)
LIMIT_S = 900.0


def run(options: Options) -> Iterator[Line]:
    """Yield CPU seconds for queen and rook, and how many times as long each peer takes."""
    for size in (options.size,) if options.size else POLYGONS:
        shapes = make_coverage(size, random_state=options.seeds[0])
        xy, ring = shapely.get_coordinates(shapes, return_index=True)
        vertices = round(len(xy) / len(shapes))
        runners = [Runner("gridmap", "", "statistics", "gridmap_neighbours", "gridmap-analytics")]
        if options.peers:
            runners.append(Runner("libpysal", "", "statistics", "libpysal", "libpysal"))
            runners.append(
                Runner("shapely", "STRtree, intersects", "statistics", "tree", "shapely")
            )
        runners = [one for one in runners if not options.only or one.system in options.only]
        case = f"{short(size)} polygons of {vertices} vertices"
        with tempfile.TemporaryDirectory() as name:
            array_turns(
                {"xy": xy, "ring": ring}, runners, Path(name), runs=options.runs, judge=_same,
                limit_s=LIMIT_S, peer_python=options.peer_python,
            )  # fmt: skip
        libpysal = [one for one in runners if one.system != "shapely"]
        yield from told(libpysal, BENCH, case, {"queen_s": "ratio", "rook_s": "ratio_rook"})
        trees = [one for one in runners if one.system == "shapely"]
        if trees:
            lines = told([runners[0], *trees], BENCH, case, {"queen_s": "ratio"})
            yield from (line for line in lines if line.system == "shapely")


def _same(one: Arrays, other: Arrays) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one.keys() & other.keys())
