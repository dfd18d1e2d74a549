"""The command export, as a user types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyogrio
import pytest

ROOT = Path(__file__).parent.parent


def gridmap(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gridmap", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "GRIDMAP_LANG": "en", "HOME": "/nonexistent"},
        cwd=ROOT,
    )


def exported(out: Path, *arguments: object) -> dict[str, Any]:
    done = gridmap("export", ROOT / "data", "--out", out, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def community() -> str:
    areas = pyogrio.read_dataframe(
        ROOT / "data" / "areas.gpkg", layer="communities", read_geometry=False
    )
    return str(sorted(areas.select_dtypes(["str", "object"]).iloc[:, 0].dropna())[0])


def test_a_selection_of_layer_area_time_and_columns(tmp_path: Path, community: str) -> None:
    said = exported(
        tmp_path, "--format", "gpkg", "--format", "csv", "--layer", "problems", "--layer", "grids",
        "--area", community, "--since", "2025-03-01", "--until", "2025-06-01",
        "--column", "problems.opened", "--column", "problems.category", "--crs", "EPSG:4490",
    )  # fmt: skip
    assert said["files"] == ["qinghe.gpkg", "grids.csv", "problems.csv"]
    problems = pyogrio.read_dataframe(tmp_path / "layers/qinghe.gpkg", layer="problems")
    assert set(problems.columns) == {"code", "opened", "category", "geometry"}
    opened = problems["opened"].dt.tz_convert("Asia/Shanghai")
    assert opened.min() >= pd.Timestamp("2025-03-01", tz="Asia/Shanghai")
    assert opened.max() < pd.Timestamp("2025-06-01", tz="Asia/Shanghai")
    grids = pyogrio.read_dataframe(tmp_path / "layers/qinghe.gpkg", layer="grids")
    assert community in set(grids["code"])
    assert set(grids["level"]) == {"community", "grid"}
    assert grids.crs.to_epsg() == 4490
    area = grids[grids["code"] == community].to_crs(4549).buffer(0.01).iloc[0]
    assert problems.to_crs(4549).within(area).all()
    assert 0 < len(problems) < 200


def test_add_or_replace(tmp_path: Path) -> None:
    arguments = ("--format", "gpkg", "--layer")
    exported(tmp_path, *arguments, "grids")
    said = exported(tmp_path, *arguments, "roads", "--append")
    assert said["files"] == ["qinghe.gpkg"]
    path = tmp_path / "layers" / "qinghe.gpkg"
    held = set(pyogrio.list_layers(path)[:, 0])
    assert held == {"grids", "roads", "layer_styles"}
    exported(tmp_path, *arguments, "roads")
    assert set(pyogrio.list_layers(path)[:, 0]) == {"roads", "layer_styles"}


def test_warnings_are_told_one_a_line(tmp_path: Path) -> None:
    done = gridmap(
        "export", ROOT / "data", "--out", tmp_path, "--format", "shp", "--layer", "problems"
    )
    assert done.returncode == 0, done.stderr
    notes = [line for line in done.stdout.splitlines() if line.startswith("Note: ")]
    assert len(notes) == 3
    assert any("no times of day" in note for note in notes)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--area", "X"], "no grid of any level has the code X"),
        (["--column", "problems.lakes"], "has a field 'problems.lakes'"),
        (["--crs", "EPSG:x"], "no coordinate system"),
        (["--encoding", "latin1"], "write one of utf-8, gb18030"),
        (["--since", "yesterday"], "2026-01-31"),
        (["--privacy", "some"], "write one of masked, none, full"),
    ],
)
def test_a_mistake_is_told_and_nothing_written(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    done = gridmap("export", ROOT / "data", "--out", tmp_path, "--format", "gpkg", *arguments)
    assert done.returncode in (1, 2)
    assert says in " ".join(done.stderr.replace("│", " ").split())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_was_asked_for_and_left_out_is_told_with_the_reason(tmp_path: Path) -> None:
    said = exported(tmp_path, "--format", "gpkg", "--layer", "plan")
    assert said["files"] == []
    assert "it belongs to a plan; name one with --plan" in said["warnings"][0]
    said = exported(tmp_path, "--format", "kml", "--layer", "line_by_block", "--layer", "grids")
    assert said["files"] == ["grids.kml"]
    assert "(line_by_block): not in kml, for it has no geometry" in said["warnings"][0]
