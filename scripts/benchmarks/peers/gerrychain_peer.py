"""GerryChain: districts from random spanning trees (DeFord, Duchin and Solomon 2021)."""

from __future__ import annotations

import random
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import Part
from benchmarks.peers import each

__all__ = ["SYSTEMS"]

networkx = import_module("networkx")
gerrychain = import_module("gerrychain")
tree = import_module("gerrychain.tree")

EPSILONS = (0.1, 0.2, 0.4, 0.8, 1.6)
ATTEMPTS = 200
# gerrychain 1.0.0 ends with a KeyError where a single atom is left to be cut.
FAILURES = (
    RuntimeError,
    ValueError,
    KeyError,
    tree.BalanceError,
    tree.PopulationBalanceError,
)


def _tree(part: Part, random_state: int) -> npt.NDArray[np.int64]:
    """Return the answer at the strictest bound at which trees can be cut in some attempts.

    Where no tree can be cut at any bound the parent stays whole, and is missing from the parents
    with the wanted number of parts.
    """
    graph = _graph(part)
    share = float(part.weight.sum()) / part.count
    cut = partial(tree.bipartition_tree, max_attempts=ATTEMPTS, allow_pair_reselection=False)
    for epsilon in EPSILONS:
        random.seed(random_state)
        try:
            found = tree.recursive_tree_part(
                graph, range(part.count), share, "households", epsilon, method=cut
            )
        except FAILURES:
            continue
        return np.array([found[at] for at in range(len(part))], dtype=np.int64)
    return np.zeros(len(part), dtype=np.int64)


def _graph(part: Part) -> Any:
    graph = networkx.Graph()
    for at in range(len(part)):
        graph.add_node(at, households=int(part.weight[at]))
    for at in range(len(part)):
        for to in part.neighbour[part.starts[at] : part.starts[at + 1]].tolist():
            graph.add_edge(at, to)
    return gerrychain.Graph.from_networkx(graph)


SYSTEMS = {"tree": each(_tree)}
