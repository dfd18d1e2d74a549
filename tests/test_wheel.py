"""What a user installs holds everything that the code looks for."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_wheel_holds_the_definitions_the_runtime_and_the_sample(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    shared = {name.removeprefix("gridmap/_share/") for name in names if "_share" in name}
    expected = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("[lm]a*/*.toml")}
    expected |= {
        path.relative_to(ROOT).as_posix() for path in ROOT.glob("data/**/*") if path.is_file()
    }
    built = ("runtime.js", "runtime.css", "licences.json", "plugins.json")
    expected |= {f"runtime/{name}" for name in built}
    assert expected == shared
    inside = ("messages/messages.toml", "analysis/cases/kpis.toml", "__init__.pyi", "py.typed")
    assert {f"gridmap/{name}" for name in inside} <= set(names)
    assert not [name for name in names if "node_modules" in name or name.startswith("tests")]
