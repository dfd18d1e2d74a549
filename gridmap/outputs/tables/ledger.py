"""CSV as every command writes it: for spreadsheets, which run texts that begin like a formula."""

from __future__ import annotations

import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from gridmap.catalog import Layer
from gridmap.leaving import clean, guarded
from gridmap.outputs.tables.words import headings, words

__all__ = ["csv_bytes", "worded"]


def csv_bytes(table: pd.DataFrame, encoding: str = "utf-8") -> bytes:
    """Return a table as RFC 4180 has it; a text that begins like a formula after an apostrophe.

    Parameters
    ----------
    table : DataFrame
    encoding : str
        ``utf-8``, with the mark that Excel knows it by, or ``gb18030``.
    """
    columns = [_guarded(table.iloc[:, position]) for position in range(table.shape[1])]
    made = pd.concat(columns, axis=1) if columns else table
    made.columns = [_harmless(name) for name in table.columns]
    text: str = made.to_csv(index=False, lineterminator="\r\n")
    return text.encode("gb18030" if encoding == "gb18030" else "utf-8-sig")


def _guarded(column: pd.Series) -> pd.Series:
    if is_numeric_dtype(column) or is_bool_dtype(column) or is_datetime64_any_dtype(column):
        return column
    return column.astype(object).map(_harmless, na_action="ignore")


def _harmless(value: object) -> object:
    if not isinstance(value, str):
        return value
    return guarded(clean(value))


def worded(
    layer: Layer,
    frame: pd.DataFrame,
    lang: str,
    *,
    zone: str = "",
    grouped: bool = True,
    exact: bool = False,
) -> pd.DataFrame:
    """Return the fields of a layer in words, beneath their headings.

    Parameters
    ----------
    layer : Layer
    frame : DataFrame
    lang : str
    zone : str
        Of the times, told in their headings.
    grouped, exact : bool
        As of `gridmap.outputs.tables.words.words`.
    """
    heads = headings(layer, [name for name in layer.fields if name in frame], lang, zone)
    cells = {
        head: words(frame[name], layer.fields[name], lang, zone=zone, grouped=grouped, exact=exact)
        for name, head in heads.items()
    }
    return pd.DataFrame(cells, index=frame.index, dtype="string")
