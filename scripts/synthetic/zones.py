"""Zones of responsibility that do not nest in grids: sub-zones, estates; and street fronts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from synthetic import names
from synthetic.areas import CRS, Geometries, dissolve
from synthetic.fields import BoolArray, IntArray, stream
from synthetic.layout import Town
from synthetic.partition import pieces, split
from synthetic.places import Shops

SIDES = 4
FRONTAGE_SHARE = 0.22
NO_CONTRACT = 4
ESTATES = 5
LEAST_ESTATE = 60
SEAM_M = 8.0
FAR_M = 60.0
DEAD_CORNER_HOUSEHOLDS = 450
FIRST_DAYS = ("2024-03-01", "2024-09-01", "2025-01-01")


@dataclass(frozen=True)
class Zones:
    """The zones, fronts with their strips, and what is amiss.

    ``dead`` tells the blocks that no sub-zone holds, ``seam`` what lies between two estates.
    """

    frame: gpd.GeoDataFrame
    fronts: gpd.GeoDataFrame
    strips: Geometries
    dead: BoolArray
    seam: dict[str, Any]


def _rim(pairs: IntArray, count: int) -> BoolArray:
    """Tell the blocks at the town's edge: those with fewer than four neighbours."""
    return np.asarray(np.bincount(pairs.ravel(), minlength=count) < SIDES)


def _dead_corner(whole: IntArray, households: IntArray, pairs: IntArray) -> IntArray:
    """Choose the superblock left out: at the edge, of modest size, the rest in one piece."""
    total = np.bincount(whole, weights=households)
    edge = np.unique(whole[_rim(pairs, len(whole))])
    for candidate in edge[np.argsort(np.abs(total[edge] - DEAD_CORNER_HOUSEHOLDS), kind="stable")]:
        left_out = whole == candidate
        rest = pieces(left_out.astype(np.int64), pairs)[~left_out]
        if len(rest) and (rest == rest[0]).all():
            return np.flatnonzero(left_out)
    raise ValueError("no superblock can be left out of the sub-zones")


def _subzones(
    superblock: IntArray, households: IntArray, xy: np.ndarray, pairs: IntArray, count: int
) -> tuple[IntArray, BoolArray]:
    """Group superblocks into sub-zones; -1 and True for the blocks of the dead corner."""
    whole = pieces(superblock, pairs)
    dead = np.zeros(len(whole), dtype=np.bool_)
    dead[_dead_corner(whole, households, pairs)] = True
    kept = np.unique(whole[~dead])
    links = np.unique(np.sort(whole[pairs], axis=1), axis=0)
    links = links[(links[:, 0] != links[:, 1]) & np.isin(links, kept).all(axis=1)]
    size = np.bincount(whole)[kept]
    centre = np.stack([np.bincount(whole, weights=xy[:, k])[kept] / size for k in (0, 1)], axis=1)
    zone = split(
        np.zeros(len(kept), dtype=np.int64),
        np.array([count]),
        weights=np.bincount(whole, weights=households)[kept],
        positions=centre,
        pairs=np.searchsorted(kept, links),
    )
    of_block = np.where(dead, -1, zone[np.minimum(np.searchsorted(kept, whole), len(kept) - 1)])
    return of_block, dead


def _named(
    geometry: Geometries, kind: str, prefix: str, labels: list[str], empty: float, state: int
) -> gpd.GeoDataFrame:
    rng = stream(state, f"zones-{kind}")
    count = len(geometry)
    return gpd.GeoDataFrame(
        {
            "code": [f"{prefix}{k:05d}" for k in range(1, count + 1)],
            "name": labels,
            "kind": kind,
            "lead": "",
            "cooperating": names.departments(rng, count, empty=empty),
            "valid_from": [FIRST_DAYS[k] for k in rng.integers(0, len(FIRST_DAYS), count)],
        },
        geometry=geometry,
        crs=CRS,
    )


def _estates(town: Town, state: int) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Estates of property companies: two with a street between that neither looks after."""
    rng = stream(state, "estates")
    homes = town.households > LEAST_ESTATE
    both = town.pairs[homes[town.pairs].all(axis=1)]
    border = shapely.length(
        shapely.intersection(town.outlines[both[:, 0]], town.outlines[both[:, 1]])
    )
    first = both[np.argmax(border)]
    near = np.isin(town.pairs, first).any(axis=1)
    taken = np.unique(town.pairs[near])
    free = np.setdiff1d(np.flatnonzero(homes), taken)
    blocks = [*first.tolist()]
    for block in rng.permutation(free).tolist():
        if len(blocks) == ESTATES:
            break
        beside = np.unique(town.pairs[(town.pairs == block).any(axis=1)])
        # Corners of blocks meet as well, so the estates that are far apart are two blocks away.
        away = shapely.distance(town.outlines[blocks], town.outlines[block]).min() > FAR_M
        if away and not np.isin(beside, blocks).any():
            blocks.append(block)
    outlines = shapely.buffer(town.outlines[blocks], -SEAM_M / 2, join_style="mitre")
    labels = [f"示例物业{names.HEAVENLY_STEMS[k]}公司" for k in range(len(blocks))]
    frame = _named(np.asarray(outlines), "property", "W", labels, 1.0, state)
    seam = {"between": frame["code"].head(2).tolist(), "area_m2": round(border.max() * SEAM_M, 1)}
    return frame, seam


def _fronts(
    shops: Shops, places: gpd.GeoDataFrame, leads: list[str], state: int
) -> tuple[gpd.GeoDataFrame, Geometries]:
    """List the street fronts of the shops of some rows; the last few have not signed."""
    rng = stream(state, "frontage")
    rows = int(shops.row.max(initial=-1)) + 1
    signed = rng.random(rows) < FRONTAGE_SHARE
    chosen = np.flatnonzero(signed[shops.row])
    unsigned = rng.permutation(len(chosen))[:NO_CONTRACT]
    holders = np.array(leads[: len(chosen)], dtype=object)
    holders[unsigned] = ""
    # The first two corners of a strip are its front.
    lines = shapely.linestrings(shops.strips[chosen][:, :2])
    frame = gpd.GeoDataFrame(
        {
            "code": [f"Q{k:05d}" for k in range(1, len(chosen) + 1)],
            "name": [f"{name}门前" for name in places["name"].iloc[chosen]],
            "holder": holders,
            "place": places["code"].iloc[chosen].to_numpy(),
            "valid_from": [FIRST_DAYS[k] for k in rng.integers(0, len(FIRST_DAYS), len(chosen))],
        },
        geometry=lines,
        crs=CRS,
    )
    return frame, np.asarray(shapely.polygons(shops.strips[chosen]))


def _sub_frame(town: Town, zone: IntArray, state: int) -> gpd.GeoDataFrame:
    kept = np.flatnonzero(zone >= 0)
    polygons = dissolve(town.outlines[kept], zone[kept])
    labels = [f"第{names.numeral(k)}分战区" for k in range(1, len(polygons) + 1)]
    return _named(polygons, "subzone", "Z", labels, 0.1, state)


def make_zones(
    town: Town,
    shops: Shops,
    places: gpd.GeoDataFrame,
    *,
    subzones: int,
    random_state: int,
) -> Zones:
    """Draw the zones.

    Parameters
    ----------
    town : Town
        The layout.
    shops : Shops
        The shops, the first of the places.
    places : GeoDataFrame
        The places.
    subzones : int
        How many sub-zones there are.
    random_state : int
        The city's random state.

    Returns
    -------
    Zones
        code, name, kind (subzone, property), lead, cooperating, valid_from, polygons; and fronts.
    """
    zone, dead = _subzones(town.superblock, town.households, town.centres, town.pairs, subzones)
    estates, seam = _estates(town, random_state)
    frames = [_sub_frame(town, zone, random_state), estates]
    frame = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=CRS)
    leads = names.leads(len(frame) + len(places))
    frame["lead"] = leads[: len(frame)]
    fronts, strips = _fronts(shops, places, leads[len(frame) :], random_state)
    return Zones(frame, fronts, strips, dead, seam)
