"""What public functions ask of the frames that they are given: metres, one system, codes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

import geopandas as gpd
import pandas as pd

from gridmap.crs import prove_metric
from gridmap.errors import ConformError

__all__ = ["asks", "prove_codes"]

P = ParamSpec("P")
R = TypeVar("R")

_SHOWN = 3


def asks(*metric: str, codes: tuple[str, ...] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Prove arguments of a function before it runs.

    Parameters
    ----------
    *metric : str
        Arguments that are frames, or mappings of frames, in one system that measures in metres;
        those that are None are passed over.
    codes : tuple of str
        Arguments whose column ``code`` must name each row, and each another.

    Raises
    ------
    CrsError, ConformError
        On a call; the message names the argument and the remedy.
    """

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        for name in (*metric, *codes):
            if name not in signature.parameters:
                raise TypeError(f"{function.__name__} has no argument {name}")

        @wraps(function)
        def proven(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            prove_metric(function.__name__, _frames(given, metric))
            for name in codes:
                if given.get(name) is not None:
                    prove_codes(function.__name__, name, given[name])
            return function(*args, **kwargs)

        vars(proven)["proves"] = (*metric, *codes)
        return proven

    return wrap


def _frames(
    given: Mapping[str, object], names: tuple[str, ...]
) -> dict[str, gpd.GeoDataFrame | gpd.GeoSeries]:
    found: dict[str, gpd.GeoDataFrame | gpd.GeoSeries] = {}
    for name in names:
        value = given.get(name)
        every = value.items() if isinstance(value, Mapping) else [(None, value)]
        for key, frame in every:
            if isinstance(frame, gpd.GeoDataFrame | gpd.GeoSeries):
                found[name if key is None else f"{name}[{key!r}]"] = frame
    return found


def prove_codes(function: str, name: str, frame: pd.DataFrame) -> None:
    """Prove that a frame's codes name each row, and each another.

    Raises
    ------
    ConformError
        If the column is missing, or a code is missing or stands twice.
    """
    if "code" not in frame:
        raise ConformError("conform.no_code", function=function, name=name)
    missing = frame["code"].isna()
    if missing.any():
        rows = ", ".join(map(str, frame.index[missing][:_SHOWN]))
        raise ConformError("conform.code_missing", function=function, name=name, rows=rows)
    again = frame["code"].duplicated()
    if again.any():
        twice = ", ".join(map(str, frame.loc[again, "code"].unique()[:_SHOWN]))
        raise ConformError("conform.code_twice", function=function, name=name, codes=twice)
