from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import CRS, EAST, NORTH, grid_of
from towns import joined_of, lines, pieces_of, rows_of_buildings, squares, town

from gridmap.config import read_city_file
from gridmap.design import design_grids, figures
from gridmap.design.plan import Plan
from gridmap.errors import ConformError
from gridmap.model import City
from gridmap.result import Analysed
from gridmap.settings import Design
from gridmap.sources import read_city

HALVES = grid_of("AB", size=400.0)


def test_every_micro_grid_has_its_share_where_buildings_allow() -> None:
    plan = design_grids(town(HALVES, rows_of_buildings(20, 10)))
    assert plan.households().sum() == 200 * 20
    assert len(plan) == 80
    assert set(plan.households()) <= {40, 60}
    assert (pieces_of(plan) == 1).all()


def test_the_micro_grids_tile_their_grids() -> None:
    plan = design_grids(town(HALVES, rows_of_buildings(20, 10)))
    assert shapely.coverage_is_valid(plan.shape)
    for parent, outline in enumerate(plan.grids.geometry):
        union = shapely.coverage_union_all(plan.shape[plan.parent == parent])
        assert shapely.equals(shapely.normalize(union), outline)


def test_codes_are_numbered_west_to_east_and_north_to_south() -> None:
    plan = design_grids(
        town(grid_of("A", 400.0), squares([(100, 300), (300, 300), (200, 90)], [50] * 3))
    )
    by_code = plan.microgrids.set_index("code")
    assert list(by_code.index) == ["A001", "A002", "A003"]
    assert by_code.loc["A001", "name"] == "Grid A第一微网格"
    members = plan.membership.set_index("microgrid")["code"]
    assert members.loc[["A001", "A002", "A003"]].tolist() == ["B000", "B001", "B002"]


def test_a_river_is_never_crossed_and_a_main_road_is_avoided() -> None:
    buildings = rows_of_buildings(10, 10, 10)
    river = lines((200, -10, 200, 410), kind="river")
    plan = design_grids(town(grid_of("A", 400.0), buildings, barriers=river))
    east = buildings.set_index("code").centroid.x > EAST + 200
    for members in joined_of(plan).values():
        assert east[list(members)].nunique() == 1
    road = lines((0, 200, 400, 200), **{"class": "main"})
    plan = design_grids(town(grid_of("A", 400.0), buildings, roads=road))
    assert plan.microgrids["crossings"].eq(0).all()
    inner = shapely.linestrings([[[EAST + 1, NORTH + 200], [EAST + 399, NORTH + 200]]])
    borders = shapely.union_all(shapely.boundary(plan.shape))
    assert shapely.covers(shapely.buffer(borders, 0.02), inner).all()


def test_no_building_is_cut() -> None:
    plan = design_grids(town(HALVES, rows_of_buildings(20, 10)))
    shapes = plan.shape[plan.label[plan.atom]]
    outside = shapely.area(shapely.difference(plan.buildings.geometry.to_numpy(), shapes))
    assert outside.max() < 1e-6


def test_an_empty_building_joins_a_neighbour() -> None:
    buildings = rows_of_buildings(6, 1, {2: 0, 3: 0})
    plan = design_grids(town(grid_of("A", 240.0), buildings))
    assert len(plan.atoms) == 4
    assert len(plan.buildings) == 6
    assert plan.membership["microgrid"].notna().all()


def test_a_tower_above_the_maximum_is_explained() -> None:
    plan = design_grids(town(grid_of("A", 240.0), squares([(60, 60), (180, 180)], [200, 50])))
    tower = plan.microgrids.sort_values("households").iloc[-1]
    assert tower["households"] >= 200
    assert tower["reason"] == "large_building"
    assert tower["remedy"] == "give_units"


def test_a_tower_with_units_is_split_into_them() -> None:
    buildings = squares([(60, 60), (180, 180)], [200, 50], side=40.0, units=[4, 1])
    plan = design_grids(town(grid_of("A", 240.0), buildings))
    assert plan.microgrids["reason"].isna().all()
    assert plan.households().tolist() == [50] * 5
    assert plan.households().sum() == 250


def test_units_with_a_geometry_are_used_as_they_are() -> None:
    buildings = squares([(60, 60), (180, 180)], [100, 50], side=40.0)
    west = shapely.box(EAST + 40, NORTH + 40, EAST + 60, NORTH + 80)
    east = shapely.box(EAST + 60, NORTH + 40, EAST + 80, NORTH + 80)
    units = gpd.GeoDataFrame(
        {"code": ["U1", "U2"], "building": ["B000"] * 2, "occupied": [70, 30]},
        geometry=[west, east], crs=CRS,
    )  # fmt: skip
    plan = design_grids(town(grid_of("A", 240.0), buildings, units=units))
    atoms = plan.atoms.set_index("code")["households"]
    assert atoms.to_dict() == {"U1": 70, "U2": 30, "B001": 50}


def test_a_small_grid_is_one_micro_grid_and_says_why() -> None:
    plan = design_grids(town(grid_of("A", 240.0), squares([(60, 60)], [12])))
    (row,) = plan.microgrids.to_dict("records")
    assert (row["households"], row["reason"], row["remedy"]) == (12, "few_households", "join_grids")


def test_a_grid_without_buildings_is_one_micro_grid() -> None:
    plan = design_grids(town(HALVES, squares([(60, 60)], [50])))
    assert plan.households().tolist() == [50, 0]
    assert shapely.equals(plan.shape[1], HALVES.geometry.iloc[1])


def test_a_building_in_no_grid_is_told() -> None:
    plan = design_grids(town(grid_of("A", 100.0), squares([(50, 50), (900, 900)], [50, 30])))
    assert plan.outside == ("B001",)
    assert figures(plan)["plan_outside"] == 1


def test_the_count_may_be_given() -> None:
    wanted = Design(counts={"A": 7})
    plan = design_grids(town(HALVES, rows_of_buildings(20, 10)), wanted)
    assert (plan.parent == 0).sum() == 7
    assert (plan.parent == 1).sum() == 40
    with pytest.raises(ConformError, match="XYZ"):
        design_grids(town(HALVES, rows_of_buildings(20, 10)), Design(counts={"XYZ": 3}))


def test_what_is_balanced_may_be_a_mix() -> None:
    buildings = rows_of_buildings(10, 10, 10).assign(floors=[1] * 50 + [9] * 50)
    city = town(grid_of("A", 400.0), buildings)
    plan = design_grids(city, Design(balance={"occupied": 0.5, "floors": 0.5}))
    assert plan.weights().sum() == pytest.approx(1000)
    members = plan.membership.merge(buildings[["code", "floors"]], on="code")
    floors = members.groupby("microgrid")["floors"].sum()
    alone = design_grids(city, Design()).membership.merge(buildings[["code", "floors"]], on="code")
    assert floors.std() < alone.groupby("microgrid")["floors"].sum().std()
    with pytest.raises(ConformError, match="storeys"):
        design_grids(city, Design(balance="storeys"))


def test_compounds_and_units_of_a_building_stay_together() -> None:
    buildings = rows_of_buildings(8, 8, 10).assign(compound=[f"C{k % 8 // 2}" for k in range(64)])
    plan = design_grids(town(grid_of("A", 320.0), buildings), Design(keep_compound=5.0))
    members = plan.membership.merge(buildings[["code", "compound"]], on="code")
    mixed = members.groupby("microgrid")["compound"].nunique()
    assert (mixed == 1).mean() >= 0.7


def test_a_second_run_gives_the_same_plan_with_any_number_of_workers(sample: Analysed) -> None:
    plans = [design_grids(sample.city, workers=workers) for workers in (1, 1)]
    first, second = plans
    assert np.array_equal(first.label, second.label)
    assert shapely.equals_exact(first.shape, second.shape, 0).all()
    pd.testing.assert_frame_equal(
        pd.DataFrame(first.microgrids.drop(columns="geometry")),
        pd.DataFrame(second.microgrids.drop(columns="geometry")),
    )


def test_processes_give_what_one_gives(sample: Analysed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gridmap.design.cut.BATCH", 8)
    monkeypatch.setattr("gridmap.design.cut.WORTH", 0)
    alone, shared = design_grids(sample.city), design_grids(sample.city, workers=2)
    assert np.array_equal(alone.label, shared.label)
    assert shapely.equals_exact(alone.shape, shared.shape, 0).all()


def test_the_order_of_rows_does_not_matter() -> None:
    buildings = rows_of_buildings(20, 10)
    mixed = buildings.sample(frac=1, random_state=3).reset_index(drop=True)
    one, other = design_grids(town(HALVES, buildings)), design_grids(town(HALVES, mixed))
    assert joined_of(one) == joined_of(other)


def _odd_town(draw: st.DrawFn) -> tuple[City, int]:
    grids = draw(st.sampled_from(["A", "AB", "AABB AACC", "A.A", "AAA A.A AAA", "A.. ..A"]))
    frame = grid_of(grids, size=draw(st.sampled_from([30.0, 200.0])))
    width, height = frame.total_bounds[2] - EAST, frame.total_bounds[3] - NORTH
    count = draw(st.integers(1, 25))
    place = st.tuples(st.integers(0, 8), st.integers(0, 8))
    if draw(st.booleans()):
        place = st.tuples(st.integers(0, 8), st.just(4))
    places = [
        (x / 8 * width, y / 8 * height)
        for x, y in draw(st.lists(place, min_size=count, max_size=count))
    ]
    households = draw(
        st.lists(st.sampled_from([0, 0, 1, 10, 35, 90, 400]), min_size=count, max_size=count)
    )
    side = draw(st.sampled_from([0.5, 10.0, 60.0]))
    return town(frame, squares(places, households, side=side)), sum(households)


def test_a_tower_of_ten_thousand_households_may_be_sliced() -> None:
    tower = squares([(100, 100), (30, 30)], [10_000, 40], side=60.0)
    plan = design_grids(town(grid_of("A", 200.0), tower), Design(cut_large=True))
    assert plan.households().sum() == 10_040
    assert plan.microgrids["reason"].isna().mean() > 0.98
    whole = design_grids(town(grid_of("A", 200.0), tower))
    assert whole.households().max() >= 10_000


@settings(max_examples=60)
@given(st.data())
def test_no_input_however_odd_loses_a_household(data: st.DataObject) -> None:
    city, households = _odd_town(data.draw)
    plan = design_grids(city, Design(cut_large=data.draw(st.booleans())))
    lost = city.frame("buildings").set_index("code")["occupied"].reindex(list(plan.outside)).sum()
    assert plan.households().sum() + lost == households
    assert len(plan.buildings) >= len(city.frame("buildings")) - len(plan.outside)
    assert shapely.is_valid(plan.shape).all()
    areas = np.bincount(plan.parent, weights=shapely.area(plan.shape))
    assert areas == pytest.approx(shapely.area(plan.grids.geometry.to_numpy()), rel=1e-9)
    for parent, outline in enumerate(plan.grids.geometry):
        parts = plan.shape[plan.parent == parent]
        assert shapely.coverage_is_valid(parts)
        if outline.geom_type == "Polygon":
            assert (shapely.get_num_geometries(parts) == 1).all()
    assert len(set(plan.code)) == len(plan)


def test_the_sample_city_is_cut_well(sample: Analysed) -> None:
    plan = design_grids(sample.city)
    found = figures(plan)
    assert found["plan_households"] == sample.city.frame("buildings")["occupied"].sum()
    assert found["plan_within_20"] > 0.65
    assert found["plan_beyond"] == plan.microgrids["remedy"].notna().sum()
    assert _reasons_hold(plan)


def _reasons_hold(plan: Plan) -> bool:
    micro, design = plan.microgrids, plan.settings
    beyond = (micro["weight"] < design.least) | (micro["weight"] > design.most)
    return bool((beyond == micro["reason"].notna()).all())


def test_points_may_stand_for_buildings(tmp_path: Path) -> None:
    buildings = rows_of_buildings(10, 4).set_geometry(rows_of_buildings(10, 4).centroid)
    grid_of("A", 400.0).assign(name="Grid A").to_file(tmp_path / "grids.gpkg")
    buildings.to_file(tmp_path / "buildings.gpkg")
    (tmp_path / "city.toml").write_text(
        """
        name = "points"
        title = { en = "P", zh = "点" }
        source = { en = "S", zh = "源" }
        timezone = "Asia/Shanghai"
        [[inputs]]
        layer = "grids"
        path = "grids.gpkg"
        constants = { level = "grid" }
        [[inputs]]
        layer = "buildings"
        path = "buildings.gpkg"
        """,
        encoding="utf-8",
    )
    plan = design_grids(read_city(read_city_file(tmp_path)))
    assert plan.households().sum() == 800
    assert set(plan.households()) <= {40, 60}
