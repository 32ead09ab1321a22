"""Bringing a PostgreSQL store to the schema of this program, beside servers that are at work on it.

Servers that start together do it in turn, under a lock that belongs to a transaction: PgBouncer can
carry it, and whoever is killed in the middle leaves the schema as it was. All missing versions are
one transaction, so what was interrupted is begun anew.

A statement that changes a table waits for all who read it, and all who come later wait for it. So
it waits for a few seconds only (`lock_timeout`), then lets the others go on, and is tried again.
"""

from __future__ import annotations

import logging
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import psycopg

from datastore.backends.migration import VERSION_TABLE, judge, migrate
from datastore.backends.postgres_connection import connect, one_transaction
from datastore.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from datastore.backends.postgres_database import Database

log = logging.getLogger(__name__)
LOCK_KEY = 0x7461706972  # "tapir"; the advisory lock under which schemas change
ATTEMPTS = 20
PAUSE_SECONDS = 3.0
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname = '{}'"


def check_and_migrate(database: Database) -> None:
    """Make the schema what this program needs; StartError, with nothing changed, if that cannot be.

    Raises the driver's own error when the database refuses a statement.
    """
    with one_transaction(database) as connection:
        if not _needs_migration(database, _asking(connection)):
            return
    for attempt in range(ATTEMPTS):
        if attempt:
            log.warning("a table is in use, tried again soon database=%s", database.name)
            time.sleep(PAUSE_SECONDS)
        with suppress(psycopg.errors.LockNotAvailable):
            _migrate(database)
            return
    raise StartError(
        f"datastore {database.name}: somebody keeps a table that has to be changed: end long "
        "transactions (pg_dump, psql, a migration that hangs) and start again"
    )


def _needs_migration(database: Database, ask: Callable[[str], list[Any]]) -> bool:
    tables = sorted(row[0] for row in ask(TABLES))
    version = None
    if VERSION_TABLE in tables:
        rows = ask(f"SELECT version_num FROM {VERSION_TABLE}")
        version = rows[0][0] if rows else None
    return judge(database.name, tables, version)


def _migrate(database: Database) -> None:
    """Take the lock, look again, and migrate: one transaction. Raises the driver's own error."""
    from sqlalchemy import NullPool, create_engine
    from sqlalchemy.exc import DBAPIError

    def opened() -> psycopg.Connection:
        connection = connect(database, writer=True)
        connection.autocommit = False
        return connection

    engine = create_engine("postgresql+psycopg://", creator=opened, poolclass=NullPool)
    try:
        with closing(engine.connect()) as connection:  # SQLAlchemy asks things, and rolls back
            _in_turn(database, connection)
            connection.commit()
    except DBAPIError as error:
        raise (error.orig or error) from error


def _in_turn(database: Database, connection: Connection) -> None:
    def ask(sql: str) -> list[Any]:
        return list(connection.exec_driver_sql(sql))

    if database.pooled:
        ask(database.prologue(writer=True))
    ask(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
    _make_schema(database, connection.exec_driver_sql)
    if _needs_migration(database, ask):
        migrate(connection)


def _make_schema(database: Database, run: Callable[[str], Any]) -> None:
    """Make the schema of the URL, if it is not there: whoever may not is told so by PostgreSQL."""
    if database.schema and not run(SCHEMAS.format(database.schema)).first():
        run(f'CREATE SCHEMA "{database.schema}"')


def _asking(connection: psycopg.Connection) -> Callable[[str], list[Any]]:
    return lambda sql: connection.execute(sql.encode()).fetchall()
