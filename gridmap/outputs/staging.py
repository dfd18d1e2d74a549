"""Writing whole or not at all: files are made beside their place and moved there at the end."""

from __future__ import annotations

import shutil
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
        Made if it is missing. Files in it that the block did not make stay.

    Yields
    ------
    pathlib.Path
        On the same disk as `folder`. If the block fails, it goes and `folder` is as it was.

    Raises
    ------
    OutputError
        If the folder cannot be written; so at once, before any work.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".gridmap-", dir=folder))
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


def _refused(folder: Path, error: OSError) -> OutputError:
    reason = error.strerror or type(error).__name__
    return OutputError("output.not_writable", path=error.filename or folder, reason=reason)
