"""Events counted by unit and by stretch of time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis._values import rows_of
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = ["Cube", "space_time_cube", "time_step"]

Longs = npt.NDArray[np.int64]

_CALENDAR = {
    "day": pd.DateOffset(days=1),
    "week": pd.DateOffset(weeks=1),
    "month": pd.DateOffset(months=1),
}


@dataclass(frozen=True, repr=False)
class Cube(Summarised):
    """Counts by unit and bin.

    Parameters
    ----------
    counts : ndarray of int64, shape (m, t)
    codes : Index, length m
        The units.
    edges : DatetimeIndex, length t + 1
        A bin lies between two of them; it holds its end if they were aligned to the end, and its
        start if to the start.
    left_out : int
        Events outside all bins, in a bin that was not complete, or without a unit or time.
    """

    counts: Longs
    codes: pd.Index
    edges: pd.DatetimeIndex
    left_out: int


@asks(alike=("units", "times"))
def space_time_cube(
    units: pd.Series,
    times: pd.Series,
    codes: pd.Index | pd.Series,
    *,
    bin: str = "week",  # noqa: A002 - the field's word
    align: Literal["end", "start"] = "end",
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
) -> Cube:
    """Count events by unit and stretch of time.

    Parameters
    ----------
    units : Series, shape (n,)
        The unit of each event, such as `assign` gives; missing for none.
    times : Series of datetime, shape (n,)
    codes : Index or Series, length m
        All units, also those without events.
    bin : str
        ``day``, ``week`` or ``month`` of the calendar, or a width such as ``"14D"`` or ``"6h"``.
    align : {"end", "start"}
        Bins are laid back from the end, so that the last one is complete and the first may be
        dropped, or on from the start. A month back from the 31st ends on the last of a month.
    start, end : datetime, optional
        Of the observation; the first and the last event where not given. A time with a zone goes
        with times with one.

    Returns
    -------
    Cube
        Of complete bins, in order of time; how many events they do not hold is in ``left_out``.

    Raises
    ------
    ConformError
        If a unit is not among the codes, the width is none, or no bin is complete.

    Examples
    --------
    >>> days = pd.to_datetime(["2025-01-05", "2025-01-20", "2025-02-10", "2025-03-01"])
    >>> times = pd.Series(days).dt.tz_localize("Asia/Shanghai")
    >>> units = pd.Series(["a", "a", "b", "a"])
    >>> begin = pd.Timestamp("2025-01-01", tz="Asia/Shanghai")
    >>> cube = analysis.space_time_cube(
    ...     units, times, pd.Index(["a", "b"]), bin="month", align="start", start=begin
    ... )
    >>> cube.counts.tolist(), cube.left_out
    ([[2, 0], [0, 1]], 1)

    January and February, and one event in March, which is not complete.
    """
    places = pd.Index(codes)
    row = places.get_indexer(pd.Index(units))
    strange = (row < 0) & units.notna().to_numpy()
    if strange.any():
        names = rows_of(pd.Index(units[strange].unique()))
        raise ConformError("conform.unknown_unit", what="events", codes=names)
    aware = [moment for moment in (start, end) if moment is not None]
    if aware and times.dt.tz is None:
        raise ConformError("conform.naive", function="space_time_cube", name="times")
    edges = _edges(times, bin, align, start, end)
    side: Literal["left", "right"] = "left" if align == "end" else "right"
    column = np.asarray(edges.searchsorted(pd.DatetimeIndex(times), side=side)) - 1
    bins = len(edges) - 1
    held = (row >= 0) & times.notna().to_numpy() & (column >= 0) & (column < bins)
    flat = np.bincount(row[held] * bins + column[held], minlength=len(places) * bins)
    counts = flat.reshape(len(places), bins).astype(np.int64)
    return Cube(counts, places, edges, int((~held).sum()))


@asks()
def time_step(width: str) -> pd.DateOffset | pd.Timedelta:
    """Return how far apart the edges of bins are.

    Parameters
    ----------
    width : str
        As ``bin`` of `space_time_cube`.

    Raises
    ------
    ConformError
        If that is no width of time.

    Examples
    --------
    >>> analysis.time_step("month")
    <DateOffset: months=1>
    >>> analysis.time_step("14D")
    Timedelta('14 days 00:00:00')
    """
    if width in _CALENDAR:
        return _CALENDAR[width]
    try:
        step = pd.Timedelta(width)
    except ValueError:
        raise ConformError("conform.bin", bin=width) from None
    if pd.isna(step) or step <= pd.Timedelta(0):
        raise ConformError("conform.bin", bin=width)
    return step


def _edges(
    times: pd.Series, width: str, align: str, start: dt.datetime | None, end: dt.datetime | None
) -> pd.DatetimeIndex:
    step = time_step(width)
    first = pd.Timestamp(start) if start is not None else times.min()
    last = pd.Timestamp(end) if end is not None else times.max()
    edges: list[pd.Timestamp] = []
    if pd.notna(first) and pd.notna(last):
        backwards = align == "end"
        edge, number = (last if backwards else first), 0
        while first <= edge <= last:
            edges.append(edge)
            number += 1
            # From the anchor each time: a month after a month that was cut short is not cut.
            edge = last - number * step if backwards else first + number * step
        edges.sort()
    if len(edges) < 2:  # noqa: PLR2004 - a bin has two ends
        raise ConformError("conform.no_bins", first=first, last=last, bin=width)
    return pd.DatetimeIndex(edges).as_unit("ns")
