"""Edits that were drawn in a GIS desktop."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapes import EAST, NORTH, grid_of
from towns import joined_of, rows_of_buildings, town

from gridmap.catalog import load_catalog
from gridmap.design import as_layers, design_grids, lock, move, undo
from gridmap.design.imported import changed_features, merge_drawn
from gridmap.design.plan import Plan
from gridmap.design.redrawn import merge_areas
from gridmap.errors import ConformError
from gridmap.outputs import write_layers
from gridmap.sources.edits import merge_levels, read_edits
from gridmap.sources.plan import read_plan

CITY = town(grid_of("AB", 400.0), rows_of_buildings(20, 10))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return design_grids(CITY)


def layer_of(plan: Plan) -> gpd.GeoDataFrame:
    return plan.microgrids[["code", "name", "parent", "households", "locked", "geometry"]].copy()


def given(plan: Plan, part: int) -> tuple[str, str, str, shapely.Geometry]:
    """An atom on the border of a micro-grid, the code it has, one beside it, and its cell."""
    graph = plan.graph
    owner = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    other = plan.label[graph.neighbour]
    at = np.flatnonzero((plan.label[owner] == part) & (other != part))
    k = int(at[0])
    cell = plan.atoms.geometry.iloc[owner[k]]
    return (
        str(plan.atoms["code"].iloc[owner[k]]),
        str(plan.code[part]),
        str(plan.code[other[k]]),
        cell,
    )


def redrawn(plan: Plan, cell: shapely.Geometry, giver: str, taker: str) -> gpd.GeoDataFrame:
    layer = layer_of(plan).set_index("code")
    cell = cell.buffer(0.5, join_style="mitre")
    piece = shapely.intersection(layer.geometry[giver], cell)
    layer.loc[giver, "geometry"] = shapely.difference(layer.geometry[giver], piece)
    layer.loc[taker, "geometry"] = shapely.union(layer.geometry[taker], piece)
    return gpd.GeoDataFrame(layer.reset_index(), crs=plan.grids.crs)


def test_nothing_edited_changes_nothing(plan: Plan) -> None:
    made = merge_drawn(plan, layer_of(plan).to_crs(4490))
    assert made.plan is plan
    assert made.changes.empty
    assert made.conflicts.empty


def test_a_layer_without_the_column_of_parents_is_taken(plan: Plan) -> None:
    atom, giver, taker, cell = given(plan, 0)
    made = merge_drawn(plan, redrawn(plan, cell, giver, taker).drop(columns="parent"))
    assert joined_of(made.plan) == joined_of(move(plan, [atom], taker).plan)


def test_a_border_that_was_moved_gives_the_cells_beyond_it(plan: Plan) -> None:
    atom, giver, taker, cell = given(plan, 0)
    made = merge_drawn(plan, redrawn(plan, cell, giver, taker))
    assert list(made.changes["code"]) == sorted([giver, taker])
    assert set(made.changes["kind"]) == {"reshaped"}
    assert made.conflicts.empty
    wanted = move(plan, [atom], taker).plan
    assert joined_of(made.plan) == joined_of(wanted)
    assert made.plan.log[-1]["kind"] == "import"
    assert len(made.applied) == 1
    assert joined_of(undo(made.plan)) == joined_of(plan)


def test_a_building_given_away_in_the_table(plan: Plan) -> None:
    atom, _, taker, _ = given(plan, 0)
    made = merge_drawn(plan, layer_of(plan), moved={atom: taker})
    assert joined_of(made.plan) == joined_of(move(plan, [atom], taker).plan)


def test_a_split_makes_a_new_micro_grid(plan: Plan) -> None:
    layer = layer_of(plan)
    cells = plan.atoms.geometry[plan.label == list(plan.code).index(layer["code"][0])]
    x, y = (np.sort(side.to_numpy()) for side in (cells.centroid.x, cells.centroid.y))
    west, south, east, north = layer.geometry[0].bounds
    one = shapely.box(west, south, (x[0] + x[-1]) / 2 + 1, north)
    if y[-1] - y[0] > x[-1] - x[0]:
        one = shapely.box(west, south, east, (y[0] + y[-1]) / 2 + 1)
    halves = [layer.geometry[0].intersection(one), layer.geometry[0].difference(one)]
    # QGIS gives both parts the attributes of the whole.
    both = pd.concat([layer.iloc[[0, 0]], layer.iloc[1:]], ignore_index=True)
    both.loc[[0, 1], "geometry"] = halves
    made = merge_drawn(plan, gpd.GeoDataFrame(both, crs=layer.crs))
    assert made.conflicts.empty, made.conflicts
    assert len(made.plan) == len(plan) + 1
    (new,) = set(made.plan.code) - set(plan.code)
    code = layer["code"][0]
    before, after = joined_of(plan), joined_of(made.plan)
    assert after[new] | after[code] == before[code]


def test_gaps_and_overlaps_are_conflicts_and_other_grids_go_on(plan: Plan) -> None:
    first = int(plan.parts_of(0).start)
    second = int(plan.parts_of(1).start)
    _, giver, taker, cell = given(plan, second)
    layer = redrawn(plan, cell, giver, taker).set_index("code")
    broken = str(plan.code[first])
    layer.loc[broken, "geometry"] = layer.geometry[broken].buffer(-30)
    made = merge_drawn(plan, gpd.GeoDataFrame(layer.reset_index(), crs=plan.grids.crs))
    assert made.applied == ("B",)
    assert set(made.conflicts["grid"]) == {"A"}
    assert "gap" in set(made.conflicts["kind"])


def test_an_overlap_is_told_though_no_building_changes_side(plan: Plan) -> None:
    layer = layer_of(plan)
    layer.loc[0, "geometry"] = layer.geometry[0].buffer(8)
    made = merge_drawn(plan, layer)
    assert made.plan is plan
    assert "overlap" in set(made.conflicts["kind"])


def test_a_border_that_moves_nothing_is_told(plan: Plan) -> None:
    _, giver, taker, cell = given(plan, 0)
    layer = redrawn(plan, shapely.box(*cell.bounds[:2], cell.bounds[0] + 3, cell.bounds[3]),
                    giver, taker)  # fmt: skip
    made = merge_drawn(plan, layer)
    assert made.plan is plan
    assert set(made.conflicts["kind"]) <= {"no_effect", "multi_part", "orphan"}
    assert len(made.conflicts)


def test_both_sides_changed_the_same_atom(plan: Plan) -> None:
    atom, giver, taker, _ = given(plan, 0)
    others = [c for c in plan.code[plan.parts_of(0)] if c not in (giver, taker)]
    exported = dict(zip(plan.atoms["code"], plan.code[plan.label], strict=True))
    now = move(plan, [atom], others[0]).plan
    made = merge_drawn(now, layer_of(now), exported=exported, moved={atom: taker}, stale=True)
    assert list(made.conflicts["kind"]) == ["both"]
    assert made.plan is now
    # Where they agree, or concern other atoms, there is none.
    made = merge_drawn(now, layer_of(now), exported=exported, moved={atom: others[0]}, stale=True)
    assert made.conflicts.empty


def test_names_and_locks_are_taken_over_and_figures_are_not(plan: Plan) -> None:
    layer = layer_of(plan)
    layer.loc[0, "name"] = "𠮷祥里"
    layer.loc[1, "locked"] = True
    layer.loc[2, "households"] = 999
    made = merge_drawn(plan, layer)
    assert made.plan.name[list(plan.code).index(layer["code"][0])] == "𠮷祥里"
    assert bool(made.plan.locked[list(plan.code).index(layer["code"][1])])
    assert list(made.conflicts["kind"]) == ["derived"]
    assert joined_of(made.plan) == joined_of(plan)


def test_a_locked_micro_grid_stays(plan: Plan) -> None:
    _, giver, taker, cell = given(plan, 0)
    held = lock(plan, [giver])
    made = merge_drawn(held, redrawn(held, cell, giver, taker))
    assert list(made.conflicts["kind"]) == ["locked"]
    assert joined_of(made.plan) == joined_of(plan)


def test_another_plan_is_refused(plan: Plan) -> None:
    layer = layer_of(plan)
    layer["code"] = "X" + layer["code"]
    with pytest.raises(ConformError, match="code of this plan"):
        merge_drawn(plan, layer)


def test_a_round_trip_through_a_file(plan: Plan, tmp_path: Path) -> None:
    (path,) = write_layers(as_layers(plan, CITY), tmp_path, formats=["gpkg"])
    _, back = read_plan(path, load_catalog())
    edits = read_edits(path, back)
    made = merge_drawn(
        back, edits.drawn, exported=edits.exported, moved=edits.moved, stale=edits.stale
    )
    assert not edits.stale
    assert not edits.moved
    assert made.changes.empty
    assert made.conflicts.empty
    assert made.plan is back


def test_the_same_shape_with_other_nodes_is_no_change() -> None:
    frame = grid_of("AB")
    ring = shapely.get_coordinates(frame.geometry[0])
    other = frame.copy()
    middle = (ring[0] + ring[1]) / 2
    other.loc[0, "geometry"] = shapely.Polygon(np.vstack([ring[1:], ring[1:2]])[:-1])
    other.loc[1, "geometry"] = frame.geometry[1].segmentize(30.0)
    assert len(middle) == 2
    assert changed_features(frame, other, []).empty


def test_grids_take_what_is_sound_and_refuse_the_rest() -> None:
    frame = grid_of("ABCD", 100.0)
    frame["name"] = ["a", "b", "c", "d"]
    edited = frame.copy()
    edited.loc[3, "name"] = "new"
    # A gives a strip to B; C is drawn over D.
    edited.loc[0, "geometry"] = shapely.box(EAST, NORTH, EAST + 90, NORTH + 100)
    edited.loc[1, "geometry"] = shapely.box(EAST + 90, NORTH, EAST + 200, NORTH + 100)
    edited.loc[2, "geometry"] = shapely.box(EAST + 200, NORTH, EAST + 330, NORTH + 100)
    merged, changes, conflicts = merge_areas(frame, edited, fields=["name"])
    assert set(zip(changes["code"], changes["kind"], strict=True)) == {
        ("A", "reshaped"), ("B", "reshaped"), ("C", "reshaped"), ("D", "attribute"),
    }  # fmt: skip
    assert set(conflicts["kind"]) == {"overlap"}
    assert set(conflicts["codes"]) == {"C, D"}
    merged = merged.set_index("code")
    # The borders of A, B and C meet, so they go together.
    assert merged.loc["D", "name"] == "new"
    assert merged.geometry["C"].equals(frame.geometry[2])


def test_edits_apart_from_a_conflict_are_applied() -> None:
    frame = grid_of("AB..CD", 100.0)
    edited = frame.copy()
    edited.loc[0, "geometry"] = shapely.box(EAST, NORTH, EAST + 90, NORTH + 100)
    edited.loc[1, "geometry"] = shapely.box(EAST + 90, NORTH, EAST + 200, NORTH + 100)
    edited.loc[2, "geometry"] = shapely.box(EAST + 400, NORTH, EAST + 530, NORTH + 100)
    merged, _, conflicts = merge_levels(frame, edited)
    assert len(conflicts) == 1
    assert merged.set_index("code").geometry["A"].area == pytest.approx(9000)
    assert merged.set_index("code").geometry["C"].area == pytest.approx(10000)
