"""KaHIP: KaFFPa (Sanders and Schulz 2011), by its own Python module."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import Part
from benchmarks.peers import best_of, each
from benchmarks.peers.graph import edge_weights

__all__ = ["SYSTEMS"]

kahip = import_module("kahip")

# The best of several on the city of random state 10.
IMBALANCE = 0.03
ECO = 1


def _kaffpa(part: Part, random_state: int) -> npt.NDArray[np.int64]:
    _, label = kahip.kaffpa(
        part.weight.tolist(),
        part.starts.tolist(),
        edge_weights(part).tolist(),
        part.neighbour.tolist(),
        part.count,
        IMBALANCE,
        True,
        random_state,
        ECO,
    )
    return np.asarray(label, dtype=np.int64)


SYSTEMS = {"best_of_20": each(best_of(_kaffpa, 20))}
