"""One run of the whole chain in a process of its own, judged by the file that it wrote.

``python -m benchmarks.whole_chain FOLDER WORKERS`` prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from benchmarks.cost import cpu_s, peak_mb, watched
from gridmap.config import read_city_file
from gridmap.design.grids import design_grids
from gridmap.design.results import as_layers
from gridmap.outputs.export.layers import write_layers
from gridmap.sources.city import read_city

SHARE = 1e-6  # of a grid's area that rounding of coordinates may leave over


def main(arguments: list[str]) -> int:
    """Read, cut, code, write; then read what was written and tell what it is like."""
    folder, workers = Path(arguments[0]), int(arguments[1])
    with tempfile.TemporaryDirectory() as out:
        began, wall = cpu_s(), time.perf_counter()
        with watched() as workers_mb:
            city = read_city(read_city_file(folder))
            plan = design_grids(city, workers=workers)
            write_layers(as_layers(plan, city), Path(out), formats=("gpkg",), names=("plan",))
        record = {
            "cpu_s": cpu_s() - began,
            "wall_s": time.perf_counter() - wall,
            "peak_mb": peak_mb() + sum(workers_mb.values()),
            "microgrids": float(len(plan)),
        }
        written = _plan_layer(Path(out))
    grids = plan.grids.set_index("code").geometry
    households = int(city.frame("buildings")["occupied"].fillna(0).sum())
    record |= _checks(written.to_crs(grids.crs), grids, households)
    sys.stdout.write(json.dumps(record) + "\n")
    return 0


def _plan_layer(folder: Path) -> gpd.GeoDataFrame:
    path = next(folder.rglob("*.gpkg"))
    return pyogrio.read_dataframe(path, layer="plan")


def _checks(plan: gpd.GeoDataFrame, grids: gpd.GeoSeries, households: int) -> dict[str, float]:
    """Tell whether the polygons are a coverage, fill their grids, and hold every household."""
    shapes = plan.geometry.to_numpy()
    area = plan.assign(area=shapely.area(shapes)).groupby("parent")["area"].sum()
    whole = grids.area.reindex(area.index)
    beyond = shapely.area(
        shapely.difference(shapes, shapely.buffer(grids.reindex(plan["parent"]).to_numpy(), 0.01))
    )
    away = np.abs(plan["households"].to_numpy(dtype=np.float64) - 50)
    fills = bool((np.abs(area - whole) <= SHARE * whole).all()) and len(area) == len(grids)
    return {
        "valid": float(shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes)),
        "nested": float(fills and beyond.max() <= SHARE * whole.min()),
        "complete": float(plan["households"].sum() == households and plan["code"].is_unique),
        "within_10pct": 100 * float((away <= 5).mean()),  # noqa: PLR2004 - a tenth of fifty
        "within_20pct": 100 * float((away <= 10).mean()),  # noqa: PLR2004
        "mean_abs_dev": float(away.mean()),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
