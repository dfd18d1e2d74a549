"""Degrees of a page become the city's metres by polynomials, exact to a centimetre or refused."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest

from gridmap.errors import OutputError
from gridmap.outputs.pages.metres import Box, Metres, exact_metres, fitted_metres

STRIP = pyproj.CRS("EPSG:4549")
QINGHE: Box = (120.86, 30.66, 120.96, 30.74)
ORIGIN = (585_000.0, 3_390_000.0)


def reckoned(fit: Metres, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Reckon as the page does."""
    west, south, east, north = fit["box"]
    across = (lon - west) / (east - west) * fit["tiles"]
    up = (lat - south) / (north - south) * fit["tiles"]
    column, row = np.floor(across).astype(int), np.floor(up).astype(int)
    u, v = 2 * (across - column) - 1, 2 * (up - row) - 1
    terms = np.column_stack([u**i * v**j for i, j in fit["powers"]])
    tile = row * fit["tiles"] + column
    return np.column_stack([(terms * np.array(fit[axis])[tile]).sum(axis=1) for axis in ("x", "y")])


@pytest.mark.parametrize(
    ("box", "datum", "tiles"),
    [
        (QINGHE, "", 1),
        (QINGHE, "GCJ-02", 1),
        ((120.0, 30.0, 122.0, 32.0), "", 1),
        ((120.4, 30.2, 121.4, 31.2), "GCJ-02", 8),
    ],
)
def test_every_place_of_the_box_is_exact_to_a_centimetre(box: Box, datum: str, tiles: int) -> None:
    fit = fitted_metres(box, STRIP, ORIGIN, datum=datum)
    random = np.random.default_rng(7)
    lon, lat = random.uniform(box[0], box[2], 5_000), random.uniform(box[1], box[3], 5_000)
    off = reckoned(fit, lon, lat) + ORIGIN - exact_metres(lon, lat, STRIP, datum)
    assert np.hypot(*off.T).max() < 0.01
    assert fit["tiles"] == tiles


def test_what_cannot_be_reckoned_is_refused() -> None:
    # Across the border the shift of Chinese web maps ends, within no distance at all.
    with pytest.raises(OutputError, match="cannot be turned into metres"):
        fitted_metres((106.0, 21.0, 107.5, 23.5), STRIP, ORIGIN, datum="GCJ-02")
