"""How fairly the hours of work are shared among members, and what would help.

The hours come from `expected_hours`, with the coefficients of an `Effort`; `fairness` measures
loads; `proposed_transfers` and `transferred_grids` lead to grids that share them better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis.workloads._effort import (
    PARTS,
    Effort,
    aligned,
    expected_hours,
    load_effort,
    members_of,
    not_negative,
)
from gridmap.analysis.workloads._proposals import Proposal, proposed_transfers, transferred_grids
from gridmap.analysis.workloads.loads import gini
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = [
    "PARTS",
    "Effort",
    "Fairness",
    "Proposal",
    "expected_hours",
    "fairness",
    "load_effort",
    "proposed_transfers",
    "transferred_grids",
]

_SLACK = 1e-9  # hours; what is nearer to a bound than this is within it


@dataclass(frozen=True, repr=False)
class Fairness(Summarised):
    """How fairly loads are shared among members.

    Parameters
    ----------
    table : DataFrame
        On the index of the loads: ``load`` (hours of each member), ``members``, ``share`` (of the
        mean), ``status`` (``over``, ``under``, ``within``; missing where the load is), and
        ``excess_hours`` (of all its members together, above what they would have at the mean; below
        zero if they have less).
    mean : float, hours
        Of a member.
    gini : float
        Over members.
    theil : float
        Theil's T over members: 0 if all carry the same, the logarithm of their number if one
        carries all.
    max_over_mean : float
    over, under, unknown : int
        Members whose load is above or below the tolerance, or missing.
    """

    table: pd.DataFrame
    mean: float
    gini: float
    theil: float
    max_over_mean: float
    over: int
    under: int
    unknown: int


@asks()
def fairness(
    loads: pd.Series, *, members: pd.Series | None = None, tolerance: float = 0.2
) -> Fairness:
    """Tell how fairly loads are shared among members.

    Parameters
    ----------
    loads : Series of float, hours
        Of one member of each area (``hours_per_member`` of `expected_hours`), or of each member.
        Missing ones are counted as unknown and left out.
    members : Series, optional
        How many carry each load, on its index; one if left out, and none or missing counts as one.
    tolerance : float
        A load within ``mean (1 - tolerance)`` and ``mean (1 + tolerance)`` is neither over nor
        under.

    Returns
    -------
    Fairness

    Raises
    ------
    ConformError
        If a load is below zero, the tolerance is, or the members are not on the index.

    References
    ----------
    Gini (1912); Theil (1967), Economics and Information Theory.

    Examples
    --------
    >>> fair = analysis.fairness(pd.Series({"a": 10.0, "b": 30.0, "c": 20.0}))
    >>> fair.table[["share", "status", "excess_hours"]]
       share  status  excess_hours
    a    0.5   under         -10.0
    b    1.5    over          10.0
    c    1.0  within           0.0
    >>> fair.mean, round(fair.gini, 3), fair.over
    (20.0, 0.222, 1)
    """
    if tolerance < 0:
        raise ConformError("fairness.tolerance", value=tolerance)
    not_negative(loads, "loads")
    count = pd.Series(1.0, index=loads.index)
    if members is not None:
        count = members_of(pd.DataFrame({"members": aligned(members, loads.to_frame())}))
    load = loads.astype("float64")
    known = load.notna()
    persons = np.asarray(count[known], dtype=np.int64)
    each = pd.Series(np.repeat(load[known].to_numpy(), persons))
    mean = float(each.mean()) if len(each) else float("nan")
    share = load / mean if mean > 0 else load * np.nan
    status = pd.Series("within", index=loads.index, dtype="string")
    status = status.mask(load > mean * (1 + tolerance) + _SLACK, "over")
    status = status.mask(load < mean * (1 - tolerance) - _SLACK, "under").where(known)
    table = pd.DataFrame(
        {
            "load": load,
            "members": count.astype("Int64"),
            "share": share,
            "status": status,
            "excess_hours": (load - mean) * count,
        }
    )
    relative = each[each > 0] / mean
    number = max(len(each), 1)
    return Fairness(
        table=table,
        mean=mean,
        gini=gini(each),
        theil=float((relative * np.log(relative)).sum() / number),
        max_over_mean=float(each.max() / mean) if mean > 0 else float("nan"),
        over=int(count[status == "over"].sum()),
        under=int(count[status == "under"].sum()),
        unknown=int(count[~known].sum()),
    )
