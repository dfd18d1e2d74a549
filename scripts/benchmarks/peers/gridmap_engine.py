"""Gridmap's partition engine with its presets."""

from __future__ import annotations

import numpy as np

from benchmarks.atoms import HARD_BOUNDS, TARGET, Atoms
from benchmarks.peers import Answer, System
from gridmap.design.search.graph import AtomGraph
from gridmap.design.search.partition import PRESETS, Bounds, partition

__all__ = ["SYSTEMS"]

BOUNDS = Bounds(TARGET, *HARD_BOUNDS)


def _preset(name: str) -> System:
    def solve(atoms: Atoms, random_state: int) -> Answer:
        graph = AtomGraph.from_pairs(
            atoms.pairs,
            parent=atoms.parent,
            weight=atoms.weight,
            x=atoms.x,
            y=atoms.y,
            area_m2=atoms.area_m2,
            perimeter_m=atoms.perimeter_m,
            border_m=atoms.border_m,
            barrier=atoms.barrier,
        )
        found = partition(
            graph,
            atoms.counts,
            bounds=BOUNDS,
            objective=PRESETS[name],
            random_state=random_state,
        )
        return Answer(found.label.astype(np.int64), proven=found.optimal)

    return solve


SYSTEMS = {name: _preset(name) for name in sorted(PRESETS)}
