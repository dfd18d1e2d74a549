"""Whether data lie where their city is: by its grids, or else by its time zone."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from gridmap.model import Note

__all__ = ["far_from_zone", "lies_swapped"]

# No place of a time zone is further from the town that the zone is named after: Kashgar lies
# 4,100 km from Shanghai.
_FAR_M = 4_500_000.0
_PLACE = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?([+-])(\d{3})(\d{2})(\d{2})?")


def far_from_zone(lon: float, lat: float, timezone: str) -> Note | None:
    """Return what is to be told of data that lie nowhere near their time zone.

    Parameters
    ----------
    lon, lat : float, degrees
        Of the middle of the data.
    timezone : str

    Examples
    --------
    >>> from gridmap.sources.whereabouts import far_from_zone
    >>> far_from_zone(-3.7, 40.4, "Europe/Madrid") is None
    True
    >>> far_from_zone(40.4, -3.7, "Europe/Madrid").key
    'swapped'
    """
    home = _zones().get(timezone)
    if home is None or _distance_m((lon, lat), home) <= _FAR_M:
        return None
    fits = abs(lon) <= 90 and _distance_m((lat, lon), home) <= _FAR_M  # noqa: PLR2004 - degrees
    return Note("swapped" if fits else "far", {"at": _at(lon, lat), "timezone": timezone})


def lies_swapped(
    shapes: npt.NDArray[np.object_], crs: pyproj.CRS, near: shapely.Geometry
) -> npt.NDArray[np.bool_]:
    """Tell which shapes lie in an area once their latitude and longitude are exchanged.

    Parameters
    ----------
    shapes : array of Geometry
    crs : pyproj.CRS
        Of the shapes and the area.
    near : Geometry
        Prepared, best.
    """
    fits = np.zeros(len(shapes), dtype=np.bool_)
    if not len(shapes):  # of the common case no way back and forth is looked for: PROJ takes long
        return fits
    degrees = gpd.GeoSeries(shapes, crs=crs).to_crs(4326).to_numpy()
    exchanged = shapely.transform(degrees, lambda lonlat: lonlat[:, ::-1])
    moved = gpd.GeoSeries(exchanged, crs=4326).to_crs(crs).to_numpy()
    bounds = shapely.bounds(moved)
    known = np.isfinite(bounds).all(axis=1)
    fits[known] = shapely.intersects(near, moved[known])
    return fits


def _at(lon: float, lat: float) -> str:
    east, north = ("E" if lon >= 0 else "W"), ("N" if lat >= 0 else "S")
    return f"{abs(lat):.1f}°{north} {abs(lon):.1f}°{east}"


def _distance_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(pyproj.Geod(ellps="WGS84").inv(*one, *other)[2])


@cache
def _zones() -> dict[str, tuple[float, float]]:
    """Return longitude and latitude of the town of every time zone, of the tz database."""
    table = resources.files("tzdata") / "zoneinfo" / "zone.tab"
    found = {}
    for line in table.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        place = _PLACE.fullmatch(cells[1]) if len(cells) > 2 else None  # noqa: PLR2004 - the name
        if place is not None and not line.startswith("#"):
            lat, lon = (
                (-1 if place[at] == "-" else 1) * (int(place[at + 1]) + int(place[at + 2]) / 60)
                for at in (1, 5)
            )
            found[cells[2]] = (lon, lat)
    return found
