"""The city of scripts/build_sample as atoms: real footprints, tessellated grid by grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from synthetic import SyntheticCity, make_city

from benchmarks.atoms import Atoms
from gridmap.design.geometry.atoms import make_atoms
from gridmap.design.geometry.tessellation import Cells, tessellate
from gridmap.settings import Design

__all__ = ["joined", "sample_city"]

PROBLEMS_PER_HOUSEHOLD = 0.01  # the generator's least; the partition does not read them

Longs = npt.NDArray[np.int64]


def sample_city(households: int, random_state: int, *, units: bool = False) -> Atoms:
    """Make a city.

    Parameters
    ----------
    households : int
        Dwellings; about nine in ten are occupied.
    random_state : int
    units : bool
        Split every building into its stairwell units, not only those above the maximum.

    Returns
    -------
    Atoms
        Buildings without households have joined their neighbours.
    """
    city = make_city(
        households=households,
        random_state=random_state,
        problems_per_household=PROBLEMS_PER_HOUSEHOLD,
    )
    settings = Design()
    buildings = city.buildings.assign(weight=city.buildings["occupied"].astype(float))
    sites = make_atoms(
        buildings, city.grids, units=city.units, finest=units, maximum=settings.most
    ).frame
    parent = sites["parent"].to_numpy()
    starts = np.searchsorted(parent, np.arange(len(city.grids) + 1))
    occupied = (sites["households"] > 0).to_numpy()
    shapes = sites.geometry.to_numpy()
    lines, weights = _roads(city, settings)
    outlines = city.grids.geometry.to_numpy()
    near, line = shapely.STRtree(lines).query(outlines, predicate="intersects")
    cells = [
        tessellate(
            outlines[k],
            shapes[starts[k] : starts[k + 1]],
            occupied[starts[k] : starts[k + 1]],
            barriers=lines[np.sort(line[near == k])],
            weights=weights[np.sort(line[near == k])],
        )
        for k in range(len(outlines))
    ]
    return joined(cells, sites["households"].to_numpy(dtype=np.int64), starts)


def _roads(
    city: SyntheticCity, settings: Design
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.float64]]:
    known = city.roads["class"].map(dict(settings.roads))
    weights = pd.to_numeric(known).fillna(settings.other_roads)
    return city.roads.geometry.to_numpy(), weights.to_numpy(dtype=np.float64)


def joined(cells: list[Cells], households: Longs, starts: Longs) -> Atoms:
    """Join the cells of all parents, leaving out parents without households."""
    kept = [k for k in range(len(cells)) if households[starts[k] : starts[k + 1]].any()]
    offsets = np.cumsum([0, *(len(cells[k].geometry) for k in kept)])
    weight = [
        np.bincount(
            cells[k].owner,
            weights=households[starts[k] : starts[k + 1]],
            minlength=len(cells[k].geometry),
        )
        for k in kept
    ]
    shapes = np.concatenate([cells[k].geometry for k in kept])
    middle = shapely.centroid(shapes)
    pairs = [cells[k].pairs + offsets[place] for place, k in enumerate(kept)]
    return Atoms(
        parent=np.repeat(np.arange(len(kept)), np.diff(offsets)).astype(np.int64),
        weight=np.concatenate(weight).astype(np.int64),
        x=np.asarray(shapely.get_x(middle)),
        y=np.asarray(shapely.get_y(middle)),
        area_m2=np.asarray(shapely.area(shapes)),
        perimeter_m=np.asarray(shapely.length(shapes)),
        pairs=np.concatenate(pairs).astype(np.int64),
        border_m=np.concatenate([cells[k].border_m for k in kept]),
        barrier=np.concatenate([cells[k].barrier for k in kept]),
    )
