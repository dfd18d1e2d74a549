"""When work is done: working periods, holidays and make-up workdays, in the city's zone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import chinese_calendar.constants as chinese
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.errors import ConfigError, ConformError

__all__ = [
    "HOURS", "WEEKDAYS", "Calendar", "ChineseHolidays", "DayTable", "EveryWeek",
    "Holidays", "day_table", "localise", "make_calendar",
]  # fmt: skip

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
Period = tuple[int, int]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = dict.fromkeys(WEEKDAYS[:5], "09:00-12:00 13:30-17:30")

_PERIOD = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_DAY_S = 86_400
_MAKE_UP = 7  # the kind of day after the seven of the week
_NOT_WORKED = -1


@runtime_checkable
class Holidays(Protocol):
    """Where it is known which days of a year are worked."""

    def knows(self, year: int) -> bool:
        """Return whether the days of a year are known."""

    def exceptions(self, year: int) -> Mapping[dt.date, bool]:
        """Return the days whose being worked differs from their weekday's, each with whether."""


class EveryWeek:
    """No holidays: every week of every year is alike.

    Examples
    --------
    >>> weeks = analysis.EveryWeek()
    >>> weeks.knows(2099), weeks.exceptions(2099)
    (True, {})
    >>> calendar = analysis.make_calendar(holidays=weeks)
    """

    def knows(self, year: int) -> bool:  # noqa: ARG002 - the protocol's
        """Return True."""
        return True

    def exceptions(self, year: int) -> Mapping[dt.date, bool]:  # noqa: ARG002 - the protocol's
        """Return nothing."""
        return {}


class ChineseHolidays:
    """Public holidays and make-up workdays of China, as the package ``chinesecalendar`` has them.

    References
    ----------
    The yearly notice of the General Office of the State Council on holiday arrangements
    (国务院办公厅关于部分节假日安排的通知).

    Examples
    --------
    >>> import datetime as dt
    >>> days = analysis.ChineseHolidays().exceptions(2025)
    >>> days[dt.date(2025, 10, 1)], days[dt.date(2025, 10, 11)]
    (False, True)

    National Day is not worked; the Saturday after the holidays makes up for a day of them.
    """

    def knows(self, year: int) -> bool:
        """Return whether the package holds the notice of that year."""
        return year in _chinese_days()

    def exceptions(self, year: int) -> Mapping[dt.date, bool]:
        """Return holidays (False) and make-up workdays (True)."""
        return _chinese_days()[year]


@cache
def _chinese_days() -> dict[int, dict[dt.date, bool]]:
    years: dict[int, dict[dt.date, bool]] = {}
    for days, working in ((chinese.holidays, False), (chinese.workdays, True)):
        for day in sorted(days):
            years.setdefault(day.year, {})[day] = working
    return years


@dataclass(frozen=True, eq=False)
class Calendar:
    """Working hours of every day.

    Made by `make_calendar`, which proves what is given.

    Parameters
    ----------
    zone : str
        The city's time zone, as of IANA.
    hours : tuple of eight tuples of (int, int), seconds after midnight
        The working periods from Monday to Sunday and of a make-up workday.
    holidays : Holidays
    days : mapping of date to tuple of (int, int), seconds after midnight
        The user's own days with their periods, which override the holidays; none where not worked.
    complete : frozenset of int
        Years of which ``days`` holds all that differ from their weekday.

    Examples
    --------
    >>> calendar = analysis.make_calendar("Asia/Shanghai", hours={"mon": "09:00-12:00"})
    >>> calendar.knows(2025), calendar.knows(1990)
    (True, False)
    """

    zone: str
    hours: tuple[tuple[Period, ...], ...]
    holidays: Holidays
    days: Mapping[dt.date, tuple[Period, ...]] = field(default_factory=dict)
    complete: frozenset[int] = frozenset()

    def knows(self, year: int) -> bool:
        """Return whether the days of a year are known."""
        return self.holidays.knows(year) or year in self.complete


@asks()
def make_calendar(
    zone: str = "Asia/Shanghai",
    *,
    hours: Mapping[str, str] | None = None,
    make_up: str | None = None,
    holidays: Holidays | None = None,
    days: pd.DataFrame | None = None,
    complete: Collection[int] = (),
) -> Calendar:
    """Make a calendar.

    Parameters
    ----------
    zone : str
        The city's time zone, as of IANA.
    hours : mapping of str to str, optional
        For days among `WEEKDAYS` their working periods, such as ``"09:00-12:00 13:30-17:30"``;
        a day that is left out is not worked. `HOURS` where not given.
    make_up : str, optional
        The periods of a make-up workday (调休上班); those of the first weekday that has any.
    holidays : Holidays, optional
        `ChineseHolidays` where not given; `EveryWeek` for none.
    days : DataFrame, optional
        The user's own days, which override the holidays: ``date``, ``working`` and, if these
        differ, ``hours``.
    complete : collection of int, optional
        Years of which ``days`` lists every holiday and make-up workday, so that they are known
        though ``holidays`` does not know them. One local day does not make a year known.

    Returns
    -------
    Calendar

    Raises
    ------
    ConfigError
        If the zone is unknown, hours cannot be read or overlap, or no day has any.
    ConformError
        If the table of days lacks a column, repeats a date or holds what is none.

    Examples
    --------
    >>> days = pd.DataFrame({"date": ["2025-03-04"], "working": [False]})
    >>> hours = {"mon": "09:00-12:00 13:30-17:30", "tue": "09:00-12:00"}
    >>> calendar = analysis.make_calendar(hours=hours, days=days)
    >>> monday = pd.Series(pd.DatetimeIndex(["2025-03-03", "2025-03-10"], tz="Asia/Shanghai"))
    >>> analysis.working_time(monday, monday + pd.Timedelta(days=2), calendar).to_list()
    [Timedelta('0 days 07:00:00'), Timedelta('0 days 10:00:00')]

    Seven hours on each Monday; three more on the Tuesday that is worked.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as reason:
        raise ConfigError("clock.zone", zone=zone) from reason
    given = HOURS if hours is None else hours
    for day in given:
        if day not in WEEKDAYS:
            raise ConfigError("clock.weekday", day=day, known=", ".join(WEEKDAYS))
    week = [_periods(given.get(day, "")) for day in WEEKDAYS]
    usual = next((periods for periods in week if periods), ())
    if not usual:
        raise ConfigError("clock.no_hours")
    week.append(usual if make_up is None else _periods(make_up))
    own = {} if days is None else _own_days(days, week)
    return Calendar(
        zone,
        tuple(week),
        ChineseHolidays() if holidays is None else holidays,
        own,
        frozenset(complete),
    )


def _periods(text: str) -> tuple[Period, ...]:
    """Return the periods of a day in seconds after midnight."""
    found = []
    for part in re.sub(r"\s*-\s*", "-", text).split():
        match = _PERIOD.fullmatch(part)
        if match is None:
            raise ConfigError("clock.hours", hours=text)
        hour, minute, last_hour, last_minute = (int(digits) for digits in match.groups())
        if minute > 59 or last_minute > 59:  # noqa: PLR2004 - minutes of an hour
            raise ConfigError("clock.hours", hours=text)
        found.append((hour * 3600 + minute * 60, last_hour * 3600 + last_minute * 60))
    edges = [edge for period in found for edge in period]
    rising = all(first < second for first, second in found) and edges == sorted(edges)
    if not rising or (edges and edges[-1] > _DAY_S):
        raise ConfigError("clock.hours", hours=text)
    return tuple(found)


def _own_days(
    days: pd.DataFrame, week: list[tuple[Period, ...]]
) -> dict[dt.date, tuple[Period, ...]]:
    for column in ("date", "working"):
        if column not in days:
            raise ConformError("clock.days", problem=f"'{column}'?")
    dates = pd.to_datetime(days["date"], errors="coerce")
    if dates.isna().any():
        raise ConformError("clock.days", problem=f"date = {days['date'][dates.isna()].iloc[0]!r}")
    if dates.duplicated().any():
        raise ConformError("clock.days", problem=f"{dates[dates.duplicated()].iloc[0].date()} x 2")
    truth = days["working"].isin([True, False, 0, 1])
    if not truth.all():
        raise ConformError("clock.days", problem=f"working = {days['working'][~truth].iloc[0]!r}")
    hours = days.get("hours", pd.Series(pd.NA, index=days.index))
    own: dict[dt.date, tuple[Period, ...]] = {}
    for date, working, text in zip(dates, days["working"], hours, strict=True):
        # A weekday that works as always keeps its hours; any other worked day has those of make-up.
        usual = week[date.weekday()] or week[_MAKE_UP]
        periods = usual if pd.isna(text) else _periods(str(text))
        own[date.date()] = periods if working else ()
    return own


@dataclass(frozen=True)
class DayTable:
    """Every day and every working period of some years of a calendar, to be searched.

    Parameters
    ----------
    first : int
        The first day, counted from 1970-01-01.
    worked : ndarray of bool, shape (days,)
    known : ndarray of bool, shape (days,)
        Whether the calendar knows the day's year.
    opens, closes : ndarray of int, shape (days,), microseconds after 1970 UTC
        When the first period of a day begins and its last one ends; -1 where not worked.
    begins, ends : ndarray of int, shape (periods,), microseconds after 1970 UTC
        The working periods, in order.
    before : ndarray of int, shape (periods + 1,), microseconds
        The working time before each period, and in the end all of it.
    """

    first: int
    worked: Bools
    known: Bools
    opens: Longs
    closes: Longs
    begins: Longs
    ends: Longs
    before: Longs


# A day's kind says which periods it has: those of a weekday, of make-up, or of a user's own day.
Days = dict[int, tuple[Period, ...]]


@lru_cache(maxsize=16)
def day_table(calendar: Calendar, first_year: int, last_year: int) -> DayTable:
    """Lay out the days of some years.

    Time within a period is what really passes, so that a period over a change of the clock has
    an hour more or less.

    Parameters
    ----------
    calendar : Calendar
    first_year, last_year : int
        Both included. Days of a year that the calendar does not know are not worked.

    Returns
    -------
    DayTable
    """
    days = np.arange(f"{first_year}-01-01", f"{last_year + 1}-01-01", dtype="datetime64[D]")
    first = int(days[0].astype(np.int64))
    kind, periods, known = _kinds(calendar, days, first_year, last_year)
    day, begin, end = [], [], []
    for number, pieces in periods.items():
        rows = np.flatnonzero(kind == number)
        for start, stop in pieces:
            day.append(rows)
            begin.append(_instants(days[rows], start, calendar.zone, early=True))
            end.append(_instants(days[rows], stop, calendar.zone, early=False))
    begins, ends = np.concatenate(begin), np.concatenate(end)
    order = np.argsort(begins, kind="stable")
    rows, begins, ends = np.concatenate(day)[order], begins[order], ends[order]
    opens, closes = np.full(len(days), -1, dtype=np.int64), np.full(len(days), -1, dtype=np.int64)
    opens[rows[::-1]] = begins[::-1]
    closes[rows] = ends
    before = np.concatenate([[0], np.cumsum(ends - begins)])
    return DayTable(first, closes >= 0, known, opens, closes, begins, ends, before)


def _kinds(
    calendar: Calendar, days: Dates, first_year: int, last_year: int
) -> tuple[Longs, Days, Bools]:
    """Return the kind of every day, the periods of each kind, and which days are known."""
    numbers = days.astype(np.int64)
    weekday = (numbers + 3) % 7  # 1970-01-01 was a Thursday
    periods: Days = dict(enumerate(calendar.hours))
    idle = np.array([not calendar.hours[day] for day in range(7)])
    kind = np.where(idle[weekday], _NOT_WORKED, weekday)
    year = days.astype("datetime64[Y]").astype(np.int64) + 1970
    known = np.isin(year, [y for y in range(first_year, last_year + 1) if calendar.knows(y)])
    for number in range(first_year, last_year + 1):
        if calendar.holidays.knows(number):
            for date, working in calendar.holidays.exceptions(number).items():
                at = (date - dt.date(1970, 1, 1)).days - int(numbers[0])
                kind[at] = _MAKE_UP if working else _NOT_WORKED
    kind[~known] = _NOT_WORKED
    for date, own in calendar.days.items():
        at = (date - dt.date(1970, 1, 1)).days - int(numbers[0])
        if 0 <= at < len(days):
            kind[at] = len(periods)
            periods[len(periods)] = own
    return kind, periods, known


def _instants(days: Dates, seconds: int, zone: str, *, early: bool) -> Longs:
    """Return a time of day as instants; where clocks are put back, the early or the late one."""
    local = days.astype("datetime64[s]").astype(np.int64) + seconds
    return localise(local.astype("datetime64[s]"), zone, early=early)


def localise(local: Dates, zone: str, *, early: bool) -> Longs:
    """Return local times as instants.

    Parameters
    ----------
    local : ndarray of datetime64, shape (n,)
        A time that the clock leaves out is moved to where it goes on.
    zone : str
    early : bool
        Of a time that the clock shows twice, take the first.

    Returns
    -------
    ndarray of int, shape (n,), microseconds after 1970 UTC
    """
    index = pd.DatetimeIndex(local).as_unit("us")
    aware = index.tz_localize(
        zone, ambiguous=np.full(len(index), early), nonexistent="shift_forward"
    )
    instants: Longs = aware.asi8
    return instants
