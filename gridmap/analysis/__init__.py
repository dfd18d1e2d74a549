"""Analysis: frames in, frames or aligned Series out; no files, no maps, nothing changed."""

from gridmap.analysis.assign import assign, assign_all, count_points
from gridmap.analysis.coverage import find_gaps, find_misnested, find_overlaps, find_unassigned
from gridmap.analysis.density import bands, kernel_density
from gridmap.analysis.hotspots import (
    cell_grid,
    cell_neighbours,
    getis_ord,
    hotspots,
    neighbours,
)
from gridmap.analysis.piles import find_piles
from gridmap.analysis.timeliness import timeliness
from gridmap.analysis.transfer import transfer
from gridmap.analysis.workload import gini, households_in, workload

__all__ = [
    "assign",
    "assign_all",
    "bands",
    "cell_grid",
    "cell_neighbours",
    "count_points",
    "find_gaps",
    "find_misnested",
    "find_overlaps",
    "find_piles",
    "find_unassigned",
    "getis_ord",
    "gini",
    "hotspots",
    "households_in",
    "kernel_density",
    "neighbours",
    "timeliness",
    "transfer",
    "workload",
]
