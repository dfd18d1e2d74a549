"""Proofs of what statistics are given, with the rows that are wrong."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import shapely

from gridmap.errors import ConformError

__all__ = ["finite", "fitting", "not_negative", "only_points", "rows_of", "whole"]

Floats = npt.NDArray[np.float64]

_SHOWN = 5


def rows_of(labels: pd.Index) -> str:
    """Return labels as text, the first few of many."""
    shown = ", ".join(str(label) for label in labels[:_SHOWN])
    return f"{shown}, ... ({len(labels)})" if len(labels) > _SHOWN else shown


def finite(values: pd.Series, what: str) -> Floats:
    """Return values as an array.

    Raises
    ------
    ConformError
        If one is missing or infinite; names the rows.
    """
    array = values.to_numpy(dtype="float64", na_value=np.nan)
    wrong = ~np.isfinite(array)
    if wrong.any():
        raise ConformError("conform.values", what=what, rows=rows_of(values.index[wrong]))
    return array


def not_negative(values: Floats, index: pd.Index, what: str) -> None:
    """Prove that no value is below zero.

    Raises
    ------
    ConformError
        Names the rows.
    """
    wrong = values < 0
    if wrong.any():
        raise ConformError("conform.negative", what=what, rows=rows_of(index[wrong]))


def fitting(weights: sp.csr_array, count: int) -> None:
    """Prove that weights are for so many units.

    Raises
    ------
    ConformError
        If they are not.
    """
    if weights.shape != (count, count):
        raise ConformError("conform.weights", found=weights.shape[0], asked=count)


def only_points(points: gpd.GeoSeries, what: str) -> None:
    """Prove that shapes are points.

    Raises
    ------
    ConformError
        Names the rows that are not.
    """
    shapes = points.to_numpy()
    other = ~(shapely.is_missing(shapes) | (shapely.get_type_id(shapes) == 0))
    if other.any():
        raise ConformError("conform.not_points", what=what, rows=rows_of(points.index[other]))


def whole(values: Floats, index: pd.Index, what: str) -> None:
    """Prove that values are whole numbers.

    Raises
    ------
    ConformError
        Names the rows.
    """
    broken = values != np.floor(values)
    if broken.any():
        raise ConformError("conform.scan_counts", what=what, rows=rows_of(index[broken]))
