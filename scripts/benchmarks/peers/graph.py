"""Edge weights that all graph partitioners share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import Part

__all__ = ["edge_weights", "unit_weights"]

# The best of several for METIS on the city of random state 10.
ROAD_DIVISOR = 4.0
EVERY_BORDER_M = 10.0
UNIT_ROAD_DIVISOR = 3.0


def edge_weights(part: Part) -> npt.NDArray[np.int64]:
    """Return what it costs to cut between neighbours: decimetres, less along a main road."""
    length = 10 * (part.border_m + EVERY_BORDER_M)
    return _scaled(part, length, ROAD_DIVISOR)


def unit_weights(part: Part) -> npt.NDArray[np.int64]:
    """Return the same cost for every pair but those across a main road: more even, less compact."""
    return _scaled(part, np.full(len(part.border_m), 30.0), UNIT_ROAD_DIVISOR)


def _scaled(part: Part, cost: npt.NDArray[np.float64], road: float) -> npt.NDArray[np.int64]:
    scaled = np.where(part.barrier >= 1, cost / road, cost)
    return np.maximum(1, np.round(scaled)).astype(np.int64)
