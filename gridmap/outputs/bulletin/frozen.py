"""Bulletins: the figures of a day, week, month or year, written once and never changed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gridmap._version import __version__
from gridmap.catalog import load_catalog
from gridmap.errors import OutputError
from gridmap.leaving import json_text
from gridmap.measures.bulletins import FORMAT, Bulletin, Figure
from gridmap.outputs.bulletin.book import write_book
from gridmap.outputs.bulletin.page import page_text
from gridmap.outputs.bulletin.texts import hot_grids
from gridmap.outputs.staging import staged
from gridmap.resources import AnyPath

__all__ = ["Written", "write_bulletin"]

_SUFFIXES = (".html", ".xlsx")


@dataclass(frozen=True)
class Written:
    """What became of a bulletin.

    Parameters
    ----------
    revision : int
        0 for the first.
    files : tuple of Path
        What was written; nothing where it is frozen already and its data have not changed.
    format : int
        Of the bulletin that is there. One of an older form stays as it was frozen, for its rows
        were others; a revision writes it by today's.
    """

    revision: int
    files: tuple[Path, ...]
    format: int = FORMAT


def write_bulletin(bulletin: Bulletin, folder: AnyPath, lang: str, *, revise: int = 0) -> Written:
    """Write a bulletin as a page, a workbook and a record of both, unless it is there already.

    What was written once is never written over. The record (JSON) holds the hash of the rows, the
    figures, and the hashes of the two files.

    Parameters
    ----------
    bulletin : Bulletin
    folder : path
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
    folder = Path(folder)
    bulletin = bulletin.shown(load_catalog())
    found = _records(folder, bulletin.stem)
    revision = _revision(bulletin, found, revise)
    stem = _stem(bulletin, revision, lang)
    if (revision, lang) in found:
        _verify(folder, stem, found[revision, lang])
        return Written(revision, (), found[revision, lang]["format"])
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
                **{name: record[name] for name in ("sha256", "level", "files")},
                # The first form did not say which it was.
                "format": int(record.get("format", 1)),
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
    older = record["format"] != FORMAT and not asked
    if record["sha256"] == bulletin.sha256 or older:
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
    with staged(folder) as stage:
        page, book = (stage / f"{stem}{suffix}" for suffix in _SUFFIXES)
        page.write_text(page_text(bulletin, lang, revision), encoding="utf-8", newline="\n")
        write_book(bulletin, book, lang, revision)
        record = {
            "format": FORMAT,
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
            "hot": [] if bulletin.hot is None else hot_grids(bulletin.hot)["code"].to_list(),
        }
        text = json_text(record, indent=2)
        (stage / f"{stem}.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return tuple(folder / f"{stem}{suffix}" for suffix in (*_SUFFIXES, ".json"))


def _plain(figure: Figure) -> dict[str, Any]:
    spans = {"now": figure.now, "before": figure.before, "year_before": figure.year_before}
    return {
        name: {key: value for key, value in cell._asdict().items() if value not in (None, "")}
        for name, cell in spans.items()
    }
