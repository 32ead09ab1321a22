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

import psycopg
from sqlalchemy import NullPool, create_engine

from datastore.backends import BACKENDS, mysql_nodes
from datastore.backends.endpoint_url import parse
from datastore.backends.mysql_target import target_of
from datastore.backends.postgres_database import database_of
from datastore.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

    from datastore.backends.mysql_connection import MysqlConnection

CACHE_KIB = 65_536  # SQLite's own pages, also while it sorts


class CannotCheck(StartError):
    """The store cannot be read at all; the message names it and the remedy."""


def engine_of(endpoint: str) -> Engine:
    """Return what connects to a store; ConfigError or CannotCheck when there cannot be one."""
    url = parse(endpoint, BACKENDS)
    if url.drivername == "sqlite":
        return _sqlite(url)
    return _mysql(url) if url.drivername == "mysql" else _postgresql(url)


def _postgresql(url: URL) -> Engine:
    """A standby will do, and so will a pooler: nothing is left with the session."""
    database = database_of(url, primary=False)

    def connect() -> psycopg.Connection:
        return psycopg.connect(database.conninfo, prepare_threshold=None)

    return create_engine(
        "postgresql+psycopg://",
        creator=connect,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        execution_options={"first": database.path_setting()},
    )


def _mysql(url: URL) -> Engine:
    target = target_of(url)

    def connect() -> MysqlConnection:
        connection = mysql_nodes.connect(target)
        connection.autocommit(False)
        return connection

    return create_engine(
        "mysql+pymysql://",
        creator=connect,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
    )


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
            if first := connection.get_execution_options().get("first"):
                connection.exec_driver_sql(first)
        try:
            yield
        finally:
            transaction.rollback()
            log = connection.get_execution_options().get("log")
            if log is not None and log.exists():
                raise CannotCheck(f"{log}: a server has started on this store: check it again")
