"""What the columns of a table may hold when it leaves, by what they are in the catalogue.

Free texts, and columns that no layer knows, are masked; codes are not, for tables are joined by
them; what is private of a layer is masked whole. A column is looked through once, as long as it
lives, by one search of its bytes: rows that have nothing to hide cost no more.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pandas.api import types

from gridmap.catalog import Field, Layer
from gridmap.leaving import CODE, clean, is_shown, leaving, masked

__all__ = ["code_leaving", "shown_frame", "shown_json", "shown_table", "shown_value"]

Tell = Callable[[str], str]

_CODE = re.compile(CODE)
_FEW = 20_000  # rows
_LEAST, _MOST = 1e9, 2.0**63  # numbers that may be phones, or those of cards
# What became of the texts of an array, which is never changed but replaced; None for nothing.
_Key = tuple[int, Tell, bool]
_KNOWN: dict[_Key, Any] = {}


def shown_frame(layer: Layer, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of a layer as it may be written or shown; itself if nothing is to be hidden.

    Examples
    --------
    >>> from gridmap.privacy import shown_frame
    >>> layer = gridmap.load_catalog().layer("problems")
    >>> frame = pd.DataFrame({"code": ["13800000000"], "address": ["Gate, 13800000000"]})
    >>> shown_frame(layer, frame.astype("string")).to_numpy().tolist()
    [['13800000000', 'Gate, 138*****000']]
    """
    return _shown(frame, layer.fields, [name for name in frame.columns if name in layer.fields])


def shown_table(table: pd.DataFrame, fields: Mapping[str, Field] | None = None) -> pd.DataFrame:
    """Return a table of which not every column is known as it may be written or shown.

    Parameters
    ----------
    table : DataFrame
    fields : mapping of str to Field, optional
        Of the columns that are known. The others are masked, their numbers too, and so are the
        names of columns.
    """
    shown = _shown(table, fields or {}, list(table.columns))
    names = [shown_value(name) for name in table.columns]
    return shown if names == list(table.columns) else shown.set_axis(names, axis=1)


def shown_value(value: Any, *, is_code: bool = False) -> Any:
    """Return a value of JSON as it may leave, with all that is in it.

    Parameters
    ----------
    value : object
    is_code : bool
        Whether a text of it may be a code.
    """
    if isinstance(value, str):
        return code_leaving(value) if is_code else leaving(value)
    if isinstance(value, Mapping):
        return {code_leaving(str(key)): shown_value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([shown_value(each, is_code=is_code) for each in value])
    return value


def shown_json(value: Any, codes: frozenset[str]) -> Any:
    """Return a value of JSON as it may leave; what is under some names may be a code.

    Examples
    --------
    >>> from gridmap.privacy import shown_json
    >>> shown_json({"code": "13800000000", "by": "13800000000"}, frozenset({"code"}))
    {'code': '13800000000', 'by': '138*****000'}
    """
    if isinstance(value, Mapping):
        return {
            code_leaving(str(key)): shown_value(each, is_code=True)
            if key in codes
            else shown_json(each, codes)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [shown_json(each, codes) for each in value]
    return shown_value(value)


def code_leaving(text: str) -> str:
    """Return a text of a column of codes as it may leave: a code as it is, any other text masked.

    Examples
    --------
    >>> from gridmap.privacy import code_leaving
    >>> code_leaving("13800000000"), code_leaving("Gate 13800000000")
    ('13800000000', 'Gate 138*****000')
    """
    return text if _CODE.fullmatch(text) else leaving(text)


def _shown(frame: pd.DataFrame, fields: Mapping[str, Field], names: list[Any]) -> pd.DataFrame:
    changed = {}
    for place, name in enumerate(frame.columns):
        if name in names:
            made = _column(frame.iloc[:, place], fields.get(str(name)))
            if made is not None:
                changed[place] = made
    if not changed:
        return frame
    shown = frame.copy(deep=False)
    for place, made in changed.items():  # by its place, for a table may have a name twice
        shown.isetitem(place, made.array)
    return shown


def _column(values: pd.Series, field: Field | None) -> pd.Series | None:
    """Return a column as it may leave; None if nothing of it changes."""
    kind = values.dtype
    if types.is_numeric_dtype(kind) and not types.is_bool_dtype(kind):
        known = field is not None and not field.private
        return None if known or is_shown() else _numbers(values)
    if types.is_string_dtype(kind) or types.is_object_dtype(kind):
        return _texts(values, field)
    return None


def _texts(values: pd.Series, field: Field | None) -> pd.Series | None:
    if field is not None and field.private and not is_shown():
        return values.map(_hidden, na_action="ignore").astype(values.dtype)
    held = values.array.__arrow_array__() if isinstance(values.dtype, pd.StringDtype) else None
    coded = field is not None and field.code
    if not isinstance(held, pa.ChunkedArray):
        return _objects(values, code_leaving if coded else leaving)
    # Whatever else may leave changes with the context, so it is part of what is remembered.
    key = (id(held), clean if is_shown() else leaving, coded)
    if key not in _KNOWN:
        _KNOWN[key] = _looked_through(values, held, code_leaving if coded else leaving)
        weakref.finalize(held, _KNOWN.pop, key, None)
    made = _KNOWN[key]
    return None if made is None else pd.Series(made, index=values.index, name=values.name)


def _looked_through(values: pd.Series, held: pa.ChunkedArray, tell: Tell) -> Any:
    """Return the texts of a column as they may leave; None if all may as they are."""
    rows = _suspect_rows(held, tell is code_leaving)
    if not len(rows):
        return None
    was = held.take(pa.array(rows)).to_pylist()
    now = [tell(text) for text in was]
    if now == was:
        return None
    made = values.array.copy()
    made[rows] = now
    return made


def _suspect_rows(held: pa.ChunkedArray, coded: bool) -> npt.NDArray[np.intp]:
    if len(held) < _FEW:  # not worth to load what is compiled
        return np.flatnonzero(held.is_valid().to_numpy())
    from gridmap._suspects import suspects  # noqa: PLC0415

    whole = held.combine_chunks().cast(pa.large_string())
    _, ends, data = whole.buffers()
    bytes_of = np.frombuffer(data or b"", dtype=np.uint8)
    at = np.frombuffer(ends, dtype=np.int64)[whole.offset : whole.offset + len(whole) + 1]
    return np.flatnonzero(suspects(bytes_of, at, coded))


def _objects(values: pd.Series, tell: Tell) -> pd.Series | None:
    """Return a column of any objects as it may leave, texts and numbers each by themselves."""
    was = values.to_numpy(dtype=object)
    now = [_object(value, tell) for value in was]
    if all(one is other for one, other in zip(now, was, strict=True)):
        return None
    return pd.Series(now, index=values.index, name=values.name, dtype=object)


def _object(value: Any, tell: Tell) -> Any:
    if isinstance(value, str):
        made = tell(value)
        return value if made == value else made
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return value
    told = "" if tell is code_leaving or not _LEAST <= value < _MOST else _whole(value)
    made = leaving(told)
    return value if made == told else made


def _numbers(values: pd.Series) -> pd.Series | None:
    """Return a column of numbers with those that are phones as masked texts, then all as texts."""
    numbers = np.asarray(values.to_numpy(np.float64, na_value=np.nan))
    with np.errstate(invalid="ignore"):
        large: npt.NDArray[np.bool_] = (numbers >= _LEAST) & (numbers < _MOST)
    large &= numbers == np.floor(numbers)
    rows = np.flatnonzero(large)
    told = [_whole(value) for value in values.iloc[rows].tolist()]
    shown = [leaving(text) for text in told]
    if shown == told:
        return None
    made = values.map(_whole, na_action="ignore").astype("string")
    made.array[rows] = shown
    return made


def _whole(value: Any) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _hidden(value: object) -> str:
    return masked(clean(str(value)))
