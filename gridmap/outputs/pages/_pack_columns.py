"""Columns of a table as streams of bytes: whole numbers, dictionaries, texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.outputs.pages._pack_bytes import signed_varints, varints
from gridmap.outputs.pages.encoding import Field, plain, prepared

__all__ = ["Column", "all_fields", "pack_column", "pack_table", "with_plain"]

_MOST_DECIMALS = 9
_EXACT = 2**53
_DIGITS = "[0-9]{1,15}"
_DICTIONARY_SHARE = 0.6


@dataclass(frozen=True)
class Column:
    """A column as the page holds it.

    Parameters
    ----------
    spec : dict
        ``kind`` and what it needs: ``integer`` (value = (base + step x stored) / scale), ``digits``
        (the same as text of ``width`` digits), ``boolean`` (these three as differences from row to
        row where ``delta``), ``float``, ``dictionary``, ``text``,
        ``json``. In every kind but ``float`` and ``json`` 0 stands for a missing value and the
        stored number is one more.
    streams : dict of str to bytes
        ``values``, and for texts ``letters``.
    """

    spec: dict[str, Any]
    streams: dict[str, bytes] = field(default_factory=dict)


def pack_column(values: pd.Series[Any]) -> Column:
    """Pack a column without loss; what is not finite counts as missing.

    Parameters
    ----------
    values : Series
        Of any type. Integers beyond 2 ** 53 become text, as a browser would lose their digits.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(values.dtype):
        return _integers("boolean", values.notna().to_numpy(), _filled(values))
    if pd.api.types.is_integer_dtype(values.dtype):
        missing = values.isna().to_numpy()
        numbers = values.fillna(0).to_numpy()
        if not len(numbers) or max(abs(int(numbers.min())), abs(int(numbers.max()))) < _EXACT:
            return _integers("integer", ~missing, numbers.astype(np.int64))
    elif pd.api.types.is_float_dtype(values.dtype):
        return _floats(_filled(values))
    elif pd.api.types.infer_dtype(values, skipna=True) in ("string", "empty"):
        return _texts(values)
    return Column({"kind": "json", "values": plain(values)})


def _filled(values: pd.Series[Any]) -> npt.NDArray[np.float64]:
    return np.asarray(values.astype("Float64").to_numpy(np.float64, na_value=np.nan), np.float64)


def _floats(numbers: npt.NDArray[np.float64]) -> Column:
    known = np.isfinite(numbers)
    finite = numbers[known]
    for decimals in range(_MOST_DECIMALS + 1):
        scaled = np.rint(finite * 10.0**decimals)
        if (np.abs(scaled) >= _EXACT).any():
            break
        if (scaled / 10.0**decimals == finite).all():
            whole = np.zeros(len(numbers), dtype=np.int64)
            whole[known] = scaled.astype(np.int64)
            return _integers("integer", known, whole, scale=10**decimals)
    raw = np.where(known, numbers, np.nan).astype("<f8")
    # The like bytes of all numbers together deflate better.
    return Column({"kind": "float"}, {"values": raw.view(np.uint8).reshape(-1, 8).T.tobytes()})


def _integers(
    kind: str, known: npt.NDArray[np.bool_], numbers: npt.NDArray[Any], **spec: Any
) -> Column:
    held = numbers[known].astype(np.int64)
    base = int(held.min()) if len(held) else 0
    step = max(int(np.gcd.reduce(held - base)), 1) if len(held) else 1
    stored = np.zeros(len(numbers), dtype=np.int64)
    stored[known] = (held - base) // step + 1
    spec = {"kind": kind, "base": base, "step": step, "scale": 1, "delta": False, **spec}
    plainly, changes = varints(stored), signed_varints(np.diff(stored, prepend=0))
    if len(changes) < len(plainly):
        return Column(spec | {"delta": True}, {"values": changes})
    return Column(spec, {"values": plainly})


def _texts(values: pd.Series[Any]) -> Column:
    codes, known = pd.factorize(values)
    codes = np.asarray(codes)
    words = np.asarray(known, dtype=object).tolist()
    if len(words) <= _DICTIONARY_SHARE * len(codes):
        letters = json.dumps(words, ensure_ascii=False, separators=(",", ":"))
        coded = letters.encode("utf-8", "surrogatepass")
        return Column({"kind": "dictionary"}, {"values": varints(codes + 1), "letters": coded})
    widths = {len(word) for word in words}
    if len(widths) == 1 and pd.Series(words).str.fullmatch(_DIGITS).all():
        numbers = np.array([int(word) for word in words], dtype=np.int64)
        return _integers("digits", codes >= 0, numbers[codes], width=widths.pop())
    each = [word.encode("utf-8", "surrogatepass") for word in words]
    sizes = np.array([*map(len, each), -1], dtype=np.int64)
    rows = b"".join(each[code] for code in codes if code >= 0)
    return Column({"kind": "text"}, {"values": varints(sizes[codes] + 1), "letters": rows})


def all_fields(gdf: gpd.GeoDataFrame) -> list[Field]:
    """Return every column but the geometry as a field, called as it is."""
    return [
        {"name": str(name), "label": str(name)} for name in gdf.columns if name != gdf.geometry.name
    ]


def with_plain(fields: Sequence[Field], keep: Sequence[str], tooltip: str | None) -> list[Field]:
    """Return the fields, and after them further columns that the page needs."""
    shown = {field["name"] for field in fields}
    others = dict.fromkeys([*keep, *([tooltip] if tooltip else [])])
    return [*fields, *({"name": name, "label": name} for name in others if name not in shown)]  # type: ignore[list-item]


def pack_table(
    gdf: gpd.GeoDataFrame, fields: Sequence[Field]
) -> tuple[list[tuple[dict[str, Any], dict[str, Any]]], dict[str, bytes]]:
    """Return each field with how its column is packed, and the streams of all."""
    table = []
    streams: dict[str, bytes] = {}
    for position, shown in enumerate(fields):
        spec, values = prepared(gdf, shown)
        column = pack_column(values)
        table.append((spec, column.spec))
        streams |= {f"{position}.{name}": held for name, held in column.streams.items()}
    return table, streams
