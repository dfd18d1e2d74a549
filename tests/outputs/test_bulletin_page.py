"""What the page of a bulletin says of a change, and the bars that it draws."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from python_calamine import CalamineWorkbook

from gridmap.measures.bulletins import Value, make_bulletin
from gridmap.outputs.bulletin.frozen import write_bulletin
from gridmap.outputs.bulletin.page import _change, _chart, _shown, page_text
from gridmap.result import Analysed
from gridmap.settings import Analysis


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


def test_hot_grids_are_listed_and_explained_on_page_workbook_and_record(
    sample: Analysed, tmp_path: Path
) -> None:
    made = make_bulletin(sample.city, Analysis(), period="year", on=dt.date(2025, 6, 1))
    assert made.hot is not None
    assert made.hot.frame["held_against"].eq("households").all()
    placed = sample.frame("problems")
    placed = placed[placed["grid"].notna() & ~placed["pile"] & (placed["opened"] < made.span.ends)]
    assert made.hot.frame["count"].sum() == len(placed)
    frame = made.hot.frame.assign(q=np.linspace(0.9, 0.001, len(made.hot.frame)))
    frame = frame.assign(hotspot=np.where(frame["q"] < 0.03, "hot", "none"))
    hot = replace(made, hot=replace(made.hot, frame=frame))
    surest, least = frame.iloc[-1], frame[frame["q"] < 0.03].iloc[0]
    for lang, brief in (("en", "2 of 38 units stand out."), ("zh", "38 个单元中有 2 个突出。")):
        page = page_text(hot, lang)
        assert brief in page
        assert page.index(surest["code"]) < page.index(least["code"])
    write_bulletin(hot, tmp_path, "en")
    (record,) = tmp_path.glob("[!.]*.json")
    assert json.loads(record.read_text("utf-8"))["hot"] == [surest["code"], least["code"]]
    (book,) = tmp_path.glob("[!.]*.xlsx")
    sheet = CalamineWorkbook.from_path(str(book)).get_sheet_by_name("Grids where problems cluster")
    rows = sheet.to_python()
    assert str(rows[0][0]).startswith("2 of 38 units stand out.")
    assert [row[0] for row in rows[-2:]] == [surest["code"], least["code"]]


def test_a_city_without_grids_has_no_hot_ones(sample: Analysed) -> None:
    layers = {name: rows for name, rows in sample.city.layers.items() if name != "grids"}
    bare = replace(sample.city, layers=layers)
    made = make_bulletin(bare, Analysis(), period="month", on=dt.date(2025, 6, 1))
    assert made.hot is None
    assert "Grids where problems cluster" not in page_text(made, "en")
