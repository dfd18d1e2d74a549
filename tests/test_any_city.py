"""Every command on a tiny city that lacks a layer, a field or a setting, or is odd as a whole.

Each ends in a result or in one true line. How many combinations ran is told at the end; with
GRIDMAP_EVERY_COMBINATION set, all of them do.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from any_commands import (
    COMMANDS,
    QUICK,
    Cities,
    Command,
    failures,
    lacking_fields,
    lacking_layers,
    lacking_settings,
    named_cities,
    odd_cities,
    run,
)

Record = Callable[[str, object], None]


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")


def check(name: str, of: Callable[[Command], Cities], folder: Path, record: Record) -> int:
    """Run a command on cities, tell how many there were, and fail if any was not taken."""
    count, wrong = failures(COMMANDS[name], of(COMMANDS[name]), folder)
    record("combinations", count)
    assert wrong == []
    return count


@pytest.mark.parametrize("name", QUICK)
def test_a_city_that_lacks_layers(name: str, tmp_path: Path, record_property: Record) -> None:
    assert check(name, lacking_layers, tmp_path, record_property) > len(COMMANDS[name].layers)


@pytest.mark.parametrize("name", QUICK)
def test_a_city_that_lacks_fields(name: str, tmp_path: Path, record_property: Record) -> None:
    check(name, lacking_fields, tmp_path, record_property)


@pytest.mark.parametrize("name", QUICK)
def test_a_city_that_lacks_settings(name: str, tmp_path: Path, record_property: Record) -> None:
    check(name, lacking_settings, tmp_path, record_property)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_city_that_is_odd(name: str, tmp_path: Path, record_property: Record) -> None:
    assert check(name, odd_cities, tmp_path, record_property) > 1


PLANNED = ("no roads", "one grid", "no problems", "grids without names", "western",
           "no field that need not be", "one of each")  # fmt: skip


@pytest.mark.parametrize("name", PLANNED)
def test_a_plan_of_a_city_that_is_odd(name: str, tmp_path: Path, record_property: Record) -> None:
    city = named_cities()[name].write(tmp_path / "city")
    plan = tmp_path / "plan" / "tiny.gpkg"
    designed = run(["design", city, "--out", tmp_path / "plan", "--workers", "1"])
    wrong = [designed.wrong]
    commands: list[list[str | Path]] = [
        ["layers", "--city", city],
        ["gallery", city, "-o", tmp_path],
    ]
    if designed.code == 0:
        commands += [
            ["plan", "show", plan],
            ["plan", "undo", plan],
            ["resize", city, "--plan", plan, "--out", tmp_path / "resized", "--workers", "1"],
            ["export", city, "--plan", plan, "--format", "geojson", "--out", tmp_path / "out"],
            ["fairness", city, "--plan", plan, "--out", tmp_path / "after"],
            ["import-edits", plan, "--into", plan, "--yes"],
            ["check", plan, "--sublayer", "plan"],
        ]
    wrong += [outcome.wrong and f"{asked[0]}: {outcome.wrong}" for asked in commands
              for outcome in [run(asked)]]  # fmt: skip
    record_property("combinations", len(wrong))
    assert [each for each in wrong if each] == []
