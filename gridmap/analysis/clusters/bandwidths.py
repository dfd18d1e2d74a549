"""The bandwidth of a density surface by what it tells of points that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial.distance import pdist

from gridmap.analysis._doors import asks
from gridmap.analysis._values import only_points
from gridmap.analysis.clusters.density import bandwidth
from gridmap.errors import ConformError

__all__ = ["cross_validated_bandwidth"]

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

# Pairs of places are looked at one by one: this many places have four and a half million.
_MOST = 3000
# Candidates, as shares of the rule of thumb, each 1.19 times the one before.
_SHARES = 2.0 ** np.arange(-3.0, 1.01, 0.25)
# The best bandwidth of n points on the plane goes by n to this power.
_POWER = -1.0 / 6.0


@asks("points")
def cross_validated_bandwidth(
    points: gpd.GeoSeries,
    *,
    candidates_m: Sequence[float] | None = None,
    method: Literal["least_squares", "likelihood"] = "least_squares",
    random_state: int = 0,
) -> float:
    """Choose the bandwidth by which points are told best from all others.

    Parameters
    ----------
    points : GeoSeries of n points, in a metric system
        What is missing or empty is left out.
    candidates_m : sequence of float, metres, optional
        Else from an eighth to twice the rule of thumb (`kernel_density` without a bandwidth).
    method : {"least_squares", "likelihood"}
        ``least_squares``: the least integrated squared error. ``likelihood``: the greatest
        likelihood, which a single stray point stretches.
    random_state : int
        Of many places some are drawn, and what is best for these is taken to the number of all.

    Returns
    -------
    float, metres

    Raises
    ------
    ConformError
        If there are fewer than three places, or a candidate is not above zero.

    Notes
    -----
    Problems lie on one coordinate as often as an address is reported. A point that has seen its
    own address tells nothing of others, and the narrowest bandwidth would always be best; so each
    point is told from the points of all other places.

    References
    ----------
    Rudemo (1982), Scandinavian Journal of Statistics 9(2); Bowman (1984), Biometrika 71(2);
    likelihood: Habbema, Hermans and van den Broek (1974); both in Silverman (1986), section 3.4.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> middles = rng.uniform(0, 4000, (20, 2)).repeat(40, axis=0)
    >>> xy = middles + rng.normal(0, 60, middles.shape)
    >>> points = gpd.GeoSeries.from_xy(xy[:, 0], xy[:, 1], crs=4549)
    >>> round(analysis.cross_validated_bandwidth(points))
    44
    >>> round(analysis.kernel_density(points).bandwidth_m)
    349

    Twenty clusters of 60 m, which the rule of thumb takes for one wide heap.
    """
    only_points(points, "points")
    shapes = points.to_numpy()
    at = shapely.get_coordinates(shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))])
    places, weight = np.unique(at, axis=0, return_counts=True)
    if len(places) < 3:  # noqa: PLR2004 - of two none can be told from others
        raise ConformError("conform.few_places", count=len(places))
    rule = bandwidth(at[:, 0], at[:, 1])
    asked = rule * _SHARES if candidates_m is None else np.asarray(list(candidates_m), float)
    if not (len(asked) and np.isfinite(asked).all() and (asked > 0.0).all()):
        raise ConformError("conform.distances", found=", ".join(map(str, candidates_m or ())))
    scale = 1.0
    if len(places) > _MOST:
        some = np.random.default_rng(random_state).choice(len(places), _MOST, replace=False)
        scale = (_MOST / len(places)) ** _POWER
        places, weight = places[some], weight[some]
    squares = pdist(places, "sqeuclidean")
    score = _likelihood if method == "likelihood" else _least_squares
    scores = [score(squares, weight.astype(np.float64), width * scale) for width in asked]
    if not np.isfinite(scores).any():
        raise ConformError("conform.narrow", widest=f"{asked.max():g}")
    return float(asked[int(np.nanargmax(np.where(np.isfinite(scores), scores, -np.inf)))])


def _least_squares(squares: Floats, weight: Floats, width: float) -> float:
    """Return twice how well places are told by the others, less the square of the whole."""
    first, second = np.triu_indices(len(weight), 1)
    both = weight[first] * weight[second]
    total = weight.sum()
    near = np.exp(-squares / (2.0 * width**2)) / (2.0 * np.pi * width**2)
    told = both @ (near * (1.0 / (total - weight[first]) + 1.0 / (total - weight[second])))
    wide = np.exp(-squares / (4.0 * width**2)) / (4.0 * np.pi * width**2)
    whole = (2.0 * (both @ wide) + (weight @ weight) / (4.0 * np.pi * width**2)) / total**2
    return float(2.0 * told / total - whole)


def _likelihood(squares: Floats, weight: Floats, width: float) -> float:
    first, second = np.triu_indices(len(weight), 1)
    near = np.exp(-squares / (2.0 * width**2))
    held = np.bincount(first, near * weight[second], len(weight))
    held += np.bincount(second, near * weight[first], len(weight))
    with np.errstate(divide="ignore"):
        told = np.log(held / (weight.sum() - weight) / (2.0 * np.pi * width**2))
    return float(weight @ told)
