from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import grid_of, points_at
from towns import rows_of_buildings, town

from gridmap.analysis import gini
from gridmap.analysis.workloads._transfers import Board, measures, search
from gridmap.analysis.workloads._travel import Pace, tour_m
from gridmap.analysis.workloads.fairness import (
    PARTS,
    Effort,
    Proposal,
    expected_hours,
    fairness,
    load_effort,
    proposed_transfers,
    transferred_grids,
)
from gridmap.design import design_grids, resize_grids
from gridmap.errors import ConfigError, ConformError

EFFORT = Effort(
    days=73,
    default_minutes=30,
    household_minutes=12,
    household_visits=5,
    place_minutes=60,
    other_visits=5,
    rounds=10,
    speed_km_h=5,
    detour=1.5,
    visits={"high": 10.0},
)


def cases(**counts: int) -> pd.DataFrame:
    grids = [name for name, count in counts.items() for _ in range(count)]
    return pd.DataFrame({"grid": grids, "category": "litter"})


def test_every_part_adds_up_by_hand() -> None:
    areas = grid_of("ab", members=pd.array([2, pd.NA], dtype="Int64"))
    problems = pd.concat(
        [cases(a=6, b=1), pd.DataFrame({"grid": ["a", None], "category": ["noise", "litter"]})],
        ignore_index=True,
    )
    places = points_at((10, 10), (20, 10), (900, 10), risk=["high", "odd", "high"])
    found = expected_hours(
        areas,
        problems,
        minutes=pd.Series({"litter": 20.0}),
        households=pd.Series([100, 0]),
        places=places,
        effort=EFFORT,
    )
    # 73 days are a fifth of a year, so that a household is visited once and a place twice or once.
    assert found["case_hours"].to_list() == pytest.approx([6 / 3 + 0.5, 1 / 3])
    assert found["household_hours"].to_list() == pytest.approx([20.0, 0.0])
    assert found["place_hours"].to_list() == pytest.approx([3.0, 0.0])
    assert found["stops"].to_list() == pytest.approx([10.0, 1.0])
    # Two rounds of each member in the period; b has a stop for only one.
    metres = [0.7124 * math.sqrt(10 * 2 * 10_000), 0.7124 * math.sqrt(1 * 1 * 10_000)]
    assert found["travel_hours"].to_list() == pytest.approx([m * 1.5 / 5000 for m in metres])
    assert found["hours"].to_list() == pytest.approx(found[list(PARTS)].sum(axis=1).to_list())
    assert found["work_hours"].to_list() == pytest.approx([25.5, 1 / 3])
    assert found["hours_per_member"].iloc[0] == pytest.approx(found["hours"].iloc[0] / 2)
    assert (found["share"] @ [2, 1]) / 3 == pytest.approx(1.0)
    assert found["assumed_cases"].to_list() == [1, 0]
    assert found["assumed_places"].to_list() == [1, 0]


def test_a_part_without_input_is_missing_and_not_zero() -> None:
    areas = grid_of("ab")
    found = expected_hours(areas, None, households=pd.Series([1, 2]), effort=EFFORT)
    assert found[["case_hours", "place_hours", "travel_hours"]].isna().all().all()
    assert found["hours"].to_list() == pytest.approx([0.2, 0.4])
    none = expected_hours(areas, None, effort=EFFORT)
    assert len(none) > 0
    assert none[["hours", "work_hours"]].isna().all(axis=None)


def test_the_formula_of_travel_is_near_to_real_tours() -> None:
    """Tours by nearest neighbour and 2-opt, which are some 5 % above the shortest."""
    random = np.random.default_rng(7)
    found = []
    for _ in range(3):
        xy = random.random((150, 2)) * 1000
        away = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))
        tour, left = [0], set(range(1, len(xy)))
        while left:
            tour.append(min(left, key=lambda k: away[tour[-1], k]))
            left.remove(tour[-1])
        better = True
        while better:
            better = False
            for i in range(1, len(tour) - 1):
                a, b = tour[i - 1], tour[i]
                ends = np.array(tour[i + 1 :])
                after = np.append(ends[1:], tour[0])
                gain = away[a, b] + away[ends, after] - away[a, ends] - away[b, after]
                best = int(np.argmax(gain))
                if gain[best] > 1e-9:
                    tour[i : i + best + 2] = tour[i : i + best + 2][::-1]
                    better = True
        found.append(sum(away[a, b] for a, b in zip(tour, tour[1:] + tour[:1], strict=True)))
    one = np.array([1.0])
    expected = tour_m(150 * one, 1e6 * one, one, 1.0)[0]
    assert 0.95 < np.mean(found) / expected < 1.2


@given(st.integers(1, 6), st.integers(1, 400))
def test_members_who_share_stops_and_area_evenly_walk_the_same(members: int, stops: int) -> None:
    """The tours of m members together are m times that of one with his share."""
    m, n, area = np.array([members * 1.0]), np.array([stops * 1.0]), np.array([1e6])
    alone = tour_m(n / m, area / m, np.array([1.0]), 50.0)
    assert tour_m(n, area, m, 50.0) == pytest.approx(members * alone)


def test_negative_and_misaligned_numbers_are_refused() -> None:
    areas = grid_of("ab")
    with pytest.raises(ConformError, match="households"):
        expected_hours(areas, None, households=pd.Series([1, -2]))
    with pytest.raises(ConformError, match="3 units"):
        expected_hours(areas, None, households=pd.Series([1, 2, 3]))
    with pytest.raises(ConformError, match="minutes"):
        expected_hours(areas, cases(a=1), minutes=pd.Series({"litter": -1.0}))


def test_coefficients_are_data(tmp_path: Path) -> None:
    own = tmp_path / "effort.toml"
    own.write_text("household_minutes = 25\n[visits]\nA = 52\n", encoding="utf-8")
    read = load_effort(own)
    assert (read.household_minutes, dict(read.visits)) == (25, {"A": 52})
    assert read.speed_km_h == load_effort().speed_km_h
    own.with_name("bad.toml").write_text("speed_km_h = 0\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="speed_km_h"):
        load_effort(own.with_name("bad.toml"))
    own.with_name("odd.toml").write_text("sped_km_h = 4\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="did you mean 'speed_km_h'"):
        load_effort(own.with_name("odd.toml"))


def test_fairness_by_hand() -> None:
    found = fairness(
        pd.Series([30.0, 10.0, 10.0, np.nan], index=list("abcd")),
        members=pd.Series([1, 2, 1, 3], index=list("abcd")),
        tolerance=0.2,
    )
    assert found.mean == 15.0
    assert found.gini == pytest.approx(gini(pd.Series([30, 10, 10, 10])))
    assert found.max_over_mean == 2.0
    ratios = np.array([2, 2 / 3, 2 / 3, 2 / 3])
    assert found.theil == pytest.approx((ratios * np.log(ratios)).mean())
    assert (found.over, found.under, found.unknown) == (1, 3, 3)
    assert found.table["status"].fillna("-").to_list() == ["over", "under", "under", "-"]
    assert found.table["excess_hours"].fillna(0).to_list() == [15.0, -10.0, -5.0, 0.0]


def test_a_load_on_the_bound_is_within() -> None:
    found = fairness(pd.Series([12.0, 8.0, 10.0]), tolerance=0.2)
    assert (found.over, found.under) == (0, 0)
    assert (fairness(pd.Series([12.1, 8.0, 9.9]), tolerance=0.2)).over == 1


@pytest.mark.parametrize(("loads", "theil"), [([5.0, 5.0], 0.0), ([0.0, 7.0], math.log(2))])
def test_theil_has_its_bounds(loads: list[float], theil: float) -> None:
    assert fairness(pd.Series(loads)).theil == pytest.approx(theil)


def test_nothing_known_is_no_division_by_zero() -> None:
    empty = fairness(pd.Series([np.nan]))
    assert (empty.gini, empty.over, empty.unknown) == (0.0, 0, 1)
    assert math.isnan(fairness(pd.Series([0.0, 0.0])).max_over_mean)
    with pytest.raises(ConformError, match="tolerance"):
        fairness(pd.Series([1.0]), tolerance=-0.1)
    with pytest.raises(ConformError, match="loads"):
        fairness(pd.Series([-1.0]))


@given(
    st.lists(st.tuples(st.floats(0, 1e4), st.integers(1, 4)), min_size=1, max_size=12).filter(
        lambda rows: sum(load for load, _ in rows) > 1e-3
    )
)
def test_measures_over_grids_are_those_over_their_members(rows: list[tuple[float, int]]) -> None:
    load, members = np.array([row[0] for row in rows]), np.array([row[1] * 1.0 for row in rows])
    each = pd.Series(np.repeat(load, members.astype(int)))
    found = measures(load, members)
    assert found[0] == pytest.approx(gini(each), abs=1e-9)
    assert found[1] == pytest.approx(each.max() / each.mean())


def units(drawing: str, parents: str, hours: dict[str, float]) -> gpd.GeoDataFrame:
    """Return units drawn by letters, with the grid of each at the same place of a second text."""
    made = grid_of(drawing)
    grid = dict(zip(drawing.replace(" ", ""), parents.replace(" ", ""), strict=True))
    return made.assign(
        parent=pd.Series([grid[code] for code in made["code"]], dtype="string"),
        work_hours=[hours.get(code, 1.0) for code in made["code"]],
    )


def moved(found: Proposal) -> list[tuple[str, str, str]]:
    table = found.transfers
    return list(zip(table["code"], table["from_grid"], table["to_grid"], strict=True))


GRIDS = pd.DataFrame({"code": ["X", "Y"]})


def test_the_unit_that_helps_most_passes_to_the_neighbour() -> None:
    # X carries a b c d = 8, Y carries e = 2; c + d lie at the border, with 1 and 3 hours.
    drawn = units("abcdef", "XXXXYY", {"a": 2, "b": 2, "c": 1, "d": 3, "e": 1, "f": 1})
    found = proposed_transfers(drawn, GRIDS)
    assert moved(found) == [("d", "X", "Y")]
    first = found.transfers.iloc[0]
    assert (first["from_before"], first["from_after"]) == (8.0, 5.0)
    assert (first["to_before"], first["to_after"]) == (2.0, 5.0)
    assert (first["gini_before"], first["gini_after"]) == (pytest.approx(0.3), 0.0)
    assert (first["max_over_mean_before"], first["max_over_mean_after"]) == (1.6, 1.0)
    assert found.parents.set_index("code").loc["d"].to_list() == ["X", "Y"]
    assert found.loads["hours_after"].to_list() == [5.0, 5.0]


def test_no_grid_is_torn_and_corners_do_not_join() -> None:
    # b holds a and c together: only a may pass to Y below it; d touches X at a corner alone.
    drawn = units("abc. def.", "XXX. .Y..".replace(".Y..", "YYY."), {"a": 3, "b": 9, "c": 3})
    assert "b" not in {code for code, *_ in moved(proposed_transfers(drawn, GRIDS))}
    corner = units("ab. ..c", "XX. ..Y", {"a": 5, "b": 5})
    assert moved(proposed_transfers(corner, GRIDS)) == []
    reached = sp.csr_array(np.ones((3, 3)))
    assert len(moved(proposed_transfers(corner, GRIDS, graph=reached))) == 1


def test_what_is_locked_stays_and_no_grid_is_emptied() -> None:
    drawn = units("abcd", "XXXY", {"a": 1, "b": 1, "c": 5, "d": 2})
    assert moved(proposed_transfers(drawn, GRIDS)) == []  # c would make Y what X was
    drawn = units("abcd", "XXXY", {"a": 3, "b": 3, "c": 2, "d": 1})
    assert moved(proposed_transfers(drawn, GRIDS)) == [("c", "X", "Y")]
    assert moved(proposed_transfers(drawn.assign(locked=drawn["code"] == "c"), GRIDS)) == []
    alone = units("ab", "XY", {"a": 9, "b": 1})
    assert moved(proposed_transfers(alone, GRIDS)) == []


def test_grids_of_other_communities_get_nothing_unless_asked() -> None:
    drawn = units("abcd", "XXXY", {"a": 3, "b": 3, "c": 2, "d": 1})
    grids = GRIDS.assign(parent=["north", "south"])
    assert moved(proposed_transfers(drawn, grids)) == []
    assert moved(proposed_transfers(drawn, grids, across=True)) == [("c", "X", "Y")]


def test_members_count() -> None:
    drawn = units("abcd", "XXXY", {"a": 3, "b": 3, "c": 2, "d": 1})
    assert moved(proposed_transfers(drawn, GRIDS.assign(members=[8, 1]))) == []
    back = proposed_transfers(drawn.assign(work_hours=[1.0, 1, 1, 9]), GRIDS.assign(members=[8, 1]))
    assert moved(back) == []  # Y has one unit only


def test_travel_is_computed_anew_for_each_transfer() -> None:
    drawn = units("abcd", "XXXY", {"a": 3, "b": 3, "c": 2, "d": 1}).assign(stops=[10.0, 10, 10, 10])
    found = proposed_transfers(drawn, GRIDS, effort=EFFORT)
    for grid, where in (("X", "old"), ("X", "new"), ("Y", "old"), ("Y", "new")):
        own = drawn[found.parents[where].to_numpy() == grid]
        metres = 0.7124 * math.sqrt(10 * len(own) * 2 * 10_000 * len(own))
        hours = own["work_hours"].sum() + metres * 1.5 / 5000
        column = {"old": "hours_before", "new": "hours_after"}[where]
        told = found.loads.set_index("code").loc[grid, column]
        assert told == pytest.approx(hours)


@st.composite
def boards(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return sixteen units in a square, in four quarters, with hours and members."""
    letters = "abcdefghijklmnop"
    drawing = " ".join(letters[k : k + 4] for k in range(0, 16, 4))
    hours = draw(st.lists(st.integers(0, 40), min_size=16, max_size=16))
    members = draw(st.lists(st.integers(1, 3), min_size=4, max_size=4))
    drawn = units(drawing, "WWXX WWXX YYZZ YYZZ", dict(zip(letters, hours, strict=True)))
    return drawn, pd.DataFrame({"code": list("WXYZ"), "members": members})


def members_gini(work: pd.Series, parent: pd.Series, grids: pd.DataFrame) -> float:
    load = work.groupby(parent.to_numpy()).sum().reindex(grids["code"]).to_numpy()
    return gini(pd.Series(np.repeat(load / grids["members"], grids["members"])))


@given(boards())
def test_each_step_is_proven_to_help_and_to_tear_nothing(
    board: tuple[gpd.GeoDataFrame, pd.DataFrame],
) -> None:
    drawn, grids = board
    found = proposed_transfers(drawn, grids, tolerance=0.1)
    parent = drawn["parent"].copy()
    for _, step in found.transfers.iterrows():
        assert step["gini_before"] == pytest.approx(
            members_gini(drawn["work_hours"], parent, grids), abs=1e-12
        )
        parent[drawn["code"] == step["code"]] = step["to_grid"]
        now = members_gini(drawn["work_hours"], parent, grids)
        assert step["gini_after"] == pytest.approx(now, abs=1e-12)
        assert step["gini_after"] < step["gini_before"]
        assert max(step["from_after"], step["to_after"]) < step["from_before"]
        assert step["max_over_mean_after"] <= step["max_over_mean_before"] + 1e-12
        whole = drawn.geometry.groupby(parent.to_numpy()).apply(shapely.union_all)
        assert (shapely.get_num_geometries(whole.to_numpy()) == 1).all()
        assert len(whole) == 4
    assert found.parents["new"].to_list() == parent.to_list()
    assert found.loads["hours_after"].sum() == pytest.approx(found.loads["hours_before"].sum())


@given(boards())
def test_the_first_step_is_the_best_of_all_that_are_allowed(
    board: tuple[gpd.GeoDataFrame, pd.DataFrame],
) -> None:
    drawn, grids = board
    found = proposed_transfers(drawn, grids, tolerance=0.1, moves=1)
    load = drawn.groupby("parent")["work_hours"].sum() / grids.set_index("code")["members"]
    mean = drawn["work_hours"].sum() / grids["members"].sum()
    best = members_gini(drawn["work_hours"], drawn["parent"], grids)
    allowed = False
    for unit in range(16):
        giver = drawn["parent"].iloc[unit]
        if load[giver] <= mean * 1.1:
            continue
        beside = shapely.length(
            shapely.intersection(drawn.geometry.iloc[unit], drawn.geometry.to_numpy())
        )
        for taker in sorted(set(drawn["parent"][beside > 0]) - {giver}):
            parent = drawn["parent"].copy()
            parent.iloc[unit] = taker
            after = drawn["work_hours"].groupby(parent.to_numpy()).sum()
            after = after / grids.set_index("code")["members"]
            left = shapely.union_all(drawn.geometry[(parent == giver).to_numpy()].to_numpy())
            heavier = max(after[giver], after[taker]) >= load[giver]
            if load[taker] >= mean or heavier or left.geom_type != "Polygon":
                continue
            value = members_gini(drawn["work_hours"], parent, grids)
            allowed |= value < best - 1e-12
            best = min(best, value)
    assert len(found.transfers) == int(allowed)
    if allowed:
        assert found.transfers["gini_after"].iloc[0] == pytest.approx(best, abs=1e-12)


def test_moves_are_counted_and_bad_tables_refused() -> None:
    drawn = units("abcdef", "XXXXXY", {"f": 0.5})
    assert len(proposed_transfers(drawn, GRIDS, moves=1).transfers) == 1
    assert proposed_transfers(drawn, GRIDS, moves=0).transfers.empty
    with pytest.raises(ConformError, match="no column 'work_hours'"):
        proposed_transfers(drawn.drop(columns="work_hours"), GRIDS)
    with pytest.raises(ConformError, match="X"):
        proposed_transfers(drawn, GRIDS.iloc[1:])
    with pytest.raises(ConformError, match="work_hours"):
        proposed_transfers(drawn.assign(work_hours=np.nan), GRIDS)
    with pytest.raises(ConformError, match="3 units"):
        proposed_transfers(drawn, GRIDS, graph=sp.csr_array((3, 3)))


def test_grids_after_transfers_are_a_coverage_and_households_follow() -> None:
    drawn = units("abc def", "XXY XXY", {"a": 4, "b": 4, "d": 4, "e": 4})
    drawn = drawn.assign(households=pd.array([5, 6, 7, 8, 9, 10], dtype="Int64"))
    grids = grid_of("XXY XXY", households=pd.array([28, pd.NA], dtype="Int64"))
    found = proposed_transfers(drawn, grids)
    after = transferred_grids(grids, drawn, found.parents)
    assert shapely.coverage_is_valid(after.geometry.to_numpy())
    assert after.area.sum() == pytest.approx(grids.area.sum())
    passed = found.transfers["households"].sum()
    assert passed > 0
    assert after["households"].iloc[0] == 28 - passed
    assert after["households"].isna().iloc[1]
    assert grids.area.to_list() == [40_000.0, 20_000.0]  # not changed
    with pytest.raises(ConformError, match=r"parents\.new"):
        transferred_grids(grids.iloc[:1], drawn, found.parents)


def test_the_resize_engine_takes_the_grids() -> None:
    """Buildings of the micro-grids that passed lie in the other grid; far ones stay."""
    grids = grid_of("XXYZ", size=200.0)
    buildings = rows_of_buildings(20, 5, households=dict.fromkeys(range(100), 20))
    city = town(grids, buildings)
    plan = design_grids(city, lang="en")
    micro = plan.microgrids
    found = proposed_transfers(micro.assign(work_hours=micro["households"].astype(float)), grids)
    assert {row[1:] for row in moved(found)} == {("X", "Y")}
    frame = city.frame("grids")
    after = transferred_grids(frame, micro, found.parents)
    assert shapely.coverage_is_valid(after.geometry.to_numpy())
    resized = resize_grids(plan, replace(city, layers={**city.layers, "grids": after}))
    was = plan.membership.set_index("code")
    now = resized.membership.set_index("code").reindex(was.index)
    passed = was["microgrid"].isin(found.transfers["code"])
    assert passed.any()
    assert (now["parent"][passed] == "Y").all()
    assert (now["parent"][~passed] == was["parent"][~passed]).all()
    assert (now["microgrid"][was["parent"] == "Z"] == was["microgrid"][was["parent"] == "Z"]).all()


def _passed(work: list[float], grid: list[int], links: list[tuple[int, int]],
            tolerance: float) -> list[tuple[int, int, int]]:  # fmt: skip
    """Return the transfers between grids of one member each, with nothing to travel."""
    count, grids = len(work), max(grid) + 1
    nothing = np.zeros(count)
    board = Board(
        work=np.array(work), stops=nothing, area_m2=nothing, locked=nothing > 0,
        rank=np.arange(count, dtype=float), members=np.ones(grids), grid=np.array(grid),
        pace=Pace(1.0, 0.0),
    )  # fmt: skip
    one, other = np.array(links).T
    both = np.append(one, other), np.append(other, one)
    near = sp.coo_array((np.ones(2 * len(links)), both), (count, count))
    steps, _ = search(board, near, np.zeros(grids, dtype=np.int64), tolerance, moves=9)
    return [(step.unit, step.giver, step.taker) for step in steps]


def test_a_grid_gives_only_above_the_tolerance() -> None:
    # 12 hours and 8: a fifth above the mean.
    work, grid, links = [10.0, 2.0, 8.0], [0, 0, 1], [(0, 1), (1, 2)]
    assert _passed(work, grid, links, 0.2) == []
    assert _passed(work, grid, links, 0.19) == [(1, 0, 1)]


def test_a_grid_takes_only_below_the_mean() -> None:
    # 14 hours, 10 and 6; the first grid touches the second alone.
    for middle, expected in ((10.0, []), (9.9, [(1, 0, 1)])):
        work, grid = [12.0, 2.0, middle, 6.0], [0, 0, 1, 2]
        assert _passed(work, grid, [(0, 1), (1, 2), (2, 3)], 0.0)[:1] == expected
