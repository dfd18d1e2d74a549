"""Road-network hot spots against a plain reference: every walk, one by one, on small networks."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shapes import CRS, EAST, NORTH

from gridmap.analysis.network._loops import exceedances
from gridmap.analysis.network.black_spots import (
    _chance,
    _moments,
    _shares,
    network_density,
    network_hotspots,
)
from gridmap.analysis.network.graph import Network, road_network, snap
from gridmap.errors import ConformError

CROSS = ["0 0, 100 0, 200 0", "100 -100, 100 0, 100 130"]
BLOCKS = [
    *(f"0 {y}, 60 {y}, 120 {y}, 180 {y}" for y in (0, 60, 120)),
    *(f"{x} 0, {x} 60, {x} 120" for x in (0, 60, 120, 180)),
    "180 120, 230 170",
]
LOLLIPOP = ["0 0, 80 0", "80 0, 120 30, 140 0, 120 -30, 80 0"]
TWINS = ["0 0, 50 0", "50 0, 100 20, 150 0", "50 0, 90 -30, 150 0", "150 0, 230 0"]
DRAWINGS = {"cross": CROSS, "blocks": BLOCKS, "lollipop": LOLLIPOP, "twins": TWINS}


def roads_of(*lines: str, east: float = EAST, north: float = NORTH) -> gpd.GeoDataFrame:
    shapes = shapely.from_wkt([f"LINESTRING ({line})" for line in lines])
    moved = shapely.transform(shapes, lambda xy: xy + np.array([east, north]))
    names = pd.Series([f"road {number}" for number in range(len(lines))], dtype="string")
    return gpd.GeoDataFrame({"name": names}, geometry=moved, crs=CRS)


def events_at(*places: tuple[float, float], east: float = EAST, north: float = NORTH) -> (
    gpd.GeoDataFrame
):  # fmt: skip
    xy = np.array(places, dtype=float).reshape(-1, 2) + np.array([east, north])
    return gpd.GeoDataFrame(geometry=shapely.points(xy), crs=CRS)


def quartic(distance: float, bandwidth: float) -> float:
    t = distance / bandwidth
    return 15.0 / 16.0 / bandwidth * (1.0 - t * t) ** 2 if t < 1.0 else 0.0


def walks(network: Network, source: int, bandwidth: float) -> list[tuple[int, int, float, float]]:
    """Every walk without turning back from a lixel: edge, side it enters by, distance, flow."""
    s = network.streets
    own = int(s.edge[source])
    along = network.lixels["length_m"][source] * (source - s.first[own] + 0.5)
    found: list[tuple[int, int, float, float]] = []
    stack = [(own, 0, float(along), 1.0), (own, 1, float(s.length[own] - along), 1.0)]
    while stack:
        edge, side, distance, flow = stack.pop()  # stands at the end `side` of `edge`
        node = s.ends[edge, side]
        out = [
            (int(k), end)
            for k in range(len(s.length))
            for end in (0, 1)
            if s.ends[k, end] == node and (k, end) != (edge, side)
        ]
        if distance < bandwidth:
            for k, end in out:
                found.append((k, end, distance, flow / len(out)))
                stack.append((k, 1 - end, distance + float(s.length[k]), flow / len(out)))
    return found


def plain_density(network: Network, source: int, bandwidth: float, samples: int) -> np.ndarray:
    """The mean of the kernel over every lixel, from the shortest of all walks to each sample."""
    s = network.streets
    known = walks(network, source, bandwidth)
    own, step = int(s.edge[source]), network.lixels["length_m"].to_numpy()
    along = step[source] * (source - s.first[own] + 0.5)
    mean = np.zeros(len(network))
    for lixel in range(len(network)):
        edge = int(s.edge[lixel])
        for part in range(samples):
            x = step[lixel] * (lixel - s.first[edge] + (part + 0.5) / samples)
            ways = [
                (distance + (x if side == 0 else s.length[edge] - x), flow)
                for k, side, distance, flow in known
                if k == edge
            ]
            if edge == own:
                ways.append((abs(x - along), 1.0))
            least = min((way for way, _ in ways), default=np.inf)
            flow = sum(flow for way, flow in ways if way < least + 1e-6)
            mean[lixel] += flow * quartic(least, bandwidth) / samples
    mass = mean * step
    return mass / mass.sum()


@pytest.mark.parametrize("drawing", DRAWINGS)
@pytest.mark.parametrize("bandwidth", [45.0, 110.0])
def test_the_kernel_is_that_of_all_walks(drawing: str, bandwidth: float) -> None:
    network = road_network(roads_of(*DRAWINGS[drawing]), lixel_m=30.0)
    shares = _shares(network, bandwidth).toarray()
    for source in range(0, len(network), 3):
        plain = plain_density(network, source, bandwidth, 200)
        assert shares[:, source] == pytest.approx(plain, abs=2e-4)


def test_on_a_long_road_it_is_the_quartic_kernel() -> None:
    network = road_network(roads_of("0 0, 1100 0"), lixel_m=100.0)
    weight = np.zeros(11)
    weight[5] = 2.0
    found = network_density(network, weight, bandwidth_m=250.0)
    x = (np.arange(20_000) + 0.5) / 200.0 - 50.0
    for away in range(4):
        mean = np.mean([quartic(abs(at), 250.0) for at in x + 100.0 * away])
        assert found[5 + away] == pytest.approx(2000.0 * mean, rel=1e-6, abs=1e-9)
        assert found[5 - away] == found[5 + away]


def test_a_junction_splits_what_arrives() -> None:
    """Equal-split discontinuous: at a crossing of four, each of three gets a third."""
    network = road_network(roads_of("0 0, 500 0", "500 0, 1000 0", "500 -500, 500 0, 500 500"))
    at = snap(network, events_at((460, 0), (540, 0), (500, 40)).geometry).to_numpy(dtype=int)
    weight = np.zeros(len(network))
    weight[at[0]] = 1.0
    found = network_density(network, weight, bandwidth_m=120.0)
    straight = road_network(roads_of("0 0, 1000 0"))
    line = snap(straight, events_at((460, 0), (540, 0)).geometry).to_numpy(dtype=int)
    weight = np.zeros(len(straight))
    weight[line[0]] = 1.0
    whole = network_density(straight, weight, bandwidth_m=120.0)
    assert found[at[0]] == pytest.approx(whole[line[0]])
    assert found[at[1]] == pytest.approx(whole[line[1]] / 3)
    assert found[at[2]] == pytest.approx(found[at[1]])


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_no_weight_is_lost(drawing: str) -> None:
    network = road_network(roads_of(*DRAWINGS[drawing]), lixel_m=20.0)
    weight = np.random.default_rng(1).uniform(0, 5, len(network))
    found = network_density(network, weight, bandwidth_m=75.0)
    assert (found * network.lixels["length_m"]).sum() / 1000 == pytest.approx(weight.sum())


def test_a_bridge_does_not_meet_what_it_crosses() -> None:
    bridge = roads_of("0 0, 200 0", "100 -100, 100 100")
    assert len(road_network(bridge).edges) == 2
    met = road_network(bridge, crossings=True)
    assert len(met.edges) == 4
    assert np.diff(met.streets.starts).tolist() == [1, 1, 4, 1, 1]


def test_a_road_that_ends_on_another_joins_it() -> None:
    network = road_network(roads_of("0 0, 200 0", "100.0 0.004, 100 90"))
    assert sorted(network.streets.length.round().tolist()) == [90, 100, 100]
    assert len(road_network(roads_of("0 0, 200 0", "100 2, 100 90")).edges) == 2


def test_lixels_are_even_and_no_longer_than_asked() -> None:
    network = road_network(roads_of("0 0, 130 0, 130 220", "300 0, 340 0"), lixel_m=100.0)
    assert network.lixels["length_m"].to_numpy() == pytest.approx([87.5] * 4 + [40.0])
    assert network.lixels.length.to_numpy() == pytest.approx([87.5] * 4 + [40.0])
    joined = shapely.line_merge(shapely.multilinestrings(list(network.lixels.geometry[:4])))
    assert joined.equals(roads_of("0 0, 130 0, 130 220").geometry[0])


def test_how_roads_are_cut_into_rows_has_no_effect() -> None:
    whole = road_network(roads_of("0 0, 70 10, 150 0, 400 0", "150 0, 150 300"))
    cut = road_network(roads_of("150 300, 150 0", "70 10, 150 0, 400 0", "70 10, 0 0"))
    assert cut.lixels.geom_equals_exact(whole.lixels, 0).all()
    assert cut.streets.ends.tolist() == whole.streets.ends.tolist()


@pytest.mark.parametrize(
    ("lines", "edges", "length"),
    [
        ((), 0, 0.0),
        (("0 0, 0 0",), 0, 0.0),
        (("0 0, 30 0, 30 40, 0 0",), 1, 120.0),
        (("30 40, 0 0, 30 0, 30 40",), 1, 120.0),
        (("0 0, 100 0", "0 0, 100 0", "100 0, 0 0"), 1, 100.0),
        (("0 0, 40 0, 100 0", "40 0, 100 0, 160 0"), 1, 160.0),
        (("0 0, 100 0, 50 50, 50 -50",), 2, 100.0 + 50.0 * np.sqrt(2) + 100.0),
    ],
    ids=["none", "no length", "ring", "ring from elsewhere", "alike", "overlap", "self-crossing"],
)
def test_odd_roads(lines: tuple[str, ...], edges: int, length: float) -> None:
    crossings = len(lines) == 1 and edges > 1
    network = road_network(roads_of(*lines), crossings=crossings)
    assert network.streets.length.sum() == pytest.approx(length)
    if not crossings:
        assert len(network.edges) == edges
    found = network_hotspots(roads_of(*lines), events_at((5, 5)), crossings=crossings)
    assert len(found.lixels) == len(network)


def test_a_road_that_crosses_itself_meets_itself_where_asked() -> None:
    road = roads_of("0 0, 100 0, 50 50, 50 -50")
    assert len(road_network(road).edges) == 1
    assert sorted(np.diff(road_network(road, crossings=True).streets.starts)) == [1, 1, 4]


def test_missing_and_empty_and_multiple_lines() -> None:
    roads = roads_of("0 0, 100 0", "0 0, 1 1", "0 0, 1 1")
    multiple = shapely.multilinestrings([roads.geometry[0], roads_of("200 0, 200 50").geometry[0]])
    roads["geometry"] = np.array([multiple, None, shapely.LineString()], dtype=object)
    assert road_network(roads).streets.length.tolist() == pytest.approx([100.0, 50.0])
    events = gpd.GeoSeries([shapely.Point(EAST, NORTH), None, shapely.Point()], crs=CRS)
    assert snap(road_network(roads), events).to_list() == [0, pd.NA, pd.NA]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_coordinates_that_are_not_finite_are_an_error(value: float) -> None:
    with np.errstate(invalid="ignore"):
        road = shapely.LineString([(0, 0), (5, value), (9, 0)])
    with pytest.raises(ConformError, match="finite"):
        road_network(gpd.GeoDataFrame(geometry=[road], crs=CRS))


def test_events_too_far_are_told_and_ties_have_a_rule() -> None:
    network = road_network(roads_of("0 0, 100 0", "0 0, 0 100"))
    found = snap(network, events_at((20, 20), (50, 30), (50, 31)).geometry, within_m=30.0)
    assert found.isna().to_list() == [False, False, True]
    again = road_network(roads_of("0 0, 0 100", "100 0, 0 0"))
    assert snap(again, events_at((20, 20)).geometry)[0] == found[0]


def town(number: int, random_state: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Blocks of 200 m with events everywhere, and 25 more along one block."""
    rng = np.random.default_rng(random_state)
    ticks = range(0, 2001, 200)
    roads = roads_of(
        *(", ".join(f"{x} {y}" for x in ticks) for y in ticks),
        *(", ".join(f"{x} {y}" for y in ticks) for x in ticks),
    )
    along, across = rng.uniform(0, 2000, number), rng.integers(0, 11, number) * 200.0
    swap = rng.random(number) < 0.5
    xy = np.where(swap[:, None], np.c_[across, along], np.c_[along, across])
    more = np.c_[rng.uniform(800, 1000, 25), np.full(25, 600.0)]
    return roads, events_at(*np.r_[xy, more] + rng.normal(0, 3, (number + 25, 2)))


def test_a_planted_black_spot_is_the_first() -> None:
    roads, events = town(300, 1)
    found = network_hotspots(roads, events, lixel_m=50.0, bandwidth_m=150.0)
    first = found.black_spots.iloc[0]
    assert first["code"] == 1
    assert first["road"] == "road 3"
    assert first.geometry.distance(shapely.Point(EAST + 900, NORTH + 600)) < 1.0
    assert 25 <= first["events"] < 45
    assert first["excess"] == pytest.approx(first["weight"] - first["expected"])
    assert found.lixels["events"].sum() + found.left_out == len(events)
    hot = found.lixels[found.lixels["hotspot"] == "hot"]
    assert len(hot) < 0.06 * len(found.lixels)
    assert (hot["q"] <= 0.05).all()
    assert (found.lixels["q"] >= found.lixels["p"] - 1e-15).all()


def test_chance_alone_makes_few_black_spots() -> None:
    """At a false discovery rate of 5 %, at most a few of forty towns without any may have one."""
    wrong = 0
    for random_state in range(40):
        roads, events = town(200, random_state)
        found = network_hotspots(roads, events.iloc[:200], permutations=199, minimum=1)
        wrong += len(found.black_spots) > 0
    assert wrong <= 5


def test_the_order_of_rows_has_no_effect() -> None:
    roads, events = town(150, 2)
    weight = pd.Series(np.random.default_rng(3).choice([1.0, 3.3, 9.1], len(events)))
    traffic = pd.Series(np.linspace(1, 4, len(roads)))
    one = network_hotspots(roads, events, weight=weight, exposure=traffic, permutations=99)
    mix, turn = (np.random.default_rng(4).permutation(len(f)) for f in (events, roads))
    turned = roads.iloc[turn].assign(geometry=roads.geometry.iloc[turn].reverse())
    other = network_hotspots(
        turned, events.iloc[mix], weight=weight.iloc[mix], exposure=traffic.iloc[turn],
        permutations=99,
    )  # fmt: skip
    pd.testing.assert_frame_equal(one.lixels, other.lixels, check_exact=True)
    pd.testing.assert_frame_equal(one.black_spots, other.black_spots, check_exact=True)
    assert other.lixel.to_list() == one.lixel.iloc[mix].to_list()


def test_severity_makes_a_spot_hot() -> None:
    roads, events = town(300, 5)
    events = events.iloc[:300]
    here = events.distance(shapely.Point(EAST + 400, NORTH + 1400)) < 150
    assert here.sum() >= 3
    grave = pd.Series(np.where(here, 40.0, 1.0))
    first = network_hotspots(roads, events, weight=grave).black_spots.iloc[0]
    assert first.geometry.distance(shapely.Point(EAST + 400, NORTH + 1400)) < 150
    assert first["weight"] > 100


def test_traffic_explains_what_it_explains() -> None:
    """Four in five events on one road are hot by length, and not by traffic."""
    roads = roads_of(*(f"0 {y}, 1000 {y}" for y in range(0, 1000, 200)))
    rng = np.random.default_rng(7)
    row = rng.choice(5, 300, p=[0.8, 0.05, 0.05, 0.05, 0.05])
    events = events_at(*np.c_[rng.uniform(0, 1000, 300), row * 200.0])
    by_length = network_hotspots(roads, events)
    assert by_length.black_spots["road"].to_list() == ["road 0"]
    traffic = pd.Series([16.0, 1.0, 1.0, 1.0, 1.0])
    assert network_hotspots(roads, events, exposure=traffic).black_spots.empty


def test_fewer_events_than_the_minimum_are_no_black_spot() -> None:
    roads, events = town(0, 6)
    assert len(network_hotspots(roads, events, minimum=25).black_spots) == 1
    none = network_hotspots(roads, events, minimum=26)
    assert none.black_spots.empty
    assert none.lixels["black_spot"].isna().all()
    assert (none.lixels["hotspot"] == "hot").any()


@pytest.mark.parametrize("where", [(EAST, NORTH), (1e9, -1e9)], ids=["city", "far away"])
def test_few_events(where: tuple[float, float]) -> None:
    east, north = where
    roads = roads_of(*BLOCKS, east=east, north=north)
    for places in ([], [(60, 60)], [(60, 60)] * 9):
        events = events_at(*places, east=east, north=north)
        found = network_hotspots(roads, events, lixel_m=50.0, bandwidth_m=80.0)
        assert found.lixels["weight"].sum() == len(places)
        assert found.left_out == 0
        assert ((found.lixels["p"] > 0) & (found.lixels["p"] <= 1)).all()
        if len(places) < 2:
            assert found.black_spots.empty


def test_events_of_no_weight_are_no_trouble() -> None:
    events = events_at((60, 60), (0, 0), (10, 0))
    found = network_hotspots(roads_of(*BLOCKS), events, weight=pd.Series([0.0, 0.0, 0.0]))
    assert (found.lixels["p"] == 1.0).all()
    assert found.black_spots.empty


@pytest.mark.parametrize("values", [[-1.0, 1.0], [np.nan, 1.0], [np.inf, 1.0], [1.0]])
def test_weights_that_are_none_are_an_error(values: list[float]) -> None:
    events = events_at((0, 0), (10, 0))
    with pytest.raises(ConformError):
        network_hotspots(roads_of(*BLOCKS), events, weight=pd.Series(values))


@pytest.mark.parametrize("length", [0.0, -5.0, np.nan])
def test_lengths_must_be_positive(length: float) -> None:
    with pytest.raises(ConformError):
        road_network(roads_of(*BLOCKS), lixel_m=length)
    with pytest.raises(ConformError):
        network_density(road_network(roads_of(*CROSS)), np.zeros(5), bandwidth_m=length)


def test_the_moments_are_those_of_many_throws() -> None:
    network = road_network(roads_of(*BLOCKS), lixel_m=30.0)
    shares = _shares(network, 90.0)
    chance = _chance(network, np.linspace(1, 2, len(network)))
    weights = np.array([1.0, 1.0, 2.5, 6.0] * 5)
    rng = np.random.default_rng(8)
    thrown = rng.choice(len(network), (20_000, 20), p=chance)
    dense = shares.toarray()
    got = np.zeros((20_000, len(network)))
    for event, weight in enumerate(weights):
        got += weight * dense[:, thrown[:, event]].T
    mean, variance, third = _moments(shares, chance, weights)
    assert mean == pytest.approx(got.mean(axis=0), rel=0.03)
    assert variance == pytest.approx(got.var(axis=0), rel=0.06)
    assert third == pytest.approx(variance**1.5 * stats.skew(got), rel=0.25)
    observed = np.quantile(got, 0.9, axis=0)
    times = exceedances(
        shares.indptr.astype(np.int64), shares.indices.astype(np.int32), shares.data,
        chance, weights, observed, 20_000, 0,
    )  # fmt: skip
    assert times / 20_000 == pytest.approx((got >= observed).mean(axis=0), abs=0.012)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(0, 6)] * 4), min_size=1, max_size=9),
    st.booleans(),
)
def test_any_roads_keep_their_weight_and_their_length(
    lines: list[tuple[int, int, int, int]], crossings: bool
) -> None:
    roads = roads_of(*(f"{30 * a} {30 * b}, {30 * c} {30 * d}" for a, b, c, d in lines))
    network = road_network(roads, lixel_m=25.0, crossings=crossings)
    shapes = roads.geometry[roads.length > 0]
    if crossings:
        assert network.lixels.length.sum() == pytest.approx(shapes.union_all().length)
    mirrored = road_network(roads[::-1].reverse(), lixel_m=25.0, crossings=crossings)
    assert mirrored.lixels.geom_equals_exact(network.lixels, 0).all()
    shares = _shares(network, 70.0)
    assert shares.sum(axis=0) == pytest.approx(np.ones(len(network)))


@pytest.mark.parametrize("stub", [5.0, 20.0, 100.0])
def test_dead_ends_lose_no_mass_and_are_expected_to_be_as_dense_as_they_are(stub: float) -> None:
    """Of even events the density near a dead end is not even; what is expected is the same."""
    ends = [[(0, 0), (1000, 0)], [(1000, 0), (2000, 0)], [(1000, 0), (1000, stub)]]
    roads = gpd.GeoSeries([shapely.LineString(each) for each in ends], crs="EPSG:4549")
    network = road_network(roads, lixel_m=5)
    length = network.lixels["length_m"].to_numpy()
    density = network_density(network, length / 1000.0, bandwidth_m=200)
    assert density @ length == pytest.approx(length.sum())
    tips = density[[0, -1]] if stub >= 100 else density[[0]]
    assert tips == pytest.approx(0.71, abs=0.02)
    middle = network.lixels.geometry.centroid
    assert density[(middle.x < 600) & (middle.x > 400)] == pytest.approx(1.0, abs=0.01)
