"""Edits of grids, which are polygons and no more, drawn in a GIS desktop.

Edits that touch one another are taken over together or not at all: a border has two sides.
"""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import pandas as pd
import shapely

from gridmap.design.audit.checks import audit
from gridmap.design.imported import FAULTS, changed_features
from gridmap.errors import ConformError

__all__ = ["merge_areas"]


def merge_areas(
    before: gpd.GeoDataFrame,
    after: gpd.GeoDataFrame,
    parents: gpd.GeoDataFrame | None = None,
    *,
    fields: Sequence[str] = (),
) -> tuple[gpd.GeoDataFrame, pd.DataFrame, pd.DataFrame]:
    """Merge edits of one level of grids, which are polygons and no more.

    Parameters
    ----------
    before, after : GeoDataFrame of polygons
        ``code, geometry`` and others, in one metric system.
    parents : GeoDataFrame, optional
        In which they nest.
    fields : sequence of str
        Attributes that are taken over.

    Returns
    -------
    merged : GeoDataFrame
        `before` with every group of neighbouring edits that brings no fault.
    changes, conflicts : DataFrame
        As in `Imported`; ``grid`` of a conflict is empty.
    """
    columns = [name for name in ("code", "parent") if name in before and name in after]
    changes = changed_features(before, after, fields)
    shaped = changes[changes["kind"] != "attribute"]["code"].unique()
    old, new = before.set_index("code"), after.set_index("code")
    if new.index.has_duplicates or new.index.isna().any():
        codes = ", ".join(sorted(set(new.index[new.index.duplicated()].astype("string"))))
        raise ConformError("edits.repeated", codes=codes or "-")
    groups = _neighbouring(old, new, list(shaped))
    known = _faults_of(before, parents, columns)
    rejected: set[str] = set()
    conflicts: list[tuple[str, str, str, float]] = []
    while True:
        merged = _applied(old, new, [c for c in shaped if c not in rejected])
        found = _faults_of(merged.reset_index(), parents, columns)
        fresh = {key: size for key, size in found.items() if key not in known}
        blamed: set[str] = set()
        for (kind, areas), size in fresh.items():
            mine = {c for group in groups for c in group if group & set(areas.split(", "))}
            blamed |= mine or set(shaped)
            if mine - rejected or not mine:
                conflicts.append(("", kind, areas, size))
        if not blamed - rejected:
            break
        rejected |= blamed
    for row in changes[changes["kind"] == "attribute"].itertuples(index=False):
        merged.loc[row.code, row.field] = new.loc[row.code, row.field]
    table = pd.DataFrame(conflicts, columns=["grid", "kind", "codes", "value"])
    return merged.reset_index()[before.columns], changes, table


def _neighbouring(
    old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, codes: Sequence[str]
) -> list[set[str]]:
    """Return edits in groups that touch one another: a border has two sides."""
    shapes = [
        shapely.union_all(
            [shapely.make_valid(side.geometry[code]) for side in (old, new) if code in side.index]
        )
        for code in codes
    ]
    if not shapes:
        return []
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    group = {code: {code} for code in codes}
    for one, other in pairs.T:
        joined = group[codes[one]] | group[codes[other]]
        for code in joined:
            group[code] = joined
    return list({id(some): some for some in group.values()}.values())


def _applied(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, codes: list[str]) -> gpd.GeoDataFrame:
    stay = old[~old.index.isin(codes)]
    come = new.reindex(columns=old.columns)[new.index.isin(codes)]
    return gpd.GeoDataFrame(pd.concat([stay, come]), geometry="geometry", crs=old.crs).sort_index()


def _faults_of(
    areas: gpd.GeoDataFrame, parents: gpd.GeoDataFrame | None, columns: Sequence[str]
) -> dict[tuple[str, str], float]:
    frame = gpd.GeoDataFrame(areas[list(columns)], geometry=areas.geometry, crs=areas.crs)
    found = audit(frame, parents)
    found = found[found["kind"].isin(FAULTS) & ~found["safe"].astype(bool)]
    return {
        (str(kind), str(codes)): float(size)
        for kind, codes, size in zip(found["kind"], found["areas"], found["area_m2"], strict=True)
    }
