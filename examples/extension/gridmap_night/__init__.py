"""How many of a grid's problems are reported at night: an extension of gridmap.

The entry point in ``pyproject.toml`` names this module. gridmap takes its measures from
``MEASURES``, and its layers and maps from the folders beside this file.
"""

from __future__ import annotations

from typing import Any

from gridmap.measures.registry import Given, Measure

__all__ = ["MEASURES"]

NIGHT = (22, 6)  # o'clock


def night_share(given: Given) -> dict[str, Any]:
    """Count each grid's problems that were opened at night, in the city's own time."""
    problems, grids = given["problems"], given.grids
    hour = problems["opened"].dt.tz_convert(given.city.timezone).dt.hour
    at_night = (hour >= NIGHT[0]) | (hour < NIGHT[1])
    counts = at_night.groupby(problems["grid"]).agg(["size", "sum"]).reindex(grids["code"])
    counts = counts.fillna(0).astype("Int64").set_axis(grids.index)
    share = counts["sum"].astype("float64") / counts["size"].where(counts["size"] > 0)
    frame = grids[["code", "name", "geometry"]].assign(
        problems=counts["size"], at_night=counts["sum"], share=100.0 * share.astype("float64")
    )
    return {"night": frame}


MEASURES = (
    Measure(
        "night",
        needs=("grids", "problems"),
        makes=("night",),
        method="Problems opened from 22:00 to 06:00, local time, over all",
        settings=("level",),
        run=night_share,
    ),
)
