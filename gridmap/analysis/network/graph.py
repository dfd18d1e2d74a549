"""A road network cut into lixels, and events put on it."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis.location.assign import LEAST_REACH_M
from gridmap.analysis.network._loops import Streets
from gridmap.analysis.network._noding import edges_of
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = ["Network", "places_on", "road_network", "snap"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, repr=False)
class Network(Summarised):
    """A road network in lixels, the pieces that stand for its places.

    Parameters
    ----------
    lixels : GeoDataFrame, m rows
        ``edge``, ``length_m`` and the LineString, along one edge after the other.
    edges : ndarray of LineString, shape (e,)
        From junction or dead end to the next.
    streets : Streets
        The same in flat arrays.
    lixel_ends : ndarray of int64, shape (m, 2)
        Which lixels touch: those that share a number.
    """

    lixels: gpd.GeoDataFrame
    edges: Shapes
    streets: Streets
    lixel_ends: Longs

    def __len__(self) -> int:
        return len(self.lixels)


@asks("roads")
def road_network(
    roads: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    lixel_m: float = 100.0,
    crossings: bool = False,
    join_m: float = 0.01,
) -> Network:
    """Cut roads into lixels.

    Roads meet where they share a vertex and where one ends on another. A bridge has no vertex
    where it passes over a road, so that the two do not meet; ask for `crossings` where the data
    have no vertices at junctions. How roads are cut into rows and in which order these stand has
    no effect: an edge goes on through a place where only two pieces meet.

    Parameters
    ----------
    roads : GeoDataFrame or GeoSeries of lines, in a metric system
        What is missing, empty or of no length is left out; of lines that are alike one is kept.
    lixel_m : float, metres
        Every edge is cut into the least number of equal lixels that are no longer.
    crossings : bool
        Roads also meet where they cross.
    join_m : float, metres
        Places no further apart are one.

    Returns
    -------
    Network

    Raises
    ------
    ConformError
        If a coordinate is not finite, or a length not positive.

    Examples
    --------
    >>> lines = [[(0, 0), (250, 0)], [(250, 0), (250, 100)], [(250, 0), (300, 0)]]
    >>> roads = gpd.GeoSeries([shapely.LineString(line) for line in lines], crs=4549)
    >>> network = analysis.road_network(roads, lixel_m=100)
    >>> network.lixels["length_m"].round(1).to_list()
    [83.3, 83.3, 83.3, 100.0, 50.0]
    """
    if not (np.isfinite(lixel_m) and lixel_m > 0.0):
        raise ConformError("network.length", name="lixel_m", value=lixel_m)
    shapes = roads.geometry.to_numpy()
    if not np.isfinite(shapely.get_coordinates(shapes)).all():
        raise ConformError("network.not_finite", layer="roads")
    edges = edges_of(shapes, join_m=join_m, crossings=crossings)
    length = shapely.length(edges)
    pieces = np.maximum(np.ceil(length / lixel_m - 1e-9), 1.0).astype(np.int64)
    edge = np.repeat(np.arange(len(edges)), pieces)
    streets = _streets(edges, length, np.r_[0, np.cumsum(pieces)], edge)
    shape = _cut(edges, length, streets.first, edge)
    lixels = gpd.GeoDataFrame(
        {"edge": edge, "length_m": (length / pieces)[edge]}, geometry=shape, crs=roads.crs
    )
    return Network(lixels, edges, streets, _lixel_ends(streets))


@asks("events")
def snap(network: Network, events: gpd.GeoSeries, *, within_m: float = 50.0) -> pd.Series:
    """Find the lixel of every event.

    Parameters
    ----------
    network : Network
    events : GeoSeries of n points
        In the system of the network.
    within_m : float, metres
        Events further from every road have no lixel.

    Returns
    -------
    Series of Int64, shape (n,)
        The position of the nearest lixel, of those equally near the first; missing for an event
        that is too far, missing or empty.

    Examples
    --------
    >>> road = gpd.GeoSeries([shapely.LineString([(0, 0), (300, 0)])], crs=4549)
    >>> network = analysis.road_network(road, lixel_m=100)
    >>> events = gpd.GeoSeries.from_xy([20, 250, 50], [5, 5, 90], crs=4549)
    >>> analysis.snap(network, events, within_m=50).to_list()
    [0, 2, <NA>]
    """
    shapes = events.to_numpy()
    found = pd.Series(pd.NA, index=range(len(events)), dtype="Int64", name="lixel")
    tree = shapely.STRtree(network.lixels.geometry.to_numpy())
    usable = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    usable = usable[np.isfinite(shapely.get_coordinates(shapes[usable])).all(axis=1)]
    if len(network) and len(usable):
        reach = max(within_m, LEAST_REACH_M)
        event, lixel = tree.query_nearest(shapes[usable], max_distance=reach, all_matches=True)
        nearest = pd.Series(lixel).groupby(usable[event]).min()
        found[nearest.index] = nearest.to_numpy()
    return found.set_axis(events.index)


def places_on(network: Network, points: gpd.GeoSeries, *, within_m: float) -> tuple[Longs, Floats]:
    """Return the edge of each point near a road, and how far along it the point lies."""
    lixel = snap(network, points, within_m=within_m)
    near = lixel.notna().to_numpy()
    edge = network.streets.edge[lixel[near].to_numpy(dtype=np.int64)]
    along: Floats = shapely.line_locate_point(network.edges[edge], points.to_numpy()[near])
    return edge, along


def _streets(edges: Shapes, length: Floats, first: Longs, edge: Longs) -> Streets:
    ends = np.empty((len(edges), 2, 2))
    ends[:, 0] = shapely.get_coordinates(shapely.get_point(edges, 0))
    ends[:, 1] = shapely.get_coordinates(shapely.get_point(edges, -1))
    places, node = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    node = node.reshape(-1).astype(np.int64)
    starts = np.r_[0, np.cumsum(np.bincount(node, minlength=len(places)))].astype(np.int64)
    incident = np.argsort(node, kind="stable").astype(np.int64)
    return Streets(node.reshape(-1, 2), length, first.astype(np.int64), edge, starts, incident)


def _lixel_ends(streets: Streets) -> Longs:
    """Return a number for each place where a lixel ends: nodes first, then cuts of edges."""
    nodes = len(streets.starts) - 1
    ends = np.arange(len(streets.edge))[:, None] + np.array([nodes, nodes + 1])
    # The cut before lixel k has number nodes + k, unless it is where an edge begins or ends.
    ends[streets.first[:-1], 0] = streets.ends[:, 0]
    ends[streets.first[1:] - 1, 1] = streets.ends[:, 1]
    numbered: Longs = ends.astype(np.int64)
    return numbered


def _cut(edges: Shapes, length: Floats, first: Longs, edge: Longs) -> Shapes:
    """Return the lixels as lines, with the vertices of their edges."""
    if not len(edges):
        return np.empty(0, dtype=object)
    lixel = np.arange(len(edge))
    step = (length / np.diff(first))[edge]
    places = shapely.line_interpolate_point(edges[edge], (lixel - first[edge]) * step)
    begins = shapely.get_coordinates(places)
    stops = np.r_[begins[1:], begins[:1]]
    stops[first[1:] - 1] = shapely.get_coordinates(shapely.get_point(edges, -1))
    xy, of = shapely.get_coordinates(edges, return_index=True)
    walked = np.r_[0.0, np.cumsum(np.hypot(*np.diff(xy, axis=0).T))]
    walked -= walked[np.searchsorted(of, np.arange(len(edges)))][of]
    part = np.clip(walked / step[first[of]], 0.0, (np.diff(first) - 1e-9)[of])
    inside = (part - np.floor(part) > 1e-9) & (part - np.floor(part) < 1.0 - 1e-9)  # noqa: PLR2004
    inside &= (walked > 0.0) & (walked < length[of] * (1.0 - 1e-12))
    own = first[of[inside]] + np.floor(part[inside]).astype(np.int64)
    index = np.r_[lixel, own, lixel]
    order = np.lexsort(
        (np.r_[np.full(len(lixel), -1.0), part[inside], np.full(len(lixel), np.inf)], index)
    )
    shapes: Shapes = shapely.linestrings(
        np.r_[begins, xy[inside], stops][order], indices=index[order]
    )
    return shapes
