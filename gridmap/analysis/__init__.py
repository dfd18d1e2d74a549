"""Analysis: frames in, frames or aligned Series out; no files, no maps, nothing changed."""

from gridmap.analysis.cases.calendars import Calendar, ChineseHolidays, EveryWeek, make_calendar
from gridmap.analysis.cases.clock import Rule, days_between, deadline, working_time
from gridmap.analysis.cases.deadlines import (
    case_deadlines,
    check_times,
    explain,
    ledger_deadline,
    look_back,
    urgency,
)
from gridmap.analysis.cases.indicators import Indicators, Proof, indicators, load_kpis, proof
from gridmap.analysis.cases.life import CaseLife, case_life, case_life_of_times
from gridmap.analysis.cases.recurrence import (
    Recurrence,
    recurrence,
    recurrence_curve,
    recurrence_layer,
)
from gridmap.analysis.cases.timeliness import timeliness
from gridmap.analysis.clusters.cube import Cube, space_time_cube, time_step
from gridmap.analysis.clusters.density import Surface, ascii_grid, bands, kernel_density
from gridmap.analysis.clusters.emerging import PATTERNS, classify, emerging, space_time_scores
from gridmap.analysis.clusters.hotspots import count_by, getis_ord, hotspots, hotspots_by_source
from gridmap.analysis.clusters.moran import local_moran
from gridmap.analysis.clusters.rates import (
    crude_rates,
    empirical_bayes,
    local_empirical_bayes,
    standardised_rates,
)
from gridmap.analysis.clusters.significance import discoveries, neighbour_ranks, pseudo_p
from gridmap.analysis.clusters.trend import Trend, mann_kendall
from gridmap.analysis.h3.cells import (
    cell_counts,
    cell_grid,
    cell_neighbours,
    cells_at,
    cells_of,
    parents,
    roll_up,
)
from gridmap.analysis.location.assign import assign, assign_all, count_points
from gridmap.analysis.location.fallback_points import find_piles
from gridmap.analysis.location.interpolation import transfer
from gridmap.analysis.location.topology import (
    find_gaps,
    find_misnested,
    find_overlaps,
    find_unassigned,
)
from gridmap.analysis.network.black_spots import NetworkHotspots, network_density, network_hotspots
from gridmap.analysis.network.graph import Network, road_network, snap
from gridmap.analysis.network.road_levels import SPEED_LIMITS_KMH, road_levels
from gridmap.analysis.responsibility.gaps import (
    derived_leads,
    double_leads,
    line_by_block,
    seams,
    unowned,
    without_cooperation,
)
from gridmap.analysis.responsibility.registers import (
    check_assignments,
    check_organisations,
    in_force,
    reconcile_all,
)
from gridmap.analysis.responsibility.strips import frontage_zones, road_corridors
from gridmap.analysis.responsibility.targets import targets_at
from gridmap.analysis.responsibility.who import implied_assignments, who
from gridmap.analysis.weights.contiguity import queen, rook
from gridmap.analysis.weights.neighbours import (
    as_graph,
    distance_band,
    k_nearest,
    neighbours,
    with_self,
)
from gridmap.analysis.workloads.fairness import (
    Effort,
    Fairness,
    Proposal,
    expected_hours,
    fairness,
    load_effort,
    proposed_transfers,
    transferred_grids,
)
from gridmap.analysis.workloads.loads import gini, households_in, workload

__all__ = [
    "PATTERNS",
    "SPEED_LIMITS_KMH",
    "Calendar",
    "CaseLife",
    "ChineseHolidays",
    "Cube",
    "Effort",
    "EveryWeek",
    "Fairness",
    "Indicators",
    "Network",
    "NetworkHotspots",
    "Proof",
    "Proposal",
    "Recurrence",
    "Rule",
    "Surface",
    "Trend",
    "as_graph",
    "ascii_grid",
    "assign",
    "assign_all",
    "bands",
    "case_deadlines",
    "case_life",
    "case_life_of_times",
    "cell_counts",
    "cell_grid",
    "cell_neighbours",
    "cells_at",
    "cells_of",
    "check_assignments",
    "check_organisations",
    "check_times",
    "classify",
    "count_by",
    "count_points",
    "crude_rates",
    "days_between",
    "deadline",
    "derived_leads",
    "discoveries",
    "distance_band",
    "double_leads",
    "emerging",
    "empirical_bayes",
    "expected_hours",
    "explain",
    "fairness",
    "find_gaps",
    "find_misnested",
    "find_overlaps",
    "find_piles",
    "find_unassigned",
    "frontage_zones",
    "getis_ord",
    "gini",
    "hotspots",
    "hotspots_by_source",
    "households_in",
    "implied_assignments",
    "in_force",
    "indicators",
    "k_nearest",
    "kernel_density",
    "ledger_deadline",
    "line_by_block",
    "load_effort",
    "load_kpis",
    "local_empirical_bayes",
    "local_moran",
    "look_back",
    "make_calendar",
    "mann_kendall",
    "neighbour_ranks",
    "neighbours",
    "network_density",
    "network_hotspots",
    "parents",
    "proof",
    "proposed_transfers",
    "pseudo_p",
    "queen",
    "reconcile_all",
    "recurrence",
    "recurrence_curve",
    "recurrence_layer",
    "road_corridors",
    "road_levels",
    "road_network",
    "roll_up",
    "rook",
    "seams",
    "snap",
    "space_time_cube",
    "space_time_scores",
    "standardised_rates",
    "targets_at",
    "time_step",
    "timeliness",
    "transfer",
    "transferred_grids",
    "unowned",
    "urgency",
    "who",
    "with_self",
    "without_cooperation",
    "working_time",
    "workload",
]
