"""What was planted and where: the answers that tests and demonstrations check against."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer

from synthetic.areas import CRS
from synthetic.categories import CATEGORIES
from synthetic.fields import BoolArray
from synthetic.grid_defects import GridDefect
from synthetic.hot_spots import HotSpot
from synthetic.row_defects import BAD_PLACES, BAD_TIMES, SHARES, variants
from synthetic.times import DAYS, FIRST_DAY

Record = dict[str, Any]


def inside(problems: gpd.GeoDataFrame, polygon: shapely.Polygon) -> BoolArray:
    """Tell the problems inside a polygon, which may be a small part of a large town."""
    xy = shapely.get_coordinates(problems.geometry.to_numpy())
    west, south, east, north = polygon.bounds
    near = (xy[:, 0] >= west) & (xy[:, 0] <= east) & (xy[:, 1] >= south) & (xy[:, 1] <= north)
    near[near] = shapely.contains_xy(polygon, *xy[near].T)
    return near


def in_strips(problems: gpd.GeoDataFrame, defects: list[GridDefect], kind: str) -> BoolArray:
    """Tell the problems in the strips of one kind of grid defect."""
    hit = np.zeros(len(problems), dtype=np.bool_)
    for defect in defects:
        if defect.kind == kind:
            hit |= inside(problems, defect.strip)
    return hit


def degrees(point: shapely.Point) -> tuple[float, float]:
    """Longitude and latitude of a point to six decimals."""
    lon, lat = Transformer.from_crs(CRS, 4490, always_xy=True).transform(point.x, point.y)
    return round(lon, 6), round(lat, 6)


def _located(point: shapely.Point) -> Record:
    lon, lat = degrees(point)
    return {"lon": lon, "lat": lat}


def _listed(problems: gpd.GeoDataFrame, rows: BoolArray) -> Record:
    ids = problems["id"].to_numpy()[rows].tolist()
    return {"count": len(ids), "ids": ids}


def _strip_records(grids: gpd.GeoDataFrame, defects: list[GridDefect], kind: str) -> list[Record]:
    codes = grids["code"].tolist()
    return [
        {
            "grid": codes[defect.grid],
            "neighbour": codes[defect.neighbour],
            "area_m2": round(defect.strip.area, 2),
            **_located(shapely.point_on_surface(defect.strip)),
        }
        for defect in defects
        if defect.kind == kind
    ]


def _row_records(problems: gpd.GeoDataFrame, hall: tuple[float, float]) -> tuple[Record, Record]:
    """Dirty rows by reason, and the pile of rows on one coordinate."""
    defect = problems["defect"].to_numpy()
    dirty = {
        reason: _listed(problems, defect == reason)
        for reason in SHARES
        if reason != "fallback_coordinate"
    }
    ids = problems["id"].to_numpy()
    places = variants(problems, "out_of_area", BAD_PLACES)
    texts = variants(problems, "unparseable_time", BAD_TIMES)
    dirty["out_of_area"]["variants"] = {k: ids[rows].tolist() for k, rows in places.items()}
    dirty["unparseable_time"]["variants"] = {k: ids[rows].tolist() for k, rows in texts.items()}
    # In the file these rows carry the id of an earlier row, so that id is what can be found there.
    repeated = problems["recorded_id"].to_numpy()[defect == "repeated_id"].tolist()
    dirty["repeated_id"]["ids"] = repeated
    pile = _listed(problems, defect == "fallback_coordinate")
    return dirty, {"lon": hall[0], "lat": hall[1], **pile}


def _spot_records(problems: gpd.GeoDataFrame, spots: list[HotSpot]) -> list[Record]:
    names = problems["hot_spot"].to_numpy()
    last = str((FIRST_DAY + np.timedelta64(DAYS - 1, "D")).astype("datetime64[D]"))
    return [
        {
            "name": spot.name,
            "category": CATEGORIES[spot.category].name,
            **_located(shapely.Point(spot.xy)),
            "x": spot.xy[0],
            "y": spot.xy[1],
            "sigma_m": spot.sigma_m,
            "active_from": str(
                (FIRST_DAY + np.timedelta64(spot.first_day, "D")).astype("datetime64[D]")
            ),
            "active_to": last,
            **_listed(problems, names == spot.name),
        }
        for spot in spots
    ]


def _corner_record(
    problems: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    dead: BoolArray,
    corner: shapely.Polygon,
) -> Record:
    built = buildings[dead[buildings["block"].to_numpy()]]
    clean = (problems["defect"] == "").to_numpy()
    ring = shapely.get_coordinates(corner.exterior)
    lon, lat = Transformer.from_crs(CRS, 4490, always_xy=True).transform(*ring.T)
    outline = np.round(np.stack([lon, lat], axis=1), 7).tolist()
    return {
        "area_m2": round(corner.area, 2),
        **_located(shapely.point_on_surface(corner)),
        "buildings": len(built),
        "households": int(built["households"].sum()),
        "occupied": int(built["occupied"].sum()),
        "problems": _listed(problems, inside(problems, corner) & clean),
        "outline": outline,
    }


def planted_record(
    *,
    problems: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame,
    grid_defects: list[GridDefect],
    spots: list[HotSpot],
    hall: tuple[float, float],
    dead: BoolArray,
    corner: shapely.Polygon,
) -> Record:
    """Record everything planted, ready for JSON.

    Parameters
    ----------
    problems : GeoDataFrame
        The problems with their marks.
    grids, buildings : GeoDataFrame
        The exact grids, and the buildings.
    grid_defects : list of GridDefect
        What is wrong with the planted grids.
    spots : list of HotSpot
        The hot spots.
    hall : tuple of float
        Longitude and latitude of the pile.
    dead : array of bool
        Blocks of the dead corner.
    corner : shapely.Polygon
        Outline of the dead corner.

    Returns
    -------
    dict
        gaps, overlaps, dirty_rows (by reason), fallback_pile, in_no_grid, in_two_grids, hot_spots,
        dead_corner. Lists of ids name rows of the written problems.
    """
    dirty, pile = _row_records(problems, hall)
    return {
        "gaps": _strip_records(grids, grid_defects, "gap"),
        "overlaps": _strip_records(grids, grid_defects, "overlap"),
        "dirty_rows": dirty,
        "fallback_pile": pile,
        "in_no_grid": _listed(problems, in_strips(problems, grid_defects, "gap")),
        "in_two_grids": _listed(problems, in_strips(problems, grid_defects, "overlap")),
        "hot_spots": _spot_records(problems, spots),
        "dead_corner": _corner_record(problems, buildings, dead, corner),
    }
