"""What the page and the workbook of a bulletin say alike: titles, numbers and definitions."""

from __future__ import annotations

import pandas as pd

from gridmap import messages
from gridmap.analysis.cases.indicators import load_definitions, load_kpis
from gridmap.measures.bulletins import RATES, STOCK, Bulletin, Span, Value
from gridmap.outputs.tables.words import MISSING, number_text, share_text, time_text
from gridmap.result import Result

__all__ = [
    "HOT",
    "change_text",
    "definitions",
    "figure_title",
    "group_title",
    "hot_grids",
    "is_hours",
    "is_rate",
    "marks_of",
    "say",
    "snapshot_text",
    "span_dates",
    "span_title",
    "title",
    "value_text",
]


def say(name: str, lang: str, **params: object) -> str:
    """Return a message of section ``bulletin``."""
    return messages.text(f"bulletin.{name}", lang, **params)


def title(bulletin: Bulletin, lang: str) -> str:
    """Return the title, without the period."""
    return say(f"title_{bulletin.span.period}", lang, city=bulletin.city.get(lang))


def span_title(span: Span, lang: str) -> str:
    """Return what to call a span."""
    year, week, _ = span.begins.isocalendar()
    if span.period != "week":
        year = span.begins.year
    month, day = span.begins.month, span.begins.day
    return say(f"span_{span.period}", lang, year=year, month=month, day=day, week=week)


def span_dates(span: Span, lang: str) -> str:
    """Return the first and the last day of a span; nothing for a day."""
    if span.period == "day":
        return ""
    last = span.ends.date().toordinal() - 1
    return say(
        "dates",
        lang,
        first=f"{span.begins:%Y-%m-%d}",
        last=span.ends.date().fromordinal(last).isoformat(),
    )


def is_hours(name: str) -> bool:
    """Tell whether a figure is in hours."""
    return name.endswith("_hours")


def is_rate(name: str) -> bool:
    """Tell whether a figure is a share."""
    return name.endswith("_rate")


def figure_title(name: str, lang: str) -> str:
    """Return what to call a figure."""
    known = load_kpis()
    if name in known:
        return known[name].title[lang]
    return say(name, lang)


def group_title(column: str, name: str | None, lang: str) -> str:
    """Return what to call a group of a table; cases without a value are one too."""
    if name is not None:
        return name
    return say("no_area" if column == "area" else "none", lang)


def value_text(name: str, cell: Value) -> str:
    """Return the value of a figure as it is read."""
    if cell.value is None:
        return MISSING
    if is_rate(name):
        return share_text(cell.value)
    return number_text(cell.value, int(is_hours(name)))


def change_text(name: str, now: Value, then: Value, lang: str) -> str:
    """Return by how much a figure changed: shares in points, all others in per cent."""
    if now.value is None or then.value is None:
        return MISSING
    if is_rate(name):
        points = number_text(100 * (now.value - then.value), 1, signed=True)
        return say("points", lang, change=points)
    return share_text(now.value / then.value - 1, signed=True) if then.value else MISSING


def marks_of(cell: Value) -> tuple[str, ...]:
    """Return the names of a figure's marks: ``full``, ``impossible``, ``small``."""
    if cell.value is None and not cell.mark:
        return ()
    return tuple(mark for mark in (cell.mark, "small" if cell.small else "") if mark)


HOT = ("code", "name", "count", "expected", "q")


def hot_grids(hot: Result) -> pd.DataFrame:
    """Return the hot grids, the surest first."""
    found = pd.DataFrame(hot.frame)[hot.frame["hotspot"] == "hot"].sort_values(["q", "code"])
    return found[list(HOT)]


def definitions(lang: str) -> list[tuple[str, str]]:
    """Return the KPIs with their formulas in words."""
    words = load_definitions()

    def spoken(formula: str) -> str:
        parts = [words["conditions"][part][lang] for part in formula.split(" and ")]
        return say("and", lang).join(parts)

    known, found = load_kpis(), []
    for name in (*RATES[:2], STOCK, *RATES[2:]):
        kpi = known[name]
        kind = "hours" if kpi.hours else ("stock" if name == STOCK else "rate")
        params = {"denominator": spoken(kpi.denominator), "when": words["whens"][kpi.when][lang]}
        if kpi.numerator:
            params["numerator"] = spoken(kpi.numerator)
        found.append((kpi.title[lang], say(f"{kind}_formula", lang, **params)))
    return found


def snapshot_text(bulletin: Bulletin, lang: str) -> str:
    """Return when a bulletin was frozen, in the zone of all its times, and by which hash."""
    ends = bulletin.span.ends
    return say(
        "frozen",
        lang,
        ends=time_text(ends),
        zone=ends.tz,
        rows=number_text(bulletin.rows),
        sha=bulletin.sha256,
    )
