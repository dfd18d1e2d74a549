"""Every shipped map of the sample city in a real browser without a network: it does what it says.

That no page asks a network or logs an error, the fixture ``open_page`` tells at the end of each.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import at_rest, wait_until
from playwright.sync_api import Locator, expect
from playwright.sync_api import Page as BrowserPage

from gridmap import messages
from gridmap.catalog import load_catalog

if TYPE_CHECKING:
    from browser import OpenPage

pytestmark = pytest.mark.browser
CATALOG = load_catalog()
NAMES = sorted([*CATALOG.maps_of("run"), *CATALOG.maps_of("plan")])
SAYS = messages.section("browser", "en")
POPUP = """() => {
    const map = window[document.querySelector('.gm-map').id];
    const point = map.latLngToContainerPoint(map._popup.getLatLng());
    const box = map.getContainer().getBoundingClientRect();
    return [point.x + box.left, point.y + box.top];
}"""
# A name of the sample city, the code of an area, or of an H3 cell.
CODE = re.compile(r"[\u4e00-\u9fff]|^\d{6,}|^[0-9a-f]{15}$")
# What a Chinese page may say in Latin letters: units, file types, names of products and of data.
LATIN = re.compile(r"\b(km|CSV|PNG|qinghe|Moran|Gi|FDR)\b")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_in_chinese(
    shipped_maps: Path, open_page: OpenPage, name: str, width: int
) -> None:
    opened = open_page(shipped_maps / f"{name}.zh.html", width=width)
    title = CATALOG.map(name).title.get("zh")
    expect(opened.get_by_role("heading", level=2, name=re.compile(title))).to_be_visible()
    words = opened.locator("body").inner_text()
    assert not re.findall(r"[A-Za-z]{4,}", LATIN.sub("", words)), words
    overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not opened.evaluate(overflow)


@pytest.mark.parametrize("name", NAMES)
def test_search_click_filter_and_language_work(
    shipped_maps: Path, open_page: OpenPage, name: str
) -> None:
    opened = open_page(shipped_maps / f"{name}.en.html")
    opened.get_by_role("button", name=SAYS["table"]).click()
    code = first_code(opened)
    search(opened, code)
    click_again(opened, code)
    filter_rows(opened)
    opened.get_by_role("button", name=SAYS["menu"]).click()
    opened.get_by_role("combobox", name=SAYS["language"]).select_option("zh-Hans")
    expect(opened.locator(".gm-title h2")).to_contain_text(CATALOG.map(name).title.get("zh"))
    assert opened.evaluate("document.documentElement.lang") == "zh-Hans"


def first_code(opened: BrowserPage) -> str:
    """Return the first code or name in the table, of the first layer that has one."""
    layers = opened.get_by_role("combobox", name=SAYS["layer"])
    for layer in layers.locator("option").all():
        layers.select_option(layer.get_attribute("value"))
        listed(opened)
        for text in opened.get_by_role("gridcell").all_inner_texts():
            if CODE.search(text):
                return text
    raise AssertionError("no layer has a name or a code")


def listed(opened: BrowserPage) -> None:
    """Wait until the table lists what was asked for."""
    expect(opened.get_by_role("grid")).to_have_attribute("aria-busy", "false")


def search(opened: BrowserPage, code: str) -> None:
    box = opened.get_by_role("combobox", name=SAYS["search"])
    box.fill(code)
    expect(opened.locator(".gm-hits li").first).to_contain_text(code)
    box.press("ArrowDown")
    box.press("Enter")
    expect(opened.locator(".gm-popup")).to_contain_text(code)


def click_again(opened: BrowserPage, code: str) -> None:
    """Close what the search has opened, and click where it stood."""
    at_rest(opened)
    x, y = opened.evaluate(POPUP)
    opened.locator(".leaflet-popup-close-button").click()
    expect(opened.locator(".gm-popup")).to_have_count(0)
    opened.mouse.click(x, y)
    expect(opened.locator(".gm-popup")).to_be_visible()


def filter_rows(opened: BrowserPage) -> None:
    """Filter by the first field that can be filtered by: the rows get fewer, the map changes."""
    status = opened.locator(".gm-table-bar [role=status]")
    opened.get_by_role("button", name=SAYS["home"]).click()
    opened.keyboard.press("Escape")
    field = first_field(opened)
    before = opened.locator(".gm-map").screenshot()
    field.focus()
    least = opened.get_by_role("spinbutton", name=re.compile(SAYS["at_least"]))
    if least.count():
        least.fill("1e12")
        expect(status).to_have_text(re.compile("^0 in view of .*filtered"))
    else:
        opened.locator(".gm-values summary").click()
        opened.locator(".gm-values").get_by_role("checkbox").first.uncheck()
        expect(status).to_contain_text("filtered")
    wait_until(opened, lambda: opened.locator(".gm-map").screenshot() != before)


def first_field(opened: BrowserPage) -> Locator:
    """Choose a field in the table of the first layer that has one to filter by."""
    layers = opened.get_by_role("combobox", name=SAYS["layer"])
    fields = opened.get_by_role("combobox", name=SAYS["filter"])
    for layer in layers.locator("option").all():
        layers.select_option(layer.get_attribute("value"))
        if fields.is_visible():
            fields.select_option(index=1)
            return fields
    raise AssertionError("no layer can be filtered")


TIMED = [name for name in NAMES if CATALOG.map(name).time]


@pytest.mark.parametrize("name", TIMED)
def test_a_time_step_is_told_and_drawn(shipped_maps: Path, open_page: OpenPage, name: str) -> None:
    opened = open_page(shipped_maps / f"{name}.en.html")
    label = opened.locator(".gm-time-label")
    everything, before = label.inner_text(), opened.locator(".gm-map").screenshot()
    opened.get_by_role("slider").press("ArrowRight")
    expect(label).not_to_have_text(everything)
    wait_until(opened, lambda: opened.locator(".gm-map").screenshot() != before)


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
def test_axe_finds_no_serious_violation(
    shipped_maps: Path, open_page: OpenPage, name: str, theme: str
) -> None:
    opened = open_page(shipped_maps / ("index.html" if name == "index" else f"{name}.en.html"))
    opened.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    if name != "index":
        opened.get_by_role("button", name=SAYS["table"]).click()
        opened.get_by_role("button", name=SAYS["menu"]).click()
        opened.get_by_role("combobox", name=SAYS["search"]).fill("00")
        listed(opened)
        answer = ".gm-hits li, .gm-search .gm-status:not([hidden])"
        expect(opened.locator(answer).first).to_be_visible()
    wait_until(opened, "document.getAnimations().length === 0")
    assert violations(opened) == []


def test_axe_finds_no_serious_violation_on_a_narrow_screen(
    shipped_maps: Path, open_page: OpenPage
) -> None:
    opened = open_page(shipped_maps / "heatmap.en.html", width=390, height=844)
    for card in (SAYS["layers"], SAYS["legend"]):
        opened.get_by_role("button", name=f"{SAYS['expand']}: {card}").click()
    assert violations(opened) == []


def test_keyboard_alone_reaches_search_layers_table_and_slider(
    shipped_maps: Path, open_page: OpenPage
) -> None:
    opened = open_page(shipped_maps / "heatmap.en.html")
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
