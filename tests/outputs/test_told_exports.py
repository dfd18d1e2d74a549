"""What every format holds of a small awkward town, as text."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import ezdxf
import geopandas as gpd
import pyogrio
import pytest
from export_town import awkward, layer, town
from python_calamine import CalamineWorkbook
from told import plain, table_lines, tells

from gridmap._version import __version__
from gridmap.catalog import Layer, Symbology
from gridmap.outputs.export.layers import FORMATS, export_layers
from gridmap.outputs.export.selection import Selection
from gridmap.result import Analysed

ROWS = 9
_TEXT = (".kml", ".qml", ".sld", ".qgs", ".prj", ".cpg", ".geojsonl", ".geojson", ".json", ".xml")


def _shapes(kind: str) -> gpd.GeoDataFrame:
    frame = awkward(ROWS)
    if kind == "Point":
        return frame.set_geometry(frame.representative_point())
    return frame.set_geometry(frame.boundary) if kind == "LineString" else frame


def _style(kind: str, **more: object) -> Symbology:
    return Symbology.model_validate(
        {"kind": kind, "stroke": "#4a5568", "stroke_width": 2.0, "fill_opacity": 0.3, **more}
    )


# By kind, with everything of its own for each class.
_BY_KIND = {
    "field": "kind", "classes": {"park": "#00ff00", "shop": "#0000ff"}, "missing": "#c0c0c0",
    "stroke_by_class": True, "stroke_widths": {"park": 3.0}, "dash": "4 2", "icon": "square",
    "icons": {"shop": "star"}, "casing": "#ffffff", "casing_width": 2.5, "radius": 6.0,
    "scales": {"*": {"farthest": 50_000}, "shop": {"nearest": 1_000, "farthest": 9_000}},
    "labels": {"field": "name", "classes": ["park"], "size": 9.0, "colour": "#101010",
               "halo": "#fefefe", "halo_width": 2.0, "scales": {"farthest": 8_000}},
}  # fmt: skip


def _layers() -> Iterator[tuple[Layer, gpd.GeoDataFrame]]:
    """Yield a layer for every way of drawing, of areas, lines and points."""
    yield layer(), _shapes("Polygon")
    for shape in ("Polygon", "LineString", "Point"):
        single = _style("single", colours=["#ff0000"])
        yield layer(f"single_{shape.lower()}", shape, symbology=single), _shapes(shape)
        by_kind = _style("categorised", **_BY_KIND)
        yield layer(f"kinds_{shape.lower()}", shape, symbology=by_kind), _shapes(shape)
    heat = _style("heat", colours=["#0000ff", "#ff0000"], radius=12.0)
    yield layer("heat", "Point", symbology=heat), _shapes("Point")
    breaks = _style(
        "graduated", field="value", breaks=[2, 5], colours=["#111111", "#222222", "#333333"]
    )
    yield layer("breaks", "LineString", symbology=breaks), _shapes("LineString")
    yield layer("plain", "Point", symbology=None, label=""), _shapes("Point")


@pytest.fixture(scope="module")
def made() -> Analysed:
    return town(*_layers())


# Formats that hold the look of layers get all ways of drawing; the others one layer.
LOOKS = ("qgz", "kml", "dxf", "qml", "sld", "maplibre", "gpkg")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("form", FORMATS)
def test_what_a_format_holds(form: str, lang: str, made: Analysed, tmp_path: Path) -> None:
    names = () if form in LOOKS and lang == "en" else ("places",)
    done = export_layers(
        made, tmp_path, selection=Selection(layers=names), formats=[form], lang=lang
    )
    lines = [note.text(lang) for note in done.notes]
    for path in sorted(done.files):
        lines += [f"-- {path.relative_to(tmp_path)}", *told(path)]
    tells(f"exports/{form}_{lang}", plain("\n".join(lines)).replace(__version__, "VERSION"))


CHOICES: dict[str, dict[str, object]] = {
    "metres": {"crs": "EPSG:3857", "place": "wkt"},
    "shifted": {"crs": "GCJ-02", "place": "lonlat"},
    "without": {"place": "none", "privacy": "none"},
    "full": {"privacy": "full", "columns": ("note", "value"), "encoding": "gb18030"},
}


@pytest.mark.parametrize("name", CHOICES)
def test_what_choices_change(name: str, made: Analysed, tmp_path: Path) -> None:
    asked = dict(CHOICES[name])
    chosen = {key: asked.pop(key) for key in ("privacy", "columns") if key in asked}
    selection = Selection(layers=("places", "gaps"), **chosen)  # type: ignore[arg-type]
    forms = ("geojson", "csv", "xlsx", "shp", "gpkg")
    done = export_layers(made, tmp_path, selection=selection, formats=forms, **asked)  # type: ignore[arg-type]
    lines = [note.text("en") for note in done.notes]
    for path in sorted(done.files):
        lines += [f"-- {path.relative_to(tmp_path)}", *told(path)]
    tells(f"exports/choice_{name}", plain("\n".join(lines)).replace(__version__, "VERSION"))


def told(path: Path) -> Iterator[str]:
    """Yield what a file holds."""
    kinds = {".csv": _ledger, ".xlsx": _workbook, ".gpkg": _database, ".dxf": _drawing,
             ".fgb": _features, ".parquet": _features, ".zip": _archive, ".kmz": _archive,
             ".qgz": _archive}  # fmt: skip
    if path.suffix in _TEXT:
        yield from _lines(path.read_text(encoding="utf-8"))
    elif path.suffix in kinds:
        yield from kinds[path.suffix](path)


def _lines(text: str) -> list[str]:
    return text.replace("><", ">\n<").splitlines()


def _ledger(path: Path) -> Iterator[str]:
    data = path.read_bytes()
    coded = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "gb18030"
    yield coded
    for row in csv.reader(io.StringIO(data.decode(coded))):
        yield " | ".join(row)


def _workbook(path: Path) -> Iterator[str]:
    book = CalamineWorkbook.from_path(str(path))
    for sheet in book.sheet_names:
        yield f"[{sheet}]"
        for cells in book.get_sheet_by_name(sheet).to_python():
            yield " | ".join(str(cell) for cell in cells)


def _features(path: Path) -> Iterator[str]:
    read = gpd.read_parquet if path.suffix == ".parquet" else pyogrio.read_dataframe
    yield from table_lines(read(path).sort_values("code"))


def _database(path: Path) -> Iterator[str]:
    """Yield the tables of a GeoPackage but those of its index, shapes as their size."""
    connection = sqlite3.connect(path)
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'rtree%'"
        " AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%spatial_ref_sys' ORDER BY name"
    ).fetchall():
        yield f"[{name}]"
        for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - of this file
            cells = (f"{len(one)} bytes" if isinstance(one, bytes) else str(one) for one in row)
            yield from _lines(" | ".join(cells))
    connection.close()


def _drawing(path: Path) -> Iterator[str]:
    """Yield the layers and entities of a drawing."""
    drawing = ezdxf.readfile(path)
    for one in drawing.layers:
        yield f"{one.dxf.name} {one.color} {one.rgb} {one.dxf.linetype}"
    for entity in drawing.modelspace():
        named = entity.dxfattribs()
        kept = {key: str(named[key]) for key in sorted(named) if key not in ("handle", "owner")}
        yield f"{entity.dxftype()} {kept}"


def _archive(path: Path) -> Iterator[str]:
    with ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            yield f"- {name}"
            if name.endswith(_TEXT):
                yield from _lines(archive.read(name).decode("utf-8"))
    if path.name.endswith(".shp.zip"):
        yield from table_lines(pyogrio.read_dataframe(path))
