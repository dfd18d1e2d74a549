"""Try a mutant: run tests, the nearest first, in a copy of the project that has the change."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mutation.mutants import Mutant
from mutation.nearest import BIG

__all__ = ["NOTICED", "Copy", "Verdict"]

NOTICED = ("noticed", "hung")

_MARKERS = " and ".join(f"not {name}" for name in BIG)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?\.py(?:::.+?)?)(?: - .*)?$", re.MULTILINE)
_TRIES = 3


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Parameters
    ----------
    outcome : str
        ``noticed`` if a test fails that passes without the change; ``hung`` if the tests do not
        end, and do without it; ``missed``; ``untested`` if no test is near; ``undecided`` if the
        tests do not end without the change either.
    by : str
        The test that failed.
    stage : int
        That it is of, from 1.
    cpu_s : float
        Of all that ran meanwhile, in other copies too.
    """

    outcome: str
    by: str = ""
    stage: int = 0
    cpu_s: float = 0.0


class Copy:
    """A copy of the project in which modules may be changed; the working tree never is.

    Parameters
    ----------
    root : pathlib.Path
        Of the project, with its environment in ``.venv``.
    folder : pathlib.Path
        Where the copy is made. What numba compiled there before is used again.
    limit_s : float
        How long the tests of one stage may run.
    python : str
        The interpreter that runs the tests.
    """

    def __init__(
        self, root: Path, folder: Path, *, limit_s: float, python: str = sys.executable
    ) -> None:
        self._tree, self._cache = folder / "tree", folder / "numba"
        self._limit_s, self._python = limit_s, python
        self._good: set[tuple[str, ...]] = set()
        self._bad: set[str] = set()
        shutil.rmtree(self._tree, ignore_errors=True)
        for path in _files(root):
            target = self._tree / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, target)

    def broken(self) -> list[str]:
        """Return the tests that were found to fail without any change; they are left out."""
        return sorted(self._bad)

    def try_out(
        self, mutant: Mutant, stages: Sequence[Sequence[Path]], *, compiled: bool
    ) -> Verdict:
        """Run tests with a mutant in place, until one fails.

        Parameters
        ----------
        mutant : Mutant
        stages : sequence of sequences of pathlib.Path
            Below the root of the project, nearest first; each only if those before missed it.
        compiled : bool
            Whether numba compiles what the module holds. It looks for changes only in the file of
            a kernel, not in those of the kernels that this one calls; so all is compiled anew.
        """
        before, verdict = _cpu_s(), Verdict("untested")
        for number, tests in enumerate(stages, start=1):
            if tests:
                names = [str(test) for test in tests]
                verdict = replace(self._stage(mutant, names, compiled=compiled), stage=number)
            if verdict.outcome not in ("untested", "missed"):
                break
        return replace(verdict, cpu_s=round(_cpu_s() - before, 1))

    def _stage(self, mutant: Mutant, names: list[str], *, compiled: bool) -> Verdict:
        for _ in range(_TRIES):
            failed = self._with(mutant, names, compiled=compiled)
            if failed is None:
                return Verdict("missed")
            hung = not failed
            if self._passes(names if hung else [failed]):
                return Verdict("hung") if hung else Verdict("noticed", failed)
            if hung:
                break
            self._bad.add(failed)
        return Verdict("undecided")

    def _with(self, mutant: Mutant, tests: list[str], *, compiled: bool) -> str | None:
        file = self._tree / mutant.path
        stamp = file.stat()
        cache = self._cache.with_name("numba_anew") if compiled else self._cache
        kept = file.read_bytes()
        try:
            file.write_bytes(mutant.source)
            return self._failed(tests, cache)
        finally:
            file.write_bytes(kept)
            # numba and Python know a file by its time.
            os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
            if compiled:
                shutil.rmtree(cache, ignore_errors=True)

    def _passes(self, tests: list[str]) -> bool:
        if tuple(tests) in self._good:
            return True
        if self._failed(tests, self._cache) is not None:
            return False
        self._good.add(tuple(tests))
        return True

    def _failed(self, tests: list[str], cache: Path) -> str | None:
        """Return the first test that fails; "" if they do not end, None if all pass."""
        command = [
            self._python, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider",
            "-m", _MARKERS, *(f"--deselect={name}" for name in sorted(self._bad)), *tests,
        ]  # fmt: skip
        environment = {
            **os.environ,
            "PYTHONPATH": str(self._tree),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": str(cache),
        }
        with subprocess.Popen(  # noqa: S603 - our own tests
            command, cwd=self._tree, env=environment, text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as run:  # fmt: skip
            try:
                said, _ = run.communicate(timeout=self._limit_s)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                return ""
        if run.returncode in (0, 5):  # 5: no test is left
            return None
        found = _FAILED.findall(said)
        return found[0] if found else tests[0]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _files(root: Path) -> list[Path]:
    """Return what git knows or would take, and what the package has built for itself."""
    asked = ["git", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(asked, check=True, capture_output=True, text=True).stdout  # noqa: S603
    names = [Path(name) for name in listed.split("\0") if name and (root / name).is_file()]
    share = root / "gridmap" / "_share"
    return names + [path.relative_to(root) for path in share.rglob("*") if path.is_file()]
