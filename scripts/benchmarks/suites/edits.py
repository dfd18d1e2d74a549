"""How soon an edit answers inside a city of about 2,300 micro-grids."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

import numpy as np
from synthetic import make_city

from benchmarks.lines import Line, Options, figure, note
from benchmarks.names import short
from benchmarks.plans import plan_of
from gridmap.design.edit import Change, merge, move, recut, split
from gridmap.design.plan import Plan
from gridmap.errors import ConformError

__all__ = ["run"]

BENCH = "edits"
HOUSEHOLDS = 130_000  # of which nine in ten are occupied
EDITS = 300
WARM = 5

Make = Callable[[Plan, np.random.Generator], Change]


def run(options: Options) -> Iterator[Line]:
    """Yield the median and the 99th percentile of each kind of edit, CPU milliseconds."""
    size = options.size or HOUSEHOLDS
    for random_state in options.seeds[:1]:
        city = make_city(households=size, random_state=random_state, problems_per_household=0.01)
        plan = plan_of(city)
        case = f"sample city {short(size)} households, seed {random_state}, buildings"
        note(f"{case}: {len(plan)} micro-grids")
        for name, make in KINDS.items():
            spent = [_milliseconds(plan, make, random_state) for _ in range(options.runs)]
            head = Line(
                BENCH, case, "gridmap", name, version("gridmap-analytics"), "", None, None, None,
                0, agrees=True,
            )  # fmt: skip
            for metric, share in (("p50_ms", 50), ("p99_ms", 99), ("max_ms", 100)):
                yield figure(head, metric, [float(np.percentile(one, share)) for one in spent])


def _milliseconds(plan: Plan, make: Make, random_state: int) -> list[float]:
    """Return the CPU time of each of many edits, the first ones left out."""
    rng = np.random.default_rng(random_state)
    spent: list[float] = []
    while len(spent) < EDITS + WARM:
        began = time.process_time()
        try:
            make(plan, rng)
        except ConformError:  # a micro-grid of one atom cannot be split or lose it
            continue
        spent.append(1000 * (time.process_time() - began))
    return spent[WARM:]


def _beside(plan: Plan, rng: np.random.Generator) -> tuple[int, int]:
    """Return an atom at random and a neighbour of it in another micro-grid."""
    graph = plan.graph
    while True:
        atom = int(rng.integers(len(graph)))
        near = graph.neighbour[graph.starts[atom] : graph.starts[atom + 1]]
        near = near[plan.label[near] != plan.label[atom]]
        if len(near):
            return atom, int(near[0])


def _move(plan: Plan, rng: np.random.Generator) -> Change:
    atom, other = _beside(plan, rng)
    return move(plan, [plan.atoms["code"].iloc[atom]], plan.code[plan.label[other]])


def _split(plan: Plan, rng: np.random.Generator) -> Change:
    return split(plan, plan.code[int(rng.integers(len(plan)))])


def _merge(plan: Plan, rng: np.random.Generator) -> Change:
    atom, other = _beside(plan, rng)
    return merge(plan, [plan.code[plan.label[atom]], plan.code[plan.label[other]]])


def _recut(plan: Plan, rng: np.random.Generator) -> Change:
    return recut(plan, plan.grids["code"].iloc[int(rng.integers(len(plan.grids)))])


KINDS: dict[str, Make] = {"move": _move, "split": _split, "merge": _merge, "recut": _recut}
