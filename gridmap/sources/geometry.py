"""From raw geometry or coordinate columns to valid shapes of one kind."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import pyproj.exceptions
import shapely

from gridmap.catalog import Layer
from gridmap.config import Input
from gridmap.crs import DATUMS, parse_crs, to_wgs84
from gridmap.errors import ConformError, CrsError
from gridmap.sources.cells import as_text, cleaned, read_degrees
from gridmap.sources.columns import Reasons, need_columns
from gridmap.sources.raw import Raw

__all__ = ["mended", "shapes_of"]

Shapes = npt.NDArray[np.object_]

_DIMENSION = {"Point": 0, "LineString": 1, "Polygon": 2}
_NEAR_DEGREES = 0.1
_NAMES = {0: "Point", 1: "LineString", 2: "Polygon"}


def shapes_of(raw: Raw, layer: Layer, entry: Input, reasons: Reasons) -> gpd.GeoSeries:
    """Return one shape for every row, in the coordinate system of the input.

    Parameters
    ----------
    raw : Raw
    layer : Layer
    entry : Input
    reasons : Reasons
        Is given the rows that have no place.

    Returns
    -------
    GeoSeries
        Missing where there is a reason.

    Raises
    ------
    ConformError
        If the file has no geometry, or another kind than the layer asks for.
    CrsError
        If no coordinate system is known, or the coordinates cannot be in it.
    """
    shapes = _from_columns(raw, entry, reasons) if entry.x else _from_file(raw, layer, entry)
    crs = _declared(shapes, entry)
    values = shapes.to_numpy().copy()
    values[shapely.is_empty(values)] = None
    values[_at_nought(values)] = None
    shapes = gpd.GeoSeries(values, index=raw.table.index, crs=crs)
    reasons.add(shapes.isna(), "no_place")
    if entry.crs in DATUMS:
        shapes = gpd.GeoSeries(
            shapely.transform(shapes.to_numpy(), lambda xy: _unshift(xy, entry.crs)),
            index=shapes.index,
            crs=crs,
        )
    if crs.is_geographic:
        _check_degrees(shapes, entry, reasons)
    return shapes.mask(reasons.any)


def _from_columns(raw: Raw, entry: Input, reasons: Reasons) -> gpd.GeoSeries:
    need_columns(raw.table, [entry.x, entry.y], entry.path)
    cells = [cleaned(as_text(raw.table[name]))[0] for name in (entry.x, entry.y)]
    x, y = (read_degrees(each).to_numpy(dtype=float, na_value=np.nan) for each in cells)
    said = cells[0].str.cat(cells[1], sep=", ", na_rep="")
    unread = [each.notna().to_numpy() & ~np.isfinite(at)
              for each, at in zip(cells, (x, y), strict=True)]  # fmt: skip
    reasons.add(unread[0] | unread[1], "unread_place", said)
    # Where nothing is known, programs write nought; nobody lives off the coast of Ghana.
    lost = ~(np.isfinite(x) & np.isfinite(y)) | ((x == 0) & (y == 0))
    reasons.add(lost, "no_place", said)
    points = np.full(len(x), None, dtype=object)
    points[~lost] = shapely.points(x[~lost], y[~lost])
    return gpd.GeoSeries(points, crs=None)


def _from_file(raw: Raw, layer: Layer, entry: Input) -> gpd.GeoSeries:
    if raw.geometry is None:
        raise ConformError("conform.no_geometry", layer=layer.name, path=entry.path)
    shapes = raw.geometry
    flat = shapely.force_2d(shapes.to_numpy())
    present = flat[~shapely.is_missing(flat)]
    found = {_NAMES[int(d)] for d in np.unique(shapely.get_dimensions(present)) if d in _NAMES}
    allowed = {layer.geometry, "Point"} if layer.point_m else {layer.geometry}
    if found and not allowed & found:
        raise ConformError(
            "conform.kind",
            layer=layer.name,
            path=entry.path,
            found=", ".join(sorted(found)),
            asked=layer.geometry,
        )
    return gpd.GeoSeries(flat, crs=shapes.crs)


def _at_nought(shapes: Shapes) -> npt.NDArray[np.bool_]:
    """Tell which are points at (0, 0), where programs put what they have no place of."""
    point = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    nought: npt.NDArray[np.bool_] = (
        point & (shapely.get_x(shapes) == 0) & (shapely.get_y(shapes) == 0)
    )
    return nought


def _declared(shapes: gpd.GeoSeries, entry: Input) -> pyproj.CRS:
    if not entry.crs and shapes.crs is None:
        raise CrsError("crs.missing", path=entry.path)
    crs = _crs_of(entry) if entry.crs else pyproj.CRS(shapes.crs)
    try:
        # By geopandas, which keeps the ways that it was asked for: PROJ takes long to find one.
        gpd.GeoSeries([], crs=crs).to_crs(4326)
    except pyproj.exceptions.ProjError:  # of another celestial body, or of no place at all
        raise CrsError("crs.no_way", name=entry.path, crs=crs.name) from None
    return crs


def _unshift(
    xy: np.ndarray[tuple[int, int], np.dtype[np.float64]], datum: str
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))


def _check_degrees(shapes: gpd.GeoSeries, entry: Input, reasons: Reasons) -> None:
    bounds = shapes.bounds
    low, high = bounds[["minx", "miny"]], bounds[["maxx", "maxy"]]
    outside = (low < [-180, -90]).any(axis=1) | (high > [180, 90]).any(axis=1)
    placed = int(shapes.notna().sum())
    if outside.sum() * 2 > placed:
        first = shapes[outside].iloc[0].representative_point()
        raise CrsError(
            "crs.not_degrees",
            path=entry.path,
            crs=entry.crs or shapes.crs.name,
            x=f"{first.x:.10g}",
            y=f"{first.y:.10g}",
        )
    reasons.add(outside & _exchanged(bounds, outside), "swapped")
    reasons.add(outside, "outside")


def _exchanged(bounds: pd.DataFrame, outside: pd.Series) -> pd.Series:
    """Tell which would lie among the others once latitude and longitude are exchanged."""
    inside = bounds[~outside & bounds["minx"].notna()]
    west, south = inside[["minx", "miny"]].min()
    east, north = inside[["maxx", "maxy"]].max()
    reach = max(east - west, north - south, _NEAR_DEGREES)
    among: pd.Series = (
        (bounds["miny"] >= west - reach)
        & (bounds["maxy"] <= east + reach)
        & (bounds["minx"] >= south - reach)
        & (bounds["maxx"] <= north + reach)
    )
    return among


def mended(shapes: gpd.GeoSeries, layer: Layer, reasons: Reasons) -> tuple[gpd.GeoSeries, int]:
    """Make shapes valid and of the layer's own kind.

    Parameters
    ----------
    shapes : GeoSeries
        In the metric system of the city, which is where validity counts.
    layer : Layer
    reasons : Reasons
        Is given the rows of which no part of that kind is left.

    Returns
    -------
    GeoSeries, int
        The shapes, and how many had to be mended.
    """
    values = _squares(shapes.to_numpy(), layer)
    broken = ~shapely.is_missing(values) & ~shapely.is_valid(values)
    odd = ~shapely.is_missing(values) & (
        (shapely.get_dimensions(values) != _DIMENSION[layer.geometry])
        | (shapely.get_type_id(values) == shapely.GeometryType.GEOMETRYCOLLECTION)
        | (shapely.get_type_id(values) == shapely.GeometryType.MULTIPOINT)
        | (shapely.get_type_id(values) == shapely.GeometryType.LINEARRING)
    )
    # By rings, not by lines: where two parts overlap is inside, and no hole.
    values[broken] = shapely.make_valid(values[broken], method="structure", keep_collapsed=False)
    if layer.geometry == "Point":
        several = ~shapely.is_missing(values) & (shapely.get_num_geometries(values) > 1)
        reasons.add(several, "several_points")
    for row in np.flatnonzero(broken | odd):
        values[row] = _of_kind(values[row], layer.geometry)
    lost = shapely.is_missing(values) | shapely.is_empty(values)
    if layer.geometry == "Polygon":
        lost |= shapely.area(values) <= 0
    elif layer.geometry == "LineString":
        lost |= shapely.length(values) <= 0
    reasons.add(lost, "no_shape")
    values[lost] = None
    return gpd.GeoSeries(values, index=shapes.index, crs=shapes.crs), int((broken & ~lost).sum())


def _squares(values: Shapes, layer: Layer) -> Shapes:
    """Return the shapes with a square in the place of each point, where the layer asks for it."""
    drawn = values.copy()
    if layer.geometry == "Polygon" and layer.point_m:
        point = shapely.get_type_id(values) == shapely.GeometryType.POINT
        x, y, half = shapely.get_x(values[point]), shapely.get_y(values[point]), layer.point_m / 2
        drawn[point] = shapely.box(x - half, y - half, x + half, y + half)
    return drawn


def _of_kind(shape: shapely.Geometry, kind: str) -> shapely.Geometry | None:
    parts = shapely.get_parts(shapely.get_parts([shape]))
    parts = parts[shapely.get_dimensions(parts) == _DIMENSION[kind]]
    if len(parts) == 0:
        return None
    if kind == "Point":
        return parts[0] if len(parts) == 1 else None
    return shapely.union_all(parts)


def _crs_of(entry: Input) -> pyproj.CRS:
    try:
        return parse_crs(entry.crs)
    except CrsError as error:
        datums = error.params["datums"]
        raise CrsError("crs.unknown_of", path=entry.path, crs=entry.crs, datums=datums) from None
