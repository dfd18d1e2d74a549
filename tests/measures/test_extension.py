"""A package of its own adds a measure, a layer and a map, as `examples/extension` does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "extension"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the example in it, as an installer leaves it."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copytree(EXAMPLE / "gridmap_night", folder / "gridmap_night")
    information = folder / "gridmap_night-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: gridmap-night\nVersion: 1.0\n"
    )
    points = "[gridmap.measures]\nnight = gridmap_night\n"
    (information / "entry_points.txt").write_text(points, encoding="utf-8")
    return folder


def gridmap(installed: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(installed), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "gridmap", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_map_is_drawn_and_its_layer_listed(installed: Path, tmp_path: Path) -> None:
    done = gridmap(installed, "map", "night", "data/city.toml", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == ["night.html"]
    assert "夜间问题" in (tmp_path / "maps" / "night.html").read_text(encoding="utf-8")
    listed = gridmap(installed, "layers", "night", "--json")
    assert json.loads(listed.stdout)[0]["fields"]["at_night"]["type"] == "integer"


def test_without_it_the_map_is_unknown(tmp_path: Path) -> None:
    done = gridmap(tmp_path, "map", "night", "data/city.toml", "--out", tmp_path)
    assert done.returncode == 1
    assert "no map 'night'" in done.stderr


def test_the_entry_point_is_the_one_that_the_example_names() -> None:
    text = (EXAMPLE / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points."gridmap.measures"]\nnight = "gridmap_night"' in text
