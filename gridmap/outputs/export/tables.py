"""Ledgers: CSV and Excel, with labels for headings and categories, and places by choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from gridmap import messages
from gridmap.outputs.export.job import Job
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.tables.ledger import csv_bytes, worded
from gridmap.outputs.tables.workbook import (
    MOST_ROWS,
    MOST_SIGNS,
    Cell,
    Entry,
    Sheet,
    layer_sheet,
    write_workbook,
)

__all__ = ["write_csv", "write_xlsx"]

DIGITS = 7
_DEGREES = "0." + "0" * DIGITS


def write_csv(job: Job, chosen: Chosen) -> list[Path]:
    """Write a layer as ``<layer>.csv``, UTF-8 with a mark that Excel asks for, or GB 18030."""
    path = job.folder / f"{chosen.layer.name}.csv"
    zone = job.analysed.city.timezone
    # Data that are read again, by gridmap itself too: every digit, no thousands set apart.
    table = worded(chosen.layer, chosen.frame, job.lang, zone=zone, exact=True)
    table = table.assign(**_places(job, chosen))
    path.write_bytes(csv_bytes(table, job.encoding))
    return [path]


def write_xlsx(job: Job, chosen: tuple[Chosen, ...]) -> list[Path]:
    """Write all layers as sheets of ``<city>.xlsx``."""
    path = job.folder / f"{job.analysed.city.name}.xlsx"
    write_workbook(path, _sheets(job, chosen))
    return [path]


def _sheets(job: Job, chosen: tuple[Chosen, ...]) -> Iterator[Sheet]:
    for one in chosen:
        job.tell(one.layer.name, "xlsx")
        title, count = one.layer.title.get(job.lang), len(one.frame)
        if count > MOST_ROWS:
            job.note("xlsx_rows", layer=title, most=f"{MOST_ROWS:,}", count=f"{count:,}")
        sheet = layer_sheet(one.layer, one.frame, job.lang, job.analysed.city.timezone)
        places = _places(job, one)
        pairs = zip(sheet.rows, _rows(places, count), strict=True)
        rows = (_fitting(job, title, cells, where) for cells, where in pairs)
        yield replace(sheet, heads=[*sheet.heads, *places], rows=rows)


def _rows(places: dict[str, npt.NDArray[Any]], count: int) -> Iterator[tuple[Entry, ...]]:
    columns = [
        [Cell(value, _DEGREES) if isinstance(value, float) else value for value in values.tolist()]
        for values in places.values()
    ]
    return zip(*columns, strict=True) if columns else repeat((), count)


def _fitting(job: Job, title: str, cells: Sequence[Entry], where: Sequence[Entry]) -> list[Entry]:
    """Return a row without a shape that no cell can hold: half of one is none."""
    if any(_is_long(entry) for entry in (*cells, *where)):
        job.note("xlsx_long", layer=title, most=MOST_SIGNS)
    return [*cells, *(None if _is_long(entry) else entry for entry in where)]


def _is_long(entry: Entry) -> bool:
    return isinstance(entry, str) and len(entry) > MOST_SIGNS


def _places(job: Job, chosen: Chosen) -> dict[str, npt.NDArray[Any]]:
    """Return the columns that say where each row is, by their headings."""
    if not isinstance(chosen.frame, gpd.GeoDataFrame) or job.place == "none":
        return {}
    if job.place == "wkt":
        placed = job.system.place(chosen.frame).geometry
        digits = 3 if job.system.metric else DIGITS
        return {"WKT": np.asarray(shapely.to_wkt(placed.to_numpy(), rounding_precision=digits))}
    shapes = job.system.degrees(chosen.frame).geometry.to_numpy()
    if chosen.layer.geometry != "Point":
        job.note("lonlat_inside", layer=chosen.layer.title.get(job.lang))
    points = shapely.point_on_surface(shapes)
    names = [messages.text(f"export.{name}", job.lang) for name in ("lon", "lat")]
    lonlat = (shapely.get_x(points), shapely.get_y(points))
    return {name: np.round(values, DIGITS) for name, values in zip(names, lonlat, strict=True)}
