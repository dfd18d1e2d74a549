"""What became of micro-grids: from old codes to new ones, to the household."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis.location.interpolation import apportion
from gridmap.design.plan import Plan
from gridmap.errors import ConformError

__all__ = ["crosswalk", "paired", "restate"]

Longs = npt.NDArray[np.int64]

COUNTS = ["households_before", "households_after", "buildings"]


def crosswalk(before: Plan, after: Plan) -> pd.DataFrame:
    """Tell which buildings and households went from which micro-grid to which.

    Parameters
    ----------
    before, after : Plan
        Buildings and units are the same if their codes are. A building that is made of other
        units than before is shared among the old and the new ones by their households.

    Returns
    -------
    DataFrame
        ``old, new, households_before, households_after, buildings``, by both codes. `old` is
        missing for what is new, `new` for what is gone. The households of each column add up to
        those of its plan. `buildings` counts buildings, or units of those that are split.

    Examples
    --------
    >>> city = gridmap.read_city("data", layers=["grids", "buildings"])
    >>> plan = gridmap.design_grids(city)
    >>> change = design.merge(plan, ["330499001001001001", "330499001001001002"])
    >>> ways = design.crosswalk(plan, change.plan)
    >>> ways[["old", "new", "households_before"]].head(2)
                      old                 new  households_before
    0  330499001001001001  330499001001001001                 40
    1  330499001001001002  330499001001001001                 45
    """
    was, now = before.membership, after.membership
    pairs = paired(was, now)
    old, new = pairs["old"].to_numpy(), pairs["new"].to_numpy()
    people_before = _values(was, "households", old)
    people_after = _values(now, "households", new)
    table = pd.DataFrame(
        {
            "old": _names(was, old),
            "new": _names(now, new),
            "households_before": _shared(people_before, old, people_after),
            "households_after": _shared(people_after, new, people_before),
            "buildings": 1,
        }
    )
    sums = table.groupby(["old", "new"], dropna=False, sort=True)[COUNTS].sum().reset_index()
    return sums.astype({"old": "string", "new": "string", **dict.fromkeys(COUNTS, "Int64")})


def paired(was: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Pair what stands in two plans.

    Parameters
    ----------
    was, now : DataFrame
        ``code`` and ``building``.

    Returns
    -------
    DataFrame of int
        ``old`` and ``new``: rows of `was` and `now`, -1 where there is no counterpart. If the units
        of a building are not the same, each old one is paired with each new one.
    """
    left = pd.DataFrame({"code": was["code"], "building": was["building"]}).reset_index(drop=True)
    right = pd.DataFrame({"code": now["code"], "building": now["building"]}).reset_index(drop=True)
    odd = {
        *left["building"][~left["code"].isin(right["code"])],
        *right["building"][~right["code"].isin(left["code"])],
    }
    for side, name in ((left, "old"), (right, "new")):
        side[name] = np.arange(len(side))
        split = side["building"].isin(odd)
        side["key"] = side["code"].mask(split, side["building"]).astype("string")
        side["split"] = split
    pairs = left.merge(right, on=["key", "split"], how="outer")[["old", "new"]]
    return pairs.fillna(-1).astype(np.int64)


def _values(plan: pd.DataFrame, column: str, at: Longs) -> Longs:
    known = np.append(plan[column].fillna(0).to_numpy(dtype=np.int64), 0)
    return known[at]


def _names(plan: pd.DataFrame, at: Longs) -> pd.Series:
    missing = np.array([None], dtype=object)
    names = np.append(plan["microgrid"].to_numpy(dtype=object), missing)
    return pd.Series(names[at], dtype="string")


def _shared(people: Longs, row: Longs, share: Longs) -> Longs:
    """Share the households of each row among its pairs, in whole numbers."""
    known = np.flatnonzero(row >= 0)
    owners, owner = np.unique(row[known], return_inverse=True)
    given = np.zeros(len(owners), dtype=np.int64)
    given[owner] = people[known]
    part = share[known].astype(np.float64)
    empty = np.bincount(owner, weights=part, minlength=len(owners)) == 0
    part = np.where(empty[owner], 1.0, part)
    shares = np.zeros(len(row), dtype=np.int64)
    shares[known] = apportion(given, owner, np.arange(len(known)), part)
    return shares


def restate(values: pd.Series, changes: pd.DataFrame) -> pd.Series:
    """Restate a count of past months on the micro-grids of today.

    Parameters
    ----------
    values : Series of numbers
        On the codes of the old micro-grids.
    changes : DataFrame
        ``old, new, households_before, buildings``, as `crosswalk` returns. A code that stands
        nowhere in it is taken to have stayed as it was.

    Returns
    -------
    Series of float
        On the codes of the new micro-grids, rising. Each old value is shared in proportion to
        the households that went each way, or the buildings where there were no households, so
        the total stays. What stood on a micro-grid whose buildings are all gone stays on the
        old code.

    Raises
    ------
    ConformError
        If the values name a micro-grid twice.

    References
    ----------
    Dasymetric reallocation by households: Eicher and Brewer (2001). Where the places of the
    cases are known, assigning them anew is exact, and better.

    Examples
    --------
    >>> ways = pd.DataFrame({"old": ["a", "a"], "new": ["b", "c"]})
    >>> ways = ways.assign(households_before=[30, 10], buildings=[2, 1])
    >>> design.restate(pd.Series({"a": 8}), ways).to_dict()
    {'b': 6.0, 'c': 2.0}
    """
    repeated = values.index[values.index.duplicated()]
    if len(repeated):
        raise ConformError("lineage.repeated", code=repeated[0])
    ways = changes.dropna(subset=["old"]).copy()
    ways["new"] = ways["new"].fillna(ways["old"])
    people = ways["households_before"].astype("float64")
    total = people.groupby(ways["old"]).transform("sum")
    houses = ways["buildings"].astype("float64")
    all_houses = houses.groupby(ways["old"]).transform("sum")
    share = np.where(total > 0, people / total.where(total > 0, 1.0), houses / all_houses)
    untouched = values[~values.index.isin(ways["old"])]
    sent: pd.Series[float] = ways["old"].map(values).fillna(0.0).astype("float64") * share
    moved: pd.Series[float] = sent.groupby(ways["new"]).sum()
    return moved.add(untouched.astype("float64"), fill_value=0.0).sort_index()
