"""Taking up what a person mended in the quarantine of an earlier run."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from gridmap import messages
from gridmap.cli import console
from gridmap.errors import GridmapError, OutputError
from gridmap.messages import Lang

__all__ = ["taken_up"]


def taken_up(out: Path, city_folder: Path, lang: Lang) -> list[str]:
    """Copy files that somebody changed in a quarantine to where every command reads them.

    Parameters
    ----------
    out : pathlib.Path
        The folder of results that may hold a ``quarantine``.
    city_folder : pathlib.Path
        Of the city file; the copies go to its folder ``mended``.
    lang : str

    Returns
    -------
    list of str
        Digests of the files that are kept there, so that others may take their names.

    Raises
    ------
    OutputError
        If the copies cannot be written.
    """
    from gridmap.digests import file_digest
    from gridmap.outputs.manifest import read_manifest
    from gridmap.sources.mended import FOLDER, mends_in

    changed = mends_in(out / "quarantine")
    if not changed:
        return []
    folder, known = city_folder / FOLDER, read_manifest(out)
    there = {file_digest(path) for path in mends_in(folder)}
    kept, copied = [], 0
    for path in changed:
        digest, entry = file_digest(path), known.get(f"quarantine/{path.name}")
        if entry is not None and entry.sha256 == digest:
            continue
        if digest not in there and not _is_mended(path, entry is not None, lang):
            continue
        if digest not in there:
            _copy(path, folder)
            there.add(digest)
            copied += 1
        kept.append(digest)
    if copied:
        said = messages.text("cli.taken_up", lang, count=copied, folder=folder)
        console.say(said, err=True)
    return kept


def _is_mended(path: Path, ours: bool, lang: Lang) -> bool:
    """Tell whether a file holds rows to be read back; one that gridmap wrote and cannot is told."""
    from gridmap.sources.files import read_raw
    from gridmap.sources.mended import lacking

    try:
        table = read_raw(path).table
    except GridmapError as error:
        reason = error.text(lang)
    else:
        lacks = lacking(table, lang)
        if not lacks:
            return True
        reason = messages.text("source.no_mends", lang, path=path.name, columns=", ".join(lacks))
    if ours:
        said = messages.text("cli.not_taken_up", lang, path=path, reason=reason)
        console.say(said, err=True)
    return False


def _copy(path: Path, folder: Path) -> None:
    """Copy a file whole under a name that is free, after those that are there."""
    try:
        folder.mkdir(exist_ok=True)
        number, place = 2, folder / path.name
        while place.exists():
            place = folder / f"{path.stem}-{number}{path.suffix}"
            number += 1
        handle, name = tempfile.mkstemp(dir=folder, prefix=".gridmap-")
        os.close(handle)
        try:
            shutil.copy2(path, name)
            Path(name).rename(place)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        reason = messages.os_reason(error)
        raise OutputError("output.mends", path=folder, reason=reason) from None
