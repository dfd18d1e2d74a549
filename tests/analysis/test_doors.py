"""Public functions refuse frames that would give a wrong answer in silence."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
from shapes import grid_of, points_at
from towns import rows_of_buildings, town

from gridmap import analysis
from gridmap.analysis._doors import asks
from gridmap.errors import ConformError, CrsError

GRIDS = grid_of("ab")
POINTS = points_at((10.0, 10.0), (110.0, 10.0))
ONE = pd.Series([1, 2], dtype="Int64")
# What is asked of points and of areas, and how each is called.
CALLS: dict[str, tuple[str, Callable[..., Any]]] = {
    "assign": ("both", analysis.assign),
    "assign_all": ("both", analysis.assign_all),
    "count_points": ("both", lambda points, areas: analysis.count_points(areas, points)),
    "targets_at": (
        "both",
        lambda points, areas: analysis.targets_at(points, {"microgrids": areas}),
    ),
    "kernel_density": ("points", lambda points: analysis.kernel_density(points.geometry)),
    "distance_band": ("points", lambda points: analysis.distance_band(points, 50.0)),
    "k_nearest": ("points", lambda points: analysis.k_nearest(points, 1)),
    "find_gaps": ("areas", lambda areas: analysis.find_gaps(areas, areas)),
    "find_overlaps": ("areas", analysis.find_overlaps),
    "areal_interpolate": ("areas", lambda areas: analysis.areal_interpolate(areas, areas, ONE)),
    "neighbours": ("areas", analysis.neighbours),
    "workload": ("areas", lambda areas: analysis.workload(areas.assign(members=1))),
    "expected_hours": ("areas", lambda areas: analysis.expected_hours(areas, None)),
}
# Whose frames need no metres: codes alone, or their own way to degrees.
NO_METRES = {
    "as_graph", "bands", "cell_grid", "cells_of", "check_assignments", "double_leads", "explain",
    "fairness", "find_fallback_points", "find_unassigned", "households_in", "implied_assignments",
    "in_force", "network_density", "queen", "recurrence_layer", "rook", "transferred_grids",
    "unowned", "without_cooperation",
}  # fmt: skip


def called(name: str, points: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> None:
    kind, call = CALLS[name]
    call(*{"both": (points, areas), "points": (points,), "areas": (areas,)}[kind])


@pytest.mark.parametrize("name", CALLS)
def test_degrees_are_refused_with_the_system_that_would_serve(name: str) -> None:
    points, areas = POINTS.to_crs(4326), GRIDS.to_crs(4326)
    with pytest.raises(CrsError, match=rf"^{name}: '.*does not measure in metres; give .*EPSG:\d+"):
        called(name, points, areas)
    called(name, POINTS, GRIDS)


def test_two_systems_are_refused() -> None:
    other = GRIDS.to_crs(32651)
    with pytest.raises(CrsError, match=r"'areas' is in WGS 84.*but 'points' in .*points\.crs"):
        analysis.assign(POINTS, other)
    with pytest.raises(CrsError, match=r"'layers\['zones'\]'"):
        analysis.targets_at(POINTS, {"microgrids": GRIDS, "zones": other.assign(kind="x")})


def test_a_frame_that_does_not_say_its_system_is_refused() -> None:
    bare = gpd.GeoDataFrame(GRIDS.drop(columns="geometry"), geometry=GRIDS.geometry.to_numpy())
    with pytest.raises(CrsError, match="find_overlaps: 'areas' does not say its coordinate system"):
        analysis.find_overlaps(bare)


@pytest.mark.parametrize("code", [3857, 3395])
def test_metres_that_are_no_metres_are_refused(code: int) -> None:
    with pytest.raises(CrsError, match=r"areas in .* are wrong by \+\d\d %.*such as EPSG:"):
        analysis.find_overlaps(GRIDS.to_crs(code))
    made = town(grid_of("ab", size=400.0), rows_of_buildings(2, 2))
    layers = {name: frame.to_crs(code) for name, frame in made.layers.items()}
    with pytest.raises(CrsError, match="true to scale"):
        replace(made, layers=layers, crs=pyproj.CRS.from_epsg(code))


def test_codes_that_name_no_row_or_two_are_refused() -> None:
    twice = pd.concat([GRIDS, GRIDS.iloc[:1]], ignore_index=True)
    with pytest.raises(ConformError, match=r"codes of 'areas' stand twice, such as a;.*diss"):
        analysis.assign(POINTS, twice)
    missing = GRIDS.assign(code=pd.array(["a", pd.NA], dtype="string"))
    with pytest.raises(ConformError, match="rows without a code, such as 1"):
        analysis.assign(POINTS, missing)
    with pytest.raises(ConformError, match="has no column 'code'"):
        analysis.assign(POINTS, GRIDS.drop(columns="code"))


def test_every_public_function_that_takes_shapes_asks_for_metres_or_needs_none() -> None:
    open_doors = set()
    for name in analysis.__all__:
        function = getattr(analysis, name)
        if not inspect.isfunction(function) or getattr(function, "proves", ()):
            continue
        notes = (str(each.annotation) for each in inspect.signature(function).parameters.values())
        if any("GeoDataFrame" in note or "GeoSeries" in note for note in notes):
            open_doors.add(name)
    assert open_doors <= NO_METRES
    assert all(name in analysis.__all__ for name in NO_METRES)


def test_a_misspelt_argument_of_the_guard_is_told_when_the_module_loads() -> None:
    with pytest.raises(TypeError, match="find has no argument point"):

        @asks("point")
        def find(points: gpd.GeoDataFrame) -> int:
            return len(points)
