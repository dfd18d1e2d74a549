"""Components of a parent, and the links that tie islands to the rest."""

from __future__ import annotations

import numpy as np

from gridmap.design.search._score import Bools, Cells, Floats, Longs, inner

__all__ = ["components", "nearest_links"]

ISLAND = 0.1  # of the target: an island that weighs less is no part of its own


@inner
def components(cells: Cells) -> tuple[Longs, int]:
    """Return the connected component of each atom, and how many there are."""
    n = len(cells.weight)
    component = np.full(n, -1, np.int64)
    queue = np.empty(n, np.int64)
    count = 0
    for s in range(n):
        if component[s] >= 0:
            continue
        component[s] = count
        queue[0] = s
        head, tail = 0, 1
        while head < tail:
            u = queue[head]
            head += 1
            for e in range(cells.starts[u], cells.starts[u + 1]):
                v = cells.neighbour[e]
                if component[v] < 0:
                    component[v] = count
                    queue[tail] = v
                    tail += 1
        count += 1
    return component, count


@inner
def _nearest_outside(cells: Cells, component: Longs, u: int, near: float) -> tuple[int, float]:
    """Return the nearest atom of another component, no farther than `near`, and its distance.

    Atoms stand by x, so that the scan ends where x alone is too far.
    """
    best, n = -1, len(component)
    for step in (-1, 1):
        v = u + step
        while 0 <= v < n:
            dx = cells.x[v] - cells.x[u]
            if dx * dx > near or (dx * dx == near and best >= 0):
                break
            if component[v] != component[u]:
                dy = cells.y[v] - cells.y[u]
                if dx * dx + dy * dy < near or (best < 0 and dx * dx + dy * dy == near):
                    near = dx * dx + dy * dy
                    best = v
            v += step
    return best, near


@inner
def _to_link(weight: Floats, parts: int, least: float) -> Bools:
    """Tell which components cannot be parts: those too light, and the lightest beyond `parts`."""
    chosen = weight < least
    order = np.argsort(weight, kind="mergesort")
    for i in range(len(weight) - parts):
        chosen[order[i]] = True
    return chosen


@inner
def _weights(cells: Cells, component: Longs, count: int) -> Floats:
    weight = np.zeros(count)
    for u in range(len(component)):
        weight[component[u]] += cells.weight[u]
    return weight


@inner
def _nearest(cells: Cells, component: Longs, chosen: Bools) -> tuple[Longs, Longs]:
    """Return for each chosen component its nearest atom to another, and that; -1 for others."""
    near = np.full(len(chosen), np.inf)
    one = np.full(len(chosen), -1, np.int64)
    other = np.full(len(chosen), -1, np.int64)
    for u in range(len(component)):
        c = component[u]
        if chosen[c]:
            v, distance = _nearest_outside(cells, component, u, near[c])
            if v >= 0 and (distance < near[c] or one[c] < 0):
                near[c], one[c], other[c] = distance, u, v
    return one, other


@inner
def _joined(
    weight: Floats,
    component: Longs,
    one: Longs,
    other: Longs,
    target: float,
    least: float,
    first: int,
    ends: list[tuple[int, int]],
) -> Longs:
    """Link components, light ones first, and return the lowest of those linked to each.

    Two that weigh more than a part should are not linked if either was in this round, so that
    islands do not all end up in one chain.
    """
    count = len(weight)
    root = np.arange(count)
    total = weight.copy()
    taken = np.zeros(count, np.bool_)
    for c in np.argsort(weight, kind="mergesort"):
        if one[c] < 0:
            continue
        a, b = _root(root, c), _root(root, component[other[c]])
        if a == b:
            continue
        both = total[a] + total[b]
        if both > target and weight[c] >= least and (taken[a] or taken[b]):
            continue
        ends.append((first + one[c], first + other[c]))
        low = min(a, b)
        root[max(a, b)] = low
        total[low] = both
        taken[low] = True
    for c in range(count):
        root[c] = _root(root, c)
    return root


@inner
def _root(joined: Longs, at: int) -> int:
    while joined[at] != at:
        joined[at] = joined[joined[at]]
        at = joined[at]
    return at


@inner
def nearest_links(
    cells: Cells, parts: int, target: float, first: int, ends: list[tuple[int, int]]
) -> None:
    """Tie islands to what lies nearest, until every component can be a part.

    Parameters
    ----------
    cells : Cells
        By x.
    parts : int
        How many components there may be.
    target : float
        A component that weighs less than a tenth of it is tied to another even so.
    first : int
        Position of the first of these atoms.
    ends : list of (int, int)
        Receives the links.
    """
    component, count = components(cells)
    least = ISLAND * target
    while count > 1:
        weight = _weights(cells, component, count)
        chosen = _to_link(weight, parts, least)
        if not np.any(chosen):
            break
        one, other = _nearest(cells, component, chosen)
        root = _joined(weight, component, one, other, target, least, first, ends)
        number = np.full(count, -1, np.int64)
        count = 0
        for u in range(len(component)):
            c = root[component[u]]
            if number[c] < 0:
                number[c] = count
                count += 1
            component[u] = number[c]
