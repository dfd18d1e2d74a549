"""What is to be written, how, and what has to be said about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import shapely

from gridmap import messages
from gridmap.errors import OutputError
from gridmap.outputs.export.selection import Chosen
from gridmap.outputs.export.systems import System
from gridmap.result import Analysed

__all__ = [
    "TIMESTAMP",
    "ZIP_DATE",
    "Job",
    "Note",
    "all_multi",
    "gathered",
    "multi",
    "prove_family",
    "zoned",
]

# GDAL and ZIP write the time of day unless they are told another one.
TIMESTAMP = "2000-01-01T00:00:00.000Z"
ZIP_DATE = (2000, 1, 1, 0, 0, 0)

NAMED = 4  # layers that one warning names
_FAMILY = {"Point": 0, "LineString": 1, "Polygon": 2}
_COLLECT: dict[int, Callable[[Any], Any]] = {
    int(shapely.GeometryType.LINESTRING): shapely.multilinestrings,
    int(shapely.GeometryType.POLYGON): shapely.multipolygons,
}
_MULTI = {"LineString": "MultiLineString", "Polygon": "MultiPolygon"}


@dataclass(frozen=True)
class Note:
    """Something that a format cannot hold, or that was done to fit it: a warning, not an error."""

    key: str
    params: dict[str, object] = field(default_factory=dict)

    def text(self, lang: str = "en") -> str:
        """Return the warning on one line."""
        return " ".join(messages.text(self.key, lang, **self.params).split())


def gathered(notes: Sequence[Note], lang: str) -> tuple[Note, ...]:
    """Return notes that differ by their layer alone as one that names the layers."""
    groups: dict[str, list[Note]] = {}
    for note in notes:
        rest = sorted((k, str(v)) for k, v in note.params.items() if k not in ("layer", "count"))
        groups.setdefault(f"{note.key} {rest}", []).append(note)
    made = []
    for same in groups.values():
        params = dict(same[0].params)
        if "layer" in params:
            titles = [str(note.params["layer"]) for note in same]
            more = f" (+{len(titles) - NAMED})" if len(titles) > NAMED else ""
            params["layer"] = ("、" if lang == "zh" else ", ").join(titles[:NAMED]) + more
        if len(same) > 1 and isinstance(params.get("count"), int):
            params["count"] = sum(int(str(note.params["count"])) for note in same)
        made.append(Note(same[0].key, params))
    return tuple(made)


def _silent(_name: str, _format: str) -> None:
    pass


@dataclass(frozen=True)
class Job:
    """An export.

    Parameters
    ----------
    analysed : Analysed
    folder : pathlib.Path
        That takes the files.
    chosen : tuple of Chosen
        In the city's system.
    system : System
        To write in.
    lang : str
    encoding : str
        Of Shapefiles and CSV: ``utf-8`` or ``gb18030``.
    place : str
        What stands for the geometry in a ledger: ``lonlat``, ``wkt`` or ``none``.
    append : pathlib.Path, optional
        The GeoPackage to add to.
    formats : tuple of str
        All that are written in this export.
    tell : callable
        Is told each layer and format before it is written.
    notes : list of Note
        What writers have to say.
    """

    analysed: Analysed
    folder: Path
    chosen: tuple[Chosen, ...]
    system: System
    lang: str = "en"
    encoding: Literal["utf-8", "gb18030"] = "utf-8"
    place: Literal["lonlat", "wkt", "none"] = "lonlat"
    append: Path | None = None
    formats: tuple[str, ...] = ()
    tell: Callable[[str, str], None] = _silent
    notes: list[Note] = field(default_factory=list)

    def note(self, key: str, **params: object) -> None:
        """Say something once, of section ``export`` of the messages."""
        said = Note(f"export.{key}", params)
        if said not in self.notes:
            self.notes.append(said)

    @property
    def placed(self) -> tuple[Chosen, ...]:
        """The layers that have geometry."""
        return tuple(one for one in self.chosen if isinstance(one.frame, gpd.GeoDataFrame))

    @property
    def gpkg(self) -> str:
        """Name of the GeoPackage."""
        return f"{self.analysed.city.name}.gpkg"


def multi(kind: str) -> str:
    """Return the type that holds single and multiple geometries of a kind."""
    return _MULTI.get(kind, kind)


def all_multi(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a frame of lines or polygons in which each is a multiple one, if only of one part."""
    shapes = frame.geometry.to_numpy()
    made = np.array(shapes, dtype=object)
    for kind, collect in _COLLECT.items():
        single = shapely.get_type_id(shapes) == kind
        if single.any():
            made[single] = collect(shapes[single][:, None])
    return frame.set_geometry(gpd.GeoSeries(made, index=frame.index, crs=frame.crs))


def prove_family(chosen: Chosen) -> Chosen:
    """Return the layer with geometries of its own kind alone, as formats of one type need it.

    Raises
    ------
    OutputError
        If there is any other kind among them.
    """
    if not isinstance(chosen.frame, gpd.GeoDataFrame):
        return chosen
    shapes = chosen.frame.geometry.to_numpy()
    asked = _FAMILY[chosen.layer.geometry]
    dimension = shapely.get_dimensions(shapes)
    collection = shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION
    void = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    odd = (collection | (dimension != asked)) & ~void
    if odd.any():
        found = sorted({str(shape.geom_type) for shape in shapes[odd]})
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(odd)[:5])
        raise OutputError(
            "export.mixed",
            layer=chosen.layer.name,
            found=", ".join(found),
            asked=chosen.layer.geometry,
            rows=rows,
        )
    return chosen


def zoned(chosen: Chosen, zone: str) -> Chosen:
    """Return the layer with its times in a zone."""
    times = chosen.frame.select_dtypes("datetimetz")
    if times.empty and not len(times.columns):
        return chosen
    moved = {str(name): column.dt.tz_convert(zone) for name, column in times.items()}
    return replace(chosen, frame=chosen.frame.assign(**moved))
