"""What the page of a bulletin says of a change, and the bars that it draws."""

from __future__ import annotations

import pytest

from gridmap.measures.bulletins import Value
from gridmap.outputs.bulletin.page import _change, _chart, _shown


@pytest.mark.parametrize(
    ("name", "now", "then", "way"),
    [
        ("closing_rate", 0.9, 0.8, "good"),
        ("closing_rate", 0.8, 0.9, "bad"),
        ("in_time_rate", 0.9, 0.8, "good"),
        ("overdue", 30.0, 20.0, "bad"),
        ("overdue", 20.0, 30.0, "good"),
        ("median_hours", 20.0, 30.0, "good"),
        ("opened", 30.0, 20.0, ""),  # more cases are neither good nor bad
        ("overdue", 20.0, 20.0, ""),
        ("closing_rate", 0.90001, 0.9, ""),  # what is shown as no change is none
        ("overdue", None, 20.0, ""),
        ("overdue", 20.0, None, ""),
        ("overdue", 20.0, 0.0, ""),
    ],
)
def test_a_change_is_good_or_bad_by_its_figure(
    name: str, now: float | None, then: float | None, way: str
) -> None:
    assert _change(name, Value(now), Value(then), "en")[1] == way


def test_bars_are_as_high_as_their_share_of_the_highest() -> None:
    drawn = _chart((("2025-01-01", 10, 5), ("2025-01-02", 0, 20)))
    assert (drawn["most"], drawn["width"], drawn["height"]) == ("20", 720.0, 120.0)
    assert drawn["bars"] == [
        {"x": 36.0, "width": 136.8, "second": 180.0, "middle": 180.0, "opened": 60.0,
         "closed": 30.0, "label": "01-01", "told": "2025-01-01: 10 / 5"},
        {"x": 396.0, "width": 136.8, "second": 540.0, "middle": 540.0, "opened": 0.0,
         "closed": 120.0, "label": "01-02", "told": "2025-01-02: 0 / 20"},
    ]  # fmt: skip
    month = _chart(tuple((f"2025-01-{day:02d}", day * 1000, 0) for day in range(1, 32)))
    assert [bar["label"] for bar in month["bars"] if bar["label"]] == [
        f"01-{day:02d}" for day in range(1, 32, 3)
    ]
    assert month["most"] == "31,000"
    assert _chart((("2025-01", 0, 0),))["bars"][0]["opened"] == 0.0
    assert _chart(())["bars"] == []


def test_a_figure_says_what_it_is_made_of() -> None:
    rate = Value(0.5, numerator=1000, denominator=2000, small=True, mark="impossible")
    assert _shown("closing_rate", rate) == {
        "value": "50.0%", "under": "1,000 / 2,000", "signs": "‼△",
    }  # fmt: skip
    assert _shown("median_hours", Value(3.0, denominator=1200))["under"] == "n = 1,200"
    assert _shown("opened", Value(3.0, denominator=1200))["under"] == ""
    assert _shown("closing_rate", Value(0.5))["under"] == ""
