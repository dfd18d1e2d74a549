import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gridmap import cli
from gridmap._version import __version__
from gridmap.config import read_city_file
from gridmap.outputs import as_json
from gridmap.store import cities, load

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data"


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")


def gridmap(*arguments: str | Path) -> int:
    """Run the command in this process and return its exit code."""
    saved, sys.argv = sys.argv, ["gridmap", *map(str, arguments)]
    try:
        cli.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1 if end.code else 0
    finally:
        sys.argv = saved
    return 0


def town(folder: Path) -> Path:
    """Copy the sample's city file so that its paths lead to the sample's data."""
    text = (DATA / "city.toml").read_text(encoding="utf-8")
    (folder / "city.toml").write_text(
        text.replace('path = "', f'path = "{DATA}/'), encoding="utf-8"
    )
    return folder / "city.toml"


def test_run_writes_maps_layers_and_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("run", DATA, "--out", tmp_path / "out") == 0
    captured = capsys.readouterr()
    said = captured.out
    assert captured.err.count("\n") == 1
    assert "141 rows were left out; mend them in" in captured.err
    assert "Problems in no grid" in said
    assert "maps/heatmap.html" in said
    made = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert {"layers/qinghe.gpkg", "layers/gaps.geojson", "summary.xlsx", "summary.json"} <= made
    assert {f"maps/{n}.html" for n in ("heatmap", "workload", "coverage", "hotspots")} <= made
    assert "quarantine/10-problems-problems.csv" in made
    assert not list((tmp_path / "out").glob(".gridmap-*"))


def test_two_runs_write_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    for name, seed in (("one", "1"), ("two", "2")):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "gridmap", "run", DATA, "--out", tmp_path / name]
        subprocess.run(command, check=True, capture_output=True, env=environment, cwd=tmp_path)
    one = {p.relative_to(tmp_path / "one"): p for p in (tmp_path / "one").rglob("*") if p.is_file()}
    assert len(one) > 20
    for relative, path in one.items():
        assert path.read_bytes() == (tmp_path / "two" / relative).read_bytes(), relative


def test_run_prints_json_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("run", DATA, "--out", tmp_path, "--json", "--lang", "zh") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["city"] == "qinghe"
    assert said["summary"]["rows_in"] == said["summary"]["rows_placed"] + 141
    (problems,) = (entry for entry in said["inputs"] if entry["layer"] == "problems")
    assert problems["reasons"]["no_place"] == 49
    assert "maps/heatmap.html" in said["files"]


def test_check_finds_what_is_planted(
    planted: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("check", DATA, "--json") == 1
    homeless = planted["in_no_grid"]["count"] + planted["dead_corner"]["problems"]["count"]
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert findings == 141 + 2 + 2 + homeless + 1


def test_a_map_of_a_plan_says_what_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("map", "plan", DATA, "--out", tmp_path) == 1
    assert "gridmap design" in capsys.readouterr().err


def test_one_map_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gridmap("map", "workload", DATA, "--out", tmp_path, "--lang", "zh") == 0
    assert [path.name for path in (tmp_path / "maps").iterdir()] == ["workload.html"]
    assert "网格工作量" in (tmp_path / "maps" / "workload.html").read_text(encoding="utf-8")


def test_layers_are_exported_by_name_and_format(tmp_path: Path) -> None:
    arguments = ["--out", tmp_path, "--format", "geojson", "--layer", "gaps", "--layer", "grids"]
    assert gridmap("export", DATA, *arguments) == 0
    made = sorted(path.name for path in (tmp_path / "layers").iterdir())
    assert made == ["gaps.geojson", "grids.geojson"]


def test_layers_lists_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert gridmap("layers") == 0
    assert "Responsibility zones" in capsys.readouterr().out
    assert gridmap("layers", "problems", "--lang", "zh") == 0
    assert "结案时间" in capsys.readouterr().out
    assert gridmap("layers", "zones", "--city", DATA, "--json") == 0
    zones = json.loads(capsys.readouterr().out)[0]
    assert zones["fields"]["kind"]["categories"]["subzone"]["zh"] == "分战区"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "nowhere.toml"], "no such file"),
        (
            ["map", "heat", str(DATA)],
            "no map 'heat'; did you mean 'heatmap'?",
        ),
        (["layers", "grid"], "no layer 'grid'"),
        (
            ["export", str(DATA), "--format", "dwg"],
            "No format 'dwg'; there are: gpkg, qgz, geojson",
        ),
        (["export", str(DATA), "--layer", "lakes"], "no layer 'lakes'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert gridmap(*arguments) == 1
    said = capsys.readouterr()
    assert says in said.err
    assert said.err.startswith("gridmap: ")
    assert said.err.count("\n") == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("problems.csv", "lost.csv", "no such file; correct the name"),
        ('encoding = "gb18030"', 'encoding = "utf-8"', 'write encoding = "gb18030"'),
        ('crs = "EPSG:4490"\nx', 'crs = "EPSG:4549"\nx', "check 'crs'"),
        ('layer = "places"', 'layer = "roads"', "layer 'roads' has no field"),
        ('layer = "roads"', 'layer = "places"', "holds LineString, but layer 'places' is of Point"),
        (
            '"areas.gpkg"\nsublayer = "grids"',
            '"areas.gpkg"\nsublayer = "grid"',
            "it holds: district",
        ),
    ],
)
def test_bad_input_is_one_line_in_either_language_and_writes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
    says: str,
) -> None:
    city = town(tmp_path)
    text = city.read_text(encoding="utf-8")
    old = old.replace('"areas.gpkg"', f'"{DATA}/areas.gpkg"')
    new = new.replace('"areas.gpkg"', f'"{DATA}/areas.gpkg"')
    assert old in text
    city.write_text(text.replace(old, new, 1), encoding="utf-8")
    out = tmp_path / "out"
    assert gridmap("run", city, "--out", out) == 1
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert list(out.rglob("*")) == []
    assert gridmap("run", city, "--out", out, "--lang", "zh") == 1
    assert "请" in capsys.readouterr().err


def test_ten_bad_rows_in_a_thousand_do_not_stop_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = town(tmp_path)
    lines = (DATA / "problems.csv").read_text(encoding="gb18030").splitlines()[:1001]
    for number in range(1, 11):
        lines[number * 90] = f"bad{number},x,热线,not a time,,,120.9,30.7,"
    (tmp_path / "few.csv").write_text("\n".join(lines), encoding="gb18030")
    text = city.read_text(encoding="utf-8").replace(f"{DATA}/problems.csv", "few.csv")
    city.write_text(text, encoding="utf-8")
    assert gridmap("run", city, "--out", tmp_path / "out", "--json", "--strict") == 1
    inputs = json.loads(capsys.readouterr().out)["inputs"]
    (problems,) = (entry for entry in inputs if entry["layer"] == "problems")
    assert problems["rows"] == 1000
    assert problems["reasons"]["no_time:opened"] >= 10
    rows = (tmp_path / "out/quarantine/10-problems-few.csv").read_text(encoding="utf-8-sig")
    assert rows.count("is no time") >= 10
    assert "not a time" in rows


def test_a_place_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    started = time.perf_counter()
    assert gridmap("run", DATA, "--out", tmp_path / "file" / "out") == 1
    assert time.perf_counter() - started < 5
    said = capsys.readouterr().err
    assert "cannot be written" in said
    assert "--out" in said


def test_a_failure_leaves_the_earlier_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert gridmap("map", "workload", DATA, "--out", out) == 0
    before = (out / "maps" / "workload.html").read_bytes()
    city = town(tmp_path)
    city.write_text(city.read_text(encoding="utf-8").replace("roads.fgb", "none.fgb"))
    assert gridmap("map", "workload", city, "--out", out) == 1
    assert (out / "maps" / "workload.html").read_bytes() == before


def test_version_and_help() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gridmap", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"gridmap {__version__}\n"
    environment = {**os.environ, "GRIDMAP_LANG": "zh"}
    command = [sys.executable, "-m", "gridmap", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert "面向城市网格化管理" in done.stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from gridmap import cli; "
        "print([m for m in ('pandas', 'numpy', 'geopandas', 'folium', 'pydantic', 'sqlalchemy')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_command_and_option_has_help_in_both_languages() -> None:
    for command in ("run", "map", "export", "check", "layers"):
        for lang in ("en", "zh"):
            environment = {**os.environ, "GRIDMAP_LANG": lang, "COLUMNS": "200"}
            done = subprocess.run(
                [sys.executable, "-m", "gridmap", command, "--help"],
                capture_output=True,
                text=True,
                check=True,
                env=environment,
            )
            assert "--lang" in done.stdout
            assert "--json" in done.stdout


def test_a_run_is_saved_to_a_store_and_read_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "city.sqlite"
    assert gridmap("run", DATA, "--out", tmp_path / "out", "--store", store, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert cities(str(store)) == ["qinghe"]
    analysed = load(str(store), "qinghe", read_city_file(DATA).catalog)
    assert as_json(analysed) == {key: said[key] for key in as_json(analysed)}


def test_a_store_that_is_none_is_refused_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("run", DATA, "--out", tmp_path / "out", "--store", "mysql://secret@host/db") == 1
    said = capsys.readouterr().err
    assert "postgresql://" in said
    assert "secret" not in said
    assert list((tmp_path / "out").iterdir()) == []
