"""Short summaries of records that hold frames: a line for a terminal, a table for a notebook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence, Sized
from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["Summarised"]

_SHOWN = 60  # characters of a value


class Summarised:
    """What a dataclass says of itself: its fields, frames and arrays by their size alone.

    ``headline`` names the fields that its line tells; all of them if it is empty.
    """

    headline: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        told = [f"{name}: {value}" for name, value in _rows(self, self.headline)]
        return f"<{type(self).__name__} {', '.join(told)}>"

    def _repr_html_(self) -> str:
        body = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th>"
            f"<td style='text-align:left'>{escape(value)}</td></tr>"
            for name, value in _rows(self)
        )
        return f"<strong>{escape(type(self).__name__)}</strong><table>{body}</table>"


def _rows(record: Any, names: Sequence[str] = ()) -> list[tuple[str, str]]:
    instance: DataclassInstance = record
    chosen = names or [field.name for field in fields(instance)]
    return [(name, _told(getattr(record, name))) for name in chosen]


def _told(value: object) -> str:
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index):
        return f"{len(value):,} rows"
    if isinstance(value, np.ndarray):
        return f"{' x '.join(map(str, value.shape))} {value.dtype}"
    if isinstance(value, Mapping):
        sizes = (f"{key} {_size(each)}".strip() for key, each in value.items())
        return _short(f"{len(value)} ({', '.join(sizes)})")
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, tuple | list | set | frozenset) and len(value) > 1:
        return f"{len(value):,}"
    return _short(str(getattr(value, "name", value)))


def _size(value: object) -> str:
    frame = getattr(value, "frame", value)
    return f"{len(frame):,}" if isinstance(frame, Sized) and not isinstance(frame, str) else ""


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
