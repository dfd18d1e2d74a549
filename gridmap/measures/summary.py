"""The figures of a whole city, from what was computed of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from gridmap import analysis
from gridmap.measures.registry import Given

__all__ = ["summary"]

_RISING = ("new_hot", "consecutive_hot", "intensifying_hot")


def summary(given: Given) -> dict[str, Any]:
    """Return the figures of the whole city, keyed and ordered as they are shown."""
    receipts, found = given.city.receipts, given.found
    figures: dict[str, Any] = {
        "rows_in": sum(receipt.rows for receipt in receipts),
        "rows_placed": sum(receipt.placed for receipt in receipts),
        "rows_quarantined": sum(receipt.quarantined for receipt in receipts),
        "rows_repaired": sum(receipt.repaired for receipt in receipts),
    }
    if "grid_results" in found:
        figures |= _grid_figures(found["grid_results"])
    if "problems" in found:
        figures |= _problem_figures(given)
    for name in ("gaps", "overlaps", "misnested"):
        if name in found:
            figures[name] = len(found[name])
            figures[f"{name}_m2"] = float(found[name]["area_m2"].sum())
    figures |= _duty_figures(found)
    if "black_spots" in found:
        figures["black_spots"] = len(found["black_spots"])
    for name in ("hotspots", "hotspot_cells"):
        if name in found:
            figures[f"{name}_hot"] = int((found[name]["hotspot"] == "hot").sum())
            figures[f"{name}_cold"] = int((found[name]["hotspot"] == "cold").sum())
    if "alarms" in found:
        figures["alarms"] = len(found["alarms"])
    if "emerging" in found:
        rising = found["emerging"]["pattern"].isin(_RISING)
        figures["emerging_hot"] = int(rising.sum())
    return figures


def _duty_figures(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return how much presses, comes back, and has nobody or two who answer for it."""
    figures: dict[str, Any] = {}
    if "deadlines" in found:
        pressing = found["deadlines"]["urgency"].value_counts()
        figures["overdue_open"] = int(pressing.get("overdue", 0))
        figures["due_soon"] = int(pressing.get("due_soon", 0))
    if "recurrence" in found:
        figures["recurring"] = len(found["recurrence"])
    if "dead_corners" in found:
        corners = found["dead_corners"]["finding"].value_counts()
        figures["unowned"] = int(corners.get("unowned", 0))
        figures["double_leads"] = int(corners.get("double", 0))
    if "duty_findings" in found:
        figures["duty_findings"] = len(found["duty_findings"])
    return figures


def _grid_figures(loads: pd.DataFrame) -> dict[str, Any]:
    figures: dict[str, Any] = {"grids": len(loads)}
    if loads["households"].notna().any():
        figures["households"] = int(loads["households"].sum())
    if loads["hours"].notna().any():
        figures["hours"] = float(loads["hours"].sum())
        figures["gini_hours"] = analysis.gini(loads["hours"])
        figures["gini_hours_per_member"] = analysis.gini(loads["hours_per_member"])
    return figures


def _problem_figures(given: Given) -> dict[str, Any]:
    found, problems = given.found, given.found["problems"]
    figures: dict[str, Any] = {
        "problems": len(problems),
        "open": int((problems["state"] == "open").sum()),
        "overdue": int(problems["overdue"].sum()),
        "median_days": float(problems["days_to_close"].median()),
        "piles": len(found["piles"]),
        "problems_on_piles": int(problems["pile"].sum()),
    }
    if "unassigned" in found:
        figures["no_grid"] = int(found["unassigned"]["no_grid"].sum())
        figures["no_zone"] = int(found["unassigned"]["no_zone"].notna().sum())
    if given.settings.recorded_kind and "problem_zones" in found:
        figures |= _agreement(given, given.settings.recorded_kind)
    return figures


def _agreement(given: Given, kind: str) -> dict[str, Any]:
    """Compare the area on record with the zones of one kind that hold the point."""
    zones = given["problem_zones"]
    pairs = zones[zones["kind"] == kind].merge(
        given.placed[["code", "recorded_area"]].dropna(),
        left_on="problem",
        right_on="code",
    )
    agrees = (pairs["zone"] == pairs["recorded_area"]).groupby(pairs["problem"]).any()
    share = float(agrees.mean()) if len(agrees) else float("nan")
    return {"recorded_compared": len(agrees), "recorded_agrees": share}
