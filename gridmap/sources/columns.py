"""From a raw table to the typed columns of a layer, row by row, with a reason for every failure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from gridmap.catalog import Field, Layer
from gridmap.config import ColumnRule, Input
from gridmap.errors import ConfigError, SourceError

__all__ = ["Reasons", "as_text", "need_columns", "typed_columns"]

# Day-first and month-first dates look alike, so those need a `format`; these do not.
_TIMES = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
    "%Y.%m.%d",
)
_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_YES = {"1", "true", "t", "yes", "y", "是"}
_NO = {"0", "false", "f", "no", "n", "否"}


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
        rows = np.asarray(bad, dtype=bool) & (self.codes == "")
        self.codes[rows] = code
        if values is not None:
            self.values[rows] = values.to_numpy(dtype=object)[rows].astype(str)

    def note(self, rows: Sequence[int], code: str, value: str) -> None:
        """Note a reason for rows by number."""
        self.codes[list(rows)] = code
        self.values[list(rows)] = value

    @property
    def any(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows have a reason."""
        return np.asarray(self.codes != "", dtype=bool)


def typed_columns(
    table: pd.DataFrame, layer: Layer, entry: Input, timezone: str, reasons: Reasons
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

    Returns
    -------
    DataFrame
        One column for every input field, on the table's index.

    Raises
    ------
    SourceError
        If a column that a rule names is not there, or a required field has no column.
    """
    filled: dict[str, pd.Series] = {}
    for name, field in layer.inputs.items():
        if name in entry.constants:
            source = pd.Series(str(entry.constants[name]), index=table.index, dtype="string")
            rule = ColumnRule(column=name)
        else:
            rule = entry.columns.get(name) or ColumnRule(column=name)
            source = _source(table, name, field, rule, entry)
        filled[name] = _typed(source, name, field, rule, timezone, reasons)
    return pd.DataFrame(filled, index=table.index)


def need_columns(table: pd.DataFrame, names: Iterable[str], path: str) -> None:
    """Raise a SourceError that names the nearest columns if a table lacks one."""
    present = [str(column) for column in table.columns]
    for name in names:
        if name not in present:
            near = difflib.get_close_matches(name, present, n=1, cutoff=0.5)
            known = ", ".join((near or present)[:12])
            raise SourceError("source.column", path=path, column=name, known=known)


def _source(
    table: pd.DataFrame, name: str, field: Field, rule: ColumnRule, entry: Input
) -> pd.Series:
    if rule.sequence:
        width = len(str(len(table)))
        numbers = [f"{rule.sequence}{row:0{width}d}" for row in range(1, len(table) + 1)]
        return pd.Series(numbers, index=table.index, dtype="string")
    if name in entry.columns or (field.required and rule.column not in table.columns):
        need_columns(table, [rule.column], entry.path)
    if rule.column not in table.columns:
        return pd.Series(pd.NA, index=table.index, dtype="string")
    return table[rule.column]


def _typed(
    source: pd.Series, name: str, field: Field, rule: ColumnRule, timezone: str, reasons: Reasons
) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(source) and field.type == "datetime":
        return _zoned(source, timezone, name, reasons)
    text = as_text(source)
    if rule.extract:
        text = _extracted(text, rule)
    if rule.values:
        text = text.replace(dict(rule.values)).astype("string")
    if rule.prefix:
        text = rule.prefix + text
    if field.type == "datetime":
        return _times(text, name, rule, timezone, reasons)
    if field.type in ("integer", "number"):
        return _numbers(text, name, field, reasons)
    if field.type == "boolean":
        return _booleans(text, name, reasons)
    return text


def _extracted(text: pd.Series, rule: ColumnRule) -> pd.Series:
    try:
        return text.str.extract(rule.extract, expand=True)[0].astype("string")
    except (re.error, ValueError) as error:
        raise ConfigError("config.extract", pattern=rule.extract, reason=error) from None


def as_text(source: pd.Series) -> pd.Series:
    """Return cells as text without outer blanks; whole numbers without a decimal point."""
    if pd.api.types.is_float_dtype(source):
        whole = source.dropna()
        if (whole == whole.round()).all() and (whole.abs() < 2**53).all():
            source = source.astype("Int64")
    elif source.dtype == object:
        source = source.map(_plain, na_action="ignore")
    text = source.astype("string").str.strip()
    return text.mask(text == "")


def _plain(cell: object) -> object:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _numbers(text: pd.Series, name: str, field: Field, reasons: Reasons) -> pd.Series:
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    bad = text.notna() & numbers.isna()
    if field.type == "integer":
        bad |= numbers.notna() & (numbers != numbers.round())
    reasons.add(bad, f"not_a_number:{name}", text)
    return numbers.mask(bad).astype("Int64") if field.type == "integer" else numbers


def _booleans(text: pd.Series, name: str, reasons: Reasons) -> pd.Series:
    lower = text.str.lower()
    known = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
    values = lower.map(known).astype("boolean")
    reasons.add(text.notna() & values.isna(), f"not_a_truth:{name}", text)
    return values


def _times(
    text: pd.Series, name: str, rule: ColumnRule, timezone: str, reasons: Reasons
) -> pd.Series:
    if rule.format:
        times = pd.to_datetime(text, format=rule.format, errors="coerce")
    else:
        times = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=_has_offset(text))
        for form in _TIMES:
            left = text.notna() & times.isna()
            if not left.any():
                break
            times = times.fillna(pd.to_datetime(text[left], format=form, errors="coerce"))
    reasons.add(text.notna() & times.isna(), f"no_time:{name}", text)
    return _zoned(times, timezone, name, reasons)


def _has_offset(text: pd.Series) -> bool:
    return bool(text.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$", na=False).any())


def _zoned(times: pd.Series, timezone: str, name: str, reasons: Reasons) -> pd.Series:
    times = times.astype("datetime64[us]") if times.dt.tz is None else times.dt.as_unit("us")
    impossible = times.notna() & ~times.dt.year.between(_FIRST_YEAR, _LAST_YEAR)
    reasons.add(impossible, f"impossible_time:{name}", times)
    times = times.mask(impossible)
    if times.dt.tz is None:
        # An hour that the clocks skip counts as the next one; one that they repeat, as the first.
        first = np.ones(len(times), dtype=bool)
        return times.dt.tz_localize(timezone, nonexistent="shift_forward", ambiguous=first)
    return times.dt.tz_convert(timezone)
