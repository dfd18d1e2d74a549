"""What tells whether a file, or a row, is still the one that was read or written."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["cell_text", "file_digest", "row_marks"]


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


def row_marks(table: pd.DataFrame) -> pd.Series:
    """Return a short mark of the text of each row; a letter first, so that none is a number.

    Examples
    --------
    >>> from gridmap.digests import row_marks
    >>> row_marks(pd.DataFrame({"id": ["a", "a"], "kind": [None, "x"]})).to_list()
    ['m2fa5f34c947b', 'm96ae55d56864']
    """
    rows = table.astype(object).to_numpy().tolist()
    return pd.Series([_mark(row) for row in rows], index=table.index, dtype=object)


def cell_text(cell: Any) -> str:
    """Return the text of a cell as a CSV has it; nothing for one that is missing."""
    missing = pd.api.types.is_scalar(cell) and pd.isna(cell)
    return "" if missing else str(cell)


def _mark(row: list[Any]) -> str:
    text = "\x1f".join(map(cell_text, row)).encode("utf-8", "surrogatepass")
    return "m" + hashlib.blake2b(text, digest_size=6).hexdigest()
