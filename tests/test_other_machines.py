"""What is else on the machines of offices, as far as it can be had here: Windows, its console."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from outputs.test_publishing import names_in, put
from written_town import CASES, GRIDS, HEAD, ROW, write_town

from gridmap.config import read_city_file
from gridmap.errors import ConfigError, OutputError
from gridmap.outputs import publishing

ROOT = Path(__file__).parent.parent


class Windows:
    """A file system on which files that a program has open cannot be replaced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open: dict[str, int] = {}  # how many tries more each file stays open
        self.tries = 0
        real = Path.replace

        def replace(source: Path, target: Path) -> Path:
            left = self.open.get(Path(target).name, 0)
            if left:
                self.tries += 1
                self.open[Path(target).name] = left - 1
                error = PermissionError(13, "Access is denied", str(target))
                error.winerror = 32  # type: ignore[attr-defined] - there it is
                raise error
            return real(source, target)

        monkeypatch.setattr(Path, "replace", replace)
        monkeypatch.setattr(publishing, "_can_exchange", lambda: False)
        monkeypatch.setattr(publishing, "_WAITS_S", (0.0, 0.0, 0.0))


def test_a_file_that_stays_open_is_named_and_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = Windows(monkeypatch)
    put(tmp_path, "a.txt", "b.xlsx", "c.txt", text="old")
    windows.open["b.xlsx"] = 100
    with pytest.raises(OutputError) as refused:
        put(tmp_path, "a.txt", "b.xlsx", "c.txt", "d.txt")
    assert "b.xlsx" in str(refused.value)
    assert "Excel" in refused.value.text("en")
    assert "关闭" in refused.value.text("zh")
    assert names_in(tmp_path) == ["a.txt", "b.xlsx", "c.txt"]
    assert {(tmp_path / name).read_text() for name in names_in(tmp_path)} == {"old"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".gridmap.json", "a.txt", "b.xlsx", "c.txt",
    ]  # fmt: skip


def test_a_file_that_is_open_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = Windows(monkeypatch)
    put(tmp_path, "a.txt", text="old")
    windows.open["a.txt"] = 3
    put(tmp_path, "a.txt")
    assert windows.tries == 3
    assert (tmp_path / "a.txt").read_text() == "new"


def test_what_may_not_be_written_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    def replace(source: Path, target: Path) -> Path:
        tries.append(target)
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(publishing, "_can_exchange", lambda: False)
    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OutputError, match="Permission denied"):
        put(tmp_path, "a.txt")
    assert len(tries) == 1


def test_no_file_is_read_or_written_in_the_encoding_of_the_machine(tmp_path: Path) -> None:
    """A Windows in China has code page 936; what is opened without an encoding is read by it."""
    write_town(tmp_path, [ROW])
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-W", "always::EncodingWarning",
         "-m", "gridmap", "run", tmp_path, "--out", tmp_path / "out"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    warned = [line for line in done.stderr.splitlines() if "EncodingWarning" in line]
    assert warned  # libraries do, of files that hold ASCII alone
    assert [line for line in warned if line.startswith(str(ROOT / "gridmap"))] == []


def test_what_a_library_reads_for_us_holds_ascii_alone() -> None:
    """`lazy_loader` opens stubs in the encoding of the machine."""
    stubs = list((ROOT / "gridmap").rglob("*.pyi"))
    assert stubs
    assert [path for path in stubs if not path.read_bytes().isascii()] == []


@pytest.mark.parametrize("name", ["con", "nul", "lpt9"])
def test_no_city_is_called_as_a_device(tmp_path: Path, name: str) -> None:
    write_town(tmp_path, [ROW], HEAD.replace('"town"', f'"{name}"') + GRIDS + CASES)
    with pytest.raises(ConfigError, match="Windows"):
        read_city_file(tmp_path)


def test_a_console_of_code_page_936_says_what_it_can(tmp_path: Path) -> None:
    name = "\N{CJK UNIFIED IDEOGRAPH-20BB7}镇.csv"
    done = subprocess.run(
        [sys.executable, "-m", "gridmap", "check", tmp_path / name, "--lang", "zh"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp936"},
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode("cp936")
    assert done.returncode == 1
    assert said.count("\n") == 1
    assert r"\ud842\udfb7镇.csv" in said
