"""One writer at a time: who changes a folder, a plan or a store holds a lock on it."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gridmap import messages
from gridmap.errors import OutputError

__all__ = ["LOCK", "Holder", "Waiting", "locked", "user_name"]

LOCK = ".gridmap.lock"
_PATIENCE_S = 60.0
_LOOK_S = 0.05
_SOON_S = 1.0  # who waits less than that need not know
_HELD = threading.local()
_FAR = 1 << 30  # Windows forbids reading what is locked, so a byte after the text is


class Holder:
    """Who holds a lock, as a part of a message.

    Examples
    --------
    >>> from gridmap.locks import Holder
    >>> Holder({"user": "li", "host": "office", "process": 7, "since": "09:30:00"}).text("en")
    'li on office (process 7), since 09:30:00'
    """

    def __init__(self, facts: dict[str, object]) -> None:
        self.facts = {"user": "?", "host": "?", "process": "?", "since": "?", **facts}

    def text(self, lang: str = "en") -> str:
        """Return it in a language."""
        return messages.text("output.holder", lang, **self.facts)


Waiting = Callable[[Path, Holder], None]


def user_name() -> str:
    """Return the name of who runs this process; its number where it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may know no name for its user
        return str(os.getuid()) if hasattr(os, "getuid") else "?"


@contextmanager
def locked(
    target: Path, *, patience_s: float = _PATIENCE_S, waiting: Waiting | None = None
) -> Iterator[None]:
    """Hold a folder or a file for changes; the system lets go of it when the process ends.

    What has it already, in the same thread, may ask again.

    Parameters
    ----------
    target : pathlib.Path
        A folder, or a file that need not exist.
    patience_s : float
        Seconds to wait for another holder.
    waiting : callable, optional
        Is told the target and its holder, once, after a second of waiting.

    Raises
    ------
    OutputError
        If another process still holds it after that time; the message says who.
    OSError
        If the lock cannot be made.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gridmap.locks import locked
    >>> with tempfile.TemporaryDirectory() as folder, locked(pathlib.Path(folder)):
    ...     [file.name for file in pathlib.Path(folder).iterdir()]
    ['.gridmap.lock']
    """
    file = target / LOCK if target.is_dir() else target.with_name(f".{target.name}.gridmap.lock")
    held: set[Path] = _HELD.__dict__.setdefault("files", set())
    if file in held:
        yield
        return
    handle = _taken(file, target, patience_s, waiting)
    held.add(file)
    try:
        yield
    finally:
        held.discard(file)
        _let_go(handle, file)


def _taken(file: Path, target: Path, patience_s: float, waiting: Waiting | None) -> int:
    begun, told = time.monotonic(), False
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if _try(handle):
                if _is_there(handle, file):
                    _sign(handle)
                    return handle
                os.close(handle)  # its last holder took the file away
                continue
        except BaseException:
            os.close(handle)
            raise
        holder = _signed(handle)
        os.close(handle)
        waited = time.monotonic() - begun
        if waited >= patience_s:
            raise OutputError("output.busy", path=target, holder=holder)
        if waiting is not None and not told and waited >= _SOON_S:
            waiting(target, holder)
            told = True
        time.sleep(_LOOK_S)


if sys.platform == "win32":
    import msvcrt

    def _try(handle: int) -> bool:
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _let_go(handle: int, file: Path) -> None:
        os.close(handle)
        with contextlib.suppress(OSError):  # another process has it open already
            file.unlink()
else:
    import fcntl

    def _try(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _let_go(handle: int, file: Path) -> None:
        # While it is still held: who waits for it then sees that its file is gone, and asks anew.
        try:
            if _is_there(handle, file):
                file.unlink()
        finally:
            os.close(handle)


def _is_there(handle: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), file.stat())
    except FileNotFoundError:
        return False


def _sign(handle: int) -> None:
    if hasattr(os, "fchmod"):
        with contextlib.suppress(PermissionError):  # it is another user's, who did so already
            os.fchmod(handle, 0o666)
    now = dt.datetime.now().astimezone()
    facts = {
        "user": user_name(),
        "host": socket.gethostname(),
        "process": os.getpid(),
        "since": now.strftime("%Y-%m-%d %H:%M:%S"),
    }
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps(facts).encode())


def _signed(handle: int) -> Holder:
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        return Holder(dict(json.loads(os.read(handle, 4096))))
    except (ValueError, TypeError):  # it has just been made, and is not signed yet
        return Holder({})
