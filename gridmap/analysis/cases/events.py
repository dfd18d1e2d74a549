"""Events: which reports are of one and the same problem."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.analysis.cases import _ticks
from gridmap.analysis.cases._repeats import Shelves, counts_before, heads_of, shelve
from gridmap.analysis.cases._ticks import DAY_US, MISSING
from gridmap.errors import ConformError

__all__ = ["coincidences", "event_table", "said_by_source", "same_event"]

Longs = npt.NDArray[np.int64]

_NEVER = np.iinfo(np.int64).max


@asks(
    "cases",
    columns={"cases": ("category", "opened", "closed")},
    within={"within_m": (1e-3, 1e5)},
)
def same_event(cases: gpd.GeoDataFrame, *, within_m: float, as_of: dt.datetime) -> pd.Series:
    """Find the first report of the event that each case reports.

    A case repeats another if that is the first report of an event of its category near by, which
    was not closed yet; of several the nearest, then the one opened last. Where the city itself says
    what repeats what (``duplicate_of``), that holds instead, and place tells nothing.

    Parameters
    ----------
    cases : GeoDataFrame of n points, its index the cases
        ``category``, ``opened``, ``closed``; in metres. ``duplicate_of``, if there is one, names
        the case that is repeated by the label of the index.
    within_m : float, metres
    as_of : datetime, aware
        What is opened later is not known.

    Returns
    -------
    Series, shape (n,)
        The label of the first report; its own for a first report, and for a case without a place,
        category or opening, which can be no repeat by place.

    Raises
    ------
    ConformError
        If the distance is below a millimetre or above 100 km, a label of the cases repeats, or
        times have no zone.

    Examples
    --------
    >>> opened = pd.DatetimeIndex(["2025-03-03", "2025-03-04", "2025-03-09"], tz="Asia/Shanghai")
    >>> cases = gpd.GeoDataFrame(
    ...     {"category": "litter", "opened": opened, "closed": opened + pd.Timedelta(days=3)},
    ...     index=["a", "b", "c"],
    ...     geometry=gpd.points_from_xy([0, 6, 3], [0, 0, 0]),
    ...     crs=4549,
    ... )
    >>> now = pd.Timestamp("2025-05-01", tz="Asia/Shanghai")
    >>> analysis.same_event(cases, within_m=20, as_of=now).tolist()
    ['a', 'a', 'c']

    The second repeats the first, which was closed before the third.
    """
    if not cases.index.is_unique:
        twice = ", ".join(map(str, cases.index[cases.index.duplicated()][:5]))
        raise ConformError("clock.repeated", table="cases", rows=twice)
    now = _ticks.instant(as_of)
    opened = _ticks.instants(cases["opened"], "opened")
    closed = _ticks.instants(cases["closed"], "closed")
    closed = np.where((closed == MISSING) | (closed < opened), _NEVER, closed)
    rows = np.flatnonzero(_usable(cases, opened) & (opened <= now))
    head = np.arange(len(cases), dtype=np.int64)
    if said_by_source(cases):
        head = _as_said(cases)
    elif len(rows):
        shelves = _shelved(cases, rows, opened[rows], closed[rows], within_m)
        order = np.lexsort((rows, opened[rows])).astype(np.int64)
        head[rows] = rows[heads_of(shelves, order, within_m)]
    return pd.Series(cases.index.to_numpy()[head], index=cases.index, name="event")


def said_by_source(cases: pd.DataFrame) -> bool:
    """Tell whether the city says which cases repeat others."""
    return "duplicate_of" in cases and bool(cases["duplicate_of"].notna().any())


def _shelved(
    cases: gpd.GeoDataFrame, rows: Longs, opened: Longs, closed: Longs, within_m: float
) -> Shelves:
    kind = pd.factorize(cases["category"].iloc[rows], sort=True)[0].astype(np.int64)
    x, y = cases.geometry.x.to_numpy()[rows], cases.geometry.y.to_numpy()[rows]
    return shelve(x, y, kind, opened, closed, within_m)


def _as_said(cases: gpd.GeoDataFrame) -> Longs:
    """Return the heads that the city names; a chain of them leads to its first."""
    rows = np.arange(len(cases), dtype=np.int64)
    said = cases.index.get_indexer(pd.Index(cases["duplicate_of"]))
    found = np.where(cases["duplicate_of"].notna().to_numpy() & (said >= 0), said, rows)
    for _ in range(len(found).bit_length() + 1):
        found = found[found]
    # Cases that name each other in a circle have no first one; each stands by itself.
    heads: Longs = np.where(found[found] == found, found, rows).astype(np.int64)
    return heads


@asks(
    "cases",
    columns={"cases": ("category", "opened", "closed", "source")},
    alike=("cases", "events"),
)
def event_table(
    cases: gpd.GeoDataFrame,
    events: pd.Series,
    *,
    as_of: dt.datetime,
    residents: tuple[str, ...] = (),
    within_m: float | None = None,
    most_days: float = 90.0,
) -> gpd.GeoDataFrame:
    """Return events, who found each, and how often residents reported it again.

    Parameters
    ----------
    cases : GeoDataFrame of n points, its index the cases
        ``category``, ``opened``, ``closed``, ``source``.
    events : Series, shape (n,), on the index of the cases
        Of `same_event`.
    as_of : datetime, aware
    residents : tuple of str
        Sources that residents report by; all of them where none is named.
    within_m : float, optional, metres
        As of `same_event`, where reports were put together by place: then reports that have
        nothing to do with each other are among the repeats, and how many is told from how many
        lie there before.
    most_days : float
        For how long an event is watched after its first report at the most: one that stays open
        for years in the books has hardly been in the street all the time.

    Returns
    -------
    GeoDataFrame, on the labels of the first reports
        ``category``, ``by_residents`` (whether one of them found it), ``reports`` (of residents),
        ``repeats`` (of residents, after the first of anybody, while it was watched), ``days``
        (watched), ``before`` (reports by residents of its category within the distance, in as
        many days before its first report) and ``before_days`` (how many of these days the cases
        reach back), and the place. Events without an opening are left out.

    Examples
    --------
    >>> opened = pd.DatetimeIndex(["2025-03-03", "2025-03-04", "2025-03-09"], tz="Asia/Shanghai")
    >>> cases = gpd.GeoDataFrame(
    ...     {"category": "litter", "source": ["patrol", "app", "app"], "opened": opened},
    ...     index=["a", "b", "c"],
    ...     geometry=gpd.points_from_xy([0, 6, 3], [0, 0, 0]),
    ...     crs=4549,
    ... ).assign(closed=opened + pd.Timedelta(days=3))
    >>> now = pd.Timestamp("2025-05-01", tz="Asia/Shanghai")
    >>> events = analysis.same_event(cases, within_m=20, as_of=now)
    >>> table = analysis.event_table(cases, events, as_of=now, residents=("app",))
    >>> table[["by_residents", "reports", "repeats", "days"]]
       by_residents  reports  repeats  days
    a         False        1        1   3.0
    c          True        1        0   3.0
    """
    now = _ticks.instant(as_of)
    opened = _ticks.instants(cases["opened"], "opened")
    closed = _ticks.instants(cases["closed"], "closed")
    head = cases.index.get_indexer(pd.Index(events))
    if (head < 0).any():
        raise ConformError("conform.aligned", function="event_table", name="events", other="cases")
    rows = np.arange(len(cases))
    first = np.flatnonzero((head == rows) & (opened != MISSING) & (opened <= now))
    end = np.where((closed == MISSING) | (closed < opened), now, np.minimum(closed, now))
    watched = np.minimum((end - opened) / DAY_US, most_days)
    by_residents = (
        cases["source"].isin(residents).to_numpy(dtype=bool)
        if residents
        else np.ones(len(cases), dtype=bool)
    )
    after = (opened - opened[head]) / DAY_US
    known = (opened != MISSING) & (opened <= now) & by_residents
    again = known & (head != rows) & (after <= watched[head])
    before, back = np.zeros(len(cases)), np.zeros(len(cases))
    usable = np.flatnonzero(_usable(cases, opened))
    if within_m is not None and len(usable) and not said_by_source(cases):
        begin = int(opened[opened != MISSING].min())
        back = np.minimum(watched, (opened - begin) / DAY_US)
        shelves = _shelved(cases, usable, opened[usable], opened[usable], within_m)
        spans = np.rint(back[usable] * DAY_US).astype(np.int64)
        before[usable] = counts_before(shelves, spans, known[usable], within_m)
    table = pd.DataFrame(
        {
            "category": cases["category"].to_numpy()[first],
            "by_residents": by_residents[first],
            "reports": np.bincount(head[known], minlength=len(cases))[first],
            "repeats": np.bincount(head[again], minlength=len(cases))[first],
            "days": watched[first],
            "before": before[first].astype(np.int64),
            "before_days": back[first],
        },
        index=cases.index[first],
    )
    return gpd.GeoDataFrame(table, geometry=cases.geometry.iloc[first], crs=cases.crs)


@asks(alike=("table", "areas"), columns={"table": ("category", "days", "before", "before_days")})
def coincidences(table: pd.DataFrame, areas: pd.Series) -> pd.Series:
    """Return how many repeats of events are none by expectation.

    Parameters
    ----------
    table : DataFrame, shape (n,)
        Of `event_table`.
    areas : Series, shape (n,), on its index
        The area of each event.

    Returns
    -------
    Series of float, shape (n,)
        What is reported of its category about an event of its area in as many days before it, or
        of the whole city where the data reach back no day.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"category": "litter", "days": [4.0, 8.0], "before": [1, 0], "before_days": [4.0, 0.0]}
    ... )
    >>> analysis.coincidences(table, pd.Series(["east", "west"])).tolist()
    [1.0, 2.0]
    """
    kinds = table["category"].astype("string")
    sums = table[["before", "before_days"]]
    city = sums.groupby(kinds).transform("sum")
    own = sums.groupby([areas.astype("string"), kinds], dropna=False).transform("sum")
    some = own["before_days"] > 0.0
    rates = (own["before"] / own["before_days"]).where(some, city["before"] / city["before_days"])
    known = rates.where(np.isfinite(rates), 0.0).fillna(0.0)
    return pd.Series(known * table["days"], index=table.index, name="coincident")


def _usable(cases: gpd.GeoDataFrame, opened: Longs) -> npt.NDArray[np.bool_]:
    """Tell which cases have a place, a category and an opening."""
    nowhere = (cases.geometry.isna() | cases.geometry.is_empty).to_numpy(dtype=bool)
    found: npt.NDArray[np.bool_] = (
        ~nowhere & cases["category"].notna().to_numpy() & (opened != MISSING)
    )
    return found
