"""What goes wrong is told in one line, and what was there before is as it was."""

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
import resource, signal, sys
from pathlib import Path
from export_town import awkward, layer, town
from gridmap.errors import GridmapError
from gridmap.outputs import staged
from gridmap.outputs.export.layers import export_layers
folder, name, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
city = town((layer(), awkward(int(sys.argv[4]))))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails instead of killing
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with staged(folder) as stage:
        print("begun", flush=True)
        export_layers(city, stage, formats=[name])
except GridmapError as error:
    print(error.text("en"))
    sys.exit(1)
"""


def started(folder: Path, name: str, limit: int = 0, count: int = 400) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CODE, folder, name, str(limit), str(count)],
        env={"PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}", "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, name: str) -> None:
    """The limit of a file's size fails as a full disk does, in the middle of a write."""
    export_layers(town(), tmp_path, formats=[name])
    before = files(tmp_path)
    running = started(tmp_path, name, limit=1000 if name in ("qml", "maplibre") else 2500)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 1, (out, err)
    message = out.splitlines()[-1]
    assert len(message) > 20
    assert "\n" not in message
    assert "Traceback" not in err
    assert files(tmp_path) == before


def test_a_killed_process_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    export_layers(town(), out, formats=["gpkg"])
    before = (out / "town.gpkg").read_bytes()
    running = started(out, "gpkg", count=40_000)
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
