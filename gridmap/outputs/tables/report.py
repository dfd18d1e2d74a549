"""The summary as rows, workbook and JSON, and the quarantined rows as CSV."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from gridmap import messages
from gridmap._version import __version__
from gridmap.design.search.graph import BARRIERS
from gridmap.digests import row_marks
from gridmap.leaving import json_text
from gridmap.model import City, Receipt
from gridmap.outputs.tables.indicators import kpi_sheet
from gridmap.outputs.tables.ledger import csv_bytes
from gridmap.outputs.tables.words import MISSING, number_text, share_text
from gridmap.outputs.tables.workbook import (
    Cell,
    Entry,
    Sheet,
    layer_sheet,
    number_form,
    share_form,
    write_workbook,
)
from gridmap.result import Analysed

__all__ = [
    "as_json",
    "note_rows",
    "receipt_rows",
    "summary_rows",
    "write_quarantine",
    "write_report",
]

_SHARES = (
    "recorded_agrees", "plan_within_10", "plan_within_20", "plan_optimal",
    *(f"plan_across_{kind}" for kind in BARRIERS if kind),
)  # fmt: skip
_TOLD = ("gridmap_row", "gridmap_reason", "gridmap_value")
_SHARE_DECIMALS = 2
_THREE = ("gini_hours", "gini_hours_per_member", "plan_compactness")
_TABLES = (
    "grid_results", "fairness", "transfers", "kpis", "deadlines", "look_back", "recurrence",
    "dead_corners", "duty_findings", "line_by_block", "derived_leads", "reconciled",
    "case_findings", "hotspots", "clusters", "associations", "gaps", "overlaps", "misnested",
    "piles", "plan", "plan_lineage",
)  # fmt: skip


def summary_rows(analysed: Analysed, lang: str = "en") -> Iterator[tuple[str, str]]:
    """Yield each figure of the summary as its label and its value, ready to print.

    Examples
    --------
    >>> from gridmap.outputs import summary_rows
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> analysed = gridmap.analyse(city, want=["grid_results"])
    >>> for label, value in list(summary_rows(analysed))[-2:]:
    ...     print(label, value)
    Grids 38
    Occupied households 12,174
    """
    for key, value in analysed.summary.items():
        yield messages.text(f"summary.{key}", lang), _printed(key, value)


def _printed(key: str, value: Any) -> str:
    if isinstance(value, float) and math.isnan(value):
        return MISSING
    if key in _SHARES:
        return share_text(value, _SHARE_DECIMALS)
    return number_text(value, _decimals(key, value))


def _decimals(key: str, value: Any) -> int:
    return 3 if key in _THREE else int(isinstance(value, float))


def receipt_rows(analysed: Analysed, lang: str = "en") -> tuple[list[str], list[list[Any]]]:
    """Return what became of the rows of each input: the headings, and a row for each.

    Examples
    --------
    >>> from gridmap.outputs import receipt_rows
    >>> city = gridmap.read_city("data", layers=["buildings"])
    >>> headings, rows = receipt_rows(gridmap.analyse(city, want=["buildings"]))
    >>> dict(zip(headings[1:5], rows[-1][1:5]))
    {'Source': 'buildings.parquet', 'Read': 1169, 'Placed': 1169, 'Quarantined': 0}
    """
    names = ("layer", "source", "rows_in", "rows_placed", "rows_quarantined", "rows_repaired")
    heads = [messages.text(f"report.{name}", lang) for name in names]
    city = analysed.city.shown()
    rows: list[list[Any]] = [
        [r.layer, r.source, r.rows, r.placed, r.quarantined, r.repaired] for r in city.receipts
    ]
    return heads, rows


def note_rows(city: City, lang: str = "en") -> list[list[str]]:
    """Return what was guessed or changed while the inputs were read: the source, and a line.

    Examples
    --------
    >>> from gridmap.outputs import note_rows
    >>> note_rows(gridmap.read_city("data", layers=["grids"]))
    []
    """
    city = city.shown()
    return [
        [receipt.source, note.text(lang)] for receipt in city.receipts for note in receipt.notes
    ]


def as_json(analysed: Analysed) -> dict[str, Any]:
    """Return the summary, the receipts and the provenance of every result, for machines.

    Examples
    --------
    >>> from gridmap.outputs import as_json
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> told = as_json(gridmap.analyse(city, want=["grid_results"]))
    >>> list(told)
    ['city', 'version', 'crs', 'as_of', 'summary', 'inputs', 'results']
    """
    analysed = analysed.shown()
    city = analysed.city
    return {
        "city": city.name,
        "version": __version__,
        "crs": city.crs.to_string(),
        "as_of": city.moment.isoformat() if city.moment else None,
        "summary": {key: _plain(value) for key, value in analysed.summary.items()},
        "inputs": [
            {
                "layer": receipt.layer,
                "source": receipt.source,
                "rows": receipt.rows,
                "placed": receipt.placed,
                "quarantined": receipt.quarantined,
                "repaired": receipt.repaired,
                "mended": receipt.mended,
                "stale": receipt.stale,
                "reasons": _reasons(receipt),
                "notes": [note.text("en") for note in receipt.notes],
            }
            for receipt in city.receipts
        ],
        "results": {
            name: {
                "rows": len(result.frame),
                "method": result.method,
                "parameters": dict(result.parameters),
            }
            for name, result in analysed.results.items()
        },
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _reasons(receipt: Receipt) -> dict[str, int]:
    if not receipt.quarantined:
        return {}
    counts = receipt.rejected["gridmap_reason"].value_counts().sort_index()
    return {str(reason): int(count) for reason, count in counts.items()}


def write_report(analysed: Analysed, folder: Path, lang: str = "en") -> list[Path]:
    """Write ``summary.json`` and ``summary.xlsx`` to a folder that exists.

    The workbook has a sheet of figures, one of the inputs' rows, and one for every computed
    layer of areas, with the labels of the catalogue.

    Examples
    --------
    >>> from gridmap.outputs import write_report
    >>> import pathlib, tempfile
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> analysed = gridmap.analyse(city, want=["grid_results"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [file.name for file in write_report(analysed, pathlib.Path(folder))]
    ['summary.json', 'summary.xlsx']
    """
    analysed = analysed.shown()
    target = folder / "summary.json"
    text = json_text(as_json(analysed), indent=2)
    target.write_text(text + "\n", encoding="utf-8")
    book = folder / "summary.xlsx"
    write_workbook(book, _sheets(analysed, lang))
    return [target, book]


def _sheets(analysed: Analysed, lang: str) -> Iterator[Sheet]:
    yield _figures_sheet(analysed, lang)
    heads, rows = receipt_rows(analysed, lang)
    counted = [[*row[:2], *(Cell(count, number_form()) for count in row[2:])] for row in rows]
    yield Sheet(messages.text("report.rows", lang), heads, counted)
    notes = note_rows(analysed.city, lang)
    if notes:
        told = messages.text("report.notes", lang)
        yield Sheet(told, [messages.text("report.source", lang), told], [[*row] for row in notes])
    for name in _TABLES:
        result = analysed.results.get(name)
        if result is None or result.frame.empty:
            continue
        if name == "kpis":
            yield kpi_sheet(result.frame, analysed.city.catalog, lang)
        else:
            yield layer_sheet(result.layer, result.frame, lang, analysed.city.timezone)


def _figures_sheet(analysed: Analysed, lang: str) -> Sheet:
    heads = [messages.text(f"report.{name}", lang) for name in ("figure", "value")]
    rows: list[list[Entry]] = [
        [messages.text(f"summary.{key}", lang), Cell(value, _form(key, value))]
        for key, value in analysed.summary.items()
    ]
    return Sheet(messages.text("report.summary", lang), heads, rows)


def _form(key: str, value: Any) -> str:
    return share_form(_SHARE_DECIMALS) if key in _SHARES else number_form(_decimals(key, value))


def _marks(receipt: Receipt) -> pd.Series:
    """Return the marks of rejected rows, of which what is masked later is a part."""
    return row_marks(receipt.rejected.drop(columns=list(_TOLD), errors="ignore"))


def _plain_name(source: str) -> str:
    """Return the name of a source without what no name of a file should hold."""
    signs = (each if each.isprintable() else "_" for each in Path(source).stem)
    return "".join(signs).replace("*", "x")


def write_quarantine(analysed: Analysed, folder: Path, lang: str = "en") -> list[Path]:
    """Write one CSV for every input that has rows in quarantine.

    Each row is as it was read but for what is masked, after its number, the field, the reason and
    what was found, so that it can be mended and read again; its source and a mark, by which it is
    known then, stand last. A text that would run as a formula stands after an apostrophe.

    Returns
    -------
    list of pathlib.Path

    Examples
    --------
    >>> from gridmap.outputs import write_quarantine
    >>> import pathlib, tempfile
    >>> city = gridmap.read_city("data", layers=["problems"])
    >>> analysed = gridmap.analyse(city, want=["problems"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [file.name for file in write_quarantine(analysed, pathlib.Path(folder))]
    ['05-problems-problems.csv']
    """
    written = []
    marks = [_marks(receipt) for receipt in analysed.city.receipts]
    for number, receipt in enumerate(analysed.city.shown().receipts, start=1):
        if not receipt.quarantined:
            continue
        rejected = receipt.rejected
        codes = rejected["gridmap_reason"].astype("string")
        table = pd.DataFrame(
            {
                messages.text("report.row", lang): rejected["gridmap_row"],
                messages.text("report.field", lang): codes.str.partition(":")[2],
                messages.text("report.reason", lang): codes.map(
                    lambda c: messages.reason_text(c, lang)
                ),
                messages.text("report.found", lang): rejected["gridmap_value"],
            }
        )
        original = rejected.drop(columns=list(_TOLD))
        known = pd.DataFrame(
            {
                messages.text("report.origin", lang): receipt.source,
                messages.text("report.mark", lang): marks[number - 1],
            }
        )
        path = folder / f"{number:02d}-{receipt.layer}-{_plain_name(receipt.source)}.csv"
        path.write_bytes(csv_bytes(pd.concat([table, original, known], axis=1)))
        written.append(path)
    return written
