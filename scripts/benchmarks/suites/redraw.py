"""What a redraw takes of a page, on a canvas and by a graphics card."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.browser import opened
from benchmarks.lines import Line, Options, figure, note
from benchmarks.names import short
from benchmarks.peers.maps import DRAWN, OURS, SYSTEMS
from benchmarks.suites.maps import make_place_points, make_polygons

__all__ = ["run"]

BENCH = "redraw"
KINDS = {"dots": 1_000_000, "heat": 1_000_000, "polygons": 200_000}
REDRAWS = 5
PAUSE_MS = 500
# A share of the pixels: between the cells of the heat the two mix in different ways.
EQUAL = 0.01
# A program in place of a card is known by its name, and is no card for a page.
AS_CARD = """
    const asked = WebGL2RenderingContext.prototype.getParameter;
    WebGL2RenderingContext.prototype.getParameter = function (name) {
        const told = asked.call(this, name);
        return typeof told === 'string' && /SwiftShader|llvmpipe/.test(told) ? 'A card' : told;
    };
    const handOver = OffscreenCanvas.prototype.transferToImageBitmap;
    OffscreenCanvas.prototype.transferToImageBitmap = function () {
        window.handed ??= performance.now();
        return handOver.call(this);
    };
"""
# Returns milliseconds until the drawing is on the screen, and until it was handed over.
REDRAW = """async () => {
    const map = window[document.querySelector('.gm-map').id];
    let layer;
    map.eachLayer((one) => { if (one.features) layer = one; });
    performance.clearMarks('gridmap:drawn');
    window.handed = undefined;
    const from = performance.now();
    layer.redraw();
    let drawn = [];
    while (!drawn.length) {
        await new Promise((done) => setTimeout(done));
        drawn = performance.getEntriesByName('gridmap:drawn');
    }
    return [drawn[0].startTime - from, (window.handed ?? from) - from];
}"""
PIXELS = """() => {
    const canvas = document.querySelector('canvas.gm-packed');
    const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 60).length;
}"""


def run(options: Options) -> Iterator[Line]:
    """Yield milliseconds of the page; a card is played by a program, whose own time is left out.

    Polygons are drawn on a canvas alone.
    """
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "page.html"
        for kind, full in KINDS.items():
            count = options.size or full
            make = make_polygons if kind == "polygons" else make_place_points
            SYSTEMS[kind]["gridmap"].write(make(count, options.seeds[0]), path)
            yield from _case(options, kind, count, path)


def _case(options: Options, kind: str, count: int, path: Path) -> Iterator[Line]:
    case = f"{short(count)} {'polygons' if kind == 'polygons' else f'points, {kind}'}"
    variants = ["canvas"] if kind == "polygons" else ["canvas", "graphics card"]
    found: dict[str, list[float]] = {variant: [] for variant in variants}
    drawn: dict[str, float] = {}
    for turn in range(options.runs):
        for variant in variants:
            note(f"{case}, run {turn + 1}: {variant}")
            times, drawn[variant] = _redraws(path, card=variant != "canvas")
            found[variant] += times
    agrees = all(abs(some / drawn["canvas"] - 1) < EQUAL for some in drawn.values())
    for variant, times in found.items():
        head = Line(BENCH, case, "gridmap", variant, version(OURS), "", None, None, None, 0,
                    agrees=agrees)  # fmt: skip
        yield figure(head, "page_ms", times)


def _redraws(path: Path, *, card: bool) -> tuple[list[float], float]:
    """Return milliseconds of some redraws, and how many pixels are drawn."""
    with opened() as (_browser, context):
        page: Page = context.new_page()
        if card:
            page.add_init_script(f"(() => {{ {AS_CARD} }})();")
        page.goto(path.resolve().as_uri())
        while not page.evaluate(DRAWN):
            page.wait_for_timeout(50)
        times = []
        for _ in range(REDRAWS):
            page.wait_for_timeout(PAUSE_MS)
            on_screen, handed_over = page.evaluate(REDRAW)
            times.append(handed_over if card else on_screen)
        return times, page.evaluate(PIXELS)
