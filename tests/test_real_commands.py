"""Every command on real cities, as it is typed. See examples/README.md for where the data are."""

from __future__ import annotations

from pathlib import Path

import pytest
from any_commands import EVERY, run

from gridmap.store import cities, load

EXAMPLES = Path(__file__).parent.parent / "examples"
DATA = EXAMPLES.parent.parent / "shared" / "data"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not DATA.exists(), reason="needs open data: see examples/README.md"),
]
CITIES = {"boston": "-71.06,42.355", "cambridge": "-71.11,42.375", "tainan": "120.2,22.99"}
IN_GROUPS = [
    pytest.param(name, marks=[pytest.mark.xdist_group("boston")] if name == "boston" else [])
    for name in CITIES
]
# The open data of the other two have no problems.
WITH_CASES = ("boston",)
NEED_CASES = ("kpis", "overdue", "recurrence", "fairness", "bulletin")
# The larger two take each command a quarter of a minute to read: the rest on demand. Of Boston
# test_agreement asks most of them.
SOME = {"boston": ("who",), "tainan": ("run", "kpis", "who")}


@pytest.mark.parametrize("name", IN_GROUPS)
def test_every_command_works_on_a_real_city(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("GRIDMAP_LANG", "en")
    city, out = EXAMPLES / f"{name}.toml", tmp_path / "out"
    if name == "boston":
        made, _ = request.getfixturevalue("boston_run")
    else:
        made = out / "run"
        done = run(["run", city, "--out", made, "--store", made.parent / "x.sqlite"])
        assert (done.wrong, done.code) == ("", 0)
    store = made.parent / "x.sqlite"
    commands = [
        *([each, city, "--csv", out / each]
          for each in ("kpis", "overdue", "recurrence", "fairness", "dead-corners")),
        ["who", city, CITIES[name], "--at", "2015-06-01"],
        ["bulletin", city, "--period", "month", "--out", out / "bulletin"],
        ["export", city, "--format", "gpkg", "--format", "csv", "--out", out / "export"],
        ["check", city, "--out", out / "check"],
    ]  # fmt: skip
    for asked in commands:
        if not EVERY and asked[0] not in SOME.get(name, asked):
            continue
        done = run(asked)
        assert done.wrong == "", asked
        lacks = asked[0] in NEED_CASES and name not in WITH_CASES
        if lacks:
            assert "no rows of: problems" in done.err
        # A real city has findings, of which the code of `check` speaks.
        assert done.code == (1 if lacks or asked[0] == "check" else 0), (asked, done)
    saved = load(str(store), name)
    assert cities(str(store)) == [name]
    assert len(saved.city.layers["grids"])
    assert (made / "maps" / "index.html").is_file()
