"""Buildings to coded polygons, files read and written: time, memory, and whether it is exact."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from synthetic import make_city, write_sample

from benchmarks.lines import Line, Options, figure, note
from benchmarks.names import short
from benchmarks.turns import child_environment, last_line

__all__ = ["CITY_FILE", "run"]

BENCH = "chain"
SIZES = (100_000, 1_000_000, 10_000_000)
PROBLEMS_PER_HOUSEHOLD = 0.001  # a plan does not read them
WORKERS = (1, 2)
LIMIT_S = 3600.0
CITY_FILE = """name = "bench"
title = { en = "Benchmark", zh = "基准" }
source = { en = "Synthetic data", zh = "合成数据" }
timezone = "Asia/Shanghai"
as_of = 2026-01-01T00:00:00

[[inputs]]
layer = "grids"
path = "areas.gpkg"
sublayer = "grids"
constants = { level = "grid" }

[[inputs]]
layer = "buildings"
path = "buildings.parquet"

[[inputs]]
layer = "roads"
path = "roads.fgb"
"""


def run(options: Options) -> Iterator[Line]:
    """Yield the lines of every size, with one process and with two."""
    for size in (options.size,) if options.size else SIZES:
        for random_state in options.seeds[:1]:
            yield from _case(size, random_state, options.runs if size < max(SIZES) else 1)


def _case(size: int, random_state: int, runs: int) -> Iterator[Line]:
    case = f"sample city {short(size)} households, seed {random_state}, buildings"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        note(f"{case}: writing")
        city = make_city(
            households=size,
            random_state=random_state,
            problems_per_household=PROBLEMS_PER_HOUSEHOLD,
        )
        write_sample(city, folder, defects=False)
        del city
        (folder / "city.toml").write_text(CITY_FILE, encoding="utf-8")
        head = Line(BENCH, case, "gridmap", "", "", "", None, None, None, 0, agrees=True)
        found: dict[int, list[dict[str, float]]] = {workers: [] for workers in WORKERS}
        errors: dict[int, str] = {}
        for turn in range(runs):
            for workers in WORKERS:
                note(f"run {turn + 1}: {workers} workers")
                record, error = _child(folder, workers)
                if error:
                    errors[workers] = error
                else:
                    found[workers].append(record)
    for workers in WORKERS:
        yield from _lines(head, workers, found[workers], errors.get(workers, ""))


def _child(folder: Path, workers: int) -> tuple[dict[str, float], str]:
    command = [sys.executable, "-m", "benchmarks.whole_chain", str(folder), str(workers)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, env=child_environment(), capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {}, f"stopped after {LIMIT_S:g} s"
    if done.returncode:
        return {}, last_line(done.stderr) or f"ended with {done.returncode}"
    return json.loads(done.stdout), ""


def _lines(head: Line, workers: int, found: list[dict[str, float]], error: str) -> Iterator[Line]:
    variant = f"{workers} worker" + ("s" if workers > 1 else "")
    known = {**vars(head), "variant": variant, "version": version("gridmap-analytics")}
    if error:
        yield Line(**{**known, "metric": "failed", "agrees": False, "error": error})
        return
    exact = all(one["valid"] and one["nested"] and one["complete"] for one in found)
    line = Line(**{**known, "agrees": exact})
    for metric in found[0]:
        yield figure(line, metric, [float(one[metric]) for one in found])
