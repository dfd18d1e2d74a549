"""From a city file to a City: every input read, conformed, placed or quarantined."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from gridmap.catalog import Layer
from gridmap.config import CityFile, Input, Join, read_city_file
from gridmap.crs import in_reach, parse_crs, working_crs
from gridmap.errors import ConformError, CrsError, SourceError
from gridmap.kinds import checked
from gridmap.model import City, Note, Receipt
from gridmap.schema import faulty_rows
from gridmap.sources.cells import as_text
from gridmap.sources.columns import Reasons, need_columns, typed_columns
from gridmap.sources.files import read_raw
from gridmap.sources.geometry import mended, shapes_of
from gridmap.sources.mended import FOLDER, Done, with_mends
from gridmap.sources.raw import Raw
from gridmap.sources.whereabouts import far_from_zone, lies_swapped

__all__ = ["inputs_to_read", "read_city"]

Progress = Callable[[str], None]

_REASONS = {
    "not_nullable": "missing",
    "field_uniqueness": "repeated",
    "isin": "unknown_value",
    "greater_than_or_equal_to": "too_small",
    "less_than_or_equal_to": "too_large",
}


@dataclass
class _Draft:
    """One input on its way: every row that was read, and what is known against it."""

    entry: Input
    layer: Layer
    raw: Raw
    columns: pd.DataFrame
    shapes: gpd.GeoSeries | None
    reasons: Reasons
    notes: list[Note]
    mends: Done
    repaired: int = 0


@checked
def read_city(
    city_file: CityFile | str | PathLike[str],
    *,
    layers: Collection[str] | None = None,
    progress: Progress | None = None,
) -> City:
    """Read the inputs of a city and conform them.

    Parameters
    ----------
    city_file : CityFile or path
        The file, or the folder that holds a ``city.toml``.
    layers : collection of str, optional
        Names of the layers to read; all if left out. What the system of coordinates, the outline
        of the city and the moment of its analysis follow from is read besides, so that a part of
        a city is where and when the whole of it is.
    progress : callable, optional
        Is told the path of each input before it is read.

    Returns
    -------
    City
        With a receipt for every input: rows read = rows placed + rows quarantined. Rows that a
        person mended, in the folder ``mended`` beside the city file, are read in their place.

    Raises
    ------
    GridmapError
        If an input cannot be read or used at all. A bad row raises nothing: it is quarantined.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids"])
    >>> city.frame("grids")["level"].value_counts().to_dict()
    {'grid': 38, 'community': 12, 'street': 3, 'district': 1}
    >>> receipt = city.receipts[-1]
    >>> receipt.source, receipt.rows, receipt.placed, receipt.quarantined
    ('areas.gpkg/grids', 38, 38, 0)
    """
    if not isinstance(city_file, CityFile):
        city_file = read_city_file(city_file)
    drafts = []
    for entry in inputs_to_read(city_file, layers):
        if progress is not None:
            progress(Path(entry.path).name)
        drafts.append(_draft(city_file, entry))
    crs = _city_crs(city_file, drafts)
    for draft in drafts:
        _place(draft, crs)
    _check_place(drafts, crs, city_file.timezone)
    _check_inside(drafts, crs, city_file.analysis.margin_m)
    frames: dict[str, pd.DataFrame] = {}
    for name in dict.fromkeys(draft.layer.name for draft in drafts):
        frames[name] = _layer_frame([d for d in drafts if d.layer.name == name], city_file, crs)
    return City(
        name=city_file.name,
        title=city_file.title,
        source=city_file.source,
        crs=crs,
        timezone=city_file.timezone,
        as_of=_as_of(city_file, frames),
        layers=frames,
        catalog=city_file.catalog,
        receipts=tuple(_receipt(draft) for draft in drafts),
        review_number=city_file.review_number,
    )


def inputs_to_read(city_file: CityFile, layers: Collection[str] | None) -> tuple[Input, ...]:
    """Return the inputs that `read_city` reads for some layers, in the order of the city file."""
    if layers is None:
        return city_file.inputs
    wanted = {*layers, "grids"}
    if city_file.as_of is None:
        wanted.add("problems")
    shape = city_file.catalog.layer
    areas = [entry for entry in city_file.inputs if shape(entry.layer).geometry == "Polygon"]
    if not areas:
        return city_file.inputs
    return tuple(entry for entry in city_file.inputs if entry.layer in wanted or entry is areas[0])


def _draft(city_file: CityFile, entry: Input) -> _Draft:
    layer = city_file.catalog.layer(entry.layer)
    if "://" in entry.path:
        raise SourceError("source.url", path=entry.path)
    path = city_file.path(entry.path)
    known = _asked_columns(layer, entry)
    raw = read_raw(path, sublayer=entry.sublayer, encoding=entry.encoding, known=known)
    notes = [*raw.notes]
    if entry.join is not None:
        raw = replace(raw, table=_joined(raw.table, city_file, entry, entry.join))
    table, mends = with_mends(raw, city_file.folder / FOLDER, _source_of(entry))
    raw = replace(raw, table=table)
    reasons = Reasons(len(raw.table))
    for row, (code, value) in raw.bad.items():
        if row not in mends.rows:
            reasons.note([row], code, value)
    shapes = None
    if layer.geometry != "none":
        shapes = shapes_of(raw, layer, entry, reasons)
    columns = typed_columns(raw.table, layer, entry, city_file.timezone, reasons, notes)
    return _Draft(entry, layer, raw, columns, shapes, reasons, notes, mends)


def _asked_columns(layer: Layer, entry: Input) -> set[str]:
    """Return the names of columns that an input is asked for."""
    named = {rule.column for rule in entry.columns.values() if rule.column}
    left = set(layer.inputs) - set(entry.columns) - set(entry.constants)
    return (named | left | {entry.x, entry.y}) - {""}


def _joined(table: pd.DataFrame, city_file: CityFile, entry: Input, join: Join) -> pd.DataFrame:
    other = read_raw(city_file.path(join.path), encoding=join.encoding).table
    need_columns(table, [join.left], entry.path)
    need_columns(other, [join.right], join.path)
    right = other.assign(**{join.right: as_text(other[join.right])})
    if right[join.right].duplicated().any():
        raise ConformError("conform.join", path=join.path, column=join.right)
    keys = as_text(table[join.left])
    added = right.set_index(join.right).reindex(keys)
    added.index = table.index
    taken = {name: f"{name}_joined" for name in added.columns if name in table.columns}
    return table.join(added.rename(columns=taken))


def _city_crs(city_file: CityFile, drafts: Sequence[_Draft]) -> pyproj.CRS:
    if city_file.crs:
        try:
            return parse_crs(city_file.crs)
        except CrsError as error:
            raise CrsError(
                "crs.city_unknown",
                city=city_file.name,
                crs=city_file.crs,
                datums=error.params["datums"],
            ) from None
    # Points go astray more than outlines. So areas decide, and points only where there is no area.
    placed = [
        draft
        for kind in ("Polygon", "LineString", "Point")
        for draft in drafts
        if draft.shapes is not None and draft.layer.geometry == kind
    ]
    deciding = next((draft for draft in placed if len(_boxes(draft))), None)
    if deciding is None:
        raise ConformError("conform.no_layers", city=city_file.name)
    middle = _middle(_boxes(deciding))
    for draft in [deciding, *(draft for draft in drafts if draft.layer.name == "grids")]:
        _set_aside(draft, middle)
    boxes = _boxes(deciding)
    west, south = boxes[["minx", "miny"]].quantile(0.02, interpolation="nearest")
    east, north = boxes[["maxx", "maxy"]].quantile(0.98, interpolation="nearest")
    return working_crs((float(west), float(south), float(east), float(north)))


def _boxes(draft: _Draft) -> pd.DataFrame:
    """Return the bounds in degrees of the rows that have a place on Earth, by row."""
    if draft.shapes is None:
        return pd.DataFrame(columns=["minx", "miny", "maxx", "maxy"], dtype=float)
    boxes: pd.DataFrame = draft.shapes.dropna().to_crs(4326).bounds
    on_earth: pd.DataFrame = boxes.loc[np.isfinite(boxes.to_numpy()).all(axis=1)]
    return on_earth


def _middle(boxes: pd.DataFrame) -> tuple[float, float]:
    return (
        float((boxes["minx"] + boxes["maxx"]).median() / 2),
        float((boxes["miny"] + boxes["maxy"]).median() / 2),
    )


def _set_aside(draft: _Draft, middle: tuple[float, float]) -> None:
    """Set aside the few areas that no metric system of the others reaches.

    Where many lie that far away none is a stray, and that no system serves the city is told.
    """
    boxes = _boxes(draft)
    lon = ((boxes["minx"] + boxes["maxx"]) / 2).to_numpy()
    lat = ((boxes["miny"] + boxes["maxy"]) / 2).to_numpy()
    astray = ~in_reach(lon, lat, middle)
    if draft.shapes is None or not 0 < astray.sum() * 3 <= len(boxes):
        return
    swapped = astray & in_reach(lat, lon, middle)
    for rows, code in ((swapped, "swapped"), (astray, "outside")):
        bad = pd.Series(data=False, index=draft.shapes.index)
        bad[boxes.index[rows]] = True
        draft.reasons.add(bad, code)
        draft.shapes = draft.shapes.mask(bad)


def _place(draft: _Draft, crs: pyproj.CRS) -> None:
    if draft.shapes is None:
        return
    placed = draft.shapes.to_crs(crs)
    endless = ~placed.isna() & ~np.isfinite(placed.bounds).all(axis=1)
    draft.reasons.add(endless, "outside")
    draft.shapes, draft.repaired = mended(placed.mask(endless), draft.layer, draft.reasons)


def _check_place(drafts: Sequence[_Draft], crs: pyproj.CRS, timezone: str) -> None:
    """Tell of a city that lies nowhere near its time zone."""
    spread = [draft for draft in drafts if draft.shapes is not None and draft.shapes.notna().any()]
    areas = [draft for draft in spread if draft.layer.geometry == "Polygon"]
    for draft in (areas or spread)[:1]:
        west, south, east, north = draft.shapes.total_bounds  # type: ignore[union-attr]
        place = gpd.GeoSeries([shapely.Point((west + east) / 2, (south + north) / 2)], crs=crs)
        middle = place.to_crs(4326).iloc[0]
        note = far_from_zone(middle.x, middle.y, timezone)
        if note is not None:
            draft.notes.append(note)


def _check_inside(drafts: Sequence[_Draft], crs: pyproj.CRS, margin: float) -> None:
    grids = [draft.shapes for draft in drafts if draft.layer.name == "grids"]
    outlines = [shapes.dropna() for shapes in grids if shapes is not None]
    if not outlines:
        return
    near = shapely.buffer(shapely.union_all(np.concatenate(outlines)), margin)
    shapely.prepare(near)
    for draft in drafts:
        if draft.shapes is None or draft.layer.name == "grids":
            continue
        present = draft.shapes.notna().to_numpy()
        outside = present & ~shapely.intersects(near, draft.shapes.to_numpy())
        at = np.flatnonzero(outside)
        swapped = np.zeros_like(outside)
        swapped[at] = lies_swapped(draft.shapes.to_numpy()[at], crs, near)
        if outside.sum() == present.sum() > 0:
            key = "crs.swapped" if swapped.sum() * 2 > outside.sum() else "crs.elsewhere"
            raise CrsError(key, path=draft.entry.path, layer=draft.layer.name)
        draft.reasons.add(swapped, "swapped")
        draft.reasons.add(outside, "outside")


def _layer_frame(drafts: Sequence[_Draft], city_file: CityFile, crs: pyproj.CRS) -> pd.DataFrame:
    """Join the inputs of one layer, prove its rows, and keep the good ones."""
    layer = drafts[0].layer
    kept = [_kept(draft) for draft in drafts]
    frame = pd.concat(kept, ignore_index=True)
    origin = np.repeat(np.arange(len(drafts)), [len(part) for part in kept])
    rows = frame.pop("_rows")
    bad = _schema_reasons(frame, layer)
    if layer.name == "problems" and city_file.as_of is not None:
        late = frame["opened"] > _aware(city_file.as_of, city_file.timezone)
        bad.add(late, "future:opened", frame["opened"])
    for at in np.flatnonzero(bad.any):
        drafts[origin[at]].reasons.note(rows.iloc[at], bad.codes[at], bad.values[at])
    frame = frame[~bad.any].reset_index(drop=True)
    if frame.empty:
        reasons = drafts[0].reasons
        worst = pd.Series(reasons.codes).value_counts().index[0]
        found = next(iter(reasons.values[reasons.codes == worst]))
        raise ConformError(
            "conform.nothing_left", layer=layer.name, path=drafts[0].entry.path,
            reason=worst, found=found,
        )  # fmt: skip
    if layer.geometry != "none":
        frame = gpd.GeoDataFrame(frame, crs=crs)
    return frame


def _kept(draft: _Draft) -> pd.DataFrame:
    good = ~draft.reasons.any
    frame = draft.columns[good].reset_index(drop=True)
    frame["_rows"] = pd.Series([[row] for row in np.flatnonzero(good).tolist()], dtype=object)
    if draft.shapes is not None:
        shapes = draft.shapes[good].to_numpy()
        frame = gpd.GeoDataFrame(frame, geometry=shapes, crs=draft.shapes.crs)
    return _dissolved(frame, draft.layer.key) if draft.entry.dissolve else frame


def _dissolved(frame: gpd.GeoDataFrame, key: str) -> gpd.GeoDataFrame:
    how = {name: "first" for name in frame.columns if name not in (key, "geometry", "_rows")}
    merged = frame.dissolve(key, aggfunc={**how, "_rows": "sum"}, dropna=False).reset_index()
    return gpd.GeoDataFrame(merged[list(frame.columns)])


def _schema_reasons(frame: pd.DataFrame, layer: Layer) -> Reasons:
    reasons = Reasons(len(frame))
    orders = {f"{name}.order": name for name, field in layer.inputs.items() if field.not_before}
    for (column, check), group in faulty_rows(layer, frame).groupby(["column", "check"], sort=True):
        if orders.get(str(check), column) != column:
            continue  # a check of two columns lists its case once for every column
        kind = "order" if check in orders else _REASONS[str(check).partition("(")[0]]
        code = f"{kind}:{column}"
        bad = np.zeros(len(frame), dtype=bool)
        at = group["index"].astype(int).to_numpy()
        bad[at] = True
        reasons.add(bad, code, frame[str(column)])
    return reasons


def _aware(moment: dt.datetime, timezone: str) -> dt.datetime:
    zone = ZoneInfo(timezone)
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _as_of(city_file: CityFile, frames: dict[str, pd.DataFrame]) -> dt.datetime:
    """Return the moment that the city file gives, else the last one that the problems know."""
    if city_file.as_of is not None:
        return _aware(city_file.as_of, city_file.timezone)
    problems = frames.get("problems")
    if problems is None:
        return dt.datetime(1970, 1, 1, tzinfo=ZoneInfo(city_file.timezone))
    last = pd.concat([problems["opened"], problems["closed"]]).max()
    return pd.Timestamp(last).to_pydatetime()


def _source_of(entry: Input) -> str:
    return "/".join(filter(None, (entry.path, entry.sublayer)))


def _receipt(draft: _Draft) -> Receipt:
    bad = draft.reasons.any
    rejected = draft.raw.table[bad].copy()
    numbers = draft.raw.numbers
    numbers = np.arange(1, len(bad) + 1) if numbers is None else numbers
    rejected.insert(0, "gridmap_row", numbers[bad])
    rejected.insert(1, "gridmap_reason", draft.reasons.codes[bad])
    rejected.insert(2, "gridmap_value", draft.reasons.values[bad])
    return Receipt(
        layer=draft.layer.name,
        source=_source_of(draft.entry),
        rows=len(bad),
        placed=int((~bad).sum()),
        quarantined=int(bad.sum()),
        repaired=draft.repaired,
        mended=len(draft.mends.rows),
        stale=draft.mends.stale,
        rejected=rejected.reset_index(drop=True),
        notes=tuple(draft.notes),
        columns=_filled(draft),
    )


def _filled(draft: _Draft) -> dict[str, str]:
    """Return the columns of a source that fill a field as they are, each with its field."""
    rules = draft.entry.columns
    named = {name: rules[name].column if name in rules else name for name in draft.layer.inputs}
    there = set(map(str, draft.raw.table.columns))
    return {column: name for name, column in named.items() if column in there}
