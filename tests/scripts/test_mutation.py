"""The mutation run: what it changes, which tests it takes, and one whole run of a small project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from mutation.__main__ import EXCUSED, sample, table
from mutation.mutants import Mutant, is_real, mutants
from mutation.nearest import Nearest
from mutation.trial import Copy, Verdict

ROOT = Path(__file__).resolve().parents[2]


def changes(folder: Path, text: str) -> set[tuple[str, str]]:
    """Return the changed lines of a module, with the kind of each change."""
    (folder / "module.py").write_text(text, encoding="utf-8")
    every = mutants(folder, Path("module.py"))
    return {(one.kind, one.after) for one in every if is_real(folder, one)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = a < b", {("comparison", "x = a <= b"), ("comparison", "x = a >= b")}),
        ("x = (a) == (b)", {("comparison", "x = (a) != (b)")}),
        ("x = a not in b", {("comparison", "x = a in b")}),
        ("x = '数' in b", {("comparison", "x = '数' not in b")}),
        ("x = a + b", {("arithmetic", "x = a - b")}),
        ("x = a + 'text'", set()),
        ("x = a and b", {("connective", "x = a or b"), ("condition dropped", "x = True and b"),
                         ("condition dropped", "x = a and True")}),
        ("x = not a", {("negation dropped", "x = (a)")}),
        ("x = 7", {("constant", "x = 8")}),
        ("x = 0.5", {("constant", "x = 0.75")}),
        ("x = 1e-9", {("constant", "x = 0.001")}),
        ("x = 20_000", {("constant", "x = 30000")}),
        ("x = f(True)", {("constant", "x = f(False)")}),
        ("x = f(a, b=c)", {("argument dropped", "x = f(a, )")}),
        ("x = sorted(a)", {("call dropped", "x = list(a)")}),
        ("x = a.strip()", {("call dropped", "x = a")}),
        ("x = side('left')", {("word", "x = side('right')")}),
        ("x = ('=', '@')", {("member dropped", "x = ( '@')")}),
        ("x[a] = b", {("statement dropped", "pass")}),
        ("f(a)", {("statement dropped", "pass")}),
        ("x = a[0]", {("first for last", "x = a[-1]"), ("constant", "x = a[1]")}),
        ("x = [a for a in b if a]", {("filter dropped", "x = [a for a in b if True]")}),
        ("x = a if b else c", {("condition negated", "x = a if not (b) else c")}),
    ],
)  # fmt: skip
def test_what_can_be_changed_at_a_line(
    line: str, expected: set[tuple[str, str]], tmp_path: Path
) -> None:
    assert changes(tmp_path, line + "\n") == expected


def test_a_guard_is_dropped_and_an_answer_too(tmp_path: Path) -> None:
    text = "def f(a: int = 3) -> list[int]:\n    if bad:\n        raise E('x', y=1)\n    return a\n"
    assert changes(tmp_path, text) == {
        ("constant", "def f(a: int = 4) -> list[int]:"),
        ("guard dropped", "if False:"),
        ("answer dropped", "return None"),
    }


def test_what_says_nothing_is_left_alone(tmp_path: Path) -> None:
    text = '''"""Docstring < of 3."""
from a import b
__all__ = ["f", "g"]
Names = dict[str, 7]

@decorated(frozen=True)
class C:
    """More."""
    x: Annotated[int, 5]

def f(x: "a < b"):
    progress(1)
    job.tell(2)
    for a, b in zip(c, d, strict=True):
        raise E("key", value=1 + 2)
'''
    assert changes(tmp_path, text) == set()


def test_a_mutant_is_the_module_with_one_change(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("a = 1\nb = (\n    2 +\n    3\n)\n", encoding="utf-8")
    found = {one.after: one for one in mutants(tmp_path, Path("m.py"))}
    assert found["a = 2"].source == b"a = 2\nb = (\n    2 +\n    3\n)\n"
    assert (found["4"].line, found["4"].before) == (4, "3")
    assert (found["2 -"].line, found["2 -"].before) == (3, "2 +")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package of three modules, one of which passes a name on, with its tests."""
    files = {
        "gridmap/__init__.py": "",
        "gridmap/part/__init__.py": "from gridmap.part.limit import is_late\n",
        "gridmap/part/limit.py": "def is_late(at, due):\n    return at > due\n",
        "gridmap/part/_shared.py": "def twice(x):\n    return x * 2\n",
        "gridmap/user.py": "from gridmap.part._shared import twice\n\nFOUR = twice(2)\n",
        "gridmap/cli.py": "def main():\n    return 0\n",
        "gridmap/bar/limit.py": "MOST = 3\n",
        "gridmap/command/__init__.py": "from gridmap.command import one\n\n"
        "def main():\n    one.f()\n",
        "gridmap/command/one.py": "def f():\n    return 0\n",
        "tests/part/test_limit.py": "def test_it():\n    assert True\n",
        "tests/test_other.py": "from gridmap.part import is_late\n\n"
        "def test_late():\n    assert is_late(3, 2)\n    assert not is_late(2, 3)\n",
        "tests/test_user.py": "from gridmap import user\n\n"
        "def test_four():\n    assert user.FOUR == 4\n",
        "tests/test_cli_run.py": "def test_it():\n    assert True\n",
        "tests/bar/test_room.py": "def test_it():\n    assert True\n",
        "tests/test_all.py": "from gridmap import command\n\ndef test_it():\n    command.main()\n",
        "tests/part/test_all_limit.py": "import pytest\nfrom gridmap.part import is_late\n\n"
        "@pytest.mark.browser\ndef test_it():\n    assert is_late(3, 2)\n",
        "tests/part/test_big.py": "import pytest\nfrom gridmap.part import is_late\n\n"
        "pytestmark = pytest.mark.real\n\ndef test_it():\n    assert is_late(3, 2)\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def test_the_nearest_tests_are_those_of_the_name_then_of_the_imports(project: Path) -> None:
    nearest = Nearest(project)

    def tests(module: str) -> list[str]:
        return [path.name for path in nearest.tests(Path(module))]

    assert tests("gridmap/part/limit.py") == ["test_limit.py", "test_other.py"]
    assert tests("gridmap/part/_shared.py") == ["test_user.py"]
    assert tests("gridmap/cli.py") == ["test_cli_run.py"]
    # The test of that name lies in the folder of another room.
    assert tests("gridmap/bar/limit.py") == ["test_room.py", "test_cli_run.py"]
    assert tests("gridmap/command/one.py") == ["test_all.py"]


def test_of_the_nearest_the_quick_ones_run_first(project: Path) -> None:
    (project / "tests/part/test_limit.py").write_text("def test_it(sample):\n    assert sample\n")
    found = Nearest(project).tests(Path("gridmap/part/limit.py"))
    assert [path.name for path in found] == ["test_other.py", "test_limit.py"]


def test_what_the_nearest_miss_is_tried_on_the_next_and_on_those_of_the_whole(
    project: Path,
) -> None:
    for name in "abcd":
        test = f"from gridmap.part import is_late\n\ndef test_{name}():\n    assert is_late(3, 2)\n"
        (project / f"tests/part/test_{name}.py").write_text(test)
    slow = "from gridmap.part import is_late\n\ndef test_it(sample):\n    assert is_late(3, 2)\n"
    (project / "tests/part/test_a_slow.py").write_text(slow)
    for name in ("all_slow", "any_city", "told_commands"):
        (project / f"tests/test_{name}.py").write_text(slow)
    told = "from gridmap.part import is_late\n\ndef test_it():\n    assert is_late(3, 2)\n"
    (project / "tests/part/test_told_all.py").write_text(told)

    def stages(module: str, **options: int) -> list[list[str]]:
        found = Nearest(project).stages(Path(module), **options)
        return [[path.name for path in stage] for stage in found]

    assert stages("gridmap/part/limit.py") == [
        ["test_limit.py", "test_a.py", "test_a_slow.py"],
        ["test_told_all.py", "test_b.py", "test_c.py", "test_d.py"],
        ["test_told_commands.py"],
        ["test_all.py", "test_cli_run.py", "test_other.py", "test_user.py", "test_all_slow.py"],
    ]
    assert stages("gridmap/part/limit.py", limit=1)[1] == ["test_told_all.py", "test_b.py"]


def test_the_rule_finds_tests_of_every_module_of_the_project() -> None:
    nearest = Nearest(ROOT)
    files = [path.relative_to(ROOT) for path in (ROOT / "gridmap").rglob("*.py")]
    assert [str(file) for file in files if not nearest.tests(file)] == []
    kernels = [file.name for file in files if nearest.is_compiled(file)]
    assert {"_permute.py", "_search.py", "_exact.py"} <= set(kernels)
    assert "pipeline.py" not in kernels


def run(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mutation", "--root", project, "--modules", "gridmap/part",
         "--limit", "100", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip


def test_a_run_tells_what_no_test_noticed_and_leaves_the_tree_alone(project: Path) -> None:
    before = (project / "gridmap/part/limit.py").read_bytes()
    done = run(project, "--json", "--size", "99")
    found = {row["file"]: row for row in map(json.loads, done.stdout.splitlines())}
    late, twice = found["gridmap/part/limit.py"], found["gridmap/part/_shared.py"]
    assert late["outcome"] == ("missed" if late["after"] == "return at >= due" else "noticed")
    assert (twice["outcome"], twice["line"]) == (
        "missed" if twice["after"] == "return x ** 2" else "noticed", 2,
    )  # fmt: skip
    assert (project / "gridmap/part/limit.py").read_bytes() == before


def test_a_stage_is_asked_only_if_those_before_missed(project: Path, tmp_path: Path) -> None:
    exact = "from gridmap.part import is_late\n\ndef test_at():\n    assert not is_late(2, 2)\n"
    (project / "tests/test_exact.py").write_text(exact)
    module = Path("gridmap/part/limit.py")
    every = {one.after: one for one in mutants(project, module)}
    stages = [[Path("tests/test_other.py")], [], [Path("tests/test_exact.py")]]
    copy = Copy(project, tmp_path / "copy", limit_s=100)
    late = copy.try_out(every["return at >= due"], stages, compiled=False)
    assert (late.outcome, late.stage) == ("noticed", 3)
    assert late.by == "tests/test_exact.py::test_at"
    assert late.cpu_s > 0
    assert copy.try_out(every["return at >= due"], stages[:2], compiled=False).outcome == "missed"


def test_a_test_that_fails_anyway_notices_nothing(project: Path) -> None:
    (project / "tests/part/test_limit.py").write_text("def test_it():\n    assert False\n")
    (project / "tests/test_other.py").unlink()
    done = run(project, "--size", "99")
    assert "missed: gridmap/part/limit.py:2" in done.stdout
    assert "tests/part/test_limit.py::test_it" in done.stderr


def test_a_sample_is_the_same_for_a_seed_and_has_none_that_is_excused(tmp_path: Path) -> None:
    lines = "\n".join(f"x{k} = a{k} < {k}" for k in range(30))
    (tmp_path / "m.py").write_text(lines, encoding="utf-8")

    def drawn(seed: int, excused: str = "") -> list[tuple[int, str]]:
        file = tmp_path / "excused.toml"
        file.write_text(excused, encoding="utf-8")
        found = sample(tmp_path, [Path()], size=20, seed=seed, excused=file)
        return [(one.line, one.after) for one in found]

    first = drawn(1)
    assert drawn(1) == first != drawn(2)
    assert len({line for line, _ in first}) == 20
    line, after = first[0]
    entry = f'[[excused]]\nfile = "m.py"\nbefore = "x{line - 1} = a{line - 1} < {line - 1}"\n'
    assert (line, after) not in drawn(1, f'{entry}after = "{after}"\nreason = "equal"\n')


def test_every_excuse_is_of_a_change_that_can_be_made_and_has_its_reason() -> None:
    entries = tomllib.loads(EXCUSED.read_text(encoding="utf-8")).get("excused", [])
    files = {path.name: path for path in (ROOT / "gridmap").rglob("*.py")}
    for entry in entries:
        assert len(entry["reason"]) > 10
        every = mutants(ROOT, files[entry["file"]].relative_to(ROOT))
        assert (entry["before"], entry["after"]) in {(one.before, one.after) for one in every}


def test_what_is_undecided_does_not_count() -> None:
    def one(outcome: str) -> tuple[Mutant, Verdict]:
        mutant = Mutant(Path("m.py"), 1, "constant", "1", "2", b"2")
        return mutant, Verdict(outcome, stage=1 if outcome == "noticed" else 3, cpu_s=2.5)

    outcomes = ("noticed", "hung", "missed", "untested", "undecided")
    text = table([one(outcome) for outcome in outcomes])
    assert text.splitlines()[1:] == [
        "   2 of 4    m.py",
        "   2 of 4    noticed (50%), 1 by the nearest tests; 12 s",
    ]
    assert "noticed (-), 0 by" in table([])
