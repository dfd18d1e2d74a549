"""The laid-out town: which blocks it has, what they are used for, what is built in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthetic.areas import Geometries
from synthetic.fields import BoolArray, FloatArray, IntArray, stream
from synthetic.lattice import (
    Blocks,
    Lattice,
    block_polygons,
    make_blocks,
    make_lattice,
    neighbours,
)
from synthetic.stock import building_stock
from synthetic.town import HOUSEHOLDS_PER_BLOCK, block_uses, grow_town, superblocks, town_cost

SPARE = 1.6


@dataclass(frozen=True)
class Town:
    """Blocks in lattice order and what they carry.

    Attributes
    ----------
    lattice : Lattice
        The street lattice.
    mask : array of bool, shape (rows, columns)
        Cells of the lattice that belong to the town.
    blocks : Blocks
        The town's blocks; all arrays below are by block.
    outlines : array of polygons
        The blocks as a coverage.
    uses, households, superblock, estate : arrays of int
        Index into USES; households; the superblock and the estate.
    pairs : array of int, shape (m, 2)
        Blocks that share a street.
    stock : pandas.DataFrame
        The buildings; see `building_stock`.
    hall : int
        The block of the town hall, the nearest to the centre.
    """

    lattice: Lattice
    mask: BoolArray
    blocks: Blocks
    outlines: Geometries
    uses: IntArray
    households: IntArray
    superblock: IntArray
    estate: IntArray
    pairs: IntArray
    stock: pd.DataFrame
    hall: int

    @property
    def centres(self) -> FloatArray:
        """Block centres, shape (n, 2), metres."""
        return self.blocks.origin


def _sites(lattice: Lattice, cost: FloatArray, count: float) -> tuple[Blocks, FloatArray]:
    """Blocks that the town may grow into, and their distance over the expected radius."""
    ordered = np.sort(cost.ravel())
    last = min(int(count * SPARE) + 30, cost.size - 1)
    row, column = np.nonzero(cost <= ordered[last])
    share = cost[row, column] / ordered[min(int(count), cost.size - 1)]
    return make_blocks(lattice, row, column), share


def make_town(households: int, random_state: int) -> Town:
    """Lay out a town of about so many households.

    Parameters
    ----------
    households : int
        Dwellings wanted; met to within half a block.
    random_state : int
        The city's random state.

    Returns
    -------
    Town
        The layout.
    """
    expected = households / HOUSEHOLDS_PER_BLOCK
    lattice = make_lattice(float(np.sqrt(expected / np.pi)), stream(random_state, "lattice"))
    cost = town_cost(lattice, stream(random_state, "outline"))
    sites, share = _sites(lattice, cost, expected)
    uses = block_uses(sites.origin, share, stream(random_state, "uses"))
    stock = building_stock(sites, uses, stream(random_state, "stock"))
    dwellings = np.bincount(stock["block"], weights=stock["households"], minlength=len(sites))
    by_cell = np.zeros(lattice.shape, dtype=np.int64)
    by_cell[sites.row, sites.column] = dwellings
    reach = np.full(lattice.shape, np.inf)
    reach[sites.row, sites.column] = cost[sites.row, sites.column]
    mask = grow_town(reach, by_cell, households)
    inside = mask[sites.row, sites.column]
    kept = np.flatnonzero(inside)
    blocks = sites.take(kept)
    stock = stock[inside[stock["block"]]].reset_index(drop=True)
    stock["block"] = np.searchsorted(kept, stock["block"])
    superblock, estate = superblocks(lattice, blocks)
    return Town(
        lattice=lattice,
        mask=mask,
        blocks=blocks,
        outlines=block_polygons(blocks),
        uses=uses[kept],
        households=dwellings[kept].astype(np.int64),
        superblock=superblock,
        estate=estate,
        pairs=neighbours(blocks, lattice.shape),
        stock=stock,
        hall=int(np.argmin(share[kept])),
    )
