"""Planted defects of the grid layer: strips that no grid holds, and strips that two hold."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from synthetic.areas import Areas
from synthetic.fields import IntArray, stream
from synthetic.lattice import SETBACK_M
from synthetic.layout import Town
from synthetic.roads import Run, points_along

SHARE_OF_SETBACK = 0.6
GAPS = 2
OVERLAPS = 2


@dataclass(frozen=True)
class GridDefect:
    """A strip along the border of two grids.

    Attributes
    ----------
    kind : str
        gap (the grid is pulled back) or overlap (the grid reaches into the neighbour).
    grid, neighbour : int
        Rows in the grids' frame: the one changed, and the one beyond the border.
    strip : shapely.Polygon
        The strip, which meets no building.
    """

    kind: str
    grid: int
    neighbour: int
    strip: shapely.Polygon


@dataclass(frozen=True)
class _Border:
    """A straight stretch of border: the grids on its right and left, seen along it."""

    run: Run
    right: int
    left: int


def _borders(town: Town, areas: Areas, *, eastward: bool) -> list[_Border]:
    """Stretches of lattice lines between the same two grids."""
    rows, columns = town.lattice.shape
    grid = np.full((rows, columns), -1, dtype=np.int64)
    grid[town.blocks.row, town.blocks.column] = areas.block_grid
    level = town.lattice.row_class if eastward else town.lattice.column_class
    cells = grid if eastward else grid.T
    edge: IntArray = np.full((1, cells.shape[1]), -1, dtype=np.int64)
    below, above = np.concatenate([edge, cells]), np.concatenate([cells, edge])
    border = (below >= 0) & (above >= 0) & (below != above)
    fresh = np.ones_like(border)
    fresh[:, 1:] = (below[:, 1:] != below[:, :-1]) | (above[:, 1:] != above[:, :-1])
    line, start = np.nonzero(border & fresh)
    found = []
    for k, i in zip(line.tolist(), start.tolist(), strict=True):
        later = np.flatnonzero(fresh[k, i + 1 :])
        stop = i + 1 + int(later[0]) if len(later) else border.shape[1]
        run = Run(eastward, k, i, stop, int(level[k]))
        sides = (int(below[k, i]), int(above[k, i]))
        right, left = sides if eastward else sides[::-1]
        found.append(_Border(run, right, left))
    return found


def _strip(town: Town, border: _Border, *, leftward: bool) -> shapely.Polygon:
    """Strip between the border and its bends moved to one side; its ends stay on the border."""
    chain = points_along(town.lattice, border.run)
    step = chain[-1] - chain[0]
    normal = np.array([-step[1], step[0]]) / np.hypot(*step)
    width = SHARE_OF_SETBACK * float(SETBACK_M[border.run.level])
    moved = np.round(chain[1:-1] + (width if leftward else -width) * normal, 3)
    return shapely.Polygon(np.concatenate([chain, moved[::-1]]))


def find_grid_defects(town: Town, areas: Areas, random_state: int) -> list[GridDefect]:
    """Choose where the grid layer goes wrong, along wide roads and between different grids.

    Parameters
    ----------
    town : Town
        The layout.
    areas : Areas
        The exact levels.
    random_state : int
        The city's random state.

    Returns
    -------
    list of GridDefect
        Two gaps, then two overlaps; no grid takes part in more than one.
    """
    borders = [*_borders(town, areas, eastward=True), *_borders(town, areas, eastward=False)]
    order = stream(random_state, "grid-defects").permutation(len(borders)).tolist()
    length = [min(b.run.stop - b.run.start, 2) for b in borders]
    order.sort(key=lambda k: (-borders[k].run.level, -length[k]))
    taken: set[int] = set()
    defects: list[GridDefect] = []
    for k in order:
        border = borders[k]
        if len(defects) == GAPS + OVERLAPS:
            break
        if {border.right, border.left} & taken:
            continue
        taken |= {border.right, border.left}
        gap = len(defects) < GAPS
        # The left grid is the one that changes: a gap lies on its side, an overlap beyond.
        strip = _strip(town, border, leftward=gap)
        defects.append(GridDefect("gap" if gap else "overlap", border.left, border.right, strip))
    return defects


def plant_grid_defects(grids: gpd.GeoDataFrame, defects: list[GridDefect]) -> gpd.GeoDataFrame:
    """Copy the grids with the defects built in.

    Parameters
    ----------
    grids : GeoDataFrame
        The exact grids; left as they are.
    defects : list of GridDefect
        What to change.

    Returns
    -------
    GeoDataFrame
        The same rows; the grids of the defects have other outlines.
    """
    outlines = grids.geometry.to_numpy().copy()
    for defect in defects:
        change = shapely.difference if defect.kind == "gap" else shapely.union
        outlines[defect.grid] = change(outlines[defect.grid], defect.strip)
    return grids.set_geometry(gpd.GeoSeries(outlines, index=grids.index, crs=grids.crs))
