"""Search for a good partition of one parent: annealing, and exact solution of few parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmap.design.search._exact import Room, exact
from gridmap.design.search._score import (
    AREA,
    BARRIER,
    COST,
    MOVED,
    PERIMETER,
    SUMS,
    TIES,
    WEIGHT,
    Cells,
    Floats,
    Longs,
    Terms,
    add_up,
    heaviest_homes,
    inner,
    main_home,
    part_cost,
)

__all__ = ["anneal", "resolve"]

HOPELESS = 12.0  # exp(-12): a change this many temperatures worse is not worth a draw
FAR = 400  # atoms to walk past for another way round; a move that needs a longer one is not made
LARGE = 2000  # atoms above which the best state is not kept, only the last


@inner
def _draw(random: npt.NDArray[np.uint64]) -> int:
    """Return 32 random bits (xorshift64*, Vigna 2016)."""
    x = random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    random[0] = x
    return int((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(32))


@inner
def _below(random: npt.NDArray[np.uint64], count: int) -> int:
    return (_draw(random) * count) >> 32


@inner
def _without(cells: Cells, label: Longs, size: Longs, u: int, mark: Longs, queue: Longs) -> bool:
    """Tell whether the part of an atom surely stays connected, and not empty, without it."""
    part = label[u]
    if size[part] <= 1:
        return False
    mark[0] += 2
    wanted, found = mark[0], mark[0] + 1
    need, first = 0, -1
    for e in range(cells.starts[u], cells.starts[u + 1]):
        v = cells.neighbour[e]
        if label[v] == part:
            need += 1
            mark[1 + v] = wanted
            first = v
    if need <= 1:
        return need == 1
    mark[1 + u] = found
    mark[1 + first] = found
    queue[0] = first
    head, tail, met = 0, 1, 1
    while head < min(tail, FAR):
        a = queue[head]
        head += 1
        for e in range(cells.starts[a], cells.starts[a + 1]):
            v = cells.neighbour[e]
            if label[v] != part or mark[1 + v] == found:
                continue
            if mark[1 + v] == wanted:
                met += 1
                if met == need:
                    return True
            mark[1 + v] = found
            queue[tail] = v
            tail += 1
    return False


@inner
def _whole(cells: Cells, label: Longs, size: Longs, u: int, mark: Longs, queue: Longs) -> bool:
    """Tell whether the part of an atom is connected."""
    part = label[u]
    mark[0] += 2
    found = mark[0]
    mark[1 + u] = found
    queue[0] = u
    head, tail = 0, 1
    while head < tail:
        a = queue[head]
        head += 1
        for e in range(cells.starts[a], cells.starts[a + 1]):
            v = cells.neighbour[e]
            if label[v] == part and mark[1 + v] != found:
                mark[1 + v] = found
                queue[tail] = v
                tail += 1
    return bool(tail == size[part])


@inner
def _try(
    cells: Cells,
    terms: Terms,
    sums: Floats,
    label: Longs,
    home: Longs,
    u: int,
    to: int,
    new: Floats,
) -> float:
    """Write the totals of both parts after a move into `new`; return what the move costs."""
    part = label[u]
    border_a = border_b = barrier_a = barrier_b = tie_a = tie_b = 0.0
    for e in range(cells.starts[u], cells.starts[u + 1]):
        other = label[cells.neighbour[e]]
        if other == part:
            border_a += cells.border[e]
            barrier_a += cells.barrier[e]
            tie_a += cells.together[e]
        elif other == to:
            border_b += cells.border[e]
            barrier_b += cells.barrier[e]
            tie_b += cells.together[e]
    a, b, one, two = sums[part], sums[to], new[0], new[1]
    weight, at = cells.weight[u], cells.home[u]
    one[WEIGHT] = a[WEIGHT] - weight
    one[AREA] = a[AREA] - cells.area[u]
    one[PERIMETER] = a[PERIMETER] - cells.perimeter[u] + 2.0 * border_a
    one[BARRIER] = a[BARRIER] - barrier_a
    one[TIES] = a[TIES] - cells.ties[u] + 2.0 * tie_a
    one[MOVED] = a[MOVED] - (weight if at >= 0 and at != home[part] else 0.0)
    two[WEIGHT] = b[WEIGHT] + weight
    two[AREA] = b[AREA] + cells.area[u]
    two[PERIMETER] = b[PERIMETER] + cells.perimeter[u] - 2.0 * border_b
    two[BARRIER] = b[BARRIER] + barrier_b
    two[TIES] = b[TIES] + cells.ties[u] - 2.0 * tie_b
    two[MOVED] = b[MOVED] + (weight if at >= 0 and at != home[to] else 0.0)
    one[COST] = part_cost(
        terms, one[WEIGHT], one[AREA], one[PERIMETER], one[BARRIER], one[TIES], one[MOVED]
    )
    two[COST] = part_cost(
        terms, two[WEIGHT], two[AREA], two[PERIMETER], two[BARRIER], two[TIES], two[MOVED]
    )
    return float(one[COST] + two[COST] - a[COST] - b[COST])


@inner
def _commit(sums: Floats, size: Longs, label: Longs, u: int, to: int, new: Floats) -> None:
    part = label[u]
    for i in range(SUMS):
        sums[part, i] = new[0, i]
        sums[to, i] = new[1, i]
    size[part] -= 1
    size[to] += 1
    label[u] = to


@inner
def _total(sums: Floats) -> float:
    cost = 0.0
    for part in range(len(sums)):
        cost += sums[part, COST]
    return cost


@inner
def _accepts(change: float, heat: float, random: npt.NDArray[np.uint64]) -> bool:
    if change <= 0.0:
        return True
    if change > HOPELESS * heat:
        return False
    return bool(_draw(random) * 2.0**-32 < np.exp(-change / heat))


@inner
def _swap(
    cells: Cells,
    terms: Terms,
    sums: Floats,
    size: Longs,
    label: Longs,
    home: Longs,
    u: int,
    v: int,
    heat: float,
    random: npt.NDArray[np.uint64],
    mark: Longs,
    queue: Longs,
    new: Floats,
    old: Floats,
) -> float:
    """Try to exchange an atom for one of the part that a neighbour of it lies in.

    Returns
    -------
    float
        What was gained, 0 if nothing was changed.
    """
    part, to = label[u], label[v]
    x = v
    if _draw(random) & 1024:
        degree = cells.starts[v + 1] - cells.starts[v]
        x = cells.neighbour[cells.starts[v] + _below(random, degree)]
        if label[x] != to:
            x = v
    for i in range(SUMS):
        old[0, i] = sums[part, i]
        old[1, i] = sums[to, i]
    _try(cells, terms, sums, label, home, u, to, new)
    _commit(sums, size, label, u, to, new)
    _try(cells, terms, sums, label, home, x, part, new)
    _commit(sums, size, label, x, part, new)
    change = sums[part, COST] + sums[to, COST] - old[0, COST] - old[1, COST]
    if (
        _accepts(change, heat, random)
        and _whole(cells, label, size, x, mark, queue)
        and _whole(cells, label, size, u, mark, queue)
    ):
        return float(change)
    label[u], label[x] = part, to
    for i in range(SUMS):
        sums[part, i] = old[0, i]
        sums[to, i] = old[1, i]
    return 0.0


@inner
def anneal(
    cells: Cells,
    terms: Terms,
    label: Longs,
    parts: int,
    tries: int,
    hot: float,
    cold: float,
    random: npt.NDArray[np.uint64],
) -> float:
    """Improve a partition by moving and swapping atoms, at first also for the worse.

    Parameters
    ----------
    cells : Cells
    terms : Terms
    label : ndarray of int64
        A valid partition; becomes the best that was met.
    parts, tries : int
    hot, cold : float
        Temperature at the beginning and the end, in units of cost.
    random : ndarray of uint64, shape (1,)

    Returns
    -------
    float
        Cost of the best.
    """
    n = len(label)
    home = heaviest_homes(cells, label, parts)
    sums, size = add_up(cells, terms, label, parts, home)
    mark = np.zeros(n + 1, np.int64)
    queue = np.empty(n, np.int64)
    new, old = np.empty((2, SUMS)), np.empty((2, SUMS))
    now = _total(sums)
    best, best_label, kept = now, label.copy(), n <= LARGE
    heat, cooling = hot, (cold / hot) ** (64.0 / max(tries, 64))
    for turn in range(tries):
        if turn % 64 == 0:
            heat *= cooling
        u = _below(random, n)
        degree = cells.starts[u + 1] - cells.starts[u]
        if degree == 0:
            continue
        bits = _draw(random)
        v = cells.neighbour[cells.starts[u] + (((bits & 0xFFFFFF) * degree) >> 24)]
        part, to = label[u], label[v]
        if part == to:
            continue
        if bits & 0x3000000 or size[part] + size[to] > FAR:
            change = _try(cells, terms, sums, label, home, u, to, new)
            if not _accepts(change, heat, random):
                continue
            if not _without(cells, label, size, u, mark, queue):
                continue
            _commit(sums, size, label, u, to, new)
        else:
            change = _swap(
                cells, terms, sums, size, label, home, u, v, heat, random, mark, queue, new, old
            )
        now += change
        if kept and now < best - 1e-9:
            best = now
            best_label[:] = label
    if kept:
        label[:] = best_label
    home = heaviest_homes(cells, label, parts)
    sums, size = add_up(cells, terms, label, parts, home)
    return _total(sums)


@inner
def _cluster(
    cells: Cells,
    label: Longs,
    first: Longs,
    after: Longs,
    size: Longs,
    part: int,
    want: int,
    most: int,
    random: npt.NDArray[np.uint64],
    chosen: Longs,
) -> int:
    """Choose up to `want` parts around one, of at most so many atoms; return how many."""
    chosen[0] = part
    count, atoms = 1, size[part]
    for _ in range(12):
        if count == want:
            break
        u = first[chosen[_below(random, count)]]
        for _ in range(_below(random, size[label[u]])):
            u = after[u]
        degree = cells.starts[u + 1] - cells.starts[u]
        if degree == 0:
            continue
        other = label[cells.neighbour[cells.starts[u] + _below(random, degree)]]
        if atoms + size[other] > most:
            continue
        known = False
        for i in range(count):
            known = known or chosen[i] == other
        if not known:
            chosen[count] = other
            count += 1
            atoms += size[other]
    return count


@inner
def _members(
    sums: Floats, first: Longs, after: Longs, chosen: Longs, atoms: Longs
) -> tuple[float, int]:
    """Write the atoms of some parts into `atoms`; return what the parts cost, and how many."""
    cost, count = 0.0, 0
    for part in chosen:
        cost += sums[part, COST]
        u = first[part]
        while u >= 0:
            atoms[count] = u
            count += 1
            u = after[u]
    return cost, count


@inner
def resolve(
    cells: Cells,
    terms: Terms,
    label: Longs,
    parts: int,
    passes: int,
    most: int,
    want: int,
    work: int,
    room: Room,
    random: npt.NDArray[np.uint64],
) -> None:
    """Improve a partition by solving a few neighbouring parts at a time exactly.

    Parameters
    ----------
    cells : Cells
    terms : Terms
    label : ndarray of int64
        A valid partition; is improved in place.
    parts, passes : int
    most : int
        Atoms that the parts of one such cluster may have together.
    want : int
        Parts that it may have.
    work : int
        Limit of effort for each.
    room : Room
    random : ndarray of uint64, shape (1,)
    """
    n = len(label)
    home = heaviest_homes(cells, label, parts)
    sums, size = add_up(cells, terms, label, parts, home)
    first = np.full(parts, -1, np.int64)
    after = np.full(n, -1, np.int64)
    for u in range(n - 1, -1, -1):
        after[u] = first[label[u]]
        first[label[u]] = u
    fresh = np.ones(parts, np.bool_)
    chosen = np.empty(want, np.int64)
    atoms = np.empty(most, np.int64)
    found = np.empty(n, np.int64)
    for _ in range(passes):
        gained = False
        again = np.zeros(parts, np.bool_)
        for part in range(parts):
            if not fresh[part] or size[part] > most:
                continue
            for goal in range(want, 1, -1):
                count = _cluster(cells, label, first, after, size, part, goal, most, random, chosen)
                if count == 1:
                    break
                known, at = _members(sums, first, after, chosen[:count], atoms)
                if exact(cells, terms, atoms[:at], count, known - 1e-6, work, room, found) != 1:
                    continue
                gained = True
                again[chosen[:count]] = True
                first[chosen[:count]] = -1
                for i in range(at):
                    u, to = atoms[i], chosen[found[atoms[i]]]
                    label[u] = to
                    after[u] = first[to]
                    first[to] = u
                _refresh(
                    cells, terms, label, home, first, after, room.homes, chosen[:count], sums, size
                )
        if not gained:
            break
        fresh = again


@inner
def _refresh(
    cells: Cells,
    terms: Terms,
    label: Longs,
    home: Longs,
    first: Longs,
    after: Longs,
    came: Floats,
    chosen: Longs,
    sums: Floats,
    size: Longs,
) -> None:
    """Add up some parts anew."""
    for part in chosen:
        row = sums[part]
        row[:] = 0.0
        if terms.stay > 0.0:
            home[part] = main_home(cells, first[part], after, came)
        u = first[part]
        size[part] = 0
        while u >= 0:
            size[part] += 1
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
            u = after[u]
        row[COST] = part_cost(
            terms, row[WEIGHT], row[AREA], row[PERIMETER], row[BARRIER], row[TIES], row[MOVED]
        )
