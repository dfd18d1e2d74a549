"""Where a store is, and one transaction in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gridmap.errors import StoreError
from gridmap.locks import locked
from gridmap.messages.foreign import database_reason

__all__ = ["is_postgres", "parse_url", "reason_of", "shown", "transaction"]

_FILES = (".sqlite", ".db")
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")
_PATIENCE_S = 10


def parse_url(text: str) -> sa.URL:
    """Return where a store is.

    Parameters
    ----------
    text : str
        ``postgresql://user@host:port/database``, ``sqlite:///path``, or the path of a file that
        ends in .sqlite or .db.

    Raises
    ------
    StoreError
        If it is none of these.
    """
    if "://" not in text and text.endswith(_FILES):
        return sa.URL.create("sqlite", database=text)
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # The text is not shown, for it may hold a password.
        raise StoreError("store.bad_url") from None
    if url.drivername in _POSTGRES and url.database and "@" not in (url.host or ""):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername == "sqlite" and url.database not in (None, "", ":memory:"):
        return url
    raise StoreError("store.bad_url")


def shown(url: sa.URL) -> str:
    """Return a URL as a message may show it: without password or options."""
    if not _is_postgres_url(url):
        return str(url.database)
    plain = url.set(drivername="postgresql", query={})
    return plain.render_as_string(hide_password=True)


def is_postgres(connection: sa.Connection) -> bool:
    """Tell whether a connection is to PostgreSQL; else it is to SQLite."""
    return connection.dialect.name == "postgresql"


def _is_postgres_url(url: sa.URL) -> bool:
    return url.drivername.startswith("postgresql")


@contextmanager
def transaction(text: str, *, write: bool) -> Iterator[sa.Connection]:
    """Open a store, and commit what was done in it, or nothing.

    Parameters
    ----------
    text : str
        As for `parse_url`.
    write : bool
        Whether a SQLite file may be made. Without it, all is read as of one moment.

    Raises
    ------
    StoreError
        If the store cannot be reached or refuses. A file that was made is then taken away.
    """
    url = parse_url(text)
    file = None if _is_postgres_url(url) else Path(str(url.database))
    with _held(file if write else None):
        yield from _opened(url, file, write)


def _opened(url: sa.URL, file: Path | None, write: bool) -> Iterator[sa.Connection]:
    is_new = file is not None and not _is_there(file)
    if is_new and not write:
        raise StoreError("store.no_file", store=shown(url))
    engine = _postgres(url, write) if file is None else _sqlite(url, write)
    refused = (sa.exc.SQLAlchemyError, engine.dialect.loaded_dbapi.Error, UnicodeEncodeError)
    try:
        with _connected(engine, url) as connection, connection.begin():
            yield connection
    except BaseException as error:
        if is_new and file is not None and _is_there(file):
            file.unlink()
        if isinstance(error, refused):
            reason = database_reason(reason_of(error))
            raise StoreError("store.failed", store=shown(url), reason=reason) from None
        raise
    finally:
        engine.dispose()


@contextmanager
def _held(file: Path | None) -> Iterator[None]:
    """Let one process at a time make and fill a SQLite file, so that none takes away another's."""
    with ExitStack() as stack:
        if file is not None:
            # Where no lock can be made beside the file, SQLite cannot write and says why.
            with suppress(OSError):
                stack.enter_context(locked(file.resolve()))
        yield


def reason_of(error: BaseException) -> str:
    """Return the first line of what a database says, without the statement or its values."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _is_there(file: Path) -> bool:
    try:
        return file.exists()
    except PermissionError:
        return True  # so that SQLite is asked, and says why it cannot open it


def _connected(engine: sa.Engine, url: sa.URL) -> sa.Connection:
    try:
        return engine.connect()
    except sa.exc.SQLAlchemyError as error:
        reason = reason_of(error)
        if isinstance(url.password, str) and url.password:
            reason = reason.replace(url.password, "***")
        said = database_reason(reason)
        raise StoreError("store.unreachable", store=shown(url), reason=said) from None


def _postgres(url: sa.URL, write: bool) -> sa.Engine:
    for module in ("psycopg", "geoalchemy2"):
        try:
            import_module(module)
        except ImportError:
            raise StoreError("store.driver_missing", module=module) from None
    if "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": str(_PATIENCE_S)})
    return sa.create_engine(
        url,
        poolclass=sa.NullPool,
        isolation_level="READ COMMITTED" if write else "REPEATABLE READ",
        json_serializer=_json,
    )


def _sqlite(url: sa.URL, write: bool) -> sa.Engine:
    engine = sa.create_engine(url, poolclass=sa.NullPool, json_serializer=_json)

    # Python's sqlite3 would begin a transaction only at the first change of a row, and so leave
    # new tables behind when that fails.
    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
