"""Ledgers: CSV and Excel, with labels for headings and categories, and places by choice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xlsxwriter

from gridmap import messages
from gridmap.outputs.export.job import Job, zoned
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.tables.words import heading

__all__ = ["write_csv", "write_workbook"]

_CREATED = dt.datetime(2000, 1, 1)
MOST_ROWS, MOST_SIGNS = 1_048_575, 32_767  # of a sheet, beneath its head; of a cell
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SHEET = str.maketrans("[]:*?/\\", "_" * 7)
DIGITS = 7


def write_csv(job: Job, chosen: Chosen) -> list[Path]:
    """Write a layer as ``<layer>.csv``, UTF-8 with a mark that Excel asks for, or GB 18030."""
    path = job.folder / f"{chosen.layer.name}.csv"
    table = _table(job, chosen)
    for name in table.select_dtypes(["object", "string"]):
        # A spreadsheet would run a text that begins like a formula.
        table[name] = table[name].map(_harmless, na_action="ignore")
    encoding = "gb18030" if job.encoding == "gb18030" else "utf-8-sig"
    text = table.to_csv(index=False, lineterminator="\r\n")
    path.write_bytes(text.encode(encoding))
    return [path]


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_workbook(job: Job, chosen: tuple[Chosen, ...]) -> list[Path]:
    """Write all layers as sheets of ``<city>.xlsx``."""
    path = job.folder / f"{job.analysed.city.name}.xlsx"
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"created": _CREATED})
        bold = book.add_format({"bold": True, "bottom": 1})
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        used: set[str] = set()
        for one in chosen:
            job.tell(one.layer.name, "xlsx")
            title = one.layer.title.get(job.lang).translate(_SHEET)[:31]
            name = title if title.lower() not in used else one.layer.name[:31]
            used.add(name.lower())
            table = _table(job, one)
            if len(table) > MOST_ROWS:
                job.note("xlsx_rows", layer=title, most=f"{MOST_ROWS:,}", count=f"{len(table):,}")
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for column, (head, wide) in enumerate(_widths(table)):
                sheet.set_column(column, column, wide)
                sheet.write_string(0, column, head, bold)
            for row, values in enumerate(_cells(job, one, table), start=1):
                for column, value in enumerate(values):
                    if isinstance(value, dt.datetime):
                        sheet.write_datetime(row, column, value, time)
                    elif isinstance(value, str):
                        sheet.write_string(row, column, value)
                    elif value is not None:
                        sheet.write(row, column, value)
    return [path]


def _cells(job: Job, chosen: Chosen, table: pd.DataFrame) -> Iterator[list[Any]]:
    plain = table.head(MOST_ROWS).astype(object).where(table.head(MOST_ROWS).notna(), None)
    for values in plain.itertuples(index=False, name=None):
        row = []
        for value in values:
            if isinstance(value, str) and len(value) > MOST_SIGNS:
                job.note("xlsx_long", layer=chosen.layer.title.get(job.lang), most=MOST_SIGNS)
                row.append(value[:MOST_SIGNS] if not value.endswith(")") else None)
            elif isinstance(value, float) and not np.isfinite(value):
                row.append(None)
            else:
                row.append(value)
        yield row


def _widths(table: pd.DataFrame) -> Iterator[tuple[str, int]]:
    for name in table.columns:
        # A Chinese character is two wide.
        wide = sum(2 if ord(sign) > 0x2E80 else 1 for sign in str(name))  # noqa: PLR2004
        yield str(name), min(max(wide + 2, 10), 40)


def _table(job: Job, chosen: Chosen) -> pd.DataFrame:
    """Return the ledger: labels for headings and categories, local times, and places."""
    part = zoned(chosen, job.analysed.city.timezone)
    layer = part.layer
    made: dict[str, pd.Series] = {}
    heads: dict[str, str] = {}
    for name, field in layer.fields.items():
        if name not in part.frame:
            continue
        values = part.frame[name]
        if field.categories:
            labels = {key: label.get(job.lang) for key, label in field.categories.items()}
            values = values.map(labels, na_action="ignore")
        elif isinstance(values.dtype, pd.DatetimeTZDtype):
            values = values.dt.tz_localize(None)
        elif field.type == "number":
            values = values.astype("float64")
        head = heading(field, job.lang)
        heads[name] = head if head not in heads.values() else f"{head} [{name}]"
        made[name] = values
    table = pd.DataFrame(made, index=part.frame.index).rename(columns=heads)
    if isinstance(part.frame, gpd.GeoDataFrame) and job.place != "none":
        table = table.assign(**_places(job, part))
    return table.reset_index(drop=True)


def _places(job: Job, part: Chosen) -> dict[str, Any]:
    assert isinstance(part.frame, gpd.GeoDataFrame)  # noqa: S101 - for the type checker
    if job.place == "wkt":
        placed = job.system.place(part.frame).geometry
        digits = 3 if job.system.metric else DIGITS
        return {"WKT": shapely.to_wkt(placed.to_numpy(), rounding_precision=digits)}
    shapes = job.system.degrees(part.frame).geometry.to_numpy()
    if part.layer.geometry != "Point":
        job.note("lonlat_inside", layer=part.layer.title.get(job.lang))
    points = shapely.point_on_surface(shapes)
    names = [messages.text(f"export.{name}", job.lang) for name in ("lon", "lat")]
    lonlat = (shapely.get_x(points), shapely.get_y(points))
    return {name: np.round(values, DIGITS) for name, values in zip(names, lonlat, strict=True)}
