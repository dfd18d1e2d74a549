"""Values of a layer in words: one way for terminal, ledgers, workbooks, KML, DXF and bulletins.

The pages do the same in the browser (``maps/runtime/src/format.ts``), by what
`gridmap.outputs.maps` tells them of each field; a test holds the two against each other.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from decimal import Decimal

import pandas as pd
from pandas.api.types import is_numeric_dtype

from gridmap import messages
from gridmap.catalog import Field, Layer
from gridmap.leaving import clean
from gridmap.outputs.numbers import number_text

__all__ = [
    "MISSING",
    "exact_text",
    "heading",
    "headings",
    "local_times",
    "number_text",
    "share_text",
    "time_text",
    "words",
    "yes_or_no",
    "zone_of",
]

MISSING = "–"
"""What stands for a figure that is not known, where an empty place would look like a mistake."""


def heading(field: Field, lang: str, zone: str = "") -> str:
    """Return the label of a field with its unit, or with the zone that its times are in.

    Parameters
    ----------
    field : Field
    lang : str
    zone : str
        Left out if it is said elsewhere.
    """
    label = field.label.get(lang)
    more = messages.unit_label(field.unit, lang) if field.unit else ""
    if field.type == "datetime":
        more = zone
    return f"{label} ({more})" if more else label


def headings(layer: Layer, names: Iterable[str], lang: str, zone: str = "") -> dict[str, str]:
    """Return a heading for each field; of two that are alike the later has its name behind it."""
    made: dict[str, str] = {}
    for name in names:
        head = heading(layer.fields[name], lang, zone)
        made[name] = f"{head} [{name}]" if head in made.values() else head
    return made


def words(
    values: pd.Series,
    field: Field,
    lang: str,
    *,
    zone: str = "",
    grouped: bool = True,
    exact: bool = False,
) -> list[str]:
    """Return a column as a person reads it, empty where there is no value.

    Parameters
    ----------
    values : Series
        Of the type of the field; what is text already stays, without control characters.
    field : Field
    lang : str
    zone : str
        The city's; without one, times are told in the zone that they have.
    grouped : bool
        Whether thousands are set apart. A program that reads ``1,234`` takes it for text, so
        files of numbers have none.
    exact : bool
        Whether numbers keep all their digits, ungrouped, and times their seconds: for data that
        are read again.
    """
    there = values.notna().to_numpy(dtype=bool)
    known = values[there]
    if field.categories:
        labels = {key: label.get(lang) for key, label in field.categories.items()}
        texts = [labels.get(str(value), str(value)) for value in known]
    elif field.type == "datetime" and known.dtype.kind == "M":
        texts = [time_text(moment, seconds=exact) for moment in local_times(known, zone)]
    elif field.type == "boolean":
        texts = [
            yes_or_no(value, lang) if value in (True, False) else str(value) for value in known
        ]
    elif exact and field.type in ("integer", "number") and is_numeric_dtype(known):
        texts = [exact_text(value) for value in known.tolist()]
    elif field.type in ("integer", "number") and is_numeric_dtype(known):
        places = field.decimals if field.type == "number" else 0
        texts = [number_text(value, places, grouped=grouped) for value in known.tolist()]
    else:
        texts = [str(value) for value in known]
    found = iter(texts)
    return [clean(next(found)) if has else "" for has in there]


def share_text(value: float, decimals: int = 1, *, signed: bool = False) -> str:
    """Return a share of one in per cent.

    Examples
    --------
    >>> share_text(0.375), share_text(0.02, 0, signed=True)
    ('37.5%', '+2%')
    """
    text = number_text(100 * value, decimals, signed=signed)
    return f"{text}%" if text else ""


def exact_text(value: float) -> str:
    """Return a number with all its digits, in as few as tell it from any other.

    Examples
    --------
    >>> exact_text(0.1), exact_text(12.0), exact_text(1e-7), exact_text(12345678)
    ('0.1', '12', '0.0000001', '12345678')
    """
    if not math.isfinite(value):
        return ""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_text(moment: dt.datetime, *, seconds: bool = False) -> str:
    """Return a time to the minute, or second, as its own clock shows it.

    Examples
    --------
    >>> import datetime as dt
    >>> time_text(dt.datetime(2026, 1, 31, 14, 5)), time_text(dt.datetime(1, 1, 1))
    ('2026-01-31 14:05', '0001-01-01 00:00')
    """
    clock = moment.replace(tzinfo=None)  # of strftime the digits of a year depend on the system
    return clock.isoformat(" ", "seconds" if seconds else "minutes")


def yes_or_no(value: object, lang: str) -> str:
    """Return what a truth is called."""
    return messages.text("browser.yes" if value else "browser.no", lang)


def local_times(times: pd.Series, zone: str = "") -> pd.Series:
    """Return times by the clock of a zone; those without a zone are by the city's already."""
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        return times
    moved = times.dt.tz_convert(zone) if zone else times
    clock: pd.Series = moved.dt.tz_localize(None)
    return clock


def zone_of(frame: pd.DataFrame) -> str:
    """Return the zone of a frame's times; nothing if they have none."""
    zones = [kind.tz for kind in frame.dtypes if isinstance(kind, pd.DatetimeTZDtype)]
    return str(zones[0]) if zones else ""
