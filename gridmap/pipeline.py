"""The named steps of the main job, in order: from a city to everything known about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd
import scipy.sparse as sp

from gridmap import analysis
from gridmap.config import Analysis
from gridmap.errors import ConformError
from gridmap.figures import Frames, summary, trusted
from gridmap.model import City
from gridmap.result import Analysed, Result

__all__ = ["STEPS", "analyse", "transferred"]

Progress = Callable[[str], None]

STEPS = ("transfer", "assign", "coverage", "workload", "hotspots", "emerging", "density", "roads")


def analyse(
    city: City, settings: Analysis | None = None, *, progress: Progress | None = None
) -> Analysed:
    """Compute everything that gridmap knows to say about a city.

    Parameters
    ----------
    city : City
    settings : Analysis, optional
        The thresholds; every one has a default.
    progress : callable, optional
        Is told the name of each of the `STEPS` before it begins.

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
    tell = progress or (lambda _: None)
    tell("transfer")
    city, left = _transferred(city, settings)
    level = settings.level or (city.levels[-1] if city.levels else "")
    grids = city.areas(level) if level else None
    tell("assign")
    found = _located(city, grids, settings)
    tell("coverage")
    found |= _covered(city, grids, found, settings)
    tell("workload")
    if grids is not None:
        found["grid_results"] = _loads(city, grids, found, settings)
    tell("hotspots")
    found |= _hot(city, grids, found, settings)
    tell("emerging")
    found |= _emerging(city, level, found, settings)
    tell("density")
    found |= _dense(city, found, settings)
    tell("roads")
    found |= _black_spots(city, found, settings)
    results = {
        name: Result(city.catalog.layer(name), frame, _METHODS.get(name, ""), _used(name, settings))
        for name, frame in found.items()
    }
    figures = summary(city, found, settings)
    if left:
        figures["households_left"] = left
    return Analysed(city, results, figures)


_METHODS = {
    "hotspots": "Getis-Ord Gi* (Ord and Getis 1995), Benjamini-Hochberg FDR",
    "hotspot_cells": "Getis-Ord Gi* (Ord and Getis 1995) on H3, Benjamini-Hochberg FDR",
    "emerging": "Space-time Getis-Ord Gi*, Benjamini-Hochberg FDR, Mann-Kendall",
    "density": "Gaussian kernel density (Silverman 1986)",
    "network_hotspots": "Equal-split network kernel density (Okabe, Satoh and Sugihara 2009), FDR",
    "black_spots": "Hot stretches that touch, by weight above expectation",
    "grid_results": "Counts and sums by grid",
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
    "emerging": ("alpha", "neighbour_m", "emerging_bin", "emerging_level"),
    "density": ("bandwidth_m",),
    "network_hotspots": _ROADS,
    "black_spots": (*_ROADS, "black_spot_minimum"),
    "grid_results": ("default_minutes",),
    "gaps": ("gap_minimum_m2",),
    "overlaps": ("gap_minimum_m2",),
    "misnested": ("gap_minimum_m2",),
    "piles": ("pile_share", "pile_minimum"),
}


def _used(name: str, settings: Analysis) -> dict[str, Any]:
    used = {key: getattr(settings, key) for key in _PARAMETERS.get(name, ())}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in used.items()}


def transferred(city: City, settings: Analysis) -> City:
    """Return the city with the counts handed on that its file asks for."""
    return _transferred(city, settings)[0]


def _transferred(city: City, settings: Analysis) -> tuple[City, int]:
    """Hand counts on, and tell how many stayed where they were for want of a target."""
    layers = dict(city.layers)
    left = 0
    for step in settings.transfers:
        source, target = city.frame(step.source), city.frame(step.target)
        counts = source[step.field]
        handed = analysis.transfer(source, target, counts, reach_m=step.reach_m)
        layers[step.target] = target.assign(**{step.onto: handed})
        left += int(counts.sum() - handed.sum())
    return (replace(city, layers=layers) if settings.transfers else city), left


def _located(city: City, grids: gpd.GeoDataFrame | None, settings: Analysis) -> Frames:
    """Give buildings and problems their grid, and problems their zones and their state."""
    found: Frames = {}
    if grids is not None and city.has("buildings"):
        buildings = city.frame("buildings")
        inner = buildings.set_geometry(buildings.representative_point())
        found["buildings"] = buildings.assign(grid=analysis.assign(inner, grids))
    if not city.has("problems"):
        return found
    problems = city.frame("problems")
    on_pile, piles = analysis.find_piles(
        problems, share=settings.pile_share, minimum=settings.pile_minimum
    )
    grid = pd.Series(pd.NA, index=problems.index, dtype="string")
    if grids is not None:
        grid = analysis.assign(problems, grids).mask(on_pile)
    states = analysis.timeliness(problems, city.as_of)
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


def _covered(
    city: City, grids: gpd.GeoDataFrame | None, found: Frames, settings: Analysis
) -> Frames:
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


def _loads(
    city: City, grids: gpd.GeoDataFrame, found: Frames, settings: Analysis
) -> gpd.GeoDataFrame:
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
    return frame[[*city.catalog.layer("grid_results").fields, "geometry"]]


def _hot(city: City, grids: gpd.GeoDataFrame | None, found: Frames, settings: Analysis) -> Frames:
    if "problems" not in found:
        return {}
    problems = trusted(found)
    outline = None
    hot: Frames = {}
    if grids is not None:
        loads = found["grid_results"]
        near = analysis.neighbours(grids, distance_m=settings.neighbour_m)
        exposure = loads["households"] if settings.exposure == "households" else None
        if exposure is not None and not exposure.fillna(0).any():
            raise ConformError("conform.no_exposure")
        scores = _scores(loads["problems"], near, settings, exposure)
        hot["hotspots"] = grids[["code", "name", "geometry"]].join(scores)
        outline = city.areas(city.levels[0]).union_all()
    cells = analysis.cell_grid(problems, outline, resolution=settings.h3_resolution)
    near = analysis.cell_neighbours(list(cells["code"]))
    scores = _scores(cells["count"], near, settings)
    hot["hotspot_cells"] = cells[["code", "geometry"]].join(scores)
    return hot


def _scores(
    counts: pd.Series,
    near: sp.csr_array,
    settings: Analysis,
    exposure: pd.Series | None = None,
) -> pd.DataFrame:
    scores = analysis.hotspots(
        counts, near, exposure=exposure, minimum=settings.minimum_count,
        permutations=settings.permutations, random_state=settings.random_state,
        alpha=settings.alpha,
    )  # fmt: skip
    if settings.permutations:
        scores["p"] = scores["p_sim"]
    return scores[["count", "z", "p", "q", "hotspot"]]


# Fewer bins seldom show a trend, and nine in ten of them cannot be told from all.
_LEAST_BINS = 10


def _emerging(city: City, level: str, found: Frames, settings: Analysis) -> Frames:
    level = settings.emerging_level or level
    if "problems" not in found or not level or not settings.emerging_bin:
        return {}
    problems = trusted(found)
    times = problems["opened"]
    # A day that something was reported on was observed from its beginning.
    start = times.min().normalize() if times.notna().any() else pd.NaT
    step = analysis.time_step(settings.emerging_bin)
    if pd.isna(start) or start + _LEAST_BINS * step > city.as_of:
        return {}
    if level == "h3":
        cells = found["hotspot_cells"]
        areas = cells[["code", "geometry"]].assign(name=cells["code"])
        within = analysis.cells_of(problems, settings.h3_resolution)
        units = pd.Series([f"{cell:x}" for cell in within.tolist()], problems.index, dtype="string")
        near = analysis.cell_neighbours(list(cells["code"]))
    else:
        areas = city.areas(level)
        units = analysis.assign(problems, areas)
        near = analysis.neighbours(areas, distance_m=settings.neighbour_m)
    cube = analysis.space_time_cube(
        units, times, areas["code"], bin=settings.emerging_bin, start=start, end=city.as_of
    )
    patterns = analysis.emerging(cube, near, alpha=settings.alpha).set_axis(areas.index)
    return {"emerging": areas[["code", "name", "geometry"]].join(patterns)}


def _dense(city: City, found: Frames, settings: Analysis) -> Frames:
    if "problems" not in found or trusted(found).empty:
        return {}
    points = trusted(found).geometry
    surface = analysis.kernel_density(points, bandwidth_m=settings.bandwidth_m)
    return {"density": analysis.bands(surface, city.crs)}


def _black_spots(city: City, found: Frames, settings: Analysis) -> Frames:
    if "problems" not in found or not city.has("roads"):
        return {}
    events = trusted(found)
    if settings.black_spot_categories:
        events = events[events["category"].isin(settings.black_spot_categories)]
    if events.empty:
        return {}
    made = analysis.network_hotspots(
        city.frame("roads"),
        events,
        lixel_m=settings.lixel_m,
        bandwidth_m=settings.road_bandwidth_m,
        snap_m=settings.snap_m,
        crossings=settings.road_crossings,
        alpha=settings.alpha,
        minimum=settings.black_spot_minimum,
        random_state=settings.random_state,
    )
    return {"network_hotspots": made.lixels, "black_spots": made.black_spots}
