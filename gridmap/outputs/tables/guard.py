"""What a text may not bring into a file: control characters, and formulas that run."""

from __future__ import annotations

import re

__all__ = ["clean", "runs_as_formula"]

# C0 but tab and line ends, DEL and C1, halves of surrogate pairs and the two non-characters: what
# XML 1.0 (2.2) forbids or discourages, and no spreadsheet shows.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# https://owasp.org/www-community/attacks/CSV_Injection
_LEADING = ("=", "+", "-", "@", "\t", "\r")
_NEGATIVE = re.compile(r"-(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?%?")


def clean(text: str) -> str:
    r"""Return a text without control characters; tabs and ends of lines stay.

    Examples
    --------
    >>> clean("Grid\x00 7\x1b")
    'Grid 7'
    """
    return _CONTROL.sub("", text)


def runs_as_formula(text: str) -> bool:
    """Tell whether a spreadsheet would run a text; a negative number is none.

    Examples
    --------
    >>> [runs_as_formula(text) for text in ("=1+1", "-1+1", "-1.5", "A=1")]
    [True, True, False, False]
    """
    return text.startswith(_LEADING) and not _NEGATIVE.fullmatch(text)
