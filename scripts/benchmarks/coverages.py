"""Coverages of jagged polygons and points between them, for benchmarks and long tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import Voronoi

__all__ = ["make_coverage", "make_points"]

Floats = npt.NDArray[np.float64]
WIDTH_M = 60_000.0
TOWNS = 12
IN_TOWNS = 0.7  # of all sites and points
EAST, NORTH = 500_000.0, 3_400_000.0
STEPS = 7  # pieces of each border; a polygon has about six borders


def make_points(count: int, *, random_state: int) -> tuple[Floats, Floats]:
    """Return points in random order: most in a dozen towns, the others anywhere.

    Returns
    -------
    x, y : ndarray of float, shape (count,), metres
    """
    rng = np.random.default_rng(random_state)
    towns = np.random.default_rng(7)  # the same towns whoever asks
    centre = towns.uniform(0.15, 0.85, (TOWNS, 2)) * WIDTH_M
    spread = towns.uniform(0.02, 0.06, TOWNS) * WIDTH_M
    town = rng.integers(TOWNS, size=count)
    clustered = rng.normal(centre[town], spread[town, None])
    anywhere = rng.uniform(0.0, WIDTH_M, (count, 2))
    xy = np.where(rng.random((count, 1)) < IN_TOWNS, clustered, anywhere)
    return xy[:, 0] + EAST, xy[:, 1] + NORTH


def make_coverage(polygons: int, *, random_state: int) -> npt.NDArray[np.object_]:
    """Return about so many polygons that tile, of 43 vertices each, small where points are many.

    Voronoi cells of points as `make_points` has them. Each border is bent inside the two triangles
    that it forms with its sites, so that no border meets another but at its ends.

    Returns
    -------
    ndarray of Polygon
        The cells that are bounded and inside the square.
    """
    x, y = make_points(int(polygons * 1.02) + 60, random_state=random_state)
    sites = np.column_stack([x, y])
    cells = Voronoi(sites)
    ends = np.asarray(cells.ridge_vertices)
    pairs = np.asarray(cells.ridge_points)
    corner = np.asarray(cells.vertices)
    low, high = [EAST, NORTH], [EAST + WIDTH_M, NORTH + WIDTH_M]
    inside = np.asarray(((corner >= low) & (corner <= high)).all(axis=1))
    good = (ends >= 0).all(axis=1) & inside[ends].all(axis=1)
    whole = np.ones(len(sites), dtype=bool)
    whole[pairs[~good].ravel()] = False
    ends, pairs = ends[good], pairs[good]
    paths = _bent(corner[ends[:, 0]], corner[ends[:, 1]], sites[pairs], random_state)
    return _polygons(paths, sites, pairs, whole)


def _bent(start: Floats, stop: Floats, sites: Floats, random_state: int) -> Floats:
    """Return each border as STEPS + 1 points, shape (borders, STEPS + 1, 2)."""
    rng = np.random.default_rng(random_state + 1)
    along = stop - start
    length = np.hypot(along[:, 0], along[:, 1])[:, None]
    unit = along / np.maximum(length, 1e-12)
    normal = np.column_stack([-unit[:, 1], unit[:, 0]])
    step = np.arange(1, STEPS) / STEPS
    room = np.full((len(start), STEPS - 1), np.inf)
    for side in (0, 1):
        away = sites[:, side] - start
        foot = (away * unit).sum(axis=1, keepdims=True) / np.maximum(length, 1e-12)
        height = np.abs((away * normal).sum(axis=1, keepdims=True))
        rising = step / np.maximum(foot, 1e-9)
        falling = (1 - step) / np.maximum(1 - foot, 1e-9)
        rising = np.where(foot <= 0, np.inf, rising)
        falling = np.where(foot >= 1, np.inf, falling)
        room = np.minimum(room, height * np.minimum(rising, falling))
    bend = rng.uniform(-0.6, 0.6, room.shape) * np.minimum(room, 0.5 * length / STEPS)
    between = start[:, None] + along[:, None] * step[:, None] + normal[:, None] * bend[..., None]
    return np.concatenate([start[:, None], between, stop[:, None]], axis=1)


def _polygons(
    paths: Floats, sites: Floats, pairs: npt.NDArray[np.int64], whole: npt.NDArray[np.bool_]
) -> npt.NDArray[np.object_]:
    """Join the borders of each site counter-clockwise."""
    site = pairs.ravel(order="F")
    path = np.concatenate([paths, paths])
    kept = whole[site]
    site, path = site[kept], path[kept]
    to = path[:, 0] - sites[site], path[:, -1] - sites[site]
    turned = to[0][:, 0] * to[1][:, 1] - to[0][:, 1] * to[1][:, 0] < 0
    path[turned] = path[turned][:, ::-1]
    begin = path[:, 0] - sites[site]
    order = np.lexsort((np.arctan2(begin[:, 1], begin[:, 0]), site))
    site, path = site[order], path[order]
    rings = shapely.linearrings(
        path[:, :-1].reshape(-1, 2),
        indices=np.repeat(np.unique(site, return_inverse=True)[1], STEPS),
    )
    return np.asarray(shapely.polygons(rings))
