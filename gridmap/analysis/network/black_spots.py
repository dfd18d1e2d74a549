"""Hot spots along roads: density by network distance, and where chance does not explain it."""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy
import scipy.sparse as sp
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis.network._loops import exceedances, spread
from gridmap.analysis.network._stretches import NetworkHotspots, told
from gridmap.analysis.network.graph import Network, road_network, snap
from gridmap.errors import ConformError

__all__ = ["NetworkHotspots", "network_density", "network_hotspots"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_FEW = 10  # exceedances below which a permutation p is too coarse (Knijnenburg et al. 2009)
_PER_KM = 1000.0


class _Scores(NamedTuple):
    density: Floats
    expected: Floats
    p: Floats
    q: Floats


@asks(alike=("network", "weight"))
def network_density(network: Network, weight: Floats, *, bandwidth_m: float = 200.0) -> Floats:
    """Estimate a density along roads from what lies on each lixel.

    A unit spreads from the middle of its lixel by a quartic kernel of the length of the shortest
    way; at a junction of ``d`` edges what arrives goes on in ``d - 1`` equal parts (the
    equal-split discontinuous kernel of Okabe, Satoh and Sugihara 2009). Shortest ways of the same
    length add up. Each kernel is divided by its mass on the network, so that what would pass a
    dead end, or fronts that meet on a loop, is not lost (as Jones 1993 does in the plane). Near
    dead ends an even density does not stay even: see ``docs/methods.md``.

    Parameters
    ----------
    network : Network
    weight : ndarray of float, shape (m,)
        On each lixel.
    bandwidth_m : float, metres

    Returns
    -------
    ndarray of float, shape (m,)
        Weight per kilometre, the mean of each lixel; times the lengths it adds up to the weight.

    Raises
    ------
    ConformError
        If the bandwidth is not positive.

    Examples
    --------
    >>> road = gpd.GeoSeries([shapely.LineString([(0, 0), (500, 0)])], crs=4549)
    >>> network = analysis.road_network(road, lixel_m=100)
    >>> weight = np.array([0.0, 0.0, 3.0, 0.0, 0.0])
    >>> density = analysis.network_density(network, weight, bandwidth_m=150)
    >>> density.round(2).tolist()
    [0.0, 6.3, 17.41, 6.3, 0.0]

    Times the length of a lixel, a tenth of a kilometre, they add up to the three events.
    """
    return _per_km(network, _shares(network, bandwidth_m) @ weight)


@asks("roads", "events")
def network_hotspots(
    roads: gpd.GeoDataFrame,
    events: gpd.GeoDataFrame,
    *,
    lixel_m: float = 100.0,
    bandwidth_m: float = 200.0,
    snap_m: float = 50.0,
    crossings: bool = False,
    weight: pd.Series | None = None,
    exposure: pd.Series | None = None,
    alpha: float = 0.05,
    minimum: int = 3,
    permutations: int = 999,
    random_state: int = 0,
) -> NetworkHotspots:
    """Find the stretches of road with more events, or graver ones, than chance explains.

    Events are thrown anew on the network, each with its weight, by length or by exposure. A p is
    ``(r + 1) / (permutations + 1)`` for ``r`` throws that reach the density; below ten it comes
    from the Pearson type III curve with the exact first three moments of the throws where that
    is smaller, because ranks of a thousand throws are too coarse to correct thousands of lixels
    by (after Knijnenburg et al. 2009).

    Parameters
    ----------
    roads : GeoDataFrame of lines, in a metric system
        See `road_network`; ``name`` is handed on where there is one.
    events : GeoDataFrame of n points
    lixel_m, bandwidth_m, snap_m : float, metres
        The longest lixel, the reach of the kernel, and how far from a road an event may lie.
    crossings : bool
        Roads also meet where they cross without a shared vertex.
    weight : Series of float, shape (n,), optional
        Severity; 1 where not given.
    exposure : Series of float, optional
        Traffic by road, on the index of the roads; events then fall by length times traffic.
    alpha : float
        The false discovery rate to allow.
    minimum : int
        Fewer events make no black spot.
    permutations, random_state : int

    Returns
    -------
    NetworkHotspots
        The same for any order of the rows.

    Raises
    ------
    ConformError
        If coordinates are not finite, or weights or exposures negative, missing or all zero.

    Examples
    --------
    >>> roads = gpd.GeoDataFrame(
    ...     {"code": ["r"], "name": ["Ring road"]},
    ...     geometry=[shapely.LineString([(0, 0), (5000, 0)])],
    ...     crs=4549,
    ... )
    >>> east = [1040, 1050, 1060, 1055, 1045, 1050, 1052, 3000, 4500]
    >>> events = gpd.GeoDataFrame(geometry=gpd.points_from_xy(east, [3] * 9), crs=4549)
    >>> found = analysis.network_hotspots(roads, events)
    >>> found.black_spots[["road", "events"]]
            road  events
    0  Ring road       7
    """
    network = road_network(roads, lixel_m=lixel_m, crossings=crossings)
    lixel = snap(network, events.geometry, within_m=snap_m)
    name, rate = _of_roads(network, roads, exposure)
    given = _checked(weight, len(events), "weight")
    placed = lixel.notna().to_numpy()
    at: Longs = lixel[placed].to_numpy(dtype=np.int64)
    weights = given[placed]
    # Sums must not depend on the order of the rows, nor random numbers on whom they meet.
    order = np.lexsort((weights, at))
    at, weights = at[order], weights[order]
    sums = np.bincount(at, weights=weights, minlength=len(network)).astype(np.float64)
    shares = _shares(network, bandwidth_m)
    chance = _chance(network, rate)
    scores = _scores(network, shares, sums, chance, np.sort(weights), permutations, random_state)
    frame = network.lixels[["length_m", "geometry"]].assign(
        code=pd.RangeIndex(1, len(network) + 1),
        road=name,
        events=np.bincount(at, minlength=len(network)),
        weight=sums,
        **scores._asdict(),
    )
    return told(network, frame, chance * weights.sum(), lixel, alpha, minimum)


def _checked(values: pd.Series | None, count: int, name: str) -> Floats:
    if values is None:
        return np.ones(count)
    found = values.to_numpy(dtype=np.float64, na_value=np.nan)
    if len(found) != count or not (np.isfinite(found).all() and (found >= 0.0).all()):
        raise ConformError("network.weights", name=name)
    return found


def _shares(network: Network, bandwidth_m: float) -> sp.csc_array:
    """Return what each lixel (row) gets of a unit on another (column)."""
    if not (np.isfinite(bandwidth_m) and bandwidth_m > 0.0):
        raise ConformError("network.length", name="bandwidth_m", value=bandwidth_m)
    starts, lixel, mass = spread(network.streets, bandwidth_m)
    return sp.csc_array((mass, lixel, starts), shape=(len(network), len(network)))


def _per_km(network: Network, weight: Floats) -> Floats:
    length: Floats = network.lixels["length_m"].to_numpy()
    return weight / length * _PER_KM


def _of_roads(
    network: Network, roads: gpd.GeoDataFrame, exposure: pd.Series | None
) -> tuple[pd.Series, Floats]:
    """Return the name of the road at the middle of each lixel, and its exposure.

    Where roads lie on one another: the lowest name, and the largest exposure.
    """
    middle = shapely.line_interpolate_point(
        network.lixels.geometry.to_numpy(), 0.5, normalized=True
    )
    # A tree of segments: the distance to a long road looks at every vertex of it.
    xy, of = shapely.get_coordinates(roads.geometry.to_numpy(), return_index=True)
    begins = np.flatnonzero(of[1:] == of[:-1])
    segments = shapely.linestrings(np.stack([xy[begins], xy[begins + 1]], axis=1))
    tree = shapely.STRtree(np.asarray(segments, dtype=object))
    lixel, segment = tree.query_nearest(middle) if len(middle) else (begins[:0], begins[:0])
    road = of[begins[segment]]
    rates = _checked(exposure, len(roads), "exposure")
    names = roads["name"] if "name" in roads else pd.Series(pd.NA, index=roads.index)
    pairs = pd.DataFrame(
        {
            "lixel": lixel,
            "name": names.astype("string").to_numpy()[road],
            "rate": rates[road],
        }
    )
    pairs = pairs.sort_values(["lixel", "name"], kind="stable")
    every = range(len(network))
    name = pairs.groupby("lixel")["name"].first().reindex(every).astype("string")
    rate = pairs.groupby("lixel")["rate"].max().reindex(every).to_numpy(dtype=np.float64)
    return name, rate


def _chance(network: Network, rate: Floats) -> Floats:
    part = network.lixels["length_m"].to_numpy() * rate
    total = part.sum()
    if len(part) and not total > 0.0:
        raise ConformError("network.weights", name="exposure")
    chance: Floats = part / total if len(part) else part
    return chance


def _scores(
    network: Network,
    shares: sp.csc_array,
    sums: Floats,
    chance: Floats,
    weights: Floats,
    permutations: int,
    random_state: int,
) -> _Scores:
    found = shares @ sums
    mean, variance, third = _moments(shares, chance, weights)
    density, expected = _per_km(network, found), _per_km(network, mean)
    if not len(weights) or not len(network):
        ones = np.ones(len(network))
        return _Scores(density, expected, ones, ones)
    times = exceedances(
        shares.indptr.astype(np.int64),
        shares.indices.astype(np.int32),
        shares.data,
        chance,
        weights,
        found,
        permutations,
        random_state,
    )
    p = ((times + 1.0) / (permutations + 1.0)).astype(np.float64)
    deviation = np.sqrt(variance)
    # A lixel that gets the same from every throw has no tail.
    coarse = (times < _FEW) & (deviation > 1e-9 * np.maximum(mean, 1e-300))
    skew = third[coarse] / deviation[coarse] ** 3
    tail = scipy.stats.pearson3.sf(found[coarse], skew, mean[coarse], deviation[coarse])
    p[coarse] = np.minimum(p[coarse], tail)
    q = scipy.stats.false_discovery_control(p).astype(np.float64)
    return _Scores(density, expected, p, q)


def _moments(
    shares: sp.csc_array, chance: Floats, weights: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the first three cumulants of what each lixel gets when events are thrown anew."""
    one, two, three = (shares.power(k) @ chance for k in (1, 2, 3))
    variance = np.maximum(two - one**2, 0.0)
    third = three - 3.0 * two * one + 2.0 * one**3
    return one * weights.sum(), variance * (weights**2).sum(), third * (weights**3).sum()
