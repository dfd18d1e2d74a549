"""Alarms: where more is reported since some days than before, today."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import shapely

from gridmap import analysis
from gridmap.errors import ConformError
from gridmap.measures.clusters import cells_of, observed_until
from gridmap.measures.exposures import COUNTS, KNOWN_BY, Exposure, grid_exposure
from gridmap.measures.registry import Given, Made, Measure

__all__ = ["MEASURES"]

# Units, neighbours, spans and maps of chance that take some minutes.
_MOST_WORK = 1e11


@dataclass(frozen=True)
class _Units:
    """What is scanned: areas with a code and a name, and the one that each problem lies in."""

    areas: gpd.GeoDataFrame
    within: pd.Series


def _alarms(given: Given) -> Made:
    """Return the places that stand out today, one row each, as the areas that they are made of."""
    asked, problems = given.settings.alarms, given.placed
    level = asked.level or _level(given)
    times = problems["opened"]
    if times.notna().sum() == 0:
        return {}
    end = observed_until(given)
    step = analysis.time_step(asked.bin)
    start = max(times.min(), end - pd.Timedelta(days=asked.days))
    if start + 2 * step > end:
        return {}
    units = _units(given, problems, level)
    exposure = _exposure(given, units, level)
    if exposure is not None:
        held = (exposure.fillna(0) > 0).to_numpy(dtype=bool)
        areas, exposure = units.areas[held], exposure[held]
        units = _Units(areas, units.within.where(units.within.isin(areas["code"])))
    seen = times.between(start, end) & units.within.notna()
    if not seen.any():
        return {}
    cube = analysis.space_time_cube(
        units.within[seen], times[seen], units.areas["code"], bin=asked.bin, start=start, end=end
    )
    if not cube.counts.any():
        return {}
    if _work(given, len(units.areas)) > _MOST_WORK:
        raise ConformError("conform.scan_large", units=len(units.areas))
    found = analysis.space_time_scan(
        cube,
        units.areas.geometry,
        model="permutation" if exposure is None else "poisson",
        exposure=exposure,
        most_bins=asked.most_bins,
        most_share=asked.most_share,
        permutations=asked.replicates,
        random_state=given.settings.random_state,
        alpha=given.settings.alpha,
    )
    return {"alarms": _told(found, units, problems[seen], cube, _names(given, level))}


def _level(given: Given) -> str:
    """Return the finest level from that of the analysis up that is scanned in minutes."""
    levels = given.city.levels
    if given.level not in levels:
        return given.level or "h3"
    upward = levels[levels.index(given.level) :: -1]
    fine = (name for name in upward if _work(given, len(given.city.areas(name))) <= _MOST_WORK)
    return next(fine, upward[-1])


def _work(given: Given, units: int) -> float:
    """Return how many units, neighbours, spans and maps of chance are looked at."""
    asked = given.settings.alarms
    return float(units) ** 2 * asked.most_share * asked.most_bins * asked.replicates


def _names(given: Given, level: str) -> pd.Series | None:
    """Return the names of the grids by code, where cells are scanned, which have none."""
    if level != "h3" or not given.level:
        return None
    names: pd.Series = given.grids.set_index("code")["name"].astype("string")
    return names


def _units(given: Given, problems: gpd.GeoDataFrame, level: str) -> _Units:
    if level == "h3":
        cells = given["hotspot_cells"]
        areas = cells[["code", "geometry"]].assign(name=cells["code"])
        return _Units(areas, cells_of(problems, given.settings))
    areas = given.city.areas(level)
    return _Units(areas, analysis.assign(problems, areas))


def _exposure(given: Given, units: _Units, level: str) -> pd.Series | None:
    """Return what is expected in proportion to what; None where that is the past itself."""
    if given.settings.alarms.model == "permutation":
        return None
    if level == "h3":
        chosen: Exposure = given["cell_exposure"]
    elif level == given.level:
        chosen = grid_exposure(given, given["grid_results"]["problems"])
    else:
        raise ConformError("conform.no_alarm_exposure_of", level=given.level)
    if chosen.name == COUNTS or chosen.values is None:
        layers = ", ".join(dict.fromkeys(KNOWN_BY.values()))
        raise ConformError("conform.no_alarm_exposure", layers=layers)
    return chosen.values.set_axis(units.areas.index)


def _told(
    found: analysis.Scan,
    units: _Units,
    problems: gpd.GeoDataFrame,
    cube: analysis.Cube,
    names: pd.Series | None,
) -> gpd.GeoDataFrame:
    """Return clusters as rows of the layer, with the category that is most beyond its due."""
    areas = units.areas.set_index("code")
    within, late = units.within.loc[problems.index], problems["opened"]
    rows: list[dict[str, object]] = []
    shapes = []
    for number, cluster in found.clusters.iterrows():
        codes = found.members["code"][found.members["cluster"] == number]
        inside = within.isin(codes)
        recent = (late > cluster["since"]) & (late <= cube.edges[-1])
        due = cluster["expected"] / cube.counts.sum()
        category, cases = _leading(problems["category"].astype("string"), inside & recent, due)
        name = areas["name"][cluster["code"]]
        if names is not None:
            most = problems["grid"][inside & recent].mode()
            name = names.get(most.iloc[0], name) if len(most) else name
        rows.append(
            {"code": cluster["code"], "name": name,
             "rank": len(rows) + 1, "category": category, "category_cases": cases}
        )  # fmt: skip
        shapes.append(shapely.union_all(areas.geometry[codes].to_numpy()))
    told = pd.DataFrame(rows, columns=["code", "name", "rank", "category", "category_cases"])
    kept = ["units", "since", "bins", "cases", "expected", "ratio", "p", "once_in"]
    told = told.join(found.clusters[kept])
    told["since"] = pd.to_datetime(told["since"], utc=True).dt.tz_convert(cube.edges.tz)
    return gpd.GeoDataFrame(told, geometry=shapes, crs=units.areas.crs)


def _leading(categories: pd.Series, rows: pd.Series, due: float) -> tuple[str | None, int | None]:
    """Return the category with the most cases beyond its due, a share of all of its cases."""
    found = categories[rows].value_counts()
    if found.empty:
        return None, None
    beyond = found - due * categories.value_counts().reindex(found.index)
    name = str(beyond.sort_index().idxmax())
    return name, int(found[name])


MEASURES = (
    Measure(
        "alarms",
        needs=("problems",),
        uses=("grids", "hotspot_cells", "cell_exposure", "grid_results", "roads"),
        makes=("alarms",),
        method="Prospective space-time scan (Kulldorff 2001; permutation model of Kulldorff et "
        "al. 2005), p by Monte Carlo rank",
        settings=("alarms", "alpha", "exposure", "level", "h3_resolution", "random_state"),
        silent="measure.no_days",
        run=_alarms,
    ),
)
