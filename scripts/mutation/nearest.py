"""The tests nearest to a module, by what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

__all__ = ["BIG", "Nearest"]

# Markers of tests that a trial cannot wait for, or that ask for a server or for data.
BIG = ("browser", "postgis", "qgis", "real")
_ENOUGH = 3
# What ``compiled`` offers; modules pass it on to those beside them.
_COMPILERS = {"inner", "kernel"}
_COSTLY = {"sample", "shipped_maps"}  # fixtures
# Tests that hold all that is said to what was judged right notice most, and quickly.
_TOLD = "test_told_"
# Hundreds of runs of commands, which notice what fails and not what is wrong.
_ENDLESS = "test_any_city"


class Nearest:
    """Finds the test files nearest to a module.

    A test file is as far from a module as there are imports between the two: 0 if it is named
    after it (``test_moran.py``, ``test_export_kml.py``) and not in the folder of another room, 1
    if it imports it, 2 if it imports something that imports it, and so on. A name that a package
    passes on counts as an import of the module that has it. Files of which every test has a marker
    of a big tool are left out.

    Parameters
    ----------
    root : pathlib.Path
        Of the project.
    package : str
        Folder of the code, below the root.
    """

    def __init__(self, root: Path, package: str = "gridmap") -> None:
        self._package, self._root = package, root
        self._files = {
            _dotted(path.relative_to(root)): path for path in sorted((root / package).rglob("*.py"))
        }
        self._passed = {
            name: dict(_passed_on(name, path))
            for name, path in self._files.items()
            if path.stem == "__init__"
        }
        users: dict[str, set[str]] = {}
        for name, path in self._files.items():
            if path.stem == "__init__" and not _works(path):
                continue  # it passes on what it imports, and uses nothing
            for used in self._used(name, path):
                users.setdefault(used, set()).add(name)
        self._users: Mapping[str, set[str]] = users
        self._kernels = {name for name, path in self._files.items() if _compiles(name, path)}
        tests = [path for path in sorted((root / "tests").rglob("test_*.py")) if _is_small(path)]
        self._tests = {path.relative_to(root): self._used("", path) for path in tests}

    def tests(self, module: Path, *, limit: int = 3) -> list[Path]:
        """Return the test files nearest to a module.

        Parameters
        ----------
        module : pathlib.Path
            Below the root.
        limit : int
            How many files at most. All files of a distance are taken, by name, before any of the
            next; those further than 1 only while there are fewer than three. What nothing imports
            has the tests of its room, then those of the command.

        Returns
        -------
        list of pathlib.Path
            Below the root; of those taken, the slow ones last.
        """
        chosen: list[Path] = []
        for here in self._by_distance(module):
            chosen += here
            if len(chosen) >= _ENOUGH:
                break
        chosen = (chosen or self._last(module))[:limit]
        return sorted(chosen, key=self._is_slow)

    def stages(self, module: Path, *, limit: int = 8) -> list[list[Path]]:
        """Return what to try one after the other until a test notices a change of a module.

        Parameters
        ----------
        module : pathlib.Path
            Below the root.
        limit : int
            How many files the second stage has at most, besides those that are told.

        Returns
        -------
        list of list of pathlib.Path
            The nearest files; the next nearest of the rooms, the quick ones only, and first all
            that hold what is told to what was judged right; the same of the whole; then the others
            of the whole: they lie beside the folders of the rooms, and see through commands,
            cities and examples what no test of a room does.
        """
        near = self.tests(module)
        found = [one for here in self._by_distance(module) for one in here] + self._last(module)
        others = [one for one in dict.fromkeys(found) if one not in near]
        rooms = [one for one in others if not (self._is_whole(one) or self._is_slow(one))]
        told = [one for one in rooms if _is_told(one)]
        quick = [one for one in rooms if not _is_told(one)][:limit]
        whole = [one for one in self._tests if self._is_whole(one) and one not in near]
        rest = [one for one in whole if not _is_told(one) and one.stem != _ENDLESS]
        return [near, told + quick, [*filter(_is_told, whole)], sorted(rest, key=self._is_slow)]

    def _by_distance(self, module: Path) -> Iterator[list[Path]]:
        """Yield the test files of a module, those of a distance at a time."""
        name = _dotted(module)
        seen = {test for test in self._tests if _is_named_after(test, module)}
        yield sorted(seen)
        reached, near = {name}, {name}
        while near:
            here = [test for test, used in self._tests.items() if used & near and test not in seen]
            yield sorted(here, key=lambda test: (test.parent.name not in module.parts, test))
            seen |= set(here)
            near = {user for one in near for user in self._users.get(one, ())} - reached
            reached |= near

    def _is_slow(self, test: Path) -> bool:
        return _is_slow(self._root / test)

    @staticmethod
    def _is_whole(test: Path) -> bool:
        return len(test.parts) == 2  # noqa: PLR2004 - beside the folders

    def _last(self, module: Path) -> list[Path]:
        """Return the tests of a module's room, then those of the command."""
        room = [test for test in self._tests if test.parent.name in module.parent.parts[1:]]
        return [*room, *(test for test in self._tests if test.stem.startswith("test_cli"))]

    def is_compiled(self, module: Path) -> bool:
        """Tell whether numba compiles what a module holds, or what imports it."""
        name = _dotted(module)
        users = self._users.get(name, set())
        compiler = name == f"{self._package}.compiled"
        return compiler or name in self._kernels or bool(users & self._kernels)

    def _used(self, name: str, path: Path) -> set[str]:
        return {self._home(one) for one in _imported(name, path)} & set(self._files)

    def _home(self, name: str) -> str:
        """Return the module that a name is of."""
        for _ in range(5):
            if name in self._files:
                break
            package, _, last = name.rpartition(".")
            name = self._passed.get(package, {}).get(last, package)
        return name


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _compiles(name: str, path: Path) -> bool:
    """Tell whether a module imports a compiler, from its home or from one that passes it on."""
    return any(used.rpartition(".")[2] in _COMPILERS for used in _imported(name, path))


def _is_named_after(test: Path, module: Path) -> bool:
    """Tell whether a test has a module's name, and does not lie in the folder of another room."""
    if len(test.parts) > 2 and test.parent.name not in module.parts:  # noqa: PLR2004 - in a folder
        return False
    name = module.stem.lstrip("_")
    return test.stem in (f"test_{name}", f"test_{module.parent.name}_{name}")


def _is_told(test: Path) -> bool:
    return test.name.startswith(_TOLD)


def _is_small(test: Path) -> bool:
    """Tell whether a test file has a test without a marker of a big tool."""
    big = tuple(f"pytest.mark.{name}" for name in BIG)
    body = _tree(test).body
    marks = [ast.unparse(node) for node in body if isinstance(node, ast.Assign)]
    if any(mark.startswith("pytestmark") and name in mark for mark in marks for name in big):
        return False
    return any(
        isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not any(ast.unparse(mark).startswith(big) for mark in node.decorator_list)
        for node in body
    )


def _is_slow(test: Path) -> bool:
    """Tell whether a test file works through the sample city, or runs other processes."""
    nodes = list(ast.walk(_tree(test)))
    asked = {node.arg for node in nodes if isinstance(node, ast.arg)}
    imported = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    return bool(asked & _COSTLY) or "subprocess" in imported


def _works(package: Path) -> bool:
    """Tell whether a package has functions of its own, as that of the command line has."""
    return any(isinstance(node, ast.FunctionDef) for node in _tree(package).body)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def _passed_on(name: str, path: Path) -> Iterator[tuple[str, str]]:
    """Yield what a package passes on, and from where; lazily by its stub, too."""
    for file in (path, path.with_suffix(".pyi")):
        if not file.exists():
            continue
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.ImportFrom):
                base = f"{name}.{node.module or ''}".rstrip(".") if node.level else node.module
                yield from ((one.asname or one.name, f"{base}.{one.name}") for one in node.names)


def _imported(name: str, path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, and those that it reads from what it imported."""
    here: dict[str, str] = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*name.split(".")[: -node.level], *filter(None, [base])])
            here |= {one.asname or one.name: f"{base}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
    yield from here.values()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = here.get(node.value.id)
            if owner is not None:
                yield f"{owner}.{node.attr}"
