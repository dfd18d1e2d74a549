"""How the data of a case are named."""

from __future__ import annotations

__all__ = ["short"]


def short(size: int) -> str:
    """Return a number with k for thousands and M for millions: 115k."""
    for unit, name in ((1_000_000, "M"), (1_000, "k")):
        if size >= unit:
            return f"{size / unit:g}{name}"
    return str(size)
