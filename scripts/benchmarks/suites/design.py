"""How even, connected, compact and quick partitions are: gridmap, its peers and the floor."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import Atoms
from benchmarks.floor import confirm, floor
from benchmarks.graph_city import graph_city
from benchmarks.lines import Line, Options, figure, note
from benchmarks.metrics import deviations, judge, violations
from benchmarks.names import short
from benchmarks.peers import PEERS, Setting
from benchmarks.real_city import REAL
from benchmarks.sample_city import sample_city
from benchmarks.turns import Runs, in_turns

__all__ = ["CITIES", "GRIDMAP", "PEER_GROUP", "run"]

BENCH = "design"
PEER_GROUP = "bench"
HOUSEHOLDS = 115_000
CITIES: dict[str, tuple[str, Callable[..., Atoms]]] = {
    "graph": ("graph city", graph_city),
    "sample": ("sample city", sample_city),
    **REAL,
}
GRIDMAP = tuple(
    Setting("gridmap", name, "gridmap_engine", name, "gridmap-analytics")
    for name in ("balance", "compact")
)
FLOOR_METRICS = ("within_10pct", "within_20pct", "mean_abs_dev")
EFFORT = 1_000_000
CONFIRMED = 12  # parents, evenly among those small enough
MOST_TO_CONFIRM = 14  # atoms

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class _Floors:
    """The floor of each metric for every parent, and which parents are solved."""

    def __init__(self, atoms: Atoms) -> None:
        self.counts = atoms.counts
        self.cost: dict[str, Longs] = {}
        self.solved: dict[str, Bools] = {}
        began = time.process_time()
        parts = list(atoms.parts())
        for metric in (*FLOOR_METRICS, "violation"):
            note(f"floor of {metric}")
            found = [floor(part, metric, effort=EFFORT) for part in parts]
            self.cost[metric] = np.array([one.cost for one in found], dtype=np.int64)
            self.solved[metric] = np.array([one.solved for one in found])
        self.cpu_s = time.process_time() - began
        self.confirmed = _confirmed(atoms, self.cost["mean_abs_dev"], self.solved["mean_abs_dev"])

    def value(self, metric: str, chosen: Bools) -> float:
        """Return a metric at its floor over the chosen parents."""
        share = float(self.cost[metric][chosen].sum() / self.counts[chosen].sum())
        return share if metric == "mean_abs_dev" else 100 * (1 - share)


def _confirmed(atoms: Atoms, cost: Longs, solved: Bools) -> int:
    """Return how many parents of a sample an integer program agrees on.

    Raises
    ------
    ArithmeticError
        If it disagrees on one.
    """
    parts = list(atoms.parts())
    small = [k for k in np.flatnonzero(solved) if len(parts[k]) <= MOST_TO_CONFIRM]
    agreed = 0
    for k in small[:: max(1, len(small) // CONFIRMED)][:CONFIRMED]:
        other = confirm(parts[k], "mean_abs_dev")
        if other is None:
            continue
        if other != cost[k]:
            raise ArithmeticError(f"parent {k}: floor {cost[k]}, by HiGHS {other}")
        agreed += 1
    return agreed


def run(options: Options) -> Iterator[Line]:
    """Yield the lines of every city, kind of atom and random state that was asked for."""
    for kind in options.cities:
        for unit in options.atoms:
            for random_state in options.seeds:
                yield from _case(options, kind, unit, random_state)


def _case(options: Options, kind: str, unit: str, random_state: int) -> Iterator[Line]:
    title, make = CITIES[kind]
    size = options.size or HOUSEHOLDS
    atoms = make(size, random_state, units=unit == "units")
    named = title if kind in REAL else f"{title} {short(size)} households"
    case = f"{named}, seed {random_state}, {unit}"
    note(
        f"{case}: {atoms.weight.sum()} households in {len(atoms)} atoms, "
        f"{len(atoms.counts)} parents, {atoms.counts.sum()} parts"
    )
    floors = _Floors(atoms)
    head = Line(BENCH, case, "", "", "", "", None, None, None, 0, agrees=True)
    yield from _floor_lines(head, floors)
    chosen = [(setting, sys.executable) for setting in GRIDMAP]
    if options.peers:
        chosen += [(setting, options.peer_python) for setting in PEERS]
    if options.only:
        chosen = [pair for pair in chosen if pair[0].system in options.only]
    answers = in_turns(atoms, chosen, runs=options.runs, limit_s=options.limit_s)
    for (setting, _), answer in zip(chosen, answers, strict=True):
        yield from _answer_lines(head, setting, answer, atoms, floors)


def _with(head: Line, system: str, variant: str, version: str = "", agrees: bool = True) -> Line:
    return Line(
        head.bench, head.case, system, variant, version, "", None, None, None, 0, agrees=agrees
    )


def _floor_lines(head: Line, floors: _Floors) -> Iterator[Line]:
    every = np.ones(len(floors.counts), dtype=bool)
    line = _with(head, "proven floor", "each figure by itself, all parents")
    for metric in FLOOR_METRICS:
        yield figure(line, metric, [floors.value(metric, every)])
    yield figure(line, "solved_pct", [100 * float(floors.solved["mean_abs_dev"].mean())])
    yield figure(line, "confirmed", [floors.confirmed])
    yield figure(line, "cpu_s", [floors.cpu_s])
    line = _with(head, "proven floor", "each figure by itself, solved parents")
    for metric in FLOOR_METRICS:
        yield figure(line, metric, [floors.value(metric, floors.solved[metric])])


def _answer_lines(
    head: Line, setting: Setting, answer: Runs, atoms: Atoms, floors: _Floors
) -> Iterator[Line]:
    label = answer.label
    if label is None:
        failed = _with(head, setting.system, setting.variant, answer.version, agrees=False)
        yield Line(**{**vars(failed), "metric": "failed", "error": answer.error})
        return
    whole = len(label) == len(atoms) and bool((label >= 0).all())
    line = _with(head, setting.system, setting.variant, answer.version, answer.same and whole)
    add = partial(figure, line)
    for metric, value in judge(atoms, label, cut_atoms=answer.cut_atoms).items():
        yield add(metric, [value])
    solved = floors.solved["mean_abs_dev"]
    found, least = deviations(atoms, label), floors.cost["mean_abs_dev"]
    yield add("gap_to_floor_pct", [100 * float(found[solved].sum() / least[solved].sum() - 1)])
    yield add("optimal_pct", [100 * float(np.mean(found[solved] <= least[solved] + 1e-9))])
    beyond = violations(atoms, label)[floors.solved["violation"]]
    missed = beyond > floors.cost["violation"][floors.solved["violation"]] + 1e-9
    yield add("bounds_missed", [float(missed.sum())])
    if len(answer.proven):
        yield add("proven_pct", [100 * float(answer.proven.mean())])
    yield add("cpu_s", answer.cpu_s)
    yield add("peak_mb", answer.peak_mb)
