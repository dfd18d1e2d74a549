"""Points in a coverage: gridmap's index against joins by general engines, in turns."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from benchmarks.coverages import make_coverage, make_points
from benchmarks.lines import Line, Options, figure, note
from benchmarks.names import short
from benchmarks.turns import child_environment, last_line

__all__ = ["run"]

BENCH = "join"
POINTS = 10_000_000
POLYGONS = (2_300, 20_000, 200_000)
CROSSOVER = ((200_000, 1_000_000), (2_300, 50_000), (20_000, 50_000))
LIMIT_S = 900.0
PEERS = ("geopandas", "sedonadb")


def run(options: Options) -> Iterator[Line]:
    """Yield CPU seconds, index sizes, and how many times as long each peer takes."""
    cases = [(polygons, options.size or POINTS) for polygons in POLYGONS]
    if options.size is None:
        cases += list(CROSSOVER)
    for polygons, points in cases:
        yield from _case(options, polygons, points)


def _case(options: Options, polygons: int, points: int) -> Iterator[Line]:
    case = f"{short(polygons)} polygons, {short(points)} points"
    systems = ("gridmap", *(PEERS if options.peers else ()))
    systems = tuple(name for name in systems if not options.only or name in options.only)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shapes = make_coverage(polygons, random_state=options.seeds[0])
        x, y = make_points(points, random_state=options.seeds[0] + 1)
        np.save(folder / "polygons.npy", np.array(shapely.to_wkb(shapes), dtype=object))
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
        del shapes, x, y
        found: dict[str, list[dict[str, float]]] = {system: [] for system in systems}
        heads: dict[str, Line] = {}
        known: npt.NDArray[np.int32] | None = None
        for turn in range(options.runs):
            for system in systems:
                note(f"{case}, run {turn + 1}: {system}")
                told, error = _child(options, system, folder)
                head = Line(BENCH, case, system, "", "", "", None, None, None, 0, agrees=False)
                if error:
                    yield Line(**{**vars(head), "metric": "failed", "error": error})
                    continue
                answer = np.load(folder / "answer.npy")
                known = answer if known is None else known
                agrees = bool((answer == known).all())
                agrees &= heads[system].agrees if system in heads else True
                heads[system] = Line(**{**vars(head), "version": told["version"], "agrees": agrees})
                found[system].append(told["figures"])
    yield from _lines(found, heads)


def _lines(found: dict[str, list[dict[str, float]]], heads: dict[str, Line]) -> Iterator[Line]:
    for system, head in heads.items():
        for metric in found[system][0]:
            yield figure(head, metric, [figures[metric] for figures in found[system]])
        if system == "gridmap" or not found.get("gridmap"):
            continue
        for metric, name in (("cpu_s", "times_query"), ("total_s", "times_total")):
            ours = found["gridmap"]
            ratios = [
                peer[metric] / own[metric] for peer, own in zip(found[system], ours, strict=False)
            ]
            yield figure(head, name, ratios)


def _child(options: Options, system: str, folder: Path) -> tuple[dict[str, dict[str, float]], str]:
    python = sys.executable if system == "gridmap" else options.peer_python
    command = [
        python, "-m", "benchmarks.join_worker", system, str(folder), str(folder / "answer.npy"),
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, env=child_environment(), capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {}, f"stopped after {LIMIT_S:g} s"
    if done.returncode:
        return {}, last_line(done.stderr) or f"ended with {done.returncode}"
    return json.loads(done.stdout), ""
