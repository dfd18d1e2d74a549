"""From a raw table to the typed columns of a layer, row by row, with a reason for every failure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridmap.catalog import Field, Layer
from gridmap.config import ColumnRule, Input
from gridmap.errors import ConfigError, SourceError
from gridmap.messages.foreign import library_reason
from gridmap.model import Note
from gridmap.schema import empty
from gridmap.sources.cells import (
    as_text,
    cleaned,
    is_rounded,
    read_integers,
    read_numbers,
    read_truths,
)
from gridmap.sources.times import OPEN_END_YEAR, read_times

__all__ = ["Reasons", "need_columns", "typed_columns"]

# No case was recorded before 1990; registers tell of what was agreed before.
_FIRST_CASE, _FIRST_YEAR, _LAST_YEAR = 1990, 1900, 2100


class Reasons:
    """Why rows cannot be used: the first reason found for each.

    Parameters
    ----------
    rows : int
        How many rows there are.
    """

    def __init__(self, rows: int) -> None:
        self.codes = np.full(rows, "", dtype=object)
        self.values = np.full(rows, "", dtype=object)

    def add(self, bad: Iterable[bool], code: str, values: pd.Series | None = None) -> None:
        """Note a reason for the rows that have none yet.

        Parameters
        ----------
        bad : array-like of bool, one a row
        code : str
            ``"reason"`` or ``"reason:field"``; reasons are messages of section ``reason``.
        values : Series, optional
            What was found there.
        """
        rows = np.asarray(bad, dtype=bool)
        if not rows.any():  # of most columns, whose every cell would be taken out to no end
            return
        rows = rows & (self.codes == "")
        self.codes[rows] = code
        if values is not None:
            found = values[rows].to_numpy(dtype=object)
            self.values[rows] = np.where(pd.isna(found), "", found.astype(str))

    def note(self, rows: Sequence[int], code: str, value: str) -> None:
        """Note a reason for rows by number."""
        self.codes[list(rows)] = code
        self.values[list(rows)] = value

    @property
    def any(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows have a reason."""
        return np.asarray(self.codes != "", dtype=bool)


@dataclass(frozen=True)
class _About:
    """What is found out while the columns of one input are read."""

    path: str
    timezone: str
    reasons: Reasons
    notes: list[Note]


def typed_columns(
    table: pd.DataFrame,
    layer: Layer,
    entry: Input,
    timezone: str,
    reasons: Reasons,
    notes: list[Note],
) -> pd.DataFrame:
    """Fill the input fields of a layer from a raw table.

    Parameters
    ----------
    table : DataFrame
        The rows as they were read.
    layer : Layer
    entry : Input
        Its column rules and constants; a field with neither is taken from the column of its
        own name, and is empty where the table has no such column.
    timezone : str
        For times without an offset.
    reasons : Reasons
        Is given the rows whose text is no value of the field's type.
    notes : list of Note
        Is given what was changed.

    Returns
    -------
    DataFrame
        One column for every input field, on the table's index.

    Raises
    ------
    SourceError
        If a column that a rule names is not there, or a required field has no column.
    """
    about = _About(entry.path, timezone, reasons, notes)
    filled: dict[str, pd.Series] = {}
    for name, field in layer.inputs.items():
        if name in entry.constants:
            source = pd.Series(str(entry.constants[name]), index=table.index, dtype="string")
            rule = ColumnRule(column=name)
        else:
            rule = entry.columns.get(name) or ColumnRule(column=name)
            found = _source(table, name, field, rule, entry)
            if found is None:
                filled[name] = empty(table.index, field, timezone)
                continue
            source = found
        filled[name] = _typed(source, name, field, rule, about)
    return pd.DataFrame(filled, index=table.index)


def need_columns(table: pd.DataFrame, names: Iterable[str], path: str) -> None:
    """Raise a SourceError that names the nearest columns if a table lacks one."""
    present = [str(column) for column in table.columns]
    for name in names:
        if name not in present:
            near = difflib.get_close_matches(name, present, n=1, cutoff=0.5)
            if near:
                raise SourceError("source.column_near", path=path, column=name, near=near[0])
            known = ", ".join(present[:12])
            raise SourceError("source.column", path=path, column=name, known=known)


def _source(
    table: pd.DataFrame, name: str, field: Field, rule: ColumnRule, entry: Input
) -> pd.Series | None:
    """Return the cells that fill a field; None where nobody asks for a column that is not there."""
    if rule.sequence:
        width = len(str(len(table)))
        numbers = [f"{rule.sequence}{row:0{width}d}" for row in range(1, len(table) + 1)]
        return pd.Series(numbers, index=table.index, dtype="string")
    if name in entry.columns or (field.required and rule.column not in table.columns):
        need_columns(table, [rule.column], entry.path)
    return table[rule.column] if rule.column in table.columns else None


def _typed(
    source: pd.Series, name: str, field: Field, rule: ColumnRule, about: _About
) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(source) and field.type == "datetime":
        return _plausible(_zoned(source, about.timezone), name, field, about)
    text, changed = cleaned(as_text(source))
    if changed:
        about.notes.append(Note("cleaned", {"column": rule.column, "count": changed}))
    if field.type in ("string", "category"):
        about.reasons.add(is_rounded(source, text), f"rounded:{name}", text)
    if rule.extract:
        text = _extracted(text, name, rule, about)
    if rule.values:
        text = text.replace(dict(rule.values)).astype("string")
    if rule.prefix:
        text = rule.prefix + text
    if field.type == "datetime":
        return _times(text, name, field, rule, about)
    if field.type in _READ:
        read, code = _READ[field.type]
        values, bad = read(text)
        about.reasons.add(bad, f"{code}:{name}", text)
        return values
    return text


_READ = {
    "integer": (read_integers, "not_an_integer"),
    "number": (read_numbers, "not_a_number"),
    "boolean": (read_truths, "not_a_truth"),
}


def _extracted(text: pd.Series, name: str, rule: ColumnRule, about: _About) -> pd.Series:
    try:
        return text.str.extract(rule.extract, expand=True)[0].astype("string")
    except (re.error, ValueError) as error:
        reason = library_reason(error)
        raise ConfigError(
            "config.extract", path=about.path, field=name, pattern=rule.extract, reason=reason
        ) from None


def _times(text: pd.Series, name: str, field: Field, rule: ColumnRule, about: _About) -> pd.Series:
    times, why = read_times(text, rule.format, about.timezone)
    for code in ("ambiguous_time", "no_time"):
        about.reasons.add(why == code, f"{code}:{name}", text)
    return _plausible(times, name, field, about)


def _plausible(times: pd.Series, name: str, field: Field, about: _About) -> pd.Series:
    """Take an end that lies millennia ahead for none, and refuse years in which nothing was."""
    years = times.dt.year
    if not field.required:
        times = times.mask(years >= OPEN_END_YEAR)
    first = _FIRST_CASE if field.required else _FIRST_YEAR
    impossible = times.notna() & ~years.between(first, _LAST_YEAR)
    if not impossible.any():
        return times
    # numpy writes every year, Python's own dates only those from 1 to 9999.
    shown = times.dt.tz_localize(None).to_numpy(dtype="datetime64[s]").astype(str)
    about.reasons.add(impossible, f"impossible_time:{name}", pd.Series(shown, index=times.index))
    return times.mask(impossible)


def _zoned(times: pd.Series, timezone: str) -> pd.Series:
    times = times.astype("datetime64[us]") if times.dt.tz is None else times.dt.as_unit("us")
    if times.dt.tz is None:
        # An hour that the clocks skip counts as the next one; one that they repeat, as the first.
        first = np.ones(len(times), dtype=bool)
        return times.dt.tz_localize(timezone, nonexistent="shift_forward", ambiguous=first)
    return times.dt.tz_convert(timezone)
