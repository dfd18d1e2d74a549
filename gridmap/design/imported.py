"""Edits drawn in a GIS desktop, brought back into a plan.

What was drawn is compared with the state from which it was exported, and merged with the plan as
it is now, atom by atom, as version control merges lines: an atom that only one side gave to
another micro-grid goes there; where both did, and differ, there is a conflict. A micro-grid is
made of atoms, so a border that was drawn through a cell follows the cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.design.audit.areas import tidy
from gridmap.design.audit.checks import audit
from gridmap.design.edit import lock, reassign
from gridmap.design.plan import Plan
from gridmap.errors import ConformError, CrsError

__all__ = ["FAULTS", "SAME_M", "Imported", "changed_features", "merge_drawn"]

Shapes = npt.NDArray[np.object_]

SAME_M = 0.002  # coordinates that came back by way of degrees differ by less
MOST = 0.5  # of a cell must lie in one micro-grid
FAULTS = ("invalid", "gap", "overlap", "not_nested", "outside", "orphan", "multi_part")


@dataclass(frozen=True)
class Imported:
    """What came of edits.

    Parameters
    ----------
    plan : Plan
        With what could be applied; the plan itself if there was nothing.
    changes : DataFrame
        What was changed, by feature: ``code, kind, field, before, after``. Kinds are ``added``,
        ``removed``, ``reshaped`` and ``attribute``.
    conflicts : DataFrame
        What was not applied: ``grid, kind, codes, value``, with a kind of `FAULTS`, ``both``,
        ``locked``, ``uncovered``, ``stale``, ``derived`` or ``no_effect``: a border was moved, but
        no cell lies mostly beyond it.
    applied : tuple of str
        Codes of the grids whose micro-grids changed.
    """

    plan: Plan
    changes: pd.DataFrame
    conflicts: pd.DataFrame
    applied: tuple[str, ...]


def changed_features(
    before: gpd.GeoDataFrame, after: gpd.GeoDataFrame, fields: Sequence[str]
) -> pd.DataFrame:
    """Tell what differs between two states of a layer, feature by feature.

    Parameters
    ----------
    before, after : GeoDataFrame
        With a column ``code``, in one system; geometries that differ by less than 2 mm are equal.
    fields : sequence of str
        Attributes that are compared.

    Returns
    -------
    DataFrame
        ``code, kind, field, before, after``, by code.
    """
    old = before.set_index(tidy(before["code"]).fillna(""))
    new = after.set_index(tidy(after["code"]).fillna(""))
    rows: list[tuple[str, str, str, str, str]] = []
    twice = set(new.index[new.index.duplicated()]) | {""}
    rows += [(str(code), "added", "", "", "") for code in new.index if code not in old.index]
    rows += [(str(code), "added", "", "", "") for code in new.index[new.index.duplicated()]]
    rows += [(str(code), "removed", "", "", "") for code in old.index if code not in new.index]
    both = [code for code in old.index if code in new.index and code not in twice]
    one, other = old.loc[both].geometry.to_numpy(), new.loc[both].geometry.to_numpy()
    for code, moved in zip(both, _moved(one, other), strict=True):
        if moved:
            rows.append((str(code), "reshaped", "", "", ""))
    rows += [(str(code), "reshaped", "", "", "") for code in twice & set(old.index)]
    for field in (name for name in fields if name in old and name in new):
        was, now = (_words(frame.loc[both, field]) for frame in (old, new))
        for code, left, right in zip(both, was, now, strict=True):
            if left != right:
                rows.append((str(code), "attribute", field, left, right))
    columns = ["code", "kind", "field", "before", "after"]
    return pd.DataFrame(sorted(set(rows)), columns=columns)


def _moved(one: Shapes, other: Shapes) -> npt.NDArray[np.bool_]:
    same = shapely.equals_exact(shapely.normalize(one), shapely.normalize(other), SAME_M)
    # A ring may begin elsewhere, or have a further node on a straight side.
    unsure = np.flatnonzero(~same)
    for k in unsure:
        lost = shapely.is_empty(other[k]) or not shapely.is_valid(other[k])
        same[k] = not lost and bool(shapely.hausdorff_distance(one[k], other[k]) < SAME_M)
        if same[k]:
            area = shapely.area(shapely.symmetric_difference(one[k], other[k]))
            same[k] = area <= SAME_M * shapely.length(one[k])
    return ~np.asarray(same, dtype=bool)


def _words(values: pd.Series) -> list[str]:
    if pd.api.types.is_bool_dtype(values.dtype):
        values = values.astype("boolean")
    return values.astype("string").fillna("").to_list()


def merge_drawn(
    plan: Plan,
    drawn: gpd.GeoDataFrame,
    *,
    exported: Mapping[str, str] | None = None,
    moved: Mapping[str, str] | None = None,
    stale: bool = False,
) -> Imported:
    """Merge edited micro-grids into a plan.

    Parameters
    ----------
    plan : Plan
        As it is now.
    drawn : GeoDataFrame of polygons
        The edited layer ``plan``: ``code, geometry`` and, where they are there, ``name`` and
        ``locked``. Of features with one code the largest keeps it; the others, and those without
        a known code, are new micro-grids.
    exported : mapping of str to str, optional
        The micro-grid of each atom when the layer was exported; by default that of the plan.
    moved : mapping of str to str, optional
        Atoms that were given to another micro-grid in the attributes of ``plan_buildings``.
    stale : bool
        Whether the plan changed since; names and locks are then not taken over.

    Returns
    -------
    Imported
        A grid with a conflict stays as it is; those without are applied.

    Raises
    ------
    CrsError
        If the layer does not say its system.
    ConformError
        If it has no codes, or none of the plan's.
    """
    layer = _read(plan, drawn)
    known = plan.microgrids
    derived = [
        name
        for name in ("parent", "households", "weight", "buildings")
        if name in layer and name in known
    ]
    changes = changed_features(known, layer, ["name", "locked", *derived])
    conflicts: list[tuple[str, str, str, float]] = []
    for name in derived:
        codes = changes.loc[changes["field"] == name, "code"]
        if len(codes) and not stale:
            conflicts.append(("", "derived", f"{name}: {', '.join(codes)}", np.nan))
    base = plan.code[plan.label].astype(object)
    if exported is not None:
        base = np.array([exported.get(code, "") for code in plan.atoms["code"]], dtype=object)
    wanted, uncovered = base.copy(), np.zeros(len(base), dtype=bool)
    if _reshaped(changes):
        wanted, uncovered = _drawn_atoms(plan, layer, base, stale=stale)
    for k, code in enumerate(plan.atoms["code"]):
        wanted[k] = (moved or {}).get(code, wanted[k])
    faulty = _faulty(plan, layer) if _reshaped(changes) else pd.DataFrame()
    shaped = set() if stale else set(changes.loc[changes["kind"] == "reshaped", "code"])
    result, applied = plan, []
    for parent, grid in enumerate(plan.grids["code"]):
        atoms = plan.atoms_of(parent)
        now = plan.code[plan.label[atoms]].astype(object)
        theirs = wanted[atoms] != base[atoms]
        found = _conflicts(plan, str(grid), atoms, wanted, base, uncovered, faulty)
        if not found and not theirs.any():
            idle = sorted(shaped & set(now))
            found = [(str(grid), "no_effect", ", ".join(idle), np.nan)] if idle else []
        if found:
            conflicts += found
            continue
        merged = np.where(theirs, wanted[atoms], now)
        if (merged != now).any():
            result = reassign(result, str(grid), merged.tolist()).plan
            applied.append(str(grid))
    result, attribute = _attributes(result, changes, stale)
    conflicts += attribute
    table = pd.DataFrame(conflicts, columns=["grid", "kind", "codes", "value"])
    return Imported(result, changes, table, tuple(applied))


def _read(plan: Plan, drawn: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    if drawn.crs is None:
        raise CrsError("crs.missing", path="plan")
    if "code" not in drawn or not set(tidy(drawn["code"])) & set(plan.code):
        raise ConformError("edits.other_plan")
    layer = drawn if drawn.crs == plan.grids.crs else drawn.to_crs(plan.grids.crs)
    return layer.reset_index(drop=True)


def _reshaped(changes: pd.DataFrame) -> bool:
    return bool(changes["kind"].isin(["added", "removed", "reshaped"]).any())


def _drawn_atoms(
    plan: Plan, layer: gpd.GeoDataFrame, base: Shapes, *, stale: bool
) -> tuple[Shapes, npt.NDArray[np.bool_]]:
    """Return what was drawn as the micro-grid of each atom, and which atoms no longer have one.

    Outlines are smoother than cells: what they do to an atom without an edit is no edit.
    """
    wanted, uncovered = _drawn_codes(plan, layer)
    if stale:
        return wanted, uncovered
    plain, loose = _drawn_codes(plan, plan.microgrids)
    return np.where(wanted == plain, base, wanted), uncovered & ~loose


def _drawn_codes(plan: Plan, layer: gpd.GeoDataFrame) -> tuple[Shapes, npt.NDArray[np.bool_]]:
    """Return the micro-grid in which each atom was drawn, and whether most of it is in none."""
    shapes = np.asarray(shapely.make_valid(layer.geometry.to_numpy()))
    codes = tidy(layer["code"]).fillna("").to_numpy(dtype=object)
    seen = {str(code) for code in plan.code}
    taken: set[str] = set()
    for k in np.lexsort((np.arange(len(shapes)), -shapely.area(shapes))):
        if codes[k] not in seen or codes[k] in taken:
            codes[k] = f"new {k + 1}"
        taken.add(str(codes[k]))
    cells = plan.atoms.geometry.to_numpy()
    cell, part = shapely.STRtree(shapes).query(cells, predicate="intersects")
    shared = shapely.area(shapely.intersection(cells[cell], shapes[part]))
    share = shared / shapely.area(cells[cell])
    wanted = plan.code[plan.label].astype(object)
    best = np.zeros(len(cells))
    # The largest share comes first, then the lower code.
    for k in np.lexsort((codes[part].astype(str), -share)):
        if share[k] > best[cell[k]]:
            best[cell[k]] = share[k]
            wanted[cell[k]] = codes[part[k]]
    return wanted, best < MOST


def _faulty(plan: Plan, layer: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the faults of the drawn coverage that the plan did not have."""
    columns = [name for name in ("code", "parent") if name in layer]
    areas = gpd.GeoDataFrame(layer[columns], geometry=layer.geometry, crs=layer.crs)
    found = audit(areas, plan.grids)
    # What is safe to mend is mended by the cells; a split made in QGIS repeats the code.
    found = found[found["kind"].isin(FAULTS) & ~found["safe"].astype(bool)]
    known = audit(plan.microgrids[["code", "parent", "geometry"]], plan.grids)
    old = set(zip(known["kind"], known["areas"], strict=True))
    fresh = [(k, a) not in old for k, a in zip(found["kind"], found["areas"], strict=True)]
    return pd.DataFrame(found[fresh])


def _conflicts(
    plan: Plan,
    grid: str,
    atoms: slice,
    wanted: Shapes,
    base: Shapes,
    uncovered: npt.NDArray[np.bool_],
    faulty: pd.DataFrame,
) -> list[tuple[str, str, str, float]]:
    """Return why the edits of one grid cannot be applied."""
    now = plan.code[plan.label[atoms]].astype(object)
    theirs, ours = wanted[atoms] != base[atoms], now != base[atoms]
    names = plan.atoms["code"].to_numpy()[atoms]
    found: list[tuple[str, str, str, float]] = []
    both = theirs & ours & (wanted[atoms] != now)
    if both.any():
        found.append((grid, "both", ", ".join(names[both]), float(both.sum())))
    touched = set(now[theirs]) | set(wanted[atoms][theirs])
    held = sorted(touched & set(plan.code[plan.locked]))
    if held:
        found.append((grid, "locked", ", ".join(held), float(len(held))))
    if uncovered[atoms].any():
        lost = names[uncovered[atoms]]
        found.append((grid, "uncovered", ", ".join(lost), float(len(lost))))
    if len(faulty):
        mine = faulty[faulty["parent"].eq(grid).fillna(False)]
        told = zip(mine["kind"], mine["areas"], mine["area_m2"], strict=True)
        found += [(grid, str(kind), str(codes), float(size)) for kind, codes, size in told]
    return found


def _attributes(
    plan: Plan, changes: pd.DataFrame, stale: bool
) -> tuple[Plan, list[tuple[str, str, str, float]]]:
    """Take over names and locks."""
    asked = changes[(changes["kind"] == "attribute") & changes["field"].isin(["name", "locked"])]
    asked = asked[asked["code"].isin(plan.code)]
    if asked.empty:
        return plan, []
    if stale:
        codes = ", ".join(sorted(set(asked["code"])))
        return plan, [("", "stale", codes, float(len(asked)))]
    renamed = asked[asked["field"] == "name"].set_index("code")["after"]
    name = plan.name.copy()
    for k, code in enumerate(plan.code):
        if code in renamed.index and renamed[code]:
            name[k] = renamed[code]
    plan = replace(plan, name=name)
    for state in (True, False):
        said = asked[(asked["field"] == "locked") & (asked["after"] == str(state))]["code"]
        if len(said):
            plan = lock(plan, sorted(said), locked=state)
    return plan, []
