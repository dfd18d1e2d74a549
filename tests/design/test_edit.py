from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
import shapely
from shapes import grid_of
from towns import joined_of, pieces_of, rows_of_buildings, town

from gridmap.design import (
    Change,
    Figures,
    design_grids,
    lock,
    merge,
    move,
    recut,
    split,
    undo,
)
from gridmap.design.edit import reassign
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


def _fields(plan: Plan) -> dict[str, object]:
    """Return every field of a plan but the log, in types that can be compared."""
    found: dict[str, object] = {}
    for field in fields(Plan):
        value = getattr(plan, field.name)
        if field.name == "shape":
            value = shapely.to_wkt(shapely.normalize(value), rounding_precision=6).tolist()
        elif isinstance(value, np.ndarray):
            value = value.tolist()
        elif isinstance(value, pd.DataFrame):
            value = value.to_dict("list")
        if field.name not in ("graph", "log"):
            found[field.name] = value
    return found


@pytest.fixture
def marked(plan: Plan) -> Plan:
    """The plan with what is usual in none of its fields."""
    return replace(
        plan,
        name=np.array([f"name {k}" for k in range(len(plan))], dtype=object),
        optimal=np.array([True, True]),
        retired=frozenset({"A99"}),
        locked=np.arange(len(plan)) % 5 == 4,
    )


def test_an_edit_leaves_name_and_lock_of_the_others(marked: Plan) -> None:
    """Also those of the very first and the very last micro-grid of a grid."""
    parts = marked.parts_of(0)
    ends = [parts.start, parts.stop - 1]
    locked = np.isin(np.arange(len(marked)), ends)
    edited = split(replace(marked, locked=locked), str(marked.code[parts.start + 1])).plan
    assert set(edited.code[edited.locked]) == set(marked.code[ends])
    names = dict(zip(edited.code, edited.name, strict=True))
    assert {code: names[code] for code in marked.code} == dict(
        zip(marked.code, marked.name, strict=True)
    )
    (new,) = set(edited.code) - set(marked.code)
    assert names[new] not in set(marked.name)


@pytest.mark.parametrize(
    "edit",
    [
        lambda plan: move(plan, [sorted(joined_of(plan)[plan.code[0]])[0]], _neighbour(plan, 0)),
        lambda plan: split(plan, plan.code[1]),
        lambda plan: merge(plan, [plan.code[0], plan.code[1]]),
        lambda plan: recut(plan, "B", count=30),
        lambda plan: recut(plan, "A", count=12),
    ],
)
def test_undo_restores_every_field(marked: Plan, edit: Callable[[Plan], Change]) -> None:
    change = edit(marked)
    parent = "AB".index(change.grid)
    assert change.plan.optimal.tolist() == [parent != 0, parent != 1]
    assert len(change.plan.log) == 1
    undone = undo(change.plan)
    wanted = _fields(marked)
    given = set(change.plan.code) - set(marked.code)
    wanted["retired"] = marked.retired | given
    assert _fields(undone) == wanted
    assert undone.log == ()


def test_an_earlier_lock_outlives_the_undoing_of_a_later_one(plan: Plan) -> None:
    first, second, third = (str(code) for code in plan.code[:3])
    once = lock(plan, [first])
    for later, held in (
        (lock(once, [first, second]), {first, second}),
        (lock(once, [first, third], locked=False), set()),
    ):
        assert set(later.code[later.locked]) == held
        assert set(undo(later).code[undo(later).locked]) == {first}
    assert not undo(once).locked.any()


def test_the_figures_of_a_change_are_those_of_the_plan(plan: Plan) -> None:
    crossed = replace(plan, graph=replace(plan.graph, barrier=plan.graph.border_m * 0 + 3.0))
    change = merge(crossed, [crossed.code[0], _neighbour(crossed, 0)])
    for figures, state in ((change.before, crossed), (change.after, change.plan)):
        rows = state.microgrids.set_index("code")
        assert len(figures) > 0
        assert [one.code for one in figures] == sorted(one.code for one in figures)
        for one in figures:
            row = rows.loc[one.code]
            assert one.crossings == row["crossings"] > 0
            assert (one.households, one.weight) == (row["households"], row["weight"])


def test_a_micro_grid_at_its_very_bounds_is_within(plan: Plan) -> None:
    code, weight = str(plan.code[0]), float(plan.weights()[0])
    for least, most, within in (
        (weight, weight, True), (weight + 0.001, weight + 1, False), (1, weight - 0.001, False),
    ):  # fmt: skip
        bounds = Design(target=(least + most) / 2, minimum=least, maximum=most)
        tight = replace(plan, settings=bounds)
        before = {one.code: one for one in merge(tight, [code, _neighbour(plan, 0)]).before}
        assert before[code].within is within
        reason = tight.microgrids.set_index("code").loc[[code], "reason"]
        assert reason.isna().tolist() == [within]


def _figures(code: str, *, pieces: int = 1, within: bool = True) -> Figures:
    return Figures(code, 10, 10.0, pieces, 0.5, 0.0, within)


def test_what_is_drawn_anew_may_change_all_but_what_is_locked(plan: Plan) -> None:
    code, to = str(plan.code[0]), _neighbour(plan, 0)
    drawn = plan.code[plan.label[plan.atoms_of(0)]].copy()
    drawn[np.flatnonzero(drawn == code)[0]] = to
    third = next(str(other) for other in plan.code[plan.parts_of(0)] if other not in (code, to))
    change = reassign(lock(plan, [third]), "A", list(drawn))
    assert {figures.code for figures in change.after} == {code, to}
    assert joined_of(change.plan)[third] == joined_of(plan)[third]
    for held in (code, to):
        with pytest.raises(ConformError, match="unlock"):
            reassign(lock(plan, [held]), "A", list(drawn))
    same = reassign(plan, "A", list(plan.code[plan.label[plan.atoms_of(0)]]))
    assert (same.before, same.after, same.households_moved) == ((), (), 0)


def test_only_what_an_edit_made_worse_is_told(plan: Plan) -> None:
    before = (_figures("a", within=False), _figures("b", pieces=2), _figures("c"))
    after = (
        _figures("a", within=False, pieces=2),
        _figures("b", pieces=3),
        _figures("c", within=False),
        _figures("d", within=False),
    )
    change = Change(plan, "A", before, after, 0)
    assert change.beyond == ("c", "d")
    assert change.torn == ("b",)
    assert Change(plan, "A", (), after, 0).torn == ("a", "b")


def test_the_limits_of_a_count(plan: Plan) -> None:
    code = str(plan.code[0])
    atoms = int((plan.label == 0).sum())
    assert len(split(plan, code, into=atoms).plan) == len(plan) + atoms - 1
    for into in (0, 1, atoms + 1):
        with pytest.raises(ConformError):
            split(plan, code, into=into)
    assert (recut(plan, "A", count=1).plan.parent == 0).sum() == 1
    most = plan.atoms_of(0).stop
    assert (recut(plan, "A", count=most).plan.parent == 0).sum() == most
    with pytest.raises(ConformError):
        recut(plan, "A", count=most + 1)


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
