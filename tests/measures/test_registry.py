"""The registry: what is asked for is computed, with what it needs, and nothing else."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from shapes import grid_of, points_at
from towns import conformed, rows_of_buildings, town

from gridmap.catalog import load_catalog
from gridmap.errors import CatalogError, ConformError
from gridmap.measures import registry
from gridmap.measures.analyse import analyse, inputs_of, interpolated, steps_of
from gridmap.measures.bulletins import make_bulletin
from gridmap.measures.registry import Given, Measure, Registry, load_measures
from gridmap.model import City
from gridmap.outputs.tables.findings import CHECKED, city_findings
from gridmap.settings import Analysis

TIMES = pd.to_datetime(pd.Series(["2025-03-01 08:00", "2025-04-01 09:00"])).dt.tz_localize("UTC")


@pytest.fixture(scope="module")
def city() -> City:
    made = town(grid_of("ab", size=400.0), rows_of_buildings(2, 2))
    problems = points_at((10.0, 10.0), (410.0, 10.0)).assign(opened=TIMES, category="litter")
    return replace(made, layers={**made.layers, "problems": conformed("problems", problems)})


def measure(name: str, needs: tuple[str, ...], makes: tuple[str, ...]) -> Measure:
    return Measure(name, needs=needs, makes=makes, method="by hand", run=lambda _: {})


def test_every_measure_says_how_it_computes_and_makes_layers_that_there_are() -> None:
    layers, known = load_catalog().layers, set(Analysis.model_fields)
    results = {name for name, layer in layers.items() if layer.role == "result"}
    measures = load_measures()
    for each in measures.measures:
        assert each.method.strip(), each.name
        assert set(each.settings) <= known, each.name
        for name in each.takes:
            assert name in layers or name in measures.makers, (each.name, name)
    assert {name for name in measures.makers if name not in layers} == {
        "case_table", "cell_exposure", "grid_hours", "holders",
    }  # fmt: skip
    # Plans, audits and lists that a command makes by itself are no results of a run.
    unmade = {name for name in results if name not in measures.makers}
    assert {name for name in unmade if not name.startswith("plan")} == {
        "findings", "kpi_cases", "recurrence_curve", "recurrence_test",
    }  # fmt: skip


def test_what_is_wanted_is_computed_with_what_it_needs_and_nothing_else(city: City) -> None:
    told: list[str] = []
    made = analyse(city, want=["hotspots"], progress=told.append)
    assert set(told) == {"buildings", "case_table", "grid_results", "hotspots"}
    assert "hotspots" in made.results
    assert not {"density", "black_spots", "kpis", "fairness"} & set(made.results)
    assert steps_of(["hotspots"]) == 4


def test_the_inputs_of_a_result_are_those_of_all_that_it_needs() -> None:
    read = inputs_of(["grid_results"], Analysis())
    assert read is not None
    assert {"grids", "buildings", "problems", "categories", "events", "limits"} <= read
    assert not {"roads", "assignments", "organisations", "declared"} & read
    assert inputs_of(["roads"], Analysis()) == {"roads"}
    assert inputs_of(None, Analysis()) is None


def test_interpolated_counts_bring_their_source_in() -> None:
    step = {"source": "census", "target": "buildings", "field": "households", "onto": "occupied"}
    settings = Analysis.model_validate({"transfers": [step]})
    read = inputs_of(["grid_results"], settings)
    assert read is not None
    assert "census" in read
    assert "census" not in (inputs_of(["density"], settings) or ())


def test_counts_are_interpolated_and_those_out_of_reach_are_counted() -> None:
    # Of the first block half lies in a building, which gets it all; the third lies in none.
    census = grid_of("PP.Q......R", households=[10, 30, 7])
    buildings = grid_of("a..b").assign(occupied=0)
    city = town(grid_of("ab"), buildings, census=census)
    step = {"source": "census", "target": "buildings", "field": "households", "onto": "occupied"}
    far = Analysis.model_validate({"interpolate": [{**step, "reach_m": 1e9}]})
    made, left = interpolated(city, far)
    whole = made.frame("buildings").set_index("code")["occupied"]
    assert (whole.to_dict(), left) == ({"a": 10, "b": 37}, 0)
    all_shared = analyse(city, far, want=["grid_results"], also=CHECKED)
    assert "not_interpolated" not in all_shared.results
    assert not {"areas_left", "households_left"} & {*all_shared.summary}
    near = Analysis.model_validate({"interpolate": [{**step, "reach_m": 50.0}]})
    made, left = interpolated(city, near)
    assert made.frame("buildings").set_index("code")["occupied"].to_dict() == {"a": 10, "b": 30}
    assert left == 7
    usual = Analysis.model_validate({"interpolate": [step]})
    found = analyse(city, usual, want=["grid_results"], also=CHECKED)
    assert (found.summary["areas_left"], found.summary["households_left"]) == (1, 7)
    kept = found.results["not_interpolated"].frame
    assert kept[["code", "area", "source", "target", "count"]].to_numpy().tolist() == [
        ["1:R", "R", "census", "buildings", 7]
    ]
    (told,) = city_findings(found).query("kind == 'kept'").to_dict("records")
    assert (told["areas"], told["value"], told["fix"]) == ("R", 7.0, "add_target")
    assert told["geometry"].equals(census.geometry.iloc[-1])
    assert "not_interpolated" in analyse(city, usual).results
    asked = inputs_of(["not_interpolated"], usual)
    assert asked == {"census", "buildings"}
    bare = replace(city, layers={"grids": city.layers["grids"]})
    assert interpolated(bare, near)[1] == 0
    assert interpolated(city, Analysis()) == (city, 0)


def test_an_unknown_name_is_an_error_with_the_nearest(city: City) -> None:
    with pytest.raises(CatalogError, match="no result or layer 'fairnes'; the nearest are: fairne"):
        analyse(city, want=["fairnes"])
    with pytest.raises(CatalogError, match="no result or layer 'None'"):
        analyse(city, want=[None])  # type: ignore[list-item]
    assert "grid_results" in analyse(city, want="grid_results").results
    with pytest.raises(CatalogError, match="'nonsense'"):
        analyse(city, want=["grid_results"], also=["nonsense"])


def test_a_result_whose_inputs_are_lacking_is_an_error_that_names_them(city: City) -> None:
    with pytest.raises(ConformError, match=r"no 'black_spots', for the city has no rows of: roads"):
        analyse(city, want=["black_spots"])
    bare = replace(city, layers={k: v for k, v in city.layers.items() if k != "problems"})
    with pytest.raises(ConformError, match="rows of: problems"):
        analyse(bare, want=["hotspots"])
    assert "black_spots" not in analyse(city, want=["grid_results"], also=["black_spots"]).results


def test_several_at_once_give_what_one_after_the_other_does(city: City) -> None:
    one, four = analyse(city, workers=1), analyse(city, workers=4)
    assert list(one.results) == list(four.results)
    for name, result in one.results.items():
        pd.testing.assert_frame_equal(result.frame, four.results[name].frame)
    pd.testing.assert_series_equal(pd.Series(one.summary), pd.Series(four.summary))


def test_a_mistake_in_one_of_several_is_told_and_ends_all(city: City) -> None:
    with pytest.raises(ConformError, match="no width of time"):
        analyse(city, Analysis(emerging_bin="moon"), workers=4)


def test_cases_of_a_city_without_grids_are_cases_all_the_same(city: City) -> None:
    bare = replace(city, layers={"problems": city.layers["problems"]})
    settings = Analysis.model_validate({"level": "grid", "kpis": {"level": "community"}})
    made = analyse(bare, settings, want=["problems", "deadlines", "kpis", "recurrence"])
    assert made.results["problems"].frame["grid"].isna().all()
    assert set(made.results["kpis"].frame["by"].dropna()) <= {"category", "source", "department"}
    bulletin = make_bulletin(bare, settings, period="month", on=dt.date(2025, 3, 1))
    assert bulletin.level == ""
    with pytest.raises(ConformError, match="No year of the data is over yet"):
        make_bulletin(replace(bare, as_of=TIMES.max().to_pydatetime()), settings, period="year")


def test_measures_in_a_circle_or_twice_are_refused() -> None:
    with pytest.raises(CatalogError, match="in a circle: a > b > a"):
        Registry((measure("a", ("y",), ("x",)), measure("b", ("x",), ("y",))))
    with pytest.raises(CatalogError, match="'x'"):
        Registry((measure("a", (), ("x",)), measure("b", (), ("x",))))
    own = Registry((measure("a", ("x",), ("x",)),))
    assert own.inputs(["x"]) == {"x"}


def test_order_follows_from_needs_whatever_the_order_of_the_list() -> None:
    made = Registry(
        (measure("c", ("y",), ("z",)), measure("a", ("in",), ("x",)), measure("b", ("x",), ("y",)))
    )
    assert [each.name for each in made.plan(["z"])] == ["a", "b", "c"]
    assert made.inputs(["z"]) == {"in"}


def test_a_part_of_a_city_is_where_and_when_the_whole_is(city: City) -> None:
    given = Given(city, Analysis())
    assert given.level == "grid"
    assert list(given.grids["code"]) == ["a", "b"]
    assert given.get("roads") is None
    with pytest.raises(ConformError, match="has no rows of: roads"):
        given["roads"]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Pretends that a package with an entry point is installed, as its metadata would say."""

    def install(module: str) -> None:
        point = importlib.metadata.EntryPoint("mine", module, "gridmap.measures")
        monkeypatch.setattr(registry.resources, "extensions", lambda: {point.name: point.module})
        load_measures.cache_clear()

    yield install
    load_measures.cache_clear()


def test_a_module_of_another_package_that_lists_nothing_is_refused(
    installed: Callable[[str], Any],
) -> None:
    installed("json")
    with pytest.raises(CatalogError, match="'mine' names json, which lists no MEASURES"):
        load_measures()
