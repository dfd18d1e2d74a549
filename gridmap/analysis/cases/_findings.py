"""Findings about cases: rows that are wrong, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gridmap import messages
from gridmap.analysis._doors import asks

__all__ = ["FINDINGS", "explain", "finding", "no_findings", "together"]

FINDINGS = ("case", "kind", "stage", "at", "detail")


def finding(
    kind: str,
    case: pd.Series | pd.Index,
    at: pd.Series | None = None,
    *,
    stage: pd.Series | str = "",
    detail: pd.Series | str = "",
) -> pd.DataFrame:
    """Return findings of one kind, one a case."""
    index = pd.RangeIndex(len(case))
    columns = {
        "case": pd.Series(case.to_numpy(dtype=object), index=index),
        "kind": pd.Series(kind, index=index),
        "stage": _column(stage, index),
        "at": pd.Series(pd.NaT, index=index) if at is None else at.set_axis(index),
        "detail": _column(detail, index),
    }
    return _typed(pd.DataFrame(columns))


def _column(values: pd.Series | str, index: pd.Index) -> pd.Series:
    return pd.Series(values, index=index) if isinstance(values, str) else values.set_axis(index)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(frame["at"].dtype, pd.DatetimeTZDtype):
        frame["at"] = pd.to_datetime(frame["at"], utc=True).astype("datetime64[us, UTC]")
    return frame.astype(dict.fromkeys(("case", "kind", "stage", "detail"), "string"))


def no_findings() -> pd.DataFrame:
    """Return a table of findings without rows."""
    return _typed(pd.DataFrame({name: pd.Series(dtype=object) for name in FINDINGS}))


def together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return findings put together: by case, then time, then kind."""
    some = [part for part in parts if len(part)]
    if not some:
        return no_findings()
    zones = [part["at"].dt.tz for part in some if part["at"].notna().any()]
    zone = zones[0] if zones else "UTC"
    rows = pd.concat([part.assign(at=part["at"].dt.tz_convert(zone)) for part in some])
    return rows.sort_values(["case", "at", "kind"], kind="stable", ignore_index=True)


@asks(columns={"findings": FINDINGS})
def explain(findings: pd.DataFrame, lang: str = "en") -> pd.Series:
    """Return each finding as a sentence.

    Parameters
    ----------
    findings : DataFrame
        With ``case, kind, stage, at, detail``.
    lang : str
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Series of string
        On the index of the findings.

    Examples
    --------
    >>> day = pd.DatetimeIndex(["2025-03-08"], tz="Asia/Shanghai")
    >>> cases = pd.DataFrame({"opened": day, "closed": day - pd.Timedelta(days=1)}, index=["a"])
    >>> findings = analysis.check_times(cases)
    >>> analysis.explain(findings)[0]
    'a: was closed at 2025-03-07 00:00, before its opening 2025-03-08 00:00; correct one of them'
    >>> analysis.explain(findings, lang="zh")[0]
    'a：结案时间 2025-03-07 00:00 早于立案时间 2025-03-08 00:00；请更正'
    """
    at = findings["at"].dt.strftime("%Y-%m-%d %H:%M").fillna("?")
    columns = (findings["kind"], findings["case"], findings["stage"], at, findings["detail"])
    said = [
        messages.text(f"case.{kind}", lang, case=case, stage=stage, at=moment, detail=detail)
        for kind, case, stage, moment, detail in zip(*columns, strict=True)
    ]
    return pd.Series(said, index=findings.index, dtype="string", name="text")
