"""Times as people and programs write them, each row by itself; what is ambiguous is no time."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["FORMATS", "OPEN_END_YEAR", "read_times"]

FORMATS = {"excel": "excel", "epoch_s": "s", "epoch_ms": "ms"}
"""Words that stand for a `format` in a city file where strptime has none."""

OPEN_END_YEAR = 9000
"""Years from here on stand for an end that is open, as 9999-12-31 does."""

# Numbers are times where they lie in these years; a case before 1990 is a mistake of its source.
_FIRST, _LAST = 1990, 2100
_EXCEL_DAY_0 = np.datetime64("1899-12-30", "us")
_DAY_US = 86_400_000_000

_CLOCK = (
    r"(?P<before>上午|下午|中午|凌晨|早上|晚上|[AaPp]\.?[Mm]\.?)?\s*"
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,](?P<part>\d{1,9}))?)?"
    r"\s*(?P<after>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<offset>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
)
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})([-/.])(?P<month>\d{{1,2}})\2(?P<day>\d{{1,2}})(?:[T\s]\s*{_CLOCK})?"
)
_YEAR_LAST = re.compile(
    rf"(?P<first>\d{{1,2}})([-/.])(?P<then>\d{{1,2}})\2(?P<year>\d{{4}})(?:[T\s,]\s*{_CLOCK})?"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})?(\d{2})?)?")
_CHINESE = str.maketrans(
    {"年": "-", "月": "-", "日": " ", "号": " ", "时": ":", "点": ":", "分": ":"}
)
_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?"
_ISO_MOMENT = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})"
_FORMS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日",
    "%Y.%m.%d",
)
_NONE = np.iinfo(np.int64).min
_FAR = 2.5e17  # microseconds: the year 9892
_HOURS = 10
_LATE = {"下午", "晚上", "中午"}

Micros = npt.NDArray[np.int64]


def read_times(text: pd.Series, form: str, timezone: str) -> tuple[pd.Series, pd.Series]:
    """Read times.

    Parameters
    ----------
    text : Series of string, shape (n,)
    form : str
        As of ``strptime``, or one of `FORMATS`; empty for the usual forms, told apart row by row:
        year first, or the year last where only one order of day and month is possible; 8, 12 or
        14 digits; seconds or milliseconds since 1970; days of Excel; with an offset or without.
    timezone : str
        Of those without an offset. An hour that the clocks skip counts as the next one, one that
        they repeat as the first.

    Returns
    -------
    times : Series of datetime, aware, shape (n,)
        Missing where there is a reason; those of an open end are in `OPEN_END_YEAR` or later.
    reasons : Series of string, shape (n,)
        ``no_time``, ``ambiguous_time``, or empty.

    Examples
    --------
    >>> from gridmap.sources.times import read_times
    >>> text = ["2025-03-01 24:00", "2025年3月1日 下午3:20", "1740787200", "01/03/2025"]
    >>> times, reasons = read_times(pd.Series(text, dtype="string"), "", "Asia/Shanghai")
    >>> times.dt.strftime("%m-%d %H:%M").to_list()
    ['03-02 00:00', '03-01 15:20', '03-01 08:00', nan]
    >>> reasons.to_list()
    ['', '', '', 'ambiguous_time']
    """
    micros = np.full(len(text), _NONE, dtype=np.int64)
    exact = np.zeros(len(text), dtype=np.bool_)  # in UTC; others are in the zone
    reasons = np.full(len(text), "", dtype=object)
    given = text.notna().to_numpy()
    if form and form not in FORMATS:
        micros, exact = _formatted(text, form)
    elif form:
        micros[given], exact[given] = _counted(text[given], FORMATS[form])
    else:
        micros, exact = _usual(text)
        for row in np.flatnonzero(given & (micros == _NONE)):
            micros[row], exact[row], reasons[row] = _read(str(text.iloc[row]))
    reasons[given & (micros == _NONE) & (reasons == "")] = "no_time"
    return _aware(micros, exact, timezone, text.index), pd.Series(reasons, index=text.index)


def _aware(
    micros: Micros, exact: npt.NDArray[np.bool_], timezone: str, index: pd.Index
) -> pd.Series:
    local = pd.Series(micros.view("datetime64[us]"), index=index)
    first = np.ones(len(local), dtype=bool)
    times = local.dt.tz_localize(timezone, nonexistent="shift_forward", ambiguous=first)
    if exact.any():
        times = times.where(~exact, local.dt.tz_localize("UTC").dt.tz_convert(timezone))
    return times


def _as_micros(times: pd.Series) -> Micros:
    found: Micros = times.astype("datetime64[us]").to_numpy().view(np.int64)
    return found


def _formatted(text: pd.Series, form: str) -> tuple[Micros, npt.NDArray[np.bool_]]:
    """Read by a form; one with an offset (%z) gives moments."""
    if "%z" in form.lower():
        moments = pd.to_datetime(text, format=form, errors="coerce", utc=True)
        return _as_micros(moments.dt.tz_localize(None)), np.ones(len(text), dtype=np.bool_)
    local = pd.to_datetime(text, format=form, errors="coerce")
    return _as_micros(local), np.zeros(len(text), dtype=np.bool_)


def _usual(text: pd.Series) -> tuple[Micros, npt.NDArray[np.bool_]]:
    """Read the forms of whole columns at once; those rows alone that cannot be anything else."""
    micros = np.full(len(text), _NONE, dtype=np.int64)
    exact = np.zeros(len(text), dtype=np.bool_)
    plain = text.str.fullmatch(_ISO).fillna(False).to_numpy(dtype=np.bool_)
    moment = text.str.fullmatch(_ISO_MOMENT).fillna(False).to_numpy(dtype=np.bool_)
    micros[plain] = _as_micros(pd.to_datetime(text[plain], format="ISO8601", errors="coerce"))
    moments = pd.to_datetime(text[moment], format="ISO8601", errors="coerce", utc=True)
    micros[moment], exact[moment] = _as_micros(moments.dt.tz_localize(None)), True
    for form in _FORMS:
        left = text.notna().to_numpy() & (micros == _NONE)
        if not left.any():
            break
        micros[left] = _as_micros(pd.to_datetime(text[left], format=form, errors="coerce"))
    exact &= micros != _NONE
    return micros, exact


def _counted(text: pd.Series, unit: str) -> tuple[Micros, npt.NDArray[np.bool_]]:
    """Read days of Excel, or seconds or milliseconds since 1970."""
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if unit == "excel":
        scale, start = float(_DAY_US), int(_EXCEL_DAY_0.astype(np.int64))
    else:
        scale, start = (1e6 if unit == "s" else 1e3), 0
    known = np.isfinite(numbers) & (np.abs(numbers) * scale < _FAR)
    micros = np.full(len(text), _NONE, dtype=np.int64)
    # Excel counts in doubles: a thousandth of a second is what they hold.
    micros[known] = np.round(numbers[known] * scale / 1000).astype(np.int64) * 1000 + start
    return micros, np.full(len(text), unit != "excel")


def _read(text: str) -> tuple[int, bool, str]:
    """Return a time in microseconds since 1970, whether it is in UTC, and why it is none."""
    plain = unicodedata.normalize("NFKC", text).translate(_CHINESE)
    said = " ".join(plain.split()).strip(": ").replace("- ", " ")
    found = _YEAR_FIRST.fullmatch(said)
    if found:
        year, month, day = (int(found[key]) for key in ("year", "month", "day"))
        return _moment(year, month, day, found)
    found = _YEAR_LAST.fullmatch(said)
    if found:
        one, two, year = (int(found[key]) for key in ("first", "then", "year"))
        orders = {
            (day, month) for day, month in ((one, two), (two, one)) if _is_day(year, month, day)
        }
        if len(orders) > 1:
            return _NONE, False, "ambiguous_time"
        return _moment(year, *next(iter(orders))[::-1], found) if orders else (_NONE, False, "")
    return _number(said)


def _number(said: str) -> tuple[int, bool, str]:
    """Read digits: what they can be in the years of cases, if that is one thing alone."""
    readings: set[tuple[int, bool]] = set()
    found = _COMPACT.fullmatch(said)
    if found and len(said) in (8, 12, 14, 15):
        parts = [int(part or 0) for part in found.groups()]
        if _is_day(*parts[:3]) and _FIRST <= parts[0] <= _LAST:
            micros = _micros(*parts)
            readings |= {(micros, False)} if micros != _NONE else set()
    try:
        number = float(said)
    except ValueError:
        return _NONE, False, ""
    for scale, start, exact in ((1e6, 0, True), (1e3, 0, True), (float(_DAY_US), _EXCEL, False)):
        if abs(number * scale) < _FAR:
            micros = round(number * scale / 1000) * 1000 + start
            if _SPAN[0] <= micros < _SPAN[1]:
                readings.add((micros, exact))
    if len(said) == _HOURS and found and _is_day(*(int(part) for part in found.groups()[:3])):
        readings.add((_NONE, False))  # year to hour, or seconds: nobody can tell
    if len(readings) > 1:
        return _NONE, False, "ambiguous_time"
    return (*next(iter(readings)), "") if readings else (_NONE, False, "")


_EXCEL = int(_EXCEL_DAY_0.astype(np.int64))
_SPAN = tuple(
    int(np.datetime64(f"{year}-01-01", "us").astype(np.int64)) for year in (_FIRST, _LAST + 1)
)


def _is_day(year: int, month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _days(year, month)  # noqa: PLR2004 - months


def _days(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _moment(year: int, month: int, day: int, found: re.Match[str]) -> tuple[int, bool, str]:
    if not _is_day(year, month, day):
        return _NONE, False, ""
    hour, minute, second = (int(found[key] or 0) for key in ("hour", "minute", "second"))
    word = (found["after"] or found["before"] or "").replace(".", "").lower()
    if word:
        hour = _of_half(hour, word)
    micros = _micros(year, month, day, hour, minute, second)
    if micros == _NONE:
        return _NONE, False, ""
    micros += int((found["part"] or "0").ljust(6, "0")[:6])
    offset = found["offset"]
    if offset is None:
        return micros, False, ""
    return micros - _offset(offset), True, ""


def _of_half(hour: int, word: str) -> int:
    """Return the hour of the day from one of a half of it; 24 and more is none."""
    late = word in _LATE or word.startswith("p")
    if hour > 12:  # noqa: PLR2004 - of the clock
        return hour if late and word in _LATE else 99  # 下午15:20 is said too
    if word in ("中午",) and hour in (11, 12):
        return hour
    return hour % 12 + (12 if late else 0)


def _micros(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Return a time in microseconds; midnight may be hour 24 of the day before."""
    whole = hour == 24 and minute == second == 0  # noqa: PLR2004 - of the day
    if not (whole or hour < 24) or minute > 59 or second > 59:  # noqa: PLR2004 - of the clock
        return _NONE
    days = int(np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "D").astype(np.int64))
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000


def _offset(text: str) -> int:
    if text[0] not in "+-":
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (minutes if text[0] == "+" else -minutes) * 60_000_000
