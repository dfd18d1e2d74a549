"""Open, closed and overdue, as of one moment."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from gridmap.analysis._doors import asks

__all__ = ["timeliness"]

_DAY = 86_400.0  # seconds


@asks(columns={"problems": ("opened", "deadline", "closed")})
def timeliness(problems: pd.DataFrame, as_of: dt.datetime) -> pd.DataFrame:
    """Tell the state of every problem at a moment.

    Parameters
    ----------
    problems : DataFrame
        With the times ``opened, deadline, closed``, each aware or missing.
    as_of : datetime, aware
        A problem closed later counts as open.

    Returns
    -------
    DataFrame
        On the index of the problems: ``state`` (``open`` or ``closed``), ``overdue`` (past its
        deadline: open then, or closed after it; false where there is no deadline) and
        ``days_to_close`` (days from report to closing; missing while open).

    Examples
    --------
    >>> monday = pd.Timestamp("2025-03-03", tz="Asia/Shanghai")
    >>> problems = pd.DataFrame({"opened": [monday, monday]})
    >>> problems["deadline"] = problems["opened"] + pd.Timedelta(days=2)
    >>> problems["closed"] = problems["opened"] + pd.to_timedelta([1.5, None], unit="D")
    >>> analysis.timeliness(problems, pd.Timestamp("2025-03-31", tz="Asia/Shanghai"))
        state  overdue  days_to_close
    0  closed    False            1.5
    1    open     True            NaN
    """
    closed = problems["closed"].mask(problems["closed"] > as_of)
    end = closed.fillna(pd.Timestamp(as_of))
    return pd.DataFrame(
        {
            "state": closed.notna().map({True: "closed", False: "open"}).astype("string"),
            "overdue": (problems["deadline"] < end).astype("boolean"),
            "days_to_close": (closed - problems["opened"]).dt.total_seconds() / _DAY,
        },
        index=problems.index,
    )
