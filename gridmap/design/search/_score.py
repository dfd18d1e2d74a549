"""What a part costs: the one formula that every search and every proof shares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

__all__ = [
    "AREA",
    "BARRIER",
    "COST",
    "HARD",
    "MOVED",
    "PERIMETER",
    "SUMS",
    "TIES",
    "WEIGHT",
    "Bools",
    "Cells",
    "Floats",
    "Longs",
    "Terms",
    "add_up",
    "heaviest_homes",
    "inner",
    "kernel",
    "main_home",
    "part_cost",
]

# What is kept of each part: its totals and what they cost.
WEIGHT, AREA, PERIMETER, BARRIER, TIES, MOVED, COST = range(7)
SUMS = 7

# One target of weight outside the bounds costs more than all that an objective can add up to.
HARD = 1e6
SLACK = 1e-9
LONGEST = 10.0  # perimeters, by a circle's of the same area, that shape is still told by
# The first crossing of a part spoils it; more of them are but a little worse, lest a part that
# many streets cross fray out to hold fewer of them.
FURTHER = 0.2


class Terms(NamedTuple):
    """The weights of an objective, and the bounds with what it costs to be outside them."""

    deviation: float
    outside_10: float
    outside_20: float
    compactness: float
    barrier: float
    together: float
    stay: float
    coarse: float
    target: float
    minimum: float
    maximum: float
    hard: float


class Cells(NamedTuple):
    """Atoms and their neighbours, as `AtomGraph`; `ties` is what ties each atom to others."""

    weight: Floats
    x: Floats
    y: Floats
    area: Floats
    perimeter: Floats
    home: Longs
    ties: Floats
    starts: Longs
    neighbour: Longs
    border: Floats
    barrier: Floats
    together: Floats


@inner
def part_cost(
    terms: Terms,
    weight: float,
    area: float,
    perimeter: float,
    barrier: float,
    ties: float,
    moved: float,
) -> float:
    """Return what a part costs.

    Parameters
    ----------
    terms : Terms
    weight, area, perimeter : float
        Totals of the part.
    barrier : float
        Sum of the barriers between neighbours inside the part.
    ties : float
        Sum of what ties its atoms to atoms of other parts.
    moved : float
        Weight of its atoms that are not at home.
    """
    off = abs(weight - terms.target) / terms.target
    cost = terms.deviation * off
    if off > 0.1 + SLACK:
        cost += terms.outside_10
        if off > 0.2 + SLACK:
            cost += terms.outside_20
    out = 0.0
    if weight < terms.minimum:
        out = terms.minimum - weight
    elif weight > terms.maximum:
        out = weight - terms.maximum
    if out > SLACK:
        cost += terms.hard * out / terms.target
    if weight <= SLACK:
        cost += terms.hard
    if perimeter > 0.0:
        circle = 2.0 * np.sqrt(np.pi * max(area, 0.0))
        ratio = perimeter / circle if circle * LONGEST > perimeter else LONGEST
        cost += terms.compactness * max(ratio - 1.0, 0.0)
    if barrier > 1.0:
        barrier = 1.0 + FURTHER * np.log(barrier)
    return cost + terms.barrier * barrier + terms.together * 0.5 * ties + terms.stay * moved


@inner
def main_home(cells: Cells, first: int, after: Longs, came: Floats) -> int:
    """Return the home that most weight of a part comes from, the lowest of several.

    Parameters
    ----------
    cells : Cells
    first : int
        One atom of the part.
    after : ndarray of int64, shape (n,)
        The next atom of the same part, -1 after the last.
    came : ndarray of float64, shape (homes,)
        Zeros, which are left behind.
    """
    main = -1
    u = first
    while u >= 0:
        if cells.home[u] >= 0:
            came[cells.home[u]] += cells.weight[u]
        u = after[u]
    u = first
    while u >= 0:
        at = cells.home[u]
        if at >= 0:
            ahead = main < 0 or came[at] > came[main]
            if ahead or (came[at] == came[main] and at < main):
                main = at
        u = after[u]
    u = first
    while u >= 0:
        if cells.home[u] >= 0:
            came[cells.home[u]] = 0.0
        u = after[u]
    return main


@inner
def heaviest_homes(cells: Cells, label: Longs, count: int) -> Longs:
    """Return for each part the home that most of its weight comes from, -1 for none."""
    home = np.full(count, -1, np.int64)
    most = -1
    for at in cells.home:
        most = max(most, at)
    if most < 0:
        return home
    first = np.full(count, -1, np.int64)
    after = np.empty(len(label), np.int64)
    for u in range(len(label) - 1, -1, -1):
        after[u] = first[label[u]]
        first[label[u]] = u
    came = np.zeros(most + 1)
    for part in range(count):
        home[part] = main_home(cells, first[part], after, came)
    return home


@inner
def add_up(
    cells: Cells, terms: Terms, label: Longs, count: int, home: Longs
) -> tuple[Floats, Longs]:
    """Return the totals and costs of all parts, shape (count, SUMS), and their sizes."""
    sums = np.zeros((count, SUMS))
    size = np.zeros(count, np.int64)
    for u in range(len(label)):
        part = label[u]
        size[part] += 1
        row = sums[part]
        row[WEIGHT] += cells.weight[u]
        row[AREA] += cells.area[u]
        row[PERIMETER] += cells.perimeter[u]
        row[TIES] += cells.ties[u]
        if cells.home[u] >= 0 and cells.home[u] != home[part]:
            row[MOVED] += cells.weight[u]
        for e in range(cells.starts[u], cells.starts[u + 1]):
            if label[cells.neighbour[e]] == part:
                row[PERIMETER] -= cells.border[e]
                row[BARRIER] += cells.barrier[e] * 0.5
                row[TIES] -= cells.together[e]
    for part in range(count):
        row = sums[part]
        row[COST] = part_cost(
            terms, row[WEIGHT], row[AREA], row[PERIMETER], row[BARRIER], row[TIES], row[MOVED]
        )
    return sums, size
