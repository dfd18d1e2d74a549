"""What was typed wrong, and terminals as they may be: one line and the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import gridmap
from written_town import ROW, write_town

from gridmap import messages

Said = pytest.CaptureFixture[str]
TYPED = {
    "rum": (
        "there is no command 'gridmap rum'; did you mean 'gridmap run'?",
        "没有命令“gridmap rum”；是否为“gridmap run”？",
    ),
    "xyz": (
        "there is no command 'gridmap xyz'; see gridmap --help",
        "没有命令“gridmap xyz”；请查看 gridmap --help",
    ),
    "plan mov": (
        "there is no command 'gridmap plan mov'; did you mean 'gridmap plan move'?",
        "没有命令“gridmap plan mov”；是否为“gridmap plan move”？",
    ),
    "run": (
        "gridmap run needs CITY; add it, see gridmap run --help",
        "gridmap run 缺少 CITY；请补充，用法见 gridmap run --help",
    ),
    "bulletin a": (
        "gridmap bulletin needs --period; add it, see gridmap bulletin --help",
        "gridmap bulletin 缺少 --period；请补充，用法见 gridmap bulletin --help",
    ),
    "run a b": (
        "gridmap run does not take 'b' too; names with spaces stand in quotes, "
        "see gridmap run --help",
        "gridmap run 不接受多余的“b”；含空格的名称须加引号，用法见 gridmap run --help",
    ),
    "run a --oout x": (
        "gridmap run has no option '--oout'; did you mean '--out'?",
        "gridmap run 没有选项“--oout”；是否为“--out”？",
    ),
    "run a --zzzz": (
        "gridmap run has no option '--zzzz'; see gridmap run --help",
        "gridmap run 没有选项“--zzzz”；请查看 gridmap run --help",
    ),
    "run a --out": ("--out needs a value after it", "--out 之后须有取值"),
    "run a --json=1": ("--json takes no value; write it alone", "--json 不带取值；请单独书写"),
    "design a --target x": (
        "--target: 'x' is no number; write one such as 60 or 0.5",
        "--target：“x”不是数值；请写 60 或 0.5 等",
    ),
    "bulletin a --period day --revise=x": (
        "--revise: 'x' is no whole number; write one such as 2",
        "--revise：“x”不是整数；请写 2 等",
    ),
    "bulletin a --period day --revise -1": (
        "--revise: -1 is too small; write 0 or more",
        "--revise：-1 过小；请写不小于 0 的数",
    ),
    "layers --lang fr": (
        "--lang: 'fr' is not known; write one of en, zh, zh-Hans, zh-Hant",
        "--lang：“fr”无效；请用 en, zh, zh-Hans, zh-Hant 之一",
    ),
    "check a.gpkg --fix": (
        "--fix writes the mended layer; say where with --out FOLDER",
        "--fix 会写出修复后的图层；请用 --out 指定文件夹",
    ),
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("typed", TYPED)
def test_what_was_typed_wrong_is_one_line(
    typed: str, lang: str, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", lang)
    assert gridmap(*typed.split()) == 2
    said = TYPED[typed][0 if lang == "en" else 1]
    assert capsys.readouterr().err == messages.text("cli.error", lang, message=said) + "\n"


EMPTY = (
    (["run", "a", "--store", ""], "--store"),
    (["run", "a", "--store= "], "--store"),
    (["export", "a", "--out", "  ", "--format", "gpkg"], "--out"),
    (["run", ""], ""),
    (["who", "a", ""], ""),
)


@pytest.mark.parametrize(("arguments", "option"), EMPTY)
def test_an_empty_argument_is_refused(arguments: list[str], option: str, capsys: Said) -> None:
    assert gridmap(*arguments, "--lang", "en") == 2
    said = capsys.readouterr().err
    assert (f"{option}: its value is empty" if option else "an argument is empty") in said
    assert said.count("\n") == 1


def test_arguments_in_the_wrong_order_are_told(tmp_path: Path, capsys: Said) -> None:
    city = write_town(tmp_path, [ROW])
    for given in (city, city / "city.toml"):
        assert gridmap("map", given, "heatmap", "--lang", "zh") == 2
        said = capsys.readouterr().err
        assert "gridmap map --help" in said
        assert str(given) in said
    assert gridmap("who", "120.905,30.705", city) == 2
    assert "in the order that gridmap who --help shows" in capsys.readouterr().err
    # A city that is not there is not there, whatever else is typed.
    assert gridmap("run", tmp_path / "none.toml", "--out", city) == 1
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [["--lang", "zh"], ["--lang=zh"]])
def test_the_option_says_the_language_of_a_mistake(asked: list[str], capsys: Said) -> None:
    assert gridmap("layers", "nope", *asked) == 1
    assert "没有名为“nope”的图层" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\x1b[31mb", "a\u2028b", "con", "x/NUL.d"])
def test_a_folder_that_no_line_can_show_is_refused(name: str, tmp_path: Path, capsys: Said) -> None:
    city = write_town(tmp_path, [ROW])
    before = sorted(tmp_path.iterdir())
    for lang in ("en", "zh"):
        assert gridmap("check", city, "--out", tmp_path / name, "--lang", lang) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert said.strip().isprintable()
        assert "--out" in said
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_cannot_be_made_is_told_in_both_languages(
    tmp_path: Path, capsys: Said
) -> None:
    city = write_town(tmp_path, [ROW])
    for out, english, chinese in (
        (city / "city.toml", "a file of that name is there", "已有同名文件"),
        (city / "city.toml" / "out", "a file lies where a folder is asked", "是文件而不是文件夹"),
        ("/proc/out", "No such file", "不存在"),
        ("n" * 300, "File name too long", "文件名过长"),
    ):
        for lang, reason in (("en", english), ("zh", chinese)):
            assert gridmap("check", city, "--out", out, "--lang", lang) == 1
            said = capsys.readouterr().err
            assert said.count("\n") == 1
            assert reason in said
            assert "--out" in said


def in_shell(line: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of shell in which $G is the command."""
    environment = {**os.environ, "G": f"{sys.executable} -m gridmap", **variables}
    environment |= {"PYTHONPATH": str(Path(messages.__file__).parents[2])}
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        capture_output=True, text=True, env=environment, check=False, encoding="utf-8",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$G layers <&- >&- 2>&-", 0),
        ("$G layers nope >&- 2>&-", 1),
        ("$G schema | head -1 >/dev/null", 0),
        ("$G layers nope 2>&1 | true", 1),
    ],
)
def test_streams_that_are_closed_change_no_exit_code(line: str, code: int) -> None:
    done = in_shell(line, GRIDMAP_LANG="en")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_output_that_cannot_be_written_is_one_line() -> None:
    done = in_shell("$G layers > /dev/full", GRIDMAP_LANG="zh")
    assert done.returncode == 1
    assert done.stderr.startswith("gridmap：标准输出：无法写入：磁盘已满")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_terminal_without_the_letters_gets_them_escaped(lang: str) -> None:
    line = "$G layers roads --json; $G layers nope"
    done = in_shell(line, GRIDMAP_LANG=lang, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert done.stdout.isascii()
    assert json.loads(done.stdout)[0]["title"] == {"en": "Roads", "zh": "道路"}
    assert done.stderr.isascii()
    assert done.stderr.count("\n") == 1
    plain = in_shell("$G layers nope", GRIDMAP_LANG=lang, LC_ALL="C", LANG="C")
    assert plain.returncode == 1
    assert plain.stderr.count("\n") == 1
