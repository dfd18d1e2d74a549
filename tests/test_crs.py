import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest

from gridmap.crs import DATUMS, from_wgs84, parse_crs, prove_metric, to_wgs84, working_crs
from gridmap.errors import CrsError

ANSWERS = Path(__file__).parents[2] / "shared/data/known_answers/china_places_five_datums.json"


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (121.02, 30.69, 4549),  # Pinghu, as the standards table says
        (106.4, 39.0, 4544),  # Dawukou
        (122.07, 41.24, 4550),  # Panshan
        (117.2, 34.3, 4548),  # Xuzhou
        (105.8, 21.0, 32648),  # Hanoi
        (127.0, 37.5, 32652),  # Seoul
        (106.9, 47.9, 32648),  # Ulaanbaatar
        (120.2, 23.0, 32651),  # Tainan: outside the strips' area of use
        (-71.06, 42.36, 32619),  # Boston
        (151.2, -33.9, 32756),  # Sydney
    ],
)
def test_the_working_system_follows_the_place(lon: float, lat: float, epsg: int) -> None:
    assert working_crs((lon - 0.1, lat - 0.1, lon + 0.1, lat + 0.1)).to_epsg() == epsg


def test_the_strip_has_the_nearest_central_meridian() -> None:
    for lon in np.arange(80.0, 120.0, 0.7):
        crs = working_crs((lon, 36.0, lon, 36.0))
        meridian = crs.coordinate_operation.params[1].value
        assert abs(meridian - lon) <= 1.5 + 1e-9


@pytest.mark.parametrize(
    ("bounds", "key"),
    [
        ((40_500_000.0, 0.0, 40_600_000.0, 1.0), "crs.bounds"),
        ((float("nan"),) * 4, "crs.bounds"),
        ((100.0, 20.0, 120.0, 40.0), "crs.too_wide"),
    ],
)
def test_bounds_that_serve_no_system_are_an_error(
    bounds: tuple[float, float, float, float], key: str
) -> None:
    with pytest.raises(CrsError) as caught:
        working_crs(bounds)
    assert caught.value.key == key


def test_a_system_is_parsed_or_refused() -> None:
    assert parse_crs("EPSG:4549") == pyproj.CRS(4549)
    assert parse_crs("GCJ-02") == pyproj.CRS(4326)
    with pytest.raises(CrsError, match="no coordinate system"):
        parse_crs("EPSG:nonsense")


@pytest.mark.parametrize(("datum", "name"), [("GCJ-02", "GCJ02"), ("BD-09", "BD09")])
@pytest.mark.real
def test_the_shifted_datums_go_back_to_known_answers(datum: str, name: str) -> None:
    if not ANSWERS.exists():
        pytest.skip(f"needs {ANSWERS.name}, see examples/README.md")
    places = [place["coords"] for place in json.loads(ANSWERS.read_text(encoding="utf-8"))]
    truth = np.array([place["WGS84"] for place in places])
    shifted = np.array([place[name] for place in places])
    lon, lat = to_wgs84(shifted[:, 0], shifted[:, 1], datum)
    geod = pyproj.Geod(ellps="WGS84")
    _, _, off = geod.inv(lon, lat, truth[:, 0], truth[:, 1])
    inside = np.hypot(*(truth - shifted).T) > 1e-3  # outside China the datums are one
    assert inside.sum() > 500
    assert np.quantile(off[inside], 0.99) < 2.0


@pytest.mark.parametrize("shift", [from_wgs84, to_wgs84])
@pytest.mark.parametrize("datum", ["GCJ-02", "BD-09"])
def test_places_abroad_are_not_shifted(datum: str, shift: Callable[..., Any]) -> None:
    lon, lat = shift(np.array([-71.06, 139.7]), np.array([42.36, 35.7]), datum)
    assert lon.tolist() == [-71.06, 139.7]
    assert lat.tolist() == [42.36, 35.7]


@pytest.mark.parametrize("datum", ["GCJ-02", "BD-09"])
def test_the_way_there_and_back_ends_where_it_began(datum: str) -> None:
    lon, lat = (side.ravel() for side in np.meshgrid(np.linspace(103, 117, 9), [26.0, 31.5, 36.0]))
    there = from_wgs84(lon, lat, datum)
    assert (np.hypot(there[0] - lon, there[1] - lat) > 0.001).all()
    back = to_wgs84(*there, datum)
    # Baidu's own formulas do not invert each other to better than a metre.
    within = 1e-8 if datum == "GCJ-02" else 2e-5
    assert np.hypot(back[0] - lon, back[1] - lat).max() < within


# Worked out with the scalar functions of Python's `math`, from the formulas in public use.
SHIFTED = {
    (121.02, 30.69): [(121.024410709, 30.687735713), (121.030981077, 30.693377398)],
    (104.07, 30.57): [(104.072510929, 30.567549397), (104.079003919, 30.573502877)],
    (87.62, 43.82): [(87.622853192, 43.821211348), (87.629321165, 43.827315450)],
    (116.4, 39.9): [(116.406242785, 39.901403530), (116.412628029, 39.907733782)],
    (110.33, 20.03): [(110.334368111, 20.027952292), (110.340913994, 20.033633469)],
}


@pytest.mark.parametrize("number", [0, 1])
def test_places_are_shifted_as_by_the_formulas_in_public_use(number: int) -> None:
    lon, lat = np.array(list(SHIFTED)).T
    expected = np.array([shifted[number] for shifted in SHIFTED.values()])
    found = np.column_stack(from_wgs84(lon, lat, DATUMS[number]))
    assert np.abs(found - expected).max() < 1.5e-9


# Towns near the border of mainland China, on its side and on the other.
HERE = """
106.75 22.1, 121.6 38.95, 98.67 27.74, 75.23 37.77, 80.1 32.5, 97.47 28.66, 109.5 18.25, 131.1 44.4,
99.6 22.33, 118.1 24.48, 84.03 29.77, 87.1 28.6, 91.96 27.99, 103.23 22.78, 113.57 22.27, 120.7 28,
78.45 40.94, 107.97 21.55, 126.9 41.8, 132.97 45.76, 133.9 46.8, 122.5 52.97, 117.4 49.55, 93 43.6,
88.14 47.85, 79.7 33.4, 98.5 25
"""
BEYOND = """
132.9 48.8, 128.1 51.4, 91.5 46.1, 107 43, 116.5 50.38, 89.97 48.97, 130.3 42.2, 116.7 20.7,
120.7 24.1, 127 37.5, 124.6 39.9, 133.6 45.3, 123.9 53.98, 82.6 49.95, 78.4 45, 126.5 33.5,
121.5 25, 131.9 43.1, 119.77 53.73, 114.5 48.07, 84.9 47.5, 80.4 47.97, 76 41.43
"""


def is_in_a_strip(lon: float, lat: float) -> bool:
    return working_crs((lon, lat, lon, lat)).name.startswith("CGCS2000")


@pytest.mark.parametrize(("towns", "here"), [(HERE, True), (BEYOND, False)])
def test_strips_end_where_mainland_china_does(towns: str, here: bool) -> None:
    for town in towns.split(","):
        lon, lat = map(float, town.split())
        assert is_in_a_strip(lon, lat) is here, town
        # The shifted datums reach as far, and a third of a degree further.
        shifted = from_wgs84(np.array([lon]), np.array([lat]), "GCJ-02")
        moved = shifted[0][0] != lon
        assert moved or not here


def test_what_is_near_the_border_is_shifted_too() -> None:
    # Ha Giang lies within 0.3 degrees of the outline, Yen Bai does not.
    lon, _ = from_wgs84(np.array([104.98, 104.9]), np.array([22.6, 21.7]), "GCJ-02")
    assert (lon != [104.98, 104.9]).tolist() == [True, False]
    back, _ = to_wgs84(lon, np.array([22.6, 21.7]), "GCJ-02")
    assert (back != lon).tolist() == [True, False]


@pytest.mark.parametrize(
    ("bounds", "key"),
    [
        ((180.0, 1.0, 180.0, 1.0), None),
        ((-180.0, 1.0, -180.0, 1.0), None),
        ((180.1, 1.0, 180.1, 1.0), "crs.bounds"),
        ((-180.1, 1.0, -180.0, 1.0), "crs.bounds"),
        ((0.0, -90.1, 0.0, -80.0), "crs.bounds"),
        ((0.0, 80.0, 0.0, 90.1), "crs.bounds"),
        ((2.0, 1.0, 1.0, 1.0), "crs.bounds"),
        ((1.0, 2.0, 1.0, 1.0), "crs.bounds"),
        ((0.0, 88.0, 0.0, 88.0), "crs.bounds"),  # no zone of UTM is so far north
        ((0.0, 0.0, 6.0, 12.0), None),
        ((0.0, 0.0, 6.1, 0.0), "crs.too_wide"),
        ((0.0, 0.0, 0.0, 12.1), "crs.too_wide"),
    ],
)
def test_bounds_up_to_the_limits_of_the_earth_and_of_a_zone(
    bounds: tuple[float, float, float, float], key: str | None
) -> None:
    if key is None:
        assert working_crs(bounds).is_projected
        return
    with pytest.raises(CrsError) as caught:
        working_crs(bounds)
    assert caught.value.key == key


def at(lon: float, lat: float, crs: int | None) -> gpd.GeoSeries:
    points = gpd.GeoSeries.from_xy([lon], [lat], crs=4326)
    return points.set_crs(None, allow_override=True) if crs is None else points.to_crs(crs)


@pytest.mark.parametrize(
    ("frames", "key", "metric"),
    [
        ({"a": at(120.1, 30.3, None)}, "crs.none", None),
        ({"a": at(120.1, 30.3, 4549), "b": at(120.1, 30.3, None)}, "crs.none", None),
        ({"a": at(120.1, 30.3, 4490)}, "crs.degrees", "EPSG:4549"),
        ({"a": at(-73.9, 40.7, 2263)}, "crs.degrees", "EPSG:32618"),  # feet
        ({"a": at(0.0, 88.0, 4326)}, "crs.degrees", "EPSG:..."),
        ({"a": at(120.1, 30.3, 4549), "b": at(120.1, 30.3, 4550)}, "crs.two", None),
        ({"a": at(120.1, 30.3, 3857)}, "crs.distorts", "EPSG:4549"),
        # Five and eleven degrees from the meridian of the strip.
        ({"a": at(125.0, 30.3, 4549)}, None, None),
        ({"a": at(131.0, 30.3, 4549)}, "crs.distorts", "EPSG:32652"),
        ({"a": at(120.1, 30.3, 4549), "b": at(120.1, 30.3, 4549)}, None, None),
        ({"a": at(120.1, 30.3, 4549).iloc[:0], "b": at(120.1, 30.3, 4550)}, "crs.two", None),
        ({"a": at(120.1, 30.3, 3857).iloc[:0]}, None, None),
    ],
)
def test_frames_are_in_one_system_of_true_metres(
    frames: dict[str, gpd.GeoSeries], key: str | None, metric: str | None
) -> None:
    if key is None:
        prove_metric("f", frames)
        return
    with pytest.raises(CrsError) as caught:
        prove_metric("f", frames)
    assert caught.value.key == key
    assert metric is None or caught.value.params["metric"] == metric
