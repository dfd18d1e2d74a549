"""Deadlines of cases by tables of limits; what is overdue, due soon, or to be looked at again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis.cases import _ticks
from gridmap.analysis.cases._findings import explain, finding, no_findings, together
from gridmap.analysis.cases._stops import check_stops
from gridmap.analysis.cases._ticks import HOUR_US, MISSING
from gridmap.analysis.cases.calendars import Calendar, EveryWeek
from gridmap.analysis.cases.clock import Rule, deadline, deadline_or_year
from gridmap.errors import ConformError

__all__ = [
    "ANY",
    "URGENCIES",
    "WHOLE",
    "case_deadlines",
    "check_closings",
    "check_times",
    "explain",
    "find_limits",
    "ledger_deadline",
    "look_back",
    "urgency",
]

ANY = "*"
WHOLE = "whole"
URGENCIES = (
    "closed_in_time", "closed_late", "closed", "overdue", "due_soon", "running", "no_deadline",
)  # fmt: skip
_LIMIT = ["amount", "unit", "until", "count_opening_day", "roll"]


def find_limits(category: pd.Series, stage: pd.Series | str, limits: pd.DataFrame) -> pd.DataFrame:
    """Look up limits by category and stage.

    Parameters
    ----------
    category : Series of string, shape (n,)
    stage : Series of string, shape (n,), or str
        `WHOLE` for the case from its opening to its closing.
    limits : DataFrame
        ``category`` (`ANY` for those without rows of their own), ``stage`` (`WHOLE` where the
        column is missing), ``amount``, ``unit``, and what else a `gridmap.analysis.Rule` has.

    Returns
    -------
    DataFrame
        On the index of the categories; missing where there is no limit.

    Raises
    ------
    ConformError
        If a column is missing, or a category and stage stand twice.
    """
    for column in ("category", "amount", "unit"):
        if column not in limits:
            known = ", ".join(map(str, limits.columns))
            raise ConformError("clock.column", table="limits", column=column, known=known)
    table = limits.assign(stage=limits.get("stage", WHOLE))
    keys = pd.MultiIndex.from_frame(table[["category", "stage"]].astype(str))
    if keys.has_duplicates:
        rows = ", ".join(" ".join(key) for key in keys[keys.duplicated()][:5])
        raise ConformError("clock.repeated", table="limits", rows=rows)
    stages = pd.Series(stage, index=category.index) if isinstance(stage, str) else stage
    listed = category.isin(table["category"])
    wanted = pd.MultiIndex.from_arrays(
        [category.where(listed, ANY).astype(str), stages.astype(str)]
    )
    found = table[[name for name in _LIMIT if name in table]].set_axis(keys).reindex(wanted)
    return found.set_axis(category.index)


@asks(columns={"spells": ("case", "category", "entered")})
def case_deadlines(
    spells: pd.DataFrame,
    limits: pd.DataFrame,
    calendar: Calendar,
    *,
    stops: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the deadline of every case, or of every stage of every case.

    Parameters
    ----------
    spells : DataFrame of n rows
        ``case``, ``category``, ``entered`` (when the clock starts) and, for stages, ``stage``.
    limits : DataFrame
        As for `find_limits`.
    calendar : Calendar
    stops : DataFrame, optional
        ``case``, ``begin``, ``end``; as for `gridmap.analysis.cases.clock.deadline`.

    Returns
    -------
    due : DataFrame of n rows
        On the index of the spells: the limit (``amount``, ``unit``, ...) and ``due``.
    findings : DataFrame
        ``case, kind, stage, at, detail``: ``unknown_category``, ``no_opening``, ``unknown_year``
        and those of `check_stops`. Each of these rows is in ``due`` too.

    Raises
    ------
    ConformError
        If a table lacks a column or holds a limit that cannot be, or times have no zone.

    Examples
    --------
    >>> friday = pd.Timestamp("2025-03-07 10:00", tz="Asia/Shanghai")
    >>> spells = pd.DataFrame({"case": ["a", "b"], "category": ["road", "noise"]})
    >>> spells["entered"] = friday
    >>> limits = pd.DataFrame({"category": ["road"], "amount": [2], "unit": ["natural_days"]})
    >>> due, findings = analysis.case_deadlines(spells, limits, analysis.make_calendar())
    >>> due["due"].to_list()
    [Timestamp('2025-03-10 00:00:00+0800', tz='Asia/Shanghai'), NaT]
    >>> findings[["case", "kind", "detail"]]
      case              kind detail
    0    b  unknown_category  noise

    The second natural day is Sunday, and ends at midnight.
    """
    stage: pd.Series = spells.get("stage", pd.Series(WHOLE, index=spells.index))
    rules = find_limits(spells["category"], stage, limits)
    numbered = pd.RangeIndex(len(spells))
    entered = spells["entered"].set_axis(numbered)
    paused = None
    if stops is not None:
        rows = pd.DataFrame({"case": spells["case"].to_numpy(), "row": numbered})
        paused = stops.merge(rows, on="case").drop(columns="case").rename(columns={"row": "case"})
    due, year = deadline_or_year(entered, rules.set_axis(numbered), calendar, stops=paused)
    due, year = due.set_axis(spells.index), year.set_axis(spells.index)
    categories = pd.Index(limits["category"])
    strange = ~spells["category"].isin(categories) & (ANY not in categories)
    found = [
        _found("unknown_category", spells, stage, strange, spells["category"].astype("string")),
        _found("no_opening", spells, stage, spells["entered"].isna()),
        _found("unknown_year", spells, stage, year > 0, year.astype("string")),
    ]
    if stops is not None:
        first = spells.groupby("case", sort=False)["entered"].min()
        found.append(check_stops(stops, first))
    return rules.assign(due=due), together(found)


def _found(
    kind: str, spells: pd.DataFrame, stage: pd.Series, which: pd.Series,
    detail: pd.Series | None = None,
) -> pd.DataFrame:  # fmt: skip
    at = spells["entered"] if spells["entered"].notna().any() else None
    return finding(
        kind,
        spells["case"][which],
        None if at is None else at[which],
        stage=stage[which],
        detail="" if detail is None else detail[which].fillna(""),
    )


@asks(alike=("opened", "entered"))
def ledger_deadline(
    opened: pd.Series,
    entered: pd.Series,
    calendar: Calendar,
    *,
    rule: Rule | None = None,
) -> pd.Series:
    """Return deadlines by the rule "the same day, else three days after entry in the ledger".

    Parameters
    ----------
    opened : Series of times with a zone, shape (n,)
    entered : Series of times with a zone, shape (n,)
        When a case was entered in the ledger; missing if it was not. An entry before the opening
        has no effect, see `check_times`.
    calendar : Calendar
    rule : Rule, optional
        The limit after entry; three natural days.

    Returns
    -------
    Series of times in the calendar's zone
        The midnight that ends the day of opening; of a case in the ledger, the end of that limit.

    Raises
    ------
    ConformError
        As `gridmap.analysis.cases.clock.deadline`.

    Examples
    --------
    >>> opened = pd.Series(pd.DatetimeIndex(["2025-03-03 10:00"] * 2, tz="Asia/Shanghai"))
    >>> entered = pd.Series(pd.DatetimeIndex([None, "2025-03-03 11:00"], tz="Asia/Shanghai"))
    >>> due = analysis.ledger_deadline(opened, entered, analysis.make_calendar())
    >>> due.dt.strftime("%m-%d %H:%M").to_list()
    ['03-04 00:00', '03-07 00:00']

    The same day, or three days for what was entered.
    """
    same_day = deadline(opened, Rule(0, "natural_days"), calendar)
    after = deadline(entered, rule or Rule(3, "natural_days"), calendar)
    begin, entry = _ticks.instants(opened, "opened"), _ticks.instants(entered, "entered")
    return same_day.where((begin == MISSING) | (entry == MISSING) | (entry < begin), after)


@asks()
def check_closings(recorded: pd.Series, logged: pd.Series) -> pd.DataFrame:
    """Find cases whose closing on record is another than that of their log of events.

    Parameters
    ----------
    recorded, logged : Series of times with a zone, their index the cases
        Missing where a case is not closed.

    Returns
    -------
    DataFrame
        Findings ``case, kind, stage, at, detail``, all ``closings_differ``: ``at`` is the closing
        on record, the detail that of the log.

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2025-03-07", "2025-03-08"], tz="Asia/Shanghai")
    >>> recorded = pd.Series(days, index=["a", "b"])
    >>> logged = pd.Series(days + pd.Timedelta(hours=2), index=["b", "c"])
    >>> analysis.check_closings(recorded, logged)[["case", "kind", "detail"]]
      case             kind            detail
    0    b  closings_differ  2025-03-07 02:00
    """
    other = logged.reindex(recorded.index)
    first, second = _ticks.instants(recorded, "recorded"), _ticks.instants(other, "logged")
    differ = (first != second) & (first != MISSING) & (second != MISSING)
    if not differ.any():
        return no_findings()
    detail = other[differ].dt.strftime("%Y-%m-%d %H:%M").astype("string")
    return finding("closings_differ", recorded.index[differ], recorded[differ], detail=detail)


@asks(columns={"cases": ("opened",)})
def check_times(cases: pd.DataFrame) -> pd.DataFrame:
    """Find times that cannot be.

    Parameters
    ----------
    cases : DataFrame, its index the cases
        ``opened`` and, where they are known, ``due``, ``closed`` and ``entered`` (in a ledger).

    Returns
    -------
    DataFrame
        Findings ``case, kind, stage, at, detail``: ``no_opening``, ``due_before_opening``,
        ``closed_before_opening``, ``entry_before_opening`` and ``entry_late`` (entered in the
        ledger after the day of opening).

    Raises
    ------
    ConformError
        If times have no zone.

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2025-03-07", "2025-03-08"], tz="Asia/Shanghai")
    >>> cases = pd.DataFrame({"opened": days, "closed": days[::-1]}, index=["a", "b"])
    >>> analysis.check_times(cases)[["case", "kind"]]
      case                   kind
    0    b  closed_before_opening
    """
    opened = cases["opened"]
    begin = _ticks.instants(opened, "opened")
    found = [finding("no_opening", cases.index[begin == MISSING])]
    kinds = {
        "due": "due_before_opening",
        "closed": "closed_before_opening",
        "entered": "entry_before_opening",
    }
    for name, kind in kinds.items():
        if name in cases:
            at = _ticks.instants(cases[name], name)
            wrong = (at != MISSING) & (begin != MISSING) & (at < begin)
            detail = opened[wrong].dt.strftime("%Y-%m-%d %H:%M") if wrong.any() else ""
            found.append(finding(kind, cases.index[wrong], cases[name][wrong], detail=detail))
    if "entered" in cases and cases["entered"].notna().any() and opened.notna().any():
        zone = str(opened.dt.tz)
        entry = _ticks.instants(cases["entered"], "entered")
        later = _ticks.local(entry, zone)[0] > _ticks.local(begin, zone)[0]
        late = (entry != MISSING) & (begin != MISSING) & later
        found.append(finding("entry_late", cases.index[late], cases["entered"][late]))
    return together(found)


@asks(columns={"cases": ("deadline", "closed")})
def urgency(
    cases: pd.DataFrame,
    as_of: dt.datetime,
    calendar: Calendar,
    *,
    soon: Rule | None = None,
) -> pd.DataFrame:
    """Tell which cases are overdue, which soon will be, and by how much.

    Parameters
    ----------
    cases : DataFrame
        ``deadline`` and ``closed``, times with a zone or missing.
    as_of : datetime, aware
        A case closed later is open.
    calendar : Calendar
    soon : Rule, optional
        Due soon is what is due within this time from now; eight working hours.

    Returns
    -------
    DataFrame
        On the index of the cases: ``urgency`` (one of `URGENCIES`; ``closed`` without a deadline),
        ``overdue_h`` and ``overdue_working_h`` (from the deadline to the closing or to now,
        missing where it was kept) and ``left_h`` (until the deadline of an open case). Working
        hours through a year that the calendar does not know are missing.

    Raises
    ------
    ConformError
        If times have no zone.

    Notes
    -----
    At the end of a year whose successor the calendar does not know yet, what is due soon is told
    as if every week were worked as usual: a list of today's work cannot wait for the notice.

    Examples
    --------
    >>> days = ["2025-03-03 08:00", "2025-03-03 17:00", "2025-03-07 17:00"]
    >>> cases = pd.DataFrame({"deadline": pd.DatetimeIndex(days, tz="Asia/Shanghai")})
    >>> cases["closed"] = pd.DatetimeIndex([None, None, None], tz="Asia/Shanghai")
    >>> now = pd.Timestamp("2025-03-03 10:00", tz="Asia/Shanghai")
    >>> analysis.urgency(cases, now, analysis.make_calendar())[["urgency", "overdue_h", "left_h"]]
        urgency  overdue_h  left_h
    0   overdue        2.0     NaN
    1  due_soon        NaN     7.0
    2   running        NaN   103.0
    """
    now = pd.Series([pd.Timestamp(as_of).as_unit("us")])
    moment = _ticks.instant(as_of)
    span = soon or Rule(8, "working_hours")
    horizon, unknown = deadline_or_year(now, span, calendar)
    if unknown.any():
        horizon = deadline(now, span, replace(calendar, holidays=EveryWeek()))
    until = _ticks.instants(horizon, "soon")[0]
    due, closed = (_ticks.instants(cases[name], name) for name in ("deadline", "closed"))
    done = (closed != MISSING) & (closed <= moment)
    end = np.where(done, closed, moment)
    has = due != MISSING
    late = has & (end > due)
    names = np.select(
        [done & ~has, done & late, done, ~has, late, due <= until],
        ["closed", "closed_late", "closed_in_time", "no_deadline", "overdue", "due_soon"],
        "running",
    )
    worked = np.full(len(due), np.nan)
    spent, year = _ticks.between(calendar, due[late], end[late])
    worked[late] = np.where(year > 0, np.nan, spent / HOUR_US)
    with_due = np.where(has, due, end)
    return pd.DataFrame(
        {
            "urgency": pd.Series(names, index=cases.index, dtype="string"),
            "overdue_h": np.where(late, (end - with_due) / HOUR_US, np.nan),
            "overdue_working_h": worked,
            "left_h": np.where(has & ~done & ~late, (with_due - end) / HOUR_US, np.nan),
        },
        index=cases.index,
    )


@asks(columns={"cases": ("closed",)})
def look_back(
    cases: pd.DataFrame, as_of: dt.datetime, calendar: Calendar, *, rule: Rule | None = None
) -> pd.DataFrame:
    """List closed cases that are to be looked at again (回头看).

    Parameters
    ----------
    cases : DataFrame
        ``closed`` and, where known, ``visited`` (when it was looked at again after closing).
    as_of : datetime, aware
    calendar : Calendar
    rule : Rule, optional
        When after closing to look again; seven natural days.

    Returns
    -------
    DataFrame
        The closed cases on their index, the earliest first: ``closed``, ``revisit`` (by when),
        ``visited`` and ``look_back``: ``done``, ``done_late``, ``overdue``, ``today`` or ``later``.

    Raises
    ------
    ConformError
        If times have no zone, or a year on the way is not known.

    Examples
    --------
    >>> closed = pd.DatetimeIndex(["2025-03-01", "2025-03-03", "2025-03-05"], tz="Asia/Shanghai")
    >>> cases = pd.DataFrame({"closed": closed, "visited": [closed[2], pd.NaT, pd.NaT]})
    >>> now = pd.Timestamp("2025-03-10 09:00", tz="Asia/Shanghai")
    >>> analysis.look_back(cases, now, analysis.make_calendar())["look_back"].to_list()
    ['done', 'today', 'later']
    """
    now = _ticks.instant(as_of)
    at = _ticks.instants(cases["closed"], "closed")
    rows = np.flatnonzero((at != MISSING) & (at <= now))
    labels, closed = cases.index[rows], at[rows]
    listed = pd.DataFrame({"closed": _ticks.times(closed, labels, calendar.zone, "closed")})
    listed["revisit"] = deadline(listed["closed"], rule or Rule(7, "natural_days"), calendar)
    by = _ticks.instants(listed["revisit"], "revisit")
    seen = np.full(len(rows), MISSING, dtype=np.int64)
    if "visited" in cases:
        seen = _ticks.instants(cases["visited"], "visited")[rows]
        seen = np.where((seen >= closed) & (seen <= now), seen, MISSING)
    listed["visited"] = _ticks.times(seen, labels, calendar.zone, "visited")
    # What midnight ends is of the day before.
    today = _ticks.local(np.array([now]), calendar.zone)[0]
    day = _ticks.local(by - 1, calendar.zone)[0]
    names = np.select(
        # At the midnight that ends the last day there is still that instant.
        [(seen != MISSING) & (seen <= by), seen != MISSING, by < now, (day == today) | (by == now)],
        ["done", "done_late", "overdue", "today"],
        "later",
    )
    listed["look_back"] = pd.Series(names, index=labels, dtype="string")
    return listed.sort_values("revisit", kind="stable")
