"""Real cities as atoms: the small areas of Tainan and the parcels of Cambridge."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import shapely

from benchmarks.atoms import TARGET, Atoms
from benchmarks.sample_city import joined
from gridmap.config import read_city_file
from gridmap.design.geometry.tessellation import tessellate
from gridmap.sources import read_city

__all__ = ["REAL"]

_EXAMPLES = Path(__file__).parents[2] / "examples"


def _real_city(file: str, households: int, random_state: int, *, units: bool = False) -> Atoms:
    """Read a city, of whose finest grids every building or area is an atom; roads part none.

    Parameters
    ----------
    file : str
        Of the examples.
    households, random_state, units
        Are not asked for: the city is as it is.

    Returns
    -------
    Atoms
        A household weighs what makes the target of the example that of all cities here.
    """
    del households, random_state, units
    city_file = read_city_file(_EXAMPLES / file)
    city = read_city(city_file, layers=("grids", "buildings"))
    grids, areas = city.areas(city.levels[-1]), city.frame("buildings")
    share = TARGET / city_file.design.target
    weight = np.rint(areas["occupied"].fillna(0).to_numpy(dtype=np.float64) * share)
    inner = shapely.point_on_surface(areas.geometry.to_numpy())
    area, grid = shapely.STRtree(grids.geometry.to_numpy()).query(inner, "within")
    first = np.unique(area, return_index=True)[1]
    order = np.argsort(grid[first], kind="stable")
    area, grid = area[first][order], grid[first][order]
    starts = np.searchsorted(grid, np.arange(len(grids) + 1))
    shapes, weights = areas.geometry.to_numpy()[area], weight[area].astype(np.int64)
    cells = []
    for k, outline in enumerate(grids.geometry):
        own = slice(starts[k], starts[k + 1])
        cells.append(tessellate(outline, shapes[own], weights[own] > 0))
    return joined(cells, weights, starts)


REAL = {
    "tainan": ("Tainan", partial(_real_city, "tainan_design.toml")),
    "cambridge": ("Cambridge", partial(_real_city, "cambridge.toml")),
}
