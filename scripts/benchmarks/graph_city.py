"""A city as a graph: parents of four kinds on a Voronoi diagram, buildings on skewed rows.

Households, areas and borders are those of a Chinese county town of walk-ups, towers, villages and
mixed quarters: about 39 atoms and 355 households to a parent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Voronoi, cKDTree

from benchmarks.atoms import Atoms

__all__ = ["HOUSEHOLDS_PER_PARENT", "graph_city"]

HOUSEHOLDS_PER_PARENT = 355
KINDS = (0.41, 0.27, 0.14, 0.18)  # walk-ups, towers, villages, mixed
WALKUP, TOWER, VILLAGE, MIXED = range(4)
MEAN, SPREAD, LEAST, MOST = 320.0, 85.0, 120.0, 750.0
BLOCKS = 4  # to a parent
BLOCK_M = 100.0
ROAD_SHARE = 0.4  # of the borders of blocks inside a parent that are main roads
EMPTY_SHARE = 0.12
UNIT = 12  # households of a stairwell
LEAST_BORDER_M = 0.05

Rng = np.random.Generator
Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class _Ground:
    """Blocks, the parent of each, the main roads between them, and the parents' outlines."""

    centre: Floats
    parent: Longs
    roads: Longs
    outline: Shapes


def graph_city(households: int, random_state: int, *, units: bool = False) -> Atoms:
    """Make a city.

    Parameters
    ----------
    households : int
        About so many.
    random_state : int
    units : bool
        Stairwell units of walk-ups as atoms, not whole walk-ups. Towers always are in units.

    Returns
    -------
    Atoms
        Cells are Voronoi cells cut to the parent's outline. Empty buildings are atoms too.
    """
    rng = np.random.default_rng(random_state)
    parents = max(1, round(households / HOUSEHOLDS_PER_PARENT))
    ground = _ground(parents, rng)
    bounds = np.round(np.cumsum(KINDS)[:3] * parents).astype(np.int64)
    kinds = rng.permutation(np.searchsorted(bounds, np.arange(parents), side="right"))
    weights, places, owners = [], [], []
    for k in range(parents):
        goal = float(np.clip(rng.normal(MEAN, SPREAD), LEAST, MOST))
        buildings = _buildings(int(kinds[k]), goal, rng, units=units)
        placed = _placed(ground.outline[k], buildings, int(kinds[k]), rng)
        weights.append(np.concatenate(buildings))
        places.append(placed)
        owners.append(np.full(len(placed), k))
    xy, parent = np.concatenate(places), np.concatenate(owners)
    return _graph(ground, xy, parent, np.concatenate(weights))


def _ground(parents: int, rng: Rng) -> _Ground:
    side = int(np.ceil(np.sqrt(parents * BLOCKS)))
    blocks = side * side
    lattice = np.stack(np.meshgrid(np.arange(-2, side + 2), np.arange(-2, side + 2)), axis=-1)
    cells = lattice.reshape(-1, 2)
    inner = ((cells >= 0) & (cells < side)).all(axis=1)
    cells = np.concatenate([cells[inner], cells[~inner]])
    points = BLOCK_M * (cells + rng.uniform(-0.38, 0.38, cells.shape))
    diagram = Voronoi(points)
    ends = np.asarray(diagram.ridge_vertices)
    length = np.hypot(*(diagram.vertices[ends[:, 0]] - diagram.vertices[ends[:, 1]]).T)
    mine = (diagram.ridge_points < blocks).all(axis=1) & (length > BLOCK_M / 20)
    pairs = np.sort(diagram.ridge_points[mine], axis=1).astype(np.int64)
    centre = points[:blocks]
    parent = _grown(parents, centre, pairs, rng)
    shapes = np.array(
        [
            shapely.Polygon(diagram.vertices[diagram.regions[diagram.point_region[k]]])
            for k in range(blocks)
        ],
        dtype=object,
    )
    order = np.argsort(parent, kind="stable")
    bounds = np.searchsorted(parent[order], np.arange(parents + 1))
    outline = np.array(
        [
            shapely.coverage_union_all(shapes[order[bounds[k] : bounds[k + 1]]])
            for k in range(parents)
        ],
        dtype=object,
    )
    within = parent[pairs[:, 0]] == parent[pairs[:, 1]]
    road = within & (rng.random(len(pairs)) < ROAD_SHARE)
    return _Ground(centre, parent, pairs[road], outline)


def _grown(parents: int, centre: Floats, pairs: Longs, rng: Rng) -> Longs:
    """Grow parents from seeds that keep their distance, over ways of uneven length."""
    blocks = len(centre)
    seeds = _seeds(parents, centre, rng)
    way = np.hypot(*(centre[pairs[:, 0]] - centre[pairs[:, 1]]).T)
    way = way * rng.uniform(1.0, 1.3, len(pairs))
    links = csr_array((way, pairs.T), shape=(blocks, blocks))
    _, _, source = dijkstra(
        links, directed=False, indices=seeds, min_only=True, return_predecessors=True
    )
    return np.asarray(np.searchsorted(seeds, source), dtype=np.int64)


def _seeds(parents: int, centre: Floats, rng: Rng) -> Longs:
    """Choose blocks far from each other, in any order, and nearer ones until there are enough."""
    tree = cKDTree(centre)
    order = rng.permutation(len(centre))
    reach = 1.1 * BLOCK_M * np.sqrt(len(centre) / parents)
    while True:
        free = np.ones(len(centre), dtype=bool)
        chosen = []
        for at in order:
            if free[at]:
                chosen.append(at)
                free[tree.query_ball_point(centre[at], reach)] = False
        if len(chosen) >= parents:
            return np.sort(chosen[:parents])
        reach *= 0.96


def _buildings(kind: int, goal: float, rng: Rng, *, units: bool) -> list[Longs]:
    """Return the buildings of a parent, each as the households of its atoms."""
    made: list[Longs] = []
    total = 0
    while total < goal - 1:
        chance = rng.random()
        if kind == TOWER or (kind == MIXED and chance < 0.1):  # noqa: PLR2004
            building = _tower(rng)
        elif kind == WALKUP or (kind == MIXED and chance < 0.4):  # noqa: PLR2004
            building = _walkup(rng, units=units)
        else:
            building = rng.choice([1, 2, 3, 4], p=[0.4, 0.3, 0.2, 0.1], size=1)
        made.append(building.astype(np.int64))
        total += int(building.sum())
    empty = rng.binomial(len(made), EMPTY_SHARE) + (1 if kind == TOWER else 0)
    made += [np.zeros(1, dtype=np.int64)] * int(empty)
    return [made[k] for k in rng.permutation(len(made))]


def _walkup(rng: Rng, *, units: bool) -> Longs:
    """Two dwellings a landing, five to seven floors, one to five stairwells, not all lived in."""
    stairwells = rng.choice([1, 2, 3, 4, 5], p=[0.12, 0.25, 0.3, 0.23, 0.1])
    floors = rng.choice([5, 6, 7], p=[0.2, 0.6, 0.2])
    lived_in = int(np.clip(round(2 * stairwells * floors * rng.uniform(0.88, 1.0)), 12, 60))
    pieces = max(1, round(lived_in / UNIT)) if units else 1
    return lived_in // pieces + (np.arange(pieces) < lived_in % pieces)


def _tower(rng: Rng) -> Longs:
    """60 to 200 households in stairwells of 20 to 40."""
    households = int(rng.integers(60, 201))
    stairwells = max(2, round(households / rng.uniform(25, 36)), -(-households // 40))
    each = households / stairwells * rng.uniform(0.93, 1.05, stairwells)
    return np.clip(np.round(each), 20, 40).astype(np.int64)


def _placed(outline: shapely.Polygon, buildings: list[Longs], kind: int, rng: Rng) -> Floats:
    """Return a point for each atom: buildings on skewed rows, units side by side."""
    turn = np.deg2rad(rng.normal(0, 12))
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    aspect = 1.0 if kind == VILLAGE else 1.7
    room = outline.buffer(-3.0)
    room = outline if room.is_empty else room
    x0, y0, x1, y1 = room.bounds
    middle, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), np.hypot(x1 - x0, y1 - y0) / 2
    pitch = float(np.sqrt(outline.area / (len(buildings) * aspect)))
    shapely.prepare(room)
    while True:
        sizes = int(reach / (pitch * aspect)) + 2, int(reach / pitch) + 2
        column, row = (a.ravel() for a in np.meshgrid(*(np.arange(-s, s + 1) for s in sizes)))
        step = np.column_stack([column + 0.3 * (row % 2), row]).astype(np.float64)
        spread = [pitch * aspect, pitch]
        site = (step + rng.normal(0, 0.1, step.shape)) * spread @ axes + middle
        site = site[shapely.contains_xy(room, site)]
        if len(site) >= len(buildings):
            break
        pitch *= 0.97
    site = site[rng.permutation(len(site))[: len(buildings)]]
    shapely.prepare(outline)
    placed = [
        _row(outline, at, len(atoms), 0.72 * pitch * aspect, axes[0])
        for at, atoms in zip(site, buildings, strict=True)
    ]
    return np.concatenate(placed)


def _row(outline: shapely.Polygon, at: Floats, count: int, width: float, along: Floats) -> Floats:
    """Return the middles of a building's units, nearer to each other where there is no room."""
    offset = (np.arange(count) - (count - 1) / 2) * width / count
    while True:
        xy = at + offset[:, None] * along
        if shapely.contains_xy(outline, xy).all():
            return np.asarray(xy)
        offset = offset * 0.8


def _graph(ground: _Ground, xy: Floats, parent: Longs, weight: Longs) -> Atoms:
    """Cut the Voronoi cells of each parent's atoms to its outline and measure them."""
    parents = len(ground.outline)
    starts = np.searchsorted(parent, np.arange(parents + 1))
    cells, pairs, borders, owners = [], [], [], []
    for k in range(parents):
        low, high = starts[k], starts[k + 1]
        shapes, near, ridges = _diagram(xy[low:high], ground.outline[k])
        cells.append(shapes)
        pairs.append(near + low)
        borders.append(ridges)
        owners.append(np.full(len(near), k))
    owner = np.concatenate(owners)
    shape = shapely.intersection(np.concatenate(cells), ground.outline[parent])
    border = shapely.length(shapely.intersection(np.concatenate(borders), ground.outline[owner]))
    pair = np.sort(np.concatenate(pairs), axis=1)
    kept = border > LEAST_BORDER_M
    pair, border = pair[kept], border[kept]
    block = np.asarray(cKDTree(ground.centre).query(xy)[1], dtype=np.int64)
    blocks = len(ground.centre)
    one, other = np.minimum(*block[pair].T), np.maximum(*block[pair].T)
    barred = np.isin(one * blocks + other, ground.roads[:, 0] * blocks + ground.roads[:, 1])
    return Atoms(
        parent=parent.astype(np.int64),
        weight=weight.astype(np.int64),
        x=xy[:, 0],
        y=xy[:, 1],
        area_m2=np.asarray(shapely.area(shape)),
        perimeter_m=np.asarray(shapely.length(shape)),
        pairs=pair.astype(np.int64),
        border_m=np.asarray(border),
        barrier=barred.astype(np.float64),
    )


def _diagram(xy: Floats, outline: shapely.Polygon) -> tuple[Shapes, Longs, Shapes]:
    """Return the Voronoi cells of some points, which of them touch, and along what."""
    x0, y0, x1, y1 = outline.bounds
    middle, far = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), 10 * np.hypot(x1 - x0, y1 - y0)
    corners = middle + far * np.array([[-1, -1.1], [1.1, -1], [1, 1.1], [-1.1, 1]])
    diagram = Voronoi(np.vstack([xy, corners]))
    shapes = [
        shapely.Polygon(diagram.vertices[diagram.regions[diagram.point_region[k]]])
        for k in range(len(xy))
    ]
    mine = (diagram.ridge_points < len(xy)).all(axis=1)
    ends = np.asarray(diagram.ridge_vertices)[mine]
    ridges = shapely.linestrings(diagram.vertices[ends])
    near = diagram.ridge_points[mine].astype(np.int64)
    return np.array(shapes, dtype=object), near, np.asarray(ridges, dtype=object)
