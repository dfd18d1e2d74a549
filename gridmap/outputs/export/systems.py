"""The coordinate system that an export is written in."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from gridmap.crs import DATUMS, from_wgs84, parse_crs

__all__ = ["System", "system_of"]

WGS84 = pyproj.CRS(4326)


@dataclass(frozen=True)
class System:
    """Where coordinates are written.

    Coordinates are x and y, or longitude and latitude, in this order, whatever order the register
    gives to the axes of the system: so every format and desktop has it.

    Parameters
    ----------
    crs : pyproj.CRS
        As the files tell it.
    datum : str
        One of `gridmap.crs.DATUMS` if coordinates are shifted to it, else empty.
    """

    crs: pyproj.CRS
    datum: str = ""

    def place(self, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return a frame in this system."""
        if self.datum:
            return _shifted(frame, self.datum).set_crs(self.crs, allow_override=True)
        return frame if frame.crs == self.crs else frame.to_crs(self.crs)

    def degrees(self, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return a frame in longitude and latitude, for formats that have nothing else.

        They are of WGS 84, but for a shifted datum, which none of these formats can tell.
        """
        return _shifted(frame, self.datum) if self.datum else frame.to_crs(WGS84)

    @property
    def metric(self) -> bool:
        """Whether it measures in metres."""
        return bool(self.crs.is_projected)


def system_of(name: str, usual: pyproj.CRS) -> System:
    """Return the system that a text names.

    Parameters
    ----------
    name : str
        ``CRS84``, ``EPSG:4490``, any other of the register, a WKT, or one of `DATUMS`; empty for
        the usual one.
    usual : pyproj.CRS

    Raises
    ------
    CrsError
        If nothing is known by that name.
    """
    if not name:
        return System(usual)
    given = {datum.upper(): datum for datum in DATUMS}
    if name.upper() in given:
        datum = given[name.upper()]
        return System(_named(datum), datum)
    # Of CRS84 and EPSG:4326, which differ in the order of axes alone, desktops know the latter.
    return System(WGS84 if name.upper() in ("CRS84", "OGC:CRS84") else parse_crs(name))


def _named(datum: str) -> pyproj.CRS:
    """Return degrees that no register has, drawn where WGS 84 is: on web maps of that datum."""
    return pyproj.CRS.from_wkt(
        f'GEOGCS["{datum}",DATUM["{datum}",SPHEROID["WGS 84",6378137,298.257223563]],'
        'PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433],'
        'AXIS["Longitude",EAST],AXIS["Latitude",NORTH]]'
    )


def _shifted(frame: gpd.GeoDataFrame, datum: str) -> gpd.GeoDataFrame:
    degrees = frame.to_crs(WGS84)

    def shift(xy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], datum))

    moved = shapely.transform(degrees.geometry.to_numpy(), shift)
    return degrees.set_geometry(gpd.GeoSeries(moved, index=degrees.index, crs=WGS84))
