"""Neighbours, Gi* and trends: gridmap, PySAL, the tree of shapely, pymannkendall."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely

from benchmarks.array_turns import Arrays, Figures, timed
from benchmarks.cost import cpu_s

__all__ = ["SYSTEMS"]

WARM = 200
PERMUTATIONS = 999


def _shapes(data: Arrays) -> Any:
    return np.asarray(shapely.polygons(shapely.linearrings(data["xy"], indices=data["ring"])))


def _pairs(row: Any, column: Any, name: str) -> Arrays:
    order = np.lexsort((column, row))
    return {f"{name}_row": np.asarray(row)[order], f"{name}_column": np.asarray(column)[order]}


def _gridmap_neighbours(data: Arrays) -> tuple[Arrays, Figures]:
    analysis = import_module("gridmap.analysis")
    shapes = gpd.GeoSeries(_shapes(data))
    answer: Arrays = {}
    figures: Figures = {}
    for name in ("queen", "rook"):
        build = getattr(analysis, name)
        build(shapes[:WARM])
        found, figures[f"{name}_s"] = timed(partial(build, shapes))
        links = found.tocoo()
        answer |= _pairs(links.row, links.col, name)
    return answer, figures


def _libpysal(data: Arrays) -> tuple[Arrays, Figures]:
    graph = import_module("libpysal.graph").Graph
    shapes = gpd.GeoSeries(_shapes(data))
    answer: Arrays = {}
    figures: Figures = {}
    for name in ("queen", "rook"):
        is_rook = name == "rook"
        graph.build_contiguity(shapes[:WARM], rook=is_rook)
        found, figures[f"{name}_s"] = timed(partial(graph.build_contiguity, shapes, rook=is_rook))
        links = found.sparse.tocoo()
        apart = links.row != links.col  # an isolate is there as a link to itself of weight 0
        answer |= _pairs(links.row[apart], links.col[apart], name)
    return answer, figures


def _tree(data: Arrays) -> tuple[Arrays, Figures]:
    shapes = _shapes(data)

    def queen() -> Any:
        row, column = shapely.STRtree(shapes).query(shapes, predicate="intersects")
        apart = row != column
        return sp.csr_array(
            (np.ones(apart.sum()), (row[apart], column[apart])), shape=(len(shapes),) * 2
        )

    found, queen_s = timed(queen)
    links = found.tocoo()
    return _pairs(links.row, links.col, "queen"), {"queen_s": queen_s}


def _gridmap_gi(data: Arrays) -> tuple[Arrays, Figures]:
    began = cpu_s()
    hotspots = import_module("gridmap.analysis").hotspots
    values = pd.Series(data["values"])
    size = len(values)
    weights = sp.csr_array((np.ones(len(data["row"])), (data["row"], data["column"])), (size, size))
    hotspots(values, weights, permutations=PERMUTATIONS)
    cold_s = cpu_s() - began
    found, cpu = timed(lambda: hotspots(values, weights, permutations=PERMUTATIONS))
    # Of one side, as esda has it.
    answer = {"z": found["z"].to_numpy(), "p": _with_neighbours(data, found["p_sim"] / 2.0)}
    return answer, {"cpu_s": cpu, "cold_s": cold_s}


def _with_neighbours(data: Arrays, p: Any) -> Any:
    """Leave out units without neighbours: esda gives them the least p that there is."""
    return np.where(np.isin(np.arange(len(p)), data["row"]), p, np.nan)


def _esda(data: Arrays) -> tuple[Arrays, Figures]:
    graph = import_module("libpysal.graph").Graph
    local = import_module("esda").G_Local

    def find(size: int) -> Any:
        inside = (data["row"] < size) & (data["column"] < size)
        row, column = data["row"][inside], data["column"][inside]
        alone = np.setdiff1d(np.arange(size), row)
        row, column = np.append(row, alone), np.append(column, alone)
        order = np.lexsort((column, row))
        links = graph.from_arrays(
            row[order], column[order], np.where(row == column, 0.0, 1.0)[order]
        )
        return timed(
            lambda: local(
                data["values"][:size], links, transform="B", star=True, permutations=PERMUTATIONS,
                keep_simulations=False, n_jobs=1, seed=1,
            )
        )  # fmt: skip

    find(WARM)
    found, cpu = find(len(data["values"]))
    return {"z": found.Zs, "p": _with_neighbours(data, found.p_sim)}, {"cpu_s": cpu}


def _gridmap_trend(data: Arrays) -> tuple[Arrays, Figures]:
    trend = import_module("gridmap.analysis").mann_kendall
    trend(data["series"][:WARM])
    found, cpu = timed(lambda: trend(data["series"]))
    return {"z": found.z, "p": found.p, "tau": found.tau}, {"cpu_s": cpu}


def _pymannkendall(data: Arrays) -> tuple[Arrays, Figures]:
    test = import_module("pymannkendall").original_test
    found, cpu = timed(lambda: [test(series) for series in data["series"]])
    answer = {
        "z": np.array([one.z for one in found]),
        "p": np.array([one.p for one in found]),
        "tau": np.array([one.Tau for one in found]),
    }
    return answer, {"cpu_s": cpu}


def _gridmap_emerging(data: Arrays) -> tuple[Arrays, Figures]:
    analysis = import_module("gridmap.analysis")
    counts = data["counts"]
    edges = pd.date_range("2025-01-01", periods=counts.shape[1] + 1, freq="7D")
    size = len(counts)
    weights = sp.csr_array((np.ones(len(data["row"])), (data["row"], data["column"])), (size, size))
    cube = analysis.Cube(counts, pd.RangeIndex(size), edges, 0)
    analysis.mann_kendall(counts[:WARM])
    found, cpu = timed(lambda: analysis.emerging(cube, weights))
    patterns = pd.Categorical(found["pattern"], categories=list(analysis.PATTERNS))
    return {"pattern": np.asarray(patterns.codes)}, {"cpu_s": cpu}


def _gridmap_hotspots(data: Arrays, way: str) -> tuple[Arrays, Figures]:
    hotspots = import_module("gridmap.analysis").hotspots
    counts = pd.Series(data["counts"])
    size = len(counts)
    weights = sp.csr_array((np.ones(len(data["row"])), (data["row"], data["column"])), (size, size))
    ways: dict[str, dict[str, Any]] = {
        "permuted": {"distribution": "normal", "permutations": PERMUTATIONS},
        "exact": {},
        "exposed": {"exposure": pd.Series(data["exposure"])},
    }
    asked = ways[way]
    few = slice(WARM)
    hotspots(counts[few], weights[few][:, few], **{
        name: value[few] if name == "exposure" else value for name, value in asked.items()
    })  # fmt: skip
    found, cpu = timed(lambda: hotspots(counts, weights, **asked))
    return {"z": found["z"].to_numpy()}, {"cpu_s": cpu}


def _gridmap_scan(data: Arrays, model: str) -> tuple[Arrays, Figures]:
    analysis = import_module("gridmap.analysis")
    places = gpd.GeoSeries.from_xy(*data["xy"].T, crs=4549)
    days = pd.date_range("2025-01-01", periods=data["counts"].shape[1] + 1, tz="Asia/Shanghai")
    cube = analysis.Cube(data["counts"], pd.Index(range(len(places))).astype(str), days, 0)
    exposure = pd.Series(data["exposure"])
    analysis.space_time_scan(cube, places, model=model, exposure=exposure, permutations=1)
    found, cpu = timed(
        lambda: analysis.space_time_scan(
            cube, places, model=model, exposure=exposure, permutations=PERMUTATIONS
        )
    )
    return {"largest": found.largest}, {"cpu_s": cpu}


SYSTEMS = {
    **{
        f"gridmap_{way}": partial(_gridmap_hotspots, way=way)
        for way in ("permuted", "exact", "exposed")
    },
    **{
        f"gridmap_scan_{model}": partial(_gridmap_scan, model=model)
        for model in ("permutation", "poisson")
    },
    "gridmap_neighbours": _gridmap_neighbours,
    "libpysal": _libpysal,
    "tree": _tree,
    "gridmap_gi": _gridmap_gi,
    "esda": _esda,
    "gridmap_trend": _gridmap_trend,
    "pymannkendall": _pymannkendall,
    "gridmap_emerging": _gridmap_emerging,
}
