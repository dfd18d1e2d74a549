"""Numbers in words, for tables and legends alike."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal

__all__ = ["number_text"]

# Ties go away from zero, as in browsers and spreadsheets; no double has more digits than these.
_ROUNDED = Context(prec=800, rounding=ROUND_HALF_UP)


def number_text(
    value: float, decimals: int = 0, *, grouped: bool = True, signed: bool = False
) -> str:
    """Return a number with its decimals; nothing for one that is not finite.

    Examples
    --------
    >>> number_text(1234.25, 1), number_text(1234.25, 1, grouped=False), number_text(2.5)
    ('1,234.3', '1234.3', '3')
    >>> number_text(-0.04, 1), number_text(3, signed=True)
    ('0.0', '+3')
    """
    if not math.isfinite(value):
        return ""
    exact = Decimal(value).quantize(Decimal(1).scaleb(-decimals), context=_ROUNDED)
    exact = exact if exact else abs(exact)  # there is no negative zero in words
    return format(exact, f"{'+' if signed else ''}{',' if grouped else ''}f")
