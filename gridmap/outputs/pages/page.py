"""A folium map that is one file: nothing in it is loaded from a network."""

from __future__ import annotations

import json
import os
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import folium
import numpy as np
from branca.element import CssLink, Element, Figure, JavascriptLink, Link
from folium.map import Layer
from folium.template import tojavascript
from jinja2 import Template

from gridmap.errors import OutputError
from gridmap.kinds import checked
from gridmap.messages import TAGS, Words, os_reason, words
from gridmap.outputs.pages.elements import TitleBlock, page_texts
from gridmap.outputs.pages.runtime import Verbatim, runtime_file, script_json

__all__ = ["Page", "page", "save_page"]

_COVERED = re.compile(r"(^|/)leaflet([-.](src|min))*\.(js|css)$", re.IGNORECASE)
_RANDOM_ID = re.compile(r"_[0-9a-f]{32}\b")
_POLICY = {
    "default-src": "'none'",
    "script-src": "'unsafe-inline'",
    "style-src": "'unsafe-inline'",
    "img-src": "data: blob:",
    "font-src": "data:",
    "worker-src": "blob:",
    "base-uri": "'none'",
    "form-action": "'none'",
}


class Page(folium.Map):
    """A map that opens offline, made by :func:`page`; any folium element can be added to it.

    Elements that load scripts or styles of their own, which the runtime does not hold, keep their
    links (and the page then names those hosts in its Content-Security-Policy): such a page needs
    a network.
    """

    _template = Template(
        "{% macro html(this, kwargs) %}"
        '<main class="gm-page"><div class="gm-view">'
        '<div class="gm-map" id="{{ this.get_name() }}"></div></div></main>'
        "{% endmacro %}"
    )

    def __init__(
        self, *, title: Words, bounds: Sequence[float], lang: str, time_zone: str, max_zoom: int
    ) -> None:
        west, south, east, north = (float(degree) for degree in bounds)
        said = words(title)
        tag = TAGS[lang]
        heading = said if isinstance(said, str) else said[tag]
        if not np.isfinite([west, south, east, north]).all():
            raise OutputError("page.no_bounds", title=heading)
        super().__init__(
            location=[(south + north) / 2, (west + east) / 2],
            tiles=None,
            prefer_canvas=True,
            zoom_control=False,
            zoom_snap=0.25,
        )
        self.default_js: list[tuple[str, str]] = []
        self.default_css: list[tuple[str, str]] = []
        # Marker clusters stop a map without tiles and without this (folium #1395).
        self.options["max_zoom"] = max_zoom
        self._config = {
            "lang": tag,
            "title": said,
            "timeZone": time_zone,
            "bounds": [west, south, east, north],
            "texts": page_texts(),
        }
        _PageFigure(title=heading, lang=tag).add_child(self)

    def render(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Put the map's own script before that of its children."""
        config = script_json(self._config | {"licences": json.loads(runtime_file("licences.json"))})
        name = self.get_name()
        call = f'gridmap.page("{name}", {config}, {tojavascript(self.options)})'
        front = ", ".join(layer.get_name() for layer in self.objects_to_stay_in_front)
        if front:
            call += f";\ngridmap.keepInFront({name}, () => [{front}])"
        figure = cast("Figure", self.get_root())
        figure.script.add_child(Verbatim(f"var {name} = {call};"), name=name)
        super().render(**kwargs)  # type: ignore[no-untyped-call]


class _PageFigure(Figure):
    """The document: all it needs is inside, and its ids depend on its content alone."""

    _template = Template(
        """<!DOCTYPE html>
<html lang="{{ this.lang|e }}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ this.policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ this.title|e }}</title>
<style>{{ this.style }}</style>
<script>{{ this.program }}</script>
{{ this.header.render(**kwargs) }}
</head>
<body>
{{ this.html.render(**kwargs) }}
<script>
{{ this.script.render(**kwargs) }}
</script>
</body>
</html>
"""
    )

    def __init__(self, *, title: str, lang: str) -> None:
        super().__init__(title=title)
        self.lang = lang
        self.header._children.clear()
        self._positions: dict[str, str] = {}
        self.policy = ""
        self.style = ""
        self.program = ""

    def render(self, **kwargs: Any) -> str:
        """Return the page; what rendering adds to the tree is taken out again."""
        elements = [*_walk(self, set())]
        self._positions |= _number(elements)
        before = [(element, element._children.copy()) for element in elements]
        self.style = runtime_file("runtime.css").replace("</style", "<\\/style")
        self.program = runtime_file("runtime.js").replace("</script", "<\\/script")
        try:
            for child in [*self._children.values()]:
                child.render(**kwargs)
            self._take_in_plugins()
            self.policy = _policy(self.header._children.values(), elements)
            # Some plugins write the names of others down when they are made.
            return _RANDOM_ID.sub(
                lambda found: self._positions.get(found[0], found[0]),
                str(self._template.render(this=self, kwargs=kwargs)),
            )
        finally:
            for element, children in before:
                element._children = children

    def _take_in_plugins(self) -> None:
        """Put known plugins in place of their links, and drop what the runtime holds itself."""
        children = self.header._children
        known = json.loads(runtime_file("plugins.json"))
        told: set[str] = set()
        for name, child in [*children.items()]:
            if not isinstance(child, Link):
                continue
            path = urlsplit(child.url).path
            held = known["files"].get(_plain(path))
            if _COVERED.search(path):
                del children[name]
            elif held is not None:
                licence = None if held["package"] in told else known["licences"][held["package"]]
                told.add(held["package"])
                children[name] = Verbatim(_inside(held["text"], child, licence))


def _plain(path: str) -> str:
    """Return the name of a plugin's file without what differs between its forms."""
    return path.rpartition("/")[2].lower().replace(".min.", ".").replace("_", "-")


def _inside(text: str, link: Link, licence: object) -> str:
    """Return a file as an element of the page, with the licence for its list."""
    told = (
        f"<script>(globalThis.gridmapPlugins??=[]).push({script_json(licence)});</script>"
        if licence
        else ""
    )
    if isinstance(link, CssLink):
        styles = text.replace("</style", "<\\/style")
        return f"{told}<style>{styles}</style>"
    program = text.replace("</script", "<\\/script")
    return f"{told}<script>{program}</script>"


def _policy(header: Iterable[Element], elements: Iterable[Element]) -> str:
    """Return the content security policy; hosts of links and tiles that remain are let in."""
    allowed: dict[str, dict[str, None]] = {}
    for child in header:
        if isinstance(child, JavascriptLink | CssLink):
            kind = "script-src" if isinstance(child, JavascriptLink) else "style-src"
            allowed.setdefault(kind, {})[_host(child.url)] = None
    for element in elements:
        hosts = getattr(element, "hosts", ())
        if isinstance(element, folium.TileLayer):
            hosts = () if element.tiles.startswith("data:") else (_host(element.tiles),)
        for host in hosts:
            allowed.setdefault("img-src", {})[host] = None
    rules = {rule: " ".join([own, *allowed.get(rule, ())]) for rule, own in _POLICY.items()}
    return "; ".join(f"{rule} {sources}" for rule, sources in rules.items())


def _host(url: str) -> str:
    """Return scheme and host of an address, of a pattern of tiles too."""
    parts = urlsplit(url)
    return f"{parts.scheme or 'https'}://{parts.netloc.replace('{s}', '*')}"


def _walk(element: Element, seen: set[int]) -> Iterator[Element]:
    """Yield an element and all below it, those that it holds as attributes too, each once."""
    if id(element) in seen:
        return
    seen.add(id(element))
    yield element
    held = [value for key, value in vars(element).items() if key != "_parent"]
    for child in [*element._children.values(), *held]:
        if isinstance(child, Element):
            yield from _walk(child, seen)


def _number(elements: Sequence[Element]) -> dict[str, str]:
    """Replace folium's random ids by positions, so that the same content gives the same page.

    Returns the new endings of names by the old ones.
    """
    positions = {f"_{element._id}": f"_{n}" for n, element in enumerate(elements)}
    old_names = {id(element): element.get_name() for element in elements}
    for position, element in enumerate(elements):
        old, element._id = element._id, str(position)
        if isinstance(element, Layer) and element.layer_name.endswith(f"_{old}"):
            element.layer_name = element.get_name()
    # Some templates write the names under which children are held.
    for element in elements:
        element._children = OrderedDict(
            (child.get_name() if name == old_names.get(id(child)) else name, child)
            for name, child in element._children.items()
        )
    return positions


@checked
def page(
    *,
    title: Words,
    bounds: Sequence[float],
    lang: str = "en",
    lines: Sequence[Words] = (),
    max_zoom: int = 19,
    review_number: str = "–",
    time_zone: str = "Asia/Shanghai",
) -> Page:
    """Return a map without tiles that opens without a network.

    Parameters
    ----------
    title : str or mapping of str to str
        Of the document and of the card at its top left: one text for all languages, or by
        language (``en``, ``zh``, ``zh-Hant``).
    bounds : sequence of float
        West, south, east, north in degrees, as ``GeoDataFrame.total_bounds`` gives them.
    lang : str
        The language to begin with, ``"en"``, ``"zh"`` or ``"zh-Hant"``; the reader can choose
        another.
    lines : sequence of str or mapping of str to str
        Below the title: date, source, parameters.
    max_zoom : int
    review_number : str
        The map review number (审图号); a dash where there is none yet.
    time_zone : str
        An IANA name; times that have a zone are shown in this one.

    Raises
    ------
    OutputError
        If the bounds are not finite, as those of an empty layer.

    Examples
    --------
    >>> import folium
    >>> page = maps.page(title={"en": "My town", "zh": "我的小城"}, bounds=(120, 30, 121, 31))
    >>> page.location
    [30.5, 120.5]
    >>> marker = folium.Marker([30.5, 120.5], popup="Town hall").add_to(page)
    >>> "Town hall" in page.get_root().render()
    True
    """
    made = Page(title=title, bounds=bounds, lang=lang, time_zone=time_zone, max_zoom=max_zoom)
    TitleBlock(title, lines, review_number=review_number).add_to(made)
    return made


@checked
def save_page(page_map: folium.Map, path: str | os.PathLike[str]) -> Path:
    """Write a page to a file, whole or not at all; the same content gives the same bytes.

    Parameters
    ----------
    page_map : folium.Map
        Made by :func:`page`.
    path : path
        Missing folders are made.

    Raises
    ------
    OutputError
        If the runtime has not been built, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> square = shapely.box(120, 30, 121, 31)
    >>> page = gridmap.explore(gpd.GeoDataFrame({"hours": [3.5]}, geometry=[square], crs=4326))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gridmap.save_page(page, f"{folder}/maps/areas.html").name
    'areas.html'
    """
    target = Path(path)
    content = page_map.get_root().render().encode("utf-8")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        reason = os_reason(error)
        raise OutputError("page.not_writable", path=target, reason=reason) from error
    return target
