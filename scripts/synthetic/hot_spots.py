"""Planted hot spots: clusters of problems for the analysis to find."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from synthetic.fields import FloatArray, stream
from synthetic.lattice import Blocks
from synthetic.times import LAST_MONTHS_DAY


@dataclass(frozen=True)
class HotSpot:
    """A planted cluster: a name, centre and spread in metres, share, first day, category."""

    name: str
    xy: tuple[float, float]
    sigma_m: float
    count: int
    first_day: int
    category: int


HOT_SPOT_PLANS = (
    ("night market", 90.0, 0.060, 1700, 0, 1),
    ("parking", 80.0, 0.070, 1400, 0, 2),
    ("new dump", 90.0, 0.050, 1100, LAST_MONTHS_DAY, 0),
)


def choose_hot_spots(
    blocks: Blocks, district: shapely.Polygon, total: int, random_state: int
) -> list[HotSpot]:
    """Choose centres inside the town and far from each other.

    Parameters
    ----------
    blocks : Blocks
        The town's blocks.
    district : shapely.Polygon
        The town's outline.
    total : int
        Problems in all; each hot spot gets a share of 5 to 8 %, up to a limit.
    random_state : int
        The city's random state.

    Returns
    -------
    list of HotSpot
        Three; the last is active only in the last three months.
    """
    order = stream(random_state, "hot-spots").permutation(len(blocks))
    centres = np.round(blocks.origin[order], 1)
    room = shapely.distance(shapely.points(centres), district.exterior)
    found: list[HotSpot] = []
    for name, sigma, share, most, first_day, category in HOT_SPOT_PLANS:
        apart = np.full(len(centres), np.inf)
        for other in found:
            gap = np.hypot(*(centres - other.xy).T) / (sigma + other.sigma_m)
            apart = np.minimum(apart, gap)
        # The first centre that clears both demands, else the one that comes closest to it.
        fit = np.minimum(np.minimum(room / (2.2 * sigma), apart / 3.2), 1.0)
        x, y = centres[int(np.argmax(fit))].tolist()
        count = min(round(share * total), most)
        found.append(HotSpot(name, (x, y), sigma, count, first_day, category))
    return found


def points_around(spot: HotSpot, district: shapely.Polygon, rng: np.random.Generator) -> FloatArray:
    """Draw the points of a hot spot that lie in the district."""
    points = rng.normal(spot.xy, spot.sigma_m, (4 * spot.count + 40, 2))
    inside = points[shapely.contains_xy(shapely.buffer(district, -1.0), *points.T)]
    return np.asarray(inside[: spot.count])
