"""Text files: encoding, separator and heading found, each row by itself."""

from __future__ import annotations

import codecs
import csv
import io
import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from gridmap.errors import SourceError
from gridmap.messages.foreign import library_reason
from gridmap.model import Note
from gridmap.sources.raw import UNNAMED, Raw, heading, rowless

__all__ = ["detect", "find_heading", "read_text"]

_SEPARATORS = ",;\t|"
_NAMES = {",": ",", ";": ";", "\t": "Tab", "|": "|"}
_WIDE_LOOK = 100_000
_ENOUGH_PAIRS = 40
_ROWS_AT_ONCE = 50_000
_SHOWN = 200
# Fewer cells than this a line of a long text may have commas for.
_MANY_CELLS = 4
# Rows among which the heading is looked for: above it stand titles and dates of print.
_HEADING_WITHIN = 20
_ESCAPED = re.compile("[\udc80-\udcff]")
_MARKS = (
    (codecs.BOM_UTF8, "utf_8_sig"),
    (codecs.BOM_UTF32_LE, "utf_32"),
    (codecs.BOM_UTF32_BE, "utf_32"),
    (codecs.BOM_UTF16_LE, "utf_16"),
    (codecs.BOM_UTF16_BE, "utf_16"),
)
# A cell may be long (a shape as text), but not as long as the rest of a file after a lost quote.
csv.field_size_limit(64 * 2**20)


@dataclass
class _Rows:
    """The rows of a file on their way into columns."""

    width: int
    parts: list[pa.Table] = field(default_factory=list)
    block: list[list[str]] = field(default_factory=list)
    bad: dict[int, tuple[str, str]] = field(default_factory=dict)
    numbers: array[int] = field(default_factory=lambda: array("q"))
    count: int = 0

    def add(self, number: int, cells: list[str], reason: str = "", value: str = "") -> None:
        surplus = [cell for cell in cells[self.width :] if cell.strip()]
        if surplus and not reason:
            reason, value = "too_many_cells", " | ".join(surplus)
        if reason:
            self.bad[self.count] = (reason, value)
        self.block.append(cells[: self.width])
        self.numbers.append(number)
        self.count += 1
        if len(self.block) == _ROWS_AT_ONCE:
            self.shut()

    def shut(self) -> None:
        columns = list(zip_longest(*self.block, fillvalue=""))
        columns += [("",) * len(self.block)] * (self.width - len(columns))
        arrays = [
            pa.array([cell or None for cell in column], pa.large_string()) for column in columns
        ]
        self.parts.append(pa.table(arrays, names=[str(at) for at in range(self.width)]))
        self.block = []

    def table(self, names: list[str]) -> pd.DataFrame:
        if self.block or not self.parts:
            self.shut()
        whole = pa.concat_tables(self.parts)
        columns = {
            name: pd.array(whole.column(at), dtype="string") for at, name in enumerate(names)
        }
        return pd.DataFrame(columns, index=range(self.count))


def read_text(
    path: Path, data: bytes, *, encoding: str = "", tabs: bool = False, known: Collection[str] = ()
) -> Raw:
    """Read a table of text.

    Parameters
    ----------
    path : pathlib.Path
        For messages.
    data : bytes
        The whole file.
    encoding : str
        Left empty, it is found from all bytes.
    tabs : bool
        Whether the name of the file says that tabs part the cells.
    known : collection of str
        Names of columns that the heading should have; it may stand below a title.

    Returns
    -------
    Raw
        Every cell is text. Rows that cannot be decoded, that have more cells than the heading, or
        whose quotes do not end are bad; the others are read all the same.

    Raises
    ------
    SourceError
        If there is no row, or the encoding does not exist or is not that of the file.
    """
    if not data.strip():
        raise SourceError("source.empty", path=path)
    used, notes = _encoding(path, data, encoding)
    # Bytes that are none of the encoding stay, as marks by which their row is found.
    text = data.decode(used, errors="surrogateescape").lstrip("\ufeff").replace("\0", "")
    separator = _separator(text, "\t" if tabs else ",", known)
    if separator != ("\t" if tabs else ","):
        notes.append(Note("separator", {"separator": _NAMES[separator]}))
    lines = list(io.StringIO(text, newline=""))
    head, names, told = _heading(lines, separator, known)
    notes += told
    rows = _Rows(len(names))
    torn = bool(_ESCAPED.search(text))
    for number, cells, reason, value in _records(lines, head + 1, separator, len(names)):
        if torn and (marked := [cell for cell in cells if _ESCAPED.search(cell)]):
            whole = [_ESCAPED.sub("\ufffd", cell) for cell in cells]
            rows.add(number, whole, "bad_bytes", _ESCAPED.sub("\ufffd", marked[0]))
        else:
            rows.add(number, cells, reason, value)
    if not rows.count:
        raise rowless(path, names, known)
    table = rows.table(names)
    # Commas at the end of every line make a column without a name or a value.
    nothing = [name for name in names if name.startswith(UNNAMED) and table[name].isna().all()]
    return Raw(
        table.drop(columns=nothing),
        bad=rows.bad,
        notes=tuple(notes),
        numbers=np.array(rows.numbers),
    )


def _encoding(path: Path, data: bytes, asked: str) -> tuple[str, list[Note]]:
    found = detect(data)
    if not asked:
        told = found not in ("ascii", "utf_8", "utf_8_sig", "utf_16", "utf_32")
        return found, [Note("encoding", {"encoding": found})] if told else []
    try:
        codecs.lookup(asked)
    except LookupError:
        raise SourceError("source.encoding_unknown", path=path, encoding=asked) from None
    used = "utf_8_sig" if codecs.lookup(asked).name == "utf-8" else asked
    try:
        data.decode(used)
    except UnicodeDecodeError as error:
        # A stray byte costs its row; a file in another encoding is refused.
        if _strays(data, used) * 2 > _strays(data, "ascii"):
            raise SourceError(
                "source.encoding", path=path, encoding=asked, byte=error.start, found=found
            ) from None
    except UnicodeError as error:
        raise SourceError("source.broken", path=path, reason=library_reason(error)) from None
    return used, []


def detect(data: bytes) -> str:
    """Return the encoding of a text, judged by all of its bytes.

    What begins with a byte order mark is what this says. UTF-8 is taken where most lines that are
    not ASCII are UTF-8, so that a few broken ones do not turn all others to nonsense. Of what is
    left GB18030 comes before Big5, because what is written in one decodes in the other too, and
    Western European text is known by letters that stand alone between ASCII ones.

    Examples
    --------
    >>> from gridmap.sources.text import detect
    >>> detect("占道经营".encode("gbk")), detect("Plaça Gran 3".encode("latin-1"))
    ('gb18030', 'cp1252')
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if data.isascii():
        wide = _without_mark(data)
        return wide or "ascii"
    odd = _strays(data, "ascii")
    for name in ("utf_8", _without_mark(data)):
        if name and _strays(data, name) * 2 <= odd:
            return name
    if _is_western(data):
        return "cp1252"
    if _is_big5(data) and _strays(data, "big5") < _strays(data, "gb18030") + 1:
        return "big5"
    wrong = {name: _strays(data, name) for name in ("gb18030", "big5", "cp1252")}
    # Any byte is a letter of 1252, so that this always fits.
    fits = wrong["gb18030"] * 2 <= odd
    return "gb18030" if fits else min(wrong, key=lambda name: wrong[name])


def _strays(data: bytes, encoding: str) -> int:
    """Return in how many lines there are bytes that are none of an encoding."""
    try:
        text = data.decode(encoding, errors="surrogateescape")
    except UnicodeError:  # the decoders of UTF-16 cannot mark what is none
        return data.count(b"\n") + 1
    if not _ESCAPED.search(text):
        return 0
    return sum(1 for line in text.split("\n") if _ESCAPED.search(line))


def _without_mark(data: bytes) -> str:
    """Return UTF-16 where half of all bytes, every second one, are nought, as of ASCII letters."""
    some = data[:_WIDE_LOOK]
    if b"\0" not in some:
        return ""
    even, odd = some[::2].count(0), some[1::2].count(0)
    if max(even, odd) * 4 < len(some) or min(even, odd) * 8 > max(even, odd):
        return ""
    return "utf_16_le" if odd > even else "utf_16_be"


_RUNS = re.compile(rb"[\x80-\xff]+")
_ALONE = re.compile(
    rb"(?<![\x80-\xff])(?<![\x80-\xff].)[\x80-\xff](?![\x80-\xff])(?!.[\x80-\xff])", re.DOTALL
)
_PAIRS = re.compile(rb"[\x81-\xfe]([\x40-\x7e\x80-\xfe])")


def _is_western(data: bytes) -> bool:
    """Tell whether letters beyond ASCII mostly stand alone, as those of European languages do."""
    return len(_ALONE.findall(data)) * 2 > len(_RUNS.findall(data))


def _is_big5(data: bytes) -> bool:
    """Tell whether many second bytes lie below 0xA1: a third of those of Big5, few of GB 2312."""
    seconds = b"".join(_PAIRS.findall(data))
    low = sum(byte < 0xA1 for byte in seconds)  # noqa: PLR2004 - where the rows of GB 2312 begin
    return len(seconds) >= _ENOUGH_PAIRS and low * 5 > len(seconds)


def _separator(text: str, usual: str, known: Collection[str]) -> str:
    """Return what parts the cells: what finds most of the known names, else most alike rows."""
    lines = [line for line in text[:_WIDE_LOOK].splitlines() if line.strip()][:_HEADING_WITHIN]

    def worth(separator: str) -> tuple[int, int, int, bool]:
        rows = [_cells(line, separator) for line in lines]
        names = max((len(set(map(_plain, row)) & set(known)) for row in rows), default=0)
        widths = Counter(len(row) for row in rows if len(row) > 1)
        width, alike = widths.most_common(1)[0] if widths else (0, 0)
        return names, alike, width, separator == usual

    return max(_SEPARATORS, key=worth)


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r\n")], delimiter=separator), [])


def _plain(cell: str) -> str:
    return cell.strip(" \t\r\n\u00a0\u3000\ufeff\u200b")


def _heading(
    lines: list[str], separator: str, known: Collection[str]
) -> tuple[int, list[str], list[Note]]:
    """Return the line of the heading, its names, and what is to be told of it."""
    first = [_cells(line, separator) for line in lines[:_HEADING_WITHIN]]
    at = find_heading(first, known)
    cells = first[at] if first else []
    names, notes = heading([_ESCAPED.sub("\ufffd", cell) for cell in cells])
    if any(_plain(cell) for row in first[:at] for cell in row):
        notes.append(Note("heading_row", {"row": at + 1}))
    return at, names, notes


def find_heading(rows: list[list[str]], known: Collection[str]) -> int:
    """Return which of the first rows is the heading.

    The one with most of the names that are asked for; where none has any, the first row with
    more than one cell, else the first with any.

    Examples
    --------
    >>> from gridmap.sources.text import find_heading
    >>> find_heading([["Ledger of May", ""], ["", ""], ["id", "kind"], ["1", "litter"]], {"kind"})
    2
    """
    hits = [len({_plain(cell) for cell in row} & set(known)) for row in rows]
    if any(hits):
        return hits.index(max(hits))
    filled = [sum(bool(_plain(cell)) for cell in row) for row in rows]
    wide = [at for at, count in enumerate(filled) if count > 1]
    some = [at for at, count in enumerate(filled) if count]
    return (wide or some or [0])[0] if known else (some or [0])[0]


def _records(
    lines: list[str], start: int, separator: str, width: int
) -> Iterator[tuple[int, list[str], str, str]]:
    """Yield the number of every row in a spreadsheet, its cells, and what is wrong with it.

    A quote that nobody ends takes what follows into one cell, up to the next quote or the end of
    the file. Such a line is a row by itself, and the next one begins anew.
    """
    number = start
    while start < len(lines):
        reader = csv.reader(islice(lines, start, None), delimiter=separator)
        done, stray = 0, False
        while True:
            begun = done
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                stray = True
            else:
                done = reader.line_num
                stray = done - begun > 1 and _swallows(
                    lines[start + begun : start + done], cells, separator, width
                )
            number += 1
            if stray:
                break
            if any(map(_plain, cells)):
                yield number, cells, "", ""
        line = lines[start + begun].rstrip("\r\n")
        yield number, line.split(separator), "open_quote", line[:_SHOWN]
        start += begun + 1


def _swallows(lines: list[str], cells: list[str], separator: str, width: int) -> bool:
    """Tell whether a row of several lines holds lines that are rows of their own.

    Of those before the last: this ends the cell, and has the cells after it too.
    """
    if len(cells) != width:
        return True
    try:  # a quote ends a cell only before a separator or the end of a line (RFC 4180)
        next(csv.reader(lines, delimiter=separator, strict=True))
    except csv.Error:
        return True
    inner = (line.count(separator) >= width - 1 for line in lines[1:-1])
    return width >= _MANY_CELLS and any(inner)
