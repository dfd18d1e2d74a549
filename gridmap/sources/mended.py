"""Rows that a person mended in a file of the quarantine, in place of those of the source.

They lie in the folder ``mended`` beside the city file, where every command reads them, so that a
number is the same wherever it shows. A row is found by its source, its number and its mark: the
mark tells the text of the row as it was read, so that a mend never meets another row when the
source has changed, and is found again when rows have only moved.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap import messages
from gridmap.digests import cell_text, row_marks
from gridmap.errors import SourceError
from gridmap.leaving import clean, guarded, leaving, restored, runs_as_formula, without_numbers
from gridmap.sources.files import read_raw
from gridmap.sources.raw import Raw

__all__ = ["FOLDER", "Done", "lacking", "mend_rows", "mends_in", "with_mends"]

FOLDER = "mended"
_KINDS = (".csv", ".xlsx")
_OURS = ("row", "field", "reason", "found", "origin", "mark")
_SHORT = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)  # how Excel saves long numbers
_DATE = re.compile(r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2})?)?")


class _TwiceError(ValueError):
    """Two rows of one file that mend one row, and do not agree."""

    def __init__(self, row: int, column: str) -> None:
        super().__init__(f"row {row} is mended twice, and {column} differs")
        self.row, self.column = row, column


@dataclass(frozen=True)
class Done:
    """What became of mended rows: where some were put in place, and how many found none."""

    rows: frozenset[int] = frozenset()
    stale: int = 0

    def __add__(self, other: Done) -> Done:
        return Done(self.rows | other.rows, self.stale + other.stale)


def mends_in(folder: Path) -> list[Path]:
    """Return the files of mended rows in a folder, the latest last."""
    found = [path for path in folder.glob("[!.~]*") if path.suffix.lower() in _KINDS]
    return sorted(found, key=lambda path: [int(t) if t.isdigit() else t for t in _words(path)])


def _words(path: Path) -> list[str]:
    """Return a name in texts and numbers by turns, so that 10 comes after 9."""
    return re.split(r"(\d+)", path.stem)


def lacking(table: pd.DataFrame, lang: str = "en") -> list[str]:
    """Return which columns a table lacks, of those by which its rows can be put in place."""
    names = ("row", "origin", "mark")
    return [messages.text(f"report.{name}", lang) for name in names if not _labelled(table, name)]


def with_mends(raw: Raw, folder: Path, source: str) -> tuple[pd.DataFrame, Done]:
    """Put all mended rows of a folder in the place of those of one input.

    Parameters
    ----------
    raw : Raw
        The input as it was read.
    folder : pathlib.Path
        It need not exist.
    source : str
        Of the input, as its receipt has it.

    Returns
    -------
    DataFrame, Done
        The table itself where there is nothing to do.

    Raises
    ------
    SourceError
        If a file of the folder cannot be read, is none of the quarantine, or mends one row in two
        ways.
    """
    done, now = Done(), raw.table
    for path in mends_in(folder):
        try:
            mended = read_raw(path).table
        except SourceError as error:
            raise SourceError("source.unread_mends", path=path, reason=error) from None
        if lacks := lacking(mended):
            raise SourceError("source.no_mends", path=path, columns=", ".join(lacks))
        try:
            now, step = mend_rows(now, mended, source, first=raw.table, numbers=raw.numbers)
        except _TwiceError as error:
            raise SourceError(
                "source.mended_twice", path=path, row=error.row, source=source, column=error.column
            ) from None
        done += step
    return now, done


def mend_rows(
    table: pd.DataFrame,
    mended: pd.DataFrame,
    source: str,
    *,
    first: pd.DataFrame | None = None,
    numbers: npt.NDArray[np.int64] | None = None,
) -> tuple[pd.DataFrame, Done]:
    """Put mended rows in the place of those that they mend.

    Cells that say what they said stay as they were read, if a spreadsheet has written a number or
    a date in another way as well.

    Parameters
    ----------
    table : DataFrame
        The rows of an input, with a RangeIndex.
    mended : DataFrame
        Of a file of the quarantine, all as text or as a spreadsheet has it.
    source : str
        Of the input.
    first : DataFrame, optional
        The rows as they were before other mends, by which they may be known too.
    numbers : array of int, one a row of the table, optional
        By which the rows are known; counted from 1 if left out.

    Returns
    -------
    DataFrame, Done

    Raises
    ------
    ValueError
        If two of the mended rows mend one cell differently.

    Examples
    --------
    >>> from gridmap.digests import row_marks
    >>> from gridmap.sources.mended import mend_rows
    >>> table = pd.DataFrame({"id": ["a", "b"], "kind": ["litter", None]})
    >>> known = {"row": ["2"], "gridmap source": ["cases.csv"]}
    >>> mark = {"gridmap mark": row_marks(table)[1:].to_list()}
    >>> mended = pd.DataFrame({**known, "id": ["b"], "kind": ["noise"], **mark})
    >>> mend_rows(table, mended, "cases.csv")[0]["kind"].to_list()
    ['litter', 'noise']
    """
    origin, marks = (_labelled(mended, name) for name in ("origin", "mark"))
    known = (source, without_numbers(clean(source)))
    mine = mended[mended[origin].astype("string").isin(known)].reset_index(drop=True)
    columns = _columns(mine, table)
    cells = mine[list(columns)].set_axis(list(columns.values()), axis=1)
    asked = mine[marks].astype("string").fillna("")
    changed = np.flatnonzero(row_marks(cells) != asked)
    if len(changed) == 0:
        return table, Done()
    asked_rows = pd.to_numeric(mine[_labelled(mended, "row")], errors="coerce")[changed]
    known_rows = pd.Index(np.arange(1, len(table) + 1) if numbers is None else numbers)
    places = known_rows.get_indexer(pd.Index(asked_rows.to_numpy(dtype=float, na_value=-1)))
    found = _found([table] if first is None else [table, first], places, asked[changed])
    values = {name: table[name].astype(object).copy() for name in columns.values()}
    put: dict[int, dict[str, str]] = {}
    for row, (place, was) in zip(changed, found, strict=True):
        for name in columns.values() if was is not None else ():
            before = cell_text(was[name].iloc[place]) if was is not None else ""
            cell = _read_back(before, cells[name].iloc[row])
            if was is not None and not _same(before, cell):
                if put.setdefault(place, {}).setdefault(name, cell_text(cell)) != cell_text(cell):
                    raise _TwiceError(int(known_rows[place]), name)
                values[name].iloc[place] = None if cell_text(cell) == "" else cell
    stale = sum(was is None for _, was in found)
    if not put:
        return table, Done(stale=stale)
    fresh = {name: _retyped(column, table[name]) for name, column in values.items()}
    return table.assign(**fresh), Done(frozenset(put), stale)


def _labels(name: str) -> set[str]:
    return {messages.text(f"report.{name}", lang) for lang in messages.LANGUAGES}


def _labelled(table: pd.DataFrame, name: str) -> str | None:
    """Return the first column that has a label of the quarantine, in any language."""
    known = _labels(name)
    return next((str(column) for column in table.columns if str(column) in known), None)


def _columns(mended: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    """Return the columns of mended rows that are the source's, each with its name there."""
    ours = {_labelled(mended, name) for name in _OURS}
    known = {guarded(leaving(str(column))): str(column) for column in table.columns}
    known |= {str(column): str(column) for column in table.columns}
    found: dict[str, str] = {}
    for column in mended.columns:
        # A name that stands twice gets a number when it is read.
        names = [column, column.removesuffix(" (2)"), column.removeprefix("'")]
        name = next((known[each] for each in names if each in known), None)
        if column not in ours and name is not None and name not in found.values():
            found[column] = name
    return found


def _found(
    tables: Sequence[pd.DataFrame], places: npt.NDArray[np.int64], asked: pd.Series
) -> list[tuple[int, pd.DataFrame | None]]:
    """Return where the rows with some marks stand, at their number or moved, and in which table."""
    found: list[tuple[int, pd.DataFrame | None]] = []
    moved: dict[str, tuple[int, pd.DataFrame | None]] | None = None
    for place, mark in zip(places.tolist(), asked, strict=True):
        at = next((each for each in tables if place >= 0 and _mark_at(each, place) == mark), None)
        if at is None and moved is None:
            moved = {}
            for table in reversed(tables):  # what was mended already comes first
                moved |= {one: (k, table) for one, k in _only(row_marks(table)).items()}
        found.append((place, at) if at is not None else (moved or {}).get(mark, (-1, None)))
    return found


def _mark_at(table: pd.DataFrame, place: int) -> str:
    return str(row_marks(table.iloc[[place]]).iloc[0])


def _only(marks: pd.Series) -> dict[str, int]:
    """Return the places of marks that stand at one place alone."""
    alone = marks[~marks.duplicated(keep=False)]
    return dict(zip(alone.astype(str), alone.index.to_list(), strict=True))


def _read_back(was: str, cell: object) -> object:
    """Return a cell without what it was given when it was written: a mask, an apostrophe."""
    if not isinstance(cell, str) or cell == was:
        return cell
    bare = cell.removeprefix("'")
    return restored(bare if runs_as_formula(bare) else cell, was)


def _same(was: str, cell: object) -> bool:
    """Tell whether a cell says what it said, however a spreadsheet has written it."""
    now = cell_text(cell)
    if now in (was, clean(was)):
        return True
    if _DATE.fullmatch(was) and _DATE.fullmatch(now):
        one, other = (pd.to_datetime(each, errors="coerce") for each in (was, now))
        return bool(one == other)
    try:
        before, after = float(was), float(now)
    except ValueError:
        return False
    if _SHORT.fullmatch(now) and was.isdigit():
        return bool(np.isclose(before, after, rtol=1e-4))
    return before == after and len(now) <= len(was)


def _retyped(column: pd.Series, like: pd.Series) -> pd.Series:
    """Return a column with the type that it had, where its values are still of it."""
    try:
        return column.astype(like.dtype)
    except (ValueError, TypeError):
        return column
