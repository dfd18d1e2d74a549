"""Shapefile, zipped, with what the format loses beside it.

A dBASE table has names of 10 bytes and texts of 254, no times, and no null text. Names are cut
between characters and kept apart by a number; full names, and texts too long, stand in CSV
files in the archive. The code page is told by ``.cpg``, which GDAL, QGIS and ArcGIS read, and by
the language driver in the header for programs that do not.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from gridmap.catalog import Layer
from gridmap.errors import OutputError
from gridmap.outputs.export.archive import zip_files
from gridmap.outputs.export.job import Job, multi, prove_family, zoned
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.styles.qgis import qml
from gridmap.outputs.styles.sld import sld
from gridmap.outputs.tables.ledger import csv_bytes

__all__ = ["cut_text", "short_names", "write_shapefile"]

NAME_BYTES, TEXT_BYTES, MOST_FIELDS = 10, 254, 255
MOST_BYTES = 2 << 30  # of .shp and .dbf, that all programs bear
_CODE_PAGE = {"utf-8": "UTF-8", "gb18030": "GB18030"}
_LANGUAGE_DRIVER_AT, _GBK = 29, 0x4D


def write_shapefile(job: Job, chosen: Chosen) -> list[Path]:
    """Write a layer as ``<layer>.shp.zip``.

    Raises
    ------
    OutputError
        If it has more fields or bytes than the format can hold.
    """
    layer, stem = chosen.layer, chosen.layer.name
    part = zoned(prove_family(chosen), job.analysed.city.timezone)
    columns = [str(name) for name in part.frame.columns if name != part.frame.geometry.name]
    if len(columns) > MOST_FIELDS:
        raise OutputError("export.shp_fields", layer=stem, count=len(columns), most=MOST_FIELDS)
    names = short_names(columns, job.encoding)
    table, long = _table(job, part, columns)
    folder = job.folder / f".{stem}.shp"
    folder.mkdir()
    placed = job.system.place(gpd.GeoDataFrame(table, geometry=part.frame.geometry))
    with warnings.catch_warnings():
        # Wide numbers are told by ourselves; GDAL makes the column wider and says so.
        warnings.filterwarnings("ignore", message=".*successfully written.*")
        pyogrio.write_dataframe(
            placed.rename(columns=names),
            folder / f"{stem}.shp",
            driver="ESRI Shapefile",
            encoding=_CODE_PAGE[job.encoding],
            geometry_type=multi(layer.geometry),
            layer_options={"RESIZE": "YES", "DBF_DATE_LAST_UPDATE": "2000-01-01"},
        )
    _mark_code_page(folder / f"{stem}.dbf", job.encoding)
    files = [folder / f"{stem}.{suffix}" for suffix in ("shp", "shx", "dbf", "prj", "cpg")]
    for file in files[:3]:
        if file.stat().st_size > MOST_BYTES:
            raise OutputError("export.shp_size", layer=stem, file=file.name)
    files += _sheets(job, layer, folder, names, long)
    if chosen.styled:
        files += [folder / f"{stem}.qml", folder / f"{stem}.sld"]
        renamed = _renamed(layer, chosen.whole, names)
        files[-2].write_text(qml(*renamed, job.lang), encoding="utf-8")
        files[-1].write_text(sld(*renamed, job.lang), encoding="utf-8")
    path = job.folder / f"{stem}.shp.zip"
    zip_files(path, [file for file in files if file.exists()])
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    return [path]


def short_names(names: Sequence[str], encoding: str) -> dict[str, str]:
    """Return a name of at most 10 bytes for each, cut between characters and all different.

    Parameters
    ----------
    names : sequence of str
    encoding : str

    Returns
    -------
    dict of str to str
        In the order given. dBASE does not tell upper from lower case, so neither do these.
    """
    short: dict[str, str] = {}
    used: set[str] = set()
    for name in names:
        cut, number = cut_text(name, NAME_BYTES, encoding), 1
        while cut.lower() in used:
            tail = f"_{number}"
            cut = cut_text(name, NAME_BYTES - len(tail), encoding) + tail
            number += 1
        used.add(cut.lower())
        short[name] = cut
    return short


def cut_text(text: str, size: int, encoding: str) -> str:
    """Return as much of a text as fits into so many bytes, in whole characters."""
    return text.encode(encoding, errors="replace")[:size].decode(encoding, errors="ignore")


def _table(
    job: Job, part: Chosen, columns: Sequence[str]
) -> tuple[pd.DataFrame, list[tuple[str, str, str]]]:
    """Return the attributes as dBASE can hold them, and the texts that it cannot."""
    layer, made, long = part.layer, {}, []
    key = part.frame.get(layer.key, None)
    for name in columns:
        values = part.frame[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind == "M":
            job.note("shp_times", layer=layer.title.get(job.lang))
            values = values.map(lambda t: t.isoformat(), na_action="ignore").astype("string")
        if pd.api.types.is_string_dtype(values) or values.dtype == object:
            texts = values.astype("string")
            size = np.array([_bytes(text, job.encoding) for text in texts.fillna("")])
            for row in np.flatnonzero(size > TEXT_BYTES):
                code = str(row + 1) if key is None else str(key.iloc[row])
                long.append((code, name, str(texts.iloc[row])))
            if (size > TEXT_BYTES).any():
                cut = texts.map(
                    lambda text: cut_text(text, TEXT_BYTES, job.encoding), na_action="ignore"
                )
                texts = cut.astype("string")
            values = texts
        made[name] = values
    if any(len(short) < len(name) for name, short in short_names(columns, job.encoding).items()):
        job.note("shp_names", layer=layer.title.get(job.lang))
    if long:
        job.note("shp_long", layer=layer.title.get(job.lang), count=len(long))
    return pd.DataFrame(made, index=part.frame.index), long


def _bytes(text: str, encoding: str) -> int:
    return len(text.encode(encoding, errors="replace"))


def _mark_code_page(dbf: Path, encoding: str) -> None:
    with dbf.open("r+b") as file:
        file.seek(_LANGUAGE_DRIVER_AT)
        file.write(bytes([_GBK if encoding == "gb18030" else 0]))


def _sheets(
    job: Job,
    layer: Layer,
    folder: Path,
    names: dict[str, str],
    long: Sequence[tuple[str, str, str]],
) -> list[Path]:
    rows = [
        [
            short,
            name,
            layer.fields[name].label.get("zh"),
            layer.fields[name].label.get("en"),
            layer.fields[name].unit,
            layer.fields[name].description.get(job.lang),
        ]
        for name, short in names.items()
    ]
    heads = ["name", "field", "label_zh", "label_en", "unit", "description"]
    written = [folder / f"{layer.name}_fields.csv"]
    written[0].write_bytes(csv_bytes(pd.DataFrame(rows, columns=heads)))
    if long:
        written.append(folder / f"{layer.name}_texts.csv")
        texts = pd.DataFrame(long, columns=[layer.key or "row", "field", "text"])
        written[1].write_bytes(csv_bytes(texts))
    return written


def _renamed(
    layer: Layer, frame: pd.DataFrame, names: dict[str, str]
) -> tuple[Layer, pd.DataFrame]:
    """Return a layer and its rows under the short names, for styles beside the file."""
    style = layer.symbology
    if style is None:
        return layer, frame
    labels = style.labels
    if labels is not None and labels.field in names:
        labels = labels.model_copy(update={"field": names[labels.field]})
    elif labels is not None:
        labels = None
    changed = {
        "labels": labels,
        **{
            key: names.get(getattr(style, key), "")
            for key in ("field", "instead", "unless")
            if getattr(style, key)
        },
    }
    fields = {names.get(name, name): field for name, field in layer.fields.items()}
    renamed = layer.model_copy(
        update={"symbology": style.model_copy(update=changed), "fields": fields}
    )
    return renamed, frame.rename(columns=names)
