import datetime as dt

import numpy as np
import pandas as pd
import pytest
from chinese_calendar import is_workday

from gridmap.analysis.cases.calendars import (
    ChineseHolidays,
    EveryWeek,
    day_table,
    make_calendar,
)
from gridmap.errors import ConfigError, ConformError

HOUR = 3_600_000_000


def worked(first: int, last: int, **given: object) -> dict[dt.date, bool]:
    table = day_table(make_calendar(**given), first, last)  # type: ignore[arg-type]
    days = pd.to_datetime(np.arange(len(table.worked)) + table.first, unit="D")
    return {day.date(): bool(is_on) for day, is_on in zip(days, table.worked, strict=True)}


def test_every_day_that_the_package_knows_is_worked_as_it_says() -> None:
    found = worked(2004, 2026)
    assert len(found) == 8401
    assert {day for day, on in found.items() if on} == {day for day in found if is_workday(day)}


def test_a_make_up_workday_has_the_hours_of_a_weekday_unless_given() -> None:
    usual = day_table(make_calendar(), 2024, 2024)
    short = day_table(make_calendar(make_up="09:00-12:00"), 2024, 2024)
    sunday = (dt.date(2024, 2, 4) - dt.date(2024, 1, 1)).days
    assert usual.closes[sunday] - usual.opens[sunday] == 8.5 * HOUR
    assert short.closes[sunday] - short.opens[sunday] == 3 * HOUR
    assert (usual.before[-1] - short.before[-1]) == 8 * 4 * HOUR


def test_a_users_days_override_the_holidays() -> None:
    days = pd.DataFrame(
        {
            "date": ["2024-02-12", "2024-02-19", "2024-02-20"],
            "working": [True, False, True],
            "hours": [None, None, "10:00-11:00"],
        }
    )
    table = day_table(make_calendar(days=days), 2024, 2024)
    at = {day: day - 1 + 31 for day in (12, 19, 20)}
    assert table.worked[at[12]]
    assert not table.worked[at[19]]
    assert table.closes[at[20]] - table.opens[at[20]] == HOUR


def test_one_local_day_does_not_make_a_year_known() -> None:
    days = pd.DataFrame({"date": ["2031-03-03"], "working": [False]})
    assert not make_calendar(days=days).knows(2031)
    assert make_calendar(days=days, complete=[2031]).knows(2031)
    assert not day_table(make_calendar(days=days), 2031, 2031).worked.any()


def test_holidays_know_their_years() -> None:
    assert ChineseHolidays().knows(2026)
    assert not ChineseHolidays().knows(1999)
    assert ChineseHolidays().exceptions(2024)[dt.date(2024, 2, 18)] is True
    assert EveryWeek().knows(1999)


def test_a_period_over_a_change_of_the_clock_has_an_hour_more_or_less() -> None:
    """2015 in Boston: 8 March has 23 hours, 1 November 25."""
    calendar = make_calendar("America/New_York", holidays=EveryWeek(), hours={"sun": "00:00-24:00"})
    table = day_table(calendar, 2015, 2015)
    length = (table.ends - table.begins) / HOUR
    assert sorted(set(length)) == [23, 24, 25]
    assert (length == 23).sum() == (length == 25).sum() == 1


@pytest.mark.parametrize(
    "hours", ["9-12", "12:00-09:00", "09:00-12:00 11:00-13:00", "09:60-12:00", "20:00-24:30", "x"]
)
def test_hours_that_cannot_be_are_refused(hours: str) -> None:
    with pytest.raises(ConfigError, match="are no working hours"):
        make_calendar(hours={"mon": hours})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"zone": "Asia/Nowhere"}, "no time zone"),
        ({"hours": {"monday": "09:00-12:00"}}, "no day of the week"),
        ({"hours": {}}, "No day of the week has working hours"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        make_calendar(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "days",
    [
        {"date": ["2024-01-01"]},
        {"date": ["2024-01-01", "2024-01-01"], "working": [True, False]},
        {"date": ["soon"], "working": [True]},
        {"date": ["2024-01-01"], "working": ["maybe"]},
    ],
)
def test_a_table_of_days_that_cannot_be_is_refused(days: dict[str, list[object]]) -> None:
    with pytest.raises(ConformError, match="The table of days"):
        make_calendar(days=pd.DataFrame(days))
