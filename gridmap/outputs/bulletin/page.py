"""The page of a bulletin: one file without any script, for screens and for paper."""

from __future__ import annotations

from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined

from gridmap._version import __version__
from gridmap.measures.bulletins import COUNTS, RATES, STOCK, Bulletin, Figure, Table, Value
from gridmap.outputs.bulletin.texts import (
    HOT,
    change_text,
    definitions,
    figure_title,
    group_title,
    hot_grids,
    is_hours,
    is_rate,
    marks_of,
    say,
    snapshot_text,
    span_dates,
    span_title,
    title,
    value_text,
)
from gridmap.outputs.tables.explained import explained
from gridmap.outputs.tables.words import number_text, time_text, words
from gridmap.resources import packaged
from gridmap.result import Result

__all__ = ["page_text"]

_TEMPLATE = packaged("outputs/bulletin/bulletin.html")
_SHOWN = 50  # overdue problems; the workbook has all
_SIGNS = {"full": "※", "impossible": "‼", "small": "△"}
_COLUMNS = ("closing_rate", "in_time_rate", STOCK, "median_hours")
_GOOD = {"closing_rate": 1, "in_time_rate": 1, "overdue": -1, STOCK: -1} | {
    name: -1 for name in RATES if is_hours(name)
}
_CHART = (720.0, 120.0)  # width and height of the bars


def page_text(bulletin: Bulletin, lang: str, revision: int = 0) -> str:
    """Return the page.

    Parameters
    ----------
    bulletin : Bulletin
    lang : str
    revision : int
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shown = {mark for cell in _every_cell(bulletin) for mark in marks_of(cell)}
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        lang={"zh": "zh-Hans"}.get(lang, lang),
        say=lambda name, **params: say(name, lang, **params),
        title=title(bulletin, lang),
        span=span_title(bulletin.span, lang),
        dates=span_dates(bulletin.span, lang),
        revision=say("revision", lang, number=revision) if revision else "",
        summary=_summary(bulletin, lang),
        cards=[_card(figure, lang) for figure in bulletin.figures if figure.name in COUNTS],
        figures=[_figure(figure, lang) for figure in bulletin.figures],
        chart=_chart(bulletin.trend),
        tables=[_table(each, lang) for each in bulletin.tables],
        hot=_hot(bulletin.hot, lang),
        overdue=_overdue(bulletin.overdue, lang),
        overdue_count=len(bulletin.overdue),
        overdue_shown=min(_SHOWN, len(bulletin.overdue)),
        marks=[
            (sign, say(f"mark_{mark}", lang, small=bulletin.small))
            for mark, sign in _SIGNS.items()
            if mark in shown
        ],
        notes=definitions(lang),
        snapshot=snapshot_text(bulletin, lang),
        made_by=say("made_by", lang, source=bulletin.source.get(lang), version=__version__),
    )


def _every_cell(bulletin: Bulletin) -> list[Value]:
    found = [cell for f in bulletin.figures for cell in (f.now, f.before, f.year_before)]
    for table in bulletin.tables:
        found += [cells[name] for _, cells in table.rows for name in _COLUMNS if name in cells]
    return found


def _summary(bulletin: Bulletin, lang: str) -> str:
    now = {figure.name: figure.now for figure in bulletin.figures}
    said = say("summary", lang, **{name: value_text(name, now[name]) for name in COUNTS})
    rate = now["in_time_rate"]
    if rate.denominator:
        said += (" " if lang == "en" else "") + say(
            "in_time",
            lang,
            numerator=number_text(rate.numerator or 0),
            denominator=number_text(rate.denominator),
            rate=value_text("in_time_rate", rate),
        )
    return said


def _change(name: str, now: Value, then: Value, lang: str) -> tuple[str, str]:
    """Return a change and whether it is ``good``, ``bad`` or neither."""
    said = change_text(name, now, then, lang)
    # What is shown as no change, such as +0.0 points, is neither.
    if now.value is None or then.value is None or not set(said) & set("123456789"):
        return said, ""
    way = _GOOD.get(name, 0) * (now.value - then.value)
    return said, "good" if way > 0 else ("bad" if way < 0 else "")


def _card(figure: Figure, lang: str) -> dict[str, Any]:
    return {
        "title": figure_title(figure.name, lang),
        "value": value_text(figure.name, figure.now),
        "changes": [
            (say(name, lang), *_change(figure.name, figure.now, then, lang))
            for name, then in (("change", figure.before), ("year_change", figure.year_before))
        ],
    }


def _shown(name: str, cell: Value) -> dict[str, Any]:
    """Return a figure as it is read, what it is made of, and its marks."""
    under = ""
    if is_rate(name) and cell.denominator is not None:
        under = f"{cell.numerator:,} / {cell.denominator:,}"
    elif is_hours(name) and cell.denominator is not None:
        under = f"n = {cell.denominator:,}"
    signs = "".join(_SIGNS[mark] for mark in marks_of(cell))
    return {"value": value_text(name, cell), "under": under, "signs": signs}


def _figure(figure: Figure, lang: str) -> dict[str, Any]:
    unit = "" if is_rate(figure.name) else "hours" if is_hours(figure.name) else "problems"
    return {
        "title": figure_title(figure.name, lang),
        "unit": say(f"unit_{unit}", lang) if unit else "",
        "now": _shown(figure.name, figure.now),
        "before": _shown(figure.name, figure.before),
        "change": _change(figure.name, figure.now, figure.before, lang),
        "year_before": _shown(figure.name, figure.year_before),
        "year_change": _change(figure.name, figure.now, figure.year_before, lang),
    }


def _table(table: Table, lang: str) -> dict[str, Any]:
    what = say(table.column, lang)
    names = ("opened", "opened_before", "closed", "open", "overdue", *_COLUMNS)
    rows = []
    for number, (group, cells) in enumerate(table.rows, start=1):
        last = number == len(table.rows)
        rows.append(
            {
                "name": say("total", lang) if last else group_title(table.column, group, lang),
                "last": last,
                "cells": [_shown(name, cells.get(name, Value())) for name in names],
            }
        )
    heads = [what]
    for name in names:
        unit = f" ({say('unit_hours', lang)})" if is_hours(name) else ""
        heads.append(figure_title(name, lang) + unit)
    return {"title": say("by", lang, what=what.lower()), "heads": heads, "rows": rows}


def _hot(hot: Result | None, lang: str) -> dict[str, Any] | None:
    """Return the hot grids, and the paragraph that explains them."""
    if hot is None or hot.frame.empty:
        return None
    told = explained(hot, hot.frame, lang)
    table = hot_grids(hot)
    heads = [hot.layer.fields[name].label.get(lang) for name in HOT]
    columns = [words(table[name], hot.layer.fields[name], lang) for name in HOT]
    rows = list(zip(*columns, strict=True))
    return {"text": told.text if told else "", "heads": heads, "rows": rows}


def _overdue(overdue: pd.DataFrame, lang: str) -> dict[str, Any]:
    names = [name for name in ("area_name", "category", "source", "address") if name in overdue]
    titles = [say("area" if name == "area_name" else name, lang) for name in names]
    heads = [say("no", lang), say("code", lang), *titles]
    heads += [say("opened", lang), say("due", lang), say("days", lang)]
    rows = []
    for number, record in enumerate(overdue.head(_SHOWN).to_dict("records"), start=1):
        texts = ["" if pd.isna(record[name]) else str(record[name]) for name in names]
        times = [time_text(record[name]) for name in ("opened", "due")]
        days = number_text(record["days"], 1)
        rows.append([str(number), str(record["code"]), *texts, *times, days])
    return {"heads": heads, "rows": rows}


def _chart(trend: tuple[tuple[str, int, int], ...]) -> dict[str, Any]:
    """Return the bars of opened and closed problems, in the units of the drawing."""
    width, height = _CHART
    if not trend:
        return {"bars": [], "most": "", "width": width, "height": height}
    most = max(max(opened, closed) for _, opened, closed in trend) or 1
    step = width / len(trend)
    every = max(1, round(len(trend) / 10))
    bars = [
        {
            "x": round(k * step + 0.1 * step, 2),
            "width": round(0.38 * step, 2),
            "second": round(k * step + 0.5 * step, 2),
            "middle": round((k + 0.5) * step, 2),
            "opened": round(height * opened / most, 2),
            "closed": round(height * closed / most, 2),
            "label": label[5:] if k % every == 0 else "",
            "told": f"{label}: {opened:,} / {closed:,}",
        }
        for k, (label, opened, closed) in enumerate(trend)
    ]
    return {"bars": bars, "most": f"{most:,}", "width": width, "height": height}
