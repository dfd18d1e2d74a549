"""PySAL's spopt: Ward, SKATER, region k-means and AZP on the atoms' places."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.atoms import Part
from benchmarks.peers import each

__all__ = ["SYSTEMS"]

region = import_module("spopt.region")
geopandas = import_module("geopandas")
libpysal = import_module("libpysal")

Longs = npt.NDArray[np.int64]
PLACE = ["x", "y"]
LEAST_ATOMS = 1


def _data(part: Part) -> tuple[Any, Any]:
    neighbours = {
        at: part.neighbour[part.starts[at] : part.starts[at + 1]].tolist()
        for at in range(len(part))
    }
    points = geopandas.points_from_xy(part.x, part.y)
    frame = geopandas.GeoDataFrame({"x": part.x, "y": part.y}, geometry=points)
    return frame, libpysal.weights.W(neighbours, silence_warnings=True)


def _labels(model: Any) -> Longs:
    model.solve()
    return np.unique(np.asarray(model.labels_), return_inverse=True)[1].astype(np.int64)


def _ward(part: Part, _: int) -> Longs:
    frame, near = _data(part)
    return _labels(region.WardSpatial(frame, near, PLACE, n_clusters=part.count))


def _skater(part: Part, _: int) -> Longs:
    frame, near = _data(part)
    return _labels(region.Skater(frame, near, PLACE, n_clusters=part.count, floor=LEAST_ATOMS))


def _k_means(part: Part, random_state: int) -> Longs:
    frame, near = _data(part)
    xy = frame[PLACE].to_numpy()
    return _labels(region.RegionKMeansHeuristic(xy, part.count, near, seed=random_state))


def _azp(part: Part, random_state: int) -> Longs:
    frame, near = _data(part)
    return _labels(region.AZP(frame, near, PLACE, part.count, random_state=random_state))


SYSTEMS = {
    "ward": each(_ward),
    "skater": each(_skater),
    "k_means": each(_k_means),
    "azp": each(_azp),
}
