"""Points drawn by the graphics card, here by Chromium's own in software, and by the canvas."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pytest
from benchmarks.browser import AS_CARD
from browser import at_rest, wait_until
from playwright.sync_api import Browser, Page

from gridmap import messages
from gridmap.outputs.pages.packed import PackedPoints
from gridmap.outputs.pages.page import page, save_page

SAYS = messages.section("browser", "en")
COUNT = 30_000
DAYS = 5
LOOKS = {
    "red": {"color": "#a00000", "fillColor": "#ff0000", "fillOpacity": 0.5, "radius": 3},
    "blue": {"fillColor": "#0000ff", "fillOpacity": 1, "stroke": False, "radius": 5},
}
WATCHED = """
    window.drawings = 0;
    const draw = WebGL2RenderingContext.prototype.drawArrays;
    WebGL2RenderingContext.prototype.drawArrays = function (...how) {
        [window.gl, window.drawings] = [this, window.drawings + 1];
        draw.apply(this, how);
    };
"""
PIXELS = """(pane) => {
    const canvas = document.querySelector(`${pane} canvas.gm-packed`);
    const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (let i = 0; i < data.length; i += 8192) {
        text += String.fromCharCode(...data.subarray(i, i + 8192));
    }
    return [canvas.width, canvas.height, btoa(text)];
}"""
DRAWN = """() => {
    const layers = [];
    const map = window[document.querySelector('.gm-map').id];
    map.eachLayer((layer) => { if ('busy' in layer) layers.push(layer); });
    return layers.length > 0 && layers.every((layer) => layer.shown && !layer.busy);
}"""
Open = Callable[..., Page]
Kind = Literal["dots", "heat"]


@pytest.fixture
def open_with(browser: Browser) -> Iterator[Open]:
    """Opens a page after scripts; none may log an error."""
    contexts, errors = [], []

    def open_(path: Path, *scripts: str, scale: float = 1) -> Page:
        size = {"width": 800, "height": 600}
        contexts.append(browser.new_context(viewport=size, device_scale_factor=scale))  # type: ignore[arg-type]
        opened = contexts[-1].new_page()
        for script in (WATCHED, *scripts):
            opened.add_init_script(f"(() => {{ {script} }})();")
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        opened.goto(path.resolve().as_uri())
        settled(opened)
        return opened

    yield open_
    for context in contexts:
        context.close()
    assert errors == []


def points(kind: Kind, count: int = COUNT) -> PackedPoints:
    rng = np.random.default_rng(5)
    lon, lat = rng.normal([121.1, 30.65], [0.03, 0.015], (count, 2)).T
    # A quarter of all lies far away, as what is outside of the view does.
    lon[::4] += 0.3
    return PackedPoints(
        gpd.GeoDataFrame(
            {"code": np.arange(count).astype(str)}, geometry=gpd.points_from_xy(lon, lat), crs=4326
        ),
        name="Cases",
        as_=kind,
        times=np.datetime64("2024-03-01") + rng.integers(0, DAYS, count),
        unit="day",
        style=rng.choice(["red", "blue"], count).tolist() if kind == "dots" else None,
        styles=LOOKS if kind == "dots" else None,
    )


def saved(tmp_path: Path, layer: PackedPoints) -> Path:
    made = page(title="Card", bounds=(121.0, 30.6, 121.2, 30.7))
    layer.add_to(made)
    return save_page(made, tmp_path / "map.html")


def settled(opened: Page) -> None:
    """Waits until the map stands still and every packed layer on it shows its newest drawing."""
    at_rest(opened)
    wait_until(opened, DRAWN, seconds=60)


def lose_card(opened: Page) -> None:
    """Takes the card away, and waits until the page has heard of it."""
    opened.evaluate(
        """() => new Promise((done) => {
            window.gl.canvas.addEventListener('webglcontextlost', () => done(), { once: true });
            window.gl.getExtension('WEBGL_lose_context').loseContext();
        })"""
    )


def pixels(opened: Page, pane: str = "") -> npt.NDArray[np.float64]:
    """Returns what a packed canvas shows, premultiplied, shape (height, width, 4), 0 to 255."""
    width, height, text = opened.evaluate(PIXELS, pane)
    held = np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(height, width, 4)
    shown = held.astype(np.float64)
    shown[..., :3] *= shown[..., 3:] / 255
    return shown


def differing(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64], by: float = 4) -> float:
    """Returns the share of the drawn pixels that differ by more than some of 255."""
    assert one.shape == other.shape
    drawn = (one[..., 3] > 0) | (other[..., 3] > 0)
    assert drawn.mean() > 0.05
    return float((np.abs(one - other).max(axis=-1)[drawn] > by).mean())


def set_days(opened: Page, step: int) -> None:
    opened.get_by_role("slider", name=SAYS["time"], exact=True).fill(str(step))
    settled(opened)


@pytest.mark.browser
@pytest.mark.parametrize("scale", [1, 2])
# Between the cells that heat is counted in, the card mixes the heat and the canvas the colours.
@pytest.mark.parametrize(("kind", "by"), [("dots", 4), ("heat", 32)])
def test_the_card_draws_as_the_canvas(
    tmp_path: Path, open_with: Open, kind: Kind, by: float, scale: float
) -> None:
    layer = points(kind)
    path = saved(tmp_path, layer)
    both = [open_with(path, *names, scale=scale) for names in ([AS_CARD], [])]

    def compare() -> npt.NDArray[np.float64]:
        card, canvas = map(pixels, both)
        # A point within a thousandth of a pixel of an edge may fall on either side.
        assert differing(card, canvas, by) < 0.001
        return card

    def ask(call: str) -> None:
        for opened in both:
            opened.evaluate(call)
            settled(opened)

    every_day = compare()
    for opened in both:
        set_days(opened, 3)
    assert differing(compare(), every_day) > 0.1
    keep = f"new Uint8Array({COUNT}).map((_, i) => i % 3 === 0 ? 1 : 0)"
    ask(f"{layer.get_name()}.features.filter({keep})")
    compare()
    ask("window[document.querySelector('.gm-map').id].zoomIn(2)")
    compare()
    assert [opened.evaluate("window.drawings > 0") for opened in both] == [True, False]


@pytest.mark.browser
def test_the_card_takes_other_styles(tmp_path: Path, open_with: Open) -> None:
    layer = points("dots")
    opened = open_with(saved(tmp_path, layer), AS_CARD)
    green = "[{fillColor: '#00ff00', fillOpacity: 1, stroke: false, radius: 4}]"
    opened.evaluate(f"{layer.get_name()}.restyle(new Uint8Array({COUNT}), {green})")
    settled(opened)
    shown = pixels(opened)
    assert shown[..., 1].max() == 255
    assert shown[..., [0, 2]].max() == 0


@pytest.mark.browser
def test_the_card_draws_both_sides_of_a_comparison(tmp_path: Path, open_with: Open) -> None:
    path = saved(tmp_path, points("dots"))
    sides = []
    for names in ([AS_CARD], []):
        opened = open_with(path, *names)
        set_days(opened, 1)
        opened.get_by_role("combobox", name=SAYS["compare"]).select_option(index=3)
        settled(opened)
        panes = [f".leaflet-gm-{side}-pane" for side in ("left", "right")]
        sides.append([pixels(opened, pane) for pane in panes])
    (left, right), canvas = sides
    assert differing(left, canvas[0]) < 0.001
    assert differing(right, canvas[1]) < 0.001
    assert differing(left, right) > 0.1


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["dots", "heat"])
def test_the_canvas_takes_over_when_the_card_goes_away(
    tmp_path: Path, open_with: Open, kind: Kind
) -> None:
    path = saved(tmp_path, points(kind))
    opened = open_with(path, AS_CARD)
    assert opened.evaluate("window.drawings") > 0
    lose_card(opened)
    settled(opened)
    drawings = opened.evaluate("window.drawings")
    set_days(opened, 2)
    assert opened.evaluate("window.drawings") == drawings
    canvas = open_with(path)
    set_days(canvas, 2)
    assert differing(pixels(opened), pixels(canvas)) == 0


@pytest.mark.browser
def test_a_layer_that_was_off_when_the_card_went_away_comes_back(
    tmp_path: Path, open_with: Open
) -> None:
    layer = points("dots")
    opened = open_with(saved(tmp_path, layer), AS_CARD)
    shown, name = pixels(opened), layer.get_name()
    opened.evaluate(f"{{ window.kept = {name}._map; {name}.remove(); }}")
    lose_card(opened)
    opened.evaluate(f"{{ {name}.addTo(window.kept); }}")
    settled(opened)
    assert differing(pixels(opened), shown) < 0.001


@pytest.mark.browser
def test_a_card_that_does_not_understand_is_not_used(tmp_path: Path, open_with: Open) -> None:
    path = saved(tmp_path, points("dots"))
    fails = """
        const made = WebGL2RenderingContext.prototype.getProgramParameter;
        WebGL2RenderingContext.prototype.getProgramParameter = function (program, name) {
            return name === this.LINK_STATUS ? false : made.call(this, program, name);
        };
        window.warnings = [];
        console.warn = (text) => window.warnings.push(text);
    """
    opened = open_with(path, AS_CARD, fails)
    assert differing(pixels(opened), pixels(open_with(path))) == 0
    [warning] = opened.evaluate("window.warnings")
    assert warning.startswith("gridmap draws without the graphics card: ")


@pytest.mark.browser
def test_a_few_points_do_not_start_the_card(tmp_path: Path, open_with: Open) -> None:
    opened = open_with(saved(tmp_path, points("dots", 2_000)), AS_CARD)
    assert opened.evaluate("window.drawings") == 0
    assert pixels(opened)[..., 3].max() == 255


@pytest.mark.browser
def test_a_picture_holds_what_the_card_drew(tmp_path: Path, open_with: Open) -> None:
    opened = open_with(saved(tmp_path, points("dots")), AS_CARD)
    opened.get_by_role("button", name=SAYS["menu"]).click()
    with opened.expect_download() as download:
        opened.get_by_role("button", name=SAYS["save_png"]).click()
    blue = opened.evaluate(
        """async (bytes) => {
            const map = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
            const pen = new OffscreenCanvas(map.width, map.height).getContext('2d');
            pen.drawImage(map, 0, 0);
            const { data } = pen.getImageData(0, 0, map.width, map.height);
            const words = new Uint32Array(data.buffer);
            return words.filter((word) => word === 0xffff0000).length;
        }""",
        list(download.value.path().read_bytes()),
    )
    assert blue > 10_000
