"""Atoms: the smallest things that a micro-grid is made of, and that no plan ever cuts."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from gridmap.analysis.location.assign import assign
from gridmap.analysis.location.interpolation import apportion

__all__ = ["Atoms", "make_atoms", "slices"]

Shapes = npt.NDArray[np.object_]
Longs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Atoms:
    """The atoms of a city, and the buildings that lie in no parent.

    Parameters
    ----------
    frame : GeoDataFrame
        ``code, building, compound, parent, households, weight, geometry``, by parent and code;
        ``parent`` is a position in the parents.
    outside : tuple of str
        Codes of the buildings that no parent holds.
    """

    frame: gpd.GeoDataFrame
    outside: tuple[str, ...]


def make_atoms(
    buildings: gpd.GeoDataFrame,
    parents: gpd.GeoDataFrame,
    *,
    units: gpd.GeoDataFrame | None = None,
    finest: bool = False,
    maximum: float = np.inf,
    target: float = 50.0,
    cut_large: bool = False,
) -> Atoms:
    """Turn buildings into atoms.

    Parameters
    ----------
    buildings : GeoDataFrame of polygons or points
        ``code, occupied`` and ``weight``; ``compound`` and ``units`` where known.
    parents : GeoDataFrame of polygons
        With a column ``code``. A building belongs to the parent that holds its inner point.
    units : GeoDataFrame of polygons, optional
        Stairwell units: ``code, building, occupied``. A building of which all units are known
        is split into them; one of which only the number is known, into slices of equal width
        across its longer axis.
    finest : bool
        Split every building that has units. Otherwise only one whose weight exceeds `maximum`.
    maximum : float
        The most weight that a micro-grid may have.
    target : float
        Weight that the slices of a large building without units aim below.
    cut_large : bool
        Whether a building or parcel above the maximum may be sliced although it names no units.

    Returns
    -------
    Atoms
        Households are split as evenly as whole numbers allow; totals stay as they were.
    """
    inner = buildings.set_geometry(buildings.representative_point())
    home = pd.Index(parents["code"]).get_indexer(assign(inner, parents))
    homeless = home < 0
    outside = tuple(sorted(buildings["code"][homeless].astype(str)))
    frame = buildings[~homeless].assign(parent=home[~homeless])
    frame = frame.assign(building=frame["code"])
    if "compound" not in frame:
        frame = frame.assign(compound=pd.NA)
    drawn = _drawn(frame, units)
    pieces = _pieces(frame, drawn, finest, maximum, target, cut_large)
    in_units = (pieces > 1) & (pieces == drawn)
    sliced = (pieces > 1) & ~in_units
    parts = [frame[pieces == 1]]
    if units is not None and in_units.any():
        parts.append(_in_units(frame[in_units], units))
    if sliced.any():
        parts.append(_sliced(frame[sliced], pieces[sliced]))
    columns = ["code", "building", "compound", "parent", "occupied", "weight", "geometry"]
    joined = gpd.GeoDataFrame(
        pd.concat([part[columns] for part in parts], ignore_index=True), crs=buildings.crs
    )
    joined = joined.rename(columns={"occupied": "households"}).assign(code=_unique(joined["code"]))
    joined = joined.sort_values(["parent", "code"], kind="stable", ignore_index=True)
    return Atoms(joined, outside)


def _unique(codes: pd.Series) -> pd.Series:
    """Return codes with a mark on those that stand in several layers."""
    again = codes.groupby(codes).cumcount()
    while bool(again.any()):
        codes = codes.mask(again > 0, codes.astype(str) + "~" + again.astype(str))
        again = codes.groupby(codes).cumcount()
    return codes.astype("string")


def _pieces(
    frame: gpd.GeoDataFrame,
    drawn: Longs,
    finest: bool,
    maximum: float,
    target: float,
    cut_large: bool,
) -> Longs:
    """Return into how many atoms each building falls."""
    number = np.ones(len(frame), dtype=np.int64)
    if "units" in frame:
        number = frame["units"].fillna(1).to_numpy(dtype=np.int64)
    number = np.maximum(number, drawn)
    weight = frame["weight"].to_numpy(dtype=np.float64)
    large = weight > maximum
    wanted = np.where(large | finest, number, 1)
    if cut_large:
        enough = np.ceil(np.minimum(weight, 1e9) / (target / 2)).astype(np.int64)
        wanted = np.where(large, np.maximum(wanted, enough), wanted)
    # A slice without households is of no use, and a point has no length to slice.
    households = frame["occupied"].to_numpy(dtype=np.int64)
    flat = shapely.get_dimensions(frame.geometry.to_numpy()) == 2  # noqa: PLR2004 - polygons
    sliced = np.where(flat, np.clip(wanted, 1, np.maximum(households, 1)), 1)
    return np.where((wanted > 1) & (wanted == drawn), wanted, sliced)


def _drawn(frame: gpd.GeoDataFrame, units: gpd.GeoDataFrame | None) -> Longs:
    """Return how many units of each building have a geometry."""
    if units is None or units.empty:
        return np.zeros(len(frame), dtype=np.int64)
    drawn = units["building"].value_counts().reindex(frame["code"]).fillna(0)
    return np.asarray(drawn.to_numpy(dtype=np.int64))


def _in_units(frame: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the units of buildings, with the buildings' households shared among them."""
    mine = units[units["building"].isin(frame["code"])].reset_index(drop=True)
    owner = pd.Index(frame["code"]).get_indexer(mine["building"])
    share = mine["occupied"].fillna(0).to_numpy(dtype=np.float64)
    known = np.bincount(owner, weights=share, minlength=len(frame)) > 0
    share = np.where(known[owner], share, 1.0)
    whole = frame["occupied"].to_numpy(dtype=np.int64)
    households = apportion(whole, owner, np.arange(len(mine)), share)
    total = np.bincount(owner, weights=share, minlength=len(frame))
    return mine.assign(
        occupied=households,
        weight=frame["weight"].to_numpy()[owner] * share / total[owner],
        parent=frame["parent"].to_numpy()[owner],
        compound=frame["compound"].to_numpy()[owner],
    )


def _sliced(frame: gpd.GeoDataFrame, counts: Longs) -> gpd.GeoDataFrame:
    """Slice buildings of which only the number of units is known."""
    row = np.repeat(np.arange(len(frame)), counts)
    number = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    whole = frame["occupied"].to_numpy(dtype=np.int64)
    least, more = np.divmod(whole, counts)
    households = least[row] + (number < more[row])
    shapes = [
        part
        for shape, count in zip(frame.geometry, counts, strict=True)
        for part in slices(shape, int(count))
    ]
    made = frame.iloc[row].reset_index(drop=True)
    weight = made["weight"] * households / np.maximum(whole[row], 1)
    codes = [f"{code}-{k + 1:02d}" for code, k in zip(made["code"], number, strict=True)]
    return made.assign(code=codes, occupied=households, weight=weight).set_geometry(
        gpd.GeoSeries(shapes, crs=frame.crs)
    )


def slices(shape: BaseGeometry, count: int) -> list[BaseGeometry]:
    """Cut a polygon across its longer axis into slices of equal width.

    Parameters
    ----------
    shape : Polygon or MultiPolygon, metres
    count : int

    Returns
    -------
    list of Polygon or MultiPolygon
        They tile the shape and share their nodes. A slice that would be empty, because the
        shape is hollow there, takes a share of what lies next to it.
    """
    frame = shapely.oriented_envelope(shape)
    corners = shapely.get_coordinates(frame)
    sides = np.diff(corners[:3], axis=0)
    length = np.hypot(*sides.T)
    along = sides[int(np.argmax(length))] / length.max()
    across = np.array([-along[1], along[0]])
    place = corners @ along
    low, high = float(place.min()), float(place.max())
    cuts = low + (high - low) * np.arange(1, count) / count
    reach = np.array([(corners @ across).min() - 1, (corners @ across).max() + 1])
    ends = cuts[:, None, None] * along + reach[None, :, None] * across
    noded = shapely.unary_union([shapely.boundary(shape), *shapely.linestrings(ends)])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inner = shapely.point_on_surface(faces)
    faces, inner = faces[shapely.covers(shape, inner)], inner[shapely.covers(shape, inner)]
    strip = np.searchsorted(cuts, shapely.get_coordinates(inner) @ along)
    held = [shapely.coverage_union_all(faces[strip == k]) for k in range(count)]
    return _refilled([part for part in held if not part.is_empty], count)


def _refilled(parts: list[BaseGeometry], count: int) -> list[BaseGeometry]:
    """Halve the largest part until there are enough."""
    while len(parts) < count:
        largest = max(range(len(parts)), key=lambda k: (parts[k].area, -k))
        parts[largest : largest + 1] = slices(parts[largest], 2)
    return parts
