"""The desktops of the tests: a real QGIS, and GDAL's own programs as Debian has them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).parent / "outputs" / "qgis_read.py"


@cache
def _has(module: str) -> bool:
    if not shutil.which(PYTHON):
        return False
    done = subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True, check=False)
    return done.returncode == 0


def ask_qgis(home: Path, **asked: Any) -> dict[str, Any]:
    """Ask a real QGIS what it reads; see `qgis_read.py`."""
    if not _has("qgis.core"):
        pytest.skip("QGIS is not installed: apt-get install qgis python3-qgis")
    done = subprocess.run(
        [PYTHON, SCRIPT],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        env={
            "QT_QPA_PLATFORM": "offscreen",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
        },
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def validate_geopackage(path: Path) -> None:
    """Let GDAL's validator judge a GeoPackage."""
    if not _has("osgeo_utils.samples.validate_gpkg"):
        pytest.skip("GDAL's validator is not installed: apt-get install python3-gdal")
    done = subprocess.run(
        [PYTHON, "-W", "ignore", "-m", "osgeo_utils.samples.validate_gpkg", "-k", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def ogrinfo(path: Path | str) -> str:
    """Return what Debian's ogrinfo tells of a file, which is to read it without a complaint."""
    if not shutil.which("ogrinfo"):
        pytest.skip("GDAL is not installed: apt-get install gdal-bin")
    done = subprocess.run(
        ["ogrinfo", "-ro", "-al", "-so", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr, done.stderr
    return done.stdout
