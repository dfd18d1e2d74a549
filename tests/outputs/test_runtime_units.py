"""The page runtime's own tests, in Node and without a browser: see maps/runtime/test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_the_tests_of_the_page_runtime_pass() -> None:
    command = [sys.executable, ROOT / "hatch_build.py", "test"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
