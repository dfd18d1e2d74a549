"""All of a city but the rows of its layers, to JSON and back."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyproj

from gridmap.catalog import Catalog, Text
from gridmap.errors import StoreError
from gridmap.model import City, Receipt, moment_in
from gridmap.result import Analysed, Result
from gridmap.schema import completed
from gridmap.store.rows import column

__all__ = ["analysed_of", "crs_of", "state_of"]

State = dict[str, Any]


def state_of(analysed: Analysed, frames: Mapping[str, list[list[str]]]) -> State:
    """Return what is to be known of a city beside the rows of its layers.

    Parameters
    ----------
    analysed : Analysed
    frames : mapping of str to list of [name, dtype]
        The columns of every layer's table.

    Returns
    -------
    dict
        Of JSON values alone. The order of keys is the city's own, so the same city gives the same
        text, and its layers and figures come back in their order.

    Raises
    ------
    StoreError
        If a parameter or figure is of a kind that JSON cannot hold.
    """
    city = analysed.city
    return {
        "title": city.title.model_dump(),
        "source": city.source.model_dump(),
        "crs": city.crs.to_string(),
        "timezone": city.timezone,
        "as_of": city.moment.isoformat() if city.moment else None,
        "review_number": city.review_number,
        "frames": dict(frames),
        "layers": {name: list(frame.columns) for name, frame in city.layers.items()},
        "results": {
            name: {
                "method": result.method,
                "parameters": _plain(result.parameters),
                "version": result.version,
            }
            for name, result in analysed.results.items()
        },
        "summary": _plain(analysed.summary),
        "receipts": [_receipt_state(receipt) for receipt in city.receipts],
    }


def crs_of(state: State) -> pyproj.CRS:
    """Return the coordinate system of a saved city."""
    return pyproj.CRS.from_user_input(state["crs"])


def analysed_of(
    name: str, state: State, frames: Mapping[str, pd.DataFrame], catalog: Catalog
) -> Analysed:
    """Return the city that `state_of` took apart.

    Parameters
    ----------
    name : str
    state : dict
    frames : mapping of str to DataFrame
        Every layer, with the columns that the state names.
    catalog : Catalog

    Returns
    -------
    Analysed

    Raises
    ------
    GridmapError
        If a layer is no longer what the catalogue says.
    """
    city = City(
        name=name,
        title=Text(**state["title"]),
        source=Text(**state["source"]),
        crs=crs_of(state),
        timezone=state["timezone"],
        as_of=moment_in(state["as_of"], state["timezone"]),
        layers={
            layer: completed(catalog.layer(layer), frames[layer][columns], state["timezone"])
            for layer, columns in state["layers"].items()
        },
        catalog=catalog,
        receipts=tuple(_receipt(entry) for entry in state["receipts"]),
        review_number=state["review_number"],
    )
    results = {
        layer: Result(
            catalog.layer(layer),
            frames[layer],
            entry["method"],
            _value(entry["parameters"]),
            entry["version"],
        )
        for layer, entry in state["results"].items()
    }
    return Analysed(city, results, _value(state["summary"]))


def _plain(value: object) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(value)}
    if isinstance(value, tuple):
        return {"$tuple": [_plain(item) for item in value]}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise StoreError("store.value", value=repr(value)[:80], kind=type(value).__name__)


def _value(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_value(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if set(plain) == {"$float"}:
        return float(plain["$float"])
    if set(plain) == {"$text"}:  # of stores that held control characters
        return str(plain["$text"]).encode().decode("unicode_escape")
    if set(plain) == {"$tuple"}:
        return tuple(_value(item) for item in plain["$tuple"])
    return {key: _value(item) for key, item in plain.items()}


def _receipt_state(receipt: Receipt) -> State:
    rejected = receipt.rejected
    return {
        "layer": receipt.layer,
        "source": receipt.source,
        "rows": receipt.rows,
        "placed": receipt.placed,
        "quarantined": receipt.quarantined,
        "repaired": receipt.repaired,
        "mended": receipt.mended,
        "stale": receipt.stale,
        "columns": dict(receipt.columns),
        "rejected": {
            "columns": [
                [str(name), str(dtype)]
                for name, dtype in zip(rejected.columns, rejected.dtypes, strict=True)
            ],
            "rows": [
                [_cell(cell) for cell in row] for row in rejected.astype(object).to_numpy().tolist()
            ],
        },
    }


def _cell(cell: Any) -> Any:
    """Return a cell as it was read; one of a kind that JSON does not know becomes text."""
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    if isinstance(cell, dt.date):
        return cell.isoformat()
    if isinstance(cell, (np.generic, bool, int, float, str)):
        return _plain(cell)
    return str(cell)


def _receipt(entry: State) -> Receipt:
    table = entry["rejected"]
    cells = list(zip(*table["rows"], strict=True)) or [()] * len(table["columns"])
    made = [
        column([_value(cell) for cell in values], dtype)
        for values, (_, dtype) in zip(cells, table["columns"], strict=True)
    ]
    names = [name for name, _ in table["columns"]]
    rejected = pd.concat(made, axis=1).set_axis(names, axis=1) if made else pd.DataFrame()
    facts = {key: value for key, value in entry.items() if key != "rejected"}
    return Receipt(**facts, rejected=rejected)
