"""Problems as they truly are: what, where, when; hot spots among an even background."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from scipy.spatial import cKDTree

from synthetic.areas import CRS, Areas
from synthetic.categories import CATEGORIES, SOURCE_SHARES, SOURCES
from synthetic.fields import BoolArray, FloatArray, IntArray, stream
from synthetic.hot_spots import HotSpot, points_around
from synthetic.lattice import Blocks
from synthetic.times import (
    FIRST_DAY,
    Times,
    closed_times,
    deadlines,
    draw,
    reported_times,
)

ROWS_PER_GAP = 8
# A category and the day of the year on which it is first reported; then it comes back.
CHAINS = (("暴露垃圾", 60), ("道路破损", 150), ("楼道堆物", 240))
CHAIN_TURNS, CHAIN_DAYS = 4, 4
CHAIN_CLOSED = np.timedelta64(6, "h")
MAIN_CATEGORY_SHARE = 0.7
SIDE_NAMES = ("南侧道路", "东侧道路", "北侧道路", "西侧道路")
DOOR_NAMES = ("", "楼下", "门口", "一单元", "二单元", "东首", "西首")


def _within(strip: shapely.Polygon, count: int, rng: np.random.Generator) -> FloatArray:
    """Draw points well inside a strip."""
    core = shapely.buffer(strip, -0.5)
    west, south, east, north = core.bounds
    points = rng.uniform((west, south), (east, north), (400 * count, 2))
    return np.asarray(points[shapely.contains_xy(core, *points.T)][:count])


def _background_points(
    blocks: Blocks,
    buildings: gpd.GeoDataFrame,
    building: IntArray,
    side: IntArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Place problems about their building, or at the given side of its block; never outside it."""
    block = buildings["block"].to_numpy()[building]
    centre = shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy()))[building]
    offset = centre - blocks.origin[block]
    local = np.stack(
        [
            np.einsum("ij,ij->i", offset, blocks.east[block]),
            np.einsum("ij,ij->i", offset, blocks.north[block]),
        ],
        axis=1,
    )
    local += rng.normal(0, 9, local.shape)
    low, high = blocks.limits[block][:, [3, 0]] + 0.5, blocks.limits[block][:, [1, 2]] - 0.5
    along = low + rng.random(local.shape) * (high - low)
    depth = rng.uniform(0, 7, len(block))
    for axis, (lower, upper) in enumerate(((3, 1), (0, 2))):
        across, other = axis, 1 - axis
        local[:, other] = np.where(
            (side == lower) | (side == upper), along[:, other], local[:, other]
        )
        local[:, across] = np.where(side == lower, low[:, across] + depth, local[:, across])
        local[:, across] = np.where(side == upper, high[:, across] - depth, local[:, across])
    return blocks.to_map(block, np.clip(local, low, high))


def _addresses(
    buildings: gpd.GeoDataFrame, areas: Areas, building: IntArray, side: IntArray, door: IntArray
) -> pd.Series[str]:
    """Write addresses: street, community, building, and the road or door."""
    community = areas.communities.set_index("code")["name"]
    street = areas.streets.set_index("code")["name"]
    codes = buildings["code"].str[:12]
    base: pd.Series[str] = codes.str[:9].map(street) + codes.map(community) + buildings["name"]
    endings = pd.Series([*DOOR_NAMES, *SIDE_NAMES], dtype="str")
    ending = np.where(side >= 0, len(DOOR_NAMES) + side, door)
    return base.take(building).reset_index(drop=True) + endings.take(ending).reset_index(drop=True)


def _choose(texts: Sequence[str], place: IntArray) -> pd.Series[str]:
    return pd.Series(list(texts), dtype="str").take(place).reset_index(drop=True)


def _to_degrees_and_back(xy: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Round positions to six decimals of a degree; give degrees and the metres they stand for."""
    lon, lat = Transformer.from_crs(CRS, 4490, always_xy=True).transform(*xy.T)
    degrees = np.round(np.stack([lon, lat], axis=1), 6)
    x, y = Transformer.from_crs(4490, CRS, always_xy=True).transform(*degrees.T)
    return degrees, np.stack([x, y], axis=1)


def _background(
    blocks: Blocks, buildings: gpd.GeoDataFrame, count: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw problems in proportion to occupied households."""
    building = draw(buildings["occupied"].to_numpy().astype(np.float64), count, rng)
    category = draw(np.array([kind.share for kind in CATEGORIES]), count, rng)
    street: BoolArray = np.array([kind.street for kind in CATEGORIES])[category]
    side = np.where(street, rng.integers(0, 4, count), -1)
    x, y = _background_points(blocks, buildings, building, side, rng).T
    frame = pd.DataFrame({"category": category, "building": building, "side": side})
    return frame.assign(x=x, y=y, spot=-1, first_day=0)


def _clusters(
    spots: list[HotSpot], district: shapely.Polygon, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the problems of the hot spots, most of them of the spot's own category."""
    spot = np.repeat(np.arange(len(spots)), [s.count for s in spots])
    mixed = draw(np.array([kind.share for kind in CATEGORIES]), len(spot), rng)
    own = np.array([s.category for s in spots])[spot]
    category = np.where(rng.random(len(spot)) < MAIN_CATEGORY_SHARE, own, mixed)
    x, y = np.concatenate([points_around(s, district, rng) for s in spots]).T
    frame = pd.DataFrame({"category": category, "building": 0, "side": -1, "x": x, "y": y})
    return frame.assign(spot=spot, first_day=np.array([s.first_day for s in spots])[spot])


def _draft(
    blocks: Blocks,
    buildings: gpd.GeoDataFrame,
    district: shapely.Polygon,
    spots: list[HotSpot],
    gaps: list[shapely.Polygon],
    count: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw background and clusters, and move some of the background into the gaps."""
    hot = _clusters(spots, district, rng)
    even = _background(blocks, buildings, count - len(hot), rng)
    moved = rng.permutation(len(even))[: ROWS_PER_GAP * len(gaps)]
    for k, strip in enumerate(gaps):
        rows = moved[k * ROWS_PER_GAP : (k + 1) * ROWS_PER_GAP]
        even.loc[rows, ["x", "y"]] = _within(strip, len(rows), rng)
    draft = pd.concat([even, hot], ignore_index=True)
    draft["moved"] = draft.index.isin(moved)
    elsewhere = np.r_[moved, np.arange(len(even), count)]
    centres = shapely.get_coordinates(shapely.centroid(buildings.geometry.to_numpy()))
    nearest = cKDTree(centres).query(draft.loc[elsewhere, ["x", "y"]].to_numpy())[1]
    draft.loc[elsewhere, "building"] = nearest
    return draft


def _plant_chains(
    draft: pd.DataFrame, category: IntArray, reported: Times, random_state: int
) -> IntArray:
    """Let some problems come back: same place and category, a few days apart; number the chains."""
    rng = stream(random_state, "chains")
    even = np.flatnonzero(((draft["spot"] < 0) & ~draft["moved"]).to_numpy())
    rows = rng.permutation(even)[: len(CHAINS) * CHAIN_TURNS].reshape(len(CHAINS), CHAIN_TURNS)
    chain = np.zeros(len(draft), dtype=np.int64)
    kinds = [kind.name for kind in CATEGORIES]
    for number, (name, day) in enumerate(CHAINS, start=1):
        members = rows[number - 1]
        chain[members] = number
        category[members] = kinds.index(name)
        for column in ("building", "side", "x", "y"):
            draft.loc[members, column] = draft.loc[members[0], column]
        hours = (24 * (day + CHAIN_DAYS * np.arange(CHAIN_TURNS)) + 9).astype("timedelta64[h]")
        reported[members] = FIRST_DAY + hours
    return chain


def make_problems(
    blocks: Blocks,
    buildings: gpd.GeoDataFrame,
    areas: Areas,
    spots: list[HotSpot],
    gaps: list[shapely.Polygon],
    *,
    count: int,
    random_state: int,
) -> gpd.GeoDataFrame:
    """Draw the problems of a year.

    Parameters
    ----------
    blocks : Blocks
        The town's blocks.
    buildings : GeoDataFrame
        The buildings; the background follows their occupied households.
    areas : Areas
        The levels of areas.
    spots : list of HotSpot
        The hot spots.
    gaps : list of shapely.Polygon
        Strips that some problems are moved to.
    count : int
        Problems in all.
    random_state : int
        The city's random state.

    Returns
    -------
    GeoDataFrame
        In order of time: id, category, source, reported, deadline, closed, lon, lat (CGCS2000, six
        decimals), address, hot_spot (name or empty), points that stand for lon and lat.
    """
    rng = stream(random_state, "problems")
    district = areas.district.geometry.iloc[0]
    draft = _draft(blocks, buildings, district, spots, gaps, count, rng)
    category = draft["category"].to_numpy().copy()
    reported = reported_times(category, draft["first_day"].to_numpy(), rng)
    chain = _plant_chains(draft, category, reported, random_state)
    order = np.argsort(reported, kind="stable")
    draft, category, reported = draft.iloc[order], category[order], reported[order]
    chain = chain[order]
    due = deadlines(reported, category)
    closed = closed_times(reported, due, rng)
    closed[chain > 0] = reported[chain > 0] + CHAIN_CLOSED
    degrees, metres = _to_degrees_and_back(draft[["x", "y"]].to_numpy())
    labels = pd.Series([*(s.name for s in spots), ""], dtype="str")
    door = rng.integers(0, len(DOOR_NAMES), count)
    source = draw(np.array(SOURCE_SHARES), count, rng)
    return gpd.GeoDataFrame(
        {
            "id": pd.Series(np.arange(1, count + 1)).map("WT25{:07d}".format),
            "category": _choose([kind.name for kind in CATEGORIES], category),
            "source": _choose(SOURCES, source),
            "reported": reported,
            "deadline": due,
            "closed": closed,
            "lon": degrees[:, 0],
            "lat": degrees[:, 1],
            "address": _addresses(
                buildings, areas, draft["building"].to_numpy(), draft["side"].to_numpy(), door
            ),
            "chain": chain,
            "hot_spot": labels.take(draft["spot"].to_numpy() % len(labels)).to_numpy(),
        },
        geometry=shapely.points(metres),
        crs=CRS,
    )
