"""Every public function has an example in its docstring, and every example holds.

Examples are run as a reader would run them: at the root of the repository, where ``data`` is the
sample city, and after these imports and no others, as `gridmap` itself says in its docstring::

    import geopandas as gpd, numpy as np, pandas as pd, shapely
    import gridmap
    from gridmap import analysis, design, maps
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
from collections.abc import Iterator
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


def _has_example(value: Any) -> bool:
    return ">>>" in (value.__doc__ or "")


def _documented(node: ast.AST, path: str) -> Iterator[str]:
    """Yield the name of everything within a node whose docstring has an example."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef):
            name = f"{path}.{child.name}"
            if ">>>" in (ast.get_docstring(child) or ""):
                yield name
            yield from _documented(child, name)


def _room(name: str) -> str:
    """Return the room of a name, whose examples share what is compiled on first use."""
    return "examples of " + ".".join(name.split(".")[:3])


EXAMPLES = [
    pytest.param(value, id=name, marks=pytest.mark.xdist_group(_room(name)))
    for name, value in sorted(PUBLIC.items())
    if _has_example(value)
]


@pytest.mark.parametrize("value", EXAMPLES)
def test_the_example_holds(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    found = doctest.DocTestFinder(recurse=False).find(value, value.__name__, globs=dict(IMPORTED))
    told: list[str] = []
    # Whatever the terminal, tables are as wide as those of the docstrings.
    with pd.option_context("display.width", 90, "display.max_columns", None):
        for test in found:
            doctest.DocTestRunner(verbose=False).run(test, out=told.append)
    assert found
    assert not told, "".join(told)


def test_every_public_function_has_an_example() -> None:
    shown = _shown_by_a_function()
    without = {
        name
        for name, value in PUBLIC.items()
        if not _has_example(value) and not (inspect.isclass(value) and value.__name__ in shown)
    }
    assert sorted(without) == sorted(EXCUSED)


def test_every_example_is_run() -> None:
    written = {
        name
        for path in sorted((ROOT / "gridmap").rglob("*.py"))
        for name in _documented(
            ast.parse(path.read_text(encoding="utf-8")),
            ".".join(path.relative_to(ROOT).with_suffix("").parts),
        )
    }
    assert written == {name for name, value in PUBLIC.items() if _has_example(value)}
