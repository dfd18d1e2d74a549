"""Writing whole or not at all: files are made beside their place and moved there at the end."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gridmap.errors import OutputError

__all__ = ["staged"]


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give a temporary folder whose files move to `folder` when the block ends well.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is missing. Files in it that the block did not make stay, but for temporary
        folders of processes of this machine that were killed: those are cleared away.

    Yields
    ------
    pathlib.Path
        On the same disk as `folder`. If the block fails, it goes and `folder` is as it was.

    Raises
    ------
    OutputError
        If the folder cannot be written; so at once, before any work.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gridmap.outputs import staged
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with staged(pathlib.Path(folder)) as temporary:
    ...         written = (temporary / "notes.txt").write_text("all or nothing")
    ...     [file.name for file in pathlib.Path(folder).iterdir()]
    ['notes.txt']
    """
    prefix = f".gridmap-{_machine()}-"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _clear(folder, prefix)
        stage = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=folder))
    except OSError as error:
        raise _refused(folder, error) from None
    try:
        yield stage
        for made in sorted(path for path in stage.rglob("*") if path.is_file()):
            target = folder / made.relative_to(stage)
            target.parent.mkdir(parents=True, exist_ok=True)
            made.replace(target)
    except OSError as error:
        raise _refused(folder, error) from None
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _machine() -> str:
    """Return the name of this machine: on a shared disk others have processes of like numbers."""
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())


def _clear(folder: Path, prefix: str) -> None:
    """Remove what processes that are gone left in a folder."""
    name = re.compile(re.escape(prefix) + r"(\d+)-[a-z0-9_]{8}")  # as tempfile makes names
    for path in sorted(folder.glob(f"{prefix}*")):
        found = name.fullmatch(path.name)
        if found and path.is_dir() and not path.is_symlink() and not _runs(int(found[1])):
            shutil.rmtree(path, ignore_errors=True)


def _runs(process: int) -> bool:
    """Tell whether a process may be running; on Windows, where asking would end it, say so."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _refused(folder: Path, error: OSError) -> OutputError:
    reason = error.strerror or type(error).__name__
    return OutputError("output.not_writable", path=error.filename or folder, reason=reason)
