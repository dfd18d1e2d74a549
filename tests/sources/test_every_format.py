"""Every format that has a name is read, as it is and packed, with the same rows and shapes."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
import xlsxwriter

from gridmap.sources.door import FORMATS
from gridmap.sources.files import read_raw

CODES, NAMES = ["a1", "b2"], ["北园", "South"]
FRAME = gpd.GeoDataFrame(
    {"code": CODES, "name": NAMES},
    geometry=[shapely.box(120.9, 30.7, 120.91, 30.71), shapely.box(120.92, 30.7, 120.93, 30.71)],
    crs=4326,
)
# Nothing free writes these, or they hold no columns of their own.
UNWRITTEN = {".xls", ".ods"}
LINES_ONLY = {".dxf"}


def _ogr(path: Path) -> None:
    driver = FORMATS[path.suffix]
    if driver == "DXF":
        edges = gpd.GeoDataFrame(geometry=FRAME.boundary, crs=None)
        pyogrio.write_dataframe(edges, path, driver=driver)
        return
    options = {"encoding": "UTF-8"} if driver in ("ESRI Shapefile", "MapInfo File") else {}
    pyogrio.write_dataframe(FRAME, path, driver=driver, **options)


def _text(path: Path) -> None:
    separator = "," if path.suffix == ".csv" else "\t"
    rows = [("code", "name"), *zip(CODES, NAMES, strict=True)]
    path.write_text("\n".join(separator.join(row) for row in rows) + "\n", encoding="utf-8")


def _sheets(path: Path) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("rows")
        for number, row in enumerate([("code", "name"), *zip(CODES, NAMES, strict=True)]):
            sheet.write_row(number, 0, row)


def _topology(path: Path) -> None:
    arcs = [[[120.9 + x, 30.7], [120.91 + x, 30.7], [120.91 + x, 30.71], [120.9 + x, 30.71],
             [120.9 + x, 30.7]] for x in (0, 0.02)]  # fmt: skip
    areas = [
        {"type": "Polygon", "arcs": [[k]], "properties": {"code": CODES[k], "name": NAMES[k]}}
        for k in (0, 1)
    ]
    whole = {"type": "GeometryCollection", "geometries": areas}
    said = {"type": "Topology", "objects": {"areas": whole}, "arcs": arcs}
    path.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")


def _parquet(path: Path) -> None:
    FRAME.to_parquet(path)


_WRITERS: dict[str, Callable[[Path], None]] = {
    "text": _text, "sheets": _sheets, "parquet": _parquet, "TopoJSON": _topology,
}  # fmt: skip


def written(folder: Path, suffix: str) -> Path:
    path = folder / f"rows{suffix}"
    _WRITERS.get(FORMATS[suffix], _ogr)(path)
    return path


def _gzipped(path: Path) -> Path:
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return packed


def _zipped(path: Path, below: str = "") -> Path:
    """Pack all that lies beside a file, as a person would pack a folder."""
    packed = path.parent.with_suffix(".zip")
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(path.parent.rglob("*")):
            if file.is_file():
                archive.write(file, f"{below}{file.relative_to(path.parent)}")
        archive.writestr("__MACOSX/._rows", b"x")
    return packed


WAYS: dict[str, Callable[[Path], Path]] = {
    "plain": lambda path: path,
    "gz": _gzipped,
    "zip": _zipped,
    "zip in a folder": lambda path: _zipped(path, "2025/"),
}
# What is several files or a folder cannot be gzipped.
MANY_FILES = {".shp", ".tab", ".mif", ".gdb"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("suffix", sorted(set(FORMATS) - UNWRITTEN))
def test_a_format_is_read(suffix: str, way: str, tmp_path: Path) -> None:
    if way == "gz" and suffix in MANY_FILES:
        pytest.skip("of several files")
    (tmp_path / "rows").mkdir()
    raw = read_raw(WAYS[way](written(tmp_path / "rows", suffix)))
    assert len(raw.table) == 2
    if suffix not in LINES_ONLY:
        named = raw.table.rename(columns=str.lower).sort_values("code")  # .fgb has its own order
        assert named["code"].tolist() == CODES
        assert named["name"].tolist() == NAMES
    if FORMATS[suffix] in ("text", "sheets"):
        assert raw.geometry is None
    elif suffix not in LINES_ONLY:
        assert raw.geometry is not None
        shapes = raw.geometry.to_numpy()[named.index]
        away = shapely.hausdorff_distance(shapes, FRAME.geometry.to_numpy())
        assert away.max() < 1e-6
