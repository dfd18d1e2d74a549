"""Which buildings lie not wholly in their micro-grid, why, and what would mend it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["CUT_M2", "REMEDIES", "losses"]

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CUT_M2 = 1e-4  # less of a building beyond its micro-grid is noise of the coordinates
REMEDIES = {
    "overlap": "correct_outlines",
    "pieces": "part_pieces",
    "beyond": "correct_border",
    "tangled": "simplify",
}


def losses(
    footprints: Shapes, homes: Shapes, parents: Shapes, occupied: Bools
) -> tuple[Floats, Shapes, Shapes]:
    """Say of every occupied building what of it lies beyond its micro-grid, and why.

    Parameters
    ----------
    footprints : ndarray of geometry, shape (n,)
        Of all buildings of the plan.
    homes, parents : ndarray of Polygon or MultiPolygon, shape (n,)
        The micro-grid and the grid of each.
    occupied : ndarray of bool, shape (n,)

    Returns
    -------
    lost_m2 : ndarray of float, shape (n,)
        0 for a building that is whole, and for one where nobody lives.
    reason, remedy : ndarray of str or None, shape (n,)
        Categories of the layer ``plan_buildings``. What can be given to one micro-grid only comes
        first: what others cover, then pieces apart from the largest, then what lies beyond the
        grid.
    """
    lost = np.zeros(len(footprints))
    reason = np.full(len(footprints), None, dtype=object)
    rows = np.flatnonzero(occupied & ~shapely.covers(homes, footprints))
    gone = shapely.difference(footprints[rows], homes[rows])
    lost[rows] = shapely.area(gone)
    cut = lost[rows] > CUT_M2
    lost[rows[~cut]] = 0.0
    rows, gone = rows[cut], gone[cut]
    if len(rows):
        reason[rows] = _reasons(footprints, homes, parents, occupied, rows, gone)
    return lost, reason, np.array([REMEDIES.get(name) for name in reason], dtype=object)


def _reasons(
    footprints: Shapes, homes: Shapes, parents: Shapes, occupied: Bools, rows: Longs, gone: Shapes
) -> Shapes:
    alone = shapely.intersection(_alone(footprints, occupied, rows), parents[rows])
    largest, home = _largest(alone), homes[rows]
    reason = np.full(len(rows), "tangled", dtype=object)
    for name, left in (
        ("pieces", shapely.difference(largest, home)),
        ("overlap", shapely.difference(alone, home)),
        ("beyond", shapely.intersection(gone, parents[rows])),
    ):
        reason[shapely.area(left) <= CUT_M2] = name
    return reason


def _alone(footprints: Shapes, occupied: Bools, rows: Longs) -> Shapes:
    """Return what of buildings no other occupied one covers."""
    inhabited = np.flatnonzero(occupied)
    one, other = shapely.STRtree(footprints[inhabited]).query(footprints[rows], "intersects")
    other = inhabited[other]
    apart = other != rows[one]
    one, other = one[apart], other[apart]
    alone = footprints[rows].copy()
    for k in np.unique(one):
        alone[k] = shapely.difference(alone[k], shapely.union_all(footprints[other[one == k]]))
    return alone


def _largest(shapes: Shapes) -> Shapes:
    """Return the largest piece of each shape."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    order = np.lexsort((shapely.area(parts), owner))
    largest = shapes.copy()
    # The largest of each is written last.
    for k in order:
        largest[owner[k]] = parts[k]
    return largest
