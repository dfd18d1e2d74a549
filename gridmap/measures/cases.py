"""The life of cases: deadlines, what is overdue, what comes back, and the KPIs of it all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from gridmap import analysis
from gridmap.analysis.cases.indicators import Indicators
from gridmap.analysis.cases.life import CaseLife
from gridmap.analysis.cases.recurrence import Recurrence
from gridmap.errors import ConformError
from gridmap.measures.summary import Frames, trusted
from gridmap.model import City
from gridmap.settings import Analysis, Clock, Kpis, Limit

__all__ = [
    "LAYERS",
    "Casework",
    "calendar_of",
    "casework",
    "kpi_tables",
    "with_deadlines",
    "worked",
]

# What the life of cases depends on; nothing else need be read to compute it.
LAYERS = (
    "grids", "problems", "events", "stops", "limits", "calendar_days", "categories",
)  # fmt: skip
_CHINA = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin")
_LEDGER = "ledger_days"
_OPTIONAL = ("level", "department", "post", "person", "campaign", "treatment", "source")
_PRESSING = ("overdue", "due_soon")


@dataclass(frozen=True)
class Casework:
    """Everything that is known of the cases of a city.

    Parameters
    ----------
    cases : DataFrame, its index the codes
        The problems with what `gridmap.analysis.CaseLife` has, ``area``, ``watched`` and
        ``recurred``: the table that KPIs are computed from.
    life : CaseLife
    recurring : Recurrence
    findings : DataFrame
        ``case, kind, stage, at, detail``.
    """

    cases: pd.DataFrame
    life: CaseLife
    recurring: Recurrence
    findings: pd.DataFrame


def calendar_of(city: City, settings: Clock) -> analysis.Calendar:
    """Return the working calendar of a city."""
    days = None
    if city.has("calendar_days"):
        days = city.layers["calendar_days"]
        days = days.assign(date=days["date"].dt.tz_localize(None))
    china = settings.holidays == "china" or (not settings.holidays and city.timezone in _CHINA)
    return analysis.make_calendar(
        city.timezone,
        hours=dict(settings.hours) or None,
        make_up=settings.make_up,
        holidays=analysis.ChineseHolidays() if china else analysis.EveryWeek(),
        days=days,
        complete=settings.complete,
    )


def with_deadlines(city: City, settings: Clock) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the problems of a city, each with the ``deadline`` that holds, and findings.

    One that the data give (``due``) stays; the others follow from the table of limits. An
    extension that was granted moves either.
    """
    problems, findings = city.frame("problems"), _no_findings()
    deadline = problems["due"]
    if city.has("limits"):
        by_limit, findings = _limited(city, problems, settings)
        deadline = deadline.fillna(by_limit)
    if city.has("events"):
        events = city.layers["events"]
        granted = events[(events["event"] == "delay") & (events["time"] <= city.as_of)]
        until = problems["code"].map(granted.groupby("case")["until"].max())
        deadline = deadline.mask((until > deadline).fillna(value=False), until)
    return problems.assign(deadline=deadline), findings


def _limited(
    city: City, problems: gpd.GeoDataFrame, settings: Clock
) -> tuple[pd.Series, pd.DataFrame]:
    """Return deadlines by the table of limits."""
    limits = city.layers["limits"]
    limits = limits.assign(stage=limits["stage"].fillna("whole"))
    calendar = calendar_of(city, settings)
    stops = city.layers.get("stops")
    whole = limits[limits["stage"] == "whole"]
    spells = problems[["code", "category", "opened"]].set_axis(
        ["case", "category", "entered"], axis=1
    )
    counted = whole.assign(unit=whole["unit"].replace(_LEDGER, "natural_days"))
    due, findings = analysis.case_deadlines(spells, counted, calendar, stops=stops)
    by_ledger = problems["category"].isin(whole.loc[whole["unit"] == _LEDGER, "category"])
    if by_ledger.any():
        due.loc[by_ledger, "due"] = _ledger(problems[by_ledger], whole, calendar)
    return due["due"], findings


def _ledger(
    problems: gpd.GeoDataFrame, limits: pd.DataFrame, calendar: analysis.Calendar
) -> pd.Series:
    """Return deadlines by "the same day, else some days after entry in the ledger"."""
    amount = problems["category"].map(limits.set_index("category")["amount"])
    parts = [
        analysis.ledger_deadline(
            some["opened"],
            some["entered"],
            calendar,
            rule=analysis.Rule(float(days), "natural_days"),
        )
        for days, some in problems.groupby(amount)
    ]
    by_entry: pd.Series = pd.concat(parts).reindex(problems.index)
    return by_entry


def _no_findings() -> pd.DataFrame:
    return analysis.check_times(pd.DataFrame({"opened": pd.to_datetime([], utc=True)}))


def worked(city: City, problems: gpd.GeoDataFrame, settings: Analysis) -> Casework:
    """Follow the cases of a city through their lives.

    Parameters
    ----------
    city : City
    problems : GeoDataFrame
        With the ``deadline`` that holds and with ``pile``, as the step ``assign`` leaves them.
    settings : Analysis
    """
    calendar = calendar_of(city, settings.clock)
    plain = pd.DataFrame(problems.drop(columns=problems.geometry.name))
    plain = plain.assign(due=plain.pop("deadline"))
    life = analysis.case_life_of_times(plain, calendar, as_of=city.as_of)
    cases, findings = life.cases, [life.findings]
    if city.has("events"):
        life = analysis.case_life(city.layers["events"], calendar, as_of=city.as_of)
        cases = _joined(cases, life.cases)
        findings.append(life.findings)
    again = analysis.recurrence(
        trusted({"problems": problems}).set_index("code"),
        within_m=settings.recurrence.within_m,
        days=settings.recurrence.days,
        as_of=city.as_of,
    )
    told = again.cases[["watched", "recurred"]].reindex(cases.index).fillna(value=False)
    cases = cases.join(told.astype(bool))
    # A KPI of what is not on record would say zero, and mean nothing.
    cases = cases.drop(columns=[name for name in _OPTIONAL if cases[name].isna().all()])
    level = settings.kpis.level or city.overview
    if level:
        area = analysis.assign(problems, city.areas(level))
        cases["area"] = area.mask(problems["pile"]).to_numpy()
    return Casework(cases, life, again, _findings(findings, calendar.zone))


def _joined(cases: pd.DataFrame, lives: pd.DataFrame) -> pd.DataFrame:
    """Return cases with what a log of events tells of them; the ledger's own times stay."""
    known = lives.reindex(cases.index)
    logged = pd.Series(cases.index.isin(lives.index), index=cases.index)
    new = [name for name in known if name not in cases]
    joined = cases.join(known[new])
    joined["state"] = known["state"].where(logged, cases["state"])
    joined["level"] = cases["level"].fillna(known["level"])
    for name in ("hours", "working_hours"):
        joined[name] = known[name].where(logged & known[name].notna(), cases[name])
    return joined


def casework(city: City, found: Frames, settings: Analysis, findings: pd.DataFrame) -> Frames:
    """Compute what is known of cases.

    Parameters
    ----------
    city : City
    found : mapping of str to DataFrame
        Of the steps before; ``problems`` with deadline, place and state.
    settings : Analysis
    findings : DataFrame
        Of `with_deadlines`.

    Returns
    -------
    dict of str to DataFrame
        Results by layer.
    """
    problems = found["problems"]
    work = worked(city, problems, settings)
    calendar = calendar_of(city, settings.clock)
    cases = work.cases
    urgency = analysis.urgency(
        cases[["due", "closed"]], city.as_of, calendar, soon=_rule(settings.clock.soon)
    )
    again = work.recurring.cases.reindex(cases.index)
    extra = pd.DataFrame(
        {
            "urgency": urgency["urgency"].astype("string"),
            "recurrences": again["recurrences"].astype("Int64"),
            "follows": again["follows"].astype("string"),
        }
    ).set_axis(problems.index)
    told = problems.assign(**{str(name): extra[name] for name in extra})
    made: Frames = {
        "problems": told,
        "deadlines": _pressing(city, told, urgency),
        "recurrence": analysis.recurrence_layer(
            work.recurring, trusted({"problems": told}).set_index("code")
        ),
        "look_back": _look_back(city, cases, calendar, settings.clock),
        "case_findings": _findings([findings, work.findings], calendar.zone),
        "kpis": kpi_tables(city, work, settings),
    }
    if city.has("events"):
        names = [
            name for name in city.catalog.layer("case_stages").fields if name in work.life.stages
        ]
        made["case_stages"] = work.life.stages[names]
    return made


def _rule(limit: Limit) -> analysis.Rule:
    return analysis.Rule(limit.amount, limit.unit)


def _pressing(city: City, problems: gpd.GeoDataFrame, urgency: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return the open cases that are overdue or due soon, the most pressing first."""
    hours = urgency[["overdue_h", "left_h"]].set_axis(problems.index)
    every = problems.join(hours)
    some = every[every["urgency"].isin(_PRESSING)]
    some = some.assign(due=some["deadline"])
    some = some.sort_values(["due", "code"], kind="stable", ignore_index=True)
    return some[[*city.catalog.layer("deadlines").fields, "geometry"]]


def _look_back(
    city: City, cases: pd.DataFrame, calendar: analysis.Calendar, settings: Clock
) -> pd.DataFrame:
    """Return closed cases that are still to be looked at again, or were so too late."""
    listed = analysis.look_back(cases, city.as_of, calendar, rule=_rule(settings.look_back))
    listed = listed[listed["look_back"] != "done"]
    table = cases[["category", "address"]].join(listed, how="right").reset_index(names="code")
    if table["visited"].isna().all():
        # Where no visit is on record, nothing tells which were missed.
        table = table[table["look_back"] != "overdue"].reset_index(drop=True)
    return table[[*city.catalog.layer("look_back").fields]]


def _findings(parts: Sequence[pd.DataFrame], zone: str) -> pd.DataFrame:
    some = [part.assign(at=part["at"].dt.tz_convert(zone)) for part in parts if len(part)]
    if not some:
        return _no_findings()
    table = pd.concat(some, ignore_index=True).drop_duplicates(ignore_index=True)
    return table.sort_values(["case", "at", "kind"], kind="stable", ignore_index=True)


def kpi_tables(
    city: City, work: Casework, settings: Analysis, *, kpis: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the KPIs of a city in one table: the whole, then by each of ``settings.kpis.by``.

    Parameters
    ----------
    city : City
    work : Casework
    settings : Analysis
    kpis : sequence of str, optional
        Names of ``gridmap/analysis/cases/kpis.toml``; all that can be computed if left out.

    Returns
    -------
    DataFrame
        As the layer ``kpis``; its index numbers the rows, for `proven`.

    Raises
    ------
    ConformError
        If a KPI, column or period is unknown.
    """
    parts = []
    for by, found in _indicators(city, work, settings, kpis):
        rows = found.rows
        names = rows[list(by)].astype("string").fillna("–")
        group = names.agg(" / ".join, axis=1) if by else pd.Series(pd.NA, rows.index)
        parts.append(rows.drop(columns=list(by)).assign(by=" / ".join(by) or None, group=group))
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return table.reindex(columns=[*city.catalog.layer("kpis").fields])


def _indicators(
    city: City, work: Casework, settings: Analysis, kpis: Sequence[str] | None
) -> Iterator[tuple[tuple[str, ...], Indicators]]:
    """Yield the KPIs by each grouping; one of the default groupings may have no column."""
    usual = settings.kpis.by == Kpis().by
    for by in settings.kpis.by:
        if usual and any(name not in work.cases for name in by):
            continue
        yield by, analysis.indicators(
            work.cases, as_of=city.as_of, by=by, period=settings.kpis.period,
            kpis=kpis or None, small=settings.kpis.small,
        )  # fmt: skip


def proven(
    city: City,
    work: Casework,
    settings: Analysis,
    row: int,
    *,
    kpis: Sequence[str] | None = None,
) -> Frames:
    """Return a row of `kpi_tables` and the cases behind it.

    Raises
    ------
    ConformError
        If there is no such row.
    """
    table = kpi_tables(city, work, settings, kpis=kpis)
    if not 0 <= row < len(table):
        raise ConformError("kpi.row", row=row, last=len(table) - 1)
    first = 0
    for _, found in _indicators(city, work, settings, kpis):
        if row < first + len(found.rows):
            break
        first += len(found.rows)
    told = analysis.proof(found, row - first)
    part = pd.Series("denominator", index=told.denominator.union(told.numerator))
    part[told.numerator] = "both"
    part[told.outside] = "outside"
    cases = part.rename("part").to_frame().join(work.cases).reset_index(names="code")
    fields = [name for name in city.catalog.layer("kpi_cases").fields if name in cases]
    return {"kpis": table.iloc[[row]], "kpi_cases": cases[fields]}


def curves(
    city: City, problems: gpd.GeoDataFrame, settings: Analysis, by: str = ""
) -> pd.DataFrame:
    """Return how long cases stay closed, by the values of a column.

    Raises
    ------
    ConformError
        If there is no such column.
    """
    table = analysis.recurrence_curve(
        trusted({"problems": problems}).set_index("code"),
        within_m=settings.recurrence.within_m,
        as_of=city.as_of,
        by=by,
    )
    return table.rename(columns={by: "group"}) if by else table
