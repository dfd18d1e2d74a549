"""What is missing or contradictory in the registers of who answers for what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from gridmap.analysis._doors import asks
from gridmap.errors import ConformError

__all__ = [
    "FINDINGS",
    "check_assignments",
    "check_organisations",
    "holds_at",
    "in_force",
    "reconcile_all",
]

FINDINGS = ("kind", "layer", "target", "category", "role", "holder", "other", "at")
_OWNERS = ("lead", "direct")
_KEYS = ["layer", "target", "category", "role"]
_FOREVER = pd.Timestamp("2200-01-01", tz="UTC")
_SINCE = pd.Timestamp("1800-01-01", tz="UTC")


@asks()
def in_force(assignments: pd.DataFrame, at: dt.datetime) -> pd.DataFrame:
    """Return the assignments that hold at a moment.

    Examples
    --------
    >>> june = pd.Timestamp("2025-06-01", tz="Asia/Shanghai")
    >>> told = pd.DataFrame({"holder": ["Li", "Wang"], "valid_to": [june, pd.NaT]})
    >>> told["valid_from"] = [june - pd.Timedelta(days=90), june]
    >>> analysis.in_force(told, june)["holder"].to_list()
    ['Wang']
    """
    return assignments[holds_at(assignments, at)]


def holds_at(assignments: pd.DataFrame, at: dt.datetime | pd.Series) -> npt.NDArray[np.bool_]:
    """Tell which assignments hold: from ``valid_from`` on and before ``valid_to``.

    Parameters
    ----------
    assignments : DataFrame of n rows
    at : datetime, aware, or Series of them, shape (n,)
        One moment for all, or one for each row by its position.
    """
    table = assignments.reindex(columns=["valid_from", "valid_to"])
    since, until = (pd.to_datetime(table[name], utc=True) for name in table)
    moment = pd.to_datetime(at, utc=True).array if isinstance(at, pd.Series) else pd.Timestamp(at)
    holds: npt.NDArray[np.bool_] = (
        (since.isna() | (since <= moment)) & (until.isna() | (until > moment))
    ).to_numpy(dtype=np.bool_)
    return holds


def _span(assignments: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return from and until when assignments hold, in UTC; those without an end, for ever."""
    table = assignments.reindex(columns=["valid_from", "valid_to"])
    since = pd.to_datetime(table["valid_from"], utc=True).fillna(_SINCE)
    until = pd.to_datetime(table["valid_to"], utc=True).fillna(_FOREVER)
    return since, until


@asks(columns={"assignments": ("holder", "role", "layer", "target")})
def check_assignments(
    assignments: pd.DataFrame,
    codes: Mapping[str, Collection[str]],
    *,
    as_of: dt.datetime,
    categories: Collection[str] | None = None,
) -> pd.DataFrame:
    """Find what cannot be in assignments; none of them is dropped.

    Parameters
    ----------
    assignments : DataFrame
        As the layer ``assignments``.
    codes : mapping of str to collection of str
        By layer, the codes that there are.
    as_of : datetime, aware
    categories : collection of str, optional
        The categories that there are.

    Returns
    -------
    DataFrame
        With `FINDINGS`: ``unknown_target``, ``unknown_category``, ``overlapping_validity`` (two
        holders lead, or are directly responsible, for the same at one time, from ``at`` on) and
        ``no_successor`` (the last ``holder`` left at ``at`` and nobody has followed).

    Examples
    --------
    >>> told = pd.DataFrame({"code": ["1", "2"], "holder": ["Li", "Wang"], "target": ["g1", "g9"]})
    >>> told = told.assign(role="direct", layer="grids")
    >>> now = pd.Timestamp("2025-03-03", tz="Asia/Shanghai")
    >>> analysis.check_assignments(told, {"grids": ["g1"]}, as_of=now)[["kind", "target"]]
                 kind target
    0  unknown_target     g9
    """
    table = assignments.reindex(
        columns=[*dict.fromkeys((*assignments.columns, "category", "from_m", "to_m"))]
    ).reset_index(drop=True)
    table["since"], table["until"] = _span(table)
    table = table.astype(dict.fromkeys(("layer", "target", "category", "role", "holder"), "string"))
    there = [
        target in codes.get(layer, ())
        for layer, target in zip(table["layer"], table["target"], strict=True)
    ]
    parts = [_told("unknown_target", table[~np.array(there, dtype=bool)])]
    if categories is not None:
        strange = table["category"].notna() & ~table["category"].isin(list(categories))
        parts.append(_told("unknown_category", table[strange]))
    owners = table[table["role"].isin(_OWNERS)]
    parts += [_overlapping(owners, as_of), _without_successor(owners, as_of)]
    return _together(parts)


def _told(kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(kind=kind).reindex(columns=list(FINDINGS))


def _together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return findings in order, each with the same columns and types."""
    texts = dict.fromkeys((name for name in FINDINGS if name != "at"), "string")
    some = [part.astype(texts) for part in parts if len(part)]
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in FINDINGS}).astype(texts)
    table = pd.concat(some, ignore_index=True) if some else empty
    table["at"] = pd.to_datetime(table["at"], utc=True)
    order = ["kind", "layer", "target", "category", "role", "holder", "other"]
    return table.sort_values(order, kind="stable", ignore_index=True)


def _overlapping(owners: pd.DataFrame, as_of: dt.datetime) -> pd.DataFrame:
    """Return every two holders of one role for the same whose times overlap.

    Of a holder since nobody knows when it is only known that he holds it now.
    """
    begins = owners["since"].where(owners["since"] > _SINCE, pd.Timestamp(as_of))
    rows = owners.assign(
        since=begins,
        category=owners["category"].fillna(""),
        from_m=owners["from_m"].astype("float64").fillna(-np.inf),
        to_m=owners["to_m"].astype("float64").fillna(np.inf),
        row=np.arange(len(owners)),
    )
    columns = [*_KEYS, "holder", "since", "until", "from_m", "to_m", "row"]
    pairs = rows[columns].merge(rows[columns], on=_KEYS, suffixes=("", "_other"))
    both = pairs[
        (pairs["row"] < pairs["row_other"])
        & (pairs["holder"] != pairs["holder_other"])
        & (pairs["since"] < pairs["until_other"])
        & (pairs["since_other"] < pairs["until"])
        & (pairs["from_m"] < pairs["to_m_other"])
        & (pairs["from_m_other"] < pairs["to_m"])
    ]
    names = np.sort(both[["holder", "holder_other"]].to_numpy(dtype=object), axis=1)
    since = both[["since", "since_other"]].max(axis=1)
    told = both.assign(
        holder=names[:, 0],
        other=names[:, 1],
        category=both["category"].replace("", pd.NA),
        at=since,
    )
    return _told("overlapping_validity", told).drop_duplicates()


def _without_successor(owners: pd.DataFrame, as_of: dt.datetime) -> pd.DataFrame:
    """Return who left last where nobody answers any more."""
    now = pd.Timestamp(as_of)
    holds = owners[(owners["until"] > now) & (owners["since"] <= now)]
    known = set(zip(holds["layer"], holds["target"], holds["category"].fillna(""), strict=True))
    gone = owners[owners["until"] <= now].sort_values("until", kind="stable")
    last = gone.drop_duplicates([*_KEYS, "from_m", "to_m"], keep="last")
    keys = zip(last["layer"], last["target"], last["category"].fillna(""), strict=True)
    # Who answers for every line answers for this one too.
    followed = [key in known or (*key[:2], "") in known for key in keys]
    left = last[~np.array(followed, dtype=bool)]
    return _told("no_successor", left.assign(at=left["until"]))


@asks(columns={"organisations": ("code", "parent"), "links": ("organisation", "target")})
def check_organisations(
    organisations: pd.DataFrame, links: pd.DataFrame, areas: Collection[str]
) -> pd.DataFrame:
    """Find areas without a unit of an organisation, and units without an area.

    Parameters
    ----------
    organisations : DataFrame
        ``code``, ``parent`` (of the tree; missing for a root).
    links : DataFrame
        ``organisation`` and ``target`` (code of an area), many to many.
    areas : collection of str
        Codes of the areas that should have a unit.

    Returns
    -------
    DataFrame
        With `FINDINGS`: ``no_unit`` (``target``: an area), ``no_area`` (``holder``: a unit that has
        no area, and none below it in the tree has), ``unknown_unit`` and ``unknown_target`` (a link
        or parent that names what there is not).

    Examples
    --------
    >>> organisations = pd.DataFrame({"code": ["o1", "o2"], "parent": [None, "o1"]})
    >>> links = pd.DataFrame({"organisation": ["o1"], "target": ["a"]})
    >>> found = analysis.check_organisations(organisations, links, ["a", "b"])
    >>> found[["kind", "target", "holder"]]
          kind target holder
    0  no_area   <NA>     o2
    1  no_unit      b   <NA>
    """
    units = organisations["code"].astype(str)
    parent = dict(zip(units, organisations["parent"].fillna("").astype(str), strict=True))
    unit, target = links["organisation"].astype(str), links["target"].astype(str)
    known = set(areas)
    fine = unit.isin(units) & target.isin(known)
    covered: set[str] = set()
    for code in unit[fine]:
        while code in parent and code not in covered:
            covered.add(code)
            code = parent[code]  # noqa: PLW2901 - climbs to the root
    lost = sorted(known - set(target[fine]))
    idle = [code for code in units if code not in covered]
    orphans = [code for code, above in parent.items() if above and above not in parent]
    strange = links[~unit.isin(units)]
    parts = [
        pd.DataFrame({"kind": "no_unit", "layer": "grids", "target": lost}),
        pd.DataFrame({"kind": "no_area", "layer": "organisations", "holder": idle}),
        pd.DataFrame(
            {
                "kind": "unknown_unit",
                "layer": "organisations",
                "holder": [*strange["organisation"], *(parent[code] for code in orphans)],
                "target": [*strange["target"], *orphans],
            }
        ),
        pd.DataFrame(
            {
                "kind": "unknown_target",
                "layer": "grids",
                "target": target[~target.isin(known)],
                "holder": unit[~target.isin(known)],
            }
        ),
    ]
    return _together([part.reindex(columns=list(FINDINGS)) for part in parts])


@asks(columns={"declared": ("register", "declared")})
def reconcile_all(declared: pd.DataFrame, layers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Set declared numbers against their parts and against what the layers hold.

    Parameters
    ----------
    declared : DataFrame
        As the layer ``declared``: one row for each total (``part`` is missing) or part of a
        ``register``; ``layer``, ``field``, ``value`` and ``where`` say what to count.
    layers : mapping of str to DataFrame

    Returns
    -------
    DataFrame
        In the order of the rows: ``register, part, declared, parts`` (what the declared parts of a
        total add up to), ``parts_missing`` (declared less that), ``counted`` and ``missing``
        (declared less counted); missing where there is nothing to compare with.

    Raises
    ------
    ConformError
        If a field is named that the layer does not have.

    Examples
    --------
    >>> declared = pd.DataFrame({"part": [None, "east", "west"], "declared": [5, 2, 2]})
    >>> declared = declared.assign(register="grids", layer=["grids", None, None])
    >>> declared = declared.assign(field=None, value=None, where=None)
    >>> layers = {"grids": pd.DataFrame({"code": ["a", "b", "c"]})}
    >>> analysis.reconcile_all(declared, layers)[["declared", "parts", "parts_missing", "counted"]]
       declared  parts  parts_missing  counted
    0         5    4.0            1.0      3.0
    1         2    NaN            NaN      NaN
    2         2    NaN            NaN      NaN

    Five are declared, four of them by part; the layer holds three.
    """
    optional = ("part", "layer", "field", "value", "where")
    columns = dict.fromkeys((*declared.columns, *optional))
    table = declared.reset_index(drop=True).reindex(columns=[*columns])
    total = table["part"].isna()
    sums = table[~total].groupby("register")["declared"].sum()
    parts = table["register"].map(sums).where(total).astype("float64")
    given = table[["layer", "field", "value", "where"]].astype("string").fillna("")
    names = (given[name] for name in ("layer", "field", "value", "where"))
    counted = [_counted(*map(str, row), layers=layers) for row in zip(*names, strict=True)]
    return pd.DataFrame(
        {
            "register": table["register"],
            "part": table["part"],
            "declared": table["declared"],
            "parts": parts,
            "parts_missing": table["declared"] - parts,
            "counted": np.array(counted, dtype=np.float64),
            "missing": table["declared"] - np.array(counted, dtype=np.float64),
        }
    )


def _counted(
    layer: str, field: str, value: str, where: str, *, layers: Mapping[str, pd.DataFrame]
) -> float:
    """Return how many rows, or different values, of a layer there are."""
    if not layer:
        return float("nan")
    frame = layers.get(layer)
    if frame is None:
        return 0.0
    for condition in filter(None, where.split(";")):
        name, _, asked = (part.strip() for part in condition.partition("="))
        frame = frame[_column(frame, layer, name).astype("string") == asked]
    if not field:
        return float(len(frame))
    values = _column(frame, layer, field)
    if not value:
        return float(values.nunique())
    return float((values.astype("string") == value).sum())


def _column(frame: pd.DataFrame, layer: str, name: str) -> pd.Series:
    if name not in frame:
        known = ", ".join(str(column) for column in frame.columns if column != "geometry")
        raise ConformError("duty.declared", layer=layer, field=name, known=known)
    return frame[name]
