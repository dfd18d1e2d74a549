"""Systems in turns on arrays: each run in a process of its own, data and answers by file.

``python -m benchmarks.array_turns MODULE NAME DATA ANSWER PACKAGE`` prints one JSON object: the
figures, and which version of the package was run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.cost import cpu_s, peak_mb
from benchmarks.lines import Line, figure, note
from benchmarks.turns import child_environment, last_line

__all__ = ["Arrays", "Figures", "Runner", "array_turns", "timed", "told"]

Arrays = dict[str, npt.NDArray[Any]]
Figures = dict[str, float]
OURS = "gridmap-analytics"


@dataclass
class Runner:
    """One system, and what it answered run by run.

    Parameters
    ----------
    system, variant : str
        As in the lines of a benchmark.
    module, name : str
        The module of `benchmarks.peers` and its entry of ``SYSTEMS``.
    package : str
        The distribution whose version is told.
    answer : dict of ndarray
        Of the last run.
    figures : list of dict
        Of every run.
    version : str
    agrees : bool
    error : str
        Why the system failed; it is not run again.
    """

    system: str
    variant: str
    module: str
    name: str
    package: str
    answer: Arrays = field(default_factory=dict)
    figures: list[Figures] = field(default_factory=list)
    version: str = ""
    agrees: bool = True
    error: str = ""


def timed(run: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a function returns, and the CPU seconds that it took."""
    began = cpu_s()
    found = run()
    return found, cpu_s() - began


def array_turns(
    data: Arrays,
    runners: Sequence[Runner],
    folder: Path,
    *,
    runs: int,
    judge: Callable[[Arrays, Arrays], bool],
    limit_s: float,
    peer_python: str,
) -> None:
    """Run each system in its turn, then all of them again; compare with the first.

    Parameters
    ----------
    data : dict of ndarray
    runners : sequence of Runner
        Receive what they found.
    folder : pathlib.Path
        For files.
    runs : int
    judge : callable
        Whether two answers are the same.
    limit_s : float
        Wall seconds after which a run is stopped.
    peer_python : str
        The Python that has the peers installed.
    """
    save: Any = np.savez
    save(folder / "data.npz", **data)
    for turn in range(runs):
        for runner in runners:
            if runner.error:
                continue
            note(f"run {turn + 1}: {runner.system} {runner.variant}")
            _one(runner, folder, limit_s, peer_python)
            if not runner.error and not runners[0].error:
                runner.agrees &= judge(runner.answer, runners[0].answer)


def told(
    runners: Sequence[Runner], bench: str, case: str, ratios: dict[str, str]
) -> Iterator[Line]:
    """Yield the figures of every system, and how many times as long as the first it takes.

    Parameters
    ----------
    runners : sequence of Runner
    bench, case : str
    ratios : dict of str
        Names of ratios by the metric that they compare, run by run.
    """
    for runner in runners:
        head = Line(bench, case, runner.system, runner.variant, runner.version, "",
                    None, None, None, 0, agrees=runner.agrees)  # fmt: skip
        if runner.error:
            yield Line(**{**vars(head), "metric": "failed", "agrees": False, "error": runner.error})
            continue
        for metric in runner.figures[0]:
            yield figure(head, metric, [one[metric] for one in runner.figures])
        if runner.system == runners[0].system or runners[0].error:
            continue
        for metric, name in ratios.items():
            pairs = zip(runner.figures, runners[0].figures, strict=False)
            yield figure(head, name, [peer[metric] / own[metric] for peer, own in pairs])


def _one(runner: Runner, folder: Path, limit_s: float, peer_python: str) -> None:
    python = sys.executable if runner.package == OURS else peer_python
    command = [python, "-m", "benchmarks.array_turns", runner.module, runner.name,
               str(folder / "data.npz"), str(folder / "answer.npz"), runner.package]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, env=child_environment(), capture_output=True, timeout=limit_s, check=False
        )
    except subprocess.TimeoutExpired:
        runner.error = f"stopped after {limit_s:g} s"
        return
    if done.returncode:
        runner.error = last_line(done.stderr) or f"ended with {done.returncode}"
        return
    figures = json.loads(done.stdout)
    runner.version = figures.pop("version")
    runner.figures.append(figures)
    with np.load(folder / "answer.npz") as arrays:
        runner.answer = dict(arrays)


def main(arguments: list[str]) -> int:
    """Load, run one system, and write its answer."""
    module, name, data_path, answer_path, package = arguments
    warnings.simplefilter("ignore")
    systems = import_module(f"benchmarks.peers.{module}").SYSTEMS
    with np.load(data_path) as arrays:
        data = dict(arrays)
    answer, figures = systems[name](data)
    np.savez(answer_path, **answer)
    sys.stdout.write(
        json.dumps({**figures, "peak_mb": peak_mb(), "version": version(package)}) + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
