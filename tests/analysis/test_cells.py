"""H3 cells against H3 itself, point by point, also where it is hardest to tell them apart."""

from __future__ import annotations

import geopandas as gpd
import h3
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import CRS, grid_of, points_at

from gridmap.analysis.h3 import _lookup
from gridmap.analysis.h3._hexagons import lattice, sparse_keys, to_lattice
from gridmap.analysis.h3._lookup import extent_patch
from gridmap.analysis.h3.cells import (
    cell_counts,
    cell_grid,
    cell_neighbours,
    cells_at,
    cells_of,
    parents,
    roll_up,
)

Floats = npt.NDArray[np.float64]


def plain(lat: Floats, lng: Floats, resolution: int) -> npt.NDArray[np.uint64]:
    places = zip(lat.tolist(), lng.tolist(), strict=True)
    return np.array(
        [h3.str_to_int(h3.latlng_to_cell(*place, resolution)) for place in places], dtype=np.uint64
    )


def same(lat: Floats, lng: Floats, resolution: int) -> None:
    expected = plain(lat, lng, resolution)
    assert (cells_at(lng, lat, 4326, resolution=resolution) == expected).all()
    counts = cell_counts(lng, lat, 4326, resolution=resolution)
    code, count = np.unique(expected, return_counts=True)
    assert (counts.index.to_numpy() == code).all()
    assert (counts.to_numpy() == count).all()


def around(
    lat: float, lng: float, spread: float, number: int, random_state: int
) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(random_state)
    up, across = rng.normal(0, spread, (2, number))
    return lat + up, lng + across / max(np.cos(np.radians(lat)), 0.01)


def edge_points(lat: float, lng: float, resolution: int, rings: int) -> tuple[Floats, Floats]:
    """Points on the edges of cells, at their corners, and a hair on either side."""
    found = []
    rng = np.random.default_rng(1)
    for cell in sorted(h3.grid_disk(h3.latlng_to_cell(lat, lng, resolution), rings)):
        ring = np.array(h3.cell_to_boundary(cell))
        middle = np.array(h3.cell_to_latlng(cell))
        if np.ptp(ring[:, 1]) > 180:
            continue
        share = rng.random((len(ring), 3, 1))
        on = ring[:, None] + share * (np.roll(ring, -1, axis=0) - ring)[:, None]
        on = np.concatenate([ring, on.reshape(-1, 2)])
        for hair in (0.0, 1e-15, 1e-12, 1e-9, 1e-6):
            found += [on + hair * (middle - on), on - hair * (middle - on)]
    every = np.concatenate(found)
    return every[:, 0], every[:, 1]


@pytest.mark.parametrize("resolution", range(16))
def test_all_over_the_earth(resolution: int) -> None:
    rng = np.random.default_rng(resolution)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 4000)))
    same(lat, rng.uniform(-180, 180, 4000), resolution)


@pytest.mark.parametrize("resolution", [0, 3, 6, 8, 9, 10, 12, 15])
@pytest.mark.parametrize(
    ("lat", "lng"),
    [(30.7, 121.0), (-33.9, 18.4), (64.1, -21.9), (0.0, 0.0), (0.001, 179.999)],
)
def test_in_cities(lat: float, lng: float, resolution: int) -> None:
    same(*around(lat, lng, 0.05, 4000, 2), resolution)


@pytest.mark.parametrize("resolution", [4, 8, 9, 13])
def test_where_polynomials_fail(resolution: int) -> None:
    """Poles, the antimeridian from both sides, pentagons, and the edges of H3's faces."""
    rng = np.random.default_rng(3)
    same(rng.uniform(89.9, 90.0, 3000), rng.uniform(-180, 180, 3000), resolution)
    same(-rng.uniform(89.9, 90.0, 3000), rng.uniform(-180, 180, 3000), resolution)
    lng = 180.0 - np.abs(rng.normal(0, 0.05, 3000))
    same(rng.normal(-17, 0.05, 3000), np.where(rng.random(3000) < 0.5, lng, lng - 360), resolution)
    pentagons = [h3.cell_to_latlng(cell) for cell in sorted(h3.get_pentagons(9))]
    for lat, lng in pentagons[:12:3]:
        same(*around(lat, lng, 0.03, 2500, 4), resolution)
    one, other = pentagons[0], min(
        pentagons[1:], key=lambda place: h3.great_circle_distance(pentagons[0], place)
    )  # fmt: skip
    a, b = (
        np.array([np.cos(p) * np.cos(t), np.cos(p) * np.sin(t), np.sin(p)])
        for p, t in np.radians([one, other])
    )
    middle = (0.7 * a + 0.3 * b) / np.linalg.norm(0.7 * a + 0.3 * b)
    place = np.degrees([np.arcsin(middle[2]), np.arctan2(middle[1], middle[0])])
    assert len(h3.get_icosahedron_faces(h3.latlng_to_cell(*place, 5))) == 2
    same(*around(*place, 0.05, 5000, 5), resolution)


@pytest.mark.parametrize("resolution", [2, 7, 8, 9, 10, 14])
@pytest.mark.parametrize(("lat", "lng"), [(30.7, 121.0), (-1.29, 36.8), (59.9, 10.7)])
def test_on_edges_and_corners(lat: float, lng: float, resolution: int) -> None:
    same(*edge_points(lat, lng, resolution, 5), resolution)


def test_the_guard_holds_where_it_matters() -> None:
    """Without the guard some points on edges go astray, so that the tests above can fail."""
    lat, lng = edge_points(30.7, 121.0, 9, 12)
    patch = extent_patch(lng, lat, 4326, resolution=9)
    assert patch is not None
    bare = patch._replace(guard=-1.0)
    keys = sparse_keys(lng, lat, bare)
    exact = plain(lat, lng, 9)
    mixed = pd.Series(exact).groupby(keys).nunique()
    assert (mixed > 1).any()
    sure = sparse_keys(lng, lat, patch)
    assert (pd.Series(exact)[sure >= 0].groupby(sure[sure >= 0]).nunique() == 1).all()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, ...]]:
    """What H3 is asked for, place by place."""
    places: list[tuple[float, ...]] = []
    real = _lookup.h3.latlng_to_cell

    def noted(*place: float) -> int:
        places.append(place)
        return int(real(*place))

    monkeypatch.setattr(_lookup.h3, "latlng_to_cell", noted)
    return places


@pytest.mark.parametrize(
    ("number", "resolution", "times"),
    [
        (1999, 9, 1999),
        (2000, 7, 211),
        (2000, 9, 810),
        (20_000, 7, 334),
        (20_000, 9, 1604),
        (20_000, 11, 1615),
        (20_000, 13, 1696),
        (20_000, 15, 1608),
    ],
)
def test_h3_is_asked_once_for_a_cell_or_its_ancestor_and_of_what_is_in_doubt(
    number: int, resolution: int, times: int, asked: list[tuple[float, ...]]
) -> None:
    """How far a table or a polynomial reaches shows in nothing else: the answer is H3's anyway."""
    lat, lng = around(30.7, 121.0, 0.05, number, 2)
    cells = cells_at(lng, lat, 4326, resolution=resolution)
    assert len(asked) == pytest.approx(times, rel=0.01)
    if resolution == 7:
        assert len(asked) <= len(np.unique(cells)) + number // 5000
    asked.clear()
    cell_counts(lng, lat, 4326, resolution=resolution)
    assert len(asked) == pytest.approx(times, rel=0.01)


def test_all_over_the_earth_h3_is_asked_once_a_cell(asked: list[tuple[float, ...]]) -> None:
    rng = np.random.default_rng(3)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 6000)))
    lng = rng.uniform(-180, 180, 6000)
    cells = cells_at(lng, lat, 4326, resolution=1)
    assert len(asked) < 2 * len(np.unique(cells))
    asked.clear()
    # So many points in doubt that the table of counts has no room for them.
    crowd = np.r_[np.zeros(3000), 1e-7]
    places = pd.Series(crowd).sample(3001, random_state=1).to_numpy()
    counts = cell_counts(places, places, 4326, resolution=15)
    assert counts.sum() == 3001


@pytest.mark.parametrize("resolution", [6, 9, 12, 15])
@pytest.mark.parametrize("spread", [0.02, 0.2, 1.0])
def test_polynomials_are_as_good_as_their_guard_and_serve_all_points(
    resolution: int, spread: float
) -> None:
    rng = np.random.default_rng(4)
    lat, lng = (at + rng.uniform(-spread, spread, 5000) for at in (30.0, 120.0))
    patch = extent_patch(lng, lat, 4326, resolution=resolution)
    assert patch is not None
    assert 1 / patch.scale == pytest.approx(1.02 * spread, rel=1e-3)
    assert (abs(lng - patch.x0) * patch.scale < 1.0).all()
    assert (abs(lat - patch.y0) * patch.scale < 1.0).all()
    u, v = np.stack(np.meshgrid(*[np.linspace(-1.0, 1.0, 41)] * 2)).reshape(2, -1)
    lines = lattice(resolution)
    face, direction = to_lattice(lines, patch.y0 + v / patch.scale, patch.x0 + u / patch.scale)
    main = int(np.bincount(face).argmax())
    exact = direction @ lines.axes[main].T / (direction @ lines.centre[main])[:, None]
    degree = patch.terms.shape[1] - 1
    assert degree in (3, 5, 7, 9)
    found = np.array([np.polynomial.polynomial.polyval2d(v, u, terms) for terms in patch.terms]).T
    error = float(abs(found - exact).max())
    assert error < 1e-4
    assert 0.5 * patch.guard <= 8.0 * error + 1e-13 / lines.unit + 1e-15 * abs(exact).max()
    assert 8.0 * error <= 1.2 * patch.guard
    first = np.array([patch.first_q, patch.first_r])
    size = np.array([patch.height, patch.width])
    low, high = exact.min(axis=0) - first, first + size - 1 - exact.max(axis=0)
    wide = np.ptp(exact, axis=0)
    for room in (low, high):
        assert (room >= 1 + 0.01 * wide).all()
        assert (room <= 4 + 0.01 * (wide + 2)).all()


def test_an_extent_is_where_almost_all_are_and_a_quarter_more() -> None:
    even = np.linspace(0.0, 1000.0, 2001)
    assert _lookup._extent(even) == pytest.approx((500.0, 500.0))
    low, high = np.quantile(np.r_[even, -9e6, 9e6], [0.005, 0.995])
    far = _lookup._extent(np.r_[even, -9e6, 9e6])
    assert far == pytest.approx((500.0, 0.75 * (high - low)))
    assert _lookup._extent(np.r_[even, 1100.0]) == pytest.approx((550.0, 550.0))
    assert _lookup._extent(np.full(3, 7.0)) == (7.0, 0.0)


@pytest.mark.parametrize("crs", [4549, 4490, 3857, 32651])
def test_in_any_system_of_coordinates(crs: int) -> None:
    lat, lng = around(30.7, 121.0, 0.05, 5000, 6)
    more = edge_points(30.7, 121.0, 9, 4)
    lat, lng = np.r_[lat, more[0]], np.r_[lng, more[1]]
    x, y = pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(lng, lat)
    points = gpd.GeoSeries(shapely.points(x, y), crs=crs)
    degrees = points.to_crs(4326)
    expected = plain(degrees.y.to_numpy(), degrees.x.to_numpy(), 9)
    assert (cells_of(points, 9) == expected).all()


def test_strays_and_what_is_missing_do_no_harm() -> None:
    lat, lng = around(30.7, 121.0, 0.05, 5000, 7)
    lat[[5, 100]], lng[[5, 100]] = [-60.0, 80.0], [3.0, -170.0]
    expected = plain(lat, lng, 9)
    lat[7], lng[9] = np.nan, np.inf
    expected[[7, 9]] = 0
    assert (cells_at(lng, lat, 4326, resolution=9) == expected).all()
    assert cell_counts(lng, lat, 4326, resolution=9).sum() == 4998
    points = gpd.GeoSeries([shapely.Point(121, 30), None, shapely.Point()], crs=4326)
    assert (cells_of(points, 9) == [*plain(np.array([30.0]), np.array([121.0]), 9), 0, 0]).all()


@pytest.mark.parametrize("number", [0, 1, 2, 5000])
def test_few_points_and_points_on_one_spot(number: int) -> None:
    lat, lng = np.full(number, 30.7), np.full(number, 121.0)
    found = cells_at(lng, lat, 4326, resolution=9)
    assert found.dtype == np.uint64
    assert (found == plain(lat, lng, 9)).all()
    assert cell_counts(lng, lat, 4326, resolution=9).sum() == number


@pytest.mark.parametrize("number", [3, 3000])
def test_coordinates_of_no_place_on_earth_have_no_cell(number: int) -> None:
    x = np.r_[np.full(number, 1e9), 500_000.0]
    found = cells_at(x, np.r_[np.full(number, 1e9), 3_400_000.0], 4549, resolution=9)
    assert (found[:number] == 0).all()
    assert found[number] != 0
    assert cell_counts(x[:number], x[:number], 4549, resolution=9).empty


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-90, 90), st.floats(-180, 180), st.floats(1e-7, 30), st.integers(0, 15),
    st.integers(0, 99),
)  # fmt: skip
def test_any_cloud(
    lat: float, lng: float, spread: float, resolution: int, random_state: int
) -> None:
    rng = np.random.default_rng(random_state)
    lats = np.clip(lat + rng.normal(0, spread, 2200), -90, 90)
    same(lats, np.clip(lng + rng.normal(0, spread, 2200), -180, 180), resolution)


@pytest.mark.parametrize("resolution", range(0, 10, 3))
def test_parents_are_those_of_h3(resolution: int) -> None:
    rng = np.random.default_rng(8)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    fine = plain(lat, rng.uniform(-180, 180, 500), 9)
    more = [h3.str_to_int(cell) for cell in sorted(h3.get_pentagons(9))]
    fine = np.r_[fine, np.array(more, dtype=np.uint64)]
    expected = [h3.cell_to_parent(h3.int_to_str(cell), resolution) for cell in fine.tolist()]
    assert [h3.int_to_str(cell) for cell in parents(fine, resolution).tolist()] == expected


def test_counts_roll_up() -> None:
    lat, lng = around(30.7, 121.0, 0.05, 4000, 9)
    counts = cell_counts(lng, lat, 4326, resolution=10)
    above = roll_up(counts, 7)
    assert above.sum() == 4000
    assert above.index.is_monotonic_increasing
    codes = [h3.int_to_str(cell) for cell in counts.index.tolist()]
    for cell, count in above.items():
        inside = [h3.cell_to_parent(code, 7) == h3.int_to_str(cell) for code in codes]
        assert counts[inside].sum() == count
    pd.testing.assert_series_equal(roll_up(counts, 10), counts)
    assert roll_up(counts.iloc[:0], 7).empty


def test_the_cells_of_points_are_those_of_h3_and_none_is_lost() -> None:
    generator = np.random.default_rng(3)
    points = points_at(*generator.uniform(0, 1500, (200, 2)))
    outline = grid_of("a", 1500).geometry[0]
    made = cell_grid(points, outline, resolution=9)
    assert made["count"].sum() == 200
    degrees = points.to_crs(4326).geometry
    expected = {h3.latlng_to_cell(p.y, p.x, 9) for p in degrees}
    assert expected <= set(made["code"])
    assert made["code"].is_monotonic_increasing
    assert (made["count"] == 0).any()
    assert made.union_all().buffer(0.01).covers(outline)
    for code, shape in zip(made["code"], made.to_crs(4326).geometry, strict=True):
        ring = shapely.Polygon([(x, y) for y, x in h3.cell_to_boundary(code)])
        assert shape.equals_exact(ring, 1e-9)


def test_without_an_outline_the_cells_of_points_and_those_around_count() -> None:
    points = points_at((0, 0), (5, 5), (2000, 0))
    made = cell_grid(points, None, resolution=9)
    degrees = points.to_crs(4326).geometry
    expected = {near for p in degrees for near in h3.grid_disk(h3.latlng_to_cell(p.y, p.x, 9), 1)}
    assert set(made["code"]) == expected
    assert made["count"].sum() == 3


def test_neighbours_of_cells_are_their_rings() -> None:
    centre = h3.latlng_to_cell(30.7, 120.9, 9)
    codes = sorted(h3.grid_disk(centre, 2))
    dense = cell_neighbours(codes).toarray()
    expected = [[float(b in h3.grid_disk(a, 1)) for b in codes] for a in codes]
    assert (dense == np.array(expected)).all()


def test_no_cells_are_no_trouble() -> None:
    empty = gpd.GeoDataFrame({"code": []}, geometry=[], crs=CRS)
    assert cell_neighbours([]).shape == (0, 0)
    assert cell_grid(empty, None, resolution=9).empty
