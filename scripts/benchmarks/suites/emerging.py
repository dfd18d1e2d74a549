"""Trends and emerging hot spots: gridmap against pymannkendall."""

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

BENCH = "emerging"
SERIES = 10_000
WEEKS = (12, 52)
POLYGONS = (20_000, 200_000)
LIMIT_S = 900.0


def run(options: Options) -> Iterator[Line]:
    """Yield CPU seconds of trends with how many times as long the peer takes, and of the whole."""
    for weeks in WEEKS:
        yield from _trends(options, weeks)
    for size in (options.size,) if options.size else POLYGONS:
        yield from _whole(options, size)


def _trends(options: Options, weeks: int) -> Iterator[Line]:
    rng = np.random.default_rng(options.seeds[0])
    series = rng.normal(size=(SERIES, weeks))
    # Half of them have ties, for which the variance is corrected.
    series[::2] = np.rint(series[::2])
    runners = [Runner("gridmap", "", "statistics", "gridmap_trend", "gridmap-analytics")]
    if options.peers:
        runners.append(
            Runner("pymannkendall", "original_test", "statistics", "pymannkendall",
                   "pymannkendall")
        )  # fmt: skip
    runners = [one for one in runners if not options.only or one.system in options.only]
    case = f"Mann-Kendall, {short(SERIES)} series of {weeks}"
    with tempfile.TemporaryDirectory() as name:
        array_turns(
            {"series": series}, runners, Path(name), runs=options.runs, judge=_close,
            limit_s=LIMIT_S, peer_python=options.peer_python,
        )  # fmt: skip
    yield from told(runners, BENCH, case, {"cpu_s": "ratio"})


def _whole(options: Options, size: int) -> Iterator[Line]:
    rng = np.random.default_rng(options.seeds[0])
    weights = queen(gpd.GeoSeries(make_coverage(size, random_state=options.seeds[0])))
    row, column = weights.nonzero()
    counts = rng.poisson(2.0, (weights.shape[0], WEEKS[-1]))
    runners = [Runner("gridmap", "", "statistics", "gridmap_emerging", "gridmap-analytics")]
    with tempfile.TemporaryDirectory() as name:
        array_turns(
            {"counts": counts, "row": row, "column": column}, runners, Path(name),
            runs=options.runs, judge=_same, limit_s=LIMIT_S, peer_python=options.peer_python,
        )  # fmt: skip
    case = f"{short(size)} polygons, {WEEKS[-1]} weeks"
    yield from told(runners, BENCH, case, {})


def _close(one: Arrays, other: Arrays) -> bool:
    return all(np.allclose(one[name], other[name], rtol=0, atol=1e-12) for name in one)


def _same(one: Arrays, other: Arrays) -> bool:
    return np.array_equal(one["pattern"], other["pattern"])
