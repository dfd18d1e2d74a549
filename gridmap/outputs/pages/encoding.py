"""Frames as the compact JSON that the page runtime reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.errors import OutputError
from gridmap.messages import Words, words
from gridmap.outputs.pages._pack_bytes import signed_varints

__all__ = [
    "Field",
    "column",
    "day_numbers",
    "geometries",
    "label_places",
    "pack_integers",
    "plain",
    "plain_name",
    "positions",
    "prepared",
]

_EXACT_INTEGERS = 2**53
_EPOCH = pd.Timestamp(0)
_DECIMALS = 6


class Field(TypedDict):
    """One attribute: its column, and how its values are written.

    Label, unit and the names of categories are texts by language, or one for all languages.

    A time without a zone is the city's wall-clock time and is shown as it is; one with a zone is
    shown in the time zone of the page.
    """

    name: str
    label: Words
    unit: NotRequired[Words]
    format: NotRequired[Literal["text", "number", "percent", "date", "datetime"]]
    decimals: NotRequired[int]
    categories: NotRequired[Mapping[str, Words]]


def column(gdf: gpd.GeoDataFrame, field: Field) -> tuple[dict[str, Any], list[Any]]:
    """Return a field with all its keys, and its values as JSON holds them (None: missing)."""
    spec, values = prepared(gdf, field)
    return spec, plain(values)


def plain(values: pd.Series[Any]) -> list[Any]:
    """Return values as JSON holds them (None: missing)."""
    return [_plain(value) for value in values.astype(object).where(values.notna(), None)]


def prepared(gdf: gpd.GeoDataFrame, field: Field) -> tuple[dict[str, Any], pd.Series[Any]]:
    """Return a field with all its keys, and its column; times as milliseconds since 1970."""
    values = gdf[field["name"]]
    kind = field.get("format")
    if kind in ("date", "datetime") and not pd.api.types.is_datetime64_any_dtype(values):
        values = pd.to_datetime(values)
    timed = pd.api.types.is_datetime64_any_dtype(values)
    if kind is None:
        kind = "datetime" if timed else "number" if _is_number(values) else "text"
    zoned = timed and values.dt.tz is not None
    if timed:
        naive = values.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else values
        values = (naive - _EPOCH) / pd.Timedelta(milliseconds=1)
    categories = field.get("categories")
    said = {value: words(name) for value, name in categories.items()} if categories else None
    spec = {
        "name": field["name"],
        "label": words(field["label"]),
        "unit": words(field.get("unit", "")),
        "format": kind,
        "decimals": field.get("decimals"),
        "wallClock": not zoned,
        "categories": said,
    }
    return spec, values


def _is_number(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _plain(value: Any) -> bool | int | float | str | None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return (int(value) if value.is_integer() else value) if np.isfinite(value) else None
    if value is None or isinstance(value, bool):
        return value
    # A longer integer, such as a numeric code, would lose digits in a browser.
    if isinstance(value, int) and abs(value) < _EXACT_INTEGERS:
        return value
    return str(value)


def geometries(gdf: gpd.GeoDataFrame, name: str) -> list[dict[str, Any] | None]:
    """Return the geometries as GeoJSON, longitude and latitude to six decimals (about 0.1 m)."""
    if gdf.crs is None:
        raise OutputError("page.no_crs", layer=name)
    shapes = shapely.force_2d(gdf.geometry.to_crs(4326).to_numpy())
    rounded = shapely.transform(shapes, lambda places: np.round(places, _DECIMALS))
    texts = [None if shape is None or shape.is_empty else shape for shape in rounded]
    return [None if shape is None else json.loads(shapely.to_geojson(shape)) for shape in texts]


def label_places(areas: gpd.GeoSeries, name: str) -> tuple[list[list[float] | None], list[float]]:
    """Return where a label of each area goes, and the room that it has there.

    Returns
    -------
    places : list of [longitude, latitude] or None
        The centre of the largest circle inside the area, to six decimals of a degree.
    radii : list of float
        Of these circles, in units of Web Mercator (EPSG:3857), to one decimal.
    """
    if areas.crs is None:
        raise OutputError("page.no_crs", layer=name)
    shapes = areas.to_crs(3857).to_numpy()
    filled = np.array([shape is not None and shape.area > 0 for shape in shapes], dtype=bool)
    # GEOS finds the circle to a tolerance; the pixels of a screen need no more than a hundredth.
    sizes = np.sqrt(shapely.area(shapes[filled]))
    circles = [
        shapely.maximum_inscribed_circle(shape, tolerance=size / 100)
        for shape, size in zip(shapes[filled], sizes, strict=True)
    ]
    centres = gpd.GeoSeries([shapely.get_point(line, 0) for line in circles], crs=3857).to_crs(4326)
    found = iter(np.round(centres.get_coordinates().to_numpy(), _DECIMALS).tolist())
    radii = iter(np.round(shapely.length(circles), 1).tolist())
    return [next(found) if has else None for has in filled], [
        next(radii) if has else 0.0 for has in filled
    ]


def positions(style: Sequence[str] | str, keys: Sequence[str], rows: int, name: str) -> list[int]:
    """Return, for each row, the position of its style among the keys."""
    style = [style] * rows if isinstance(style, str) else style
    if len(style) != rows:
        raise OutputError("page.unaligned", layer=name, given=len(style), expected=rows)
    position = {key: index for index, key in enumerate(keys)}
    return [position[key] for key in style]


def plain_name(name: Words) -> str:
    """Return the one name by which the elements of a page know an overlay."""
    return name if isinstance(name, str) else next(iter(name.values()))


def day_numbers(times: npt.ArrayLike) -> tuple[int, npt.NDArray[np.int64]]:
    """Return the first day, counted from 1970-01-01, and each time's day from there; -1 if none."""
    days = np.asarray(times, dtype="datetime64[D]")
    known = ~np.isnat(days)
    numbers = days.astype(np.int64)
    first = int(numbers[known].min()) if known.any() else 0
    return first, np.where(known, numbers - first, -1)


def pack_integers(values: npt.ArrayLike) -> str:
    """Return integers as differences in varints and base64."""
    differences = np.diff(np.asarray(values, dtype=np.int64), prepend=0)
    return base64.b64encode(signed_varints(differences)).decode("ascii")
