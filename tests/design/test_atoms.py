"""Atoms by hand: which buildings fall into units or slices, and what each part holds."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapes import CRS, EAST, NORTH, grid_of

from gridmap.design.geometry.atoms import Atoms, make_atoms, slices

PARENTS = grid_of("ab")


def boxes(*rows: tuple[float, float, float, float], **columns: list[object]) -> gpd.GeoDataFrame:
    shapes = [shapely.box(EAST + a, NORTH + b, EAST + c, NORTH + d) for a, b, c, d in rows]
    codes = pd.Series([f"h{k}" for k in range(len(rows))], dtype="string")
    return gpd.GeoDataFrame({"code": codes, **columns}, geometry=shapes, crs=CRS)


def houses(occupied: list[int], units: list[int] | None = None) -> gpd.GeoDataFrame:
    """Bars of 40 by 10 m: the last in the second parent, the others in the first."""
    rows = [(10.0, 5.0 + 15 * k, 50.0, 15.0 + 15 * k) for k in range(len(occupied) - 1)]
    made = boxes(*rows, (110.0, 5.0, 150.0, 15.0), occupied=occupied)
    made = made.assign(weight=made["occupied"].astype(float))
    return made if units is None else made.assign(units=pd.array(units, dtype="Int64"))


def told(atoms: Atoms) -> list[tuple[str, int, int, float]]:
    frame = atoms.frame[["code", "parent", "households", "weight"]]
    return list(frame.itertuples(index=False, name=None))


def test_buildings_are_atoms_in_their_parents_and_those_outside_are_told() -> None:
    given = houses([12, 30, 7])
    far = boxes((-90.0, 0.0, -80.0, 10.0), occupied=[5]).assign(code="far", weight=5.0)
    found = make_atoms(pd.concat([given, far], ignore_index=True), PARENTS)
    assert told(found) == [("h0", 0, 12, 12.0), ("h1", 0, 30, 30.0), ("h2", 1, 7, 7.0)]
    assert found.outside == ("far",)
    assert found.frame["building"].tolist() == ["h0", "h1", "h2"]
    assert found.frame["compound"].isna().all()
    kept = make_atoms(given.assign(compound=["x", "y", "z"]), PARENTS).frame
    assert kept["compound"].tolist() == ["x", "y", "z"]


def test_what_exceeds_the_maximum_is_sliced_as_evenly_as_whole_numbers_allow() -> None:
    given = houses([11, 40, 7], units=[4, 3, 2])
    found = make_atoms(given, PARENTS, maximum=30.0)
    assert [row[:3] for row in told(found)] == [
        ("h0", 0, 11), ("h1-01", 0, 14), ("h1-02", 0, 13), ("h1-03", 0, 13), ("h2", 1, 7),
    ]  # fmt: skip
    assert found.frame["weight"].tolist() == pytest.approx([11, 14, 13, 13, 7])
    assert found.frame["building"].tolist() == ["h0", "h1", "h1", "h1", "h2"]
    assert found.frame.geometry[1:4].area.to_numpy() == pytest.approx([400 / 3] * 3)
    edge = make_atoms(given, PARENTS, maximum=40.0)
    assert len(edge.frame) == 3
    finest = make_atoms(given, PARENTS, finest=True)
    assert finest.frame["households"].tolist() == [3, 3, 3, 2, 14, 13, 13, 4, 3]


def test_no_more_slices_than_households_and_none_of_points() -> None:
    given = houses([2, 0, 7], units=[5, 4, 0])
    found = make_atoms(given, PARENTS, finest=True)
    assert [row[:3] for row in told(found)] == [
        ("h0-01", 0, 1), ("h0-02", 0, 1), ("h1", 0, 0), ("h2", 1, 7),
    ]  # fmt: skip
    dots = given.set_geometry(given.representative_point())
    assert len(make_atoms(dots, PARENTS, finest=True).frame) == 3


def test_large_ones_without_units_are_cut_where_that_is_asked_for() -> None:
    given = houses([90, 20, 7])
    assert len(make_atoms(given, PARENTS, maximum=80.0).frame) == 3
    cut = make_atoms(given, PARENTS, maximum=80.0, target=50.0, cut_large=True)
    assert cut.frame["households"].tolist() == [23, 23, 22, 22, 20, 7]
    named = houses([90, 20, 7], units=[6, 1, 1])
    cut = make_atoms(named, PARENTS, maximum=80.0, target=50.0, cut_large=True)
    assert cut.frame["households"].tolist() == [15] * 6 + [20, 7]


def test_a_building_whose_units_are_drawn_falls_into_them() -> None:
    given = houses([40, 30, 9], units=[2, 3, 1])
    units = boxes(
        (10.0, 5.0, 30.0, 15.0), (30.0, 5.0, 50.0, 15.0), (10.0, 20.0, 30.0, 30.0),
        building=["h0", "h0", "h1"], occupied=[30, 10, 5],
    )  # fmt: skip
    units = units.assign(code=["u1", "u2", "u3"])
    found = make_atoms(given, PARENTS, units=units, maximum=25.0)
    # Of h1 three units are known to be, and one is drawn: it is sliced.
    assert [row[:3] for row in told(found)] == [
        ("h1-01", 0, 10), ("h1-02", 0, 10), ("h1-03", 0, 10), ("u1", 0, 30), ("u2", 0, 10),
        ("h2", 1, 9),
    ]  # fmt: skip
    assert found.frame["weight"].tolist() == pytest.approx([10, 10, 10, 30, 10, 9])
    assert found.frame["building"].tolist() == ["h1"] * 3 + ["h0"] * 2 + ["h2"]
    unknown = units.assign(occupied=pd.array([pd.NA, pd.NA, 1], dtype="Int64"))
    even = make_atoms(given, PARENTS, units=unknown, maximum=35.0)
    assert [row[:3] for row in told(even)][1:3] == [("u1", 0, 20), ("u2", 0, 20)]
    clash = make_atoms(given, PARENTS, units=units.assign(code=["h1", "h2", "h2"]), maximum=35.0)
    assert clash.frame["code"].tolist() == ["h1", "h1~1", "h2~1", "h2"]


def test_slices_of_a_bar_are_of_equal_width() -> None:
    bar = shapely.box(0, 0, 40, 10)
    wanted = [shapely.box(10 * k, 0, 10 * k + 10, 10) for k in range(4)]
    for turn in (0.0, 33.0, 90.0):
        turned = shapely.affinity.rotate(bar, turn, origin=(0, 0))
        found = slices(turned, 4)
        known = [shapely.affinity.rotate(one, turn, origin=(0, 0)) for one in wanted]
        assert len(found) == 4
        for one in found:
            assert min(one.symmetric_difference(other).area for other in known) < 1e-6
        assert shapely.coverage_is_valid(found)
    assert slices(bar, 1)[0].equals(bar)


def test_slices_of_what_is_hollow_and_of_what_is_in_parts() -> None:
    yard = shapely.box(0, 0, 60, 30) - shapely.box(10, 10, 50, 20)
    found = slices(yard, 3)
    assert [one.area for one in found] == pytest.approx([500, 400, 500])
    apart = shapely.union(shapely.box(0, 0, 10, 10), shapely.box(90, 0, 110, 10))
    parts = slices(apart, 5)
    # Three of five slices are empty: the largest part is halved, of equals the first, and so on.
    assert [one.area for one in parts] == pytest.approx([50, 50, 50, 50, 100])
    assert shapely.union_all(parts).symmetric_difference(apart).area < 1e-6
