"""Pale colours that part areas from their neighbours, and mean nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import count

import geopandas as gpd
import numpy as np

from gridmap.analysis.weights.neighbours import distance_band

__all__ = ["TINTS", "TINT_OPACITY", "tints_of"]

# Told apart by all kinds of colour vision: M. Okabe and K. Ito, Color Universal Design (2008).
TINTS = ("#56b4e9", "#f0e442", "#cc79a7", "#009e73", "#e69f00", "#0072b2")
# Borders and names stay the strongest on the sheet.
TINT_OPACITY = 0.28
_NEAR_M = 1.0


def tints_of(areas: gpd.GeoSeries) -> list[int]:
    """Choose a tint for each area so that no two neighbours have the same.

    Parameters
    ----------
    areas : GeoSeries of n areas
        With a coordinate system. Those within a metre of each other are neighbours, for borders
        that were drawn twice seldom meet exactly.

    Returns
    -------
    list of n int
        Positions in `TINTS`; ``0`` where there is no geometry. By DSATUR (D. Brelaz, New methods
        to color the vertices of a graph, Communications of the ACM 22 (4), 1979). Where more
        areas meet each other than there are tints, these begin anew.
    """
    if areas.isna().all():
        return [0] * len(areas)
    if areas.crs.is_geographic:
        areas = areas.to_crs(areas.estimate_utm_crs())
    near = distance_band(areas, _NEAR_M)
    neighbours = [part.tolist() for part in np.split(near.indices, near.indptr[1:-1])]
    return [colour % len(TINTS) for colour in _coloured(neighbours)]


def _coloured(neighbours: Sequence[Sequence[int]]) -> list[int]:
    """Colour first what has the most colours around it, of that what has the most neighbours."""
    colours = [-1] * len(neighbours)
    around: list[set[int]] = [set() for _ in neighbours]
    queue = [(0, -len(near), area) for area, near in enumerate(neighbours)]
    heapify(queue)
    while queue:
        area = heappop(queue)[-1]
        if colours[area] >= 0:
            continue
        colours[area] = next(colour for colour in count() if colour not in around[area])
        for near in neighbours[area]:
            if colours[near] < 0:
                around[near].add(colours[area])
                heappush(queue, (-len(around[near]), -len(neighbours[near]), near))
    return colours
