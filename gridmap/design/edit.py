"""Edits of a plan by hand: each answers with the plan after it and with what it changes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridmap.design.parts import grid_code, inherited, new_codes, replaced
from gridmap.design.plan import Plan, bounds_of, compactness, objective_of
from gridmap.design.search.graph import AtomGraph
from gridmap.design.search.partition import default_counts, partition
from gridmap.errors import ConformError

__all__ = ["Change", "Figures", "lock", "merge", "move", "reassign", "recut", "split", "undo"]

_SHOWN = 3  # codes that are like one that there is not
Longs = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


EFFORT = 0.1  # of a search that somebody waits for


@dataclass(frozen=True)
class Figures:
    """What an edit is judged by, of one micro-grid.

    Parameters
    ----------
    code : str
    households : int
        Occupied ones.
    weight : float
        What the plan balances.
    pieces : int
        1 if it is connected.
    compactness : float
        4 pi area / perimeter^2 (Polsby and Popper 1991) of its cells, before smoothing.
    crossings : float
        Sum of the weights of the barriers inside it.
    within : bool
        Whether it is within the hard bounds.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> change = design.merge(plan, ["330499001001001001", "330499001001001002"])
    >>> for part in (*change.before, *change.after):
    ...     print(part.code, part.households, part.within)
    330499001001001001 40 True
    330499001001001002 45 True
    330499001001001001 85 False
    """

    code: str
    households: int
    weight: float
    pieces: int
    compactness: float
    crossings: float
    within: bool


@dataclass(frozen=True)
class Change:
    """An edit, not yet applied: whoever likes it goes on with `plan`.

    Parameters
    ----------
    plan : Plan
        After the edit.
    grid : str
        The grid in which it happened.
    before, after : tuple of Figures
        Of the micro-grids that it touches, by code.
    households_moved : int
        Occupied households whose micro-grid has another code than before.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> change = design.merge(plan, ["330499001001001001", "330499001001001002"])
    >>> change.grid, change.households_moved
    ('330499001001001', 45)
    >>> change.torn, change.beyond
    ((), ('330499001001001001',))

    One piece, but above the maximum of seventy households: to like it is for the user to decide.
    """

    plan: Plan
    grid: str
    before: tuple[Figures, ...]
    after: tuple[Figures, ...]
    households_moved: int

    @property
    def torn(self) -> tuple[str, ...]:
        """Codes of the micro-grids that fall into more pieces than before."""
        least = max((figures.pieces for figures in self.before), default=1)
        return tuple(f.code for f in self.after if f.pieces > least)

    @property
    def beyond(self) -> tuple[str, ...]:
        """Codes of the micro-grids that are outside the hard bounds and were not before."""
        known = {figures.code for figures in self.before if not figures.within}
        return tuple(f.code for f in self.after if not f.within and f.code not in known)


def move(plan: Plan, atoms: Sequence[str], to: str) -> Change:
    """Give atoms to another micro-grid of the same grid.

    Parameters
    ----------
    plan : Plan
    atoms : sequence of str
        Codes of atoms, or of buildings, which stand for all their atoms.
    to : str
        Code of the micro-grid that takes them.

    Raises
    ------
    ConformError
        If a code is unknown, the grids differ, a micro-grid is locked or would be left empty.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> giver = list(plan.code).index("330499001001003003")
    >>> atom = plan.atoms[plan.label == giver].iloc[0]
    >>> change = design.move(plan, [atom["code"]], to="330499001001003002")
    >>> [part.code for part in change.after]
    ['330499001001003002', '330499001001003003']
    >>> change.households_moved == int(atom["households"])
    True
    """
    moved = _atoms(plan, atoms)
    target = _part(plan, to)
    parent = int(plan.parent[target])
    away = moved[plan.graph.parent[moved] != parent]
    if len(away):
        code = plan.atoms["code"].iloc[int(away[0])]
        raise ConformError("edit.other_grid", atom=code, to=to, grid=grid_code(plan, parent))
    _unlocked(plan, np.unique(np.append(plan.label[moved], target)))
    label = plan.label.copy()
    label[moved] = target
    lost = np.setdiff1d(plan.label[moved], label)
    if len(lost):
        raise ConformError("edit.empties", code=plan.code[lost[0]], to=to)
    parts = plan.parts_of(parent)
    own = label[plan.atoms_of(parent)] - parts.start
    done = {"kind": "move", "arguments": {"atoms": list(atoms), "to": to}}
    return _change(plan, parent, own, list(plan.code[parts]), done)


def split(plan: Plan, code: str, *, into: int = 2) -> Change:
    """Cut a micro-grid into several; the heaviest part keeps the code.

    Raises
    ------
    ConformError
        If the code is unknown, the micro-grid is locked, or has fewer atoms than parts asked for.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> change = design.split(plan, "330499001001003003")
    >>> [part.households for part in change.before], [part.households for part in change.after]
    ([66], [36, 30])
    >>> [part.code for part in change.after]
    ['330499001001003003', '330499001001003007']
    """
    at = _part(plan, code)
    _unlocked(plan, np.array([at]))
    parent = int(plan.parent[at])
    atoms, parts = plan.atoms_of(parent), plan.parts_of(parent)
    mine = np.flatnonzero(plan.label[atoms] == at)
    if not 1 < into <= len(mine):
        raise ConformError("edit.few_atoms", code=code, atoms=len(mine), into=into)
    pieces = _cut_anew(plan, mine + atoms.start, into)
    weight = np.bincount(pieces, weights=plan.graph.weight[mine + atoms.start], minlength=into)
    rank = np.empty(into, dtype=np.int64)
    rank[np.lexsort((np.arange(into), -weight))] = np.arange(into)
    own = plan.label[atoms] - parts.start
    fresh = rank[pieces]
    own[mine] = np.where(fresh == 0, at - parts.start, parts.stop - parts.start + fresh - 1)
    codes = list(plan.code[parts]) + new_codes(plan, parent, into - 1)
    done = {"kind": "split", "arguments": {"code": code, "into": into}}
    return _change(plan, parent, own, codes, done)


def merge(plan: Plan, codes: Sequence[str]) -> Change:
    """Make one micro-grid of several of the same grid; the first keeps its code.

    Raises
    ------
    ConformError
        If a code is unknown, fewer than two are given, the grids differ, or one is locked.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> change = design.merge(plan, ["330499001001001001", "330499001001001002"])
    >>> [part.households for part in change.before], [part.households for part in change.after]
    ([40, 45], [85])
    >>> len(plan) - len(change.plan)
    1
    """
    named = list(dict.fromkeys(codes))
    if len(named) < 2:  # noqa: PLR2004 - two make a merger
        raise ConformError("edit.one", code=", ".join(named) or "-")
    at = np.array([_part(plan, code) for code in named])
    _unlocked(plan, at)
    parent = int(plan.parent[at[0]])
    if (plan.parent[at] != parent).any():
        other = named[int(np.argmax(plan.parent[at] != parent))]
        raise ConformError("edit.other_part", code=other, grid=grid_code(plan, parent))
    parts = plan.parts_of(parent)
    label = plan.label[plan.atoms_of(parent)]
    label = np.where(np.isin(label, at), at[0], label)
    kept = np.setdiff1d(np.arange(parts.start, parts.stop), at[1:])
    own = np.searchsorted(kept, label)
    done = {"kind": "merge", "arguments": {"codes": named}}
    return _change(plan, parent, own, list(plan.code[kept]), done)


def recut(plan: Plan, grid: str, *, count: int = 0) -> Change:
    """Cut one grid anew, save its locked micro-grids.

    Parameters
    ----------
    plan : Plan
    grid : str
        Code of the grid.
    count : int
        How many micro-grids it shall have; 0 for as many as its weight asks for.

    Raises
    ------
    ConformError
        If the grid is unknown, or cannot have that many.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> change = design.recut(plan, "330499001001001", count=4)
    >>> int((change.plan.microgrids["parent"] == "330499001001001").sum())
    4
    """
    found = np.flatnonzero((plan.grids["code"] == grid).to_numpy())
    if len(found) == 0:
        raise ConformError("edit.no_grid", code=grid, known=_like(grid, plan.grids["code"]))
    parent = int(found[0])
    atoms, parts = plan.atoms_of(parent), plan.parts_of(parent)
    keeps = plan.locked[parts]
    bound = keeps[plan.label[atoms] - parts.start]
    free = np.flatnonzero(~bound) + atoms.start
    graph = plan.graph.only(free)
    wanted = count - int(keeps.sum()) if count else 0
    if len(free) and wanted <= 0:
        wanted = (
            int(default_counts(graph, plan.settings.target, plan.settings.most)[0])
            if not count
            else wanted
        )
    if not min(1, len(free)) <= wanted <= len(free):
        raise ConformError("edit.count", grid=grid, count=count, atoms=len(free))
    own = plan.label[atoms] - parts.start
    fresh = _cut_anew(plan, free, wanted)
    codes = _kept_codes(plan, parent, own[~bound], fresh, free)
    held = np.flatnonzero(keeps)
    label = np.empty(len(own), dtype=np.int64)
    label[bound] = np.searchsorted(held, own[bound])
    label[~bound] = len(held) + fresh
    done = {"kind": "recut", "arguments": {"grid": grid, "count": count}}
    return _change(plan, parent, label, [*plan.code[parts][held], *codes], done)


def reassign(plan: Plan, grid: str, codes: Sequence[str]) -> Change:
    """Give every atom of one grid its micro-grid anew, as somebody drew it.

    Parameters
    ----------
    plan : Plan
    grid : str
        Code of the grid.
    codes : sequence of str
        The code of the micro-grid of each atom of the grid, in order. A code that is not among
        those of the grid stands for a new micro-grid, which gets the next code that is free.

    Raises
    ------
    ConformError
        If the grid is unknown, or a micro-grid that is locked would change.
    """
    found = np.flatnonzero((plan.grids["code"] == grid).to_numpy())
    if len(found) == 0:
        raise ConformError("edit.no_grid", code=grid, known=_like(grid, plan.grids["code"]))
    parent = int(found[0])
    atoms, parts = plan.atoms_of(parent), plan.parts_of(parent)
    was, now = plan.code[plan.label[atoms]], np.asarray(codes, dtype=object)
    touched = set(was[was != now]) | set(now[was != now])
    _unlocked(plan, parts.start + np.flatnonzero(np.isin(plan.code[parts], list(touched))))
    stay = [str(code) for code in plan.code[parts] if code in set(now)]
    fresh = list(dict.fromkeys(str(code) for code in now if code not in set(plan.code[parts])))
    place = {code: k for k, code in enumerate([*stay, *fresh])}
    own = np.array([place[str(code)] for code in now], dtype=np.int64)
    named = [*stay, *new_codes(plan, parent, len(fresh))]
    moved = plan.atoms["code"].to_numpy()[atoms][was != now]
    done = {"kind": "import", "arguments": {"atoms": [str(code) for code in moved]}}
    return _change(plan, parent, own, named, done)


def lock(plan: Plan, codes: Sequence[str], *, locked: bool = True) -> Plan:
    """Lock micro-grids, so that neither edits nor a resize touch them, or unlock them.

    Raises
    ------
    ConformError
        If a code is unknown.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = design.lock(gridmap.design_grids(city), ["330499001001001001"])
    >>> int(plan.locked.sum())
    1
    >>> design.split(plan, "330499001001001001")
    Traceback (most recent call last):
        ...
    gridmap.errors.ConformError: Micro-grid 330499001001001001 is locked; unlock it first
    """
    at = np.array([_part(plan, code) for code in codes], dtype=np.int64)
    changed = plan.locked.copy()
    changed[at] = locked
    kind = "lock" if locked else "unlock"
    before = [str(code) for code in plan.code[at][plan.locked[at]]]
    entry = {
        "kind": kind,
        "arguments": {"codes": list(codes)},
        "households_moved": 0,
        "undo": {"locked": before},
    }
    return replace(plan, locked=changed, log=(*plan.log, entry))


def undo(plan: Plan) -> Plan:
    """Take back the last edit. The codes that it gave are not given again.

    Raises
    ------
    ConformError
        If there is nothing to take back: the plan is as it was designed or resized.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> change = design.split(plan, "330499001001003003")
    >>> back = design.undo(change.plan)
    >>> len(plan), len(change.plan), len(back)
    (242, 243, 242)
    """
    if not plan.log or "undo" not in plan.log[-1]:
        raise ConformError("edit.nothing")
    entry, earlier = plan.log[-1], plan.log[:-1]
    saved = entry["undo"]
    if entry["kind"] in ("lock", "unlock"):
        asked = np.isin(plan.code, entry["arguments"]["codes"])
        was = np.isin(plan.code, saved["locked"])
        return replace(plan, locked=np.where(asked, was, plan.locked), log=earlier)
    parent = int(np.flatnonzero((plan.grids["code"] == entry["grid"]).to_numpy())[0])
    parts = plan.parts_of(parent)
    own = np.asarray(saved["label"], dtype=np.int64)
    given = set(plan.code[parts]) - set(saved["codes"])
    back = replaced(plan, parent, own, saved["codes"], names=saved["names"])
    optimal = plan.optimal.copy()
    optimal[parent] = saved["optimal"]
    retired = (plan.retired - set(saved["codes"])) | given
    return replace(back, optimal=optimal, retired=retired, log=earlier)


def _change(plan: Plan, parent: int, own: Longs, codes: list[str], entry: dict[str, Any]) -> Change:
    atoms, parts = plan.atoms_of(parent), plan.parts_of(parent)
    graph = plan.graph.only(np.arange(atoms.start, atoms.stop))
    before_own, before_codes = plan.label[atoms] - parts.start, list(plan.code[parts])
    after = replaced(plan, parent, own, codes)
    was = np.array([*before_codes, None], dtype=object)[:-1][before_own]
    now = np.array([*codes, None], dtype=object)[:-1][own]
    households = plan.atoms["households"].to_numpy(dtype=np.int64)[atoms]
    touched = set(was[was != now]) | set(now[was != now]) | (set(before_codes) ^ set(codes))
    saved = {
        "label": before_own.tolist(),
        "codes": [str(code) for code in before_codes],
        "names": [str(name) for name in plan.name[parts]],
        "optimal": bool(plan.optimal[parent]),
    }
    moved = int(households[was != now].sum())
    buildings = plan.atoms["buildings"].to_numpy(dtype=np.int64)[atoms]
    logged = {
        **entry,
        "grid": grid_code(plan, parent),
        "households_moved": moved,
        "lineage": _lineage(was, now, households, buildings, touched),
        "undo": saved,
    }
    optimal = plan.optimal.copy()
    optimal[parent] &= not touched
    gone = set(before_codes) - set(codes)
    after = replace(after, optimal=optimal, retired=plan.retired | gone, log=(*plan.log, logged))
    return Change(
        plan=after,
        grid=grid_code(plan, parent),
        before=_figures(plan, graph, before_own, before_codes, households, touched),
        after=_figures(plan, graph, own, codes, households, touched),
        households_moved=moved,
    )


def _lineage(
    was: Shapes, now: Shapes, households: Longs, buildings: Longs, touched: set[str]
) -> list[list[Any]]:
    """Return the rows of a crosswalk for the micro-grids that an edit touches."""
    sums: dict[tuple[str, str], list[int]] = {}
    for old, new, people, houses in zip(was, now, households, buildings, strict=True):
        if old in touched or new in touched:
            row = sums.setdefault((str(old), str(new)), [0, 0])
            row[0] += int(people)
            row[1] += int(houses)
    return [[*pair, row[0], row[0], row[1]] for pair, row in sorted(sums.items())]


def _figures(
    plan: Plan,
    graph: AtomGraph,
    own: Longs,
    codes: Sequence[str],
    households: Longs,
    touched: set[str],
) -> tuple[Figures, ...]:
    count = len(codes)
    owner = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    inside = own[owner] == own[graph.neighbour]
    part, other = owner[inside], graph.neighbour[inside]

    def total(values: npt.ArrayLike, at: Longs = own) -> npt.NDArray[np.float64]:
        sums = np.bincount(at, weights=np.asarray(values, dtype=np.float64), minlength=count)
        return np.asarray(sums, dtype=np.float64)

    shared = total(graph.border_m[inside], own[part])
    crossed = total(graph.barrier[inside] / 2, own[part])
    links = coo_array((np.ones(len(part), dtype=np.int8), (part, other)), (len(own), len(own)))
    pieces, piece = connected_components(links, directed=False)
    home = np.zeros(pieces, dtype=np.int64)
    home[piece] = own
    number = np.bincount(home)  # no part is without an atom
    compact = compactness(total(graph.area_m2), total(graph.perimeter_m) - shared)
    people, weight, bounds = total(households), total(graph.weight), bounds_of(plan.settings)
    within = (weight >= bounds.minimum - 1e-9) & (weight <= bounds.maximum + 1e-9)
    return tuple(
        Figures(
            code=str(codes[k]),
            households=int(people[k]),
            weight=float(weight[k]),
            pieces=int(number[k]),
            compactness=float(compact[k]),
            crossings=float(crossed[k]),
            within=bool(within[k]),
        )
        for k in sorted(range(count), key=lambda k: str(codes[k]))
        if codes[k] in touched
    )


def _cut_anew(plan: Plan, atoms: Longs, count: int) -> Longs:
    """Return the part of each of some atoms of one grid, cut into that many parts."""
    if len(atoms) == 0:
        return np.zeros(0, dtype=np.int64)
    found = partition(
        plan.graph.only(atoms),
        np.array([count]),
        bounds=bounds_of(plan.settings),
        objective=objective_of(plan.settings),
        random_state=plan.settings.random_state,
        effort=EFFORT,
    )
    return found.label.astype(np.int64)


def _kept_codes(plan: Plan, parent: int, was: Longs, now: Longs, atoms: Longs) -> list[str]:
    """Return a code for each new part: of the old part that it has most of, or a new one."""
    count = int(now.max()) + 1 if len(now) else 0
    old = plan.code[plan.parts_of(parent)]
    heirs = inherited(was, now, plan.graph.weight[atoms], count)
    fresh = iter(new_codes(plan, parent, int((heirs < 0).sum())))
    return [str(old[k]) if k >= 0 else next(fresh) for k in heirs]


def _like(code: str, known: Iterable[str]) -> str:
    """Return the codes nearest to one that there is not."""
    every = list(dict.fromkeys(known))
    return ", ".join(difflib.get_close_matches(code, every, n=_SHOWN, cutoff=0.0))


def _atoms(plan: Plan, codes: Sequence[str]) -> Longs:
    own = plan.atoms["code"].to_numpy(dtype=object)
    building = plan.atoms["building"].to_numpy(dtype=object)
    found = []
    for code in codes:
        at = np.flatnonzero(own == code)
        at = at if len(at) else np.flatnonzero(building == code)
        if len(at) == 0:
            raise ConformError("edit.no_atom", code=code, known=_like(code, [*building, *own]))
        found.append(at)
    if not found:
        raise ConformError("edit.no_atom", code="-", known=_like("", building))
    return np.unique(np.concatenate(found))


def _part(plan: Plan, code: str) -> int:
    found = np.flatnonzero(plan.code == code)
    if len(found) == 0:
        raise ConformError("edit.no_part", code=code, known=_like(code, plan.code))
    return int(found[0])


def _unlocked(plan: Plan, parts: Longs) -> None:
    held = parts[plan.locked[parts]]
    if len(held):
        raise ConformError("edit.locked", code=plan.code[held[0]])
