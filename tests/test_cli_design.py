"""The command design: what is doubtful is told before, and each barrier by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from any_city import AnyCity, whole
from test_city_faults import fails
from test_cli import gridmap

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")


def planned(capsys: Said, city: AnyCity, folder: Path, *more: str) -> dict[str, Any]:
    """Design a city and return what was told, with the notes before it."""
    capsys.readouterr()
    written = city.write(folder / "city")
    asked = ["design", written, "--out", folder / "plan", "--workers", "1", "--json", *more]
    assert gridmap(*asked) == 0
    said = capsys.readouterr()
    return {**json.loads(said.out), "notes": said.err.splitlines()}


def across(told: dict[str, Any]) -> set[str]:
    return {name[12:] for name in told["summary"] if name.startswith("plan_across_")}


def test_each_barrier_is_named_by_itself(tmp_path: Path, capsys: Said) -> None:
    city = whole().only("grids", "buildings", "roads", "barriers")
    city = city.filled("buildings", compound=[f"k{k // 2}" for k in range(16)])
    city = city.filled("barriers", kind="wall")
    far = city.set("design", target=400, minimum=1, maximum=1000)  # one micro-grid to a grid
    told = planned(capsys, far, tmp_path / "all")
    # Each lies in two of the four grids; where the wall is, it stands between the compounds.
    assert across(told) == {"compound", "road", "wall"}
    shares = [told["summary"][f"plan_across_{kind}"] for kind in ("compound", "road", "wall")]
    assert shares == [0.5, 0.5, 0.5]
    bare = planned(capsys, far.only("grids", "buildings"), tmp_path / "bare")
    assert across(bare) == {"compound"}
    assert bare["summary"]["plan_across_compound"] == 1.0
    assert gridmap("plan", "show", tmp_path / "bare" / "plan" / "tiny.gpkg") == 0
    said = capsys.readouterr().out
    assert "across the wall of a compound" in said
    assert "road" not in said
    none = far.only("grids", "buildings").lacking("buildings", "compound")
    assert across(planned(capsys, none, tmp_path / "none")) == set()


def test_overlaps_are_told_before_planning(tmp_path: Path, capsys: Said) -> None:
    city = whole().only("grids", "buildings")
    assert planned(capsys, city, tmp_path / "sound")["notes"] == []
    grids, built = city.frames["grids"], city.frames["buildings"]
    wide = np.array(grids.geometry)
    west, south, east, north = wide[1].bounds
    wide[1] = shapely.box(west, south, east + 0.0005, north)
    parents = city.given("grids", grids.set_geometry(wide, crs=4326))
    (line, *_) = planned(capsys, parents, tmp_path / "grids")["notes"]
    assert "1 pairs of grids overlap, g0 and g1 by" in line
    houses = np.array(built.geometry)
    houses[1] = shapely.affinity.translate(houses[0], 0.0001, 0)
    houses[4] = shapely.affinity.translate(houses[4], -0.0004, 0)
    moved = city.given("buildings", built.set_geometry(houses, crs=4326))
    notes = planned(capsys, moved, tmp_path / "buildings")["notes"]
    assert "2 buildings overlap others, and borders may cut them: b0, b1;" in notes[0]
    assert "1 buildings reach beyond their grid, whose border cuts them: b4;" in notes[1]


def test_a_weight_that_there_is_not_is_told(tmp_path: Path, capsys: Said) -> None:
    city = whole().only("grids", "buildings").set("design", weights={"colour": 1.0}).write(tmp_path)
    line = fails(capsys, "design", city, "--out", tmp_path / "plan", "--workers", "1")
    assert "no weight 'colour'; write some of deviation" in line


def test_households_that_are_no_whole_numbers_are_told_in_words(
    tmp_path: Path, capsys: Said
) -> None:
    city = whole().only("grids", "buildings").filled("buildings", occupied=12.5).write(tmp_path)
    line = fails(capsys, "design", city, "--out", tmp_path / "plan", "--workers", "1")
    assert "occupied is no" in line
    assert "correct these values" in line
