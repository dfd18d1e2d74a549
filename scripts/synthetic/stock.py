"""The building stock: which buildings stand where in their block's frame, and their dwellings."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthetic.fields import FloatArray, IntArray, ranks_within
from synthetic.lattice import EAST, NORTH, SOUTH, Blocks
from synthetic.town import MIXED, PARK, PUBLIC, TOWER, VILLA, WALKUP

KINDS = ("walkup", "tower", "villa", "other")
OTHER = 3
ROW_PITCH_M = np.array([27.0, 42.0, 17.0, 36.0])
SLOT_WIDTH_M = np.array([58.0, 68.0, 16.0, 48.0])
KEPT = np.array([0.97, 1.0, 0.9, 0.92])
SHOP_DEPTH_M = 9.0
SHOP_YARD_M = 6.0
LEAST_SHOP_ROW_M = 18.0
LEAST_ROOM_M = 12.0
MIXED_VILLA_SHARE = 0.5
SHORTENED_SHARE = 0.3


def shop_sides(blocks: Blocks, uses: IntArray, rng: np.random.Generator) -> IntArray:
    """Choose the side of each block that carries a row of shops, or -1 for none."""
    best = np.argmax(blocks.sides + rng.uniform(0, 0.5, blocks.sides.shape), axis=1)
    road = np.take_along_axis(blocks.sides, best[:, None], axis=1)[:, 0]
    chance = np.array([0.05, 0.35, 0.6])[road]
    built = (uses != PARK) & (uses != PUBLIC) & (rng.random(len(blocks)) < chance)
    return np.where(built, best, -1)


def _shop_rows(blocks: Blocks, side: IntArray, rng: np.random.Generator) -> pd.DataFrame:
    """One long low building along the chosen side of each block that has shops."""
    block = np.flatnonzero(side >= 0)
    s, e, n, w = blocks.building_limits()[block].T
    along_x = np.isin(side[block], (SOUTH, NORTH))
    room = np.where(along_x, e - w, n - s)
    length = room * rng.uniform(0.7, 0.95, len(block))
    slack = (room - length) / 2 * rng.uniform(-1, 1, len(block))
    half = SHOP_DEPTH_M / 2
    x = np.select([along_x, side[block] == EAST], [(e + w) / 2 + slack, e - half], w + half)
    y = np.select([~along_x, side[block] == SOUTH], [(s + n) / 2 + slack, s + half], n - half)
    frame = pd.DataFrame({"block": block, "kind": OTHER, "x": x, "y": y, "angle": 0.0})
    frame["width"] = np.where(along_x, length, SHOP_DEPTH_M)
    frame["depth"] = np.where(along_x, SHOP_DEPTH_M, length)
    frame["floors"] = rng.integers(1, 3, len(block))
    frame["units"] = 1
    frame["unit_households"] = 0
    frame["side"] = side[block]
    built: pd.DataFrame = frame.loc[length > LEAST_SHOP_ROW_M]
    return built


def _yards(blocks: Blocks, side: IntArray) -> FloatArray:
    """Take the shop rows off each block's building rectangle."""
    limits = blocks.building_limits()
    inward = np.array([1.0, -1.0, -1.0, 1.0])
    shops = np.arange(4) == side[:, None]
    return np.asarray(limits + np.where(shops, inward * (SHOP_DEPTH_M + SHOP_YARD_M), 0.0))


def _slots(yards: FloatArray, uses: IntArray, rng: np.random.Generator) -> pd.DataFrame:
    """Divide every block into rows and every row into slots, one building to a slot."""
    s, e, n, w = yards.T
    basic = np.choose(uses, [WALKUP, TOWER, VILLA, WALKUP, OTHER, OTHER])
    rows = np.maximum(1, np.floor((n - s + 9.0) / ROW_PITCH_M[basic])).astype(np.int64)
    rows[(uses == PARK) | (n - s < LEAST_ROOM_M) | (e - w < LEAST_ROOM_M)] = 0
    block = np.repeat(np.arange(len(uses)), rows)
    row = ranks_within(block)
    kind = basic[block]
    turn = (uses[block] == MIXED) & (rng.random(len(block)) < MIXED_VILLA_SHARE)
    kind = np.where(turn, VILLA, kind)
    width, height = (e - w)[block], ((n - s) / np.maximum(rows, 1))[block]
    slots = np.maximum(1, np.round(width / SLOT_WIDTH_M[kind] - 0.1)).astype(np.int64)
    line = np.repeat(np.arange(len(block)), slots)
    slot = ranks_within(line)
    slot_width = (width / slots)[line]
    frame = pd.DataFrame({"block": block[line], "kind": kind[line]})
    frame["slot_width"] = slot_width
    frame["slot_height"] = height[line]
    frame["x"] = w[block][line] + (slot + 0.5) * slot_width
    frame["y"] = s[block][line] + (row[line] + 0.5) * height[line]
    kept = rng.random(len(frame)) < KEPT[frame["kind"].to_numpy()]
    roomy = frame[["slot_width", "slot_height"]].min(axis=1) > LEAST_ROOM_M
    built: pd.DataFrame = frame.loc[kept & roomy].reset_index(drop=True)
    return built


def _towers(room: FloatArray, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Stairwells and floors of towers of 60 to 200 households, two dwellings a landing."""
    most = np.clip(np.floor(room / 14.5), 2, 6).astype(np.int64)
    units = np.minimum(
        rng.choice([2, 3, 4, 5, 6], len(room), p=[0.25, 0.3, 0.25, 0.12, 0.08]), most
    )
    least = np.maximum(13, -(-60 // (2 * units)))
    floors = rng.integers(least, np.minimum(18, 200 // (2 * units)) + 1)
    return units, floors


def _dwellings(slots: pd.DataFrame, rng: np.random.Generator) -> None:
    """Add floors, units and households per unit to the slots."""
    kind = slots["kind"].to_numpy()
    count = len(slots)
    room = slots["slot_width"].to_numpy() - 6.0
    walkup_units = np.clip(np.floor(room / 12.4), 1, 5).astype(np.int64)
    walkup_units = np.maximum(1, walkup_units - (rng.random(count) < SHORTENED_SHARE))
    walkup_floors = rng.choice([5, 6, 7], count, p=[0.2, 0.6, 0.2])
    tower_units, tower_floors = _towers(room, rng)
    villa = rng.choice([1, 2, 3, 4], count, p=[0.5, 0.28, 0.14, 0.08])
    low = rng.integers(1, 6, count)
    slots["floors"] = np.choose(kind, [walkup_floors, tower_floors, rng.integers(2, 4, count), low])
    slots["units"] = np.choose(kind, [walkup_units, tower_units, 1, 1])
    slots["unit_households"] = np.choose(kind, [2 * walkup_floors, 2 * tower_floors, villa, 0])


def _footprints(slots: pd.DataFrame, blocks: int, rng: np.random.Generator) -> None:
    """Add width, depth and angle, and shift the buildings, so that each stays in its slot."""
    kind, count = slots["kind"].to_numpy(), len(slots)
    room_x, room_y = slots["slot_width"].to_numpy(), slots["slot_height"].to_numpy()
    per_unit = np.choose(
        kind, [rng.uniform(11.4, 12.4, count), rng.uniform(13.2, 14.5, count), 0, 0]
    )
    wide = np.choose(
        kind, [0, 0, rng.uniform(9, 12.5, count), room_x * rng.uniform(0.6, 0.85, count)]
    )
    width = np.minimum(per_unit * slots["units"].to_numpy() + wide, room_x - 3.6)
    depth = np.choose(
        kind,
        [
            rng.uniform(10.5, 12.5, count),
            rng.uniform(13.5, 17, count),
            rng.uniform(8.5, 11.5, count),
            np.minimum(room_y * rng.uniform(0.45, 0.8, count), 38),
        ],
    )
    depth = np.minimum(depth, room_y - 4.0)
    lean = rng.normal(0, 1.3, blocks)[slots["block"].to_numpy()]
    lean = lean + rng.normal(0, 1, count) * np.array([0.2, 0.2, 1.6, 0.6])[kind]
    angle = np.deg2rad(np.clip(lean, -3.5, 3.5))
    span_x = width * np.cos(angle) + depth * np.abs(np.sin(angle))
    span_y = width * np.abs(np.sin(angle)) + depth * np.cos(angle)
    fits = (span_x < room_x - 1.5) & (span_y < room_y - 1.5)
    slots["angle"] = np.where(fits, angle, 0.0)
    play_x = np.maximum(room_x - 1.5 - np.where(fits, span_x, width), 0) / 2
    play_y = np.maximum(room_y - 1.5 - np.where(fits, span_y, depth), 0) / 2
    slots["x"] += play_x * rng.uniform(-0.5, 0.5, count)
    slots["y"] += play_y * rng.uniform(-0.25, 0.25, count)
    slots["width"], slots["depth"] = width, depth
    slots["side"] = -1


def building_stock(blocks: Blocks, uses: IntArray, rng: np.random.Generator) -> pd.DataFrame:
    """Fill the blocks with buildings.

    Parameters
    ----------
    blocks : Blocks
        Where to build.
    uses : array of int
        Use of each block, an index into USES.
    rng : numpy.random.Generator
        Draws everything.

    Returns
    -------
    pandas.DataFrame
        One row per building, by block: block (position), kind (index into KINDS), x, y, width,
        depth (metres, in the block's frame), angle (radians), floors, units, unit_households,
        side (the block's side that a row of shops faces, else -1). No two buildings meet.
    """
    side = shop_sides(blocks, uses, rng)
    slots = _slots(_yards(blocks, side), uses, rng)
    _dwellings(slots, rng)
    _footprints(slots, len(blocks), rng)
    shops = _shop_rows(blocks, side, rng)
    stock = pd.concat([slots[shops.columns], shops], ignore_index=True)
    stock["households"] = stock["units"] * stock["unit_households"]
    return stock.sort_values("block", kind="stable", ignore_index=True)
