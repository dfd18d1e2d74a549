"""The commands of zone design, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyogrio
import pytest

ROOT = Path(__file__).parent.parent


def gridmap(*arguments: object, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gridmap", *map(str, arguments)],
        capture_output=True, text=True, input=answer, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("plan")
    done = gridmap("design", ROOT / "data", "--out", out, "--lang", "en", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert "Micro-grids" in done.stdout
    return out


def microgrids(plan: Path) -> Any:
    return pyogrio.read_dataframe(plan, layer="plan", read_geometry=False)


def test_a_plan_is_written_with_its_map_and_report(folder: Path) -> None:
    names = {path.name for path in folder.glob("[!.]*")}
    assert names == {"qinghe.gpkg", "plan.html", "summary.json", "summary.xlsx"}
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["summary"]
    assert summary["plan_microgrids"] == len(microgrids(folder / "qinghe.gpkg"))


def test_a_plan_of_gridmap_passes_its_own_check(folder: Path) -> None:
    plan = folder / "qinghe.gpkg"
    done = gridmap(
        "check", plan, "--sublayer", "plan", "--parents", plan, "--parents-sublayer", "grids",
        "--buildings", plan, "--buildings-sublayer", "plan_buildings",
        "--minimum", 30, "--maximum", 70, "--profile", "suffix", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["findings"] == 0


def test_an_edit_is_applied_when_it_is_confirmed(folder: Path, tmp_path: Path) -> None:
    plan = tmp_path / "mine.gpkg"
    plan.write_bytes((folder / "qinghe.gpkg").read_bytes())
    table = microgrids(plan)
    code = table.loc[table["buildings"].idxmax(), "code"]
    refused = gridmap("plan", "split", plan, code, "--lang", "en", answer="n\n")
    assert refused.returncode == 1
    assert "→" in refused.stdout
    assert len(microgrids(plan)) == len(table)
    done = gridmap("plan", "split", plan, code, "--lang", "en", answer="y\n")
    assert done.returncode == 0, done.stderr
    assert len(microgrids(plan)) == len(table) + 1
    new = (set(microgrids(plan)["code"]) - set(table["code"])).pop()
    assert gridmap("plan", "merge", plan, code, new, "--yes").returncode == 0
    assert gridmap("plan", "lock", plan, code).returncode == 0
    locked = gridmap("plan", "split", plan, code, "--yes", "--lang", "zh")
    assert locked.returncode == 1
    assert "已锁定" in locked.stderr
    for _ in range(3):
        assert gridmap("plan", "undo", plan).returncode == 0
    assert microgrids(plan)["code"].tolist() == table["code"].tolist()
    assert gridmap("plan", "undo", plan, "--lang", "en").stderr.count("\n") == 1


def test_a_resize_draws_before_and_after(folder: Path, tmp_path: Path) -> None:
    done = gridmap(
        "resize", ROOT / "data", "--plan", folder / "qinghe.gpkg", "--out", tmp_path,
        "--target", 65, "--workers", 1, "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["summary"]["plan_target"] == 65
    assert "plan_changes.html" in said["files"]
    lineage = pyogrio.read_dataframe(tmp_path / "qinghe.gpkg", layer="plan_lineage")
    assert lineage["households_before"].sum() == said["summary"]["plan_households"]


def test_wrong_settings_are_one_line(tmp_path: Path) -> None:
    for arguments in (
        ["--target", 50, "--minimum", 60],
        ["--preset", "square"],
        ["--count", "nowhere=3"],
        ["--level", "planet"],
    ):
        done = gridmap("design", ROOT / "data", "--out", tmp_path, "--lang", "en", *arguments)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1, done.stderr
        assert not list(tmp_path.iterdir())
