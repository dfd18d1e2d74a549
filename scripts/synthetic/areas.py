"""Levels of areas, grid to district: grouped blocks with codes, names and members."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from synthetic import names
from synthetic.fields import FloatArray, IntArray, ranks_within, smooth_field, stream
from synthetic.partition import split

CRS = "EPSG:4549"
DISTRICT_CODE = "330499"
GRID_HOUSEHOLDS = 350
COMMUNITIES_PER_STREET = 9
FIRST_TOWN_NUMBER = 101
VILLAGE_SHARE = 0.5

Geometries = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Areas:
    """The levels, each a frame in code order, and the row of the grid that holds each block."""

    district: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame
    block_grid: IntArray


@dataclass(frozen=True)
class _Level:
    """Units in code order: outlines, rows of the parents, numbers within the parents."""

    polygons: Geometries
    parent: IntArray
    number: IntArray


def dissolve(polygons: Geometries, group: IntArray) -> Geometries:
    """Unite the polygons of each group of a coverage.

    Shared nodes stay, so that the united level still meets the level below node by node.

    Parameters
    ----------
    polygons : array of polygons, shape (n,)
        A coverage.
    group : array of int, shape (n,)
        Group of each polygon; every number from 0 occurs.

    Returns
    -------
    array of polygons
        One for each group.
    """
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(group[order]) > 0])
    parts = np.split(polygons[order], starts[1:])
    return np.array([shapely.coverage_union_all(part) for part in parts], dtype=object)


def _wavering(positions: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Shift positions smoothly, so that cuts through them give irregular borders."""
    shifted = positions.copy()
    for lengths, reach in (((350, 700), 16.0), ((1200, 2500), 80.0), ((5000, 9000), 350.0)):
        for axis in (0, 1):
            shifted[:, axis] += reach * smooth_field(positions, rng, wavelength_m=lengths)
    return shifted


def _group(
    weights: IntArray,
    positions: FloatArray,
    pairs: IntArray,
    communities: int,
    rng: np.random.Generator,
) -> list[IntArray]:
    """Group blocks into streets, streets into communities, communities into grids."""
    shifted = _wavering(positions, rng)
    size = weights.sum() / communities
    streets = max(min(3, communities), round(communities / COMMUNITIES_PER_STREET))
    part = np.zeros(len(weights), dtype=np.int64)
    levels: list[IntArray] = []
    for goal in (streets, size, GRID_HOUSEHOLDS):
        if not levels:
            wanted = np.array([goal])
        else:
            wanted = np.maximum(1, np.round(np.bincount(part, weights=weights) / goal))
        part = split(part, wanted.astype(np.int64), weights=weights, positions=shifted, pairs=pairs)
        levels.append(part)
    return levels


def _first_of(group: IntArray, values: IntArray) -> IntArray:
    """Value of the first member of each group."""
    return np.asarray(values[np.unique(group, return_index=True)[1]])


def _west_to_east(polygons: Geometries, *before: IntArray) -> IntArray:
    """Order units by `before`, then from west to east, then from north to south."""
    centre = shapely.centroid(polygons)
    x, y = np.round(shapely.get_x(centre), 1), np.round(shapely.get_y(centre), 1)
    return np.lexsort((-y, x, *reversed(before)))


def _streets(polygons: Geometries, centre: FloatArray) -> tuple[IntArray, IntArray]:
    """Order the streets and number them: subdistricts inside, towns (from 101) outside."""
    distance = shapely.distance(shapely.centroid(polygons), shapely.Point(centre))
    rank = np.argsort(np.argsort(distance, kind="stable"), kind="stable")
    inner = min(FIRST_TOWN_NUMBER - 2, -(-2 * len(polygons) // 3))
    town = (rank >= inner).astype(np.int64)
    order = _west_to_east(polygons, town)
    number = ranks_within(town[order]) + np.where(town[order] == 1, FIRST_TOWN_NUMBER, 1)
    return order, number


def _levels(
    outlines: Geometries, groups: list[IntArray], centre: FloatArray
) -> tuple[list[_Level], IntArray]:
    """Dissolve each level and bring its units into code order."""
    street, community, grid = groups
    grids = dissolve(outlines, grid)
    grid_community = _first_of(grid, community)
    communities = dissolve(grids, grid_community)
    community_street = _first_of(community, street)
    streets = dissolve(communities, community_street)
    order, number = _streets(streets, centre)
    levels = [_Level(streets[order], np.zeros(len(order), dtype=np.int64), number)]
    for polygons, parent in ((communities, community_street), (grids, grid_community)):
        row = np.argsort(order)
        order = _west_to_east(polygons, row[parent])
        parents = row[parent][order]
        levels.append(_Level(polygons[order], parents, ranks_within(parents) + 1))
    return levels, np.argsort(order)[grid]


def _frame(level: _Level, parents: list[str], labels: list[str]) -> gpd.GeoDataFrame:
    above = [parents[row] for row in level.parent]
    codes = [f"{code}{number:03d}" for code, number in zip(above, level.number, strict=True)]
    return gpd.GeoDataFrame(
        {"code": codes, "name": labels, "parent": above}, geometry=level.polygons, crs=CRS
    )


def _street_names(level: _Level, random_state: int) -> list[str]:
    stems = names.stems(
        len(level.number), random_state=random_state, topic="street", first=names.STREET_STEMS
    )
    town = level.number >= FIRST_TOWN_NUMBER
    return [stem + ("镇" if t else "街道") for stem, t in zip(stems, town, strict=True)]


def _community_names(level: _Level, streets: list[str], random_state: int) -> list[str]:
    """Name communities; about half of those in towns are villages."""
    stems = names.stems(
        len(level.number), random_state=random_state, topic="community", first=names.COMMUNITY_STEMS
    )
    rural = stream(random_state, "villages").random(len(stems)) < VILLAGE_SHARE
    village = [r and streets[p].endswith("镇") for r, p in zip(rural, level.parent, strict=True)]
    return [stem + ("村" if v else "社区") for stem, v in zip(stems, village, strict=True)]


def make_areas(
    outlines: Geometries,
    households: IntArray,
    *,
    positions: FloatArray,
    pairs: IntArray,
    centre: FloatArray,
    communities: int,
    random_state: int,
) -> Areas:
    """Group blocks into grids, communities, streets and one district.

    Parameters
    ----------
    outlines : array of polygons, shape (n,)
        The blocks, a coverage.
    households : array of int, shape (n,)
        Households of each block.
    positions : array, shape (n, 2), metres
        Block centres.
    pairs : array of int, shape (m, 2)
        Blocks that share a street.
    centre : array, shape (2,), metres
        The town's centre.
    communities : int
        How many communities there are, give or take one.
    random_state : int
        The city's random state.

    Returns
    -------
    Areas
        Codes are 6 digits for the district and 3 more for each level; grids are numbered within
        their community from west to east, then from north to south, by centroid.
    """
    groups = _group(households, positions, pairs, communities, stream(random_state, "areas"))
    levels, block_grid = _levels(outlines, groups, centre)
    street_names = _street_names(levels[0], random_state)
    community_names = _community_names(levels[1], street_names, random_state)
    streets = _frame(levels[0], [DISTRICT_CODE], street_names)
    middle = _frame(levels[1], streets["code"].tolist(), community_names)
    grid_names = [
        f"{community_names[parent]}第{names.numeral(int(number))}网格"
        for parent, number in zip(levels[2].parent, levels[2].number, strict=True)
    ]
    grids = _frame(levels[2], middle["code"].tolist(), grid_names)
    count = len(grids)
    size = stream(random_state, "members").choice([1, 2, 3], count, p=[0.5, 0.35, 0.15])
    grids.insert(3, "member", names.members(count))
    grids.insert(4, "phone", names.phones(count))
    grids.insert(5, "members", size)
    whole = dissolve(levels[0].polygons, np.zeros(len(streets), dtype=np.int64))
    district = gpd.GeoDataFrame(
        {"code": [DISTRICT_CODE], "name": [names.DISTRICT], "parent": [""]}, geometry=whole, crs=CRS
    )
    return Areas(district, streets, middle, grids, block_grid)
