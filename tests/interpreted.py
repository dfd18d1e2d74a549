"""Compiled loops as Python runs them: their own text, each reachable by itself.

Kernels that only kernels call cannot be called from Python once they are compiled, and to compile
one for a test takes longer than the test. That the compiled ones say the same is what the tests
of the public functions show.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher

__all__ = ["interpreted"]


def interpreted(module: ModuleType) -> SimpleNamespace:
    """Return what a module holds, its kernels and those that they call as functions of Python."""
    space = _space(module.__name__)
    return SimpleNamespace(
        **{
            name: _quiet(value) if isinstance(vars(module)[name], Dispatcher) else value
            for name, value in space.items()
            if not name.startswith("__")
        }
    )


@functools.cache
def _space(name: str) -> dict[str, Any]:
    space = dict(vars(sys.modules[name]))
    for key, value in list(space.items()):
        if not isinstance(value, Dispatcher):
            continue
        function = value.py_func
        if function.__module__ == name:
            space[key] = FunctionType(function.__code__, space, key, function.__defaults__)
        else:
            space[key] = _space(function.__module__)[function.__name__]
    return space


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let whole numbers run over, as they do when compiled."""

    @functools.wraps(function)
    def quiet(*given: Any) -> Any:
        with np.errstate(over="ignore"):
            return function(*given)

    return quiet
