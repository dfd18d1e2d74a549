"""What every public function of the analysis answers to its examples, and to odd data instead.

Each argument in turn is given with its rows reversed, twice, with the first value of a column
missing, with other shapes; each option with another value.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import shapely
from example_calls import FUNCTIONS, ROOT, shown
from told import plain, table_lines, tells

from gridmap import analysis
from gridmap.errors import GridmapError

MANY = 60  # rows; of more only the example itself is told, and the first rows of its answer
_FEW = 12


def _odd(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what may be given instead of an argument."""
    if isinstance(value, bool):
        yield "not so", not value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from (("twice", value * 2), ("half", value / 2 if isinstance(value, float) else 1))
    elif isinstance(value, pd.DataFrame | pd.Series) and 0 < len(value) <= MANY:
        yield from _odd_rows(value)
    elif isinstance(value, np.ndarray) and 0 < value.size <= MANY and value.dtype.kind == "f":
        yield from (("reversed", value[::-1].copy()), ("with a gap", _gapped(value)))


def _gapped(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    gapped = values.copy()
    gapped.flat[0] = np.nan
    return gapped


def _odd_rows(value: Any) -> Iterator[tuple[str, Any]]:
    yield "reversed", value.iloc[::-1].reset_index(drop=True)
    yield "twice", pd.concat([value, value], ignore_index=True)
    if isinstance(value, pd.Series) and not isinstance(value, gpd.GeoSeries):
        yield "first missing", value.mask(np.arange(len(value)) == 0)
    if isinstance(value, pd.DataFrame):
        for name in value.columns.drop("geometry", errors="ignore"):
            some = value[name].mask(np.arange(len(value)) == 0)
            yield f"first {name} missing", value.assign(**{str(name): some})
    if isinstance(value, gpd.GeoSeries) or getattr(value, "active_geometry_name", None):
        yield from _odd_shapes(value)


def _odd_shapes(value: Any) -> Iterator[tuple[str, Any]]:
    shapes = value.geometry.to_numpy()
    empty = shapely.from_wkt(f"{shapes[0].geom_type.upper()} EMPTY")
    others = {"missing": None, "empty": empty, "a point": shapely.centroid(shapes[0]),
              "wide": shapely.buffer(shapes[0], 30.0)}  # fmt: skip
    moved = shapely.transform(shapes, lambda xy: xy + np.array([37.0, -11.0]))
    changed = {f"first shape {what}": [one, *shapes[1:]] for what, one in others.items()}
    for what, these in {**changed, "moved": moved}.items():
        given = gpd.GeoSeries(list(these), index=value.index, crs=value.crs)
        yield what, given if isinstance(value, gpd.GeoSeries) else value.set_geometry(given)


def _lines(answer: Any) -> Iterator[str]:
    """Yield an answer by lines; of a long table the first rows, and the sums of all."""
    if isinstance(answer, pd.Series):
        answer = answer.rename("value").to_frame().reset_index()
    if isinstance(answer, pd.DataFrame):
        yield f"{len(answer)} rows"
        yield from table_lines(answer.head(_FEW))
        if len(answer) > _FEW:
            sums = answer.select_dtypes("number").astype("float64").sum()
            yield plain(f"sums {sums.to_dict()}")
    elif sp.issparse(answer):
        sums = pd.DataFrame({"row": answer.sum(axis=1), "column": answer.sum(axis=0)})
        yield from _lines(pd.DataFrame(answer.toarray()) if len(sums) <= _FEW else sums)
    elif isinstance(answer, np.ndarray):
        yield f"{answer.shape} {answer.dtype}"
        yield plain(str([str(one) if answer.dtype == object else one
                         for one in answer.ravel()[:_FEW].tolist()]))  # fmt: skip
    elif isinstance(answer, tuple | list):
        for one in answer:
            yield from _lines(one)
    elif dataclasses.is_dataclass(answer):
        for each in dataclasses.fields(answer):
            yield f"- {each.name}"
            yield from _lines(getattr(answer, each.name))
    else:
        yield from plain(re.sub(r" at 0x[0-9a-f]+", "", str(answer))).splitlines()[:_FEW]


def _told(name: str, given: dict[str, Any]) -> Iterator[str]:
    try:
        yield from _lines(getattr(analysis, name)(**given))
    except GridmapError as error:
        yield f"{error.key}: {plain(error.text('en'))}"
    except Exception as error:  # noqa: BLE001 - told, to be seen: nobody has mended it yet
        yield f"fails by {type(error).__name__}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_a_function_answers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    calls = [given for given in shown(name) if given] or [{}]
    options = {
        each.name: each.default
        for each in inspect.signature(inspect.unwrap(getattr(analysis, name))).parameters.values()
        if each.default is not inspect.Parameter.empty
    }
    lines = []
    for number, given in enumerate(calls):
        lines += [f"== example {number + 1}", *_told(name, given)]
        if any(len(value) > MANY for value in given.values() if isinstance(value, pd.DataFrame)):
            continue
        for argument, value in {**options, **given}.items() if not number else ():
            for what, odd in _odd(value):
                lines += [f"== {argument}: {what}", *_told(name, {**given, argument: odd})]
    tells(f"answers/{name}", "\n".join(lines))
