"""The life of cases: from a log of events to states, times of stages and what cannot have been."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis.cases import _ticks
from gridmap.analysis.cases._findings import explain, finding, together
from gridmap.analysis.cases._states import LifeTable, life_table, walk
from gridmap.analysis.cases._ticks import HOUR_US, MISSING
from gridmap.analysis.cases.calendars import Calendar
from gridmap.analysis.cases.deadlines import check_times
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = [
    "LEVELS",
    "STAGES",
    "CaseLife",
    "case_life",
    "case_life_of_times",
    "explain",
]

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STAGES = life_table().stages
LEVELS = life_table().levels

_COUNTS = {"return": "returns", "rework": "reworks", "delay": "delays", "appeal": "appeals"}
_TEXTS = ("by", "level")


@dataclass(frozen=True, repr=False)
class CaseLife(Summarised):
    """What became of cases.

    Parameters
    ----------
    cases : DataFrame, its index the cases, sorted
        ``state`` (the stage it is in, ``reject``, or missing where no stage has begun),
        ``opened``, ``closed`` (missing unless it is closed now), ``report_at`` to ``close_at``
        (when each stage first began), ``report_h`` to ``verify_h`` and ``report_working_h`` to
        ``verify_working_h`` (hours in each stage, all turns together), ``hours`` and
        ``working_hours`` (of a closed case in all stages, without those in which it rested
        closed), ``returns``, ``reworks``, ``delays``, ``appeals``, ``extended`` (the latest
        deadline granted), ``level`` (that of the closing, else the last named), ``closed_by``.
    stages : DataFrame
        One row for each time that a case was in a stage: ``case``, ``stage``, ``turn`` (from 1),
        ``entered``, ``left`` (missing if it is there still), ``hours``, ``working_hours`` (until
        ``left``, else until the moment asked for), ``by``, ``level``.
    findings : DataFrame
        ``case, kind, stage, at, detail``; see `explain`.
    """

    cases: pd.DataFrame
    stages: pd.DataFrame
    findings: pd.DataFrame


@asks()
def case_life(
    events: pd.DataFrame,
    calendar: Calendar,
    *,
    as_of: dt.datetime | None = None,
) -> CaseLife:
    """Walk cases through their states.

    Events are taken in the order of their times, those of one time in the order of the log. Where
    one is not possible the log is believed even so, and the finding says so; what has no case, no
    time or no known name, or repeats a row, is a finding and nothing else.

    Parameters
    ----------
    events : DataFrame of n rows
        ``case``, ``event`` (of ``case_states.toml``), ``time`` (with a zone) and, where known,
        ``by`` (who), ``level`` (one of `LEVELS`) and ``until`` (a deadline granted).
    calendar : Calendar
    as_of : datetime, aware, optional
        Later events are left out, and hours in the present stage end here.

    Returns
    -------
    CaseLife
        Its findings are ``impossible`` (the detail names the state before), ``unknown_event``,
        ``no_time``, ``no_case``, ``repeated``, ``unknown_level`` and ``unknown_year`` (the
        working hours of a stage are missing).

    Raises
    ------
    ConformError
        If a column is missing, or times have no zone.

    Examples
    --------
    >>> times = ["2025-03-03 09:00", "2025-03-03 10:00", "2025-03-04 10:00"]
    >>> events = pd.DataFrame({"case": "a", "event": ["report", "review", "close"]})
    >>> events["time"] = pd.DatetimeIndex(times, tz="Asia/Shanghai")
    >>> life = analysis.case_life(events, analysis.make_calendar())
    >>> life.stages[["stage", "turn", "hours", "working_hours"]]
        stage  turn  hours  working_hours
    0  report     1    1.0            1.0
    1  review     1   24.0            7.0
    2   close     1    NaN            NaN
    >>> life.findings[["kind", "stage", "detail"]]
             kind  stage  detail
    0  impossible  close  review
    """
    table = life_table()
    log, findings = _log(events, table, as_of)
    before, after, fine = walk(
        log["number"].to_numpy(), log["event_number"].to_numpy(), table.follows, table.possible
    )
    states = np.array(table.states, dtype=object)
    impossible = log[~fine]
    was = pd.Series(states[before[~fine]], impossible.index)
    findings.append(
        finding(
            "impossible", impossible["case"], impossible["time"],
            stage=impossible["event"], detail=was.replace("", "-"),
        )
    )  # fmt: skip
    log = log.assign(state=states[after], begins=after != before)
    spells, unknown = _spells(log, calendar, table, as_of)
    findings.append(unknown)
    every = pd.Index(sorted(events["case"].dropna().unique()), name="case")
    return CaseLife(_cases(log, spells, every, table), spells, together(findings))


def _log(
    events: pd.DataFrame, table: LifeTable, as_of: dt.datetime | None
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Return the events that can be used, in order, and findings about the others."""
    for column in ("case", "event", "time"):
        if column not in events:
            known = ", ".join(map(str, events.columns))
            raise ConformError("clock.column", table="events", column=column, known=known)
    log = events.reset_index(drop=True)
    for name in _TEXTS:
        log[name] = log[name].astype("string") if name in log else pd.array([pd.NA], "string")[0]
        log[name] = log[name].astype("string")
    time = _ticks.instants(log["time"], "events.time")
    number = pd.Index(table.events).get_indexer(pd.Index(log["event"]))
    level = log["level"].notna() & ~log["level"].isin(table.levels)
    no_case, no_time = log["case"].isna(), pd.Series(time == MISSING)
    strange = pd.Series(number < 0) & ~no_case
    fields = ["case", "event", "time", *_TEXTS]
    usable = ~no_case & ~no_time & ~strange
    again = log.duplicated(fields) & usable
    found = [
        _finding("no_case", log, no_case),
        _finding("no_time", log, no_time & ~no_case),
        _finding("unknown_event", log, strange),
        _finding("repeated", log, again),
        _finding("unknown_level", log, level & usable & ~again, log["level"].fillna("")),
    ]
    log = log.assign(event_number=number.astype(np.int64), at=time)
    log["level"] = log["level"].mask(level)
    log = log[usable & ~again]
    if as_of is not None:
        log = log[log["time"] <= pd.Timestamp(as_of)]
    log = log.assign(number=pd.factorize(log["case"], sort=True)[0].astype(np.int64))
    return log.sort_values(["number", "at"], kind="stable", ignore_index=True), found


def _finding(
    kind: str, log: pd.DataFrame, which: pd.Series, detail: pd.Series | None = None
) -> pd.DataFrame:
    some = log[which]
    at = some["time"] if isinstance(log["time"].dtype, pd.DatetimeTZDtype) else None
    stage = some["event"].astype("string").fillna("")
    return finding(
        kind, some["case"], at, stage=stage, detail="" if detail is None else detail[which]
    )


def _spells(
    log: pd.DataFrame, calendar: Calendar, table: LifeTable, as_of: dt.datetime | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row for each time that a case was in a stage, and the years not known."""
    rows = log[log["begins"]].reset_index(drop=True)
    follows = (rows["number"].shift(-1) == rows["number"]).to_numpy()
    entered = rows["at"].to_numpy()
    left = np.where(follows, np.append(entered[1:], 0), MISSING)
    final = rows["state"].isin(table.final).to_numpy()
    now = _ticks.instant(as_of)
    until = np.where((left == MISSING) & ~final, now, left)
    spent = until != MISSING
    hours, working, year = _spent(entered, until, spent, calendar)
    spells = pd.DataFrame(
        {
            "case": rows["case"],
            "stage": rows["state"].astype("string"),
            "turn": rows.groupby(["number", "state"]).cumcount() + 1,
            "entered": _ticks.times(entered, rows.index, calendar.zone, "entered"),
            "left": _ticks.times(left, rows.index, calendar.zone, "left"),
            "hours": hours,
            "working_hours": working,
            "by": rows["by"],
            "level": rows["level"],
        }
    )
    some = spells[year > 0]
    years = pd.Series(year[year > 0], some.index).astype("string")
    found = finding(
        "unknown_year", some["case"], some["entered"], stage=some["stage"], detail=years
    )
    return spells, found


def _cases(
    log: pd.DataFrame, spells: pd.DataFrame, every: pd.Index, table: LifeTable
) -> pd.DataFrame:
    """Return one row for each case, also for those of which no event could be used."""
    by_case = log.groupby("case", sort=True)
    cases = pd.DataFrame(index=every)
    cases["state"] = by_case["state"].last().astype("string").reindex(every)
    cases["state"] = cases["state"].mask(cases["state"] == "")
    cases["opened"] = spells.groupby("case")["entered"].min().reindex(every)
    missing = cases["opened"].where(pd.Series(data=False, index=every))
    closed = spells[spells["stage"] == "close"].groupby("case")["entered"].max()
    cases["closed"] = closed.reindex(every).where(cases["state"] == "close")
    first = spells.groupby(["stage", "case"])["entered"].min()
    for stage in table.stages:
        known = stage in first.index.get_level_values("stage")
        cases[f"{stage}_at"] = first.xs(stage).reindex(every) if known else missing
    cases = pd.concat([cases, _hours(spells, cases, table)], axis=1)
    for event, name in _COUNTS.items():
        times = log[log["event"] == event].groupby("case").size()
        cases[name] = times.reindex(every).fillna(0).astype("Int64")
    cases["extended"] = by_case["until"].max().reindex(every) if "until" in log else missing
    closing = log[log["event"] == "close"].groupby("case")[["by", "level"]].last().reindex(every)
    is_closed = cases["closed"].notna()
    named = by_case["level"].last().reindex(every)
    cases["level"] = closing["level"].where(is_closed).fillna(named).astype("string")
    cases["closed_by"] = closing["by"].where(is_closed).astype("string")
    return cases


def _hours(spells: pd.DataFrame, cases: pd.DataFrame, table: LifeTable) -> pd.DataFrame:
    """Return the hours of cases in each stage and in all; missing where one of them is."""
    stages = table.stages[:-1]
    row = cases.index.get_indexer(pd.Index(spells["case"]))
    stage = pd.Index(stages).get_indexer(pd.Index(spells["stage"]))
    waits = stage >= 0
    shape = len(cases), len(stages)
    slot = row[waits] * len(stages) + stage[waits]
    count = np.bincount(slot, minlength=shape[0] * shape[1]).reshape(shape)
    columns: dict[str, npt.NDArray[np.float64]] = {}
    totals = {}
    for column, suffix in (("hours", "h"), ("working_hours", "working_h")):
        spent = spells[column].to_numpy()[waits]
        sums = np.bincount(slot, spent, minlength=shape[0] * shape[1]).reshape(shape)
        for number, name in enumerate(stages):
            columns[f"{name}_{suffix}"] = np.where(count[:, number] > 0, sums[:, number], np.nan)
        totals[column] = np.where(cases["closed"].notna(), sums.sum(axis=1), np.nan)
    return pd.DataFrame({**columns, **totals}, index=cases.index)


def _spent(
    begin: Longs, until: Longs, spent: Bools, calendar: Calendar
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], Longs]:
    """Return the hours and working hours of some rows, and the years not known."""
    hours, working = np.full(len(begin), np.nan), np.full(len(begin), np.nan)
    years = np.zeros(len(begin), dtype=np.int64)
    hours[spent] = (until[spent] - begin[spent]) / HOUR_US
    worked, years[spent] = _ticks.between(calendar, begin[spent], until[spent])
    working[spent] = np.where(years[spent] == 0, worked / HOUR_US, np.nan)
    return hours, working, years


@asks()
def case_life_of_times(
    problems: pd.DataFrame, calendar: Calendar, *, as_of: dt.datetime | None = None
) -> CaseLife:
    """Return the life of cases of which only opening, deadline and closing are known.

    Parameters
    ----------
    problems : DataFrame
        ``code``, ``opened``, ``closed`` and, where known, ``due``, times with a zone or missing;
        further columns are kept.
    calendar : Calendar
    as_of : datetime, aware, optional
        What is closed later is open.

    Returns
    -------
    CaseLife
        Every case with an opening is ``handle`` until it is ``close``; nothing is known of other
        stages. The findings are those of `gridmap.analysis.check_times`, ``repeated`` (a code
        twice: both rows stay) and ``unknown_year``. Where the closing is before
        the opening, the hours are missing.

    Raises
    ------
    ConformError
        If a column is missing, or times have no zone.

    Examples
    --------
    >>> monday = pd.Timestamp("2025-03-03 09:00", tz="Asia/Shanghai")
    >>> problems = pd.DataFrame({"code": ["a", "b"], "opened": [monday, monday]})
    >>> problems["closed"] = [monday + pd.Timedelta(hours=25), pd.NaT]
    >>> life = analysis.case_life_of_times(problems, analysis.make_calendar())
    >>> life.cases["state"].to_dict()
    {'a': 'close', 'b': 'handle'}
    >>> life.cases.loc["a", ["hours", "working_hours"]].to_dict()
    {'hours': 25.0, 'working_hours': 8.0}
    """
    for column in ("code", "opened", "closed"):
        if column not in problems:
            known = ", ".join(map(str, problems.columns))
            raise ConformError("clock.column", table="problems", column=column, known=known)
    cases = problems.set_index(pd.Index(problems["code"], name="case")).drop(columns="code")
    findings = [check_times(cases)]
    findings.append(finding("repeated", cases.index[cases.index.duplicated()], stage="code"))
    if as_of is not None:
        cases["closed"] = cases["closed"].mask(cases["closed"] > pd.Timestamp(as_of))
    begin, end = (_ticks.instants(cases[name], name) for name in ("opened", "closed"))
    done = end != MISSING
    until = np.where(done, end, _ticks.instant(as_of))
    spent = (begin != MISSING) & (until != MISSING) & (until >= begin)
    hours, working, year = _spent(begin, until, spent, calendar)
    strange = cases[year > 0]
    years = pd.Series(year[year > 0].astype(str), strange.index)
    findings.append(finding("unknown_year", strange.index, strange["opened"], detail=years))
    state = pd.Series("handle", cases.index, dtype="string").mask(done, "close")
    spells = pd.DataFrame(
        {
            "case": cases.index,
            "stage": pd.Series("handle", range(len(cases)), dtype="string"),
            "turn": 1,
            "entered": cases["opened"].reset_index(drop=True),
            "left": cases["closed"].reset_index(drop=True),
            "hours": hours,
            "working_hours": working,
        }
    )
    cases = cases.assign(
        state=state.where(done | (begin != MISSING)),
        hours=np.where(done, hours, np.nan),
        working_hours=np.where(done, working, np.nan),
    )
    return CaseLife(cases, spells[begin != MISSING].reset_index(drop=True), together(findings))
