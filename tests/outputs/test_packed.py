"""What a packed layer holds: nothing moved by a quantum, no border twice, no value lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import shapely
from benchmarks.coverages import make_coverage
from branca.element import Figure
from hypothesis import given, settings
from hypothesis import strategies as st
from unpacking import Unpacked, spots, unpack, varints, zigzag

from gridmap.errors import OutputError
from gridmap.outputs.pages._pack_bytes import hilbert, signed_varints
from gridmap.outputs.pages._pack_bytes import varints as pack_varints
from gridmap.outputs.pages._pack_columns import pack_column
from gridmap.outputs.pages._pack_rings import METRES_PER_DEGREE, degrees, lattice
from gridmap.outputs.pages.elements import CountByTime
from gridmap.outputs.pages.packed import PackedLines, PackedPoints, PackedPolygons

METRIC = 4549
LEVELS = range(4)
Shapes = npt.NDArray[np.object_]


def frame(shapes: Any, crs: int = METRIC) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"row": np.arange(len(shapes))}, geometry=list(shapes), crs=crs)


def in_order(unpacked: Unpacked, level: int = 0) -> Shapes:
    """Returns the packed features in the order of the frame, in metres."""
    assert unpacked.column("row") == list(range(len(unpacked.rows)))
    rows = unpacked.rows
    degrees = gpd.GeoSeries(unpacked.geometries(level), crs=4326)
    back = np.empty(len(rows), dtype=object)
    back[rows] = degrees.to_crs(METRIC).to_numpy()
    return back


@pytest.fixture(scope="module")
def coverage() -> Shapes:
    return make_coverage(3_000, random_state=3)


@pytest.fixture(scope="module")
def unpacked(coverage: Shapes) -> Unpacked:
    return unpack(PackedPolygons(frame(coverage)))


@pytest.mark.parametrize("quantum_m", [0.3, 2.0])
def test_no_vertex_moves_by_a_quantum(coverage: Shapes, quantum_m: float) -> None:
    back = in_order(unpack(PackedPolygons(frame(coverage), quantum_m=quantum_m)))
    moved = shapely.hausdorff_distance(back, coverage).max()
    assert quantum_m / 2 < moved < 0.71 * quantum_m


@pytest.mark.parametrize("level", LEVELS)
def test_neighbours_share_the_same_border(unpacked: Unpacked, level: int) -> None:
    edges: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    area = 0
    for rings in unpacked.rings_of(level):
        for ring in rings:
            edges.update(pairwise(ring))
            area += sum(a[0] * b[1] - a[1] * b[0] for a, b in pairwise(ring))
    # Once in each direction, or once on the outer border: nothing is left between or covered twice.
    assert set(edges.values()) == {1}
    outer = [edge for edge in edges if edge[::-1] not in edges]
    assert sum(a[0] * b[1] - a[1] * b[0] for a, b in outer) == area
    assert len(outer) < 0.1 * len(edges)


@pytest.mark.parametrize("level", LEVELS)
def test_generalised_polygons_neither_overlap_nor_part(unpacked: Unpacked, level: int) -> None:
    drawn = np.array(unpacked.geometries(level))
    assert shapely.is_valid(drawn).all()
    assert shapely.coverage_is_valid(drawn)


def test_a_level_leaves_out_what_its_tolerance_allows(unpacked: Unpacked, coverage: Shapes) -> None:
    kept = [float((unpacked.levels >= level).mean()) for level in LEVELS]
    assert kept == sorted(kept, reverse=True)
    assert kept[3] < 0.35
    borders = shapely.boundary(coverage)
    for level, tolerance in enumerate(unpacked.config["tolerances"], start=1):
        off = shapely.hausdorff_distance(shapely.boundary(in_order(unpacked, level)), borders)
        assert off.max() < tolerance + 0.3


def test_each_border_is_held_once(unpacked: Unpacked) -> None:
    assert len(unpacked.x) < 0.6 * sum(len(ring) for rings in unpacked.rings_of() for ring in rings)


EAST, NORTH = 500_000.0, 3_400_000.0


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


OUTER = box(0, 0, 1000, 1000)
HOLE = box(300, 300, 700, 700)
AWKWARD: dict[str, Any] = {
    "hole": OUTER.difference(HOLE),
    "fills the hole": HOLE,
    "island in a hole": shapely.union(OUTER.difference(HOLE), box(400, 400, 500, 500)),
    "overlaps": box(500, 500, 1500, 1500),
    "the same again": OUTER,
    "clockwise": shapely.reverse(OUTER),
    "parts that meet in a point": shapely.union(box(0, 0, 10, 10), box(10, 10, 20, 20)),
    "hole that touches": shapely.Polygon(
        OUTER.exterior, [[(EAST, NORTH), (EAST + 300, NORTH + 100), (EAST + 100, NORTH + 300)]]
    ),
    "with heights": shapely.force_3d(OUTER, 12.0),
    "far away": box(80_000, 0, 81_000, 1000),
    "collection": shapely.GeometryCollection(
        [box(0, 0, 5, 5), shapely.Point(EAST, NORTH), shapely.MultiPolygon([box(9, 9, 12, 12)])]
    ),
    "smaller than a quantum": box(0.01, 0.01, 0.02, 0.02),
    "tiny hole": OUTER.difference(box(500, 500, 500.05, 500.05)),
    "empty": shapely.Polygon(),
    "missing": None,
    "a point": shapely.Point(EAST, NORTH),
}


def areas_of(shape: Any) -> Any:
    parts = shapely.get_parts(shapely.get_parts(np.array([shape], dtype=object)))
    return shapely.union_all([part for part in parts if part.geom_type == "Polygon"])


def test_awkward_geometries_come_back() -> None:
    back = in_order(unpack(PackedPolygons(frame(AWKWARD.values()))))
    for (name, shape), found in zip(AWKWARD.items(), back, strict=True):
        given_area = areas_of(shape)
        if name in ("empty", "missing", "a point"):
            assert found is None, name
        elif name == "smaller than a quantum":
            assert not found.is_empty, name
        else:
            assert shapely.area(shapely.symmetric_difference(found, given_area)) < 0.3 * (
                given_area.length + 1
            ), name


@pytest.mark.parametrize("shapes", [[], [None], [OUTER], [None, OUTER, None]])
def test_few_or_no_rows(shapes: list[Any]) -> None:
    unpacked = unpack(PackedPolygons(frame(shapes)))
    assert len(unpacked.rings) == unpacked.config["count"] == len(shapes)
    assert sum(shape is not None for shape in unpacked.geometries()) == sum(map(bool, shapes))


def test_lines_come_back() -> None:
    lines = [
        shapely.LineString([(EAST, NORTH), (EAST + 500, NORTH + 20), (EAST + 900, NORTH)]),
        shapely.MultiLineString(
            [[(EAST, NORTH), (EAST, NORTH + 9)], [(EAST, NORTH), (EAST + 9, NORTH)]]
        ),
        shapely.LinearRing([(EAST, NORTH), (EAST + 500, NORTH + 20), (EAST + 900, NORTH)]),
        shapely.LineString([(EAST, NORTH), (EAST + 0.01, NORTH)]),
        None,
    ]  # fmt: skip
    back = in_order(unpack(PackedLines(frame(lines))))
    for line, found in zip(lines, back, strict=True):
        assert (found is None) == (line is None)
        if line is not None:
            assert shapely.hausdorff_distance(found, line) < 0.3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(1, 6), st.integers(1, 6)),
        min_size=1,
        max_size=8,
    )
)
def test_any_boxes_come_back(boxes: list[tuple[int, int, int, int]]) -> None:
    shapes = [box(10 * x, 10 * y, 10 * (x + w), 10 * (y + h)) for x, y, w, h in boxes]
    back = in_order(unpack(PackedPolygons(frame(shapes))))
    assert shapely.area(shapely.symmetric_difference(back, np.array(shapes))).max() < 0.3 * 240


TWICE = """
import sys
from pathlib import Path
import geopandas as gpd
from benchmarks.coverages import make_coverage
from gridmap.outputs.pages.packed import PackedPolygons
from gridmap.outputs.pages.page import page, save_page
shapes = gpd.GeoSeries(make_coverage(50, random_state=3), crs=4549)
made = page(title="t", bounds=(120, 30, 121, 31))
for name in ("one", "two"):
    gdf = gpd.GeoDataFrame({"kind": ["a", "b"] * 25, "row": range(50)}, geometry=shapes[:50])
    PackedPolygons(gdf, name=name).add_to(made)
save_page(made, Path(sys.argv[1]))
"""


def test_a_page_with_packed_layers_is_the_same_in_every_process(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    written = []
    for seed in ("1", "2"):  # sets have another order then
        path = tmp_path / f"{seed}.html"
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(root), str(root / "scripts")]),
            "PYTHONHASHSEED": seed,
        }
        subprocess.run([sys.executable, "-c", TWICE, path], env=environment, check=True)
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_columns_come_back() -> None:
    values: dict[str, Any] = {
        "whole": [5, -3, 2**40],
        "long": [330482001002003004005, 7, 1],
        "some": pd.array([1, None, 3], dtype="Int64"),
        "decimal": [1.25, np.nan, -0.5],
        "real": [np.pi, np.inf, 1e-30],
        "flag": [True, False, True],
        "maybe": pd.array([True, None, False], dtype="boolean"),
        "code": ["003204", "003205", "999999"],
        "other widths": ["003204", "03205", "9"],
        "full width": ["１２", "３４", "５６"],
        "text": ["a", "b\x00c", "长江路"],
        "markup": ["</script><img src=x onerror=alert(1)>", "{{ 7*7 }}", ""],
        "gaps": ["a", None, "c"],
        "kinds": pd.Categorical(["x", None, "x"]),
        "mixed": ["a", 1, None],
        "when": pd.to_datetime(["2024-03-01T17:30", None, "2024-03-02T00:00"]),
        "nothing": [None, None, None],
        "constant": [7.5, 7.5, 7.5],
    }
    gdf = gpd.GeoDataFrame(values, geometry=[OUTER, HOLE, None], crs=METRIC)
    unpacked = unpack(PackedPolygons(gdf))
    expected: dict[str, list[Any]] = values | {
        "long": ["330482001002003004005", 7, 1],
        "some": [1, None, 3],
        "decimal": [1.25, None, -0.5],
        "real": [np.pi, None, 1e-30],
        "maybe": [True, None, False],
        "kinds": ["x", None, "x"],
        "when": [1709314200000, None, 1709337600000],
    }
    for name, held in expected.items():
        assert unpacked.column(name) == held, name


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.none() | st.floats(width=64) | st.integers(-(10**6), 10**6).map(lambda n: n / 1000))
)
def test_numbers_come_back_exactly(numbers: list[float | None]) -> None:
    held = pack_column(pd.Series(numbers, dtype="float64"))
    unpacked = Unpacked.__new__(Unpacked)
    unpacked.config = {"fields": [{"name": "n"}], "columns": [held.spec]}
    unpacked.streams = {f"0.{name}": stream for name, stream in held.streams.items()}
    expected = [None if n is None or not np.isfinite(n) else n for n in numbers]
    assert unpacked.column("n") == expected


def test_codes_and_names_stay_small() -> None:
    rng = np.random.default_rng(1)
    codes = pd.Series([f"3304820010{n:05}" for n in range(20_000)])
    streets = pd.Series(rng.choice(["Bridge Road", "Lake Road"], 20_000))
    assert pack_column(codes).spec["kind"] == "digits"
    assert len(pack_column(codes).streams["values"]) < 3 * 20_000
    assert pack_column(streets).spec["kind"] == "dictionary"
    assert len(pack_column(streets).streams["values"]) == 20_000


@given(st.lists(st.integers(-(2**61), 2**61)))
def test_varints_come_back(numbers: list[int]) -> None:
    assert zigzag(varints(signed_varints(np.array(numbers, dtype=np.int64)))).tolist() == numbers


def test_varints_are_leb128() -> None:
    assert pack_varints(np.array([0, 127, 128, 300])) == bytes([0, 127, 0x80, 1, 0xAC, 2])
    assert pack_varints(np.zeros(0)) == b""


def test_the_curve_visits_each_cell_once_and_never_jumps() -> None:
    x, y = np.divmod(np.arange(4**5), 2**5)
    place = hilbert(x, y, 5)
    assert sorted(place) == list(range(4**5))
    path = np.argsort(place)
    assert (np.abs(np.diff(x[path])) + np.abs(np.diff(y[path])) == 1).all()


def test_what_cannot_be_packed_is_named() -> None:
    gdf = frame([OUTER])
    with pytest.raises(OutputError, match="grids"):
        PackedPolygons(gdf.set_crs(None, allow_override=True), name="grids")
    with pytest.raises(OutputError, match="2"):
        PackedPolygons(gdf, style=["", ""])
    for quantum_m in (0.0, -1.0, np.nan, 1e-9):
        with pytest.raises(OutputError, match="quantum"):
            PackedPolygons(gdf, quantum_m=quantum_m)
    with pytest.raises(OutputError, match=r"\[1\]"):
        PackedPolygons(frame([shapely.box(0, 0, 1, 1), shapely.box(0, 80, 1, 89)], crs=4326))


def cases(count: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(2)
    x, y = rng.normal(EAST, 5000, count), rng.normal(NORTH, 5000, count)
    return gpd.GeoDataFrame({"row": range(count)}, geometry=gpd.points_from_xy(x, y), crs=METRIC)


@pytest.mark.parametrize(
    ("lon", "lat", "shown"),
    [
        (180.0, 0.0, True),
        (-180.0, 0.0, True),
        (180.1, 0.0, False),
        (-180.1, 0.0, False),
        (0.0, 85.0, True),
        (0.0, -85.0, True),
        (0.0, 85.1, False),
        (0.0, -85.1, False),
    ],
)
def test_a_web_map_ends_before_the_poles(lon: float, lat: float, shown: bool) -> None:
    row = gpd.GeoDataFrame(geometry=[shapely.Point(lon, lat), None, shapely.Point()], crs=4326)
    if shown:
        assert degrees(row, "town")[0] == shapely.Point(lon, lat)
        return
    with pytest.raises(OutputError) as caught:
        degrees(row, "town")
    assert caught.value.params == {"layer": "town", "count": 1, "rows": [0]}


def test_points_come_back_within_a_quantum() -> None:
    gdf = cases(5_000)
    gdf.loc[7, "geometry"] = None
    unpacked = unpack(PackedPoints(gdf))
    back = gpd.GeoSeries(gpd.points_from_xy(*spots(unpacked).T), crs=4326).to_crs(METRIC)
    placed = gdf.geometry.notna()
    assert back[placed].distance(gdf.geometry[placed]).max() < 0.3
    assert np.isnan(spots(unpacked)[7]).all()
    assert unpacked.column("row") == list(range(5_000))


def test_a_million_points_would_take_four_megabytes() -> None:
    gdf = cases(100_000)[["geometry"]]
    layer = PackedPoints(gdf, as_="heat")
    assert "row" not in unpack(layer).streams
    assert len(layer._data) < 400_000


def test_days_and_weights_belong_to_their_points() -> None:
    gdf = cases(300)
    days = np.datetime64("2024-02-27") + np.arange(300) % 5
    days[0] = np.datetime64("NaT")
    unpacked = unpack(PackedPoints(gdf, as_="heat", times=days, weights=np.arange(300.0)))
    rows = np.cumsum(zigzag(varints(unpacked.streams["row"])))
    expected = np.where(np.isnat(days), 0, 1 + np.arange(300) % 5)
    assert varints(unpacked.streams["day"]).tolist() == expected[rows].tolist()
    weights = varints(unpacked.streams["weight"]) / 255 * 299
    assert np.abs(weights - rows).max() <= 299 / 255 / 2
    time = unpacked.config["time"]
    assert np.datetime64(time["first"], "D") == np.datetime64("2024-02-27")
    assert time["counts"] == [59, 60, 60, 60, 60]


def test_a_year_of_days_adds_a_tenth_at_most() -> None:
    shapes = make_coverage(5_000, random_state=4)
    gdf = frame(shapes)[["geometry"]]
    rng = np.random.default_rng(6)
    rows = rng.integers(0, len(gdf), 5_000)
    days = np.datetime64("2024-01-01") + rng.integers(0, 366, 5_000)
    points = gdf.iloc[rows].representative_point().to_frame("geometry")

    def size(times: Any) -> int:
        return len(PackedPoints(points, as_="heat", times=times)._data)

    grids = PackedPolygons(gdf)
    counts = CountByTime(grids, rows, days, title="Cases", unit="day")
    added = size(days) - size(None) + len(counts._arguments())
    assert added < 0.1 * (size(None) + len(grids._data))


@pytest.mark.parametrize(
    "options",
    [
        {"times": np.array(["2024-01-01"], "datetime64[D]")},
        {"weights": [1.0]},
        {"weights": [1.0, -1.0]},
        {"weights": [1.0, np.nan]},
    ],
)
def test_points_with_odd_times_or_weights_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(OutputError, match="cases"):
        PackedPoints(cases(2), name="cases", **options)


def test_the_data_stand_in_the_page_once_under_the_name_that_the_call_gives() -> None:
    page = Figure()
    map_ = folium.Map().add_to(page)
    packed = PackedPolygons(frame([shapely.box(500_000, 3_400_000, 500_010, 3_400_010)]))
    packed.add_to(map_)
    html = page.render()
    (data,) = re.findall(r'<script type="text/plain" id="(\w+_data)">([^<]+)</script>', html)
    assert html.count(data[0]) == 2  # the data, and the call that reads them
    assert data[1].startswith("eJ")  # zlib, in base64
    alone = PackedPolygons(frame([shapely.box(500_000, 3_400_000, 500_010, 3_400_010)]))
    with pytest.raises(Exception, match="map"):
        alone.render()


@pytest.mark.parametrize("turned", [False, True])
def test_a_lattice_has_at_most_so_many_steps_in_either_direction(turned: bool) -> None:
    def box(length: float, south: float) -> Any:
        sides = (1.0, south, 1.0, south + length)
        return np.array([[sides[k] for k in ((1, 0, 3, 2) if turned else (0, 1, 2, 3))]])

    # On the equator a step of a metre is as wide as it is high.
    most = (2**31 - 1) / METRES_PER_DEGREE
    for south in (0.0, -1e-9):
        lattice(box(most - 1, south), 1.0, "town")
        with pytest.raises(OutputError, match="quantum"):
            lattice(box(most + 1 + (turned * most), south), 1.0, "town")


def test_the_steps_of_a_lattice_are_as_wide_as_high_where_it_is_nearest_to_the_equator() -> None:
    for south, north, nearest in ((30, 60, 30), (-60, -30, 30), (-10, 60, 0), (0, 60, 0)):
        made = lattice(np.array([[5.0, south, 6.0, north], [np.nan] * 4]), 0.5, "town")
        assert (made.west, made.south) == (5.0, south)
        assert made.step_y == pytest.approx(0.5 / METRES_PER_DEGREE)
        assert made.step_x == pytest.approx(made.step_y / np.cos(np.radians(nearest)))
    empty = lattice(np.full((2, 4), np.nan), 0.5, "town")
    assert (empty.west, empty.south) == (0, 0)
