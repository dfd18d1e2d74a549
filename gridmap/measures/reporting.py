"""How readily residents report, and how much there is that nobody reports."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap import analysis
from gridmap.measures.registry import Given, Made, Measure

__all__ = ["MEASURES"]

# Standard deviations by which repeats must be more than coincidences.
_PLAINLY = 3.0
_MOST_TIMES = 10.0


def _reporting(given: Given) -> Made:
    """Return areas with what is reported of them, and with what there is by estimate."""
    settings, asked, cases = given.settings, given.settings.reporting, given.placed
    level, seed = asked.level or given.level, settings.random_state
    if not level or cases.empty:
        return {}
    areas = given.city.areas(level)
    cases = cases.set_index("code")
    events = analysis.same_event(cases, within_m=asked.within_m, as_of=given.city.as_of)
    table = analysis.event_table(
        cases, events, as_of=given.city.as_of, residents=settings.residents,
        within_m=asked.within_m, most_days=asked.most_days,
    )  # fmt: skip
    within = analysis.assign(table, areas)
    inside = within.notna()
    table, within = table[inside], within[inside]
    coincident = analysis.coincidences(table, within)
    repeats, chance = float(table["repeats"].sum()), float(coincident.sum())
    # What chance puts there is known no better than from as many again.
    if repeats - chance <= _PLAINLY * (repeats + chance) ** 0.5:
        return {}
    found = analysis.reporting_rates(
        table["repeats"], table["days"], within, table["category"], areas["code"],
        coincident=coincident, confidence=asked.confidence,
    )  # fmt: skip
    need = analysis.true_need(
        found, table["by_residents"], within, table["category"],
        lifetime_days=asked.lifetime_days, coincident=coincident, confidence=asked.confidence,
        random_state=seed,
    )  # fmt: skip
    reports = table["reports"].groupby(within).sum().reindex(areas["code"], fill_value=0)
    told = found.areas.drop(columns=["events", "spread", "days"]).join(need).assign(reports=reports)
    told["repeats_expected"] = told["expected"] + told["coincident"]
    told = told.drop(columns=["expected", "coincident"]).set_axis(areas.index)
    # An estimate of more than ten times what was found is one of the lifetime, not of the data.
    vague = told["need_high"] > _MOST_TIMES * told["found"]
    told.loc[vague, ["need", "need_low", "need_high", "share_found"]] = np.nan
    told["verdict"] = _verdicts(told, areas)
    frame = areas[["code", "name", "geometry"]].join(told)
    return {"reporting": gpd.GeoDataFrame(frame, geometry="geometry", crs=areas.crs)}


def _verdicts(told: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.Series:
    looked = areas["patrol_hours"].fillna(0) > 0 if "patrol_hours" in areas else False
    verdict = np.select(
        [(told["found"] == 0) & looked, told["found"] == 0, told["high"] < 1.0, told["low"] > 1.0],
        ["nothing", "unlooked", "seldom", "readily"],
        "alike",
    )
    return pd.Series(verdict, index=told.index, dtype="string")


MEASURES = (
    Measure(
        "reporting",
        needs=("grids", "problems"),
        makes=("reporting",),
        method="Rates of reporting from repeated reports (Liu, Bhandaram and Garg 2024), negative "
        "binomial, empirical Bayes over areas (Clayton and Kaldor 1987)",
        settings=("reporting", "residents", "level", "random_state"),
        silent="measure.nothing_twice",
        run=_reporting,
    ),
)
