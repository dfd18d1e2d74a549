"""K functions beside spatstat's numbers and counting by hand, and what they say of chance."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap import analysis
from gridmap.errors import ConformError

CRS = 4549
SQUARE = shapely.box(0, 0, 1000, 1000)
ANGLE = shapely.Polygon([(0, 0), (1000, 0), (1000, 400), (400, 400), (400, 1000), (0, 1000)])
STREETS = [[(0, at), (900, at)] for at in range(0, 1000, 100)] + [
    [(at, 0), (at, 900)] for at in range(0, 1000, 100)
]


def in_the_angle() -> np.ndarray:
    """Return 59 points that a formula strews over the angle."""
    k = np.arange(1, 81)
    x = np.round(1000 * ((k * 0.754877666) % 1), 3)
    y = np.round(1000 * ((k * 0.569840291) % 1) ** 1.5, 3)
    return np.c_[x, y][shapely.contains_xy(ANGLE, x, y)]


def on_the_streets() -> np.ndarray:
    k = np.arange(1, 31)
    along = np.round(900 * ((k * 0.61803398875) % 1), 3)
    line = k * 7 % 10 * 100.0
    even = k % 2 == 0
    return np.c_[np.where(even, along, line), np.where(even, line, along)]


def points_of(xy: np.ndarray) -> gpd.GeoSeries:
    return gpd.GeoSeries.from_xy(xy[:, 0], xy[:, 1], crs=CRS)


def town_streets() -> analysis.Network:
    roads = gpd.GeoSeries([shapely.LineString(line) for line in STREETS], crs=CRS)
    return analysis.road_network(roads, crossings=True)


def test_ripleys_k_is_that_of_spatstat() -> None:
    """Kest(correction = "border") of spatstat.explore 3.0, which divides by n instead of n - 1."""
    xy = in_the_angle()
    found = analysis.ripley_k(points_of(xy), ANGLE, distances_m=[20, 60, 100, 150], permutations=1)
    count = len(xy)
    told = found.table["k"] * (count - 1) / count
    assert told.tolist() == pytest.approx(
        [0.0, 1972.26502311, 15563.74355195, 62372.88135593], rel=1e-9
    )
    assert found.points == count


def test_k_along_roads_is_that_of_spatstat() -> None:
    """linearK(correction = "none") of spatstat.linnet 3.0."""
    found = analysis.network_k(
        town_streets(), points_of(on_the_streets()), distances_m=[50, 100, 200, 300], permutations=1
    )
    assert found.table["k"].tolist() == pytest.approx(
        [82.7586206897, 248.2758620690, 1572.4137931034, 2275.8620689655], rel=1e-9
    )


def test_points_about_others_counted_one_by_one() -> None:
    xy = in_the_angle()
    first, second = xy[::2], xy[1::2]
    distances = [60.0, 100.0, 150.0]
    found = analysis.cross_k(
        points_of(first), points_of(second), ANGLE, distances_m=distances, permutations=1
    )
    room = shapely.distance(ANGLE.boundary, shapely.points(first))
    away = np.hypot(*(first[:, None] - second[None]).transpose(2, 0, 1))
    told = [
        ANGLE.area * (away[room >= at] <= at).sum() / (room >= at).sum() / len(second)
        for at in distances
    ]
    assert found.table["k"].tolist() == pytest.approx(told, rel=1e-12)


def test_pairs_of_a_category_counted_one_by_one() -> None:
    xy = in_the_angle()
    labels = pd.Series(np.where(np.arange(len(xy)) % 3 == 0, "a", "b"))
    found = analysis.category_k(points_of(xy), labels, distances_m=[50, 120], permutations=9)
    away = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    upper = np.triu(np.ones_like(away, dtype=bool), 1)
    for name in ("a", "b"):
        own = (labels == name).to_numpy()
        share = own.sum() * (own.sum() - 1) / (len(xy) * (len(xy) - 1))
        told = [
            (away[np.ix_(own, own)] <= at)[upper[np.ix_(own, own)]].sum()
            / ((away <= at)[upper].sum() * share)
            for at in (50, 120)
        ]
        assert found[name].table["k"].tolist() == pytest.approx(told, rel=1e-12)
    assert found["a"].points == (labels == "a").sum()


def test_chance_seldom_stands_out() -> None:
    network = town_streets()
    rng = np.random.default_rng(1)
    p = []
    for turn in range(100):
        points = points_of(rng.uniform(0, 1000, (60, 2)))
        labels = pd.Series(rng.choice(["a", "b"], 60))
        along = rng.uniform(0, 900, 40)
        line = 100.0 * rng.integers(10, size=40)
        across = rng.random(40) < 0.5
        on_roads = np.c_[np.where(across, along, line), np.where(across, line, along)]
        asked = {"permutations": 19, "random_state": turn}
        p.append([
            analysis.ripley_k(points, SQUARE, distances_m=[20, 50, 100, 200], **asked).p,
            analysis.network_k(network, points_of(on_roads), distances_m=[20, 50, 100], **asked).p,
            analysis.category_k(points, labels, distances_m=[50, 100, 200], **asked)["a"].p,
            analysis.cross_k(points[:30], points[30:], SQUARE, distances_m=[50, 100], **asked).p,
        ])  # fmt: skip
    # Five in a hundred, and two standard errors.
    assert ((np.array(p) <= 0.05).mean(axis=0) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 100)).all()


def test_clusters_and_lattices_stand_out() -> None:
    rng = np.random.default_rng(4)
    middles = rng.uniform(100, 900, (8, 2)).repeat(10, axis=0)
    heaps = analysis.ripley_k(
        points_of(middles + rng.normal(0, 8, middles.shape)), SQUARE, distances_m=[30, 200]
    )
    assert heaps.p == pytest.approx(0.01)
    assert (heaps.table["k"] > heaps.table["high"])[0]
    corners = np.array([(x, y) for x in range(50, 1000, 100) for y in range(50, 1000, 100)], float)
    lattice = analysis.ripley_k(points_of(corners), SQUARE, distances_m=[40, 80])
    assert lattice.p == pytest.approx(0.01)
    assert (lattice.table["k"] < lattice.table["low"]).all()


def test_what_is_missing_is_left_out_and_too_little_is_told() -> None:
    points = gpd.GeoSeries([shapely.Point(1, 1), None, shapely.Point(), shapely.Point(5000, 1)])
    points = points.set_crs(CRS)
    for ask in (
        lambda: analysis.ripley_k(points, SQUARE, distances_m=[10]),
        lambda: analysis.cross_k(points, points[1:], SQUARE, distances_m=[10]),
        lambda: analysis.network_k(town_streets(), points, distances_m=[10]),
    ):
        with pytest.raises(ConformError, match="points that count"):
            ask()
    assert analysis.category_k(points[:2], pd.Series(["a", "b"]), distances_m=[5]) == {}
    for wrong in ([], [0.0], [float("nan")], [-5.0, 10.0]):
        with pytest.raises(ConformError, match="must be above 0 m"):
            analysis.ripley_k(points, SQUARE, distances_m=wrong)


def test_areas_are_no_points() -> None:
    discs = points_of(in_the_angle()).buffer(5)
    labels = pd.Series("a", discs.index)
    for ask in (
        lambda: analysis.ripley_k(discs, ANGLE, distances_m=[10]),
        lambda: analysis.cross_k(discs, discs, ANGLE, distances_m=[10]),
        lambda: analysis.network_k(town_streets(), discs, distances_m=[10]),
        lambda: analysis.category_k(discs, labels, distances_m=[10]),
        lambda: analysis.cross_validated_bandwidth(discs),
    ):
        with pytest.raises(ConformError, match="are no points"):
            ask()


def test_the_order_of_distances_and_points_changes_nothing() -> None:
    xy = in_the_angle()
    one = analysis.ripley_k(points_of(xy), ANGLE, distances_m=[100, 20, 100], permutations=9)
    two = analysis.ripley_k(points_of(xy[::-1]), ANGLE, distances_m=[20, 100], permutations=9)
    pd.testing.assert_frame_equal(one.table, two.table)
    assert one.p == two.p
