"""Cells as text, numbers and truths; codes never pass through a float."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd

__all__ = [
    "as_text",
    "cleaned",
    "is_rounded",
    "read_degrees",
    "read_integers",
    "read_numbers",
    "read_truths",
]

# What nobody sees: controls, zero-width characters, marks of direction and of byte order.
_UNSEEN = (
    "\u0000-\u001f\u007f-\u009f\u00ad\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\ufeff"
    "\ufff9-\ufffb"
)
_BLANKS = " \t\r\n\u00a0\u2000-\u200a\u3000"
_WIDE = "\uff01-\uff5e"
_ODD = f"[{_UNSEEN}{_WIDE}\u00a0\u2000-\u200a\u200c\u200d\u3000]"
# Excel keeps 15 digits of a number, a double the integers below 2^53.
_EXCEL_HOLDS = 1e15
_DOUBLE_HOLDS = float(2**53)
_SCIENTIFIC = r"[+-]?\d(?:\.\d+)?[eE]\+?(\d{2,3})"
_YES = {"1", "true", "t", "yes", "y", "是"}
_NO = {"0", "false", "f", "no", "n", "否"}


def as_text(source: pd.Series) -> pd.Series:
    """Return cells as text without outer blanks; whole numbers without a decimal point.

    Examples
    --------
    >>> from gridmap.sources.cells import as_text
    >>> as_text(pd.Series([7.0, 120.5, "  a ", None], dtype=object)).to_list()
    ['7', '120.5', 'a', <NA>]
    """
    if pd.api.types.is_float_dtype(source):
        whole = source.dropna()
        if (whole == whole.round()).all() and (whole.abs() < _DOUBLE_HOLDS).all():
            source = source.astype("Int64")
    elif source.dtype == object:
        source = source.map(_plain, na_action="ignore")
    text = source.astype("string").str.strip()
    return text.mask(text == "")


def _plain(cell: object) -> object:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def cleaned(text: pd.Series) -> tuple[pd.Series, int]:
    r"""Return texts without what nobody sees, and how many had any of it.

    Controls and zero-width characters go, outer blanks of every kind too. A text that is a code
    once its full-width letters and digits are folded becomes that code; other texts keep them.

    Examples
    --------
    >>> from gridmap.sources.cells import cleaned
    >>> text, changed = cleaned(pd.Series(["Ａ１", "A1\u200b", "３号楼", "A1"], dtype="string"))
    >>> text.to_list(), changed
    (['A1', 'A1', '３号楼', 'A1'], 2)
    """
    odd = text.str.contains(_ODD, regex=True).fillna(False).to_numpy(dtype=bool)
    if not odd.any():
        return text, 0
    whole = text.copy()
    whole[odd] = text[odd].map(_clean).astype("string")
    changed = int((whole[odd] != text[odd]).fillna(True).sum())
    return whole.mask(whole == ""), changed


def _clean(text: str) -> str:
    spaced = (" " if sign in "\t\r\n\u2028\u2029" else sign for sign in text)
    seen = "".join(sign for sign in spaced if not _is_unseen(sign)).strip()
    folded = unicodedata.normalize("NFKC", seen)
    return folded if folded.isascii() and not any(sign.isspace() for sign in folded) else seen


def _is_unseen(sign: str) -> bool:
    # Joiners belong to the writing of some languages and to emoji.
    return unicodedata.category(sign) in ("Cc", "Cf") and sign not in "\u200c\u200d"


def is_rounded(source: pd.Series, text: pd.Series) -> pd.Series:
    """Tell which cells are numbers of more digits than what wrote them can hold.

    A code of 18 digits that a workbook holds as a number has lost its last three, whatever stands
    there now, and so has one that a spreadsheet saved as ``3.30499E+17``.

    Examples
    --------
    >>> from gridmap.sources.cells import as_text, is_rounded
    >>> cells = pd.Series([330499001001001024.0, 42.0, "3.305E+17", "330499001001001001"])
    >>> is_rounded(cells, as_text(cells)).to_list()
    [True, False, True, False]
    """
    found = text.str.fullmatch(_SCIENTIFIC).fillna(False).to_numpy(dtype=bool)
    if pd.api.types.is_float_dtype(source):
        found |= (source.abs() >= _DOUBLE_HOLDS).fillna(False).to_numpy(dtype=bool)
    elif source.dtype == object:
        found |= source.map(
            lambda cell: isinstance(cell, (int, float)) and abs(cell) >= _EXCEL_HOLDS
        ).to_numpy(dtype=bool)
    return pd.Series(found, index=source.index)


def read_numbers(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return numbers, and which texts are none."""
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    return numbers, text.notna() & numbers.isna()


def read_degrees(text: pd.Series) -> pd.Series:
    r"""Return coordinates as numbers; of degrees also those with signs and a decimal comma.

    Examples
    --------
    >>> from gridmap.sources.cells import read_degrees
    >>> cells = pd.Series(["120.905", "120,905", "120°54'18\"E", "3.7°S", "?"], dtype="string")
    >>> read_degrees(cells).to_list()
    [120.905, 120.905, 120.905, -3.7, nan]
    """
    numbers, odd = read_numbers(text)
    spelt = [unicodedata.normalize("NFKC", str(cell)).strip().upper() for cell in text[odd]]
    numbers[odd] = [_degrees(said) for said in spelt]
    return numbers


def _degrees(said: str) -> float:
    found = _DEGREES.fullmatch(said)
    if found is None:
        return np.nan
    whole, minutes, seconds = (float((found[part] or "0").replace(",", ".")) for part in (2, 3, 4))
    size = whole + minutes / 60 + seconds / 3600
    west_or_south = (found[5] or found[6] or "") in ("W", "S", "西", "南")
    return -size if (found[1] == "-") != west_or_south else size


_DEGREES = re.compile(
    r"(?:东经|北纬)?([+-]?)(\d+(?:[.,]\d+)?)\s*(?:[°º度]\s*(?:(\d+(?:[.,]\d+)?)\s*['′分]\s*)?"
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:\"|″|''|′′|秒)\s*)?([NSEW东西南北])?|\s*([NSEW东西南北]))?"
)


def read_integers(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return integers, exact up to 64 bits, and which texts are none."""
    digits = text.str.fullmatch(r"[+-]?\d{1,19}(?:\.0*)?").fillna(False).to_numpy(dtype=bool)
    values = np.zeros(len(text), dtype=np.int64)
    known = digits.copy()
    for row in np.flatnonzero(digits):
        number = int(str(text.iloc[row]).partition(".")[0])
        known[row] = abs(number) < 2**63
        values[row] = number if known[row] else 0
    left = text.notna().to_numpy(dtype=bool) & ~known
    if left.any():  # such as 1e3
        numbers = pd.to_numeric(text[left], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        fits = (
            np.isfinite(numbers)
            & (np.abs(numbers) < _DOUBLE_HOLDS)
            & (numbers == np.round(numbers))
        )
        at = np.flatnonzero(left)[fits]
        values[at], known[at] = numbers[fits].astype(np.int64), True
    integers = pd.Series(pd.array(values, dtype="Int64"), index=text.index)
    return integers.mask(~known), pd.Series(text.notna().to_numpy() & ~known, index=text.index)


def read_truths(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return truths, and which texts are none."""
    known = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
    values = text.str.lower().map(known).astype("boolean")
    return values, text.notna() & values.isna()
