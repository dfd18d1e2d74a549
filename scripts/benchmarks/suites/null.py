"""What is found where nothing is to be found: rates of false findings, with Monte Carlo errors."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from benchmarks import nulls
from benchmarks.lines import Line, Options

__all__ = ["run"]


def run(options: Options) -> Iterator[Line]:
    """Yield what every module of `benchmarks.nulls` yields, in the order of their names."""
    for name in sorted(module.name for module in pkgutil.iter_modules(nulls.__path__)):
        if not name.startswith("_"):
            yield from import_module(f"{nulls.__name__}.{name}").run(options)
