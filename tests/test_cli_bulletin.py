from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from test_cli import DATA, gridmap


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("[!.]*"))}


def test_a_bulletin_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("bulletin", DATA, "--period", "week", "--on", "2025-06-11", "--out", tmp_path)
    assert gridmap(*asked, "--lang", "zh") == 0
    assert "通报 2025-W24 已生成" in capsys.readouterr().out
    was = files(tmp_path)
    assert set(was) == {f"qinghe-week-2025-W24.zh.{kind}" for kind in ("html", "xlsx", "json")}
    assert gridmap(*asked, "--lang", "zh") == 0
    assert "已冻结，数据未变" in capsys.readouterr().out
    assert files(tmp_path) == was


def test_changed_data_are_told_on_one_line_and_can_be_revised(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = DATA.parent if DATA.is_file() else DATA
    shutil.copytree(folder, tmp_path / "data")
    out = tmp_path / "out"
    asked = ("bulletin", tmp_path / "data", "--period", "month", "--on", "2025-06-11")
    asked = (*asked, "--out", out, "--lang", "en", "--json")
    assert gridmap(*asked) == 0
    first = json.loads(capsys.readouterr().out)
    was = files(out)
    table = tmp_path / "data" / "problems.csv"
    lines = table.read_text(encoding="gb18030").splitlines(keepends=True)
    kept = [line for line in lines if "2025-06-15" not in line]
    assert len(kept) < len(lines)
    table.write_text("".join(kept), encoding="gb18030")
    assert gridmap(*asked) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert first["sha256"] in error
    assert "--revise 1" in error
    assert files(out) == was
    assert gridmap(*asked, "--revise", "1") == 0
    second = json.loads(capsys.readouterr().out)
    assert second["sha256"] in error
    assert (second["revision"], len(second["files"])) == (1, 3)
    assert {name: content for name, content in files(out).items() if name in was} == was


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--period", "fortnight"], "is no period"),
        (["--period", "day", "--on", "yesterday"], "is no date"),
        (["--period", "month", "--on", "2026-01-01"], "after the data"),
        (["--period", "month", "--on", "2020-01-01"], "before the first problem"),
        (["--period", "month", "--level", "planet"], "planet"),
    ],
)
def test_bad_arguments_are_told_on_one_line(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gridmap("bulletin", DATA, *arguments, "--out", tmp_path, "--lang", "en") == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
