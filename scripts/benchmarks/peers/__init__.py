"""The systems that are compared: one module each, with ``SYSTEMS`` by name.

A system takes atoms and a random state and returns an `Answer`. Modules are imported in a process
of their own, so that only the one that runs has to be installed. Every peer works parent by
parent, on the same graph and with the same number of parts as gridmap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import TARGET, Atoms, Part
from benchmarks.repair import repaired

__all__ = ["PEERS", "Answer", "Setting", "Solve", "System", "best_of", "each"]

Longs = npt.NDArray[np.int64]
Solve = Callable[[Part, int], Longs]


@dataclass(frozen=True)
class Answer:
    """What a system found.

    Parameters
    ----------
    label : ndarray of int64, shape (n,)
        The part of each atom within its parent.
    cut_atoms : int
        Atoms that the system itself divided.
    proven : ndarray of bool, shape (parents,), optional
        Of which parents the system says that nothing better exists.
    """

    label: Longs
    cut_atoms: int = 0
    proven: npt.NDArray[np.bool_] | None = None


System = Callable[[Atoms, int], Answer]


@dataclass(frozen=True)
class Setting:
    """How a system is named and run.

    Parameters
    ----------
    system, variant : str
        As in the lines of a benchmark.
    module, name : str
        The module here and its entry of ``SYSTEMS``.
    package : str
        The distribution whose version is told.
    slow : bool
        Runs only once.
    """

    system: str
    variant: str
    module: str
    name: str
    package: str
    slow: bool = False


PEERS = (
    Setting("METIS", "recursive, tuned", "metis", "recursive", "pymetis"),
    Setting("METIS", "best of 20, repaired", "metis", "best_of_20", "pymetis"),
    Setting("METIS", "best of 20, unit edges, repaired", "metis", "even_of_20", "pymetis"),
    Setting("METIS", "best of 100, repaired", "metis", "best_of_100", "pymetis", slow=True),
    Setting("KaHIP", "best of 20, repaired", "kahip_peer", "best_of_20", "kahip", slow=True),
    Setting("Mt-KaHyPar", "quality, 3 %", "mtkahypar_peer", "tight", "mtkahypar"),
    Setting("Mt-KaHyPar", "quality, 3 %, repaired", "mtkahypar_peer", "repaired", "mtkahypar"),
    Setting("Mt-KaHyPar", "quality, 10 %", "mtkahypar_peer", "loose", "mtkahypar"),
    Setting("GerryChain", "recursive tree", "gerrychain_peer", "tree", "gerrychain", slow=True),
    Setting("k-means-constrained", "", "k_means", "households", "k-means-constrained", slow=True),
    Setting("spopt", "Ward", "spopt_peer", "ward", "spopt", slow=True),
    Setting("spopt", "SKATER", "spopt_peer", "skater", "spopt", slow=True),
    Setting("spopt", "RegionKMeans", "spopt_peer", "k_means", "spopt", slow=True),
    Setting("spopt", "AZP", "spopt_peer", "azp", "spopt", slow=True),
    Setting("GeoDa", "AZP", "geoda", "azp", "pygeoda", slow=True),
    Setting("GeoDa", "Max-p", "geoda", "max_p", "pygeoda", slow=True),
    Setting("GeoDa", "SKATER", "geoda", "skater", "pygeoda", slow=True),
)


def each(solve: Solve) -> System:
    """Return a system that solves parent by parent; a parent of one part needs no solving."""

    def system(atoms: Atoms, random_state: int) -> Answer:
        found = [
            np.zeros(len(part), dtype=np.int64)
            if part.count == 1
            else np.asarray(solve(part, random_state), dtype=np.int64)
            for part in atoms.parts()
        ]
        return Answer(np.concatenate(found))

    return system


def best_of(solve: Solve, times: int) -> Solve:
    """Return a function that solves so many times, repairs, and keeps the most even answer."""

    def best(part: Part, random_state: int) -> Longs:
        answers = (repaired(part, solve(part, random_state + k)) for k in range(times))
        return min(answers, key=lambda label: _unevenness(part, label))

    return best


def _unevenness(part: Part, label: Longs) -> float:
    weight = np.bincount(label, weights=part.weight, minlength=part.count)
    return float(np.abs(weight - TARGET).sum())
