from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import EAST, NORTH, grid_of
from towns import joined_of, rows_of_buildings, squares, town

from gridmap.design import crosswalk, design_grids, lock, merge, resize_grids, restate
from gridmap.design import resize as module
from gridmap.design.grids import atoms_of, grids_of
from gridmap.design.plan import Plan
from gridmap.errors import ConformError
from gridmap.model import City
from gridmap.result import Analysed
from gridmap.settings import Design


@pytest.fixture(scope="module")
def city() -> City:
    return town(grid_of("AB", 400.0), rows_of_buildings(20, 10))


@pytest.fixture(scope="module")
def plan(city: City) -> Plan:
    return design_grids(city)


def _with_households(city: City, occupied: pd.Series) -> City:
    buildings = city.frame("buildings").assign(occupied=occupied.astype("Int64"))
    return replace(city, layers={**city.layers, "buildings": buildings})


def test_nothing_changes_where_nothing_has_to(city: City, plan: Plan) -> None:
    for resized in (resize_grids(plan), resize_grids(plan, city)):
        assert joined_of(resized) == joined_of(plan)
        assert resized.retired == plan.retired
        assert resized.log[-1]["households_moved"] == 0
        assert shapely.equals(resized.shape, _ordered(plan, resized)).all()
        assert set(resized.microgrids["change"]) == {"same"}


def _ordered(plan: Plan, like: Plan) -> np.ndarray:
    return plan.shape[pd.Index(plan.code).get_indexer(like.code)]


def test_another_count_splits_or_merges_just_that_grid(plan: Plan) -> None:
    for count in (36, 44):
        resized = resize_grids(plan, settings=Design(counts={"A": count}))
        assert (resized.parent == 0).sum() == count
        before, after = joined_of(plan), joined_of(resized)
        others = {code for code in before if code.startswith("B")}
        assert len(others) == 40
        assert {code for code in others if after[code] == before[code]} == others
        kept = [code for code in before if after.get(code) == before[code]]
        assert len(kept) >= 40 + 20


def test_another_target_keeps_what_is_still_within_bounds(plan: Plan) -> None:
    resized = resize_grids(plan, settings=Design(target=60, minimum=50, maximum=80))
    before, after, people = joined_of(plan), joined_of(resized), plan.households()
    assert resized.households().min() >= 50
    assert resized.households().max() <= 80
    stays = [len(before[code] & after.get(code, frozenset())) * 20 for code in before]
    assert sum(stays) > 0.6 * people.sum()


def test_locked_micro_grids_stay(plan: Plan) -> None:
    held = [str(code) for code in plan.code[plan.households() < 55][:3]]
    assert len(held) == 3
    resized = resize_grids(lock(plan, held), settings=Design(target=70, minimum=55, maximum=110))
    before, after = joined_of(plan), joined_of(resized)
    assert [after[code] for code in held] == [before[code] for code in held]
    assert sorted(resized.code[resized.locked]) == sorted(held)


def test_few_households_change_hands(sample: Analysed) -> None:
    plan = design_grids(sample.city)
    rng = np.random.default_rng(5)
    occupied = sample.city.frame("buildings")["occupied"].astype(float)
    factor = np.where(rng.random(len(occupied)) < 0.1, 1 + rng.uniform(-0.3, 0.3, len(occupied)), 1)
    today = _with_households(sample.city, (occupied * factor).round())
    resized = resize_grids(plan, today)
    assert resized.households().sum() == (occupied * factor).round().sum()
    moved = resized.log[-1]["households_moved"]
    assert moved <= 0.05 * resized.households().sum()
    assert resized.microgrids["reason"].notna().sum() <= plan.microgrids["reason"].notna().sum() + 2
    assert shapely.coverage_is_valid(resized.shape) == shapely.coverage_is_valid(plan.shape)


def test_the_crosswalk_adds_up_to_the_household(city: City, plan: Plan) -> None:
    buildings = city.frame("buildings")
    occupied = (
        buildings["occupied"].where(buildings.index % 7 != 0, 33).where(buildings.index != 9, 95)
    )
    gone = replace(
        city,
        layers={**city.layers, "buildings": _with_households(city, occupied).frame("buildings")[5:]
                .reset_index(drop=True)},
    )  # fmt: skip
    resized = resize_grids(plan, gone)
    table = crosswalk(plan, resized)
    before = table.groupby("old")["households_before"].sum()
    after = table.groupby("new")["households_after"].sum()
    assert before.to_dict() == dict(zip(plan.code, plan.households(), strict=True))
    assert after.to_dict() == dict(zip(resized.code, resized.households(), strict=True))
    assert table["new"].isna().any()
    known = pd.Series(1.0, index=plan.code)
    assert restate(known, table).sum() == pytest.approx(len(plan))


def test_a_building_that_is_split_into_units_since_is_still_known() -> None:
    buildings = squares(
        [(60, 60), (180, 60), (60, 180), (180, 180)], [60, 40, 45, 45], units=[3, 1, 1, 1]
    )
    city = town(grid_of("A", 240.0), buildings)
    plan = design_grids(city)
    grown = _with_households(city, pd.Series([120, 40, 45, 45]))
    resized = resize_grids(plan, grown)
    assert len(resized.buildings) == 6
    table = crosswalk(plan, resized)
    assert table["old"].notna().all()
    assert table["households_before"].sum() == 190
    assert table["households_after"].sum() == 250
    assert joined_of(plan).keys() <= joined_of(resized).keys()


def test_codes_are_never_given_twice(plan: Plan) -> None:
    merged = merge(plan, [str(plan.code[0]), str(plan.code[1])]).plan
    gone = set(plan.code) - set(merged.code)
    resized = resize_grids(merged, settings=Design(counts={"A": 45}))
    new = set(resized.code) - set(merged.code)
    assert (resized.microgrids["parent"] == "A").sum() == 45
    assert not new & gone
    assert gone <= resized.retired


def test_values_of_a_code_given_twice_are_refused(plan: Plan) -> None:
    twice = pd.Series([1.0, 2.0], index=[plan.code[0]] * 2)
    with pytest.raises(ConformError, match="twice"):
        restate(twice, crosswalk(plan, plan))


@settings(max_examples=25)
@given(st.data())
def test_a_resize_loses_nothing_whatever_happens(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 14))
    places = [(30.0 + 60 * (k % 5), 30.0 + 60 * (k // 5)) for k in range(count)]
    people = st.lists(st.sampled_from([0, 5, 20, 45, 90, 400]), min_size=count, max_size=count)
    frame = squares(places, data.draw(people), side=20.0, units=[2] * count)
    city = town(grid_of("AB AB", 150.0), frame)
    plan = design_grids(city)
    left = data.draw(st.lists(st.integers(0, count - 1), unique=True, min_size=1))
    today = frame.assign(occupied=data.draw(people)).iloc[sorted(left)].reset_index(drop=True)
    target = data.draw(st.sampled_from([20.0, 50.0, 120.0]))
    resized = resize_grids(
        plan, town(grid_of("AB AB", 150.0), today), settings=Design(target=target)
    )
    assert resized.households().sum() == today["occupied"].sum()
    assert shapely.coverage_is_valid(resized.shape)
    assert (shapely.get_num_geometries(resized.shape) == 1).all()
    table = crosswalk(plan, resized)
    assert table["households_before"].sum() == plan.households().sum()
    assert table["households_after"].sum() == resized.households().sum()
    assert not set(resized.code) & set(resized.retired)


def test_a_grid_of_one_micro_grid_keeps_it_whatever_became_of_its_buildings() -> None:
    grids = grid_of("AB", 240.0)
    before = design_grids(town(grids, squares([(60, 60), (300, 60)], [40, 50])))
    anew = squares([(100, 100), (350, 90)], [44, 55]).assign(code=["N0", "N1"])
    after = resize_grids(before, town(grids, anew))
    assert after.code.tolist() == before.code.tolist()
    assert after.retired == before.retired
    assert after.households().tolist() == [44, 55]


def test_a_resize_without_a_change_changes_nothing() -> None:
    """Towers and small grids leave micro-grids out of bounds, which no second search may move."""
    buildings = rows_of_buildings(10, 10, {k: (7 * k) % 40 for k in range(100)})
    city = town(grid_of("AB", 200.0), buildings)
    uneven = Design(target=30, minimum=29, maximum=31)
    plan = design_grids(city, uneven)
    assert plan.microgrids["reason"].notna().any()
    for resized in (resize_grids(plan), resize_grids(plan, city)):
        assert resized.log[-1]["households_moved"] == 0
        assert resized.code.tolist() == plan.code.tolist()
        assert resized.name.tolist() == plan.name.tolist()
        assert (shapely.to_wkb(resized.shape) == shapely.to_wkb(plan.shape)).all()
    again = resize_grids(resized, city)
    assert (shapely.to_wkb(again.shape) == shapely.to_wkb(plan.shape)).all()


@pytest.mark.parametrize("change", ["bounds", "count", "households", "outline", "building"])
def test_what_changed_is_resized_and_the_other_grid_stays(change: str) -> None:
    buildings = rows_of_buildings(10, 5, {k: (7 * k) % 40 for k in range(50)})
    grids, bounds = grid_of("AB", 200.0), {"target": 30.0, "minimum": 29.0, "maximum": 31.0}
    plan = design_grids(town(grids, buildings), Design(**bounds))
    wanted = Design(**bounds)
    if change == "bounds":
        wanted = Design(target=60)
    if change == "count":
        wanted = Design(**bounds, counts={"A": 4})
    if change == "households":
        buildings.loc[0, "occupied"] += 9
    if change == "outline":
        grids.loc[0, "geometry"] = shapely.union(
            grids.geometry[0], shapely.box(EAST - 9, NORTH, EAST, NORTH + 90)
        )
    if change == "building":
        buildings.loc[0, "geometry"] = shapely.buffer(buildings.geometry[0], 1.0)
    asked = module._settled(plan, wanted, *_grids_and_sites(town(grids, buildings), wanted))
    assert asked.tolist() == [False, change != "bounds"]


def _grids_and_sites(city: City, wanted: Design) -> tuple[pd.DataFrame, pd.DataFrame]:
    grids = grids_of(city, wanted)
    return grids, atoms_of(city, grids, wanted).frame


def test_a_shape_that_is_as_it_was_begins_where_it_began() -> None:
    was = np.array([shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)]), shapely.box(4, 0, 8, 4)])
    now = np.array([shapely.box(4, 0, 8, 5), shapely.normalize(was[0]), shapely.box(9, 9, 10, 10)])
    assert shapely.to_wkb(now[1]) != shapely.to_wkb(was[0])
    found = module._as_before(was, now, np.array([1, 0, -1]))
    assert shapely.to_wkb(found).tolist() == shapely.to_wkb([now[0], was[0], now[2]]).tolist()
