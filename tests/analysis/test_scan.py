"""The space-time scan beside every cylinder by hand, and what it shows where nothing is."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gridmap import analysis
from gridmap.errors import ConformError


def cube_of(counts: np.ndarray) -> analysis.Cube:
    days = pd.date_range("2025-01-01", periods=counts.shape[1] + 1, tz="Asia/Shanghai")
    return analysis.Cube(counts, pd.Index([f"u{k}" for k in range(len(counts))]), days, 0)


def by_hand(
    counts: np.ndarray, points: np.ndarray, shares: np.ndarray, late: np.ndarray, most: float
) -> tuple[float, frozenset[int], int]:
    """Return the largest ratio of all cylinders, with its units and bins."""
    total, best = counts.sum(), (0.0, frozenset[int](), 0)
    for centre in points:
        away = np.hypot(*(points - centre).T)
        for radius in np.unique(away.round(9)):
            inside = np.flatnonzero(away <= radius + 1e-6)
            if radius > away.min() + 1e-6 and shares[inside].sum() > most + 1e-12:
                break
            for bins in range(1, len(late) + 1):
                cases = counts[inside, -bins:].sum()
                expected = shares[inside].sum() * late[bins - 1]
                if cases <= expected:
                    continue
                ratio = cases * math.log(cases / expected)
                if total > cases:
                    ratio += (total - cases) * math.log((total - cases) / (total - expected))
                if ratio > best[0] + 1e-9:
                    best = (ratio, frozenset(inside.tolist()), bins)
    return best


@pytest.mark.parametrize("seed", range(200))
def test_the_likeliest_cylinder_is_that_of_all_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count, bins = int(rng.integers(3, 9)), int(rng.integers(4, 9))
    # On whole metres, so that some are as near as others.
    points = rng.integers(0, 4, (count, 2)).astype(float)
    counts = rng.poisson(rng.gamma(1.0, 1.0), (count, bins))
    counts[0, -1] += 1
    places = gpd.GeoSeries(shapely.points(points), crs=4549)
    model = "permutation" if seed % 2 else "poisson"
    exposure = pd.Series(rng.integers(1, 9, count).astype(float))
    span = min(3, bins // 2)
    if model == "poisson":
        shares = (exposure / exposure.sum()).to_numpy()
        late = counts.sum() * np.arange(1, span + 1) / bins
    else:
        shares = counts.sum(axis=1) / counts.sum()
        late = np.cumsum(counts.sum(axis=0)[::-1])[:span].astype(float)
    ratio, units, length = by_hand(counts, points, shares, late, 0.6)
    found = analysis.space_time_scan(
        cube_of(counts), places, model=model, exposure=exposure, most_bins=3, most_share=0.6,
        permutations=9,
    )  # fmt: skip
    if ratio == 0.0:
        assert found.clusters.empty
        return
    first = found.clusters.iloc[0]
    assert first["llr"] == pytest.approx(ratio)
    cases = counts[sorted(units), -length:].sum()
    assert cases / (shares[sorted(units)].sum() * late[length - 1]) == pytest.approx(
        first["ratio"]
    ) or first["units"] != len(units)
    assert first["cases"] / first["expected"] == pytest.approx(first["ratio"])
    members = found.members.groupby("cluster")["code"].apply(set)
    assert sum(map(len, members)) == len(set().union(*members))
    assert (found.clusters["llr"].diff().dropna() <= 1e-9).all()


def town(side: int) -> tuple[gpd.GeoSeries, np.ndarray]:
    y, x = np.divmod(np.arange(side * side), side)
    return gpd.GeoSeries(shapely.points(100.0 * x, 100.0 * y), crs=4549), np.column_stack([x, y])


@pytest.mark.parametrize("model", ["permutation", "poisson"])
def test_maps_of_chance_alarm_as_often_as_they_may(model: str) -> None:
    places, _ = town(8)
    alarms, trials = 0, 300
    busy = np.random.default_rng(5).gamma(2.0, 0.5, 64)
    exposure = pd.Series(busy)
    for trial in range(trials):
        rng = np.random.default_rng([9, trial])
        season = rng.gamma(4.0, 0.25, 30) if model == "permutation" else np.ones(30)
        counts = rng.poisson(0.5 * busy[:, None] * season)
        found = analysis.space_time_scan(
            cube_of(counts), places, model=model, exposure=exposure, most_bins=7,
            permutations=99, random_state=trial, alpha=0.1,
        )  # fmt: skip
        alarms += len(found.clusters) > 0
    assert abs(alarms / trials - 0.1) <= 2 * math.sqrt(0.1 * 0.9 / trials)


def test_what_is_planted_is_found_where_and_since_when_it_is() -> None:
    places, at = town(12)
    block = np.flatnonzero((abs(at - (4, 7)) <= 1).all(axis=1))
    found_all = 0
    for trial in range(20):
        rng = np.random.default_rng([3, trial])
        counts = rng.poisson(rng.gamma(2.0, 0.5, 144)[:, None], (144, 60))
        counts[block, -6:] += rng.poisson(1.5, (len(block), 6))
        found = analysis.space_time_scan(cube_of(counts), places, permutations=199, alpha=0.05)
        if found.clusters.empty:
            continue
        first = set(found.members.loc[found.members["cluster"] == 0, "code"])
        truth = {f"u{k}" for k in block}
        shared = len(first & truth) / len(first | truth)
        found_all += shared > 0.5 and 4 <= found.clusters["bins"][0] <= 9
        days = cube_of(counts).edges
        assert found.clusters["since"][0] == days[-1 - found.clusters["bins"][0]]
    assert found_all >= 18


def test_busy_places_and_seasons_are_no_cluster_and_a_fading_one_neither() -> None:
    places, _ = town(6)
    counts = np.full((36, 40), 2)
    counts[7] *= 20
    counts[:, -9:] *= 10
    told = analysis.space_time_scan(cube_of(counts), places, permutations=99, alpha=0.5)
    assert told.clusters.empty
    gone = np.full((36, 40), 2)
    gone[7, 5:15] += 50
    told = analysis.space_time_scan(cube_of(gone), places, permutations=99, alpha=0.05)
    assert told.clusters.empty


def test_a_unit_that_holds_much_of_a_small_town_is_looked_at_too() -> None:
    counts = np.full((4, 30), 3)
    counts[0, -3:] += 30
    places = gpd.GeoSeries(shapely.points([0.0, 100.0, 200.0, 300.0], [0.0] * 4), crs=4549)
    found = analysis.space_time_scan(cube_of(counts), places, permutations=199, alpha=0.05)
    assert found.clusters[["code", "units", "bins"]].to_numpy().tolist() == [["u0", 1, 3]]


def test_the_same_seed_gives_the_same_and_rows_do_not_matter() -> None:
    places, _ = town(6)
    counts = np.random.default_rng(2).poisson(1.0, (36, 30))
    counts[3, -2:] += 6
    first, again = (
        analysis.space_time_scan(cube_of(counts), places, permutations=99) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first.clusters, again.clusters)
    order = np.random.default_rng(1).permutation(36)
    cube = analysis.Cube(counts[order], cube_of(counts).codes[order], cube_of(counts).edges, 0)
    moved = analysis.space_time_scan(
        cube, places.iloc[order].reset_index(drop=True), permutations=99
    )
    for name in ("code", "cases", "bins", "llr"):
        assert moved.clusters[name][0] == pytest.approx(first.clusters[name][0])
    assert moved.clusters["p"][0] == pytest.approx(first.clusters["p"][0], abs=0.05)


def test_what_cannot_be_scanned_is_refused() -> None:
    places, _ = town(3)
    counts = np.ones((9, 6), dtype=int)
    for wrong, given, asked, said in (
        (cube_of(counts[:4]), places, {}, "9 values cannot go with a cube of 4 units"),
        (cube_of(counts[:, :1]), places, {}, "There are 1 bins of time"),
        (cube_of(counts * 0), places, {}, "There are no cases"),
        (cube_of(counts), places, {"most_bins": 0}, "most_bins"),
        (cube_of(counts), places, {"most_share": 2.0}, "most_share"),
        (cube_of(counts), gpd.GeoSeries([None, *places[1:]], crs=4549), {}, "places: missing"),
        (cube_of(counts), places, {"model": "poisson"}, "above zero for every unit"),
        (cube_of(counts), places, {"model": "poisson", "exposure": pd.Series(np.ones(5))},
         "5 values cannot go with a cube of 9"),
        (cube_of(counts), places, {"model": "poisson", "exposure": pd.Series([0.0] * 9)},
         "above zero for every unit"),
        (cube_of(counts), places, {"model": "poisson", "exposure": pd.Series([-1.0] * 9)},
         "below zero"),
    ):  # fmt: skip
        with pytest.raises(ConformError, match=said):
            analysis.space_time_scan(wrong, given, **asked)


def test_the_published_clusters_of_north_carolina() -> None:
    """Deaths and births of 1974 to 1978; rates of 1,000 births as published.

    International Journal of Health Geographics 20:1 (2021), "Spatially varying effects of measured
    confounding variables on disease risk", table 1: four counties in the north-east with 5.12, six
    in the south with 3.76.
    """
    path = pytest.importorskip("libpysal").examples.get_path("sids2.shp")
    counties = gpd.read_file(path).set_crs(4267).to_crs(32119).set_index("NAME")
    births = counties["BIR74"].astype(float)
    found = analysis.spatial_scan(
        counties["SID74"].astype(int), births, counties.geometry, most_share=0.1, alpha=0.05
    )
    assert found.clusters["p"].le(0.01).all()
    told = [
        set(found.members["code"][found.members["cluster"] == row]) for row in found.clusters.index
    ]
    assert told[0] == {"Northampton", "Halifax", "Hertford", "Bertie"}
    assert len(told[1]) == 6
    assert "Robeson" in told[1]
    rates = [
        1000.0 * cases / births[list(names)].sum()
        for cases, names in zip(found.clusters["cases"], told, strict=True)
    ]
    assert [round(rate, 2) for rate in rates] == [5.12, 3.76]


@pytest.mark.parametrize("seed", range(40))
def test_the_likeliest_circle_is_that_of_all_by_hand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3, 9))
    points = rng.integers(0, 4, (count, 2)).astype(float)
    counts = pd.Series(rng.poisson(rng.gamma(1.0, 3.0), count) + (np.arange(count) == 0))
    exposure = pd.Series(rng.integers(1, 9, count).astype(float))
    shares = (exposure / exposure.sum()).to_numpy()
    best = by_hand(counts.to_numpy()[:, None], points, shares, np.array([float(counts.sum())]), 0.5)
    found = analysis.spatial_scan(
        counts, exposure, gpd.GeoSeries(shapely.points(points), crs=4549), permutations=9
    )
    assert found.clusters["llr"].max() == pytest.approx(best[0], abs=1e-9) or best[0] == 0.0
    assert {"bins", "since", "once_in"}.isdisjoint(found.clusters)


def test_what_cannot_be_scanned_is_told() -> None:
    places = gpd.GeoSeries(shapely.points([(0, 0), (1, 1)]), crs=4549)
    held = pd.Series([1.0, 0.0])
    with pytest.raises(ConformError, match="no whole numbers"):
        analysis.spatial_scan(pd.Series([1.5, 2.0]), held, places)
    with pytest.raises(ConformError, match="above zero"):
        analysis.spatial_scan(pd.Series([1, 2]), held, places)
    with pytest.raises(ConformError, match="no cases"):
        analysis.spatial_scan(pd.Series([0, 0]), held, places)
    days = cube_of(np.ones((2, 6)))
    for wrong, said in ((0.5, "no whole numbers"), (-2.0, "below zero"), (np.nan, "missing")):
        counts = days.counts.astype(float)
        counts[1, 3] = wrong
        with pytest.raises(ConformError, match=said):
            analysis.space_time_scan(cube_of(counts), places)
