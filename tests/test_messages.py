import ast
import re
import string
import tomllib
from pathlib import Path

import pytest

from gridmap import messages
from gridmap.catalog import load_catalog
from gridmap.errors import GridmapError, SourceError

PACKAGE = Path(messages.__file__).parents[1]
CATALOGUE = tomllib.loads((PACKAGE / "messages" / "messages.toml").read_text(encoding="utf-8"))
KEYS = sorted(f"{head}.{name}" for head, entries in CATALOGUE.items() for name in entries)


# Names and abbreviations that both languages write alike.
SAME_IN_BOTH = {
    "basemap.osm", "browser.csv", "catalog.invalid", "catalog.unknown", "cli.error",
    "config.invalid", "invalid.of", "invalid.one", "unit.%", "unit.MB",
}  # fmt: skip


def is_chinese(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("key", KEYS)
def test_every_message_has_both_languages_with_the_same_placeholders(key: str) -> None:
    head, _, name = key.partition(".")
    entry = CATALOGUE[head][name]
    assert set(entry) == {"en", "zh"}
    assert placeholders(entry["en"]) == placeholders(entry["zh"])
    assert "\n" not in entry["en"] + entry["zh"]
    assert is_chinese(entry["zh"]) or key in SAME_IN_BOTH
    assert not is_chinese(entry["en"])


def raised() -> list[tuple[str, str, set[str]]]:
    """Every error that the code raises with a literal key: file, key, parameters."""
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if re.search(r"(Error|^error)$", name) and isinstance(first, ast.Constant):
                keywords = {keyword.arg for keyword in node.keywords if keyword.arg}
                if isinstance(first.value, str) and "." in first.value:
                    found.append((file.name, first.value, keywords))
    return found


def test_every_error_has_its_message_and_gives_its_parameters() -> None:
    calls = raised()
    assert len(calls) > 20
    for file, key, keywords in calls:
        head, _, name = key.partition(".")
        if head in CATALOGUE:
            assert placeholders(CATALOGUE[head][name]["en"]) <= keywords, (file, key)


def test_every_error_message_is_used() -> None:
    code = "".join(file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py"))
    heads = ("catalog", "toml", "config", "source", "conform", "crs", "output", "map", "store")
    unused = [key for key in KEYS if key.split(".")[0] in heads and f'"{key}"' not in code]
    assert unused == []


def test_an_error_is_one_line_in_either_language() -> None:
    error = SourceError("source.missing", path="a\nb.csv")
    assert isinstance(error, GridmapError)
    assert str(error) == error.text("en")
    assert "a b.csv" in error.text("zh")
    assert "文件不存在" in error.text("zh")


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({"GRIDMAP_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "GRIDMAP_LANG": "en"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_sessions(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("GRIDMAP_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert messages.default_language() == language


def test_units_of_the_catalogue_are_known_in_chinese() -> None:
    units = {field.unit for layer in load_catalog().in_order for field in layer.fields.values()}
    assert units - {""} <= set(messages.section("unit", "zh"))
    assert messages.unit_label("furlong", "zh") == "furlong"
