"""KPIs of cases, each with its numerator, its denominator and the cases behind them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks, prove_columns
from gridmap.analysis.cases._conditions import CONDITIONS, TIMES, holding
from gridmap.errors import CatalogError, ConformError
from gridmap.records import FrozenMap, Record, read_toml
from gridmap.resources import packaged
from gridmap.summaries import Summarised

__all__ = [
    "PERIODS",
    "Indicators",
    "Kpi",
    "Proof",
    "indicators",
    "load_definitions",
    "load_kpis",
    "proof",
]

Longs = npt.NDArray[np.int64]

PERIODS = ("day", "week", "month", "year")
_KEYS = ("group", "begins")
_YEAR = pd.DateOffset(years=1)
# How far back the period before is, and that of a year ago.
_STEPS = {
    "day": (pd.DateOffset(days=1), _YEAR),
    "week": (pd.DateOffset(days=7), pd.DateOffset(days=364)),
    "month": (pd.DateOffset(months=1), _YEAR),
    "year": (_YEAR, _YEAR),
}


class Kpi(Record):
    """A formula.

    Parameters
    ----------
    title : mapping of str to str
    numerator, denominator : str
        Conditions joined by ``and``; a quantile has no numerator.
    when : str
        The time that puts a case in a period.
    hours : str
        The column that a quantile is of.
    quantile : float
    needs : tuple of str
        Columns without which it says nothing, beside those of its conditions.
    """

    title: FrozenMap[str, str]
    denominator: str
    when: str
    numerator: str = ""
    hours: str = ""
    quantile: float = 0.0
    needs: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """The formula as text."""
        if self.hours:
            return f"quantile {self.quantile:g} of {self.hours} where {self.denominator}"
        return f"{self.numerator} / {self.denominator}"

    @property
    def columns(self) -> frozenset[str]:
        """The columns that cases must have."""
        names = [
            name for text in (self.numerator, self.denominator) for name in text.split(" and ")
        ]
        needed = {column for name in names if name for column in CONDITIONS[name][0]}
        return frozenset({*needed, *TIMES[self.when][0], *self.needs, self.hours} - {""})


@dataclass(frozen=True, repr=False)
class Indicators(Summarised):
    """KPIs, and what is needed to prove them.

    Parameters
    ----------
    rows : DataFrame
        See `indicators`.
    members : mapping of str to DataFrame
        For each KPI, on the index of the cases: ``row`` (of ``rows``; -1 where a case counts
        nowhere), ``numerator`` and ``denominator`` (whether it counts there).
    """

    rows: pd.DataFrame
    members: Mapping[str, pd.DataFrame]


@dataclass(frozen=True, repr=False)
class Proof(Summarised):
    """The cases behind a row.

    Parameters
    ----------
    numerator, denominator : Index
        Labels of cases.
    outside : Index
        Those of the numerator that the denominator does not hold, though it should.
    """

    numerator: pd.Index
    denominator: pd.Index
    outside: pd.Index


@cache
def load_definitions() -> Mapping[str, Any]:
    """Return ``gridmap/analysis/cases/kpis.toml``: the KPIs, and what their conditions mean."""
    return MappingProxyType(read_toml(packaged("analysis/cases/kpis.toml"), CatalogError))


@cache
def load_kpis() -> Mapping[str, Kpi]:
    """Return the formulas of ``gridmap/analysis/cases/kpis.toml``.

    Examples
    --------
    >>> analysis.load_kpis()["in_time_rate"].denominator
    'should_be_closed'
    """
    read = load_definitions()["kpis"]
    return MappingProxyType({name: Kpi(**row) for name, row in read.items()})


@asks(columns={"cases": ("opened",)})
def indicators(
    cases: pd.DataFrame,
    *,
    as_of: dt.datetime,
    by: Sequence[str] = (),
    period: str = "",
    kpis: Sequence[str] | None = None,
    small: int = 20,
) -> Indicators:
    """Compute KPIs.

    Parameters
    ----------
    cases : DataFrame, its index the cases
        What `gridmap.analysis.CaseLife` has, or some of it; ``deadline``; ``watched`` and
        ``recurred`` of `gridmap.analysis.recurrence`; and the columns to group by. Times are in the
        city's zone.
    as_of : datetime, aware
        What happened later did not happen.
    by : sequence of str
        Columns, such as area, department, post, person, source, category, campaign, level. Cases
        without a value are a group of their own.
    period : str, optional
        One of `PERIODS`; weeks begin on Monday. A case without the formula's time counts in the
        period of its opening, so that an impossible numerator is seen.
    kpis : sequence of str, optional
        Names of ``gridmap/analysis/cases/kpis.toml``; all for which the cases have the columns.
    small : int
        A denominator below this is marked.

    Returns
    -------
    Indicators
        ``rows``: ``kpi``, the columns of ``by``, ``period`` (such as ``2025-03-09, 2025-W10,
        2025-03, 2025``), ``begins`` (its first day), ``numerator`` (missing for a quantile),
        ``denominator``, ``value`` (a share, or hours; missing where nothing is below the line),
        ``small``, ``suspicious`` (``full``: 100 %; ``impossible``: the numerator has cases that the
        denominator has not; else missing), ``before`` and ``year_before`` (the value of the
        period before, and of that a year ago; of weeks, 52 weeks ago), ``change`` and
        ``year_change`` (the value less those).

    Raises
    ------
    ConformError
        If a KPI, period or column is unknown.

    Examples
    --------
    >>> monday = pd.Timestamp("2025-03-03", tz="Asia/Shanghai")
    >>> cases = pd.DataFrame({"opened": [monday] * 3, "area": ["east", "east", "west"]})
    >>> cases["deadline"] = cases["opened"] + pd.Timedelta(days=2)
    >>> cases["closed"] = cases["opened"] + pd.to_timedelta([1, 3, None], unit="D")
    >>> now = pd.Timestamp("2025-03-31", tz="Asia/Shanghai")
    >>> found = analysis.indicators(cases, as_of=now, by=["area"], kpis=["in_time_rate"])
    >>> found.rows[["area", "numerator", "denominator", "value"]]
       area  numerator  denominator  value
    0  east          1            2    0.5
    1  west          0            1    0.0
    """
    chosen = _chosen(cases, kpis)
    _prove(cases, by, period)
    now = pd.Timestamp(as_of)
    known = _until(cases, now)
    if by:
        grouped = known.groupby(list(by), dropna=False, sort=True, observed=True)
        group = grouped.ngroup().to_numpy().astype(np.int64)
    else:
        group = np.zeros(len(known), dtype=np.int64)
    parts, members = [], {}
    offset = 0
    for name, kpi in chosen.items():
        rows, member = _one(known, kpi, group, period, now, small)
        member["row"] = np.where(member["row"] >= 0, member["row"] + offset, -1)
        rows.insert(0, "kpi", name)
        parts.append(rows)
        members[name] = member
        offset += len(rows)
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"kpi": []})
    labels = _labels(known, by, group)
    table = pd.concat(
        [
            table["kpi"],
            labels.iloc[table["group"]].reset_index(drop=True),
            table.drop(columns="kpi"),
        ],
        axis=1,
    )
    return Indicators(_compared(table, period).drop(columns="group"), MappingProxyType(members))


def _chosen(cases: pd.DataFrame, kpis: Sequence[str] | None) -> dict[str, Kpi]:
    known = load_kpis()
    if kpis is None:
        return {name: kpi for name, kpi in known.items() if kpi.columns <= set(cases.columns)}
    for name in kpis:
        if name not in known:
            raise ConformError("kpi.unknown", name=name, known=", ".join(known))
        lacking = sorted(known[name].columns - set(cases.columns))
        if lacking:
            raise ConformError("kpi.column", kpi=name, columns=", ".join(lacking))
    return {name: known[name] for name in kpis}


def _prove(cases: pd.DataFrame, by: Sequence[str], period: str) -> None:
    if period and period not in PERIODS:
        raise ConformError("kpi.period", period=period, known=", ".join(PERIODS))
    for column in by:
        if column not in cases:
            known = ", ".join(map(str, cases.columns))
            raise ConformError("kpi.by", column=column, known=known)
    prove_columns("indicators", "cases", cases, [*filter(_is_time, map(str, cases.columns))])
    if not isinstance(cases["opened"].dtype, pd.DatetimeTZDtype):
        raise ConformError("clock.not_times", what="cases.opened", found=cases["opened"].dtype)


def _is_time(column: str) -> bool:
    return column in ("opened", "closed", "deadline") or column.endswith("_at")


def _until(cases: pd.DataFrame, now: pd.Timestamp) -> pd.DataFrame:
    """Return the cases as they were known at a moment: what happened later is missing."""
    happened = [name for name in cases if name != "deadline" and _is_time(str(name))]
    timed = [n for n in happened if isinstance(cases[n].dtype, pd.DatetimeTZDtype)]
    return cases.assign(**{str(name): cases[name].mask(cases[name] > now) for name in timed})


def _one(
    cases: pd.DataFrame, kpi: Kpi, group: Longs, period: str, now: pd.Timestamp, small: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of one KPI, and which cases are behind them."""
    below = holding(kpi.denominator, cases, now).to_numpy()
    if kpi.hours:
        # Hours that are not known, or below zero, are findings of the case and no figure here.
        below = below & (cases[kpi.hours] >= 0).fillna(value=False).to_numpy()
        above = np.zeros(len(cases), dtype=bool)
    else:
        above = holding(kpi.numerator, cases, now).to_numpy()
    when = TIMES[kpi.when][1](cases).fillna(cases["opened"])
    begins = _begins(when, period)
    # Without periods every group has a row, also one without cases to count.
    counts = (below | above) & begins.notna().to_numpy() if period else np.ones(len(cases), bool)
    keys = pd.DataFrame({"group": group, "begins": begins.to_numpy()})
    places = keys[counts].groupby(list(_KEYS), sort=True, dropna=False)
    row = np.full(len(cases), -1, dtype=np.int64)
    row[counts] = places.ngroup()
    rows = places.size().reset_index()[list(_KEYS)]
    below, above = below & counts, above & counts
    number = len(rows)
    denominator = np.bincount(row[below], minlength=number)
    numerator = np.bincount(row[above], minlength=number)
    outside = np.bincount(row[above & ~below], minlength=number)
    if kpi.hours:
        hours = cases[kpi.hours].to_numpy(dtype=np.float64)[below]
        value = pd.Series(hours).groupby(row[below]).quantile(kpi.quantile).reindex(range(number))
        rows["numerator"] = pd.array([pd.NA] * number, dtype="Int64")
        suspicious = np.full(number, "", dtype=object)
    else:
        value = pd.Series(numerator / np.where(denominator > 0, denominator, np.nan))
        rows["numerator"] = pd.array(numerator, dtype="Int64")
        full = (denominator > 0) & (numerator == denominator)
        suspicious = np.select([outside > 0, full], ["impossible", "full"], "").astype(object)
    rows["denominator"] = pd.array(denominator, dtype="Int64")
    rows["value"] = value.to_numpy(dtype=np.float64)
    rows["small"] = denominator < small
    rows["suspicious"] = pd.Series(suspicious, dtype="string").replace("", pd.NA)
    member = pd.DataFrame({"row": row, "numerator": above, "denominator": below}, index=cases.index)
    return rows, member


def _begins(when: pd.Series, period: str) -> pd.Series:
    """Return the first day of the period of each time, without a zone."""
    local = when.dt.tz_localize(None).dt.as_unit("s")
    if period == "":
        return pd.Series(pd.NaT, index=when.index, dtype="datetime64[s]")
    if period in ("month", "year"):
        letter = {"month": "M", "year": "Y"}[period]
        cut = local.to_numpy().astype(f"datetime64[{letter}]").astype("datetime64[s]")
        return pd.Series(cut, index=when.index)
    day: pd.Series = local.dt.normalize()
    return day if period == "day" else day - pd.to_timedelta(day.dt.day_of_week, unit="D")


def _labels(cases: pd.DataFrame, by: Sequence[str], group: Longs) -> pd.DataFrame:
    """Return the values of ``by`` for each group."""
    first = pd.Series(group).drop_duplicates().sort_values()
    return cases.iloc[first.index][list(by)].reset_index(drop=True)


def _compared(table: pd.DataFrame, period: str) -> pd.DataFrame:
    """Put the values of the period before and of a year ago beside each row."""
    if not period:
        return table.drop(columns="begins")
    begins = table["begins"]
    formats = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}
    label = begins.dt.strftime(formats[period]).astype("string")
    table.insert(list(table.columns).index("begins"), "period", label)
    step, year = _STEPS[period]
    keys = pd.MultiIndex.from_frame(table[["kpi", *_KEYS]])
    values = pd.Series(table["value"].to_numpy(), index=keys)
    for name, change, back in (("before", "change", step), ("year_before", "year_change", year)):
        moved = table[["kpi", *_KEYS]].assign(begins=(begins - back).astype(begins.dtype))
        table[name] = values.reindex(pd.MultiIndex.from_frame(moved)).to_numpy()
        table[change] = table["value"] - table[name]
    return table


@asks()
def proof(found: Indicators, row: int) -> Proof:
    """List the cases behind a row.

    Parameters
    ----------
    found : Indicators
    row : int
        The label of a row of ``found.rows``.

    Returns
    -------
    Proof

    Raises
    ------
    ConformError
        If there is no such row.

    Examples
    --------
    >>> monday = pd.Timestamp("2025-03-03", tz="Asia/Shanghai")
    >>> cases = pd.DataFrame({"opened": [monday] * 3}, index=["a", "b", "c"])
    >>> cases["deadline"] = cases["opened"] + pd.Timedelta(days=2)
    >>> cases["closed"] = cases["opened"] + pd.to_timedelta([1, 3, None], unit="D")
    >>> now = pd.Timestamp("2025-03-31", tz="Asia/Shanghai")
    >>> found = analysis.indicators(cases, as_of=now, kpis=["in_time_rate"])
    >>> behind = analysis.proof(found, 0)
    >>> behind.numerator.to_list(), behind.denominator.to_list()
    (['a'], ['a', 'b', 'c'])
    """
    if row not in found.rows.index:
        raise ConformError("kpi.row", row=row, last=len(found.rows) - 1)
    member = found.members[str(found.rows.loc[row, "kpi"])]
    here = member[member["row"] == row]
    above, below = here["numerator"], here["denominator"]
    return Proof(here.index[above], here.index[below], here.index[above & ~below])
