"""The greedy search behind `gridmap.analysis.workloads.fairness.proposed_transfers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from gridmap.analysis.workloads._travel import Pace, travel_hours

__all__ = ["Board", "Step", "measures", "search"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_LEAST = 1e-12  # a smaller fall of the Gini index is a rounding error


class Step(NamedTuple):
    """A transfer: positions of the unit and of both grids, and eight figures of its effect."""

    unit: int
    giver: int
    taker: int
    effect: tuple[float, ...]


class Candidates(NamedTuple):
    """Transfers that could be made: positions, and the loads of members of both grids after."""

    unit: Longs
    giver: Longs
    taker: Longs
    giver_after: Floats
    taker_after: Floats

    def only(self, which: Bools | Longs) -> Candidates:
        """Return some of them."""
        return Candidates(
            self.unit[which],
            self.giver[which],
            self.taker[which],
            self.giver_after[which],
            self.taker_after[which],
        )


@dataclass(frozen=True)
class Board:
    """Units and grids.

    Parameters
    ----------
    work : ndarray of float, shape (u,), hours
    stops, area_m2 : ndarray of float, shape (u,)
    locked : ndarray of bool, shape (u,)
    rank : ndarray of float, shape (u,)
        Decides between equal transfers.
    members : ndarray of float, shape (g,)
    grid : ndarray of int64, shape (u,)
    pace : Pace
    """

    work: Floats
    stops: Floats
    area_m2: Floats
    locked: Bools
    rank: Floats
    members: Floats
    grid: Longs
    pace: Pace

    def sums(self, grid: Longs) -> Floats:
        """Return work, stops and area of each grid, shape (3, g)."""
        count = len(self.members)
        parts = (self.work, self.stops, self.area_m2)
        return np.stack([np.bincount(grid, part, count) for part in parts])

    def loads(self, sums: Floats, members: Floats) -> Floats:
        """Return the hours of a member, travel included."""
        work, stops, area_m2 = np.maximum(sums, 0.0)
        travel = travel_hours(stops, area_m2, members, self.pace)
        return np.asarray((work + travel) / members, dtype=np.float64)

    def hours(self, grid: Longs) -> Floats:
        """Return the hours of each grid, shape (g,)."""
        return self.loads(self.sums(grid), self.members) * self.members


def measures(load: Floats, members: Floats) -> tuple[float, float]:
    """Return the Gini index and the maximum over the mean, both over members.

    Parameters
    ----------
    load : ndarray of float, shape (g,)
        Of a member of each grid.
    members : ndarray of float, shape (g,)
    """
    total = float(load @ members)
    if total <= 0:
        return 0.0, 0.0
    difference = 0.5 * float(members @ _distances(load, members, load))
    persons = float(members.sum())
    return difference / (persons * total), float(load.max()) * persons / total


def _distances(load: Floats, members: Floats, at: Floats) -> Floats:
    """Return how far all members together are from some loads."""
    order = np.argsort(load, kind="stable")
    sorted_load = load[order]
    persons = np.append(0.0, np.cumsum(members[order]))
    hours = np.append(0.0, np.cumsum(members[order] * sorted_load))
    below = np.searchsorted(sorted_load, at, side="right")
    lower = at * persons[below] - hours[below]
    upper = hours[-1] - hours[below] - at * (persons[-1] - persons[below])
    return np.asarray(lower + upper, dtype=np.float64)


def _gini_after(load: Floats, members: Floats, found: Candidates) -> Floats:
    """Return the Gini index after each candidate alone."""
    whole = float(members @ _distances(load, members, load))
    a, b = found.giver, found.taker
    many, few = members[a], members[b]

    def rest(at: Floats) -> Floats:
        """Return how far all members but those of the two grids are from a load."""
        own = many * np.abs(at - load[a]) + few * np.abs(at - load[b])
        return _distances(load, members, at) - own

    was = many * rest(load[a]) + few * rest(load[b]) + many * few * np.abs(load[a] - load[b])
    one, other = found.giver_after, found.taker_after
    now = many * rest(one) + few * rest(other) + many * few * np.abs(one - other)
    total = load @ members + many * (one - load[a]) + few * (other - load[b])
    return np.asarray((whole - 2 * was + 2 * now) / (2 * members.sum() * total), dtype=np.float64)


def search(
    board: Board, links: sp.coo_array, group: Longs, tolerance: float, moves: int
) -> tuple[list[Step], Longs]:
    """Make transfers one by one, each the best that there is.

    Parameters
    ----------
    board : Board
    links : coo_array, shape (u, u)
        Neighbouring units.
    group : ndarray of int64, shape (g,)
        Units pass between grids of one group.
    tolerance : float
    moves : int

    Returns
    -------
    steps : list of Step
    grid : ndarray of int64, shape (u,)
        After them.
    """
    grid, sums = board.grid.copy(), board.sums(board.grid)
    bound = board.locked.copy()
    steps: list[Step] = []
    matrix = sp.csr_array(links)
    while len(steps) < moves:
        load = board.loads(sums, board.members)
        found = _candidates(board, links, grid, group, bound, sums, load, tolerance)
        step = _best(board, matrix, grid, load, found)
        if step is None:
            break
        passed = np.array([board.work[step.unit], board.stops[step.unit], board.area_m2[step.unit]])
        grid[step.unit] = step.taker
        sums[:, step.giver] -= passed
        sums[:, step.taker] += passed
        bound[step.unit] = True
        steps.append(step)
    return steps, grid


def _candidates(
    board: Board,
    links: sp.coo_array,
    grid: Longs,
    group: Longs,
    bound: Bools,
    sums: Floats,
    load: Floats,
    tolerance: float,
) -> Candidates:
    """Return the transfers that make the heavier of two grids lighter."""
    members = board.members
    mean = float(load @ members) / float(members.sum())
    unit, taker = np.asarray(links.row, np.int64), grid[np.asarray(links.col, np.int64)]
    giver = grid[unit]
    allowed = (giver != taker) & (group[giver] == group[taker]) & ~bound[unit]
    allowed &= (load[giver] > mean * (1 + tolerance)) & (load[taker] < mean)
    pairs = np.unique(np.column_stack([unit[allowed], taker[allowed]]), axis=0)
    unit, taker = pairs[:, 0], pairs[:, 1]
    giver = grid[unit]
    passed = np.stack([board.work[unit], board.stops[unit], board.area_m2[unit]])
    found = Candidates(
        unit,
        giver,
        taker,
        board.loads(sums[:, giver] - passed, members[giver]),
        board.loads(sums[:, taker] + passed, members[taker]),
    )
    return found.only(np.maximum(found.giver_after, found.taker_after) < load[giver])


def _best(
    board: Board, matrix: sp.csr_array, grid: Longs, load: Floats, found: Candidates
) -> Step | None:
    """Return the candidate with the lowest Gini index after it that tears nothing."""
    gini, most = measures(load, board.members)
    after = _gini_after(load, board.members, found)
    better = after < gini - _LEAST
    found, after = found.only(better), after[better]
    for k in np.lexsort((found.taker, board.rank[found.unit], after)):
        unit, giver, taker = int(found.unit[k]), int(found.giver[k]), int(found.taker[k])
        if not _holds(matrix, grid, unit, giver):
            continue
        then = load.copy()
        then[giver], then[taker] = found.giver_after[k], found.taker_after[k]
        gini_then, most_then = measures(then, board.members)
        if gini_then < gini:
            effect = (
                load[giver], then[giver], load[taker], then[taker], gini, gini_then, most, most_then
            )  # fmt: skip
            return Step(unit, giver, taker, tuple(float(value) for value in effect))
    return None


def _holds(matrix: sp.csr_array, grid: Longs, unit: int, giver: int) -> bool:
    """Tell whether a grid without a unit has something left and no more pieces than before."""
    own = np.flatnonzero(grid == giver)
    rest = own[own != unit]
    if len(rest) == 0:
        return False
    before = connected_components(matrix[own][:, own], directed=False)[0]
    return bool(connected_components(matrix[rest][:, rest], directed=False)[0] <= before)
