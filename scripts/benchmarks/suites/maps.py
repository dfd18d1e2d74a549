"""The same map written and opened by gridmap, folium, geopandas and bokeh, in turns."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from benchmarks.browser import Opened, measure
from benchmarks.coverages import make_coverage, make_points
from benchmarks.lines import Line, Options, figure, note
from benchmarks.names import short
from benchmarks.peers.maps import CODE, SYSTEMS
from benchmarks.turns import child_environment, last_line

__all__ = ["run"]

BENCH = "maps"
CRS = 4546
POLYGONS = (2_000, 20_000, 200_000)
POINTS = 1_000_000
LIMIT_S = 1_800.0
# What takes minutes is opened once.
SLOW = {("folium", 200_000), ("geopandas", 200_000)}


def run(options: Options) -> Iterator[Line]:
    """Yield sizes, CPU seconds to write and open, memory, and times to answer."""
    polygons = POLYGONS if options.size is None else (options.size,)
    with tempfile.TemporaryDirectory() as name:
        for count in polygons:
            path = Path(name) / "polygons.parquet"
            make_polygons(count, options.seeds[0]).to_parquet(path)
            yield from _case(options, "polygons", count, path)
        count = options.size or POINTS
        path = Path(name) / "points.parquet"
        make_place_points(count, options.seeds[0]).to_parquet(path)
        for kind in ("dots", "heat", "clusters"):
            yield from _case(options, kind, count, path)


def make_polygons(count: int, random_state: int) -> gpd.GeoDataFrame:
    """Return a coverage with nine attributes, of 43 vertices a polygon."""
    shapes = make_coverage(count, random_state=random_state)
    rows = len(shapes)
    rng = np.random.default_rng(random_state)
    columns = {
        CODE: [f"4201{row:08d}" for row in range(rows)],
        "grid_name": [f"第{row}网格" for row in range(rows)],
        "district": rng.choice(["东区", "西区", "南区", "北区"], rows),
        "street": [f"街道{number}" for number in rng.integers(0, 120, rows)],
        "officer": [f"网格员{number}" for number in rng.integers(0, 4000, rows)],
        "phone": [f"139{number:08d}" for number in rng.integers(0, 10**8, rows)],
        "pop": rng.poisson(2500, rows),
        "cases": rng.poisson(5, rows),
        "risk": rng.random(rows).round(3),
    }
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_crs(4326)


def make_place_points(count: int, random_state: int) -> gpd.GeoDataFrame:
    x, y = make_points(count, random_state=random_state)
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=CRS).to_crs(4326)


def _case(options: Options, kind: str, count: int, path: Path) -> Iterator[Line]:
    case = f"{short(count)} {'polygons' if kind == 'polygons' else f'points, {kind}'}"
    systems = [name for name in SYSTEMS[kind] if name == "gridmap" or options.peers]
    systems = [name for name in systems if not options.only or name in options.only]
    found: dict[str, list[dict[str, float]]] = {}
    heads: dict[str, Line] = {}
    for turn in range(options.runs):
        for system in systems:
            if turn and (system, count) in SLOW:
                continue
            note(f"{case}, run {turn + 1}: {system}")
            head = Line(BENCH, case, system, "", "", "", None, None, None, 0, agrees=True)
            try:
                version, figures, agrees = _one(options, kind, system, path)
            except RuntimeError as error:
                yield Line(**{**vars(head), "metric": "failed", "error": str(error)})
                continue
            agrees &= heads[system].agrees if system in heads else True
            heads[system] = Line(**{**vars(head), "version": version, "agrees": agrees})
            found.setdefault(system, []).append(figures)
    for system, head in heads.items():
        for metric in found[system][0]:
            yield figure(head, metric, [figures[metric] for figures in found[system]])


def _one(
    options: Options, kind: str, system: str, data: Path
) -> tuple[str, dict[str, float], bool]:
    """Write and open one page; return version, figures, and whether what it told is right."""
    writer = SYSTEMS[kind][system]
    page = data.with_name("page.html")
    python = sys.executable if system == "gridmap" else options.peer_python
    command = [python, "-m", "benchmarks.maps_worker", kind, system, str(data), str(page)]
    done = subprocess.run(  # noqa: S603 - our own module
        command, env=child_environment(), capture_output=True, timeout=LIMIT_S, check=False
    )
    if done.returncode:
        raise RuntimeError(last_line(done.stderr) or f"ended with {done.returncode}")
    told = json.loads(done.stdout)
    opened = measure(page, writer.ready, drag=writer.leaflet, click=kind == "polygons")
    figures = {
        "file_mb": page.stat().st_size / 1e6,
        "open_cpu_s": opened.open_cpu_s,
        "heap_mb": opened.heap_mb,
        **told["figures"],
    }
    times = {"click_ms": opened.click_ms, "pan_ms": opened.pan_ms}
    figures |= {metric: value for metric, value in times.items() if math.isfinite(value)}
    return str(told["version"]), figures, _agrees(opened, data)


def _agrees(opened: Opened, data: Path) -> bool:
    """Tell whether no script failed, and each popup named a polygon within a pixel of the click.

    Leaflet draws and asks borders that it has simplified by up to a pixel.
    """
    if opened.errors:
        return False
    if not opened.answers:
        return True
    frame = gpd.read_parquet(data, columns=[CODE, "geometry"])
    tree = shapely.STRtree(frame.geometry.to_numpy())
    for lon, lat, pixel, text in opened.answers:
        near = tree.query(shapely.Point(lon, lat), predicate="dwithin", distance=pixel)
        if not any(code in text for code in frame[CODE].to_numpy()[near]):
            return False
    return True
