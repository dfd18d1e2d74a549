"""The synthetic city: one call from a random state to all its layers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from synthetic.areas import CRS, Areas, dissolve, make_areas
from synthetic.buildings import compounds, make_buildings
from synthetic.categories import category_frame
from synthetic.duties import Duties, corners_of, make_duties
from synthetic.governance import Governance, usual_governance
from synthetic.grid_defects import find_grid_defects, plant_grid_defects
from synthetic.hot_spots import choose_hot_spots
from synthetic.layout import Town, make_town
from synthetic.ledger import Ledger, make_ledger
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
    fronts : GeoDataFrame
        Street fronts of shops: code, name, holder, place, valid_from.
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
        Everything planted; see `planted_record`, `make_duties` and `make_ledger`.
    duties : Duties or None
        The registers of responsibility, where the town has them.
    ledger : Ledger or None
        The log of the cases.
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
    fronts: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    categories: pd.DataFrame
    problems: gpd.GeoDataFrame
    hall: tuple[float, float]
    planted: dict[str, Any]
    duties: Duties | None = None
    ledger: Ledger | None = None


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


def _build(households: int, governance: Governance, random_state: int) -> _Base:
    log.info("streets and blocks")
    town = make_town(households, random_state)
    log.info("areas from %d blocks", len(town.blocks))
    areas = make_areas(
        town.outlines,
        town.households,
        positions=town.centres,
        pairs=town.pairs,
        centre=town.lattice.centre,
        communities=governance.communities,
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
        shops,
        places,
        subzones=governance.subzones,
        random_state=random_state,
    )
    hall = degrees(places.geometry[places["kind"] == "hall"].iloc[0])
    return _Base(town, areas, buildings, units, roads, places, zones, hall)


def _corner(base: _Base) -> shapely.Polygon:
    """Return the outline of the dead corner."""
    dead = base.zones.dead
    outline: shapely.Polygon = dissolve(base.town.outlines[dead], np.zeros(dead.sum(), np.int64))[0]
    return outline


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
    special |= (problems["chain"] > 0).to_numpy()
    problems = plant_row_defects(problems, special, random_state)
    record = planted_record(
        problems=problems,
        grids=areas.grids,
        buildings=base.buildings,
        grid_defects=defects,
        spots=spots,
        hall=base.hall,
        dead=base.zones.dead,
        corner=_corner(base),
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


def _registers(
    base: _Base,
    problems: gpd.GeoDataFrame,
    grids_planted: gpd.GeoDataFrame,
    governance: Governance,
    random_state: int,
) -> tuple[Duties, Ledger, dict[str, Any]]:
    """Write the registers and the log, and tell what is wrong in them."""
    areas = base.areas
    duties = make_duties(
        areas.communities,
        areas.grids,
        base.roads,
        base.zones.frame,
        base.places,
        corner=_corner(base),
        chiefs=governance.chiefs,
        random_state=random_state,
    )
    ledger = make_ledger(problems, random_state)
    member = duties.grids["member"]
    corners = corners_of(
        problems[problems["defect"] == ""],
        grids_planted.assign(member=member),
        areas.communities,
        base.roads,
        base.zones,
        duties,
    )
    unsigned = base.zones.fronts["code"][base.zones.fronts["holder"] == ""]
    facts = {
        "responsibility": {**duties.planted, **corners, "no_contract": sorted(unsigned)},
        "cases": ledger.planted,
        "seam": base.zones.seam,
    }
    return duties, ledger, facts


def make_city(
    *,
    households: int,
    random_state: int,
    problems_per_household: float = 0.4,
    governance: Governance | None = None,
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
    governance : Governance, optional
        How many communities, sub-zones and road chiefs there are, and whether there are registers.

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
    governance = governance or usual_governance(households)
    base = _build(households, governance, random_state)
    count = round(households * problems_per_household)
    problems, grids_planted, record = _add_problems(base, count, random_state)
    grids, zones, duties, ledger = base.areas.grids, base.zones.frame, None, None
    if governance.registers:
        log.info("registers and the log of cases")
        duties, ledger, facts = _registers(base, problems, grids_planted, governance, random_state)
        grids, zones, problems = duties.grids, duties.zones, ledger.problems
        named = grids[["member", "phone"]]
        grids_planted = grids_planted.assign(**{name: named[name] for name in named})
        record |= facts
    return SyntheticCity(
        households=households,
        random_state=random_state,
        district=base.areas.district,
        streets=base.areas.streets,
        communities=base.areas.communities,
        grids=grids,
        grids_planted=grids_planted,
        blocks=_block_frame(base),
        buildings=base.buildings,
        units=base.units,
        roads=base.roads,
        zones=zones,
        fronts=base.zones.fronts,
        places=base.places,
        categories=category_frame(),
        problems=problems,
        hall=base.hall,
        planted=record,
        duties=duties,
        ledger=ledger,
    )
