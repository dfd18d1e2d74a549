"""A file as it was read: every row in order, and what is known against some."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.errors import SourceError
from gridmap.model import Note

__all__ = ["UNNAMED", "Raw", "heading", "rowless"]

UNNAMED = "column "
"""What the name of a column without one begins with; its position follows."""


@dataclass(frozen=True)
class Raw:
    """A file as it was read: every row in order, and the geometry where the file has one.

    Parameters
    ----------
    table : DataFrame
        With a RangeIndex and texts as names of the columns; nothing is parsed yet.
    geometry : GeoSeries, optional
    bad : mapping of int to (str, str)
        Rows that could not be read right, by position: the reason, of section ``reason`` of the
        messages, and what was found there.
    notes : tuple of Note
        What was guessed or changed while the file was read.
    numbers : array of int, one a row, optional
        What a spreadsheet calls each row: titles, heading and blank rows count. Left out, rows are
        counted from 1.
    """

    table: pd.DataFrame
    geometry: gpd.GeoSeries | None = None
    bad: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    numbers: npt.NDArray[np.int64] | None = None


def heading(cells: list[str]) -> tuple[list[str], list[Note]]:
    """Return names for the columns of a heading, each once, and what is to be told of them.

    Of a name that stands twice the first column keeps it, and the others are numbered. A column
    without a name gets one by its position.
    """
    names: list[str] = []
    twice: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = cell.strip(" \t\r\n\u00a0\u3000\ufeff\u200b") or f"{UNNAMED}{position}"
        if name in names:
            twice.append(name)
            name = next(
                other
                for number in range(2, len(cells) + 2)
                if (other := f"{name} ({number})") not in names
            )
        names.append(name)
    notes = [Note("heading_twice", {"columns": ", ".join(dict.fromkeys(twice))})] if twice else []
    return names, notes


def rowless(path: Path, cells: Sequence[str], known: Collection[str]) -> SourceError:
    """Return the error of a table without rows.

    A line without any of the names that are asked for may be a row that lacks its heading.

    Parameters
    ----------
    path : pathlib.Path
        What to call the table.
    cells : sequence of str
        Of the line that was taken for the heading.
    known : collection of str
        Names that the heading should have.
    """
    if known and any(cells) and not {*cells} & {*known}:
        return SourceError("source.heading_alone", path=path, cells=", ".join(filter(None, cells)))
    return SourceError("source.empty", path=path)
