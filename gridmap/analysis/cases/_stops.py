"""Stop-clock: intervals in which the clock of a case stands still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis.cases._findings import finding, together
from gridmap.analysis.cases._ticks import MISSING, instants, times
from gridmap.errors import ConformError

__all__ = ["Stops", "check_stops", "settled_stops", "stopped"]

Longs = npt.NDArray[np.int64]
Counted = Callable[[Longs, Longs], tuple[Longs, Longs]]
Advanced = Callable[[Longs, Longs], tuple[Longs, Longs]]

_FOREVER = np.iinfo(np.int64).max
_COLUMNS = ("case", "begin", "end")


@dataclass(frozen=True)
class Stops:
    """Stops that do not overlap, by row of the cases and then in order of time.

    Parameters
    ----------
    row, begin, end : ndarray of int, shape (s,)
        The latest instant of all where a stop has no end yet.
    turn : ndarray of int, shape (s,)
        0 for the first stop of a row, and so on.
    """

    row: Longs
    begin: Longs
    end: Longs
    turn: Longs


def _proven(stops: pd.DataFrame) -> None:
    for column in _COLUMNS:
        if column not in stops:
            known = ", ".join(map(str, stops.columns))
            raise ConformError("clock.column", table="stops", column=column, known=known)


def check_stops(stops: pd.DataFrame, opened: pd.Series) -> pd.DataFrame:
    """Find what is wrong with stops.

    Parameters
    ----------
    stops : DataFrame of s rows
        ``case`` (a label of ``opened``), ``begin`` and ``end``, missing while the stop lasts.
    opened : Series of times, shape (n,)

    Returns
    -------
    DataFrame
        Findings: ``stop_unknown_case``, ``stop_no_begin``, ``stop_order`` (an end before the
        beginning), ``stop_before_opening`` (it ends before the case opens), all three without
        effect, and ``stop_overlap`` (counted once).

    Raises
    ------
    ConformError
        If a column is missing, or times have no zone.
    """
    _proven(stops)
    begin, end = instants(stops["begin"], "stops.begin"), instants(stops["end"], "stops.end")
    row = opened.index.get_indexer(pd.Index(stops["case"]))
    at = np.where(row >= 0, instants(opened, "opened")[row], MISSING)
    given = end != MISSING
    cases, moments = stops["case"], times(begin, stops.index, "UTC", "at")
    if isinstance(stops["begin"].dtype, pd.DatetimeTZDtype):
        moments = moments.dt.tz_convert(stops["begin"].dt.tz)
    order = np.lexsort((begin, row))
    last = np.where(given, end, _FOREVER)
    counts = (row >= 0) & (begin != MISSING) & (last > begin)
    overlap = np.zeros(len(stops), dtype=bool)
    order = order[counts[order]]
    latest = _running_max(row[order], last[order])
    overlap[order[1:]] = (row[order[1:]] == row[order[:-1]]) & (begin[order[1:]] < latest[:-1])
    known = row >= 0
    return together(
        [
            finding("stop_unknown_case", cases[~known], moments[~known]),
            finding("stop_no_begin", cases[begin == MISSING], moments[begin == MISSING]),
            finding("stop_order", *_of(cases, moments, given & (end < begin))),
            finding("stop_before_opening", *_of(cases, moments, counts & given & (end <= at))),
            finding("stop_overlap", *_of(cases, moments, overlap)),
        ]
    )


def _of(
    cases: pd.Series, moments: pd.Series, which: npt.NDArray[np.bool_]
) -> tuple[pd.Series, pd.Series]:
    return cases[which], moments[which]


def _running_max(row: Longs, values: Longs) -> Longs:
    """Return the greatest value so far within each row; rows are in order."""
    latest: Longs = pd.Series(values).groupby(row).cummax().to_numpy()
    return latest


def settled_stops(stops: pd.DataFrame, opened: pd.Series) -> Stops:
    """Return stops by row: those without effect left out, those that overlap put together.

    Raises
    ------
    ConformError
        If a column is missing, a label of the cases repeats, or times have no zone.
    """
    _proven(stops)
    if not opened.index.is_unique:
        rows = ", ".join(map(str, opened.index[opened.index.duplicated()][:5]))
        raise ConformError("clock.repeated", table="opened", rows=rows)
    begin, end = instants(stops["begin"], "stops.begin"), instants(stops["end"], "stops.end")
    row = opened.index.get_indexer(pd.Index(stops["case"])).astype(np.int64)
    end = np.where(end == MISSING, _FOREVER, end)
    at = instants(opened, "opened")
    keep = (row >= 0) & (begin != MISSING)
    begin = np.where(keep, np.maximum(begin, at[row]), begin)
    keep &= end > begin
    row, begin, end = row[keep], begin[keep], end[keep]
    order = np.lexsort((end, begin, row))
    row, begin, end = row[order], begin[order], end[order]
    if len(row) == 0:
        return Stops(row, begin, end, row)
    latest = _running_max(row, end)
    new = np.ones(len(row), dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (begin[1:] > latest[:-1])
    first = np.flatnonzero(new)
    row, begin, end = row[first], begin[first], np.maximum.reduceat(end, first)
    start = np.flatnonzero(np.append(True, row[1:] != row[:-1]))
    turn = np.arange(len(row)) - np.repeat(start, np.diff(np.append(start, len(row))))
    return Stops(row, begin, end, turn)


def stopped(
    due: Longs, year: Longs, stops: Stops, counted: Counted, advanced: Advanced
) -> tuple[Longs, Longs]:
    """Put deadlines off by what of the limit's unit lies within stops.

    Parameters
    ----------
    due, year : ndarray of int, shape (n,)
        Without stops; as of `gridmap.analysis.cases._ticks.advance`.
    stops : Stops
    counted, advanced : callable
        The units between instants; the deadline by so many units after another.

    Returns
    -------
    due, year : ndarray of int, shape (n,)
        `MISSING` while the clock stands still.
    """
    due, year = due.copy(), year.copy()
    for turn in range(int(stops.turn.max(initial=-1)) + 1):
        this = stops.turn == turn
        row, begin, end = stops.row[this], stops.begin[this], stops.end[this]
        holds = (due[row] != MISSING) & (begin < due[row])
        row, begin, end = row[holds], begin[holds], end[holds]
        still = end == _FOREVER
        due[row[still]] = MISSING
        row, begin, end = row[~still], begin[~still], end[~still]
        amount, missing = counted(begin, end)
        later, beyond = advanced(due[row], amount)
        due[row] = later
        year[row] = np.maximum(year[row], np.maximum(missing, beyond))
    return due, year
