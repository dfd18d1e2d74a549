"""The workbook of a bulletin."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from gridmap._version import __version__
from gridmap.measures.bulletins import COUNTS, RATES, STOCK, Bulletin, Table, Value
from gridmap.outputs.bulletin.texts import (
    definitions,
    figure_title,
    group_title,
    is_hours,
    is_rate,
    marks_of,
    say,
    snapshot_text,
    span_dates,
    span_title,
    title,
)

__all__ = ["write_book"]

_CREATED = dt.datetime(2000, 1, 1)  # the same figures shall give the same bytes
_WIDE, _NARROW = 42, 12  # characters
_CJK = 0x2E80  # signs from here on are twice as wide


class _Book:
    """A workbook with the formats of a bulletin."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.book = book
        self.head = book.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#eef2f7"}
        )
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.bold = book.add_format({"bold": True, "top": 1})
        self.formats = {
            kind: book.add_format({"num_format": kind})
            for kind in ("#,##0", "0.0%", "#,##0.0", "+0.0%;-0.0%", "yyyy-mm-dd hh:mm")
        }

    def sheet(self, name: str, top: list[str], heads: list[str], rows: list[list[Any]]) -> None:
        """Add a sheet: lines, a row of heads, and rows of texts and (value, format) pairs."""
        sheet = self.book.add_worksheet(name[:31])
        for number, line in enumerate(top):
            sheet.write_string(number, 0, line, self.title if number == 0 else None)
        start = len(top) + bool(top)
        sheet.write_row(start, 0, heads, self.head)
        for number, row in enumerate(rows, start=start + 1):
            for column, entry in enumerate(row):
                self._write(sheet, number, column, entry)
        sheet.freeze_panes(start + 1, 0)
        for column in range(len(heads)):
            shown = [heads[column], *(_shown(row[column]) for row in rows[:200])]
            wide = max(sum(1 if ord(sign) < _CJK else 2 for sign in text) for text in shown)
            sheet.set_column(column, column, min(max(wide, 6) + 2, _WIDE))
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(start)

    def _write(self, sheet: Any, row: int, column: int, entry: Any) -> None:
        if isinstance(entry, tuple):
            value, kind = entry
            if isinstance(value, dt.datetime):
                sheet.write_datetime(row, column, value, self.formats[kind])
            elif value is not None:
                sheet.write_number(row, column, value, self.formats[kind])
        else:
            sheet.write_string(row, column, entry)


def _shown(entry: Any) -> str:
    if isinstance(entry, tuple):
        return "0" * _NARROW if isinstance(entry[0], dt.datetime) else str(entry[0])[:8]
    return str(entry)


def _value(name: str, cell: Value) -> tuple[float | None, str]:
    kind = "0.0%" if is_rate(name) else ("#,##0.0" if is_hours(name) else "#,##0")
    return cell.value, kind


def _count(value: int | None) -> tuple[int | None, str]:
    return value, "#,##0"


def _marks(cell: Value, lang: str, small: int) -> str:
    return "; ".join(say(f"mark_{mark}", lang, small=small) for mark in marks_of(cell))


def write_book(bulletin: Bulletin, path: Path, lang: str, revision: int) -> None:
    """Write the workbook: key figures, a sheet for each table, every overdue problem, notes."""
    with xlsxwriter.Workbook(path, {"nan_inf_to_errors": False}) as made:
        made.set_properties({"created": _CREATED, "comments": f"gridmap {__version__}"})
        book = _Book(made)
        _figures_sheet(book, bulletin, lang, revision)
        for each in bulletin.tables:
            _table_sheet(book, each, bulletin.small, lang)
        _overdue_sheet(book, bulletin.overdue, lang)
        notes = [[name, text] for name, text in definitions(lang)]
        notes.append(["", say("each_span", lang)])
        notes.append([say("snapshot", lang), snapshot_text(bulletin, lang)])
        heads = [say("figure", lang), say("notes", lang)]
        book.sheet(say("notes", lang), [], heads, notes)


def _figures_sheet(book: _Book, bulletin: Bulletin, lang: str, revision: int) -> None:
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
        row: list[Any] = [figure_title(figure.name, lang)]
        for span in spans:
            cell: Value = getattr(figure, span)
            row += [_count(cell.numerator), _count(cell.denominator), _value(figure.name, cell)]
        for then in (figure.before, figure.year_before):
            row.append((_change(figure.name, figure.now, then), "+0.0%;-0.0%"))
        row.append(_marks(figure.now, lang, bulletin.small))
        rows.append(row)
    book.sheet(say("key_figures", lang), [line for line in top if line], heads, rows)


def _change(name: str, now: Value, then: Value) -> float | None:
    if now.value is None or then.value is None:
        return None
    if is_rate(name):
        return now.value - then.value
    return now.value / then.value - 1 if then.value else None


def _table_sheet(book: _Book, table: Table, small: int, lang: str) -> None:
    what = say(table.column, lang)
    heads = [what, *(say(name, lang) for name in (*COUNTS, "opened_before"))]
    parts = [say(part, lang) for part in ("numerator", "denominator", "value", "mark")]
    for name in (*RATES, STOCK):
        used = parts[1:] if is_hours(name) else parts
        heads += [f"{figure_title(name, lang)}: {part}" for part in used]
    rows = []
    for number, (group, cells) in enumerate(table.rows, start=1):
        last = number == len(table.rows)
        row: list[Any] = [say("total", lang) if last else group_title(table.column, group, lang)]
        row += [_value(name, cells[name]) for name in (*COUNTS, "opened_before")]
        for name in (*RATES, STOCK):
            cell = cells.get(name, Value())
            row += [] if is_hours(name) else [_count(cell.numerator)]
            row += [_count(cell.denominator), _value(name, cell), _marks(cell, lang, small)]
        rows.append(row)
    book.sheet(say("by", lang, what=what.lower()), [], heads, rows)


def _overdue_sheet(book: _Book, overdue: pd.DataFrame, lang: str) -> None:
    every = ("area_name", "department", "category", "source", "recorded_area", "address")
    texts = [name for name in every if name in overdue]
    named = [say("area" if name == "area_name" else name, lang) for name in texts]
    heads = [say("no", lang), say("code", lang), *named]
    heads += [say("opened", lang), say("due", lang), say("days", lang)]
    rows: list[list[Any]] = []
    for number, record in enumerate(overdue.to_dict("records"), start=1):
        row: list[Any] = [_count(number), str(record["code"])]
        row += ["" if pd.isna(record[name]) else str(record[name]) for name in texts]
        for name in ("opened", "due"):
            moment = record[name].tz_localize(None).floor("s").to_pydatetime()
            row.append((moment, "yyyy-mm-dd hh:mm"))
        row.append((float(record["days"]), "#,##0.0"))
        rows.append(row)
    book.sheet(say("overdue_list", lang), [], heads, rows)
