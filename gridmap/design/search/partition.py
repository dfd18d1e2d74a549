"""Cut graphs of atoms into connected parts, as equal and compact as their atoms allow.

Each parent is solved by itself: few atoms exactly, by dynamic programming over connected sets;
more by halving across the longest axis, simulated annealing over moves and swaps of atoms with
totals kept up to date (Kirkpatrick et al., 1983; applied to zone design by Openshaw & Rao, 1995),
and exact solution of a few neighbouring parts at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from gridmap.design.search._score import HARD, Cells, Terms
from gridmap.design.search._solve import first_partitions, improve, island_links, values
from gridmap.design.search.graph import AtomGraph

__all__ = ["PRESETS", "Bounds", "Objective", "Partition", "default_counts", "partition"]

NODES = 7  # fields of Cells with one value for each atom

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Objective:
    """What a partition is to be good at: weights of one sum over its parts, which is minimised.

    Parameters
    ----------
    deviation : float
        Times ``|weight / target - 1|`` of each part.
    outside_10 : float
        For each part outside 90-110 % of the target.
    outside_20 : float
        For each part outside 80-120 % of the target, besides.
    compactness : float
        Times the perimeter of each part by that of a circle of the same area, less 1
        (Schwartzberg, 1965), at most 9. It falls evenly with every metre of perimeter, and is
        one by the root of the Polsby-Popper ratio, less 1.
    barrier : float
        Times the barriers crossed inside a part: the sum ``s`` of ``graph.barrier`` over pairs of
        neighbours in it up to 1, and ``1 + ln(s) / 5`` above, for one crossing spoils it.
    together : float
        Times ``graph.together`` of each pair of neighbours that is cut.
    stay : float
        Times the weight of each atom that leaves its home. An atom stays if most of the weight
        of its part, as far as it had a home, comes from the same home.
    coarse : float
        How much more compactness counts where parts have few atoms: ``1 + coarse / n`` times as
        much at n atoms a part. How even parts of two or three atoms are, their atoms decide.
    """

    deviation: float
    outside_10: float = 0.0
    outside_20: float = 0.0
    compactness: float = 0.0
    barrier: float = 0.0
    together: float = 0.0
    stay: float = 0.0
    coarse: float = 0.0


PRESETS: Mapping[str, Objective] = MappingProxyType(
    {
        "balance": Objective(
            deviation=10.0,
            outside_10=1.8,
            outside_20=2.2,
            compactness=0.15,
            barrier=0.04,
            together=0.5,
        ),
        "compact": Objective(
            deviation=3.0,
            outside_10=2.5,
            outside_20=4.5,
            compactness=15.0,
            barrier=6.0,
            together=0.5,
            coarse=0.6,
        ),
    }
)


@dataclass(frozen=True)
class Bounds:
    """What parts shall weigh.

    Parameters
    ----------
    target : float
    minimum, maximum : float
        Hard: that parts are within them comes before any objective.
    """

    target: float
    minimum: float = 0.0
    maximum: float = np.inf


@dataclass(frozen=True)
class Partition:
    """Parts of the atoms of many parents.

    Parameters
    ----------
    label : ndarray of int32, shape (n,)
        The part of each atom inside its parent: 0, 1, ... in the order of their first atoms.
    cost : ndarray of float64, shape (p,)
        What the objective says of each parent.
    optimal : ndarray of bool, shape (p,)
        Whether nothing better exists, first by the bounds and then by the objective; of atoms
        that are not locked.
    """

    label: Ints
    cost: Floats
    optimal: Bools


def default_counts(graph: AtomGraph, target: float, maximum: float = np.inf) -> Longs:
    """Return into how many parts each parent should be cut.

    Parameters
    ----------
    graph : AtomGraph
    target : float
        The weight that a part should have.
    maximum : float
        An atom above it fills a part by itself, however heavy it is.

    Returns
    -------
    ndarray of int64, shape (p,)
        The weight of the parent by the target, rounded half up; at least 1, and at most the
        number of atoms that have weight.
    """
    counted = np.where(graph.weight > maximum, target, graph.weight)
    weight = np.bincount(graph.parent, weights=counted, minlength=graph.parents)
    atoms = np.bincount(graph.parent, weights=graph.weight > 0, minlength=graph.parents)
    wanted = np.floor(weight / target + 0.5)
    return np.maximum(np.minimum(wanted, atoms), 1).astype(np.int64)


def partition(
    graph: AtomGraph,
    counts: npt.ArrayLike,
    *,
    bounds: Bounds,
    objective: Objective,
    start: npt.ArrayLike | None = None,
    home: npt.ArrayLike | None = None,
    locked: npt.ArrayLike | None = None,
    random_state: npt.ArrayLike = 0,
    effort: float = 1.0,
) -> Partition:
    """Cut every parent into the wanted number of connected parts.

    Among partitions, those come first in which the least weight lies outside the bounds; no part
    is without weight where that can be avoided; then the objective decides.

    Parameters
    ----------
    graph : AtomGraph
    counts : array of int, shape (p,)
        How many parts each parent shall have. It gets fewer only if it has fewer atoms.
    bounds : Bounds
    objective : Objective
    start : array of int, shape (n,), optional
        A partition to improve, by parent; -1 for an atom of no part yet. It is kept where
        nothing better lies near, and only mended where its parts are in pieces or their number
        is not the one that is wanted.
    home : array of int, shape (n,), optional
        The part that each atom belonged to, by parent, for ``objective.stay``; -1 for none.
    locked : array of bool, shape (n,), optional
        Atoms of parts, as `start` has them, which neither lose nor win any atom.
    random_state : int or array of int, shape (p,)
        The result for a parent depends on its own atoms and its own random state alone.
    effort : float
        How long to search, 1 for the usual.

    Returns
    -------
    Partition

    Raises
    ------
    ValueError
        If `locked` is given without `start`, or an array has not one value for each atom or
        parent.

    Notes
    -----
    A parent that is not connected needs a part for each of its components. An island that
    cannot be a part of its own, because it weighs less than a tenth of the target or there are
    more components than parts, joins the nearest part: it is linked to the nearest atom of
    another component, and parts are connected with that link.

    The order of the atoms inside a parent changes nothing but the numbers of the parts.
    """
    if locked is not None and start is None:
        raise ValueError("locked atoms need the partition that they are locked in: start")
    parents = graph.parents
    weights = {name: float(value) for name, value in asdict(objective).items()}
    limits = {name: float(value) for name, value in asdict(bounds).items()}
    terms = Terms(**weights, **limits, hard=HARD)
    order, parent, whole = _canonical(graph, home)
    before = _each(-1 if start is None else start, len(graph))[order]
    label, free = _locked(before, locked, order, parent)
    taken = _parts(label, parent, parents)
    some = whole if free.all() else _selected(whole, free)
    offsets = np.searchsorted(parent[free], np.arange(parents + 1)).astype(np.int64)
    most = np.maximum(np.diff(offsets), 1)
    wanted = np.clip(_each(counts, parents) - taken, 1, most)
    some = _linked(some, island_links(some, offsets, wanted, terms.target))
    mine = _numbered(before[free], parent[free])
    proven = np.ones(parents, dtype=np.bool_)
    warm = start is not None
    first_partitions(some, offsets, wanted, terms, warm, mine)
    seeds = _each(random_state, parents)
    improve(some, offsets, wanted, terms, warm, float(effort), seeds, mine, proven)
    label[free] = mine + taken[parent[free]]
    ends = np.searchsorted(parent, np.arange(parents + 1)).astype(np.int64)
    cost = np.zeros(parents)
    values(whole, ends, _parts(label, parent, parents), terms, label, cost)
    placed = np.empty(len(graph), dtype=np.int64)
    placed[order] = label
    return Partition(_by_first_atom(placed, graph.parent), cost, proven)


def _canonical(graph: AtomGraph, home: npt.ArrayLike | None) -> tuple[Longs, Longs, Cells]:
    """Return the atoms in an order that does not depend on theirs, their parents, their graph."""
    count = len(graph)
    order = np.lexsort(
        (graph.perimeter_m, graph.area_m2, graph.weight, graph.y, graph.x, graph.parent)
    )
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    parent = graph.parent[order].astype(np.int64)
    owner = np.repeat(place, np.diff(graph.starts))
    nodes = (graph.weight, graph.x, graph.y, graph.area_m2, graph.perimeter_m)
    edges = [_floats(values) for values in (graph.border_m, graph.barrier, graph.together)]
    cells = Cells._make(
        [
            *(_floats(values)[order] for values in nodes),
            _numbered(_each(-1 if home is None else home, count)[order], parent),
            np.zeros(count),
            *_sorted(owner, place[graph.neighbour], edges, count),
        ]
    )
    owner = np.repeat(np.arange(count), np.diff(cells.starts))
    ties = np.bincount(owner, weights=cells.together, minlength=count)
    return order, parent, cells._replace(ties=ties.astype(np.float64))


def _sorted(owner: Longs, neighbour: Longs, edges: list[Floats], count: int) -> tuple[Any, ...]:
    """Return where each atom's neighbours begin, and these, rising, with what is known of each."""
    order = np.argsort(owner * count + neighbour, kind="stable")
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(owner, minlength=count), out=starts[1:])
    return starts, neighbour[order], *(values[order] for values in edges)


def _selected(cells: Cells, kept: Bools) -> Cells:
    """Return the graph of some atoms; what ties them to the others still counts."""
    place = np.cumsum(kept) - 1
    owner = np.repeat(np.arange(len(kept)), np.diff(cells.starts))
    inside = kept[owner] & kept[cells.neighbour]
    edges = [values[inside] for values in (cells.border, cells.barrier, cells.together)]
    ends = place[owner[inside]], place[cells.neighbour[inside]]
    return Cells._make(
        [*(values[kept] for values in cells[:NODES]), *_sorted(*ends, edges, int(kept.sum()))]
    )


def _linked(cells: Cells, links: Longs) -> Cells:
    """Return the graph with links, which are borders of no length."""
    if len(links) == 0:
        return cells
    count = len(cells.weight)
    owner = np.repeat(np.arange(count), np.diff(cells.starts))
    one = np.concatenate([owner, links[:, 0], links[:, 1]])
    other = np.concatenate([cells.neighbour, links[:, 1], links[:, 0]])
    nothing = np.zeros(2 * len(links))
    edges = [
        np.concatenate([values, nothing])
        for values in (cells.border, cells.barrier, cells.together)
    ]
    return Cells._make([*cells[:NODES], *_sorted(one, other, edges, count)])


def _locked(
    before: Longs, locked: npt.ArrayLike | None, order: Longs, parent: Longs
) -> tuple[Longs, Bools]:
    """Return the parts that are locked, -1 elsewhere, and the atoms that are free.

    Free atoms of a part that is locked without them lose that part in `before`.
    """
    label = np.full(len(order), -1, dtype=np.int64)
    if locked is None:
        return label, np.ones(len(order), dtype=np.bool_)
    fixed = (_each(locked, len(order))[order] > 0) & (before >= 0)
    label[fixed] = _numbered(before[fixed], parent[fixed])
    number = _numbered(before, parent)
    key = parent * (number.max(initial=0) + 1) + number
    before[~fixed & np.isin(key, key[fixed])] = -1
    return label, ~fixed


def _numbered(values: Longs, parent: Longs) -> Longs:
    """Return values numbered from 0 in each parent, in their order; -1 for negative ones."""
    out = np.full(len(values), -1, dtype=np.int64)
    known = values >= 0
    if not known.any():
        return out
    number = np.unique(values[known], return_inverse=True)[1]
    width = int(number.max()) + 1
    unique, place = np.unique(parent[known] * width + number, return_inverse=True)
    out[known] = place - np.searchsorted(unique, parent[known] * width)
    return out


def _parts(label: Longs, parent: Longs, parents: int) -> Longs:
    """Return how many parts each parent has."""
    most = np.full(parents, -1, dtype=np.int64)
    np.maximum.at(most, parent, label)
    return most + 1


def _by_first_atom(label: Longs, parent: Ints) -> Ints:
    """Return the parts numbered in each parent by their first atoms."""
    home = parent.astype(np.int64)
    key = home * (label.max(initial=0) + 1) + label
    _, first, part = np.unique(key, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    lowest = np.full(int(home.max(initial=0)) + 1, len(first), dtype=np.int64)
    np.minimum.at(lowest, home[first], rank)
    return (rank[part] - lowest[home]).astype(np.int32)


def _floats(values: npt.ArrayLike) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def _each(values: npt.ArrayLike, count: int) -> Longs:
    """Return one whole number for each of so many."""
    given = np.asarray(values)
    if given.ndim and given.shape != (count,):
        raise ValueError(f"{len(given)} values are given for {count}")
    return np.array(np.broadcast_to(given, (count,)), dtype=np.int64)
