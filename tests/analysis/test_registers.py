"""What is missing or contradictory in registers."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from gridmap.analysis import (
    check_assignments,
    check_organisations,
    in_force,
    reconcile_all,
)
from gridmap.analysis.responsibility.registers import holds_at
from gridmap.errors import ConformError

ZONE = ZoneInfo("Asia/Shanghai")
NOW = dt.datetime(2026, 1, 1, tzinfo=ZONE)
CODES = {"grids": {"g1", "g2"}, "roads": {"r1"}}


def register(*rows: dict[str, object]) -> pd.DataFrame:
    usual = {
        "layer": "grids", "target": "g1", "category": None, "role": "lead", "holder": "A",
        "from_m": None, "to_m": None, "valid_from": None, "valid_to": None,
    }  # fmt: skip
    table = pd.DataFrame([{**usual, **row} for row in rows])
    for name in ("valid_from", "valid_to"):
        table[name] = pd.to_datetime(table[name]).dt.tz_localize(ZONE)
    return table


def kinds(*rows: dict[str, object]) -> list[str]:
    found = check_assignments(register(*rows), CODES, as_of=NOW, categories={"noise"})
    return list(found["kind"])


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert kinds({}, {"target": "g2", "holder": "B"}, {"category": "noise", "holder": "C"}) == []
    assert kinds({"role": "cooperating"}, {"role": "cooperating", "holder": "B"}) == []


def test_targets_and_lines_that_are_not_there() -> None:
    assert kinds({"target": "g9"}) == ["unknown_target"]
    assert kinds({"layer": "places", "target": "p1"}) == ["unknown_target"]
    assert kinds({"category": "smell"}) == ["unknown_category"]
    assert list(check_assignments(register({"category": "smell"}), CODES, as_of=NOW)["kind"]) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({}, {"holder": "B"}, ["overlapping_validity"]),
        ({"valid_to": "2025-06-01"}, {"holder": "B", "valid_from": "2025-06-01"}, []),
        (
            {"valid_from": "2025-01-01", "valid_to": "2025-06-02"},
            {"holder": "B", "valid_from": "2025-06-01"},
            ["overlapping_validity"],
        ),
        # Of him who is there now nobody knows since when, so he does not overlap the past.
        ({"valid_from": "2024-01-01", "valid_to": "2025-06-02"}, {"holder": "B"}, []),
        ({"category": "noise"}, {"holder": "B"}, []),
        ({"role": "direct"}, {"holder": "B"}, []),
        (
            {"layer": "roads", "target": "r1", "to_m": 50.0},
            {"layer": "roads", "target": "r1", "from_m": 50.0, "holder": "B"},
            [],
        ),
        (
            {"layer": "roads", "target": "r1", "to_m": 60.0},
            {"layer": "roads", "target": "r1", "from_m": 50.0, "holder": "B"},
            ["overlapping_validity"],
        ),
    ],
)
def test_two_holders_of_one_duty(
    one: dict[str, object], other: dict[str, object], found: list[str]
) -> None:
    assert kinds(one, other) == found
    assert kinds(other, one) == found


def test_an_overlap_names_both_and_when_it_begins() -> None:
    rows = register(
        {"holder": "B", "valid_from": "2025-01-01", "valid_to": "2025-06-02"},
        {"holder": "A", "valid_from": "2025-06-01"},
    )
    found = check_assignments(rows, CODES, as_of=NOW).iloc[0]
    assert (found["holder"], found["other"]) == ("A", "B")
    assert found["at"] == pd.Timestamp("2025-06-01", tz=ZONE)


def test_who_left_without_a_successor() -> None:
    gone: dict[str, object] = {"valid_to": "2025-06-01"}
    assert kinds(gone) == ["no_successor"]
    assert kinds(gone, {"holder": "B", "valid_from": "2025-06-01"}) == []
    assert kinds(gone, {"holder": "B", "valid_from": "2026-06-01"}) == ["no_successor"]
    assert kinds({**gone, "category": "noise"}, {"holder": "B"}) == []
    assert kinds({**gone, "role": "sponsor"}) == []
    twice = {"holder": "B", "valid_to": "2025-09-01", "valid_from": "2025-06-01"}
    found = check_assignments(register(gone, twice), CODES, as_of=NOW)
    assert found[["kind", "holder"]].to_numpy().tolist() == [["no_successor", "B"]]


def test_what_holds_at_a_moment() -> None:
    rows = register(
        {"holder": "A", "valid_to": "2026-01-01"},
        {"holder": "B", "valid_from": "2026-01-01"},
        {"holder": "C"},
    )
    assert in_force(rows, NOW)["holder"].to_list() == ["B", "C"]


def test_moments_of_several_zones_are_one_time() -> None:
    rows = register({"holder": "A", "valid_to": "2026-01-01"}, {"holder": "B"})
    moments = pd.Series(["2025-12-31T23:00:00+08:00", "2025-12-31T23:30:00+00:00"])
    assert holds_at(rows, moments.map(pd.Timestamp)).tolist() == [True, True]
    late = pd.Series(["2025-12-31T16:30:00+00:00", "2026-01-01T09:00:00+08:00"])
    assert holds_at(rows, late.map(pd.Timestamp)).tolist() == [False, True]


def test_organisations_over_areas() -> None:
    units = pd.DataFrame({"code": ["u", "u1", "u2", "u3"], "parent": [None, "u", "u", "lost"]})
    links = pd.DataFrame({"organisation": ["u1", "u1", "u9"], "target": ["g1", "g8", "g2"]})
    found = check_organisations(units, links, ["g1", "g2"])
    rows = found[["kind", "target", "holder"]].fillna("").to_numpy().tolist()
    assert rows == [
        ["no_area", "", "u2"],
        ["no_area", "", "u3"],
        ["no_unit", "g2", ""],
        ["unknown_target", "g8", "u1"],
        ["unknown_unit", "g2", "u9"],
        ["unknown_unit", "u3", "lost"],
    ]
    none = pd.DataFrame({"organisation": [], "target": []})
    assert check_organisations(units.iloc[:0], none, []).empty


def declared(*rows: tuple[object, ...]) -> pd.DataFrame:
    columns = ["register", "part", "declared", "layer", "field", "value", "where"]
    return pd.DataFrame(rows, columns=columns)


def test_parts_that_do_not_add_up_show_what_is_missing() -> None:
    parts = (("large", 36), ("medium", 142), ("small", 2124), ("micro", 819))
    table = declared(
        ("caterers", None, 3182, None, None, None, None),
        *(("caterers", part, number, None, None, None, None) for part, number in parts),
    )
    found = reconcile_all(table, {})
    assert found.loc[0, ["parts", "parts_missing"]].to_list() == [3121, 61]
    assert found["counted"].isna().all()


def test_numbers_are_counted_in_the_layers() -> None:
    rows = register(
        {"layer": "roads", "holder": "A"}, {"layer": "roads", "holder": "A", "target": "g2"},
        {"layer": "roads", "role": "cooperating", "holder": "C"}, {"holder": "D"},
    )  # fmt: skip
    table = declared(
        ("roads", None, 2, "assignments", "target", None, "role=lead; layer=roads"),
        ("chiefs", None, 2, "assignments", "holder", None, "role=lead; layer=roads"),
        ("leads", None, 3, "assignments", "role", "lead", None),
        ("all", None, 5, "assignments", None, None, None),
        ("none", None, 1, "places", None, None, None),
    )
    found = reconcile_all(table, {"assignments": rows})
    assert found["counted"].to_list() == [2, 1, 3, 4, 0]
    assert found["missing"].to_list() == [0, 1, 0, 1, 1]
    with pytest.raises(ConformError, match="has no field 'kind'; it has: layer, target"):
        reconcile_all(
            declared(("x", None, 1, "assignments", "kind", None, None)), {"assignments": rows}
        )


def test_registers_without_a_column_that_counts_are_refused_and_without_others_not() -> None:
    table = pd.DataFrame({"register": ["shops"], "declared": [3]})
    assert reconcile_all(table, {})["declared"].to_list() == [3]
    with pytest.raises(ConformError, match="'declared' has no column 'declared'; it has: register"):
        reconcile_all(table[["register"]], {})
