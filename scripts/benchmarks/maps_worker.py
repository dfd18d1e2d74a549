"""Writes one page: ``python -m benchmarks.maps_worker CASE SYSTEM DATA PAGE``, and tells the cost.

One JSON object: version, write_cpu_s and write_peak_mb. Reading the data and compiling are not
counted as CPU time; the memory of the data is counted.
"""

from __future__ import annotations

import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd

from benchmarks.cost import cpu_s, peak_mb
from benchmarks.peers.maps import SYSTEMS, WARM


def main(arguments: list[str]) -> int:
    """Read, write, tell."""
    case, system, data, page = arguments
    warnings.simplefilter("ignore")
    writer = SYSTEMS[case][system]
    frame = gpd.read_parquet(data)
    if writer.warm:
        writer.warm(frame.iloc[:WARM])
    began = cpu_s()
    writer.write(frame, Path(page))
    figures = {"write_cpu_s": cpu_s() - began, "write_peak_mb": peak_mb()}
    sys.stdout.write(json.dumps({"version": version(writer.package), "figures": figures}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
