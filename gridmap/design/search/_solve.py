"""The steps of a partition, each over all parents in one compiled loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmap.design.search._exact import MOST_ATOMS, Room, exact, make_room
from gridmap.design.search._first import halve, repair
from gridmap.design.search._islands import components, nearest_links
from gridmap.design.search._score import (
    COST,
    SLACK,
    WEIGHT,
    Bools,
    Cells,
    Floats,
    Longs,
    Terms,
    add_up,
    heaviest_homes,
    inner,
    kernel,
    part_cost,
)
from gridmap.design.search._search import anneal, resolve

__all__ = ["first_partitions", "improve", "island_links", "values"]

SETS, STATES = 30_000, 60_000
WORK = 3_000_000  # pairs of a state and a set to try for a proof
SOFT = 3.0  # of all that a part can cost otherwise, for one target outside the bounds

MANY = 30  # atoms to a part, above which heat is measured down
COARSE_HOT, COARSE_COLD = 2.0, 0.1
BEGIN, SEARCH, SEARCH_AGAIN, FEASIBLE, MEND, END = range(6)


@inner
def _one(cells: Cells, low: int, high: int) -> Cells:
    """Return the atoms of one parent."""
    begin, end = cells.starts[low], cells.starts[high]
    return Cells(
        cells.weight[low:high], cells.x[low:high], cells.y[low:high], cells.area[low:high],
        cells.perimeter[low:high], cells.home[low:high], cells.ties[low:high],
        cells.starts[low : high + 1] - begin, cells.neighbour[begin:end] - low,
        cells.border[begin:end], cells.barrier[begin:end], cells.together[begin:end],
    )  # fmt: skip


@kernel
def island_links(cells: Cells, offsets: Longs, counts: Longs, target: float) -> Longs:
    """Find the links that tie islands to the rest of their parents.

    Parameters
    ----------
    cells : Cells
        By parent, then by x.
    offsets : ndarray of int64, shape (p + 1,)
    counts : ndarray of int64, shape (p,)
        How many components a parent may have.
    target : float
        Components that weigh less than a tenth of it are tied even so.

    Returns
    -------
    ndarray of int64, shape (l, 2)
    """
    ends = [(-1, -1) for _ in range(0)]
    for p in range(len(counts)):
        low, high = offsets[p], offsets[p + 1]
        if high - low > 1:
            nearest_links(_one(cells, low, high), counts[p], target, low, ends)
    links = np.empty((len(ends), 2), np.int64)
    for i in range(len(ends)):
        links[i, 0], links[i, 1] = ends[i]
    return links


@inner
def _shared_out(
    cells: Cells, terms: Terms, component: Longs, count: int, parts: int
) -> tuple[Longs, Longs]:
    """Return how many parts each component gets: one, and the rest where they save most."""
    weight = np.zeros(count)
    size = np.zeros(count, np.int64)
    for u in range(len(component)):
        weight[component[u]] += cells.weight[u]
        size[component[u]] += 1
    share = np.ones(count, np.int64)
    for _ in range(parts - count):
        best, most = -1, 0.0
        for c in range(count):
            if share[c] == size[c]:
                continue
            now = share[c] * part_cost(terms, weight[c] / share[c], 0.0, 0.0, 0.0, 0.0, 0.0)
            more = share[c] + 1
            gain = now - more * part_cost(terms, weight[c] / more, 0.0, 0.0, 0.0, 0.0, 0.0)
            if best < 0 or gain > most:
                best, most = c, gain
        share[best] += 1
    return share, size


@kernel
def first_partitions(
    cells: Cells, offsets: Longs, counts: Longs, terms: Terms, warm: bool, label: Longs
) -> None:
    """Write a valid partition of each parent into `label`, which holds one to mend if `warm`."""
    for p in range(len(counts)):
        low, high = offsets[p], offsets[p + 1]
        parts = counts[p]
        if low == high:
            continue
        mine = label[low:high]
        if parts == 1 or parts == high - low:
            mine[:] = np.arange(high - low) % parts
            continue
        one = _one(cells, low, high)
        if not warm:
            component, count = components(one)
            share, size = _shared_out(one, terms, component, count, parts)
            at = np.cumsum(size) - size
            order = np.empty(high - low, np.int64)
            for u in range(high - low):
                order[at[component[u]]] = u
                at[component[u]] += 1
            first = 0
            for c in range(count):
                halve(one, order[at[c] - size[c] : at[c]], share[c], first, mine)
                first += share[c]
        repair(one, mine, parts)


@inner
def _value(cells: Cells, terms: Terms, label: Longs, parts: int) -> tuple[float, float]:
    """Return what a partition costs, and the weight of its parts outside the bounds."""
    sums, _ = add_up(cells, terms, label, parts, heaviest_homes(cells, label, parts))
    out = cost = 0.0
    for part in range(parts):
        weight = sums[part, WEIGHT]
        out += max(0.0, terms.minimum - weight, weight - terms.maximum)
        cost += sums[part, COST]
    return cost, out


@kernel
def values(
    cells: Cells, offsets: Longs, counts: Longs, terms: Terms, label: Longs, cost: Floats
) -> None:
    """Write what each partition costs, its bounds apart, into `cost`."""
    pure = _harder(terms, 0.0)
    for p in range(len(counts)):
        low, high = offsets[p], offsets[p + 1]
        if low < high:
            fitting = _fitting(pure, high - low, counts[p])
            cost[p] = _value(_one(cells, low, high), fitting, label[low:high], counts[p])[0]


@inner
def _harder(terms: Terms, hard: float) -> Terms:
    return Terms(
        terms.deviation, terms.outside_10, terms.outside_20, terms.compactness, terms.barrier,
        terms.together, terms.stay, terms.coarse, terms.target, terms.minimum, terms.maximum, hard,
    )  # fmt: skip


@inner
def _fitting(terms: Terms, atoms: int, parts: int) -> Terms:
    """Return the terms for a parent: where parts have few atoms, compactness counts more."""
    compactness = terms.compactness * (1.0 + terms.coarse * parts / max(atoms, 1))
    return Terms(
        terms.deviation, terms.outside_10, terms.outside_20, compactness, terms.barrier,
        terms.together, terms.stay, terms.coarse, terms.target, terms.minimum, terms.maximum,
        terms.hard,
    )  # fmt: skip


@kernel
def improve(
    cells: Cells,
    offsets: Longs,
    counts: Longs,
    terms: Terms,
    warm: bool,
    effort: float,
    seeds: Longs,
    label: Longs,
    proven: Bools,
) -> None:
    """Improve the partition of each parent.

    Parameters
    ----------
    cells : Cells
        By parent, and canonically inside.
    offsets : ndarray of int64, shape (p + 1,)
    counts : ndarray of int64, shape (p,)
        Parts in `label`.
    terms : Terms
    warm : bool
        Whether to stay near the partition that is given.
    effort : float
    seeds : ndarray of int64, shape (p,)
    label : ndarray of int64, shape (n,)
        Valid partitions, which are changed in place.
    proven : ndarray of bool, shape (p,)
        Receives whether nothing better exists.
    """
    most = 0
    for p in range(len(counts)):
        most = max(most, offsets[p + 1] - offsets[p])
    share = min(1.0, effort)
    room = make_room(int(SETS * share) + 1, int(STATES * share) + 1, most)
    random = np.empty(1, np.uint64)
    for p in range(len(counts)):
        low, high = offsets[p], offsets[p + 1]
        parts = counts[p]
        proven[p] = parts == 1 or parts >= high - low
        if proven[p]:
            continue
        random[0] = np.uint64(seeds[p]) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
        one, mine = _one(cells, low, high), label[low:high]
        own = _fitting(terms, high - low, parts)
        least = _unavoidable(one, own, parts)
        step = MEND if warm else BEGIN if high - low <= MOST_ATOMS else SEARCH
        while step != END:
            kept = mine.copy()
            if step == FEASIBLE:
                _meet_bounds(one, own, mine, parts, effort, room, random)
            _step(one, own, mine, parts, step, effort, room, random)
            known, out = _value(one, own, mine, parts)
            if step in (SEARCH_AGAIN, FEASIBLE):
                before = _value(one, own, kept, parts)
                if known >= before[0]:
                    mine[:] = kept
                    known, out = before
            outside = out > least + SLACK * parts
            if _may_prove(step, own, outside):
                proven[p] = _prove(one, own, mine, parts, known, WORK * effort, room)
            step = _next(step, high - low, proven[p], outside)


@inner
def _unavoidable(cells: Cells, terms: Terms, parts: int) -> float:
    """Return the weight that is outside the bounds in any partition, however atoms are shared."""
    total = 0.0
    for weight in cells.weight:
        total += weight
    return max(0.0, parts * terms.minimum - total, total - parts * terms.maximum)


@inner
def _may_prove(step: int, terms: Terms, outside: bool) -> bool:
    """Tell whether to look for the best of all, however far from the partition at hand."""
    if step == MEND:
        return terms.stay > 0.0 or outside
    return step in (BEGIN, FEASIBLE)


@inner
def _next(step: int, n: int, proven: bool, outside: bool) -> int:
    """Return the step after one."""
    if proven or step == FEASIBLE:
        return END
    if step == BEGIN:
        return SEARCH
    if step == SEARCH and (n <= MOST_ATOMS or outside):
        return SEARCH_AGAIN
    return FEASIBLE if outside and n <= MOST_ATOMS else END


@inner
def _meet_bounds(
    cells: Cells,
    terms: Terms,
    label: Longs,
    parts: int,
    effort: float,
    room: Room,
    random: npt.NDArray[np.uint64],
) -> None:
    """Bring as much weight inside the bounds as can be, whatever else it costs."""
    bare = Terms(
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        terms.target,
        terms.minimum,
        terms.maximum,
        terms.hard,
    )
    tries = int(2000 * len(label) * effort) + 1
    # A heat of a tenth of the target, which cools to a five-hundredth.
    anneal(cells, bare, label, parts, tries, 0.1 * terms.hard, 0.002 * terms.hard, random)
    known, out = _value(cells, bare, label, parts)
    if out <= _unavoidable(cells, terms, parts) + SLACK * parts:
        return
    # To meet all bounds is asked first, because far fewer sets of atoms can be part of that.
    none = min(known, 1e-6 * terms.hard)
    if not _prove(cells, bare, label, parts, none, 10 * WORK * effort, room):
        return
    known, out = _value(cells, bare, label, parts)
    if out > SLACK * parts:
        _prove(cells, bare, label, parts, known, 10 * WORK * effort, room)


@inner
def _prove(
    cells: Cells, terms: Terms, label: Longs, parts: int, known: float, work: float, room: Room
) -> bool:
    """Replace a partition of this cost by the best there is; tell whether that is proven."""
    n = len(label)
    if n > MOST_ATOMS:
        return False
    found = np.empty(n, np.int64)
    told = exact(cells, terms, np.arange(n), parts, known, int(work), room, found)
    if told == 1:
        label[:] = found
    return told >= 0


@inner
def _coarseness(cells: Cells, terms: Terms) -> float:
    """Return the share of the weight in atoms that are not small beside the target."""
    total = large = 0.0
    for weight in cells.weight:
        total += weight
        if weight > 0.2 * terms.target:
            large += weight
    return large / total if total > 0.0 else 0.0


@inner
def _step(
    cells: Cells,
    terms: Terms,
    label: Longs,
    parts: int,
    step: int,
    effort: float,
    room: Room,
    random: npt.NDArray[np.uint64],
) -> None:
    """Improve one partition: temperatures are in units of cost, tries for each atom."""
    coarse = 0.1 * (terms.deviation + terms.compactness)
    if step == BEGIN:
        tries, hot, cold = 100, coarse, 0.03 * coarse
        more, passes, size, want, work = 30, 1, 12, 3, 20_000
    elif step in (FEASIBLE, MEND):
        tries, hot, cold = 0, coarse, coarse
        more, passes, size, want, work = 100, 2, 12, 3, 20_000
    elif len(label) <= MOST_ATOMS:
        tries, hot, cold = 400, 3.0 * coarse, 0.3 * coarse
        more, passes, size, want, work = 100, 6, 14, 5, 200_000
    else:
        # Where atoms are fine, equal parts are soon found, and shapes take the time.
        shape = min(1.0, terms.compactness / (terms.deviation + 1e-12))
        rough = _coarseness(cells, terms)
        tries = 150 + int(400 * shape * (1 - rough)) + int(150 * rough)
        hot = 0.12 * terms.compactness + 0.02 * terms.deviation + COARSE_HOT * rough * coarse
        cold = 0.02 * terms.compactness + 0.0005 * terms.deviation + COARSE_COLD * rough * coarse
        more, passes, size, want, work = 100, 3, 14, 4, 20_000
    # In a part of many atoms, moving one changes little.
    calm = min(1.0, MANY * parts / len(label))
    hot, cold = calm * hot + 1e-9, calm * cold + 1e-9
    n = int(len(label) * effort) + 1
    if tries:
        soft = SOFT * (terms.deviation + terms.outside_10 + terms.outside_20 + terms.compactness)
        anneal(cells, _harder(terms, soft), label, parts, tries * n, hot, cold, random)
    cool = 0.006 if step in (FEASIBLE, MEND) else 0.05
    warm, last = calm * cool * coarse + 1e-9, calm * 0.005 * coarse + 1e-9
    anneal(cells, terms, label, parts, more * n, warm, last, random)
    resolve(cells, terms, label, parts, passes, size, want, work, room, random)
