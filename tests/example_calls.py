"""The calls that the examples of public functions of the analysis make."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import gridmap
from gridmap import analysis, design, maps

__all__ = ["FUNCTIONS", "ROOT", "shown"]

ROOT = Path(__file__).parent.parent
FUNCTIONS = sorted(n for n in analysis.__all__ if inspect.isfunction(getattr(analysis, n)))
Call = tuple[tuple[Any, ...], dict[str, Any]]


def _spied(function: Callable[..., Any], calls: list[Call]) -> Callable[..., Any]:
    @wraps(function)
    def spy(*args: Any, **kwargs: Any) -> Any:
        calls.append((args, kwargs))
        return function(*args, **kwargs)

    return spy


def shown(name: str) -> list[dict[str, Any]]:
    """Return what the examples of a function give it, by the name of the argument."""
    function = getattr(analysis, name)
    calls: list[Call] = []
    names = {each: getattr(analysis, each) for each in analysis.__all__}
    spied = SimpleNamespace(**{**names, name: _spied(function, calls)})
    given = {"gridmap": gridmap, "design": design, "maps": maps, "analysis": spied}
    modules = {"gpd": gpd, "np": np, "pd": pd, "shapely": shapely}
    value = inspect.unwrap(function)
    for test in doctest.DocTestFinder(recurse=False).find(value, name, globs={**given, **modules}):
        doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None)
    signature = inspect.signature(value)
    return [dict(signature.bind(*args, **kwargs).arguments) for args, kwargs in calls]
