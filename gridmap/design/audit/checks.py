"""Audit of grid layers, ours or not: every fault as a feature, with what would mend it.

The rules are those of the topology checkers of GIS desktops (polygons must be valid, must not
overlap, must not have gaps, must be covered by their parent) and those of grid standards: every
grid lies in one parent, has one code that fits its parent's, and is in one piece.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gridmap.design.audit import faults
from gridmap.design.audit.areas import SLIVER_M2, TOLERANCE_M, Areas, tidy
from gridmap.design.audit.contents import check_area_codes, check_buildings, check_quantities
from gridmap.design.audit.findings import KINDS, Findings
from gridmap.design.codes import CodeProfile
from gridmap.design.geometry.polygons import NEAR_M
from gridmap.errors import ConformError
from gridmap.settings import Design

__all__ = ["KINDS", "SLIVER_M2", "TOLERANCE_M", "audit"]

Longs = npt.NDArray[np.int64]

ORPHAN_SHARE = 0.1  # a detached part below this share of its area is a stray piece
MARK_M = 1.0  # half the side of the square that marks a node


def audit(
    areas: gpd.GeoDataFrame,
    parents: gpd.GeoDataFrame | None = None,
    *,
    buildings: gpd.GeoDataFrame | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    target: float | None = None,
    quantity: str = "households",
    profile: CodeProfile | None = None,
    sliver_m2: float = SLIVER_M2,
    tolerance_m: float = TOLERANCE_M,
) -> gpd.GeoDataFrame:
    """Find what is wrong with a grid layer.

    Parameters
    ----------
    areas : GeoDataFrame of polygons
        ``code, geometry`` and, where known, ``parent``, the quantity, and ``reason``: an area
        with a reason is explained and no finding of its bounds. In a metric system.
    parents : GeoDataFrame of polygons, optional
        ``code, geometry``. Their own gaps and overlaps are not laid on the areas.
    buildings : GeoDataFrame, optional
        ``geometry`` and, where known, ``code`` and ``households`` (or ``occupied``). Where plans
        divide buildings, give the stairwell units instead.
    minimum, maximum : float, optional
        Bounds of the quantity. Without them the target's (`gridmap.config.Design`) hold.
    target : float, optional
    quantity : str
        The column that has bounds.
    profile : CodeProfile, optional
        Without it, any code will do that no other area has.
    sliver_m2, tolerance_m : float
        A gap, overlap or area smaller than the one or, in the mean, thinner than the other is a
        sliver.

    Returns
    -------
    GeoDataFrame
        The layer ``findings``: ``code, kind, detail, areas, parent, area_m2, width_m, value,
        fix, safe, geometry``. ``safe`` marks what `gridmap.design.audit.mend.mend` mends.

    Raises
    ------
    ConformError
        If a frame lacks its codes.
    CrsError
        If the system is not metric, or the frames differ in it.
    """
    given = Areas.of(areas, parents, profile=profile, sliver_m2=sliver_m2, tolerance_m=tolerance_m)
    least, most = _bounds(minimum, maximum, target)
    found = Findings(given)
    for rule in (_invalid, _gaps, _overlaps, _parts, _nesting, _unmatched):
        rule(found)
    check_area_codes(found, profile)
    if quantity in given.frame:
        check_quantities(found, quantity, least, most, buildings)
    if buildings is not None and len(buildings):
        check_buildings(found, buildings, most)
    return found.frame()


def _bounds(
    minimum: float | None, maximum: float | None, target: float | None
) -> tuple[float, float]:
    least = -np.inf if minimum is None else minimum
    most = np.inf if maximum is None else maximum
    if target is not None:
        usual = Design(target=target)
        least = usual.least if minimum is None else minimum
        most = usual.most if maximum is None else maximum
    if least > most:
        raise ConformError("audit.bounds", minimum=f"{least:g}", maximum=f"{most:g}")
    return least, most


def _invalid(found: Findings) -> None:
    areas = found.areas
    void = np.asarray(shapely.is_empty(areas.shapes))
    rows = np.flatnonzero(areas.broken | void)
    lost = void[rows]
    found.add(
        "invalid",
        areas.shapes[rows],
        rows,
        np.where(lost, "draw", "make_valid"),
        safe=~lost,
        detail=np.where(lost, "no_shape", "crosses_itself"),
    )


def _gaps(found: Findings) -> None:
    areas = found.areas
    pieces, parent = areas.gaps
    beside = areas.beside(pieces)
    thin = areas.thin(pieces)
    able = np.array([len(some) > 0 for some in areas.takers(pieces, parent)], dtype=bool)
    found.add(
        np.where(thin, "sliver", "gap"),
        pieces,
        beside,
        np.where(thin, "close_gap", "assign_gap"),
        safe=thin & able,
        detail=np.where(thin, "gap", ""),
        parent=parent,
    )


def _overlaps(found: Findings) -> None:
    areas = found.areas
    pieces, one, other = areas.overlaps
    thin = areas.thin(pieces)
    found.add(
        np.where(thin, "sliver", "overlap"),
        pieces,
        list(np.stack([one, other], axis=1)),
        np.where(thin, "settle_overlap", "decide_overlap"),
        safe=thin,
        detail=np.where(thin, "overlap", ""),
    )


def _parts(found: Findings) -> None:
    """Judge areas by themselves: parts that lie apart, and whole areas that are slivers."""
    areas = found.areas
    parts, owner = faults.detached(areas.shapes, areas.outlines, areas.parent)
    small = shapely.area(parts) < ORPHAN_SHARE * shapely.area(areas.shapes[owner])
    stray, its = parts[small], owner[small]
    able = np.array([len(some) > 0 for some in areas.takers(stray, areas.parent[its], its)], bool)
    found.add(
        "orphan",
        stray,
        its,
        "give_to_neighbour",
        safe=areas.thin(stray) & able,
        detail="detached",
    )
    large, times = np.unique(owner[~small], return_counts=True)
    found.add("multi_part", areas.shapes[large], large, "divide", value=times + 1)
    whole = np.flatnonzero(areas.thin(areas.shapes) & ~shapely.is_empty(areas.shapes))
    found.add("sliver", areas.shapes[whole], whole, "join_neighbour", detail="area")


def _nesting(found: Findings) -> None:
    areas = found.areas
    if not areas.nested:
        return
    void = shapely.is_empty(areas.shapes)
    off = np.flatnonzero((areas.parent < 0) & ~void)
    found.add("outside", areas.shapes[off], off, "add_parent")
    pieces, row = areas.beyond
    share = shapely.area(pieces) / shapely.area(areas.shapes[row])
    mostly = np.bincount(row, weights=share, minlength=len(areas.shapes))[row] > 1 / 2
    thin = areas.thin(pieces)
    found.add(
        "not_nested",
        pieces,
        row,
        np.where(mostly, "correct_parent", "cut_at_parent"),
        safe=thin & ~mostly,
        value=share * 100,
    )
    if "parent" in areas.frame:
        stated = tidy(areas.frame["parent"]).fillna("")
        lost = np.flatnonzero(~stated.isin(areas.outline_codes).to_numpy(dtype=bool) & ~void)
        lost = lost[areas.parent[lost] >= 0]
        found.add("orphan", areas.shapes[lost], lost, "correct_parent", detail="parent_unknown")


def _unmatched(found: Findings) -> None:
    areas = found.areas
    if len(areas.suspects) == 0:
        return
    lacking, nodes, owner = faults.unmatched(areas.shapes)
    # The corners of a gap or an overlap are told with it.
    pieces = np.concatenate([areas.gaps[0], areas.overlaps[0]])
    corner = shapely.STRtree(pieces).query(shapely.points(nodes), "dwithin", distance=NEAR_M)[0]
    apart = np.setdiff1d(np.arange(len(nodes)), corner)
    if len(apart) == 0:
        return
    lacking, nodes, owner = lacking[apart], nodes[apart], owner[apart]
    order = np.argsort(lacking, kind="stable")
    rows, first = np.unique(lacking[order], return_index=True)
    marks, concerned, times = [], [], []
    for row, mine in zip(rows, np.split(order, first[1:]), strict=True):
        places = np.unique(nodes[mine], axis=0)
        squares = shapely.box(*(places - MARK_M).T, *(places + MARK_M).T)
        marks.append(shapely.union_all(squares))
        concerned.append(np.append(row, np.unique(owner[mine])))
        times.append(len(places))
    shapes = np.array(marks, dtype=object)
    found.add(
        "unmatched",
        shapes,
        concerned,
        "match_nodes",
        safe=True,
        value=np.array(times),
        area_m2=np.zeros(len(marks)),
    )
