"""The clock. The table of deadlines was derived by hand from the notices of the State Council.

Working hours are 09:00-12:00 and 13:30-17:30, seven hours a day. Worked weekends and holidays:

2024  holidays 1 Jan, 10-17 Feb, 4-6 Apr, 1-5 May, 10 Jun, 15-17 Sep, 1-7 Oct;
      worked Sun 4 and 18 Feb, Sun 7 Apr, Sun 28 Apr, Sat 11 May, Sat 14 Sep, Sun 29 Sep, Sat 12 Oct
2025  holidays 1 Jan, 28 Jan - 4 Feb, 4-6 Apr, 1-5 May, 31 May - 2 Jun, 1-8 Oct;
      worked Sun 26 Jan, Sat 8 Feb, Sun 27 Apr, Sun 28 Sep, Sat 11 Oct
2026  holidays 1-3 Jan, 15-23 Feb, 4-6 Apr, 1-5 May, 19-21 Jun, 25-27 Sep, 1-7 Oct;
      worked Sun 4 Jan, Sat 14 and 28 Feb, Sat 9 May, Sun 20 Sep, Sat 10 Oct
"""

import datetime as dt
import re
import time
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from chinese_calendar import is_workday
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import messages
from gridmap.analysis.cases import deadlines
from gridmap.analysis.cases.calendars import WEEKDAYS, EveryWeek, make_calendar
from gridmap.analysis.cases.clock import (
    UNITS,
    Rule,
    check_stops,
    days_between,
    deadline,
    deadline_or_year,
    working_time,
)
from gridmap.analysis.cases.deadlines import (
    case_deadlines,
    check_times,
    explain,
    find_limits,
    ledger_deadline,
    look_back,
    urgency,
)
from gridmap.errors import ConformError

ZONE = "Asia/Shanghai"
CHINA = make_calendar()
BOSTON = make_calendar(
    "America/New_York", holidays=EveryWeek(), hours=dict.fromkeys(WEEKDAYS, "00:00-24:00")
)

WH, WD, UH, ND = "working_hours", "working_days", "urgent_hours", "natural_days"

# opened, amount, unit, due
TABLE = [
    # Spring Festival 2024: Sat 10 - Sat 17 Feb; Sun 4 and Sun 18 Feb are worked.
    ("2024-02-09 10:00", 2, WH, "2024-02-09 12:00"),
    ("2024-02-09 11:00", 2, WH, "2024-02-09 14:30"),
    ("2024-02-09 17:00", 1, WH, "2024-02-18 09:30"),
    ("2024-02-10 12:00", 4, WH, "2024-02-18 14:30"),
    ("2024-02-08 13:30", 14, WH, "2024-02-18 12:00"),
    ("2024-02-03 20:00", 1, WH, "2024-02-04 10:00"),
    ("2024-02-16 09:00", 8, WH, "2024-02-19 10:00"),
    ("2024-02-09 10:00", 1, WD, "2024-02-18 17:30"),
    ("2024-02-09 10:00", 2, WD, "2024-02-19 17:30"),
    ("2024-02-02 15:00", 1, WD, "2024-02-04 17:30"),
    ("2024-02-02 15:00", 6, WD, "2024-02-09 17:30"),
    ("2024-02-02 15:00", 7, WD, "2024-02-18 17:30"),
    ("2024-02-12 08:00", 3, WD, "2024-02-20 17:30"),
    ("2024-02-09 22:00", 24, UH, "2024-02-10 22:00"),
    ("2024-02-09 17:00", 72, UH, "2024-02-12 17:00"),
    ("2024-02-09 10:00", 3, ND, "2024-02-13 00:00"),
    # Qingming 2024: Thu 4 - Sat 6 Apr; Sun 7 Apr is worked.
    ("2024-04-03 16:30", 2, WH, "2024-04-07 10:00"),
    ("2024-04-03 16:30", 1, WD, "2024-04-07 17:30"),
    ("2024-04-04 10:00", 2, WD, "2024-04-08 17:30"),
    ("2024-04-05 09:00", 1, ND, "2024-04-07 00:00"),
    # Labour Day 2024: Wed 1 - Sun 5 May; Sun 28 Apr and Sat 11 May are worked.
    ("2024-04-26 17:00", 1, WH, "2024-04-28 09:30"),
    ("2024-04-26 09:00", 3, WD, "2024-04-30 17:30"),
    ("2024-04-26 09:00", 4, WD, "2024-05-06 17:30"),
    ("2024-04-30 14:30", 7, WH, "2024-05-06 14:30"),
    ("2024-05-10 12:00", 7, WH, "2024-05-11 12:00"),
    ("2024-05-10 12:00", 2, WD, "2024-05-13 17:30"),
    ("2024-05-01 00:30", 48, UH, "2024-05-03 00:30"),
    # Dragon Boat 2024: Mon 10 Jun.
    ("2024-06-07 13:00", 5, WH, "2024-06-11 10:00"),
    ("2024-06-07 13:00", 1, WD, "2024-06-11 17:30"),
    # Mid-Autumn 2024: Sun 15 - Tue 17 Sep; Sat 14 Sep is worked.
    ("2024-09-13 17:30", 3, WH, "2024-09-14 12:00"),
    ("2024-09-13 17:30", 2, WD, "2024-09-18 17:30"),
    ("2024-09-14 16:00", 3, WH, "2024-09-18 10:30"),
    # National Day 2024: Tue 1 - Mon 7 Oct; Sun 29 Sep and Sat 12 Oct are worked.
    ("2024-09-27 10:00", 2, WD, "2024-09-30 17:30"),
    ("2024-09-27 10:00", 3, WD, "2024-10-08 17:30"),
    ("2024-09-30 16:00", 10, WH, "2024-10-09 10:30"),
    ("2024-10-11 13:30", 8, WH, "2024-10-12 14:30"),
    ("2024-10-11 13:30", 5, WD, "2024-10-17 17:30"),
    ("2024-09-30 12:00", 168, UH, "2024-10-07 12:00"),
    # New Year 2025: Wed 1 Jan.
    ("2024-12-31 17:00", 1, WH, "2025-01-02 09:30"),
    ("2024-12-31 17:00", 1, WD, "2025-01-02 17:30"),
    ("2024-12-30 09:00", 5, WD, "2025-01-07 17:30"),
    # Spring Festival 2025: Tue 28 Jan - Tue 4 Feb; Sun 26 Jan and Sat 8 Feb are worked.
    ("2025-01-24 16:30", 2, WH, "2025-01-26 10:00"),
    ("2025-01-24 16:30", 3, WD, "2025-02-05 17:30"),
    ("2025-01-27 13:30", 6, WH, "2025-02-05 11:00"),
    ("2025-02-07 10:00", 1, WD, "2025-02-08 17:30"),
    ("2025-01-27 23:59", 1, ND, "2025-01-29 00:00"),
    # Qingming 2025: Fri 4 - Sun 6 Apr.
    ("2025-04-03 17:15", 0.5, WH, "2025-04-07 09:15"),
    ("2025-04-03 17:15", 1, WD, "2025-04-07 17:30"),
    # Labour Day 2025: Thu 1 - Mon 5 May; Sun 27 Apr is worked.
    ("2025-04-25 09:00", 3, WD, "2025-04-29 17:30"),
    ("2025-04-30 17:00", 8, WH, "2025-05-07 09:30"),
    # Dragon Boat 2025: Sat 31 May - Mon 2 Jun.
    ("2025-05-30 12:30", 4, WH, "2025-05-30 17:30"),
    ("2025-05-30 12:30", 4.5, WH, "2025-06-03 09:30"),
    # National Day and Mid-Autumn 2025: Wed 1 - Wed 8 Oct; Sun 28 Sep and Sat 11 Oct are worked.
    ("2025-09-26 11:00", 4, WD, "2025-10-09 17:30"),
    ("2025-09-30 09:00", 7, WH, "2025-09-30 17:30"),
    ("2025-09-30 09:01", 7, WH, "2025-10-09 09:01"),
    ("2025-10-10 11:00", 2, WD, "2025-10-13 17:30"),
    # New Year 2026: Thu 1 - Sat 3 Jan; Sun 4 Jan is worked.
    ("2025-12-31 17:00", 1, WH, "2026-01-04 09:30"),
    ("2025-12-31 17:00", 2, WD, "2026-01-05 17:30"),
    # Spring Festival 2026: Sun 15 - Mon 23 Feb; Sat 14 and Sat 28 Feb are worked.
    ("2026-02-13 09:00", 2, WD, "2026-02-24 17:30"),
    ("2026-02-14 16:00", 2, WH, "2026-02-24 09:30"),
    ("2026-02-27 10:00", 1, WD, "2026-02-28 17:30"),
    ("2026-02-26 10:00", 20, WH, "2026-02-28 17:30"),
    # Qingming 2026: Sat 4 - Mon 6 Apr.
    ("2026-04-03 10:00", 1, WD, "2026-04-07 17:30"),
    # Labour Day 2026: Fri 1 - Tue 5 May; Sat 9 May is worked.
    ("2026-04-30 10:00", 5, WD, "2026-05-11 17:30"),
    ("2026-05-08 17:00", 1.5, WH, "2026-05-09 10:00"),
    # Dragon Boat 2026: Fri 19 - Sun 21 Jun.
    ("2026-06-18 16:30", 1, WH, "2026-06-18 17:30"),
    ("2026-06-18 16:30", 2, WH, "2026-06-22 10:00"),
    # Mid-Autumn 2026: Fri 25 - Sun 27 Sep; Sun 20 Sep is worked.
    ("2026-09-18 10:00", 1, WD, "2026-09-20 17:30"),
    ("2026-09-24 10:00", 3, WD, "2026-09-30 17:30"),
    # National Day 2026: Thu 1 - Wed 7 Oct; Sat 10 Oct is worked.
    ("2026-09-24 10:00", 4, WD, "2026-10-08 17:30"),
    ("2026-09-30 14:30", 5, WH, "2026-10-08 11:00"),
    ("2026-10-09 10:00", 2, WD, "2026-10-12 17:30"),
]

# opened, rule, due
CONVENTIONS = [
    # The day of opening counts if it can be worked on.
    ("2024-02-09 10:00", Rule(2, WD, count_opening_day=True), "2024-02-18 17:30"),
    ("2024-02-10 10:00", Rule(2, WD, count_opening_day=True), "2024-02-19 17:30"),
    ("2024-02-09 18:00", Rule(1, WD, count_opening_day=True), "2024-02-18 17:30"),
    ("2024-02-09 10:00", Rule(1, ND, count_opening_day=True), "2024-02-10 00:00"),
    # No days at all: the day of opening itself, while it can be worked on.
    ("2024-02-09 10:00", Rule(0, WD), "2024-02-09 17:30"),
    ("2024-02-09 18:00", Rule(0, WD), "2024-02-18 17:30"),
    ("2024-02-09 10:00", Rule(0, ND), "2024-02-10 00:00"),
    ("2024-02-10 10:00", Rule(0, WH), "2024-02-10 10:00"),
    # Other ends of the last day.
    ("2024-02-09 10:00", Rule(1, WD, until="midnight"), "2024-02-19 00:00"),
    ("2025-02-07 10:00", Rule(2, WD, until="same_time"), "2025-02-10 10:00"),
    ("2024-02-09 10:00", Rule(3, ND, until="same_time"), "2024-02-12 10:00"),
    # A natural day that is not worked rolls on to one that is.
    ("2024-02-09 10:00", Rule(3, ND, roll=True), "2024-02-19 00:00"),
    ("2024-04-03 09:00", Rule(3, ND, roll=True), "2024-04-08 00:00"),
    ("2024-06-08 10:00", Rule(2, ND, roll=True), "2024-06-12 00:00"),
    ("2025-10-01 10:00", Rule(7, ND, roll=True), "2025-10-10 00:00"),
    ("2024-03-04 10:00", Rule(1, ND, roll=True), "2024-03-06 00:00"),
]


def at(*moments: str | None, zone: str = ZONE) -> pd.Series:
    return pd.Series(pd.to_datetime(list(moments))).dt.as_unit("us").dt.tz_localize(zone)


def moment(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz=ZONE)


def test_deadlines_are_those_worked_out_by_hand() -> None:
    assert len(TABLE) >= 60
    opened, amount, unit, due = (list(column) for column in zip(*TABLE, strict=True))
    rules = pd.DataFrame({"amount": amount, "unit": unit})
    found = deadline(at(*opened), rules, CHINA)
    wrong = found != at(*due)
    assert not wrong.any(), [(*TABLE[i], str(found[i])) for i in np.flatnonzero(wrong)]


@pytest.mark.parametrize("row", range(len(TABLE)))
def test_each_deadline_by_itself(row: int) -> None:
    opened, amount, unit, due = TABLE[row]
    assert deadline(at(opened), Rule(amount, unit), CHINA)[0] == moment(due)


@pytest.mark.parametrize(("opened", "rule", "due"), CONVENTIONS)
def test_conventions(opened: str, rule: Rule, due: str) -> None:
    assert deadline(at(opened), rule, CHINA)[0] == moment(due)


times_2024 = st.datetimes(dt.datetime(2023, 12, 1), dt.datetime(2026, 6, 30))
hours = st.integers(0, 100 * 3600).map(lambda seconds: seconds / 3600)


def minutes_worked(begin: dt.datetime, end: dt.datetime) -> float:
    """The working time by going through every day: the reference."""
    total = 0.0
    day = begin.date()
    while day <= end.date():
        if is_workday(day):
            for first, last in (((9, 0), (12, 0)), ((13, 30), (17, 30))):
                opens = dt.datetime.combine(day, dt.time(*first))
                closes = dt.datetime.combine(day, dt.time(*last))
                spent = (min(end, closes) - max(begin, opens)).total_seconds()
                total += max(spent, 0.0)
        day += dt.timedelta(days=1)
    return total / 60


@settings(max_examples=100)
@given(times_2024, st.timedeltas(dt.timedelta(0), dt.timedelta(days=60)))
def test_working_time_is_that_of_every_day_added_up(
    begin: dt.datetime, length: dt.timedelta
) -> None:
    end = begin + length
    found = working_time(at(str(begin)), at(str(end)), CHINA)[0]
    assert found / pd.Timedelta(minutes=1) == pytest.approx(minutes_worked(begin, end), abs=1e-6)


@settings(max_examples=100)
@given(st.lists(times_2024, min_size=3, max_size=8))
def test_splitting_an_interval_changes_nothing(moments: list[dt.datetime]) -> None:
    parts = [working_time(at(str(a)), at(str(b)), CHINA)[0] for a, b in pairwise(moments)]
    whole = working_time(at(str(moments[0])), at(str(moments[-1])), CHINA)[0]
    assert sum(parts, pd.Timedelta(0)) == whole


@settings(max_examples=100)
@given(times_2024, hours)
def test_a_deadline_gives_its_amount_back_and_is_the_earliest_that_does(
    opened: dt.datetime, amount: float
) -> None:
    begin = at(str(opened))
    due = deadline(begin, Rule(amount, WH), CHINA)
    assert working_time(begin, due, CHINA)[0] == pd.Timedelta(round(amount * 3600), "s")
    assert due[0] >= begin[0]
    if amount > 0:
        just = due - pd.Timedelta(1, "us")
        assert working_time(begin, just, CHINA)[0] < pd.Timedelta(round(amount * 3600), "s")


@settings(max_examples=100)
@given(times_2024, st.integers(1, 60), st.booleans())
def test_a_deadline_in_days_gives_its_days_back(
    opened: dt.datetime, amount: int, working: bool
) -> None:
    begin = at(str(opened))
    rule = Rule(amount, WD) if working else Rule(amount, ND)
    due = deadline(begin, rule, CHINA) - pd.Timedelta(1, "us")
    assert days_between(begin, due, CHINA, working=working)[0] == amount


@settings(max_examples=100)
@given(times_2024, times_2024, st.sampled_from(UNITS), st.integers(0, 50), st.integers(0, 50))
def test_later_openings_and_longer_limits_are_never_due_earlier(
    one: dt.datetime, other: dt.datetime, unit: str, less: int, more: int
) -> None:
    one, other = sorted((one, other))
    less, more = sorted((less, more))
    opened = at(str(one), str(other))
    assert deadline(opened, Rule(less, unit), CHINA).is_monotonic_increasing
    longer = deadline(opened, Rule(more, unit), CHINA)
    assert (longer >= deadline(opened, Rule(less, unit), CHINA)).all()


@settings(max_examples=50)
@given(
    st.datetimes(dt.datetime(2015, 3, 6), dt.datetime(2015, 3, 10)).filter(
        lambda t: not dt.datetime(2015, 3, 8, 2) <= t < dt.datetime(2015, 3, 8, 3)
    ),
    st.integers(0, 200),
)
def test_where_every_hour_is_worked_working_hours_are_hours(
    opened: dt.datetime, amount: int
) -> None:
    begin = at(str(opened), zone="America/New_York")
    worked = deadline(begin, Rule(amount, WH), BOSTON)
    assert worked.equals(deadline(begin, Rule(amount, UH), BOSTON))


def test_days_keep_the_clock_over_its_changes() -> None:
    """8 March 2015 has no 02:30 in Boston; 1 November has two."""
    opened = at("2015-03-07 02:30", "2015-10-31 01:30", zone="America/New_York")
    due = deadline(opened, Rule(1, ND, until="same_time"), BOSTON)
    assert [str(one) for one in due] == ["2015-03-08 03:00:00-04:00", "2015-11-01 01:30:00-04:00"]
    midnight = deadline(opened, Rule(1, ND), BOSTON)
    assert [str(one) for one in midnight] == [
        "2015-03-09 00:00:00-04:00", "2015-11-02 00:00:00-05:00",
    ]  # fmt: skip
    night = deadline(opened, Rule(24, UH), BOSTON)
    assert str(night[0]) == "2015-03-08 03:30:00-04:00"


def test_times_of_another_zone_are_the_same_moments() -> None:
    opened = at("2024-02-09 17:00").dt.tz_convert("UTC")
    due = deadline(opened, Rule(1, WH), CHINA)
    assert due[0] == moment("2024-02-18 09:30")
    assert str(due.dt.tz) == ZONE


def test_what_is_missing_stays_missing() -> None:
    opened = at("2024-03-04 09:00", None, "2024-03-04 09:00")
    rules = pd.DataFrame({"amount": [1.0, 1.0, np.nan], "unit": [WH, WH, None]})
    due = deadline(opened, rules, CHINA)
    assert due.notna().tolist() == [True, False, False]
    assert deadline(at(None), Rule(1, WD), CHINA).isna().all()
    assert working_time(opened, at(None, None, None), CHINA).isna().all()
    assert days_between(opened, opened, CHINA).tolist() == [0, pd.NA, 0]
    assert len(deadline(opened[:0], Rule(1, WD), CHINA)) == 0


def test_rules_of_many_kinds_go_to_their_own_cases() -> None:
    opened = pd.Series(at(*["2024-02-09 10:00"] * 4).array, index=["a", "b", "c", "d"])
    rules = pd.DataFrame(
        {
            "amount": [1, 1, 1, 24],
            "unit": [WD, WD, ND, UH],
            "until": ["", "midnight", "same_time", None],
            "count_opening_day": [False, None, True, None],
        },
        index=opened.index,
    )
    due = deadline(opened, rules, CHINA)
    assert due.to_dict() == {
        "a": moment("2024-02-18 17:30"),
        "b": moment("2024-02-19 00:00"),
        "c": moment("2024-02-09 10:00"),
        "d": moment("2024-02-10 10:00"),
    }


def test_a_year_that_nobody_knows_is_named() -> None:
    with pytest.raises(ConformError, match=r"2027 are worked; update .*chinesecalendar"):
        deadline(at("2026-12-31 10:00"), Rule(1, WD), CHINA)
    with pytest.raises(ConformError, match="1999"):
        working_time(at("1999-05-05 10:00"), at("2024-05-05 10:00"), CHINA)
    assert deadline(at("2026-12-31 10:00"), Rule(1, ND), CHINA)[0] == moment("2027-01-02 00:00")
    assert deadline(at("2026-12-31 10:00"), Rule(1, WH), CHINA)[0] == moment("2026-12-31 11:00")
    due, year = deadline_or_year(at("2026-12-31 10:00", "2026-12-30 10:00"), Rule(1, WD), CHINA)
    assert year.tolist() == [2027, 0]
    assert due.notna().tolist() == [False, True]


def test_a_users_table_makes_a_year_known() -> None:
    days = pd.DataFrame({"date": ["2027-01-01", "2027-01-03"], "working": [False, True]})
    calendar = make_calendar(days=days, complete=[2027])
    assert deadline(at("2026-12-31 10:00"), Rule(1, WD), calendar)[0] == moment("2027-01-03 17:30")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ((1, "weeks"), "no unit"),
        ((-1, WH), "no time limit"),
        ((1.5, WD), "no time limit"),
        ((float("nan"), WH), "no time limit"),
        ((1, WH, "closing"), "cannot end"),
        ((1, ND, "closing"), "cannot end"),
    ],
)
def test_limits_that_cannot_be_are_refused(rule: tuple[object, ...], said: str) -> None:
    with pytest.raises(ConformError, match=said):
        Rule(*rule)  # type: ignore[arg-type]
    columns = ["amount", "unit", "until"][: len(rule)]
    if rule[0] == rule[0]:  # in a table, NaN is no limit
        with pytest.raises(ConformError, match=said):
            deadline(at("2024-03-04 09:00"), pd.DataFrame([rule], columns=columns), CHINA)


def test_times_that_are_none_are_refused() -> None:
    with pytest.raises(ConformError, match="without a time zone"):
        deadline(at("2024-03-04").dt.tz_localize(None), Rule(1, WD), CHINA)
    with pytest.raises(ConformError, match="where times are asked"):
        deadline(pd.Series(["2024-03-04"]), Rule(1, WD), CHINA)
    with pytest.raises(ConformError, match="index"):
        working_time(at("2024-03-04"), at("2024-03-04", None), CHINA)


STOPS = [
    # A Monday of seven hours; paused 10:00-11:00: one hour later.
    ("2024-03-04 09:00", 4, WH, [("2024-03-04 10:00", "2024-03-04 11:00")], "2024-03-04 15:30"),
    # Paused over lunch alone: nothing is lost.
    ("2024-03-04 09:00", 4, WH, [("2024-03-04 12:00", "2024-03-04 13:30")], "2024-03-04 14:30"),
    # The pause puts the deadline behind a second pause, which then counts too.
    ("2024-03-04 09:00", 4, WH, [("2024-03-04 10:00", "2024-03-04 11:00"),
                                 ("2024-03-04 15:00", "2024-03-04 16:00")], "2024-03-04 16:30"),
    # A pause after the deadline changes nothing.
    ("2024-03-04 09:00", 2, WH, [("2024-03-04 11:30", "2024-03-05 11:00")], "2024-03-04 11:00"),
    # Two that overlap are one of 09:30-11:00.
    ("2024-03-04 09:00", 4, WH, [("2024-03-04 09:30", "2024-03-04 10:30"),
                                 ("2024-03-04 10:00", "2024-03-04 11:00")], "2024-03-04 16:00"),
    # Begun before the opening: counts from the opening.
    ("2024-03-04 09:00", 1, WH, [("2024-03-01 09:00", "2024-03-04 10:00")], "2024-03-04 11:00"),
    ("2024-03-04 22:00", 24, UH, [("2024-03-05 01:00", "2024-03-05 04:00")], "2024-03-06 01:00"),
    # Due Thu 7 Mar; paused Tue - Fri takes Wed, Thu and Fri: due Tue 12 Mar.
    ("2024-03-04 09:00", 3, WD, [("2024-03-05 10:00", "2024-03-08 10:00")], "2024-03-12 17:30"),
    ("2024-03-04 09:00", 3, ND, [("2024-03-05 10:00", "2024-03-08 10:00")], "2024-03-11 00:00"),
    # Begun and ended on one day: no day is lost.
    ("2024-03-04 09:00", 3, WD, [("2024-03-05 10:00", "2024-03-05 17:00")], "2024-03-07 17:30"),
    # It lasts still.
    ("2024-03-04 09:00", 3, WD, [("2024-03-05 10:00", None)], None),
    # An end before the beginning has no effect.
    ("2024-03-04 09:00", 4, WH, [("2024-03-04 11:00", "2024-03-04 10:00")], "2024-03-04 14:30"),
]  # fmt: skip


@pytest.mark.parametrize(("opened", "amount", "unit", "pauses", "due"), STOPS)
def test_the_clock_stands_still_in_stops(
    opened: str, amount: int, unit: str, pauses: list[tuple[str, str | None]], due: str | None
) -> None:
    stops = pd.DataFrame(
        {
            "case": 0,
            "begin": at(*[first for first, _ in pauses]),
            "end": at(*[last for _, last in pauses]),
        }
    )
    found = deadline(at(opened), Rule(amount, unit), CHINA, stops=stops)[0]
    assert found is pd.NaT if due is None else found == moment(due)


@settings(max_examples=60)
@given(
    times_2024,
    hours,
    st.lists(st.tuples(st.integers(-48, 300), st.integers(0, 100)), min_size=1, max_size=5),
)
def test_the_time_outside_of_stops_is_the_amount(
    opened: dt.datetime, amount: float, pauses: list[tuple[int, int]]
) -> None:
    begin = at(str(opened))
    first = [begin[0] + pd.Timedelta(hours=start) for start, _ in pauses]
    last = [f + pd.Timedelta(hours=n) for f, (_, n) in zip(first, pauses, strict=True)]
    stops = pd.DataFrame({"case": 0, "begin": first, "end": last})
    due = deadline(begin, Rule(amount, WH), CHINA, stops=stops)
    edges = sorted({begin[0], due[0], *(t for t in first + last if begin[0] < t < due[0])})
    running = pd.Timedelta(0)
    for start, stop in pairwise(edges):
        middle = start + (stop - start) / 2
        if not any(f <= middle < t for f, t in zip(first, last, strict=True)):
            running += working_time(pd.Series([start]), pd.Series([stop]), CHINA)[0]
    assert running == pd.Timedelta(round(amount * 3600), "s")


def test_what_is_wrong_with_stops_is_told() -> None:
    opened = pd.Series(at("2024-03-04 09:00", "2024-03-04 09:00").array, index=["a", "b"])
    stops = pd.DataFrame(
        {
            "case": ["a", "a", "b", "b", "c", "b"],
            "begin": at("2024-03-04 10:00", "2024-03-04 11:00", "2024-03-04 12:00",
                        "2024-03-01 12:00", "2024-03-04 12:00", None),
            "end": at("2024-03-04 12:00", "2024-03-04 13:00", "2024-03-04 11:00",
                      "2024-03-02 12:00", None, None),
        }
    )  # fmt: skip
    found = check_stops(stops, opened)
    assert sorted(zip(found["case"], found["kind"], strict=True)) == [
        ("a", "stop_overlap"),
        ("b", "stop_before_opening"),
        ("b", "stop_no_begin"),
        ("b", "stop_order"),
        ("c", "stop_unknown_case"),
    ]
    assert found["at"].dropna().dt.tz is not None
    assert explain(found).str.contains("2024-03-04 11:00").sum() == 1
    assert len(check_stops(stops[:1], opened)) == 0


LIMITS = pd.DataFrame(
    {
        "category": ["pothole", "pothole", "litter"],
        "stage": ["whole", "handle", "whole"],
        "amount": [5, 8, 4],
        "unit": [WD, WH, UH],
    }
)


def test_limits_by_category_and_stage() -> None:
    spells = pd.DataFrame(
        {
            "case": ["1", "1", "2", "3", "4"],
            "category": ["pothole", "pothole", "litter", "ufo", "litter"],
            "stage": ["whole", "handle", "whole", "whole", "whole"],
            "entered": at(*["2024-02-09 10:00"] * 4, None),
        }
    ).set_axis(list("vwxyz"))
    due, findings = case_deadlines(spells, LIMITS, CHINA)
    assert due["due"].tolist()[:3] == [
        moment("2024-02-22 17:30"), moment("2024-02-18 11:00"), moment("2024-02-09 14:00"),
    ]  # fmt: skip
    assert due["due"][["y", "z"]].isna().all()
    assert list(zip(findings["case"], findings["kind"], findings["detail"], strict=True)) == [
        ("3", "unknown_category", "ufo"), ("4", "no_opening", ""),
    ]  # fmt: skip
    assert "ufo" in explain(findings)[0]
    assert "ufo" in explain(findings, "zh")[0]


def test_a_star_is_for_all_other_categories() -> None:
    limits = pd.concat(
        [LIMITS, pd.DataFrame({"category": ["*"], "stage": ["whole"], "amount": [1], "unit": [WD]})]
    )
    found = find_limits(pd.Series(["ufo", "litter"]), "whole", limits)
    assert found["amount"].tolist() == [1, 4]
    with pytest.raises(ConformError, match="litter whole stand twice"):
        find_limits(pd.Series(["x"]), "whole", pd.concat([LIMITS, LIMITS[2:]]))
    with pytest.raises(ConformError, match="no column 'unit'"):
        find_limits(pd.Series(["x"]), "whole", LIMITS.drop(columns="unit"))


def test_stops_hold_for_each_stage_of_their_case() -> None:
    spells = pd.DataFrame(
        {
            "case": ["1", "1", "2"],
            "category": ["pothole", "pothole", "litter"],
            "stage": ["whole", "handle", "whole"],
            "entered": at(*["2024-03-04 09:00"] * 3),
        }
    )
    stops = pd.DataFrame(
        {"case": ["1", "9"], "begin": at(*["2024-03-04 10:00"] * 2), "end": at("2024-03-05 10:00",
         "2024-03-05 10:00")}
    )  # fmt: skip
    due, findings = case_deadlines(spells, LIMITS, CHINA, stops=stops)
    assert due["due"].tolist() == [
        moment("2024-03-12 17:30"), moment("2024-03-06 10:00"), moment("2024-03-04 13:00"),
    ]  # fmt: skip
    assert findings["kind"].tolist() == ["stop_unknown_case"]


def test_a_row_in_an_unknown_year_stops_no_other() -> None:
    spells = pd.DataFrame(
        {
            "case": ["1", "2"],
            "category": "pothole",
            "entered": at("2026-12-31 09:00", "2024-03-04 09:00"),
        }
    )
    due, findings = case_deadlines(spells, LIMITS, CHINA)
    assert due["due"].notna().tolist() == [False, True]
    assert findings[["case", "kind", "detail"]].to_numpy().tolist() == [
        ["1", "unknown_year", "2027"]
    ]


def test_the_same_day_else_three_days_after_entry_in_the_ledger() -> None:
    opened = at(*["2024-02-09 10:00"] * 4)
    entered = at(None, "2024-02-09 16:00", "2024-02-09 16:00", "2024-02-08 16:00")
    found = ledger_deadline(opened, entered, CHINA)
    assert found.tolist() == [
        moment("2024-02-10 00:00"),
        moment("2024-02-13 00:00"),
        moment("2024-02-13 00:00"),
        moment("2024-02-10 00:00"),
    ]
    working = ledger_deadline(opened, entered, CHINA, rule=Rule(3, WD))
    assert working[1] == moment("2024-02-20 17:30")


def test_impossible_times_are_told_and_nothing_else() -> None:
    cases = pd.DataFrame(
        {
            "opened": at("2024-02-09 10:00", "2024-02-09 10:00", "2024-02-09 10:00", None),
            "due": at("2024-02-08 10:00", "2024-02-09 10:00", None, "2024-02-09 10:00"),
            "closed": at(None, "2024-02-09 09:59", "2024-02-09 10:00", None),
            "entered": at("2024-02-09 10:00", "2024-02-10 10:00", "2024-02-08 10:00", None),
        }
    ).set_axis(["a", "b", "c", "d"])
    found = check_times(cases)
    assert set(zip(found["case"], found["kind"], strict=True)) == {
        ("a", "due_before_opening"),
        ("b", "closed_before_opening"),
        ("b", "entry_late"),
        ("c", "entry_before_opening"),
        ("d", "no_opening"),
    }
    assert len(found) == 5


def test_overdue_due_soon_and_the_rest() -> None:
    cases = pd.DataFrame(
        {
            "deadline": at("2024-02-09 17:30", "2024-02-09 17:30", "2024-02-09 17:30", None, None,
                      "2024-02-18 17:30", "2024-02-19 11:00", "2024-02-09 17:30"),
            "closed": at("2024-02-09 17:30", "2024-02-18 10:00", None, None, "2024-02-09 10:00",
                         None, None, "2024-02-18 16:00"),
        }
    )  # fmt: skip
    found = urgency(cases, moment("2024-02-18 12:00"), CHINA, soon=Rule(4, WH))
    assert found["urgency"].tolist() == [
        "closed_in_time", "closed_late", "overdue", "no_deadline", "closed", "due_soon", "running",
        "overdue",
    ]  # fmt: skip
    assert found["overdue_working_h"].tolist()[1:3] == [1.0, 3.0]
    assert found["overdue_h"][2] == 8 * 24 + 18.5
    assert found["left_h"][5] == 5.5
    assert found["left_h"].notna().sum() == 2


@pytest.mark.parametrize(
    ("due", "closed", "name", "hours"),
    [
        ("2024-03-04 12:00", "2024-03-04 12:00", "closed_in_time", None),
        ("2024-03-04 11:59", "2024-03-04 12:00", "closed_late", 1 / 60),
        ("2024-03-04 12:00", "2024-03-04 12:01", "due_soon", None),  # not closed yet
        ("2024-03-04 12:00", None, "due_soon", None),
        ("2024-03-04 11:59", None, "overdue", 1 / 60),
        ("2024-03-04 15:30", None, "due_soon", None),
        ("2024-03-04 15:31", None, "running", None),
        (None, "2024-03-04 12:00", "closed", None),
    ],
)
def test_urgency_at_the_very_moment(
    due: str | None, closed: str | None, name: str, hours: float | None
) -> None:
    cases = pd.DataFrame({"deadline": at(due), "closed": at(closed)})
    found = urgency(cases, moment("2024-03-04 12:00"), CHINA, soon=Rule(2, WH)).iloc[0]
    assert found["urgency"] == name
    assert (None if pd.isna(found["overdue_h"]) else found["overdue_h"]) == pytest.approx(hours)
    left = {"due_soon": due, "running": due}.get(name)
    wait = None if left is None else moment(left) - moment("2024-03-04 12:00")
    assert (None if pd.isna(found["left_h"]) else found["left_h"]) == (
        None if wait is None else wait / pd.Timedelta(hours=1)
    )


def test_due_soon_is_what_is_due_within_eight_working_hours() -> None:
    # Seven working hours a day: from Monday 12:00 until Tuesday 14:30 there are 3.5 + 4.5 of them.
    limit = deadline(at("2024-03-04 12:00"), Rule(8, WH), CHINA)[0]
    late = limit + pd.Timedelta(minutes=1)
    cases = pd.DataFrame({"deadline": pd.Series([limit, late]), "closed": at(None, None)})
    found = urgency(cases, moment("2024-03-04 12:00"), CHINA)
    assert found["urgency"].tolist() == ["due_soon", "running"]


def test_an_entry_at_the_moment_of_opening_counts() -> None:
    opened = at("2024-02-09 16:00", "2024-02-09 16:00")
    entered = at("2024-02-09 16:00", "2024-02-09 15:59")
    assert ledger_deadline(opened, entered, CHINA).tolist() == [
        moment("2024-02-13 00:00"),
        moment("2024-02-10 00:00"),
    ]


@pytest.mark.parametrize(
    ("closed", "visited", "now", "name"),
    [
        ("2024-03-04 10:00", "2024-03-04 10:00", "2024-03-04 18:00", "done"),
        ("2024-03-04 10:00", "2024-03-04 09:59", "2024-03-04 11:00", "today"),  # before closing
        ("2024-03-04 10:00", "2024-03-04 11:00", "2024-03-04 11:00", "done"),
        ("2024-03-04 10:00", "2024-03-04 11:01", "2024-03-04 11:00", "today"),  # still to come
        ("2024-03-04 10:00", "2024-03-04 16:00", "2024-03-04 18:00", "done"),
        ("2024-03-04 10:00", "2024-03-04 16:01", "2024-03-04 18:00", "done_late"),
        ("2024-03-04 10:00", None, "2024-03-04 16:00", "today"),
        ("2024-03-04 10:00", None, "2024-03-04 16:01", "overdue"),
        ("2024-03-04 10:00", None, "2024-03-04 10:00", "today"),
        ("2024-03-04 10:00", None, "2024-03-03 10:00", None),
    ],
)
def test_looking_back_at_the_very_moment(
    closed: str, visited: str | None, now: str, name: str | None
) -> None:
    cases = pd.DataFrame({"closed": at(closed), "visited": at(visited)})
    found = look_back(cases, moment(now), CHINA, rule=Rule(6, "urgent_hours"))
    assert found["look_back"].tolist() == ([] if name is None else [name])
    if name is not None:
        assert found["revisit"].tolist() == [moment("2024-03-04 16:00")]
        assert found["visited"].notna().tolist() == [name in ("done", "done_late")]


def test_the_look_back_list() -> None:
    cases = pd.DataFrame(
        {
            "closed": at("2024-03-01 10:00", "2024-03-02 10:00", "2024-03-04 10:00",
                         "2024-03-08 10:00", None, "2024-03-01 10:00"),
            "visited": at("2024-03-05 10:00", None, None, None, None, "2024-03-10 10:00"),
        }
    ).set_axis(list("abcdef"))  # fmt: skip
    found = look_back(cases, moment("2024-03-11 12:00"), CHINA)
    assert found["look_back"].to_dict() == {
        "a": "done", "f": "done_late", "b": "overdue", "c": "today", "d": "later",
    }  # fmt: skip
    assert found.loc["c", "revisit"] == moment("2024-03-12 00:00")
    assert found["revisit"].is_monotonic_increasing
    # The midnight that ends the last day is its last instant, and no later day.
    at_midnight = look_back(cases, moment("2024-03-12 00:00"), CHINA)["look_back"]
    assert at_midnight["c"] == "today"
    after = look_back(cases, moment("2024-03-12 00:00") + pd.Timedelta(microseconds=1), CHINA)
    assert after["look_back"]["c"] == "overdue"
    bare = look_back(cases[["closed"]], moment("2024-03-11 12:00"), CHINA, rule=Rule(1, WD))
    assert bare["look_back"].to_dict()["d"] == "today"
    assert len(look_back(cases[4:5], moment("2024-03-11 12:00"), CHINA)) == 0


def test_every_finding_has_its_sentence_and_every_sentence_its_finding() -> None:
    kinds = set(messages.section("case"))
    folder = Path(deadlines.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py")))
    assert {kind for kind in kinds if f'"{kind}"' not in code} == set()
    assert set(re.findall(r'(?:_found|finding)\(\s*"(\w+)"', code)) <= kinds
    rows = pd.DataFrame({"case": "c-1", "kind": sorted(kinds), "stage": "s", "detail": "d"})
    rows = rows.assign(at=pd.Series([pd.NaT] * len(rows)).dt.tz_localize(ZONE))
    for lang in messages.LANGUAGES:
        said = explain(rows, lang)
        assert said.is_unique
        assert not said.str.contains("NaT|nan|<NA>").any()


def test_a_million_deadlines_take_less_than_five_seconds() -> None:
    rng = np.random.default_rng(0)
    count = 1_000_000
    seconds = pd.to_timedelta(rng.integers(0, 900 * 86_400, count), unit="s")
    opened = (pd.Series(pd.Timestamp("2024-01-01") + seconds)).dt.tz_localize(ZONE)
    rules = pd.DataFrame({"amount": rng.integers(1, 9, count), "unit": rng.choice(UNITS, count)})
    begin = time.process_time()
    due = deadline(opened, rules, CHINA)
    assert time.process_time() - begin < 5
    assert (due > opened).all()


def test_a_run_in_a_year_that_nobody_knows_yet_still_tells_what_presses() -> None:
    unknown = 2400
    calendar = make_calendar()
    assert not calendar.knows(unknown)
    due = pd.to_datetime(
        [f"{unknown}-03-01 10:00", f"{unknown}-02-01 10:00", f"{unknown}-12-01 00:00"]
    )
    never = pd.Series(pd.NaT, range(3)).dt.tz_localize(ZONE)
    cases = pd.DataFrame({"deadline": due.tz_localize(ZONE), "closed": never})
    # A Tuesday; the working week is that of any other.
    found = urgency(cases, dt.datetime(unknown, 2, 29, 16, tzinfo=ZoneInfo(ZONE)), calendar)
    assert found["urgency"].to_list() == ["due_soon", "overdue", "running"]
    assert found["overdue_h"].notna().to_list() == [False, True, False]
    assert found["overdue_working_h"].isna().all()
    later, year = deadline_or_year(cases["deadline"], Rule(2, "working_days"), calendar)
    assert later.isna().all()
    assert (year == unknown).all()
