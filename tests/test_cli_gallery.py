"""The command gallery, and traditional Chinese, through the command line as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gridmap import cli, messages
from gridmap.catalog import Text
from gridmap.cli.common import language

CITY = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("gallery")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sys.argv",
            ["gridmap", "gallery", str(CITY), "--out", str(out), "--lang", "zh-Hant", "--json"],
        )
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert not ended.value.code
    return out


def test_the_gallery_leads_to_every_map_that_was_drawn(folder: Path) -> None:
    maps = {path.name for path in (folder / "maps").glob("*.html")} - {"index.html"}
    index = (folder / "maps" / "index.html").read_text("utf-8")
    assert len(maps) >= 8
    for name in maps:
        assert f'href="{name}#lang=zh-Hant"' in index


def test_a_map_begins_in_the_language_asked_for(folder: Path) -> None:
    page = (folder / "maps" / "workload.html").read_text("utf-8")
    assert '<html lang="zh-Hant">' in page
    assert "網格工作量" in page


def test_traditional_follows_from_simplified_unless_it_is_written() -> None:
    assert Text(en="Grid", zh="网格").get("zh-Hant") == "網格"
    assert Text(en="Grid", zh="网格").get("zh-Hans") == "网格"
    assert messages.pick({"en": "Bell", "zh": "钟", "zh-Hant": "鐘"}, "zh-Hant") == "鐘"
    assert messages.words({"en": "Grid", "zh": "网格"}) == {
        "en": "Grid", "zh-Hans": "网格", "zh-Hant": "網格"
    }  # fmt: skip
    assert messages.words({"zh": "网格"}) == {"en": "网格", "zh-Hans": "网格", "zh-Hant": "網格"}
    assert messages.words({"en": "A", "zh": "A"}) == "A"


def test_traditional_keeps_the_holes_of_every_message() -> None:
    for head in ("browser", "cli", "page", "map"):
        for key, texts in messages.written(head).items():
            holes = sorted(part.split("}")[0] for part in texts["zh"].split("{")[1:])
            said = messages.pick(texts, "zh-Hant")
            assert sorted(part.split("}")[0] for part in said.split("{")[1:]) == holes, key


@pytest.mark.parametrize(
    ("asked", "given"), [("zh", "zh"), ("zh-Hans", "zh"), ("zh-Hant", "zh-Hant"), ("en", "en")]
)
def test_languages_by_their_names(asked: str, given: str) -> None:
    assert language(asked, "") == given


@pytest.mark.parametrize(
    ("locale", "given"),
    [("zh_TW.UTF-8", "zh-Hant"), ("zh_HK", "zh-Hant"), ("zh_CN.UTF-8", "zh"), ("de_DE", "en")],
)
def test_the_language_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, locale: str, given: str
) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", locale)
    assert messages.default_language() == given


def test_json_names_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["gridmap", "gallery", str(CITY), "-o", str(tmp_path), "--json"]
    )
    with pytest.raises(SystemExit):
        cli.main()
    told = json.loads(capsys.readouterr().out)
    assert told["files"][0] == "index.html"
    assert set(told["files"]) == {path.name for path in (tmp_path / "maps").iterdir()}
