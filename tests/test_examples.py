"""Every public function has an example in its docstring, and every example of any holds.

Examples are run as a reader would run them: at the root of the repository, where ``data`` is the
sample city, and after these imports and no others, as `gridmap` itself says in its docstring::

    import geopandas as gpd, numpy as np, pandas as pd, shapely
    import gridmap
    from gridmap import analysis, design, maps

What is not public is read in its own module, and its example calls it by its bare name.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gridmap
from gridmap import analysis, design, maps

ROOT = Path(__file__).parent.parent

IMPORTED = {
    "analysis": analysis,
    "design": design,
    "gpd": gpd,
    "gridmap": gridmap,
    "maps": maps,
    "np": np,
    "pd": pd,
    "shapely": shapely,
}

MODULES = (
    "gridmap",
    "gridmap.analysis",
    "gridmap.config",
    "gridmap.crs",
    "gridmap.design",
    "gridmap.maps",
    "gridmap.measures.analyse",
    "gridmap.measures.bulletins",
    "gridmap.measures.cases",
    "gridmap.measures.ownership",
    "gridmap.measures.responsibility",
    "gridmap.measures.workloads",
    "gridmap.outputs",
)

# Public names without an example, each with the reason.
EXCUSED: dict[str, str] = {}


def _public() -> dict[str, Any]:
    """Return the public functions and classes, each once, by where they are written."""
    found = {}
    for module in map(importlib.import_module, MODULES):
        for name in module.__all__:
            value = inspect.unwrap(getattr(module, name))
            if inspect.isfunction(value) or inspect.isclass(value):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


PUBLIC = _public()


def _shown_by_a_function() -> set[str]:
    """Return the names of the types that public functions return: their examples make one."""
    functions = [value for value in PUBLIC.values() if inspect.isfunction(value)]
    told = " ".join(str(inspect.signature(each).return_annotation) for each in functions)
    return set(re.findall(r"\w+", told))


def _with_examples(node: ast.AST, path: str = "") -> Iterator[str]:
    """Yield the path of everything within a node whose docstring has an example."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            inner = f"{path}.{child.name}".lstrip(".")
            if ">>>" in (ast.get_docstring(child) or ""):
                yield inner
            yield from _with_examples(child, inner)


def _written() -> Iterator[tuple[str, str]]:
    """Yield module and path of every function and class of the package that has an example."""
    for file in sorted((ROOT / "gridmap").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        for path in _with_examples(ast.parse(file.read_text(encoding="utf-8"))):
            yield module, path


def _room(module: str) -> str:
    """Return the room of a module, whose examples share what is compiled on first use."""
    return "examples of " + ".".join(module.split(".")[:3])


EXAMPLES = [
    pytest.param(module, path, id=f"{module}.{path}", marks=pytest.mark.xdist_group(_room(module)))
    for module, path in _written()
]


@pytest.mark.parametrize(("module", "path"), EXAMPLES)
def test_the_example_holds(module: str, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    value = inspect.unwrap(attrgetter(path)(importlib.import_module(module)))
    own = {} if f"{module}.{path}" in PUBLIC else {value.__name__: value}
    found = doctest.DocTestFinder(recurse=False).find(value, path, globs={**IMPORTED, **own})
    told: list[str] = []
    # Whatever the terminal, tables are as wide as those of the docstrings.
    with pd.option_context("display.width", 90, "display.max_columns", None):
        for test in found:
            doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert found
    assert not told, "".join(told)


def test_every_public_function_has_an_example() -> None:
    written = {f"{module}.{path}" for module, path in _written()}
    shown = _shown_by_a_function()
    without = {
        name
        for name, value in PUBLIC.items()
        if name not in written and not (inspect.isclass(value) and value.__name__ in shown)
    }
    assert sorted(without) == sorted(EXCUSED)
