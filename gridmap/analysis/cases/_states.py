"""The states of a case as a table of numbers, and the loop that walks an event log through it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from gridmap.compiled import kernel
from gridmap.errors import CatalogError
from gridmap.records import Record, read_toml
from gridmap.resources import packaged

__all__ = ["LifeTable", "life_table", "walk"]

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class _Transition(Record):
    event: str
    from_: tuple[str, ...]
    to: str = ""


@dataclass(frozen=True)
class LifeTable:
    """The transitions.

    Parameters
    ----------
    stages, final, levels, events : tuple of str
    states : tuple of str
        First ``""``, that of a case of which nothing is known yet.
    follows : ndarray of int, shape (states, events)
        The number of the state that an event leads to, whether or not it is possible.
    possible : ndarray of bool, shape (states, events)
    """

    stages: tuple[str, ...]
    final: tuple[str, ...]
    levels: tuple[str, ...]
    states: tuple[str, ...]
    events: tuple[str, ...]
    follows: Longs
    possible: Bools


@cache
def life_table() -> LifeTable:
    """Return the transitions of ``case_states.toml``."""
    read = read_toml(packaged("analysis/cases/case_states.toml"), CatalogError)
    rows = [
        _Transition(event=row["event"], from_=row["from"], to=row.get("to", ""))
        for row in read["transitions"]
    ]
    states = ("", *dict.fromkeys((*read["stages"], *read["final"])))
    events = tuple(dict.fromkeys(row.event for row in rows))
    follows = np.repeat(np.arange(len(states))[:, None], len(events), axis=1)
    possible = np.zeros(follows.shape, dtype=bool)
    for row in rows:
        if row.to:
            follows[:, events.index(row.event)] = states.index(row.to)
    for row in rows:
        for state in row.from_:
            at = states.index(state), events.index(row.event)
            possible[at] = True
            follows[at] = states.index(row.to or state)
    return LifeTable(
        tuple(read["stages"]), tuple(read["final"]), tuple(read["levels"]), states, events,
        follows, possible,
    )  # fmt: skip


@kernel
def walk(case: Longs, event: Longs, follows: Longs, possible: Bools) -> tuple[Longs, Longs, Bools]:
    """Walk cases through their states.

    Parameters
    ----------
    case, event : ndarray of int, shape (n,)
        In order of case and then of time.
    follows, possible : ndarray, shape (states, events)

    Returns
    -------
    before, after : ndarray of int, shape (n,)
    fine : ndarray of bool, shape (n,)
        Whether the event was possible.
    """
    before = np.zeros(len(case), np.int64)
    after = np.zeros(len(case), np.int64)
    fine = np.zeros(len(case), np.bool_)
    state = 0
    for row in range(len(case)):
        if row == 0 or case[row] != case[row - 1]:
            state = 0
        before[row] = state
        fine[row] = possible[state, event[row]]
        state = follows[state, event[row]]
        after[row] = state
    return before, after, fine
