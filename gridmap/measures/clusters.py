"""Where problems cluster: on grids, on H3 cells, through time, as a surface."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import scipy.sparse as sp

from gridmap import analysis
from gridmap.errors import ConformError
from gridmap.measures.exposures import KNOWN_BY, USES, Exposure, cell_exposure, grid_exposure
from gridmap.measures.registry import Given, Made, Measure
from gridmap.settings import Analysis

__all__ = ["MEASURES", "cells_of", "observed_until", "scored"]


def _hotspots(given: Given) -> Made:
    grids, loads, settings = given.grids, given["grid_results"], given.settings
    near = analysis.neighbours(grids, distance_m=settings.neighbour_m)
    scores = scored(loads["problems"], near, settings, grid_exposure(given, loads["problems"]))
    return {"hotspots": grids[["code", "name", "geometry"]].join(scores)}


def _clusters(given: Given) -> Made:
    """Return which grids are like their neighbours, by rates where households are known."""
    grids, settings = given.grids, given.settings
    found = analysis.local_moran(
        _rates(given),
        analysis.neighbours(grids, distance_m=settings.neighbour_m),
        permutations=settings.permutations,
        random_state=settings.random_state,
        alpha=settings.alpha,
    )
    if settings.permutations:
        found["p"] = found["p_sim"]
    kept = found[["value", "moran", "z", "p", "q", "cluster"]]
    return {"clusters": grids[["code", "name", "geometry"]].join(kept)}


def _rates(given: Given) -> pd.Series:
    """Return problems for 100 households, shrunk; problems where not all households are known."""
    loads = given["grid_results"]
    values: pd.Series = loads["problems"].astype("float64")
    if loads["households"].fillna(0).gt(0).all():
        values = 100.0 * analysis.empirical_bayes(values, loads["households"].astype("float64"))
    return values


def _geary(given: Given) -> Made:
    """Return which grids differ little or much from their neighbours."""
    grids, settings = given.grids, given.settings
    found = analysis.local_geary(
        _rates(given),
        analysis.neighbours(grids, distance_m=settings.neighbour_m),
        permutations=settings.permutations or _PERMUTATIONS,
        random_state=settings.random_state,
        alpha=settings.alpha,
    ).rename(columns={"p_sim": "p"})
    return {"geary": grids[["code", "name", "geometry"]].join(found)}


def _bivariate(given: Given) -> Made:
    """Compare what residents report in a cell with what patrols report about it."""
    settings, cells = given.settings, given["hotspot_cells"]
    if not (settings.residents and settings.patrols):
        return {}
    counts = analysis.count_by(
        cells_of(given.placed, settings), given.placed["source"], cells["code"]
    )
    sums = [
        counts.reindex(columns=list(names), fill_value=0).sum(axis=1).set_axis(cells.index)
        for names in (settings.residents, settings.patrols)
    ]
    found = analysis.local_moran(
        sums[0],
        analysis.cell_neighbours(list(cells["code"])),
        beside=sums[1],
        permutations=settings.permutations or _PERMUTATIONS,
        random_state=settings.random_state,
        alpha=settings.alpha,
    )
    kept = found.assign(p=found["p_sim"], residents=sums[0], patrols=sums[1])
    columns = ["residents", "patrols", "moran", "p", "q", "cluster"]
    return {"bivariate": cells[["code", "geometry"]].join(kept[columns])}


def _associations(given: Given) -> Made:
    """Tell of the whole map whether like lies by like, and whether high values lie together."""
    settings, rows = given.settings, []
    grids = given.grids if given.has("grid_results") else None
    if grids is not None and len(grids) >= _FEWEST:
        near = analysis.neighbours(grids, distance_m=settings.neighbour_m)
        counts = given["grid_results"]["problems"].astype("float64")
        rows += _of_whole("grids", _rates(given), counts, near, settings)
    cells = given["hotspot_cells"]
    near = analysis.cell_neighbours(list(cells["code"]))
    counts = cells["count"].astype("float64")
    rates = analysis.standardised_rates(counts, cells["expected"])
    known = rates.notna().to_numpy()
    if known.sum() >= _FEWEST:
        rows += _of_whole(
            "cells", rates[known], counts[known], sp.csr_array(near[known][:, known]), settings
        )
    return {"associations": pd.DataFrame(rows)} if rows else {}


def _of_whole(
    units: str, rates: pd.Series, counts: pd.Series, near: sp.csr_array, settings: Analysis
) -> list[dict[str, object]]:
    times, seed = settings.permutations, settings.random_state
    found = {
        "moran": analysis.global_moran(rates, near, permutations=times, random_state=seed),
        "general_g": analysis.general_g(counts, near, permutations=times, random_state=seed),
    }
    rows = []
    for name, told in found.items():
        p = told.p_sim if settings.permutations else told.p
        way = ("together" if told.z > 0 else "apart") if p <= settings.alpha else "none"
        rows.append(
            {"code": f"{units}:{name}", "units": units, "statistic": name, "value": told.value,
             "expected": told.expected, "z": told.z, "p": p, "pattern": way}
        )  # fmt: skip
    return rows


def _hotspot_cells(given: Given) -> Made:
    city, settings = given.city, given.settings
    outline = city.areas(city.levels[0]).union_all() if city.levels else None
    cells = analysis.cell_grid(given.placed, outline, resolution=settings.h3_resolution)
    near = analysis.cell_neighbours(list(cells["code"]))
    exposure = cell_exposure(given, cells, lambda points: cells_of(points, settings))
    scores = scored(cells["count"], near, settings, exposure)
    return {"hotspot_cells": cells[["code", "geometry"]].join(scores), "cell_exposure": exposure}


def _by_source(given: Given) -> Made:
    """Return hot spots of each source, and where residents report and nobody looks."""
    settings, cells, problems = given.settings, given["hotspot_cells"], given.placed
    if not (settings.residents and settings.patrols):
        return {}
    near = analysis.cell_neighbours(list(cells["code"]))
    within = cells_of(problems, settings)
    counts = analysis.count_by(within, problems["source"], cells["code"])
    exposure: Exposure = given["cell_exposure"]
    held = None if exposure.values is None else exposure.values.set_axis(cells["code"])
    scores = analysis.hotspots_by_source(
        counts, near, residents=settings.residents, patrols=settings.patrols, exposure=held,
        minimum=settings.minimum_count, distribution=settings.hotspot_p,
        permutations=settings.permutations, random_state=settings.random_state,
        alpha=settings.alpha,
    ).set_axis(cells.index)  # fmt: skip
    parts = []
    for source in counts.columns:
        columns = {f"{name}_{source}": name for name in ("count", "z", "q", "hotspot")}
        one = cells[["code", "geometry"]].join(scores[list(columns)].rename(columns=columns))
        named = {"cell": one["code"], "source": source, "held_against": exposure.name}
        parts.append(one.assign(code=one["code"] + ":" + source, **named))
    blind = scores["unseen"].fillna(value=False).astype(bool)
    reported = counts[list(settings.residents)].sum(axis=1).set_axis(cells.index)
    unseen = cells.loc[blind, ["code", "geometry"]].assign(count=reported[blind])
    return {
        "source_hotspots": pd.concat(parts, ignore_index=True),
        "unseen": unseen.reset_index(drop=True),
    }


def cells_of(problems: gpd.GeoDataFrame, settings: Analysis) -> pd.Series:
    """Return the H3 cell of each problem, as layers write it.

    Parameters
    ----------
    problems : GeoDataFrame of points, shape (n,)
    settings : Analysis

    Returns
    -------
    Series of str, shape (n,)

    Examples
    --------
    >>> from gridmap.measures.clusters import cells_of
    >>> city = gridmap.read_city("data", layers=["grids", "problems"])
    >>> cells_of(city.frame("problems").head(1), gridmap.Analysis()).str.len().tolist()
    [15]
    """
    within = analysis.cells_of(problems, settings.h3_resolution)
    return pd.Series([f"{cell:x}" for cell in within.tolist()], problems.index, dtype="string")


def scored(
    counts: pd.Series,
    near: sp.csr_array,
    settings: Analysis,
    exposure: Exposure,
) -> pd.DataFrame:
    """Return the hot spots of units by the settings, as layers have them.

    Parameters
    ----------
    counts : Series, shape (m,)
    near : sparse array, shape (m, m)
    settings : Analysis
    exposure : Exposure

    Returns
    -------
    DataFrame, on the index of the counts
        ``count, expected, held_against, z, p, q, hotspot``.

    Examples
    --------
    >>> from gridmap.measures.clusters import scored
    >>> from gridmap.measures.exposures import Exposure
    >>> squares = [shapely.box(x, 0, x + 90, 90) for x in range(0, 1800, 90)]
    >>> row = gpd.GeoDataFrame(geometry=squares, crs=4549)
    >>> counts = pd.Series([30, 30, 30] + [1] * 17)
    >>> found = scored(counts, analysis.neighbours(row), gridmap.Analysis(), Exposure())
    >>> found["hotspot"].head(4).tolist()
    ['none', 'hot', 'none', 'none']
    """
    scores = analysis.hotspots(
        counts, near, exposure=exposure.values, minimum=settings.minimum_count,
        distribution=settings.hotspot_p,
        permutations=settings.permutations, random_state=settings.random_state,
        alpha=settings.alpha,
    )  # fmt: skip
    if settings.permutations:
        scores["p"] = scores["p_sim"]
    scores["expected"] = _expected(counts, exposure)
    scores["held_against"] = exposure.name
    return scores[["count", "expected", "held_against", "z", "p", "q", "hotspot"]]


def _expected(counts: pd.Series, exposure: Exposure) -> pd.Series:
    """Return what units would have if all had the same, by what they are held against."""
    if exposure.values is None:
        return pd.Series(counts.mean(), index=counts.index, dtype="float64")
    known = exposure.values.where(exposure.values > 0)
    return counts[known.notna()].sum() * known / known.sum()


def observed_until(given: Given) -> pd.Timestamp:
    """Return until when problems were reported: the end of the last day with any.

    The moment of the city may be that of a closing weeks after the last report; days on which
    nobody could report yet are no days on which nothing happened.

    Parameters
    ----------
    given : Given
        With problems, some of them with an opening.

    Examples
    --------
    >>> from gridmap.measures.clusters import observed_until
    >>> from gridmap.measures.registry import Given
    >>> city = gridmap.read_city("data", layers=["grids", "problems"])
    >>> found = gridmap.analyse(city, want=["problems"]).frame("problems")
    >>> str(observed_until(Given(city, gridmap.Analysis(), {"problems": found})))
    '2026-01-01 00:00:00+08:00'
    """
    last = pd.Timestamp(given["problems"]["opened"].max()).normalize() + pd.Timedelta(days=1)
    return min(pd.Timestamp(given.city.as_of), last)


# Fewer bins seldom show a trend, and nine in ten of them cannot be told from all.
_LEAST_BINS = 10


def _emerging(given: Given) -> Made:
    """Follow hot spots through time, on the grids of a level or on H3 cells (``h3``)."""
    city, settings = given.city, given.settings
    level = settings.emerging_level or given.level
    if not level or not settings.emerging_bin:
        return {}
    problems = given.placed
    times = problems["opened"]
    # A day that something was reported on was observed from its beginning.
    start = times.min().normalize() if times.notna().any() else pd.NaT
    step = analysis.time_step(settings.emerging_bin)
    if pd.isna(start):
        return {}
    end = observed_until(given)
    if start + _LEAST_BINS * step > end:
        return {}
    exposure = _emerging_exposure(given, level)
    if level == "h3":
        cells = given["hotspot_cells"]
        areas = cells[["code", "geometry"]].assign(name=cells["code"])
        units = cells_of(problems, settings)
        near = analysis.cell_neighbours(list(cells["code"]))
    else:
        areas = city.areas(level)
        units = analysis.assign(problems, areas)
        near = analysis.neighbours(areas, distance_m=settings.neighbour_m)
    cube = analysis.space_time_cube(
        units, times, areas["code"], bin=settings.emerging_bin, start=start, end=end
    )
    patterns = analysis.emerging(
        cube,
        near,
        against="cube" if settings.emerging_against == "cube" else "city",
        exposure=exposure,
        alpha=settings.alpha,
        trend_alpha=settings.alpha,
    ).set_axis(areas.index)
    return {"emerging": areas[["code", "name", "geometry"]].join(patterns)}


def _emerging_exposure(given: Given, level: str) -> pd.Series | None:
    """Return the households of the grids that are followed, where they are held against these."""
    if given.settings.emerging_against != "households":
        return None
    if level != given.level:
        raise ConformError("conform.no_exposure_of", level=given.level)
    loads = given["grid_results"]
    if not loads["households"].fillna(0).any():
        raise ConformError(
            "conform.no_exposure", setting="emerging_against", exposure="households",
            layers=KNOWN_BY["households"],
        )  # fmt: skip
    households: pd.Series = loads["households"]
    return households.set_axis(loads["code"])


def _density(given: Given) -> Made:
    """Estimate the density of problems, as bands."""
    if given.placed.empty:
        return {}
    city, settings, points = given.city, given.settings, given.placed.geometry
    width = settings.bandwidth_m
    if width is None and settings.bandwidth_by == "cross_validation":
        width = analysis.cross_validated_bandwidth(points)
    if settings.density_edges == "none" or not city.levels:
        surface = analysis.kernel_density(points, bandwidth_m=width)
        return {"density": analysis.bands(surface, city.crs)}
    outline = city.areas(city.levels[0]).union_all()
    if not points.intersects(outline).any():
        return {}
    surface = analysis.kernel_density(
        points, bandwidth_m=width, outline=outline, edges=settings.density_edges
    )
    return {"density": analysis.bands(surface, city.crs, outline=outline)}


# Of statistics without a good approximation.
_PERMUTATIONS = 9999
# Units of which a statistic of the whole map says anything.
_FEWEST = 4
_LOCAL = ("alpha", "permutations", "random_state")

MEASURES = (
    Measure(
        "hotspots",
        needs=("grids", "problems", "grid_results"),
        uses=("roads",),
        makes=("hotspots",),
        method="Getis-Ord Gi* (Ord and Getis 1995), exact p, Benjamini-Hochberg FDR",
        settings=(*_LOCAL, "level", "neighbour_m", "minimum_count", "exposure", "hotspot_p"),
        run=_hotspots,
    ),
    Measure(
        "clusters",
        needs=("grids", "problems", "grid_results"),
        makes=("clusters",),
        method="Local Moran's I (Anselin 1995), Benjamini-Hochberg FDR",
        settings=(*_LOCAL, "level", "neighbour_m"),
        run=_clusters,
    ),
    Measure(
        "geary",
        needs=("grids", "problems", "grid_results"),
        makes=("geary",),
        method="Local Geary (Anselin 1995, 2019), conditional permutation, Benjamini-Hochberg FDR",
        settings=(*_LOCAL, "level", "neighbour_m"),
        run=_geary,
    ),
    Measure(
        "bivariate",
        needs=("problems", "hotspot_cells"),
        makes=("bivariate",),
        method="Bivariate local Moran (Anselin, Syabri and Smirnov 2002) on H3, conditional "
        "permutation, Benjamini-Hochberg FDR",
        settings=(*_LOCAL, "h3_resolution", "residents", "patrols"),
        silent="measure.no_sources",
        run=_bivariate,
    ),
    Measure(
        "associations",
        needs=("hotspot_cells",),
        uses=("grids", "grid_results"),
        makes=("associations",),
        method="Moran's I by randomisation (Moran 1950, Cliff and Ord 1981), general G (Getis and "
        "Ord 1992)",
        settings=(*_LOCAL, "level", "neighbour_m"),
        silent="measure.few_units",
        run=_associations,
    ),
    Measure(
        "hotspot_cells",
        needs=("problems",),
        uses=("grids", *USES),
        makes=("hotspot_cells", "cell_exposure"),
        method="Getis-Ord Gi* (Ord and Getis 1995) on H3, exact p, Benjamini-Hochberg FDR",
        settings=(*_LOCAL, "h3_resolution", "minimum_count", "exposure", "hotspot_p"),
        run=_hotspot_cells,
    ),
    Measure(
        "source_hotspots",
        needs=("problems", "hotspot_cells", "cell_exposure"),
        makes=("source_hotspots", "unseen"),
        method="Getis-Ord Gi* (Ord and Getis 1995) on H3, each source by itself; unseen: hot by "
        "what residents report, and no report by a patrol",
        settings=(
            *_LOCAL,
            "h3_resolution",
            "minimum_count",
            "residents",
            "patrols",
            "exposure",
            "hotspot_p",
        ),
        silent="measure.no_sources",
        run=_by_source,
    ),
    Measure(
        "emerging",
        needs=("problems",),
        uses=("grids", "hotspot_cells", "grid_results"),
        makes=("emerging",),
        method="Space-time Getis-Ord Gi* of standardised shares (Assuncao and Reis 1999), "
        "Benjamini-Hochberg FDR, Mann-Kendall for correlated bins (Hamed and Rao 1998)",
        settings=(
            "alpha",
            "neighbour_m",
            "emerging_bin",
            "emerging_level",
            "emerging_against",
            "level",
        ),
        silent="measure.no_periods",
        run=_emerging,
    ),
    Measure(
        "density",
        needs=("problems",),
        uses=("grids",),
        makes=("density",),
        method="Gaussian kernel density (Silverman 1986)",
        settings=("bandwidth_m", "bandwidth_by", "density_edges"),
        silent="measure.no_places",
        run=_density,
    ),
)
