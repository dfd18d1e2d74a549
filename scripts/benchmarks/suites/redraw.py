"""What a redraw takes of a page, on a canvas and by a graphics card."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from playwright.sync_api import Page

from benchmarks.browser import AS_CARD, opened
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
HANDED_OVER = """(() => {
    const handOver = OffscreenCanvas.prototype.transferToImageBitmap;
    OffscreenCanvas.prototype.transferToImageBitmap = function () {
        window.handed ??= performance.now();
        return handOver.call(this);
    };
})();"""
NEARER = "() => window[document.querySelector('.gm-map').id].zoomIn(1, { animate: false })"
# Returns milliseconds until the drawing is handed over, and until it is on the screen.
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
    return [window.handed - from, drawn[0].startTime - from];
}"""
PIXELS = """() => {
    const canvas = document.querySelector('canvas.gm-packed');
    const pen = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    pen.drawImage(canvas, 0, 0);
    const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 60).length;
}"""


def run(options: Options) -> Iterator[Line]:
    """Yield milliseconds of a redraw, of the whole and one zoom nearer, where more is drawn.

    A card is played by a program: the page's own part is that of a card, the rest is not.
    Polygons are drawn on a canvas alone.
    """
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "page.html"
        for kind, full in KINDS.items():
            count = options.size or full
            make = make_polygons if kind == "polygons" else make_place_points
            SYSTEMS[kind]["gridmap"].write(make(count, options.seeds[0]), path)
            yield from _cases(options, kind, count, path)


def _cases(options: Options, kind: str, count: int, path: Path) -> Iterator[Line]:
    thing = "polygons" if kind == "polygons" else f"points, {kind}"
    variants = ["canvas"] if kind == "polygons" else ["canvas", "graphics card"]
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    drawn: dict[tuple[str, str], int] = {}
    for turn in range(options.runs):
        for variant in variants:
            note(f"{short(count)} {thing}, run {turn + 1}: {variant}")
            for view, times, pixels in _redraws(path, card=variant != "canvas"):
                found.setdefault((view, variant), []).extend(times)
                drawn[view, variant] = pixels
    for (view, variant), times in found.items():
        agrees = abs(drawn[view, variant] / drawn[view, "canvas"] - 1) < EQUAL
        head = Line(BENCH, f"{short(count)} {thing}, {view}", "gridmap", variant, version(OURS),
                    "", None, None, None, 0, agrees=agrees)  # fmt: skip
        for metric, values in zip(("page_ms", "shown_ms"), zip(*times, strict=True), strict=True):
            yield figure(head, metric, values)


def _redraws(path: Path, *, card: bool) -> Iterator[tuple[str, list[tuple[float, float]], int]]:
    """Yield, for each view, milliseconds of some redraws, and how many pixels are drawn."""
    with opened() as (_browser, context):
        page: Page = context.new_page()
        page.add_init_script(HANDED_OVER + (AS_CARD if card else ""))
        page.goto(path.resolve().as_uri())
        while not page.evaluate(DRAWN):
            page.wait_for_timeout(50)
        for view in ("whole", "nearer"):
            if view == "nearer":
                page.evaluate(f"({NEARER})() && null")
                page.wait_for_timeout(4 * PAUSE_MS)
            times = []
            for _ in range(REDRAWS):
                page.wait_for_timeout(PAUSE_MS)
                handed_over, on_screen = page.evaluate(REDRAW)
                times.append((handed_over, on_screen))
            yield view, times, page.evaluate(PIXELS)
