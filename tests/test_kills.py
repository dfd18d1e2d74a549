"""Commands are killed at random moments: what they write is as before or as after."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
from shapes import grid_of
from written_town import HEAD, PLANNED, ROW, write_town

from gridmap.catalog import load_catalog
from gridmap.sources.plan import read_plan
from gridmap.store import load

ROOT = Path(__file__).parent.parent
FORMER = ROOT / "tests/former/town.gpkg.gz"
KILLS = int(os.environ.get("GRIDMAP_KILLS", "5"))  # for each command; more of them for a long form
# Runs commands that it is given, one a line: itself, or in a child that may be killed and has all
# that was loaded and compiled before.
SERVANT = """
import contextlib, json, os, sys, traceback
from gridmap import cli
def does(arguments, said):
    sys.argv = ["gridmap", *arguments]
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(said, "w"))
        stack.enter_context(contextlib.redirect_stderr(file))
        stack.enter_context(contextlib.redirect_stdout(file))
        try:
            cli.main()
        except SystemExit as end:
            return end.code or 0
        except BaseException:
            traceback.print_exc(file=file)
            return 70
    return 0
for line in sys.stdin:
    arguments, said, alone = json.loads(line)
    if not alone:
        print(does(arguments, said), flush=True)
        continue
    child = os.fork()
    if child == 0:
        os._exit(does(arguments, said))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Servant:
    """Begins commands at once, so that a kill meets their work and not their imports."""

    def __init__(self, said: Path) -> None:
        self._said = said
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVANT],
            env={**os.environ, "PYTHONPATH": str(ROOT), "GRIDMAP_LANG": "en"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _line(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def _asks(self, arguments: list[object], *, alone: bool) -> None:
        assert self._process.stdin is not None
        asked = [[str(each) for each in arguments], str(self._said), alone]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()

    def does(self, arguments: list[object]) -> float:
        """Run a command to its end, and return how long it took."""
        began = time.monotonic()
        self._asks(arguments, alone=False)
        assert self._line() == 0, self._said.read_text()
        return time.monotonic() - began

    def is_killed(self, arguments: list[object], after_s: float, place: Path | None) -> bool:
        """Kill a command some time after it began, or after it began to write at a place."""
        self._asks(arguments, alone=True)
        child = self._line()
        if place is not None:
            before, end = _stamps(place), time.monotonic() + 20
            while _stamps(place) == before and time.monotonic() < end and _lives(child):
                time.sleep(0.002)
        time.sleep(after_s)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return self._line() == -signal.SIGKILL

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


def _lives(child: int) -> bool:
    return Path(f"/proc/{child}/stat").exists()


def _stamps(place: Path) -> list[tuple[str, int]]:
    with contextlib.suppress(FileNotFoundError):
        return sorted((str(path), path.lstat().st_mtime_ns) for path in place.rglob("*"))
    return []


@pytest.fixture(scope="module")
def servant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servant]:
    one = Servant(tmp_path_factory.mktemp("said") / "said.txt")
    yield one
    one.close()


@dataclass(frozen=True)
class Trial:
    """Two commands in turns on one place, and what a reader finds there."""

    place: Path
    commands: tuple[list[object], list[object]]
    state: Callable[[], object]


def kill_them(trial: Trial, servant: Servant, seed: str, record: Callable[..., None]) -> None:
    chance, states, lasts = random.Random(seed), [], 0.0  # noqa: S311 - the same in every run
    for command in trial.commands:
        lasts = servant.does(command)
        states.append(trial.state())
    assert states[0] != states[1]
    assert _strays(trial.place) == []
    turn = killed = 0
    for number in range(KILLS):
        writing = number % 2 == 0
        after_s = chance.uniform(0, 0.1 * lasts if writing else lasts)
        command = trial.commands[turn]
        killed += servant.is_killed(command, after_s, trial.place if writing else None)
        assert trial.state() in states
        servant.does(command)
        assert trial.state() == states[turn]
        assert _strays(trial.place) == []
        turn = 1 - turn
    record("kills", killed)
    assert killed


def _strays(place: Path) -> list[str]:
    return [
        str(path) for path in place.rglob("*") if ".gridmap-" in path.name or ".kept-" in path.name
    ]


def digests(folder: Path) -> dict[str, str]:
    """Return the files of gridmap in a folder, each with its digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


Record = Callable[[str, object], None]


def towns(folder: Path) -> list[Path]:
    """Write a town, and the same town with one more problem."""
    made = [folder / "first", folder / "then"]
    for number, each in enumerate(made, start=1):
        each.mkdir()
        write_town(each, [ROW.replace("1,", f"{k},", 1) for k in range(number)])
    return made


def planned(folder: Path) -> tuple[Path, Path]:
    """Write a town with buildings, and a plan of it in a folder of its own."""
    held = gzip.decompress(FORMER.read_bytes())
    (folder / "town").mkdir()
    (folder / "town" / "town.gpkg").write_bytes(held)
    (folder / "town" / "city.toml").write_text(HEAD + PLANNED, encoding="utf-8")
    plan = folder / "plan" / "town.gpkg"
    plan.parent.mkdir()
    plan.write_bytes(held)
    return folder / "town", plan


def layers_of(path: Path) -> dict[str, int]:
    """Return the layers of a GeoPackage that is sound, with their numbers of rows."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    names = pyogrio.list_layers(path)[:, 0]
    return {name: len(pyogrio.read_dataframe(path, layer=name)) for name in names}


def plan_of(path: Path) -> object:
    """Return what a plan says: of each micro-grid its code, lock and shape, and the last edit."""
    plan = read_plan(path, load_catalog())[1]
    rows = pyogrio.read_dataframe(path, layer="plan")
    shapes = rows.geometry.map(lambda shape: hashlib.sha256(shape.wkb).hexdigest())
    edits = [step["kind"] for step in plan.log[-1:]]
    return [*zip(rows["code"], rows["locked"], shapes, strict=True)], edits


def test_a_run(servant: Servant, tmp_path: Path, record_property: Record) -> None:
    out = tmp_path / "out"
    first, then = (["run", town, "--out", out] for town in towns(tmp_path))
    kill_them(Trial(out, (first, then), lambda: digests(out)), servant, "run", record_property)


def test_a_layer_added(servant: Servant, tmp_path: Path, record_property: Record) -> None:
    out, town = tmp_path / "out", towns(tmp_path)[0]
    whole = ["export", town, "--out", out, "--layer", "grids"]
    more = ["export", town, "--out", out, "--layer", "problems", "--append"]
    trial = Trial(out, (whole, more), lambda: layers_of(out / "layers" / "town.gpkg"))
    kill_them(trial, servant, "export", record_property)


def test_a_design(servant: Servant, tmp_path: Path, record_property: Record) -> None:
    town, plan = planned(tmp_path)
    plan.unlink()
    first, then = (
        ["design", town, "--out", plan.parent, "--workers", 1, "--target", target]
        for target in (50, 70)
    )
    kill_them(Trial(plan.parent, (first, then), lambda: plan_of(plan)), servant, "design",
              record_property)  # fmt: skip


def test_an_edit_of_a_plan(servant: Servant, tmp_path: Path, record_property: Record) -> None:
    _, plan = planned(tmp_path)
    codes = pyogrio.read_dataframe(plan, layer="plan", read_geometry=False)["code"]
    first, then = (["plan", kind, plan, codes[0]] for kind in ("lock", "unlock"))
    kill_them(Trial(plan.parent, (first, then), lambda: plan_of(plan)), servant, "plan",
              record_property)  # fmt: skip


def test_edits_read_back(servant: Servant, tmp_path: Path, record_property: Record) -> None:
    mine, frame = tmp_path / "mine" / "mine.gpkg", grid_of("abc").assign(name="old")
    mine.parent.mkdir()
    frame.to_file(mine, layer="grids")
    asked = []
    for name in ("one", "two"):
        frame.assign(name=name).to_file(tmp_path / f"{name}.gpkg", layer="grids")
        asked.append(["import-edits", tmp_path / f"{name}.gpkg", "--into", mine, "--yes"])
    trial = Trial(mine.parent, (asked[0], asked[1]), lambda: set(gpd.read_file(mine)["name"]))
    kill_them(trial, servant, "import", record_property)


def saved(servant: Servant, folder: Path, url: str, record: Record) -> None:
    out = folder / "out"
    asked = [["run", town, "--out", out, "--store", url] for town in towns(folder)]

    def state() -> dict[str, int]:
        analysed = load(url, "town")
        layers = {**analysed.city.layers, **analysed.results}
        return {name: len(getattr(each, "frame", each)) for name, each in layers.items()}

    kill_them(Trial(folder, (asked[0], asked[1]), state), servant, "store", record)


def test_a_store_in_a_file(servant: Servant, tmp_path: Path, record_property: Record) -> None:
    saved(servant, tmp_path, str(tmp_path / "store.sqlite"), record_property)


@pytest.mark.postgis
def test_a_store_on_postgis(
    servant: Servant, tmp_path: Path, postgres_database: str, record_property: Record
) -> None:
    saved(servant, tmp_path, postgres_database, record_property)
