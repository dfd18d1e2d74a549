"""Where areas leave gaps, overlap or stick out, and which problems have no grid or zone."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from gridmap import analysis
from gridmap.measures.registry import Given, Made, Measure

__all__ = ["MEASURES"]


def _gaps(given: Given) -> Made:
    city, least = given.city, given.settings.gap_minimum_m2
    parts = [
        analysis.find_gaps(city.areas(level), city.areas(above), minimum_m2=least).assign(
            level=level
        )
        for above, level in zip(city.levels, city.levels[1:], strict=False)
    ]
    return {"gaps": given.counted(_numbered("gaps", parts))} if parts else {}


def _overlaps(given: Given) -> Made:
    city, least = given.city, given.settings.gap_minimum_m2
    parts = [
        analysis.find_overlaps(city.areas(level), minimum_m2=least).assign(level=level)
        for level in city.levels
    ]
    return {"overlaps": given.counted(_numbered("overlaps", parts))}


def _misnested(given: Given) -> Made:
    city, least = given.city, given.settings.gap_minimum_m2
    parts = [
        analysis.find_misnested(city.areas(level), city.areas(above), minimum_m2=least).assign(
            level=level
        )
        for above, level in zip(city.levels, city.levels[1:], strict=False)
    ]
    return {"misnested": _numbered("misnested", parts)} if parts else {}


def _numbered(name: str, parts: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    frame = pd.concat(parts, ignore_index=True)
    frame["level"] = frame["level"].astype("string")
    codes = [f"{name}-{number}" for number in range(1, len(frame) + 1)]
    frame.insert(0, "code", pd.Series(codes, dtype="string"))
    return frame


def _zones(given: Given) -> Made:
    """Return every pair of a problem and a zone that holds it."""
    zones = given["zones"]
    pairs = analysis.assign_all(given.placed, zones)
    kinds = zones.set_index("code")["kind"].reindex(pairs["area"]).to_numpy()
    pairs = pairs.rename(columns={"point": "problem", "area": "zone"})
    return {"problem_zones": pairs.assign(kind=pd.Series(kinds, dtype="string"))}


def _unassigned(given: Given) -> Made:
    if not (given.level or given.city.has("zones")):
        return {}
    placed = given.placed
    found = analysis.find_unassigned(
        placed,
        placed["grid"] if given.level else None,
        given.get("problem_zones"),
        given.settings.zone_kinds,
    )
    return {"unassigned": found}


_LEAST = ("gap_minimum_m2",)


def _not_interpolated(given: Given) -> Made:
    """Hand on what was kept when counts were shared out, before any measure."""
    kept = given.get("not_interpolated") if given.settings.interpolate else None
    return {} if kept is None else {"not_interpolated": kept}


MEASURES = (
    Measure(
        "not_interpolated",
        needs=(),
        makes=("not_interpolated",),
        method="Areal weighting (Goodchild and Lam 1980), what found no target in reach",
        settings=("interpolate",),
        silent="measure.all_interpolated",
        run=_not_interpolated,
    ),
    Measure(
        "gaps",
        needs=("grids",),
        uses=("problems",),
        makes=("gaps",),
        method="Parent minus union of children",
        settings=_LEAST,
        silent="measure.one_level",
        run=_gaps,
    ),
    Measure(
        "overlaps",
        needs=("grids",),
        uses=("problems",),
        makes=("overlaps",),
        method="Pairwise intersection",
        settings=_LEAST,
        run=_overlaps,
    ),
    Measure(
        "misnested",
        needs=("grids",),
        makes=("misnested",),
        method="Child minus parent",
        settings=_LEAST,
        silent="measure.one_level",
        run=_misnested,
    ),
    Measure(
        "problem_zones",
        needs=("problems", "zones"),
        makes=("problem_zones",),
        method="Point in polygon, borders included",
        run=_zones,
    ),
    Measure(
        "unassigned",
        needs=("problems",),
        uses=("grids", "problem_zones"),
        makes=("unassigned",),
        method="Problems in no grid, or in no zone of a kind that should cover",
        settings=("level", "zone_kinds"),
        silent="measure.no_areas",
        run=_unassigned,
    ),
)
