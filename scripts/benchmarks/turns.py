"""Systems in turns: A, B, A, B, ..., each run in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import Atoms
from benchmarks.lines import note
from benchmarks.peers import Setting

__all__ = ["Runs", "child_environment", "in_turns", "last_line"]

PATIENCE = 10  # wall seconds a second of CPU time, on a machine with other things to do
SCRIPTS = Path(__file__).resolve().parents[1]
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass
class Runs:
    """What a system answered, run by run.

    Parameters
    ----------
    label : ndarray of int64, shape (n,), or None
        Of the first run; None if that failed.
    same : bool
        Whether every run gave the same.
    cut_atoms : int
    proven : ndarray of bool
        Shape (0,) if the system proves nothing.
    cpu_s, peak_mb : list of float
    version, error : str
    """

    label: npt.NDArray[np.int64] | None = None
    same: bool = True
    cut_atoms: int = 0
    proven: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    cpu_s: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    version: str = ""
    error: str = ""


def in_turns(
    atoms: Atoms,
    settings: Sequence[tuple[Setting, str]],
    *,
    runs: int,
    random_state: int = 0,
    limit_s: float = 60.0,
) -> list[Runs]:
    """Run each system in its turn, then all of them again.

    Parameters
    ----------
    atoms : Atoms
    settings : sequence of (Setting, str)
        The systems, each with the Python that has it installed.
    runs : int
        A slow system runs but once.
    random_state : int
        The same in every run.
    limit_s : float
        CPU seconds after which a run is stopped, compilation and imports not counted.

    Returns
    -------
    list of Runs
        A system that failed has its error and is not run again.
    """
    found = [Runs() for _ in settings]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        atoms.save(folder / "atoms.npz")
        for turn in range(runs):
            for (setting, python), known in zip(settings, found, strict=True):
                if known.error or (turn and setting.slow):
                    continue
                note(f"run {turn + 1}: {setting.system} {setting.variant}")
                _one(setting, python, folder, known, random_state, limit_s)
    return found


def _one(
    setting: Setting, python: str, folder: Path, known: Runs, random_state: int, limit_s: float
) -> None:
    answer = folder / "answer.npz"
    answer.unlink(missing_ok=True)
    command = [
        python, "-m", "benchmarks.worker", setting.module, setting.name,
        str(folder / "atoms.npz"), str(answer), str(random_state), setting.package, str(limit_s),
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            env=child_environment(),
            capture_output=True,
            timeout=PATIENCE * limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        known.error = f"stopped after {PATIENCE * limit_s:g} s"
        return
    if done.returncode == -signal.SIGXCPU:
        known.error = f"stopped after {limit_s:g} s of CPU time"
        return
    if done.returncode or not answer.exists():
        known.error = last_line(done.stderr) or f"ended with {done.returncode}"
        return
    with np.load(answer) as arrays:
        _keep(known, dict(arrays))


def _keep(known: Runs, arrays: dict[str, Any]) -> None:
    label = arrays["label"].astype(np.int64)
    if known.label is None:
        known.label = label
    known.same = known.same and np.array_equal(known.label, label)
    known.cut_atoms, known.proven = int(arrays["cut_atoms"]), arrays["proven"]
    known.cpu_s.append(float(arrays["cpu_s"]))
    known.peak_mb.append(float(arrays["peak_mb"]))
    known.version = str(arrays["version"])


def child_environment() -> dict[str, str]:
    """Return the environment of a run: our modules, and one thread."""
    inherited = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(part for part in (str(SCRIPTS), inherited) if part)
    return {**os.environ, "PYTHONPATH": path, **dict.fromkeys(THREADS, "1")}


def last_line(said: bytes) -> str:
    """Return the last line that is not empty."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
