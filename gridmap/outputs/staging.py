"""Writing whole or not at all: files are made beside their place and moved there at the end."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

import psutil

from gridmap.errors import OutputError
from gridmap.locks import LOCK, Waiting, locked
from gridmap.messages import os_reason
from gridmap.outputs.manifest import MANIFEST
from gridmap.outputs.publishing import READY, heal, publish, shadow_of

__all__ = ["held", "staged"]


@contextmanager
def staged(
    folder: Path,
    *,
    job: str = "",
    asked: Collection[str] = (),
    saved: Collection[str] = (),
    kept: list[str] | None = None,
    waiting: Waiting | None = None,
    guard: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Iterator[Path]:
    """Give a temporary folder whose files move to `folder` when the block ends well.

    They move as one: whoever looks finds all of the old ones or all of the new ones, after a kill
    as well. Which files are gridmap's stands in ``.gridmap.json``.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is missing; a symbolic link stays one. What somebody else put there or changed
        stays; if a new file needs its name, as a copy, ``name.kept-1.csv``.
    job : str
        Files that this job wrote earlier and does not write now are taken away.
    asked : collection of str
        Files that the user asked to be changed: no copies are made of them unless they were
        gridmap's and somebody changed them.
    saved : collection of str
        Digests of files that are kept elsewhere, so that no copies are needed.
    kept : list of str, optional
        Is given the names of the copies that were made.
    waiting : callable, optional
        Is told the folder, and who is writing to it, when there is something to wait for.
    guard : callable, optional
        Makes what is entered right before the files move, and may still refuse it.

    Yields
    ------
    pathlib.Path
        On the same disk as `folder`. If the block fails, it goes and `folder` is as it was.

    Raises
    ------
    OutputError
        If the folder cannot be written, so at once, before any work; if the disk is full; if
        somebody else is writing to it for a minute.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gridmap.outputs import staged
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with staged(pathlib.Path(folder)) as temporary:
    ...         written = (temporary / "notes.txt").write_text("all or nothing")
    ...     sorted(file.name for file in pathlib.Path(folder).iterdir())
    ['.gridmap.json', 'notes.txt']
    """
    given = folder
    try:
        folder = folder.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        holder = _holder(folder)
    except OSError as error:
        raise _refused(given, error) from None
    try:
        (holder / "new").mkdir()
        yield holder / "new"
        with held(folder, waiting=waiting), guard():
            copies = publish(folder, holder, job=job, asked=asked, saved=saved)
        if kept is not None:
            kept += copies
    except OSError as error:
        raise _refused(given, error) from None
    finally:
        shutil.rmtree(holder, ignore_errors=True)


@contextmanager
def held(folder: Path, *, waiting: Waiting | None = None) -> Iterator[None]:
    """Hold a folder that exists for changes, after bringing to its end what a kill cut off.

    Raises
    ------
    OutputError
        If somebody else is writing to it for a minute, or it cannot be written.
    """
    folder = folder.resolve()
    with ExitStack() as stack:
        try:
            # What is written to a folder around this one may take its place for a moment.
            for around in (*reversed(folder.parents), folder):
                if around == folder or any((around / name).exists() for name in (MANIFEST, LOCK)):
                    stack.enter_context(locked(around, waiting=waiting))
            heal(folder, [path for path in _left(folder) if (path / READY).exists()])
        except OSError as error:
            raise _refused(folder, error) from None
        yield


def _holder(folder: Path) -> Path:
    """Make the folder that holds new files: beside their place, else in it."""
    left = _left(folder)
    if shadow_of(folder).is_dir() or any((path / READY).exists() for path in left):
        with held(folder):
            left = _left(folder)
    for path in left:
        if not (path / READY).exists():
            shutil.rmtree(path, ignore_errors=True)
    prefix = f"{_prefix()}{os.getpid()}-"
    inside = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))  # a proof that it can be written
    try:
        beside = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    except OSError:
        return inside
    if beside.stat().st_dev != folder.stat().st_dev:
        beside.rmdir()
        return inside
    inside.rmdir()
    return beside


def _prefix() -> str:
    """Return how holders of this machine begin: on a shared disk others have like processes."""
    return f".gridmap-{re.sub(r'[^A-Za-z0-9]', '_', socket.gethostname())}-"


def _left(folder: Path) -> list[Path]:
    """Return what processes that are gone left in a folder and beside it."""
    name = re.compile(re.escape(_prefix()) + r"(\d+)-[a-z0-9_]{8}")  # as tempfile makes names
    found = []
    for path in (*folder.glob(f"{_prefix()}*"), *folder.parent.glob(f"{_prefix()}*")):
        match = name.fullmatch(path.name)
        if (
            match
            and path.is_dir()
            and not path.is_symlink()
            and not psutil.pid_exists(int(match[1]))
        ):
            found.append(path)
    return sorted(found)


def _refused(folder: Path, error: OSError) -> OutputError:
    reason, path = os_reason(error), error.filename or folder
    return OutputError("output.not_writable", path=path, reason=reason)
