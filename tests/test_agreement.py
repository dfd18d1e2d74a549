"""A figure is the same wherever it is told: run, maps, lists, KPIs, bulletins, exports."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from test_cli import gridmap

from gridmap.config import CityFile, read_city_file
from gridmap.measures.bulletins import Bulletin, make_bulletin
from gridmap.measures.cases import case_table, kpi_tables
from gridmap.model import City
from gridmap.settings import Analysis
from gridmap.sources import read_city

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
REAL = pytest.param(
    "examples/boston.toml",
    marks=[
        pytest.mark.real,
        pytest.mark.xdist_group("boston"),
        pytest.mark.skipif(not SHARED.exists(), reason="needs open data: see examples/README.md"),
    ],
)
CITIES = pytest.mark.parametrize("city", ["data/city.toml", REAL])
MONTH = dt.date(2015, 12, 1), dt.date(2025, 12, 1)
KPIS = ("closing_rate", "in_time_rate", "median_hours", "p90_hours")
TOLD = ("numerator", "denominator", "value")


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    assert gridmap(*arguments, "--json") == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def of_bulletin(made: Bulletin, column: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the KPIs of one table of a bulletin: group, KPI, and its three numbers."""
    (table,) = (table for table in made.tables if table.column == column)
    for group, values in table.rows[:-1]:
        for kpi in KPIS:
            if kpi in values:
                yield group or "–", kpi, {name: getattr(values[kpi], name) for name in TOLD}


def of_kpis(city: City, settings: Analysis, by: str, at: dt.datetime, label: str) -> pd.DataFrame:
    asked = settings.model_copy(
        update={"kpis": settings.kpis.model_copy(update={"by": ((by,),), "period": "month"})}
    )
    rows = kpi_tables(city, case_table(city, asked, at=at), asked, kpis=KPIS).rows
    of_month = rows[rows["period"] == label]
    return of_month.astype({"group": "string"}).set_index(["group", "kpi"])


@pytest.fixture(scope="module")
def known() -> dict[str, tuple[CityFile, City]]:
    return {}


def town(known: dict[str, tuple[CityFile, City]], name: str) -> tuple[CityFile, City]:
    if name not in known:
        city_file = read_city_file(ROOT / name)
        known[name] = city_file, read_city(city_file)
    return known[name]


@CITIES
def test_kpis_and_bulletins_say_the_same_of_every_group(
    known: dict[str, tuple[CityFile, City]], city: str
) -> None:
    city_file, model = town(known, city)
    settings = city_file.analysis
    day = next(day for day in MONTH if day.year == model.frame("problems")["opened"].min().year)
    made = make_bulletin(model, settings, period="month", on=day)
    compared = 0
    for column in ("area", "department", "source", "category"):
        if all(table.column != column for table in made.tables):
            continue
        names: dict[str, str] = {}
        if column == "area":
            areas = model.areas(made.level)
            names = dict(zip(areas["code"], areas["name"].fillna(areas["code"]), strict=True))
        rows = of_kpis(model, settings, column, made.span.last.to_pydatetime(), made.span.label)
        rows.index = rows.index.set_levels(
            [names.get(group, group) for group in rows.index.levels[0]], level=0
        )
        told = {(group, kpi): numbers for group, kpi, numbers in of_bulletin(made, column)}
        some = rows[rows["denominator"] > 0]
        assert set(some.index) == {key for key, each in told.items() if each["denominator"]}
        for key, row in some.iterrows():
            for name in TOLD:
                mine = None if pd.isna(row[name]) else row[name]
                assert told[key][name] == (None if mine is None else pytest.approx(mine)), (
                    key,
                    name,
                )
                compared += 1
    assert compared > 300


def test_the_closing_rate_of_december_is_one_number_on_both_commands(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    city = ROOT / "data" / "city.toml"
    rows = said(capsys, "kpis", city, "--kpi", "closing_rate", "--by", "area", "--period", "month",
                "--at", "2025-12-31T23:59:59.999999")["kpis"]  # fmt: skip
    of_month = [row for row in rows if row["period"] == "2025-12"]
    said(capsys, "bulletin", city, "--period", "month", "--on", "2025-12-01", "--out", tmp_path)
    (record,) = (json.loads(path.read_text("utf-8")) for path in tmp_path.glob("[!.]*.json"))
    figure = record["figures"]["closing_rate"]["now"]
    for name in ("numerator", "denominator"):
        assert sum(row[name] for row in of_month) == figure[name]


@CITIES
def test_what_is_open_overdue_and_back_is_the_same_on_every_command(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    city: str,
) -> None:
    file = ROOT / city
    if "boston" in city:
        place, figures = request.getfixturevalue("boston_run")
    else:
        place = tmp_path / "run"
        figures = said(capsys, "run", file, "--out", place)["summary"]
    kpi = {row["kpi"]: row for row in said(capsys, "kpis", file, "--by", "")["kpis"]}
    assert kpi["overdue_rate"]["denominator"] == figures["open"]
    assert kpi["overdue_rate"]["numerator"] == figures["overdue_open"]
    listed = said(capsys, "overdue", file)["deadlines"]
    assert sum(row["urgency"] == "overdue" for row in listed) == figures["overdue_open"]
    assert sum(row["urgency"] == "due_soon" for row in listed) == figures["due_soon"]
    back = said(capsys, "recurrence", file)["recurrence"]
    assert len(back) == figures["recurring"]
    followed = {row["follows"] for row in back if row["follows"]}
    assert kpi["recurrence_rate"]["numerator"] <= len(followed) + len(back)
    loads = {row["code"]: row for row in said(capsys, "fairness", file)["fairness"]}
    layer = gpd.read_file(next((place / "layers").glob("*.gpkg")), layer="grid_results")
    assert len(layer) == len(loads) == figures["grids"]
    for row in layer.itertuples():
        assert row.hours_per_member == pytest.approx(loads[row.code]["hours_per_member"])
    assert figures["hours"] == pytest.approx(sum(row["hours"] for row in loads.values()))
    problems = gpd.read_file(
        next((place / "layers").glob("*.gpkg")), layer="problems", ignore_geometry=True
    )
    assert (problems["state"] == "open").sum() == figures["open"]
    placed = problems["grid"].notna()
    assert placed.sum() == layer["problems"].sum()
    assert (~placed).sum() == figures["no_grid"] + figures["problems_on_piles"]


def test_a_case_on_a_fallback_point_counts_in_the_whole_but_in_no_place(
    known: dict[str, tuple[CityFile, City]],
) -> None:
    city_file, model = town(known, "data/city.toml")
    table = case_table(model, city_file.analysis)
    on_pile = table.cases["pile"]
    assert on_pile.sum() == 140
    assert table.cases.loc[on_pile, ["grid", "area"]].isna().all(axis=None)
    assert not table.cases.loc[on_pile, "watched"].any()
    made = make_bulletin(model, city_file.analysis, period="year", on=dt.date(2025, 6, 1))
    opened = next(figure.now.value for figure in made.figures if figure.name == "opened")
    assert opened == len(table.cases)
    area = next(each for each in made.tables if each.column == "area")
    nowhere = next(values for name, values in area.rows if name is None)
    assert nowhere["opened"].value == table.cases["area"].isna().sum() >= 140
