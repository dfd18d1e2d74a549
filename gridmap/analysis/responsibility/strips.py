"""Zones of responsibility along lines: frontages before street fronts, corridors of road chiefs."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.ops import substring

from gridmap.analysis._doors import asks

__all__ = ["frontage_zones", "road_corridors"]

# Wider than rounding, narrower than any strip: what two sides may differ by and be called even.
_EVEN_M = 1e-6


@asks("fronts", "roads")
def frontage_zones(
    fronts: gpd.GeoDataFrame, roads: gpd.GeoDataFrame | None = None, *, depth_m: float = 5.0
) -> gpd.GeoDataFrame:
    """Lay the strips before street fronts that shops and units answer for (门前责任区).

    Parameters
    ----------
    fronts : GeoDataFrame of n lines, metres
        The street fronts; those without a shape are left out.
    roads : GeoDataFrame of lines, optional
        A strip lies on the side of its front where the nearest road is, and does not reach past
        the middle of that road. Without roads it lies on the left, as the front is drawn.
    depth_m : float, metres
        How far a strip reaches from its front.

    Returns
    -------
    GeoDataFrame of n polygons
        On the index of the fronts, with their columns, ``length_m`` of the front and ``area_m2`` of
        the strip. Corners are mitred, ends are square.

    Notes
    -----
    Strips of neighbours touch along a straight row of fronts and overlap inside a corner; a point
    there has two owners, and is found as such.

    Examples
    --------
    >>> front = gpd.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (20, 0)])], crs=4549)
    >>> road = gpd.GeoDataFrame(geometry=[shapely.LineString([(-50, -8), (50, -8)])], crs=4549)
    >>> strip = analysis.frontage_zones(front, road, depth_m=5)
    >>> strip[["length_m", "area_m2"]].round(1)
       length_m  area_m2
    0      20.0    100.0
    >>> strip.total_bounds.round(1).tolist()
    [0.0, -5.0, 20.0, 0.0]
    """
    fronts, roads = _drawn(fronts), None if roads is None else _drawn(roads)
    lines = fronts.geometry.to_numpy()
    depth = np.full(len(lines), float(depth_m))
    side = np.ones(len(lines))
    if roads is not None and len(roads) and len(lines):
        middles = shapely.line_interpolate_point(lines, 0.5, normalized=True)
        near = roads.sindex.nearest(middles, return_all=False)[1]
        road = roads.geometry.to_numpy()[near]
        depth = np.minimum(depth, np.maximum(shapely.distance(lines, road), _EVEN_M))
        away = [shapely.distance(_strips(lines, depth * s), road) for s in (1.0, -1.0)]
        # Where a front meets its road both strips touch it, so their centres decide.
        centre = [
            shapely.distance(shapely.centroid(_strips(lines, depth * s)), road) for s in (1.0, -1.0)
        ]
        left = np.where(
            np.abs(away[0] - away[1]) > _EVEN_M, away[0] < away[1], centre[0] <= centre[1]
        )
        side = np.where(left, 1.0, -1.0)
    strips = gpd.GeoSeries(_strips(lines, depth * side), index=fronts.index, crs=fronts.crs)
    found = fronts.set_geometry(strips)
    return found.assign(length_m=shapely.length(lines), area_m2=strips.area)


def _drawn(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows that have a shape."""
    return frame[~(frame.geometry.isna() | frame.geometry.is_empty)]


def _strips(lines: np.ndarray, depth: np.ndarray) -> np.ndarray:
    strips: np.ndarray = shapely.buffer(
        lines, depth, cap_style="flat", join_style="mitre", single_sided=True
    )
    return strips


@asks("roads", columns={"roads": ("code",), "assignments": ("holder", "role", "layer", "target")})
def road_corridors(
    roads: gpd.GeoDataFrame, assignments: pd.DataFrame, *, width_m: float = 30.0
) -> gpd.GeoDataFrame:
    """Lay the corridors that road chiefs (路长) answer for, from chainage to chainage.

    Parameters
    ----------
    roads : GeoDataFrame of lines, metres
        ``code``, and ``name`` where there is one; chainage runs along the line as it is drawn.
    assignments : DataFrame
        Those that hold, as the layer ``assignments``: of the layer ``roads``, ``lead`` and
        ``cooperating``.
    width_m : float, metres
        To both sides of the line.

    Returns
    -------
    GeoDataFrame
        One polygon for each stretch that somebody leads, by road and chainage: ``code``
        (``road/1``), ``road, name, from_m, to_m, lead, cooperating`` (names joined by commas).

    Examples
    --------
    >>> line = shapely.LineString([(0, 0), (900, 0)])
    >>> roads = gpd.GeoDataFrame({"code": ["r"], "name": ["Ring"]}, geometry=[line], crs=4549)
    >>> chiefs = pd.DataFrame({"holder": ["Li", "Wang"], "from_m": [0.0, 400.0]})
    >>> chiefs = chiefs.assign(to_m=[400.0, 900.0], layer="roads", target="r", role="lead")
    >>> analysis.road_corridors(roads, chiefs)[["code", "from_m", "to_m", "lead"]]
      code  from_m   to_m  lead
    0  r/1     0.0  400.0    Li
    1  r/2   400.0  900.0  Wang
    """
    kept = assignments[
        (assignments["layer"] == "roads") & assignments["target"].isin(roads["code"])
    ]
    kept = kept.reindex(columns=["target", "role", "holder", "from_m", "to_m"])
    line = roads.drop_duplicates("code").set_index("code")
    length = line.length.reindex(kept["target"]).to_numpy()
    spans = kept.assign(
        from_m=kept["from_m"].astype("float64").fillna(0.0),
        to_m=np.minimum(kept["to_m"].astype("float64").fillna(np.inf), length),
    )
    leads = spans[(spans["role"] == "lead") & (spans["from_m"] < spans["to_m"])]
    helpers = spans[spans["role"] == "cooperating"]
    names = line.get("name", {})
    rows, shapes = [], []
    for _, part in leads.groupby(["target", "from_m", "to_m"], sort=True):
        road, begin, end = (part[name].iloc[0] for name in ("target", "from_m", "to_m"))
        beside = helpers[
            (helpers["target"] == road) & (helpers["from_m"] < end) & (helpers["to_m"] > begin)
        ]
        rows.append((road, names.get(road), begin, end, _joined(part), _joined(beside)))
        piece = substring(line.geometry[road], begin, end)
        shapes.append(piece.buffer(width_m, cap_style="flat"))
    columns = ["road", "name", "from_m", "to_m", "lead", "cooperating"]
    found = gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=columns), geometry=shapes, crs=roads.crs
    ).astype(dict.fromkeys(("road", "name", "lead", "cooperating"), "string"))
    number = found.groupby("road").cumcount() + 1
    found.insert(0, "code", (found["road"] + "/" + number.astype("string")).astype("string"))
    return found


def _joined(assignments: pd.DataFrame) -> str | None:
    """Return the holders of some assignments; nothing where there is none."""
    return ", ".join(sorted(set(assignments["holder"]))) or None
