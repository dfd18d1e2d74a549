"""From the degrees of a page to the metres of a city, as polynomials that a browser reckons."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pyproj

from gridmap.crs import to_wgs84
from gridmap.errors import OutputError

__all__ = ["Box", "Metres", "exact_metres", "fitted_metres"]

Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

WITHIN_M = 0.01
# One of them serves any city in a projected system; the waves of GCJ-02, a third of a degree long,
# need one for about every 20 km.
_DEGREE = 6
_TILES = (1, 2, 4, 8, 16)
_FITTED, _CHECKED = 11, 14  # places along each side of a tile
_DECIMALS = 4


class Metres(TypedDict):
    """Polynomials of x and y over equal tiles of a box, row by row from its south-west corner.

    In each tile longitude and latitude run from -1 to 1; ``powers`` are their exponents, in the
    order of the coefficients. The values are metres from the origin.
    """

    box: Box
    tiles: int
    powers: list[tuple[int, int]]
    x: list[list[float]]
    y: list[list[float]]


def exact_metres(lon: Floats, lat: Floats, crs: pyproj.CRS, datum: str = "") -> Floats:
    """Return places of a page in the metric system of a city, shape (n, 2).

    Parameters
    ----------
    lon, lat : ndarray of float, shape (n,), degrees
    crs : pyproj.CRS
    datum : str
        ``"GCJ-02"`` where the page shows places shifted; else WGS 84.
    """
    if datum:
        lon, lat = to_wgs84(lon, lat, datum)
    return np.column_stack(
        pyproj.Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat)
    )


def fitted_metres(
    box: Box, crs: pyproj.CRS, origin: tuple[float, float], *, datum: str = ""
) -> Metres:
    """Fit polynomials to the way from degrees to metres, exact to a centimetre.

    Parameters
    ----------
    box : tuple of float
        West, south, east, north in the degrees of the page.
    crs : pyproj.CRS
        The metric system of the city.
    origin : tuple of float, metres
        Of that system, from which the page counts.
    datum : str
        As for `exact_metres`.

    Raises
    ------
    OutputError
        If even small tiles are further off than a centimetre, at places between those fitted.
    """
    powers = [(i, j) for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)]
    known, asked = (_terms(*_places(number), powers) for number in (_FITTED, _CHECKED))
    off = np.inf
    for tiles in _TILES:
        wanted = _tiled(box, tiles, _FITTED, crs, origin, datum)
        there = _tiled(box, tiles, _CHECKED, crs, origin, datum)
        found = np.round(np.linalg.lstsq(known, wanted, rcond=None)[0], _DECIMALS)
        error = (asked @ found - there).reshape(len(asked), -1, 2)
        off = float(np.hypot(error[..., 0], error[..., 1]).max())
        if off <= WITHIN_M:
            x, y = found.T.reshape(-1, 2, len(powers)).swapaxes(0, 1).tolist()
            return {"box": box, "tiles": tiles, "powers": powers, "x": x, "y": y}
    raise OutputError("page.metres", off=f"{off:.3f}", within=WITHIN_M)


def _tiled(
    box: Box, tiles: int, number: int, crs: pyproj.CRS, origin: tuple[float, float], datum: str
) -> Floats:
    """Return places all over the tiles in metres: x and y of each tile stand side by side."""
    west, south, east, north = box
    u, v = _places(number)
    row, column = np.divmod(np.arange(tiles**2), tiles)
    lon = west + (east - west) * (column + (u[:, None] + 1.0) / 2.0) / tiles
    lat = south + (north - south) * (row + (v[:, None] + 1.0) / 2.0) / tiles
    metres = exact_metres(lon.ravel(), lat.ravel(), crs, datum) - origin
    return metres.reshape(number**2, -1)


def _places(number: int) -> tuple[Floats, Floats]:
    """Return places all over a tile, its corners included."""
    side = np.linspace(-1.0, 1.0, number)
    u, v = np.meshgrid(side, side)
    return u.ravel(), v.ravel()


def _terms(u: Floats, v: Floats, powers: list[tuple[int, int]]) -> Floats:
    return np.column_stack([u**i * v**j for i, j in powers])
