"""Small damage to the bytes of a file, the same for the same seed."""

from __future__ import annotations

import io
import random
import re
import zipfile

__all__ = ["damaged"]

_ODD = [
    b"\0", b"\xff", b"\xef\xbb\xbf", b'"', b",", b";", b"\r\n", b"\t", b"{", b"]", b"<", b"&", b"=",
    b"nan", b"1e999", b"-1", b"9" * 40, b"null", "２０２５".encode(), "\u200b".encode(), b"\x1a",
    b"9999-12-31", b"[[", b"'''", b"../../../etc/passwd", b"/vsicurl/http://127.0.0.1:9/",
]  # fmt: skip
_QUOTED = re.compile(rb'"([^"\n]{0,200})"')
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")


def damaged(data: bytes, seed: int) -> bytes:
    """Return a file with one to three places damaged; of a zip mostly those of a file inside.

    Parameters
    ----------
    data : bytes
    seed : int
    """
    draw = random.Random(seed)  # noqa: S311 - no secret
    if data.startswith(b"PK") and draw.random() < _INSIDE:
        return _within(data, draw)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        ways = _KEEPING if draw.random() < _GENTLE else _WAYS
        if data:
            data = draw.choice(ways)(data, draw)
    return data


_INSIDE, _GENTLE = 0.85, 0.6


def _within(data: bytes, draw: random.Random) -> bytes:
    """Damage one file of a zip."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        names = old.namelist()
        chosen = draw.choice(names)
        for name in names:
            content = old.read(name)
            if name == chosen and content:
                content = draw.choice((*_KEEPING, *_WAYS))(content, draw)
            new.writestr(name, content)
    return packed.getvalue()


def _value(data: bytes, draw: random.Random) -> bytes:
    """Put an odd text in the place of one in quotation marks, or an odd number."""
    found = list(_QUOTED.finditer(data))
    if not found:
        return _number(data, draw)
    chosen = draw.choice(found)
    odd = draw.choice([one for one in _ODD if b'"' not in one and b"\n" not in one])
    return data[: chosen.start(1)] + odd + data[chosen.end(1) :]


def _flip(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _drop(data: bytes, draw: random.Random) -> bytes:
    at, length = draw.randrange(len(data)), draw.randint(1, 64)
    return data[:at] + data[at + length :]


def _insert(data: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.choice(_ODD) + data[at:]


def _repeat(data: bytes, draw: random.Random) -> bytes:
    at, length = draw.randrange(len(data)), draw.randint(1, 256)
    return data[: at + length] + data[at:]


def _zero(data: bytes, draw: random.Random) -> bytes:
    at, length = draw.randrange(len(data)), draw.randint(1, 128)
    return data[:at] + b"\0" * len(data[at : at + length]) + data[at + length :]


def _number(data: bytes, draw: random.Random) -> bytes:
    """Put an odd value in the place of a number; in a file of bytes, of any four of them."""
    found = list(_NUMBER.finditer(data))
    if not found:
        at = draw.randrange(len(data))
        return (
            data[:at] + draw.choice([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"]) + data[at + 4 :]
        )
    chosen = draw.choice(found)
    return data[: chosen.start()] + draw.choice(_ODD) + data[chosen.end() :]


_KEEPING = (_flip, _zero, _number, _value)
_WAYS = (_flip, _cut, _drop, _insert, _repeat, _zero, _number)
