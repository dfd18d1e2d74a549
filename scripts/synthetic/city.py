"""The synthetic city: one call from a random state to all its layers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from synthetic.areas import CRS, Areas, dissolve, make_areas
from synthetic.buildings import compounds, make_buildings
from synthetic.categories import category_frame
from synthetic.grid_defects import find_grid_defects, plant_grid_defects
from synthetic.hot_spots import choose_hot_spots
from synthetic.layout import Town, make_town
from synthetic.places import make_places, make_shops
from synthetic.planted import degrees, in_strips, planted_record
from synthetic.problems import make_problems
from synthetic.roads import make_roads
from synthetic.row_defects import plant_row_defects
from synthetic.town import USES
from synthetic.zones import Zones, make_zones

LEAST_HOUSEHOLDS = 10_000

log = logging.getLogger("synthetic")


@dataclass(frozen=True)
class SyntheticCity:
    """A made-up town. All frames are in EPSG:4549 (CGCS2000, x east, y north, metres).

    Attributes
    ----------
    households, random_state : int
        What was asked for.
    district, streets, communities, grids : GeoDataFrame
        Exact coverages, each level nested in the one above: code, name, parent; grids also member,
        phone, members (persons).
    grids_planted : GeoDataFrame
        The grids with two gaps and two overlaps.
    blocks : GeoDataFrame
        The blocks between streets: grid (code), use, households.
    buildings : GeoDataFrame
        code, name, compound, kind, floors, units, households, occupied; and as ground truth grid
        (code) and block (row of `blocks`).
    units : GeoDataFrame
        Stairwell units, slices of the buildings: code, building, households, occupied.
    roads : GeoDataFrame
        code, name, class.
    zones : GeoDataFrame
        code, name, kind, lead, cooperating, valid_from.
    places : GeoDataFrame
        code, name, kind, risk.
    categories : DataFrame
        category, name_en, expected_minutes, limit_hours, class_code.
    problems : GeoDataFrame
        As they truly are, by time: id, category, source, reported, deadline, closed (local times),
        lon, lat, address, hot_spot, defect (how the row will be written wrongly), recorded_id.
    hall : tuple of float
        Longitude and latitude of the town hall, where failed geocoding falls back to.
    planted : dict
        Everything planted; see `planted_record`.
    """

    households: int
    random_state: int
    district: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    grids: gpd.GeoDataFrame
    grids_planted: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    categories: pd.DataFrame
    problems: gpd.GeoDataFrame
    hall: tuple[float, float]
    planted: dict[str, Any]


@dataclass(frozen=True)
class _Base:
    """The town without its problems."""

    town: Town
    areas: Areas
    buildings: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    zones: Zones
    hall: tuple[float, float]


def _build(households: int, random_state: int) -> _Base:
    log.info("streets and blocks")
    town = make_town(households, random_state)
    log.info("areas from %d blocks", len(town.blocks))
    areas = make_areas(
        town.outlines,
        town.households,
        positions=town.centres,
        pairs=town.pairs,
        centre=town.lattice.centre,
        random_state=random_state,
    )
    log.info("%d buildings", len(town.stock))
    compound, compound_names = compounds(town.estate, town.uses, random_state)
    buildings, units = make_buildings(
        town.blocks, town.stock, areas, compound, compound_names, random_state
    )
    log.info("roads, places and zones")
    roads = make_roads(town.lattice, town.mask, random_state)
    shops = make_shops(town.blocks, town.stock)
    places = make_places(town.blocks, town.uses, shops, town.hall, random_state)
    zones = make_zones(
        town,
        areas.district,
        roads,
        shops,
        places,
        communities=len(areas.communities),
        random_state=random_state,
    )
    hall = degrees(places.geometry[places["kind"] == "hall"].iloc[0])
    return _Base(town, areas, buildings, units, roads, places, zones, hall)


def _add_problems(
    base: _Base, count: int, random_state: int
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, dict[str, Any]]:
    """Plant the grids' defects, draw the problems and mark their defects."""
    town, areas = base.town, base.areas
    log.info("%d problems", count)
    defects = find_grid_defects(town, areas, random_state)
    district = areas.district.geometry.iloc[0]
    spots = choose_hot_spots(town.blocks, district, count, random_state)
    gaps = [defect.strip for defect in defects if defect.kind == "gap"]
    problems = make_problems(
        town.blocks,
        base.buildings,
        areas,
        spots,
        gaps,
        count=count,
        random_state=random_state,
    )
    special = in_strips(problems, defects, "gap") | in_strips(problems, defects, "overlap")
    problems = plant_row_defects(problems, special, random_state)
    corner = dissolve(town.outlines[base.zones.dead], np.zeros(base.zones.dead.sum(), np.int64))[0]
    record = planted_record(
        problems=problems,
        grids=areas.grids,
        buildings=base.buildings,
        grid_defects=defects,
        spots=spots,
        hall=base.hall,
        dead=base.zones.dead,
        corner=corner,
    )
    return problems, plant_grid_defects(areas.grids, defects), record


def _block_frame(base: _Base) -> gpd.GeoDataFrame:
    town, areas = base.town, base.areas
    return gpd.GeoDataFrame(
        {
            "grid": areas.grids["code"].to_numpy()[areas.block_grid],
            "use": pd.Series(USES, dtype="str").take(town.uses).to_numpy(),
            "households": town.households,
        },
        geometry=town.outlines,
        crs=CRS,
    )


def make_city(
    *, households: int, random_state: int, problems_per_household: float = 0.4
) -> SyntheticCity:
    """Make a synthetic Chinese town; the same arguments give the same town.

    Parameters
    ----------
    households : int
        Dwellings, from 10,000 upwards; met to within 2 %.
    random_state : int
        Seed of all draws, 0 or more.
    problems_per_household : float
        Problems in the year for each dwelling asked for.

    Returns
    -------
    SyntheticCity
        All layers.

    Raises
    ------
    ValueError
        Fewer households than a town of several communities needs.
    """
    if households < LEAST_HOUSEHOLDS:
        raise ValueError(f"households={households}: a town needs {LEAST_HOUSEHOLDS} or more")
    base = _build(households, random_state)
    count = round(households * problems_per_household)
    problems, grids_planted, record = _add_problems(base, count, random_state)
    return SyntheticCity(
        households=households,
        random_state=random_state,
        district=base.areas.district,
        streets=base.areas.streets,
        communities=base.areas.communities,
        grids=base.areas.grids,
        grids_planted=grids_planted,
        blocks=_block_frame(base),
        buildings=base.buildings,
        units=base.units,
        roads=base.roads,
        zones=base.zones.frame,
        places=base.places,
        categories=category_frame(),
        problems=problems,
        hall=base.hall,
        planted=record,
    )
