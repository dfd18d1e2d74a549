"""The cards around a map in a real browser: search, filter, table, menu, permalink."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pytest
import shapely
from browser import at_rest, colour_at, spot, wait_until
from playwright.sync_api import Page as BrowserPage
from playwright.sync_api import expect

from gridmap import messages
from gridmap.outputs.pages.elements import (
    GeoLayer,
    Labels,
    LayerSwitch,
    Legend,
    LegendSection,
)
from gridmap.outputs.pages.encoding import Field
from gridmap.outputs.pages.page import Page, page, save_page

if TYPE_CHECKING:
    from browser import OpenPage

pytestmark = pytest.mark.browser
SAYS = messages.section("browser", "en")
EVIL = '<img src=x onerror="window.hacked=1">'
CANVAS = ".leaflet-overlay-pane canvas"
SIDE = 12
STEP = 0.01
WEST, SOUTH = 121.0, 30.6
NAMES = {"en": "Parcels", "zh": "地块"}
FIELDS: list[Field] = [
    {"name": "code", "label": {"en": "Code", "zh": "编码"}},
    {"name": "name", "label": {"en": "Name", "zh": "名称"}},
    {
        "name": "kind",
        "label": {"en": "Kind", "zh": "类型"},
        "categories": {"shop": {"en": "Shop", "zh": "商铺"}, "home": {"en": "Home", "zh": "住宅"}},
    },
    {"name": "cases", "label": {"en": "Cases", "zh": "案件"}, "format": "number", "decimals": 0},
]
STYLES = {"few": {"fillColor": "#deebf7"}, "many": {"fillColor": "#08519c"}}


def parcels(side: int = SIDE) -> gpd.GeoDataFrame:
    """Squares in rows from the south-west: parcel 0 at the corner, 1 to its east."""
    places = [(x, y) for y in range(side) for x in range(side)]
    count = len(places)
    return gpd.GeoDataFrame(
        {
            "code": [f"P{number:05d}" for number in range(count)],
            "name": [f"Parcel {number}" for number in range(count)],
            "kind": ["shop" if number % 3 == 0 else "home" for number in range(count)],
            "cases": np.arange(count),
            "member": [None if number % 2 else f"Member {number}" for number in range(count)],
        },
        geometry=[
            shapely.box(
                WEST + x * STEP, SOUTH + y * STEP, WEST + (x + 1) * STEP, SOUTH + (y + 1) * STEP
            )
            for x, y in places
        ],
        crs=4326,
    )


def parcel_page(frame: gpd.GeoDataFrame, **options: str) -> Page:
    made = page(title={"en": "Town", "zh": "城镇"}, bounds=frame.total_bounds, **options)  # type: ignore[arg-type]
    style = ["few" if cases < 72 else "many" for cases in frame["cases"]]
    layer = GeoLayer(
        frame,
        name=NAMES,
        style=style,
        styles=STYLES,
        fields=FIELDS,
        tooltip="name",
        keep=["member"],
    ).add_to(made)
    other = GeoLayer(
        gpd.GeoDataFrame({"name": ["Elm Street"]}, geometry=[frame.union_all()], crs=4326),
        name="Street",
        style="line",
        styles={"line": {"fill": False}},
        fields=[{"name": "name", "label": "Name"}],
        show=False,
    ).add_to(made)
    LayerSwitch([layer, other], groups=[{"en": "Ground", "zh": "底图"}, ""]).add_to(made)
    section: LegendSection = {
        "title": NAMES,
        "kind": "classes",
        "overlay": "Parcels",
        "styles": STYLES,
        "items": [
            {"colour": "#deebf7", "label": {"en": "few", "zh": "少"}, "count": 72, "style": "few"},
            {
                "colour": "#08519c",
                "label": {"en": "many", "zh": "多"},
                "count": 72,
                "style": "many",
            },
        ],
    }
    section["variants"] = [
        {"name": {"en": "Cases", "zh": "案件"}, "section": {**section}, "style": style},
        {
            "name": {"en": "Kind", "zh": "类型"},
            "section": {
                "title": {"en": "Kind", "zh": "类型"},
                "kind": "categories",
                "overlay": "Parcels",
                "styles": {"shop": {"fillColor": "#d95f02"}, "home": {"fillColor": "#1b9e77"}},
                "items": [{"colour": "#d95f02", "label": "Shop", "count": 48, "style": "shop"}],
            },
            "style": frame["kind"].tolist(),
        },
    ]
    Legend([section]).add_to(made)
    return made


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_page(parcel_page(parcels()), tmp_path_factory.mktemp("cards") / "town.html")


def centre(number: int) -> tuple[float, float]:
    return WEST + (number % SIDE + 0.5) * STEP, SOUTH + (number // SIDE + 0.5) * STEP


@pytest.mark.parametrize(
    ("asked", "first"),
    [("p00017", "P00017"), ("Member 20", "Member 20"), ("elm", "Elm Street")],
    ids=["code", "person", "name in a hidden layer"],
)
def test_search_finds_by_any_text_and_goes_there(
    saved: Path, open_page: OpenPage, asked: str, first: str
) -> None:
    opened = open_page(saved)
    box = opened.get_by_role("combobox", name=SAYS["search"])
    box.focus()
    box.type(asked)
    expect(opened.locator(".gm-hits li").first).to_contain_text(first)
    box.press("ArrowDown")
    box.press("Enter")
    expect(opened.locator(".gm-popup")).to_be_visible()
    expect(opened.locator(".gm-hits li")).to_have_count(0)
    if first == "Elm Street":
        expect(opened.get_by_role("checkbox", name="Street")).to_be_checked()
    if asked == "p00017":
        expect(opened.locator(".gm-popup td").first).to_have_text("P00017")
        lon, _lat = centre(17)
        bounds = "window[document.querySelector('.gm-map').id].getBounds()"
        west, east = opened.evaluate(f"(b => [b.getWest(), b.getEast()])({bounds})")
        assert west < lon < east
        assert east - west < 0.06


def test_search_says_how_many_there_are_and_when_there_are_none(
    saved: Path, open_page: OpenPage
) -> None:
    opened = open_page(saved)
    box = opened.get_by_role("combobox", name=SAYS["search"])
    box.fill("parcel")
    expect(opened.locator(".gm-status")).to_have_text("50 of 144 shown")
    box.fill("nowhere")
    expect(opened.locator(".gm-status")).to_have_text(SAYS["found_none"])
    box.press("Escape")
    expect(opened.locator(".gm-status")).to_be_hidden()


def test_search_answers_at_once_in_20000_rows(tmp_path: Path, open_page: OpenPage) -> None:
    frame = parcels(142)
    opened = open_page(save_page(parcel_page(frame), tmp_path / "large.html"))
    box = opened.get_by_role("combobox", name=SAYS["search"])
    box.fill("p20163")
    expect(opened.locator(".gm-hits li")).to_have_count(1)
    # What the browser's own clock says of one more letter, not counting the pause for typing.
    took = opened.evaluate(
        """async () => {
            const box = document.querySelector('.gm-search-box');
            const done = new Promise((resolve) => {
                new MutationObserver(() => resolve(performance.now()))
                    .observe(document.querySelector('.gm-hits'), {childList: true});
            });
            box.value = 'parcel 19';
            const start = performance.now();
            box.dispatchEvent(new Event('input', {bubbles: true}));
            return (await done) - start;
        }"""
    )
    assert took < 1000


def test_a_legend_entry_switches_its_class(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    assert colour_at(opened, *centre(30), CANVAS)[3] > 0
    entry = opened.locator(".gm-legend").get_by_role("button", name=re.compile("^few"))
    entry.click()
    expect(entry).to_have_attribute("aria-pressed", "false")
    wait_until(opened, lambda: colour_at(opened, *centre(30), CANVAS)[3] == 0)
    assert colour_at(opened, *centre(100), CANVAS)[3] > 0
    entry.press("Enter")
    wait_until(opened, lambda: colour_at(opened, *centre(30), CANVAS)[3] > 0)


def test_what_is_filtered_out_cannot_be_clicked(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    opened.locator(".gm-legend").get_by_role("button", name=re.compile("^few")).click()
    opened.mouse.click(*spot(opened, *centre(30)))
    expect(opened.locator(".gm-popup")).to_have_count(0)


def test_the_attribute_shown_can_be_changed(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)

    def hues() -> list[list[int]]:
        return [colour_at(opened, *centre(at), CANVAS)[:3] for at in (30, 31)]

    wait_until(opened, lambda: hues()[0] == hues()[1])
    opened.get_by_role("combobox", name=SAYS["shown_by"]).select_option("Kind")
    wait_until(opened, lambda: hues()[0] != hues()[1])
    (red, green, _), (red_beside, green_beside, _) = hues()
    assert red > green
    assert green_beside > red_beside
    opened.get_by_role("combobox", name=SAYS["shown_by"]).select_option("Cases")
    wait_until(opened, lambda: hues()[0] == hues()[1])


def open_table(opened: BrowserPage) -> None:
    opened.get_by_role("button", name=SAYS["table"]).click()
    expect(opened.get_by_role("grid")).to_be_visible()


def test_the_table_follows_the_view_and_sorts(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    open_table(opened)
    status = opened.locator(".gm-table-bar [role=status]")
    opened.get_by_role("button", name=SAYS["home"]).click()
    expect(status).to_have_text("144 in view of 144")
    opened.get_by_role("button", name="Cases").click()
    first = opened.locator(".gm-table-body [role=row]").first
    expect(first).to_contain_text("P00000")
    opened.get_by_role("button", name="Cases").click()
    expect(first).to_contain_text("P00143")
    expect(opened.get_by_role("columnheader", name="Cases")).to_have_attribute(
        "aria-sort", "descending"
    )
    first.click()
    expect(opened.locator(".gm-popup td").first).to_have_text("P00143")
    expect(status).not_to_have_text("144 in view of 144")


def test_rows_can_be_reached_by_keyboard_alone(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    for _ in range(2):
        opened.get_by_role("button", name=SAYS["zoom_out"]).press("Enter")
        at_rest(opened)
    opened.get_by_role("button", name=SAYS["table"]).focus()
    opened.keyboard.press("Enter")
    for _ in range(12):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.getAttribute('role')") == "grid":
            break
    expect(opened.locator(".gm-table-body [role=row]").first).to_contain_text("P00000")
    opened.keyboard.press("ArrowDown")
    opened.keyboard.press("ArrowDown")
    opened.keyboard.press("Enter")
    expect(opened.locator(".gm-popup td").first).to_have_text("P00001")


def test_only_the_rows_on_screen_are_drawn(tmp_path: Path, open_page: OpenPage) -> None:
    opened = open_page(save_page(parcel_page(parcels(70)), tmp_path / "many.html"))
    open_table(opened)
    opened.get_by_role("button", name=SAYS["home"]).click()
    expect(opened.get_by_role("grid")).to_have_attribute("aria-rowcount", "4901")
    assert opened.locator(".gm-table-body [role=row]").count() < 60
    opened.get_by_role("grid").evaluate("grid => { grid.scrollTop = 2000 * 30; }")
    expect(opened.get_by_text("P02003", exact=True)).to_be_visible()


def test_filters_by_range_and_by_category(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    open_table(opened)
    opened.get_by_role("button", name=SAYS["home"]).click()
    status = opened.locator(".gm-table-bar [role=status]")
    chooser = opened.get_by_role("combobox", name=SAYS["filter"])
    chooser.select_option("Cases")
    opened.get_by_role("spinbutton", name=re.compile(SAYS["at_least"])).fill("100")
    expect(status).to_have_text("44 in view of 144, filtered")
    opened.get_by_role("spinbutton", name=re.compile(SAYS["at_most"])).fill("109")
    expect(status).to_have_text("10 in view of 144, filtered")
    assert colour_at(opened, *centre(30), CANVAS)[3] == 0
    chooser.select_option("Kind")
    expect(status).to_have_text("144 in view of 144")
    opened.locator(".gm-values summary").click()
    opened.locator(".gm-values").get_by_role("checkbox", name=re.compile("Home")).uncheck()
    expect(status).to_have_text("48 in view of 144, filtered")
    opened.get_by_role("button", name=SAYS["reset"]).click()
    expect(status).to_have_text("144 in view of 144")


def test_csv_holds_what_the_table_lists_and_no_formula(tmp_path: Path, open_page: OpenPage) -> None:
    frame = parcels(3)
    frame.loc[0, "name"] = '=HYPERLINK("http://x","y")'
    frame.loc[1, "name"] = 'quoted "comma, line\nbreak'
    frame["cases"] = [-5, *range(1, 9)]
    opened = open_page(save_page(parcel_page(frame), tmp_path / "csv.html"))
    open_table(opened)
    opened.get_by_role("button", name="Cases").click()
    with opened.expect_download() as download:
        opened.get_by_role("button", name=SAYS["csv"]).click()
    content = Path(download.value.path()).read_bytes()
    assert download.value.suggested_filename == "Parcels.csv"
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[0] == ["Code", "Name", "Kind", "Cases"]
    assert rows[1] == ["P00000", '\'=HYPERLINK("http://x","y")', "Shop", "-5"]
    assert rows[2][1].replace("\r", "") == 'quoted "comma, line\nbreak'
    assert len(rows) == 10


def test_markup_shows_as_text_in_search_and_table(tmp_path: Path, open_page: OpenPage) -> None:
    frame = parcels(3)
    frame["name"] = EVIL
    opened = open_page(save_page(parcel_page(frame), tmp_path / "evil.html"))
    box = opened.get_by_role("combobox", name=SAYS["search"])
    box.fill("<img")
    expect(opened.locator(".gm-hits li").first).to_contain_text(EVIL)
    open_table(opened)
    expect(opened.locator("[role=gridcell]").nth(1)).to_have_text(EVIL)
    opened.get_by_role("combobox", name=SAYS["filter"]).select_option("Kind")
    assert opened.evaluate("[window.hacked, document.querySelectorAll('img').length]") == [None, 0]


def menu(opened: BrowserPage) -> None:
    opened.get_by_role("button", name=SAYS["menu"]).click()


@pytest.mark.parametrize(
    ("tag", "heading", "kind", "layers"),
    [("zh-Hans", "城镇", "商铺", "图层"), ("zh-Hant", "城鎮", "商鋪", "圖層")],
)
def test_another_language_can_be_chosen(
    saved: Path, open_page: OpenPage, tag: str, heading: str, kind: str, layers: str
) -> None:
    opened = open_page(saved)
    open_table(opened)
    opened.get_by_role("button", name="Cases").click()
    opened.locator(".gm-table-body [role=row]").first.click()
    expect(opened.locator(".gm-popup tr").nth(2)).to_contain_text("Shop")
    menu(opened)
    opened.get_by_role("combobox", name=SAYS["language"]).select_option(tag)
    expect(opened.locator(".gm-title h2")).to_have_text(heading)
    expect(opened.locator(".gm-popup tr").nth(2)).to_contain_text(kind)
    expect(opened.locator("[role=gridcell]").nth(2)).to_have_text(kind)
    expect(opened.locator(".gm-layers h2")).to_have_text(layers)
    assert opened.title() == heading
    assert opened.evaluate("document.documentElement.lang") == tag
    assert f"lang={tag}" in opened.evaluate("location.hash")
    words = opened.locator("body").inner_text()
    left = set(re.findall(r"[A-Za-z]{3,}", words)) - {
        "English", "Parcel", "Street", "CSV", "Code", "Name"
    }  # fmt: skip
    assert left <= {"Member"}, left


def test_the_address_keeps_view_layers_language_and_appearance(
    saved: Path, open_page: OpenPage
) -> None:
    opened = open_page(saved)
    opened.get_by_role("button", name=SAYS["zoom_in"]).click()
    opened.get_by_role("checkbox", name="Street").check()
    menu(opened)
    opened.get_by_role("combobox", name=SAYS["theme"]).select_option("dark")
    opened.get_by_role("combobox", name=SAYS["language"]).select_option("zh-Hans")
    at_rest(opened)
    where = "(m => [m.getZoom(), m.getCenter().lat.toFixed(5), m.getCenter().lng.toFixed(5)])"
    view = f"{where}(window[document.querySelector('.gm-map').id])"
    before, address = opened.evaluate(view), opened.evaluate("location.hash")
    again = open_page(saved, hash=address)
    assert again.evaluate(view) == before
    expect(again.get_by_role("checkbox", name="Street")).to_be_checked()
    expect(again.locator(".gm-title h2")).to_have_text("城镇")
    assert again.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize(
    "address", ["#map=x/y/z", "#layer=%E0%A4", "#lang=xx&theme=__proto__&time=no.1", "#&&=="]
)
def test_a_wrong_address_does_no_harm(saved: Path, open_page: OpenPage, address: str) -> None:
    opened = open_page(saved, hash=address)
    expect(opened.locator(".gm-title h2")).to_have_text("Town")
    assert opened.evaluate("window[document.querySelector('.gm-map').id].getZoom()") > 8


def test_the_view_can_be_saved_as_a_picture(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    menu(opened)
    with opened.expect_download() as download:
        opened.get_by_role("button", name=SAYS["save_png"]).click()
    assert download.value.suggested_filename == "Town.png"
    picture = Path(download.value.path()).read_bytes()
    assert picture.startswith(b"\x89PNG")
    # The same places have the same colours as on the screen: ground, a parcel, the title.
    colours = opened.evaluate(
        """async (bytes) => {
            const map = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const pen = new OffscreenCanvas(map.width, map.height).getContext('2d');
            pen.drawImage(map, 0, 0);
            const title = document.querySelector('.gm-title h2').getBoundingClientRect();
            const at = (x, y, w, h) => [...pen.getImageData(x, y, w, h).data];
            return {size: [map.width, map.height], ground: at(640, 2, 1, 1),
                title: at(title.left, title.top, title.width, title.height)
                    .filter((_, i) => i % 4 === 0)};
        }""",
        list(picture),
    )
    assert colours["size"] == [1280, 800]
    assert colours["ground"][:3] == [0xEE, 0xF1, 0xF4]
    assert min(colours["title"]) < 90
    assert max(colours["title"]) == 255


@pytest.mark.parametrize("paper", ["A4", "A3"])
def test_a_print_has_title_legend_scale_north_and_source_on_one_sheet(
    tmp_path: Path, open_page: OpenPage, paper: str
) -> None:
    made = parcel_page(parcels())
    opened = open_page(save_page(made, tmp_path / "print.html"))
    opened.evaluate(
        "window.print = () => { window.printed = document.documentElement.dataset.print; }"
    )
    menu(opened)
    opened.get_by_role("button", name=SAYS["print"].format(paper=paper)).click()
    expect(opened.locator("html")).to_have_attribute("data-print", paper)
    wait_until(opened, f"window.printed === {paper!r}")
    expect(opened.locator(".gm-title h2")).to_be_visible()
    expect(opened.get_by_text(SAYS["review_number"].format(number="–"))).to_be_visible()
    expect(opened.locator(".gm-legend")).to_be_visible()
    expect(opened.locator(".leaflet-control-scale")).to_be_visible()
    expect(opened.locator(".gm-north")).to_be_visible()
    expect(opened.locator(".gm-search")).to_be_hidden()
    sheet = opened.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1
    box = re.search(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", sheet)
    assert box is not None
    width = {"A4": 297, "A3": 420}[paper] / 25.4 * 72
    assert abs(float(box[1]) - width) < 2
    opened.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(opened.locator(".gm-search")).to_be_visible()


def test_dark_and_light_follow_the_system_or_the_reader(saved: Path, open_page: OpenPage) -> None:
    opened = open_page(saved)
    ground = "getComputedStyle(document.querySelector('.gm-card')).backgroundColor"
    assert opened.evaluate(ground) == "rgb(255, 255, 255)"
    opened.emulate_media(color_scheme="dark")
    expect(opened.locator("html")).to_have_attribute("data-theme", "dark")
    assert opened.evaluate(ground) != "rgb(255, 255, 255)"
    menu(opened)
    opened.get_by_role("combobox", name=SAYS["theme"]).select_option("light")
    assert opened.evaluate(ground) == "rgb(255, 255, 255)"


def labelled_page(frame: gpd.GeoDataFrame) -> Page:
    made = page(title="Names", bounds=frame.total_bounds)
    layer = GeoLayer(
        frame, name="Zones", style="s", styles={"s": {"color": "#333333"}}, fields=FIELDS[:2]
    ).add_to(made)
    LayerSwitch([layer]).add_to(made)
    Labels(frame.geometry, frame["name"].tolist(), overlay=layer).add_to(made)
    return made


def test_names_stand_inside_their_areas_and_go_with_them(
    tmp_path: Path, open_page: OpenPage
) -> None:
    frame = parcels(6)
    frame["name"] = [f"责任区第{number}号" for number in range(36)]
    opened = open_page(save_page(labelled_page(frame), tmp_path / "names.html"))
    canvas = opened.locator("canvas.gm-labels")
    expect(canvas).to_have_attribute("data-written", "36")
    opened.get_by_role("checkbox", name="Zones").uncheck()
    expect(canvas).to_have_count(0)
    opened.get_by_role("checkbox", name="Zones").check()
    for _ in range(4):
        opened.get_by_role("button", name=SAYS["zoom_out"]).click()
        at_rest(opened)
    wait_until(opened, lambda: int(canvas.get_attribute("data-written") or 36) < 36)


def test_a_page_shows_inside_a_notebook(tmp_path: Path, open_page: OpenPage) -> None:
    inner = parcel_page(parcels())._repr_html_()
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{inner}", encoding="utf-8")
    opened = open_page(notebook)
    frame = opened.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Town")).to_be_visible()
    frame.get_by_role("button", name=SAYS["zoom_in"]).click()
    frame.get_by_role("combobox", name=SAYS["search"]).fill("P00004")
    expect(frame.locator(".gm-hits li")).to_have_count(1)
