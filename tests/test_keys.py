"""Every key of a city file is told in both languages, and the schema judges as the reader does."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import written_town
from jsonschema import Draft7Validator

from gridmap import messages
from gridmap.config import CityFile, read_city_file
from gridmap.errors import ConfigError
from gridmap.keys import Section, city_schema, meanings, sections, toml_text

ROOT = Path(__file__).parent.parent
FILES = sorted([ROOT / "data" / "city.toml", *(ROOT / "examples").glob("*.toml")])
SCHEMA = city_schema()
MINIMAL = """
name = "town"
title = { en = "Town", zh = "镇" }
source = { en = "Made up", zh = "虚构" }
timezone = "Asia/Shanghai"
inputs = [{ layer = "grids", path = "grids.gpkg" }]
"""
KEYS = [(part, name) for part in sections() for name in part.fields]
NAMES = [f"{part.record.__name__}.{name}" for part, name in KEYS]


def as_json(value: Any) -> Any:
    """Return what was read from TOML as an editor hands it to the schema."""
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    if value == float("inf"):
        return None
    return value.isoformat() if isinstance(value, dt.date) else value


def objections(city: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft7Validator(SCHEMA).iter_errors(as_json(city))]


def refused(text: str, folder: Path) -> bool:
    (folder / "city.toml").write_text(text, encoding="utf-8")
    try:
        read_city_file(folder)
    except ConfigError:
        return True
    return False


def kinds(schema: dict[str, Any]) -> Iterator[str]:
    """Yield every type that a schema names, at any depth, but not of other records."""
    kind = schema.get("type")
    yield from kind if isinstance(kind, list) else [kind] if kind else []
    for inner in ("items", "additionalProperties", "anyOf"):
        found = schema.get(inner)
        for each in found if isinstance(found, list) else [found]:
            if isinstance(each, dict):
                yield from kinds(each)


def test_every_key_is_told_and_nothing_else() -> None:
    told = {f"{record}.{name}" for record, keys in meanings().items() for name in keys}
    assert told == set(NAMES)


@pytest.mark.parametrize(("part", "name"), KEYS, ids=NAMES)
def test_a_key_has_both_languages_and_a_unit_where_it_is_a_quantity(
    part: Section, name: str
) -> None:
    record = part.record.__name__
    meaning = meanings()[record][name]
    known = SCHEMA if record == "CityFile" else SCHEMA["definitions"][record]
    assert meaning.en
    assert not re.search(r"[\u4e00-\u9fff]", meaning.en)
    assert re.search(r"[\u4e00-\u9fff]", meaning.zh)
    counted = {"integer", "number"} & set(kinds(known["properties"][name]))
    if name != "effort":  # whose keys are of any kind
        assert bool(counted) == bool(meaning.unit)
    if meaning.unit:
        assert meaning.unit in messages.section("unit")


def example_city(part: Section, name: str) -> dict[str, Any]:
    """Return a city file that holds the example of a key, and else what must be given alone."""
    record = part.record.__name__
    given = tomllib.loads(meanings()[record][name].example)
    path = re.findall(r"\w+", part.places[0])
    if name not in given:  # a table, told with its whole name
        for step in path:
            given = given[step]
    assert name in given
    for other, field in part.fields.items():
        if field.is_required() and other not in given:
            given |= tomllib.loads(meanings()[record][other].example)
    city = tomllib.loads(MINIMAL)
    if path[:1] == ["inputs"]:
        city["inputs"][0] |= nested([part_of(step) for step in path[1:]], given)
    elif record == "Interpolation":
        city["analysis"] = {"interpolate": [given]}
    elif record != "Text":
        city |= nested(path, given)
    else:
        city["title"] = given
    return city


def part_of(step: str) -> str:
    return "code" if step == "FIELD" else step


def nested(path: list[str], given: dict[str, Any]) -> dict[str, Any]:
    for step in reversed(path):
        given = {step: given}
    return given


@pytest.mark.parametrize(("part", "name"), KEYS, ids=NAMES)
def test_an_example_is_loaded_and_kept_by_the_schema(part: Section, name: str) -> None:
    city = example_city(part, name)
    CityFile.model_validate(city)
    assert objections(city) == []


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_the_schema_accepts_every_city_file(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert objections(tomllib.loads(text)) == []
    named = re.match(r"#:schema (\S+)\n", text)
    assert named is not None
    beside = json.loads((file.parent / named[1]).read_text(encoding="utf-8"))
    assert beside == SCHEMA


def test_the_schema_accepts_the_towns_of_the_tests() -> None:
    town = written_town.HEAD + written_town.GRIDS + written_town.CASES + written_town.JOINED
    assert objections(tomllib.loads(town)) == []


# What is added to a city file that is right, each a mistake.
WRONG = [
    "inputz = 1",
    "crs = 4549",
    'lang = "fr"',
    'lang = ["zh"]',
    "as_of = 20260131",
    'as_of = "yesterday"',
    "[analysis]\nalpha = 2",
    "[analysis]\nalpa = 0.1",
    '[analysis]\nh3_resolution = "x"',
    "[analysis]\nh3_resolution = 9.5",
    'analysis = "none"',
    "[analysis]\nzone_kinds = 'subzone'",
    "[analysis]\nroad_speeds_kmh = { main = [1, 2, 3] }",
    "[analysis]\nroad_speeds_kmh = { main = ['a', 2, 3, 4] }",
    "[analysis.clock]\nsoon = { amount = 8 }",
    "[analysis.clock]\nsoon = { amount = 8, unit = 'hours' }",
    "[analysis.kpis]\nperiod = 'quarter'",
    "[[analysis.interpolate]]\nsource = 'census'",
    "[design]\ntarget = 0",
    "[design]\ncounts = { a = 0 }",
    "[design.barriers]\nriver = 'much'",
    "[basemap]\nservice = 'google'",
    "[basemap]\nservice = 'osm'\npath = 'x.mbtiles'\nattribution = 'a'",
    "[basemap]\npath = 'x.mbtiles'",
]
WRONG_INPUTS = [
    "encodng = 'gb18030'",
    "x = 'lon'",
    "dissolve = 'perhaps'",
    "columns = { code = 1 }",
    "columns = { code = { column = 'a', sequence = 'b' } }",
    "columns = { code = { prefix = 'a' } }",
    "columns = { code = { colum = 'a' } }",
    "join = 'people.csv'",
    "join = { path = 'people.csv', left = 'a' }",
    "constants = { level = ['grid'] }",
]
MISTAKES = [MINIMAL + wrong for wrong in WRONG] + [
    MINIMAL.replace(" }]\n", f", {wrong} }}]\n") for wrong in WRONG_INPUTS
]


@pytest.mark.parametrize("text", MISTAKES, ids=WRONG + WRONG_INPUTS)
def test_the_schema_and_the_reader_refuse_the_same(text: str, tmp_path: Path) -> None:
    assert objections(tomllib.loads(text))
    assert refused(text, tmp_path)


@pytest.mark.parametrize("key", ["name", "title", "timezone", "source", "inputs"])
def test_what_must_be_given_is_asked_for(key: str, tmp_path: Path) -> None:
    text = re.sub(rf"(?m)^{key} = .*\n", "", MINIMAL)
    assert objections(tomllib.loads(text))
    assert refused(text, tmp_path)


def test_former_names_are_kept_and_deprecated() -> None:
    step = (
        "[[analysis.transfers]]\nsource='a'\ntarget='b'\nfield='c'\nonto='d'\n[analysis.duties]\n"
    )
    assert objections(tomllib.loads(MINIMAL + step)) == []
    known = SCHEMA["definitions"]["Analysis"]["properties"]
    assert {name for name, each in known.items() if each.get("deprecated")} == {
        "transfers",
        "duties",
    }


def test_defaults_are_written_as_toml() -> None:
    for part in sections():
        for name, field in part.fields.items():
            text = toml_text(field.get_default(call_default_factory=True) if name else "")
            if not field.is_required() and text:
                tomllib.loads(f"value = {text}")


def test_the_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    from gridmap.cli.run import schema  # noqa: PLC0415

    schema()
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_a_sample_that_is_copied_keeps_its_schema(tmp_path: Path) -> None:
    for name in ("city.toml", "city.schema.json"):
        shutil.copy(ROOT / "data" / name, tmp_path)
    Draft7Validator.check_schema(json.loads((tmp_path / "city.schema.json").read_text("utf-8")))
