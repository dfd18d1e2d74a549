"""Bulletins: the figures of a day, week, month or year, written once and never changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gridmap._version import __version__
from gridmap.catalog import Text
from gridmap.errors import ConformError, OutputError
from gridmap.model import City
from gridmap.outputs.bulletin.figures import (
    SMALL,
    Figure,
    Span,
    Table,
    cases_of,
    figures,
    overdue_list,
    snapshot,
    span_of,
    table,
    trend,
)

__all__ = ["Bulletin", "Written", "make_bulletin", "write_bulletin"]

_COLUMNS = ("area", "department", "source", "category", "recorded_area")
_SUFFIXES = (".html", ".xlsx")


@dataclass(frozen=True)
class Bulletin:
    """The figures of a period, as they were known at its end.

    Parameters
    ----------
    city, source : Text
        The city's title, and whom to credit for its data.
    name : str
        Identifier of the city.
    span : Span
    level : str
        Of the areas; empty if there are none.
    small : int
        A denominator below this is marked.
    figures : tuple of Figure
        Of the whole.
    tables : tuple of Table
        By area, department, source, category and recorded area, as far as they are known.
    trend : tuple of (str, int, int)
        Days or months, with problems opened and closed.
    overdue : DataFrame
        Every problem that was open and overdue at the end, the longest overdue first.
    sha256 : str
        Of the rows that it was made from.
    rows : int
        How many these are.
    """

    city: Text
    source: Text
    name: str
    span: Span
    level: str
    small: int
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    trend: tuple[tuple[str, int, int], ...]
    overdue: pd.DataFrame
    sha256: str
    rows: int

    @property
    def stem(self) -> str:
        """The name of its files, without revision and language."""
        return f"{self.name}-{self.span.period}-{self.span.label}"


@dataclass(frozen=True)
class Written:
    """What became of a bulletin.

    Parameters
    ----------
    revision : int
        0 for the first.
    files : tuple of Path
        What was written; nothing where it is frozen already and its data have not changed.
    """

    revision: int
    files: tuple[Path, ...]


def make_bulletin(
    city: City,
    *,
    period: str,
    on: dt.date | None = None,
    level: str = "",
    small: int = SMALL,
) -> Bulletin:
    """Compute a bulletin.

    Parameters
    ----------
    city : City
        With ``problems`` and, for tables by area, ``grids``.
    period : str
        ``day``, ``week`` (from Monday), ``month`` or ``year``.
    on : date, optional
        A day of the period; by default the last period that was over when the data ended.
    level : str
        Of the areas; by default the finest of which there are at most 30.
    small : int
        A denominator below this is marked.

    Returns
    -------
    Bulletin

    Raises
    ------
    ConformError
        If the city has no problems or no such level, the period is unknown, is not over, or was
        over before the first problem.
    """
    as_of = pd.Timestamp(city.as_of).tz_convert(city.timezone)
    span = span_of(period, on or as_of.date(), city.timezone)
    span = span if on or span.ends <= as_of else span.back()
    if span.ends > as_of:
        raise ConformError(
            "bulletin.unfinished",
            label=span.label,
            ends=f"{span.ends:%Y-%m-%d}",
            as_of=f"{as_of:%Y-%m-%d %H:%M}",
        )
    level = level or city.overview
    cases = cases_of(city, level)
    first = cases["opened"].min()
    if pd.isna(first) or first >= span.ends:
        said = "–" if pd.isna(first) else f"{first:%Y-%m-%d}"
        raise ConformError("bulletin.too_early", label=span.label, first=said)
    head = {
        "city": city.name,
        "period": period,
        "begins": span.begins.isoformat(),
        "ends": span.ends.isoformat(),
        "level": level,
        "small": small,
    }
    sha256, rows = snapshot(cases, span, head)
    return Bulletin(
        city=city.title,
        source=city.source,
        name=city.name,
        span=span,
        level=level,
        small=small,
        figures=figures(cases, span, small),
        tables=tuple(table(cases, span, name, small) for name in _COLUMNS if name in cases),
        trend=tuple(trend(cases, span)),
        overdue=overdue_list(cases, span),
        sha256=sha256,
        rows=rows,
    )


def write_bulletin(bulletin: Bulletin, folder: Path, lang: str, *, revise: int = 0) -> Written:
    """Write a bulletin as a page, a workbook and a record of both, unless it is there already.

    What was written once is never written over. The record (JSON) holds the hash of the rows, the
    figures, and the hashes of the two files.

    Parameters
    ----------
    bulletin : Bulletin
    folder : pathlib.Path
        Made if it is missing.
    lang : str
    revise : int
        The number of a revision, to be written beside a bulletin whose data have changed.

    Raises
    ------
    OutputError
        If the data have changed and no revision, or not the next one, is asked for; if a file of
        the bulletin is missing or was altered; if the folder cannot be written.
    """
    found = _records(folder, bulletin.stem)
    revision = _revision(bulletin, found, revise)
    stem = _stem(bulletin, revision, lang)
    if (revision, lang) in found:
        _verify(folder, stem, found[revision, lang])
        return Written(revision, ())
    for suffix in _SUFFIXES:
        # A page without its record was frozen by a run that was cut off, or by somebody else.
        if (folder / f"{stem}{suffix}").exists():
            raise OutputError("bulletin.altered", path=folder / f"{stem}.json")
    return Written(revision, _written(bulletin, folder, stem, revision, lang))


def _stem(bulletin: Bulletin, revision: int, lang: str) -> str:
    number = f"-r{revision}" if revision else ""
    return f"{bulletin.stem}{number}.{lang}"


def _records(folder: Path, stem: str) -> dict[tuple[int, str], Mapping[str, Any]]:
    """Return the records of a bulletin by revision and language."""
    named = re.compile(re.escape(stem) + r"(?:-r(\d+))?\.(\w+)\.json")
    found: dict[tuple[int, str], Mapping[str, Any]] = {}
    for path in sorted(folder.glob(f"{stem}*.json")) if folder.is_dir() else ():
        match = named.fullmatch(path.name)
        if match is None:
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            found[int(match[1] or 0), match[2]] = {
                name: record[name] for name in ("sha256", "level", "files")
            }
        except (ValueError, KeyError, TypeError, OSError):
            raise OutputError("bulletin.altered", path=path) from None
    return found


def _revision(
    bulletin: Bulletin, found: Mapping[tuple[int, str], Mapping[str, Any]], asked: int
) -> int:
    """Return the number under which a bulletin is frozen, or is to be."""
    label = f"{bulletin.span.period} {bulletin.span.label}"
    if not found:
        if asked:
            raise OutputError("bulletin.first_revision", label=label)
        return 0
    latest = max(revision for revision, _ in found)
    record = next(found[key] for key in sorted(found) if key[0] == latest)
    if record["sha256"] == bulletin.sha256:
        return latest
    if record["level"] != bulletin.level:
        was = record["level"]
        raise OutputError("bulletin.other_level", label=label, was=was, level=bulletin.level)
    if not asked:
        raise OutputError(
            "bulletin.changed",
            label=label,
            frozen=record["sha256"],
            now=bulletin.sha256,
            next=latest + 1,
        )
    if asked != latest + 1:
        raise OutputError("bulletin.next_revision", label=label, asked=asked, next=latest + 1)
    return asked


def _verify(folder: Path, stem: str, record: Mapping[str, Any]) -> None:
    for suffix in _SUFFIXES:
        path = folder / f"{stem}{suffix}"
        if not path.is_file() or _digest(path) != record["files"].get(path.name):
            raise OutputError("bulletin.altered", path=path)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _written(
    bulletin: Bulletin, folder: Path, stem: str, revision: int, lang: str
) -> tuple[Path, ...]:
    # The workbook and the template engine are not needed to find out that nothing has changed.
    from gridmap.outputs.bulletin.book import write_book  # noqa: PLC0415
    from gridmap.outputs.bulletin.page import page_text  # noqa: PLC0415
    from gridmap.outputs.staging import staged  # noqa: PLC0415

    with staged(folder) as stage:
        page, book = (stage / f"{stem}{suffix}" for suffix in _SUFFIXES)
        page.write_text(page_text(bulletin, lang, revision), encoding="utf-8", newline="\n")
        write_book(bulletin, book, lang, revision)
        record = {
            "city": bulletin.name,
            "period": bulletin.span.period,
            "label": bulletin.span.label,
            "begins": bulletin.span.begins.isoformat(),
            "ends": bulletin.span.ends.isoformat(),
            "revision": revision,
            "lang": lang,
            "level": bulletin.level,
            "small": bulletin.small,
            "rows": bulletin.rows,
            "sha256": bulletin.sha256,
            "version": __version__,
            "files": {path.name: _digest(path) for path in (page, book)},
            "figures": {each.name: _plain(each) for each in bulletin.figures},
        }
        text = json.dumps(record, ensure_ascii=False, indent=2, allow_nan=False)
        (stage / f"{stem}.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return tuple(folder / f"{stem}{suffix}" for suffix in (*_SUFFIXES, ".json"))


def _plain(figure: Figure) -> dict[str, Any]:
    spans = {"now": figure.now, "before": figure.before, "year_before": figure.year_before}
    return {
        name: {key: value for key, value in cell._asdict().items() if value not in (None, "")}
        for name, cell in spans.items()
    }
