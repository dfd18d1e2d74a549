"""The micro-grids of one grid, put in the place of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gridmap.design.codes import assign_codes, load_profiles, micro_grid_names
from gridmap.design.geometry.polygons import matched, outlines
from gridmap.design.plan import Plan

__all__ = ["grid_code", "inherited", "new_codes", "new_names", "replaced"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


def replaced(
    plan: Plan,
    parent: int,
    own: Longs,
    codes: Sequence[str],
    *,
    names: Sequence[str] = (),
) -> Plan:
    """Return the plan with other micro-grids in one grid.

    Parameters
    ----------
    plan : Plan
    parent : int
        Position of the grid.
    own : ndarray of int, shape (atoms of the grid,)
        The micro-grid of each atom, counted from 0 inside the grid.
    codes : sequence of str
        Of the micro-grids. One that the grid has already keeps its name and lock.
    names : sequence of str
        Of the micro-grids, where they are known.
    """
    atoms, parts = plan.atoms_of(parent), plan.parts_of(parent)
    count = len(codes)
    shapes = _drawn(plan, atoms, own, count)
    label = plan.label.copy()
    label[atoms.stop :] += count - (parts.stop - parts.start)
    label[atoms] = parts.start + own
    known = {str(code): k for k, code in enumerate(plan.code[parts], start=parts.start)}
    at = [known.get(code, -1) for code in codes]
    named = list(names) or new_names(plan, parent, codes, at)
    kept = np.array([k >= 0 and bool(plan.locked[k]) for k in at])

    def put_in(values: npt.NDArray[Any], fresh: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate([values[: parts.start], fresh, values[parts.stop :]])

    parents = put_in(plan.parent, np.full(count, parent))
    return replace(
        plan,
        label=label,
        parent=parents,
        code=put_in(plan.code, np.array([*codes, None], dtype=object)[:-1]),
        name=put_in(plan.name, np.array([*named, None], dtype=object)[:-1]),
        locked=put_in(plan.locked, kept),
        shape=_stitched(plan, parent, parents, put_in(plan.shape, shapes)),
    )


def _drawn(plan: Plan, atoms: slice, own: Longs, count: int) -> Shapes:
    low, high = np.searchsorted(plan.atom, [atoms.start, atoms.stop])
    return outlines(
        np.asarray(plan.atoms.geometry.array[atoms]),
        own,
        count,
        np.asarray(plan.buildings.geometry.array[low:high]),
        plan.atom[low:high] - atoms.start,
        simplify_m=plan.settings.simplify_m,
    )


def _stitched(plan: Plan, parent: int, parents: Longs, shapes: Shapes) -> Shapes:
    """Give the micro-grids of a grid and those of the grids around it the same nodes."""
    outline = plan.grids.geometry.array[parent]
    near = np.sort(plan.grids.sindex.query(outline, predicate="intersects"))
    at = np.flatnonzero(np.isin(parents, near))
    shapes[at] = matched(shapes[at], parents[at])
    return shapes


def inherited(was: Longs, now: Longs, weight: Floats, count: int) -> Longs:
    """Return for each new part the old part that it continues.

    Parameters
    ----------
    was, now : ndarray of int, shape (n,)
        The old part of each atom, -1 for none, and its new part.
    weight : ndarray of float, shape (n,)
    count : int
        How many new parts there are.

    Returns
    -------
    ndarray of int, shape (count,)
        The pair that shares most weight comes first, then more atoms, then the lower old and new
        part; no old part is continued twice. -1 for a part that continues none.
    """
    known = was >= 0
    width = int(was.max(initial=0)) + 1
    key = now[known] * width + was[known]
    pairs, at = np.unique(key, return_inverse=True)
    shared = np.bincount(at, weights=weight[known], minlength=len(pairs))
    number = np.bincount(at, minlength=len(pairs))
    new, old = np.divmod(pairs, width)
    heir, taken = np.full(count, -1, dtype=np.int64), np.zeros(width, dtype=bool)
    for k in np.lexsort((new, old, -number, -shared)).tolist():
        if heir[new[k]] < 0 and not taken[old[k]]:
            heir[new[k]], taken[old[k]] = old[k], True
    return heir


def new_codes(plan: Plan, parent: int, count: int) -> list[str]:
    """Return codes that nothing in the grid has or had."""
    if count == 0:
        return []
    grid = grid_code(plan, parent)
    used = [*plan.code[plan.parts_of(parent)], *(c for c in plan.retired if c.startswith(grid))]
    profile = load_profiles()[plan.settings.profile]
    return [str(c) for c in assign_codes([grid] * count, np.arange(count), profile, taken=used)]


def new_names(plan: Plan, parent: int, codes: Sequence[str], at: Sequence[int]) -> list[str]:
    """Return the name of each code: that of the micro-grid at its place, or one by its number."""
    profile = load_profiles()[plan.settings.profile]
    grid = plan.grids.iloc[parent]
    title = str(grid["code"] if grid.isna()["name"] else grid["name"])
    return [
        str(plan.name[k])
        if k >= 0
        else micro_grid_names([title], [int(code[-profile.levels[-1].digits :])], plan.lang)[0]
        for code, k in zip(codes, at, strict=True)
    ]


def grid_code(plan: Plan, parent: int) -> str:
    """Return the code of the grid at a position."""
    return str(plan.grids["code"].iloc[parent])
