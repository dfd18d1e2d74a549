"""Which of many texts may have to change before they leave: a compiled loop over their signs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gridmap.compiled import inner, kernel
from gridmap.leaving import LEAST_DIGITS, WIDEST_GAP, kinds_of_signs

__all__ = ["suspects"]

_DIGIT, _GAP, _CONTROL, _CODE = 1, 2, 4, 8  # may be several
_COMMA, _SPACE = ord(","), ord(" ")
_LEAD_2, _LEAD_3, _LEAD_4 = 0xC0, 0xE0, 0xF0  # of UTF-8: the first byte of two, three or four
_TAIL = 0x80  # where further bytes begin
_LOW = 0x3F  # bits of every further byte


def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.zeros(0x10000, dtype=np.uint8)
    for signs, kind in zip(kinds_of_signs(), (_DIGIT, _GAP, _CONTROL, _CODE), strict=True):
        kinds[[ord(sign) for sign in signs if ord(sign) < len(kinds)]] |= kind
    return kinds


_KINDS = _kinds()


@inner
def _kind(data: npt.NDArray[np.uint8], at: int, first: int) -> int:
    """Return what a sign of several bytes is."""
    if first >= _LEAD_4:
        return _DIGIT  # there are some among them
    sign = first & (_LOW >> 1)
    for k in range(at + 1, at + (3 if first >= _LEAD_3 else 2)):
        sign = (sign << 6) | (data[k] & _LOW)
    return int(_KINDS[sign & 0xFFFF])


@kernel
def suspects(
    data: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], coded: bool
) -> npt.NDArray[np.bool_]:
    """Return which texts hold a control character, or as many digits as a phone close together.

    Parameters
    ----------
    data : ndarray of uint8
        All texts one after another, in UTF-8.
    ends : ndarray of int64
        Where the first begins, and where each ends.
    coded : bool
        Whether a text that is made of the signs of codes alone is none.
    """
    found = np.zeros(len(ends) - 1, dtype=np.bool_)
    for row in range(len(found)):
        digits, gap, before, is_code, odd = 0, 0, 0, True, False
        for at in range(ends[row], ends[row + 1]):
            sign = int(data[at])
            if _TAIL <= sign < _LEAD_2:
                continue
            kind = int(_KINDS[sign]) if sign < _LEAD_2 else _kind(data, at, sign)
            gap = 0 if kind & _DIGIT else gap + 1
            digits += kind & _DIGIT
            if gap and (not kind & _GAP or gap > WIDEST_GAP):
                digits = 0
            is_code &= kind & _CODE > 0 or (sign == _SPACE and before == _COMMA)
            odd |= kind & _CONTROL > 0 or digits >= LEAST_DIGITS
            before = sign
        found[row] = odd and not (coded and is_code)
    return found
