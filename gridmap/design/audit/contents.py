"""What areas hold, as the audit judges it: codes, households, buildings."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.design.audit import faults
from gridmap.design.audit.areas import SLACK, Areas, check_frame, tidy
from gridmap.design.audit.findings import Findings
from gridmap.design.codes import CodeProfile, check_codes

__all__ = ["check_area_codes", "check_buildings", "check_quantities", "copies"]

Shapes = npt.NDArray[np.object_]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CUT_M2 = 0.01  # less of a building beyond a border is noise of the coordinates
CUT_M = 0.005  # and so is a strip along its outline that is narrower
MARK_M = 1.0  # half the side of the square that marks a building without a footprint


def check_area_codes(found: Findings, profile: CodeProfile | None) -> None:
    """Find codes that are missing, repeated, or not built as they should be."""
    areas = found.areas
    given = areas.frame["code"].astype("string")
    clean = tidy(given)
    parents = None
    if areas.nested:
        parents = pd.Series(np.append(areas.outline_codes, "")[areas.parent], dtype="string")
        parents = parents.mask(parents == "")
    problems = check_codes(clean, parents, profile)
    rows = np.array([problem.row for problem in problems], dtype=np.int64)
    copied = copies(areas.frame)[rows]
    found.add(
        [f"code_{problem.kind}" for problem in problems],
        areas.shapes[rows],
        rows,
        [
            "drop_copy" if copy and problem.kind == "repeated" else _CODE_FIXES[problem.kind]
            for problem, copy in zip(problems, copied, strict=True)
        ],
        safe=copied & np.array([problem.kind == "repeated" for problem in problems], dtype=bool),
        detail=["" if p.reason in ("missing", "repeated") else p.reason for p in problems],
    )
    untidy = np.flatnonzero((given != clean).fillna(False).to_numpy(dtype=bool))
    untidy = np.setdiff1d(untidy, rows)
    found.add("code_wrong", areas.shapes[untidy], untidy, "tidy_code", safe=True, detail="untidy")


_CODE_FIXES = {"missing": "give_code", "wrong": "correct_code", "repeated": "renumber"}


def copies(frame: gpd.GeoDataFrame) -> Bools:
    """Tell which rows repeat an earlier one in everything, the geometry too."""
    repeated = np.zeros(len(frame), dtype=bool)
    doubtful = frame["code"].duplicated(keep=False).to_numpy(dtype=bool)
    some = frame[doubtful]
    if len(some):
        told = pd.DataFrame(some.drop(columns=some.active_geometry_name)).astype("string")
        repeated[doubtful] = told.assign(shape=some.geometry.to_wkb()).duplicated()
    return repeated


def check_quantities(
    found: Findings,
    quantity: str,
    least: float,
    most: float,
    buildings: gpd.GeoDataFrame | None,
) -> None:
    """Find areas outside their bounds.

    Not found is what no other plan would mend: an area that has a reason, that is the only one
    of its parent, or that holds one building above the maximum.
    """
    areas = found.areas
    amount = pd.to_numeric(areas.frame[quantity], errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    explained = np.zeros(len(amount), dtype=bool)
    if "reason" in areas.frame:
        explained = (areas.frame["reason"].astype("string").fillna("") != "").to_numpy(dtype=bool)
    family = areas.family
    only = (family >= 0) & (np.bincount(family + 1)[family + 1] == 1)
    empty = (amount == 0) & ~explained & ~only
    under = (amount < least - SLACK) & ~explained & ~only & ~empty
    over = (amount > most + SLACK) & ~explained
    if buildings is not None and over.any():
        over &= ~_has_tower(areas, buildings, most)
    for kind, rows, fix in (
        ("empty", empty, "join_neighbour"),
        ("over", over, "divide"),
        ("under", under, "join_neighbour"),
    ):
        at = np.flatnonzero(rows)
        found.add(kind, areas.shapes[at], at, fix, value=amount[at])


def _counted(buildings: gpd.GeoDataFrame) -> bool:
    """Tell whether the households of buildings are known."""
    return "households" in buildings or "occupied" in buildings


def _homes(buildings: gpd.GeoDataFrame) -> Floats:
    """Return the households of buildings, none where they are not known."""
    for name in ("households", "occupied"):
        if name in buildings:
            counted = pd.to_numeric(buildings[name], errors="coerce")
            return np.asarray(counted.fillna(0).to_numpy(dtype=np.float64))
    return np.zeros(len(buildings))


def _has_tower(areas: Areas, buildings: gpd.GeoDataFrame, most: float) -> Bools:
    """Tell which areas hold a building that is above the maximum by itself."""
    towers = buildings.geometry.to_numpy()[_homes(buildings) > most + SLACK]
    towers = towers[~shapely.is_missing(towers) & ~shapely.is_empty(towers)]
    _, area = shapely.STRtree(areas.shapes).query(
        shapely.point_on_surface(towers), predicate="intersects"
    )
    return np.bincount(area, minlength=len(areas.shapes)) > 0


def check_buildings(found: Findings, buildings: gpd.GeoDataFrame, most: float) -> None:
    """Find buildings that a border cuts, and those that lie in no area."""
    areas = found.areas
    check_frame(buildings.assign(code=""), "buildings", areas.frame.crs)
    shapes = buildings.geometry.to_numpy()
    standing = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_empty(shapes))
    shapes = shapes[standing]
    solid, _ = faults.solid(shapes)
    shapes = np.where(shapely.is_empty(solid), shapes, solid)
    codes = pd.Series(standing + 1, dtype="string")
    if "code" in buildings:
        codes = buildings["code"].astype("string").iloc[standing].reset_index(drop=True)
    names = codes.fillna("").to_numpy(dtype=object)
    building, area = shapely.STRtree(areas.shapes).query(shapes, predicate="intersects")
    times = np.bincount(building, minlength=len(shapes))
    several = times[building] > 1
    building, area = building[several], area[several]
    rows, lost = _cut(areas, shapes, building, area)
    homes, known = _homes(buildings)[standing[rows]], _counted(buildings)
    kept = (homes <= most + SLACK) & ((homes > 0) | (not known))
    rows, lost = rows[kept], lost[kept]
    none = [np.empty(0, dtype=np.int64)]
    found.add(
        "building_cut", shapes[rows], none * len(rows), "move_border",
        value=lost / shapely.area(shapes[rows]) * 100, area_m2=lost, names=names[rows],
    )  # fmt: skip
    alone = np.flatnonzero(times == 0)
    if areas.nested:
        # A building outside of every parent is no fault of the areas.
        alone = alone[_meeting(shapes[alone], areas.outlines)]
    marks = np.where(
        shapely.get_dimensions(shapes[alone]) > 1, shapes[alone],
        shapely.buffer(shapes[alone], MARK_M, cap_style="square"),
    )  # fmt: skip
    found.add("homeless", marks, none * len(alone), "extend_area", names=names[alone])


def _meeting(shapes: Shapes, outlines: Shapes) -> Bools:
    """Tell which shapes meet an outline."""
    row, _ = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    return np.bincount(row, minlength=len(shapes)) > 0


def _cut(areas: Areas, shapes: Shapes, building: Longs, area: Longs) -> tuple[Longs, Floats]:
    """Return the buildings that a border inside their parent cuts, and how much it cuts off.

    A building counts in the parent that holds its inner point, and of one in several pieces
    there the largest: where the others go is no choice between neighbours. Where buildings
    overlap, what they share has to go somewhere.
    """
    rows, _ = _lost(areas, shapes, building, area)
    suspects = shapes[rows]
    one, other = shapely.STRtree(shapes).query(suspects, predicate="intersects")
    apart = other != rows[one]
    over = pd.Series(shapes[other[apart]]).groupby(one[apart]).agg(shapely.union_all)
    alone = suspects.copy()
    alone[over.index] = shapely.difference(suspects[over.index], over.to_numpy())
    if areas.nested:
        inner = shapely.point_on_surface(suspects)
        at, outline = shapely.STRtree(areas.outlines).query(inner, predicate="intersects")
        alone[at] = shapely.intersection(alone[at], areas.outlines[outline])
    parts, at = shapely.get_parts(alone, return_index=True)
    order = np.lexsort((-shapely.area(parts), at))
    at, first = np.unique(at[order], return_index=True)
    main = parts[order][first]
    part, area = shapely.STRtree(areas.shapes).query(main, predicate="intersects")
    cut, lost = _lost(areas, main, part, area)
    return rows[at[cut]], lost


def _lost(areas: Areas, shapes: Shapes, building: Longs, area: Longs) -> tuple[Longs, Floats]:
    """Return the shapes that areas of one parent share, and what the main one has not."""
    pieces = shapely.area(shapely.intersection(shapes[building], areas.shapes[area]))
    table = pd.DataFrame({"building": building, "family": areas.family[area], "piece": pieces})
    held = table.groupby(["building", "family"], sort=True)["piece"].agg(["sum", "max"])
    held = held.reset_index().sort_values(["building", "sum"], ascending=[True, False])
    home = held.drop_duplicates("building")
    at = home["building"].to_numpy(dtype=np.int64)
    whole = np.minimum(home["sum"].to_numpy(), shapely.area(shapes[at]))
    lost = whole - home["max"].to_numpy()
    noise = np.maximum(CUT_M2, shapely.length(shapes[at]) * CUT_M / 2)
    return at[lost > noise], lost[lost > noise]
