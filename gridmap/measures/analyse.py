"""The named steps of the main job, in order: from a city to everything known about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import pandas as pd

from gridmap import analysis
from gridmap.measures.cases import casework, with_deadlines
from gridmap.measures.clusters import black_spots, density, emerging, hot_spots
from gridmap.measures.fairness import shared
from gridmap.measures.responsibility import duties
from gridmap.measures.summary import Frames, summary, trusted
from gridmap.model import City
from gridmap.result import Analysed, Result
from gridmap.schema import typed
from gridmap.settings import Analysis

__all__ = ["STEPS", "analyse", "transferred"]

Progress = Callable[[str], None]


@dataclass
class _Job:
    """A city on its way through the steps."""

    city: City
    settings: Analysis
    left: int = 0
    found: Frames = field(default_factory=dict)
    findings: pd.DataFrame | None = None

    @property
    def level(self) -> str:
        """The level of the grids that are worked."""
        return self.settings.level or (self.city.levels[-1] if self.city.levels else "")

    @cached_property
    def grids(self) -> gpd.GeoDataFrame | None:
        """The grids that are worked."""
        return self.city.areas(self.level) if self.level else None


def analyse(
    city: City,
    settings: Analysis | None = None,
    *,
    progress: Progress | None = None,
    steps: Iterable[str] | None = None,
) -> Analysed:
    """Compute everything that gridmap knows to say about a city.

    Parameters
    ----------
    city : City
    settings : Analysis, optional
        The thresholds; every one has a default.
    progress : callable, optional
        Is told the name of each of the `STEPS` before it begins.
    steps : iterable of str, optional
        Some of the `STEPS`, for what depends on no other; all if left out.

    Returns
    -------
    Analysed
        What the city has no input for is left out of the results.

    Raises
    ------
    GridmapError
        If the settings name a level or layer that the city does not have.
    """
    settings = settings or Analysis()
    job = _Job(city, settings)
    wanted = set(STEPS if steps is None else steps)
    for name, step in _STEPS.items():
        if name in wanted:
            if progress is not None:
                progress(name)
            job.found |= step(job)
    city = job.city
    results = {
        name: Result(layer, typed(layer, frame), _METHODS.get(name, ""), _used(name, settings))
        for name, frame in job.found.items()
        for layer in (city.catalog.layer(name),)
    }
    figures = summary(city, job.found, settings)
    if job.left:
        figures["households_left"] = job.left
    return Analysed(city, results, figures)


_METHODS = {
    "hotspots": "Getis-Ord Gi* (Ord and Getis 1995), Benjamini-Hochberg FDR",
    "source_hotspots": "Getis-Ord Gi* (Ord and Getis 1995) on H3, each source by itself",
    "unseen": "Hot by what residents report, and no report by a patrol",
    "clusters": "Local Moran's I (Anselin 1995), Benjamini-Hochberg FDR",
    "hotspot_cells": "Getis-Ord Gi* (Ord and Getis 1995) on H3, Benjamini-Hochberg FDR",
    "emerging": "Space-time Getis-Ord Gi*, Benjamini-Hochberg FDR, Mann-Kendall",
    "density": "Gaussian kernel density (Silverman 1986)",
    "network_hotspots": "Equal-split network kernel density (Okabe, Satoh and Sugihara 2009), FDR",
    "black_spots": "Hot stretches that touch, by weight above expectation",
    "road_levels": "Five levels by speed, else by problems per kilometre",
    "grid_results": "Counts and sums by grid",
    "fairness": "Expected hours: cases, households, places, travel (Beardwood et al. 1959)",
    "recurrence": "Same category within a distance and time of closing",
    "kpis": "Formulas of docs/kpis.md",
    "deadlines": "Limits by category in working time",
    "derived_leads": "Largest share of area",
    "seams": "Morphological closing (Serra 1982)",
    "gaps": "Parent minus union of children",
    "overlaps": "Pairwise intersection",
    "misnested": "Child minus parent",
}

_ROADS = (
    "alpha",
    "lixel_m",
    "road_bandwidth_m",
    "snap_m",
    "road_crossings",
    "black_spot_categories",
    "random_state",
)
_PARAMETERS = {
    "hotspots": (
        "alpha",
        "neighbour_m",
        "permutations",
        "random_state",
        "minimum_count",
        "exposure",
    ),
    "hotspot_cells": ("alpha", "h3_resolution", "permutations", "random_state", "minimum_count"),
    "source_hotspots": ("alpha", "h3_resolution", "permutations", "residents", "patrols"),
    "unseen": ("alpha", "h3_resolution", "residents", "patrols"),
    "clusters": ("alpha", "neighbour_m", "permutations", "random_state"),
    "emerging": ("alpha", "neighbour_m", "emerging_bin", "emerging_level"),
    "density": ("bandwidth_m",),
    "network_hotspots": _ROADS,
    "road_levels": ("road_speeds_kmh", "road_per_km", "snap_m"),
    "black_spots": (*_ROADS, "black_spot_minimum"),
    "grid_results": ("default_minutes",),
    "gaps": ("gap_minimum_m2",),
    "overlaps": ("gap_minimum_m2",),
    "misnested": ("gap_minimum_m2",),
    "piles": ("pile_share", "pile_minimum"),
    "recurrence": ("recurrence",),
    "deadlines": ("clock",),
    "look_back": ("clock",),
    "kpis": ("clock", "recurrence", "kpis"),
    "fairness": ("fairness", "default_minutes"),
    "dead_corners": ("duties",),
    "seams": ("duties",),
    "line_by_block": ("duties",),
    "derived_leads": ("duties",),
    "corridors": ("duties",),
    "frontages": ("duties",),
    "responsibilities": ("duties",),
}


def _used(name: str, settings: Analysis) -> dict[str, Any]:
    used: dict[str, Any] = settings.model_dump(mode="json", include=set(_PARAMETERS.get(name, ())))
    return used


def transferred(city: City, settings: Analysis) -> City:
    """Return the city with the counts handed on that its file asks for."""
    job = _Job(city, settings)
    _transfer(job)
    return job.city


def _transfer(job: _Job) -> Frames:
    """Hand counts on, and tell how many stayed where they were for want of a target."""
    layers = dict(job.city.layers)
    for step in job.settings.transfers:
        source, target = job.city.frame(step.source), job.city.frame(step.target)
        counts = source[step.field]
        handed = analysis.transfer(source, target, counts, reach_m=step.reach_m)
        layers[step.target] = target.assign(**{step.onto: handed})
        job.left += int(counts.sum() - handed.sum())
    if job.settings.transfers:
        job.city = replace(job.city, layers=layers)
    return {}


def _locate(job: _Job) -> Frames:
    """Give buildings and problems their grid, and problems their zones and their state."""
    city, grids, settings = job.city, job.grids, job.settings
    found: Frames = {}
    if grids is not None and city.has("buildings"):
        buildings = city.frame("buildings")
        inner = buildings.set_geometry(buildings.representative_point())
        found["buildings"] = buildings.assign(grid=analysis.assign(inner, grids))
    if not city.has("problems"):
        return found
    problems, job.findings = with_deadlines(city, settings.clock)
    on_pile, piles = analysis.find_piles(
        problems, share=settings.pile_share, minimum=settings.pile_minimum
    )
    grid = pd.Series(pd.NA, index=problems.index, dtype="string")
    if grids is not None:
        grid = analysis.assign(problems, grids).mask(on_pile)
    states = analysis.timeliness(problems.assign(due=problems["deadline"]), city.as_of)
    found["problems"] = problems.assign(grid=grid, **states, pile=on_pile)
    found["piles"] = piles
    if city.has("zones"):
        zones = city.frame("zones")
        pairs = analysis.assign_all(problems[~on_pile], zones)
        kinds = zones.set_index("code")["kind"].reindex(pairs["area"]).to_numpy()
        found["problem_zones"] = pairs.rename(columns={"point": "problem", "area": "zone"}).assign(
            kind=pd.Series(kinds, dtype="string")
        )
    return found


def _cover(job: _Job) -> Frames:
    city, grids, found, settings = job.city, job.grids, job.found, job.settings
    covered: Frames = {}
    least = settings.gap_minimum_m2
    gaps, overlaps, misnested = [], [], []
    for above, level in zip((None, *city.levels), city.levels, strict=False):
        areas = city.areas(level)
        overlaps.append(analysis.find_overlaps(areas, minimum_m2=least).assign(level=level))
        if above is not None:
            parents = city.areas(above)
            gaps.append(analysis.find_gaps(areas, parents, minimum_m2=least).assign(level=level))
            wrong = analysis.find_misnested(areas, parents, minimum_m2=least)
            misnested.append(wrong.assign(level=level))
    problems = trusted(found) if "problems" in found else None
    for name, parts in (("gaps", gaps), ("overlaps", overlaps), ("misnested", misnested)):
        if parts:
            covered[name] = _numbered(name, parts, problems)
    if problems is not None and (grids is not None or city.has("zones")):
        pairs = found.get("problem_zones")
        covered["unassigned"] = analysis.find_unassigned(
            problems,
            problems["grid"] if grids is not None else None,
            pairs,
            settings.zone_kinds,
        )
    return covered


def _numbered(
    name: str, parts: list[gpd.GeoDataFrame], problems: gpd.GeoDataFrame | None
) -> gpd.GeoDataFrame:
    frame = pd.concat(parts, ignore_index=True)
    frame["level"] = frame["level"].astype("string")
    codes = [f"{name}-{number}" for number in range(1, len(frame) + 1)]
    frame.insert(0, "code", pd.Series(codes, dtype="string"))
    if name != "misnested":
        none = pd.Series(0, index=frame.index, dtype="Int64")
        frame["problems"] = none if problems is None else analysis.count_points(frame, problems)
    return frame


def _load(job: _Job) -> Frames:
    city, grids, found, settings = job.city, job.grids, job.found, job.settings
    if grids is None:
        return {}
    households = grids["households"] if grids["households"].notna().any() else None
    if "buildings" in found:
        buildings = found["buildings"]
        households = analysis.households_in(grids, buildings["grid"], buildings["occupied"])
    minutes = None
    if city.has("categories"):
        minutes = city.layers["categories"].set_index("code")["minutes"]
    loads = analysis.workload(
        grids,
        found.get("problems"),
        minutes=minutes,
        default_minutes=settings.default_minutes,
        households=households,
        places=city.frame("places") if city.has("places") else None,
    )
    frame = grids[["code", "name", "member", "members", "geometry"]].join(loads)
    return {"grid_results": frame[[*city.catalog.layer("grid_results").fields, "geometry"]]}


def _share(job: _Job) -> Frames:
    if job.grids is None or "problems" not in job.found:
        return {}
    return shared(job.city, job.grids, job.found, job.settings.fairness)


def _answer(job: _Job) -> Frames:
    return duties(job.city, job.found, job.settings.duties)


def _follow(job: _Job) -> Frames:
    if job.findings is None:
        return {}
    return casework(job.city, job.found, job.settings, job.findings)


def _heat(job: _Job) -> Frames:
    if "problems" not in job.found:
        return {}
    return hot_spots(job.city, job.grids, job.found, job.settings)


def _emerge(job: _Job) -> Frames:
    level = job.settings.emerging_level or job.level
    if "problems" not in job.found or not level or not job.settings.emerging_bin:
        return {}
    return emerging(job.city, level, job.found, job.settings)


def _dense(job: _Job) -> Frames:
    if "problems" not in job.found:
        return {}
    return density(job.city, job.found, job.settings)


def _black_spots(job: _Job) -> Frames:
    if "problems" not in job.found or not job.city.has("roads"):
        return {}
    return black_spots(job.city, job.found, job.settings)


_STEPS: dict[str, Callable[[_Job], Frames]] = {
    "transfer": _transfer,
    "assign": _locate,
    "coverage": _cover,
    "workload": _load,
    "fairness": _share,
    "duties": _answer,
    "cases": _follow,
    "hotspots": _heat,
    "emerging": _emerge,
    "density": _dense,
    "roads": _black_spots,
}
STEPS = tuple(_STEPS)
