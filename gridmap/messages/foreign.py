"""What libraries and databases say of a failure, as a part of a message in the reader's language.

What is common is said in words of our own. Anything else is quoted and marked as a quotation, for
a text that nobody here has written cannot be in every language.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib

from gridmap.messages import Message, os_reason

__all__ = ["database_reason", "library_reason"]

_LONGEST = 200
_DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError)
_COMMON = (
    ("no_server", r"connection refused|could not connect|is the server running"),
    ("no_host", r"could not translate host name|failed to resolve host|name or service not known"),
    ("timeout", r"timeout expired|timed out"),
    ("not_let_in", r"authentication failed|no password supplied|no pg_hba\.conf entry"),
    ("no_user", r'role ".*" does not exist'),
    ("no_database", r'database ".*" does not exist'),
    ("too_many", r"too many (clients|connections)|remaining connection slots"),
    ("no_rights", r"permission denied|must be (owner|superuser)"),
    ("read_only", r"readonly database|read-only transaction"),
    ("full", r"database or disk is full|no space left"),
    ("busy", r"database is locked|lock timeout|deadlock detected"),
    ("no_sqlite", r"file is not a database"),
    ("malformed", r"malformed|disk image"),
    ("no_place", r"unable to open database file"),
    ("gone", r"server closed the connection|terminating connection|connection .* is closed"),
)


def library_reason(error: BaseException) -> str | Message:
    """Return why a library could not read or write.

    Examples
    --------
    >>> import zipfile
    >>> from gridmap.messages.foreign import library_reason
    >>> library_reason(zipfile.BadZipFile("File is not a zip file")).text("zh")
    '文件不完整或已损坏'
    >>> library_reason(ValueError("Expected 3 columns")).text("zh")
    '程序库报告“Expected 3 columns”'
    """
    if isinstance(error, _DAMAGED):
        return Message("foreign.damaged")
    if isinstance(error, OSError) and error.errno:
        return os_reason(error)
    said = _first_line(error)
    if re.search(dict(_COMMON)["full"], said, re.IGNORECASE):
        return Message("foreign.full")
    return Message("foreign.library", {"words": said})


def database_reason(said: str) -> Message:
    """Return why a database refused something, by the first line of what it said.

    Examples
    --------
    >>> from gridmap.messages.foreign import database_reason
    >>> database_reason("database is locked").text("zh")
    '数据库正被占用'
    """
    for key, pattern in _COMMON:
        if re.search(pattern, said, re.IGNORECASE):
            return Message(f"foreign.{key}", {"words": said})
    return Message("foreign.database", {"words": said})


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = lines[0] if lines else type(error).__name__
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
