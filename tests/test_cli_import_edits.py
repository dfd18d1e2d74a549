"""The command import-edits, on a grid layer and on a plan, as a user types it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
import shapely
from shapes import EAST, NORTH, grid_of
from towns import rows_of_buildings, town

from gridmap import cli
from gridmap.design import as_layers, design_grids
from gridmap.outputs import write_layers


def gridmap(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str | Path,
    answer: bool | None = None,
) -> tuple[int, str]:
    """Run the command in this process; return its exit code and what it said."""
    monkeypatch.setenv("GRIDMAP_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["gridmap", "import-edits", *map(str, arguments)])
    if answer is not None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n" if answer else "n\n"))
    code: Any = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    said = capsys.readouterr()
    return int(code), said.out + said.err


def strip(west: float, east: float) -> shapely.Polygon:
    return shapely.box(EAST + west, NORTH, EAST + east, NORTH + 100)


@pytest.fixture
def layers(tmp_path: Path) -> tuple[Path, Path]:
    """A layer of three grids, and an edit of it that moves a border and gives a name."""
    frame = grid_of("abc").assign(name=["one", "two", "three"])
    frame.to_file(tmp_path / "mine.gpkg", layer="grids")
    edited = frame.copy()
    edited.loc[[0, 1], "geometry"] = [strip(0, 90), strip(90, 200)]
    edited.loc[2, "name"] = "new"
    edited.to_file(tmp_path / "edited.gpkg", layer="grids")
    return tmp_path / "edited.gpkg", tmp_path / "mine.gpkg"


def areas(path: Path, layer: str = "grids") -> dict[str, float]:
    frame = pyogrio.read_dataframe(path, layer=layer)
    return dict(zip(frame["code"], frame.area.round(), strict=True))


def test_an_edit_of_grids_is_applied_once_it_is_confirmed(
    layers: tuple[Path, Path], capsys: Any, monkeypatch: Any
) -> None:
    edited, mine = layers
    code, said = gridmap(capsys, monkeypatch, edited, "--into", mine, answer=False)
    assert code == 1
    assert areas(mine) == {"a": 10_000, "b": 10_000, "c": 10_000}
    code, said = gridmap(capsys, monkeypatch, edited, "--into", mine, answer=True)
    assert code == 0
    assert "new" in said
    assert areas(mine) == {"a": 9_000, "b": 11_000, "c": 10_000}
    assert pyogrio.read_dataframe(mine)["name"].to_list() == ["one", "two", "new"]
    code, again = gridmap(capsys, monkeypatch, edited, "--into", mine)
    assert code == 0
    assert len(again.strip().splitlines()) == 1


def test_json_writes_only_if_it_is_told_to(
    layers: tuple[Path, Path], capsys: Any, monkeypatch: Any
) -> None:
    edited, mine = layers
    code, said = gridmap(capsys, monkeypatch, edited, "--into", mine, "--json")
    told = json.loads(said)
    assert (code, told["applied"], told["written"], told["conflicts"]) == (0, [], False, [])
    assert sorted((row["code"], row["kind"]) for row in told["changes"]) == [
        ("a", "reshaped"), ("b", "reshaped"), ("c", "attribute"),
    ]  # fmt: skip
    assert areas(mine)["a"] == 10_000
    code, said = gridmap(capsys, monkeypatch, edited, "--into", mine, "--json", "--yes")
    assert json.loads(said)["written"] is True
    assert areas(mine)["a"] == 9_000
    code, said = gridmap(capsys, monkeypatch, edited, "--into", mine, "--json", "--yes")
    told = json.loads(said)
    assert (told["written"], told["changes"]) == (False, [])


def test_a_conflict_is_told_and_ends_with_1(
    layers: tuple[Path, Path], tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    _, mine = layers
    over = pyogrio.read_dataframe(mine)
    over.loc[0, "geometry"] = strip(0, 130)
    over.loc[2, "name"] = "new"
    gpd.GeoDataFrame(over).to_file(tmp_path / "over.gpkg", layer="other")
    asked = (tmp_path / "over.gpkg", "--into", mine, "--layer", "grids")
    code, said = gridmap(capsys, monkeypatch, *asked, "--json")
    (conflict,) = json.loads(said)["conflicts"]
    assert (code, conflict["kind"], conflict["codes"]) == (1, "overlap", "a, b")
    assert conflict["value"] == pytest.approx(3_000)
    code, said = gridmap(capsys, monkeypatch, *asked, "--yes")
    assert code == 1
    assert "3,000.0" in said
    assert areas(mine) == {"a": 10_000, "b": 10_000, "c": 10_000}
    assert pyogrio.read_dataframe(mine)["name"].to_list() == ["one", "two", "new"]


def test_a_plan_takes_names_and_tells_what_it_did(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    city = town(grid_of("A", 200.0), rows_of_buildings(5, 5))
    (path,) = write_layers(as_layers(design_grids(city), city), tmp_path, formats=["gpkg"])
    edited = tmp_path / "edited.gpkg"
    edited.write_bytes(path.read_bytes())
    code, said = gridmap(capsys, monkeypatch, edited, "--into", path, "--yes")
    assert code == 0
    assert len(said.strip().splitlines()) == 1
    rows = pyogrio.read_dataframe(path, layer="plan")
    first = rows.loc[0, "code"]
    named = rows.assign(name=rows["name"].mask(rows["code"] == first, "Riverside"))
    pyogrio.write_dataframe(named, edited, layer="plan")
    code, said = gridmap(capsys, monkeypatch, edited, "--into", path, "--json", "--yes")
    assert code == 0
    assert json.loads(said)["written"] is True
    after = pyogrio.read_dataframe(path, layer="plan", read_geometry=False).set_index("code")
    assert after.loc[first, "name"] == "Riverside"
    # Figures follow from the buildings; a conflict about one has no area, which is null in JSON.
    wrong = pyogrio.read_dataframe(path, layer="plan")
    wrong.loc[0, "households"] += 1
    pyogrio.write_dataframe(wrong, edited, layer="plan")
    code, said = gridmap(capsys, monkeypatch, edited, "--into", path, "--json")
    assert code == 1
    (conflict,) = json.loads(said)["conflicts"]
    assert (conflict["kind"], conflict["value"]) == ("derived", None)
    code, said = gridmap(capsys, monkeypatch, edited, "--into", path)
    assert code == 1
    assert "nan" not in said
    # The layer of grids in a plan is one of areas.
    wide = pyogrio.read_dataframe(path, layer="grids").assign(name="Wide")
    pyogrio.write_dataframe(wide, edited, layer="grids")
    asked = (edited, "--into", path, "--layer", "grids", "--json")
    code, said = gridmap(capsys, monkeypatch, *asked)
    assert [row["code"] for row in json.loads(said)["changes"]] == ["A"]
