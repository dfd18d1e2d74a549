"""Proven partitions of few atoms: connected sets of atoms, and dynamic programming over them.

Sets of atoms are the bits of one integer. All connected sets that a better partition than the
one already known could hold are listed by their lowest atom (after the enumeration of connected
subgraphs by Wernicke, 2006); a state is the set of atoms covered so far, and is always extended
by a set that holds its lowest atom not yet covered. States that cannot end below the known cost
are dropped, so that what is found, or that nothing is, is proven.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gridmap.design.search._score import SLACK, Cells, Floats, Longs, Terms, inner, part_cost

__all__ = ["MOST_ATOMS", "Room", "exact", "make_room"]

MOST_ATOMS = 60
GAIN = 1e-9


class Room(NamedTuple):
    """Work space: sets of atoms, the stack that lists them, states, and a table to find these."""

    sets: Longs
    set_cost: Floats
    set_weight: Floats
    stack: Longs
    stack_sums: Floats
    states: Longs
    state_cost: Floats
    state_weight: Floats
    came: npt.NDArray[np.int32]
    by: npt.NDArray[np.int32]
    slot_key: Longs
    slot_state: npt.NDArray[np.int32]
    slot_turn: npt.NDArray[np.int32]
    turn: npt.NDArray[np.int32]
    place: Longs
    homes: Floats


# Position of a lone bit, by a de Bruijn sequence.
_SEQUENCE = 0x03F79D71B4CB0A89
_PLACE = np.zeros(64, dtype=np.int64)
for _bit in range(64):
    _PLACE[(((1 << _bit) * _SEQUENCE) & ((1 << 64) - 1)) >> 58] = _bit


@inner
def _lowest(mask: int) -> int:
    """Return the position of the lowest bit of a set that is not empty."""
    return int(_PLACE[(((mask & -mask) * _SEQUENCE) >> 58) & 63])


@inner
def _size(mask: int) -> int:
    count = 0
    while mask:
        mask &= mask - 1
        count += 1
    return count


@inner
def make_room(sets: int, states: int, atoms: int) -> Room:
    """Return work space for so many sets, states and atoms of a parent; one serves many calls."""
    slots = 4
    while slots < 2 * states:
        slots *= 2
    return Room(
        np.empty(sets, np.int64),
        np.empty(sets),
        np.empty(sets),
        np.empty((4096, 3), np.int64),
        np.empty((4096, 5)),
        np.empty(states, np.int64),
        np.empty(states),
        np.empty(states),
        np.empty(states, np.int32),
        np.empty(states, np.int32),
        np.empty(slots, np.int64),
        np.empty(slots, np.int32),
        np.zeros(slots, np.int32),
        np.zeros(1, np.int32),
        np.full(atoms, -1, np.int64),
        np.zeros(atoms + 1),
    )


@inner
def _at_least(terms: Terms, weight: float, parts: int) -> float:
    """Return a lower bound of what any `parts` parts of this total weight cost."""
    if parts == 0:
        return 0.0
    off = abs(weight - parts * terms.target) / terms.target
    cost = terms.deviation * off
    if off > 0.1 * parts + 2 * SLACK * parts:
        cost += terms.outside_10
        if off > 0.2 * parts + 2 * SLACK * parts:
            cost += terms.outside_20
    out = max(parts * terms.minimum - weight, weight - parts * terms.maximum)
    if out > SLACK * parts:
        cost += terms.hard * (out - SLACK * parts) / terms.target
    return cost


@inner
def _ordered(cells: Cells, atoms: Longs) -> Longs:
    """Return atoms along the longer axis of their points, which keeps the front short."""
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
    along = np.empty(n)
    for i in range(n):
        u = atoms[i]
        along[i] = (cells.x[u] - mx) * np.cos(angle) + (cells.y[u] - my) * np.sin(angle)
    return atoms[np.argsort(along, kind="mergesort")]


@inner
def _moved(cells: Cells, atoms: Longs, mask: int, homes: Floats) -> float:
    """Return the weight in a set that is not of its heaviest home; clears `homes` again."""
    known = most = 0.0
    rest = mask
    while rest:
        u = atoms[_lowest(rest)]
        rest &= rest - 1
        if cells.home[u] >= 0:
            known += cells.weight[u]
            homes[cells.home[u]] += cells.weight[u]
            most = max(most, homes[cells.home[u]])
    rest = mask
    while rest:
        u = atoms[_lowest(rest)]
        rest &= rest - 1
        if cells.home[u] >= 0:
            homes[cells.home[u]] = 0.0
    return known - most


@inner
def _convex(terms: Terms, weight: float, parts: int) -> float:
    """Return a lower bound as `_at_least`, without its steps."""
    off = abs(weight - parts * terms.target)
    out = max(0.0, parts * terms.minimum - weight, weight - parts * terms.maximum)
    return (terms.deviation * off + terms.hard * max(0.0, out - SLACK * parts)) / terms.target


@inner
def _most_weight(terms: Terms, total: float, parts: int, ceiling: float) -> float:
    """Return the most that a part can weigh in a partition that costs less than `ceiling`.

    The bound is convex and lowest where all parts weigh the same, so that bisection finds it.
    """
    low, high = total / parts, total
    for _ in range(40):
        middle = 0.5 * (low + high)
        if _convex(terms, middle, 1) + _convex(terms, total - middle, parts - 1) < ceiling:
            low = middle
        else:
            high = middle
    return high * (1.0 + 1e-9) + 1e-9


@inner
def _around(cells: Cells, atoms: Longs, place: Longs) -> Longs:
    """Return for each atom the set of its neighbours."""
    around = np.zeros(len(atoms), np.int64)
    for i in range(len(atoms)):
        for e in range(cells.starts[atoms[i]], cells.starts[atoms[i] + 1]):
            j = place[cells.neighbour[e]]
            if j >= 0:
                around[i] |= 1 << j
    return around


@inner
def _push_first(cells: Cells, u: int, root: int, around: int, stack: Longs, totals: Floats) -> None:
    """Begin with one atom, which the sets hold as their lowest."""
    below = (1 << (root + 1)) - 1
    stack[0, 0] = 1 << root
    stack[0, 1] = around & ~below
    stack[0, 2] = below
    totals[0, 0] = cells.weight[u]
    totals[0, 1] = cells.area[u]
    totals[0, 2] = cells.perimeter[u]
    totals[0, 3] = 0.0
    totals[0, 4] = cells.ties[u]


@inner
def _add(cells: Cells, v: int, mask: int, place: Longs, totals: Floats) -> None:
    """Add an atom to the totals of a set."""
    totals[0] += cells.weight[v]
    totals[1] += cells.area[v]
    totals[2] += cells.perimeter[v]
    totals[4] += cells.ties[v]
    for e in range(cells.starts[v], cells.starts[v + 1]):
        j = place[cells.neighbour[e]]
        if j >= 0 and mask >> j & 1:
            totals[2] -= 2.0 * cells.border[e]
            totals[3] += cells.barrier[e]
            totals[4] -= 2.0 * cells.together[e]


@inner
def _list_sets(
    cells: Cells, terms: Terms, atoms: Longs, parts: int, ceiling: float, room: Room, begins: Longs
) -> int:
    """List the connected sets that a cheaper partition could hold; return how many, -1 if many."""
    n = len(atoms)
    total = 0.0
    for u in atoms:
        total += cells.weight[u]
    most = _most_weight(terms, total, parts, ceiling)
    place, homes = room.place, room.homes
    around = _around(cells, atoms, place)
    stays = terms.stay > 0.0
    stack, totals = room.stack, room.stack_sums
    count = seen = 0
    for root in range(n):
        begins[root] = count
        _push_first(cells, atoms[root], root, around[root], stack, totals)
        top = 1
        while top:
            top -= 1
            mask, reach, barred = stack[top, 0], stack[top, 1], stack[top, 2]
            w, a, p, b, t = totals[top]
            moved = _moved(cells, atoms, mask, homes) if stays else 0.0
            cost = part_cost(terms, w, a, p, b, t, moved)
            if cost + _at_least(terms, total - w, parts - 1) < ceiling:
                if count == len(room.sets):
                    return -1
                room.sets[count] = mask
                room.set_cost[count] = cost
                room.set_weight[count] = w
                count += 1
            seen += 1
            if top + _size(reach) > len(stack) or seen > 4 * len(room.sets):
                return -1
            while reach:
                i = _lowest(reach)
                bit = 1 << i
                reach &= reach - 1
                barred |= bit
                if w + cells.weight[atoms[i]] > most:
                    continue
                stack[top, 0] = mask | bit
                stack[top, 1] = reach | (around[i] & ~(barred | mask | reach))
                stack[top, 2] = barred
                totals[top] = (w, a, p, b, t)
                _add(cells, atoms[i], mask, place, totals[top])
                top += 1
    begins[n] = count
    return count


@inner
def _find(room: Room, mask: int, turn: int) -> int:
    """Return the slot of a state, or the free one where it would be."""
    last = len(room.slot_key) - 1
    at = ((mask * 0x9E3779B97F4A7C1) >> 20) & last
    while room.slot_turn[at] == turn and room.slot_key[at] != mask:
        at = (at + 1) & last
    return at


@inner
def _reach(
    room: Room,
    mask: int,
    cost: float,
    weight: float,
    turn: int,
    state: int,
    by: int,
    count: int,
) -> int:
    """Note a state, if it is new or now costs less; return how many there are, -1 if too many."""
    slot = _find(room, mask, turn)
    at = count
    if room.slot_turn[slot] == turn:
        at = room.slot_state[slot]
        if cost >= room.state_cost[at]:
            return count
    elif count == len(room.states):
        return -1
    else:
        count += 1
        room.slot_turn[slot] = turn
        room.slot_key[slot] = mask
        room.slot_state[slot] = at
        room.states[at] = mask
        room.state_weight[at] = weight
    room.state_cost[at] = cost
    room.came[at] = state
    room.by[at] = by
    return count


@inner
def exact(
    cells: Cells,
    terms: Terms,
    atoms: Longs,
    parts: int,
    ceiling: float,
    work: int,
    room: Room,
    out: Longs,
) -> int:
    """Find the best partition of some atoms, if it costs less than `ceiling`.

    Parameters
    ----------
    cells : Cells
    terms : Terms
    atoms : ndarray of int64, shape (a,)
        At most MOST_ATOMS.
    parts : int
    ceiling : float
        The cost of a partition that is known.
    work : int
        How many pairs of states and sets to try before giving up.
    room : Room
    out : ndarray of int64, shape (len(cells.weight),)
        Receives the part of each atom, if a better partition is found.

    Returns
    -------
    int
        1 if a better one was found, 0 if there is none, -1 if that remains unknown.
    """
    ceiling -= GAIN * max(1.0, abs(ceiling))
    ordered = _ordered(cells, atoms)
    for i in range(len(atoms)):
        room.place[ordered[i]] = i
    begins = np.zeros(len(atoms) + 1, np.int64)
    found = _list_sets(cells, terms, ordered, parts, ceiling, room, begins)
    for u in atoms:
        room.place[u] = -1
    if found < 0:
        return -1
    last = _cover(cells, terms, ordered, parts, ceiling, work, room, begins)
    if last <= 0:
        return last
    for part in range(parts):
        rest = room.sets[room.by[last]]
        while rest:
            out[ordered[_lowest(rest)]] = parts - 1 - part
            rest &= rest - 1
        last = room.came[last]
    return 1


@inner
def _cover(
    cells: Cells,
    terms: Terms,
    atoms: Longs,
    parts: int,
    ceiling: float,
    work: int,
    room: Room,
    begins: Longs,
) -> int:
    """Cover the atoms by disjoint sets; return the last state, 0 for none, -1 for giving up."""
    n = len(atoms)
    total = 0.0
    for u in atoms:
        total += cells.weight[u]
    full = (1 << n) - 1
    room.states[0] = 0
    room.state_cost[0] = 0.0
    room.state_weight[0] = 0.0
    first, count, tried = 0, 1, 0
    for done in range(parts):
        room.turn[0] += 1
        turn = room.turn[0]
        left = parts - done - 1
        end = count
        for state in range(first, end):
            mask, cost = room.states[state], room.state_cost[state]
            root = _lowest(~mask)
            tried += begins[root + 1] - begins[root]
            if tried > work:
                return -1
            for at in range(begins[root], begins[root + 1]):
                chosen = room.sets[at]
                if chosen & mask:
                    continue
                new = mask | chosen
                if (new == full) != (left == 0):
                    continue
                new_cost = cost + room.set_cost[at]
                weight = room.state_weight[state] + room.set_weight[at]
                if new_cost + _at_least(terms, total - weight, left) >= ceiling:
                    continue
                count = _reach(room, new, new_cost, weight, turn, state, at, count)
                if count < 0:
                    return -1
        first = end
    return first if count > first else 0
