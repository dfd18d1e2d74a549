"""Coordinate systems: which one a city works in, and the shifted datums of Chinese web maps.

GCJ-02 is the datum of maps published in China and BD-09 that of Baidu. Neither is in the EPSG
register. The formulas below are the ones in public use (an approximation of an unpublished
transform); the way back from GCJ-02 is found by iteration, to less than a millimetre. That from
BD-09 is by Baidu's own formulas, which invert each other to a metre.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info

from gridmap.errors import CrsError

__all__ = [
    "DATUMS",
    "from_wgs84",
    "in_reach",
    "parse_crs",
    "prove_metric",
    "prove_true",
    "to_wgs84",
    "working_crs",
]

Floats = npt.NDArray[np.float64]

DATUMS = ("GCJ-02", "BD-09")

# A coarse outline of mainland China, drawn by hand to about 30 km for this one question: does a
# CGCS2000 strip serve this city? A box would take in Hanoi, Ulaanbaatar and Seoul.
_MAINLAND = shapely.Polygon(
    [
        (73.6, 39.5), (74.9, 37.3), (78.0, 35.4), (79.0, 32.6), (78.7, 31.4), (81.2, 30.1),
        (84.0, 28.7), (86.2, 27.9), (88.8, 27.4), (91.7, 27.7), (94.5, 29.1), (96.2, 28.5),
        (97.4, 28.2), (98.6, 27.5), (97.6, 24.4), (98.8, 23.9), (99.3, 22.1), (101.2, 21.2),
        (102.0, 22.4), (104.0, 22.5), (106.0, 22.9), (107.0, 21.6), (108.4, 21.4), (108.5, 18.0),
        (111.0, 18.0), (111.5, 20.5), (114.3, 21.9), (117.5, 23.3), (118.7, 24.3), (120.1, 26.0),
        (122.6, 29.2), (122.6, 31.8), (119.6, 35.2), (122.9, 36.9), (122.6, 37.8), (118.6, 38.3),
        (121.5, 38.6), (124.3, 39.8), (126.8, 41.7), (128.3, 41.9), (130.7, 42.3), (131.2, 44.8),
        (133.2, 45.0), (135.1, 48.5), (131.0, 47.8), (130.6, 48.9), (127.6, 50.3), (125.8, 53.1),
        (120.9, 53.4), (119.9, 51.9), (116.8, 49.9), (115.5, 47.8), (119.8, 46.8), (116.3, 46.4),
        (111.8, 45.0), (111.6, 43.6), (105.0, 41.6), (96.4, 42.7), (90.8, 45.2), (90.9, 46.9),
        (87.8, 49.2), (85.5, 47.1), (82.9, 47.2), (82.4, 45.4), (80.1, 45.0), (80.3, 42.2),
        (76.9, 41.1),
    ]
)  # fmt: skip

# What areas may be wrong by; a strip of three or six degrees stays below a fifth of a percent.
_AREAL_ERROR = 0.02

# How far from its middle one system serves a city, in degrees of longitude and latitude: no strip
# or zone is wider than six.
_REACH = (3.0, 6.0)

_A = 6378245.0  # semi-major axis of the Krasovsky 1940 ellipsoid, metres
_E2 = 0.00669342162296594323  # its first eccentricity, squared
_BAIDU = np.pi * 3000.0 / 180.0


def parse_crs(text: str) -> pyproj.CRS:
    """Return the coordinate system that a text names.

    Parameters
    ----------
    text : str
        ``"EPSG:4549"``, a WKT string, or one of `DATUMS`, which count as geographic (EPSG:4326)
        once `to_wgs84` has been applied.

    Raises
    ------
    CrsError
        If nothing is known by that name.

    Examples
    --------
    >>> from gridmap.crs import parse_crs
    >>> parse_crs("EPSG:4549").name
    'CGCS2000 / 3-degree Gauss-Kruger CM 120E'
    >>> parse_crs("GCJ-02").to_epsg()
    4326
    """
    if text in DATUMS:
        return pyproj.CRS(4326)
    try:
        return pyproj.CRS.from_user_input(text)
    except pyproj.exceptions.CRSError:
        raise CrsError("crs.unknown", crs=text, datums=", ".join(DATUMS)) from None


def working_crs(bounds: tuple[float, float, float, float]) -> pyproj.CRS:
    """Choose the metric system for a city.

    Parameters
    ----------
    bounds : tuple of float
        West, south, east, north in degrees.

    Returns
    -------
    pyproj.CRS
        In mainland China the CGCS2000 3-degree strip whose central meridian is nearest (EPSG
        4534 to 4554, central meridians 75 E to 135 E), elsewhere the UTM zone.

    Raises
    ------
    CrsError
        If the bounds are no place on Earth, or so wide that no such system serves them.

    Examples
    --------
    >>> from gridmap.crs import working_crs
    >>> working_crs((120.0, 30.1, 120.4, 30.4)).to_epsg()
    4549
    >>> working_crs((-71.2, 42.2, -71.0, 42.4)).to_epsg()
    32619

    Hangzhou lies by the meridian of 120 degrees; Boston in zone 19 of UTM.
    """
    west, south, east, north = bounds
    lon_limit, lat_limit = 180.0, 90.0
    inside = -lon_limit <= west <= east <= lon_limit and -lat_limit <= south <= north <= lat_limit
    if not inside:
        raise CrsError("crs.bounds", bounds=_degrees(bounds))
    if east - west > 2 * _REACH[0] or north - south > 2 * _REACH[1]:
        raise CrsError("crs.too_wide", bounds=_degrees(bounds))
    lon, lat = (west + east) / 2, (south + north) / 2
    if _MAINLAND.contains(shapely.Point(lon, lat)):
        return pyproj.CRS.from_epsg(4534 + round((lon - 75) / 3))
    area = AreaOfInterest(lon, lat, lon, lat)
    found = query_utm_crs_info(datum_name="WGS 84", area_of_interest=area)
    if not found:
        raise CrsError("crs.bounds", bounds=_degrees(bounds))
    return pyproj.CRS.from_epsg(int(found[0].code))


def in_reach(lon: Floats, lat: Floats, middle: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Tell which places one metric system can serve together with the middle of a city.

    Parameters
    ----------
    lon, lat : array of float, degrees
    middle : tuple of float
        Longitude and latitude, degrees.

    Examples
    --------
    >>> from gridmap.crs import in_reach
    >>> in_reach(np.array([120.4, -71.1]), np.array([30.3, 42.3]), (120.2, 30.2)).tolist()
    [True, False]
    """
    apart = np.abs((lon - middle[0] + 180.0) % 360.0 - 180.0)
    inside: npt.NDArray[np.bool_] = (apart <= _REACH[0]) & (np.abs(lat - middle[1]) <= _REACH[1])
    return inside


def prove_metric(function: str, frames: Mapping[str, gpd.GeoDataFrame | gpd.GeoSeries]) -> None:
    """Prove that frames are in one system that measures in metres, true to scale where they lie.

    Parameters
    ----------
    function : str
        Who asks, for the message.
    frames : mapping of str to GeoDataFrame or GeoSeries
        By the name of the argument.

    Raises
    ------
    CrsError
        Names the argument, its system and the remedy.

    Examples
    --------
    >>> from gridmap.crs import prove_metric
    >>> points = gpd.GeoSeries.from_xy([120.1], [30.3], crs=4326)
    >>> prove_metric("my_function", {"points": points.to_crs(4549)})
    >>> try:
    ...     prove_metric("my_function", {"points": points})
    ... except gridmap.GridmapError as error:
    ...     print(error.key, error.params["metric"])
    crs.degrees EPSG:4549
    """
    first: tuple[str, pyproj.CRS] | None = None
    for name, frame in frames.items():
        if frame.crs is None:
            raise CrsError("crs.none", function=function, name=name)
        crs = frame.crs.name
        if not _in_metres(frame.crs):
            metric = _metric_for(frame)
            raise CrsError("crs.degrees", function=function, name=name, crs=crs, metric=metric)
        if first is not None and frame.crs != first[1]:
            other, its = first[0], first[1].name
            raise CrsError("crs.two", function=function, name=name, crs=crs, other=other, its=its)
        if first is None and len(frame):
            prove_true(frame.crs, tuple(frame.total_bounds), f"{function}: {name}")
        first = first or (name, frame.crs)


def _in_metres(crs: pyproj.CRS) -> bool:
    return bool(crs.is_projected) and {axis.unit_name for axis in crs.axis_info} == {"metre"}


def _metric_for(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> str:
    """Return the code of a metric system that would serve a frame."""
    try:
        west, south, east, north = frame.to_crs(4326).total_bounds
        code = working_crs((float(west), float(south), float(east), float(north))).to_epsg()
    except (CrsError, pyproj.exceptions.ProjError):
        return "EPSG:..."
    return f"EPSG:{code}"


def prove_true(crs: pyproj.CRS, bounds: tuple[float, ...], what: str) -> None:
    """Prove that a projected system is true to scale in the middle of some bounds.

    A system of metres need not measure true ones: Web Mercator stretches areas by a third at 30
    degrees of latitude, and a strip by two percent ten degrees from its meridian.

    Raises
    ------
    CrsError
        If areas are more than two percent too large or too small.

    Examples
    --------
    >>> import pyproj
    >>> from gridmap.crs import prove_true
    >>> prove_true(pyproj.CRS(4549), (500_000, 3_400_000, 510_000, 3_410_000), "my town")
    >>> try:
    ...     prove_true(pyproj.CRS(3857), (13_380_000, 3_530_000, 13_390_000, 3_540_000), "my town")
    ... except gridmap.GridmapError as error:
    ...     print(error.key, error.params["wrong"])
    crs.distorts +34 %
    """
    middle = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    if crs.geodetic_crs is None or not np.isfinite(middle).all():
        return
    lon, lat = _to_degrees(crs).transform(*middle)
    scale = float(pyproj.Proj(crs).get_factors(lon, lat).areal_scale)
    if np.isfinite(scale) and abs(scale - 1.0) > _AREAL_ERROR:
        wrong = f"{100 * (scale - 1):+.0f} %"
        metric = _metric_for(gpd.GeoSeries(gpd.points_from_xy([lon], [lat]), crs=4326))
        raise CrsError("crs.distorts", what=what, crs=crs.name, wrong=wrong, metric=metric)


@cache
def _to_degrees(crs: pyproj.CRS) -> pyproj.Transformer:
    """Return the way from a projected system to the degrees that it is projected from."""
    return pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)


def _degrees(bounds: tuple[float, float, float, float]) -> str:
    return ", ".join(f"{value:.4f}" for value in bounds)


def to_wgs84(lon: Floats, lat: Floats, datum: str) -> tuple[Floats, Floats]:
    """Take GCJ-02 or BD-09 coordinates back to WGS 84.

    Parameters
    ----------
    lon, lat : ndarray of float, shape (n,), degrees
    datum : str
        One of `DATUMS`.

    Returns
    -------
    lon, lat : ndarray of float, shape (n,), degrees
        Points outside China are returned as they are: there the datums do not differ.

    Examples
    --------
    >>> from gridmap.crs import from_wgs84, to_wgs84
    >>> lon, lat = from_wgs84(np.array([120.15]), np.array([30.28]), "BD-09")
    >>> lon.round(4).tolist(), lat.round(4).tolist()
    ([120.1612], [30.2836])
    >>> lon, lat = to_wgs84(lon, lat, "BD-09")
    >>> lon.round(5).tolist(), lat.round(5).tolist()
    ([120.15], [30.28])
    """
    gcj_lon, gcj_lat = _baidu_to_gcj(lon, lat) if datum == "BD-09" else (lon, lat)
    shifted = shapely.contains_xy(_MAINLAND.buffer(0.3), gcj_lon, gcj_lat)
    guess_lon, guess_lat = gcj_lon, gcj_lat
    for _ in range(8):  # each round gains a factor of about 300
        there_lon, there_lat = _gcj(guess_lon, guess_lat)
        guess_lon = np.where(shifted, guess_lon + gcj_lon - there_lon, lon)
        guess_lat = np.where(shifted, guess_lat + gcj_lat - there_lat, lat)
    return guess_lon, guess_lat


def from_wgs84(lon: Floats, lat: Floats, datum: str) -> tuple[Floats, Floats]:
    """Shift WGS 84 coordinates to GCJ-02 or BD-09, as web maps published in China have them.

    Parameters
    ----------
    lon, lat : ndarray of float, shape (n,), degrees
    datum : str
        One of `DATUMS`.

    Returns
    -------
    lon, lat : ndarray of float, shape (n,), degrees
        Points outside China are returned as they are: there the datums do not differ.

    Examples
    --------
    >>> from gridmap.crs import from_wgs84
    >>> lon, lat = from_wgs84(np.array([120.15, 139.7]), np.array([30.28, 35.7]), "GCJ-02")
    >>> lon.round(4).tolist(), lat.round(4).tolist()
    ([120.1547, 139.7], [30.2777, 35.7])

    Hangzhou is shifted by half a kilometre, Tokyo is not.
    """
    shifted = shapely.contains_xy(_MAINLAND.buffer(0.3), lon, lat)
    there_lon, there_lat = _gcj(lon, lat)
    if datum == "BD-09":
        there_lon, there_lat = _gcj_to_baidu(there_lon, there_lat)
    return np.where(shifted, there_lon, lon), np.where(shifted, there_lat, lat)


def _gcj(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = 20.0 * (np.sin(6.0 * x * np.pi) + np.sin(2.0 * x * np.pi))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (common + 20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (common + 20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _E2 * np.sin(phi) ** 2
    meridian = _A * (1.0 - _E2) / magic**1.5
    parallel = _A / np.sqrt(magic) * np.cos(phi)
    return lon + np.degrees(east / parallel), lat + np.degrees(north / meridian)


def _gcj_to_baidu(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    z = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU)
    theta = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def _baidu_to_gcj(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - 0.0065, lat - 0.006
    z = np.hypot(x, y) - 0.00002 * np.sin(y * _BAIDU)
    theta = np.arctan2(y, x) - 0.000003 * np.cos(x * _BAIDU)
    return z * np.cos(theta), z * np.sin(theta)
