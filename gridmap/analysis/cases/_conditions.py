"""What the formulas of KPIs ask of a case, each condition with the columns that it needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from gridmap.analysis.cases._states import life_table

__all__ = ["CONDITIONS", "TIMES", "Condition", "holding"]

# The state of a life that a log tells, and that of a case in the table of a city.
_REJECTED = ("reject", "rejected")

Condition = tuple[tuple[str, ...], Callable[[pd.DataFrame, pd.Timestamp], pd.Series]]


def _known(name: str) -> Condition:
    return (name,), lambda cases, _: cases[name].notna()


def _some(name: str) -> Condition:
    return (name,), lambda cases, _: cases[name] > 0


def _up_to(level: str) -> Condition:
    levels = life_table().levels
    lower = levels[: levels.index(level) + 1]
    return ("level", "closed"), lambda cases, _: cases["level"].isin(lower)


def _filed(cases: pd.DataFrame, _: pd.Timestamp) -> pd.Series:
    return filed_at(cases).notna()


def filed_at(cases: pd.DataFrame) -> pd.Series:
    """Return when cases were filed: where filing is not on record, when they were reported."""
    at: pd.Series = cases["file_at"] if "file_at" in cases else cases["opened"]
    return at


def _open(cases: pd.DataFrame, _: pd.Timestamp) -> pd.Series:
    there = cases["opened"].notna() & cases["closed"].isna()
    return there & ~cases["state"].isin(_REJECTED) if "state" in cases else there


def _overdue(cases: pd.DataFrame, now: pd.Timestamp) -> pd.Series:
    return _open(cases, now) & (cases["deadline"] < now)


def _possible(cases: pd.DataFrame) -> pd.Series:
    """Return which cases have a deadline and no closing before their opening."""
    return cases["deadline"].notna() & ~(cases["closed"] < cases["opened"]).fillna(value=False)


def _should_be_closed(cases: pd.DataFrame, now: pd.Timestamp) -> pd.Series:
    return _possible(cases) & (cases["closed"].notna() | (cases["deadline"] < now))


def _in_time(cases: pd.DataFrame, _: pd.Timestamp) -> pd.Series:
    return _possible(cases) & (cases["closed"] <= cases["deadline"])


def settled_at(cases: pd.DataFrame) -> pd.Series:
    """Return when it was settled whether cases are in time."""
    return cases["closed"].where(cases["closed"] <= cases["deadline"], cases["deadline"])


CONDITIONS: Mapping[str, Condition] = MappingProxyType(
    {
        "reported": _known("opened"),
        "filed": (("opened",), _filed),
        "dispatched": _known("dispatch_at"),
        "handled": (
            ("verify_at", "closed"),
            lambda cases, _: cases["verify_at"].notna() | cases["closed"].notna(),
        ),
        "verified": _known("verify_at"),
        "closed": _known("closed"),
        "open": (("opened", "closed"), _open),
        "should_be_closed": (("opened", "deadline", "closed"), _should_be_closed),
        "in_time": (("opened", "deadline", "closed"), _in_time),
        "overdue": (("opened", "deadline", "closed"), _overdue),
        "returned": _some("returns"),
        "reworked": _some("reworks"),
        "delayed": _some("delays"),
        "watched": (("watched", "closed"), lambda cases, _: cases["watched"]),
        "recurred": (("recurred",), lambda cases, _: cases["recurred"]),
        "within_grid": _up_to("grid"),
        "within_community": _up_to("community"),
        "within_street": _up_to("street"),
    }
)

TIMES: Mapping[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], pd.Series]]] = MappingProxyType(
    {
        "opened": (("opened",), lambda cases: cases["opened"]),
        "filed_at": (("opened",), filed_at),
        "dispatched_at": (("dispatch_at",), lambda cases: cases["dispatch_at"]),
        "verified_at": (("verify_at",), lambda cases: cases["verify_at"]),
        "closed": (("closed",), lambda cases: cases["closed"]),
        "settled_at": (("deadline", "closed"), settled_at),
    }
)


def holding(formula: str, cases: pd.DataFrame, now: pd.Timestamp) -> pd.Series:
    """Return for which cases all conditions of a formula hold.

    Parameters
    ----------
    formula : str
        Names of `CONDITIONS`, joined by ``and``.
    cases : DataFrame of n rows
    now : Timestamp

    Returns
    -------
    Series of bool, shape (n,)
    """
    held = pd.Series(data=True, index=cases.index)
    for name in formula.split(" and "):
        held &= CONDITIONS[name][1](cases, now).fillna(value=False).astype(bool)
    return held
