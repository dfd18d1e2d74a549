"""One run of one system, in a process of its own: data in by file, answer out by file.

``python -m benchmarks.worker MODULE NAME ATOMS ANSWER RANDOM_STATE PACKAGE LIMIT_S``
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

from benchmarks.atoms import Atoms
from benchmarks.cost import cpu_s, limit_cpu, peak_mb
from benchmarks.peers import System

WARM_PARENTS = 4


def main(arguments: list[str]) -> int:
    """Load, warm up on the first parents, solve, and write labels and cost."""
    module, name, atoms_path, answer_path, random_state, package, limit_s = arguments
    warnings.simplefilter("ignore")
    system: System = import_module(f"benchmarks.peers.{module}").SYSTEMS[name]
    atoms = Atoms.load(Path(atoms_path))
    system(atoms.first(WARM_PARENTS), int(random_state))
    limit_cpu(float(limit_s))
    began = cpu_s()
    answer = system(atoms, int(random_state))
    took = cpu_s() - began
    proven = np.zeros(0, dtype=bool) if answer.proven is None else answer.proven
    np.savez(
        answer_path,
        label=answer.label,
        cut_atoms=answer.cut_atoms,
        proven=proven,
        cpu_s=took,
        peak_mb=peak_mb(),
        version=version(package),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
