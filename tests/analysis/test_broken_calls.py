"""Whatever is broken in a call of a public function, the answer is right or says what to mend.

The calls are those of the examples in the docstrings, each with one argument broken: a column
taken out, no rows, no geometry, a time without a zone, something of another type.
"""

from __future__ import annotations

import datetime as dt
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from example_calls import FUNCTIONS, ROOT, shown
from shapes import grid_of

import gridmap
from gridmap import analysis
from gridmap.errors import ConformError, GridmapError


def _broken(value: object) -> Iterator[tuple[str, object]]:
    """Yield what may be given instead of an argument, and what is wrong with it."""
    for other in (None, "text", -7, object()):
        yield repr(other), other
    if isinstance(value, pd.DataFrame | pd.Series):
        yield "no rows", value.iloc[:0]
        yield "its values", value.to_numpy()
    if isinstance(value, pd.DataFrame):
        yield "no columns", pd.DataFrame(index=value.index)
        for column in value.columns:
            yield f"no {column}", value.drop(columns=column)
        for column in value.select_dtypes("datetimetz").columns:
            yield f"naive {column}", value.assign(**{column: value[column].dt.tz_localize(None)})
    if isinstance(value, pd.Series) and isinstance(value.dtype, pd.DatetimeTZDtype):
        yield "naive", value.dt.tz_localize(None)
    if isinstance(value, gpd.GeoDataFrame) and value.active_geometry_name:
        yield "no geometry", gpd.GeoDataFrame(pd.DataFrame(value.drop(columns="geometry")))
        yield "a plain frame", pd.DataFrame(value)
    if isinstance(value, dt.datetime):
        yield "naive", value.replace(tzinfo=None)
    if isinstance(value, np.ndarray) and value.ndim:
        yield "no values", value[:0]


def _faults(function: Callable[..., Any], given: dict[str, Any]) -> list[str]:
    """Return what breaking each argument raises that is no error of ours."""
    told = []
    for argument, value in given.items():
        for what, broken in _broken(value):
            try:
                function(**{**given, argument: broken})
            except GridmapError:
                continue
            except Exception as error:  # noqa: BLE001 - any other is the fault looked for
                told.append(f"{argument}: {what}: {type(error).__name__}: {error}")
    return told


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_broken_argument_is_told_or_answered(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    function = getattr(analysis, name)
    calls = shown(name)
    assert calls or not inspect.signature(function).parameters
    for given in calls[:1]:
        told = _faults(function, given)
        assert not told, "\n".join(told)


@pytest.mark.parametrize(
    "name",
    ["analyse", "design_grids", "draw", "explore", "read_city", "read_city_file",
     "resize_grids", "save_page", "who", "write_layers"],
)  # fmt: skip
def test_what_is_no_city_is_told_by_every_command_in_python(name: str) -> None:
    function = getattr(gridmap, name)
    required = [
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.default is inspect.Parameter.empty
    ]
    for wrong in (None, object(), 7):
        with pytest.raises(GridmapError, match=rf"{name}: '{required[0]}' is "):
            function(**dict.fromkeys(required, wrong))


def test_a_map_without_a_name_is_told() -> None:
    city = gridmap.read_city(ROOT / "data", layers=["grids"])
    with pytest.raises(ConformError, match=r"draw: 'spec' is None, where MapSpec \| str is asked"):
        gridmap.draw(gridmap.analyse(city, want=[]), None)  # type: ignore[arg-type]


# What each mistake says: the argument, what is missing or wrong, and what to do.
SAID: dict[str, tuple[Callable[[], Any], str]] = {
    "no column": (
        lambda: analysis.workload(GRIDS, pd.DataFrame({"grid": ["a"]})),
        r"workload: 'problems' has no column 'state', 'overdue', .*; it has: grid; add it",
    ),
    "no parent": (
        lambda: analysis.find_misnested(GRIDS, GRIDS),
        "find_misnested: 'children' has no column 'parent'",
    ),
    "no grid": (
        lambda: analysis.expected_hours(GRIDS, pd.DataFrame({"category": ["x"]})),
        "expected_hours: 'problems' has no column 'grid'",
    ),
    "naive moment": (
        lambda: analysis.timeliness(CASES, dt.datetime(2026, 1, 5)),
        "timeliness: 'as_of' is a time without a time zone; give it one",
    ),
    "naive column": (
        lambda: analysis.timeliness(CASES.assign(closed=pd.Timestamp("2026-01-03")), NOW),
        r"timeliness: problems\.closed: times without a time zone",
    ),
    "no targets": (
        lambda: analysis.areal_interpolate(GRIDS, GRIDS.iloc[:0], pd.Series([1, 2])),
        "areal_interpolate: 'targets' has no rows",
    ),
    "too fine": (
        lambda: analysis.cell_grid(GRIDS.set_geometry(GRIDS.centroid), None, resolution=99),
        "cell_grid: resolution = 99; it must be from 0 to 15",
    ),
    "a text for texts": (
        lambda: analysis.indicators(CASES, as_of=NOW, by="area"),
        "indicators: 'by' is 'area', where list is asked",
    ),
    "unknown word": (
        lambda: analysis.space_time_cube(CODES, TIMES, CODES, align="middle"),  # type: ignore[arg-type]
        "space_time_cube: align = 'middle' is not known; write one of 'end' | 'start'",
    ),
    "no system": (
        lambda: analysis.cells_at(np.zeros(1), np.zeros(1), "nowhere", resolution=9),
        "cells_at: 'crs' is 'nowhere', which is no coordinate system; give one such as",
    ),
    "one short": (
        lambda: analysis.space_time_cube(CODES, TIMES.iloc[:1], CODES),
        "space_time_cube: 'times' has 1 values, but 'units' 2; give one for each",
    ),
}
NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
TIMES = pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True))
CODES = pd.Series(["a", "b"], dtype="string")
CASES = pd.DataFrame({"opened": TIMES, "deadline": TIMES, "closed": TIMES})
GRIDS = grid_of("ab")


@pytest.mark.parametrize("mistake", SAID)
def test_a_mistake_is_named_with_its_remedy(mistake: str) -> None:
    call, words = SAID[mistake]
    with pytest.raises(GridmapError, match=words):
        call()


def test_counts_go_nowhere_where_there_are_no_targets() -> None:
    none = pd.Series([0, 0], index=GRIDS.index, dtype="Int64")
    assert analysis.areal_interpolate(GRIDS, GRIDS.iloc[:0], none).empty


def test_children_without_any_parent_lie_outside_altogether() -> None:
    found = analysis.find_misnested(GRIDS.assign(parent="p"), GRIDS.iloc[:0])
    assert found["child"].tolist() == ["a", "b"]
    assert (found["share"] == 1.0).all()


def test_a_frame_that_repeats_the_name_of_its_geometry_is_told() -> None:
    twice = GRIDS[["geometry", "code", "geometry"]]
    with pytest.raises(GridmapError, match="explore: 'frame' has two columns called 'geometry'"):
        gridmap.explore(twice)
