"""The bridge from folium elements to the page runtime, a script made from ``maps/runtime``."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import folium
from branca.element import Element, Figure, MacroElement
from jinja2 import Template

from gridmap.errors import OutputError
from gridmap.leaving import json_text
from gridmap.resources import shipped

__all__ = ["RuntimeCall", "Verbatim", "runtime_file", "script_json"]

_FOR_SCRIPT = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


@cache
def runtime_file(name: str) -> str:
    """Return the text of one of the runtime's files.

    Raises
    ------
    OutputError
        If the runtime has not been built.
    """
    path = shipped("runtime", name)
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        raise OutputError("page.runtime_missing", path=path) from None


def script_json(value: object) -> str:
    """Return a value as JSON that is safe inside a ``<script>``."""
    return json_text(value, separators=(",", ":")).translate(_FOR_SCRIPT)


class Verbatim(Element):
    """Text that goes into the page as it is.

    branca compiles what an element's script macro returns as a template once more: data that
    holds ``{{`` or ``{%`` would run.
    """

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class RuntimeCall(MacroElement):
    """An element that is one call of a function of the runtime.

    Parameters
    ----------
    config : object
        What the function takes after the map; becomes JSON.
    **options
        For the folium class that stands beside this one among the bases.
    """

    _template = Template("")
    function: ClassVar[str]

    def __init__(self, config: object, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._name = type(self).__name__
        self._config = config

    def _arguments(self) -> str:
        return script_json(self._config)

    def render(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Put the call into the page's script, then what hangs on this element."""
        figure = self.get_root()
        page_map = self._parent
        while page_map is not None and not isinstance(page_map, folium.Map):
            page_map = page_map._parent
        if page_map is None or not isinstance(figure, Figure):
            raise TypeError(f"{self._name} needs a map: add it to one made by page() first")
        call = f"gridmap.{self.function}({page_map.get_name()}, {self._arguments()})"
        script = Verbatim(f"var {self.get_name()} = {call};")
        figure.script.add_child(script, name=self.get_name())
        super().render(**kwargs)  # type: ignore[no-untyped-call]
