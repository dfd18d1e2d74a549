"""A saved page: one file, whole, the same every time, and quiet."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import folium
import pytest
from folium.plugins import Draw, HeatMap
from playwright.sync_api import expect

from gridmap.errors import OutputError
from gridmap.messages import text
from gridmap.outputs.pages import runtime
from gridmap.outputs.pages.page import Page, page, save_page

if TYPE_CHECKING:
    from browser import OpenPage

BOUNDS = (121.0, 30.6, 121.2, 30.7)
SCRIPT = """
import sys
import folium
from gridmap.outputs.pages.page import page, save_page
made = page(title="Same", bounds=(121.0, 30.6, 121.2, 30.7), lines=["a", "b"])
group = folium.FeatureGroup().add_to(made)
folium.Marker([30.65, 121.1], popup="Station", tooltip="Here").add_to(group)
folium.LayerControl().add_to(made)
save_page(made, sys.argv[1])
"""


def small_page(**options: str) -> Page:
    return page(title="Small", bounds=BOUNDS, **options)  # type: ignore[arg-type]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_a_page_opens_without_a_network(
    tmp_path: Path, open_page: OpenPage, width: int, height: int
) -> None:
    opened = open_page(save_page(small_page(), tmp_path / "map.html"), width, height)
    expect(opened.get_by_role("heading", name="Small")).to_be_visible()
    assert opened.evaluate("[typeof L.map, typeof gridmap.page]") == ["function", "function"]
    corners = opened.evaluate(
        "(b => [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()])"
        "(window[document.querySelector('.gm-map').id].getBounds())"
    )
    west, south, east, north = BOUNDS
    assert corners[0] < west
    assert corners[1] < south
    assert corners[2] > east
    assert corners[3] > north


@pytest.mark.browser
def test_about_lists_the_licences_of_what_is_inside(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(small_page(), tmp_path / "map.html"))
    opened.get_by_role("button", name=text("browser.menu")).click()
    opened.get_by_role("button", name=text("browser.about")).click()
    expect(opened.locator("dialog summary")).to_have_text(
        [
            f"{held['name']} {held['version']} · {held['licence']}"
            for held in json.loads(runtime.runtime_file("licences.json"))
        ]
    )
    opened.keyboard.press("Escape")
    expect(opened.locator("dialog")).to_be_hidden()


@pytest.mark.browser
def test_folium_plugins_that_the_runtime_covers_work_offline(
    tmp_path: Path, open_page: OpenPage
) -> None:
    made = small_page()
    HeatMap([[30.65, 121.1], [30.66, 121.12]]).add_to(made)
    content = save_page(made, tmp_path / "heat.html").read_text(encoding="utf-8")
    assert re.findall(r'<(?:script src|link[^>]*href)="[^"]*"', content) == []
    opened = open_page(tmp_path / "heat.html")
    expect(opened.locator(".leaflet-heatmap-layer")).to_be_visible()


def test_the_same_content_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    script = tmp_path / "same.py"
    script.write_text(SCRIPT, encoding="utf-8")
    paths = [tmp_path / "one.html", tmp_path / "two.html"]
    for path in paths:
        subprocess.run([sys.executable, str(script), str(path)], check=True)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_saving_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    made = small_page()
    folium.FeatureGroup("Marks").add_to(made)
    first = save_page(made, tmp_path / "one.html").read_bytes()
    assert save_page(made, tmp_path / "two.html").read_bytes() == first


def test_what_is_added_after_a_save_is_in_the_next(tmp_path: Path) -> None:
    made = small_page()
    save_page(made, tmp_path / "map.html")
    folium.Circle([30.65, 121.1], radius=77).add_to(made)
    assert "77" in save_page(made, tmp_path / "map.html").read_text(encoding="utf-8")[-2000:]


def test_a_link_that_the_runtime_does_not_hold_stays_and_is_let_in(tmp_path: Path) -> None:
    made = small_page()
    Draw().add_to(made)
    content = save_page(made, tmp_path / "map.html").read_text(encoding="utf-8")
    assert "leaflet.draw.js" in content
    assert re.search(r"script-src 'unsafe-inline' https://\S+", content)
    assert "https" not in save_page(small_page(), tmp_path / "own.html").read_text("utf-8")[:900]


def test_the_document_names_its_language_title_and_policy(tmp_path: Path) -> None:
    made = page(title="<b>&</b>", bounds=BOUNDS, lang="zh")
    head = save_page(made, tmp_path / "map.html").read_text(encoding="utf-8")[:1000]
    assert '<html lang="zh-Hans">' in head
    assert '<meta charset="utf-8">' in head
    assert "<title>&lt;b&gt;&amp;&lt;/b&gt;</title>" in head
    assert "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'" in head
    assert head.index("Content-Security-Policy") < head.index("<title>")


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    taken = tmp_path / "folder.html"
    taken.mkdir()
    with pytest.raises(OutputError, match=r"folder\.html"):
        save_page(small_page(), taken)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert save_page(small_page(), tmp_path / "out" / "maps" / "map.html").is_file()


def test_an_unbuilt_runtime_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "shipped", tmp_path.joinpath)
    runtime.runtime_file.cache_clear()
    with pytest.raises(OutputError, match=re.escape(str(tmp_path))):
        save_page(small_page(), tmp_path / "map.html")


def test_a_map_of_nothing_is_refused() -> None:
    with pytest.raises(OutputError, match="Empty"):
        page(title="Empty", bounds=[float("nan")] * 4)


def test_a_page_opens_in_the_middle_of_its_bounds() -> None:
    made = page(title="Small", bounds=(121.0, 30.6, 121.5, 30.7), max_zoom=17)
    assert made.location == pytest.approx([30.65, 121.25])
    assert made.options["max_zoom"] == 17
