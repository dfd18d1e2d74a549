import ast
import errno
import re
import string
import tomllib
import zipfile
from pathlib import Path

import pytest

from gridmap import messages
from gridmap.catalog import load_catalog
from gridmap.errors import GridmapError, SourceError, StoreError
from gridmap.messages.foreign import database_reason, library_reason

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


# What SQLite and PostgreSQL say, as they say it.
SAID = {
    "unable to open database file": "无法打开数据库文件",
    "attempt to write a readonly database": "只能读取，不能写入",
    "database or disk is full": "磁盘已满",
    "file is not a database": "该文件不是 SQLite 数据库",
    "database disk image is malformed": "数据库文件已损坏",
    'connection to server at "127.0.0.1", port 1 failed: Connection refused': "没有数据库服务应答",
    'FATAL:  password authentication failed for user "li"': "用户名或密码不被接受",
    'FATAL:  role "li" does not exist': 'role "li"',
    'FATAL:  database "grid" does not exist': 'database "grid"',
    'permission denied for schema "public"': "没有权限",
    "something new": "数据库报告“something new”",
}


@pytest.mark.parametrize("said", SAID)
def test_what_a_database_says_is_told_in_each_language(said: str) -> None:
    error = StoreError("store.failed", store="x", reason=database_reason(said))
    assert SAID[said] in error.text("zh")
    assert not is_chinese(error.text("en"))


def test_what_a_library_says_is_quoted_where_nobody_knows_it() -> None:
    def told(error: BaseException) -> str:
        return SourceError("source.broken", path="a.zip", reason=library_reason(error)).text("zh")

    assert "：文件不完整或已损坏；" in told(zipfile.BadZipFile("File is not a zip file"))
    assert "：磁盘已满；" in told(OSError(errno.ENOSPC, "No space left on device"))
    assert "程序库报告“odd thing”" in told(ValueError("\n odd thing\nand more"))
    assert "程序库报告“ValueError”" in told(ValueError())
    assert len(told(ValueError("x" * 5000))) < 300
