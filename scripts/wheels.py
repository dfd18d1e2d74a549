"""Ask the registry whether gridmap and all that it needs has wheels for the machines of offices.

scripts/wheels [--python VERSION ...]: resolves gridmap with its extras for each machine and Python
from wheels alone, as pip would there, and installs nothing. Ends with code 1 if one cannot be had.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Kylin V10 and UOS 20 have glibc 2.28.
MACHINES = {
    "Windows": ["win_amd64"],
    "macOS, Apple": [
        f"macosx_{number}_0_{kind}" for number in (14, 12, 11) for kind in ("arm64", "universal2")
    ],
    "Linux, aarch64": ["manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
    "Linux, x86_64": ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"],
}
NEWEST = ("3.13", "3.14")


def needed() -> dict[str, list[str]]:
    """Return what gridmap needs, and what each of its extras needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"gridmap": project["dependencies"], **project["optional-dependencies"]}


def missing(tags: list[str], python: str, wanted: list[str]) -> str:
    """Return why what is wanted cannot be had as wheels; nothing if it can."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - our own requirements
            [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed",
             "--only-binary=:all:", "--python-version", python, "--target", folder,
             *(f"--platform={tag}" for tag in tags), *wanted],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode == 0:
        return ""
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return errors[-1] if errors else done.stderr.strip()[-200:]


def main() -> int:
    """Print a line for each machine and Python, and one for each extra that is missing there."""
    parser = argparse.ArgumentParser(prog="scripts/wheels", description=__doc__)
    parser.add_argument("--python", nargs="+", default=NEWEST, metavar="VERSION")
    given, fails = parser.parse_args(), 0
    for machine, tags in MACHINES.items():
        for python in given.python:
            for name, wanted in needed().items():
                reason = missing(tags, python, wanted)
                print(f"{machine:16} Python {python}  {name:10} {reason or 'wheels'}", flush=True)
                fails += bool(reason) and name == "gridmap"
    return 1 if fails else 0


if __name__ == "__main__":
    sys.exit(main())
