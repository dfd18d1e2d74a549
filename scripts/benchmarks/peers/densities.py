"""The density of points on a raster: gridmap, KDEpy's FFT and scikit-learn's tree."""

from __future__ import annotations

from importlib import import_module

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from benchmarks.array_turns import Arrays, Figures, timed

__all__ = ["SYSTEMS"]

WARM = 100
Floats = npt.NDArray[np.float64]


def _grid(data: Arrays) -> tuple[Floats, Floats]:
    rows, columns = (int(size) for size in data["shape"])
    west, south, cell, _ = (float(value) for value in data["frame"])
    x: Floats = west + cell * np.arange(columns, dtype=np.float64)
    y: Floats = south + cell * np.arange(rows, dtype=np.float64)
    return x, y


def _gridmap(data: Arrays) -> tuple[Arrays, Figures]:
    kernel_density = import_module("gridmap.analysis").kernel_density
    points = gpd.GeoSeries(shapely.points(data["xy"]), crs=4549)
    width = float(data["frame"][3])
    kernel_density(points.iloc[:WARM], bandwidth_m=width)
    surface, cpu_s = timed(lambda: kernel_density(points, bandwidth_m=width))
    return {"values": surface.values}, {"cpu_s": cpu_s}


def _kdepy(data: Arrays) -> tuple[Arrays, Figures]:
    estimator = import_module("KDEpy").FFTKDE
    x, y = _grid(data)
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    width = float(data["frame"][3])

    def run(xy: Floats) -> Floats:
        found: Floats = estimator(kernel="gaussian", bw=width).fit(xy).evaluate(grid)
        return found

    run(data["xy"][:WARM])
    found, cpu_s = timed(lambda: run(data["xy"]))
    values = found.reshape(len(x), len(y)).T * len(data["xy"]) * 1e6
    return {"values": values}, {"cpu_s": cpu_s}


def _scikit_learn(data: Arrays) -> tuple[Arrays, Figures]:
    estimator = import_module("sklearn.neighbors").KernelDensity
    x, y = _grid(data)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    width = float(data["frame"][3])

    def run() -> Floats:
        tree = estimator(bandwidth=width, rtol=1e-4).fit(data["xy"])
        found: Floats = np.exp(tree.score_samples(grid))
        return found

    found, cpu_s = timed(run)
    values = found.reshape(len(y), len(x)) * len(data["xy"]) * 1e6
    return {"values": values}, {"cpu_s": cpu_s}


SYSTEMS = {"gridmap": _gridmap, "KDEpy": _kdepy, "scikit-learn": _scikit_learn}
