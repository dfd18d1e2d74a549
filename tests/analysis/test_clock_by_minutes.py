"""The clock against the sentences of docs/kpis.md, carried out minute by minute."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.analysis import EveryWeek, Rule, deadline, make_calendar

ZONE = "Asia/Shanghai"
WEEK = pd.Timestamp("2025-06-02")  # a Monday
DAYS = 70
DAY_MIN = 24 * 60
MINUTE, DAY = pd.Timedelta(minutes=1), pd.Timedelta(days=1)
# An office with a break at noon; one that is open till midnight; one with night shifts, of which a
# day ends at the midnight that opens the next; one day a week.
HOURS = {
    "office": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "09:00-12:00 13:30-17:30"),
    "late": dict.fromkeys(("mon", "tue", "thu", "sun"), "16:00-24:00"),
    "nights": dict.fromkeys(("mon", "tue", "wed", "sat"), "00:00-06:00 22:00-24:00"),
    "wednesdays": {"wed": "00:00-24:00"},
}
# Two holidays in a row, and a Saturday that is worked, in the morning alone.
OWN = pd.DataFrame(
    {
        "date": ["2025-06-10", "2025-06-11", "2025-06-14"],
        "working": [False, False, True],
        "hours": [None, None, "08:00-12:00"],
    }
)
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def periods(hours: dict[str, str], day: pd.Timestamp) -> list[tuple[int, int]]:
    """The working periods of a day, in minutes after its midnight."""
    own = OWN[OWN["date"] == f"{day:%Y-%m-%d}"]
    text = hours.get(NAMES[day.weekday()], "")
    if len(own):
        text = (own["hours"].iloc[0] or "") if own["working"].iloc[0] else ""
    found = []
    for part in text.split():
        ends = [edge.split(":") for edge in part.split("-")]
        first, last = (60 * int(hour) + int(minute) for hour, minute in ends)
        found.append((first, last))
    return found


class Office:
    """Every minute of some weeks, counted from the first Monday, and whether work is done in it."""

    def __init__(self, hours: dict[str, str]) -> None:
        self.periods = [periods(hours, WEEK + number * DAY) for number in range(DAYS)]
        self.worked = np.zeros(DAYS * DAY_MIN, dtype=bool)
        for day, pieces in enumerate(self.periods):
            for first, last in pieces:
                self.worked[day * DAY_MIN + first : day * DAY_MIN + last] = True

    def end(self, day: int, opened: int, until: str) -> int:
        """When a day ends, as a limit says."""
        last = {
            "closing": self.periods[day][-1][1] if self.periods[day] else -1,
            "midnight": DAY_MIN,
            "same_time": opened % DAY_MIN,
        }
        return day * DAY_MIN + last[until]

    def due(self, opened: int, rule: Rule) -> int:
        """The deadline by the sentences."""
        amount, today = int(rule.amount), opened // DAY_MIN
        if rule.unit == "urgent_hours":
            return opened + amount * 60
        if rule.unit == "working_hours":
            minute, left = opened, amount * 60
            while left:
                left -= int(self.worked[minute])
                minute += 1
            return minute
        if rule.unit == "natural_days":
            last = today + amount - (rule.count_opening_day and amount > 0)
            while rule.roll and not self.periods[last]:
                last += 1
            return self.end(last, opened, rule.until or "midnight")
        # Work can still be done on the day of opening if a minute of it is worked from then on.
        rest = self.worked[opened : (today + 1) * DAY_MIN]
        days = [day for day in range(today + 1, DAYS) if self.periods[day]]
        if rest.any() and (rule.count_opening_day or amount == 0):
            days = [today, *days]
        return self.end(days[max(amount, 1) - 1], opened, rule.until or "closing")


OFFICES = {name: Office(hours) for name, hours in HOURS.items()}


def edges(office: Office) -> list[int]:
    """Every midnight, opening and closing of two weeks, and the minutes beside them."""
    found = {
        day * DAY_MIN + edge + beside
        for day in range(14)
        for edge in (0, *(end for period in office.periods[day] for end in period))
        for beside in (-1, 0, 1)
    }
    return sorted(minute for minute in found if minute >= 0)


def moments(minutes: list[int]) -> pd.Series:
    return pd.Series(pd.DatetimeIndex([WEEK + minute * MINUTE for minute in minutes], tz=ZONE))


RULES = [
    Rule(amount, unit, until, count, roll)
    for unit, untils, amounts, rolls in (
        ("urgent_hours", ("",), (0, 5), (False,)),
        ("working_hours", ("",), (0, 1, 7, 8), (False,)),
        ("working_days", ("", "closing", "midnight", "same_time"), (0, 1, 2), (False,)),
        ("natural_days", ("", "midnight", "same_time"), (0, 1, 3), (False, True)),
    )
    for until in untils
    for amount in amounts
    for count in ((False, True) if unit.endswith("days") else (False,))
    for roll in rolls
]


@pytest.mark.parametrize("name", HOURS)
def test_at_every_edge_a_deadline_is_that_of_the_sentences(name: str) -> None:
    calendar = make_calendar(ZONE, hours=HOURS[name], holidays=EveryWeek(), days=OWN)
    minutes = edges(OFFICES[name])
    opened = moments(minutes)
    for rule in RULES:
        found = deadline(opened, rule, calendar)
        told = moments([OFFICES[name].due(minute, rule) for minute in minutes])
        wrong = np.flatnonzero((found != told).to_numpy())
        assert [(opened[at], rule, told[at], found[at]) for at in wrong[:3]] == []


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(HOURS)),
    st.integers(0, 14 * DAY_MIN),
    st.sampled_from(RULES),
    st.integers(0, 5),
)
def test_at_any_minute_too(name: str, minute: int, rule: Rule, amount: int) -> None:
    asked = Rule(amount, rule.unit, rule.until, rule.count_opening_day, rule.roll)
    calendar = make_calendar(ZONE, hours=HOURS[name], holidays=EveryWeek(), days=OWN)
    found = deadline(moments([minute]), asked, calendar)
    assert found[0] == moments([OFFICES[name].due(minute, asked)])[0]


@pytest.mark.parametrize("until", ["closing", "midnight"])
def test_a_day_that_closes_at_midnight_is_put_off_like_any_other(until: str) -> None:
    """A stop of two worked days moves the deadline by two, wherever the day ends."""
    opened = pd.Series(pd.DatetimeIndex(["2025-06-16 17:00"], tz=ZONE))
    begin, end = pd.DatetimeIndex(["2025-06-17 18:00", "2025-06-19 18:00"], tz=ZONE)
    stops = pd.DataFrame({"case": [0], "begin": [begin], "end": [end]})
    found = []
    for last in ("23:00", "24:00"):
        hours = dict.fromkeys(NAMES, f"16:00-{last}")
        calendar = make_calendar(ZONE, hours=hours, holidays=EveryWeek())
        rule = Rule(3, "working_days", until)
        found.append((deadline(opened, rule, calendar, stops=stops)[0] - MINUTE).date())
    assert found == [pd.Timestamp("2025-06-21").date()] * 2
