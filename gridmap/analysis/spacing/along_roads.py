"""The K function along roads: at which distances points lie together there."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from gridmap.analysis._doors import asks
from gridmap.analysis._values import only_points
from gridmap.analysis.network._distances import counts_along
from gridmap.analysis.network.graph import Network, places_on
from gridmap.analysis.spacing.ripley import KFunction, beside, rising
from gridmap.errors import ConformError

__all__ = ["network_k"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_FEWEST = 2


@asks("points", within={"permutations": (1, np.inf)})
def network_k(
    network: Network,
    points: gpd.GeoSeries,
    *,
    distances_m: Sequence[float],
    within_m: float = 50.0,
    permutations: int = 99,
    random_state: int = 0,
) -> KFunction:
    """Ask at which distances along roads points lie together, beside points strewn on the roads.

    Parameters
    ----------
    network : Network
        Of `road_network`.
    points : GeoSeries of n points
    distances_m : sequence of float, metres
        Along roads.
    within_m : float, metres
        Points further from every road are left out.
    permutations : int
        Replicates, each of as many points strewn evenly over the roads.
    random_state : int

    Returns
    -------
    KFunction
        ``k`` in metres of road; ``expected`` is the mean of the replicates.

    Raises
    ------
    ConformError
        If fewer than two points lie near a road, or a distance is not positive, or there is none.

    References
    ----------
    Okabe and Yamada (2001), Geographical Analysis 33(3).

    Examples
    --------
    >>> streets = [[(0, y), (900, y)] for y in range(0, 1000, 100)]
    >>> streets += [[(x, 0), (x, 900)] for x in range(0, 1000, 100)]
    >>> roads = gpd.GeoSeries([shapely.LineString(line) for line in streets], crs=4549)
    >>> network = analysis.road_network(roads, crossings=True)
    >>> points = gpd.GeoSeries.from_xy([*range(400, 500, 5)], [302] * 20, crs=4549)
    >>> found = analysis.network_k(network, points, distances_m=[25, 50])
    >>> found.table.round(1)
       distance_m        k  expected  low   high
    0        25.0   7863.2      47.8  0.0  284.2
    1        50.0  13547.4     133.0  0.0  378.9
    >>> found.p
    0.01
    """
    distances = rising(distances_m)
    only_points(points, "points")
    edge, along = places_on(network, points, within_m=within_m)
    count = len(edge)
    if count < _FEWEST:
        raise ConformError("conform.few_points", count=count, least=_FEWEST)
    length = network.streets.length
    scale = float(length.sum()) / (count * (count - 1))
    rng = np.random.default_rng(random_state)

    def curve(edges: Longs, at: Floats) -> Floats:
        pairs = counts_along(network.streets, edges, at, distances)
        found: Floats = pairs.sum(axis=0) * scale
        return found

    drawn = []
    for _ in range(permutations):
        edges = rng.choice(len(length), count, p=length / length.sum())
        drawn.append(curve(edges, rng.random(count) * length[edges]))
    return beside(distances, curve(edge, along), np.array(drawn), count)
