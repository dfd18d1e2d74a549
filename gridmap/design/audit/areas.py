"""A grid layer as the rules of the audit see it: valid shapes, and the parent of each area."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.design.audit import faults
from gridmap.design.codes import CodeProfile
from gridmap.design.geometry.polygons import NEAR_M
from gridmap.errors import ConformError, CrsError

__all__ = ["SLACK", "SLIVER_M2", "TOLERANCE_M", "Areas", "check_frame", "parents_of", "tidy"]

Shapes = npt.NDArray[np.object_]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SLIVER_M2 = 1.0
TOLERANCE_M = 0.5
SLACK = 1e-9

# Full-width forms of ASCII, as Chinese input methods give them, and the space of that width.
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}


def tidy(codes: pd.Series) -> pd.Series:
    """Return codes without full-width characters and without spaces at their ends."""
    return codes.astype("string").str.translate(_WIDE).str.strip()


@dataclass(frozen=True)
class Areas:
    """What the rules are applied to.

    Parameters
    ----------
    frame : GeoDataFrame
        As it was given, indexed anew.
    shapes : ndarray of Polygon or MultiPolygon, shape (n,)
        Valid.
    broken : ndarray of bool, shape (n,)
        Which shapes were not.
    codes : ndarray of str, shape (n,)
        Empty where there is none.
    outlines : ndarray of Polygon or MultiPolygon, shape (p,)
        The parents.
    outline_codes : ndarray of str, shape (p,)
    parent : ndarray of int, shape (n,)
        The position of each area's parent, -1 for none.
    family : ndarray of int, shape (n,)
        The same number for areas of one parent, where parents have no outlines too; -1 for none.
    sliver_m2, tolerance_m : float
        What is smaller than the one or, in the mean, thinner than the other is a sliver.
    """

    frame: gpd.GeoDataFrame
    shapes: Shapes
    broken: Bools
    codes: Shapes
    outlines: Shapes
    outline_codes: Shapes
    parent: Longs
    family: Longs
    sliver_m2: float = SLIVER_M2
    tolerance_m: float = TOLERANCE_M

    @classmethod
    def of(
        cls,
        areas: gpd.GeoDataFrame,
        parents: gpd.GeoDataFrame | None = None,
        *,
        profile: CodeProfile | None = None,
        sliver_m2: float = SLIVER_M2,
        tolerance_m: float = TOLERANCE_M,
    ) -> Areas:
        """Prove the frames and find the parent of each area."""
        check_frame(areas, "areas", areas.crs)
        frame = areas.reset_index(drop=True)
        shapes, broken = faults.solid(frame.geometry.to_numpy())
        outlines, outline_codes = np.empty(0, dtype=object), np.empty(0, dtype=object)
        if parents is not None:
            check_frame(parents, "parents", areas.crs)
            outlines = faults.solid(parents.geometry.to_numpy())[0]
            outline_codes = tidy(parents["code"]).fillna("").to_numpy(dtype=object)
        parent = parents_of(frame, shapes, outlines, outline_codes, profile)
        family = parent
        if parents is None and "parent" in frame:
            family = np.asarray(tidy(frame["parent"]).factorize()[0], dtype=np.int64)
        codes = frame["code"].astype("string").fillna("").to_numpy(dtype=object)
        return cls(
            frame, shapes, broken, codes, outlines, outline_codes, parent, family,
            sliver_m2, tolerance_m,
        )  # fmt: skip

    @property
    def nested(self) -> bool:
        """Whether there are parents."""
        return len(self.outlines) > 0

    @cached_property
    def suspects(self) -> Longs:
        """The areas with an edge that fits no neighbour."""
        return faults.suspects(self.shapes)

    @cached_property
    def beyond(self) -> tuple[Shapes, Longs]:
        """The pieces of areas outside of their parents."""
        return faults.beyond(self.shapes, self.outlines, self.parent)

    @cached_property
    def overlaps(self) -> tuple[Shapes, Longs, Longs]:
        """What two areas both cover, save where their parents overlap too."""
        pieces, one, other = faults.overlaps(self.shapes, self.suspects)
        foreign = np.flatnonzero(self.parent[one] != self.parent[other])
        foreign = foreign[(self.parent[one[foreign]] >= 0) & (self.parent[other[foreign]] >= 0)]
        if len(foreign) == 0:
            return pieces, one, other
        forced = shapely.intersection(
            self.outlines[self.parent[one[foreign]]], self.outlines[self.parent[other[foreign]]]
        )
        left = pieces.copy()
        left[foreign] = shapely.difference(pieces[foreign], forced)
        left, row = faults.faces(left)
        return left, one[row], other[row]

    @cached_property
    def gaps(self) -> tuple[Shapes, Longs]:
        """What no area covers, and the parent that it lies in, -1 for none."""
        if not self.nested:
            found = faults.holes(self.shapes, coverage=len(self.suspects) == 0)
            return found, np.full(len(found), -1, dtype=np.int64)
        return faults.uncovered(self.shapes, self.outlines, self._doubtful)

    @property
    def _doubtful(self) -> Longs:
        """The parents whose areas do not add up to them."""
        stated = self.parent >= 0
        count = len(self.outlines)
        whole = shapely.area(self.outlines)
        held = np.bincount(
            self.parent[stated], weights=shapely.area(self.shapes[stated]), minlength=count
        )
        odd = np.abs(whole - held) > faults.NOISE_M2 + SLACK * whole
        odd[self.parent[self.beyond[1]]] = True
        _, one, other = self.overlaps
        for side in (one, other):
            odd[self.parent[side][self.parent[side] >= 0]] = True
        return np.flatnonzero(odd)

    def thin(self, pieces: Shapes) -> Bools:
        """Tell which pieces are slivers."""
        small = shapely.area(pieces) < self.sliver_m2
        return np.asarray(small | (faults.width(pieces) < self.tolerance_m))

    def beside(self, pieces: Shapes) -> list[Longs]:
        """Return the areas that touch each piece, in their order."""
        if len(pieces) == 0:
            return []
        piece, area = shapely.STRtree(self.shapes).query(pieces, "dwithin", distance=NEAR_M)
        order = np.lexsort((area, piece))
        bounds = np.searchsorted(piece[order], np.arange(1, len(pieces)))
        return np.split(area[order], bounds)

    def takers(self, pieces: Shapes, parent: Longs, owner: Longs | None = None) -> list[Longs]:
        """Return the areas that may take each piece: neighbours in the parent, -1 for any.

        The owner of a piece is none of them.
        """
        able = []
        for k, near in enumerate(self.beside(pieces)):
            mine = near if parent[k] < 0 else near[self.parent[near] == parent[k]]
            able.append(mine if owner is None else mine[mine != owner[k]])
        return able


def check_frame(frame: gpd.GeoDataFrame, layer: str, crs: Any) -> None:
    """Raise unless a frame has codes and is in a metric system, the one given.

    Raises
    ------
    ConformError, CrsError
    """
    if "code" not in frame:
        known = ", ".join(str(name) for name in frame.columns)
        raise ConformError("audit.no_code", layer=layer, known=known)
    if frame.crs != crs:
        raise CrsError("crs.mixed", layer=layer, crs=crs.name if crs else "")
    if crs is not None and {axis.unit_name for axis in crs.axis_info} != {"metre"}:
        raise CrsError("crs.not_metric", crs=crs.name)


def parents_of(
    frame: gpd.GeoDataFrame,
    shapes: Shapes,
    outlines: Shapes,
    outline_codes: Shapes,
    profile: CodeProfile | None = None,
) -> Longs:
    """Return the position of each area's parent.

    Parameters
    ----------
    frame : GeoDataFrame
        ``code`` and, where known, ``parent``.
    shapes : ndarray of Polygon or MultiPolygon, shape (n,)
        Of the areas.
    outlines : ndarray of Polygon or MultiPolygon, shape (p,)
    outline_codes : ndarray of str, shape (p,)
    profile : CodeProfile, optional

    Returns
    -------
    ndarray of int64, shape (n,)
        The parent that the area names, else the one that its code names, else the one that
        covers most of it; -1 for none.
    """
    found = np.full(len(frame), -1, dtype=np.int64)
    if len(outlines) == 0:
        return found
    known = pd.Series(np.arange(len(outline_codes)), index=outline_codes)
    known = known[~known.index.duplicated() & (known.index != "")]
    if "parent" in frame:
        stated = tidy(frame["parent"]).fillna("")
        found = np.array(known.reindex(stated).fillna(-1), dtype=np.int64)
    if profile is not None:
        heads = [profile.parent_of(code) for code in tidy(frame["code"]).fillna("")]
        by_code = known.reindex(heads).fillna(-1).to_numpy(dtype=np.int64)
        found = np.where(found < 0, by_code, found)
    rest = np.flatnonzero(found < 0)
    found[rest] = faults.best_parent(shapes[rest], outlines)
    return found
