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
# One quartic serves 400 km of a projected system; the waves of GCJ-02, a third of a degree long,
# need one for about every 10 km.
_DEGREE = 4
_TILES = (1, 2, 4, 8, 16)
_FITTED, _CHECKED = 9, 14  # places along each side of a tile
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
    off = np.inf
    for tiles in _TILES:
        found, off = _fit(box, crs, origin, datum, tiles, powers)
        if off <= WITHIN_M:
            x, y = np.moveaxis(found, 2, 0).tolist()
            return {"box": box, "tiles": tiles, "powers": powers, "x": x, "y": y}
    raise OutputError("page.metres", off=f"{off:.3f}", within=WITHIN_M)


def _fit(
    box: Box,
    crs: pyproj.CRS,
    origin: tuple[float, float],
    datum: str,
    tiles: int,
    powers: list[tuple[int, int]],
) -> tuple[Floats, float]:
    """Return coefficients of shape (tiles, powers, 2), and how far off they are at most."""

    def metres(u: Floats, v: Floats, column: int, row: int) -> Floats:
        west, south, east, north = box
        lon = west + (east - west) * (column + (u + 1.0) / 2.0) / tiles
        lat = south + (north - south) * (row + (v + 1.0) / 2.0) / tiles
        return exact_metres(lon, lat, crs, datum) - origin

    fitted, checked = _places(_FITTED), _places(_CHECKED)
    known, asked = _terms(*fitted, powers), _terms(*checked, powers)
    found, off = [], 0.0
    for row in range(tiles):
        for column in range(tiles):
            there = metres(*fitted, column, row)
            terms = np.round(np.linalg.lstsq(known, there, rcond=None)[0], _DECIMALS)
            error = asked @ terms - metres(*checked, column, row)
            off = max(off, float(np.hypot(*error.T).max()))
            found.append(terms)
    return np.array(found), off


def _places(number: int) -> tuple[Floats, Floats]:
    """Return places all over a tile, its corners included."""
    side = np.linspace(-1.0, 1.0, number)
    u, v = np.meshgrid(side, side)
    return u.ravel(), v.ravel()


def _terms(u: Floats, v: Floats, powers: list[tuple[int, int]]) -> Floats:
    return np.column_stack([u**i * v**j for i, j in powers])
