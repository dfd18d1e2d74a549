"""The commands about work: each says its tables as text, JSON and CSV."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from test_cli import DATA, gridmap

from gridmap.result import Analysed


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert gridmap(*arguments, "--json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_kpis_by_several_columns_with_their_cases(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = ["kpis", DATA, "--by", "department", "--by", "source,category", "--kpi", "in_time_rate"]
    rows = said(capsys, *asked)["kpis"]
    assert {row["by"] for row in rows} == {"department", "source / category"}
    assert len(rows) > 0
    assert [row for row in rows if not 0 <= row["numerator"] <= row["denominator"]] == []
    proof = said(capsys, *asked, "--proof", "0")
    assert proof["kpis"] == rows[:1]
    assert len(proof["kpi_cases"]) == rows[0]["denominator"]
    both = [case for case in proof["kpi_cases"] if case["part"] == "both"]
    assert len(both) == rows[0]["numerator"]
    assert gridmap(*asked, "--csv", tmp_path, "--lang", "zh") == 0
    text = capsys.readouterr().out
    assert "按期结案率" in text
    assert "%" in text
    table = pd.read_csv(tmp_path / "kpis.csv", encoding="utf-8-sig")
    assert len(table) == len(rows)
    assert table.columns[0] == "指标"


def test_kpis_are_those_of_a_run(sample: Analysed, capsys: pytest.CaptureFixture[str]) -> None:
    told = pd.DataFrame(said(capsys, "kpis", DATA)["kpis"])
    run = sample.results["kpis"].frame
    for name in ("kpi", "group", "numerator", "denominator"):
        assert (
            told[name].astype(object).fillna("").to_list()
            == run[name].astype(object).fillna("").to_list()
        )
    # What lies on the fallback point is in no area.
    area = run[(run["by"] == "area") & (run["group"] == "–")]
    assert area["denominator"].max() >= sample.summary["problems_on_piles"] // 2


def test_kpis_by_month_stand_beside_the_month_before(capsys: pytest.CaptureFixture[str]) -> None:
    rows = said(capsys, "kpis", DATA, "--kpi", "median_hours", "--by", "area", "--period", "month")
    first = [row for row in rows["kpis"] if row["group"] == rows["kpis"][0]["group"]]
    assert [row["period"] for row in first] == [f"2025-{month:02d}" for month in range(1, 13)]
    assert first[1]["before"] == first[0]["value"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--by", "moon"], "no column 'moon' to group by"),
        (["--kpi", "moon"], "There is no KPI 'moon'"),
        (["--period", "moon"], "is no period"),
        (["--proof", "99999"], "There is no row 99999"),
    ],
)
def test_mistakes_are_told_on_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("kpis", DATA, *arguments, "--lang", "en") == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_what_is_overdue(planted: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    tables = said(capsys, "overdue", DATA)
    late = [row["code"] for row in tables["deadlines"] if row["urgency"] == "overdue"]
    assert sorted(late) == planted["cases"]["overdue"]
    assert set(tables) == {"deadlines", "look_back", "case_findings"}


def test_what_came_back_by_treatment(
    planted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    tables = said(capsys, "recurrence", DATA, "--by", "treatment")
    codes = {row["code"] for row in tables["recurrence"]}
    assert codes == {code for pair in planted["cases"]["recurring"] for code in pair}
    groups = {row["group"] for row in tables["recurrence_curve"]}
    assert groups >= {"劝导", "整改", "处罚"}
    # The test counts what the KPI counts: what came back within the days of the settings.
    whole, *each = tables["recurrence_test"]
    assert whole["group"] is None
    assert whole["recurred"] == sum(row["recurred"] for row in each) < 100
    assert {row["group"] for row in each} == {"劝导", "整改", "处罚"}
    assert whole["p"] < 0.01
    assert gridmap("recurrence", DATA, "--by", "moon", "--lang", "en") == 1
    assert "no column 'moon'" in capsys.readouterr().err


def test_dead_corners_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert gridmap("dead-corners", DATA, "--lang", "zh") == 0
    chinese = capsys.readouterr().out
    for word in ("责任死角", "重复牵头", "条块责任表", "申报核对", "61"):
        assert word in chinese
    assert gridmap("dead-corners", DATA, "--lang", "en") == 0
    assert "Two leads" in capsys.readouterr().out


def test_a_plan_gives_transfers_and_the_grids_after_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("design", DATA, "--out", tmp_path / "out", "--json") == 0
    capsys.readouterr()
    (plan,) = (tmp_path / "out").rglob("*.gpkg")
    tables = said(capsys, "fairness", DATA, "--plan", plan, "--out", tmp_path / "after")
    over = [row for row in tables["fairness"] if row["status"] == "over"]
    assert over
    moves = tables["transfers"]
    assert moves
    assert [move for move in moves if move["from_after"] >= move["from_before"]] == []
    assert [move["gini_after"] for move in moves] == sorted(
        (move["gini_after"] for move in moves), reverse=True
    )
    after = gpd.read_file(tmp_path / "after" / "grids.gpkg")
    assert len(after) == len(tables["fairness"])


def test_a_geometry_is_nothing_to_group_by(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("recurrence", "kpis"):
        assert gridmap(command, DATA, "--by", "geometry") == 1
        assert "no column 'geometry'" in capsys.readouterr().err


def test_a_column_named_twice_groups_once(capsys: pytest.CaptureFixture[str]) -> None:
    rows = said(capsys, "kpis", DATA, "--by", "source, source", "--kpi", "overdue_rate")["kpis"]
    assert {row["by"] for row in rows} == {"source"}
