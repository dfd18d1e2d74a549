"""Where problems cluster: on grids, on H3 cells, through time, as a surface, along roads."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import scipy.sparse as sp

from gridmap import analysis
from gridmap.errors import ConformError
from gridmap.measures.summary import Frames, trusted
from gridmap.model import City
from gridmap.settings import Analysis

__all__ = ["black_spots", "density", "emerging", "hot_spots"]


def hot_spots(
    city: City, grids: gpd.GeoDataFrame | None, found: Frames, settings: Analysis
) -> Frames:
    """Find hot spots of grids and of H3 cells, of all sources and of each, and clusters of rates.

    Parameters
    ----------
    city : City
    grids : GeoDataFrame, optional
    found : mapping of str to DataFrame
        Of the steps before: ``problems`` and ``grid_results``.
    settings : Analysis

    Returns
    -------
    dict of str to DataFrame
        ``hotspots``, ``clusters``, ``hotspot_cells``, ``source_hotspots`` and ``unseen``, as far
        as the city has what they are of.
    """
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
        hot["clusters"] = _clusters(grids, loads, near, settings)
        outline = city.areas(city.levels[0]).union_all()
    cells = analysis.cell_grid(problems, outline, resolution=settings.h3_resolution)
    near = analysis.cell_neighbours(list(cells["code"]))
    scores = _scores(cells["count"], near, settings)
    hot["hotspot_cells"] = cells[["code", "geometry"]].join(scores)
    if settings.residents and settings.patrols:
        hot |= _by_source(problems, cells, near, settings)
    return hot


def _clusters(
    grids: gpd.GeoDataFrame, loads: pd.DataFrame, near: sp.csr_array, settings: Analysis
) -> gpd.GeoDataFrame:
    """Return which grids are like their neighbours, by rates where households are known."""
    values = loads["problems"].astype("float64")
    if loads["households"].fillna(0).gt(0).all():
        values = 100.0 * analysis.empirical_bayes(values, loads["households"].astype("float64"))
    found = analysis.local_moran(
        values, near, permutations=settings.permutations, random_state=settings.random_state,
        alpha=settings.alpha,
    )  # fmt: skip
    if settings.permutations:
        found["p"] = found["p_sim"]
    kept = found[["value", "moran", "z", "p", "q", "cluster"]]
    return grids[["code", "name", "geometry"]].join(kept)


def _by_source(
    problems: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, near: sp.csr_array, settings: Analysis
) -> Frames:
    """Return hot spots of each source, and where residents report and nobody looks."""
    within = _cells_of(problems, settings)
    counts = analysis.count_by(within, problems["source"], cells["code"])
    scores = analysis.hotspots_by_source(
        counts, near, residents=settings.residents, patrols=settings.patrols,
        minimum=settings.minimum_count, permutations=settings.permutations,
        random_state=settings.random_state, alpha=settings.alpha,
    ).set_axis(cells.index)  # fmt: skip
    parts = []
    for source in counts.columns:
        columns = {f"{name}_{source}": name for name in ("count", "z", "q", "hotspot")}
        one = cells[["code", "geometry"]].join(scores[list(columns)].rename(columns=columns))
        parts.append(one.assign(cell=one["code"], source=source, code=one["code"] + ":" + source))
    blind = scores["unseen"].fillna(value=False).astype(bool)
    reported = counts[list(settings.residents)].sum(axis=1).set_axis(cells.index)
    unseen = cells.loc[blind, ["code", "geometry"]].assign(count=reported[blind])
    return {
        "source_hotspots": pd.concat(parts, ignore_index=True),
        "unseen": unseen.reset_index(drop=True),
    }


def _cells_of(problems: gpd.GeoDataFrame, settings: Analysis) -> pd.Series:
    """Return the H3 cell of each problem, as layers write it."""
    within = analysis.cells_of(problems, settings.h3_resolution)
    return pd.Series([f"{cell:x}" for cell in within.tolist()], problems.index, dtype="string")


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


def emerging(city: City, level: str, found: Frames, settings: Analysis) -> Frames:
    """Follow hot spots through time, on the grids of a level or on H3 cells (``h3``)."""
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
        units = _cells_of(problems, settings)
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


def density(city: City, found: Frames, settings: Analysis) -> Frames:
    """Estimate the density of problems, as bands."""
    if trusted(found).empty:
        return {}
    points = trusted(found).geometry
    surface = analysis.kernel_density(points, bandwidth_m=settings.bandwidth_m)
    return {"density": analysis.bands(surface, city.crs)}


def black_spots(city: City, found: Frames, settings: Analysis) -> Frames:
    """Grade roads, and find stretches with more problems than chance explains."""
    roads, events = city.frame("roads"), trusted(found)
    levels = analysis.road_levels(
        roads,
        events,
        speeds_kmh=settings.road_speeds_kmh or analysis.SPEED_LIMITS_KMH,
        per_km=settings.road_per_km,
        within_m=settings.snap_m,
    )
    fields = city.catalog.layer("road_levels").fields
    graded = roads.join(levels).reindex(columns=[*fields, "geometry"])
    graded["level"] = graded["level"].astype("string")
    made: Frames = {"road_levels": gpd.GeoDataFrame(graded, crs=city.crs)}
    if settings.black_spot_categories:
        events = events[events["category"].isin(settings.black_spot_categories)]
    if events.empty:
        return made
    spots = analysis.network_hotspots(
        roads,
        events,
        lixel_m=settings.lixel_m,
        bandwidth_m=settings.road_bandwidth_m,
        snap_m=settings.snap_m,
        crossings=settings.road_crossings,
        alpha=settings.alpha,
        minimum=settings.black_spot_minimum,
        random_state=settings.random_state,
    )
    return {**made, "network_hotspots": spots.lixels, "black_spots": spots.black_spots}
