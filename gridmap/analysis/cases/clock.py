"""The legal clock of a case: deadlines, working time, what is overdue and what is to be revisited.

The conventions stand in ``docs/kpis.md``. An instant on its deadline is in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis.cases import _ticks
from gridmap.analysis.cases._stops import Stops, check_stops, settled_stops, stopped
from gridmap.analysis.cases._ticks import HOUR_US, MISSING, DayCount
from gridmap.analysis.cases.calendars import Calendar
from gridmap.errors import ConformError

__all__ = [
    "UNITS",
    "Rule",
    "check_stops",
    "days_between",
    "deadline",
    "deadline_or_year",
    "working_time",
]  # fmt: skip

Longs = npt.NDArray[np.int64]

UNITS = ("urgent_hours", "working_hours", "working_days", "natural_days")

# Where days end; the first is the default. Civil Code of China, article 203: at midnight, but
# where there are business hours, when they end.
_UNTIL = {
    "urgent_hours": ("",),
    "working_hours": ("",),
    "working_days": ("closing", "midnight", "same_time"),
    "natural_days": ("midnight", "same_time"),
}
_KIND = ["unit", "until", "count_opening_day", "roll"]


@dataclass(frozen=True)
class Rule:
    """A time limit.

    Parameters
    ----------
    amount : float
        How many units; a whole number of days.
    unit : str
        ``urgent_hours`` (run day and night), ``working_hours``, ``working_days`` or
        ``natural_days``.
    until : str
        When the last day ends: of working days at ``closing`` time (the default), of natural ones
        at ``midnight`` (the default), or at the ``same_time`` of day as the opening.
    count_opening_day : bool
        Whether the day of opening is the first of the days; by article 201 of the Civil Code of
        China the day after is. A working day that is over, or a day that is not worked, never is.
    roll : bool
        Of natural days: whether a limit that ends on a day not worked ends on the next worked one
        (article 203 of the same).

    Raises
    ------
    ConformError
        If no such limit can be.

    Examples
    --------
    >>> friday = pd.Series(pd.DatetimeIndex(["2025-03-07 16:00"], tz="Asia/Shanghai"))
    >>> two_days = analysis.Rule(2, "working_days")
    >>> analysis.deadline(friday, two_days, analysis.make_calendar())[0]
    Timestamp('2025-03-11 17:30:00+0800', tz='Asia/Shanghai')

    Monday is the first day, and Tuesday ends when the office closes.
    """

    amount: float
    unit: str
    until: str = ""
    count_opening_day: bool = False
    roll: bool = False

    def __post_init__(self) -> None:
        _prove(self.amount, self.unit, self.until)


def _prove(amount: float, unit: str, until: str) -> None:
    if unit not in _UNTIL:
        raise ConformError("clock.unit", unit=unit, known=", ".join(UNITS))
    if until and until not in _UNTIL[unit]:
        known = ", ".join(name for name in _UNTIL[unit] if name) or '""'
        raise ConformError("clock.until", unit=unit, until=until, known=known)
    whole = unit.endswith("hours") or amount == round(amount) if np.isfinite(amount) else False
    if not whole or amount < 0:
        raise ConformError("clock.amount", amount=amount, unit=unit)


@asks()
def deadline(
    opened: pd.Series,
    rule: Rule | pd.DataFrame,
    calendar: Calendar,
    *,
    stops: pd.DataFrame | None = None,
) -> pd.Series:
    """Return when time limits end.

    Parameters
    ----------
    opened : Series of times with a zone, shape (n,)
        When the clock starts. Working hours begin with the next working period if that is outside
        working hours.
    rule : Rule or DataFrame, shape (n, k)
        One limit for all, or one a case on their index: ``amount`` and ``unit``, missing where
        there is no limit, and as columns the other parameters of `Rule`.
    calendar : Calendar
    stops : DataFrame, optional
        ``case`` (a label of ``opened``), ``begin`` and ``end``, missing while it lasts: when the
        clock stood still. What overlaps counts once; see `check_stops`. Of limits in days those
        days do not count that come after that of the beginning, up to that of the end.

    Returns
    -------
    Series of times in the calendar's zone
        On the index of ``opened``. Missing where the opening or the limit is, and where a stop
        without an end began before the deadline.

    Raises
    ------
    ConformError
        If a limit cannot be, times have no zone, or a limit leads into a year whose holidays the
        calendar does not know.

    Examples
    --------
    >>> friday = pd.Series(pd.DatetimeIndex(["2025-03-07 16:00"], tz="Asia/Shanghai"))
    >>> calendar = analysis.make_calendar()
    >>> analysis.deadline(friday, analysis.Rule(4, "urgent_hours"), calendar)[0]
    Timestamp('2025-03-07 20:00:00+0800', tz='Asia/Shanghai')
    >>> analysis.deadline(friday, analysis.Rule(4, "working_hours"), calendar)[0]
    Timestamp('2025-03-10 11:30:00+0800', tz='Asia/Shanghai')

    One and a half working hours were left on Friday, two and a half are on Monday from nine.
    """
    due, years = deadline_or_year(opened, rule, calendar, stops=stops)
    _ticks.unknown_years(years.to_numpy())
    return due


def deadline_or_year(
    opened: pd.Series,
    rule: Rule | pd.DataFrame,
    calendar: Calendar,
    *,
    stops: pd.DataFrame | None = None,
) -> tuple[pd.Series, pd.Series]:
    """Return what `deadline` does, but instead of raising the year that is not known.

    Returns
    -------
    due : Series of times in the calendar's zone
    year : Series of int
        0 where nothing was missing.
    """
    begin = _ticks.instants(opened, "opened")
    due = np.full(len(begin), MISSING, dtype=np.int64)
    years = np.zeros(len(begin), dtype=np.int64)
    rules = rule if isinstance(rule, Rule) else _rules(rule, opened.index)
    paused = None if stops is None else settled_stops(stops, opened)
    for unit, day_count, rows, amount in _groups(rules, begin):
        found, year = _advance(calendar, unit, day_count, begin[rows], amount)
        if paused is not None and len(rows):
            found, year = _put_off(found, year, paused, rows, (calendar, unit, day_count))
        due[rows], years[rows] = found, year
    named = _ticks.times(due, opened.index, calendar.zone, "due")
    return named, pd.Series(years, index=opened.index, name="year")


def _rules(rules: pd.DataFrame, index: pd.Index) -> pd.DataFrame:
    if not rules.index.equals(index):
        raise ConformError("clock.aligned", what="rule")
    for column in ("amount", "unit"):
        if column not in rules:
            known = ", ".join(map(str, rules.columns))
            raise ConformError("clock.column", table="rule", column=column, known=known)
    filled = rules[["amount", "unit"]].copy()
    filled["until"] = _option(rules, "until").astype("string").fillna("")
    for name in ("count_opening_day", "roll"):
        filled[name] = _option(rules, name).astype("boolean").fillna(value=False)
    kinds = filled.drop_duplicates().dropna(subset=["amount", "unit"])
    for amount, unit, until in zip(kinds["amount"], kinds["unit"], kinds["until"], strict=True):
        _prove(float(amount), str(unit), str(until))
    return filled


def _option(rules: pd.DataFrame, name: str) -> pd.Series:
    missing = pd.Series(pd.NA, index=rules.index, dtype=object)
    return rules.get(name, missing)


def _groups(
    rules: Rule | pd.DataFrame, begin: Longs
) -> Iterator[tuple[str, DayCount, Longs, Longs]]:
    """Yield unit, count of days, rows and amounts of cases whose limits differ in amount alone."""
    there = begin != MISSING
    if isinstance(rules, Rule):
        rows = np.flatnonzero(there)
        amount = np.full(len(rows), rules.amount)
        yield _group(rules.unit, rules.until, rules.count_opening_day, rules.roll, rows, amount)
        return
    has = there & rules["amount"].notna().to_numpy() & rules["unit"].notna().to_numpy()
    numbers = rules.assign(row=np.arange(len(rules)))[has]
    for (unit, until, first, roll), part in numbers.groupby(_KIND, sort=True, observed=True):
        amount = part["amount"].to_numpy(dtype=np.float64)
        yield _group(str(unit), str(until), first, roll, part["row"].to_numpy(), amount)


def _group(
    unit: str, until: object, first: object, roll: object, rows: Longs,
    amount: npt.NDArray[np.float64],
) -> tuple[str, DayCount, Longs, Longs]:  # fmt: skip
    scale = HOUR_US if unit.endswith("hours") else 1
    day_count = DayCount(
        working=unit.startswith("working"),
        until=str(until) or _UNTIL[unit][0],
        count_opening_day=bool(first),
        roll=bool(roll),
    )
    return unit, day_count, rows, np.rint(amount * scale).astype(np.int64)


def _advance(
    calendar: Calendar, unit: str, day_count: DayCount, begin: Longs, amount: Longs
) -> tuple[Longs, Longs]:
    if unit == "urgent_hours":
        return begin + amount, np.zeros(len(begin), dtype=np.int64)
    if unit == "working_hours":
        return _ticks.advance(calendar, begin, amount)
    return _ticks.advance_days(calendar, begin, amount, day_count)


def _put_off(
    due: Longs, year: Longs, stops: Stops, rows: Longs, by: tuple[Calendar, str, DayCount]
) -> tuple[Longs, Longs]:
    """Put the deadlines of some rows off by their stops."""
    calendar, unit, day_count = by
    place = np.full(int(max(stops.row.max(initial=-1), rows.max())) + 1, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    here = place[stops.row] >= 0
    mine = Stops(place[stops.row[here]], stops.begin[here], stops.end[here], stops.turn[here])

    def counted(begin: Longs, end: Longs) -> tuple[Longs, Longs]:
        if unit == "urgent_hours":
            return end - begin, np.zeros(len(begin), dtype=np.int64)
        if unit == "working_hours":
            return _ticks.between(calendar, begin, end)
        return _ticks.days_between(calendar, begin, end, working=day_count.working)

    def advanced(due: Longs, amount: Longs) -> tuple[Longs, Longs]:
        if unit.endswith("hours"):
            return _advance(calendar, unit, day_count, due, amount)
        # The end of a day belongs to it, also where that is midnight.
        on = due - (day_count.until != "same_time")
        on_with = DayCount(
            day_count.working, day_count.until, count_opening_day=False, roll=day_count.roll
        )
        later, beyond = _ticks.advance_days(calendar, on, amount, on_with)
        return np.where(amount == 0, due, later), beyond

    return stopped(due, year, mine, counted, advanced)


@asks()
def working_time(begin: pd.Series, end: pd.Series, calendar: Calendar) -> pd.Series:
    """Return the working time between times.

    Parameters
    ----------
    begin, end : Series of times with a zone, shape (n,)
        On one index.
    calendar : Calendar

    Returns
    -------
    Series of timedelta, shape (n,)
        Missing where a time is; negative where the end comes first, so that the parts of an
        interval always add up.

    Raises
    ------
    ConformError
        If the indices differ, times have no zone, or a year on the way is not known.

    Examples
    --------
    >>> begin = pd.Series(pd.DatetimeIndex(["2025-03-07 16:00"], tz="Asia/Shanghai"))
    >>> end = pd.Series(pd.DatetimeIndex(["2025-03-10 11:00"], tz="Asia/Shanghai"))
    >>> calendar = analysis.make_calendar(hours={"fri": "09:00-17:00", "mon": "09:00-17:00"})
    >>> analysis.working_time(begin, end, calendar)[0]
    Timedelta('0 days 03:00:00')
    """
    first, last, both = _pair(begin, end)
    found = np.full(len(first), MISSING, dtype=np.int64)
    found[both], year = _ticks.between(calendar, first[both], last[both])
    _ticks.unknown_years(year)
    return pd.Series(found.astype("timedelta64[us]"), index=begin.index, name="working_time")


@asks()
def days_between(
    begin: pd.Series, end: pd.Series, calendar: Calendar, *, working: bool = True
) -> pd.Series:
    """Return the days after that of the beginning, up to that of the end.

    Parameters
    ----------
    begin, end : Series of times with a zone, shape (n,)
        On one index.
    calendar : Calendar
    working : bool
        Count working days, else natural ones.

    Returns
    -------
    Series of Int64, shape (n,)

    Raises
    ------
    ConformError
        As `working_time`.

    Examples
    --------
    >>> begin = pd.Series(pd.DatetimeIndex(["2025-09-30", "2025-10-10"], tz="Asia/Shanghai"))
    >>> end = begin + pd.Timedelta(days=10)
    >>> calendar = analysis.make_calendar()
    >>> analysis.days_between(begin, end, calendar).to_list()
    [2, 7]
    >>> analysis.days_between(begin, end, calendar, working=False).to_list()
    [10, 10]

    After the holidays of eight days 9 and 10 October are worked, and Saturday the 11th.
    """
    first, last, both = _pair(begin, end)
    days, year = _ticks.days_between(calendar, first[both], last[both], working=working)
    _ticks.unknown_years(year)
    found = pd.Series(pd.NA, index=begin.index, dtype="Int64", name="days")
    found[both] = days
    return found


def _pair(begin: pd.Series, end: pd.Series) -> tuple[Longs, Longs, npt.NDArray[np.bool_]]:
    if not begin.index.equals(end.index):
        raise ConformError("clock.aligned", what="end")
    first, last = _ticks.instants(begin, "begin"), _ticks.instants(end, "end")
    return first, last, (first != MISSING) & (last != MISSING)
