"""METIS: multilevel recursive bisection (Karypis and Kumar 1998), by pymetis."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import Part
from benchmarks.peers import best_of, each
from benchmarks.peers.graph import edge_weights, unit_weights

__all__ = ["SYSTEMS"]

pymetis = import_module("pymetis")

Longs = npt.NDArray[np.int64]

UFACTOR = 30  # the best of several on the city of random state 10


def _recursive(
    part: Part, random_state: int, *, weights: Callable[[Part], Longs] = edge_weights
) -> Longs:
    found = pymetis.part_graph(
        part.count,
        xadj=part.starts,
        adjncy=part.neighbour,
        vweights=part.weight,
        eweights=weights(part),
        recursive=True,
        options=pymetis.Options(ufactor=UFACTOR, niter=20, ncuts=4, seed=random_state),
    )
    return np.asarray(found.vertex_part, dtype=np.int64)


_even = partial(_recursive, weights=unit_weights)
SYSTEMS = {
    "recursive": each(_recursive),
    "best_of_20": each(best_of(_recursive, 20)),
    "even_of_20": each(best_of(_even, 20)),
    "best_of_100": each(best_of(_recursive, 100)),
}
