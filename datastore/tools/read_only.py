"""Opening a store only to read it, while a server may be at work on it.

A SQLite file is opened read-only, a networked database is read in read-only transactions. A file
that nobody has open (it has no log) is read as one that does not change: SQLite leaves nothing
beside it then, and needs no leave to write there.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from datastore.backends import BACKENDS, without_password
from datastore.errors import ConfigError, StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

CACHE_KIB = 65_536  # SQLite's own pages, also while it sorts
DRIVERS = {"postgresql": "postgresql+psycopg"}


class CannotCheck(StartError):
    """The store cannot be read at all; the message names it and the remedy."""


def engine_of(endpoint: str) -> Engine:
    """Return what connects to a store; ConfigError or CannotCheck when there cannot be one."""
    url = _url(endpoint)
    if url.drivername == "sqlite":
        return _sqlite(url)
    return create_engine(
        url.set(drivername=DRIVERS[url.drivername]),
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
    )


def _url(endpoint: str) -> URL:
    shown = without_password(endpoint)
    try:
        url = make_url(endpoint)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f"datastore endpoint {shown!r} is no URL") from error
    if url.drivername not in BACKENDS:
        schemes = ", ".join(f"{scheme}://…" for scheme in BACKENDS)
        raise ConfigError(f"datastore endpoint {shown!r} is not one of {schemes}")
    return url


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "").absolute()
    if not path.is_file():
        raise CannotCheck(f"datastore {path}: there is no such file: name a store's file")

    log = Path(f"{path}-wal")
    at_rest = not log.exists()
    mode = "mode=ro&immutable=1" if at_rest else "mode=ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.as_uri()}?{mode}", uri=True, isolation_level=None, check_same_thread=False
        )
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return connection

    options = {"log": log} if at_rest else {}
    return create_engine(
        "sqlite://", creator=connect, poolclass=NullPool, execution_options=options
    )


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Hold one view of the store for everything that is asked inside.

    CannotCheck when a server has begun to change what was thought to be at rest.
    """
    with connection.begin() as transaction:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        try:
            yield
        finally:
            transaction.rollback()
            log = connection.get_execution_options().get("log")
            if log is not None and log.exists():
                raise CannotCheck(f"{log}: a server has started on this store: check it again")
