"""How often something was found, with how far chance alone may have moved that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from benchmarks.lines import Line, figure

__all__ = ["BENCH", "mean", "most", "rate", "row"]

BENCH = "null"


def row(case: str, variant: str, *, published: bool = False) -> Line:
    """Return what the lines of a row have in common: its table and its name.

    Parameters
    ----------
    case, variant : str
    published : bool
        Whether the row is of a method as its authors have it, to be held against gridmap's.
    """
    system, edition = ("as published:", "") if published else ("gridmap", "gridmap-analytics")
    return Line(
        BENCH, case, system, variant, version(edition) if edition else "", "",
        None, None, None, 0, agrees=True,
    )  # fmt: skip


def most(level: float, trials: int) -> float:
    """Return the highest rate that can be told from a level by twice the Monte Carlo error."""
    return level + 2.0 * float(np.sqrt(level * (1.0 - level) / trials))


def rate(
    head: Line, name: str, hits: int, trials: int, *, level: float | None = None
) -> Iterator[Line]:
    """Yield a rate and twice its Monte Carlo error, both in per cent.

    Parameters
    ----------
    head : Line
        The row.
    name : str
        The column.
    hits, trials : int
        How often it was found, of how many.
    level : float, optional
        What is promised; a row that does not keep it is marked.
    """
    share = hits / trials
    error = float(np.sqrt(share * (1.0 - share) / trials))
    kept = level is None or share <= most(level, trials)
    yield figure(replace(head, agrees=kept), f"{name} %", [100.0 * share])
    yield figure(head, f"{name} +-", [200.0 * error])


def mean(head: Line, name: str, counts: Sequence[float]) -> Iterator[Line]:
    """Yield the mean of counts, one of each trial, and twice its Monte Carlo error."""
    values = np.asarray(counts, dtype=np.float64)
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    yield figure(head, name, [float(values.mean())])
    yield figure(head, f"{name} +-", [2.0 * error])
