"""The town's extent and the use of its blocks."""

from __future__ import annotations

import heapq

import numpy as np

from synthetic.fields import BoolArray, FloatArray, IntArray, smooth_field
from synthetic.lattice import MAIN, Blocks, Lattice

USES = ("walkup", "tower", "villa", "mixed", "public", "park")
WALKUP, TOWER, VILLA, MIXED, PUBLIC, PARK = range(6)
HOUSEHOLDS_PER_BLOCK = 67.0
TOWER_LEVEL, WALKUP_LEVEL, MIXED_LEVEL = 0.8, -0.5, -0.85
PUBLIC_SHARE, PARK_SHARE = 0.075, 0.035


def town_cost(lattice: Lattice, rng: np.random.Generator) -> FloatArray:
    """Distance from the centre in metres, distorted so that the town's outline is irregular."""
    offset = lattice.cell_centres - lattice.centre
    angle = np.arctan2(offset[..., 1], offset[..., 0])
    phase = rng.uniform(0, 2 * np.pi, 3)
    lobes = sum(
        size * np.cos(order * angle + phase[i])
        for i, (order, size) in enumerate([(2, 0.10), (3, 0.09), (5, 0.05)])
    )
    return np.asarray(np.hypot(offset[..., 0], offset[..., 1]) / (1 + lobes))


def grow_town(cost: FloatArray, households: IntArray, target: int) -> BoolArray:
    """Add blocks from the centre outwards, cheapest first, until the households are reached.

    Parameters
    ----------
    cost : array, shape (rows, columns)
        Order of growth; infinite where the town cannot grow.
    households : array, shape (rows, columns)
        Households of each block.
    target : int
        Households wanted.

    Returns
    -------
    array of bool, shape (rows, columns)
        The town: one connected piece.

    Raises
    ------
    ValueError
        The lattice is too small for the target.
    """
    town = np.zeros(cost.shape, dtype=np.bool_)
    seen = ~np.isfinite(cost)
    start = np.unravel_index(int(np.argmin(cost)), cost.shape)
    heap = [(0.0, int(start[0]), int(start[1]))]
    seen[start] = True
    total = 0
    while heap:
        _, j, i = heapq.heappop(heap)
        gain = int(households[j, i])
        if total + gain / 2 >= target:
            return town
        town[j, i] = True
        total += gain
        for b, a in ((j, i + 1), (j + 1, i), (j, i - 1), (j - 1, i)):
            if 0 <= b < cost.shape[0] and 0 <= a < cost.shape[1] and not seen[b, a]:
                seen[b, a] = True
                heapq.heappush(heap, (float(cost[b, a]), b, a))
    raise ValueError(f"the lattice holds {total} households, {target} asked")


def block_uses(xy: FloatArray, share: FloatArray, rng: np.random.Generator) -> IntArray:
    """Give each block its use: towers in and about the centre, villas towards the fields.

    Parameters
    ----------
    xy : array, shape (n, 2), metres
        Block centres.
    share : array, shape (n,)
        Distance from the centre over the town's radius.
    rng : numpy.random.Generator
        Draws the fields and the exceptions.

    Returns
    -------
    array of int
        Indices into USES; the block nearest to the centre is public.
    """
    estate = smooth_field(xy, rng, wavelength_m=(350, 1100))
    level = 0.75 * estate + rng.normal(0, 0.35, len(xy)) - 1.25 * (share - 0.6)
    steps = [level > TOWER_LEVEL, level > WALKUP_LEVEL, level > MIXED_LEVEL]
    uses = np.select(steps, [TOWER, WALKUP, MIXED], VILLA)
    chance = rng.random(len(xy))
    uses = np.where(chance < PUBLIC_SHARE + PARK_SHARE, PARK, uses)
    uses = np.where(chance < PUBLIC_SHARE, PUBLIC, uses)
    uses[np.argmin(share)] = PUBLIC
    return uses.astype(np.int64)


def superblocks(lattice: Lattice, blocks: Blocks) -> tuple[IntArray, IntArray]:
    """Find the superblocks between main roads, and the estates of two by two blocks in them.

    Returns
    -------
    tuple of array of int
        Superblock and estate of each block; neither crosses a main road.
    """
    keys = []
    for classes, at in ((lattice.row_class, blocks.row), (lattice.column_class, blocks.column)):
        mains = np.r_[0, np.flatnonzero(classes == MAIN)]
        interval = np.searchsorted(mains, at, side="right") - 1
        keys.append((interval, (at - mains[interval]) // 2))
    (row, row_pair), (column, column_pair) = keys
    lines = max(lattice.shape) + 1
    superblock = row * lines + column
    estate = (superblock * lines + row_pair) * lines + column_pair
    return (
        np.unique(superblock, return_inverse=True)[1].reshape(-1).astype(np.int64),
        np.unique(estate, return_inverse=True)[1].reshape(-1).astype(np.int64),
    )
