"""What gridmap wrote into a folder, so that it never takes away what somebody else put there."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from gridmap.digests import file_digest
from gridmap.locks import LOCK

__all__ = [
    "EDIT",
    "MANIFEST",
    "Change",
    "Entry",
    "changes_to",
    "files_of",
    "kept_name",
    "read_manifest",
    "written_manifest",
]

MANIFEST = ".gridmap.json"
EDIT = "edit"
"""The job of a file that somebody edited by way of gridmap, which is work of theirs."""

_FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """A file that gridmap wrote: the digest it had then, and the job whose file it is.

    A job takes away those of its files that it no longer makes; one without a name, none.
    """

    sha256: str
    job: str = ""


@dataclass(frozen=True)
class Change:
    """What becomes of one file of a folder.

    Parameters
    ----------
    name : str
        Its path in the folder, with slashes.
    keep : str
        The name of a copy that is made of what is there; empty for none.
    gone : bool
        Whether it is taken away, not replaced.
    """

    name: str
    keep: str = ""
    gone: bool = False


def read_manifest(folder: Path) -> dict[str, Entry]:
    """Return what is known to be gridmap's in a folder; nothing where that cannot be read."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {
            str(name): Entry(str(entry["sha256"]), str(entry.get("job", "")))
            for name, entry in told["files"].items()
        }
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        # Then all files count as somebody else's, which loses none of them.
        return {}


def written_manifest(entries: Mapping[str, Entry]) -> str:
    """Return the text of a manifest."""
    files = {
        name: {"sha256": entry.sha256, **({"job": entry.job} if entry.job else {})}
        for name, entry in sorted(entries.items())
    }
    return json.dumps({"format": _FORMAT, "files": files}, ensure_ascii=False, indent=1) + "\n"


def files_of(folder: Path) -> list[str]:
    """Return the paths of all files and links in a folder, with slashes, in order."""
    found = []
    for at, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(at) / name).is_symlink()]
        found += [(Path(at) / name).relative_to(folder).as_posix() for name in (*names, *links)]
    return sorted(name for name in found if name not in (LOCK, MANIFEST))


def changes_to(
    folder: Path,
    new: Path,
    names: Collection[str],
    *,
    job: str,
    asked: Collection[str],
    saved: Collection[str],
) -> list[Change]:
    """Return what is to be done so that a folder holds new files.

    Parameters
    ----------
    folder : pathlib.Path
    new : pathlib.Path
        Where the files lie that are to be moved there.
    names : collection of str
        All files of the new set; some may have been moved already.
    job : str
        Whose other files are taken away.
    asked : collection of str
        Files that the user asked to be changed, so that they need not be gridmap's.
    saved : collection of str
        Digests of contents that are kept elsewhere.
    """
    known = read_manifest(folder)
    changes = []
    for name in files_of(new):
        here = file_digest(folder / name)
        entry = known.get(name)
        ours = _is_ours(entry, here, name in asked)
        if not here or ours or here in saved or here == file_digest(new / name):
            changes.append(Change(name))
        else:
            changes.append(Change(name, kept_name(folder, name, here)))
    for name, entry in known.items():
        unchanged = job and entry.job == job and entry.sha256 == file_digest(folder / name)
        if unchanged and name not in names:
            changes.append(Change(name, gone=True))
    return changes


def _is_ours(entry: Entry | None, here: str, asked: bool) -> bool:
    """Tell whether a file may be replaced without a copy of it."""
    if entry is None:
        return asked
    return entry.sha256 == here and (asked or entry.job != EDIT)


def kept_name(folder: Path, name: str, digest: str) -> str:
    """Return a name beside a file that is free, or holds the same already."""
    path, number = PurePosixPath(name), 1
    while True:
        kept = path.with_name(f"{path.stem}.kept-{number}{path.suffix}")
        target = folder / kept
        if not os.path.lexists(target) or file_digest(target) == digest:
            return kept.as_posix()
        number += 1
