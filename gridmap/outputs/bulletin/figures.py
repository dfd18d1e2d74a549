"""The figures of a bulletin: counts and KPIs of one period beside those of two earlier ones."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from gridmap.analysis import assign
from gridmap.analysis.cases.indicators import PERIODS, indicators
from gridmap.errors import ConformError
from gridmap.model import City

__all__ = [
    "COUNTS",
    "RATES",
    "SMALL",
    "STOCK",
    "Cell",
    "Figure",
    "Span",
    "Table",
    "cases_of",
    "figures",
    "overdue_list",
    "snapshot",
    "span_of",
    "table",
    "trend",
]

COUNTS = ("opened", "closed", "open", "overdue")
RATES = ("closing_rate", "in_time_rate", "median_hours", "p90_hours")
STOCK = "overdue_rate"
SMALL = 20  # cases; a denominator below this is marked
_FIELDS = ("area", "area_name", "category", "source", "department", "recorded_area", "address")
_FORMATS = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m", "year": "%Y"}


class Span(NamedTuple):
    """A day, week (from Monday), month or year of the city.

    Parameters
    ----------
    period : str
    begins, ends : Timestamp, aware
        It ends where the next begins.
    """

    period: str
    begins: pd.Timestamp
    ends: pd.Timestamp

    @property
    def label(self) -> str:
        """The name of the span, such as ``2025-W10``."""
        return self.begins.strftime(_FORMATS[self.period])

    def back(self, *, year: bool = False) -> Span:
        """Return the span before, or that of a year ago; of weeks, 52 weeks ago."""
        day = self.begins.tz_localize(None)
        if year:
            back = pd.DateOffset(days=364) if self.period == "week" else pd.DateOffset(years=1)
        else:
            back = pd.DateOffset(days=1)
        return span_of(self.period, (day - back).date(), str(self.begins.tz))


class Cell(NamedTuple):
    """A figure of one span.

    ``value`` is a count, a share or hours; missing (None) where there is nothing to compute it
    from. ``mark`` is ``full``, ``impossible`` or empty.
    """

    value: float | None = None
    numerator: int | None = None
    denominator: int | None = None
    small: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure beside those of the span before and of a year ago."""

    name: str
    now: Cell
    before: Cell
    year_before: Cell


@dataclass(frozen=True)
class Table:
    """Figures by the values of a column.

    Parameters
    ----------
    column : str
    rows : tuple
        Of each group, the whole last: its name (missing for cases without one, and for the
        whole), and its cells by name.
    """

    column: str
    rows: tuple[tuple[str | None, dict[str, Cell]], ...]


def span_of(period: str, day: dt.date, timezone: str) -> Span:
    """Return the span that holds a day.

    Raises
    ------
    ConformError
        If there is no such period.
    """
    if period not in PERIODS:
        raise ConformError("kpi.period", period=period, known=", ".join(PERIODS))
    first, after = {
        "day": (day, day + dt.timedelta(days=1)),
        "week": (
            day - dt.timedelta(days=day.weekday()),
            day + dt.timedelta(days=7 - day.weekday()),
        ),
        "month": (
            day.replace(day=1),
            (day.replace(day=1) + dt.timedelta(days=32)).replace(day=1),
        ),
        "year": (day.replace(month=1, day=1), dt.date(day.year + 1, 1, 1)),
    }[period]
    zone = ZoneInfo(timezone)
    return Span(period, pd.Timestamp(first, tz=zone), pd.Timestamp(after, tz=zone))


def cases_of(city: City, level: str) -> pd.DataFrame:
    """Return the problems of a city with the area that each lies in.

    Parameters
    ----------
    city : City
    level : str
        Of the areas; empty for none.

    Returns
    -------
    DataFrame, its index the codes, sorted
        ``opened, due, closed``, and those of ``area, area_name, category, source, department,
        recorded_area, address`` that are known.
    """
    problems = city.frame("problems")
    cases = pd.DataFrame(problems.drop(columns=problems.geometry.name))
    if level:
        areas = city.areas(level)
        cases["area"] = assign(problems, areas)
        names = areas["name"].fillna(areas["code"]).set_axis(areas["code"])
        cases["area_name"] = cases["area"].map(names).astype("string")
    for name in _FIELDS:
        if name in cases and cases[name].isna().all():
            cases = cases.drop(columns=name)
    kept = ["code", "opened", "due", "closed", *(name for name in _FIELDS if name in cases)]
    return cases[kept].set_index("code").sort_index()


def _known_at(cases: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """Return the cases as they were just before a moment, and how long they took."""
    known = cases[cases["opened"] < moment]
    closed = known["closed"].mask(known["closed"] >= moment)
    hours = (closed - known["opened"]).dt.total_seconds() / 3600.0
    return known.assign(closed=closed, hours=hours)


def _counts(known: pd.DataFrame, span: Span) -> pd.DataFrame:
    """Return for each case in which of the `COUNTS` it is."""
    opened, closed = known["opened"], known["closed"]
    still = closed.isna()
    return pd.DataFrame(
        {
            "opened": opened >= span.begins,
            "closed": (closed >= span.begins).fillna(value=False),
            "open": still,
            "overdue": still & (known["due"] < span.ends).fillna(value=False),
        }
    ).astype("int64")


def _within(known: pd.DataFrame, span: Span) -> pd.DataFrame:
    """Return the cases that a span can have a figure of."""
    touched = known["closed"].isna() | (known["opened"] >= span.begins)
    touched |= (known["closed"] >= span.begins).fillna(value=False)
    touched |= (known["due"] >= span.begins).fillna(value=False)
    return known[touched]


def _cells(known: pd.DataFrame, span: Span, by: Sequence[str], small: int) -> pd.DataFrame:
    """Return the rows of `indicators` that are of a span."""
    timed = indicators(
        known, as_of=span.ends, by=by, period=span.period, kpis=RATES, small=small
    ).rows
    stock = indicators(known, as_of=span.ends, by=by, kpis=(STOCK,), small=small).rows
    return pd.concat([timed[timed["period"] == span.label], stock], ignore_index=True)


def _cell(row: Any) -> Cell:
    def number(value: Any) -> Any:
        return None if pd.isna(value) else value

    numerator = number(row.numerator)
    return Cell(
        value=None if pd.isna(row.value) else float(row.value),
        numerator=None if numerator is None else int(numerator),
        denominator=int(row.denominator),
        small=bool(row.small),
        mark="" if pd.isna(row.suspicious) else str(row.suspicious),
    )


def figures(cases: pd.DataFrame, span: Span, small: int = SMALL) -> tuple[Figure, ...]:
    """Return the `COUNTS` and KPIs of a span beside those of the span before and of a year ago.

    Each span is told as it was known at its end, so that they compare. A span that ended before
    the first case has no figures.
    """
    found = [_whole(cases, each, small) for each in (span, span.back(), span.back(year=True))]
    names = (*COUNTS, *RATES[:2], STOCK, *RATES[2:])
    return tuple(Figure(name, *(each.get(name, Cell()) for each in found)) for name in names)


def _whole(cases: pd.DataFrame, span: Span, small: int) -> dict[str, Cell]:
    known = _known_at(cases, span.ends)
    if known.empty:
        return {}
    known = _within(known, span)
    counts = _counts(known, span).sum()
    cells = {name: Cell(float(counts[name])) for name in COUNTS}
    rows = _cells(known, span, (), small)
    return cells | {str(row.kpi): _cell(row) for row in rows.itertuples()}


def table(cases: pd.DataFrame, span: Span, column: str, small: int = SMALL) -> Table:
    """Return figures by the values of a column; by area in the order of codes, else by number."""
    known = _within(_known_at(cases, span.ends), span)
    last = span.back()
    opened = (cases["opened"] >= last.begins) & (cases["opened"] < last.ends)
    known_before = bool((cases["opened"] < last.ends).any())
    before = cases[opened].groupby(column, dropna=False).size()
    counts = _counts(known, span).groupby(known[column], dropna=False).sum()
    counts = counts.reindex(counts.index.union(before.index), fill_value=0)
    counts["opened_before"] = before.reindex(counts.index).fillna(0).astype("int64")
    rates: dict[str | None, dict[str, Cell]] = {}
    found = _cells(known, span, (column,), small)
    for group, row in zip(found[column], found.itertuples(), strict=True):
        rates.setdefault(_key(group), {})[str(row.kpi)] = _cell(row)
    order = counts.reset_index(names="group")
    if column != "area":
        order = order.sort_values(["opened", "group"], ascending=[False, True], kind="stable")
    order = order.sort_values("group", key=lambda group: group.isna(), kind="stable")
    labels = cases.drop_duplicates(column).set_index(column).get("area_name")
    rows: list[tuple[str | None, dict[str, Cell]]] = []
    for record in order.to_dict("records"):
        key = _key(record["group"])
        own = {name: Cell(float(record[name])) for name in COUNTS}
        own["opened_before"] = Cell(float(record["opened_before"])) if known_before else Cell()
        name = str(labels[key]) if column == "area" and key and labels is not None else key
        rows.append((name, own | rates.get(key, {})))
    earlier = Cell(float(opened.sum())) if known_before else Cell()
    whole = _whole(cases, span, small) | {"opened_before": earlier}
    return Table(column, (*rows, (None, whole)))


def _key(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def trend(cases: pd.DataFrame, span: Span) -> list[tuple[str, int, int]]:
    """Return the parts of a span, days or months, with the cases opened and closed in each."""
    if span.period == "day":
        return []
    part = "month" if span.period == "year" else "day"
    found, begins = [], span.begins
    while begins < span.ends:
        each = span_of(part, begins.date(), str(begins.tz))
        opened = (cases["opened"] >= each.begins) & (cases["opened"] < each.ends)
        closed = (cases["closed"] >= each.begins) & (cases["closed"] < each.ends)
        found.append((each.label, int(opened.sum()), int(closed.fillna(value=False).sum())))
        begins = each.ends
    return found


def overdue_list(cases: pd.DataFrame, span: Span) -> pd.DataFrame:
    """Return the cases that were open and past their deadline at the end of a span.

    Returns
    -------
    DataFrame
        The columns of the cases and ``days`` past the deadline, those longest overdue first.
    """
    known = _known_at(cases, span.ends)
    late = known[known["closed"].isna() & (known["due"] < span.ends)].drop(columns="hours")
    days = (span.ends - late["due"]).dt.total_seconds() / 86_400.0
    return (
        late.assign(days=days)
        .reset_index()
        .sort_values(["days", "code"], ascending=[False, True], kind="stable", ignore_index=True)
    )


def snapshot(cases: pd.DataFrame, span: Span, head: dict[str, Any]) -> tuple[str, int]:
    """Return the SHA-256 of the rows that a bulletin is made from, and how many they are.

    The text that is hashed has a line of JSON for the head, and one for each case that the span,
    the span before or that of a year ago can have a figure of, by code, as it was known at the
    end of the span: keys sorted, times in UTC, nothing for what is missing.
    """
    known = _known_at(cases, span.ends).drop(columns="hours")
    spans = (span, span.back(), span.back(year=True))
    used = pd.Series(data=False, index=known.index)
    for each in spans:
        used.loc[_within(_known_at(cases, each.ends), each).index] = True
    rows = known[used].reset_index().sort_values("code", kind="stable")
    plain = rows.astype(dict.fromkeys(rows.columns, "object"))
    for name in ("opened", "due", "closed"):
        stamps = rows[name].dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        plain[name] = stamps.astype(object)
    digest = hashlib.sha256(_line(head))
    for record in plain.to_dict("records"):
        digest.update(_line({str(k): v for k, v in record.items() if not pd.isna(v)}))
    return digest.hexdigest(), len(rows)


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return (text + "\n").encode()
