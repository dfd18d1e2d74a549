"""What measures say of a town so small that every answer can be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapes import grid_of, points_at
from towns import conformed, lines, squares, town

from gridmap.errors import ConformError
from gridmap.measures import clusters, coverage, network, workloads
from gridmap.measures.registry import Given
from gridmap.measures.summary import summary
from gridmap.model import City, Receipt
from gridmap.settings import Analysis

MORNING = pd.Timestamp("2025-12-22 08:00", tz="UTC")


def made(module: ModuleType, name: str, city: City, found: Any = None, **settings: Any) -> Any:
    """Return what one measure of a module makes of a city."""
    (measure,) = (one for one in module.MEASURES if one.name == name)
    return measure.run(Given(city, Analysis.model_validate(settings), found or {}))


def cases(*places: tuple[float, float], pile: tuple[int, ...] = (), **columns: Any) -> Any:
    """Return problems as the case table has them; those numbered in `pile` are on a pile."""
    frame = points_at(*places, **{"category": "litter", "opened": MORNING, **columns})
    whole = conformed("problems", frame)
    return whole.assign(pile=[number in pile for number in range(len(frame))])


def with_levels(*levels: tuple[str, gpd.GeoDataFrame], **others: gpd.GeoDataFrame) -> City:
    """Return a city of areas of several levels, the highest first."""
    city = town(grid_of("a"), squares([(5.0, 5.0)], [1]), **others)
    parts = [conformed("grids", frame.assign(level=level)) for level, frame in levels]
    whole = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs=city.crs)
    return replace(city, layers={**city.layers, "grids": whole})


@pytest.fixture(scope="module")
def nested() -> City:
    """A community of 2 by 2 squares; its grids leave one out, overlap, and stick out by one."""
    above = grid_of("CC CC")
    below = grid_of("a.. bbb").assign(parent="C")
    twice = grid_of("... x..").assign(parent="C")
    both = gpd.GeoDataFrame(pd.concat([below, twice], ignore_index=True), crs=below.crs)
    return with_levels(("community", above), ("grid", both))


def test_gaps_overlaps_and_what_sticks_out_are_numbered_with_their_problems(nested: City) -> None:
    # One problem in the gap, two in the overlap and one there on a pile, which is no place.
    problems = cases((150, 150), (50, 50), (60, 50), (70, 50), pile=(3,))
    found = {"problems": problems}
    for name, area, inside in (("gaps", 10_000, 1), ("overlaps", 10_000, 2)):
        frame = made(coverage, name, nested, found)[name]
        assert frame["code"].to_list() == [f"{name}-1"]
        assert frame["level"].to_list() == ["grid"]
        assert frame["area_m2"].to_list() == pytest.approx([area])
        assert frame["problems"].to_list() == [inside]
    out = made(coverage, "misnested", nested)["misnested"]
    assert out[["code", "level"]].to_numpy().tolist() == [["misnested-1", "grid"]]
    assert out["area_m2"].to_list() == pytest.approx([10_000])
    for name in ("gaps", "overlaps", "misnested"):
        small = made(coverage, name, nested, found, gap_minimum_m2=10_001.0)
        assert small[name].empty
    assert made(coverage, "gaps", nested)["gaps"]["problems"].to_list() == [0]


def test_one_level_has_no_parents_to_leave_or_to_fill() -> None:
    flat = town(grid_of("ab"), squares([(5.0, 5.0)], [1]))
    assert made(coverage, "gaps", flat) == {}
    assert made(coverage, "misnested", flat) == {}
    assert made(coverage, "overlaps", flat)["overlaps"].empty


def test_each_level_is_held_against_the_one_above_it() -> None:
    levels = (("street", grid_of("SS")), ("community", grid_of("C.").assign(parent="S")),
              ("grid", grid_of("a.", size=100).assign(parent="C")))  # fmt: skip
    found = made(coverage, "gaps", with_levels(*levels))["gaps"]
    assert found[["code", "level"]].to_numpy().tolist() == [["gaps-1", "community"]]


def test_a_problem_is_paired_with_every_zone_and_told_if_it_has_none() -> None:
    zones = grid_of("vw").assign(kind=["police", "estate"])
    city = town(grid_of("aa"), squares([(5.0, 5.0)], [1]), zones=zones)
    # On the border of both zones, in the second, in neither; the last is on a pile.
    problems = cases((100, 50), (150, 50), (500, 50), (600, 50), pile=(3,))
    pairs = made(coverage, "problem_zones", city, {"problems": problems})["problem_zones"]
    assert sorted(pairs[["problem", "zone", "kind"]].to_numpy().tolist()) == [
        ["p0", "v", "police"], ["p0", "w", "estate"], ["p1", "w", "estate"],
    ]  # fmt: skip
    grid = pd.Series(["a", "a", None, None], dtype="string")
    found = {"problems": problems.assign(grid=grid), "problem_zones": pairs}
    told = made(coverage, "unassigned", city, found, zone_kinds=["police"])["unassigned"]
    assert told.set_index("code")["no_grid"].to_dict() == {"p1": False, "p2": True}
    assert told.set_index("code")["no_zone"].to_dict() == {"p1": "police", "p2": "police"}


def test_without_grids_and_zones_nobody_is_without_one() -> None:
    bare = replace(town(grid_of("a"), squares([(5.0, 5.0)], [1])), layers={})
    found = {"problems": cases((5, 5)).assign(grid=pd.Series([None], dtype="string"))}
    assert made(coverage, "unassigned", bare, found) == {}
    zoned = town(grid_of("a"), squares([(5.0, 5.0)], [1]), zones=grid_of("v").assign(kind="police"))
    only = replace(zoned, layers={"zones": zoned.layers["zones"]})
    told = made(coverage, "unassigned", only, found, zone_kinds=["police"])["unassigned"]
    assert not told["no_grid"].any()


@pytest.fixture(scope="module")
def workplace() -> City:
    """Two grids with two buildings and one, three cases of which one is on a pile."""
    grids = grid_of("ab", size=400.0, member=["Ann", None], members=[2, 1], households=[7, 9])
    return town(grids, squares([(50, 50), (90, 50), (450, 50)], [10, 20, 30]))


def test_a_building_lies_in_the_grid_of_a_point_inside_it(workplace: City) -> None:
    found = made(workloads, "buildings", workplace)["buildings"]
    assert found["grid"].to_list() == ["a", "a", "b"]
    assert found.geometry.geom_type.eq("Polygon").all()


def test_loads_count_households_of_buildings_else_those_on_record(workplace: City) -> None:
    problems = cases((50, 50), (60, 50), (450, 50)).assign(
        grid=pd.Series(["a", "a", "b"], dtype="string"),
        state="open",
        overdue=False,
        days_to_close=1.0,
    )
    found = {**made(workloads, "buildings", workplace), "problems": problems}
    rows = made(workloads, "workload", workplace, found)["grid_results"].set_index("code")
    assert rows["problems"].to_dict() == {"a": 2, "b": 1}
    assert rows["households"].to_dict() == {"a": 30, "b": 30}
    assert rows["members"].to_dict() == {"a": 2, "b": 1}
    assert rows["member"].fillna("").to_dict() == {"a": "Ann", "b": ""}
    bare = replace(workplace, layers={"grids": workplace.layers["grids"]})
    rows = made(workloads, "workload", bare, {"problems": problems})["grid_results"]
    assert rows["households"].to_list() == [7, 9]
    none = bare.layers["grids"].assign(households=pd.Series([pd.NA] * 2, dtype="Int64"))
    rows = made(workloads, "workload", replace(bare, layers={"grids": none}))["grid_results"]
    assert rows["households"].isna().all()


def test_hours_are_of_a_period_as_long_as_the_cases_span(workplace: City) -> None:
    def effort(opened: pd.Timestamp, **settings: Any) -> Any:
        problems = conformed("problems", points_at((1, 1), opened=opened, category="litter"))
        city = replace(workplace, layers={**workplace.layers, "problems": problems})
        return workloads.effort_of(Given(city, Analysis.model_validate(settings)))

    usual = workloads.effort_of(Given(workplace, Analysis()))
    assert effort(pd.Timestamp("2025-12-22", tz="UTC")).days == 10.0
    assert effort(pd.Timestamp("2026-01-01", tz="UTC")).days == usual.days
    own = {"effort": {"days": 3.0, "default_minutes": 5.0}}
    ten = effort(pd.Timestamp("2025-12-22", tz="UTC"), fairness=own, default_minutes=45)
    assert (ten.days, ten.default_minutes) == (3.0, 5.0)
    assert effort(MORNING, default_minutes=45).default_minutes == 45.0


def test_fairness_holds_hours_of_a_member_against_the_mean_of_all(workplace: City) -> None:
    parts = ("case_hours", "household_hours", "place_hours", "travel_hours")
    hours = pd.DataFrame(
        {"hours": [20.0, 40.0], "hours_per_member": [10.0, 40.0], "members": [2, 1], "share": 0.5}
    )
    found = {"grid_hours": hours.assign(**dict.fromkeys(parts, 1.0))}
    rows = made(workloads, "fairness", workplace, found, fairness={"tolerance": 0.5})["fairness"]
    rows = rows.set_index("code")
    # All had 20 hours if all had the same; within a half of it is fair.
    assert rows["status"].to_dict() == {"a": "within", "b": "over"}
    assert rows["excess_hours"].to_dict() == pytest.approx({"a": -20.0, "b": 20.0})


@pytest.fixture(scope="module")
def street() -> City:
    roads = lines((0, 0, 1000, 0), (0, 500, 1000, 500), speed=[None, 60.0], name=["One", "Two"])
    return town(grid_of("a", size=1000.0), squares([(5.0, 5.0)], [1]), roads=roads)


def test_levels_of_roads_are_those_of_the_settings(street: City) -> None:
    problems = cases((100, 10), (200, 10), (300, 10), (300, 80))
    found = {"problems": problems}

    def levels(**settings: Any) -> Any:
        return made(network, "road_levels", street, found, **settings)["road_levels"]

    usual = levels(snap_m=20.0, road_per_km=[1, 2, 3, 4])
    assert list(usual.columns) == [*street.catalog.layer("road_levels").fields, "geometry"]
    assert usual["problems"].to_list() == [3, 0]
    assert levels(snap_m=100.0, road_per_km=[1, 2, 3, 4])["problems"].to_list() == [4, 0]
    assert (
        levels(road_per_km=[1, 2, 3, 4])["level"].iloc[0]
        != (levels(road_per_km=[10, 20, 30, 40])["level"].iloc[0])
    )
    assert str(usual["level"].dtype) == "string"
    assert usual.crs == street.crs


def test_a_black_spot_is_of_the_categories_that_are_asked_for(street: City) -> None:
    near = [(500.0 + k, 3.0) for k in range(12)]
    far = [(100.0 + 60 * k, 503.0) for k in range(4)]
    kinds = ["crash"] * 12 + ["litter"] * 4
    found = {"problems": cases(*near, *far, category=kinds)}
    few = {"lixel_m": 50.0, "road_bandwidth_m": 100.0}
    spots = made(network, "black_spots", street, found, **few)
    assert len(spots["black_spots"]) == 1
    assert spots["black_spots"].geometry.iloc[0].distance(found["problems"].geometry.iloc[0]) < 5
    other = made(network, "black_spots", street, found, **few, black_spot_categories=["litter"])
    assert other["black_spots"].empty
    assert made(network, "black_spots", street, found, black_spot_categories=["none"]) == {}


@pytest.fixture(scope="module")
def row() -> tuple[City, dict[str, Any]]:
    """Twenty grids in a row; the first three have ten cases each, the others one."""
    city = town(grid_of("abcdefghijklmnopqrst"), squares([(5.0, 5.0)], [1]))
    counts = pd.Series([10] * 3 + [1] * 17, dtype="Int64")
    homes = pd.Series([100] * 3 + [10] * 17, dtype="Int64")
    return city, {"grid_results": pd.DataFrame({"problems": counts, "households": homes})}


NEAR = {"neighbour_m": 110.0, "permutations": 0}


def test_hot_grids_lie_together_and_are_none_once_households_explain_them(row: Any) -> None:
    city, found = row
    counts = {**NEAR, "exposure": "none"}
    normal = made(clusters, "hotspots", city, found, **counts, hotspot_p="normal")["hotspots"]
    assert list(normal["code"][normal["hotspot"] == "hot"]) == ["a", "b", "c"]
    many = made(clusters, "hotspots", city, found, **counts)["hotspots"].set_index("code")
    # Of 1,140 ways to choose a grid and two neighbours of twenty one has all the cases.
    assert many["p"]["a"] == pytest.approx(2 / 1140)
    assert list(many.index[many["hotspot"] == "hot"]) == ["a"]
    assert many["count"].to_list() == [10] * 3 + [1] * 17
    # Every grid has one case for ten households.
    for asked in ({}, {"exposure": "households"}):
        even = made(clusters, "hotspots", city, found, **NEAR, **asked)["hotspots"]
        assert not even["hotspot"].eq("hot").any()
        assert even["expected"].to_list() == pytest.approx([10.0] * 3 + [1.0] * 17)
    # A threshold of cases leaves out the grids with few.
    bare = {"grid_results": found["grid_results"].assign(households=pd.Series([0] * 20))}
    with pytest.raises(ConformError, match="households"):
        made(clusters, "hotspots", city, bare, **NEAR, exposure="households")
    drawn = made(clusters, "hotspots", city, found, **{**counts, "permutations": 99})["hotspots"]
    assert (drawn["p"] * 100).round(9).mod(1).eq(0).all()
    assert not (many["p"] * 100).round(9).mod(1).eq(0).all()


def test_clusters_are_of_rates_where_all_households_are_known(row: Any) -> None:
    city, found = row
    rates = made(clusters, "clusters", city, found, **NEAR)["clusters"]
    assert rates["value"].to_list() == pytest.approx([10.0] * 20)
    for homes in (0, pd.NA):
        some = found["grid_results"].assign(
            households=pd.Series([homes] + [10] * 19, dtype="Int64")
        )
        counts = made(clusters, "clusters", city, {"grid_results": some}, **NEAR)["clusters"]
        assert counts["value"].to_list() == [10.0] * 3 + [1.0] * 17
        assert counts["cluster"].iloc[1] == "high_high"
    drawn = made(clusters, "clusters", city, found, **{**NEAR, "permutations": 99})["clusters"]
    assert (drawn["p"] * 100).round(9).mod(1).eq(0).all()


def test_cells_cover_the_city_and_count_what_is_on_no_pile(row: Any) -> None:
    city, _ = row
    found = {"problems": cases((50, 50), (51, 50), (1950, 50), (52, 50), pile=(3,))}
    for resolution, least in ((9, 3), (10, 10)):
        cells = made(clusters, "hotspot_cells", city, found, h3_resolution=resolution)
        frame = cells["hotspot_cells"]
        assert frame["count"].sum() == 3
        assert frame["count"].max() == 2
        assert len(frame) > least
        assert {len(code) for code in frame["code"]} == {15}
        assert frame["code"].str[1].eq(f"{resolution:x}").all()
    bare = replace(city, layers={})
    alone = made(clusters, "hotspot_cells", bare, found)["hotspot_cells"]
    assert alone["count"].sum() == 3


def test_what_residents_report_and_no_patrol_sees_is_told(row: Any) -> None:
    city, _ = row
    reported = [(x, y) for x in range(20, 320, 25) for y in (10, 35, 60, 85)] * 2
    visited = [(700.0 + 60 * k, 50.0) for k in range(20)]
    sources = ["hotline"] * len(reported) + ["patrol"] * len(visited)
    found = {"problems": cases(*reported, *visited, source=sources)}
    asked = {"residents": ["hotline"], "patrols": ["patrol"], "permutations": 0,
             "h3_resolution": 11}  # fmt: skip
    found |= made(clusters, "hotspot_cells", city, found, h3_resolution=11)
    told = made(clusters, "source_hotspots", city, found, **asked)
    sources = told["source_hotspots"]
    assert sources.groupby("source")["count"].sum().to_dict() == {"hotline": 96, "patrol": 20}
    assert (sources["code"] == sources["cell"] + ":" + sources["source"]).all()
    assert 5 <= len(told["unseen"]) <= 20
    assert (told["unseen"].distance(shapely.Point(500_160.0, 3_400_050.0)) < 200.0).all()
    assert set(told["unseen"]["code"]) <= set(sources["cell"])
    for lacking in ("residents", "patrols"):
        assert made(clusters, "source_hotspots", city, found, **{**asked, lacking: []}) == {}


@pytest.mark.parametrize(
    ("first", "told"), [("2025-12-22 23:59", True), ("2025-12-23 00:00", False)]
)
def test_ten_bins_from_the_first_day_are_the_fewest_to_follow(
    row: Any, first: str, told: bool
) -> None:
    city, _ = row
    times = pd.to_datetime(pd.Series([first, "2025-12-31 10:00"])).dt.tz_localize("UTC")
    found = {"problems": cases((50, 50), (60, 50), opened=times)}
    asked = {"emerging_bin": "1D", "neighbour_m": 110.0}
    assert bool(made(clusters, "emerging", city, found, **asked)) is told
    assert made(clusters, "emerging", city, found, **{**asked, "emerging_bin": ""}) == {}
    never = {"problems": cases((50, 50), opened=pd.NaT)}
    assert made(clusters, "emerging", city, never, **asked) == {}


def test_what_emerges_is_held_against_the_city_its_households_or_all_bins(row: Any) -> None:
    city, loads = row
    level = city.levels[-1]
    # Ten cases a day in each of three grids and one in the others; of six days four times as many.
    counts = np.outer([10] * 3 + [1] * 17, [1] * 6 + [4] * 6)
    grid, day = (np.repeat(each.ravel(), counts.ravel()) for each in np.indices(counts.shape))
    opened = pd.Timestamp("2025-12-20 12:00", tz="UTC") + pd.to_timedelta(day, "D")
    found = {"problems": cases(*((100 * x + 50.0, 50.0) for x in grid), opened=opened)}
    code = pd.Series(list("abcdefghijklmnopqrst"), dtype="string")
    found |= {"grid_results": loads["grid_results"].assign(code=code)}
    asked = {"emerging_bin": "1D", "neighbour_m": 110.0, "alpha": 0.1}

    def patterns(against: str) -> pd.Series:
        table = made(clusters, "emerging", city, found, **asked, emerging_against=against)
        pattern: pd.Series = table["emerging"].set_index("code")["pattern"]
        return pattern

    assert patterns("city")[["a", "b", "c"]].eq("persistent_hot").all()
    assert patterns("cube")[["a", "b"]].ne("persistent_hot").any()
    assert patterns("households").eq("no_pattern").all()
    with pytest.raises(ConformError, match=f"for the grids of level '{level}' alone"):
        made(clusters, "emerging", city, found, **asked, emerging_against="households",
             emerging_level="h3")  # fmt: skip


def test_density_may_end_at_the_outline_of_the_areas(row: Any) -> None:
    city, _ = row
    found = {"problems": cases((30, 30), (1950, 50), (1000, 99), (1010, 90), (1000, 400))}
    whole = city.areas(city.levels[0]).union_all()
    made_by = {
        edges: made(clusters, "density", city, found, bandwidth_m=60.0, density_edges=edges)
        for edges in ("none", "mass", "level")
    }
    bands = {edges: one["density"].union_all() for edges, one in made_by.items()}
    assert bands["none"].difference(whole).area > 1000
    assert bands["mass"].within(whole.buffer(1e-6))
    assert bands["level"].within(whole.buffer(1e-6))
    assert not bands["mass"].equals(bands["level"])
    away = {"problems": cases((1000, 900))}
    assert made(clusters, "density", city, away, density_edges="mass") == {}


def test_no_place_has_no_density(row: Any) -> None:
    city, _ = row
    assert made(clusters, "density", city, {"problems": cases((5, 5), pile=(0,))}) == {}
    places = cases(*[(float(k), 50.0) for k in range(0, 400, 40)])
    bands = made(clusters, "density", city, {"problems": places}, bandwidth_m=50.0)["density"]
    assert bands.crs == city.crs
    assert bands.total_bounds[2] - bands.total_bounds[0] < 360 + 6 * 50


def test_the_figures_of_a_city_are_sums_of_what_was_found(workplace: City) -> None:
    rejected = pd.DataFrame({"gridmap_row": [1]})
    receipts = (Receipt("problems", "a.csv", 5, 4, 1, 2, rejected), Receipt("grids", "b", 2, 2, 0))
    problems = cases((1, 1), (2, 1), (3, 1), (4, 1), pile=(3,)).assign(
        state=["open", "closed", "open", "closed"],
        overdue=pd.array([True, False, None, True], dtype="boolean"),
        days_to_close=[None, 1.0, None, 4.0],
        recorded_area=pd.array(["v", "w", None, "v"], dtype="string"),
    )
    zones = pd.DataFrame(
        {"problem": ["p0", "p1", "p1", "p2", "p0"], "zone": ["v", "v", "w", "v", "x"],
         "kind": ["police", "police", "police", "police", "estate"]}
    )  # fmt: skip
    areas = pd.DataFrame({"area_m2": [1.5, 2.0]})
    found = {
        "problems": problems,
        "piles": [1],
        "problem_zones": zones,
        "unassigned": pd.DataFrame({"no_grid": [True, False], "no_zone": ["police", None]}),
        "gaps": areas,
        "misnested": areas.iloc[:1],
        "grid_results": pd.DataFrame(
            {"households": [1, None], "hours": [1.0, 3.0], "hours_per_member": [2.0, 2.0]}
        ),
        "deadlines": pd.DataFrame({"urgency": ["overdue", "overdue", "due_soon", "in_time"]}),
        "recurrence": [1, 2, 3],
        "dead_corners": pd.DataFrame({"finding": ["double", "unowned", "unowned"]}),
        "duty_findings": [1, 2],
        "black_spots": [1],
        "hotspots": pd.DataFrame({"hotspot": ["hot", "cold", "cold", "none"]}),
        "emerging": pd.DataFrame(
            {"pattern": ["new_hot", "consecutive_hot", "intensifying_hot", "new_cold", "none"]}
        ),
    }
    city = replace(workplace, receipts=receipts)
    given = Given(city, Analysis(recorded_kind="police"), found)
    assert summary(given) == {
        "rows_in": 7, "rows_placed": 6, "rows_quarantined": 1, "rows_repaired": 2,
        "grids": 2, "households": 1, "hours": 4.0,
        "gini_hours": pytest.approx(0.25), "gini_hours_per_member": pytest.approx(0.0),
        "problems": 4, "open": 2, "overdue": 2, "median_days": 2.5,
        "piles": 1, "problems_on_piles": 1, "no_grid": 1, "no_zone": 1,
        "recorded_compared": 2, "recorded_agrees": 1.0,
        "gaps": 2, "gaps_m2": 3.5, "misnested": 1, "misnested_m2": 1.5,
        "overdue_open": 2, "due_soon": 1, "recurring": 3, "unowned": 2, "double_leads": 1,
        "duty_findings": 2, "black_spots": 1,
        "hotspots_hot": 1, "hotspots_cold": 2, "emerging_hot": 3,
    }  # fmt: skip
    assert list(summary(Given(city, Analysis(), {}))) == [
        "rows_in", "rows_placed", "rows_quarantined", "rows_repaired",
    ]  # fmt: skip
    other = zones.assign(zone="z")
    disagreed = summary(replace(given, found={**found, "problem_zones": other}))
    assert (disagreed["recorded_compared"], disagreed["recorded_agrees"]) == (2, 0.0)
    none = summary(replace(given, found={**found, "problem_zones": zones.iloc[:0]}))
    assert none["recorded_compared"] == 0
    assert pd.isna(none["recorded_agrees"])
