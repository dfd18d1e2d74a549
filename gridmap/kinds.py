"""What kind of value an argument takes, as its annotation says, and how that is told."""

from __future__ import annotations

import datetime as dt
import inspect
import numbers
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, Literal, NamedTuple, ParamSpec, TypeVar, Union

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from gridmap.errors import ConformError

__all__ = ["Kind", "checked", "kinds_of", "prove_kind", "prove_kinds", "told"]

P = ParamSpec("P")
R = TypeVar("R")

_SHOWN = 40
# What else serves where an annotation asks for a type: numpy's numbers, lists, any sparse matrix.
_SERVES: dict[object, tuple[type, ...]] = {
    float: (numbers.Real,),
    int: (numbers.Integral,),
    bool: (bool, np.bool_),
    np.ndarray: (np.ndarray, pd.Series, pd.Index),
    pd.Index: (pd.Index, np.ndarray, list, tuple),
    sp.csr_array: (sp.sparray, sp.spmatrix),
}
_NAMES = {
    np.ndarray: "numpy array",
    sp.csr_array: "scipy.sparse.csr_array",
    Mapping: "dict",
    type(None): "None",
}


class Kind(NamedTuple):
    """What serves as an argument: types, the words of a choice, and how they are named."""

    types: tuple[type, ...]
    words: tuple[object, ...]
    name: str

    def takes(self, value: object) -> bool:
        """Return whether a value is of this kind; text is no list of texts."""
        if isinstance(value, str | int | float) and value in self.words:
            return True
        if Iterable in self.types and isinstance(value, str | bytes):
            return isinstance(value, tuple(kind for kind in self.types if kind is not Iterable))
        return isinstance(value, self.types)


@cache
def kinds_of(function: Callable[..., Any]) -> Mapping[str, Kind]:
    """Return the kind of each argument whose annotation says one."""
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = _kind(_resolved(parameter.annotation, function))
        if kind is not None:
            found[name] = kind
    return found


def _resolved(annotation: object, function: Callable[..., Any]) -> object:
    if isinstance(annotation, str):
        return eval(annotation, inspect.unwrap(function).__globals__)  # noqa: S307 - our own text
    return annotation


def _kind(annotation: object) -> Kind | None:
    """Return what an annotation asks for, or None if anything may serve."""
    origin = typing.get_origin(annotation) or annotation
    if annotation is npt.ArrayLike or origin in (Sequence, Collection, Iterable):
        return Kind((Iterable,), (), "list")
    if origin in (types.UnionType, Union):
        return _any_of([_kind(each) for each in typing.get_args(annotation)])
    if origin is Literal:
        words = typing.get_args(annotation)
        return Kind((), words, " | ".join(map(repr, words)))
    if not isinstance(origin, type) or origin is object:
        return None
    return Kind(_SERVES.get(origin, (origin,)), (), _NAMES.get(origin, origin.__name__))


def _any_of(every: Sequence[Kind | None]) -> Kind | None:
    kinds = [kind for kind in every if kind is not None]
    if len(kinds) < len(every):
        return None
    serve = tuple(one for kind in kinds for one in kind.types)
    words = tuple(word for kind in kinds for word in kind.words)
    return Kind(serve, words, " | ".join(kind.name for kind in kinds))


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Prove the types of the arguments of a function before it runs.

    Examples
    --------
    >>> from gridmap.kinds import checked
    >>> @checked
    ... def half(number: float) -> float:
    ...     return number / 2
    >>> half(3)
    1.5
    >>> try:
    ...     half("3")
    ... except gridmap.GridmapError as error:
    ...     print(error)
    half: 'number' is '3', where float is asked
    """
    signature = inspect.signature(function)

    @wraps(function)
    def proven(*args: P.args, **kwargs: P.kwargs) -> R:
        prove_kinds(function, signature.bind(*args, **kwargs).arguments)
        return function(*args, **kwargs)

    return proven


def prove_kinds(function: Callable[..., Any], given: Mapping[str, object]) -> None:
    """Prove the arguments that a function is called with by its annotations."""
    for name, kind in kinds_of(function).items():
        if name in given:
            prove_kind(function.__name__, name, given[name], kind)


def prove_kind(function: str, name: str, value: object, kind: Kind) -> None:
    """Prove that an argument is what its annotation says; a moment has a time zone too.

    Raises
    ------
    ConformError
        Names the argument, what it is and what is asked.
    """
    if not kind.takes(value):
        key = "conform.word" if kind.words and isinstance(value, str) else "conform.type"
        found = told(value)
        raise ConformError(key, function=function, name=name, found=found, asked=kind.name)
    if isinstance(value, dt.datetime) and value.utcoffset() is None and not pd.isna(value):
        raise ConformError("conform.naive", function=function, name=name)
    if isinstance(value, gpd.GeoDataFrame) and gpd.GeoDataFrame in kind.types:
        _prove_geometry(function, name, value)


def _prove_geometry(function: str, name: str, frame: gpd.GeoDataFrame) -> None:
    column = frame.active_geometry_name
    if column is None:
        raise ConformError("conform.no_active", function=function, name=name)
    if list(frame.columns).count(column) > 1:
        raise ConformError("conform.geometry_twice", function=function, name=name, column=column)


def told(value: object) -> str:
    """Return how a message shows a value that is wrong: numbers and texts, else the type."""
    if isinstance(value, str | numbers.Number) or value is None:
        shown = repr(value)
        return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return type(value).__name__
