"""The proven floor: how even the parts of a parent can be at all, with as many as are wanted.

For a cost that adds up over parts and depends on their weight alone, the best partition into
exactly k connected parts is found by dynamic programming over sets of atoms: the part of the
lowest atom left is chosen among the connected sets that hold it, and of two ways to use up the
same atoms with as many parts only the cheaper is followed. What cannot lead below a limit is left
out, by a bound that forgets geometry; the limit rises until a partition is found (Korf 1985,
"Depth-first iterative-deepening", on the bound). Shares no code with gridmap's own search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit, types
from numba.typed import Dict
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from benchmarks.atoms import HARD_BOUNDS, TARGET, Part

__all__ = ["COSTS", "LARGEST", "Floor", "confirm", "cost_table", "floor"]

LARGEST = 62  # atoms: a set of them is one signed word
FAR = 1 << 40
COSTS = ("mean_abs_dev", "within_10pct", "within_20pct", "violation")

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Floor:
    """The least cost of one parent.

    Parameters
    ----------
    cost : int
        Households of deviation, parts outside, or households of violation.
    solved : bool
        Whether a partition has this cost. Otherwise it is a bound that none can go below.
    """

    cost: int
    solved: bool


def cost_table(metric: str, total: int) -> Longs:
    """Return what a part costs, by its weight in households.

    Parameters
    ----------
    metric : str
        One of `COSTS`: the deviation from the target, 1 for a part outside 10 or 20 per cent, or
        the households beyond the hard bounds of `HARD_BOUNDS`.
    total : int
        The largest weight.
    """
    weight = np.arange(total + 1)
    away = np.abs(weight - TARGET)
    if metric == "mean_abs_dev":
        return np.asarray(away, dtype=np.int64)
    if metric == "violation":
        low, high = HARD_BOUNDS
        beyond = np.maximum(np.maximum(low - weight, weight - high), 0)
        return np.asarray(beyond, dtype=np.int64)
    share = {"within_10pct": 0.1, "within_20pct": 0.2}[metric]
    return np.asarray(away > share * TARGET + 1e-9, dtype=np.int64)


def floor(part: Part, metric: str, *, effort: int = 300_000) -> Floor:
    """Return the least cost of a parent at its wanted number of parts.

    Parameters
    ----------
    part : Part
    metric : str
        One of `COSTS`.
    effort : int
        How many sets may be looked at before the search gives up and a bound is returned.
    """
    total = int(part.weight.sum())
    cost = cost_table(metric, total)
    relaxed = _relaxed(cost, part.count)
    limit = int(relaxed[part.count, total])
    if len(part) > LARGEST:
        return Floor(limit, solved=False)
    weight, near = _ordered(part)
    while True:
        best, following, effort = _search(weight, near, cost, relaxed, part.count, limit, effort)
        if best < FAR:
            return Floor(int(best), solved=True)
        if effort <= 0 or following >= FAR:
            return Floor(limit, solved=False)
        limit = int(following)


def _ordered(part: Part) -> tuple[Longs, Longs]:
    """Return weights and neighbour sets in an order in which the atoms left hang together."""
    size = len(part)
    ones = np.ones(len(part.neighbour), dtype=np.int8)
    links = csr_array((ones, part.neighbour, part.starts), shape=(size, size))
    order = np.asarray(reverse_cuthill_mckee(links.tocsr(), symmetric_mode=True))
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size)
    near = np.zeros(size, dtype=np.int64)
    for at in range(size):
        for to in part.neighbour[part.starts[at] : part.starts[at + 1]]:
            near[place[at]] |= np.int64(1) << place[to]
    return part.weight[order], near


def _relaxed(cost: Longs, count: int) -> Longs:
    """Return the least cost of so many parts of so much weight together, whatever the atoms."""
    return np.asarray(_relax(cost, count))


@njit(cache=True)
def _relax(cost, count):  # type: ignore[no-untyped-def]
    size = len(cost)
    least = np.full((count + 1, size), FAR, dtype=np.int64)
    least[0, 0] = 0
    for parts in range(1, count + 1):
        for total in range(size):
            best = FAR
            for own in range(total + 1):
                best = min(best, cost[own] + least[parts - 1, total - own])
            least[parts, total] = best
    return least


@njit(cache=True)
def _lowest(bits):  # type: ignore[no-untyped-def]
    at = 0
    while (bits >> at) & 0xFF == 0:
        at += 8
    while (bits >> at) & 1 == 0:
        at += 1
    return at


@njit(cache=True)
def _component(near, left, root):  # type: ignore[no-untyped-def]
    """Return the atoms of `left` that hang together with `root`."""
    seen = np.int64(1) << root
    front = seen
    while front:
        at = _lowest(front)
        front &= front - 1
        new = near[at] & left & ~seen
        seen |= new
        front |= new
    return seen


@njit(cache=True)
def _weight(weight, bits):  # type: ignore[no-untyped-def]
    total = 0
    while bits:
        total += weight[_lowest(bits)]
        bits &= bits - 1
    return total


@njit(cache=True)
def _bound(weight, near, free, left, parts):  # type: ignore[no-untyped-def]
    """Return what the pieces of `left` cost at least, each divided by itself."""
    pieces, total = 0, 0
    while left:
        piece = _component(near, left, _lowest(left))
        pieces += 1
        if pieces > parts:
            return FAR
        total += free[_weight(weight, piece)]
        left &= ~piece
    return total


@njit(cache=True)
def _free(relaxed):  # type: ignore[no-untyped-def]
    """Return the least cost of so much weight in any number of parts."""
    least = np.full(relaxed.shape[1], FAR, dtype=np.int64)
    for parts in range(1, len(relaxed)):
        least = np.minimum(least, relaxed[parts])
    return least


@njit(cache=True)
def _tail(cost, after, rest):  # type: ignore[no-untyped-def]
    """Return the least cost with a next part of so much weight or more: sets only grow heavier."""
    tail = np.full(rest + 2, FAR, dtype=np.int64)
    for own in range(rest, -1, -1):
        tail[own] = min(tail[own + 1], cost[own] + after[rest - own])
    return tail


@njit(cache=True)
def _taken(weight, near, free, after, coming, used, chosen, left, parts, paid, rest, limit):  # type: ignore[no-untyped-def]
    """Keep a part that may lead to the limit; return the bound if it cannot, else 0."""
    left = left & ~chosen
    known = used | chosen
    bound = paid + after[rest]
    if bound > limit:
        return bound
    if left == 0 or (known in coming and coming[known] <= paid):
        return 0
    bound = paid + _bound(weight, near, free, left, parts)
    if bound > limit:
        return bound
    coming[known] = paid
    return 0


@njit(cache=True)
def _spread(weight, near, cost, free, after, coming, used, spent, parts, limit, effort):  # type: ignore[no-untyped-def]
    """Follow every next part of a state; return the least bound left out and the effort left."""
    size = len(weight)
    left = ((np.int64(1) << size) - 1) & ~used
    rest = _weight(weight, left)
    tail = _tail(cost, after, rest)
    stack = np.empty((size * size + 8, 4), dtype=np.int64)
    root = _lowest(left)
    stack[0, 0] = np.int64(1) << root
    stack[0, 1] = ~left | stack[0, 0]
    stack[0, 2] = near[root]
    stack[0, 3] = weight[root]
    top, following = 1, FAR
    while top > 0 and effort > 0:
        top -= 1
        effort -= 1
        chosen, out, rim, own = stack[top]
        if spent + tail[own] > limit:
            following = min(following, spent + tail[own])
            continue
        bound = _taken(
            weight, near, free, after, coming, used, chosen, left, parts,
            spent + cost[own], rest - own, limit,
        )  # fmt: skip
        if bound > 0:
            following = min(following, bound)
        open_ = rim & ~out
        while open_:
            at = _lowest(open_)
            bit = np.int64(1) << at
            open_ &= ~bit
            out |= bit
            stack[top, 0] = chosen | bit
            stack[top, 1] = out
            stack[top, 2] = rim | near[at]
            stack[top, 3] = own + weight[at]
            top += 1
    return following, effort


@njit(cache=True)
def _search(weight, near, cost, relaxed, count, limit, effort):  # type: ignore[no-untyped-def]
    """Return the least cost up to `limit`, the least bound above it, and the effort left."""
    everything = (np.int64(1) << len(weight)) - 1
    free = _free(relaxed)
    layer = Dict.empty(types.int64, types.int64)
    layer[0] = 0
    following = FAR
    for parts in range(count - 1, 0, -1):
        coming = Dict.empty(types.int64, types.int64)
        for used, spent in layer.items():
            bound, effort = _spread(
                weight, near, cost, free, relaxed[parts], coming, used, spent, parts, limit, effort
            )
            following = min(following, bound)
            if effort <= 0:
                return FAR, following, effort
        layer = coming
    best = FAR
    for used, spent in layer.items():
        left = everything & ~used
        if _component(near, left, _lowest(left)) == left:
            best = min(best, spent + cost[_weight(weight, left)])
    if best > limit:
        return FAR, min(following, best), effort
    return best, following, effort


def confirm(part: Part, metric: str, *, most: int = 200_000) -> int | None:
    """Return the least cost by another method: set partitioning, solved by HiGHS.

    Parameters
    ----------
    part : Part
    metric : str
    most : int
        None is returned if there are more connected sets of atoms than this.
    """
    sets = _connected_sets(part, most)
    if sets is None:
        return None
    member = (sets[:, None] >> np.arange(len(part))) & 1
    cost = cost_table(metric, int(part.weight.sum()))[member @ part.weight]
    rows = np.vstack([member.T, np.ones((1, len(sets)), dtype=np.int64)])
    exact = np.append(np.ones(len(part)), part.count)
    found = milp(
        cost,
        constraints=LinearConstraint(csr_array(rows), exact, exact),
        integrality=np.ones(len(sets), dtype=np.int64),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    return round(float(found.fun)) if found.success else None


def _connected_sets(part: Part, most: int) -> Longs | None:
    """Return every connected set of atoms, as a set of bits, by adding neighbours."""
    if len(part) > LARGEST:
        return None
    near = [0] * len(part)
    for at in range(len(part)):
        for to in part.neighbour[part.starts[at] : part.starts[at + 1]].tolist():
            near[at] |= 1 << to
    known = {1 << at for at in range(len(part))}
    front = list(known)
    while front:
        grown = set()
        for bits in front:
            rim = 0
            for at in range(len(part)):
                if bits >> at & 1:
                    rim |= near[at]
            rim &= ~bits
            while rim:
                bit = rim & -rim
                rim ^= bit
                grown.add(bits | bit)
        front = list(grown - known)
        known |= grown
        if len(known) > most:
            return None
    return np.array(sorted(known), dtype=np.int64)
