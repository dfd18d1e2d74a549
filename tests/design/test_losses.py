"""No building is cut, whatever the data; and where it cannot be whole, the plan says why."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.affinity import translate
from shapes import CRS, EAST, NORTH, grid_of
from towns import lines, town

from gridmap.design import as_layers, design_grids, figures
from gridmap.design.losses import CUT_M2, REMEDIES
from gridmap.design.plan import Plan
from gridmap.settings import Design

SIDE = 60.0
GRID = grid_of("A", SIDE)
FIVE = Design(target=5)
Shape = shapely.Polygon | shapely.MultiPolygon


def buildings_of(shapes: list[Shape], occupied: list[int]) -> gpd.GeoDataFrame:
    codes = [f"B{number:02d}" for number in range(len(shapes))]
    placed = [translate(shape, EAST, NORTH) for shape in shapes]
    return gpd.GeoDataFrame({"code": codes, "occupied": occupied}, geometry=placed, crs=CRS)


def assert_told(plan: Plan) -> None:
    """Every occupied building that loses more than 1 cm2 to a neighbour is a finding."""
    members = plan.membership.set_index("code")
    assert shapely.is_valid(plan.shape).all()
    assert shapely.coverage_is_valid(plan.shape)
    assert shapely.area(plan.shape).sum() == pytest.approx(plan.grids.area.sum(), abs=1e-4)
    shape = dict(zip(plan.code, plan.shape, strict=True))
    for code, row in members[members["households"] > 0].iterrows():
        others = shapely.union_all([s for c, s in shape.items() if c != row["microgrid"]])
        taken = shapely.area(shapely.intersection(row.geometry, others))
        told = row["reason"] in REMEDIES and row["remedy"] == REMEDIES[row["reason"]]
        assert told or taken <= CUT_M2, (code, taken)
        assert row["lost_m2"] >= taken - CUT_M2


def reasons(plan: Plan) -> dict[str, str]:
    cut = plan.membership.dropna(subset="reason").set_index("code")["reason"]
    return {str(code): str(reason) for code, reason in cut.items()}


@st.composite
def broken_coverages(draw: st.DrawFn) -> tuple[list[Shape], list[int]]:
    """Squares that tile the grid, and what digitising makes of them."""
    count = draw(st.integers(2, 4))
    step = SIDE / count
    noise = draw(st.sampled_from([0.0, 1e-9, 1e-6, 1e-3, 0.02, 0.4]))
    shift = st.floats(-noise, noise, allow_nan=False)
    shapes: list[Shape] = []
    for i in range(count):
        for j in range(count):
            corners = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
            ring = [(x * step + draw(shift), y * step + draw(shift)) for x, y in corners]
            shapes.append(_bent(shapely.Polygon(ring), draw))
    kept = [shape for shape in map(_polygons, shapes) if shape.area > 0.5]
    occupied = [draw(st.integers(0, 6)) for _ in kept]
    return kept, [*occupied[:-1], 5]


def _bent(shape: shapely.Polygon, draw: st.DrawFn) -> Shape:
    x, y = shape.centroid.coords[0]
    west, south, east, north = shape.bounds
    kind = draw(st.sampled_from(["as it is"] * 6 + ["bow", "hole", "near", "large", "sliver"]))
    if kind == "bow":
        return shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    if kind == "hole":
        return shape - shapely.box(x - 3, y - 3, x + 3, y + 3)
    if kind == "near":
        return shapely.segmentize(shape, 7.3).union(shapely.box(x, y, east + 1e-7, y + 1e-7))
    if kind == "large":
        return shape.buffer(draw(st.sampled_from([1e-7, 0.01, 1.0])), join_style="mitre")
    if kind == "sliver":
        return shapely.box(west, south, east, south + 0.3)
    return shape


def _polygons(shape: Shape) -> Shape:
    """Return a shape as a city holds it: valid, and nothing but polygons."""
    parts = shapely.get_parts(shapely.make_valid(shape))
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


@settings(max_examples=40)
@given(broken_coverages(), st.booleans())
def test_no_building_is_cut_without_a_reason(
    drawn: tuple[list[Shape], list[int]], street: bool
) -> None:
    roads = {"roads": lines((20.004, -5, 19.996, 65), (-5, 0.003, 65, 0.003), **{"class": "main"})}
    city = town(GRID, buildings_of(*drawn), **(roads if street else {}))
    assert_told(design_grids(city, FIVE))


def test_small_areas_that_tile_their_grid_keep_all_their_land() -> None:
    """A street a hand's breadth inside of the rim, which once undid the whole grid."""
    rng = np.random.default_rng(1)
    x, y = np.meshgrid(np.linspace(0, SIDE, 6), np.linspace(0, SIDE, 6))
    inner = np.zeros_like(x, dtype=bool)
    inner[1:-1, 1:-1] = True
    x, y = x + inner * rng.uniform(-4, 4, x.shape), y + inner * rng.uniform(-4, 4, y.shape)
    at = [[(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)] for i in range(5) for j in range(5)]
    shapes = [shapely.Polygon([(x[k], y[k]) for k in ring]) for ring in at]
    plan = design_grids(town(GRID, buildings_of(shapes, [2] * 25)), FIVE)
    assert len(plan) > 5
    assert reasons(plan) == {}
    gone = shapely.difference(plan.buildings.geometry.to_numpy(), plan.shape[plan.label[plan.atom]])
    assert shapely.area(gone).max() < CUT_M2


def test_an_empty_building_takes_no_land_from_an_occupied_one() -> None:
    shed = shapely.box(28, 10, 34, 16)
    halves: list[Shape] = [shapely.box(0, 0, 30, 60), shapely.box(30, 0, 60, 60)]
    plan = design_grids(town(GRID, buildings_of([*halves, shed], [5, 5, 0])), FIVE)
    assert len(plan) == 2
    assert reasons(plan) == {}


def test_a_building_that_others_cover_goes_where_most_of_it_lies() -> None:
    """Its inner point lies in the lesser of the two."""
    whole, core = shapely.box(0, 0, 60, 60), shapely.box(28, 28, 32, 32)
    plan = design_grids(town(GRID, buildings_of([whole, whole - core, core], [1, 5, 5])), FIVE)
    atom = plan.membership.set_index("code")["atom"]
    assert atom["B00"] == atom["B01"] != atom["B02"]
    assert reasons(plan) == {"B00": "overlap"}


def test_of_a_building_in_pieces_the_largest_is_kept() -> None:
    """Streets cut the small piece into more faces than the large one."""
    two = shapely.MultiPolygon([shapely.box(0, 0, 20, 60), shapely.box(50, 20, 60, 40)])
    shapes = [two, shapely.box(20, 0, 50, 60)]
    streets = lines(*((45, y, 65, y) for y in (24, 28, 32, 36)), **{"class": "residential"})
    plan = design_grids(town(GRID, buildings_of(shapes, [5, 5]), roads=streets), FIVE)
    assert reasons(plan) == {"B00": "pieces"}
    assert plan.membership.set_index("code").loc["B00", "lost_m2"] == pytest.approx(200)


def test_what_cannot_be_whole_says_why_and_what_would_mend_it() -> None:
    shapes = [
        shapely.box(0, 0, 22, 30), shapely.box(20, 0, 40, 30),  # overlap
        shapely.MultiPolygon([shapely.box(0, 32, 20, 60), shapely.box(45, 32, 50, 60)]),
        shapely.box(21, 32, 44, 60),
        shapely.box(45, 2, 62, 20),  # beyond the grid
    ]  # fmt: skip
    city = town(GRID, buildings_of(shapes, [5] * 5))
    plan = design_grids(city, FIVE)
    told = plan.membership.set_index("code")
    assert reasons(plan) == {"B00": "overlap", "B02": "pieces", "B04": "beyond"}
    assert told.loc["B00", "lost_m2"] == pytest.approx(60)
    assert told.loc["B02", "lost_m2"] == pytest.approx(140)
    assert told.loc["B04", "lost_m2"] == pytest.approx(36)
    assert figures(plan)["plan_cut"] == 3
    layer = as_layers(plan, city).results["plan_buildings"].layer
    assert set(REMEDIES) == set(layer.fields["reason"].categories)
    assert set(REMEDIES.values()) == set(layer.fields["remedy"].categories)
    assert_told(plan)
