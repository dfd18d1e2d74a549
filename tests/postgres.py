"""Fixtures with a PostgreSQL server that has PostGIS.

``GRIDMAP_TEST_POSTGRES`` may hold the URL of one, with a superuser; otherwise a private one is
started by ``scripts/postgres`` and stopped at the end.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

__all__ = ["postgres_database", "postgres_url"]

_SCRIPT = Path(__file__).parent.parent / "scripts" / "postgres"
_CANNOT_BE_HAD = 3


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a server, of any database there."""
    given = os.environ.get("GRIDMAP_TEST_POSTGRES", "")
    if given:
        yield given
        return
    done = subprocess.run([_SCRIPT, "start"], capture_output=True, text=True, check=False)
    if done.returncode == _CANNOT_BE_HAD:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    url = done.stdout.strip().splitlines()[-1]
    yield url
    subprocess.run([_SCRIPT, "stop", url], check=True)


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database, for one test."""
    psycopg = pytest.importorskip("psycopg")
    name = f"gridmap_test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
