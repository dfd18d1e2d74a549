"""Reading what somebody edited in a GIS desktop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd

from gridmap.crs import working_crs
from gridmap.design.audit.areas import tidy
from gridmap.design.plan import Plan
from gridmap.design.redrawn import merge_areas
from gridmap.errors import ConformError, CrsError, SourceError
from gridmap.sources.vector import layer_names, read_layer

__all__ = ["Edits", "layer_names", "merge_levels", "read_areas", "read_edits"]

_LEVELS = ("district", "street", "community", "grid")


@dataclass(frozen=True)
class Edits:
    """An edited plan, as `gridmap.design.imported.merge_drawn` takes it."""

    drawn: gpd.GeoDataFrame
    exported: Mapping[str, str] | None
    moved: Mapping[str, str]
    stale: bool


def read_areas(path: Path, layer: str) -> gpd.GeoDataFrame:
    """Read a layer of polygons with codes.

    Raises
    ------
    SourceError
        If the file or the layer is missing, or the layer has no field ``code``.
    CrsError
        If it does not say its system.
    """
    known = layer_names(path)
    # A file of one layer is that layer, whatever it is called.
    name = layer if layer in known or len(known) != 1 else known[0]
    if name not in known:
        raise SourceError("edits.no_layer", path=path, layer=layer, known=", ".join(known))
    frame = read_layer(path, name)
    if "code" not in frame or not isinstance(frame, gpd.GeoDataFrame):
        raise SourceError("edits.no_code", path=path, layer=name)
    if frame.crs is None:
        raise CrsError("crs.missing", path=path)
    frame["code"] = tidy(frame["code"])
    return frame


def read_edits(path: Path, plan: Plan) -> Edits:
    """Read an edited plan.

    Parameters
    ----------
    path : pathlib.Path
        The edited GeoPackage. Its layer ``plan`` is compared with the plan; where it has
        ``plan_atoms``, they tell from which state it was exported, and where it has
        ``plan_buildings``, a building with another ``microgrid`` than its atom was moved.
    plan : Plan
        As it is now.

    Raises
    ------
    SourceError
        If the file or its layer ``plan`` is missing.
    ConformError
        If buildings of one atom were given to different micro-grids.
    """
    drawn, held = read_areas(path, "plan"), layer_names(path)
    exported: dict[str, str] | None = None
    moved: dict[str, str] = {}
    stale = False
    if "plan_atoms" in held:
        atoms = read_layer(path, "plan_atoms", geometry=False)
        exported = dict(zip(atoms["code"].astype(str), atoms["microgrid"].astype(str), strict=True))
        now = dict(zip(plan.atoms["code"], plan.code[plan.label], strict=True))
        stale = any(now.get(code) != part for code, part in exported.items())
    if "plan_buildings" in held and exported is not None:
        buildings = read_layer(path, "plan_buildings", geometry=False)
        moved = _moved(path, buildings, exported)
    return Edits(drawn, exported, moved, stale)


def _moved(path: Path, buildings: pd.DataFrame, exported: Mapping[str, str]) -> dict[str, str]:
    moved = {}
    for atom, parts in buildings.groupby("atom")["microgrid"]:
        given = sorted(set(parts.dropna().astype(str)))
        if len(given) > 1:
            raise ConformError("edits.building", path=path, atom=atom, codes=", ".join(given))
        if given and given[0] != exported.get(str(atom)):
            moved[str(atom)] = given[0]
    return moved


def merge_levels(
    before: gpd.GeoDataFrame, after: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, pd.DataFrame]:
    """Merge edits of grids of every level, each within the level above it.

    Returns
    -------
    merged, changes, conflicts
        As of `gridmap.design.redrawn.merge_areas`; `merged` in the system of `before`.
    """
    home = before.crs
    metric = home if home.is_projected else working_crs(tuple(before.to_crs(4326).total_bounds))
    old, new = before.to_crs(metric), after.to_crs(metric)
    fields = [
        name
        for name in before.columns
        if name in after and name not in ("code", "level", "geometry")
    ]
    if "level" not in before:
        merged, changes, conflicts = merge_areas(old, new, fields=fields)
        return _home(before, merged), changes, conflicts
    parts: list[tuple[gpd.GeoDataFrame, pd.DataFrame, pd.DataFrame]] = []
    present = [level for level in _LEVELS if (old["level"] == level).any()]
    for number, level in enumerate(present):
        upper = parts[number - 1][0] if number else None
        mine, theirs = (side[side["level"] == level] for side in (old, new))
        parts.append(merge_areas(mine, theirs, upper, fields=fields))
    merged, changes, conflicts = (
        pd.concat([part[k] for part in parts], ignore_index=True) for k in range(3)
    )
    return _home(before, gpd.GeoDataFrame(merged, crs=metric)), changes, conflicts


def _home(before: gpd.GeoDataFrame, merged: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the merged areas in the system and order that they came in."""
    back = merged.to_crs(before.crs).set_index("code")
    order = [code for code in before["code"] if code in back.index]
    order += [code for code in back.index if code not in set(order)]
    frame = back.loc[order].reset_index()[before.columns]
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=before.crs)
