"""Density surfaces: gridmap against the FFT of KDEpy and the tree of scikit-learn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from benchmarks.array_turns import Arrays, Runner, array_turns, told
from benchmarks.lines import Line, Options, figure
from benchmarks.names import short
from gridmap.analysis import kernel_density

__all__ = ["run"]

BENCH = "kde"
POINTS = (10_000, 1_000_000)
MOST_FOR_TREES = 20_000
BANDWIDTH_M = 250.0
# KDEpy cuts its kernel off and keeps about 96 per cent of the mass; exact sums come closer.
CLOSE = 0.05
LIMIT_S = 900.0


def run(options: Options) -> Iterator[Line]:
    """Yield CPU seconds, how many times as long each peer takes, and how far answers differ."""
    for size in (options.size,) if options.size else POINTS:
        data = _points(size, options.seeds[0])
        runners = [Runner("gridmap", "", "densities", "gridmap", "gridmap-analytics")]
        if options.peers:
            runners.append(Runner("KDEpy", "FFTKDE", "densities", "KDEpy", "KDEpy"))
            if size <= MOST_FOR_TREES:
                runners.append(
                    Runner("scikit-learn", "KernelDensity", "densities", "scikit-learn",
                           "scikit-learn")
                )  # fmt: skip
        runners = [one for one in runners if not options.only or one.system in options.only]
        rows, columns = data["shape"].tolist()
        case = f"{short(size)} points, {columns} x {rows} cells"
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
        yield from _differences(data, runners, case)


def _points(size: int, random_state: int) -> Arrays:
    """Return clustered points of a city, with the raster that gridmap makes of them."""
    rng = np.random.default_rng(random_state)
    centre = rng.normal([500_000.0, 3_400_000.0], 6000.0, (60, 2))
    of = rng.integers(0, 60, size)
    xy = centre[of] + rng.normal(size=(size, 2)) * rng.uniform(200, 2000, 60)[of, None]
    surface = kernel_density(gpd.GeoSeries(shapely.points(xy), crs=4549), bandwidth_m=BANDWIDTH_M)
    frame = [surface.west, surface.south, surface.cell_m, surface.bandwidth_m]
    return {"xy": xy, "shape": np.array(surface.values.shape), "frame": np.array(frame)}


def _difference(one: Arrays, other: Arrays) -> float:
    """Return the largest difference as a share of the peak."""
    return float(np.abs(one["values"] - other["values"]).max() / one["values"].max())


def _close(one: Arrays, other: Arrays) -> bool:
    return _difference(one, other) < CLOSE


def _differences(data: Arrays, runners: list[Runner], case: str) -> Iterator[Line]:
    """Yield how far each system is from the plain sum of kernels, per cent of the peak."""
    exact = {"values": _direct(data)}
    for runner in runners:
        if not runner.error:
            head = next(iter(told([runner], BENCH, case, {})))
            yield figure(head, "error_pct", [100.0 * _difference(exact, runner.answer)])


def _direct(data: Arrays) -> npt.NDArray[np.float64]:
    """Return the sum of kernels at the centre of every cell."""
    rows, columns = (int(size) for size in data["shape"])
    west, south, cell, width = (float(value) for value in data["frame"])
    found = np.zeros((rows, columns))
    for xy in np.array_split(data["xy"], max(len(data["xy"]) // 2000, 1)):
        across = np.exp(-0.5 * ((west + cell * np.arange(columns) - xy[:, :1]) / width) ** 2)
        up = np.exp(-0.5 * ((south + cell * np.arange(rows) - xy[:, 1:]) / width) ** 2)
        found += up.T @ across
    return found / (2.0 * np.pi * width**2) * 1e6
