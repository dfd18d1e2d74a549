"""Standard input and output as they may be: closed, full, a pipe that nobody reads, or ASCII."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

__all__ = ["steady_streams"]

_ESCAPED = "gridmap.escaped"


def _escaped(error: UnicodeError) -> tuple[str, int]:
    r"""Write what an encoding lacks as ``\uXXXX``, which JSON reads back."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    units = lacking.encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs), error.end


class _Patient:
    """A stream that lets a command end its work although nobody reads what it says."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self.unread()
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except BrokenPipeError:
            self.unread()

    def unread(self) -> None:
        """Let whatever is still to be written go nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def steady_streams() -> Iterator[None]:
    """Make the standard streams fit to be used, whatever the command was started with.

    Raises
    ------
    OSError
        At the end, if what was said could not be written.
    """
    codecs.register_error(_ESCAPED, _escaped)
    saved = sys.stdin, sys.stdout, sys.stderr
    # The lowest free numbers are given out first, so that no file of data gets one of these.
    sys.stdin = saved[0] or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stdout, sys.stderr = (_patient(stream) for stream in saved[1:])
    try:
        yield
        sys.stdout.flush()
    except OSError:
        cast(_Patient, sys.stdout).unread()
        raise
    finally:
        sys.stdin, sys.stdout, sys.stderr = saved


def _patient(stream: TextIO | None) -> TextIO:
    usable = stream or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if isinstance(usable, io.TextIOWrapper):
        usable.reconfigure(errors=_ESCAPED)
    return cast(TextIO, _Patient(usable))
