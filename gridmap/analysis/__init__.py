"""Analysis: frames in, frames or aligned Series out; no files, no maps, nothing changed."""

from gridmap.analysis.assign import assign, assign_all, count_points
from gridmap.analysis.black_spots import NetworkHotspots, network_density, network_hotspots
from gridmap.analysis.cells import (
    cell_counts,
    cell_grid,
    cell_neighbours,
    cells_at,
    cells_of,
    parents,
    roll_up,
)
from gridmap.analysis.contiguity import queen, rook
from gridmap.analysis.coverage import find_gaps, find_misnested, find_overlaps, find_unassigned
from gridmap.analysis.cube import Cube, space_time_cube, time_step
from gridmap.analysis.density import Surface, ascii_grid, bands, kernel_density
from gridmap.analysis.emerging import PATTERNS, classify, emerging, space_time_scores
from gridmap.analysis.hotspots import count_by, getis_ord, hotspots, hotspots_by_source
from gridmap.analysis.moran import local_moran
from gridmap.analysis.neighbours import (
    as_graph,
    distance_band,
    k_nearest,
    neighbours,
    with_self,
)
from gridmap.analysis.network import Network, road_network, snap
from gridmap.analysis.piles import find_piles
from gridmap.analysis.rates import (
    crude_rates,
    empirical_bayes,
    local_empirical_bayes,
    standardised_rates,
)
from gridmap.analysis.significance import discoveries, neighbour_ranks, pseudo_p
from gridmap.analysis.timeliness import timeliness
from gridmap.analysis.transfer import transfer
from gridmap.analysis.trend import Trend, mann_kendall
from gridmap.analysis.workload import gini, households_in, workload

__all__ = [
    "PATTERNS",
    "Cube",
    "Network",
    "NetworkHotspots",
    "Surface",
    "Trend",
    "as_graph",
    "ascii_grid",
    "assign",
    "assign_all",
    "bands",
    "cell_counts",
    "cell_grid",
    "cell_neighbours",
    "cells_at",
    "cells_of",
    "classify",
    "count_by",
    "count_points",
    "crude_rates",
    "discoveries",
    "distance_band",
    "emerging",
    "empirical_bayes",
    "find_gaps",
    "find_misnested",
    "find_overlaps",
    "find_piles",
    "find_unassigned",
    "getis_ord",
    "gini",
    "hotspots",
    "hotspots_by_source",
    "households_in",
    "k_nearest",
    "kernel_density",
    "local_empirical_bayes",
    "local_moran",
    "mann_kendall",
    "neighbour_ranks",
    "neighbours",
    "network_density",
    "network_hotspots",
    "parents",
    "pseudo_p",
    "queen",
    "road_network",
    "roll_up",
    "rook",
    "snap",
    "space_time_cube",
    "space_time_scores",
    "standardised_rates",
    "time_step",
    "timeliness",
    "transfer",
    "with_self",
    "workload",
]
