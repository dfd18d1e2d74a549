"""What the version before saved opens: a plan, a store, a frozen bulletin, and a city file.

The files of ``tests/former`` were written by 0.1.0 before its rooms were made: a town of two grids
with thirty-two households and four problems.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from shapes import grid_of, points_at
from towns import conformed, rows_of_buildings, town

from gridmap import store
from gridmap.catalog import load_catalog
from gridmap.design import merge, undo
from gridmap.errors import OutputError
from gridmap.measures.bulletins import FORMAT, make_bulletin
from gridmap.model import City
from gridmap.outputs.bulletin.frozen import write_bulletin
from gridmap.settings import Analysis
from gridmap.sources.plan import read_plan

FORMER = Path(__file__).parent / "former"
ZONE = "Asia/Shanghai"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for packed in FORMER.glob("*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    return tmp_path


def times(*texts: str | None) -> pd.Series:
    return pd.to_datetime(pd.Series(list(texts))).dt.tz_localize(ZONE)


@pytest.fixture
def city() -> City:
    """The town of those files, anew."""
    made = town(grid_of("ab", size=120.0), rows_of_buildings(4, 8))
    places = (10.0, 10.0), (130.0, 10.0), (20.0, 20.0), (5000.0, 5.0)
    problems = points_at(*places).assign(
        opened=times(
            "2025-03-01 08:00", "2025-03-02 09:00", "2025-03-03 09:00", "2025-03-05 08:00"
        ),
        due=times("2025-03-02 08:00", None, "2025-03-04 09:00", "2025-03-06 08:00"),
        closed=times("2025-03-01 18:00", None, None, "2025-03-07 08:00"),
        category="litter",
        source="app",
    )
    as_of = pd.Timestamp("2025-05-01", tz=ZONE).to_pydatetime()
    layers = {**made.layers, "problems": conformed("problems", problems)}
    return replace(made, layers=layers, as_of=as_of)


def test_a_plan_opens_and_can_be_edited(folder: Path) -> None:
    held, plan = read_plan(folder / "town.gpkg", load_catalog())
    assert held.name == "town"
    assert len(plan.microgrids) == 12
    assert list(plan.microgrids["code"][:3]) == ["a001", "a002", "a003"]
    assert plan.households().sum() == plan.microgrids["households"].sum() > 0
    edited = merge(plan, ["a001", "a002"]).plan
    assert len(edited.microgrids) == 11
    assert list(undo(edited).code) == list(plan.code)


def test_a_store_opens_with_every_layer_and_result(folder: Path) -> None:
    found = store.load(str(folder / "store.sqlite"), "town")
    assert {"grid_results", "hotspots", "kpis", "fairness", "deadlines"} <= set(found.results)
    assert len(found.frame("problems")) == 4
    assert found.results["problems"].frame["state"].to_list() == [
        "closed",
        "open",
        "open",
        "closed",
    ]


def test_a_frozen_bulletin_stays_as_it_is_and_says_its_form(folder: Path, city: City) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    made = make_bulletin(city, period="month", on=dt.date(2025, 3, 1))
    written = write_bulletin(made, folder, "en")
    assert (written.revision, written.files, written.format) == (0, (), 1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    revised = write_bulletin(made, folder, "en", revise=1)
    assert (revised.revision, revised.format) == (1, FORMAT)
    record = next(path for path in revised.files if path.suffix == ".json")
    assert json.loads(record.read_text(encoding="utf-8"))["format"] == FORMAT


def test_a_frozen_bulletin_that_was_altered_is_still_told(folder: Path, city: City) -> None:
    page = next(folder.glob("*.html"))
    page.write_text(page.read_text(encoding="utf-8") + " ", encoding="utf-8")
    made = make_bulletin(city, period="month", on=dt.date(2025, 3, 1))
    with pytest.raises(OutputError, match=page.name):
        write_bulletin(made, folder, "en")


def test_the_old_names_of_settings_are_read() -> None:
    step = {"source": "census", "target": "buildings", "field": "households", "onto": "occupied"}
    old = Analysis.model_validate({"transfers": [step], "duties": {"road_m": 12.0}})
    new = Analysis.model_validate({"interpolate": [step], "responsibility": {"road_m": 12.0}})
    assert old == new
    assert old.responsibility.road_m == 12.0
