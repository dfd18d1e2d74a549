"""Reading a plan back from the GeoPackage that it was written to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.catalog import Catalog, Text
from gridmap.design.plan import Plan
from gridmap.design.results import LAYERS
from gridmap.design.search.graph import BARRIERS, AtomGraph
from gridmap.errors import SourceError
from gridmap.model import City, moment_in
from gridmap.resources import AnyPath
from gridmap.schema import completed, typed
from gridmap.settings import Design
from gridmap.sources.vector import layer_names, read_layer

__all__ = ["read_plan"]


def read_plan(path: AnyPath, catalog: Catalog) -> tuple[City, Plan]:
    """Read a plan.

    Parameters
    ----------
    path : path
        A GeoPackage that `gridmap design`, `gridmap resize` or an edit has written.
    catalog : Catalog

    Returns
    -------
    city : City
        With the grids that were cut.
    plan : Plan
        As it was when it was written.

    Raises
    ------
    SourceError
        If the file is missing, or holds no plan, or one that was changed by hand.
    """
    try:
        return _read_plan(Path(path), catalog)
    except (KeyError, ValueError, TypeError) as error:
        what = error.args[0] if isinstance(error, KeyError) else "plan_settings"
        raise SourceError("source.plan_broken", path=path, what=what) from error


def _read_plan(path: Path, catalog: Catalog) -> tuple[City, Plan]:
    frames = _frames(path, catalog)
    settings = {
        key: json.loads(value)
        for key, value in zip(
            frames["plan_settings"]["key"], frames["plan_settings"]["value"], strict=True
        )
    }
    grids = frames["grids"]
    city = City(
        name=settings["name"],
        title=Text.model_validate(settings["title"]),
        source=Text.model_validate(settings["source"]),
        crs=grids.crs,
        timezone=settings["timezone"],
        as_of=moment_in(settings["as_of"], settings["timezone"]),
        layers={"grids": completed(catalog.layer("grids"), grids, settings["timezone"])},
        catalog=catalog,
        review_number=settings["review_number"],
    )
    return city, _plan(frames, settings)


def _frames(path: Path, catalog: Catalog) -> dict[str, Any]:
    if path.exists() and path.suffix.lower() != ".gpkg":
        raise SourceError("source.no_plan_file", path=path)
    missing = sorted({"grids", *LAYERS} - set(layer_names(path)))
    if missing:
        raise SourceError("source.no_plan", path=path, layers=", ".join(missing))
    frames = {name: read_layer(path, name) for name in ("grids", *LAYERS)}
    return {name: typed(catalog.layer(name), frame) for name, frame in frames.items()}


def _plan(frames: dict[str, Any], settings: dict[str, Any]) -> Plan:
    grids, micro, atoms = frames["grids"], frames["plan"], frames["plan_atoms"]
    members = frames["plan_buildings"]
    parent = pd.Index(grids["code"]).get_indexer(micro["parent"])
    label = pd.Index(micro["code"]).get_indexer(atoms["microgrid"])
    columns = ["code", "building", "compound", "parent", "households", "weight", "buildings"]
    keeps = ["code", "building", "households", "weight"]
    keeps += ["before"] if "before" in members else []
    return Plan(
        grids=grids[["code", "name", "geometry"]],
        atoms=atoms[[*columns, "geometry"]].set_geometry(_single(atoms)),
        graph=_graph(frames, grids),
        buildings=members[[*keeps, "geometry"]].set_geometry(_single(members)),
        atom=pd.Index(atoms["code"]).get_indexer(members["atom"]),
        label=label,
        parent=parent,
        code=micro["code"].to_numpy(dtype=object),
        name=micro["name"].to_numpy(dtype=object),
        locked=micro["locked"].to_numpy(dtype=bool),
        shape=np.asarray(_single(micro).array),
        settings=Design.model_validate(settings["design"]),
        optimal=grids["code"].isin(settings["optimal"]).to_numpy(dtype=bool),
        retired=frozenset(settings["retired"]),
        log=tuple(_entries(frames["plan_log"], frames["plan_lineage"])),
        outside=tuple(settings["outside"]),
        lang=settings["lang"],
        changed=settings.get("changed", {}),  # a plan of an earlier version has none
    )


def _single(frame: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return geometries as they were before the GeoPackage asked for one type."""
    shapes = frame.geometry.to_numpy()
    alone = shapely.get_num_geometries(shapes) == 1
    shapes = np.where(alone, shapely.get_geometry(shapes, 0), shapes)
    return gpd.GeoSeries(shapes, crs=frame.crs)


def _kinds(borders: pd.DataFrame) -> Any:
    """Return what each barrier is; a plan of an earlier version does not say."""
    if "kind" not in borders:
        return np.zeros(len(borders))
    return [BARRIERS.index(kind) for kind in borders["kind"].fillna("")]


def _graph(frames: dict[str, Any], grids: gpd.GeoDataFrame) -> AtomGraph:
    atoms, borders = frames["plan_atoms"], frames["plan_borders"]
    index = pd.Index(atoms["code"])
    shapes = _single(atoms).to_numpy()
    middle = shapely.centroid(shapes)
    pairs = [index.get_indexer(borders[name]) for name in ("first", "second")]
    return AtomGraph.from_pairs(
        np.column_stack(pairs),
        parent=pd.Index(grids["code"]).get_indexer(atoms["parent"]),
        weight=atoms["weight"].to_numpy(dtype=np.float64),
        x=shapely.get_x(middle),
        y=shapely.get_y(middle),
        area_m2=shapely.area(shapes),
        perimeter_m=shapely.length(shapes),
        border_m=borders["border_m"],
        barrier=borders["barrier"],
        together=borders["together"],
        kind=_kinds(borders),
    )


def _entries(log: pd.DataFrame, lineage: pd.DataFrame) -> list[dict[str, Any]]:
    rows: dict[int, list[list[Any]]] = {}
    plain = lineage.astype(object).where(lineage.notna(), None)
    for step, *row in plain.itertuples(index=False, name=None):
        rows.setdefault(int(step), []).append(list(row))
    entries: list[dict[str, Any]] = []
    for noted in log.to_dict("records"):
        entry: dict[str, Any] = {
            "kind": noted["kind"],
            "arguments": json.loads(noted["arguments"]),
            "households_moved": int(noted["households_moved"]),
        }
        if not pd.isna(noted["grid"]):
            entry["grid"] = noted["grid"]
        if not pd.isna(noted["undo"]):
            entry["undo"] = json.loads(noted["undo"])
        for name in ("by", "at"):
            if not pd.isna(noted.get(name)):
                entry[name] = noted[name]
        if int(noted["step"]) in rows:
            entry["lineage"] = rows[int(noted["step"])]
        entries.append(entry)
    return entries
