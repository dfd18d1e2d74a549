"""Small cities that some command did not take: each ends in a result, or in one true line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from any_city import AnyCity, settled, whole
from test_cli import gridmap

from gridmap.store import cities

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")


def fails(capsys: Said, *command: str | Path) -> str:
    """Run a command that must refuse, and return its one line."""
    capsys.readouterr()
    assert gridmap(*command) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0].removeprefix("gridmap: ")


def single(city: AnyCity) -> AnyCity:
    """Return the city with one of its grids, which has no parent."""
    return city.given("grids", city.frames["grids"].iloc[[1]].assign(parent=None))


def test_a_city_without_assignments_is_stored(tmp_path: Path) -> None:
    city = whole().only("grids", "problems").write(tmp_path / "city")
    store = tmp_path / "city.sqlite"
    assert gridmap("run", city, "--out", tmp_path / "out", "--store", store) == 0
    assert cities(str(store)) == ["tiny"]


def test_a_store_is_proven_before_the_work(tmp_path: Path, capsys: Said) -> None:
    city = whole().only("grids", "problems").write(tmp_path / "city")
    for layer in ("grids", "problems"):
        (city / f"{layer}.geojson").unlink()  # so that the work would fail, had it begun
    asked = ("run", city, "--out", tmp_path / "out", "--store")
    assert "cannot be reached" in fails(capsys, *asked, tmp_path / "none" / "x.sqlite")
    (tmp_path / "text.sqlite").write_text("no database, and longer than a header " * 9)
    assert "text.sqlite" in fails(capsys, *asked, tmp_path / "text.sqlite")
    assert "no such file" in fails(capsys, *asked, tmp_path / "new.sqlite")
    assert not (tmp_path / "new.sqlite").exists()


@pytest.mark.parametrize("other", ["zones", "assignments"])
def test_zones_or_assignments_without_problems_are_a_run(tmp_path: Path, other: str) -> None:
    for dated in ("", "2024-05-01"):
        city = AnyCity(whole().only("grids", other).frames, as_of=dated)
        folder = city.write(tmp_path / f"city{dated}")
        assert gridmap("run", folder, "--out", tmp_path / f"out{dated}") == 0


def test_a_city_without_a_moment_has_none_anywhere(tmp_path: Path, capsys: Said) -> None:
    bare = whole().without("problems")
    city = bare.write(tmp_path / "city")
    assert gridmap("run", city, "--out", tmp_path / "out", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["as_of"] is None
    assert "responsibilities" not in said["results"]
    assert gridmap("export", city, "--out", tmp_path / "out", "--format", "qgz") == 0
    assert gridmap("design", city, "--out", tmp_path / "plan", "--workers", "1") == 0
    assert gridmap("plan", "show", tmp_path / "plan" / "tiny.gpkg", "--json") == 0
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".geojson"]
    assert len(written) > 10
    assert [path for path in written if b"1970-01-01" in path.read_bytes()] == []
    line = fails(capsys, "map", "responsibility", city, "--out", tmp_path / "out")
    assert "give as_of in the city file" in line
    assert gridmap("dead-corners", city) == 0
    assert "--at now" in fails(capsys, "who", city, "120.901,30.701")
    dated = AnyCity(bare.frames, as_of="2024-05-01").write(tmp_path / "dated")
    assert gridmap("map", "responsibility", dated, "--out", tmp_path / "out") == 0
    assert gridmap("who", dated, "120.901,30.701") == 0


def test_what_a_city_lacks_is_told_in_the_same_words_by_every_command(
    tmp_path: Path, capsys: Said
) -> None:
    city = whole().without("roads").write(tmp_path / "city")
    why = "There is no 'black_spots', for the city has no rows of: roads; add an [[inputs]]"
    assert why in fails(capsys, "map", "black_spots", city, "--out", tmp_path / "out")
    assert gridmap("export", city, "--layer", "black_spots", "--out", tmp_path / "out") == 0
    assert why in capsys.readouterr().out
    assert gridmap("run", city, "--out", tmp_path / "out") == 0
    assert why in capsys.readouterr().out
    grids = whole().only("grids").write(tmp_path / "grids")
    for command in (["fairness"], ["kpis"], ["map", "heatmap"], ["bulletin", "--period", "month"]):
        at = ["--out", tmp_path / "out"] if command[0] in ("map", "bulletin") else []
        line = fails(capsys, *command, grids, *at)
        assert "for the city has no rows of: problems; add an [[inputs]]" in line


def test_why_a_map_has_nothing_to_show(tmp_path: Path, capsys: Said) -> None:
    few = single(whole()).only("grids", "problems", "roads").first("problems").write(tmp_path / "a")
    out = ("--out", tmp_path / "out")
    assert "no problem has a place and" not in fails(capsys, "map", "overdue", few, *out)
    assert "nothing of the kind was found" in fails(capsys, "map", "overdue", few, *out)
    assert "fewer than ten periods" in fails(capsys, "map", "emerging", few, *out)
    nobody = whole().only("grids", "problems").write(tmp_path / "b")
    assert "names nobody who leads" in fails(capsys, "map", "dead_corners", nobody, *out)
    asked = whole().set("analysis", black_spot_categories=["none"]).write(tmp_path / "c")
    assert "black_spot_categories" in fails(capsys, "map", "black_spots", asked, *out)


@pytest.mark.parametrize("command", ["kpis", "overdue", "recurrence", "fairness"])
def test_a_recorded_kind_needs_no_zones(tmp_path: Path, command: str) -> None:
    city = whole().set("analysis", recorded_kind="property")
    for number, known in enumerate((city, city.without("zones"), city.lacking("zones", "name"))):
        assert gridmap(command, known.write(tmp_path / str(number))) == 0


def test_grids_without_names_are_told_by_their_codes(tmp_path: Path) -> None:
    bare = whole().lacking("grids", "name", "member", "members", "parent", "households")
    for name in ("responsibility", "workload", "battle", "fairness"):
        city = bare.write(tmp_path / "city")
        assert gridmap("map", name, city, "--out", tmp_path / "out") == 0
        page = (tmp_path / "out" / "maps" / f"{name}.html").read_text(encoding="utf-8")
        assert '"g0"' in page


@pytest.mark.parametrize("command", ["kpis", "recurrence"])
def test_the_columns_to_group_by_are_those_that_cases_share(
    tmp_path: Path, capsys: Said, command: str
) -> None:
    line = fails(capsys, command, settled().write(tmp_path), "--by", "colour")
    known = line.partition("they have: ")[2].split(", ")
    assert {"area", "category", "department", "source", "grid", "state"} <= set(known)
    assert len(known) < 20
    assert not {"code", "address", "opened", "file_at", "hours", "pile"} & set(known)


def test_a_kpi_that_lacks_its_data_says_which(tmp_path: Path, capsys: Said) -> None:
    bare = whole().only("grids", "problems").lacking("problems", "level").write(tmp_path / "city")
    assert "[[inputs]] for the layer 'events'" in fails(
        capsys, "kpis", bare, "--kpi", "filing_rate"
    )
    line = fails(capsys, "kpis", bare, "--kpi", "within_grid_rate")
    assert "needs level of the problems" in line


def test_a_file_of_kpis_has_all_digits_and_units(tmp_path: Path, capsys: Said) -> None:
    city = whole().write(tmp_path / "city")
    assert gridmap("kpis", city, "--csv", tmp_path / "out") == 0
    capsys.readouterr()
    assert gridmap("kpis", city, "--json") == 0
    told = json.loads(capsys.readouterr().out)["kpis"]
    with (tmp_path / "out" / "kpis.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(told) > 20
    values = [float(row["Value"] or "nan") for row in rows]
    right = [float("nan") if row["value"] is None else row["value"] for row in told]
    assert values == pytest.approx(right, rel=1e-9, nan_ok=True)
    assert {row["Unit"] for row in rows} == {"h", "share of 1"}
    assert any(len(row["Value"]) > 10 for row in rows)


def test_a_western_longitude_is_no_option(tmp_path: Path, capsys: Said) -> None:
    city = settled((-77.03, 38.9)).write(tmp_path)
    assert gridmap("who", city, "-77.029,38.901", "--json") == 0
    one = json.loads(capsys.readouterr().out)
    assert one["responsible"]
    assert gridmap("who", city, "--json", "--", "-77.029,38.901") == 0
    assert json.loads(capsys.readouterr().out) == one
    assert gridmap("who", "--colour", city, "-77.029,38.901") == 2
    assert "gridmap who has no option '--colour'" in capsys.readouterr().err


def test_a_city_without_areas_is_drawn_as_far_as_its_points_and_lines(tmp_path: Path) -> None:
    city = whole().only("problems", "roads").write(tmp_path / "city")
    assert gridmap("map", "heatmap", city, "--out", tmp_path / "out") == 0
    page = (tmp_path / "out" / "maps" / "heatmap.html").read_text(encoding="utf-8")
    assert "30.70" in page
