"""Layers for GIS desktops: one GeoPackage of everything, and other formats by choice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyogrio
from xlsxwriter.exceptions import XlsxWriterException

from gridmap.catalog import Catalog
from gridmap.errors import OutputError
from gridmap.kinds import checked
from gridmap.leaving import unmasked
from gridmap.measures.analyse import why_nothing
from gridmap.messages.foreign import library_reason
from gridmap.outputs.export.formats import DEFAULT_FORMATS, FORMAT_TABLE, FORMATS
from gridmap.outputs.export.job import TIMESTAMP, Job, Note, gathered
from gridmap.outputs.export.selection import Selection, chosen_layers
from gridmap.outputs.export.systems import system_of
from gridmap.resources import AnyPath
from gridmap.result import Analysed

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "Exported",
    "check_formats",
    "export_layers",
    "plan_steps",
    "write_layers",
]

_FAULTS = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.FieldError,
    pyogrio.errors.GeometryError,
    sqlite3.Error,
    pa.ArrowException,
    XlsxWriterException,
)


@dataclass(frozen=True)
class Exported:
    """What an export wrote, and what it has to say: `Note.text` gives it in a language."""

    files: tuple[Path, ...]
    notes: tuple[Note, ...]


@checked
def write_layers(
    analysed: Analysed,
    folder: AnyPath,
    *,
    formats: Sequence[str] = DEFAULT_FORMATS,
    names: Iterable[str] = (),
    lang: str = "en",
) -> list[Path]:
    """Write layers in the city's system, the same bytes for the same input.

    Parameters
    ----------
    analysed : Analysed
    folder : path
        It must exist.
    formats : sequence of str
        Of `FORMATS`.
    names : iterable of str
        The layers to write; all if none is named.
    lang : str
        Of the legends and field aliases that desktops show.

    Returns
    -------
    list of pathlib.Path
        What was written.

    Raises
    ------
    OutputError
        If a format is not known, or cannot hold a layer.
    CatalogError
        If a layer is not known.

    Examples
    --------
    >>> import tempfile
    >>> city = gridmap.read_city("data", layers=["grids"])
    >>> analysed = gridmap.analyse(city, want=["grids"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = gridmap.write_layers(analysed, folder, formats=["geojson"], names=["grids"])
    ...     [file.name for file in files]
    ['grids.geojson']
    """
    selection = Selection(layers=tuple(names))
    made = export_layers(analysed, folder, selection=selection, formats=formats, lang=lang)
    return list(made.files)


def export_layers(
    analysed: Analysed,
    folder: AnyPath,
    *,
    selection: Selection | None = None,
    formats: Sequence[str] = DEFAULT_FORMATS,
    crs: str = "",
    lang: str = "en",
    encoding: Literal["utf-8", "gb18030"] = "utf-8",
    place: Literal["lonlat", "wkt", "none"] = "lonlat",
    append: Path | None = None,
    tell: Callable[[str, str], None] = lambda _layer, _format: None,
) -> Exported:
    """Write chosen layers, the same bytes for the same input.

    Parameters
    ----------
    analysed : Analysed
    folder : pathlib.Path
        It must exist. ``<city>.gpkg`` holds every layer, its times in UTC; most other formats
        have a file for each layer, see `gridmap.outputs.export.formats.FORMAT_TABLE`.
    selection : Selection, optional
        Everything by default, with private fields masked.
    formats : sequence of str
        Of `FORMATS`.
    crs : str
        As `gridmap.outputs.export.systems.system_of` takes it; the city's if empty. Formats that
        know longitude and latitude alone are in these.
    lang : str
        Of the legends, field aliases and headings.
    encoding : str
        Of Shapefiles and CSV.
    place : str
        What stands for the geometry in CSV and Excel: ``lonlat``, ``wkt`` or ``none``.
    append : pathlib.Path, optional
        A GeoPackage to whose layers rows are added; the result is in `folder` all the same.
    tell : callable
        Is told each layer and format before it is written.

    Returns
    -------
    Exported

    Raises
    ------
    OutputError
        If a format, area or column is not known, or a format cannot hold a layer.
    CatalogError
        If a layer is not known.
    CrsError
        If the system is not known.
    """
    check_formats(formats, append=append is not None)
    asked = selection or Selection()
    chosen = tuple(chosen_layers(analysed, asked))
    with unmasked(asked.privacy == "full"):
        analysed = analysed.shown()
    system = system_of(crs, analysed.city.crs)
    job = Job(
        analysed=analysed,
        folder=Path(folder),
        chosen=chosen,
        system=system,
        lang=lang,
        encoding=encoding,
        place=place,
        append=append,
        formats=tuple(formats),
        tell=tell,
    )
    _note_left_out(job, asked)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": TIMESTAMP})
    written: list[Path] = []
    for name in [one for one in FORMATS if one in formats and chosen]:
        if FORMAT_TABLE[name].degrees and (crs and (system.datum or system.metric)):
            job.note("shifted" if system.datum else "degrees", format=name, crs=crs)
        written += _written(job, name)
    return Exported(tuple(written), gathered(job.notes, lang))


def _note_left_out(job: Job, selection: Selection) -> None:
    """Say which of the layers that were asked for by name are in no file, or not in one format."""
    catalog = job.analysed.city.catalog
    there = {one.layer.name for one in job.chosen}
    for name in dict.fromkeys(selection.layers):
        title = catalog.layer(name).title.get(job.lang)
        if name not in there:
            job.note("absent", layer=f"{title} ({name})", why=why_nothing(job.analysed, name))
    placed = {one.layer.name for one in job.placed}
    for one in job.chosen:
        bare = one.layer.name in selection.layers and one.layer.name not in placed
        for form in job.formats if bare else ():
            if not FORMAT_TABLE[form].tables:
                title = one.layer.title.get(job.lang)
                job.note("no_shapes", layer=f"{title} ({one.layer.name})", format=form)


def check_formats(formats: Sequence[str], *, append: bool = False) -> None:
    """Refuse formats that are not known, and those that cannot be added to.

    Raises
    ------
    OutputError
        It lists those that there are.
    """
    for name in formats:
        if name not in FORMATS:
            raise OutputError("output.format", format=name, known=", ".join(FORMATS))
    if append and set(formats) - {"gpkg", "qgz"}:
        raise OutputError("export.append_format", formats=", ".join(sorted(set(formats))))


def plan_steps(catalog: Catalog, formats: Sequence[str]) -> int:
    """Return about how many times `export_layers` tells something, for a bar of progress."""
    return len(catalog.layers) * max(len(set(formats)), 1)


def _written(job: Job, name: str) -> list[Path]:
    made = FORMAT_TABLE[name]
    if made.loses:
        job.note(made.loses)
    takes = job.chosen if made.tables else job.placed
    if made.all is not None:
        with _faults(name, ""):
            return made.all(job, takes)
    files: list[Path] = []
    for one in takes:
        job.tell(one.layer.name, name)
        with _faults(name, one.layer.name):
            files += made.one(job, one) if made.one is not None else []
    return files


@contextmanager
def _faults(format_name: str, layer: str) -> Iterator[None]:
    """Turn what libraries raise when they cannot write into an error of ours."""
    try:
        yield
    except _FAULTS as error:
        key = "export.failed" if layer else "export.failed_whole"
        raise OutputError(
            key, format=format_name, layer=layer, reason=library_reason(error)
        ) from error
