"""K functions: at which distances points lie together, on the plane and by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from gridmap.analysis._doors import asks
from gridmap.analysis._values import only_points
from gridmap.analysis.spacing._pairs import counts_within, labelled_pairs, shelved
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = ["KFunction", "beside", "category_k", "cross_k", "ripley_k", "rising"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

_FEWEST = 2


@dataclass(frozen=True, repr=False)
class KFunction(Summarised):
    """How many points lie about a point, by distance, and how many chance puts there.

    Parameters
    ----------
    table : DataFrame
        ``distance_m``; ``k``, the expected number of further points within it of a point, over
        the density of points (m2; along roads m); ``expected``, the same where nothing is the
        matter; ``low`` and ``high``, the least and the greatest of the replicates.
    p : float
        Of all distances together: the rank, among the replicates, of the largest departure,
        each distance on the scale of what chance does there. Small if points lie together or
        apart more than chance explains.
    points : int
        How many points it rests on.
    """

    headline: ClassVar[tuple[str, ...]] = ("table", "p", "points")

    table: pd.DataFrame
    p: float
    points: int


@asks("points", within={"permutations": (1, np.inf)})
def ripley_k(
    points: gpd.GeoSeries,
    outline: BaseGeometry,
    *,
    distances_m: Sequence[float],
    permutations: int = 99,
    random_state: int = 0,
) -> KFunction:
    """Ask at which distances points lie together or apart, beside points strewn evenly.

    Parameters
    ----------
    points : GeoSeries of n points, in a metric system
        What is missing, empty or outside is left out.
    outline : Polygon or MultiPolygon
        The area from which points are known. Only points at least as far from its edge as a
        distance count for that distance, so that nobody's neighbours are out of sight.
    distances_m : sequence of float, metres
    permutations : int
        Replicates, each of n points strewn evenly over the outline.
    random_state : int

    Returns
    -------
    KFunction
        ``expected`` is the area of the circle.

    Raises
    ------
    ConformError
        If fewer than two points lie inside, or a distance is not positive, or there is none.

    Notes
    -----
    A city is not even: nearly every kind of problem lies together beside this. `category_k` holds
    kinds of problems against each other, `network_k` against the roads.

    References
    ----------
    Ripley (1976), Journal of Applied Probability 13(2), with the border correction of Ripley
    (1988), Statistical Inference for Spatial Processes; envelopes and their one test as in
    Myllymaki, Mrkvicka, Grabarnik, Seijo and Hahn (2017), Journal of the Royal Statistical
    Society B 79(2), studentised.

    Examples
    --------
    >>> square = shapely.box(0, 0, 1000, 1000)
    >>> corners = [(x, y) for x in range(50, 1000, 100) for y in range(50, 1000, 100)]
    >>> bins = gpd.GeoSeries([shapely.Point(xy) for xy in corners], crs=4549)
    >>> points = pd.concat([bins, bins.translate(3, 0)], ignore_index=True)
    >>> found = analysis.ripley_k(points, square, distances_m=[10, 200])
    >>> found.table[["distance_m", "k", "expected"]].round()
       distance_m         k  expected
    0        10.0    5025.0     314.0
    1       200.0  110553.0  125664.0
    >>> found.p
    0.01

    Every point has another three metres off, sixteen times as many as chance would put there.
    """
    distances = rising(distances_m)
    inside = _inside(points, outline)
    if len(inside) < _FEWEST:
        raise ConformError("conform.few_points", count=len(inside), least=_FEWEST)
    rng = np.random.default_rng(random_state)
    edge = shapely.boundary(outline)
    shapely.prepare(edge)

    def curve(at: Floats) -> Floats:
        return _border_k(at, at, edge, outline.area, distances, itself=True)

    drawn = [curve(_strewn(outline, len(inside), rng)) for _ in range(permutations)]
    expected = np.pi * distances**2
    return beside(distances, curve(inside), np.array(drawn), len(inside), expected)


@asks("points", "others", within={"permutations": (1, np.inf)})
def cross_k(
    points: gpd.GeoSeries,
    others: gpd.GeoSeries,
    outline: BaseGeometry,
    *,
    distances_m: Sequence[float],
    permutations: int = 99,
    random_state: int = 0,
) -> KFunction:
    """Ask at which distances points of one kind lie about those of another.

    Parameters
    ----------
    points : GeoSeries of n points, in a metric system
    others : GeoSeries of o points
        Those that are counted about each of the points.
    outline : Polygon or MultiPolygon
        As of `ripley_k`.
    distances_m : sequence of float, metres
    permutations : int
        Replicates: which points are of which kind is dealt anew, where they lie stays.
    random_state : int

    Returns
    -------
    KFunction
        ``expected`` is the mean of the replicates: how all of them lie.

    Raises
    ------
    ConformError
        If there is no point of a kind inside, or a distance is not positive, or there is none.

    References
    ----------
    Ripley (1976) and `ripley_k`; random labelling: Diggle (2014), Statistical Analysis of Spatial
    and Spatio-Temporal Point Patterns, chapter 4.

    Examples
    --------
    >>> square = shapely.box(0, 0, 1000, 1000)
    >>> corners = [(x, y) for x in range(50, 1000, 100) for y in range(50, 1000, 100)]
    >>> bins = gpd.GeoSeries([shapely.Point(xy) for xy in corners], crs=4549)
    >>> litter = bins.translate(5, 0)
    >>> found = analysis.cross_k(litter, bins, square, distances_m=[20, 50])
    >>> bool((found.table["k"] > found.table["expected"]).all()), found.p
    (True, 0.01)
    """
    distances = rising(distances_m)
    first, second = _inside(points, outline), _inside(others, outline)
    for kind in (first, second):
        if len(kind) == 0:
            raise ConformError("conform.few_points", count=0, least=1)
    both = np.vstack((first, second))
    rng = np.random.default_rng(random_state)
    edge = shapely.boundary(outline)
    shapely.prepare(edge)

    def curve(of: Floats, about: Floats) -> Floats:
        return _border_k(of, about, edge, outline.area, distances, itself=False)

    drawn = []
    for _ in range(permutations):
        dealt = rng.permutation(both)
        drawn.append(curve(dealt[: len(first)], dealt[len(first) :]))
    return beside(distances, curve(first, second), np.array(drawn), len(both))


@asks("points", alike=("points", "categories"), within={"permutations": (1, np.inf)})
def category_k(
    points: gpd.GeoSeries,
    categories: pd.Series,
    *,
    distances_m: Sequence[float],
    permutations: int = 99,
    random_state: int = 0,
) -> dict[str, KFunction]:
    """Ask of each category at which distances its points lie together more than all points do.

    Parameters
    ----------
    points : GeoSeries of n points, in a metric system
        What is missing or empty is left out.
    categories : Series, shape (n,)
        Points without one are left out.
    distances_m : sequence of float, metres
    permutations : int
        Replicates: which point is of which category is dealt anew, where they lie stays.
    random_state : int

    Returns
    -------
    dict of str to KFunction
        By category, of those with two points at least. ``k`` is how many pairs of its points lie
        within a distance over how many would if categories had nothing to do with place; 1 is
        ``expected``. Needs no correction at edges, for both have the same.

    Raises
    ------
    ConformError
        If a distance is not positive, or there is none.

    References
    ----------
    Diggle and Chetwynd (1991), Biometrics 47(3), who take the difference; here the quotient.

    Examples
    --------
    >>> corners = [(x, y) for x in range(0, 1000, 50) for y in range(0, 1000, 50)]
    >>> points = gpd.GeoSeries([shapely.Point(xy) for xy in corners], crs=4549)
    >>> west = pd.Series(["stall" if x < 200 else "litter" for x, _ in corners])
    >>> found = analysis.category_k(points, west, distances_m=[60])
    >>> {name: round(float(each.table["k"].iloc[0]), 2) for name, each in found.items()}
    {'litter': 1.24, 'stall': 4.52}
    """
    distances = rising(distances_m)
    only_points(points, "points")
    shapes = points.to_numpy()
    kept = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes)) & categories.notna().to_numpy()
    x, y = (axis.to_numpy(dtype=np.float64)[kept] for axis in (points.x, points.y))
    code, names = pd.factorize(categories[kept].astype("string"), sort=True)
    if len(code) < _FEWEST:
        return {}
    rng = np.random.default_rng(random_state)
    ways = np.empty((len(code), permutations + 2), dtype=np.int32)
    ways[:, 0] = code
    for way in range(1, permutations + 1):
        ways[:, way] = rng.permutation(code)
    # All points alike, as the last way: its pairs are those that any labelling shares out.
    ways[:, -1] = 0
    pairs = labelled_pairs(x, y, *shelved(x, y, distances[-1]), distances, ways, len(names)).astype(
        np.float64
    )
    count, found = len(code), {}
    for number, name in enumerate(names):
        own = int((code == number).sum())
        if own < _FEWEST:
            continue
        share = own * (own - 1) / (count * (count - 1))
        due = pairs[-1, 0] * share
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(due > 0.0, pairs[:-1, number] / due, np.nan)
        found[str(name)] = beside(distances, ratio[0], ratio[1:], own, np.ones(len(distances)))
    return found


def rising(distances_m: Sequence[float]) -> Floats:
    """Return distances in order, proven to be above zero."""
    distances = np.unique(np.asarray(list(distances_m), dtype=np.float64))
    if not (len(distances) and np.isfinite(distances).all() and (distances > 0.0).all()):
        raise ConformError("conform.distances", found=", ".join(map(str, distances_m)) or "-")
    return distances


def _inside(points: gpd.GeoSeries, outline: BaseGeometry) -> Floats:
    only_points(points, "points")
    shapes = points.to_numpy()
    kept = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    at = shapely.get_coordinates(kept)
    shapely.prepare(outline)
    found: Floats = at[shapely.intersects_xy(outline, at[:, 0], at[:, 1])]
    return found


def _strewn(outline: BaseGeometry, count: int, rng: np.random.Generator) -> Floats:
    """Return points strewn evenly over an outline, which is prepared."""
    low, high = np.array(outline.bounds[:2]), np.array(outline.bounds[2:])
    share = outline.area / float(np.prod(high - low))
    parts: list[Floats] = []
    lacking = count
    while lacking > 0:
        tried = rng.uniform(low, high, (int(1.2 * lacking / share) + 16, 2))
        parts.append(tried[shapely.contains_xy(outline, tried[:, 0], tried[:, 1])][:lacking])
        lacking -= len(parts[-1])
    strewn: Floats = np.vstack(parts)
    return strewn


def _border_k(
    at: Floats, others: Floats, edge: BaseGeometry, area: float, distances: Floats, *, itself: bool
) -> Floats:
    """Return K of points about points, of those as far from the edge as each distance."""
    x, y = (np.ascontiguousarray(others[:, axis]) for axis in (0, 1))
    own_x, own_y = (np.ascontiguousarray(at[:, axis]) for axis in (0, 1))
    counts = counts_within(own_x, own_y, x, y, *shelved(x, y, distances[-1]), distances)
    if itself:
        counts -= 1
    off = np.asarray(shapely.distance(edge, shapely.points(at)))
    room = off[:, None] >= distances
    seen = room.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(seen > 0, (counts * room).sum(axis=0) / seen, np.nan)
    found: Floats = mean * area / (len(others) - (1 if itself else 0))
    return found


def beside(
    distances: Floats, observed: Floats, drawn: Floats, points: int, expected: Floats | None = None
) -> KFunction:
    """Return a curve beside its replicates, with one p of all distances."""
    centre = drawn.mean(axis=0) if expected is None else expected
    table = pd.DataFrame(
        {"distance_m": distances, "k": observed, "expected": centre,
         "low": drawn.min(axis=0), "high": drawn.max(axis=0)}
    )  # fmt: skip
    every = np.vstack((observed, drawn))
    known = np.isfinite(every).all(axis=0)
    # One scale for all curves, the observed one too: so they are exchangeable where chance rules.
    off: Floats = every[:, known] - every[:, known].mean(axis=0)
    spread: Floats = np.atleast_1d(off.std(axis=0))
    told = spread > 0.0
    if not told.any():
        return KFunction(table, float("nan") if not known.any() else 1.0, points)
    away: Floats = np.abs(off[:, told] / spread[told]).max(axis=1)
    p = float((away >= away[0] - 1e-9).mean())
    return KFunction(table, p, points)
