"""What tells whether a file is still the one that was read or written."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["file_digest"]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text; empty where there is no file.

    Raises
    ------
    OSError
        If it cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from gridmap.digests import file_digest
    >>> file_digest(Path("nowhere"))
    ''
    """
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
