"""What the page of every map of a small flawed town is given to draw."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flawed_city import flawed
from told import plain, tells

from gridmap.catalog import Basemap, load_catalog
from gridmap.config import read_city_file
from gridmap.errors import OutputError
from gridmap.measures.analyse import analyse
from gridmap.outputs import draw, explore
from gridmap.result import Analysed
from gridmap.sources import read_city

MAPS = load_catalog().maps_of("run")
_CALL = re.compile(r"^\s*(?:var \w+ = )?(gridmap\.\w+)\((.*)\);?$")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    file = read_city_file(flawed().write(tmp_path_factory.mktemp("town")))
    return analyse(read_city(file), file.analysis)


def calls(html: str) -> Iterator[str]:
    """Yield what the runtime is called with, a line for each entry of its records."""
    for line in html.splitlines():
        found = _CALL.match(line)
        if found is None:
            continue
        yield found[1]
        yield from (f"  {plain(part)}" for part in _entries(found[2]))


def _entries(arguments: str) -> Iterator[str]:
    name, _, said = arguments.partition(", ")
    try:
        records = json.loads(said)
    except ValueError:
        yield arguments  # names of other elements
        return
    yield name
    for key, value in records.items() if isinstance(records, dict) else enumerate(records):
        if key != "texts":  # of the messages
            yield f"{key}: {_short(value)}"


def _short(value: Any) -> str:
    """Return a value in one line, its texts in English and simplified Chinese."""

    def less(one: Any) -> Any:
        if isinstance(one, dict):
            return {key: less(each) for key, each in one.items() if key != "zh-Hant"}
        return [less(each) for each in one] if isinstance(one, list) else one

    return json.dumps(less(value), ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("name", MAPS)
def test_what_a_map_is_given(town: Analysed, name: str) -> None:
    try:
        html = draw(town, name, lang="en").get_root().render()
    except OutputError as nothing:  # of a kind that the town has none of
        tells(f"maps/{name}", str(nothing))
        return
    tells(f"maps/{name}", "\n".join(calls(html)))


def test_what_a_base_map_changes(town: Analysed) -> None:
    below = Basemap(service="amap", backdrop=("barriers", "buildings", "roads"))
    html = draw(town, "responsibility", lang="zh", basemap=below, unmask=True).get_root().render()
    head = [line for line in html.splitlines() if "http-equiv" in line or "<html" in line]
    tells("maps/upon_amap", "\n".join([*head, *calls(html)]))


@pytest.mark.parametrize("column", [None, "hours", "member"])
def test_what_a_frame_of_any_kind_is_given(town: Analysed, column: str | None) -> None:
    frame = town.results["grid_results"].frame
    html = explore(frame, column, title="Loads").get_root().render()
    tells(f"maps/explore_{column}", "\n".join(calls(html)))
