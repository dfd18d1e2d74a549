"""Places: shops along the roads, and the facilities of public blocks and parks."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from synthetic.areas import CRS
from synthetic.fields import BoolArray, FloatArray, IntArray, ranks_within, stream
from synthetic.lattice import EAST, NORTH, SOUTH, Blocks
from synthetic.stock import SHOP_DEPTH_M
from synthetic.town import PARK, PUBLIC

SHOP_FRONT_M = 13.0
FRONTAGE_DEPTH_M = 5.0
RESTAURANT_SHARE = 0.36
RISKS = ("low", "medium", "high")
SHOP_TRADES = ("便利店", "水果店", "理发店", "药房", "五金店", "文具店")
RESTAURANT_TRADES = ("面馆", "早餐店", "小吃店", "饭店")
FACILITIES = ("school", "market", "clinic", "office", "school", "factory")
FACILITY_NAMES = {
    "hall": "政务服务中心",
    "school": "小学",
    "market": "农贸市场",
    "clinic": "卫生服务站",
    "office": "办事处",
    "factory": "加工厂",
    "park": "公园",
}
RISK_SHARES = {
    "shop": (0.70, 0.25, 0.05),
    "restaurant": (0.30, 0.50, 0.20),
    "market": (0.0, 0.3, 0.7),
    "school": (0.1, 0.6, 0.3),
    "clinic": (0.3, 0.6, 0.1),
    "factory": (0.1, 0.4, 0.5),
}


@dataclass(frozen=True)
class Shops:
    """Shops in rows: each one's block, its row of shops, its point and its strip of frontage."""

    block: IntArray
    row: IntArray
    points: FloatArray
    strips: FloatArray


def make_shops(blocks: Blocks, stock: pd.DataFrame) -> Shops:
    """Divide the rows of shops into shops, and lay a strip from each towards the road."""
    rows = stock[stock["side"] >= 0]
    length = rows[["width", "depth"]].max(axis=1).to_numpy()
    count = np.maximum(1, np.floor(length / SHOP_FRONT_M)).astype(np.int64)
    row = np.repeat(np.arange(len(rows)), count)
    front = (length / count)[row]
    along = (ranks_within(row) + 0.5) * front - length[row] / 2
    side = rows["side"].to_numpy()[row]
    eastward = np.isin(side, (SOUTH, NORTH))
    outward = np.where(np.isin(side, (NORTH, EAST)), 1.0, -1.0)
    middle = rows[["x", "y"]].to_numpy()[row]

    def place(step: FloatArray, out: FloatArray) -> FloatArray:
        shift = [np.where(eastward, step, out), np.where(eastward, out, step)]
        return np.asarray(middle + np.stack(shift, axis=-1))

    near, far = outward * SHOP_DEPTH_M / 2, outward * (SHOP_DEPTH_M / 2 + FRONTAGE_DEPTH_M)
    left, right = along - front * 0.46, along + front * 0.46
    strip = [place(left, near), place(right, near), place(right, far), place(left, far)]
    block = rows["block"].to_numpy()[row]
    points = blocks.to_map(block, place(along, outward * 2.0))
    return Shops(block, row, points, np.round(blocks.to_map(block, np.stack(strip, 1)), 3))


def _risks(kinds: list[str], rng: np.random.Generator) -> list[str]:
    shares = np.cumsum([RISK_SHARES.get(kind, (0.8, 0.2, 0.0)) for kind in kinds], axis=1)
    level = (rng.random(len(kinds))[:, None] > shares[:, :2]).sum(axis=1)
    return [RISKS[k] for k in level]


def _facility_kinds(uses: IntArray, hall: int, rng: np.random.Generator) -> list[str]:
    """Kinds of the blocks that are public or parks, in block order; the central one is the hall."""
    shown = np.flatnonzero((uses == PUBLIC) | (uses == PARK))
    turn = int(rng.integers(len(FACILITIES)))
    kinds = []
    for block in shown.tolist():
        if block == hall:
            kinds.append("hall")
        elif uses[block] == PARK:
            kinds.append("park")
        else:
            kinds.append(FACILITIES[turn % len(FACILITIES)])
            turn += 1
    return kinds


def make_places(
    blocks: Blocks, uses: IntArray, shops: Shops, hall: int, random_state: int
) -> gpd.GeoDataFrame:
    """List the places as points.

    Parameters
    ----------
    blocks : Blocks
        The town's blocks.
    uses : array of int
        Use of each block.
    shops : Shops
        The shops.
    hall : int
        Block of the town hall.
    random_state : int
        The city's random state.

    Returns
    -------
    GeoDataFrame
        code, name, kind (shop, restaurant, hall, school, market, clinic, office, factory, park),
        risk (high, medium, low), points; shops first.
    """
    rng = stream(random_state, "places")
    eats: BoolArray = rng.random(len(shops.block)) < RESTAURANT_SHARE
    kinds = ["restaurant" if e else "shop" for e in eats]
    pick = rng.integers(0, 60, len(eats))
    trades = [
        RESTAURANT_TRADES[p % 4] if e else SHOP_TRADES[p % 6]
        for e, p in zip(eats, pick, strict=True)
    ]
    facilities = _facility_kinds(uses, hall, rng)
    kinds += facilities
    trades += [FACILITY_NAMES[kind] for kind in facilities]
    sites = np.flatnonzero((uses == PUBLIC) | (uses == PARK))
    points = np.concatenate([shops.points, blocks.origin[sites]])
    number = ranks_within(np.unique(np.array(trades), return_inverse=True)[1].reshape(-1)) + 1
    return gpd.GeoDataFrame(
        {
            "code": [f"P{k:05d}" for k in range(1, len(kinds) + 1)],
            "name": [f"示例{t}{n:03d}" for t, n in zip(trades, number, strict=True)],
            "kind": kinds,
            "risk": _risks(kinds, rng),
        },
        geometry=shapely.points(np.round(points, 3)),
        crs=CRS,
    )
