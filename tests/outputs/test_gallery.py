"""The gallery: a card for each map, offline, in three languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import expect

from gridmap.outputs import draw, save_page
from gridmap.outputs.maps.gallery import preview, write_gallery
from gridmap.result import Analysed

if TYPE_CHECKING:
    from browser import OpenPage

NAMES = ("coverage", "heatmap", "workload")


@pytest.fixture(scope="module")
def gallery(sample: Analysed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    catalog = sample.city.catalog
    save_page(draw(sample, catalog.map("workload")), folder / "workload.html")
    return write_gallery(sample, {name: catalog.map(name) for name in NAMES}, folder, lang="zh")


@pytest.mark.browser
def test_a_card_for_each_map_leads_to_it_in_the_chosen_language(
    gallery: Path, open_page: OpenPage
) -> None:
    opened = open_page(gallery)
    expect(opened.get_by_role("article")).to_have_count(3)
    expect(opened.get_by_role("heading", level=1)).to_contain_text("青禾区")
    opened.get_by_role("radio", name="繁體中文").check()
    expect(opened.get_by_role("link", name="網格工作量")).to_be_visible()
    expect(opened.get_by_role("link", name="网格工作量")).to_have_count(0)
    opened.get_by_role("radio", name="English").check()
    opened.get_by_role("link", name="Workload by grid").click()
    expect(opened.locator(".gm-title h2")).to_contain_text("Workload by grid")


@pytest.mark.parametrize("name", NAMES)
def test_a_preview_shows_what_the_map_shows(sample: Analysed, name: str) -> None:
    spec = sample.city.catalog.map(name)
    picture = preview(sample, spec)
    assert picture == preview(sample, spec)
    drawn = ET.fromstring(picture)
    marks = [element.tag.rpartition("}")[2] for element in drawn]
    assert "path" in marks
    if name == "heatmap":
        assert marks.count("circle") > 50
    if name == "workload":
        fills = {element.get("fill") for element in drawn}
        assert len(fills - {"none"}) == 5


def test_the_gallery_needs_nothing_but_its_maps(gallery: Path) -> None:
    content = gallery.read_text("utf-8")
    assert "<script" not in content
    assert "default-src 'none'" in content
    # The name of the SVG language is an address that nobody asks.
    assert content.replace("http://www.w3.org/2000/svg", "").count("http") == 1
