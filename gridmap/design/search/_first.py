"""A first partition of one parent: halving, and the repair of any labels to connected parts."""

from __future__ import annotations

import numpy as np

from gridmap.design.search._score import Cells, Floats, Longs, inner

__all__ = ["halve", "repair"]


@inner
def _principal(cells: Cells, atoms: Longs, along: Floats) -> None:
    """Write the place of each atom along the longest axis of their points into `along`."""
    n = len(atoms)
    mx = my = 0.0
    for u in atoms:
        mx += cells.x[u] / n
        my += cells.y[u] / n
    xx = yy = xy = 0.0
    for u in atoms:
        dx, dy = cells.x[u] - mx, cells.y[u] - my
        xx += dx * dx
        yy += dy * dy
        xy += dx * dy
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    c, s = np.cos(angle), np.sin(angle)
    for i in range(n):
        along[i] = (cells.x[atoms[i]] - mx) * c + (cells.y[atoms[i]] - my) * s


@inner
def halve(cells: Cells, atoms: Longs, parts: int, first: int, label: Longs) -> None:
    """Cut atoms into parts by halving across the longest axis again and again.

    Parameters
    ----------
    cells : Cells
    atoms : ndarray of int64
    parts : int
        At most as many as atoms.
    first : int
        The lowest of the labels that are given.
    label : ndarray of int64
        Receives the part of each atom; a part may be in pieces.
    """
    atoms = atoms.copy()
    along = np.empty(len(atoms))
    even = 0.0
    for u in atoms:
        even = max(even, cells.weight[u])
    even = 1.0 if even == 0.0 else 0.0
    todo = [(0, len(atoms), parts, first)]
    while todo:
        low, high, count, at = todo.pop()
        if count == 1:
            for i in range(low, high):
                label[atoms[i]] = at
            continue
        mine = atoms[low:high]
        _principal(cells, mine, along)
        mine[:] = mine[np.argsort(along[: high - low], kind="mergesort")]
        half = count // 2
        total = 0.0
        for u in mine:
            total += cells.weight[u] + even
        goal, sofar, cut, best = total * half / count, 0.0, low + half, np.inf
        for i in range(low, high - (count - half)):
            sofar += cells.weight[atoms[i]] + even
            if i - low + 1 >= half and abs(sofar - goal) < best:
                best = abs(sofar - goal)
                cut = i + 1
        todo.append((cut, high, count - half, at + half))
        todo.append((low, cut, half, at))


@inner
def pieces(cells: Cells, label: Longs, piece: Longs) -> int:
    """Write the connected pieces of equal label into `piece`; return how many."""
    n = len(label)
    piece[:] = -1
    queue = np.empty(n, np.int64)
    count = 0
    for s in range(n):
        if piece[s] >= 0:
            continue
        piece[s] = count
        queue[0] = s
        head, tail = 0, 1
        while head < tail:
            u = queue[head]
            head += 1
            for e in range(cells.starts[u], cells.starts[u + 1]):
                v = cells.neighbour[e]
                if piece[v] < 0 and label[v] == label[s]:
                    piece[v] = count
                    queue[tail] = v
                    tail += 1
        count += 1
    return count


@inner
def _drop_pieces(cells: Cells, label: Longs, piece: Longs) -> None:
    """Leave to each label its heaviest connected piece, and -1 to all else."""
    count = pieces(cells, label, piece)
    heavy = np.zeros(count)
    best = np.full(len(label) + 1, -1, np.int64)
    for u in range(len(label)):
        heavy[piece[u]] += cells.weight[u] + 1e-6
    for u in range(len(label)):
        at = best[label[u]]
        if at < 0 or heavy[piece[u]] > heavy[at]:
            best[label[u]] = piece[u]
    for u in range(len(label)):
        if best[label[u]] != piece[u]:
            label[u] = -1


@inner
def _join_rest(cells: Cells, label: Longs) -> None:
    """Give atoms of no label that of a neighbour, over the longest border, ring by ring."""
    n = len(label)
    some = True
    while some:
        some = False
        chosen = np.full(n, -1, np.int64)
        for u in range(n):
            longest = -1.0
            for e in range(cells.starts[u], cells.starts[u + 1]):
                v = cells.neighbour[e]
                if label[u] < 0 <= label[v] and cells.border[e] > longest:
                    longest = cells.border[e]
                    chosen[u] = label[v]
                    some = True
        for u in range(n):
            if chosen[u] >= 0:
                label[u] = chosen[u]


@inner
def _keep_pieces(cells: Cells, label: Longs) -> int:
    """Leave to each label its heaviest piece alone, join the rest; return how many labels."""
    piece = np.empty(len(label), np.int64)
    _drop_pieces(cells, label, piece)
    _join_rest(cells, label)
    # By now each piece is a part; what never touched one is a part by itself.
    count = pieces(cells, label, piece)
    label[:] = piece
    return count


@inner
def _spread(cells: Cells, label: Longs, part: int, start: int, before: Longs, queue: Longs) -> int:
    """List the atoms of a part from one outwards, each with the one before it; return how many."""
    queue[0] = start
    before[start] = start
    head, tail = 0, 1
    while head < tail:
        u = queue[head]
        head += 1
        for e in range(cells.starts[u], cells.starts[u + 1]):
            v = cells.neighbour[e]
            if label[v] == part and before[v] < 0:
                before[v] = u
                queue[tail] = v
                tail += 1
    return tail


@inner
def _split(cells: Cells, label: Longs, part: int, new: int) -> None:
    """Cut one part in two connected ones, as even as a tree through it allows."""
    n = len(label)
    queue = np.empty(n, np.int64)
    before = np.full(n, -1, np.int64)
    start = 0
    while label[start] != part:
        start += 1
    tail = _spread(cells, label, part, start, before, queue)
    before[:] = -1
    tail = _spread(cells, label, part, queue[tail - 1], before, queue)  # from the rim
    behind = np.zeros(n)
    for i in range(tail):
        behind[queue[i]] = cells.weight[queue[i]] + 1e-6
    for i in range(tail - 1, 0, -1):
        behind[before[queue[i]]] += behind[queue[i]]
    half = 0.5 * behind[queue[0]]
    cut = queue[1]
    for i in range(1, tail):
        if abs(behind[queue[i]] - half) < abs(behind[cut] - half):
            cut = queue[i]
    label[cut] = new
    for i in range(1, tail):
        if label[before[queue[i]]] == new and before[queue[i]] != queue[i]:
            label[queue[i]] = new


@inner
def _heaviest_to_split(weight: Floats, size: Longs, inhabited: Longs, count: int) -> int:
    """Return the heaviest part that two can live in, else the heaviest of two atoms."""
    best = -1
    for part in range(count):
        if size[part] == 1:
            continue
        if best < 0 or (inhabited[part] > 1, weight[part], -part) > (
            inhabited[best] > 1,
            weight[best],
            -best,
        ):
            best = part
    return best


@inner
def _merge_lightest(cells: Cells, label: Longs, weight: Floats, count: int) -> None:
    """Join the lightest part that has neighbours to the lightest of these."""
    n = len(label)
    beside = np.full(count, -1, np.int64)
    for u in range(n):
        a = label[u]
        for e in range(cells.starts[u], cells.starts[u + 1]):
            b = label[cells.neighbour[e]]
            if b != a and (beside[a] < 0 or (weight[b], b) < (weight[beside[a]], beside[a])):
                beside[a] = b
    light = -1
    for a in range(count):
        if beside[a] >= 0 and (light < 0 or weight[a] < weight[light]):
            light = a
    other = beside[light]
    keep, drop = min(light, other), max(light, other)
    for u in range(n):
        if label[u] == drop:
            label[u] = keep
        elif label[u] == count - 1:
            label[u] = drop


@inner
def repair(cells: Cells, label: Longs, parts: int) -> None:
    """Make every part connected and their number as wanted, with few changes.

    Parameters
    ----------
    cells : Cells
    label : ndarray of int64
        -1 for an atom of no part yet. Is changed in place to 0..parts-1.
    parts : int
        At least the number of connected components, at most the number of atoms.
    """
    count = _keep_pieces(cells, label)
    n = len(label)
    while count != parts:
        weight = np.zeros(count)
        size = np.zeros(count, np.int64)
        inhabited = np.zeros(count, np.int64)
        for u in range(n):
            weight[label[u]] += cells.weight[u]
            size[label[u]] += 1
            if cells.weight[u] > 0:
                inhabited[label[u]] += 1
        if count < parts:
            _split(cells, label, _heaviest_to_split(weight, size, inhabited, count), count)
            count += 1
        else:
            _merge_lightest(cells, label, weight, count)
            count -= 1
