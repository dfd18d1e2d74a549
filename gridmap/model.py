"""The city: conformed layers in one metric coordinate system, proven once."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ClassVar
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj

from gridmap import messages
from gridmap.catalog import Catalog, Layer, Text
from gridmap.crs import prove_true
from gridmap.errors import ConformError, CrsError
from gridmap.leaving import leaving
from gridmap.privacy import code_leaving, shown_frame, shown_table, shown_value
from gridmap.schema import fault
from gridmap.summaries import Summarised

__all__ = ["UNDATED", "City", "Note", "Receipt", "moment_in"]

# The `as_of` of a city that has no moment of its own, on the wall of any clock.
UNDATED = dt.datetime(1970, 1, 1)

_FEW = 30  # areas; a table of more is no overview
_FAMILIES = {
    "Point": {"Point"},
    "LineString": {"LineString", "MultiLineString"},
    "Polygon": {"Polygon", "MultiPolygon"},
}


@dataclass(frozen=True)
class Note:
    """Something that was guessed or changed while an input was read.

    Parameters
    ----------
    key : str
        A message of section ``note``.
    params : mapping of str to object
        Values of its placeholders.

    Examples
    --------
    >>> gridmap.model.Note("separator", {"separator": ";"}).text("en")
    'the cells are parted by ;'
    """

    key: str
    params: Mapping[str, object] = field(default_factory=dict)

    def text(self, lang: str) -> str:
        """Return it as one line."""
        return messages.text(f"note.{self.key}", lang, **self.params)


@dataclass(frozen=True)
class Receipt:
    """What became of the rows of one input.

    ``rows == placed + quarantined``, and ``repaired`` of the placed ones had a geometry that was
    made valid. ``mended`` rows were read as a person had mended them; ``stale`` mends found no row
    that they belong to. ``rejected`` holds the quarantined rows as they were read, after the
    columns ``gridmap_row`` (as a spreadsheet counts them: heading, titles and blank rows too;
    those of other files from 1), ``gridmap_reason`` and ``gridmap_value``. ``notes``
    tell what was guessed or changed. ``columns`` are those of the source, each with the field that
    it fills.
    """

    layer: str
    source: str
    rows: int
    placed: int
    quarantined: int
    repaired: int = 0
    rejected: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False, compare=False)
    notes: tuple[Note, ...] = ()
    mended: int = 0
    stale: int = 0
    columns: Mapping[str, str] = field(default_factory=dict, compare=False)

    def shown(self, layer: Layer) -> Receipt:
        """Return it as it may be written or shown."""
        filled = {name: layer.fields[field] for name, field in self.columns.items()}
        rejected = self.rejected
        if self.quarantined:
            rejected = shown_table(rejected.drop(columns="gridmap_value"), filled)
            about = rejected["gridmap_reason"].astype("string").str.partition(":")[2]
            values = zip(self.rejected["gridmap_value"], about.fillna(""), strict=True)
            found = [_found(value, layer, name) for value, name in values]
            kind = self.rejected["gridmap_value"].dtype
            place = list(self.rejected.columns).index("gridmap_value")
            rejected = rejected.copy(deep=False)
            rejected.insert(place, "gridmap_value", pd.Series(found, rejected.index, kind))
        notes = tuple(Note(note.key, shown_value(note.params)) for note in self.notes)
        return replace(self, source=leaving(self.source), rejected=rejected, notes=notes)


@dataclass(frozen=True, repr=False)
class City(Summarised):
    """Every layer of a city, ready for analysis.

    Parameters
    ----------
    name : str
        Identifier, as in the city file.
    title, source : Text
        What to call the city, and whom to credit for its data.
    crs : pyproj.CRS
        Metric; every geometry is in it, x east and y north.
    timezone : str
        Every time is aware and in it.
    as_of : datetime
        The moment for which open and overdue are told; `UNDATED` if there is none, which
        ``moment`` says.
    layers : mapping of str to GeoDataFrame or DataFrame
        By layer name, each with the catalogue's columns and a RangeIndex. A layer for which
        there was no input is not here.
    catalog : Catalog
    receipts : tuple of Receipt
        What became of every row.
    review_number : str
        The map review number, for the maps.

    Raises
    ------
    CrsError
        If the system is not metric, or a layer is in another one.
    ConformError
        If a layer is not what the catalogue says.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids"])
    >>> city.crs.to_epsg(), city.timezone
    (4549, 'Asia/Shanghai')
    >>> city.has("grids"), city.has("problems")
    (True, False)
    """

    headline: ClassVar[tuple[str, ...]] = ("name", "crs", "timezone", "moment", "layers")

    name: str
    title: Text
    source: Text
    crs: pyproj.CRS
    timezone: str
    as_of: dt.datetime
    layers: Mapping[str, pd.DataFrame]
    catalog: Catalog
    receipts: tuple[Receipt, ...] = ()
    review_number: str = ""

    def __post_init__(self) -> None:
        unit = {axis.unit_name for axis in self.crs.axis_info}
        if not self.crs.is_projected or unit != {"metre"}:
            raise CrsError("crs.not_metric", crs=self.crs.name)
        for name, frame in self.layers.items():
            _prove(self.catalog.layer(name), frame, self.crs)
        areas = self.layers.get("grids")
        if isinstance(areas, gpd.GeoDataFrame) and len(areas):
            prove_true(self.crs, tuple(areas.total_bounds), self.name)
        object.__setattr__(self, "layers", MappingProxyType(dict(self.layers)))

    def shown(self) -> City:
        """Return the city as it may be written or shown: see `gridmap.privacy`.

        It is not proven again, for only texts differ.

        Examples
        --------
        >>> city = gridmap.read_city("data", layers=["grids", "assignments"])
        >>> [bool(c.frame("assignments")["phone"].str.contains("*", regex=False).any())
        ...     for c in (city, city.shown())]
        [False, True]
        """
        layers = {name: shown_frame(self.catalog.layer(name), f) for name, f in self.layers.items()}
        receipts = tuple(each.shown(self.catalog.layer(each.layer)) for each in self.receipts)
        made = copy.copy(self)
        changed: dict[str, object] = {"layers": MappingProxyType(layers), "receipts": receipts}
        changed |= {"title": self.title.shown(), "source": self.source.shown()}
        for name, value in changed.items():
            object.__setattr__(made, name, value)
        return made

    @property
    def moment(self) -> dt.datetime | None:
        """The moment of the city; None if its file gives none and it has no problems."""
        return None if self.as_of.replace(tzinfo=None) == UNDATED else self.as_of

    def has(self, name: str) -> bool:
        """Tell whether the city has any row of a layer."""
        return name in self.layers and len(self.layers[name]) > 0

    def frame(self, name: str) -> gpd.GeoDataFrame:
        """Return a layer that has geometry.

        Raises
        ------
        ConformError
            If the city has none; the message says how to add it.
        """
        if name not in self.layers:
            raise ConformError("measure.lacks", name=name, layers=name)
        return self.layers[name]

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the grid layer that this city has, the widest first."""
        if not self.has("grids"):
            return ()
        present = set(self.layers["grids"]["level"])
        order = self.catalog.layer("grids").fields["level"].categories
        return tuple(level for level in order if level in present)

    @property
    def overview(self) -> str:
        """The finest level of at most 30 areas, else the widest; empty where there is none."""
        few = [level for level in self.levels if len(self.areas(level)) <= _FEW]
        return few[-1] if few else next(iter(self.levels), "")

    def areas(self, level: str) -> gpd.GeoDataFrame:
        """Return the grids of one level, indexed anew.

        Raises
        ------
        ConformError
            If the city has none of that level.
        """
        grids = self.frame("grids")
        found = grids[grids["level"] == level].reset_index(drop=True)
        if found.empty:
            levels = ", ".join(self.levels)
            raise ConformError("conform.level_missing", level=level, levels=levels)
        return found


def _found(value: object, layer: Layer, name: str) -> object:
    """Return what was found in a field of a row, as it may be shown."""
    if not isinstance(value, str):
        return value
    known = layer.fields.get(name)
    if known is not None and known.code:
        return code_leaving(value)
    return shown_value(value)


def moment_in(text: str | None, timezone: str) -> dt.datetime:
    """Return the moment of a city as it was written, in its zone; `UNDATED` if it had none.

    Examples
    --------
    >>> from gridmap.model import moment_in
    >>> moment_in("2026-01-01T00:00:00+00:00", "Asia/Shanghai").isoformat()
    '2026-01-01T08:00:00+08:00'
    """
    zone = ZoneInfo(timezone)
    return (
        dt.datetime.fromisoformat(text).astimezone(zone) if text else UNDATED.replace(tzinfo=zone)
    )


def _prove(layer: Layer, frame: pd.DataFrame, crs: pyproj.CRS) -> None:
    problem = fault(layer, frame)
    if problem:
        raise ConformError("conform.schema", layer=layer.name, problem=problem[:200])
    if layer.geometry == "none":
        return
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs != crs:
        raise CrsError("crs.mixed", layer=layer.name, crs=crs.name)
    shapes = frame.geometry
    kinds = set(shapes.geom_type.unique())
    allowed = _FAMILIES[layer.geometry]
    if not kinds <= allowed:
        found = ", ".join(sorted(str(kind) for kind in kinds - allowed))
        raise ConformError("conform.geometry", layer=layer.name, found=found, asked=layer.geometry)
    finite = frame.empty or np.isfinite(frame.total_bounds).all()
    if not finite or not bool(shapes.is_valid.all()):
        raise ConformError("conform.invalid", layer=layer.name)
