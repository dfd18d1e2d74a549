"""Times as people and programs write them."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.sources.times import read_times

ZONE = "Asia/Shanghai"


def read(*texts: str, form: str = "") -> list[str]:
    """Return each time in the zone to the second, or why it is none."""
    times, why = read_times(pd.Series(texts, dtype="string"), form, ZONE)
    return [
        reason or time.strftime("%Y-%m-%d %H:%M:%S")
        for time, reason in zip(times, why, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-03-01", "2025-03-01 00:00:00"),
        ("2025-3-1", "2025-03-01 00:00:00"),
        ("2025/3/1 8:5", "2025-03-01 08:05:00"),
        ("2025.03.01 08:05", "2025-03-01 08:05:00"),
        ("2025-03-01T08:05:09.123", "2025-03-01 08:05:09"),
        ("2025年3月1日", "2025-03-01 00:00:00"),
        ("2025年3月1日 8时05分", "2025-03-01 08:05:00"),
        ("2025年3月1日8点5分", "2025-03-01 08:05:00"),
        ("2025-03-01 24:00", "2025-03-02 00:00:00"),
        ("2025-12-31 24:00:00", "2026-01-01 00:00:00"),
        ("2025/3/1 下午3:20", "2025-03-01 15:20:00"),
        ("2025/3/1 上午12:20", "2025-03-01 00:20:00"),
        ("2025-03-01 3:20 PM", "2025-03-01 15:20:00"),
        ("2025-03-01 12:20 a.m.", "2025-03-01 00:20:00"),
        ("03/25/2025 08:05:00 AM", "2025-03-25 08:05:00"),
        ("25.03.2025 08:05", "2025-03-25 08:05:00"),
        ("03/03/2025", "2025-03-03 00:00:00"),
        ("20250301", "2025-03-01 00:00:00"),
        ("202503010805", "2025-03-01 08:05:00"),
        ("20250301080500", "2025-03-01 08:05:00"),
        ("1740787200", "2025-03-01 08:00:00"),
        ("1740787200000", "2025-03-01 08:00:00"),
        ("45717.5", "2025-03-01 12:00:00"),
        ("45717", "2025-03-01 00:00:00"),
        ("2025-03-01T00:05:00Z", "2025-03-01 08:05:00"),
        ("2025-03-01 00:05:00+00:00", "2025-03-01 08:05:00"),
        ("2025-03-01 00:05 -0500", "2025-03-01 13:05:00"),
        ("2025/3/1 8:05+08", "2025-03-01 08:05:00"),
        ("1985-06-01", "1985-06-01 00:00:00"),
        ("9999-12-31", "9999-12-31 00:00:00"),
    ],
)
def test_a_time_is_read(text: str, moment: str) -> None:
    assert read(text) == [moment]


@pytest.mark.parametrize(
    "text",
    [
        "yesterday", "2025", "2025-03", "202503", "2025-13-45", "2025-02-30", "25-03-01",
        "2025-03-01 24:01", "2025-03-01 25:00", "2025-03-01 08:60", "2025-03-01 15:20 PM", "8:05",
        "20251301", "7", "-1", "nan", "inf", "1e400", "2025-03/01", "31/11/2025",
    ],
)  # fmt: skip
def test_what_is_no_time_is_told(text: str) -> None:
    assert read(text) == ["no_time"]


@pytest.mark.parametrize("text", ["01-03-2025", "03/01/2025 08:05", "2025030108"])
def test_what_may_be_two_times_is_not_guessed(text: str) -> None:
    assert read(text) == ["ambiguous_time"]


def test_every_row_is_read_by_itself() -> None:
    mixed = [
        "2025-03-01T00:05:00Z",
        "2025-03-01 08:05:00",
        "yesterday",
        "2025-03-01T08:05:00+08:00",
    ]
    at = "2025-03-01 08:05:00"
    assert read(*mixed) == [at, at, "no_time", at]
    assert read("2025-03-01 08:05:00", "01-03-2025", "2025/3/2") == [
        at, "ambiguous_time", "2025-03-02 00:00:00"
    ]  # fmt: skip


def test_a_format_decides() -> None:
    assert read("01-03-2025", "13-03-2025", form="%d-%m-%Y") == [
        "2025-03-01 00:00:00", "2025-03-13 00:00:00"
    ]  # fmt: skip
    assert read("2025-03-01", form="%d-%m-%Y") == ["no_time"]
    assert read("2025-03-01T08:05:00.000Z", form="%Y-%m-%dT%H:%M:%S.000Z") == [
        "2025-03-01 08:05:00"
    ]
    assert read("01/03/2025 00:05 +0000", form="%d/%m/%Y %H:%M %z") == ["2025-03-01 08:05:00"]
    assert read("45717.25", "x", form="excel") == ["2025-03-01 06:00:00", "no_time"]
    assert read("0", form="epoch_s") == ["1970-01-01 08:00:00"]
    assert read("1740787200000", form="epoch_ms") == ["2025-03-01 08:00:00"]


def test_missing_cells_have_no_reason() -> None:
    times, why = read_times(pd.Series([None, "2025-03-01"], dtype="string"), "", ZONE)
    assert times.isna().to_list() == [True, False]
    assert why.to_list() == ["", ""]


def test_hours_that_the_clocks_skip_or_repeat() -> None:
    text = pd.Series(["2025-03-30 02:30", "2025-10-26 02:30", "2025/10/26 2:30"], dtype="string")
    times, _ = read_times(text, "", "Europe/Madrid")
    assert times.dt.tz_convert("UTC").dt.strftime("%H:%M").to_list() == ["01:00", "00:30", "00:30"]


@given(st.datetimes(pd.Timestamp("1990-01-01"), pd.Timestamp("2100-12-31")), st.integers(0, 5))
def test_every_form_of_one_moment_is_the_same_time(moment: pd.Timestamp, form: int) -> None:
    moment = pd.Timestamp(moment).floor("s")
    forms = ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S", "%Y%m%d%H%M%S",
             "%Y-%m-%dT%H:%M:%S", "%Y.%m.%d %I:%M:%S %p"]  # fmt: skip
    assert read(moment.strftime(forms[form])) == [moment.strftime("%Y-%m-%d %H:%M:%S")]
