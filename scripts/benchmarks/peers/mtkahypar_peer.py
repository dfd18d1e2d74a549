"""Mt-KaHyPar: multilevel with flow-based refinement (Gottesbueren et al. 2024)."""

from __future__ import annotations

from functools import partial
from importlib import import_module

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import Part
from benchmarks.peers import best_of, each
from benchmarks.peers.graph import edge_weights

__all__ = ["SYSTEMS"]

mtkahypar = import_module("mtkahypar")
library = mtkahypar.initialize(1, print_warnings=False)

# On the city of random state 10 the first is the most even, the second the more connected.
TIGHT, LOOSE = 0.03, 0.1


def _quality(part: Part, random_state: int, *, epsilon: float) -> npt.NDArray[np.int64]:
    mtkahypar.set_seed(random_state)
    context = library.context_from_preset(mtkahypar.PresetType.QUALITY)
    context.set_partitioning_parameters(part.count, epsilon, mtkahypar.Objective.CUT)
    context.logging = False
    owner = np.repeat(np.arange(len(part)), np.diff(part.starts))
    once = owner < part.neighbour
    graph = library.create_graph(
        context,
        len(part),
        int(once.sum()),
        np.column_stack([owner[once], part.neighbour[once]]).tolist(),
        part.weight.tolist(),
        edge_weights(part)[once].tolist(),
    )
    return np.asarray(graph.partition(context).get_partition(), dtype=np.int64)


_tight, _loose = partial(_quality, epsilon=TIGHT), partial(_quality, epsilon=LOOSE)
SYSTEMS = {"tight": each(_tight), "repaired": each(best_of(_tight, 1)), "loose": each(_loose)}
