"""Every condition of a KPI on every kind of case, beside what it says in words."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from gridmap.analysis.cases._conditions import CONDITIONS, TIMES, holding
from gridmap.analysis.cases._states import life_table

NOW = pd.Timestamp("2025-06-10 12:00", tz="Asia/Shanghai")
SECOND = pd.Timedelta(seconds=1)
AT = [pd.NaT, NOW - SECOND, NOW, NOW + SECOND]
LEVELS = list(life_table().levels)


def every_case() -> pd.DataFrame:
    """All ways in which three times can be before, at or after now, or missing."""
    rows = list(itertools.product(AT, AT, AT, ["handle", "reject", "rejected", pd.NA]))
    cases = pd.DataFrame(rows, columns=["opened", "closed", "deadline", "state"])
    for name in ("opened", "closed", "deadline"):
        cases[name] = pd.to_datetime(cases[name], utc=True).dt.tz_convert("Asia/Shanghai")
    for k, name in enumerate(["dispatch_at", "verify_at", "file_at"]):
        cases[name] = cases["opened"].where(cases.index % (k + 2) > 0)
    for k, name in enumerate(["returns", "reworks", "delays"]):
        cases[name] = pd.array((cases.index // (k + 1)) % 3, dtype="Int64")
        cases.loc[cases.index % 7 == k, name] = pd.NA
    cases["watched"] = pd.array([[True, False, None][k % 3] for k in cases.index], dtype="boolean")
    cases["recurred"] = cases["watched"].shift(1)
    cases["level"] = [[*LEVELS, pd.NA][k % (len(LEVELS) + 1)] for k in cases.index]
    return cases


def known(value: Any) -> bool:
    return not pd.isna(value)


def is_open(case: Any) -> bool:
    rejected = known(case.state) and case.state in ("reject", "rejected")
    return known(case.opened) and not known(case.closed) and not rejected


def possible(case: Any) -> bool:
    odd = known(case.closed) and known(case.opened) and case.closed < case.opened
    return known(case.deadline) and not odd


def up_to(level: str) -> Callable[[Any], bool]:
    lower = LEVELS[: LEVELS.index(level) + 1]
    return lambda case: known(case.level) and case.level in lower


SAID: dict[str, Callable[[Any], bool]] = {
    "reported": lambda case: known(case.opened),
    "filed": lambda case: known(case.file_at),
    "dispatched": lambda case: known(case.dispatch_at),
    "handled": lambda case: known(case.verify_at) or known(case.closed),
    "verified": lambda case: known(case.verify_at),
    "closed": lambda case: known(case.closed),
    "open": is_open,
    "should_be_closed": lambda case: possible(case) and (known(case.closed) or case.deadline < NOW),
    "in_time": lambda case: possible(case) and known(case.closed) and case.closed <= case.deadline,
    "overdue": lambda case: is_open(case) and known(case.deadline) and case.deadline < NOW,
    "returned": lambda case: known(case.returns) and case.returns > 0,
    "reworked": lambda case: known(case.reworks) and case.reworks > 0,
    "delayed": lambda case: known(case.delays) and case.delays > 0,
    "watched": lambda case: known(case.watched) and bool(case.watched),
    "recurred": lambda case: known(case.recurred) and bool(case.recurred),
    "within_grid": up_to("grid"),
    "within_community": up_to("community"),
    "within_street": up_to("street"),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_holds_where_its_words_say_so(name: str) -> None:
    cases = every_case()
    found = holding(name, cases, NOW)
    assert found.tolist() == [SAID[name](case) for case in cases.itertuples()]
    assert 0 < found.sum() < len(cases)
    assert set(CONDITIONS[name][0]) <= set(cases.columns)


def test_all_conditions_of_a_formula_must_hold() -> None:
    cases = every_case()
    found = holding("open and overdue and returned", cases, NOW)
    assert found.tolist() == [
        is_open(case) and SAID["overdue"](case) and SAID["returned"](case)
        for case in cases.itertuples()
    ]


def test_without_states_and_filing_a_case_is_open_and_filed_when_it_was_opened() -> None:
    bare = every_case()[["opened", "closed", "deadline"]]
    assert holding("filed", bare, NOW).equals(bare["opened"].notna())
    assert holding("open", bare, NOW).equals(bare["opened"].notna() & bare["closed"].isna())


def test_when_it_is_settled_whether_a_case_is_in_time() -> None:
    cases = every_case()
    found = TIMES["settled_at"][1](cases)
    for case, at in zip(cases.itertuples(), found, strict=True):
        if known(case.closed) and known(case.deadline) and case.closed <= case.deadline:
            assert at == case.closed
        elif known(case.deadline):
            assert at == case.deadline
        else:
            assert not known(at)
    columns = {"opened": "opened", "filed_at": "file_at", "closed": "closed"}
    columns |= {"dispatched_at": "dispatch_at", "verified_at": "verify_at"}
    for name, column in columns.items():
        assert TIMES[name][1](cases).equals(cases[column])
