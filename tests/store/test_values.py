"""Any text, number, truth and moment comes back from the embedded store as it was."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridmap import store
from gridmap.result import Analysed

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ROW = st.fixed_dictionaries(
    {
        "kind": st.none() | TEXT | st.sampled_from(["😀🏙️", "''\"\"", "a\0b", "NULL", "中文", "%s"]),
        "members": st.none() | st.integers(-(2**63), 2**63 - 1),
        "z": st.none() | st.floats(allow_nan=False),
        "hot": st.none() | st.booleans(),
        "opened": st.datetimes(
            dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC)
        ),
        "x": st.floats(-1e9, 1e9),
        "y": st.floats(-1e9, 1e9),
    }
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rows=st.lists(ROW, min_size=1, max_size=6))
def test_values_come_back(rows, make_town, make_frame, assert_same):
    town = make_town()
    catalog = town.city.catalog
    problems = make_frame(
        catalog,
        "unassigned",
        [f"POINT ({row['x']!r} {row['y']!r})" for row in rows],
        derived=True,
        code=[str(number) for number in range(len(rows))],
    )
    grid_results = make_frame(
        catalog,
        "hotspots",
        ["POLYGON ((0 0, 1 0, 1 1, 0 0))"] * len(rows),
        derived=True,
        code=[str(number) for number in range(len(rows))],
        name=[row["kind"] for row in rows],
        count=[row["members"] for row in rows],
        z=[row["z"] for row in rows],
    )
    made = make_town(results={"unassigned": problems, "hotspots": grid_results})
    results = {name: made.results[name] for name in ("unassigned", "hotspots")}
    states = make_frame(
        catalog,
        "problems",
        [f"POINT ({row['x']!r} {row['y']!r})" for row in rows],
        code=[str(number) for number in range(len(rows))],
        category=[row["kind"] or "" for row in rows],
        opened=[row["opened"] for row in rows],
    )
    hot = pd.Series([row["hot"] for row in rows], dtype="boolean")
    city = make_town(layers={"problems": states}).city
    results["problems"] = type(made.results["problems"])(
        catalog.layer("problems"), states.assign(overdue=hot), ""
    )
    wanted = Analysed(city, results, {})
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "city.db")
        store.save(wanted, file)
        assert_same(store.load(file, "town"), wanted)
