"""Fixtures for all tests: the sample city, worked through once, and the tools of the big tests."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent))

from any_commands import run  # noqa: E402

from gridmap.config import read_city_file  # noqa: E402
from gridmap.design import as_layers, design_grids, resize_grids  # noqa: E402
from gridmap.measures.analyse import analyse  # noqa: E402
from gridmap.outputs import draw, save_page  # noqa: E402
from gridmap.outputs.maps.gallery import write_gallery  # noqa: E402
from gridmap.result import Analysed  # noqa: E402
from gridmap.settings import Analysis, Design  # noqa: E402
from gridmap.sources import read_city  # noqa: E402

# The same examples in every run, so that a change is to blame when a test fails.
# `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=500, deadline=None)
settings.load_profile("same")

pytest_plugins = ["browser", "postgres"]

# Fixtures that take long to make: with several workers, the tests of each go to one of them.
_SHARED = ("shipped_maps",)
# Files whose tests install packages of Node into one folder.
_NODE = ("test_runtime_units.py", "test_wheel.py")
# Long files whose tests share nothing: any worker takes the next of them, so that none waits for
# another at the end.
_APART = ("test_any_city.py", "test_fuzzing.py")
_NO_DATA = "needs open data"
_COMBINATIONS = "combinations"


@pytest.hookimpl(tryfirst=True)  # before the workers read the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares a town: tests of most files, and of one costly fixture."""
    for item in items:
        if item.get_closest_marker("xdist_group") or item.path.name in _APART:
            continue
        used = [name for name in _SHARED if name in getattr(item, "fixturenames", ())]
        group = used[0] if used else "node" if item.path.name in _NODE else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say last how many tests had no real data to run on, and how many cities were tried."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [each.longrepr[2] for each in skipped if isinstance(each.longrepr, tuple)]
    count = sum(_NO_DATA in reason for reason in reasons)
    if count:
        terminalreporter.write_line(f"{count} tests skipped for want of the real data")
    ended = [each for name in ("passed", "failed") for each in terminalreporter.stats.get(name, [])]
    told = [value for each in ended for key, value in each.user_properties if key == _COMBINATIONS]
    if told:
        terminalreporter.write_line(f"{sum(told)} combinations of commands and cities were run")


@pytest.fixture(scope="session")
def sample() -> Analysed:
    """The sample city with everything computed."""
    city_file = read_city_file(ROOT / "data")
    return analyse(read_city(city_file), city_file.analysis)


def _reported_twice(sample: Analysed) -> Analysed:
    """Return the sample as if its source had marked what it reports again, a third of all."""
    problems = sample.city.frame("problems")
    first = problems.groupby("category")["code"].transform("first")
    again = (problems.index % 3 == 0) & (first != problems["code"])
    still = problems["closed"].mask(problems["code"].isin(first))
    marked = problems.assign(duplicate_of=first.where(again).astype("string"), closed=still)
    city = replace(sample.city, layers={**sample.city.layers, "problems": marked})
    return analyse(city, Analysis(), want=["reporting", "problems"])


@pytest.fixture(scope="session")
def planted() -> dict[str, Any]:
    """What the generator hid in the sample city."""
    return json.loads((ROOT / "data" / "planted.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def boston_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """What `gridmap run` writes of Boston, beside a store of it (x.sqlite), and its figures.

    Tests that take it are of the group ``boston``, so that it is made once.
    """
    folder = tmp_path_factory.mktemp("boston")
    done = run(["run", ROOT / "examples" / "boston.toml", "--out", folder / "run",
                "--store", folder / "x.sqlite", "--json"])  # fmt: skip
    assert (done.wrong, done.code) == ("", 0)
    return folder / "run", json.loads(done.out)["summary"]


@pytest.fixture(scope="session")
def shipped_maps(sample: Analysed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every shipped map of the sample city as NAME.LANG.html, and the gallery."""
    folder = tmp_path_factory.mktemp("shipped")
    catalog = sample.city.catalog
    resized = as_layers(
        resize_grids(design_grids(sample.city), settings=Design(target=80)), sample.city
    )
    for job, source in (("run", sample), ("plan", resized)):
        for name in catalog.maps_of(job):
            shown = _reported_twice(sample) if name == "reporting" else source
            for lang in ("en", "zh"):
                made = draw(shown, catalog.map(name), lang=lang)
                save_page(made, folder / f"{name}.{lang}.html")
    write_gallery(sample, {name: catalog.map(name) for name in catalog.maps_of("run")}, folder)
    return folder
