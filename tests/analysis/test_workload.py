import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapes import grid_of, points_at

from gridmap.analysis import gini, households_in, load_effort, timeliness, workload

NOW = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
GRIDS = grid_of("abc", members=pd.array([2, None, 0], dtype="Int64"))


def times(*texts: str | None) -> pd.Series:
    return pd.Series(pd.to_datetime(list(texts), utc=True))


CASES = pd.DataFrame(
    {
        "opened": times("2025-06-01", "2025-06-01", "2025-06-01", "2025-06-01", "2025-06-01"),
        "deadline": times("2025-06-03", "2025-06-03", "2025-06-03", None, "2025-08-01"),
        "closed": times("2025-06-02", "2025-06-05", None, None, "2025-07-15"),
        "grid": pd.array(["a", "a", "a", "b", pd.NA], dtype="string"),
        "category": ["litter", "noise", "litter", "litter", "litter"],
    }
)


def test_state_and_overdue_are_told_for_the_moment() -> None:
    found = timeliness(CASES, NOW)
    assert found["state"].to_list() == ["closed", "closed", "open", "open", "open"]
    assert found["overdue"].to_list() == [False, True, True, False, False]
    assert found["days_to_close"].fillna(-1).to_list() == [1.0, 4.0, -1, -1, -1]


def test_the_workload_adds_up_by_hand() -> None:
    cases = CASES.join(timeliness(CASES, NOW))
    minutes = pd.Series({"litter": 60.0})
    households = pd.Series([50, 0, 10], dtype="Int64")
    found = workload(
        GRIDS,
        cases,
        minutes=minutes,
        households=households,
        places=points_at((50, 50), (60, 50)).assign(risk="high"),
        effort=load_effort(changes={"default_minutes": 30}),
    )
    assert found["problems"].to_list() == [3, 1, 0]
    assert found["open"].to_list() == [1, 1, 0]
    assert found["overdue"].to_list() == [2, 0, 0]
    assert found["case_hours"].to_list() == [2.5, 1.0, 0.0]
    parts = ["case_hours", "household_hours", "place_hours", "travel_hours"]
    assert found["hours"].to_list() == pytest.approx(found[parts].sum(axis=1).to_list())
    assert found["hours_per_member"].to_list() == pytest.approx(
        (found["hours"] / [2, 1, 1]).to_list()
    )
    assert found["median_days"].fillna(-1).to_list() == [2.5, -1, -1]
    assert found["problems_per_100"].fillna(-1).to_list() == [6.0, -1, 0.0]
    assert found["places"].to_list() == [2, 0, 0]
    assert found["area_m2"].to_list() == pytest.approx([10_000] * 3)


def test_without_problems_their_figures_are_missing_and_not_zero() -> None:
    found = workload(GRIDS, None, households=pd.Series([1, 2, 3], dtype="Int64"))
    assert found[["problems", "open", "hours", "problems_per_100"]].isna().all().all()
    assert found["households"].to_list() == [1, 2, 3]


def test_households_of_buildings_in_no_grid_are_not_lost_to_another() -> None:
    grid = pd.Series(["a", "a", pd.NA, "c"], dtype="string")
    occupied = pd.Series([10, pd.NA, 99, 5], dtype="Int64")
    assert households_in(GRIDS, grid, occupied).to_list() == [10, 0, 5]


@pytest.mark.parametrize(
    ("values", "index"),
    [([1, 1, 1, 1], 0.0), ([0, 0, 0, 1], 0.75), ([0, 0], 0.0), ([], 0.0), ([1, 3], 0.25)],
)
def test_gini_of_known_shares(values: list[float], index: float) -> None:
    assert gini(pd.Series(values, dtype="float64")) == pytest.approx(index)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_gini_is_half_the_mean_difference_over_the_mean(values: list[float]) -> None:
    array = np.array(values)
    plain = 0.0
    if array.sum() > 0:
        plain = np.abs(array[:, None] - array).mean() / (2 * array.mean())
    assert gini(pd.Series(array)) == pytest.approx(plain, abs=1e-9)
