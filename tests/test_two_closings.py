"""A case closed at one time by its record and at another by its log, through every command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_cli import gridmap
from written_town import CASES, GRIDS, HEAD, write_town

from gridmap.measures.cases import case_table
from gridmap.settings import Analysis
from gridmap.sources import read_city

EVENTS = """
[[inputs]]
layer = "events"
path = "events.csv"
"""
PLACE = "120.905,30.705"
# By code: opened, due, closed on record; then the log. Asked for are the 15th and the end of March.
ROWS = [
    f"later,litter,2025-03-03 09:00,2025-03-12 18:00,2025-03-20 10:00,{PLACE}",
    f"sooner,litter,2025-03-03 09:00,2025-03-12 18:00,2025-03-11 10:00,{PLACE}",
    f"logged,litter,2025-03-03 09:00,2025-03-12 18:00,,{PLACE}",
    f"taken_back,litter,2025-03-03 09:00,2025-03-12 18:00,,{PLACE}",
    f"open,litter,2025-03-03 09:00,2025-03-31 18:00,,{PLACE}",
    f"alike,litter,2025-03-03 09:00,2025-03-12 18:00,2025-03-14 10:00,{PLACE}",
    f"rejected,litter,2025-03-03 09:00,2025-03-12 18:00,2025-03-13 10:00,{PLACE}",
]
LOG = {
    "later": [("report", "2025-03-03 09:00"), ("close", "2025-03-10 10:00")],
    "sooner": [("report", "2025-03-03 09:00"), ("close", "2025-03-25 10:00")],
    "logged": [("report", "2025-03-03 09:00"), ("close", "2025-03-11 12:00")],
    "taken_back": [
        ("report", "2025-03-03 09:00"),
        ("close", "2025-03-10 12:00"),
        ("handle", "2025-03-14 12:00"),
    ],
    "open": [("report", "2025-03-03 09:00")],
    "alike": [("report", "2025-03-03 09:00"), ("close", "2025-03-14 10:00")],
    "rejected": [("report", "2025-03-03 09:00"), ("reject", "2025-03-05 10:00")],
}
MIDDLE, LAST = "2025-03-15T23:59:59.999999", "2025-03-31T23:59:59.999999"
CLOSED = {
    MIDDLE: {"sooner", "logged", "alike", "rejected"},
    LAST: {"later", "sooner", "logged", "alike", "rejected"},
}
IN_TIME = {MIDDLE: {"sooner", "logged"}, LAST: {"sooner", "logged"}}
OVERDUE = {MIDDLE: {"later", "taken_back"}, LAST: {"taken_back", "open"}}


def town_as_of(folder: Path, at: str) -> Path:
    folder.mkdir()
    text = HEAD + f'as_of = "{at}+08:00"\n' + GRIDS + CASES + EVENTS
    lines = [f"{case},{event},{time}" for case, log in LOG.items() for event, time in log]
    (folder / "events.csv").write_text("case,event,time\n" + "\n".join(lines) + "\n")
    return write_town(folder, ROWS, text)


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return town_as_of(tmp_path / "town", "2025-04-01T12:00:00")


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert gridmap(*arguments, "--json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def behind(
    town: Path, capsys: pytest.CaptureFixture[str], kpi: str, at: str
) -> tuple[dict[str, Any], set[str]]:
    """The whole city's row of a KPI, and the cases in its numerator."""
    asked = ("kpis", town, "--kpi", kpi, "--at", at, "--proof", "0")
    told = said(capsys, *asked)
    (row,) = told["kpis"]
    return row, {
        case["code"] for case in told["kpi_cases"] if case["part"] in ("both", "numerator")
    }


@pytest.mark.parametrize("at", [MIDDLE, LAST])
def test_kpis_take_the_closing_on_record(
    town: Path, capsys: pytest.CaptureFixture[str], at: str
) -> None:
    assert behind(town, capsys, "in_time_rate", at)[1] == IN_TIME[at]
    assert behind(town, capsys, "overdue_rate", at)[1] == OVERDUE[at]
    assert behind(town, capsys, "closing_rate", at)[0]["numerator"] == len(CLOSED[at])


@pytest.mark.parametrize("at", [MIDDLE, LAST])
def test_overdue_and_bulletins_say_what_the_kpis_say(
    town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], at: str
) -> None:
    then = town_as_of(tmp_path / "then", at)
    listed = said(capsys, "overdue", then)["deadlines"]
    overdue = {row["code"] for row in listed if row["urgency"] == "overdue"}
    assert overdue == OVERDUE[at]
    period = ("--period", "day", "--on", at[:10])
    out = tmp_path / "out"
    made = said(capsys, "bulletin", town, *period, "--out", out, "--lang", "en")
    (name,) = (Path(each).name for each in made["files"] if str(each).endswith(".json"))
    figures = json.loads((out / name).read_text(encoding="utf-8"))["figures"]
    assert figures["overdue"]["now"]["value"] == len(OVERDUE[at])
    assert figures["open"]["now"]["value"] == len(ROWS) - len(CLOSED[at])
    rate = figures["overdue_rate"]["now"]
    row, _ = behind(town, capsys, "overdue_rate", at)
    assert (rate["numerator"], rate["denominator"]) == (row["numerator"], row["denominator"])


@pytest.mark.parametrize(
    ("day", "closed"), [("2025-03-10", 0), ("2025-03-20", 1), ("2025-03-25", 0)]
)
def test_a_bulletin_counts_a_closing_on_the_day_on_record_alone(
    town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], day: str, closed: int
) -> None:
    """The log closes one case on the 10th whose record says the 20th, another on the 25th."""
    asked = ("bulletin", town, "--period", "day", "--on", day, "--out", tmp_path / "out")
    (name,) = (
        Path(each).name for each in said(capsys, *asked)["files"] if str(each).endswith(".json")
    )
    figures = json.loads((tmp_path / "out" / name).read_text(encoding="utf-8"))["figures"]
    # On the 10th the case was closed whose log took it back on the 14th.
    assert figures["closed"]["now"]["value"] == closed + (day == "2025-03-10")


def test_two_closings_are_told_and_hours_end_at_the_one_that_counts(
    town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = said(capsys, "overdue", town)["case_findings"]
    differ = [row for row in found if row["kind"] == "closings_differ"]
    assert [(row["case"], row["detail"]) for row in differ] == [
        ("later", "2025-03-10 10:00"),
        ("sooner", "2025-03-25 10:00"),
    ]
    for lang, word in (("en", "Two closings"), ("zh", "结案时间不一致")):
        assert gridmap("overdue", town, "--lang", lang) == 0
        assert word in capsys.readouterr().out
    cases = case_table(read_city(town), Analysis()).cases
    hours = cases["hours"].to_dict()
    assert (hours["later"], hours["sooner"], hours["logged"]) == (409.0, 193.0, 195.0)
    assert hours["alike"] == 265.0
