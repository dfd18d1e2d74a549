"""Which micro-grids should pass between grids, so that their members have more equal loads."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
import shapely

from gridmap.analysis._doors import asks
from gridmap.analysis.weights.contiguity import rook
from gridmap.analysis.workloads._effort import (
    Effort,
    load_effort,
    members_of,
    not_negative,
    pace_of,
)
from gridmap.analysis.workloads._transfers import Board, search
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = ["Proposal", "proposed_transfers", "transferred_grids"]

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Proposal(Summarised):
    """Transfers between grids, not yet made.

    Parameters
    ----------
    transfers : DataFrame
        One row for each, in the order in which they are made: ``step`` (from 1), ``code`` (of
        the unit), ``from_grid, to_grid``, ``work_hours`` (that pass), ``households`` (that change
        grid; missing if not known), hours of a member of both grids before and after it
        (``from_before, from_after, to_before, to_after``), and ``gini_before, gini_after,
        max_over_mean_before, max_over_mean_after``.
    parents : DataFrame
        Every unit with ``code``, ``old`` and ``new``: its grid before and after all transfers.
    loads : DataFrame
        Every grid with ``code``, ``members``, ``hours_before``, ``hours_after`` and the same for
        each member: ``load_before``, ``load_after``.
    """

    transfers: pd.DataFrame
    parents: pd.DataFrame
    loads: pd.DataFrame


@asks("units", codes=("units", "grids"))
def proposed_transfers(
    units: gpd.GeoDataFrame,
    grids: pd.DataFrame,
    *,
    effort: Effort | None = None,
    tolerance: float = 0.2,
    moves: int = 20,
    across: bool = False,
    graph: sp.csr_array | None = None,
) -> Proposal:
    """Propose which units shall pass from over-loaded grids to neighbours with less to do.

    Greedy: of all transfers that are allowed, the one after which the Gini index over members is
    lowest comes first. A transfer is allowed if its grid is above the tolerance and the other below
    the mean, both stay as connected as they were and neither is left empty, the heavier of the two
    carries less than the giver did, and the Gini index falls. Each unit passes once at most.

    Parameters
    ----------
    units : GeoDataFrame of polygons, metres
        Micro-grids or atoms that cover their grids: ``code, parent`` (the code of the grid) and
        ``work_hours`` (of `expected_hours`); where known ``stops``, ``households`` and ``locked``
        (such a unit stays).
    grids : DataFrame
        ``code``; where known ``members`` (none or missing counts as one) and ``parent``.
    effort : Effort, optional
        For the travel of grids, which is computed anew for each transfer from their stops and
        area; by default that of the shipped ``effort.toml``. Without ``stops`` there is no travel.
    tolerance : float
        As of `fairness`.
    moves : int
        The most transfers.
    across : bool
        Whether units may pass between grids of different parents, such as communities.
    graph : csr_array, shape (units, units), optional
        Which units can be reached from which; by default those with a common border.

    Returns
    -------
    Proposal
        Without transfers where none is allowed.

    Raises
    ------
    ConformError
        If a column is missing, hours are missing or below zero, the graph has another size, or the
        units name a grid that there is not.

    Examples
    --------
    >>> squares = [shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200, 300)]
    >>> units = gpd.GeoDataFrame(
    ...     {"code": ["a", "b", "c", "d"], "parent": ["g", "g", "g", "h"], "work_hours": 10.0},
    ...     geometry=squares,
    ...     crs=4549,
    ... )
    >>> proposal = analysis.proposed_transfers(units, pd.DataFrame({"code": ["g", "h"]}))
    >>> proposal.transfers[["code", "from_grid", "to_grid", "from_after", "to_after"]]
      code from_grid to_grid  from_after  to_after
    0    c         g       h        20.0      20.0
    """
    if tolerance < 0:
        raise ConformError("fairness.tolerance", value=tolerance)
    effort = effort or load_effort()
    grid = _proven(units, grids)
    links = rook(units) if graph is None else graph
    if links.shape != (len(units), len(units)):
        raise ConformError("conform.weights", found=links.shape[0], asked=len(units))
    board = _board(units, grids, grid, effort)
    group = _groups(grids, across=across)
    steps, after = search(board, sp.coo_array(links), group, tolerance, moves)
    code = grids["code"].to_numpy(dtype=object)
    table = pd.DataFrame(
        {
            "step": np.arange(1, len(steps) + 1),
            "code": pd.Series([units["code"].iloc[s.unit] for s in steps], dtype="string"),
            "from_grid": pd.Series([code[s.giver] for s in steps], dtype="string"),
            "to_grid": pd.Series([code[s.taker] for s in steps], dtype="string"),
            "work_hours": [float(board.work[s.unit]) for s in steps],
            "households": _households(units, [s.unit for s in steps]),
        }
    )
    columns = (
        "from_before", "from_after", "to_before", "to_after",
        "gini_before", "gini_after", "max_over_mean_before", "max_over_mean_after",
    )  # fmt: skip
    effects = pd.DataFrame([s.effect for s in steps], columns=list(columns), dtype="float64")
    parents = pd.DataFrame(
        {
            "code": units["code"].to_numpy(dtype=object),
            "old": code[grid],
            "new": code[after],
        },
        dtype="string",
    )
    return Proposal(pd.concat([table, effects], axis=1), parents, _loads(grids, board, grid, after))


def _proven(units: gpd.GeoDataFrame, grids: pd.DataFrame) -> Longs:
    """Return the position of each unit's grid."""
    for name, frame, needed in (
        ("units", units, ("code", "parent", "work_hours")),
        ("grids", grids, ("code",)),
    ):
        for column in needed:
            if column not in frame:
                known = ", ".join(map(str, frame.columns))
                raise ConformError("fairness.column", table=name, column=column, known=known)
    hours = units["work_hours"].astype("float64")
    if not np.isfinite(hours).all():
        rows = ", ".join(str(row) for row in units.index[~np.isfinite(hours)][:5])
        raise ConformError("conform.values", what="units.work_hours", rows=rows)
    not_negative(hours, "units.work_hours")
    found: Longs = pd.Index(grids["code"]).get_indexer(pd.Index(units["parent"])).astype(np.int64)
    if (found < 0).any():
        codes = ", ".join(sorted({str(c) for c in units["parent"][found < 0]})[:5])
        raise ConformError("conform.unknown_unit", what="units.parent", codes=codes)
    return found


def _board(units: gpd.GeoDataFrame, grids: pd.DataFrame, grid: Longs, effort: Effort) -> Board:
    stops = units["stops"].astype("float64").fillna(0.0) if "stops" in units else None
    locked = units["locked"].fillna(value=False) if "locked" in units else None
    return Board(
        work=units["work_hours"].to_numpy(dtype=np.float64),
        stops=np.zeros(len(units)) if stops is None else stops.to_numpy(),
        area_m2=shapely.area(units.geometry.to_numpy()),
        locked=np.zeros(len(units), bool) if locked is None else locked.to_numpy(dtype=bool),
        rank=units["code"].rank(method="first").to_numpy(dtype=np.float64),
        members=members_of(grids).to_numpy(),
        grid=grid,
        pace=pace_of(effort),
    )


def _groups(grids: pd.DataFrame, *, across: bool) -> Longs:
    """Return a number for each grid; units pass between grids of one number."""
    if across or "parent" not in grids:
        return np.zeros(len(grids), dtype=np.int64)
    return np.asarray(grids["parent"].fillna("").factorize()[0], dtype=np.int64)


def _households(units: pd.DataFrame, rows: list[int]) -> pd.Series:
    if "households" not in units:
        return pd.Series(pd.NA, index=range(len(rows)), dtype="Int64")
    return units["households"].iloc[rows].astype("Int64").reset_index(drop=True)


def _loads(grids: pd.DataFrame, board: Board, before: Longs, after: Longs) -> pd.DataFrame:
    found = {"code": grids["code"].to_numpy(dtype=object), "members": board.members}
    for name, grid in (("before", before), ("after", after)):
        found[f"hours_{name}"] = board.hours(grid)
    for name in ("before", "after"):
        found[f"load_{name}"] = found[f"hours_{name}"] / board.members
    return pd.DataFrame(found).astype({"code": "string", "members": "Int64"})


@asks(codes=("grids", "units", "parents"), columns={"parents": ("old", "new")})
def transferred_grids(
    grids: gpd.GeoDataFrame, units: gpd.GeoDataFrame, parents: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Return the grids as they are after transfers, for ``gridmap design`` and ``resize``.

    Every grid that has units is dissolved from those that it has then, so that grids share the
    nodes of their borders if the units do, as the micro-grids of a plan. A micro-grid that passed
    lies in another grid then; `gridmap.resize_grids` keeps all others and gives it a new code.

    Parameters
    ----------
    grids : GeoDataFrame
        ``code``, and what else the layer has; ``households`` follow the transfers where both
        frames know them.
    units : GeoDataFrame
        ``code``, a coverage that fills the grids.
    parents : DataFrame
        ``code, old, new``, as of `Proposal`.

    Returns
    -------
    GeoDataFrame
        With the rows, columns and index of `grids`.

    Raises
    ------
    ConformError
        If `parents` names another unit or grid.

    Examples
    --------
    >>> squares = [shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200)]
    >>> units = gpd.GeoDataFrame({"code": ["a", "b", "c"]}, geometry=squares, crs=4549)
    >>> pair = [shapely.box(0, 0, 200, 100), shapely.box(200, 0, 300, 100)]
    >>> grids = gpd.GeoDataFrame({"code": ["g", "h"]}, geometry=pair, crs=4549)
    >>> parents = pd.DataFrame({"code": ["a", "b", "c"], "old": ["g", "g", "h"]})
    >>> parents["new"] = ["g", "h", "h"]
    >>> analysis.transferred_grids(grids, units, parents).area.to_list()
    [10000.0, 20000.0]
    """
    order = pd.Index(parents["code"]).get_indexer(pd.Index(units["code"]))
    _all_known("parents.code", units["code"], order < 0)
    new = parents["new"].iloc[order]
    place = pd.Index(grids["code"]).get_indexer(pd.Index(new))
    _all_known("parents.new", new, place < 0)
    shapes = units.geometry.to_numpy()
    made = grids.geometry.to_numpy().copy()
    for number in np.unique(place):
        made[number] = shapely.coverage_union_all(shapes[place == number])
    whole = grids.assign(geometry=made)
    if "households" in grids and "households" in units:
        was = pd.Index(grids["code"]).get_indexer(pd.Index(parents["old"].iloc[order]))
        moved = units["households"].fillna(0).to_numpy(dtype=np.float64)
        change = np.bincount(place, moved, len(grids)) - np.bincount(was, moved, len(grids))
        whole["households"] = grids["households"] + pd.array(
            change.round().astype(np.int64), dtype="Int64"
        )
    return whole


def _all_known(what: str, codes: pd.Series, missing: npt.NDArray[np.bool_]) -> None:
    if missing.any():
        named = ", ".join(str(code) for code in codes[missing][:5])
        raise ConformError("conform.unknown_unit", what=what, codes=named)
