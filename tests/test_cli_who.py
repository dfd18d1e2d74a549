from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from test_cli import DATA, gridmap

from gridmap.crs import from_wgs84
from gridmap.result import Analysed
from gridmap.sources import read_city

PLACE = "120.9063,30.7012"


def small_city(
    folder: Path, west: float = 121.0, south: float = 30.0, more: str = "", inputs: str = ""
) -> Path:
    """Write a city of one grid, and two who answer for it, one of them from 2026 on."""
    square = shapely.box(west, south, west + 0.01, south + 0.01)
    grids = gpd.GeoDataFrame(
        {"code": ["330499101002003"], "name": ["网格"], "member": ["示例员001"]},
        geometry=[square],
        crs=4490,
    )
    grids.to_file(folder / "grids.gpkg")
    pd.DataFrame(
        {
            "code": ["a", "b"],
            "holder": ["示例城管所", "示例环卫所"],
            "role": ["lead", "cooperating"],
            "layer": "grids",
            "target": "330499101002003",
            "category": ["占道经营", None],
            "valid_from": ["2026-01-01", None],
            "phone": ["13800000001", None],
        }
    ).to_csv(folder / "assignments.csv", index=False)
    (folder / "city.toml").write_text(
        f"""name = "t"
title = {{ en = "T", zh = "试" }}
source = {{ en = "Synthetic", zh = "合成" }}
timezone = "Asia/Shanghai"
{more}

[[inputs]]
layer = "grids"
path = "grids.gpkg"
constants = {{ level = "grid" }}

[[inputs]]
layer = "assignments"
path = "assignments.csv"

{inputs}
""",
        encoding="utf-8",
    )
    return folder / "city.toml"


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[dict[str, object]]:
    assert gridmap("who", *arguments, "--json") == 0
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)["responsible"]
    return rows


def test_everyone_is_told_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(capsys, DATA, PLACE)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["role"] for row in rows} == {"direct", "lead", "cooperating", "sponsor", "fallback"}
    assert [row["layer"] for row in rows][:1] == ["zones"]
    assert rows[-1]["role"] == "fallback"
    zones = gpd.read_file(
        DATA.parent / "zones.geojson" if DATA.is_file() else DATA / "zones.geojson"
    )
    lead = zones.set_index("code").loc[rows[0]["target"], "lead"]
    assert rows[0]["holder"] == lead


def test_a_category_asks_only_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    rows = told(capsys, DATA, PLACE, "--category", "占道经营", "--at", "2026-01-01")
    assert {row["category"] for row in rows} == {"", "占道经营"}
    assert {row["layer"] for row in rows} == {"zones", "grids", "roads"}


def test_who_has_signed_for_a_front_is_asked_before_any_larger_area(
    sample: Analysed, capsys: pytest.CaptureFixture[str]
) -> None:
    fronts = sample.frame("frontages")
    signed = fronts[fronts["holder"].notna()].iloc[[0]]
    place = signed.representative_point().to_crs(4490).iloc[0]
    rows = told(capsys, DATA, f"{place.x:.7f},{place.y:.7f}")
    first = next(row for row in rows if row["layer"] != "places")
    assert first["holder"] == signed["holder"].iloc[0]
    assert (first["kind"], first["target"]) == ("frontage", signed["code"].iloc[0])
    assert first["target_name"] == signed["name"].iloc[0]


def test_the_table_speaks_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert gridmap("who", DATA, PLACE, "--lang", "zh", "--at", "2026-01-01") == 0
    said = capsys.readouterr().out
    assert "责任人，2026-01-01 00:00" in said
    assert "位于社区内" in said
    assert "示例兜底" in said


def test_nobody_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    city = small_city(tmp_path)
    gpd.read_file(tmp_path / "grids.gpkg").drop(columns="member").to_file(tmp_path / "grids.gpkg")
    since = pd.read_csv(tmp_path / "assignments.csv", dtype=str).assign(valid_from="2026-01-02")
    since.to_csv(tmp_path / "assignments.csv", index=False)
    assert gridmap("who", city, "121.005,30.005", "--at", "2026-01-01", "--lang", "en") == 0
    assert "Nobody is responsible for this place at 2026-01-01 00:00" in capsys.readouterr().out


def test_a_western_longitude_is_a_place_and_a_wrong_option_still_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = small_city(tmp_path, west=-77.035, south=38.895, more="as_of = 2026-02-01T00:00:00")
    for place in ("-77.03,38.9", "-.7703e2,38.9"):
        assert gridmap("who", city, place, "--lang", "en", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert told["at"] == "2026-02-01T00:00:00+08:00"
        assert told["responsible"][0]["holder"] == "示例城管所"
    assert gridmap("who", city, "-77.03,38.9", "--categry", "x") == 2
    assert gridmap("who", city, "120.9,30.7", "--categry", "x") == 2
    assert "did you mean '--category'" in capsys.readouterr().err


def test_without_a_time_the_moment_is_that_of_the_city(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The assignment begins on 2026-01-01; the last time that the problems know is later.
    problems = pd.DataFrame(
        {
            "code": ["p", "q"],
            "category": "占道经营",
            "opened": ["2025-12-01 08:00", "2026-01-05 09:00"],
            "closed": ["2026-01-03 10:00", None],
            "x": 121.005,
            "y": 30.005,
        }
    )
    problems.to_csv(tmp_path / "problems.csv", index=False)
    entry = {"layer": "problems", "path": "problems.csv", "x": "x", "y": "y", "crs": "EPSG:4490"}
    lines = [f'{key} = "{value}"' for key, value in entry.items()]
    city = small_city(tmp_path, inputs="\n".join(["[[inputs]]", *lines]))
    assert gridmap("who", city, "121.005,30.005", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["at"] == "2026-01-05T09:00:00+08:00"
    assert said["at"] == read_city(city).as_of.isoformat()
    assert said["responsible"][0]["holder"] == "示例城管所"
    assert gridmap("who", city, "121.005,30.005", "--lang", "en") == 0
    assert "Who is responsible, 2026-01-05 09:00" in capsys.readouterr().out


def test_the_wall_clock_is_asked_by_name_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = small_city(tmp_path)
    before = dt.datetime.now(dt.UTC)
    assert gridmap("who", city, "121.005,30.005", "--at", "now", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert before <= dt.datetime.fromisoformat(said["at"]) <= dt.datetime.now(dt.UTC)
    assert gridmap("who", city, "121.005,30.005", "--lang", "en") == 1
    assert "t has no moment of its own" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["abc"], "is no place"),
        (["200,10"], "is no place"),
        ([PLACE, "--at", "tomorrow"], "is no time"),
    ],
)
def test_bad_arguments_are_told_on_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("who", DATA, *arguments, "--lang", "en") == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_assignments_of_the_city_hold_in_their_time_and_hide_phones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = (small_city(tmp_path), "121.005,30.005", "--at")
    rows = told(capsys, *asked, "2026-02-01")
    assert [row["holder"] for row in rows[:3]] == ["示例城管所", "示例员001", "示例环卫所"]
    assert rows[0]["phone"] == "138*****001"
    assert told(capsys, *asked, "2026-02-01", "--unmask")[0]["phone"] == "13800000001"
    assert told(capsys, *asked, "2025-02-01")[0]["holder"] == "示例员001"
    others = told(capsys, *asked, "2026-02-01", "--category", "路灯")
    assert "示例城管所" not in {row["holder"] for row in others}


def test_layers_are_written_without_phones(tmp_path: Path) -> None:
    shutil.copytree(DATA.parent if DATA.is_file() else DATA, tmp_path / "data")
    city = tmp_path / "data" / "city.toml"
    with (tmp_path / "data" / "assignments.csv").open("w", encoding="utf-8") as table:
        table.write(
            "编码,责任主体,角色,图层,对象,条线,起点里程,终点里程,生效时间,失效时间,电话,依据文件\n"
        )
        table.write("a,示例员001,lead,grids,330499101002003,,,,,,13800000001,\n")
    assert gridmap("export", city, "--layer", "assignments", "--out", tmp_path / "out") == 0
    path = next((tmp_path / "out" / "layers").glob("*.gpkg"))
    assert list(pyogrio.read_dataframe(path, layer="assignments")["phone"]) == ["138*****001"]


@pytest.mark.parametrize("crs", ["GCJ-02", "BD-09"])
def test_a_place_can_be_given_in_the_datums_of_chinese_maps(
    crs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lon, lat = (
        float(value[0]) for value in from_wgs84(np.array([120.9063]), np.array([30.7012]), crs)
    )
    assert gridmap("who", DATA, f"{lon:.9f},{lat:.9f}", "--crs", crs, "--json") == 0
    shifted = json.loads(capsys.readouterr().out)["responsible"]
    assert gridmap("who", DATA, PLACE, "--crs", "EPSG:4326", "--json") == 0
    plain = json.loads(capsys.readouterr().out)["responsible"]
    assert [row["holder"] for row in shifted] == [row["holder"] for row in plain] != []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("120.9,30.7", "--crs", "EPSG:99999"), "is no coordinate system"),
        (("nan,nan",), "is no place"),
    ],
)
def test_what_is_no_place_is_told_on_a_line(
    arguments: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("who", DATA, *arguments) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert line in said[0]


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    gridmap("who", *arguments, "--lang", "en")
    shown = capsys.readouterr()
    return " ".join((shown.out + shown.err).split())


def test_a_place_outside_the_city_is_told_with_its_distance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = small_city(tmp_path, west=80.0, south=30.0, more='as_of = "2026-03-01T00:00:00"')
    assert "The place lies outside T, 1.1 km away" in said(capsys, city, "80.005,30.02")
    assert "the longitude comes first" in said(capsys, city, "30.005,80.005")
    assert "no latitude is 120.9; the longitude comes first: 120.9,30.7" in said(
        capsys, city, "30.7,120.9"
    )
    assert gridmap("who", city, "80.005,30.02", "--json") == 0
    assert json.loads(capsys.readouterr().out)["outside_m"] == pytest.approx(1108.6, abs=5.0)


def test_an_unknown_category_is_refused_with_the_nearest(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "the nearest are: 占道经营" in said(capsys, DATA, PLACE, "--category", "占道")
    assert told(capsys, DATA, PLACE, "--category", "占道经营")


def test_who_has_no_last_day_is_responsible_for_ever_and_no_first_from_ever(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = small_city(tmp_path)
    late = said(capsys, city, "121.005,30.005", "--at", "9999-12-31")
    assert "9999-12-31 00:00" in late
    assert "示例城管所" in late
    early = said(capsys, city, "121.005,30.005", "--at", "0001-01-02")
    assert "0001-01-02 00:00" in early
    assert "示例环卫所" in early


def test_a_wrong_system_is_told_before_the_city_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = small_city(tmp_path)
    (tmp_path / "grids.gpkg").unlink()
    assert "'EPSG:0' is no coordinate system" in said(
        capsys, city, "121.005,30.005", "--crs", "EPSG:0"
    )
