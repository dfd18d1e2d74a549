"""What the defaults cost: exact Gi*, by counts and by exposure, and the space-time scan."""

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

BENCH = "findings"
UNITS = 200_000
GRIDS, DAYS, CASES = 2_316, 365, 104_000
LIMIT_S = 1800.0


def run(options: Options) -> Iterator[Line]:
    """Yield CPU seconds, those of hot spots beside 999 permutations of the same counts."""
    yield from _hotspots(options, options.size or UNITS)
    yield from _scan(options)


def _hotspots(options: Options, size: int) -> Iterator[Line]:
    rng = np.random.default_rng(options.seeds[0])
    weights = queen(gpd.GeoSeries(make_coverage(size, random_state=options.seeds[0])))
    row, column = weights.nonzero()
    exposure = rng.gamma(2.0, 25.0, weights.shape[0])
    counts = rng.poisson(exposure * rng.gamma(4.0, 0.01, weights.shape[0]))
    data: Arrays = {"counts": counts, "exposure": exposure, "row": row, "column": column}
    runners = [
        Runner("gridmap", variant, "statistics", name, "gridmap-analytics")
        for variant, name in (
            ("999 permutations", "gridmap_permuted"),
            ("exact, counts", "gridmap_exact"),
            ("exact, by exposure", "gridmap_exposed"),
        )
    ]
    yield from _in_turns(options, data, runners, f"{short(size)} polygons", {"cpu_s": "ratio"})


def _scan(options: Options) -> Iterator[Line]:
    rng = np.random.default_rng(options.seeds[0])
    side = int(np.ceil(GRIDS**0.5))
    at = np.array([(x, y) for x in range(side) for y in range(side)], float)[:GRIDS] * 300.0
    share = rng.gamma(1.0, 1.0, GRIDS)
    counts = rng.poisson(CASES * share[:, None] / share.sum() / DAYS, (GRIDS, DAYS))
    data: Arrays = {"counts": counts, "xy": at, "exposure": share}
    runners = [
        Runner("gridmap", model, "statistics", f"gridmap_scan_{model}", "gridmap-analytics")
        for model in ("permutation", "poisson")
    ]
    case = f"scan, {short(GRIDS)} grids, {DAYS} days, {short(int(counts.sum()))} cases"
    yield from _in_turns(options, data, runners, case, {})


def _in_turns(
    options: Options, data: Arrays, runners: list[Runner], case: str, ratios: dict[str, str]
) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as name:
        array_turns(
            data, runners, Path(name), runs=options.runs, judge=_same, limit_s=LIMIT_S,
            peer_python=options.peer_python,
        )  # fmt: skip
    yield from told(runners, BENCH, case, ratios)


def _same(one: Arrays, other: Arrays) -> bool:
    """Compare what all of a case answer alike: z of counts, and how many units there are."""
    return all(len(one[name]) == len(other[name]) for name in one)
