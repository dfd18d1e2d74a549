"""The workbook of a bulletin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from gridmap.measures.bulletins import COUNTS, RATES, STOCK, Bulletin, Table, Value
from gridmap.outputs.bulletin.texts import (
    HOT,
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
)
from gridmap.outputs.tables.explained import explained
from gridmap.outputs.tables.words import local_times
from gridmap.outputs.tables.workbook import (
    TIME,
    Cell,
    Entry,
    Sheet,
    number_form,
    share_form,
    write_workbook,
)
from gridmap.result import Result

__all__ = ["write_book"]


def _value(name: str, cell: Value) -> Cell:
    return Cell(cell.value, share_form() if is_rate(name) else number_form(int(is_hours(name))))


def _count(value: int | None) -> Cell:
    return Cell(value, number_form())


def _marks(cell: Value, lang: str, small: int) -> str:
    return "; ".join(say(f"mark_{mark}", lang, small=small) for mark in marks_of(cell))


def write_book(bulletin: Bulletin, path: Path, lang: str, revision: int) -> None:
    """Write the workbook: key figures, a sheet for each table, every overdue problem, notes."""
    write_workbook(path, _sheets(bulletin, lang, revision))


def _sheets(bulletin: Bulletin, lang: str, revision: int) -> Iterator[Sheet]:
    yield _figures_sheet(bulletin, lang, revision)
    for each in bulletin.tables:
        yield _table_sheet(each, bulletin.small, lang)
    if bulletin.hot is not None and not bulletin.hot.frame.empty:
        yield _hot_sheet(bulletin.hot, lang)
    yield _overdue_sheet(bulletin.overdue, lang)
    notes = [*definitions(lang), ("", say("each_span", lang))]
    notes.append((say("snapshot", lang), snapshot_text(bulletin, lang)))
    yield Sheet(say("notes", lang), [say("figure", lang), say("notes", lang)], notes)


def _figures_sheet(bulletin: Bulletin, lang: str, revision: int) -> Sheet:
    top = [f"{title(bulletin, lang)} {span_title(bulletin.span, lang)}"]
    top.append(span_dates(bulletin.span, lang))
    if revision:
        top.append(say("revision", lang, number=revision))
    top.append(snapshot_text(bulletin, lang))
    spans = ("now", "before", "year_before")
    parts = [say(part, lang) for part in ("numerator", "denominator", "value")]
    heads = [say("figure", lang)]
    for span in spans:
        heads += [f"{say(span, lang)}: {part}" for part in parts]
    heads += [say("change", lang), say("year_change", lang), say("mark", lang)]
    rows = []
    for figure in bulletin.figures:
        row: list[Entry] = [figure_title(figure.name, lang)]
        for span in spans:
            cell: Value = getattr(figure, span)
            row += [_count(cell.numerator), _count(cell.denominator), _value(figure.name, cell)]
        for then in (figure.before, figure.year_before):
            row.append(Cell(_change(figure.name, figure.now, then), share_form(signed=True)))
        row.append(_marks(figure.now, lang, bulletin.small))
        rows.append(row)
    return Sheet(say("key_figures", lang), heads, rows, [line for line in top if line])


def _change(name: str, now: Value, then: Value) -> float | None:
    if now.value is None or then.value is None:
        return None
    if is_rate(name):
        return now.value - then.value
    return now.value / then.value - 1 if then.value else None


def _table_sheet(table: Table, small: int, lang: str) -> Sheet:
    what = say(table.column, lang)
    heads = [what, *(say(name, lang) for name in (*COUNTS, "opened_before"))]
    parts = [say(part, lang) for part in ("numerator", "denominator", "value", "mark")]
    for name in (*RATES, STOCK):
        used = parts[1:] if is_hours(name) else parts
        heads += [f"{figure_title(name, lang)}: {part}" for part in used]
    rows = []
    for number, (group, cells) in enumerate(table.rows, start=1):
        last = number == len(table.rows)
        row: list[Entry] = [say("total", lang) if last else group_title(table.column, group, lang)]
        row += [_value(name, cells[name]) for name in (*COUNTS, "opened_before")]
        for name in (*RATES, STOCK):
            cell = cells.get(name, Value())
            row += [] if is_hours(name) else [_count(cell.numerator)]
            row += [_count(cell.denominator), _value(name, cell), _marks(cell, lang, small)]
        rows.append(row)
    return Sheet(say("by", lang, what=what.lower()), heads, rows)


def _hot_sheet(hot: Result, lang: str) -> Sheet:
    table, told = hot_grids(hot), explained(hot, hot.frame, lang)
    heads = [hot.layer.fields[name].label.get(lang) for name in HOT]
    rows: list[list[Entry]] = []
    for record in table.to_dict("records"):
        row: list[Entry] = ["" if pd.isna(record[name]) else str(record[name])
                            for name in ("code", "name")]  # fmt: skip
        row += [_count(int(record["count"])), Cell(float(record["expected"]), number_form(1)),
                Cell(float(record["q"]), number_form(4))]  # fmt: skip
        rows.append(row)
    return Sheet(say("hot_list", lang), heads, rows, [told.text] if told else [])


def _overdue_sheet(overdue: pd.DataFrame, lang: str) -> Sheet:
    every = ("area_name", "department", "category", "source", "recorded_area", "address")
    texts = [name for name in every if name in overdue]
    named = [say("area" if name == "area_name" else name, lang) for name in texts]
    heads = [say("no", lang), say("code", lang), *named]
    heads += [say("opened", lang), say("due", lang), say("days", lang)]
    rows: list[list[Entry]] = []
    clock = {name: local_times(overdue[name]).dt.floor("s") for name in ("opened", "due")}
    for number, record in enumerate(overdue.assign(**clock).to_dict("records"), start=1):
        row: list[Entry] = [_count(number), str(record["code"])]
        row += ["" if pd.isna(record[name]) else str(record[name]) for name in texts]
        row += [Cell(record[name].to_pydatetime(), TIME) for name in clock]
        row.append(Cell(float(record["days"]), number_form(1)))
        rows.append(row)
    return Sheet(say("overdue_list", lang), heads, rows)
