from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapes import grid_of
from towns import joined_of, pieces_of, rows_of_buildings, town

from gridmap.design import design_grids, lock, merge, move, recut, split, undo
from gridmap.design.plan import Plan
from gridmap.errors import ConformError
from gridmap.settings import Design


@pytest.fixture(scope="module")
def plan() -> Plan:
    return design_grids(town(grid_of("AB", 400.0), rows_of_buildings(20, 10)))


def test_a_move_tells_what_it_does_before_it_is_applied(plan: Plan) -> None:
    code, to = plan.code[0], _neighbour(plan, 0)
    building = sorted(joined_of(plan)[code])[0]
    change = move(plan, [building], to)
    assert change.households_moved == 20
    before = {figures.code: figures for figures in change.before}
    after = {figures.code: figures for figures in change.after}
    assert set(before) == set(after) == {code, to}
    assert before[code].households - after[code].households == 20
    assert after[to].households - before[to].households == 20
    assert change.plan.households().sum() == plan.households().sum()
    assert building in joined_of(change.plan)[to]
    assert building in joined_of(plan)[code]


def _neighbour(plan: Plan, part: int) -> str:
    graph = plan.graph
    owner = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    mine = plan.label[owner] == part
    others = plan.label[graph.neighbour[mine]]
    return str(plan.code[others[others != part][0]])


def test_a_move_that_tears_a_micro_grid_says_so(plan: Plan) -> None:
    parts = plan.parts_of(0)
    middle = shapely.centroid(plan.shape[parts])
    far = int(np.argmax(shapely.distance(middle, middle[0])))
    building = sorted(joined_of(plan)[plan.code[parts.start]])[0]
    change = move(plan, [building], plan.code[parts.start + far])
    assert change.torn == (plan.code[parts.start + far],)
    assert pieces_of(change.plan)[parts.start + far] == 2


def test_a_split_keeps_the_code_for_the_heaviest_part(plan: Plan) -> None:
    code = str(plan.code[int(np.argmax(plan.households()))])
    change = split(plan, code)
    assert len(change.plan) == len(plan) + 1
    (new,) = set(change.plan.code) - set(plan.code)
    after = {figures.code: figures for figures in change.after}
    assert after[code].households >= after[new].households
    assert joined_of(change.plan)[code] | joined_of(change.plan)[new] == joined_of(plan)[code]
    assert change.beyond == tuple(f.code for f in change.after if f.households < 30)


def test_a_merger_retires_codes_that_are_never_given_again(plan: Plan) -> None:
    first, second = str(plan.code[0]), _neighbour(plan, 0)
    merged = merge(plan, [first, second])
    assert second not in set(merged.plan.code)
    assert second in merged.plan.retired
    again = split(merged.plan, first)
    assert second not in set(again.plan.code)
    undone = undo(undo(again.plan))
    assert set(undone.code) == set(plan.code)
    given = set(again.plan.code) - set(plan.code)
    assert given <= undone.retired
    assert not set(split(undone, first).plan.code) & given


def test_undo_brings_everything_back(plan: Plan) -> None:
    edited = recut(plan, "A", count=18).plan
    edited = split(edited, str(edited.code[3])).plan
    edited = lock(edited, [str(edited.code[-1])])
    edited = merge(edited, [str(edited.code[4]), _neighbour(edited, 4)]).plan
    assert len(edited.log) == 4
    for _ in range(4):
        edited = undo(edited)
    assert joined_of(edited) == joined_of(plan)
    assert edited.locked.tolist() == plan.locked.tolist()
    assert shapely.equals(edited.shape, plan.shape).all()
    with pytest.raises(ConformError, match="no edit to take back"):
        undo(edited)


def test_a_new_cut_leaves_locked_micro_grids_alone(plan: Plan) -> None:
    held = str(plan.code[2])
    locked = lock(plan, [held])
    change = recut(locked, "A", count=15)
    assert (change.plan.parent == 0).sum() == 15
    assert joined_of(change.plan)[held] == joined_of(plan)[held]
    assert change.plan.locked.sum() == 1
    for edit in (
        lambda: split(locked, held),
        lambda: merge(locked, [held, str(plan.code[3])]),
        lambda: move(locked, [sorted(joined_of(plan)[held])[0]], str(plan.code[3])),
    ):
        with pytest.raises(ConformError, match="unlock"):
            edit()


def test_edits_keep_the_coverage(plan: Plan) -> None:
    edited = plan
    for grid in ("A", "B", "A"):
        edited = recut(edited, grid, count=30).plan
        edited = recut(edited, grid).plan
    assert shapely.coverage_is_valid(edited.shape)
    assert shapely.area(edited.shape).sum() == pytest.approx(2 * 400 * 400)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda plan: move(plan, ["nobody"], plan.code[0]), "nobody"),
        (lambda plan: move(plan, ["B000"], "nowhere"), "nowhere"),
        (lambda plan: move(plan, [], plan.code[0]), "no building"),
        (lambda plan: move(plan, ["B000"], plan.code[-1]), "not in grid B"),
        (lambda plan: split(plan, plan.code[0], into=99), "99"),
        (lambda plan: merge(plan, [plan.code[0]]), "two"),
        (lambda plan: merge(plan, [plan.code[0], plan.code[-1]]), "one grid"),
        (lambda plan: recut(plan, "nowhere"), "nowhere"),
        (lambda plan: recut(plan, "A", count=1000), "1000"),
        (lambda plan: lock(plan, ["nowhere"]), "nowhere"),
    ],
)
def test_a_wrong_edit_is_refused_in_one_line(plan: Plan, edit: object, says: str) -> None:
    assert callable(edit)
    with pytest.raises(ConformError) as caught:
        edit(plan)
    for lang in ("en", "zh"):
        assert "\n" not in caught.value.text(lang)
    assert says in caught.value.text("en")


def test_the_last_building_cannot_be_moved_out() -> None:
    few = design_grids(town(grid_of("A", 120.0), rows_of_buildings(3, 1, 50)), Design())
    (building,) = joined_of(few)[few.code[0]]
    with pytest.raises(ConformError, match="merge"):
        move(few, [building], few.code[1])
