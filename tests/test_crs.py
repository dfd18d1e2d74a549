import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest

from gridmap.crs import from_wgs84, parse_crs, to_wgs84, working_crs
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
