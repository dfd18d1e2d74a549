"""The command check: it lists what it found, and speaks of what it was given."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from any_city import whole
from test_city_faults import fails
from test_cli import gridmap

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")


def test_a_check_of_a_city_lists_what_it_found(tmp_path: Path, capsys: Said) -> None:
    grids = whole().frames["grids"]
    moved = grids.set_geometry(grids.translate(xoff=[0, 0.0003, 0, 0, 0]).values, crs=4326)
    cases = whole().frames["problems"]
    bad = cases.assign(opened=[None] * 30 + [*cases["opened"][30:]])
    city = whole().given("grids", moved).given("problems", bad).write(tmp_path / "city")
    assert gridmap("check", city, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().out
    assert said.count("problems.geojson: ") == 20
    assert "Row left out" in said
    assert "opened is empty" in said
    assert "Correct the row" in said
    assert "--out writes all" in said
    found = gpd.read_file(tmp_path / "out" / "tiny_findings.gpkg", layer="findings")
    assert gridmap("check", city, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert len(found) == len(told["rows"]) == told["findings"]
    kinds = found["kind"].value_counts()
    assert kinds["row_unusable"] == 30
    assert kinds["gap"] == told["summary"]["gaps"] > 0
    assert kinds["overlap"] == told["summary"]["overlaps"] > 0
    assert found.loc[found["kind"] == "overlap", "area_m2"].gt(1000).all()
    assert f"{len(found)} findings" in said


def test_a_parent_that_nobody_declared_accuses_nobody(tmp_path: Path, capsys: Said) -> None:
    city = whole().only("grids")
    grids = city.frames["grids"]
    shapes = np.array(grids.geometry)
    west, south, east, north = shapes[0].bounds
    shapes[0] = shapely.box(west, south, east - 0.001, north)
    beside = shapely.box(east - 0.001, south, east, north)
    areas = pd.concat(
        [
            grids.set_geometry(shapes, crs=4326),
            gpd.GeoDataFrame({"code": ["c1"], "level": "community"}, geometry=[beside], crs=4326),
        ],
        ignore_index=True,
    )
    for declared, kinds in ((True, {"not_nested"}), (False, set())):
        given = areas if declared else areas.assign(parent=None)
        folder = city.given("grids", given).write(tmp_path / str(declared))
        gridmap("check", folder, "--json")
        told = json.loads(capsys.readouterr().out)["rows"]
        assert {row["kind"] for row in told} == kinds


def test_a_file_to_be_checked_is_spoken_of_as_what_it_is(tmp_path: Path, capsys: Said) -> None:
    grids, roads = whole().frames["grids"], whole().frames["roads"]
    roads.to_file(tmp_path / "lines.gpkg")
    grids.to_file(tmp_path / "areas.gpkg")
    line = fails(capsys, "check", tmp_path / "lines.gpkg")
    assert "holds LineString, but areas are polygons" in line
    built = ("check", tmp_path / "areas.gpkg", "--buildings", tmp_path / "lines.gpkg")
    assert "buildings are polygons or points" in fails(capsys, *built)
    with pytest.warns(UserWarning, match="'crs' was not provided"):
        grids.set_crs(None, allow_override=True).to_file(tmp_path / "bare.gpkg")
    assert "--crs EPSG:4490" in fails(capsys, "check", tmp_path / "bare.gpkg")
    wide = grids.translate(xoff=1000).to_frame("geometry").assign(code=grids["code"])
    wide.to_file(tmp_path / "wide.gpkg")
    assert "with --crs" in fails(capsys, "check", tmp_path / "wide.gpkg")


def test_a_city_in_a_folder_with_a_dot_in_its_name_is_a_city(tmp_path: Path, capsys: Said) -> None:
    city = whole().write(tmp_path / "town.2025")
    assert gridmap("check", city, "--json") in (0, 1)
    assert json.loads(capsys.readouterr().out)["city"] == "tiny"
