"""The one table of cases, and what follows from it: deadlines, recurrence, KPIs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import geopandas as gpd
import pandas as pd

from gridmap import analysis
from gridmap.analysis.cases.indicators import Indicators
from gridmap.analysis.cases.recurrence import Recurrence
from gridmap.errors import ConformError
from gridmap.measures.registry import Given, Made, Measure
from gridmap.model import City
from gridmap.settings import Analysis, Clock, Kpis, Limit
from gridmap.summaries import Summarised

__all__ = [
    "CaseTable",
    "KpiTables",
    "calendar_of",
    "case_table",
    "kpi_tables",
    "recurrence_curves",
    "recurrence_tests",
]

_CHINA = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin")
_LEDGER = "ledger_days"
_OPTIONAL = ("level", "department", "post", "person", "campaign", "treatment", "source")
_PRESSING = ("overdue", "due_soon")
# Times of a case that a moment before them does not know.
_LATER = ("closed", "entered", "visited")


@dataclass(frozen=True, repr=False)
class CaseTable(Summarised):
    """All that is known of the cases of a city at one moment; every figure of cases is read here.

    Parameters
    ----------
    at : Timestamp
        What happened later is not known.
    cases : GeoDataFrame, its index the codes
        The problems, each with where it lies (``grid``, ``area``, ``pile``), its times (``due`` on
        record, ``deadline`` in force, ``closed`` on record, else in the log), what it is
        (``state``: open, closed or rejected; ``stage``, ``overdue``, ``urgency``), how long it took
        (``days_to_close``, ``hours``, ``working_hours`` and those of each stage), how often it was
        returned, reworked and delayed, and whether it came back (``watched``, ``recurred``,
        ``recurrences``, ``follows``). A column that the city knows nothing of is left out.
    piles : GeoDataFrame
        The fallback points of a geocoder. A case on one is a case like any other, but for its
        place, which nobody knows: it lies in no grid and no area, and does not recur.
    stages : DataFrame
        Each time that a case was in a stage.
    recurring : Recurrence
    findings : DataFrame
        ``case, kind, stage, at, detail``: what the times and the log contradict themselves in.
    """

    headline: ClassVar[tuple[str, ...]] = ("at", "cases", "piles", "findings")

    at: pd.Timestamp
    cases: gpd.GeoDataFrame
    piles: gpd.GeoDataFrame
    stages: pd.DataFrame
    recurring: Recurrence
    findings: pd.DataFrame

    @property
    def placed(self) -> gpd.GeoDataFrame:
        """The cases whose place can be believed."""
        return self.cases[~self.cases["pile"]]


def calendar_of(city: City, settings: Clock) -> analysis.Calendar:
    """Return the working calendar of a city.

    Examples
    --------
    >>> from gridmap.measures.cases import calendar_of
    >>> city = gridmap.read_city("data", layers=["grids"])
    >>> calendar = calendar_of(city, gridmap.Analysis().clock)
    >>> calendar.zone
    'Asia/Shanghai'
    """
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


def case_table(
    city: City, settings: Analysis, *, at: dt.datetime | None = None, level: str | None = None
) -> CaseTable:
    """Make the table of the cases of a city.

    Parameters
    ----------
    city : City
        With ``problems``; of the rest what there is: ``grids``, ``events``, ``limits``, ``stops``,
        ``calendar_days``.
    settings : Analysis
    at : datetime, aware, optional
        As it was known then; by default when the city is analysed (``as_of``).
    level : str, optional
        Of the areas; by default that of the KPIs, else the finest of at most 30 areas.

    Returns
    -------
    CaseTable

    Raises
    ------
    ConformError
        If there are no problems or no such level.

    Examples
    --------
    >>> from gridmap.measures.cases import case_table
    >>> city = gridmap.read_city("data", layers=["problems", "grids"])
    >>> now = pd.Timestamp("2025-07-01", tz=city.timezone)
    >>> table = case_table(city, gridmap.Analysis(), at=now)
    >>> len(table.cases), int(table.cases["closed"].isna().sum())
    (2438, 245)
    """
    moment = pd.Timestamp(at or city.as_of)
    calendar = calendar_of(city, settings.clock)
    problems = _known(city.frame("problems"), moment)
    cases, piles = _located(city, problems, settings, level)
    cases["deadline"], limited = _deadlines(city, cases.reset_index(), settings.clock, moment)
    cases, stages, lived = _lived(city, cases, calendar, moment)
    cases = cases.assign(**_states(cases, moment, calendar, settings.clock))
    recurring = analysis.recurrence(
        cases[~cases["pile"]],
        within_m=settings.recurrence.within_m,
        days=settings.recurrence.days,
        as_of=moment,
    )
    cases = _recurred(cases, recurring)
    # A KPI of what is not on record would say zero, and mean nothing.
    cases = cases.drop(columns=[name for name in _OPTIONAL if cases[name].isna().all()])
    findings = _findings([limited, *lived], calendar.zone)
    return CaseTable(moment, cases, piles, stages, recurring, findings)


def _known(problems: gpd.GeoDataFrame, moment: pd.Timestamp) -> gpd.GeoDataFrame:
    """Return the problems that a moment knows, without what happened to them later."""
    known = problems[~(problems["opened"] > moment)].reset_index(drop=True)
    # A column that nobody filled has no type of its own.
    times = {name: known[name].astype(known["opened"].dtype) for name in ("due", *_LATER)}
    for name in _LATER:
        times[name] = times[name].mask(times[name] > moment)
    return known.assign(**times)


def _located(
    city: City, problems: gpd.GeoDataFrame, settings: Analysis, level: str | None
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return problems by their codes, with the grid and the area that each lies in."""
    on_pile, piles = analysis.find_fallback_points(
        problems, share=settings.pile_share, minimum=settings.pile_minimum
    )
    levels = {"grid": Given(city, settings).level, "area": level or settings.kpis.level}
    levels["area"] = levels["area"] or city.overview
    if not (level or city.has("grids")):
        levels = dict.fromkeys(levels, "")  # the settings name levels of grids that nobody gave
    none = pd.Series(pd.NA, index=problems.index, dtype="string")
    placed = problems.assign(pile=on_pile)
    for name, of in levels.items():
        placed[name] = analysis.assign(problems, city.areas(of)).mask(on_pile) if of else none
    if not levels["area"]:
        placed = placed.drop(columns="area")
    return placed.set_index("code"), piles


def _deadlines(
    city: City, problems: pd.DataFrame, settings: Clock, moment: pd.Timestamp
) -> tuple[pd.Series, pd.DataFrame]:
    """Return the deadline in force of each case, on the index of the codes, and findings.

    One that the data give (``due``) stays; the others follow from the table of limits. An
    extension that was granted moves either.
    """
    deadline, findings = problems["due"], _no_findings()
    if city.has("limits"):
        by_limit, findings = _limited(city, problems, settings, moment)
        deadline = deadline.fillna(by_limit)
    if city.has("events"):
        events = city.layers["events"]
        granted = events[(events["event"] == "delay") & (events["time"] <= moment)]
        latest = granted.groupby("case")["until"].max()
        until = latest.reindex(problems["code"]).set_axis(problems.index)
        deadline = deadline.mask((until > deadline).fillna(value=False), until)
    return deadline.set_axis(problems["code"]), findings


def _limited(
    city: City, problems: pd.DataFrame, settings: Clock, moment: pd.Timestamp
) -> tuple[pd.Series, pd.DataFrame]:
    """Return deadlines by the table of limits."""
    limits = city.layers["limits"]
    limits = limits.assign(stage=limits["stage"].fillna("whole"))
    calendar = calendar_of(city, settings)
    stops = city.layers.get("stops")
    if stops is not None:
        stops = stops[stops["begin"] <= moment]
        stops = stops.assign(end=stops["end"].mask(stops["end"] > moment))
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


def _ledger(problems: pd.DataFrame, limits: pd.DataFrame, calendar: analysis.Calendar) -> pd.Series:
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


def _lived(
    city: City, cases: gpd.GeoDataFrame, calendar: analysis.Calendar, moment: pd.Timestamp
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, list[pd.DataFrame]]:
    """Return cases with their lives: of a log of events where there is one, else of their times."""
    life = analysis.case_life_of_times(cases.reset_index(), calendar, as_of=moment)
    lived = gpd.GeoDataFrame(life.cases.rename(columns={"state": "stage"}), crs=cases.crs)
    lived.index.name = "code"
    findings = [life.findings]
    if city.has("events"):
        life = analysis.case_life(city.layers["events"], calendar, as_of=moment)
        findings += [life.findings, analysis.check_closings(lived["closed"], life.cases["closed"])]
        recorded = city.frame("problems").set_index("code")["closed"].notna()
        lived = _joined(lived, life.cases.rename(columns={"state": "stage"}), recorded)
    return lived, life.stages, findings


def _joined(cases: gpd.GeoDataFrame, lives: pd.DataFrame, recorded: pd.Series) -> gpd.GeoDataFrame:
    """Return cases with what a log of events tells of them; the ledger's own times stay.

    Where a closing is on record (`recorded`), be it later than the moment that is asked for, the
    log has no say in it: otherwise a case would be closed on two days, by when one asks.
    """
    known = lives.reindex(cases.index)
    logged = pd.Series(cases.index.isin(lives.index), index=cases.index)
    new = [name for name in known if name not in cases]
    joined = cases.join(known[new])
    on_record = recorded.reindex(cases.index).fillna(value=False)
    joined["closed"] = cases["closed"].where(on_record, known["closed"])
    joined["stage"] = known["stage"].where(logged, cases["stage"])
    joined["level"] = cases["level"].fillna(known["level"])
    agreed = logged & (joined["closed"] == known["closed"])
    for name in ("hours", "working_hours"):
        joined[name] = known[name].where(agreed & known[name].notna(), cases[name])
    return joined


def _states(
    cases: gpd.GeoDataFrame, moment: pd.Timestamp, calendar: analysis.Calendar, settings: Clock
) -> dict[str, pd.Series]:
    """Return what cases are at a moment; one that was rejected is neither open nor late."""
    rejected = (cases["stage"] == "reject").fillna(value=False) & cases["closed"].isna()
    told = analysis.timeliness(cases, moment)
    pressing = analysis.urgency(cases, moment, calendar, soon=_rule(settings.soon))
    return {
        "state": told["state"].mask(rejected, "rejected"),
        "overdue": told["overdue"].mask(rejected, other=False),
        "days_to_close": told["days_to_close"],
        "urgency": pressing["urgency"].mask(rejected, "rejected"),
        "overdue_h": pressing["overdue_h"].mask(rejected),
        "left_h": pressing["left_h"].mask(rejected),
    }


def _recurred(cases: gpd.GeoDataFrame, recurring: Recurrence) -> gpd.GeoDataFrame:
    told = recurring.cases.reindex(cases.index)
    return cases.assign(
        watched=told["watched"].fillna(value=False).astype(bool),
        recurred=told["recurred"].fillna(value=False).astype(bool),
        recurrences=told["recurrences"].astype("Int64"),
        follows=told["follows"].astype("string"),
    )


def _no_findings() -> pd.DataFrame:
    return analysis.check_times(pd.DataFrame({"opened": pd.to_datetime([], utc=True)}))


def _findings(parts: Sequence[pd.DataFrame], zone: str) -> pd.DataFrame:
    some = [part.assign(at=part["at"].dt.tz_convert(zone)) for part in parts if len(part)]
    if not some:
        return _no_findings()
    table = pd.concat(some, ignore_index=True).drop_duplicates(ignore_index=True)
    return table.sort_values(["case", "at", "kind"], kind="stable", ignore_index=True)


def _rule(limit: Limit) -> analysis.Rule:
    return analysis.Rule(limit.amount, limit.unit)


def _table(given: Given) -> Made:
    """Make the case table, and the layers that are parts of it."""
    table = case_table(given.city, given.settings)
    fields = given.city.catalog.layer("problems").fields
    derived = [name for name, field in fields.items() if field.derived]
    problems = given.city.frame("problems")
    told = table.cases[derived].reindex(problems["code"]).set_axis(problems.index)
    made: dict[str, object] = {
        "case_table": table,
        "problems": problems.join(told),
        "piles": table.piles,
        "case_findings": table.findings,
    }
    if given.city.has("events"):
        names = [n for n in given.city.catalog.layer("case_stages").fields if n in table.stages]
        made["case_stages"] = table.stages[names]
    return made


def _pressing(given: Given) -> Made:
    """Return the open cases that are overdue or due soon, the most pressing first."""
    cases = given["case_table"].cases
    some = cases[cases["urgency"].isin(_PRESSING)].reset_index(names="code")
    some = some.assign(due=some["deadline"])
    some = some.sort_values(["due", "code"], kind="stable", ignore_index=True)
    fields = given.city.catalog.layer("deadlines").fields
    return {"deadlines": some.reindex(columns=[*fields, "geometry"])}


def _look_back(given: Given) -> Made:
    """Return closed cases that are still to be looked at again, or were so too late."""
    table, clock = given["case_table"], given.settings.clock
    calendar = calendar_of(given.city, clock)
    listed = analysis.look_back(table.cases, table.at, calendar, rule=_rule(clock.look_back))
    listed = listed[listed["look_back"] != "done"]
    rows = table.cases[["category", "address"]].join(listed, how="right").reset_index(names="code")
    if rows["visited"].isna().all():
        # Where no visit is on record, nothing tells which were missed.
        rows = rows[rows["look_back"] != "overdue"].reset_index(drop=True)
    return {"look_back": rows[[*given.city.catalog.layer("look_back").fields]]}


def _recurrence(given: Given) -> Made:
    table = given["case_table"]
    return {"recurrence": analysis.recurrence_layer(table.recurring, table.placed)}


def _kpis(given: Given) -> Made:
    return {"kpis": kpi_tables(given.city, given["case_table"], given.settings).rows}


@dataclass(frozen=True, repr=False)
class KpiTables(Summarised):
    """The KPIs of a city in one table, and what proves them.

    Parameters
    ----------
    rows : DataFrame
        As the layer ``kpis``: the whole, then by each of the groupings. Its index numbers the rows.
    parts : tuple of Indicators
        Of the whole and of each grouping; their rows follow one another in ``rows``.
    cases : DataFrame
        That they were computed from.
    fields : tuple of str
        Of the layer ``kpi_cases``.
    """

    headline: ClassVar[tuple[str, ...]] = ("rows",)

    rows: pd.DataFrame
    parts: tuple[Indicators, ...]
    cases: pd.DataFrame
    fields: tuple[str, ...]

    def behind(self, row: int) -> pd.DataFrame:
        """Return the cases behind a row, as the layer ``kpi_cases``.

        Raises
        ------
        ConformError
            If there is no such row.
        """
        if not 0 <= row < len(self.rows):
            raise ConformError("kpi.row", row=row, last=len(self.rows) - 1)
        first = 0
        for found in self.parts:
            if row < first + len(found.rows):
                break
            first += len(found.rows)
        told = analysis.proof(found, row - first)
        part = pd.Series("denominator", index=told.denominator.union(told.numerator))
        part[told.numerator] = "both"
        part[told.outside] = "outside"
        listed = part.rename("part").to_frame().join(self.cases).reset_index(names="code")
        listed = listed.assign(due=listed["deadline"])
        return listed[[name for name in self.fields if name in listed]]


def kpi_tables(
    city: City, table: CaseTable, settings: Analysis, *, kpis: Sequence[str] | None = None
) -> KpiTables:
    """Compute the KPIs of a city: of the whole, then by each of ``settings.kpis.by``.

    Parameters
    ----------
    city : City
    table : CaseTable
    settings : Analysis
    kpis : sequence of str, optional
        Names of ``kpis.toml``; all that can be computed if left out.

    Raises
    ------
    ConformError
        If a KPI, column or period is unknown.

    Examples
    --------
    >>> from gridmap.measures.cases import case_table, kpi_tables
    >>> city = gridmap.read_city("data", layers=["problems", "grids"])
    >>> table = case_table(city, gridmap.Analysis())
    >>> told = kpi_tables(city, table, gridmap.Analysis(), kpis=["in_time_rate"])
    >>> told.rows[["numerator", "denominator", "value"]].head(1).round(3)
       numerator  denominator  value
    0       4222         5295  0.797
    >>> len(told.behind(0))
    5295
    """
    cases = pd.DataFrame(table.cases.drop(columns=table.cases.geometry.name))
    _prove_kpis(city, cases, kpis or ())
    parts, found = [], []
    for by in settings.kpis.by:
        _prove_groups(city, cases, () if settings.kpis.by == Kpis().by else by)
        if settings.kpis.by == Kpis().by and any(name not in cases for name in by):
            continue  # one of the usual groupings may have no column
        made = analysis.indicators(
            cases, as_of=table.at, by=by, period=settings.kpis.period,
            kpis=kpis or None, small=settings.kpis.small,
        )  # fmt: skip
        names = made.rows[list(by)].astype("string").fillna("–")
        group = names.agg(" / ".join, axis=1) if by else pd.Series(pd.NA, made.rows.index)
        told = made.rows.drop(columns=list(by)).assign(by=" / ".join(by) or None, group=group)
        parts.append(told)
        found.append(made)
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    layer = city.catalog.layer
    rows = rows.reindex(columns=[*layer("kpis").fields])
    return KpiTables(rows, tuple(found), cases, tuple(layer("kpi_cases").fields))


def _prove_groups(city: City, cases: pd.DataFrame, by: Sequence[str]) -> None:
    """Prove that cases have columns to group by; of those that they have, the useful are told."""
    for column in by:
        if column not in cases:
            known = ", ".join(_groups(city, cases))
            raise ConformError("kpi.by", column=column, known=known)


def _groups(city: City, cases: pd.DataFrame) -> list[str]:
    """Return the columns in which several cases can be alike."""
    layer = city.catalog.layer("problems")
    single = (layer.key, "address", "follows", "pile")
    told = [
        name
        for name, field in layer.fields.items()
        if field.type in ("string", "category") and name not in single and not field.private
    ]
    return [name for name in ("area", *told) if name in cases and cases[name].notna().any()]


def _prove_kpis(city: City, cases: pd.DataFrame, kpis: Sequence[str]) -> None:
    """Prove that cases have what KPIs are made from; what they lack is of the ledger or the log."""
    known = analysis.load_kpis()
    for name in kpis:
        lacking = sorted(known[name].columns - set(cases.columns)) if name in known else []
        ledger = [column for column in lacking if column in city.catalog.layer("problems").inputs]
        if ledger:
            raise ConformError("kpi.no_field", kpi=name, columns=", ".join(ledger))
        if lacking:
            raise ConformError("kpi.no_log", kpi=name)


def recurrence_curves(
    city: City, table: CaseTable, settings: Analysis, by: str = ""
) -> pd.DataFrame:
    """Return how long cases stay closed, by the values of a column.

    Raises
    ------
    ConformError
        If there is no such column.

    Examples
    --------
    >>> from gridmap.measures.cases import case_table, recurrence_curves
    >>> city = gridmap.read_city("data", layers=["problems", "grids"])
    >>> table = case_table(city, gridmap.Analysis())
    >>> curve = recurrence_curves(city, table, gridmap.Analysis())
    >>> week = curve[curve["days"] <= 7]
    >>> bool(week["free"].is_monotonic_decreasing), int(week["recurred"].sum())
    (True, 602)
    """
    cases = table.placed
    _prove_groups(city, cases.drop(columns=cases.geometry.name), (by,) if by else ())
    curve = analysis.recurrence_curve(
        cases, within_m=settings.recurrence.within_m, as_of=table.at, by=by
    )
    return curve.rename(columns={by: "group"}) if by else curve


def recurrence_tests(city: City, table: CaseTable, settings: Analysis, by: str) -> pd.DataFrame:
    """Return whether cases come back sooner by the values of a column, as KPIs count it.

    What comes back later than the days of the settings is chance more often than not.

    Raises
    ------
    ConformError
        If there is no such column.

    Examples
    --------
    >>> from gridmap.measures.cases import case_table, recurrence_tests
    >>> city = gridmap.read_city("data", layers=["problems", "grids"])
    >>> table = case_table(city, gridmap.Analysis())
    >>> told = recurrence_tests(city, table, gridmap.Analysis(), "treatment")
    >>> int(told["recurred"].iloc[0]) == int(told["recurred"].iloc[1:].sum())
    True
    """
    cases = table.placed
    _prove_groups(city, cases.drop(columns=cases.geometry.name), (by,))
    return analysis.recurrence_test(
        cases, within_m=settings.recurrence.within_m, as_of=table.at, by=by,
        horizon_days=settings.recurrence.days,
    )  # fmt: skip


# Whatever the case table is made from; a city may lack all of it but the problems.
_USES = ("grids", "events", "limits", "stops", "calendar_days")
_CLOCK = ("clock",)

MEASURES = (
    Measure(
        "case_table",
        needs=("problems",),
        uses=_USES,
        makes=("case_table", "problems", "piles", "case_findings", "case_stages"),
        method="Last closing and deadline in force of each case; its grid by point in polygon, but "
        "on fallback points of a geocoder",
        settings=("level", "pile_share", "pile_minimum", "clock", "recurrence"),
        run=_table,
    ),
    Measure(
        "deadlines",
        needs=("case_table",),
        makes=("deadlines",),
        method="Limits by category in working time, less stops of the clock",
        settings=_CLOCK,
        run=_pressing,
    ),
    Measure(
        "look_back",
        needs=("case_table",),
        uses=("calendar_days",),
        makes=("look_back",),
        method="Closing and the time after which a case is looked at again",
        settings=_CLOCK,
        run=_look_back,
    ),
    Measure(
        "recurrence",
        needs=("case_table",),
        makes=("recurrence",),
        method="Same category within a distance and time of closing",
        settings=("recurrence",),
        run=_recurrence,
    ),
    Measure(
        "kpis",
        needs=("case_table",),
        makes=("kpis",),
        method="Formulas of docs/kpis.md",
        settings=("clock", "recurrence", "kpis"),
        run=_kpis,
    ),
)
