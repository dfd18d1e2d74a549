"""What measures say that they take is what they ask for, and the same of their settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flawed_city import flawed, flawed_bare

from gridmap.config import read_city_file
from gridmap.measures.registry import Given, Measure, load_measures
from gridmap.settings import Analysis
from gridmap.sources import read_city

REGISTRY = load_measures()
# The level of the areas of cases, of which KPIs alone tell; they name it.
OF_OTHERS = {"case_table": {"kpis"}}
# Asked for where the level is that of H3 cells, or grids are held against their households; where
# density ends at the outline; where neither households nor population are known; where a city has
# no categories; and by any name.
ELSEWHERE = {
    "density": {"grids"},
    "hotspots": {"roads"},
    "hotspot_cells": {"roads"},
    "emerging": {"hotspot_cells", "grid_results"},
    "alarms": {"grids", "grid_results", "roads", "hotspot_cells", "cell_exposure"},
    "sensitivity": {"roads"},
    "line_by_block": {"problems"},
    "reconciled": {*REGISTRY.makers["reconciled"].uses},
}


class Told(dict[str, Any]):
    """Tables by name that know which of them were asked for."""

    def __init__(self, tables: dict[str, Any], asked: set[str]) -> None:
        super().__init__(tables)
        self._asked = asked

    def __contains__(self, name: object) -> bool:
        self._asked.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> Any:
        self._asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._asked.add(name)
        return super().get(name, default)


class Watched(Analysis):
    """Settings that know which of them were asked for."""

    def __getattribute__(self, name: str) -> Any:
        if name in Analysis.model_fields:
            _CHOICES.add(name)
        return super().__getattribute__(name)


_CHOICES: set[str] = set()


@dataclass
class Asked:
    """What a measure asked for in any town."""

    tables: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Asked]:
    """What each measure asks for, in the flawed town with every setting and with none."""
    every = {measure.name: Asked() for measure in REGISTRY.measures}
    for name, town in (("set", flawed()), ("bare", flawed_bare())):
        file = read_city_file(town.write(tmp_path_factory.mktemp("town") / name))
        city, found = read_city(file), {}
        settings = Watched.model_validate(file.analysis.model_dump())
        for measure in REGISTRY.plan(REGISTRY.makers):
            tables: set[str] = set()
            spied = replace(city)
            object.__setattr__(spied, "layers", Told(dict(city.layers), tables))
            _CHOICES.clear()
            made = measure.run(Given(spied, settings, Told(found, tables)))
            every[measure.name].tables |= tables
            every[measure.name].settings |= _CHOICES
            found |= made
    return every


def upstream(measure: Measure) -> Iterator[Measure]:
    """Yield a measure and all whose results it takes, near or far."""
    yield from REGISTRY.plan(measure.makes)


@pytest.mark.parametrize("measure", REGISTRY.measures, ids=lambda measure: measure.name)
def test_a_measure_takes_what_it_asks_for(measure: Measure, asked: dict[str, Asked]) -> None:
    unsaid = asked[measure.name].tables - {*measure.takes, *measure.makes}
    assert unsaid == set()
    # Once it is made, a result stands before the layer that it is made from.
    assert asked[measure.name].tables & {*measure.takes} or not measure.takes


@pytest.mark.parametrize("measure", REGISTRY.measures, ids=lambda measure: measure.name)
def test_a_measure_names_the_settings_that_it_asks_for(
    measure: Measure, asked: dict[str, Asked]
) -> None:
    known = {name for each in upstream(measure) for name in each.settings}
    assert asked[measure.name].settings - known == OF_OTHERS.get(measure.name, set())
    used = {name for each in upstream(measure) for name in asked[each.name].settings}
    assert {*measure.settings} - used == set()


@pytest.mark.parametrize("measure", REGISTRY.measures, ids=lambda measure: measure.name)
def test_a_measure_asks_for_all_that_it_uses(measure: Measure, asked: dict[str, Asked]) -> None:
    unasked = {*measure.uses} - asked[measure.name].tables
    assert unasked <= ELSEWHERE.get(measure.name, set())
