"""Fixtures that open a saved page in headless Chromium; `conftest.py` takes them in."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

__all__ = [
    "OpenPage",
    "at_rest",
    "browser",
    "colour_at",
    "open_page",
    "spot",
    "wait_equal",
    "wait_until",
]

OpenPage = Callable[..., Page]
T = TypeVar("T")
_CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_LOCAL = {"file", "data", "blob"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium, one for the session."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=_CHROMIUM_OPTIONS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens pages; at the end of the test none may have asked a network or logged an error."""
    requests: list[str] = []
    errors: list[str] = []
    contexts = []

    def note_request(url: str) -> None:
        if urlsplit(url).scheme not in _LOCAL:
            requests.append(url)

    def open_(path: Path, width: int = 1280, height: int = 800, hash: str = "") -> Page:  # noqa: A002
        contexts.append(browser.new_context(viewport={"width": width, "height": height}))
        opened = contexts[-1].new_page()
        opened.on("request", lambda request: note_request(request.url))
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        opened.goto(path.resolve().as_uri() + hash)
        return opened

    yield open_
    for context in contexts:
        context.close()
    assert requests == []
    assert errors == []


def wait_until(opened: Page, question: str | Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until an expression or a function of a test is true.

    The policy of our pages forbids ``eval``, which `Page.wait_for_function` uses as it waits.
    """
    for _ in range(int(seconds * 20)):
        if opened.evaluate(question) if isinstance(question, str) else question():
            return
        opened.wait_for_timeout(50)
    asked = question if isinstance(question, str) else inspect.getsource(question).strip()
    raise AssertionError(f"not within {seconds} s: {asked}")


def wait_equal(opened: Page, read: Callable[[], T], expected: T, seconds: float = 10.0) -> None:
    """Wait until what a function reads is as expected; the failure shows what it was."""
    for _ in range(int(seconds * 20)):
        if read() == expected:
            return
        opened.wait_for_timeout(50)
    assert read() == expected


def at_rest(opened: Page) -> None:
    """Wait until the map stands still: a zoom goes on for a while, a popup makes itself room."""
    opened.evaluate(
        """() => new Promise((done) => {
            const moving = '.leaflet-zoom-anim, .leaflet-pan-anim';
            const frame = () => new Promise(requestAnimationFrame);
            // A zoom begins with the frame after it was asked for.
            const look = () => frame().then(frame).then(() =>
                document.querySelector(moving) ? look() : done());
            look();
        })"""
    )


def spot(opened: Page, lon: float, lat: float) -> tuple[float, float]:
    """Return where a place is on the screen once the map stands still."""
    at_rest(opened)
    x, y = opened.evaluate(
        """([lon, lat]) => {
            const map = window[document.querySelector('.gm-map').id];
            const { x, y } = map.latLngToContainerPoint([lat, lon]);
            const { left, top } = map.getContainer().getBoundingClientRect();
            return [left + x, top + y];
        }""",
        [lon, lat],
    )
    return x, y


def colour_at(opened: Page, lon: float, lat: float, canvases: str) -> list[int]:
    """Return red, green, blue, opacity of the first of some canvases that is drawn at a place."""
    found: list[int] = opened.evaluate(
        """([x, y, canvases]) => {
            for (const canvas of document.querySelectorAll(canvases)) {
                const box = canvas.getBoundingClientRect();
                const scale = canvas.width / box.width;
                const pen = new OffscreenCanvas(1, 1).getContext('2d');
                pen.drawImage(
                    canvas, -Math.floor((x - box.x) * scale), -Math.floor((y - box.y) * scale));
                const { data } = pen.getImageData(0, 0, 1, 1);
                if (data[3]) return [...data];
            }
            return [0, 0, 0, 0];
        }""",
        [*spot(opened, lon, lat), canvases],
    )
    return found
