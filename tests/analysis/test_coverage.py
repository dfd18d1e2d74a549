import pandas as pd
import pytest
from shapes import grid_of, points_at

from gridmap.analysis import find_gaps, find_misnested, find_overlaps, find_unassigned

PARENTS = grid_of("""
    PPQ
    PPQ
""")


def test_a_full_coverage_has_no_finding() -> None:
    children = grid_of("""
        abc
        abc
    """).assign(parent=["P", "P", "Q"])
    assert find_gaps(children, PARENTS).empty
    assert find_overlaps(children).empty
    assert find_misnested(children, PARENTS).empty


def test_gaps_are_told_by_parent_and_part() -> None:
    children = grid_of("""
        a..
        .ac
    """)
    gaps = find_gaps(children, PARENTS)
    assert gaps["parent"].to_list() == ["P", "P", "Q"]
    assert gaps["area_m2"].to_list() == pytest.approx([10_000] * 3)


def test_a_parent_without_children_is_one_gap() -> None:
    gaps = find_gaps(grid_of("aa"), PARENTS.iloc[1:].reset_index(drop=True))
    assert gaps["area_m2"].sum() == pytest.approx(20_000)


def test_overlaps_name_both_in_order() -> None:
    areas = pd.concat([grid_of("bb."), grid_of(".aa")], ignore_index=True)
    overlaps = find_overlaps(areas)
    assert overlaps[["first", "second"]].to_numpy().tolist() == [["a", "b"]]
    assert overlaps["area_m2"].to_list() == pytest.approx([10_000])


def test_digitising_errors_below_the_minimum_are_left_out() -> None:
    areas = pd.concat([grid_of("a"), grid_of("b").translate(99.999).to_frame("geometry")])
    areas["code"] = ["a", "b"]
    areas = areas.reset_index(drop=True)
    assert find_overlaps(areas, minimum_m2=1.0).empty
    assert len(find_overlaps(areas, minimum_m2=0.01)) == 1


def test_a_child_outside_its_parent_is_told_with_its_share() -> None:
    children = grid_of("""
        xyy
        xyy
    """).assign(parent=["P", "P"])
    found = find_misnested(children, PARENTS)
    assert found["child"].to_list() == ["y"]
    assert found["parent"].to_list() == ["P"]
    assert found["share"].to_list() == pytest.approx([0.5])


def test_a_child_that_names_no_parent_is_held_against_none() -> None:
    children = grid_of("""
        .yy.
        ..yy
    """).assign(parent=pd.array([pd.NA], dtype="string"))
    within = grid_of(".yy").assign(parent=pd.array([pd.NA], dtype="string"))
    assert find_misnested(within, PARENTS).empty
    found = find_misnested(children, PARENTS)
    assert found["parent"].isna().to_list() == [True]
    assert found["area_m2"].to_list() == pytest.approx([10_000])


def test_a_child_far_from_every_parent_lies_outside_altogether() -> None:
    children = grid_of("......z").assign(parent=pd.array(["nowhere"], dtype="string"))
    found = find_misnested(children, PARENTS)
    assert found["share"].to_list() == pytest.approx([1.0])
    assert found["parent"].isna().all()


def problems() -> object:
    return points_at((50, 50), (150, 50), (250, 50), category=["x"] * 3, address=["y"] * 3)


def test_problems_without_grid_or_zone_are_told_apart() -> None:
    grid = pd.Series(["a", pd.NA, "c"], dtype="string")
    zones = pd.DataFrame({"problem": ["p0", "p1"], "zone": ["z", "z"], "kind": ["post", "post"]})
    found = find_unassigned(problems(), grid, zones)
    assert found["code"].to_list() == ["p1", "p2"]
    assert found["no_grid"].to_list() == [True, False]
    assert found["no_zone"].fillna("").to_list() == ["", "any"]


def test_every_kind_that_is_asked_for_counts() -> None:
    zones = pd.DataFrame({"problem": ["p0", "p1"], "zone": ["z", "z"], "kind": ["post", "road"]})
    found = find_unassigned(problems(), None, zones, ["post", "road"])
    assert found["no_zone"].to_list() == ["road", "post", "post, road"]
    assert not found["no_grid"].any()
