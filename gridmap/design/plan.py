"""A plan: the micro-grids of a city, the atoms they are made of, and what is known of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.design.explain import explain
from gridmap.design.losses import losses
from gridmap.design.search.graph import AtomGraph
from gridmap.design.search.partition import PRESETS, Bounds, Objective
from gridmap.errors import ConformError
from gridmap.settings import Design
from gridmap.summaries import Summarised

__all__ = ["Plan", "bounds_of", "compactness", "objective_of"]

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, repr=False)
class Plan(Summarised):
    """Micro-grids, and all that is needed to change them.

    Parameters
    ----------
    grids : GeoDataFrame
        What was cut, by code: ``code, name, geometry``; the parents of the micro-grids.
    atoms : GeoDataFrame
        By grid and code: ``code, building, compound, parent, households, weight, buildings``;
        the geometry is the atom's cell. The cells tile the grids.
    graph : AtomGraph
        Of the atoms, in the same order.
    buildings : GeoDataFrame
        Buildings and units as they came, by atom and code: ``code, building, households, weight,
        geometry``; after a resize also ``before``, the code of the micro-grid that each had.
    atom : ndarray of int64, shape (buildings,)
        The atom of each building, rising.
    label : ndarray of int64, shape (atoms,)
        The micro-grid of each atom: a position in the arrays of shape (m,), which are by grid.
    parent : ndarray of int64, shape (m,)
        Position of the grid of each micro-grid, rising.
    code, name : ndarray of str, shape (m,)
    locked : ndarray of bool, shape (m,)
        Whether resizing leaves it as it is.
    shape : ndarray of Polygon or MultiPolygon, shape (m,)
        A coverage that nests in the grids.
    settings : Design
    optimal : ndarray of bool, shape (grids,)
        Whether the micro-grids of the grid are proven to be the best for the objective.
    retired : frozenset of str
        Codes that were in use once and are never given again.
    log : tuple of mapping
        What was done to the plan since it was made, the latest last; edits say ``by`` whom and
        ``at`` which moment.
    outside : tuple of str
        Buildings that lie in no grid.
    lang : str
        Of the names.
    changed : mapping
        The last edit: its ``kind``, which may be ``undo``, ``by`` whom, and ``at`` which moment.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> len(plan.microgrids) == len(plan)
    True
    >>> plan.microgrids.loc[:1, ["code", "parent", "households", "buildings"]]
                     code           parent  households  buildings
    0  330499001001001001  330499001001001          40          1
    1  330499001001001002  330499001001001          45          1
    """

    headline: ClassVar[tuple[str, ...]] = ("grids", "atoms", "code", "log")

    grids: gpd.GeoDataFrame
    atoms: gpd.GeoDataFrame
    graph: AtomGraph
    buildings: gpd.GeoDataFrame
    atom: Longs
    label: Longs
    parent: Longs
    code: Shapes
    name: Shapes
    locked: Bools
    shape: Shapes
    settings: Design
    optimal: Bools
    retired: frozenset[str] = frozenset()
    log: tuple[Mapping[str, Any], ...] = ()
    outside: tuple[str, ...] = ()
    lang: str = "zh"
    changed: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.code)

    @cached_property
    def microgrids(self) -> gpd.GeoDataFrame:
        """The layer ``plan``: one row for each micro-grid, by grid and code."""
        frame = _measured(self)
        return frame.sort_values(["parent", "code"], kind="stable", ignore_index=True)

    @cached_property
    def membership(self) -> gpd.GeoDataFrame:
        """The layer ``plan_buildings``: every building or unit with its micro-grid."""
        label = self.label[self.atom]
        grids = self.grids["code"].to_numpy()
        members = self.buildings.assign(
            atom=self.atoms["code"].to_numpy()[self.atom],
            microgrid=pd.Series(self.code[label], dtype="string"),
            parent=pd.Series(grids[self.parent[label]], dtype="string"),
        )
        footprints = np.asarray(self.buildings.geometry.array)
        outlines = np.asarray(self.grids.geometry.array)
        occupied = (members["weight"] > 0) | (members["households"] > 0)
        lost, reason, remedy = losses(
            footprints, self.shape[label], outlines[self.parent[label]], occupied.to_numpy(bool)
        )
        members["lost_m2"] = lost
        members["reason"] = pd.Series(reason, dtype="string")
        members["remedy"] = pd.Series(remedy, dtype="string")
        if "before" in members:
            stays = (members["before"] == members["microgrid"]).fillna(False)
            moved = np.where(members["before"].isna(), "new", np.where(stays, "stays", "moves"))
            members["moved"] = pd.Series(moved, dtype="string")
        return members

    def weights(self) -> Floats:
        """Return what each micro-grid weighs, shape (m,)."""
        sums = np.bincount(self.label, weights=self.graph.weight, minlength=len(self))
        return np.asarray(sums, dtype=np.float64)

    def households(self) -> Longs:
        """Return the occupied households of each micro-grid, shape (m,)."""
        counted = self.atoms["households"].to_numpy(dtype=np.float64)
        return np.bincount(self.label, weights=counted, minlength=len(self)).astype(np.int64)

    def atoms_of(self, parent: int) -> slice:
        """Return where the atoms of a grid stand."""
        low, high = np.searchsorted(self.graph.parent, [parent, parent + 1])
        return slice(int(low), int(high))

    def parts_of(self, parent: int) -> slice:
        """Return where the micro-grids of a grid stand."""
        low, high = np.searchsorted(self.parent, [parent, parent + 1])
        return slice(int(low), int(high))


def bounds_of(settings: Design) -> Bounds:
    """Return the target and the hard bounds of the settings."""
    return Bounds(target=settings.target, minimum=settings.least, maximum=settings.most)


def objective_of(settings: Design) -> Objective:
    """Return the preset's objective with the weights that the settings change.

    Raises
    ------
    ConformError
        If there is no such weight.
    """
    known = [each.name for each in fields(Objective)]
    for name in settings.weights:
        if name not in known:
            raise ConformError("design.weight", name=name, known=", ".join(known))
    return replace(PRESETS[settings.preset], **settings.weights)


def _measured(plan: Plan) -> gpd.GeoDataFrame:
    count, graph, label = len(plan), plan.graph, plan.label
    weight, bounds = plan.weights(), bounds_of(plan.settings)
    split = (plan.atoms["code"] != plan.atoms["building"]).fillna(False).to_numpy(dtype=bool)
    reason, remedy = explain(graph, label, count, bounds, units=split, optimal=plan.optimal)
    owner = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    inside = label[owner] == label[graph.neighbour]
    crossed = np.bincount(label[owner[inside]], weights=graph.barrier[inside] / 2, minlength=count)
    standing = plan.atoms["buildings"].to_numpy(dtype=np.float64)
    buildings = np.bincount(label, weights=standing, minlength=count)
    grids = plan.grids["code"].to_numpy()
    frame = {
        "code": pd.Series(plan.code, dtype="string"),
        "name": pd.Series(plan.name, dtype="string"),
        "parent": pd.Series(grids[plan.parent], dtype="string"),
        "households": pd.Series(plan.households()).astype("Int64"),
        "weight": weight,
        "deviation": (weight / bounds.target - 1) * 100,
        "buildings": pd.Series(buildings.astype(np.int64)).astype("Int64"),
        "compactness": compactness(shapely.area(plan.shape), shapely.length(plan.shape)),
        "crossings": crossed,
        "reason": pd.Series(reason, dtype="string"),
        "remedy": pd.Series(remedy, dtype="string"),
        "locked": pd.Series(plan.locked).astype("boolean"),
        **_compared(plan),
    }
    return gpd.GeoDataFrame(frame, geometry=plan.shape, crs=plan.grids.crs)


def _compared(plan: Plan) -> dict[str, pd.Series]:
    """Return how micro-grids differ from before the last resize, if there was one."""
    if "before" not in plan.buildings:
        return {}
    code = pd.Series(plan.code, dtype="string")
    was, now = plan.buildings["before"], code.take(plan.label[plan.atom]).reset_index(drop=True)
    kept = code.map(now[(was == now).fillna(False)].value_counts()).fillna(0)
    standing = code.map(now.value_counts()).fillna(0)
    earlier = code.map(was.value_counts()).fillna(0)
    resized = next(entry for entry in reversed(plan.log) if entry["kind"] == "resize")
    old = pd.DataFrame(resized["lineage"]).iloc[:, [0, 2]].dropna().set_axis(["code", "n"], axis=1)
    households = code.map(old.groupby("code")["n"].sum()).astype("Int64")
    same = (kept == standing) & (kept == earlier)
    change = np.where(households.isna(), "new", np.where(same, "same", "changed"))
    return {
        "change": pd.Series(change, dtype="string"),
        "households_before": households,
    }


def compactness(area_m2: Floats, perimeter_m: Floats) -> Floats:
    """Return 4 pi area / perimeter^2 (Polsby and Popper 1991); 0 for what has no outline."""
    square = np.square(perimeter_m)
    return np.divide(4 * np.pi * area_m2, square, out=np.zeros_like(square), where=square > 0)
