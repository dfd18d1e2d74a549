"""Workbooks: Excel and OpenDocument."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import python_calamine

from gridmap.errors import SourceError
from gridmap.model import Note
from gridmap.sources.door import reading
from gridmap.sources.raw import Raw, heading, rowless
from gridmap.sources.text import find_heading

__all__ = ["read_sheet"]

_HEADING_WITHIN = 20


def read_sheet(path: Path, shown: Path, *, sheet: str = "", known: Collection[str] = ()) -> Raw:
    """Read one sheet of a workbook.

    Parameters
    ----------
    path, shown : pathlib.Path
        Where it lies, and what to call it in messages.
    sheet : str
        Needed where there are several.
    known : collection of str
        Names of columns that the heading should have; it may stand below a title.

    Returns
    -------
    Raw
        Cells are texts, numbers, truths and times, as they are in the workbook.

    Raises
    ------
    SourceError
        If it cannot be read, does not have the sheet, or that has no rows.
    """
    with reading(shown):
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
    if sheet and sheet not in names:
        raise SourceError("source.no_sublayer", path=shown, name=sheet, names=", ".join(names))
    if not sheet and len(names) != 1:
        raise SourceError("source.sublayer", path=shown, names=", ".join(names))
    with reading(shown):
        page = book.get_sheet_by_name(sheet or names[0])
        rows = page.to_python()
        above = page.start[0] if page.start else 0
    first = [[_word(cell) for cell in row] for row in rows[:_HEADING_WITHIN]]
    at = find_heading(first, known) if first else 0
    held = [k for k in range(at + 1, len(rows)) if any(_word(cell).strip() for cell in rows[k])]
    if not held:
        raise rowless(shown, first[at] if first else [], known)
    body = [rows[k] for k in held]
    columns, notes = _columns(first[at], body)
    if any(cell.strip() for row in first[:at] for cell in row):
        notes.append(Note("heading_row", {"row": above + at + 1}))
    table = pd.DataFrame(
        {name: pd.Series([row[at] for row in body], dtype=object) for at, name in columns},
        index=range(len(body)),
    )
    numbers = np.array(held) + above + 1
    return Raw(table.where(table != "", None), notes=tuple(notes), numbers=numbers)


def _columns(
    cells: list[str], body: Sequence[Sequence[object]]
) -> tuple[list[tuple[int, str]], list[Note]]:
    """Return the columns that hold anything, by position and name."""
    filled = [
        position
        for position, cell in enumerate(cells)
        if cell.strip() or any(_word(row[position]).strip() for row in body)
    ]
    names, notes = heading([cells[position] for position in filled])
    return list(zip(filled, names, strict=True)), notes


def _word(cell: object) -> str:
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if whole and isinstance(cell, float) else str(cell)
