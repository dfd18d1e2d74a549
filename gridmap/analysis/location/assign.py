"""Which area, line or place a point belongs to."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis.location.index import NEAR, CoverageIndex
from gridmap.errors import ConformError

__all__ = [
    "assign",
    "assign_all",
    "assign_lines",
    "assign_nearest",
    "count_points",
    "positions_inside",
]

Longs = npt.NDArray[np.int64]

# Below this, shapely's tree answers before an index over the areas is built (docs/performance.md).
LEAST_REACH_M = 1e-9
"""What stands for a reach of nothing, which a search of the nearest does not take."""

MANY_POINTS = 50_000
MANY_TO_AN_AREA = 5


@asks("points", "areas", codes=("areas",))
def assign(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.Series:
    """Assign every point to at most one area.

    A point on a border, or where areas overlap, goes to the area with the lowest code. Many
    points in areas that do not overlap are answered by a `CoverageIndex`, others by a tree; the
    answer is the same.

    Parameters
    ----------
    points : GeoDataFrame of n points
    areas : GeoDataFrame of m polygons
        With a column ``code``; in the coordinate system of the points.

    Returns
    -------
    Series of string, shape (n,)
        The code of the area, on the index of the points; missing for a point in no area.

    Examples
    --------
    >>> squares = [shapely.box(x, 0, x + 100, 100) for x in (0, 100)]
    >>> areas = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=squares, crs=4549)
    >>> points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([50, 100, 300], [9, 9, 9]), crs=4549)
    >>> analysis.assign(points, areas).to_list()
    ['a', 'a', <NA>]

    The second point lies on the border, the third in no area.
    """
    order = np.argsort(areas["code"].to_numpy(dtype=object), kind="stable")
    shapes = areas.geometry.to_numpy()[order]
    place = _by_index(points, shapes, decided=True)
    if place is None:
        point, area = _pairs(points, shapes)
        place = np.full(len(points), -1, dtype=np.int64)
        rank = np.lexsort((-area, point))
        place[point[rank]] = area[rank]
    found = pd.Series(pd.NA, index=range(len(points)), dtype="string", name="code")
    inside = np.flatnonzero(place >= 0)
    found.iloc[inside] = areas["code"].to_numpy(dtype=object)[order][place[inside]]
    return found.set_axis(points.index)


@asks("points", "areas", codes=("areas",), columns={"points": ("code",)})
def assign_all(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return every pair of a point and an area that holds it, its border included.

    Parameters
    ----------
    points, areas : GeoDataFrame
        Each with a column ``code``.

    Returns
    -------
    DataFrame of string
        Columns ``point`` and ``area``, both codes, in the order of the points, then by code.

    Examples
    --------
    >>> squares = [shapely.box(0, 0, 100, 100), shapely.box(60, 0, 160, 100)]
    >>> areas = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=squares, crs=4549)
    >>> points = gpd.GeoDataFrame(
    ...     {"code": ["p", "q"]}, geometry=gpd.points_from_xy([50, 80], [50, 50]), crs=4549
    ... )
    >>> analysis.assign_all(points, areas)
      point area
    0     p    a
    1     q    a
    2     q    b
    """
    point, area = positions_inside(points, areas)
    return pd.DataFrame(
        {
            "point": points["code"].to_numpy(dtype=object)[point],
            "area": areas["code"].to_numpy(dtype=object)[area],
        },
        dtype="string",
    )


def positions_inside(points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> tuple[Longs, Longs]:
    """Return the pairs of `assign_all` as positions in both frames, in the same order."""
    order = np.argsort(areas["code"].to_numpy(dtype=object), kind="stable")
    shapes = areas.geometry.to_numpy()[order]
    place = _by_index(points, shapes, decided=False)
    if place is None:
        point, area = _pairs(points, shapes)
    else:
        # Inside an area that overlaps no other, a point has no second one; on a border it may.
        near = np.flatnonzero(place == NEAR)
        point, area = _pairs(points.iloc[near], shapes)
        inside = np.flatnonzero(place >= 0)
        point = np.concatenate([near[point], inside])
        area = np.concatenate([area, place[inside]])
    rank = np.lexsort((area, point))
    return point[rank], order[area[rank]]


def _by_index(
    points: gpd.GeoDataFrame, shapes: npt.NDArray[np.object_], *, decided: bool
) -> Longs | None:
    """Return the area of each point by a coverage index; None where that does not pay or fit."""
    if len(points) < max(MANY_POINTS, MANY_TO_AN_AREA * len(shapes)):
        return None
    try:
        index = CoverageIndex.build(shapes, points=len(points))
    except ConformError:
        # Overlaps, or something else than polygons: the tree copes with both.
        return None
    xy = shapely.get_coordinates(points.geometry.to_numpy())
    if len(xy) != len(points):
        return None
    margin = None if decided else 0.0
    return index.query(xy[:, 0], xy[:, 1], margin_m=margin).astype(np.int64)


def _pairs(points: gpd.GeoDataFrame, shapes: npt.NDArray[np.object_]) -> tuple[Longs, Longs]:
    # The tree is over the points, because the query prepares the geometries that ask: a polygon
    # prepared once answers for all points in its box.
    area, point = points.sindex.query(shapes, predicate="intersects")
    return point.astype(np.int64), area.astype(np.int64)


@asks("points", "lines")
def assign_lines(
    points: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, *, within_m: float
) -> pd.DataFrame:
    """Assign every point to the nearest line, such as a road with its chief.

    Parameters
    ----------
    points : GeoDataFrame of n points
    lines : GeoDataFrame of m lines
        With a column ``code``; in the metric system of the points.
    within_m : float, metres
        Half the width of the corridor: a point further off is at no line.

    Returns
    -------
    DataFrame, shape (n, 3)
        On the index of the points: ``code``, missing where there is none and the lowest where
        several are as near; ``distance_m``, and ``chainage_m``, the way along the line from its
        beginning to the foot of the point; over the parts of a multi-line in their order.
    """
    order = np.argsort(lines["code"].to_numpy(dtype=object), kind="stable")
    shapes, places = lines.geometry.to_numpy()[order], points.geometry.to_numpy()
    # Corridors hold few of all points, so that pairs within reach are quicker than the nearest.
    line, point = points.sindex.query(shapes, predicate="dwithin", distance=within_m)
    away = shapely.distance(shapes[line], places[point])
    rank = np.lexsort((line, away, point))
    first = rank[np.unique(point[rank], return_index=True)[1]]
    line, point, away = line[first], point[first], away[first]
    codes = lines["code"].to_numpy(dtype=object)[order][line]
    along = _chainage(shapes, line, places[point])
    return _placed(points, point, codes, {"distance_m": away, "chainage_m": along})


def _placed(
    points: gpd.GeoDataFrame,
    point: Longs,
    codes: npt.NDArray[np.object_],
    figures: dict[str, npt.NDArray[np.float64]],
) -> pd.DataFrame:
    """Return a row for every point, with what is known of some."""
    found = pd.DataFrame({"code": pd.Series(pd.NA, index=range(len(points)), dtype="string")})
    found.iloc[point, 0] = codes
    for name, known in figures.items():
        values = np.full(len(points), np.nan)
        values[point] = known
        found[name] = values
    return found.set_index(points.index)


def _chainage(
    lines: npt.NDArray[np.object_], line: Longs, points: npt.NDArray[np.object_]
) -> npt.NDArray[np.float64]:
    """Return the way from the beginning of the line of each point to the foot of the point."""
    parts, owner = shapely.get_parts(lines, return_index=True)
    first = np.searchsorted(owner, np.arange(len(lines) + 1))
    length = shapely.length(parts)
    before = np.cumsum(length) - length
    before -= before[first[owner]]
    # Every part of the line with the point; of equally near ones the first one counts.
    number = np.diff(first)[line]
    point = np.repeat(np.arange(len(points)), number)
    begins = np.cumsum(number) - number
    part = first[line][point] + np.arange(len(point)) - begins[point]
    away = shapely.distance(parts[part], points[point])
    nearest = part[np.lexsort((part, away, point))[begins]]
    chainage: npt.NDArray[np.float64] = before[nearest] + shapely.line_locate_point(
        parts[nearest], points
    )
    return chainage


@asks("points", "places")
def assign_nearest(
    points: gpd.GeoDataFrame, places: gpd.GeoDataFrame, *, within_m: float
) -> pd.DataFrame:
    """Assign every point to the nearest place.

    Parameters
    ----------
    points : GeoDataFrame of n points
    places : GeoDataFrame of m geometries of any type
        With a column ``code``; in the metric system of the points.
    within_m : float, metres
        A point further off is at no place.

    Returns
    -------
    DataFrame, shape (n, 2)
        On the index of the points: ``code``, missing where there is none and the lowest where
        several are as near, and ``distance_m``.
    """
    order = np.argsort(places["code"].to_numpy(dtype=object), kind="stable")
    shapes = places.geometry.to_numpy()[order]
    tree = shapely.STRtree(shapes)
    (point, place), away = tree.query_nearest(
        points.geometry.to_numpy(), max_distance=max(within_m, LEAST_REACH_M), return_distance=True
    )
    rank = np.lexsort((place, point))
    first = rank[np.unique(point[rank], return_index=True)[1]]
    codes = places["code"].to_numpy(dtype=object)[order][place[first]]
    return _placed(points, point[first], codes, {"distance_m": away[first]})


@asks("areas", "points")
def count_points(areas: gpd.GeoDataFrame, points: gpd.GeoDataFrame) -> pd.Series:
    """Count the points in every area, borders included.

    Returns
    -------
    Series of Int64, shape (m,)
        On the index of the areas. A point where areas overlap counts in each.

    Examples
    --------
    >>> squares = [shapely.box(0, 0, 100, 100), shapely.box(60, 0, 160, 100)]
    >>> areas = gpd.GeoDataFrame(geometry=squares, crs=4549)
    >>> points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([50, 80], [50, 50]), crs=4549)
    >>> analysis.count_points(areas, points).to_list()
    [2, 1]
    """
    hits = points.sindex.query(areas.geometry, predicate="intersects")[0]
    counts = np.bincount(hits, minlength=len(areas))
    return pd.Series(counts, index=areas.index, dtype="Int64", name="points")
