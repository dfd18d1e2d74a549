"""Outputs: maps, layers and reports of what was computed."""

from gridmap.outputs.export.layers import DEFAULT_FORMATS, FORMATS, write_layers
from gridmap.outputs.maps.draw import draw
from gridmap.outputs.pages.packed import PackedLines, PackedPoints, PackedPolygons
from gridmap.outputs.pages.page import page, save_page
from gridmap.outputs.staging import staged
from gridmap.outputs.tables.report import (
    as_json,
    receipt_rows,
    summary_rows,
    write_quarantine,
    write_report,
)

__all__ = [
    "DEFAULT_FORMATS",
    "FORMATS",
    "PackedLines",
    "PackedPoints",
    "PackedPolygons",
    "as_json",
    "draw",
    "page",
    "receipt_rows",
    "save_page",
    "staged",
    "summary_rows",
    "write_layers",
    "write_quarantine",
    "write_report",
]
