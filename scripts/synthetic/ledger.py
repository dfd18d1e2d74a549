"""The log of the cases: what happened to each, what is missing in it and what cannot have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from synthetic import names
from synthetic.categories import CATEGORIES, DOGS, DOGS_WORKDAYS, MANHOLE
from synthetic.fields import IntArray, stream
from synthetic.times import EXTRACTED, workday_end

AS_OF = np.datetime64("2026-01-01T00:00:00", "s")
LEVELS = ("microgrid", "grid", "community", "street", "district")
LEVEL_SHARES = (0.38, 0.30, 0.20, 0.10, 0.02)
TREATMENTS = ("劝导", "整改", "处罚")
CAMPAIGN = "夏季市容专项"
SHARES = {"return": 0.05, "rework": 0.04, "delay": 0.02}
EXTENSION = np.timedelta64(48, "h")
MISSED_VISITS, LATE_VISITS = 25, 10
LOOK_BACK_DAYS = 7
SOON_H = 24
EARLY_DUE = 3
FAULTS = {"impossible": 6, "unknown_event": 3, "repeated": 4}
RECURS_M, RECURS_DAYS = 10.0, 7.0


@dataclass(frozen=True)
class Ledger:
    """Further columns of the problems; events, stops and limits; what was planted."""

    problems: gpd.GeoDataFrame
    events: pd.DataFrame
    stops: pd.DataFrame
    limits: pd.DataFrame
    planted: dict[str, Any]


def _departments(problems: gpd.GeoDataFrame) -> pd.Series:
    first = {kind.name: int(kind.code[:2]) for kind in CATEGORIES}
    number = problems["category"].map(first).to_numpy()
    return pd.Series(np.array(names.DEPARTMENTS, dtype=object)[number % len(names.DEPARTMENTS)])


def _visits(
    problems: gpd.GeoDataFrame, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, Any]]:
    """Look at every closed case again within the week, but for a few, and a few too late."""
    closed = problems["closed"].to_numpy()
    day = np.timedelta64(24, "h")
    old = np.flatnonzero(
        (closed + (LOOK_BACK_DAYS + 3) * day < AS_OF) & (problems["defect"] == "").to_numpy()
    )
    hours = rng.integers(24, 24 * (LOOK_BACK_DAYS - 1), len(closed)).astype("timedelta64[h]")
    visited = closed + hours
    pick = rng.permutation(old)
    missed = pick[:MISSED_VISITS]
    late = pick[MISSED_VISITS : MISSED_VISITS + LATE_VISITS]
    visited[missed] = np.datetime64("NaT")
    visited[late] = closed[late] + (LOOK_BACK_DAYS + 2) * day
    visited[visited >= AS_OF] = np.datetime64("NaT")
    ids = problems["id"].to_numpy()
    told = {"overdue": sorted(ids[missed]), "done_late": sorted(ids[late])}
    return visited, {"look_back": told}


def _stops(problems: gpd.GeoDataFrame) -> tuple[pd.DataFrame, np.ndarray, dict[str, Any]]:
    """Stop the clocks of four cases of dogs for a workday; one stop is written down twice over."""
    reported, category = problems["reported"].to_numpy(), problems["category"].to_numpy()
    clean = (problems["defect"] == "").to_numpy()
    day = reported.astype("datetime64[D]")
    monday = (day.astype(np.int64) + 3) % 7 == 0
    # After the holidays of May and before those of October every week is worked as usual.
    quiet = (day > np.datetime64("2025-06-08")) & (day < np.datetime64("2025-09-15"))
    rows = np.flatnonzero((category == DOGS) & clean & monday & quiet)[:4]
    due = problems["deadline"].to_numpy().copy()
    table, ids = [], problems["id"].to_numpy()
    for row in rows:
        begin = day[row] + np.timedelta64(1, "D")
        table.append((ids[row], f"{begin} 00:00", f"{begin + 1} 00:00", "等待当事人"))
        due[row] = workday_end(reported[row], DOGS_WORKDAYS + 1)
    overlap = ids[rows[0]]
    begin = day[rows[0]] + np.timedelta64(1, "D")
    table.append((overlap, f"{begin} 08:00", f"{begin} 12:00", "重复登记"))
    table.append(("WT000000000", "2025-06-10 00:00", "2025-06-11 00:00", "案件不存在"))
    frame = pd.DataFrame(table, columns=["case", "begin", "end", "reason"])
    return frame, due, {"stop_overlap": [overlap], "stop_unknown_case": ["WT000000000"]}


def _times(problems: gpd.GeoDataFrame) -> np.ndarray:
    """Return when each case was reported, reviewed, filed, dispatched, taken on and verified."""
    begin, end = problems["reported"].to_numpy(), problems["closed"].to_numpy()
    last = np.where(np.isnat(end), begin + np.timedelta64(3, "h"), end)
    whole = (last - begin).astype(np.int64)
    share = np.array([0.0, 0.08, 0.15, 0.25, 0.4, 0.9])
    seconds = (whole[:, None] * share).astype(np.int64) // 60 * 60
    return np.asarray(begin[:, None] + seconds.astype("timedelta64[s]"))


def _log(
    problems: gpd.GeoDataFrame, due: np.ndarray, department: pd.Series, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray, dict[str, Any]]:
    """Write the events of every clean case, in order, and the deadlines with their extensions."""
    clean = np.flatnonzero((problems["defect"].isin(["", "fallback_coordinate"])).to_numpy())
    at = _times(problems)
    closed = problems["closed"].to_numpy()
    done = ~np.isnat(closed) & (closed < EXTRACTED)
    level = rng.choice(LEVELS, len(problems), p=LEVEL_SHARES)
    turn = rng.random(len(problems))
    edges = np.cumsum(list(SHARES.values()))
    minute = np.timedelta64(60, "s")
    rows: list[tuple[Any, ...]] = []
    due = due.copy()
    ids, source = problems["id"].to_numpy(), problems["source"].to_numpy()
    whose = department.to_numpy()
    loops: dict[str, list[str]] = {name: [] for name in SHARES}
    roomy = due - problems["reported"].to_numpy() > np.timedelta64(20, "h")
    for k in clean.tolist():
        case, (begin, review, file, dispatch, handle, verify) = ids[k], at[k]
        wide = bool(verify - begin > np.timedelta64(1, "h")) and done[k]
        kind = int(np.searchsorted(edges, turn[k], side="right"))
        rows.append((case, "report", begin, source[k], None, None))
        rows.append((case, "review", review, "示例受理台", None, None))
        rows.append((case, "file", file, "示例受理台", None, None))
        rows.append((case, "dispatch", dispatch, "示例受理台", None, None))
        if kind == 0 and wide:
            rows.append((case, "return", dispatch + minute, whose[k], None, None))
            rows.append((case, "dispatch", dispatch + 2 * minute, "示例受理台", None, None))
            loops["return"].append(case)
        rows.append((case, "handle", handle, whose[k], None, None))
        if kind == 2 and roomy[k]:  # noqa: PLR2004 - the third of SHARES
            due[k] = due[k] + EXTENSION
            rows.append((case, "delay", handle, whose[k], None, due[k]))
            loops["delay"].append(case)
        if not done[k]:
            continue
        rows.append((case, "verify", verify, whose[k], None, None))
        if kind == 1 and wide:
            rows.append((case, "rework", verify + minute, "示例核查组", None, None))
            rows.append((case, "verify", verify + 2 * minute, whose[k], None, None))
            loops["rework"].append(case)
        rows.append((case, "close", closed[k], "示例核查组", level[k], None))
    columns = ["case", "event", "time", "by", "level", "until"]
    return pd.DataFrame(rows, columns=columns), due, {"loops": loops}


def _spoiled(events: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Add events that cannot be, have no known name, or stand twice."""
    cases = rng.permutation(events.loc[events["event"] == "close", "case"].unique())
    start, told, parts = 0, {}, [events]
    for fault, number in FAULTS.items():
        chosen = cases[start : start + number]
        start += number
        told[fault] = sorted(chosen.tolist())
        close = events[(events["event"] == "close") & events["case"].isin(chosen)]
        if fault == "impossible":
            # Nobody can take on a case that is closed.
            later = close["time"] + pd.Timedelta(minutes=5)
            parts.append(close.assign(event="dispatch", time=later, level=None))
            parts.append(close.assign(time=close["time"] + pd.Timedelta(minutes=6)))
        elif fault == "unknown_event":
            parts.append(close.assign(event="转交他人", level=None))
        else:
            parts.append(close)
    frame = pd.concat(parts, ignore_index=True)
    return frame, {"case_findings": told}


def pairs_by_hand(problems: gpd.GeoDataFrame) -> list[list[str]]:
    """Return which case follows which, by comparing each with each."""
    known = problems[problems["defect"] == ""]
    xy = np.stack([known.geometry.x, known.geometry.y], axis=1)
    reported, closed = known["reported"].to_numpy(), known["closed"].to_numpy()
    closed = np.where(closed > AS_OF, np.datetime64("NaT"), closed)
    ids, category = known["id"].to_numpy(), known["category"].to_numpy()
    pairs = []
    for k in range(len(known)):
        if np.isnat(closed[k]):
            continue
        wait = (reported - closed[k]) / np.timedelta64(1, "D")
        near = np.hypot(*(xy - xy[k]).T) <= RECURS_M
        again = near & (category == category[k]) & (wait > 0) & (wait <= RECURS_DAYS)
        pairs += [[ids[k], ids[j]] for j in np.flatnonzero(again)]
    return sorted(pairs)


def _limits() -> pd.DataFrame:
    """Tabulate the limits: running hours for most, workdays for dogs."""
    rows = [
        (kind.name, "whole", DOGS_WORKDAYS, "working_days")
        if kind.name == DOGS
        else (kind.name, "whole", kind.limit_hours, "urgent_hours")
        for kind in CATEGORIES
    ]
    return pd.DataFrame(rows, columns=["category", "stage", "amount", "unit"])


def _urgencies(problems: gpd.GeoDataFrame, due: np.ndarray) -> dict[str, Any]:
    """Tell which of the rows that can be used are open and overdue, and which were late."""
    fine = problems["defect"].isin(["", "fallback_coordinate"]).to_numpy()
    closed = problems["closed"].to_numpy()
    still = np.isnat(closed) | (closed > AS_OF)
    ids = problems["id"].to_numpy()
    return {
        "overdue": sorted(ids[fine & still & (due < AS_OF)]),
        "closed_late": sorted(ids[fine & ~still & (due < closed)]),
    }


def make_ledger(problems: gpd.GeoDataFrame, random_state: int) -> Ledger:
    """Write the log of the cases.

    Parameters
    ----------
    problems : GeoDataFrame
        The problems with their defects.
    random_state : int
        The city's random state.

    Returns
    -------
    Ledger
        The problems with department, treatment, campaign and visited, and with ``due``, which is
        what they were given in the end.
    """
    rng = stream(random_state, "ledger")
    department = _departments(problems)
    treatment = pd.Series(np.array(TREATMENTS, dtype=object)[_drawn(rng, len(problems))])
    summer = problems["reported"].dt.month.isin((6, 7, 8)) & problems["category"].isin(
        ("占道经营", "暴露垃圾")
    )
    visited, facts = _visits(problems, rng)
    planted: dict[str, Any] = facts
    stops, due, stop_facts = _stops(problems)
    plain = ((problems["defect"] == "") & (problems["chain"] == 0)).to_numpy()
    early = rng.permutation(np.flatnonzero(plain))[:EARLY_DUE]
    due[early] = problems["reported"].to_numpy()[early] - np.timedelta64(1, "h")
    stop_facts["due_before_opening"] = sorted(problems["id"].to_numpy()[early])
    events, due, facts = _log(problems, due, department, rng)
    planted |= facts
    events, facts = _spoiled(events, rng)
    facts["case_findings"] |= stop_facts
    planted |= facts | _urgencies(problems, due)
    planted["recurring"] = pairs_by_hand(problems)
    chains = problems[problems["chain"] > 0].groupby("chain")["id"]
    planted["chains"] = [ids.tolist() for _, ids in chains]
    recorded = problems["deadline"].to_numpy().copy()
    recorded[early] = due[early]
    blank = problems["category"].isin((MANHOLE, DOGS)).to_numpy().copy()
    blank[early] = False
    more = problems.assign(
        department=department.to_numpy(),
        treatment=treatment.where(problems["closed"].notna().reset_index(drop=True), "").to_numpy(),
        campaign=np.where(summer, CAMPAIGN, ""),
        visited=visited,
        due=due,
        # What follows from the limits is on no record.
        deadline=np.where(blank, np.datetime64("NaT"), recorded),
    )
    return Ledger(more, events, stops, _limits(), planted)


def _drawn(rng: np.random.Generator, count: int) -> IntArray:
    return np.asarray(rng.choice(len(TREATMENTS), count, p=(0.5, 0.35, 0.15)), dtype=np.int64)
