"""The shipped pages by axe-core, and by keyboard alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page as BrowserPage

from gridmap import messages
from gridmap.outputs import draw, save_page
from gridmap.outputs.gallery import write_gallery
from gridmap.result import Analysed

if TYPE_CHECKING:
    from browser import OpenPage

pytestmark = pytest.mark.browser
SAYS = messages.section("browser", "en")
NAMES = ("battle", "coverage", "heatmap", "responsibility", "workload")


@pytest.fixture(scope="module")
def pages(sample: Analysed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("accessible")
    specs = {name: sample.city.catalog.map(name) for name in NAMES}
    for name, spec in specs.items():
        save_page(draw(sample, spec), folder / f"{name}.html")
    write_gallery(sample, specs, folder)
    return folder


def violations(opened: BrowserPage) -> list[str]:
    found: list[dict[str, Any]] = Axe().run(opened).response["violations"]
    return [
        f"{one['id']}: {node['html']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [*NAMES, "index"])
def test_no_serious_violation(pages: Path, open_page: OpenPage, name: str, theme: str) -> None:
    opened = open_page(pages / f"{name}.html")
    opened.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    if name != "index":
        opened.get_by_role("button", name=SAYS["table"]).click()
        opened.get_by_role("button", name=SAYS["menu"]).click()
        opened.get_by_role("combobox", name=SAYS["search"]).fill("00")
    opened.wait_for_timeout(400)
    assert violations(opened) == []


def test_no_serious_violation_on_a_narrow_screen(pages: Path, open_page: OpenPage) -> None:
    opened = open_page(pages / "heatmap.html", width=390, height=844)
    for card in (SAYS["layers"], SAYS["legend"]):
        opened.get_by_role("button", name=f"{SAYS['expand']}: {card}").click()
    assert violations(opened) == []


def test_keyboard_alone_reaches_search_layers_table_and_slider(
    pages: Path, open_page: OpenPage
) -> None:
    opened = open_page(pages / "heatmap.html")
    reached = set()
    for _ in range(60):
        opened.keyboard.press("Tab")
        reached.add(
            opened.evaluate(
                """(() => {
                    const { tagName, type, className } = document.activeElement;
                    return [tagName, type ?? '', className].join(' ').trim();
                })()"""
            )
        )
    assert "INPUT search gm-search-box" in reached
    assert "INPUT checkbox" in reached
    assert "INPUT range" in reached
    assert any("gm-icon-table" in one for one in reached)
    assert any("gm-icon-menu" in one for one in reached)
