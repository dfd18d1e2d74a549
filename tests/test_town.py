"""The sample town: every planted fact about responsibility and cases is found, and no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from gridmap.analysis import load_kpis
from gridmap.measures.cases import calendar_of, case_table, kpi_tables
from gridmap.result import Analysed
from gridmap.settings import Analysis, Clock, Kpis


@pytest.fixture(scope="module")
def duties(planted: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = planted["responsibility"]
    return found


@pytest.fixture(scope="module")
def cases(planted: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = planted["cases"]
    return found


def table(sample: Analysed, name: str) -> pd.DataFrame:
    return sample.results[name].frame


def told(sample: Analysed, kind: str, *columns: str) -> list[list[str]]:
    """Return the findings of a kind about responsibility, sorted."""
    found = table(sample, "duty_findings")
    rows = found.loc[found["kind"] == kind, list(columns)]
    return sorted(rows.fillna("").to_numpy().tolist())


def listed(values: Iterable[str]) -> list[list[str]]:
    return [[value] for value in sorted(values)]


def test_the_town_has_the_size_that_was_asked_for(sample: Analysed) -> None:
    assert len(sample.city.areas("community")) == 12
    assert (sample.city.frame("zones")["kind"] == "subzone").sum() == 19
    assert len(table(sample, "corridors")) == 39
    assert len(sample.city.layers["categories"]) == 12
    assert len(table(sample, "line_by_block")) == 12 * 12


def test_problems_that_nobody_owns_or_two_lead(sample: Analysed, duties: dict[str, Any]) -> None:
    found = table(sample, "dead_corners")
    for finding in ("unowned", "double"):
        rows = found[(found["finding"] == finding) & (found["what"] == "problems")]
        codes = [code.removesuffix(f"-{finding}") for code in rows["code"]]
        assert sorted(codes) == duties[finding]
        assert len(codes) > 20
    # Who answers by territory even so is told with each.
    assert found.loc[found["finding"] == "double", "holders"].str.contains(",").all()


def test_cells_of_lines_and_blocks(sample: Analysed, duties: dict[str, Any]) -> None:
    cells = table(sample, "line_by_block")
    empty = cells[cells["holders"].isna()]
    assert sorted(empty[["category", "target"]].to_numpy().tolist()) == duties["empty_cells"]
    assert told(sample, "empty_cell", "category", "target") == duties["empty_cells"]
    double = cells[cells["holders"].str.contains(",").fillna(value=False)]
    assert sorted(double[["category", "target"]].to_numpy().tolist()) == duties["double_cells"]


def test_registers_of_responsibility(sample: Analysed, duties: dict[str, Any]) -> None:
    assert told(sample, "no_successor", "target", "holder") == duties["left_without_successor"]
    assert told(sample, "unknown_target", "layer", "target") == duties["unknown_targets"]
    assert (
        told(sample, "unknown_category", "layer", "target", "category") == (duties["unknown_lines"])
    )
    assert told(sample, "no_cooperation", "target") == listed(duties["bare_roads"])
    assert told(sample, "no_contract", "target") == listed(duties["no_contract"])
    assert told(sample, "no_unit", "target") == listed(duties["grids_without_unit"])
    assert told(sample, "no_area", "holder") == listed(duties["units_without_grid"])
    assert sorted(table(sample, "bare_roads")["code"]) == duties["bare_roads"]


def test_two_holders_at_one_time(sample: Analysed, duties: dict[str, Any]) -> None:
    zone, line, *pair = duties["double_zone"]
    grid, *handed = duties["handover"]
    expected = [[zone, line, *pair], [grid, "", *handed]]
    found = told(sample, "overlapping_validity", "target", "category", "holder", "other")
    leads = {(target, category) for target, category, _, _ in found}
    for row in expected:
        assert row in found
    cells = {(code, name) for name, code in duties["double_cells"]}
    assert leads == cells | {(zone, line), (grid, "")}


def test_nothing_else_is_claimed_of_responsibility(
    sample: Analysed, duties: dict[str, Any]
) -> None:
    counts = table(sample, "duty_findings")["kind"].value_counts()
    assert counts.to_dict() == {
        "empty_cell": len(duties["empty_cells"]),
        "overlapping_validity": len(duties["double_cells"]) + 2,
        "no_successor": len(duties["left_without_successor"]),
        "unknown_target": len(duties["unknown_targets"]),
        "unknown_category": len(duties["unknown_lines"]),
        "no_cooperation": len(duties["bare_roads"]),
        "no_contract": len(duties["no_contract"]),
        "no_unit": len(duties["grids_without_unit"]),
        "no_area": len(duties["units_without_grid"]),
    }


def test_leads_follow_from_the_overlay(sample: Analysed, duties: dict[str, Any]) -> None:
    found = table(sample, "derived_leads")
    assert found["target"].nunique() == 19
    changed = found[found["changed"]][["target", "holder", "role", "before"]].fillna("")
    assert sorted(changed.to_numpy().tolist()) == duties["changed_leads"]
    assert (found.groupby("target")["role"].apply(lambda roles: (roles == "lead").sum()) == 1).all()


def test_declared_numbers_are_set_against_what_is_there(
    sample: Analysed, duties: dict[str, Any]
) -> None:
    found = table(sample, "reconciled").set_index("register")
    for register, missing in duties["declared_missing"].items():
        assert found.loc[register, "missing"] == missing
    total = found[found["parts"].notna()]
    assert total["parts_missing"].to_dict() == {"餐饮单位": 61}
    assert duties["parts_missing"] == {"餐饮单位": 61}
    assert total["parts"].to_list() == [3121]


def test_the_seam_between_two_estates(sample: Analysed, planted: dict[str, Any]) -> None:
    found = table(sample, "seams")
    assert found["between"].to_list() == [", ".join(planted["seam"]["between"])]
    assert found["area_m2"].to_list() == pytest.approx([planted["seam"]["area_m2"]], rel=0.15)


def test_cases_past_their_deadline(sample: Analysed, cases: dict[str, Any]) -> None:
    problems = table(sample, "problems").set_index("code")
    for urgency in ("overdue", "closed_late"):
        assert sorted(problems.index[problems["urgency"] == urgency]) == cases[urgency]
    late = problems["urgency"].isin(("overdue", "closed_late"))
    assert problems["overdue"].eq(late).all()
    pressing = table(sample, "deadlines")
    assert sorted(pressing.loc[pressing["urgency"] == "overdue", "code"]) == cases["overdue"]


def test_limits_give_the_deadlines_that_are_on_record(sample: Analysed) -> None:
    city = sample.city
    problems = city.frame("problems")
    known = problems["due"].notna()
    blank = problems.assign(due=problems["due"].mask(known))
    layers = {name: rows for name, rows in city.layers.items() if name not in ("events", "stops")}
    bare = replace(city, layers={**layers, "problems": blank})
    made = case_table(bare, Analysis())
    deadline = made.cases["deadline"].reindex(problems["code"]).set_axis(problems.index)
    wrong = known & (deadline != problems["due"])
    # Three are planted to be before their opening.
    assert wrong.sum() == 3
    assert not made.findings["kind"].isin(["unknown_category", "no_opening"]).any()
    assert not known.all()
    assert deadline.notna().all()


def test_cases_to_be_looked_at_again(sample: Analysed, cases: dict[str, Any]) -> None:
    found = table(sample, "look_back")
    for state in ("overdue", "done_late"):
        codes = sorted(found.loc[found["look_back"] == state, "code"])
        assert codes == cases["look_back"][state]
    assert (found["look_back"] != "done").all()


def test_what_cannot_be_in_the_log(sample: Analysed, cases: dict[str, Any]) -> None:
    found = table(sample, "case_findings")
    planted = cases["case_findings"]
    # What was planted behind a closing closes the case in the log a second time, as the record
    # does not know.
    twice = found.loc[found["kind"] == "closings_differ", "case"]
    assert set(twice) == set(planted["impossible"])
    found = found[found["kind"] != "closings_differ"]
    assert set(found["kind"]) == set(planted)
    for kind, codes in planted.items():
        assert sorted(set(found.loc[found["kind"] == kind, "case"])) == sorted(codes), kind


def test_problems_that_came_back(sample: Analysed, cases: dict[str, Any]) -> None:
    found = table(sample, "recurrence").set_index("code")
    pairs = cases["recurring"]
    assert set(found.index) == {code for pair in pairs for code in pair}
    assert found["recurrences"].sum() == len(pairs)
    followed = found["follows"].dropna()
    assert {tuple(pair) for pair in zip(followed, followed.index, strict=True)} <= {
        tuple(pair) for pair in pairs
    }
    for chain in cases["chains"]:
        assert found.loc[chain, "turn"].to_list() == [1, 2, 3, 4]
        assert found.loc[chain, "chain"].nunique() == 1


def test_kpis_of_the_log(sample: Analysed, cases: dict[str, Any]) -> None:
    settings = Analysis(kpis=Kpis(by=((), ("department",))))
    made = kpi_tables(sample.city, case_table(sample.city, settings), settings)
    found = made.rows
    whole = found[found["by"].isna()].set_index("kpi")
    assert set(whole.index) == set(load_kpis())
    assert whole.loc["return_rate", "numerator"] == len(cases["loops"]["return"])
    assert whole.loc["overdue_rate", "numerator"] == len(cases["overdue"])
    # The last hours of the year have cases that were not filed yet.
    assert whole.loc["filing_rate", "value"] == pytest.approx(1, abs=0.01)
    assert whole.loc["filing_rate", "numerator"] < whole.loc["filing_rate", "denominator"]
    parts = found[found["by"] == "department"].groupby("kpi")["denominator"].sum()
    assert parts.to_dict() == whole["denominator"].to_dict()
    row = int(found.index[(found["kpi"] == "return_rate") & found["by"].isna()][0])
    behind = made.behind(row)
    assert sorted(behind.loc[behind["part"] == "both", "code"]) == cases["loops"]["return"]


def test_the_calendar_is_that_of_the_country(sample: Analysed) -> None:
    calendar = calendar_of(sample.city, Clock())
    assert calendar.knows(2025)
    assert calendar.holidays.exceptions(2025)
    assert not calendar_of(sample.city, Clock(holidays="none")).holidays.exceptions(2025)
