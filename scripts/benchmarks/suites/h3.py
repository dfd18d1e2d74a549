"""Points to H3 cells: gridmap against h3ronpy, and against h3 itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyproj

from benchmarks.array_turns import Arrays, Runner, array_turns, told
from benchmarks.lines import Line, Options
from benchmarks.names import short

__all__ = ["run"]

BENCH = "h3"
POINTS = 10_000_000
RESOLUTIONS = (9, 12)
METRIC = 4549
LIMIT_S = 900.0
OWN = (
    Runner("gridmap", "degrees", "h3_cells", "degrees", "gridmap-analytics"),
    Runner("gridmap", "metres", "h3_cells", "metres", "gridmap-analytics"),
)
PEERS = (
    Runner("h3ronpy", "", "h3_cells", "h3ronpy", "h3ronpy"),
    Runner("h3", "point by point", "h3_cells", "h3", "h3"),
)


def run(options: Options) -> Iterator[Line]:
    """Yield CPU seconds for cells and for counts, and how many times as long each peer takes."""
    size = options.size or POINTS
    for resolution in RESOLUTIONS:
        data = _points(size, resolution, options.seeds[0])
        chosen = OWN + (PEERS if options.peers else ())
        runners = [
            Runner(one.system, one.variant, one.module, one.name, one.package)
            for one in chosen
            if not options.only or one.system in options.only
        ]
        case = f"{short(size)} points of a city, resolution {resolution}"
        with tempfile.TemporaryDirectory() as name:
            array_turns(
                data,
                runners,
                Path(name),
                runs=options.runs,
                judge=_same,
                limit_s=LIMIT_S,
                peer_python=options.peer_python,
            )
        yield from told(runners, BENCH, case, {"counts_s": "ratio", "cpu_s": "ratio_cells"})


def _points(size: int, resolution: int, random_state: int) -> Arrays:
    """Return clustered points of a city 40 km across, in random order."""
    rng = np.random.default_rng(random_state)
    centre = rng.normal([30.8, 121.0], [0.08, 0.09], (200, 2))
    spread = rng.uniform(0.002, 0.03, 200)
    of = rng.integers(0, 200, size)
    lat, lng = (centre[of] + rng.normal(size=(size, 2)) * spread[of, None]).T
    x, y = pyproj.Transformer.from_crs(4326, METRIC, always_xy=True).transform(lng, lat)
    return {"lat": lat, "lng": lng, "x": x, "y": y, "resolution": np.array(resolution)}


def _same(one: Arrays, other: Arrays) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in ("cells", "code", "count"))
