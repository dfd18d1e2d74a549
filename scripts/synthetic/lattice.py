"""The street lattice: jittered lines whose cells are the blocks, with every edge shared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from pyproj import Transformer

from synthetic.fields import FloatArray, IntArray, smooth_field

CENTRE_LON_LAT = (120.9, 30.7)
ROAD_CLASSES = ("lane", "secondary", "main")
MAIN = 2
HALF_WIDTH_M = np.array([3.5, 7.0, 14.0])
SETBACK_M = np.array([7.0, 13.0, 21.0])
SOUTH, EAST, NORTH, WEST = range(4)


@dataclass(frozen=True)
class Lattice:
    """Crossing lines of streets.

    Attributes
    ----------
    nodes : array, shape (rows + 1, columns + 1, 2), metres
        Crossings, from south to north and west to east.
    across, along : arrays, metres
        Bends on the edges that run east (rows + 1, columns, 2, 2) and north (rows, columns + 1,
        2, 2).
    row_class, column_class : arrays of int
        Road class of each line, an index into ROAD_CLASSES.
    centre : array, shape (2,), metres
        The town's centre.
    """

    nodes: FloatArray
    across: FloatArray
    along: FloatArray
    row_class: IntArray
    column_class: IntArray
    centre: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of blocks."""
        return self.nodes.shape[0] - 1, self.nodes.shape[1] - 1

    @cached_property
    def cell_centres(self) -> FloatArray:
        """Mean of each cell's corners, shape (rows, columns, 2)."""
        n = self.nodes
        return np.asarray((n[:-1, :-1] + n[1:, :-1] + n[:-1, 1:] + n[1:, 1:]) / 4)


@dataclass(frozen=True)
class Blocks:
    """Blocks of a lattice, each with the upright frame in which its buildings stand.

    Attributes
    ----------
    row, column : arrays of int
        Place in the lattice.
    rings : array, shape (n, 13, 2), metres
        Closed outlines.
    origin, east, north : arrays, shape (n, 2)
        The frame: a point and two unit vectors.
    limits : array, shape (n, 4), metres
        South, east, north, west sides, in the frame, of a rectangle inside the outline.
    sides : array of int, shape (n, 4)
        Class of the road on each side.
    """

    row: IntArray
    column: IntArray
    rings: FloatArray
    origin: FloatArray
    east: FloatArray
    north: FloatArray
    limits: FloatArray
    sides: IntArray

    def __len__(self) -> int:
        """Count the blocks."""
        return len(self.row)

    def take(self, keep: IntArray) -> Blocks:
        """Choose blocks by position."""
        return Blocks(**{name: array[keep] for name, array in vars(self).items()})

    def to_map(self, block: IntArray, local: FloatArray) -> FloatArray:
        """Bring points (n, 2) or (n, k, 2) from the frames of `block` to map coordinates."""
        lead = (len(block),) + (1,) * (local.ndim - 2)
        east = self.east[block].reshape(*lead, 2)
        north = self.north[block].reshape(*lead, 2)
        origin = self.origin[block].reshape(*lead, 2)
        return np.asarray(origin + local[..., :1] * east + local[..., 1:] * north)

    def building_limits(self) -> FloatArray:
        """Sides of the rectangle left for buildings once the roads and verges are taken off."""
        inward = np.array([1.0, -1.0, -1.0, 1.0])
        return np.asarray(self.limits + inward * SETBACK_M[self.sides])


def town_centre() -> FloatArray:
    """Project the town's centre to EPSG:4549, to the metre."""
    to_metres = Transformer.from_crs(4490, 4549, always_xy=True)
    return np.round(np.array(to_metres.transform(*CENTRE_LON_LAT)))


def _line_classes(count: int, rng: np.random.Generator) -> IntArray:
    classes = np.zeros(count, dtype=np.int64)
    middle = count // 2
    classes[middle] = MAIN
    for sign in (-1, 1):
        at = middle
        while True:
            step = int(rng.choice([3, 4, 5], p=[0.25, 0.5, 0.25]))
            if not 0 <= at + sign * step < count:
                break
            classes[at + sign * (step // 2)] = 1
            at += sign * step
            classes[at] = MAIN
    return classes


def _line_places(
    classes: IntArray, net_m: float, radius: float, rng: np.random.Generator
) -> FloatArray:
    """Space the lines: narrow blocks in the centre, wider outside, room for the wider roads."""
    middle = (len(classes) - 1) / 2
    outward = np.abs(np.arange(len(classes) - 1) + 0.5 - middle) / radius
    net = net_m * (1 + 0.22 * np.minimum(outward, 1.2)) + rng.uniform(-9, 9, len(outward))
    width = net + SETBACK_M[classes[:-1]] + SETBACK_M[classes[1:]]
    places = np.r_[0.0, np.cumsum(width)]
    return np.asarray(places - places[len(places) // 2])


def _bend(start: FloatArray, end: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Put two points on each edge, a little off the straight line."""
    step = end - start
    normal = np.stack([-step[..., 1], step[..., 0]], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    bends = []
    for share in (1 / 3, 2 / 3):
        off = rng.uniform(-1.1, 1.1, start.shape[:-1])
        bends.append(start + share * step + off[..., None] * normal)
    return np.asarray(np.round(np.stack(bends, axis=-2), 3))


def make_lattice(radius: float, rng: np.random.Generator) -> Lattice:
    """Lay out street lines around the town's centre.

    Parameters
    ----------
    radius : float, blocks
        Radius of the town; the lattice reaches well beyond it.
    rng : numpy.random.Generator
        Draws spacing, warp, turn and jitter.

    Returns
    -------
    Lattice
        Coordinates in EPSG:4549, rounded to the millimetre.
    """
    lines = 2 * int(np.ceil(radius * 1.4)) + 4
    row_class, column_class = _line_classes(lines, rng), _line_classes(lines, rng)
    x = _line_places(column_class, 74.0, radius, rng)
    y = _line_places(row_class, 56.0, radius, rng)
    xy = np.stack(np.meshgrid(x, y), axis=-1)
    warp = [smooth_field(xy, rng, wavelength_m=(800, 2200)) for _ in range(2)]
    calm = (row_class[:, None] == MAIN) | (column_class[None, :] == MAIN)
    jitter = rng.uniform(-3.0, 3.0, xy.shape) * np.where(calm, 0.35, 1.0)[..., None]
    bent = xy + 12.0 * np.stack(warp, axis=-1) + jitter
    turn = np.deg2rad(rng.uniform(4, 9))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = town_centre()
    nodes = np.round(bent @ rotation.T + centre, 3)
    return Lattice(
        nodes=nodes,
        across=_bend(nodes[:, :-1], nodes[:, 1:], rng),
        along=_bend(nodes[:-1], nodes[1:], rng),
        row_class=row_class,
        column_class=column_class,
        centre=centre,
    )


def _chains(lattice: Lattice, row: IntArray, column: IntArray) -> list[FloatArray]:
    """Points of the four sides: south and north run east, east and west run north."""

    def across(j: IntArray) -> FloatArray:
        ends = lattice.nodes[j, column], lattice.nodes[j, column + 1]
        return np.concatenate([ends[0][:, None], lattice.across[j, column], ends[1][:, None]], 1)

    def along(i: IntArray) -> FloatArray:
        ends = lattice.nodes[row, i], lattice.nodes[row + 1, i]
        return np.concatenate([ends[0][:, None], lattice.along[row, i], ends[1][:, None]], 1)

    return [across(row), along(column + 1), across(row + 1), along(column)]


def make_blocks(lattice: Lattice, row: IntArray, column: IntArray) -> Blocks:
    """Cut blocks from the lattice, each with the largest simple upright frame inside it.

    The frame's sides clear every point of the block's four sides, so that whatever stays within
    the frame stays within the block: no geometry test is needed afterwards.
    """
    south, east, north, west = _chains(lattice, row, column)
    ring = np.concatenate([south, east[:, 1:], north[:, -2::-1], west[:, -2::-1]], axis=1)
    axis = (south[:, -1] - south[:, 0]) + (north[:, -1] - north[:, 0])
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    normal = np.stack([-axis[:, 1], axis[:, 0]], axis=1)
    origin = lattice.cell_centres[row, column]

    def reach(chain: FloatArray, direction: FloatArray) -> FloatArray:
        return np.asarray(np.einsum("nkd,nd->nk", chain - origin[:, None], direction))

    limits = np.stack(
        [
            reach(south, normal).max(1),
            reach(east, axis).min(1),
            reach(north, normal).min(1),
            reach(west, axis).max(1),
        ],
        axis=1,
    )
    rows, columns = lattice.row_class, lattice.column_class
    sides = np.stack([rows[row], columns[column + 1], rows[row + 1], columns[column]], axis=1)
    return Blocks(row, column, ring, origin, axis, normal, limits, sides)


def neighbours(blocks: Blocks, shape: tuple[int, int]) -> IntArray:
    """Pairs of blocks that share a street, shape (m, 2), by position."""
    place = np.full(shape, -1, dtype=np.int64)
    place[blocks.row, blocks.column] = np.arange(len(blocks))
    pairs = [
        np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()], axis=1),
        np.stack([place[:-1].ravel(), place[1:].ravel()], axis=1),
    ]
    both = np.concatenate(pairs)
    return np.asarray(both[(both >= 0).all(axis=1)])


def block_polygons(blocks: Blocks) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Outlines as polygons."""
    return np.asarray(shapely.polygons(blocks.rings))
