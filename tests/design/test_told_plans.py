"""Plans of a small town, edits of them and audits of a flawed layer, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapes import CRS, EAST, NORTH, grid_of
from told import plain, table_lines, tells
from towns import lines, squares, town

from gridmap.design import (
    Change,
    Plan,
    as_layers,
    crosswalk,
    design_grids,
    doubts,
    lock,
    merge,
    move,
    recut,
    resize_grids,
    restate,
    split,
    undo,
)
from gridmap.design.audit.checks import audit
from gridmap.design.audit.mend import mend
from gridmap.design.codes import load_profiles
from gridmap.design.imported import changed_features, merge_drawn
from gridmap.model import City
from gridmap.settings import Design


@pytest.fixture(scope="module")
def city() -> City:
    """Three grids with houses of all sizes, compounds, units, streets, a river and a wall."""
    random = np.random.default_rng(5)
    places = [(25.0 + 50 * x, 25.0 + 50 * y) for x in range(18) for y in range(6)]
    moved = [(x + a, y + b) for (x, y), (a, b) in zip(places, random.uniform(-9, 9, (108, 2)))]  # noqa: B905
    occupied = random.integers(0, 30, len(places))
    occupied[20], occupied[70] = 160, 95
    compounds = [f"K{k // 9}" if k % 3 else None for k in range(len(places))]
    houses = squares(moved, occupied.tolist(), side=24.0, compound=compounds)
    houses["households"] = houses["occupied"] + 5
    stairs = squares([(x + dx, y) for x, y in moved for dx in (-6.0, 6.0)],
                     np.repeat(occupied // 2, 2).tolist(), side=10.0)  # fmt: skip
    stairs["building"] = np.repeat(houses["code"].to_numpy(), 2)
    grids = grid_of("AAABBBCCC AAABBBCCC AAABBBCC.")
    roads = lines((0, 150, 900, 150), (300, 0, 300, 300), (450, 0, 450, 300), (600, 40, 800, 40))
    roads = roads.assign(**{"class": ["primary", "secondary", "lane", None], "name": "Road"})
    barriers = lines((150, 0, 150, 140), (700, 160, 700, 300)).assign(kind=["river", "wall"])
    return town(grids, houses, units=stairs, roads=roads, barriers=barriers)


DESIGNS: dict[str, dict[str, Any]] = {
    "usual": {},
    "balance": {"target": 80, "preset": "balance", "weights": {"compactness": 3.0}},
    "bounds": {"target": 60, "minimum": 50, "maximum": 70, "random_state": 4, "roads": {},
               "other_roads": 2.0, "barriers": {"river": 0.5, "wall": 2.0}, "keep_compound": 3.0},
    "units": {"atoms": "units", "cut_large": True, "target": 40, "simplify_m": 4.0},
    "counts": {"counts": {"A": 2, "C": 9}, "balance": "households", "compound_wall": 2.0},
    "mixed": {"balance": {"occupied": 1.0, "households": 0.5}, "keep_building": 0.5},
}  # fmt: skip


def layers(plan: Plan, city: City) -> Iterator[str]:
    """Yield everything that a plan is written as."""
    made = as_layers(plan, city)
    yield from (f"{name}: {plain(str(value))}" for name, value in made.summary.items())
    for name, result in made.results.items():
        used = json.dumps(dict(result.parameters), ensure_ascii=False, default=str)
        yield from (f"== {name}", result.method, used, *table_lines(result.frame))


@pytest.fixture(scope="module")
def plans(city: City) -> dict[str, Plan]:
    return {name: design_grids(city, Design.model_validate(DESIGNS[name])) for name in DESIGNS}


@pytest.mark.parametrize("name", DESIGNS)
def test_plans(name: str, plans: dict[str, Plan], city: City) -> None:
    said = [str(plans[name]), *layers(plans[name], city)]
    said += [doubt.text("en") for doubt in doubts(city, Design.model_validate(DESIGNS[name]))]
    tells(f"plans/{name}", "\n".join(said))


def change_lines(change: Change) -> Iterator[str]:
    yield f"{change.grid} {change.households_moved} {change.torn} {change.beyond}"
    yield from (plain(f"- {each}") for each in change.before)
    yield from (plain(f"+ {each}") for each in change.after)


def test_edits_one_after_the_other(plans: dict[str, Plan], city: City) -> None:
    plan, first = plans["usual"], plans["usual"]
    codes = [str(code) for code in plan.code]
    in_b = [code for code in codes if code.startswith("B")]
    most = str(plan.membership["microgrid"].value_counts(sort=False).idxmax())
    building = str(plan.membership.loc[plan.membership["microgrid"] == codes[0], "code"].iloc[0])
    said = []
    for name, edit in {
        "split": lambda plan: split(plan, codes[1]),
        "thirds": lambda plan: split(plan, most, into=3),
        "merge": lambda plan: merge(plan, in_b[1:3]),
        "move": lambda plan: move(plan, [building], codes[2]),
        "recut": lambda plan: recut(plan, "C", count=4),
        "recut_as_many": lambda plan: recut(plan, "B"),
    }.items():
        change = edit(plan)
        plan = change.plan
        said += [f"== {name}", *change_lines(change)]
    plan = lock(plan, [codes[0]])
    said += [*layers(plan, city), "== undone", *table_lines(undo(plan).microgrids)]
    told = crosswalk(first, plan)
    cases = pd.Series(range(1, len(first.code) + 1), index=first.code, dtype="float64")
    said += [*table_lines(told), *table_lines(restate(cases, told).reset_index())]
    tells("plans/edits", "\n".join(said))


def test_a_plan_resized(plans: dict[str, Plan], city: City) -> None:
    plan = lock(plans["usual"], [str(plans["usual"].code[0])])
    larger = resize_grids(plan, settings=Design(target=75))
    tells("plans/resized", "\n".join(layers(larger, city)))
    houses = city.frame("buildings")
    more = houses.assign(occupied=houses["occupied"] * 2).iloc[:-4].reset_index(drop=True)
    grown = replace(city, layers={**city.layers, "buildings": more})
    tells("plans/regrown", "\n".join(layers(resize_grids(plan, grown), grown)))


def test_a_plan_drawn_anew(plans: dict[str, Plan], city: City) -> None:
    plan = plans["usual"]
    drawn = plan.microgrids.copy()
    shapes = drawn.geometry.to_numpy().copy()
    shifted = shapely.box(*shapely.bounds(shapes[0])).buffer(15, join_style="mitre")
    shapes[1] = shapely.difference(shapes[1], shifted)
    shapes[0] = shapely.union(shapes[0], shapely.intersection(plan.shape[1], shifted))
    drawn = drawn.set_geometry(shapes).assign(name=[f"N{k}" for k in range(len(drawn))])
    changes = changed_features(plan.microgrids, drawn, ["name", "parent"])
    imported = merge_drawn(plan, drawn)
    said = [*table_lines(changes)]
    for name, value in vars(imported).items():
        if isinstance(value, Plan):
            said += [f"== {name}", *layers(value, city)]
        elif isinstance(value, pd.DataFrame):
            said += [f"== {name}", *table_lines(value)]
        else:
            said.append(f"{name}: {plain(str(value))}")
    tells("plans/drawn", "\n".join(said))


def flawed() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return areas with every flaw, their parents, and buildings."""

    def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
        return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)

    def ring(*places: tuple[float, float]) -> shapely.Polygon:
        return shapely.Polygon([(EAST + x, NORTH + y) for x, y in places])

    noded = ring((500.03, 0), (600, 0), (600, 50), (600, 100), (500.03, 100), (500.03, 40))
    rows = [
        ("P01001", "P01", 40, box(0, 0, 100, 100)),
        ("P01002", "P01", 5, box(99.95, 0, 200, 100)),  # thin overlap
        ("P01003", "P01", 90, box(0, 100.04, 100, 200)),  # thin gap
        ("P01004", "P01", None, box(110, 110, 200, 200)),  # wide gaps
        ("P01004", "P01", 50, box(150, 150, 220, 190)),  # code twice, over the parent's outline
        (" Ｐ02001 ", "P02", 50, box(300, 0, 400, 100)),  # full width
        ("P02002", "P02", 50, ring((400, 0), (500, 100), (500, 0), (400, 100))),  # a bow tie
        ("P02003", "P02", -1, box(300, 100, 500, 200).difference(box(350, 120, 360, 130))),
        ("P02004", "P02", 50, shapely.union(box(300, 200, 310, 210), box(480, 200, 500, 250))),
        ("P02005", "P02", 50, box(500, 0, 500.03, 100)),  # a sliver
        ("P09001", "P09", 50, box(700, 0, 800, 100)),  # of no parent
        ("", "P02", 50, box(310, 200, 480, 250)),
        ("P02006", "P02", 50, shapely.Polygon()),
        ("P02007", "P02", 50, noded),
        ("P02007", "P02", 50, noded),
    ]  # fmt: skip
    codes, parents, households, shapes = zip(*rows, strict=True)
    areas = gpd.GeoDataFrame(
        {"code": codes, "parent": parents, "households": households,
         "reason": ["small"] + [None] * (len(rows) - 1)},
        geometry=list(shapes), crs=CRS,
    )  # fmt: skip
    above = gpd.GeoDataFrame(
        {"code": ["P01", "P02"]}, geometry=[box(0, 0, 200, 200), box(300, 0, 600, 250)], crs=CRS
    )
    houses = squares([(50, 50), (100, 50), (350, 60), (900, 50)], [40, 5, 300, 9], side=12.0)
    return areas, above, houses.rename(columns={"occupied": "households"})


@pytest.mark.parametrize("name", ["with_parents", "alone", "strict"])
def test_an_audit_and_what_it_mends(name: str) -> None:
    areas, above, houses = flawed()
    profile = next(iter(load_profiles().values()))
    given: dict[str, Any] = {
        "with_parents": {"buildings": houses, "target": 50.0},
        "alone": {"minimum": 6.0, "maximum": 60.0},
        "strict": {"profile": profile, "sliver_m2": 40.0, "tolerance_m": 12.0, "maximum": 45.0},
    }[name]
    parents = None if name == "alone" else above
    said = [*table_lines(audit(areas, parents, **given))]
    kept = {key: given[key] for key in ("profile", "sliver_m2", "tolerance_m") if key in given}
    mended, log = mend(areas, parents, **kept)
    said += ["== mended", *table_lines(mended), *table_lines(log)]
    tells(f"audits/{name}", "\n".join(said))
