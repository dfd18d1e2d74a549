"""The tiny city with something of everything that a measure can find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from any_city import STEP, AnyCity, settled, whole

__all__ = ["flawed", "flawed_bare"]

_ORIGIN = (120.9, 30.7)


def _box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    x, y = _ORIGIN
    return shapely.box(x + west * STEP, y + south * STEP, x + east * STEP, y + north * STEP)


def _point(x: float, y: float) -> shapely.Point:
    return shapely.Point(_ORIGIN[0] + x * STEP, _ORIGIN[1] + y * STEP)


def _grids(grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the grids with a gap, an overlap, one that sticks out, and a street above all."""
    shapes = list(grids.geometry)
    shapes[1] = _box(0, 0, 1, 0.8)
    more = gpd.GeoDataFrame(
        {
            "code": ["g4", "s0"], "level": ["grid", "street"], "name": [None, "Street"],
            "parent": ["c0", None], "member": ["Member 1", None], "members": [2, None],
            "households": [None, None],
        },
        geometry=[_box(1.7, 1.5, 2.3, 2), _box(0, 0, 2.2, 2)],
        crs=grids.crs,
    )  # fmt: skip
    parents = grids["parent"].where(grids["level"] != "community", "s0")
    whole_grids = grids.assign(parent=parents).set_geometry(shapes, crs=grids.crs)
    return gpd.GeoDataFrame(pd.concat([whole_grids, more], ignore_index=True), crs=grids.crs)


def _problems(problems: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the problems with a pile, some in no grid, and rows that cannot be placed."""
    frame, shapes = problems.copy(), list(problems.geometry)
    for number in range(28, 38):
        shapes[number] = _point(0.7, 1.3)
    shapes[38], shapes[39], shapes[27] = _point(2.25, 0.5), _point(0.5, 0.9), _point(1.9, 1.7)
    frame = frame.set_geometry(shapes, crs=problems.crs)
    number = pd.Series(range(len(frame)))
    frame["due"] = frame["due"].mask(number % 3 == 0)
    frame["closed"] = frame["closed"].mask(number >= 36)
    frame["visited"] = frame["visited"].mask(number % 5 == 1)
    frame["entered"] = frame["entered"].mask(number % 4 == 1)
    frame["source"] = frame["source"].mask(number % 7 == 3, "hotline")
    frame["recorded_area"] = frame["recorded_area"].mask(number % 9 == 4)
    wrong = frame.iloc[[0, 1, 2, 3]].copy()
    wrong["code"] = ["q40", "q5", "q41", "q42"]
    wrong["opened"] = ["2024-01-09T08:00:00", wrong["opened"].iloc[1], "soon", "2024-04-30T20:00"]
    wrong["closed"] = ["2024-01-01T08:00:00", None, None, None]
    wrong["due"] = None
    places = [shapes[0], shapes[1], shapes[2], _point(0.31, 1.005)]
    rows = [frame, wrong.set_geometry(places, crs=problems.crs)]
    return gpd.GeoDataFrame(pd.concat(rows, ignore_index=True), crs=problems.crs)


def _tables() -> dict[str, pd.DataFrame]:
    def log(case: str, *events: tuple[str, str], **more: str) -> list[dict[str, str]]:
        fixed = {"by": "Office A", "level": "grid", "until": ""}
        return [
            {"case": case, "event": event, "time": time, **fixed, **more} for event, time in events
        ]

    lives = [
        *log("q0", ("report", "2024-01-01T08:00"), ("file", "2024-01-01T08:10"),
             ("dispatch", "2024-01-01T08:30"), ("close", "2024-01-01T09:00")),
        *log("q1", ("report", "2024-01-03T20:00"), ("file", "2024-01-04T09:00"),
             ("dispatch", "2024-01-04T10:00"), ("return", "2024-01-04T11:00"),
             ("dispatch", "2024-01-04T13:00"), ("handle", "2024-01-04T15:00"),
             ("rework", "2024-01-04T16:00"), ("close", "2024-01-04T17:00"), by="Office B"),
        *log("q3", ("report", "2024-01-08T20:00"), ("file", "2024-01-09T09:00")),
        *log("q3", ("delay", "2024-01-10T09:00"), until="2024-02-20T12:00"),
        *log("q7", ("report", "2024-01-18T20:00"), ("reject", "2024-01-19T09:00")),
        *log("q11", ("file", "2024-01-29T09:00"), ("report", "2024-01-30T09:00")),
        *log("q42", ("report", "2024-04-30T20:00"), level="community"),
        *log("q99", ("report", "2024-02-01T09:00")),
        *log("q15", ("report", "2024-02-07T20:00"), ("close", "2024-05-02T09:00")),
    ]  # fmt: skip
    return {
        "events": pd.DataFrame(lives),
        "limits": pd.DataFrame(
            {
                "category": ["litter", "parking", "litter"], "amount": [4, 2, 1],
                "unit": ["working_hours", "ledger_days", "working_hours"],
                "stage": ["", "whole", "file"], "until": ["", "", ""],
                "count_opening_day": ["false"] * 3, "roll": ["true"] * 3,
            }
        ),
        "stops": pd.DataFrame(
            {
                "case": ["q0", "q6", "q42"],
                "begin": ["2024-01-01T08:30", "2024-01-16T09:00", "2024-05-01T09:00"],
                "end": ["2024-01-01T08:45", "2024-01-17T10:00", "2024-06-01T09:00"],
                "reason": ["rain"] * 3,
            }
        ),
        "calendar_days": pd.DataFrame(
            {"date": ["2024-01-02", "2024-01-06"], "working": ["false", "true"],
             "hours": ["", "09:00-12:00"]}
        ),
        "assignments": _assignments(),
        "declared": pd.DataFrame(
            {
                "register": ["zones", "zones", "grids", "houses", "corridors"],
                "part": ["", "property", "", "", ""], "declared": [3, 1, 9, 16, 2],
                "layer": ["zones", "zones", "grids", "buildings", "corridors"],
                "field": ["", "kind", "", "", ""], "value": ["", "property", "", "", ""],
                "where": [""] * 5,
            }
        ),
        "organisations": pd.DataFrame(
            {
                "code": ["Office A", "Office B", "Office C", "Office D"],
                "name": ["A", "B", "C", "D"], "kind": ["office"] * 4,
                "parent": ["", "Office A", "Office D", "Office C"],
            }
        ),
        "organisation_areas": pd.DataFrame(
            {"organisation": ["Office A", "Office B", "Office B", "Office E"],
             "target": ["g0", "g1", "g0", "g9"]}
        ),
    }  # fmt: skip


def _assignments() -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = [
        ("a00", "Office A", "lead", "zones", "z0", "litter", "", "", "2023-01-01", ""),
        ("a01", "Office B", "lead", "zones", "z0", "litter", "", "", "2023-01-01", ""),
        ("a02", "Office C", "cooperating", "zones", "z0", "", "", "", "2023-01-01", ""),
        ("a03", "Office B", "cooperating", "roads", "r0", "", 0, 100, "2023-01-01", ""),
        ("a04", "Chief", "lead", "roads", "r0", "", 0, 200, "2023-01-01", ""),
        ("a05", "Chief", "lead", "roads", "r1", "", "", "", "2023-01-01", ""),
        ("a06", "Office C", "lead", "grids", "g0", "", "", "", "2023-01-01", "2030-01-01"),
        ("a07", "Office A", "lead", "grids", "g1", "parking", "", "", "2023-01-01", ""),
        ("a08", "Office A", "sponsor", "grids", "c0", "", "", "", "2023-01-01", ""),
        ("a09", "Office B", "direct", "grids", "g2", "", "", "", "2023-01-01", "2024-02-01"),
        ("a10", "Office B", "lead", "grids", "g9", "", "", "", "2023-01-01", ""),
        ("a11", "Office B", "lead", "zones", "z1", "noise", "", "", "2023-01-01", ""),
        ("a12", "Office B", "lead", "places", "p0", "", "", "", "2023-01-01", ""),
        ("a13", "Office C", "fallback", "grids", "c0", "", "", "", "2025-01-01", ""),
    ]
    names = ("code", "holder", "role", "layer", "target", "category", "from_m", "to_m",
             "valid_from", "valid_to")  # fmt: skip
    table = pd.DataFrame(rows, columns=list(names))
    return table.assign(phone="13800000000", source="Paper 1")


def flawed_bare() -> AnyCity:
    """Return the flawed city, with no setting."""
    city = whole()
    frames = {
        **city.frames,
        **_tables(),
        "grids": _grids(city.frames["grids"]),
        "problems": _problems(city.frames["problems"]),
    }
    return AnyCity({name: frames[name] for name in city.frames}, as_of="2024-05-01T12:00:00")


def flawed() -> AnyCity:
    """Return the flawed city, with every setting at another value than its default."""
    return replace(flawed_bare(), settings=settled().settings)
