"""What a text may hold when it leaves: one function decides it, for every writer.

No control characters ever, and no phone or number of an identity card unless that is asked for.
How a number is told from a code stands in ``docs/privacy.md``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

__all__ = [
    "CODE",
    "LEAST_DIGITS",
    "WIDEST_GAP",
    "clean",
    "guarded",
    "is_shown",
    "json_text",
    "kinds_of_signs",
    "leaving",
    "masked",
    "restored",
    "runs_as_formula",
    "show_numbers",
    "unmasked",
    "without_numbers",
]

_SHOWN = 3  # signs at either end of what is masked
_in_full: ContextVar[bool] = ContextVar("in_full", default=False)

# A terminal takes these for orders (ECMA-48, 5.4 and 8.3.89): what follows goes with the sign.
_ESCAPE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"
)
# C0 but tab and line ends, DEL and C1, ends of lines for JavaScript alone, signs that turn the
# direction of what follows (https://trojansource.codes), halves of surrogate pairs, and the two
# non-characters that XML 1.0 (2.2) forbids.
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff"
_CONTROL = re.compile(f"[{_CONTROLS}\ud800-\udfff]")
# As JSON has those that it may not hold; what stands after a backslash is none.
_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u00(?:[01][0-9a-f]|7f)")
_LINE_END = re.compile("\r\n?")

# https://owasp.org/www-community/attacks/CSV_Injection; a spreadsheet may take the signs of full
# width for the others, and leave spaces before them out.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\u2212]|[\t\r\n]")
_NEGATIVE = re.compile(r"\s*-(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?%?")

# What stands between the digits of a number, as people write it.
_DASHES = "‐‑‒–—―−－﹣"
_SPACES = "\t\xa0\xad\u2002\u2003\u2007\u2009\u200a\u200b\u200c\u200d\u202f\u2060\u3000\ufeff"
_ASTRAL = 0x20000  # no digits stand above


@cache
def _plain_signs() -> dict[int, str]:
    """Return the plain sign for each that stands for it: one for one, so that places stay."""
    digits = {sign: str(int(sign)) for sign in map(chr, range(128, _ASTRAL)) if sign.isdecimal()}
    signs = dict.fromkeys(_DASHES, "-") | dict.fromkeys(_SPACES, " ")
    return str.maketrans(digits | signs | dict(zip("＋（）．。Ｘｘ", "+()..Xx", strict=True)))


_BEFORE = r"(?<!\d)(?<!(?<!\d)\d\.)(?<!(?<!\d)\d\d\.)(?<!(?<!\d)\d\d\d\.)"  # no part of a decimal
_AFTER = r"(?:\.0+(?!\d))?(?!\d)(?!\.\d{1,6}(?!\d))(?! ?(?:元|万|亿|㎡|m²|平方))"
_GAP = r"(?: {1,3}| ?- ?)"
_ABROAD = rf"(?:\(?(?:\+|00)?86\)?{_GAP}?)?"
_MOBILE = "|".join(
    (
        rf"1[3-9]\d{_GAP}?\d{{4}}{_GAP}?\d{{4}}",
        rf"1[3-9]\d\d{_GAP}?\d{{3}}{_GAP}?\d{{4}}",
        rf"1[3-9]\d\d{_GAP}?\d{{4}}{_GAP}?\d{{3}}",
        rf"1[3-9]\d{_GAP}?\d{{3}}{_GAP}?\d{{5}}",
        rf"1[3-9]\d{{3}}{_GAP}?\d{{3}}{_GAP}?\d{{3}}",
        rf"1[3-9]\d(?:{_GAP}\d\d){{4}}",
        rf"1{_GAP}[3-9](?:{_GAP}\d){{9}}",
        r"1[3-9]\d\.\d{4}\.\d{4}|1[3-9]\d\d\.\d{3}\.\d{4}|1[3-9]\d\.\d{3}\.\d{5}",
    )
)
# The area codes of the numbering plan, without the 0 of calls inside the country.
_AREA = r"(?:10|2[0-57-9]|3[13579]\d|349|4[1-8]\d|5[1-9]\d|6[36]\d|7\d\d|8[1-9]\d|9[0-79]\d)"
_LOCAL = r"[2-9](?:\d{3}[ -]?\d{4}|\d\d[ -]?\d{4})"
_EXTENSION = r"(?: ?(?:-|转|#|[eE]xt\.?|[xX]) ?\d{1,6})?"
_LANDLINE = "|".join(
    (
        rf"(?:\(0{_AREA}\)|0{_AREA}){_GAP}?{_LOCAL}{_EXTENSION}",
        rf"\(?(?:\+|00)86\)?{_GAP}?\(?0?{_AREA}\)?{_GAP}?{_LOCAL}{_EXTENSION}",
        rf"86{_GAP}\(?0?{_AREA}\)?{_GAP}?{_LOCAL}{_EXTENSION}",
    )
)
_HOTLINE = "|".join(
    (
        rf"[48]00{_GAP}?\d{{3}}{_GAP}?\d{{4}}",
        rf"[48]00{_GAP}?\d{{4}}{_GAP}?\d{{3}}",
        rf"[48]00\d{_GAP}?\d{{3}}{_GAP}?\d{{3}}",
        rf"[48]00{_GAP}?\d\d{_GAP}?\d{{5}}",
        r"[48]00\.\d{3}\.\d{4}",
    )
)
_PHONE = rf"(?:{_ABROAD}(?:{_MOBILE})|{_LANDLINE}|{_HOTLINE}){_AFTER}"
# GB 11643: six digits of a place, the day of birth, three of a row, and one that proves them.
_CARD = (
    r"(?P<card>[1-8]\d{5}[ -]?(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"[ -]?\d{3}[\dXx])(?![\dA-Za-z])"
)
_NUMBER = re.compile(rf"{_BEFORE}(?:{_CARD}|{_PHONE})", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"

LEAST_DIGITS, WIDEST_GAP = 10, 5
"""Of a number: how many digits it has at least, and signs between two of them at most."""
_MAYBE = re.compile(rf"\d(?:\D{{0,{WIDEST_GAP}}}\d){{{LEAST_DIGITS - 1}}}")

_SIGN = re.compile(r'[A-Za-z0-9_.:/#,;{}\[\]"|\\-]')
CODE = rf"(?:{_SIGN.pattern}|(?<=,) )*"
"""What a code is made of, or some of them: anything else in a column of codes is a text."""


@contextmanager
def unmasked(asked: bool = True) -> Iterator[None]:
    """Let phones and numbers of identity cards leave in full, where that is asked for.

    Examples
    --------
    >>> from gridmap.leaving import leaving, unmasked
    >>> with unmasked():
    ...     leaving("Office, 13800000000")
    'Office, 13800000000'
    >>> leaving("Office, 13800000000")
    'Office, 138*****000'
    """
    token = _in_full.set(asked or _in_full.get())
    try:
        yield
    finally:
        _in_full.reset(token)


def show_numbers(asked: bool) -> None:
    """Let numbers leave in full, or not, for the rest of this context."""
    _in_full.set(asked)


def is_shown() -> bool:
    """Tell whether numbers leave in full now."""
    return _in_full.get()


def leaving(text: str) -> str:
    r"""Return a text as it may be written or shown.

    Examples
    --------
    >>> from gridmap.leaving import leaving
    >>> leaving("Li\x1b[31m, 0571-88888888"), leaving("330499001001, 120.13800000000")
    ('Li, 057*******888', '330499001001, 120.13800000000')
    """
    made = clean(text)
    return made if is_shown() else without_numbers(made)


def clean(text: str) -> str:
    r"""Return a text without control characters; tabs stay, and ends of lines as ``\n``.

    Examples
    --------
    >>> from gridmap.leaving import clean
    >>> clean("Grid\x00 7\x1b")
    'Grid 7'
    """
    if text.isprintable():
        return text
    return _CONTROL.sub("", _LINE_END.sub("\n", _ESCAPE.sub("", text)))


def json_text(value: object, **form: Any) -> str:
    r"""Return a value as JSON without control characters; tabs and ends of lines as escapes.

    Parameters
    ----------
    value : object
    **form : object
        As `json.dumps` takes it.

    Examples
    --------
    >>> from gridmap.leaving import json_text
    >>> json_text({"name": "Li\x1b\u202e\\u0041"})
    '{"name": "Li\\\\u0041"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, **form)
    if "\\u00" in text:
        text = _ESCAPED.sub(r"\1", text)
    return _CONTROL.sub("", text)


def kinds_of_signs() -> tuple[str, str, str, str]:
    """Return the signs that may be digits of a number, stand between them, never leave, are codes'.

    By them many texts are looked through at once, see `gridmap._suspects`.
    """
    plain = {chr(sign): to for sign, to in _plain_signs().items()}
    digits = "0123456789" + "".join(sign for sign, to in plain.items() if to.isdigit())
    gaps = " -.()+" + "".join(sign for sign, to in plain.items() if to in " -.()+")
    signs = [chr(sign) for sign in range(0x10000)]
    controls = "\r" + "".join(sign for sign in signs if _CONTROL.match(sign))
    return digits, gaps, controls, "".join(sign for sign in signs[:128] if _SIGN.match(sign))


def without_numbers(text: str) -> str:
    """Return a text with its phones and numbers of identity cards masked."""
    if not _MAYBE.search(text):
        return text
    made, end = [], 0
    for begin, after in _numbers(text):
        made += [text[end:begin], masked(text[begin:after])]
        end = after
    return "".join([*made, text[end:]]) if end else text


def masked(text: str) -> str:
    """Return a number or name of which only the beginning and the end can be read."""
    shown = min(_SHOWN, len(text) // 3)
    return text[:shown] + "*" * (len(text) - 2 * shown) + text[len(text) - shown :]


def restored(text: str, was: str) -> str:
    """Return a text that was changed by hand, with what was masked in it as it had been.

    Parameters
    ----------
    text : str
        Made of what was shown of `was`.
    was : str

    Examples
    --------
    >>> from gridmap.leaving import restored
    >>> restored("Gate 2, 138*****000", "Gate 1, 13800000000")
    'Gate 2, 13800000000'
    """
    if "*" not in text:
        return text
    if text == masked(clean(was)):
        return was
    for plain in (clean(was), was.removesuffix(".0")):  # as a number was, and how it is shown
        for begin, after in _numbers(plain):
            number = plain[begin:after]
            text = text.replace(masked(number), number, 1)
    return text


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the numbers of a text begin and end; a sign of it stays one sign."""
    plain = text if text.isascii() else text.translate(_plain_signs())
    start = 0
    while (found := _NUMBER.search(plain, start)) is not None:
        card = found["card"]
        if card is None or _is_card(card):
            yield found.span()
            start = found.end()
        else:
            start = found.start() + 1


def _is_card(text: str) -> bool:
    signs = [sign for sign in text.upper() if sign not in " -"]
    total = sum(int(sign) * weight for sign, weight in zip(signs[:-1], _WEIGHTS, strict=True))
    return signs[-1] == _CHECKS[total % 11]


def runs_as_formula(text: str) -> bool:
    """Tell whether a spreadsheet would run a text; a negative number is none.

    Examples
    --------
    >>> from gridmap.leaving import runs_as_formula
    >>> [runs_as_formula(text) for text in ("=1+1", "-1+1", "-1.5", "A=1")]
    [True, True, False, False]
    """
    return bool(_FORMULA.match(text)) and not _NEGATIVE.fullmatch(text)


def guarded(text: str) -> str:
    """Return a text that no spreadsheet runs: after an apostrophe if it would.

    Examples
    --------
    >>> from gridmap.leaving import guarded
    >>> guarded("=1+1"), guarded("1+1")
    ("'=1+1", '1+1')
    """
    return f"'{text}" if runs_as_formula(text) else text
