"""Workbooks: real numbers, dates and percentages, texts that never run, columns that fit."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import xlsxwriter
from pandas.api.types import is_numeric_dtype

from gridmap._version import __version__
from gridmap.catalog import Field, Layer
from gridmap.leaving import clean, runs_as_formula
from gridmap.outputs.tables.words import headings, local_times, time_text, words

__all__ = [
    "MOST_ROWS",
    "MOST_SIGNS",
    "TIME",
    "Cell",
    "Entry",
    "Sheet",
    "layer_cells",
    "layer_sheet",
    "number_form",
    "share_form",
    "write_workbook",
]

# https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3
MOST_ROWS, MOST_SIGNS = 1_048_575, 32_767  # of a sheet, beneath its head; of a cell
TIME = "yyyy-mm-dd hh:mm"
_CREATED = dt.datetime(2000, 1, 1)  # the same figures shall give the same bytes
_FIRST = dt.datetime(1900, 3, 1)  # of the days before, spreadsheets think in different ways
_SHEET = str.maketrans("[]:*?/\\'", "_" * 8)
_NAME_SIGNS = 31
_NARROW, _WIDE, _BUTTON = 6, 42, 3  # widths in characters; a filter has a button
_MEASURED = 200  # rows, by which a column is as wide as it is
_CHUNK = 10_000  # rows that are cells at once
_A4 = 9


class Cell(NamedTuple):
    """A number or a time on the wall clock, and the number format that shows it."""

    value: float | dt.datetime | None
    form: str


Entry = str | Cell | None


@dataclass(frozen=True)
class Sheet:
    """A sheet: lines above, a row of headings, and rows.

    Parameters
    ----------
    title : str
    heads : sequence of str
    rows : iterable of sequence of str, Cell or None
    top : sequence of str
        Lines above the table, the first of them a title.
    """

    title: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Entry]]
    top: Sequence[str] = ()


def number_form(decimals: int = 0) -> str:
    """Return the format of numbers with so many decimals."""
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def share_form(decimals: int = 1, *, signed: bool = False) -> str:
    """Return the format of shares of one, shown in per cent."""
    form = "0" + ("." + "0" * decimals if decimals else "") + "%"
    return f"+{form};-{form};{form}" if signed else form


def layer_sheet(layer: Layer, frame: pd.DataFrame, lang: str, zone: str = "") -> Sheet:
    """Return the fields of a layer as a sheet.

    Parameters
    ----------
    layer : Layer
    frame : DataFrame
    lang : str
    zone : str
        Of the times, told in their headings.
    """
    heads = headings(layer, [name for name in layer.fields if name in frame], lang, zone)
    rows = layer_cells(layer, frame, list(heads), lang, zone)
    return Sheet(layer.title.get(lang), list(heads.values()), rows)


def layer_cells(
    layer: Layer, frame: pd.DataFrame, names: Sequence[str], lang: str, zone: str = ""
) -> Iterator[tuple[Entry, ...]]:
    """Yield rows of cells, some at a time, as a layer may be large."""
    for start in range(0, len(frame), _CHUNK):
        part = frame.iloc[start : start + _CHUNK]
        columns = [_cells(part[name], layer.fields[name], lang, zone) for name in names]
        yield from zip(*columns, strict=True)


def _cells(values: pd.Series, field: Field, lang: str, zone: str) -> Sequence[Entry]:
    known = values.notna()
    held = values.astype(object).where(known, None)
    if field.type in ("integer", "number") and is_numeric_dtype(values):
        decimals = field.decimals if field.type == "number" else 0
        if field.unit == "%":
            return [Cell(v if v is None else v / 100, share_form(decimals)) for v in held]
        return [Cell(v, number_form(decimals)) for v in held]
    if field.type == "datetime" and values.dtype.kind == "M":
        clock = local_times(values, zone).dt.floor("s").astype(object)
        return [Cell(None if time is pd.NaT else time.to_pydatetime(), TIME) for time in clock]
    return words(values, field, lang, zone=zone)


def write_workbook(path: Path, sheets: Iterable[Sheet]) -> None:
    """Write sheets, the same bytes for the same cells.

    Parameters
    ----------
    path : pathlib.Path
    sheets : iterable of Sheet
        Each is written before the next is asked for. What is beyond `MOST_ROWS` and
        `MOST_SIGNS` is cut.
    """
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"created": _CREATED, "comments": f"gridmap {__version__}"})
        pen = _Pen(book)
        used: set[str] = set()
        for sheet in sheets:
            name = _sheet_name(sheet.title, used)
            used.add(name.lower())
            _write_sheet(book.add_worksheet(name), sheet, pen)


class _Pen:
    """The formats of a workbook, each made once."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._made: dict[str, Any] = {}
        look = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
        # As if an apostrophe were typed before it: it stays a text when it is edited, too.
        quoted = {"quote_prefix": True}
        self.head = book.add_format({**look, **quoted, "bg_color": "#eef2f7"})
        self.title = book.add_format({**quoted, "bold": True, "font_size": 14})
        self.quoted = book.add_format(quoted)

    def form(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._book.add_format({"num_format": name})
        return self._made[name]


def _sheet_name(title: str, used: set[str]) -> str:
    name = clean(title).translate(_SHEET)
    name = f"_{name}" if runs_as_formula(name) else name
    made, number = name[:_NAME_SIGNS], 2
    while made.lower() in used:
        tail = f" {number}"
        made, number = name[: _NAME_SIGNS - len(tail)] + tail, number + 1
    return made


def _write_sheet(page: Any, sheet: Sheet, pen: _Pen) -> None:
    for number, line in enumerate(sheet.top):
        _write_text(page, number, 0, clean(line), pen.title if number == 0 else pen.quoted)
    start = len(sheet.top) + bool(sheet.top)
    for column, head in enumerate(sheet.heads):
        _write_text(page, start, column, clean(head), pen.head)
    rows = islice(sheet.rows, MOST_ROWS - start)
    first = list(islice(rows, _MEASURED))
    last = start
    for last, row in enumerate(chain(first, rows), start=start + 1):
        for column, entry in enumerate(row):
            _write(page, last, column, entry, pen)
    for column, wide in enumerate(_widths(sheet.heads, first)):
        page.set_column(column, column, wide)
    page.freeze_panes(start + 1, 0)
    page.autofilter(start, 0, max(last, start + 1), max(len(sheet.heads) - 1, 0))
    page.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    page.set_landscape()
    page.set_paper(_A4)
    page.fit_to_pages(1, 0)
    page.repeat_rows(start)


def _write(page: Any, row: int, column: int, entry: Entry, pen: _Pen) -> None:
    if isinstance(entry, str):
        text = clean(entry)
        if text:
            _write_text(page, row, column, text, pen.quoted if runs_as_formula(text) else None)
        return
    if entry is None or entry.value is None:
        return
    value = entry.value
    if isinstance(value, dt.datetime):
        if value < _FIRST:
            page.write_string(row, column, time_text(value))
        else:
            page.write_datetime(row, column, value, pen.form(entry.form))
    elif math.isfinite(value):
        page.write_number(row, column, value, pen.form(entry.form))


def _write_text(page: Any, row: int, column: int, text: str, form: Any) -> None:
    page.write_string(row, column, text[:MOST_SIGNS], form)


def _widths(heads: Sequence[str], rows: Sequence[Sequence[Entry]]) -> Iterator[int]:
    for column, head in enumerate(heads):
        widest = max((_width(row[column]) for row in rows), default=0)
        yield min(max(widest + 2, _width(head) + _BUTTON, _NARROW), _WIDE)


def _width(entry: Entry) -> int:
    """Return how many columns of a terminal an entry would take; a Chinese character takes two."""
    if entry is None or isinstance(entry, str):
        lines = (entry or "").splitlines() or [""]
        return max(sum(1 + (unicodedata.east_asian_width(s) in "WF") for s in x) for x in lines)
    value, form = entry
    if value is None or isinstance(value, dt.datetime):
        return 0 if value is None else len(form)
    return len(f"{value:,.0f}") + len(form.partition(".")[2].partition(";")[0]) + 1
