"""In which order those who answer for a place are asked: the rule as data, and its use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["ORDER", "AskingOrder", "in_order", "with_territory"]


@dataclass(frozen=True)
class AskingOrder:
    """The rule by which those who answer for one point are put in order.

    It is data, so that a page in a browser sorts by this very rule.

    Parameters
    ----------
    roles : tuple of str
        Whose role stands earlier is asked earlier.
    fallback : str
        The role of who answers where nobody else does (属地兜底).
    territory : tuple of str
        Layers of the territory: for a point that nobody is named as fallback for, the first by
        ``territory_columns`` who answers for one of them stands in.
    columns, territory_columns : tuple of str
        What is sorted by, each ascending. Besides columns of targets and assignments these are
        ``last`` (whether it is a fallback), ``general`` (whether it is for no category of its own)
        and ``place`` (the position of the role).
    once : tuple of str
        Answers that agree in these are told once.
    """

    roles: tuple[str, ...]
    fallback: str
    territory: tuple[str, ...]
    columns: tuple[str, ...]
    territory_columns: tuple[str, ...]
    once: tuple[str, ...]


ORDER = AskingOrder(
    roles=("lead", "direct", "cooperating", "sponsor", "fallback"),
    fallback="fallback",
    territory=("grids", "microgrids"),
    columns=("last", "extent_m2", "distance_m", "general", "place", "holder", "code"),
    territory_columns=("extent_m2", "place", "holder", "code"),
    once=("holder", "role", "layer", "target", "category"),
)


def with_territory(pairs: pd.DataFrame, order: AskingOrder = ORDER) -> pd.DataFrame:
    """Add who answers for the territory, for points that no fallback is named for.

    Parameters
    ----------
    pairs : DataFrame
        Of points and the assignments of their targets.
    """
    named = pairs.loc[pairs["role"] == order.fallback, "point"].unique()
    grids = pairs[pairs["layer"].isin(order.territory) & ~pairs["point"].isin(named)]
    grids = _keyed(grids, order).sort_values(["point", *order.territory_columns], kind="stable")
    first = grids.drop_duplicates("point")[list(pairs.columns)]
    return pd.concat(
        [pairs, first.assign(role=order.fallback, rule="territory")], ignore_index=True
    )


def in_order(pairs: pd.DataFrame, order: AskingOrder = ORDER) -> pd.DataFrame:
    """Return the answers of every point in the order in which to ask, with ``rank`` from 1."""
    rows = _keyed(pairs, order)
    rows = rows.sort_values(["point", *order.columns], kind="stable", ignore_index=True)
    rows = rows.drop_duplicates(["point", *order.once], ignore_index=True)
    return rows.assign(rank=rows.groupby("point").cumcount() + 1)


def _keyed(pairs: pd.DataFrame, order: AskingOrder) -> pd.DataFrame:
    place = pairs["role"].map({role: at for at, role in enumerate(order.roles)})
    return pairs.assign(
        place=place.astype("float64"),
        general=pairs["category"].isna(),
        last=(pairs["role"] == order.fallback).to_numpy(dtype=np.bool_),
    )
