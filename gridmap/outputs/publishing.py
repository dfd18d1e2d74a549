"""Moving results to their folder so that a kill leaves the old ones whole or the new ones whole.

No system can move many files at once, but Linux can exchange two folders at once. So a *shadow*
is made beside the folder: links to all that stays, and the new files. It takes the folder's place
in one exchange; the files of the folder itself, now hidden, are replaced; it goes back to its
place in another exchange, and the shadow is taken away. Whenever that ends, a path in the folder
leads to files of one set. The folder goes back, rather than leave its place to the shadow, because
programs hold on to it: a shell inside it, a web server, a container in which it is mounted.

Where a shadow cannot be (another system, a mount point, no right to write beside the folder, no
hard links, files by the ten thousand), the files are moved one by one. A fault takes that back. A
kill may then leave a mix, which the next command that writes there heals: the rest of the files
stand ready and are moved first.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gridmap.digests import file_digest
from gridmap.errors import OutputError
from gridmap.locks import LOCK
from gridmap.outputs.manifest import (
    EDIT,
    MANIFEST,
    Change,
    Entry,
    changes_to,
    files_of,
    kept_name,
    read_manifest,
    written_manifest,
)

__all__ = ["READY", "heal", "publish", "shadow_of"]

READY = "ready.json"
_MANY = 20_000  # files; to link more takes seconds
_WAITS_S = (0.1, 0.3, 1.0)  # a scanner of viruses holds a new file that long
# Of Windows: access denied (to what is open without a right to delete it), sharing violation.
_OPEN_ELSEWHERE = (5, 32)
_HERE = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE


def shadow_of(folder: Path) -> Path:
    """Return where the shadow of a folder is made."""
    return folder.with_name(f".gridmap-shadow-{folder.name}")


def publish(
    folder: Path,
    holder: Path,
    *,
    job: str = "",
    asked: Collection[str] = (),
    saved: Collection[str] = (),
) -> list[str]:
    """Move what lies in ``holder/new`` to a folder that this process has locked.

    Parameters
    ----------
    folder, holder : pathlib.Path
    job, asked, saved
        As of `gridmap.outputs.manifest.changes_to`.

    Returns
    -------
    list of str
        Names of the copies that were made of what somebody else had written or changed.

    Raises
    ------
    OSError
        If it cannot be done; the folder is then as it was, or holds the whole new set.
    OutputError
        So too, if a file is open in another program that forbids to replace it.
    """
    new = holder / "new"
    names = files_of(new)
    changes = changes_to(folder, new, names, job=job, asked=asked, saved=saved)
    after = _after(folder, new, changes, job, asked)
    (holder / MANIFEST).write_text(written_manifest(after), encoding="utf-8")
    through = [change for change in changes if _is_linked(folder, change.name)]
    plain = [change for change in changes if change not in through]
    left = through if _by_shadow(folder, holder, plain) else changes
    if left:
        order = {"names": names, "job": job, "asked": [*asked], "saved": [*saved]}
        told = json.dumps({"folder": str(folder), **order})
        (holder / READY).write_text(told, encoding="utf-8")
        try:
            _in_place(folder, holder, left)
        finally:
            (holder / READY).unlink(missing_ok=True)
    return [change.keep for change in changes if change.keep]


def heal(folder: Path, waiting: Sequence[Path]) -> None:
    """Bring to its end what processes that are gone had begun in a folder that is locked.

    Parameters
    ----------
    folder : pathlib.Path
    waiting : sequence of pathlib.Path
        Holders of those processes that have a file ``ready.json``.
    """
    shadow = shadow_of(folder)
    if shadow.is_dir():
        _carry(shadow, folder)
        shutil.rmtree(shadow)
    for holder in waiting:
        told = json.loads((holder / READY).read_text(encoding="utf-8"))
        if told.pop("folder") == str(folder):
            if (holder / MANIFEST).exists():  # the last to be moved
                _in_place(folder, holder, changes_to(folder, holder / "new", **told))
            shutil.rmtree(holder)


def _after(
    folder: Path, new: Path, changes: Sequence[Change], job: str, asked: Collection[str]
) -> dict[str, Entry]:
    """Return the manifest as it is to be."""
    entries = read_manifest(folder)
    for change in changes:
        if change.gone:
            del entries[change.name]
        else:
            known = entries.get(change.name)
            owner = EDIT if change.name in asked else job or (known.job if known else "")
            entries[change.name] = Entry(file_digest(new / change.name), owner)
    return entries


def _is_linked(folder: Path, name: str) -> bool:
    """Tell whether a path in a folder leads by a symbolic link."""
    path = folder / name
    inside = [path, *path.parents][: len(Path(name).parts)]
    return any(part.is_symlink() for part in inside)


def _by_shadow(folder: Path, holder: Path, changes: Sequence[Change]) -> bool:
    """Publish by way of a shadow; return whether that could be done."""
    shadow = shadow_of(folder)
    if os.path.ismount(folder) or not _can_exchange():
        return False
    try:
        _make_shadow(folder, shadow, holder, changes)
        _exchange(folder, shadow)
    except OSError as error:
        shutil.rmtree(shadow, ignore_errors=True)
        if error.errno == errno.ENOSPC:
            raise
        return False
    # From here on the new set is in its place, whatever happens.
    for change in changes:
        _replace(shadow, change, holder)
    shutil.copyfile(holder / MANIFEST, holder / "manifest")
    (holder / "manifest").replace(shadow / MANIFEST)
    _carry(folder, shadow)
    _exchange(folder, shadow)
    _carry(shadow, folder)
    shutil.rmtree(shadow)
    return True


def _make_shadow(folder: Path, shadow: Path, holder: Path, changes: Sequence[Change]) -> None:
    shadow.mkdir()
    shutil.copyfile(holder / MANIFEST, shadow / MANIFEST)
    os.link(folder / LOCK, shadow / LOCK)
    replaced = {change.name for change in changes}
    names = files_of(folder)
    if len(names) > _MANY:
        raise OSError(errno.EMFILE, "too many files")
    _folders(folder, shadow)
    for name in names:
        if name not in replaced:
            os.link(folder / name, shadow / name, follow_symlinks=False)
    for change in changes:
        if change.keep and not (shadow / change.keep).exists():
            os.link(folder / change.name, shadow / change.keep)
        if not change.gone:
            (shadow / change.name).parent.mkdir(parents=True, exist_ok=True)
            os.link(holder / "new" / change.name, shadow / change.name)
    shutil.copymode(folder, shadow)


def _folders(folder: Path, into: Path) -> None:
    for at, names, _ in os.walk(folder):
        for name in names:
            path = Path(at) / name
            if not path.is_symlink():
                made = into / path.relative_to(folder)
                made.mkdir()
                shutil.copymode(path, made)


def _replace(folder: Path, change: Change, holder: Path) -> None:
    """Make one change in a folder that nobody sees."""
    target, source = folder / change.name, holder / "new" / change.name
    if change.keep and not (folder / change.keep).exists():
        target.rename(folder / change.keep)
    if change.gone:
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    source.replace(target)


def _in_place(folder: Path, holder: Path, changes: Sequence[Change]) -> None:
    """Make changes one by one, and take them back if one fails."""
    with _undone(holder / "old") as note:
        for change in changes:
            target = (folder / change.name).resolve()
            if change.keep and not (folder / change.keep).exists():
                note(folder / change.keep)
                shutil.copy2(target, folder / change.keep)
            note(target)
            if change.gone:
                target.unlink(missing_ok=True)
            else:
                _moved(holder / "new" / change.name, target)
        note(folder / MANIFEST)
        _moved(holder / MANIFEST, folder / MANIFEST)


def _moved(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _renamed(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # A link led to another disk: the file is copied beside its place first.
        near = target.with_name(f".{target.name}.gridmap")
        try:
            shutil.copyfile(source, near)
            near.replace(target)
        finally:
            near.unlink(missing_ok=True)


def _renamed(source: Path, target: Path) -> None:
    """Replace a file; where one that is open cannot be, as on Windows, try for a moment."""
    for wait_s in _WAITS_S:
        try:
            source.replace(target)
        except PermissionError as error:
            if not _is_open_elsewhere(error):
                raise
        else:
            return
        time.sleep(wait_s)
    try:
        source.replace(target)
    except PermissionError as error:
        if _is_open_elsewhere(error):
            raise OutputError("output.in_use", path=target) from None
        raise


def _is_open_elsewhere(error: OSError) -> bool:
    return getattr(error, "winerror", None) in _OPEN_ELSEWHERE


@contextmanager
def _undone(old: Path) -> Iterator[Callable[[Path], None]]:
    """Give what notes files before they change; if the block fails, they are as before."""
    noted: list[tuple[Path, Path | None]] = []
    old.mkdir(exist_ok=True)

    def note(path: Path) -> None:
        saved = old / str(len(noted)) if path.exists() else None
        if saved is not None:
            shutil.copy2(path, saved)
        noted.append((path, saved))

    try:
        yield note
    except (OSError, OutputError):
        for path, saved in reversed(noted):
            if saved is None:
                path.unlink(missing_ok=True)
            elif not path.exists() or file_digest(path) != file_digest(saved):
                _moved(saved, path)  # what could not be replaced cannot be put back either
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _carry(source: Path, into: Path) -> None:
    """Give a folder the files of its twin that only the twin has, and that are not gridmap's."""
    ours = [read_manifest(each) for each in (source, into)]
    for name in files_of(source):
        path, target = source / name, into / name
        if path.is_symlink():
            if not os.path.lexists(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(path.readlink())
            continue
        if target.exists() and target.samefile(path):
            continue
        digest = file_digest(path)
        known = [entries[name].sha256 for entries in ours if name in entries]
        if digest in (*known, file_digest(target)):
            continue
        place = target if not os.path.lexists(target) else into / kept_name(into, name, digest)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copy2(path, place)


def _can_exchange() -> bool:
    return sys.platform == "linux" and hasattr(ctypes.CDLL(None), "renameat2")


def _exchange(one: Path, other: Path) -> None:
    """Let two paths change places, in one step (Linux, ``renameat2``)."""
    call = ctypes.CDLL(None, use_errno=True).renameat2
    if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))
