"""Gi* with 999 permutations: gridmap against esda."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np

from benchmarks.array_turns import Arrays, Runner, array_turns, told
from benchmarks.coverages import make_coverage
from benchmarks.lines import Line, Options
from benchmarks.names import short
from gridmap.analysis import queen

__all__ = ["run"]

BENCH = "gi"
POLYGONS = (20_000, 200_000)
EXACT = 1e-10
# Five standard deviations of the difference of two shares of 999, at most 0.5 each.
CHANCE = 5 * (2 * 0.25 / 999) ** 0.5
LIMIT_S = 1800.0


def run(options: Options) -> Iterator[Line]:
    """Yield CPU seconds, warm and from a cold start, and how many times as long esda takes."""
    for size in (options.size,) if options.size else POLYGONS:
        data = _city(size, options.seeds[0])
        runners = [Runner("gridmap", "", "statistics", "gridmap_gi", "gridmap-analytics")]
        if options.peers:
            runners.append(Runner("esda", "n_jobs=1", "statistics", "esda", "esda"))
        runners = [one for one in runners if not options.only or one.system in options.only]
        case = f"{short(size)} polygons, 999 permutations"
        with tempfile.TemporaryDirectory() as name:
            array_turns(
                data,
                runners,
                Path(name),
                runs=options.runs,
                judge=_close,
                limit_s=LIMIT_S,
                peer_python=options.peer_python,
            )
        yield from told(runners, BENCH, case, {"cpu_s": "ratio"})


def _city(size: int, random_state: int) -> Arrays:
    """Return rates of areas that cluster, and who is next to whom.

    No two are equal: esda adds in another order for the draws than for what is observed, so that
    rounding decides its ties.
    """
    rng = np.random.default_rng(random_state)
    weights = queen(gpd.GeoSeries(make_coverage(size, random_state=random_state)))
    noise = rng.gamma(2.0, 3.0, weights.shape[0])
    row, column = weights.nonzero()
    return {"values": noise + 0.1 * (weights @ noise), "row": row, "column": column}


def _close(one: Arrays, other: Arrays) -> bool:
    near = np.abs(one["z"] - other["z"]).max() <= EXACT
    return bool(near and np.nanmax(np.abs(one["p"] - other["p"])) <= CHANCE)
