"""Bulletins: counts and KPIs of one period, beside those of two earlier ones, as then known."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from gridmap.analysis.cases._conditions import holding
from gridmap.analysis.cases.indicators import PERIODS, indicators
from gridmap.catalog import Catalog, Field, Text
from gridmap.errors import ConformError
from gridmap.measures.analyse import analyse
from gridmap.measures.cases import case_table
from gridmap.model import City
from gridmap.privacy import shown_table, shown_value
from gridmap.result import Result
from gridmap.settings import Analysis
from gridmap.summaries import Summarised

__all__ = [
    "COUNTS",
    "FORMAT",
    "RATES",
    "SMALL",
    "STOCK",
    "Bulletin",
    "Figure",
    "Known",
    "Span",
    "Table",
    "Value",
    "known_at_end",
    "make_bulletin",
    "span_of",
]

COUNTS = ("opened", "closed", "open", "overdue")
RATES = ("closing_rate", "in_time_rate", "median_hours", "p90_hours")
STOCK = "overdue_rate"
SMALL = 20  # cases; a denominator below this is marked
# What the rows of a bulletin are: 1 knew neither fallback points nor the log of events.
FORMAT = 2
_COLUMNS = ("area", "department", "source", "category", "recorded_area")
_FIELDS = ("area", "area_name", "category", "source", "department", "recorded_area", "address")
_HASHED = ("opened", "deadline", "closed", "file_at", "state", *_FIELDS)
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
    def last(self) -> pd.Timestamp:
        """The last moment of the span; what happens at its end belongs to the next."""
        return self.ends - pd.Timedelta(microseconds=1)

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


class Value(NamedTuple):
    """A figure of one span.

    ``value`` is a count, a share or hours; missing (None) where there is nothing to compute it
    from. ``mark`` is ``full``, ``impossible`` or empty.

    Examples
    --------
    >>> from gridmap.measures.bulletins import Value
    >>> Value(0.5, numerator=3, denominator=6, small=True)
    Value(value=0.5, numerator=3, denominator=6, small=True, mark='')
    """

    value: float | None = None
    numerator: int | None = None
    denominator: int | None = None
    small: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure beside those of the span before and of a year ago.

    Examples
    --------
    >>> from gridmap.measures.bulletins import Figure, Value
    >>> opened = Figure("opened", now=Value(120), before=Value(100), year_before=Value())
    >>> opened.now.value - opened.before.value
    20
    """

    name: str
    now: Value
    before: Value
    year_before: Value


@dataclass(frozen=True)
class Table:
    """Figures by the values of a column.

    Parameters
    ----------
    column : str
    rows : tuple
        Of each group, the whole last: its name (missing for cases without one, and for the
        whole), and its cells by name.

    Examples
    --------
    >>> from gridmap.measures.bulletins import Table, Value
    >>> hotline, whole = {"opened": Value(7)}, {"opened": Value(9)}
    >>> by_source = Table("source", rows=(("hotline", hotline), (None, whole)))
    >>> dict(by_source.rows)["hotline"]["opened"].value
    7
    """

    column: str
    rows: tuple[tuple[str | None, dict[str, Value]], ...]

    def shown(self, field: Field) -> Table:
        """Return it with the names of its groups as they may be written or shown."""
        rows = ((shown_value(name, is_code=field.code), cells) for name, cells in self.rows)
        return Table(self.column, tuple(rows))


@dataclass(frozen=True, repr=False)
class Bulletin(Summarised):
    """The figures of a period, as they were known at its end.

    Parameters
    ----------
    city, source : Text
        The city's title, and whom to credit for its data.
    name : str
        Identifier of the city.
    span : Span
    level : str
        Of the areas; empty if there are none.
    small : int
        A denominator below this is marked.
    figures : tuple of Figure
        Of the whole.
    tables : tuple of Table
        By area, department, source, category and recorded area, as far as they are known.
    trend : tuple of (str, int, int)
        Days or months, with problems opened and closed.
    overdue : DataFrame
        Every problem that was open and overdue at the end, the longest overdue first.
    sha256 : str
        Of the rows that it was made from.
    rows : int
        How many these are.
    hot : Result, optional
        Hot spots among the grids, of the problems that the period opened.
    """

    headline: ClassVar[tuple[str, ...]] = ("name", "span", "rows", "sha256")

    city: Text
    source: Text
    name: str
    span: Span
    level: str
    small: int
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    trend: tuple[tuple[str, int, int], ...]
    overdue: pd.DataFrame
    sha256: str
    rows: int
    hot: Result | None = None

    def shown(self, catalog: Catalog) -> Bulletin:
        """Return it as it may be written or shown; its hash is that of the rows in full."""
        fields = catalog.layer("problems").fields
        known = {"area": fields["code"], "code": fields["code"]}
        known |= {name: fields[name] for name in _COLUMNS if name in fields}
        tables = tuple(each.shown(known[each.column]) for each in self.tables)
        city, source = self.city.shown(), self.source.shown()
        overdue = shown_table(self.overdue, known)
        hot = None if self.hot is None else self.hot.shown()
        return replace(self, city=city, source=source, tables=tables, overdue=overdue, hot=hot)

    @property
    def stem(self) -> str:
        """The name of its files, without revision and language."""
        return f"{self.name}-{self.span.period}-{self.span.label}"


def span_of(period: str, day: dt.date, timezone: str) -> Span:
    """Return the span that holds a day.

    Raises
    ------
    ConformError
        If there is no such period.

    Examples
    --------
    >>> import datetime as dt
    >>> from gridmap.measures.bulletins import span_of
    >>> week = span_of("week", dt.date(2025, 3, 9), "Asia/Shanghai")
    >>> week.label, week.begins.day_name()
    ('2025-W10', 'Monday')
    >>> week.back().label
    '2025-W09'
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


@dataclass(frozen=True, repr=False)
class Known(Summarised):
    """The cases as they were known at the end of a span.

    Parameters
    ----------
    span : Span
    cases : DataFrame, its index the codes, sorted
        Of `gridmap.measures.cases.CaseTable`.
    """

    span: Span
    cases: pd.DataFrame

    @property
    def now(self) -> pd.Timestamp:
        """The last moment of the span."""
        return self.span.last

    @cached_property
    def counts(self) -> pd.DataFrame:
        """For each case, in which of the `COUNTS` it is."""
        cases, begins = self.cases, self.span.begins
        return pd.DataFrame(
            {
                "opened": cases["opened"] >= begins,
                "closed": (cases["closed"] >= begins).fillna(value=False),
                "open": holding("open", cases, self.now),
                "overdue": holding("overdue", cases, self.now),
            }
        ).astype("int64")

    @property
    def touched(self) -> pd.DataFrame:
        """The cases that the span can have a figure of."""
        cases, begins = self.cases, self.span.begins
        some = cases["closed"].isna()
        for name in ("opened", "closed", "deadline", "file_at"):
            if name in cases:
                some |= (cases[name] >= begins).fillna(value=False)
        return cases[some]

    def rates(self, by: Sequence[str], small: int) -> pd.DataFrame:
        """Return the rows of `indicators` that are of the span."""
        timed = indicators(
            self.cases, as_of=self.now, by=by, period=self.span.period, kpis=RATES, small=small
        ).rows
        stock = indicators(self.cases, as_of=self.now, by=by, kpis=(STOCK,), small=small).rows
        return pd.concat([timed[timed["period"] == self.span.label], stock], ignore_index=True)


def known_at_end(city: City, settings: Analysis, span: Span, level: str) -> Known:
    """Return the cases as they were known at the end of a span.

    Parameters
    ----------
    city : City
    settings : Analysis
    span : Span
    level : str
        Of the areas; empty for none.

    Examples
    --------
    >>> import datetime as dt
    >>> from gridmap.measures.bulletins import known_at_end, span_of
    >>> city = gridmap.read_city("data", layers=["problems", "grids"])
    >>> june = span_of("month", dt.date(2025, 6, 1), city.timezone)
    >>> known = known_at_end(city, gridmap.Analysis(), june, level="")
    >>> known.counts.sum().to_dict()
    {'opened': 541, 'closed': 477, 'open': 245, 'overdue': 209}
    """
    table = case_table(city, settings, at=span.last.to_pydatetime(), level=level)
    cases = pd.DataFrame(table.cases.drop(columns=table.cases.geometry.name))
    if level and "area" in cases:
        areas = city.areas(level)
        names = areas["name"].fillna(areas["code"]).set_axis(areas["code"])
        cases["area_name"] = cases["area"].map(names).astype("string")
    empty = [name for name in _FIELDS if name in cases and cases[name].isna().all()]
    return Known(span, cases.drop(columns=empty).sort_index())


def _value(row: Any) -> Value:
    def number(value: Any) -> Any:
        return None if pd.isna(value) else value

    numerator = number(row.numerator)
    return Value(
        value=None if pd.isna(row.value) else float(row.value),
        numerator=None if numerator is None else int(numerator),
        denominator=int(row.denominator),
        small=bool(row.small),
        mark="" if pd.isna(row.suspicious) else str(row.suspicious),
    )


def figures(known: Sequence[Known], small: int = SMALL) -> tuple[Figure, ...]:
    """Return the `COUNTS` and KPIs of a span beside those of the span before and of a year ago.

    Each span is told as it was known at its end, so that they compare. A span that ended before
    the first case has no figures.

    Parameters
    ----------
    known : sequence of three Known
        Of the span, of the one before, and of that a year ago.
    small : int
        A denominator below this is marked.
    """
    found = [_whole(each, small) for each in known]
    names = (*COUNTS, *RATES[:2], STOCK, *RATES[2:])
    return tuple(Figure(name, *(each.get(name, Value()) for each in found)) for name in names)


def _whole(known: Known, small: int) -> dict[str, Value]:
    if known.cases.empty:
        return {}
    counts = known.counts.sum()
    values = {name: Value(float(counts[name])) for name in COUNTS}
    return values | {str(row.kpi): _value(row) for row in known.rates((), small).itertuples()}


def table(known: Known, column: str, small: int = SMALL) -> Table:
    """Return figures by the values of a column; by area in the order of codes, else by number."""
    cases, last = known.cases, known.span.back()
    opened = (cases["opened"] >= last.begins) & (cases["opened"] < last.ends)
    known_before = bool((cases["opened"] < last.ends).any())
    before = cases[opened].groupby(column, dropna=False).size()
    counts = known.counts.groupby(cases[column], dropna=False).sum()
    counts = counts[(counts > 0).any(axis=1)]
    counts = counts.reindex(counts.index.union(before.index), fill_value=0)
    counts["opened_before"] = before.reindex(counts.index).fillna(0).astype("int64")
    rates: dict[str | None, dict[str, Value]] = {}
    found = known.rates((column,), small)
    for group, row in zip(found[column], found.itertuples(), strict=True):
        rates.setdefault(_key(group), {})[str(row.kpi)] = _value(row)
    order = counts.reset_index(names="group")
    if column != "area":
        order = order.sort_values(["opened", "group"], ascending=[False, True], kind="stable")
    order = order.sort_values("group", key=lambda group: group.isna(), kind="stable")
    labels = cases.drop_duplicates(column).set_index(column).get("area_name")
    rows: list[tuple[str | None, dict[str, Value]]] = []
    for record in order.to_dict("records"):
        key = _key(record["group"])
        own = {name: Value(float(record[name])) for name in COUNTS}
        own["opened_before"] = Value(float(record["opened_before"])) if known_before else Value()
        name = str(labels[key]) if column == "area" and key and labels is not None else key
        rows.append((name, own | rates.get(key, {})))
    earlier = Value(float(opened.sum())) if known_before else Value()
    whole = _whole(known, small) | {"opened_before": earlier}
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


def overdue_list(known: Known) -> pd.DataFrame:
    """Return the cases that were open and past their deadline at the end of a span.

    Returns
    -------
    DataFrame
        The columns of the cases, ``due`` (the deadline in force) and ``days`` past it, those
        longest overdue first.
    """
    late = known.cases[known.counts["overdue"] == 1]
    days = (known.span.ends - late["deadline"]).dt.total_seconds() / 86_400.0
    return (
        late.assign(days=days, due=late["deadline"])
        .reset_index()
        .sort_values(["days", "code"], ascending=[False, True], kind="stable", ignore_index=True)
    )


def snapshot(known: Sequence[Known], head: dict[str, Any]) -> tuple[str, int]:
    """Return the SHA-256 of the rows that a bulletin is made from, and how many they are.

    The text that is hashed has a line of JSON for the head; then, for each of the spans, one for
    each case that it can have a figure of, by code, as it was known at the end of the span: keys
    sorted, times in UTC, nothing for what is missing.
    """
    digest, codes = hashlib.sha256(_line({**head, "format": FORMAT})), set()
    for each in known:
        cases = each.touched
        rows = cases[[name for name in _HASHED if name in cases]].reset_index()
        codes |= set(rows["code"])
        plain = rows.astype(dict.fromkeys(rows.columns, "object"))
        for name in rows.columns[[isinstance(kind, pd.DatetimeTZDtype) for kind in rows.dtypes]]:
            stamps = rows[name].dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            plain[name] = stamps.astype(object)
        for record in plain.to_dict("records"):
            digest.update(_line({str(k): v for k, v in record.items() if not pd.isna(v)}))
    return digest.hexdigest(), len(codes)


def _line(value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return (text + "\n").encode()


def _hot(city: City, settings: Analysis, known: Known) -> Result | None:
    """Return the hot spots of what the span opened; None of a city without grids."""
    opened = known.cases["opened"] >= known.span.begins
    placed = known.cases.index[opened & ~known.cases["pile"].astype(bool)]
    problems = city.frame("problems")
    some = problems[problems["code"].isin(placed)].reset_index(drop=True)
    if some.empty or not city.has("grids"):
        return None
    within = replace(city, layers={**city.layers, "problems": some})
    return analyse(within, settings, want=["hotspots"]).results.get("hotspots")


def make_bulletin(
    city: City,
    settings: Analysis | None = None,
    *,
    period: str,
    on: dt.date | None = None,
    level: str = "",
    small: int = SMALL,
) -> Bulletin:
    """Compute a bulletin.

    Parameters
    ----------
    city : City
        With ``problems`` and, for tables by area, ``grids``; and what deadlines and the life of
        cases follow from.
    settings : Analysis, optional
    period : str
        ``day``, ``week`` (from Monday), ``month`` or ``year``.
    on : date, optional
        A day of the period; by default the last period that was over when the data ended.
    level : str
        Of the areas; by default that of the KPIs, else the finest of which there are at most 30.
    small : int
        A denominator below this is marked.

    Returns
    -------
    Bulletin

    Raises
    ------
    ConformError
        If the city has no problems or no such level, the period is unknown, is not over, or was
        over before the first problem.

    Examples
    --------
    >>> import datetime as dt
    >>> from gridmap.measures.bulletins import make_bulletin
    >>> city = gridmap.read_city("data", layers=["problems", "grids"])
    >>> june = make_bulletin(city, period="month", on=dt.date(2025, 6, 1))
    >>> june.stem
    'qinghe-month-2025-06'
    >>> {figure.name: figure.now.value for figure in june.figures[:4]}
    {'opened': 541.0, 'closed': 477.0, 'open': 245.0, 'overdue': 209.0}
    """
    as_of = pd.Timestamp(city.as_of).tz_convert(city.timezone)
    span = span_of(period, on or as_of.date(), city.timezone)
    span = span if on or span.ends <= as_of else span.back()
    if span.ends > as_of:
        raise ConformError(
            "bulletin.unfinished",
            label=span.label,
            ends=f"{span.ends:%Y-%m-%d}",
            as_of=f"{as_of:%Y-%m-%d %H:%M}",
        )
    settings = settings or Analysis()
    level = level or (settings.kpis.level if city.has("grids") else "") or city.overview
    first = city.frame("problems")["opened"].min()
    if pd.isna(first) or first >= span.ends:
        said = "–" if pd.isna(first) else f"{first:%Y-%m-%d}"
        if on is None and not pd.isna(first):
            until = f"{as_of:%Y-%m-%d %H:%M}"
            raise ConformError("bulletin.none_over", period=period, first=said, as_of=until)
        raise ConformError("bulletin.too_early", label=span.label, first=said)
    known = [
        known_at_end(city, settings, each, level)
        for each in (span, span.back(), span.back(year=True))
    ]
    head = {
        "city": city.name,
        "period": period,
        "begins": span.begins.isoformat(),
        "ends": span.ends.isoformat(),
        "level": level,
        "small": small,
    }
    sha256, rows = snapshot(known, head)
    return Bulletin(
        city=city.title,
        source=city.source,
        name=city.name,
        span=span,
        level=level,
        small=small,
        figures=figures(known, small),
        tables=tuple(table(known[0], name, small) for name in _COLUMNS if name in known[0].cases),
        trend=tuple(trend(known[0].cases, span)),
        overdue=overdue_list(known[0]),
        sha256=sha256,
        rows=rows,
        hot=_hot(city, settings, known[0]),
    )
