from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from test_cli import DATA, gridmap

from gridmap.result import Analysed

PLACE = "120.9063,30.7012"


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


def test_nobody_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    assert gridmap("who", DATA, "1,2", "--lang", "en") == 0
    assert "Nobody is responsible" in capsys.readouterr().out


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
    grids = gpd.GeoDataFrame(
        {"code": ["330499101002003"], "name": ["网格"], "member": ["示例员001"]},
        geometry=gpd.GeoSeries.from_wkt(
            ["POLYGON((121 30, 121.01 30, 121.01 30.01, 121 30.01, 121 30))"]
        ),
        crs=4490,
    )
    grids.to_file(tmp_path / "grids.gpkg")
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
    ).to_csv(tmp_path / "assignments.csv", index=False)
    (tmp_path / "city.toml").write_text(
        """name = "t"
title = { en = "T", zh = "试" }
source = { en = "Synthetic", zh = "合成" }
timezone = "Asia/Shanghai"

[[inputs]]
layer = "grids"
path = "grids.gpkg"
constants = { level = "grid" }

[[inputs]]
layer = "assignments"
path = "assignments.csv"
""",
        encoding="utf-8",
    )
    asked = (tmp_path / "city.toml", "121.005,30.005", "--at")
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
