"""Layers to files: GeoPackage with styles against plain pyogrio, PMTiles against tippecanoe."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import shapely

from benchmarks.array_turns import Arrays, Runner, array_turns, told
from benchmarks.coverages import make_coverage
from benchmarks.lines import Line, Options
from benchmarks.names import short

__all__ = ["run"]

BENCH = "export"
POLYGONS = 200_000
LIMIT_S = 3600.0
OURS = "gridmap-analytics"
# pyogrio is what gridmap itself writes with, so that it is there without the peers.
GEOPACKAGE = (
    ("gridmap", "with styles", "gpkg", OURS),
    ("pyogrio", "plain", "plain gpkg", "pyogrio"),
)
TILES = (
    ("gridmap", "", "pmtiles", OURS),
    ("pyogrio", "plain", "plain pmtiles", "pyogrio"),
)
PEERS = (("tippecanoe", "", "tippecanoe", "tippecanoe"),)


def run(options: Options) -> Iterator[Line]:
    """Yield CPU seconds and megabytes, and how many times those of gridmap each peer takes."""
    size = options.size or POLYGONS
    data = _coverage(size, options.seeds[0])
    count = len(data["parts"]) - 1
    tiles = TILES + (PEERS if options.peers else ())
    for form, systems in (("GeoPackage", GEOPACKAGE), ("PMTiles", tiles)):
        runners = [
            Runner(system, variant, "exports", name, package)
            for system, variant, name, package in systems
            if not options.only or system in options.only
        ]
        case = f"{form}: {short(count)} polygons, 12 attributes"
        with tempfile.TemporaryDirectory() as folder:
            array_turns(
                data,
                runners,
                Path(folder),
                runs=options.runs if form == "GeoPackage" else 1,
                judge=_same,
                limit_s=LIMIT_S,
                peer_python=options.peer_python,
            )
        yield from told(runners, BENCH, case, {"write_cpu_s": "ratio", "file_mb": "ratio_size"})


def _coverage(size: int, random_state: int) -> Arrays:
    shapes = make_coverage(size, random_state=random_state)
    _, coordinates, (parts, rings) = shapely.to_ragged_array(shapes)
    return {"coordinates": coordinates, "parts": parts, "rings": rings}


def _same(one: Arrays, other: Arrays) -> bool:
    return bool((one["codes"] == other["codes"]).all())
