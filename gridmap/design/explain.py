"""Why a micro-grid is not within its bounds, and what would mend it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.design.search.graph import AtomGraph
from gridmap.design.search.partition import Bounds

__all__ = ["explain"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]

REMEDIES = {
    "large_building": "give_units",
    "large_unit": "finer_atoms",
    "few_households": "join_grids",
    "island": "join_across",
    "count": "change_count",
    "indivisible": "finer_atoms",
    "not_found": "finer_atoms",
}
SLACK = 1e-9


def explain(
    graph: AtomGraph, label: Longs, count: int, bounds: Bounds, *, units: Bools, optimal: Bools
) -> tuple[Shapes, Shapes]:
    """Say for every part outside its bounds why it is.

    Parameters
    ----------
    graph : AtomGraph
    label : ndarray of int, shape (n,)
        The part of each atom, over all parents.
    count : int
        How many parts there are.
    bounds : Bounds
    units : ndarray of bool, shape (n,)
        Whether the atom is already a stairwell unit.
    optimal : ndarray of bool, shape (p,)
        Whether the partition of a parent is proven to be the best there is.

    Returns
    -------
    reason, remedy : ndarray of str or None, shape (count,)
        Categories of the layer ``plan``; None for a part within its bounds.
    """
    weight = np.bincount(label, weights=graph.weight, minlength=count)
    parent = np.zeros(count, dtype=np.int64)
    parent[label] = graph.parent
    over, under = weight > bounds.maximum + SLACK, weight < bounds.minimum - SLACK
    total = np.bincount(graph.parent, weights=graph.weight, minlength=graph.parents)[parent]
    share = total / np.bincount(parent, minlength=graph.parents)[parent]
    heaviest = _heaviest(graph.weight, label, count)
    single = graph.weight[heaviest] > bounds.maximum + SLACK
    land = _component_weight(graph)[heaviest]
    cases = [
        (over & single & ~units[heaviest], "large_building"),
        (over & single, "large_unit"),
        (over & (share > bounds.maximum + SLACK), "count"),
        (under & (total < bounds.minimum - SLACK), "few_households"),
        (under & (land < bounds.minimum - SLACK), "island"),
        (under & (share < bounds.minimum - SLACK), "count"),
        ((over | under) & optimal[parent], "indivisible"),
        (over | under, "not_found"),
    ]
    reason = np.full(count, None, dtype=object)
    for applies, name in reversed(cases):
        reason[applies] = name
    remedy = np.array([REMEDIES.get(name) for name in reason], dtype=object)
    return reason, remedy


def _heaviest(weight: Floats, label: Longs, count: int) -> Longs:
    """Return the heaviest atom of each part."""
    order = np.lexsort((np.arange(len(label)), -weight, label))
    at = np.searchsorted(label[order], np.arange(count))
    return np.asarray(order[at])


def _component_weight(graph: AtomGraph) -> Floats:
    """Return for each atom the weight of all that can be reached from it in its parent."""
    count = len(graph)
    owner = np.repeat(np.arange(count), np.diff(graph.starts))
    links = coo_array(
        (np.ones(len(owner), dtype=np.int8), (owner, graph.neighbour)), shape=(count, count)
    )
    pieces, piece = connected_components(links, directed=False)
    return np.asarray(np.bincount(piece, weights=graph.weight, minlength=pieces)[piece])
