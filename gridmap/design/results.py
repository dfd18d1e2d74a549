"""A plan as a set of layers, which is written, drawn and exported like any other."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from gridmap.design.plan import Plan, bounds_of, objective_of
from gridmap.design.search.graph import BARRIERS
from gridmap.model import City
from gridmap.result import Analysed, Result
from gridmap.settings import Design

__all__ = ["LAYERS", "as_layers", "figures"]

LAYERS = (
    "plan",
    "plan_atoms",
    "plan_buildings",
    "plan_borders",
    "plan_lineage",
    "plan_log",
    "plan_settings",
)
NEAR, FAR = 10.0, 20.0  # per cent of the target
METHOD = (
    "Voronoi cells of buildings between barriers; connected partition by exact search where it is "
    "small enough, else by annealing and exact search of neighbouring parts"
)


def as_layers(plan: Plan, city: City) -> Analysed:
    """Return the layers and figures of a plan.

    Parameters
    ----------
    plan : Plan
    city : City
        Whose name, sources and catalogue go with it.

    Returns
    -------
    Analysed
        Of a city that has just the grids that were cut, so that it stands for itself.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> planned = design.as_layers(gridmap.design_grids(city), city)
    >>> [name for name in planned.results if name.startswith("plan")][:3]
    ['plan', 'plan_atoms', 'plan_buildings']
    >>> len(planned.frame("plan")) == planned.summary["plan_microgrids"]
    True
    """
    frames: dict[str, pd.DataFrame] = {
        "plan": plan.microgrids,
        "plan_atoms": _atoms(plan),
        "plan_buildings": plan.membership,
        "plan_borders": _borders(plan),
        "plan_lineage": _lineage(plan),
        "plan_log": _log(plan),
        "plan_settings": _settings(plan, city),
    }
    used = {**_plain(plan.settings), "objective": vars(objective_of(plan.settings))}
    results = {
        name: Result(city.catalog.layer(name), frame, METHOD if name == "plan" else "", used)
        for name, frame in frames.items()
    }
    held = city.frame("grids")
    grids = held[held["code"].isin(plan.grids["code"])]
    grids = grids.sort_values("code", kind="stable", ignore_index=True)
    alone = replace(city, layers={"grids": grids}, receipts=())
    return Analysed(alone, results, figures(plan))


def figures(plan: Plan) -> dict[str, Any]:
    """Return what a plan is judged by; the keys are messages of section ``summary``.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> told = design.figures(gridmap.design_grids(city))
    >>> told["plan_grids"], told["plan_households"], told["plan_target"]
    (38, 12174, 50.0)
    """
    micro, bounds = plan.microgrids, bounds_of(plan.settings)
    off = np.abs(micro["deviation"].to_numpy(dtype=np.float64))
    found: dict[str, Any] = {
        "plan_grids": len(plan.grids),
        "plan_microgrids": len(micro),
        "plan_households": int(micro["households"].sum()),
        "plan_target": bounds.target,
        "plan_within_10": float((off <= NEAR).mean()),
        "plan_within_20": float((off <= FAR).mean()),
        "plan_deviation": float(off.mean() / 100 * bounds.target),
        "plan_beyond": int(micro["reason"].notna().sum()),
        "plan_compactness": float(micro["compactness"].mean()),
        **_across(plan),
        "plan_optimal": float(plan.optimal.mean()) if len(plan.optimal) else 0.0,
        "plan_buildings": len(plan.buildings),
        "plan_cut": int(plan.membership["reason"].notna().sum()),
        "plan_outside": len(plan.outside),
    }
    if plan.log:
        found["plan_steps"] = len(plan.log)
        found["plan_moved"] = sum(int(e.get("households_moved", 0)) for e in plan.log)
    return found


def _across(plan: Plan) -> dict[str, float]:
    """Return the share of micro-grids across each kind of barrier that lies in the grids."""
    graph = plan.graph
    owner = plan.label[np.repeat(np.arange(len(graph)), np.diff(graph.starts))]
    inside = owner == plan.label[graph.neighbour]
    return {
        f"plan_across_{BARRIERS[kind]}": len(np.unique(owner[inside & (graph.kind == kind)]))
        / len(plan)
        for kind in np.unique(graph.kind)
        if kind
    }


def _atoms(plan: Plan) -> gpd.GeoDataFrame:
    code = pd.Series(plan.code[plan.label], dtype="string")
    return plan.atoms.assign(microgrid=code)


def _borders(plan: Plan) -> pd.DataFrame:
    graph = plan.graph
    first = np.repeat(np.arange(len(graph)), np.diff(graph.starts))
    once = first < graph.neighbour
    codes = plan.atoms["code"].to_numpy()
    return pd.DataFrame(
        {
            "first": pd.Series(codes[first[once]], dtype="string"),
            "second": pd.Series(codes[graph.neighbour[once]], dtype="string"),
            "border_m": graph.border_m[once],
            "barrier": graph.barrier[once],
            "together": graph.together[once],
            "kind": pd.Series(
                [BARRIERS[kind] or None for kind in graph.kind[once]], dtype="string"
            ),
        }
    )


def _lineage(plan: Plan) -> pd.DataFrame:
    rows = [
        [step, *row]
        for step, entry in enumerate(plan.log, start=1)
        for row in entry.get("lineage", ())
    ]
    names = ["step", "old", "new", "households_before", "households_after", "buildings"]
    kinds = ["Int64", "string", "string", "Int64", "Int64", "Int64"]
    return pd.DataFrame(rows, columns=names).astype(dict(zip(names, kinds, strict=True)))


def _log(plan: Plan) -> pd.DataFrame:
    rows = [
        [
            step,
            entry["kind"],
            entry.get("grid"),
            _said(entry["arguments"]),
            entry.get("households_moved", 0),
            _said(entry["undo"]) if "undo" in entry else None,
            entry.get("by"),
            entry.get("at"),
        ]
        for step, entry in enumerate(plan.log, start=1)
    ]
    names = ["step", "kind", "grid", "arguments", "households_moved", "undo", "by", "at"]
    kinds = ["Int64", "string", "string", "string", "Int64", "string", "string", "string"]
    return pd.DataFrame(rows, columns=names).astype(dict(zip(names, kinds, strict=True)))


def _settings(plan: Plan, city: City) -> pd.DataFrame:
    values = {
        "name": city.name,
        "title": city.title.model_dump(),
        "source": city.source.model_dump(),
        "timezone": city.timezone,
        "as_of": city.moment.isoformat() if city.moment else None,
        "review_number": city.review_number,
        "lang": plan.lang,
        "design": _plain(plan.settings),
        "optimal": plan.grids["code"][plan.optimal].tolist(),
        "retired": sorted(plan.retired),
        "outside": list(plan.outside),
        "changed": dict(plan.changed),
    }
    table = {"key": list(values), "value": [_said(value) for value in values.values()]}
    return pd.DataFrame(table, dtype="string")


def _plain(settings: Design) -> dict[str, Any]:
    """Return settings as JSON has them, which knows no infinity: it becomes a word."""
    written: dict[str, Any] = json.loads(_said(settings.model_dump()), parse_constant=str)
    return written


def _said(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
