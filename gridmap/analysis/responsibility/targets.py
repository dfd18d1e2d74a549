"""What a place lies in, along or near, that somebody may answer for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis.location.assign import assign_lines, positions_inside

__all__ = ["Rule", "Targets", "target_groups", "targets_at"]

Rule = Literal["inside", "along", "near"]

REACH_M = {"roads": 30.0, "places": 50.0}
# The layers that can be answered for: by which rule, and the column that parts them into kinds.
_LAYERS: dict[str, tuple[Rule, str]] = {
    "grids": ("inside", "level"),
    "microgrids": ("inside", ""),
    "zones": ("inside", "kind"),
    "roads": ("along", ""),
    "places": ("near", ""),
}
_COLUMNS = (
    "point", "layer", "kind", "target", "rule", "distance_m", "chainage_m", "extent_m2",
)  # fmt: skip
_EXTENT_DECIMALS = 2


@dataclass(frozen=True)
class Targets:
    """The targets of one layer and kind, which a point belongs to by one rule.

    Parameters
    ----------
    layer : str
    kind : str
        Level of grids, kind of zones; else empty.
    rule : str
        A point is ``inside`` areas, ``along`` the nearest line or ``near`` every place.
    reach_m : float, metres
        How far from a line or place a point still belongs to it.
    frame : GeoDataFrame
        In the metric system of the city: ``code``, ``extent_m2``, geometry, and what else the
        layer has. An extent is the area, of a line that of its corridor, of a place nothing.
    """

    layer: str
    kind: str
    rule: Rule
    reach_m: float
    frame: gpd.GeoDataFrame


def target_groups(
    layers: Mapping[str, gpd.GeoDataFrame], *, reach_m: Mapping[str, float] | None = None
) -> list[Targets]:
    """Part layers into groups of targets that one question answers.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame
        Some of ``grids`` (with ``level``), ``microgrids``, ``zones`` (with ``kind``), ``roads`` and
        ``places``; all in one metric system.
    reach_m : mapping of str to float, optional, metres
        How far from a road or a place a point still belongs to it; 30 and 50.
    """
    reach = {**REACH_M, **(reach_m or {})}
    groups = []
    for layer, (rule, column) in _LAYERS.items():
        frame = layers.get(layer)
        if frame is None:
            continue
        kinds = frame.groupby(column, observed=True) if column else [("", frame)]
        for kind, some in kinds:
            within = reach.get(layer, 0.0)
            measured = some.assign(extent_m2=_extent(some, rule, within))
            groups.append(Targets(layer, str(kind), rule, within, measured))
    return groups


def _extent(frame: gpd.GeoDataFrame, rule: Rule, reach_m: float) -> pd.Series:
    """Return how much ground each target is; to the hundredth, so that equal outlines are equal."""
    sizes = {"inside": frame.area, "along": 2.0 * reach_m * frame.length, "near": frame.area * 0.0}
    extents: pd.Series = sizes[rule].round(_EXTENT_DECIMALS)
    return extents


# The layers first, where the system must be true to scale: a point far off is in none of them.
@asks("layers", "points")
def targets_at(
    points: gpd.GeoDataFrame,
    layers: Mapping[str, gpd.GeoDataFrame],
    *,
    reach_m: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return everything that a point lies in, along or near.

    Parameters
    ----------
    points : GeoDataFrame of n points
    layers : mapping of str to GeoDataFrame
        As for `target_groups`, in the metric system of the points.
    reach_m : mapping of str to float, optional, metres

    Returns
    -------
    DataFrame
        ``point`` (its position), ``layer``, ``kind`` (level of a grid, kind of a zone), ``target``
        (code), ``rule``, ``distance_m``, ``chainage_m`` and ``extent_m2`` as `Targets` have it.

    Examples
    --------
    >>> square, line = shapely.box(0, 0, 100, 100), shapely.LineString([(0, 40), (100, 40)])
    >>> grids = gpd.GeoDataFrame({"code": ["g"], "level": ["grid"]}, geometry=[square], crs=4549)
    >>> roads = gpd.GeoDataFrame({"code": ["r"]}, geometry=[line], crs=4549)
    >>> point = gpd.GeoDataFrame(geometry=gpd.points_from_xy([60], [50]), crs=4549)
    >>> found = analysis.targets_at(point, {"grids": grids, "roads": roads})
    >>> found[["layer", "target", "rule", "distance_m", "chainage_m"]]
       layer target    rule  distance_m  chainage_m
    0  grids      g  inside         0.0         NaN
    1  roads      r   along        10.0        60.0
    """
    numbered = gpd.GeoDataFrame(
        {"code": np.arange(len(points))}, geometry=points.geometry.to_numpy(), crs=points.crs
    )
    groups = target_groups(layers, reach_m=reach_m)
    about = numbered[_about(numbered, groups)]
    known = [part for part in (_found(about, group) for group in groups) if len(part)]
    if not known:
        return pd.DataFrame(columns=list(_COLUMNS))
    return pd.concat(known, ignore_index=True)[list(_COLUMNS)]


def _about(points: gpd.GeoDataFrame, groups: list[Targets]) -> npt.NDArray[np.bool_]:
    """Tell which points lie about where the targets are; far off, metres need not be true."""
    found = np.zeros(len(points), dtype=np.bool_)
    for group in groups:
        box = shapely.box(*group.frame.total_bounds)
        found |= shapely.dwithin(points.geometry.to_numpy(), box, group.reach_m)
    return found


def _found(points: gpd.GeoDataFrame, group: Targets) -> pd.DataFrame:
    """Return the pairs of a point and a target that it belongs to."""
    find = {"inside": _inside, "along": _along, "near": _near}[group.rule]
    pairs = find(points, group)
    extent = group.frame.set_index(group.frame["code"].astype("string"))["extent_m2"]
    return pairs.assign(
        layer=group.layer,
        kind=group.kind,
        rule=group.rule,
        extent_m2=extent[~extent.index.duplicated()].reindex(pairs["target"]).to_numpy(),
    )


def _inside(points: gpd.GeoDataFrame, group: Targets) -> pd.DataFrame:
    point, area = positions_inside(points, group.frame)
    return pd.DataFrame(
        {
            "point": points["code"].to_numpy()[point],
            "target": group.frame["code"].astype("string").to_numpy()[area],
            "distance_m": 0.0,
            "chainage_m": np.nan,
        }
    )


def _along(points: gpd.GeoDataFrame, group: Targets) -> pd.DataFrame:
    found = assign_lines(points, group.frame, within_m=group.reach_m)
    at = found["code"].notna().to_numpy()
    return pd.DataFrame(
        {
            "point": points["code"].to_numpy()[at],
            "target": found["code"].to_numpy()[at],
            "distance_m": found["distance_m"].to_numpy()[at],
            "chainage_m": found["chainage_m"].to_numpy()[at],
        }
    ).astype({"target": "string"})


def _near(points: gpd.GeoDataFrame, group: Targets) -> pd.DataFrame:
    shapes, places = points.geometry.to_numpy(), group.frame.geometry.to_numpy()
    tree = shapely.STRtree(places)
    point, place = tree.query(shapes, predicate="dwithin", distance=group.reach_m)
    return pd.DataFrame(
        {
            "point": points["code"].to_numpy()[point],
            "target": group.frame["code"].astype("string").to_numpy()[place],
            "distance_m": shapely.distance(shapes[point], places[place]),
            "chainage_m": np.nan,
        }
    )
