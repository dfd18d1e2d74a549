"""What goes wrong is told in one line, and what was there before is as it was."""

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from export_town import files, town

from gridmap.errors import OutputError
from gridmap.outputs import staged
from gridmap.outputs.export.layers import FORMATS, export_layers

ROOT = Path(__file__).parents[2]
CODE = """
import sys
from pathlib import Path
from export_town import awkward, layer, town
from gridmap.outputs import staged
from gridmap.outputs.export.layers import export_layers
city = town((layer(), awkward(int(sys.argv[2]))))
with staged(Path(sys.argv[1])) as stage:
    print("begun", flush=True)
    export_layers(city, stage, formats=["gpkg"])
"""


def started(folder: Path, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CODE, folder, str(count)],
        env={"PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# A child for each format, which needs not import all that anew.
ON_A_FULL_DISK = """
import os, resource, signal, sys
from pathlib import Path
from export_town import awkward, layer, town
from gridmap.errors import GridmapError
from gridmap.outputs import staged
from gridmap.outputs.export.layers import export_layers
city = town((layer(), awkward(400)))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails instead of killing
def export(folder, name, limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        with staged(folder) as stage:
            export_layers(city, stage, formats=[name])
    except GridmapError as error:
        os.write(1, repr((name, error.text("en"))).encode() + b"\\n")
        return 1
    return 0
for asked in sys.argv[2:]:
    name, limit = asked.split(":")
    child = os.fork()
    if child == 0:
        os._exit(export(Path(sys.argv[1]) / name, name, int(limit)))
    if os.waitpid(child, 0)[1] != 256:
        sys.exit(name)
"""


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """The limit of a file's size fails as a full disk does, in the middle of a write."""
    for name in FORMATS:
        (tmp_path / name).mkdir()
        export_layers(town(), tmp_path / name, formats=[name])
    before = {name: files(tmp_path / name) for name in FORMATS}
    limits = {name: 1000 if name in ("qml", "maplibre") else 2500 for name in FORMATS}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ON_A_FULL_DISK, tmp_path,
         *(f"{name}:{limit}" for name, limit in limits.items())],
        env={"PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}", "PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = dict(map(ast.literal_eval, done.stdout.splitlines()))
    assert set(told) == set(FORMATS)
    assert all(len(message) > 20 and "\n" not in message for message in told.values())
    assert "Traceback" not in done.stderr
    assert {name: files(tmp_path / name) for name in FORMATS} == before


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    export_layers(town(), out, formats=["gpkg"])
    before = (out / "town.gpkg").read_bytes()
    running = started(out, 40_000)
    assert running.stdout is not None
    assert running.stdout.readline() == "begun\n"
    waited = time.monotonic()
    while not list(tmp_path.glob(".gridmap-*/new/town.gpkg")):
        assert running.poll() is None
        assert time.monotonic() - waited < 60
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    running.communicate()
    assert (out / "town.gpkg").read_bytes() == before
    assert left_in(tmp_path)
    with staged(out) as stage:
        assert left_in(tmp_path) == [stage.parent]
        export_layers(town(), stage, formats=["gpkg"])
    assert (out / "town.gpkg").read_bytes() == before
    assert left_in(tmp_path) == []


def left_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(".gridmap-*"))


def test_only_what_a_process_that_is_gone_made_is_cleared(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    out = tmp_path / "out"
    with staged(out) as new:
        first = new.parent
        own = first.name.replace(str(os.getpid()), str(gone.pid))
        assert own != first.name
        others = [own.replace(".gridmap-", ".gridmap-elsewhere-"), own + "-kept", "-" + own]
        for name in (own, *others):
            (tmp_path / name).mkdir()
            (tmp_path / name / "file").touch()
        with staged(out) as second:  # at the same time as the first
            assert first.is_dir()
            assert second.is_dir()
        left = sorted(path.name for path in tmp_path.iterdir())
        assert left == sorted(["out", first.name, *others])


def test_a_folder_that_cannot_be_written_is_told_before_any_work() -> None:
    def work() -> None:
        with staged(Path("/proc/gridmap")):
            pytest.fail("began all the same")

    with pytest.raises(OutputError, match="cannot be written"):
        work()


def test_a_folder_that_is_read_only_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="cannot be written"), staged(tmp_path):
            pass
    finally:
        tmp_path.chmod(0o700)
