"""Which layers, rows and columns are exported, and what is shown of persons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from gridmap.catalog import Catalog, Layer
from gridmap.errors import OutputError
from gridmap.leaving import unmasked
from gridmap.privacy import code_leaving
from gridmap.result import Analysed

__all__ = ["PRIVACY", "Chosen", "Privacy", "Selection", "check_selection", "chosen_layers"]

Privacy = Literal["masked", "none", "full"]
PRIVACY: tuple[Privacy, ...] = ("masked", "none", "full")
Bools = npt.NDArray[np.bool_]

HALF = 0.5  # of its area must an area have inside to be selected


@dataclass(frozen=True)
class Selection:
    """What is exported.

    Parameters
    ----------
    layers : sequence of str
        Names of layers; all if none is named.
    areas : sequence of str
        Codes of grids of any level: points inside them, lines that enter them, and areas with
        half of theirs inside. Tables without geometry are exported whole.
    since, until : datetime, optional
        Of layers of events, which are those with a required time, the rows from the one up to,
        but not at, the other. A time without a zone is the city's.
    columns : sequence of str
        ``field``, of every layer that has it, or ``layer.field``. A layer of which none is named
        has all. Keys are always there.
    privacy : str
        Of fields that belong to a person: ``masked``, ``none`` to leave them out, or ``full``,
        which shows phones and numbers of identity cards in other texts too.
    """

    layers: Sequence[str] = ()
    areas: Sequence[str] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    columns: Sequence[str] = ()
    privacy: Privacy = "masked"


@dataclass(frozen=True)
class Chosen:
    """A layer as it is exported.

    Parameters
    ----------
    layer : Layer
    frame : DataFrame or GeoDataFrame
        The rows and columns that are written.
    whole : DataFrame or GeoDataFrame
        Every row: classes are cut from them, so that colours are those of the maps.
    rows : ndarray of bool
        Which rows of `whole` are in `frame`.
    """

    layer: Layer
    frame: pd.DataFrame
    whole: pd.DataFrame
    rows: Bools

    @property
    def styled(self) -> bool:
        """Whether it has geometry and a symbology whose field is there."""
        style = self.layer.symbology
        named = {style.field, style.unless} if style else set()
        there = named - {""} <= set(self.frame.columns)
        return style is not None and there and isinstance(self.frame, gpd.GeoDataFrame)


def chosen_layers(analysed: Analysed, selection: Selection) -> Iterator[Chosen]:
    """Yield the layers of a city as they are to be exported, inputs first, by name.

    Raises
    ------
    CatalogError
        If a layer is not known.
    OutputError
        If an area, a column or the level of privacy is not known, or a column is of no layer.
    """
    check_selection(analysed.city.catalog, selection)
    with unmasked(selection.privacy == "full"):
        analysed = analysed.shown()
    city, named = analysed.city, set(selection.layers)
    outline = _outline(analysed, selection.areas)
    zone = ZoneInfo(city.timezone)
    since, until = _aware(selection.since, zone), _aware(selection.until, zone)
    for layer in city.catalog.in_order:
        frame = analysed.frame(layer.name)
        if frame is None or (named and layer.name not in named):
            continue
        whole = _columns(layer, frame, selection)
        rows = _in_time(layer, frame, since, until)
        if outline is not None and isinstance(frame, gpd.GeoDataFrame):
            rows &= _inside(frame, outline)
        kept = whole if rows.all() else whole[rows].reset_index(drop=True)
        yield Chosen(layer, kept, whole, rows)


def check_selection(catalog: Catalog, selection: Selection) -> None:
    """Refuse what the catalogue alone can tell to be wrong, before any work is done.

    Raises
    ------
    CatalogError
        If a layer is not known.
    OutputError
        If a column or the level of privacy is not known.
    """
    if selection.privacy not in PRIVACY:
        known = ", ".join(PRIVACY)
        raise OutputError("export.privacy", privacy=selection.privacy, known=known)
    named = {catalog.layer(name).name for name in selection.layers}
    for column in selection.columns:
        layer, _, field = column.rpartition(".")
        if layer and field not in catalog.layer(layer).fields:
            known = ", ".join(catalog.layer(layer).fields)
            raise OutputError("export.column", column=column, known=known)
        every = [x for x in catalog.in_order if not named or x.name in named]
        if not layer and not any(field in other.fields for other in every):
            known = ", ".join(sorted({name for other in every for name in other.fields}))
            raise OutputError("export.column", column=column, known=known)


def _columns(layer: Layer, frame: pd.DataFrame, selection: Selection) -> pd.DataFrame:
    asked = {
        column.rpartition(".")[2]
        for column in selection.columns
        if column.rpartition(".")[0] in ("", layer.name)
    } & set(layer.fields)
    kept = [
        name
        for name, field in layer.fields.items()
        if name in frame
        and (not asked or name in asked or name == layer.key)
        and not (field.private and selection.privacy == "none")
    ]
    if isinstance(frame, gpd.GeoDataFrame):
        kept.append(str(frame.geometry.name))
    return frame[kept]


def _aware(moment: dt.datetime | None, zone: ZoneInfo) -> pd.Timestamp | None:
    if moment is None:
        return None
    stamp = pd.Timestamp(moment)
    return stamp.tz_localize(zone) if stamp.tzinfo is None else stamp


def _in_time(
    layer: Layer, frame: pd.DataFrame, since: pd.Timestamp | None, until: pd.Timestamp | None
) -> Bools:
    rows = np.ones(len(frame), dtype=bool)
    fields = [n for n, f in layer.fields.items() if f.type == "datetime" and f.required]
    if fields and fields[0] in frame:
        when = frame[fields[0]]
        if since is not None:
            rows &= (when >= since).fillna(False).to_numpy(dtype=bool)
        if until is not None:
            rows &= (when < until).fillna(False).to_numpy(dtype=bool)
    return rows


def _outline(analysed: Analysed, codes: Sequence[str]) -> shapely.Geometry | None:
    if not codes:
        return None
    grids = analysed.frame("grids")
    known = grids["code"].to_list() if grids is not None else []
    codes = [code_leaving(code) for code in codes]
    lost = sorted(set(codes) - set(known))
    if lost or not isinstance(grids, gpd.GeoDataFrame):
        raise OutputError("export.area", codes=", ".join(lost), city=analysed.city.name)
    return shapely.union_all(grids.geometry[grids["code"].isin(codes)].to_numpy())


def _inside(frame: gpd.GeoDataFrame, outline: shapely.Geometry) -> Bools:
    shapes = frame.geometry.to_numpy()
    rows = np.zeros(len(frame), dtype=bool)
    near = shapely.STRtree(shapes).query(outline, predicate="intersects")
    common = shapely.intersection(shapes[near], outline)
    dimension = shapely.get_dimensions(shapes[near])
    areal = shapely.area(common) >= HALF * shapely.area(shapes[near])
    enters = shapely.length(common) > 0
    rows[near] = np.where(dimension == 2, areal, (dimension == 0) | enters)  # noqa: PLR2004
    return rows
