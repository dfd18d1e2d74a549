"""One join by one system, in a process of its own: data in by files, answer out by file.

``python -m benchmarks.join_worker SYSTEM FOLDER ANSWER`` prints one JSON object of figures.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from benchmarks.cost import cpu_s, peak_mb

__all__ = ["SYSTEMS"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]
Found = tuple[Ints, dict[str, float]]

WARM = 2000


def main(arguments: list[str]) -> int:
    """Load, join, and write the position of the first polygon of each point, -1 for none."""
    system, folder, answer = arguments[0], Path(arguments[1]), Path(arguments[2])
    polygons = shapely.from_wkb(np.load(folder / "polygons.npy", allow_pickle=True))
    x, y = np.load(folder / "x.npy"), np.load(folder / "y.npy")
    found, figures = SYSTEMS[system](polygons, x, y)
    np.save(answer, found.astype(np.int32))
    package = {"gridmap": "gridmap-analytics"}.get(system.split()[0], system.split()[0])
    figures["peak_mb"] = peak_mb()
    sys.stdout.write(json.dumps({"version": version(package), "figures": figures}) + "\n")
    return 0


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    began = cpu_s()
    result = run()
    return result, cpu_s() - began


def _firsts(point: npt.ArrayLike, polygon: npt.ArrayLike, count: int) -> Ints:
    found = np.full(count, np.iinfo(np.int64).max, dtype=np.int64)
    np.minimum.at(found, np.asarray(point), np.asarray(polygon, dtype=np.int64))
    return np.where(found == np.iinfo(np.int64).max, -1, found)


def _gridmap(polygons: Shapes, x: Floats, y: Floats) -> Found:
    from gridmap.analysis.location.index import CoverageIndex  # noqa: PLC0415 - some are only in the environment of the peers

    CoverageIndex.build(polygons[:9]).query(x[:WARM], y[:WARM])
    index, build = _timed(lambda: CoverageIndex.build(polygons, points=len(x)))
    found, query = _timed(lambda: index.query(x, y))
    figures = {"cpu_s": query, "build_s": build, "total_s": build + query}
    return found, {**figures, "index_mb": index.nbytes / 1e6}


def _frames(polygons: Shapes, x: Floats, y: Floats) -> tuple[Any, Any]:
    import geopandas as gpd  # noqa: PLC0415 - some are only in the environment of the peers

    areas = gpd.GeoDataFrame(
        {"polygon": np.arange(len(polygons), dtype=np.int32)}, geometry=polygons
    )
    points = gpd.GeoDataFrame(
        {"point": np.arange(len(x), dtype=np.int32)}, geometry=gpd.points_from_xy(x, y)
    )
    return areas, points


def _geopandas(polygons: Shapes, x: Floats, y: Floats) -> Found:
    import geopandas as gpd  # noqa: PLC0415 - some are only in the environment of the peers

    areas, points = _frames(polygons, x, y)
    gpd.sjoin(points[:WARM], areas[:9], predicate="intersects")
    joined, took = _timed(lambda: gpd.sjoin(points, areas, predicate="intersects"))
    found = _firsts(joined["point"], joined["polygon"], len(x))
    return found, {"cpu_s": took, "total_s": took}


def _sedonadb(polygons: Shapes, x: Floats, y: Floats) -> Found:
    import sedonadb  # noqa: PLC0415 - some are only in the environment of the peers

    session = sedonadb.connect()
    areas, points = _frames(polygons, x, y)
    for name, frame in (("areas", areas), ("points", points), ("few", points[:WARM])):
        session.create_data_frame(frame).to_view(name)
    session.sql("SET datafusion.execution.target_partitions = 1").execute()
    query = (
        "SELECT p.point, a.polygon FROM {} p JOIN areas a ON ST_Intersects(a.geometry, p.geometry)"
    )
    session.sql(query.format("few")).to_arrow_table()
    joined, took = _timed(lambda: session.sql(query.format("points")).to_arrow_table())
    found = _firsts(joined["point"].to_numpy(), joined["polygon"].to_numpy(), len(x))
    return found, {"cpu_s": took, "total_s": took}


SYSTEMS: dict[str, Callable[[Shapes, Floats, Floats], Found]] = {
    "gridmap": _gridmap,
    "geopandas": _geopandas,
    "sedonadb": _sedonadb,
}

if __name__ == "__main__":
    os.environ.setdefault("TOKIO_WORKER_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
