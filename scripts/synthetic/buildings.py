"""Buildings and their stairwell units: footprints, names, codes, occupied households."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from synthetic import names
from synthetic.areas import CRS, Areas
from synthetic.fields import FloatArray, IntArray, ranks_within, stream
from synthetic.lattice import Blocks
from synthetic.stock import KINDS, OTHER
from synthetic.town import MIXED, PARK, PUBLIC, TOWER, VILLA, WALKUP

OCCUPANCY = 0.9
EMPTY_SHARE = 0.025
STEMS_PER_USE = 20_000
SUFFIXES = {
    WALKUP: ("苑", "新村", "小区", "里"),
    TOWER: ("花园", "家园", "公馆", "府"),
    VILLA: ("别墅", "雅园", "山庄", "院子"),
    MIXED: ("坊", "弄堂", "老街", "埭上"),
    PUBLIC: ("产业园", "广场", "中心", "大院"),
    PARK: ("公园", "绿地", "游园", "花圃"),
}


def compounds(estates: IntArray, uses: IntArray, random_state: int) -> tuple[IntArray, list[str]]:
    """Join neighbouring blocks of one use into named compounds (小区).

    Parameters
    ----------
    estates : array of int
        Estate of each block: blocks that may form one compound.
    uses : array of int
        Use of each block.
    random_state : int
        The city's random state.

    Returns
    -------
    tuple of array and list
        Compound of each block, and the compounds' names, all different.
    """
    kinds = len(SUFFIXES)
    _, first, compound = np.unique(estates * kinds + uses, return_index=True, return_inverse=True)
    labels = np.empty(len(first), dtype=object)
    for use, suffixes in SUFFIXES.items():
        chosen = np.flatnonzero(uses[first] == use)
        count = min(len(chosen), STEMS_PER_USE)
        pool = names.stems(count, random_state=random_state, topic=f"compound-{use}")
        # An even pool size makes the suffix differ each time a stem comes round again.
        labels[chosen] = [
            pool[i % count] + suffixes[(i + i // count) % 4] for i in range(len(chosen))
        ]
    return compound.reshape(-1).astype(np.int64), labels.tolist()


def _corners(blocks: Blocks, stock: pd.DataFrame) -> FloatArray:
    """Corners of the footprints in map coordinates, to the millimetre, shape (n, 4, 2)."""
    half = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    flat = half * stock[["width", "depth"]].to_numpy()[:, None]
    cos, sin = np.cos(stock["angle"].to_numpy()), np.sin(stock["angle"].to_numpy())
    turned = np.stack(
        [
            flat[..., 0] * cos[:, None] - flat[..., 1] * sin[:, None],
            flat[..., 0] * sin[:, None] + flat[..., 1] * cos[:, None],
        ],
        axis=-1,
    )
    local = turned + stock[["x", "y"]].to_numpy()[:, None]
    return np.round(blocks.to_map(stock["block"].to_numpy(), local), 3)


def _occupied(stock: pd.DataFrame, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Draw occupied households: the building of each unit, and the unit's count."""
    count = len(stock)
    share = np.clip(rng.normal(OCCUPANCY, 0.05, count), 0.5, 1.0)
    share[rng.random(count) < EMPTY_SHARE] = 0.0
    building = np.repeat(np.arange(count), stock["units"].to_numpy())
    dwellings = stock["unit_households"].to_numpy()[building]
    return building, rng.binomial(dwellings, share[building])


def _in_code_order(
    stock: pd.DataFrame, corners: FloatArray, areas: Areas, compound: IntArray
) -> IntArray:
    """Order by community, by compound within it, then from north to south and west to east."""
    centre = corners.mean(axis=1)
    block = stock["block"].to_numpy()
    parents = areas.grids["parent"].to_numpy().astype(str)
    community = np.unique(parents, return_inverse=True)[1][areas.block_grid[block]]
    return np.lexsort((centre[:, 0], -np.round(centre[:, 1] / 20), compound[block], community))


def make_buildings(
    blocks: Blocks,
    stock: pd.DataFrame,
    areas: Areas,
    compound: IntArray,
    compound_names: list[str],
    random_state: int,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Draw the stock as polygons and cut it into stairwell units.

    Parameters
    ----------
    blocks : Blocks
        The town's blocks.
    stock : pandas.DataFrame
        The buildings; `block` is the position in `blocks`.
    areas : Areas
        The levels of areas.
    compound : array of int
        Compound of each block.
    compound_names : list of str
        Names of the compounds.
    random_state : int
        The city's random state.

    Returns
    -------
    tuple of GeoDataFrame
        Buildings in code order (17 digits: community and number), and units.
    """
    corners = _corners(blocks, stock)
    order = _in_code_order(stock, corners, areas, compound)
    stock, corners = stock.iloc[order].reset_index(drop=True), corners[order]
    block = stock["block"].to_numpy()
    owner, living = _occupied(stock, stream(random_state, "occupied"))
    grid = areas.block_grid[block]
    community = areas.grids["parent"].to_numpy()[grid]
    number = ranks_within(np.unique(community.astype(str), return_inverse=True)[1]) + 1
    code = pd.Series(community).astype(str) + pd.Series(number).map("{:05d}".format)
    estate = pd.Series(np.array(compound_names, dtype=object)[compound[block]]).astype("str")
    kind = stock["kind"].to_numpy()
    ending = pd.Series(np.where(kind == OTHER, "号楼", "幢")).astype("str")
    buildings = gpd.GeoDataFrame(
        {
            "code": code,
            "name": estate + (ranks_within(compound[block]) + 1).astype(str) + ending,
            "compound": estate,
            "kind": pd.Series(np.array(KINDS, dtype=object)[kind]).astype("str"),
            "floors": stock["floors"].to_numpy(),
            "units": stock["units"].to_numpy(),
            "households": stock["households"].to_numpy(),
            "occupied": np.bincount(owner, weights=living, minlength=len(stock)).astype(np.int64),
            "grid": areas.grids["code"].to_numpy()[grid],
            "block": block,
        },
        geometry=shapely.polygons(corners),
        crs=CRS,
    )
    return buildings, _units(buildings, corners, stock, owner, living)


def _units(
    buildings: gpd.GeoDataFrame,
    corners: FloatArray,
    stock: pd.DataFrame,
    owner: IntArray,
    living: npt.NDArray[np.int64],
) -> gpd.GeoDataFrame:
    """Slice each building across its length, one slice to a stairwell."""
    number = ranks_within(owner)
    share = number / stock["units"].to_numpy()[owner]
    ahead = (number + 1) / stock["units"].to_numpy()[owner]
    a, b, c, d = (corners[owner, k] for k in range(4))

    def between(start: FloatArray, end: FloatArray, at: FloatArray) -> FloatArray:
        return np.asarray(start + at[:, None] * (end - start))

    slices = np.stack(
        [between(a, b, share), between(a, b, ahead), between(d, c, ahead), between(d, c, share)], 1
    )
    code = buildings["code"].to_numpy()[owner]
    return gpd.GeoDataFrame(
        {
            "code": pd.Series(code).astype("str") + pd.Series(number + 1).map("{:02d}".format),
            "building": code,
            "households": stock["unit_households"].to_numpy()[owner],
            "occupied": living,
        },
        geometry=shapely.polygons(slices),
        crs=CRS,
    )
