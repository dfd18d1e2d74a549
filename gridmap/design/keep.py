"""Parts that are kept as far as their bounds allow: the heart of a resize."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.design.parts import inherited
from gridmap.design.plan import bounds_of, objective_of
from gridmap.design.search.graph import AtomGraph
from gridmap.design.search.partition import default_counts, partition
from gridmap.settings import Design

__all__ = ["keep"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STAY = 1000.0  # to move one household for good outweighs every other wish
LOOSER = (1e-2, 1e-3, 1e-4, 0.0)
REACH = 2  # how far the number of parts is tried on either side of what it was
STEPS = 6  # how many numbers are tried on the way to what the weight asks for
SLACK = 1e-9


def keep(
    graph: AtomGraph,
    home: Longs,
    locked: Bools,
    wanted: Longs,
    settings: Design,
    seeds: Longs,
    settled: Bools | None = None,
) -> tuple[Longs, Bools]:
    """Give every atom a part, the one that it had wherever bounds and counts allow.

    Parameters
    ----------
    graph : AtomGraph
    home : ndarray of int64, shape (n,)
        The part that each atom had; -1 for one that is new. No part reaches across parents.
    locked : ndarray of bool, shape (n,)
        Whether the part that the atom had has to stay as it is.
    wanted : ndarray of int64, shape (p,)
        How many parts each parent shall have; 0 for whatever moves the least weight.
    settings : Design
    seeds : ndarray of int64, shape (p,)
    settled : ndarray of bool, shape (p,), optional
        Parents in which nothing changed that bounds, counts and buildings depend on.

    Returns
    -------
    label : ndarray of int64, shape (n,)
        The part of each atom inside its parent.
    same : ndarray of bool, shape (p,)
        Whether the parent's parts are those that it had.

    Notes
    -----
    A parent is left alone if its parts are connected, within bounds and as many as wanted; and
    a settled one if they are connected, for no search would be right to ask people to move again.
    Otherwise several numbers of parts are tried: parts are split or merged until there are as
    many, then the search moves atoms, and each atom away from home costs its weight. The number
    with the least violation of the bounds wins, then the one that moves least.
    """
    label = np.zeros(len(graph), dtype=np.int64)
    same = np.zeros(graph.parents, dtype=bool)
    offsets = np.searchsorted(graph.parent, np.arange(graph.parents + 1))
    alone = np.zeros(graph.parents, dtype=bool) if settled is None else settled
    for p in range(graph.parents):
        mine = slice(int(offsets[p]), int(offsets[p + 1]))
        own = graph.only(np.arange(mine.start, mine.stop))
        label[mine], same[p] = _kept(
            own, home[mine], locked[mine], int(wanted[p]), settings, int(seeds[p]), bool(alone[p])
        )
    return label, same


def _kept(
    graph: AtomGraph,
    home: Longs,
    locked: Bools,
    wanted: int,
    settings: Design,
    seed: int,
    settled: bool,
) -> tuple[Longs, bool]:
    known = home >= 0
    if not known.any():
        return _fresh(graph, wanted, settings, seed), False
    was = np.full(len(home), -1, dtype=np.int64)
    was[known] = np.unique(home[known], return_inverse=True)[1]
    start = _grown(graph, was, locked)
    count = int(start.max()) + 1
    within = wanted in (0, count) and _violation(graph, start, settings) <= SLACK
    if (settled or within) and _connected(graph, start, count):
        return start, bool(known.all())
    best, least = start, (np.inf, np.inf)
    for number in _numbers(graph, count, wanted, settings):
        tried = _with_count(graph, start, was, locked, number, settings, seed)
        if tried is None:
            continue
        score = (_violation(graph, tried, settings), _moved(graph, was, tried))
        if score < least:
            best, least = tried, score
    return best, False


def _fresh(graph: AtomGraph, wanted: int, settings: Design, seed: int) -> Longs:
    counts = np.array([wanted]) if wanted else default_counts(graph, settings.target, settings.most)
    found = partition(
        graph,
        counts,
        bounds=bounds_of(settings),
        objective=objective_of(settings),
        random_state=seed,
    )
    return found.label.astype(np.int64)


def _grown(graph: AtomGraph, was: Longs, locked: Bools) -> Longs:
    """Give atoms without a home the part of the neighbour with the longest border."""
    label = was.copy()
    closed = np.unique(was[locked])
    owner = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    while (label < 0).any():
        open_edge = (label[owner] < 0) & (label[graph.neighbour] >= 0)
        open_edge &= ~np.isin(label[graph.neighbour], closed)
        at = np.flatnonzero(open_edge)
        if len(at) == 0:
            # Nothing but locked parts around: what is left becomes a part of its own.
            label[label < 0] = label.max() + 1
            break
        order = np.lexsort((graph.neighbour[at], -graph.border_m[at], owner[at]))
        first = np.unique(owner[at[order]], return_index=True)[1]
        chosen = at[order[first]]
        label[owner[chosen]] = label[graph.neighbour[chosen]]
    return label


def _pieces(graph: AtomGraph, label: Longs) -> Longs:
    """Return in how many pieces each part lies."""
    owner = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    inside = label[owner] == label[graph.neighbour]
    links = coo_array(
        (np.ones(inside.sum(), dtype=np.int8), (owner[inside], graph.neighbour[inside])),
        (len(graph), len(graph)),
    )
    number, piece = connected_components(links, directed=False)
    home = np.zeros(number, dtype=np.int64)
    home[piece] = label
    return np.bincount(home)


def _connected(graph: AtomGraph, label: Longs, count: int) -> bool:
    """Tell whether parts are connected, or the parent is in more pieces than there are parts."""
    forced = _pieces(graph, np.zeros(len(graph), dtype=np.int64))[0]
    return bool((_pieces(graph, label) <= 1).all() or forced > count)


def _violation(graph: AtomGraph, label: Longs, settings: Design) -> float:
    weight = np.bincount(label, weights=graph.weight)
    under = np.maximum(settings.least - weight, 0.0)
    over = np.maximum(weight - settings.most, 0.0)
    return float((under + over).sum())


def _moved(graph: AtomGraph, was: Longs, label: Longs) -> float:
    """Return the weight of the atoms that do not go on in the part that continues theirs."""
    heirs = inherited(was, label, graph.weight, int(label.max()) + 1)
    return float(graph.weight[(was >= 0) & (heirs[label] != was)].sum())


def _numbers(graph: AtomGraph, count: int, wanted: int, settings: Design) -> Iterator[int]:
    """Yield the numbers of parts that are worth a try."""
    if wanted:
        yield wanted
        return
    towers = graph.weight > settings.most
    total = float(np.where(towers, settings.most, graph.weight).sum())
    lowest = max(1, int(np.ceil(total / settings.most - SLACK)))
    highest = total / settings.least if settings.least > 0 else np.inf
    highest = max(lowest, int(min(highest + SLACK, len(graph))))
    usual = int(default_counts(graph, settings.target, settings.most)[0])
    steps = np.linspace(count, min(max(usual, lowest), highest), STEPS)
    tried = {*range(count - REACH, count + REACH + 1), *steps.round().astype(int).tolist()}
    yield from sorted((k for k in tried if 1 <= k <= len(graph)), key=lambda k: abs(k - count))


def _with_count(
    graph: AtomGraph,
    start: Longs,
    was: Longs,
    locked: Bools,
    number: int,
    settings: Design,
    seed: int,
) -> Longs | None:
    """Return the best partition into that many parts near the one that was, or None."""
    label = start
    while int(label.max()) + 1 > number:
        merged = _merged(graph, label, locked)
        if merged is None:
            return None
        label = merged
    while int(label.max()) + 1 < number:
        halved = _halved(graph, label, locked, settings, seed)
        if halved is None:
            return None
        label = halved
    held = _searched(graph, label, was, locked, settings, seed, STAY)
    best, least = held, _violation(graph, held, settings)
    # What is held by its home too firmly may stay out of bounds: let go, then pull back.
    for stay in LOOSER:
        if least <= _unavoidable(graph, settings) + SLACK:
            break
        free = _searched(graph, held, was, locked, settings, seed, stay)
        back = _searched(graph, free, was, locked, settings, seed, STAY)
        violation = _violation(graph, back, settings)
        if violation < least - SLACK:
            best, least = back, violation
    return best


def _unavoidable(graph: AtomGraph, settings: Design) -> float:
    """Return by how much single atoms are above the maximum, whatever part they are in."""
    return float(np.maximum(graph.weight - settings.most, 0.0).sum())


def _searched(
    graph: AtomGraph,
    label: Longs,
    was: Longs,
    locked: Bools,
    settings: Design,
    seed: int,
    stay: float,
) -> Longs:
    found = partition(
        graph,
        np.array([int(label.max()) + 1]),
        bounds=bounds_of(settings),
        objective=replace(objective_of(settings), stay=stay),
        start=label.astype(np.int32),
        home=_home(graph, was, label),
        locked=locked,
        random_state=seed,
    )
    return found.label.astype(np.int64)


def _home(graph: AtomGraph, was: Longs, label: Longs) -> Ints:
    """Return for each atom the part of `label` that continues the part it had, -1 for none."""
    heirs = inherited(was, label, graph.weight, int(label.max()) + 1)
    known = was >= 0
    goes_on = np.full(int(was.max()) + 1, -1, dtype=np.int32)
    goes_on[heirs[heirs >= 0]] = np.flatnonzero(heirs >= 0)
    home = np.full(len(was), -1, dtype=np.int32)
    home[known] = goes_on[was[known]]
    return home


def _merged(graph: AtomGraph, label: Longs, locked: Bools) -> Longs | None:
    """Join the lightest pair of neighbouring parts that are free."""
    count = int(label.max()) + 1
    weight = np.bincount(label, weights=graph.weight, minlength=count)
    owner = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    one, other = label[owner], label[graph.neighbour]
    free = np.ones(count, dtype=bool)
    free[label[locked]] = False
    across = (one < other) & free[one] & free[other]
    if not across.any():
        return None
    lightest = np.lexsort((other[across], one[across], (weight[one] + weight[other])[across]))[0]
    kept, gone = one[across][lightest], other[across][lightest]
    joined = np.where(label == gone, kept, label)
    return np.where(joined > gone, joined - 1, joined)


def _halved(
    graph: AtomGraph, label: Longs, locked: Bools, settings: Design, seed: int
) -> Longs | None:
    """Cut the heaviest part in two that is free and has several atoms."""
    count = int(label.max()) + 1
    weight = np.bincount(label, weights=graph.weight, minlength=count)
    free = np.bincount(label, minlength=count) > 1
    free[label[locked]] = False
    if not free.any():
        return None
    heaviest = int(np.argmax(np.where(free, weight, -1.0)))
    mine = np.flatnonzero(label == heaviest)
    halves = _fresh(graph.only(mine), 2, settings, seed)
    cut = label.copy()
    cut[mine[halves == 1]] = count
    return cut
