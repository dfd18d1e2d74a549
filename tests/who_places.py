"""A city with everything that somebody can answer for, and places where much of it overlaps."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridmap.analysis.responsibility.targets import Targets, target_groups

__all__ = ["city_with_microgrids", "clear_places"]

CLEAR_M = 0.5
_MICROGRIDS = """
[[inputs]]
layer = "microgrids"
path = "microgrids.gpkg"
"""


def city_with_microgrids(sample: Path, grids: gpd.GeoDataFrame, folder: Path) -> Path:
    """Copy the sample city and cut each of its grids into four micro-grids with a member each."""
    shutil.copytree(sample, folder, dirs_exist_ok=True)
    rows = []
    for code, shape in zip(grids["code"], grids.geometry, strict=True):
        west, south, east, north = shape.bounds
        x, y = (west + east) / 2, (south + north) / 2
        quarters = (
            shapely.box(west, south, x, y),
            shapely.box(x, south, east, y),
            shapely.box(west, y, x, north),
            shapely.box(x, y, east, north),
        )
        for number, quarter in enumerate(quarters, start=1):
            part = shape.intersection(quarter)
            if part.area > 0:
                areas = [p for p in shapely.get_parts([part]) if p.geom_type == "Polygon"]
                rows.append((f"{code}{number:03d}", code, shapely.MultiPolygon(areas)))
    codes, parents, shapes = zip(*rows, strict=True)
    frame = gpd.GeoDataFrame(
        {"code": codes, "parent": parents, "name": [f"微网格{code[-6:]}" for code in codes]},
        geometry=list(shapes),
        crs=grids.crs,
    )
    frame["member"] = [f"示例微员{number:04d}" for number in range(len(frame))]
    frame.to_file(folder / "microgrids.gpkg")
    with (folder / "city.toml").open("a", encoding="utf-8") as file:
        file.write(_MICROGRIDS)
    return folder / "city.toml"


def clear_places(
    layers: Mapping[str, gpd.GeoDataFrame],
    assignments: pd.DataFrame,
    reach_m: Mapping[str, float],
    *,
    number: int,
    seed: int,
) -> gpd.GeoSeries:
    """Choose places where layers overlap, none close to where the answer changes.

    A fifth each lie near places, along roads, before street fronts, inside other zones, and
    anywhere in the grids. Every one is at least half a metre from any border, from the reach of any
    road or place and from the ends of stretches of road, and would have the same nearest road and
    the same order of places if it were moved by as much.
    """
    random = np.random.default_rng(seed)
    groups = target_groups(layers, reach_m=reach_m)
    zones = layers["zones"]
    fronts = zones["kind"] == "frontage"
    near = gpd.GeoSeries(layers["places"].geometry.buffer(reach_m["places"]))
    beside = gpd.GeoSeries(layers["roads"].geometry.buffer(reach_m["roads"]))
    grounds = [
        near,
        beside,
        zones.geometry[fronts],
        zones.geometry[~fronts],
        layers["grids"].geometry,
    ]
    chosen = []
    for ground in grounds:
        tried = _points_in(ground.reset_index(drop=True), 6 * number, random)
        clear = tried[_is_clear(tried, groups, assignments)]
        chosen.append(clear[: number // len(grounds)])
    places = np.concatenate(chosen)
    assert len(places) == number
    return gpd.GeoSeries(places, crs=zones.crs)


def _points_in(areas: gpd.GeoSeries, number: int, random: np.random.Generator) -> np.ndarray:
    """Return points, each inside an area that was drawn at random; some draws miss."""
    shapes = areas.to_numpy()[random.integers(0, len(areas), number)]
    west, south, east, north = shapely.bounds(shapes).T
    x, y = random.uniform(west, east), random.uniform(south, north)
    points = shapely.points(x, y)
    hits: np.ndarray = points[shapely.contains(shapes, points)]
    return hits


def _is_clear(points: np.ndarray, groups: list[Targets], assignments: pd.DataFrame) -> np.ndarray:
    clear = np.ones(len(points), dtype=bool)
    for group in groups:
        shapes = group.frame.geometry.to_numpy()
        if group.rule == "inside":
            borders = shapely.STRtree(shapely.boundary(shapes))
            clear[borders.query(points, predicate="dwithin", distance=CLEAR_M)[0]] = False
            continue
        away = shapely.distance(points[:, None], shapes[None, :])
        clear &= (np.abs(away - group.reach_m) >= CLEAR_M).all(axis=1)
        # Of two that differ by twice as much, the nearer one stays so wherever the point moves.
        order = np.sort(away, axis=1)
        alike = (np.diff(order, axis=1) < 2 * CLEAR_M) & (order[:, 1:] <= group.reach_m)
        if group.rule == "along":
            clear &= ~alike[:, 0]
            clear &= _off_the_ends(points, group, away, assignments)
        else:
            clear &= ~alike.any(axis=1)
    return clear


def _off_the_ends(
    points: np.ndarray, group: Targets, away: np.ndarray, assignments: pd.DataFrame
) -> np.ndarray:
    """Tell which points lie beside no place of their road where a stretch begins or ends."""
    nearest = away.argmin(axis=1)
    codes = group.frame["code"].to_numpy()[nearest]
    along = shapely.line_locate_point(group.frame.geometry.to_numpy()[nearest], points)
    clear = np.ones(len(points), dtype=bool)
    for row in assignments[assignments["layer"] == "roads"].itertuples():
        for end in (row.from_m, row.to_m):
            if pd.notna(end):
                clear &= ~((codes == row.target) & (np.abs(along - end) < 2 * CLEAR_M))
    return clear
