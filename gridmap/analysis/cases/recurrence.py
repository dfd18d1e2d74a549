"""Recurrence: the same category near by, soon after a case was closed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp
from scipy.sparse import csgraph
from scipy.stats import chi2

from gridmap.analysis._doors import asks
from gridmap.analysis.cases import _ticks
from gridmap.analysis.cases._findings import finding, together
from gridmap.analysis.cases._repeats import Shelves, first_after, pairs_after, shelve
from gridmap.analysis.cases._survival import CURVE, log_rank, survival_curve
from gridmap.analysis.cases._ticks import DAY_US, MISSING
from gridmap.analysis.discoveries import discoveries
from gridmap.errors import ConformError
from gridmap.summaries import Summarised

__all__ = [
    "Recurrence",
    "recurrence",
    "recurrence_curve",
    "recurrence_layer",
    "recurrence_test",
]

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_NEVER = np.iinfo(np.int64).max
_GROUPS = 2  # that a test compares at the least


@dataclass(frozen=True, repr=False)
class Recurrence(Summarised):
    """What happened again.

    Parameters
    ----------
    pairs : DataFrame
        ``earlier, later`` (labels of cases), ``category``, ``distance_m`` and ``days`` (from the
        closing to the opening), in the order of the cases' rows.
    cases : DataFrame, on the index of the cases
        ``watched`` (closed, and the time for a recurrence is over), ``recurred`` (it has a later
        case), ``recurrences`` (how many), ``follows`` (the earlier case that was closed last),
        ``distance_m`` and ``days`` (from it), ``chain`` (the first case of all that pairs link;
        missing where there is no pair) and ``turn`` (in the chain, by opening, from 1).
    findings : DataFrame
        ``case, kind, stage, at, detail``: ``no_place``, ``no_category``, ``no_opening`` and
        ``closed_before_opening``: cases that can have no pair, or cannot be an earlier one.
    share : float
        Of the watched cases those that recurred; missing where none is watched.
    """

    pairs: pd.DataFrame
    cases: pd.DataFrame
    findings: pd.DataFrame
    share: float


@dataclass(frozen=True)
class _Usable:
    """The cases that can have pairs: their rows, and times and places."""

    rows: Longs
    opened: Longs
    closed: Longs
    shelves: Shelves | None


@asks("cases")
def recurrence(
    cases: gpd.GeoDataFrame, *, within_m: float, days: float, as_of: dt.datetime
) -> Recurrence:
    """Find recurring cases.

    A case recurs if another of its category is opened within a distance after it was closed, and
    no later than some days. Take out fallback points first
    (`gridmap.analysis.find_fallback_points`): what lies on them only seems to be near.

    Parameters
    ----------
    cases : GeoDataFrame of n points, its index the cases
        ``category``, ``opened``, ``closed``; in metres.
    within_m : float, metres
    days : float
        Of 24 hours.
    as_of : datetime, aware
        What is opened or closed later is not known.

    Returns
    -------
    Recurrence

    Raises
    ------
    ConformError
        If the distance or the days are not above zero, a column is missing, a label of the cases
        repeats, or times have no zone.

    Examples
    --------
    >>> opened = pd.DatetimeIndex(["2025-03-03", "2025-03-08", "2025-03-08"], tz="Asia/Shanghai")
    >>> cases = gpd.GeoDataFrame(
    ...     {"category": "litter", "opened": opened, "closed": opened + pd.Timedelta(days=1)},
    ...     geometry=gpd.points_from_xy([0, 6, 90], [0, 0, 0]),
    ...     crs=4549,
    ... )
    >>> now = pd.Timestamp("2025-05-01", tz="Asia/Shanghai")
    >>> found = analysis.recurrence(cases, within_m=10, days=7, as_of=now)
    >>> found.pairs[["earlier", "later", "distance_m", "days"]]
       earlier  later  distance_m  days
    0        0      1         6.0   4.0
    >>> round(found.share, 3)
    0.333

    Of three cases that were watched for seven days one recurred.
    """
    if not (within_m > 0 and days > 0):
        raise ConformError("kpi.recurrence", distance_m=within_m, days=days)
    now = _ticks.instant(as_of)
    usable, findings = _usable(cases, now, within_m)
    span = round(days * DAY_US)
    earlier, later = _pairs(usable, within_m, span)
    x, y = _coordinates(cases)
    opened, closed = usable.opened, usable.closed
    away = np.hypot(x[later] - x[earlier], y[later] - y[earlier])
    apart = (opened[later] - closed[earlier]) / DAY_US
    pairs = pd.DataFrame(
        {
            "earlier": cases.index[earlier],
            "later": cases.index[later],
            "category": cases["category"].to_numpy()[earlier],
            "distance_m": away,
            "days": apart,
        }
    )
    known = np.zeros(len(cases), dtype=bool)
    known[usable.rows] = True
    watched = known & (closed != _NEVER) & (closed <= now - span)
    table = _table(cases, (earlier, later), (away, apart), opened)
    table.insert(0, "watched", watched)
    count = int(watched.sum())
    share = float((watched & table["recurred"]).sum() / count) if count else float("nan")
    return Recurrence(pairs, table, findings, share)


def _coordinates(cases: gpd.GeoDataFrame) -> tuple[Floats, Floats]:
    return cases.geometry.x.to_numpy(), cases.geometry.y.to_numpy()


def _usable(cases: gpd.GeoDataFrame, now: int, within_m: float) -> tuple[_Usable, pd.DataFrame]:
    for column in ("category", "opened", "closed"):
        if column not in cases:
            known = ", ".join(map(str, cases.columns))
            raise ConformError("clock.column", table="cases", column=column, known=known)
    if not cases.index.is_unique:
        twice = ", ".join(map(str, cases.index[cases.index.duplicated()][:5]))
        raise ConformError("clock.repeated", table="cases", rows=twice)
    opened = _ticks.instants(cases["opened"], "opened")
    closed = _ticks.instants(cases["closed"], "closed")
    wrong = (closed != MISSING) & (opened != MISSING) & (closed < opened)
    no_place = (cases.geometry.isna() | cases.geometry.is_empty).to_numpy()
    no_category = cases["category"].isna().to_numpy()
    detail = cases["opened"][wrong].dt.strftime("%Y-%m-%d %H:%M") if wrong.any() else ""
    found = together(
        [
            finding("no_place", cases.index[no_place]),
            finding("no_category", cases.index[no_category]),
            finding("no_opening", cases.index[opened == MISSING]),
            finding("closed_before_opening", cases.index[wrong], cases["closed"][wrong],
                    detail=detail),
        ]
    )  # fmt: skip
    done = (closed != MISSING) & ~wrong & (closed <= now)
    closed = np.where(done, closed, _NEVER)
    rows = np.flatnonzero(~no_place & ~no_category & (opened != MISSING) & (opened <= now))
    if len(rows) == 0:
        return _Usable(rows, opened, closed, None), found
    kind = pd.factorize(cases["category"].iloc[rows], sort=True)[0].astype(np.int64)
    x, y = _coordinates(cases)
    shelves = shelve(x[rows], y[rows], kind, opened[rows], closed[rows], within_m)
    return _Usable(rows, opened, closed, shelves), found


def _pairs(usable: _Usable, within_m: float, span: int) -> tuple[Longs, Longs]:
    """Return pairs as rows of the cases, in their order."""
    none = np.empty(0, dtype=np.int64)
    if usable.shelves is None:
        return none, none
    count = pairs_after(usable.shelves, within_m, span, none, none)
    earlier, later = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    pairs_after(usable.shelves, within_m, span, earlier, later)
    earlier, later = usable.rows[earlier], usable.rows[later]
    order = np.lexsort((later, earlier))
    return earlier[order], later[order]


def _table(
    cases: gpd.GeoDataFrame, pair: tuple[Longs, Longs], measured: tuple[Floats, Floats],
    opened: Longs,
) -> pd.DataFrame:  # fmt: skip
    """Return what pairs say of each case."""
    count = len(cases)
    (earlier, later), (away, apart) = pair, measured
    recurrences = np.bincount(earlier, minlength=count)
    # Of several earlier cases the one closed last, and of these the nearest.
    order = np.lexsort((earlier, away, apart, later))
    rows, first = np.unique(later[order], return_index=True)
    chosen = order[first]
    table = pd.DataFrame(
        {
            "recurred": recurrences > 0,
            "recurrences": pd.array(recurrences, dtype="Int64"),
            "follows": pd.Series(pd.NA, index=cases.index, dtype=object),
            "distance_m": np.nan,
            "days": np.nan,
        },
        index=cases.index,
    )
    follows = np.full(count, pd.NA, dtype=object)
    follows[rows] = cases.index.to_numpy(dtype=object)[earlier[chosen]]
    table["follows"] = follows
    distance, days = np.full(count, np.nan), np.full(count, np.nan)
    distance[rows], days[rows] = away[chosen], apart[chosen]
    return table.assign(distance_m=distance, days=days, **_chains(cases.index, pair, opened))


def _chains(index: pd.Index, pair: tuple[Longs, Longs], opened: Longs) -> dict[str, pd.Series]:
    """Return the chain of each case and its turn there."""
    count = len(index)
    links = sp.coo_array((np.ones(len(pair[0]), dtype=np.int8), pair), shape=(count, count))
    _, part = csgraph.connected_components(links, directed=False)
    linked = np.zeros(count, dtype=bool)
    linked[np.concatenate(pair)] = True
    rows = np.flatnonzero(linked)
    order = rows[np.lexsort((rows, opened[rows], part[rows]))]
    ordered = pd.Series(order).groupby(part[order])
    chain = np.full(count, pd.NA, dtype=object)
    turn = np.zeros(count, dtype=np.int64)
    chain[order] = index.to_numpy(dtype=object)[ordered.transform("first").to_numpy(np.int64)]
    turn[order] = ordered.cumcount() + 1
    turns = pd.Series(turn, index=index).astype("Int64")
    return {"chain": pd.Series(chain, index=index), "turn": turns.where(linked)}


@asks("cases", within={"confidence": (0.0, 1.0)})
def recurrence_curve(
    cases: gpd.GeoDataFrame,
    *,
    within_m: float,
    as_of: dt.datetime,
    by: str = "",
    horizon_days: float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Estimate how long cases stay closed before they recur.

    Cases that have not recurred yet are censored at ``as_of``, so that young ones do not make
    a treatment seem better than it is.

    Parameters
    ----------
    cases : GeoDataFrame of n points, its index the cases
        As for `recurrence`.
    within_m : float, metres
    as_of : datetime, aware
    by : str, optional
        A column, such as treatment or department, with a curve for each value, and one for cases
        without.
    horizon_days : float, optional
        Nothing is watched for longer than this.
    confidence : float

    Returns
    -------
    DataFrame
        By group and then day: the column ``by``, ``days`` since closing, ``at_risk`` (cases
        watched so long that had not recurred before), ``recurred`` and ``censored`` (cases on
        that day), ``free`` (the share that has not recurred; Kaplan and Meier 1958), ``lower``,
        ``upper`` (log-log, Greenwood's variance; missing where none can be told).

    Raises
    ------
    ConformError
        As `recurrence`, and if there is no such column.

    Examples
    --------
    >>> opened = pd.DatetimeIndex(["2025-03-03", "2025-03-08", "2025-03-08"], tz="Asia/Shanghai")
    >>> cases = gpd.GeoDataFrame(
    ...     {"category": "litter", "opened": opened, "closed": opened + pd.Timedelta(days=1)},
    ...     geometry=gpd.points_from_xy([0, 6, 90], [0, 0, 0]),
    ...     crs=4549,
    ... )
    >>> now = pd.Timestamp("2025-05-01", tz="Asia/Shanghai")
    >>> curve = analysis.recurrence_curve(cases, within_m=10, as_of=now)
    >>> curve[["days", "at_risk", "recurred", "censored", "free"]].round(3)
       days  at_risk  recurred  censored   free
    0   4.0        3         1         0  0.667
    1  53.0        2         0         2  0.667
    """
    watched = _watched(cases, within_m, as_of, by, horizon_days)
    if watched.empty:
        return pd.DataFrame(columns=[by or "group", *CURVE])
    curves = [
        survival_curve(part["lasted"].to_numpy(), part["event"].to_numpy(), confidence).assign(
            key=name
        )
        for name, part in watched.groupby("key", sort=True, dropna=False, observed=True)
    ]
    table = pd.concat(curves, ignore_index=True)
    return table.rename(columns={"key": by or "group"})[[by or "group", *CURVE]]


_TEST = ["group", "cases", "recurred", "expected", "ratio", "chi2", "freedom", "p", "q"]


@asks("cases")
def recurrence_test(
    cases: gpd.GeoDataFrame,
    *,
    within_m: float,
    as_of: dt.datetime,
    by: str,
    horizon_days: float | None = None,
) -> pd.DataFrame:
    """Test whether cases of some groups recur sooner than those of others.

    Parameters
    ----------
    cases : GeoDataFrame of n points, its index the cases
        As for `recurrence`.
    within_m : float, metres
    as_of : datetime, aware
    by : str
        The column of the groups, such as treatment or department; cases without one are left out.
    horizon_days : float, optional
        Nothing is watched for longer than this. Over a year nearly everything comes back near by,
        by chance, and the more so the more often its category is reported.

    Returns
    -------
    DataFrame
        First a row without a name for all groups together, then each group against all others:
        ``group``, ``cases`` (watched), ``recurred``, ``expected`` (to have recurred, if all
        groups were alike), ``ratio`` of both, ``chi2`` with ``freedom`` degrees of freedom, ``p``,
        and of the groups ``q`` (Benjamini-Hochberg). Empty where there are fewer than two groups.

    Raises
    ------
    ConformError
        As `recurrence_curve`.

    References
    ----------
    The log-rank test: Mantel (1966), Cancer Chemotherapy Reports 50(3); Peto and Peto (1972),
    Journal of the Royal Statistical Society A 135(2).

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2025-03-03"] * 12, tz="Asia/Shanghai")
    >>> closed = days + pd.Timedelta(days=1)
    >>> again = pd.DatetimeIndex(["2025-03-06", "2025-03-07", "2025-03-08"], tz="Asia/Shanghai")
    >>> cases = gpd.GeoDataFrame(
    ...     {
    ...         "category": "litter",
    ...         "opened": days.append(again),
    ...         "closed": closed.append(again + pd.Timedelta(days=90)),
    ...         "treatment": ["swept"] * 6 + ["bin set up"] * 6 + [None] * 3,
    ...     },
    ...     geometry=gpd.points_from_xy([*range(0, 1200, 100), 0, 100, 200], [0] * 15),
    ...     crs=4549,
    ... )
    >>> now = pd.Timestamp("2025-05-01", tz="Asia/Shanghai")
    >>> told = analysis.recurrence_test(cases, within_m=10, as_of=now, by="treatment")
    >>> told[["group", "cases", "recurred", "expected", "p"]].round(3)
            group  cases  recurred  expected      p
    0        <NA>     12         3     3.000  0.055
    1  bin set up      6         0     1.645  0.055
    2       swept      6         3     1.355  0.055
    """
    watched = _watched(cases, within_m, as_of, by, horizon_days).dropna(subset="key")
    group, names = pd.factorize(watched["key"], sort=True)
    if len(names) < _GROUPS:
        return pd.DataFrame(columns=_TEST)
    lasted, event = watched["lasted"].to_numpy(), watched["event"].to_numpy(dtype=bool)
    group = group.astype(np.int64)
    whole = log_rank(lasted, event, group, len(names))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Of two groups this is the test of both: what one has more the other has less.
        each = np.where(
            whole.variance > 0.0, (whole.observed - whole.expected) ** 2 / whole.variance, np.nan
        )
        ratio = np.append(np.nan, whole.observed / whole.expected)
    p = chi2.sf(each, 1)
    counts = np.bincount(group, minlength=len(names))
    return pd.DataFrame(
        {
            "group": pd.array([None, *map(str, names)], dtype="string"),
            "cases": np.append(counts.sum(), counts),
            "recurred": np.append(whole.observed.sum(), whole.observed).astype(np.int64),
            "expected": np.append(whole.expected.sum(), whole.expected),
            "ratio": ratio,
            "chi2": np.append(whole.statistic, each),
            "freedom": np.append(whole.freedom, np.ones(len(names), dtype=np.int64)),
            "p": np.append(whole.p, p),
            "q": np.append(np.nan, discoveries(p)),
        }
    )


def _watched(
    cases: gpd.GeoDataFrame,
    within_m: float,
    as_of: dt.datetime,
    by: str,
    horizon_days: float | None,
) -> pd.DataFrame:
    """Return of closed cases their group (``key``), how long they ``lasted``, and by an event."""
    if not within_m > 0 or (horizon_days is not None and not horizon_days > 0):
        raise ConformError("kpi.recurrence", distance_m=within_m, days=horizon_days)
    if by and (by not in cases or by == cases.geometry.name):
        raise ConformError("kpi.by", column=by, known=", ".join(map(str, cases.columns)))
    now = _ticks.instant(as_of)
    usable, _ = _usable(cases, now, within_m)
    done = usable.closed[usable.rows] != _NEVER
    if usable.shelves is None or not done.any():
        return pd.DataFrame(columns=["key", "lasted", "event"])
    first = first_after(usable.shelves, within_m)
    rows, first = usable.rows[done], first[done]
    event = first >= 0
    end = np.where(event, usable.opened[usable.rows[first]], now)
    lasted = (end - usable.closed[rows]) / DAY_US
    if horizon_days is not None:
        event &= lasted <= horizon_days
        lasted = np.minimum(lasted, horizon_days)
    key = cases[by].iloc[rows] if by else pd.Series("", index=cases.index[rows])
    return pd.DataFrame({"key": key.to_numpy(), "lasted": lasted, "event": event})


@asks(columns={"cases": ("category", "opened", "closed")})
def recurrence_layer(found: Recurrence, cases: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return recurring cases as a layer.

    Parameters
    ----------
    found : Recurrence
    cases : GeoDataFrame
        Those that it was found in.

    Returns
    -------
    GeoDataFrame
        The cases that pairs link, by chain and turn: ``code``, ``category``, ``opened``,
        ``closed``, ``chain``, ``turn``, ``recurrences``, ``follows``, ``distance_m``, ``days`` and
        ``geometry``.

    Examples
    --------
    >>> opened = pd.DatetimeIndex(["2025-03-03", "2025-03-08", "2025-03-08"], tz="Asia/Shanghai")
    >>> cases = gpd.GeoDataFrame(
    ...     {"category": "litter", "opened": opened, "closed": opened + pd.Timedelta(days=1)},
    ...     index=["a", "b", "c"],
    ...     geometry=gpd.points_from_xy([0, 6, 90], [0, 0, 0]),
    ...     crs=4549,
    ... )
    >>> now = pd.Timestamp("2025-05-01", tz="Asia/Shanghai")
    >>> found = analysis.recurrence(cases, within_m=10, days=7, as_of=now)
    >>> analysis.recurrence_layer(found, cases)[["code", "chain", "turn", "follows"]]
      code chain  turn follows
    0    a     a     1    <NA>
    1    b     a     2       a
    """
    if not cases.index.equals(found.cases.index):
        raise ConformError(
            "conform.aligned", function="recurrence_layer", name="cases", other="found"
        )
    linked = found.cases["chain"].notna()
    shown = cases[linked][["category", "opened", "closed", cases.geometry.name]]
    told = found.cases[linked][["chain", "turn", "recurrences", "follows", "distance_m", "days"]]
    layer = gpd.GeoDataFrame(pd.concat([shown, told], axis=1), geometry=cases.geometry.name)
    layer = layer.rename_geometry("geometry") if layer.geometry.name != "geometry" else layer
    layer.insert(0, "code", layer.index.astype("string"))
    text = dict.fromkeys(("code", "category", "chain", "follows"), "string")
    ordered = layer.astype(text).sort_values(["chain", "turn"], kind="stable", ignore_index=True)
    return gpd.GeoDataFrame(ordered, geometry="geometry", crs=cases.crs)
