"""Results move as one: after kills, beside files of people, through links, with two writers."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from gridmap import locks
from gridmap.digests import file_digest
from gridmap.errors import OutputError
from gridmap.outputs import publishing, staged
from gridmap.outputs.manifest import read_manifest

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("GRIDMAP_KILLS", "12"))  # more of them for a long form
FILES = 60
# Writes sets of files, each file with the number of its set, until it is killed.
WRITER = """
import sys
from pathlib import Path
from gridmap.outputs import publishing
from gridmap.outputs.staging import staged
folder, first, count, step = Path(sys.argv[1]), *map(int, sys.argv[2:5])
if len(sys.argv) > 5:
    publishing._can_exchange = lambda: False  # as on a system that cannot
for number in range(first, 10_000, step):
    with staged(folder, job="run") as stage:
        (stage / "layers").mkdir()
        for each in range(count):
            (stage / "layers" / f"{each}.txt").write_text(str(number) * 100)
        (stage / "summary.txt").write_text(str(number) * 100)
        (stage / f"only-{number}.txt").write_text(str(number) * 100)
    print(number, flush=True)
"""


def writer(folder: Path, first: int = 0, *, step: int = 1, plain: bool = False) -> subprocess.Popen:
    arguments = [folder, first, FILES, step, *(["plain"] if plain else [])]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sets_in(folder: Path) -> set[str]:
    """Return of which sets the files of gridmap are, and prove that each of them is whole."""
    files = [path for path in folder.rglob("[!.]*.txt") if not path.name.startswith("mine")]
    numbers = {path.read_text()[: len(path.read_text()) // 100] for path in files}
    assert len(files) == FILES + 2
    return numbers


@pytest.mark.parametrize("plain", [False, True])
def test_a_kill_leaves_one_set_whole(tmp_path: Path, plain: bool) -> None:
    out = tmp_path / "out"
    (out / "layers").mkdir(parents=True)
    (out / "layers" / "mine.txt").write_text("a person's")
    chance, first = random.Random(7), 0  # noqa: S311 - the same in every run
    for _ in range(KILLS):
        running = writer(out, first, plain=plain)
        assert running.stdout is not None
        line = running.stdout.readline()
        assert line, running.stderr and running.stderr.read()
        time.sleep(chance.uniform(0, 0.2))
        running.send_signal(signal.SIGKILL)
        running.communicate()
        if plain:  # a mix is healed by the next command that writes there
            with staged(out):
                pass
        assert len(sets_in(out)) == 1
        assert (out / "layers" / "mine.txt").read_text() == "a person's"
        first = int(sets_in(out).pop()) + 1
    with staged(out):
        pass
    assert len(sets_in(out)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert list(out.rglob("*.kept-*")) == []


def test_every_path_leads_to_one_set_while_they_move(tmp_path: Path) -> None:
    """Who opens the folder and then reads in it sees one set; nothing is missing at any time."""
    out = tmp_path / "out"
    running = writer(out)
    assert running.stdout is not None
    running.stdout.readline()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert (out / "summary.txt").is_file()
        assert (out / "layers" / "0.txt").is_file()
    running.kill()
    running.communicate()


def test_two_writers_do_not_interleave(tmp_path: Path) -> None:
    out = tmp_path / "out"
    pair = [writer(out, number, step=2) for number in (0, 1)]
    for _ in range(KILLS):
        for each in pair:
            assert each.stdout is not None
            assert each.stdout.readline()
    for each in pair:
        each.kill()
        each.communicate()
    with staged(out):
        pass
    assert len(sets_in(out)) == 1


def put(
    folder: Path, *names: str, job: str = "run", text: str = "new", **more: list[str]
) -> list[str]:
    kept: list[str] = []
    with staged(folder, job=job, kept=kept, **more) as stage:
        for name in names:
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            (stage / name).write_text(text)
    return kept


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("[!.]*.*"))


@pytest.mark.parametrize("exchanges", [True, False])
def test_what_a_person_made_or_changed_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchanges: bool
) -> None:
    monkeypatch.setattr(publishing, "_can_exchange", lambda: exchanges)
    (tmp_path / "notes.txt").write_text("mine")
    assert put(tmp_path, "a.txt", "sub/b.txt", "c.txt") == []
    (tmp_path / "a.txt").write_text("changed")
    (tmp_path / "sub" / "b.txt").write_text("changed")
    (tmp_path / "d.txt").write_text("mine")
    assert put(tmp_path, "a.txt", "d.txt", text="newer") == ["a.kept-1.txt", "d.kept-1.txt"]
    # Of what is no longer made, the unchanged goes and the changed stays.
    assert names_in(tmp_path) == [
        "a.kept-1.txt", "a.txt", "d.kept-1.txt", "d.txt", "notes.txt", "sub/b.txt",
    ]  # fmt: skip
    assert (tmp_path / "a.txt").read_text() == "newer"
    assert (tmp_path / "a.kept-1.txt").read_text() == "changed"
    (tmp_path / "a.txt").write_text("changed")
    assert put(tmp_path, "a.txt", text="newest") == ["a.kept-1.txt"]
    assert "a.kept-2.txt" not in names_in(tmp_path)
    (tmp_path / "a.txt").write_text("changed again")
    saved = [file_digest(tmp_path / "a.txt")]
    assert put(tmp_path, "a.txt", saved=saved) == []
    assert put(tmp_path, "a.txt", job="other") == []
    assert set(read_manifest(tmp_path)) >= {"a.txt"}


def test_an_edited_file_is_a_persons_work(tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("copied here")
    assert put(tmp_path, "plan.txt", job="", asked=["plan.txt"]) == []
    assert put(tmp_path, "plan.txt", job="", asked=["plan.txt"], text="again") == []
    assert put(tmp_path, "plan.txt", job="", text="designed anew") == ["plan.kept-1.txt"]
    assert (tmp_path / "plan.kept-1.txt").read_text() == "again"


def test_links_stay_links(tmp_path: Path) -> None:
    real, other = tmp_path / "real", tmp_path / "other"
    real.mkdir()
    other.mkdir()
    out = tmp_path / "out"
    out.symlink_to("real")
    put(out, "a.txt", "maps/b.txt", "c.txt")
    (real / "a.txt").rename(other / "a.txt")
    (real / "a.txt").symlink_to("../other/a.txt")
    (real / "maps").rename(other / "maps")
    (real / "maps").symlink_to(other / "maps")
    inode = real.stat().st_ino
    assert put(out, "a.txt", "maps/b.txt", "c.txt", text="newer") == []
    assert out.is_symlink()
    assert (real / "a.txt").is_symlink()
    assert (real / "maps").is_symlink()
    assert (other / "a.txt").read_text() == (other / "maps" / "b.txt").read_text() == "newer"
    assert real.stat().st_ino == inode  # for who works in it, or has mounted it
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "out", "real"]


def test_a_lock_tells_who_holds_it(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from gridmap.locks import locked\n"
    code += "with locked(Path(sys.argv[1])):\n    print(flush=True); sys.stdin.read()\n"
    holder = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdout.readline()
    told = []
    with (
        pytest.raises(OutputError, match=f"process {holder.pid}") as refused,
        locks.locked(tmp_path, patience_s=1.5, waiting=lambda *said: told.append(said)),
    ):
        pass
    assert locks.user_name() in refused.value.text("zh")
    assert len(told) == 1
    holder.kill()
    holder.communicate()
    with locks.locked(tmp_path, patience_s=0), locks.locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_broken_manifest_makes_every_file_a_persons(tmp_path: Path) -> None:
    put(tmp_path, "a.txt")
    (tmp_path / ".gridmap.json").write_text(json.dumps({"files": ["a.txt"]}))
    assert put(tmp_path, "a.txt", text="newer") == ["a.kept-1.txt"]


AS_ANOTHER = """
import os, sys
from pathlib import Path
from gridmap.errors import OutputError
from gridmap.outputs.staging import staged
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with staged(Path(sys.argv[1])) as stage:
        (stage / "a.txt").write_text("new")
except OutputError as error:
    sys.exit(error.text("en"))
"""


def as_another(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", AS_ANOTHER, folder],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that any user may reach, or a skip where that cannot be had."""
    for path in (tmp_path, *tmp_path.parents):
        if path == Path(tempfile.gettempdir()):
            break
        path.chmod(0o755)
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_a_folder_that_others_may_only_read_is_one_line(open_folder: Path) -> None:
    put(open_folder, "a.txt", text="old")
    open_folder.chmod(0o555)
    done = as_another(open_folder)
    open_folder.chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert "cannot be written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert names_in(open_folder) == ["a.txt"]
    assert (open_folder / "a.txt").read_text() == "old"


def test_a_folder_in_one_that_is_read_only_is_written(open_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another user")
    os.chown(open_folder, 65534, 65534)
    done = as_another(open_folder)
    assert done.returncode == 0, done.stderr
    assert (open_folder / "a.txt").read_text() == "new"
    assert sorted(path.name for path in open_folder.iterdir()) == [".gridmap.json", "a.txt"]


def test_a_full_disk_is_one_line_and_leaves_the_old_set(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this user cannot mount a small disk")
    try:
        out = small / "out"
        put(out, "a.txt", text="old")
        for length in (40_000, 400_000):
            with pytest.raises(OutputError, match="No space left"):
                put(out, *(f"{number}.txt" for number in range(10)), text="x" * length)
            assert names_in(out) == ["a.txt"]
        assert (out / "a.txt").read_text() == "old"
        assert [path.name for path in small.iterdir()] == ["out"]
        # A folder that is a disk of its own cannot change places with another.
        assert put(small, "b.txt") == []
        assert put(small, "b.txt", text="newer") == []
        assert (small / "b.txt").read_text() == "newer"
    finally:
        subprocess.run(["umount", small], check=True)
