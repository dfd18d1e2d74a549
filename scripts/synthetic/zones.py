"""Zones of responsibility that do not nest in grids: sub-zones, road corridors, frontages."""

from __future__ import annotations

from dataclasses import dataclass

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
CORRIDOR_M = 25.0
FRONTAGE_SHARE = 0.22
DEAD_CORNER_HOUSEHOLDS = 450
FIRST_DAYS = ("2024-03-01", "2024-09-01", "2025-01-01")


@dataclass(frozen=True)
class Zones:
    """The zones, and the blocks of the dead corner, which no sub-zone holds."""

    frame: gpd.GeoDataFrame
    dead: BoolArray


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


def _corridors(roads: gpd.GeoDataFrame, district: gpd.GeoDataFrame, state: int) -> gpd.GeoDataFrame:
    """Road chiefs' corridors: main roads with what lies beside them, inside the district."""
    main = roads[roads["class"] == "main"]
    wide = shapely.buffer(main.geometry.to_numpy(), CORRIDOR_M, cap_style="flat", quad_segs=2)
    inside = shapely.intersection(wide, district.geometry.iloc[0])
    inside = shapely.set_precision(inside, 0.001)
    labels = [f"{name}路长责任段" for name in main["name"]]
    return _named(inside, "road_chief", "L", labels, 0.25, state)


def _frontages(shops: Shops, places: gpd.GeoDataFrame, state: int) -> gpd.GeoDataFrame:
    """Lay strips before the shops of some rows."""
    rows = int(shops.row.max(initial=-1)) + 1
    signed = stream(state, "frontage").random(rows) < FRONTAGE_SHARE
    chosen = np.flatnonzero(signed[shops.row])
    labels = [f"{name}门前" for name in places["name"].iloc[chosen]]
    strips = np.asarray(shapely.polygons(shops.strips[chosen]))
    return _named(strips, "frontage", "Q", labels, 0.6, state)


def _sub_frame(town: Town, zone: IntArray, state: int) -> gpd.GeoDataFrame:
    kept = np.flatnonzero(zone >= 0)
    polygons = dissolve(town.outlines[kept], zone[kept])
    labels = [f"第{names.numeral(k)}分战区" for k in range(1, len(polygons) + 1)]
    return _named(polygons, "subzone", "Z", labels, 0.1, state)


def make_zones(
    town: Town,
    district: gpd.GeoDataFrame,
    roads: gpd.GeoDataFrame,
    shops: Shops,
    places: gpd.GeoDataFrame,
    *,
    communities: int,
    random_state: int,
) -> Zones:
    """Draw the zones.

    Parameters
    ----------
    town : Town
        The layout.
    district : GeoDataFrame
        The district, to which corridors are cut.
    roads : GeoDataFrame
        The roads.
    shops : Shops
        The shops, the first of the places.
    places : GeoDataFrame
        The places.
    communities : int
        How many communities there are; there is a sub-zone to every two.
    random_state : int
        The city's random state.

    Returns
    -------
    Zones
        code, name, kind (subzone, road_chief, frontage), lead, cooperating, valid_from, polygons.
    """
    zone, dead = _subzones(
        town.superblock, town.households, town.centres, town.pairs, max(2, round(communities / 2))
    )
    frames = [
        _sub_frame(town, zone, random_state),
        _corridors(roads, district, random_state),
        _frontages(shops, places, random_state),
    ]
    frame = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=CRS)
    frame["lead"] = names.leads(len(frame))
    return Zones(frame, dead)
