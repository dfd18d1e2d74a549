"""Maps in Python: those of the catalogue, of any frame, and pages to put layers on."""

from gridmap.outputs.maps.draw import draw
from gridmap.outputs.maps.explore import explore
from gridmap.outputs.maps.gallery import write_gallery
from gridmap.outputs.pages.packed import PackedLines, PackedPoints, PackedPolygons
from gridmap.outputs.pages.page import Page, page, save_page

__all__ = [
    "PackedLines",
    "PackedPoints",
    "PackedPolygons",
    "Page",
    "draw",
    "explore",
    "page",
    "save_page",
    "write_gallery",
]
