"""What public functions ask of what they are given: types, metres, one system, codes, columns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

import geopandas as gpd
import pandas as pd
import pyproj

from gridmap.crs import prove_metric
from gridmap.errors import ConformError, CrsError
from gridmap.kinds import prove_kinds, told

__all__ = ["asks", "prove_codes", "prove_columns"]

P = ParamSpec("P")
R = TypeVar("R")

_SHOWN = 3
# Columns that say whom or what a row is of; every layer that has them requires them.
_WHOLE = ("code", "holder", "role", "layer", "target", "point")
NOTHING: Mapping[str, Any] = MappingProxyType({})


def asks(
    *metric: str,
    codes: tuple[str, ...] = (),
    columns: Mapping[str, tuple[str, ...]] = NOTHING,
    alike: tuple[str, ...] = (),
    within: Mapping[str, tuple[float, float]] = NOTHING,
    systems: tuple[str, ...] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Prove arguments of a function before it runs; of what type they are is proven of all.

    Parameters
    ----------
    *metric : str
        Arguments that are frames, or mappings of frames, in one system that measures in metres;
        those that are None are passed over.
    codes : tuple of str
        Arguments whose column ``code`` must name each row, and each another.
    columns : mapping of str to tuple of str
        What columns a frame, or each of a mapping of frames, must have; times among them have a
        time zone, and those that say whom or what a row is of do so in every row.
    alike : tuple of str
        Arguments that go together value by value, and so have one length.
    within : mapping of str to (float, float)
        Numbers, with the least and the greatest that they can be.
    systems : tuple of str
        Arguments that name a coordinate system.

    Raises
    ------
    CrsError, ConformError
        On a call; the message names the argument and the remedy.
    """
    asked = _Asked(metric, codes, columns, alike, within, systems)

    def wrap(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        for name in asked.names():
            if name not in signature.parameters:
                raise TypeError(f"{function.__name__} has no argument {name}")

        @wraps(function)
        def proven(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            prove_kinds(function, given)
            asked.prove(function.__name__, given)
            return function(*args, **kwargs)

        vars(proven)["proves"] = (*metric, *codes)
        return proven

    return wrap


@dataclass(frozen=True)
class _Asked:
    """What is asked of the arguments of one function, as `asks` says."""

    metric: tuple[str, ...]
    codes: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    alike: tuple[str, ...]
    within: Mapping[str, tuple[float, float]]
    systems: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        several = (self.metric, self.codes, self.columns, self.alike, self.within, self.systems)
        return tuple(name for names in several for name in names)

    def prove(self, function: str, given: Mapping[str, Any]) -> None:
        prove_metric(function, _shapes(given, self.metric))
        for name in self.codes:
            if given.get(name) is not None:
                prove_codes(function, name, given[name])
        for name, columns in self.columns.items():
            for told_as, frame in _frames(given, (name,)).items():
                prove_columns(function, told_as, frame, columns)
        _prove_alike(function, {name: given[name] for name in self.alike if name in given})
        for name, (least, most) in self.within.items():
            _prove_within(function, name, given.get(name, least), least, most)
        for name in self.systems:
            _prove_system(function, name, given[name])


def _shapes(
    given: Mapping[str, object], names: tuple[str, ...]
) -> dict[str, gpd.GeoDataFrame | gpd.GeoSeries]:
    shaped = (gpd.GeoDataFrame, gpd.GeoSeries)
    frames = _frames(given, names).items()
    return {name: frame for name, frame in frames if isinstance(frame, shaped)}


def _frames(given: Mapping[str, object], names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Return the frames among some arguments, those of mappings each by itself."""
    found: dict[str, pd.DataFrame] = {}
    for name in names:
        value = given.get(name)
        every = value.items() if isinstance(value, Mapping) else [(None, value)]
        for key, frame in every:
            if isinstance(frame, pd.DataFrame | gpd.GeoSeries):
                found[name if key is None else f"{name}[{key!r}]"] = frame
    return found


def prove_columns(function: str, name: str, frame: pd.DataFrame, asked: Iterable[str]) -> None:
    """Prove that a frame has columns, that times have a zone, and that every row is of something.

    Raises
    ------
    ConformError
        Names the argument, the columns that it lacks and those that it has.
    """
    lacking = [column for column in asked if column not in frame]
    if lacking:
        known = ", ".join(map(str, frame.columns)) or "-"
        columns = ", ".join(map(repr, lacking))
        raise ConformError(
            "conform.columns", function=function, name=name, columns=columns, known=known
        )
    for column in asked:
        kind = frame.dtypes[column]
        if pd.api.types.is_datetime64_dtype(kind) and frame[column].notna().any():
            raise ConformError("clock.naive", what=f"{function}: {name}.{column}")
        missing = frame[column].isna() if column in _WHOLE else pd.Series(dtype=bool)
        if missing.any():
            _tell_missing(function, f"{name}.{column}", frame.index[missing])


def _tell_missing(function: str, name: str, rows: pd.Index) -> None:
    shown = ", ".join(map(str, rows[:_SHOWN]))
    raise ConformError("conform.missing", function=function, name=name, rows=shown)


def _prove_alike(function: str, given: Mapping[str, Any]) -> None:
    (first, its), *others = given.items() or [("", ())]
    for name, values in others:
        if len(values) != len(its):
            raise ConformError(
                "conform.lengths",
                function=function,
                name=name,
                found=len(values),
                other=first,
                asked=len(its),
            )


def _prove_within(function: str, name: str, value: Any, least: float, most: float) -> None:
    if not least <= value <= most:
        key = "conform.at_least" if most == float("inf") else "conform.within"
        raise ConformError(key, function=function, name=name, value=value, least=least, most=most)


def _prove_system(function: str, name: str, value: object) -> None:
    try:
        pyproj.CRS.from_user_input(value)
    except pyproj.exceptions.CRSError:
        found = told(value)
        raise CrsError("crs.no_system", function=function, name=name, found=found) from None


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
