"""Arithmetic of the clock over plain arrays: instants are microseconds after 1970 UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis.cases.calendars import Calendar, DayTable, day_table, localise
from gridmap.errors import ConformError

__all__ = [
    "DAY_US", "HOUR_US", "MISSING", "DayCount", "advance", "advance_days", "between",
    "days_between", "instant", "instants", "local", "times", "unknown_years",
]  # fmt: skip

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
MISSING = np.iinfo(np.int64).min  # as numpy has "not a time"

_LAST_YEAR = 2300
_SHOWN = 5


@dataclass(frozen=True)
class DayCount:
    """How days of a limit are counted and when the last one ends; see `gridmap.analysis.Rule`."""

    working: bool
    until: str
    count_opening_day: bool
    roll: bool


def instants(values: pd.Series, what: str) -> Longs:
    """Return times as instants, `MISSING` where there is none.

    Raises
    ------
    ConformError
        If they are no times, or have no zone.
    """
    if values.isna().all():
        return np.full(len(values), MISSING, dtype=np.int64)
    if not isinstance(values.dtype, pd.DatetimeTZDtype):
        naive = pd.api.types.is_datetime64_any_dtype(values.dtype)
        key = "clock.naive" if naive else "clock.not_times"
        raise ConformError(key, what=what, found=values.dtype)
    found: Longs = pd.DatetimeIndex(values).as_unit("us").asi8
    return found


def instant(moment: dt.datetime | None) -> int:
    """Return a moment as an instant, `MISSING` where there is none."""
    if moment is None:
        return int(MISSING)
    return int(instants(pd.Series([pd.Timestamp(moment)]), "as_of")[0])


def times(found: Longs, index: pd.Index, zone: str, name: str) -> pd.Series:
    """Return instants as times in a zone."""
    utc = pd.DatetimeIndex(found.astype("datetime64[us]")).tz_localize("UTC")
    return pd.Series(utc.tz_convert(zone), index=index, name=name)


def local(found: Longs, zone: str) -> tuple[Longs, Longs]:
    """Return the local day of instants, counted from 1970-01-01, and the microseconds after it."""
    utc = pd.DatetimeIndex(found.astype("datetime64[us]")).tz_localize("UTC")
    clock = utc.tz_convert(zone).tz_localize(None).as_unit("us").asi8
    day: Longs = clock // DAY_US
    return day, clock - day * DAY_US


def _at(day: Longs, of_day: Longs, zone: str) -> Longs:
    return localise((day * DAY_US + of_day).astype("datetime64[us]"), zone, early=True)


def _year(day: Longs) -> Longs:
    year: Longs = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return year


def _worked_before(table: DayTable, at: Longs) -> Longs:
    """Return the working time from the beginning of the table until instants."""
    if len(table.begins) == 0:
        return np.zeros(len(at), dtype=np.int64)
    period = np.searchsorted(table.begins, at, side="right") - 1
    safe = np.maximum(period, 0)
    into = np.minimum(at, table.ends[safe]) - table.begins[safe]
    worked: Longs = np.where(period >= 0, table.before[safe] + into, 0)
    return worked


def _settle(
    calendar: Calendar, opened: Longs, attempt: Callable[[DayTable], tuple[Longs, Bools]]
) -> tuple[Longs, Longs]:
    """Lay out as many years as limits need.

    Returns
    -------
    due : ndarray of int, shape (n,)
    year : ndarray of int, shape (n,)
        The first year on the way that the calendar does not know; 0 where it knows all.
    """
    day, _ = local(opened, calendar.zone)
    first, last = int(_year(day.min())), int(_year(day.max()))
    more = 1
    while True:
        table = day_table(calendar, first, last + more)
        # Where no year is known there is nothing to count on.
        due, beyond = attempt(table) if len(table.begins) else (opened, np.ones_like(day, bool))
        if not beyond.any() or not calendar.knows(last + more) or last + more > _LAST_YEAR:
            break
        more *= 2
    reach = np.where(beyond, table.first + len(table.known), local(due, calendar.zone)[0])
    year = _unknown_on(table, day, reach)
    # A limit that no year ends is as one that leads into a year nobody knows.
    year[beyond & (year == 0)] = last + more + 1
    return np.where(year > 0, MISSING, due), year


def _unknown_on(table: DayTable, first: Longs, last: Longs) -> Longs:
    """Return the year of the first unknown day between days, both included, or 0."""
    unknown = np.append(np.flatnonzero(~table.known) + table.first, np.iinfo(np.int64).max)
    found = unknown[np.searchsorted(unknown, first)]
    year = np.zeros(len(first), dtype=np.int64)
    on_way = found <= last
    year[on_way] = _year(found[on_way])
    return year


def unknown_years(years: Longs) -> None:
    """Prove that every year was known.

    Raises
    ------
    ConformError
        Names the years that are not.
    """
    wrong = np.unique(years[years > 0])
    if len(wrong):
        raise ConformError("clock.year", years=", ".join(map(str, wrong[:_SHOWN])))


def advance(calendar: Calendar, opened: Longs, amount: Longs) -> tuple[Longs, Longs]:
    """Return when so much working time has passed, and the unknown years as of `_settle`.

    Parameters
    ----------
    calendar : Calendar
    opened : ndarray of int, shape (n,)
        None missing.
    amount : ndarray of int, shape (n,), microseconds
    """
    if len(opened) == 0:
        return opened, np.zeros(0, dtype=np.int64)

    def attempt(table: DayTable) -> tuple[Longs, Bools]:
        target = _worked_before(table, opened) + amount
        period = np.searchsorted(table.before, target, side="left") - 1
        beyond = period >= len(table.begins)
        safe = np.clip(period, 0, len(table.begins) - 1)
        due = table.begins[safe] + target - table.before[safe]
        return np.where(amount == 0, opened, due), beyond & (amount > 0)

    return _settle(calendar, opened, attempt)


def advance_days(
    calendar: Calendar, opened: Longs, amount: Longs, day_count: DayCount
) -> tuple[Longs, Longs]:
    """Return when the last of so many days ends, and the unknown years as of `_settle`.

    Parameters
    ----------
    calendar : Calendar
    opened : ndarray of int, shape (n,)
        None missing.
    amount : ndarray of int, shape (n,)
    day_count : DayCount
    """
    if len(opened) == 0:
        return opened, np.zeros(0, dtype=np.int64)
    day, of_day = local(opened, calendar.zone)
    if not day_count.working and not day_count.roll:
        last = day + amount - (day_count.count_opening_day & (amount > 0))
        return _end(last, of_day, day_count, calendar.zone), np.zeros(len(opened), dtype=np.int64)

    def attempt(table: DayTable) -> tuple[Longs, Bools]:
        last, beyond = _last_day(table, opened, day, amount, day_count)
        if day_count.until == "closing":
            return table.closes[last - table.first], beyond
        return _end(last, of_day, day_count, calendar.zone), beyond

    return _settle(calendar, opened, attempt)


def _last_day(
    table: DayTable, opened: Longs, day: Longs, amount: Longs, day_count: DayCount
) -> tuple[Longs, Bools]:
    """Return the last day of limits, and which of them reach beyond the table."""
    worked = np.flatnonzero(table.worked)
    row = day - table.first
    if day_count.working:
        # The day of opening can be worked on if it is a workday and not over yet: at the very
        # instant of closing no work can be done any more.
        usable = table.worked[row] & (opened < table.closes[row])
        including = np.searchsorted(worked, row, side="right")
        here = np.where(usable, including - 1, including)
        if day_count.count_opening_day:
            nth = here + np.maximum(amount - 1, 0)
        else:
            nth = np.where(amount == 0, here, including - 1 + amount)
    else:
        natural = row + amount - (day_count.count_opening_day & (amount > 0))
        nth = np.searchsorted(worked, natural, side="left")
    beyond = nth >= len(worked)
    last: Longs = worked[np.minimum(nth, len(worked) - 1)] + table.first
    return last, beyond


def _end(day: Longs, of_day: Longs, day_count: DayCount, zone: str) -> Longs:
    """Return the end of a day: its midnight, or the time of day of the opening."""
    if day_count.until == "same_time":
        return _at(day, of_day, zone)
    return _at(day + 1, np.zeros_like(of_day), zone)


def between(calendar: Calendar, begin: Longs, end: Longs) -> tuple[Longs, Longs]:
    """Return the working time between instants, and the unknown years as of `_settle`.

    Parameters
    ----------
    calendar : Calendar
    begin, end : ndarray of int, shape (n,)
        None missing; where the end comes first, the time is negative.
    """
    if len(begin) == 0:
        return begin, np.zeros(0, dtype=np.int64)
    table, year = _covering(calendar, begin, end)
    return _worked_before(table, end) - _worked_before(table, begin), year


def days_between(
    calendar: Calendar, begin: Longs, end: Longs, *, working: bool
) -> tuple[Longs, Longs]:
    """Return the days after that of the beginning up to that of the end, and the unknown years."""
    first, last = local(begin, calendar.zone)[0], local(end, calendar.zone)[0]
    if not working or len(begin) == 0:
        return last - first, np.zeros(len(begin), dtype=np.int64)
    table, year = _covering(calendar, begin, end)
    worked = np.concatenate([[0], np.cumsum(table.worked)])
    return worked[last - table.first + 1] - worked[first - table.first + 1], year


def _covering(calendar: Calendar, begin: Longs, end: Longs) -> tuple[DayTable, Longs]:
    first, last = local(begin, calendar.zone)[0], local(end, calendar.zone)[0]
    low, high = np.minimum(first, last), np.maximum(first, last)
    table = day_table(calendar, int(_year(low.min())), int(_year(high.max())))
    return table, _unknown_on(table, low, high)
