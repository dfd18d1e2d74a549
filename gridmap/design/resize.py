"""Resizing: other bounds, counts or buildings, and as few households as possible change hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.design.codes import (
    assign_codes,
    load_profiles,
    micro_grid_names,
    number_west_east_north_south,
)
from gridmap.design.cut import cut
from gridmap.design.geometry.polygons import matched, outlines
from gridmap.design.grids import atoms_of, batch_of, grids_of, seeds, tables_of
from gridmap.design.keep import keep
from gridmap.design.lineage import crosswalk, paired
from gridmap.design.parts import inherited
from gridmap.design.plan import Plan, objective_of
from gridmap.design.search.graph import AtomGraph
from gridmap.errors import ConformError
from gridmap.kinds import checked
from gridmap.model import City
from gridmap.settings import Design

__all__ = ["resize_grids"]

Longs = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]
Bools = npt.NDArray[np.bool_]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Draft:
    """A resized plan that has no codes yet."""

    grids: gpd.GeoDataFrame
    atoms: gpd.GeoDataFrame
    graph: AtomGraph
    buildings: gpd.GeoDataFrame
    atom: Longs
    label: Longs
    parent: Longs
    shape: Shapes
    optimal: Bools
    outside: tuple[str, ...]


@checked
def resize_grids(
    plan: Plan,
    city: City | None = None,
    *,
    settings: Design | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Plan:
    """Adapt a plan to other bounds, counts or buildings.

    Every micro-grid that is within bounds stays; otherwise micro-grids are split, merged, or
    exchange the fewest households. Locked ones stay as they are, and so does every grid in which
    neither bounds nor counts, outline nor buildings changed.

    Parameters
    ----------
    plan : Plan
    city : City, optional
        With the grids and buildings of today. Without it, only settings change.
    settings : Design, optional
        Of the new plan: another target, other bounds, other counts. By default those of `plan`.
    workers : int
        Processes to work in where there is a city. The plan does not depend on it.
    progress : callable, optional
        Is told how many grids are done, and of how many.

    Returns
    -------
    Plan
        A micro-grid goes on under the code of the one from which it has most households. New
        ones get new codes, and no code is ever given twice. The last entry of the log holds the
        lineage.

    Raises
    ------
    ConformError
        If the settings name a grid that there is not, or a grid runs out of codes.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> five = gridmap.Design(counts={"330499001001001": 5})
    >>> fewer = gridmap.resize_grids(plan, settings=five)
    >>> [int((each.microgrids["parent"] == "330499001001001").sum()) for each in (plan, fewer)]
    [6, 5]
    >>> "330499001001002001" in plan.code and "330499001001002001" in fewer.code
    True

    The grid has one micro-grid less; those of the next grid stay as they were.
    """
    settings = settings or plan.settings
    objective_of(settings)  # so that a wrong weight is told before the work
    unknown = sorted(set(settings.counts) - set(plan.grids["code"])) if city is None else []
    if unknown:
        level = settings.level or "grid"
        raise ConformError("design.counts", codes=", ".join(unknown[:5]), level=level)
    if city is None:
        draft = _regrouped(plan, settings)
    else:
        draft = _rebuilt(plan, city, settings, workers, progress)
    coded = _coded(plan, draft, settings)
    changes = crosswalk(plan, coded)
    elsewhere = changes["old"].notna() & changes["new"].notna() & (changes["old"] != changes["new"])
    entry: dict[str, Any] = {
        "kind": "resize",
        "arguments": {
            "target": settings.target,
            "minimum": settings.least,
            "maximum": settings.most,
            "counts": dict(settings.counts),
        },
        "households_moved": int(changes["households_after"][elsewhere].sum()),
        "lineage": changes.astype(object).where(changes.notna(), None).to_numpy().tolist(),
    }
    return replace(coded, log=(*plan.log, entry))


def _regrouped(plan: Plan, settings: Design) -> _Draft:
    """Keep the atoms; change what has to change of the micro-grids."""
    codes = plan.grids["code"]
    wanted = np.array([settings.counts.get(code, 0) for code in codes], np.int64)
    own, same = keep(
        plan.graph,
        plan.label,
        plan.locked[plan.label],
        wanted,
        settings,
        seeds(codes, settings.random_state),
        _as_asked(plan, settings, codes),
    )
    counts = np.ones(len(codes), dtype=np.int64)
    np.maximum.at(counts, plan.graph.parent, own + 1)
    first = np.cumsum(counts) - counts
    cells = np.asarray(plan.atoms.geometry.array)
    footprints = np.asarray(plan.buildings.geometry.array)
    shapes = []
    for p in range(len(codes)):
        atoms, parts = plan.atoms_of(p), plan.parts_of(p)
        if same[p]:
            shapes.append(_in_order(plan, own[atoms], atoms, parts))
            continue
        low, high = np.searchsorted(plan.atom, [atoms.start, atoms.stop])
        shapes.append(
            outlines(
                cells[atoms],
                own[atoms],
                int(counts[p]),
                footprints[low:high],
                plan.atom[low:high] - atoms.start,
                simplify_m=settings.simplify_m,
            )
        )
    parent = np.repeat(np.arange(len(codes)), counts)
    return _Draft(
        grids=plan.grids,
        atoms=plan.atoms,
        graph=plan.graph,
        buildings=plan.buildings,
        atom=plan.atom,
        label=own + first[plan.graph.parent],
        parent=parent,
        shape=matched(np.concatenate(shapes), parent),
        optimal=np.zeros(len(codes), dtype=bool),
        outside=plan.outside,
    )


def _in_order(plan: Plan, own: Longs, atoms: slice, parts: slice) -> Shapes:
    """Return the shapes of a grid in the order of its labels, which may be another one now."""
    first = np.unique(own, return_index=True)[1]
    return plan.shape[plan.label[atoms][first]] if len(first) else plan.shape[parts]


def _rebuilt(
    plan: Plan, city: City, settings: Design, workers: int, progress: Progress | None
) -> _Draft:
    """Make the atoms anew from the buildings of today, with the micro-grids that they had."""
    grids = grids_of(city, settings)
    atoms = atoms_of(city, grids, settings)
    batch = batch_of(city, grids, atoms.frame, settings)
    home = _homes(plan, grids, atoms.frame)
    locked = np.append(plan.locked, False)[home]
    settled = _settled(plan, settings, grids, atoms.frame)
    kept = replace(batch, home=home, locked=locked, settled=settled)
    made = cut(kept, settings, workers=workers, progress=progress)
    cells, buildings, atom = tables_of(grids, atoms, made)
    return _Draft(
        grids=grids,
        atoms=cells,
        graph=made.graph,
        buildings=buildings,
        atom=atom,
        label=made.label,
        parent=made.parent,
        shape=matched(made.shapes, made.parent),
        optimal=made.optimal,
        outside=atoms.outside,
    )


def _as_asked(plan: Plan, settings: Design, codes: pd.Series) -> Bools:
    """Tell for which grids the same bounds and the same number are asked for as before."""
    was = plan.settings
    if (was.least, was.most) != (settings.least, settings.most):
        return np.zeros(len(codes), dtype=bool)
    same = [was.counts.get(code, 0) == settings.counts.get(code, 0) for code in codes]
    return np.array(same, dtype=bool)


def _settled(
    plan: Plan, settings: Design, grids: gpd.GeoDataFrame, sites: gpd.GeoDataFrame
) -> Bools:
    """Tell in which grids neither bounds nor counts, outline nor buildings changed."""
    codes = grids["code"].to_numpy(dtype=object)
    known = plan.grids["code"].to_numpy(dtype=object)
    before = _traits(plan.buildings, known[plan.parent[plan.label[plan.atom]]])
    now = _traits(sites, codes[sites["parent"].to_numpy()])
    outlines = (
        pd.DataFrame({"grid": frame["code"].astype(object), "shape": _exact(frame)})
        for frame in (plan.grids, grids)
    )
    changed = {*_differing(before, now), *_differing(*outlines)}
    return _as_asked(plan, settings, grids["code"]) & ~np.isin(codes, list(changed))


def _traits(buildings: gpd.GeoDataFrame, grid: Shapes) -> pd.DataFrame:
    """Return all of buildings that a plan depends on."""
    return pd.DataFrame(
        {
            "code": buildings["code"].astype(object),
            "households": buildings["households"].astype("int64"),
            "weight": buildings["weight"].astype("float64"),
            "shape": _exact(buildings),
            "grid": grid,
        }
    )


def _exact(frame: gpd.GeoDataFrame) -> Shapes:
    """Return shapes as bytes; one is the same whether it stands alone or as the only part."""
    shapes = np.array(frame.geometry.array)
    single = shapely.get_num_geometries(shapes) == 1
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    return np.asarray(shapely.to_wkb(shapes), dtype=object)


def _differing(before: pd.DataFrame, now: pd.DataFrame) -> set[str]:
    """Return the grids of rows that stand on one side only."""
    rows = before.merge(now, how="outer", on=list(before.columns), indicator=True)
    return set(rows["grid"][rows["_merge"] != "both"])


def _homes(plan: Plan, grids: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> Longs:
    """Return the micro-grid that each building had in the grid in which it lies now."""
    home = _was(plan, sites)
    was = pd.Index(grids["code"]).get_indexer(plan.grids["code"])
    moved = was[plan.parent[home]] != sites["parent"].to_numpy()
    return np.where(moved, -1, home)


def _coded(plan: Plan, draft: _Draft, settings: Design) -> Plan:
    """Hand the codes on, and give new ones to what is new."""
    grid = pd.Index(draft.grids["code"]).get_indexer(plan.grids["code"])[plan.parent]
    was = _was(plan, draft.buildings)
    heir = _heirs(draft, grid, was)
    known = np.append(plan.code, np.array([None], dtype=object))
    before = pd.Series(known[was], dtype="string")
    fresh = heir < 0
    code, name = plan.code[heir], plan.name[heir]
    profile = load_profiles()[settings.profile]
    if fresh.any():
        parents = draft.grids["code"].to_numpy(dtype=object)[draft.parent[fresh]]
        middle = shapely.centroid(draft.shape[fresh])
        rank = number_west_east_north_south(
            shapely.get_x(middle), shapely.get_y(middle), draft.parent[fresh]
        )
        given = assign_codes(parents, rank, profile, taken=plan.code, retired=plan.retired)
        code[fresh] = given.to_numpy(dtype=object)
        titles = draft.grids["name"].fillna(draft.grids["code"]).to_numpy(dtype=object)
        digits = profile.levels[-1].digits
        numbers = [int(text[-digits:]) for text in given]
        name[fresh] = micro_grid_names(titles[draft.parent[fresh]], numbers, plan.lang)
    return Plan(
        grids=draft.grids,
        atoms=draft.atoms,
        graph=draft.graph,
        buildings=draft.buildings.assign(before=before),
        atom=draft.atom,
        label=draft.label,
        parent=draft.parent,
        code=code,
        name=name,
        locked=plan.locked[heir] & ~fresh,
        shape=_as_before(plan.shape, draft.shape, heir),
        settings=settings,
        optimal=draft.optimal,
        retired=plan.retired | (set(plan.code) - set(code)),
        outside=draft.outside,
        lang=plan.lang,
    )


def _as_before(before: Shapes, now: Shapes, heir: Longs) -> Shapes:
    """Let shapes that are as they were begin where they began, too."""
    at = np.flatnonzero(heir >= 0)
    old = before[heir[at]]
    same = shapely.equals_exact(shapely.normalize(now[at]), shapely.normalize(old), 0.0)
    shapes = now.copy()
    shapes[at[same]] = old[same]
    return shapes


def _was(plan: Plan, buildings: gpd.GeoDataFrame) -> Longs:
    """Return the micro-grid that each building had, -1 for a new building."""
    pairs = paired(plan.buildings, buildings)
    pairs = pairs[(pairs["old"] >= 0) & (pairs["new"] >= 0)]
    households = plan.buildings["households"].to_numpy(dtype=np.int64)[pairs["old"]]
    order = np.lexsort((pairs["old"], -households, pairs["new"]))
    first = pairs.iloc[order].drop_duplicates("new")
    found = np.full(len(buildings), -1)
    found[first["new"]] = plan.label[plan.atom[first["old"]]]
    return found


def _heirs(draft: _Draft, grid: Longs, was: Longs) -> Longs:
    """Return the old micro-grid that each new one continues, -1 for none."""
    count = len(draft.parent)
    now = draft.label[draft.atom]
    was = np.where(grid[was] == draft.parent[now], was, -1)
    weight = draft.buildings["weight"].to_numpy(dtype=np.float64)
    heir = inherited(was, now, weight, count)
    # A grid of one micro-grid keeps it, whatever became of its buildings.
    alone = np.bincount(draft.parent, minlength=len(draft.grids)) == 1
    known = grid >= 0
    single = np.bincount(grid[known], minlength=len(draft.grids)) == 1
    old = np.full(len(draft.grids), -1)
    old[grid[known]] = np.flatnonzero(known)
    orphan = (heir < 0) & (alone & single)[draft.parent]
    heir[orphan] = old[draft.parent[orphan]]
    return heir
